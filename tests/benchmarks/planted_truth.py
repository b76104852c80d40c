"""Do explanations find cells that are known to decide? python tests/benchmarks/planted_truth.py.

**State** (a hidden Markov model): a GRU of 200 units with one output per step learns the labels of
800 series, 160 of them to stop on, and is explained on 200 series of another generator seed; five
folds. `lx.explain(step="sum")` explains the log-odds of all steps together, in one pass. Published
rows explain each step's output by its own cells; so does the row "own step", for ten steps of 50
series. Values are ranked by size.

The chosen reference is one number per feature, its 10 %, 50 % or 90 % quantile in the training
series: of the 27, the one with the best AUPRC on 20 training series, whose truth is thereby used.
"input - chosen reference" has no model in it at all: so much is found by the reference alone.

Attention is that of the same network with one causal attention head on the GRU, averaged over the
queries. It has one weight per step, and of each step one feature of three decides: what it can
reach is a guess.

**Rare-time and rare-feature**: ten series, a white box that sums the squares of 125 cells; five
seeds.

Arguments name the parts to run: state, switch_feature, rare. Default: state and rare.
"""

from __future__ import annotations

import sys
import time
from itertools import product

import numpy as np
import pandas as pd
import shap
import tensorflow as tf
from saliency_scores import score_saliency

import lstm_explain as lx
from lstm_explain.backend import keras, ops

FOLDS = range(5)
UNITS = 200
EPOCHS = 12
TESTED = 200
FEW = 50  # series for what is slow
ROWS = 20  # background series
DRAWS = 50  # of GradientExplainer
CHOOSING = 20  # training series that choose the reference
COLUMNS = ["auroc", "auprc", "aup", "aur"]
# time_interpret's own results.csv (5 folds), as AUP, AUR, AUROC, AUPRC.
PUBLISHED = {
    "Integrated Gradients": (0.936, 0.909, 0.918, 0.454),
    "LIME": (0.937, 0.912, 0.932, 0.438),
    "DeepLift": (0.938, 0.912, 0.920, 0.454),
    "GradientSHAP": (0.852, 0.798, 0.849, 0.414),
    "ExtremalMask": (0.910, 0.883, 0.885, 0.781),
    "Dynamask": (0.876, 0.695, 0.711, 0.763),
    "RETAIN (attention)": (0.800, 0.622, 0.645, 0.334),
}


def network(data: lx.SequenceData, attention: bool, seed: int) -> keras.Model:
    """Train a GRU with one output per step on the labels of every step."""
    keras.utils.set_random_seed(seed)
    values = keras.Input(data.values.shape[1:])
    states = keras.layers.GRU(UNITS, return_sequences=True)(values)
    if attention:
        layer = keras.layers.MultiHeadAttention(1, 16, name="attention")
        seen = layer(states, states, use_causal_mask=True)
        states = keras.layers.Concatenate()([states, seen])
    margin = keras.layers.Dense(1, name="head")(states)
    model = keras.Model(values, keras.layers.Activation("sigmoid")(margin))
    model.compile(keras.optimizers.Adam(2e-3, clipnorm=1.0), "binary_crossentropy")
    feeds = [
        (part.values, lx.datasets.planted_truth(part).labels[..., None])
        for part in (data.train, data.validation)
    ]
    best = keras.callbacks.EarlyStopping(patience=EPOCHS, restore_best_weights=True)
    model.fit(
        *feeds[0], validation_data=feeds[1], epochs=EPOCHS, batch_size=32, callbacks=[best],
        verbose=0,
    )  # fmt: skip
    return model


def gradients(model: keras.Model, values: np.ndarray) -> np.ndarray:
    """Return d (sum of the log-odds of all steps) / d input."""
    margin = keras.Model(model.input, model.get_layer("head").output)
    found = []
    for part in np.array_split(values, 4):
        points = tf.constant(part)
        with tf.GradientTape() as tape:
            tape.watch(points)
            total = tf.reduce_sum(margin(points))
        found.append(tape.gradient(total, points).numpy())
    return np.concatenate(found)


def by_gradient_explainer(model: keras.Model, values: np.ndarray, rows: np.ndarray, seed: int):
    margin = keras.layers.Flatten()(model.get_layer("head").output)
    # GradientExplainer looks at the last layer: the sum over the steps has to be one.
    total = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(margin)
    explainer = shap.GradientExplainer(keras.Model([model.input], total), rows)
    return explainer.shap_values(values, nsamples=DRAWS, rseed=seed)[..., 0]


def chosen_reference(model: keras.Model, data: lx.SequenceData) -> np.ndarray:
    """Return the constant reference (1, step, feature) that finds the truth of training series."""
    some = data.train[:CHOOSING]
    cells = lx.datasets.planted_truth(some).cells
    levels = np.quantile(data.train.values, [0.1, 0.5, 0.9], axis=(0, 1)).T.astype("float32")
    shape = (1, *some.values.shape[1:])
    references = [np.broadcast_to(np.array(one), shape) for one in product(*levels)]

    def quality(reference: np.ndarray) -> float:
        e = explained(model, some, reference)
        return lx.faithfulness.score_cells(e.values.values, cells, some.mask)["auprc"]

    return max(references, key=quality)


