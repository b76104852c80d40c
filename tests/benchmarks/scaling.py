"""How the time of an explanation grows: python tests/benchmarks/scaling.py.

LSTM(32) with attention, random weights, one node per path throughout; medians of three runs.
"""

from __future__ import annotations

import time

import numpy as np

import lstm_explain as lx
from lstm_explain import SequenceData


def seconds(samples: int, steps: int, rows: int) -> float:
    rng = np.random.default_rng(0)
    data = SequenceData.from_arrays(rng.normal(size=(samples, steps, 10)), np.zeros(samples))
    background = rng.normal(size=(rows, steps, 10)).astype("float32")
    model = lx.build_model(data, units=(32,), beside=None)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        lx.explain(model, data, background=background, tolerance=10, progress=False)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


if __name__ == "__main__":
    base = seconds(4, 100, 64)
    print("4 samples, 100 steps, 64 rows: 1")
    for steps in (50, 200, 400, 1000):
        print(f"{steps} steps: {seconds(4, steps, 64) / base:.2f}")
    for samples in (8, 16, 32):
        print(f"{samples} samples: {seconds(samples, 100, 64) / base:.2f}")
    for rows in (128, 256):
        print(f"{rows} rows: {seconds(4, 100, rows) / base:.2f}")
