"""Anomalies of NAB: LSTM_EXPLAIN_DATA=... python tests/benchmarks/nab.py [gaussian] [lstm].

All 58 series of the Numenta Anomaly Benchmark, one value at a time, scored by `nab_scores.py`: the
standard profile, one threshold for all series. "gaussian" is the benchmark's windowed Gaussian
(published: 39.6), which shows that the rules are read as its authors meant them. "lstm" forecasts
the next value from the 48 before, by a network that is trained on the first part of the series,
which is not scored, and never again; its anomaly score is the anomaly likelihood of Lavin and Ahmad
(2015), equations 4 and 5: how unusual the mean error of ten steps is among all errors so far.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from nab_scores import Series, nab_score, read_nab, windowed_gaussian
from scipy.stats import norm

import lstm_explain as lx

HISTORY, SHORT = 48, 10
MODEL = {"units": (16,), "attention_units": 8, "beside": None}
TRAINING = {"epochs": 30, "batch_size": 32, "learning_rate": 4e-3, "patience": 5}


def likelihood(errors: np.ndarray) -> np.ndarray:
    """Return the anomaly likelihood (step,) of errors: nothing later is used."""
    count = np.arange(1, len(errors) + 1)
    mean = np.cumsum(errors) / count
    spread = np.sqrt(np.maximum(np.cumsum(errors**2) / count - mean**2, 0)) + 1e-9
    sums = np.cumsum(np.concatenate([np.zeros(SHORT), errors]))
    short = (sums[SHORT:] - sums[:-SHORT]) / np.minimum(count, SHORT)
    return -norm.logsf((short - mean) / spread)


def forecast_error(series: Series, seed: int = 0) -> np.ndarray:
    """Return how unusual the error of a forecast of each value is."""
    known = series.num_probation
    center, scale = series.values[:known].mean(), series.values[:known].std() or 1.0
    values = ((series.values - center) / scale).clip(-20, 20)
    windows = np.lib.stride_tricks.sliding_window_view(values[:-1], HISTORY)[:, :, None]
    targets, num_known = values[HISTORY:], known - HISTORY
    split = np.where(np.arange(num_known) < 0.8 * num_known, "train", "validation")
    split[-1] = "test"  # one has to be named; no score of it is used
    data = lx.SequenceData.from_arrays(windows[:num_known], targets[:num_known], split=list(split))
    model = lx.build_model(data, seed=seed, **MODEL)
    run = lx.train(model, data, seed=seed, fit_baseline=False, progress=False, **TRAINING)
    predicted = run.model.predict(windows.astype(np.float32), batch_size=1024, verbose=0)
    scores = np.zeros(len(values))
    scores[HISTORY:] = likelihood(np.abs(predicted[:, 0] - targets))
    return scores


DETECTORS = {"gaussian": windowed_gaussian, "lstm": forecast_error}


def main(names: list[str]) -> None:
    corpus = read_nab(Path(os.environ["LSTM_EXPLAIN_DATA"]) / "nab" / "nab.tar.gz")
    for name in names:
        start, scores = time.perf_counter(), []
        for series in corpus:
            scores.append(DETECTORS[name](series))
            print(f"{series.name}: {time.perf_counter() - start:.0f} s", flush=True)
        score, threshold = nab_score(corpus, scores)
        print(f"{name}: {score:.1f} at {threshold:.4g}, of {len(corpus)} series", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(DETECTORS))