def explained(model: keras.Model, data: lx.SequenceData, background, step="sum"):
    return lx.explain(model, data, background=background, step=step, progress=False)


def own_step(model: keras.Model, data: lx.SequenceData, background, cells) -> dict[str, float]:
    """Score each step's cells by what they add to that step's own output, for ten steps."""
    steps = np.linspace(0, data.values.shape[1] - 1, 10).astype(int)
    values = [explained(model, data, background, int(t)).values.values[:, t] for t in steps]
    mask = np.ones((len(data), len(steps)), bool)
    return score_saliency(np.stack(values, axis=1), cells[:, steps], mask)


def one_fold(recipe: str, fold: int) -> pd.DataFrame:
    started = time.perf_counter()
    data = lx.datasets.load_truth(recipe, seed=fold)
    tested = lx.datasets.load_truth(recipe, samples=TESTED, seed=1000 + fold)
    truth = lx.datasets.planted_truth(tested)
    few, rows = tested[:FEW], data.train.values[:ROWS]
    model = network(data, attention=False, seed=fold)
    probability = model.predict(tested.values, verbose=0)[..., 0]
    slope = gradients(model, tested.values)
    reference = chosen_reference(model, data)
    mean = data.train.values.mean(axis=(0, 1), keepdims=True) + np.zeros_like(reference)
    looking = network(data, attention=True, seed=fold)
    maps = lx.attention_maps(looking, few)["attention"]
    found = {
        "lx.explain, chosen reference": explained(model, tested, reference).values.values,
        "lx.explain, zero": explained(model, tested, "zero").values.values,
        "lx.explain, mean of training series": explained(model, tested, mean).values.values,
        f"lx.explain, {ROWS} training series": explained(model, few, rows).values.values,
        f"shap.GradientExplainer, the same {ROWS}": by_gradient_explainer(
            model, few.values, rows, fold
        ),
        "gradient times input": slope * tested.values,
        "plain gradient": slope,
        "attention": maps.mean(["head", "query"]).values,
        "random": np.random.default_rng(fold).random(truth.cells.shape),
        "input - chosen reference, no model": tested.values - reference,
        "input, no model": tested.values,
    }
    scores = {
        name: score_saliency(v, truth.cells[: len(v)], tested.mask[: len(v)])
        for name, v in found.items()
    }
    scores["own step, zero"] = own_step(model, few, "zero", truth.cells[:FEW])
    scores["own step, chosen reference"] = own_step(model, few, reference, truth.cells[:FEW])
    print(
        f"{recipe}, fold {fold}: AUROC of the labels {auroc(truth.labels, probability):.3f}, with "
        f"attention {auroc(truth.labels, looking.predict(tested.values, verbose=0)):.3f}, of the "
        f"true probabilities {auroc(truth.labels, truth.probabilities):.3f}; chosen reference "
        f"{[round(float(x), 2) for x in reference[0, 0]]}; {time.perf_counter() - started:.0f} s",
        flush=True,
    )
    return pd.DataFrame(scores).T[COLUMNS]


def auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels.ravel(), probabilities.ravel()))


def rare(recipe: str, seed: int) -> pd.DataFrame:
    """Score explanations of the white box."""
    data = lx.datasets.load_truth(recipe, seed=seed)
    cells = lx.datasets.planted_truth(data).cells
    values = keras.Input(data.values.shape[1:])
    weights = ops.convert_to_tensor(cells[:1].astype("float32"))
    model = keras.Model(values, ops.sum(ops.square(values) * weights, axis=(1, 2))[:, None])
    found = {
        "lx.explain, zero": explained(model, data, "zero", "last").values.values,
        "lx.explain, the ten series": explained(model, data, data, "last").values.values,
        "plain gradient": 2 * data.values * cells,
        "random": np.random.default_rng(seed).random(cells.shape),
    }
    scores = {name: score_saliency(v, cells, data.mask) for name, v in found.items()}
    return pd.DataFrame(scores).T[[*COLUMNS, "information", "entropy"]]


def markdown(tables: list[pd.DataFrame], digits: int = 3) -> None:
    """Print mean (standard deviation) over the folds."""
    grouped = pd.concat(tables).groupby(level=0, sort=False)
    mean, deviation = grouped.mean(), grouped.std()
    print(f"| | {' | '.join(mean.columns)} |\n|{' --- |' * (1 + len(mean.columns))}")
    for name, row in mean.iterrows():
        spread = deviation.loc[name]
        cells = [f"{row[c]:.{digits}f} ({spread[c]:.{digits}f})" for c in mean.columns]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parts = sys.argv[1:] or ["state", "rare"]
    for part in parts:
        if part != "rare":
            markdown([one_fold(part, fold) for fold in FOLDS])
            continue
        for recipe in ("rare_time", "rare_feature"):
            print(f"\n{recipe}")
            markdown([rare(recipe, seed) for seed in FOLDS])
    if "state" in parts:
        print("\npublished, state (auroc, auprc, aup, aur)")
        for name, row in PUBLISHED.items():
            print(f"| {name} | {' | '.join(f'{x:.3f}' for x in row)} |")
