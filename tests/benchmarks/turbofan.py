"""Remaining life of NASA's engines: LSTM_EXPLAIN_DATA=... python tests/benchmarks/turbofan.py [5].

C-MAPSS FD001, every third window of 30 cycles of the training engines, remaining cycles of at most
125; the last window of each of the 100 test engines. The 15 validation engines, which give every
third window too, choose the penalty of the ridge, the trees of the boosting and when training of
the network stops; its other options are those of notebook 09, untuned, and its seeds as many as the
argument says. "NASA's score" adds up exp(d / 10) - 1 where life was predicted d too long, and
exp(-d / 13) - 1 where it was too short.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

import lstm_explain as lx

OPTIONS = {"units": (32,), "beside": None}
TRAINING = {"epochs": 20, "batch_size": 64, "learning_rate": 4e-3, "patience": 5}
BOOSTING = [
    {"learning_rate": 0.05, "max_iter": trees, "max_leaf_nodes": leaves}
    for trees in (100, 200)
    for leaves in (8, 31)
]


def rmse(part: lx.SequenceData, predicted: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.ravel(predicted) - part.target) ** 2)))


def nasa_score(part: lx.SequenceData, predicted: np.ndarray) -> float:
    late = np.ravel(predicted) - part.target
    return float((np.exp(np.where(late > 0, late / 10, -late / 13)) - 1).sum())


def summaries(part: lx.SequenceData) -> np.ndarray:
    """Return last value, mean, deviation and trend of each sensor, (window, column)."""
    steps = np.arange(part.values.shape[1]) - (part.values.shape[1] - 1) / 2
    trend = np.einsum("t,stf->sf", steps, part.values) / (steps**2).sum()
    columns = [part.values[:, -1], part.values.mean(axis=1), part.values.std(axis=1), trend]
    return np.concatenate(columns, axis=1)


def boosting(data: lx.SequenceData) -> HistGradientBoostingRegressor:
    columns = summaries(data.train)
    fits = [
        HistGradientBoostingRegressor(random_state=0, early_stopping=False, **options).fit(
            columns, data.train.target
        )
        for options in BOOSTING
    ]
    known = summaries(data.validation)
    return min(fits, key=lambda fit: rmse(data.validation, fit.predict(known)))


def main(num_seeds: int) -> None:
    data = lx.load_turbofan("fd001", stride=3)
    print(data, flush=True)
    rows = {}

    def add(name: str, validation: np.ndarray, test: np.ndarray, seconds: float) -> None:
        row = {"validation": rmse(data.validation, validation), "test": rmse(data.test, test)}
        rows[name] = row | {"NASA's score": nasa_score(data.test, test), "seconds": seconds}
        print(f"{name}: { {k: round(v, 2) for k, v in rows[name].items()} }", flush=True)

    ridge = lx.models.fit_baselines(data)[0]
    add("ridge on summaries", ridge.predict(data.validation), ridge.predict(data.test), 0)
    trees = boosting(data)
    predicted = [trees.predict(summaries(part)) for part in (data.validation, data.test)]
    add("gradient boosting on summaries", *predicted, 0)
    for seed in range(num_seeds):
        model = lx.build_model(data, seed=seed, **OPTIONS)
        run = lx.train(model, data, seed=seed, fit_baseline=False, progress=False, **TRAINING)
        predicted = [lx.predict(run.model, part) for part in (data.validation, data.test)]
        add(f"LSTM with attention, seed {seed}", *predicted, run.seconds)
    table = pd.DataFrame(rows).T
    print(table.round(2).to_string())
    print(table.filter(like="LSTM", axis=0).agg(["mean", "std"]).round(2).to_string())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
