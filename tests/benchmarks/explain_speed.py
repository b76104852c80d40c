"""Time at equal error against shap.GradientExplainer: python tests/benchmarks/explain_speed.py.

16 samples and 100 background rows; the error is the relative L2 distance of all values to a
converged reference (64 Gauss-Legendre nodes on every path). Runs alternate in one process; times
are medians. Monte Carlo error falls with the root of the samples: shap's time at another error is
read off that law.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import shap
from icu_model import trained

import lstm_explain as lx
from lstm_explain.attribution.expected_gradients import ToleranceWarning

REPEATS = 5
SAMPLES = {"shap 200": 200, "shap 1000": 1000}


def relative_error(values: np.ndarray, reference: np.ndarray) -> float:
    return float(np.linalg.norm(values - reference) / np.linalg.norm(reference))


def measure(model, x, rows, reference, title):
    explainer = shap.GradientExplainer(model, rows)
    methods = {
        f"ours {tolerance}": lambda t=tolerance: (
            lx.explain(model, x, background=rows, tolerance=t, progress=False).values.values
        )
        for tolerance in (0.3, 0.1, 0.05, 0.02)
    }
    methods |= {
        name: lambda n=count: np.asarray(explainer.shap_values(x, nsamples=n, rseed=0))[..., 0]
        for name, count in SAMPLES.items()
    }
    seconds = {name: [] for name in methods}
    errors = {}
    for repeat in range(REPEATS + 1):
        for name, method in methods.items():
            start = time.perf_counter()
            values = method()
            if repeat:  # the first round traces and compiles
                seconds[name].append(time.perf_counter() - start)
            errors[name] = relative_error(values, reference)
    print(title)
    median = {name: float(np.median(times)) for name, times in seconds.items()}
    for name in methods:
        print(f"  {name:10s} error {errors[name]:6.1%}  {median[name] * 1000:7.0f} ms", end="")
        if name.startswith("ours"):
            base = "shap 1000"
            ratios = [
                theirs * (errors[base] / errors[name]) ** 2 / mine
                for theirs, mine in zip(seconds[base], seconds[name], strict=True)
            ]
            print(f"  shap at this error / ours: {np.median(ratios):.0f}x", end="")
            print(f" ({min(ratios):.0f} to {max(ratios):.0f})", end="")
            print(f"; one shap 200 / ours: {median['shap 200'] / median[name]:.2f}", end="")
        print()


def main() -> None:
    model, data = trained()
    rng = np.random.default_rng(0)
    rows = data.train.values[rng.permutation(len(data.train))[:100]]
    x = data.test.values[rng.permutation(len(data.test))[:16]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToleranceWarning)  # asked for more than float32 gives
        converged = lx.explain(model, x, background=rows, tolerance=1e-9, progress=False)
    change = converged.provenance["estimated_error"]
    print(f"reference: its last refinement moved it by {change:.1%}")
    reference = converged.values.values
    measure(model, x, rows, reference, "16 samples")
    measure(model, x[:1], rows, reference[:1], "one sample")


if __name__ == "__main__":
    main()
