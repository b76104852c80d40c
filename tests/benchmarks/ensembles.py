"""Five models that differ in their seed alone, and their mean: python tests/benchmarks/ensembles.py
TASK ...

icu and rt_polarity: test scores of each member and of the mean (`lx.models.average`), the options
those of `icu_mortality.py` and `reviews_accuracy.py`. stays and reviews: the AUPRC of the planted
cause by the explanation of each member and of the mean (`lx.explain([model, ...], data)`), on three
simulated data sets, the options those of `planted_cause.py` and `planted_rationale.py`. icu and
rt_polarity need the files: LSTM_EXPLAIN_DATA, or a download.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial

import icu_mortality
import numpy as np
import pandas as pd
import planted_cause
import planted_rationale
import reviews_accuracy
from samples import sample_reviews, sample_stays

import lstm_explain as lx
from lstm_explain.datasets.icu.rule import true_cause
from lstm_explain.faithfulness import score_cells

MEMBERS = 5
DATA_SEEDS = (0, 1, 2)


def print_scores(data: lx.SequenceData, trained) -> None:
    """Train the members, and print the test scores of each and of their mean."""
    start = time.perf_counter()
    runs = [trained(data, seed=seed) for seed in range(MEMBERS)]
    seconds = time.perf_counter() - start
    mean = lx.predict(lx.models.average([run.model for run in runs]), data.test)
    rows = {f"seed {seed}": run.metrics for seed, run in enumerate(runs)}
    rows["mean"] = lx.models.score(data.test, mean)
    print(pd.DataFrame(rows).T.round(3).to_string())
    print(lx.models.score_with_interval(data.test, mean, draws=1000).round(3).to_string())
    print(f"trained in {seconds:.0f} s", flush=True)


def icu() -> None:
    data = lx.load_icu("physionet2012", progress=False).fill_missing(indicators=True).standardise()
    print_scores(data, icu_mortality.trained)


def rt_polarity() -> None:
    data = lx.load_reviews("rt_polarity", progress=False)
    vectors = lx.models.learn_word_vectors(data)
    trained = partial(
        reviews_accuracy.trained,
        source="rt_polarity",
        beside=reviews_accuracy.BESIDE["rt_polarity"],
        word_vectors=vectors,
    )
    print_scores(data, trained)


def stays() -> Iterator[tuple[lx.Explanation, np.ndarray]]:
    """Yield the explanation of five models over variables, and the cells that are the cause."""
    for seed in DATA_SEEDS:
        raw = sample_stays(seed, 4_000)
        data = raw.fill_missing(indicators=True).standardise()
        run = planted_cause.trained(data, seed=0, batch_size=64)
        dropout = run.model.get_layer("context_dropout").rate
        others = [
            planted_cause.trained(data, seed=member, dropouts=(dropout,), batch_size=64)
            for member in range(1, MEMBERS)
        ]
        models = [one.model for one in (run, *others)]
        cause = true_cause(raw.test)
        some = np.flatnonzero(cause.any(axis=(1, 2)))[: planted_cause.EXPLAINED]
        background = data.train[: planted_cause.ROWS]
        e = lx.explain(models, data.test[some], background=background, progress=False)
        yield e.over_variables(), cause[some]


def reviews() -> Iterator[tuple[lx.Explanation, np.ndarray]]:
    """Yield the explanation of five models, and the words that decide."""
    for seed in DATA_SEEDS:
        data = sample_reviews(seed, planted_rationale.REVIEWS)
        models = [planted_rationale.trained(data, member).model for member in range(MEMBERS)]
        some = data.test[: planted_rationale.EXPLAINED]
        e = lx.explain(models, some, output=1, progress=False)
        yield e, lx.datasets.review_rationales(some)[..., None]


def print_causes(explained: Iterator[tuple[lx.Explanation, np.ndarray]]) -> None:
    for seed, (e, truth) in zip(DATA_SEEDS, explained, strict=True):

        def auprc(values: np.ndarray, e=e, truth=truth) -> float:
            return score_cells(values.reshape(truth.shape), truth, e.mask.values)["auprc"]

        each = [auprc(e.member_values.values[..., member]) for member in range(MEMBERS)]
        stable = np.where(e.stable().values, e.values.values, 0)
        print(
            f"data {seed}: members {min(each):.2f} to {max(each):.2f}, mean "
            f"{auprc(e.values.values):.2f}, only what is stable {auprc(stable):.2f}",
            flush=True,
        )


def main(tasks: list[str]) -> None:
    for task in tasks or ["icu", "rt_polarity", "stays", "reviews"]:
        print(task, flush=True)
        if task == "icu":
            icu()
        elif task == "rt_polarity":
            rt_polarity()
        else:
            print_causes({"stays": stays, "reviews": reviews}[task]())


if __name__ == "__main__":
    main(sys.argv[1:])
