"""Does an explanation find the planted cause of death? python tests/benchmarks/planted_cause.py.

For each seed: 4,000 simulated stays as in the healthcare notebook, then 60,000; the LSTM of that
notebook, with the dropout that its validation part prefers; and 150 test stays that have a cause.
Cells (hour, variable) are ranked by the size of an attribution, summed over the three parts of a
variable; the truth is which cells the simulator says raised the risk. Mean and lowest to highest
over the seeds.

"plain gradients" are |d margin / d input|; "gradients times input" multiply by the standardised
input, as is often done. `shap.GradientExplainer` reads the mask as a number, because it cannot take
one as a mask.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shap
import tensorflow as tf
from samples import sample_stays

import lstm_explain as lx
from lstm_explain.backend import keras
from lstm_explain.datasets.icu.rule import true_cause, true_log_odds, true_shap
from lstm_explain.models.scores import score

SEEDS = (0, 1, 2)
# Number of stays, and size of the steps that training them takes.
SIZES = {4_000: {"batch_size": 64}, 60_000: {"batch_size": 256, "learning_rate": 4e-3}}
DROPOUTS = (0.1, 0.3)
EXPLAINED = 150
ROWS = 100  # background stays
DRAWS = 1000  # of GradientExplainer


def by_variable(values: np.ndarray) -> np.ndarray:
    """Sum the three parts of each variable."""
    return sum(np.split(values, 3, axis=-1))


def margin_of(model):
    """Return the model up to its margin, with a mask that may be a number."""
    inputs = [keras.Input(i.shape[1:], name=f"{i.name}_number") for i in model.inputs]
    margin = keras.Model(model.inputs, model.get_layer("head").output)(
        [keras.ops.cast(x, i.dtype) for x, i in zip(inputs, model.inputs, strict=True)]
    )
    # GradientExplainer fails where an input has no gradient: it gets one of zero.
    return keras.Model(inputs, margin + 0 * keras.ops.sum(inputs[1], axis=1, keepdims=True))


def trained(
    data: lx.SequenceData, *, seed: int, dropouts: tuple[float, ...] = DROPOUTS, **options: float
) -> lx.TrainingRun:
    """Train with each dropout, and return the run of the lowest validation loss."""
    options = {"learning_rate": 2e-3, **options}
    runs = []
    for dropout in dropouts:
        model = lx.build_model(data, units=(32,), dropout=dropout, seed=seed, beside=None)
        runs.append(
            lx.train(model, data, epochs=30, patience=4, seed=seed, progress=False, **options)
        )
    return min(runs, key=lambda run: run.history["validation_loss"].min())


def scores_of_one(num_stays: int, seed: int) -> pd.DataFrame:
    raw = sample_stays(seed, num_stays)
    data = raw.fill_missing(indicators=True).standardise()
    run = trained(data, seed=seed, **SIZES[num_stays])
    dropout = run.model.get_layer("context_dropout").rate
    test = raw.test
    cause = true_cause(test)
    some = np.flatnonzero(cause.any(axis=(1, 2)))[:EXPLAINED]
    stays, rows = data.test[some], data.train[:ROWS]
    e = lx.explain(run.model, stays, background=rows, progress=False)
    network = margin_of(run.model)
    arrays = [np.asarray(x, np.float32) for x in stays.inputs_for(run.model)]
    reference = [np.asarray(x, np.float32) for x in rows.inputs_for(run.model)]
    with tf.GradientTape() as tape:
        points = [tf.constant(x) for x in arrays]
        tape.watch(points[0])
        output = network(points)
    gradient = tape.gradient(output, points[0]).numpy()
    random = shap.GradientExplainer(network, reference).shap_values(
        arrays, nsamples=DRAWS, rseed=seed
    )[0][..., 0]
    scored = {
        "the rule's own SHAP values": true_shap(test[some], raw.train[:ROWS]).values,
        "lx.explain": e.over_variables().values.values,
        f"GradientExplainer, {DRAWS} draws": by_variable(random),
        "gradients times input": by_variable(gradient * arrays[0]),
        "plain gradients": by_variable(np.abs(gradient)),
        "attention": e.attention.values,
        "attention contribution": e.attention_contribution.values,
    }
    table = pd.DataFrame(
        {
            name: lx.faithfulness.score_cells(v, cause[some], stays.mask)
            for name, v in scored.items()
        }
    ).T
    bayes = 1 / (1 + np.exp(-true_log_odds(test)))
    print(
        f"{num_stays} stays, seed {seed}: test AUROC {run.metrics['auroc']:.3f}, of the true risk "
        f"{score(test, bayes)['auroc']:.3f}; {len(some)} explained; dropout {dropout}",
        flush=True,
    )
    return table


if __name__ == "__main__":
    for size in SIZES:
        tables = pd.concat({seed: scores_of_one(size, seed) for seed in SEEDS})
        grouped = tables.groupby(level=1, sort=False)
        parts = {"mean": grouped.mean(), "lowest": grouped.min(), "highest": grouped.max()}
        columns = ["auroc", "auprc", "prevalence"]
        print(pd.concat(parts, axis=1).swaplevel(axis=1)[columns].round(3).to_string())
