"""README's three lines against the plain baseline: python tests/benchmarks/defaults.py TASK ...

``lx.train(lx.build_model(data), data)`` without options, three seeds, on five real tasks: icu,
rt_polarity, imdb (the last 256 words), sp500 and activities (a part of UCI's human activities, raw
windows). Beside each stands the baseline that `train` fits, the difference of the main score on the
test part and its 95 % interval. Needs the files: LSTM_EXPLAIN_DATA, or a download; the activities
are read from LSTM_EXPLAIN_DATA/har_subset.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

import lstm_explain as lx

SEEDS = (0, 1, 2)
ACTIVITIES = ("walking", "upstairs", "downstairs", "sitting", "standing", "lying")


def icu() -> lx.SequenceData:
    stays = lx.load_icu("physionet2012", progress=False)
    return stays.fill_missing(indicators=True).standardise()


def activities() -> lx.SequenceData:
    """Read nine signals of 128 steps; the last fifth of the training files is for validation.

    The files hold one person after the other, and do not say whose windows are whose.
    """
    folder = Path(os.environ["LSTM_EXPLAIN_DATA"]) / "har_subset"
    names = [f"{kind}_{axis}" for kind in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"]
    parts = [
        np.stack([np.loadtxt(folder / f"{name}_{part}.txt.gz") for name in names], axis=-1)
        for part in ("train", "test")
    ]
    labels = [np.loadtxt(folder / f"y_{part}.txt", dtype=int) for part in ("train", "test")]
    split = np.repeat(["train", "test"], [len(part) for part in parts]).astype("<U10")
    split[len(parts[0]) * 4 // 5 : len(parts[0])] = "validation"
    data = lx.SequenceData.from_arrays(
        np.concatenate(parts),
        [ACTIVITIES[label - 1] for label in np.concatenate(labels)],
        feature_names=names,
        split=split,
        name="activities",
    )
    return data.standardise()


TASKS = {
    "icu": icu,
    "rt_polarity": lambda: lx.load_reviews("rt_polarity", progress=False),
    "imdb": lambda: lx.load_reviews("imdb", max_words=256, truncate="start", progress=False),
    "sp500": lambda: lx.load_market("sp500"),
    "activities": activities,
}


def main(tasks: list[str]) -> None:
    for task in tasks or list(TASKS):
        data = TASKS[task]()
        print(data, flush=True)
        for seed in SEEDS:
            start = time.perf_counter()
            run = lx.train(lx.build_model(data, seed=seed), data, seed=seed, progress=False)
            print(
                f"  seed {seed}: {run.against_baseline}; {len(run.history)} epochs, "
                f"{time.perf_counter() - start:.0f} s with the baseline",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
