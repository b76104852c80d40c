"""All outputs together against one call for each: python tests/benchmarks/several_outputs.py.

A forecaster of 24 values, LSTM(32) on 48 steps of 12 features, 50 background rows; medians of
rounds in turns, after a first call of each. The values are compared too.
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

import lstm_explain as lx
from lstm_explain.backend import keras

STEPS, FEATURES, OUTPUTS, ROWS, REPEATS = 48, 12, 24, 50, 3


def main() -> None:
    rng = np.random.default_rng(0)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((STEPS, FEATURES)), layers.LSTM(32), layers.Dense(OUTPUTS)]
    )
    for weights in model.weights:
        weights.assign(rng.normal(scale=0.3, size=weights.shape))
    rows = rng.normal(size=(ROWS, STEPS, FEATURES)).astype("float32")
    shapley = partial(lx.shapley_values, level="feature", budget=64)
    for name, method, counts in (
        ("lx.explain", lx.explain, (1, 16)),
        ("lx.shapley_values by feature", shapley, (2,)),
    ):
        for count in counts:
            x = rng.normal(size=(count, STEPS, FEATURES)).astype("float32")
            ask = partial(method, model, x, background=rows, progress=False)
            print(f"{name}, {count} samples: {compared(ask)}")


def compared(ask: partial) -> str:
    """Return the time of all outputs together as a share of that of one call for each."""
    shares = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        together = ask(output="all")
        middle = time.perf_counter()
        alone = [ask(output=output) for output in range(OUTPUTS)]
        end = time.perf_counter()
        shares.append((middle - start) / (end - middle))
    values = np.stack([each.values.values for each in alone], axis=-1)
    joint = together.values.transpose(*alone[0].values.dims, "output").values
    difference = np.abs(joint - values).max() / np.abs(values).max()
    low, *_, high = sorted(shares[1:])
    return (
        f"{np.median(shares[1:]):.2f} of the time of {OUTPUTS} calls ({low:.2f} to {high:.2f}); "
        f"values differ by {difference:.2g} of the largest"
    )


if __name__ == "__main__":
    main()
