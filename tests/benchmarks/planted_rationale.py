"""Does an explanation find the words that decide? python tests/benchmarks/planted_rationale.py.

For each seed: the 6,000 simulated reviews of the NLP notebook and its LSTM. The words of 150 test
reviews are ranked by the size of each score; the truth is which words the simulator's rule uses.
Mean and lowest to highest AUPRC over the seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

import lstm_explain as lx
from lstm_explain.datasets.reviews_baseline import bag_of_words_forecast
from lstm_explain.datasets.reviews_rule import true_shapley
from lstm_explain.datasets.reviews_sample import sample_reviews

SEEDS = (0, 1, 2)
EXPLAINED = 150


def scores_of_one(seed: int) -> pd.Series:
    data = sample_reviews(seed)
    model = lx.build_model(data, bidirectional=True, word_dropout=0.3, seed=seed)
    baselines = {"words": bag_of_words_forecast(data)}
    run = lx.train(
        model,
        data,
        epochs=20,
        patience=4,
        learning_rate=3e-3,
        seed=seed,
        baselines=baselines,
        progress=False,
    )
    accuracy = run.to_frame()["accuracy"]
    print(
        f"seed {seed}: accuracy {accuracy['this model']:.3f}, bag of words and pairs "
        f"{accuracy['words']:.3f}, {run.seconds:.0f} s",
        flush=True,
    )
    some = data.test[:EXPLAINED]
    truth = lx.review_rationales(some)[..., None]
    e = lx.explain(model, some, output=1, progress=False)
    shapley = lx.shapley_values(model, some, output=1, progress=False)
    found = {
        "the rule's own Shapley values": true_shapley(some),
        "lx.shapley_values": shapley.values.values,
        "lx.explain": e.values.values,
        "attention contribution": e.attention_contribution.values,
        "attention": e.attention.values,
        "random": np.random.default_rng(seed).random(some.mask.shape),
    }
    return auprc_of(found, truth, some.mask)


def auprc_of(found: dict[str, np.ndarray], truth: np.ndarray, mask: np.ndarray) -> pd.Series:
    return pd.Series(
        {name: lx.score_cells(v[..., None], truth, mask)["auprc"] for name, v in found.items()}
    )


def print_over_seeds(scores_of_one: Callable[[int], pd.Series]) -> None:
    table = pd.DataFrame({seed: scores_of_one(seed) for seed in SEEDS})
    parts = {"mean": table.mean(axis=1), "lowest": table.min(axis=1), "highest": table.max(axis=1)}
    print(pd.DataFrame(parts).round(2).to_string())


if __name__ == "__main__":
    print_over_seeds(scores_of_one)
