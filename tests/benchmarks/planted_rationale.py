"""Does an explanation find the words that decide? python tests/benchmarks/planted_rationale.py.

For each seed: 6,000 simulated reviews, as in the NLP notebook, or as many as the argument says, and
its LSTM. The words of 150 test reviews are ranked by the size of each score; the truth is which
words the simulator's rule uses. Mean and lowest to highest AUPRC over the seeds.

With the argument word_dropout: the loss on the validation part by which WORD_DROPOUT was chosen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from samples import sample_reviews

import lstm_explain as lx
from lstm_explain.datasets.reviews.rule import true_shapley
from lstm_explain.models.scores import score

SEEDS = (0, 1, 2)
REVIEWS, EXPLAINED = 6000, 150
WORD_DROPOUT = 0.2
CHOICES = (0.05, 0.1, 0.2, 0.3)


def trained(
    data: lx.SequenceData,
    seed: int,
    word_dropout: float = WORD_DROPOUT,
) -> lx.TrainingRun:
    model = lx.build_model(
        data, bidirectional=True, word_dropout=word_dropout, seed=seed, beside=None
    )
    return lx.train(
        model,
        data,
        epochs=20,
        patience=4,
        learning_rate=3e-3,
        seed=seed,
        progress=False,
    )


def print_validation_losses() -> None:
    for word_dropout in CHOICES:
        losses = []
        for seed in SEEDS:
            data = sample_reviews(seed, REVIEWS)
            model = trained(data, seed, word_dropout).model
            answers = lx.models.predict_by_length(model, data.validation)
            losses.append(score(data.validation, answers)["log_loss"])
        each = ", ".join(f"{loss:.3f}" for loss in losses)
        print(f"word dropout {word_dropout}: {np.mean(losses):.3f} ({each})", flush=True)


def scores_of_one(seed: int, num_reviews: int = REVIEWS) -> pd.Series:
    data = sample_reviews(seed, num_reviews)
    run = trained(data, seed)
    accuracy = run.to_frame()["accuracy"]
    print(
        f"seed {seed}: accuracy {accuracy['this model']:.3f}, bag of words and pairs "
        f"{accuracy['logistic regression on words']:.3f}, {run.seconds:.0f} s",
        flush=True,
    )
    some = data.test[:EXPLAINED]
    truth = lx.datasets.review_rationales(some)[..., None]
    e = lx.explain(run.model, some, output=1, progress=False)
    shapley = lx.shapley_values(run.model, some, output=1, progress=False)
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
        {
            name: lx.faithfulness.score_cells(v[..., None], truth, mask)["auprc"]
            for name, v in found.items()
        }
    )


def print_over_seeds(scores_of_one: Callable[[int], pd.Series]) -> None:
    table = pd.DataFrame({seed: scores_of_one(seed) for seed in SEEDS})
    parts = {"mean": table.mean(axis=1), "lowest": table.min(axis=1), "highest": table.max(axis=1)}
    print(pd.DataFrame(parts).round(2).to_string())


if __name__ == "__main__":
    if sys.argv[1:] == ["word_dropout"]:
        print_validation_losses()
    else:
        number = int(sys.argv[1]) if sys.argv[1:] else REVIEWS
        print_over_seeds(partial(scores_of_one, num_reviews=number))
