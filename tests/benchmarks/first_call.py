"""First calls, other numbers of samples, steep models: python tests/benchmarks/first_call.py.

All beside ``shap.GradientExplainer`` in one process, in turns. The networks of the first part are
new ones for every repeat, so that each pays for its own tracing. The share of the machine's speed
counts the arithmetic of the matrix products of an LSTM and of its gradient by the inputs.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import shap
from explain_speed import relative_error
from nodes import counted_nodes

import lstm_explain as lx
from lstm_explain.attribution.expected_gradients import ToleranceWarning
from lstm_explain.backend import keras

STEPS, FEATURES, ROWS, REPEATS = 48, 12, 50, 5
warnings.filterwarnings("ignore", message=".*structure of `inputs`.*")  # shap passes lists


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def new_model(units: int, seed: int) -> Any:
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((STEPS, FEATURES)), layers.LSTM(units), layers.Dense(1, "sigmoid")]
    )


def explained(model: Any, x: np.ndarray, rows: np.ndarray, tolerance: float = 0.05) -> np.ndarray:
    e = lx.explain(model, x, background=rows, tolerance=tolerance, progress=False)
    return e.values.values


def margin_of(model: Any) -> Any:
    """Return the model without its sigmoid: `explain` explains the log-odds."""
    logit = keras.layers.Dense(1)
    output = logit(model.layers[-2].output)
    logit.set_weights(model.layers[-1].get_weights())
    return keras.Model(model.inputs, output)


def first_calls(x: np.ndarray, rows: np.ndarray) -> None:
    names = "first", "shap's first", "third", "of 11 samples", "of 23 samples"
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(REPEATS + 1):
        model = new_model(32, seed)
        times = {"first": timed(lambda m=model: explained(m, x[:16], rows))[0]}
        explained(model, x[:16], rows)  # the second looks the model over by a compiled function
        times["third"] = timed(lambda m=model: explained(m, x[:16], rows))[0]
        for count in (11, 23):
            many = timed(lambda m=model, n=count: explained(m, x[:n], rows))[0]
            times[f"of {count} samples"] = many * 16 / count
        explainer = shap.GradientExplainer(new_model(32, seed), rows)
        times["shap's first"] = timed(lambda e=explainer: e.shap_values(x[:16], rseed=0))[0]
        for name in names if seed else ():  # the first round loads TensorFlow
            seconds[name].append(times[name])
    for name in names:
        print(f"  {name:15s} {np.median(seconds[name]):6.2f} s for 16 samples")
    first, other_first, warm, *others = (seconds[name] for name in names)
    print(f"  first / shap's first: {ratio(first, other_first)}")
    for name, times in zip(names[3:], others, strict=True):
        print(f"  {name} / third: {ratio(times, warm)}")


def ratio(times: list[float], others: list[float]) -> str:
    ratios = np.array(times) / np.array(others)
    return f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


def matrix_speed() -> float:
    """Return the machine's speed at multiplying matrices, in FLOP/s."""
    a = np.random.default_rng(0).normal(size=(2048, 2048)).astype(np.float32)
    return 2 * 2048**3 / min(timed(lambda: a @ a)[0] for _ in range(10))


def many_samples(x: np.ndarray, rows: np.ndarray) -> None:
    fastest = matrix_speed()
    for units in (32, 64):
        model = new_model(units, 0)
        converged = explained(model, x, rows, 1e-3)
        explainer = shap.GradientExplainer(margin_of(model), rows)
        mine, theirs = [], []
        for _ in range(3):
            with counted_nodes() as counted:
                seconds, values = timed(lambda m=model: explained(m, x, rows))
            mine.append(seconds)
            seconds, drawn = timed(lambda e=explainer: e.shap_values(x, rseed=0))
            theirs.append(seconds)
        error = relative_error(values, converged)
        shap_error = relative_error(np.asarray(drawn)[..., 0], converged)
        products = 4 * STEPS * 4 * units * (FEATURES + units) * sum(counted)
        share = products / np.median(mine) / fastest
        print(
            f"  LSTM({units}): {np.median(mine):.2f} s, error {error:.2%}; shap's "
            f"200 draws {np.median(theirs):.2f} s, error {shap_error:.1%}; shap / ours "
            f"{ratio(theirs, mine)}; {share:.0%} of matrix speed ({fastest / 1e9:.0f} GFLOP/s)"
        )


def random_walks(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return walks, and whether the first feature ends above where it was half-way."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, STEPS, 4)).cumsum(axis=1).astype(np.float32)
    return x, (x[:, -1, 0] > x[:, STEPS // 2, 0]).astype(int)


def trained_on_walks() -> tuple[Any, np.ndarray]:
    """Return an LSTM(64) whose last state attends to all states, and walks that it did not see."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((STEPS, 4))
    states, last, _ = layers.LSTM(64, return_sequences=True, return_state=True)(inputs)
    context = layers.Flatten()(layers.Attention()([layers.Reshape((1, 64))(last), states]))
    joined = layers.Concatenate()([context, last])
    model = keras.Model(inputs, layers.Dense(1, "sigmoid")(joined))
    x, y = random_walks(3000, 0)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x[:2000], y[:2000], epochs=15, verbose=0)
    print(f"  accuracy on other walks {model.evaluate(x[2000:], y[2000:], verbose=0)[1]:.3f}")
    return model, x[2000:]


def steep() -> None:
    model, walks = trained_on_walks()
    rows, few = walks[:100], walks[100:116]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToleranceWarning)  # more than float32 gives
        converged = explained(model, few, rows, 1e-3)
    explainer = shap.GradientExplainer(margin_of(model), rows)
    draws = {"nsamples": 1000, "rseed": 0}
    mine, theirs = [], []
    for repeat in range(4):
        seconds, values = timed(lambda: explained(model, few, rows))
        error = relative_error(values, converged)
        shap_seconds, values = timed(lambda: explainer.shap_values(few, **draws))
        shap_error = relative_error(np.asarray(values)[..., 0], converged)
        if repeat:
            mine.append(seconds)
            theirs.append(shap_seconds * (shap_error / error) ** 2)
    print(f"  {np.median(mine):.2f} s at an error of {error:.2%}")
    print(f"  shap's 1000 draws {shap_seconds:.2f} s at {shap_error:.1%}")
    print(f"  shap at this error / ours: {ratio(theirs, mine)}")


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, STEPS, FEATURES)).astype(np.float32)
    rows = rng.normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32)
    print("LSTM(32), 16 samples, new networks")
    first_calls(x, rows)
    print("200 samples")
    many_samples(x, rows)
    print("LSTM(64) with dot attention on random walks, 16 samples, 100 rows")
    steep()


if __name__ == "__main__":
    main()
