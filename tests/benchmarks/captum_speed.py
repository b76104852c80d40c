"""Time at equal error against captum's GradientShap: python tests/benchmarks/captum_speed.py.

The model of explain_speed.py, its weights copied into PyTorch's own LSTM, in the same process, on
the same samples and background. Needs torch and captum, which the package does not depend on.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import torch
from captum.attr import GradientShap
from explain_speed import REPEATS, relative_error
from icu_model import trained

import lstm_explain as lx
from lstm_explain.attribution.expected_gradients import ToleranceWarning

DRAWS = (200, 1000)


class Copy(torch.nn.Module):
    """LSTM, additive attention and head with the weights of the Keras model."""

    def __init__(self, model) -> None:
        super().__init__()
        weights = {weight.path: torch.tensor(weight.numpy()) for weight in model.weights}
        (kernel, recurrent, bias) = (
            next(value for path, value in weights.items() if path.endswith(end))
            for end in ("/kernel", "/recurrent_kernel", "lstm_cell/bias")
        )
        self.lstm = torch.nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
        with torch.no_grad():
            self.lstm.weight_ih_l0.copy_(kernel.T)
            self.lstm.weight_hh_l0.copy_(recurrent.T)
            self.lstm.bias_ih_l0.copy_(bias)
            self.lstm.bias_hh_l0.zero_()
        self.weights = weights

    def forward(self, values):
        states, _ = self.lstm(values)
        of = self.weights
        hidden = torch.tanh(states @ of["attention/projection"] + of["attention/bias"])
        attention = torch.softmax((hidden @ of["attention/score"]).squeeze(-1), dim=-1)
        context = (attention[..., None] * states).sum(dim=1)
        return (context @ of["head/kernel"] + of["head/bias"]).squeeze(-1)


def main() -> None:
    model, data = trained()
    rng = np.random.default_rng(0)
    rows = data.train.values[rng.permutation(len(data.train))[:100]]
    x = data.test.values[rng.permutation(len(data.test))[:16]]
    copy = Copy(model)
    inputs, baselines = torch.tensor(x), torch.tensor(rows)
    difference = np.abs(copy(inputs).detach().numpy() - model.predict(x, verbose=0).ravel()).max()
    assert difference < 1e-4, difference
    print(f"outputs of the copy differ by at most {difference:.1e}; torch {torch.__version__}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToleranceWarning)  # asked for more than float32 gives
        exact = lx.explain(model, x, background=rows, tolerance=1e-9, progress=False).values.values

    captum = GradientShap(copy)
    methods = {
        f"ours {tolerance}": lambda t=tolerance: (
            lx.explain(model, x, background=rows, tolerance=t, progress=False).values.values
        )
        for tolerance in (0.1, 0.05)
    }
    methods |= {
        f"captum {draws}": lambda n=draws: (
            captum.attribute(inputs, baselines, n_samples=n, stdevs=0.0).detach().numpy()
        )
        for draws in DRAWS
    }
    seconds, errors = {name: [] for name in methods}, {name: [] for name in methods}
    for repeat in range(REPEATS + 1):
        for name, method in methods.items():
            torch.manual_seed(repeat)
            start = time.perf_counter()
            values = method()
            if repeat:  # the first round traces and compiles
                seconds[name].append(time.perf_counter() - start)
                errors[name].append(relative_error(values, exact))
    last = f"captum {DRAWS[-1]}"
    for name in methods:
        print(f"{name:12s} error {np.median(errors[name]):6.1%}", end="")
        print(f"  {np.median(seconds[name]) * 1000:7.0f} ms", end="")
        if name.startswith("ours"):
            ratios = [
                theirs * (np.median(errors[last]) / np.median(errors[name])) ** 2 / mine
                for theirs, mine in zip(seconds[last], seconds[name], strict=True)
            ]
            print(f"  captum at this error / ours: {np.median(ratios):.0f}x", end="")
            print(f" ({min(ratios):.0f} to {max(ratios):.0f})", end="")
        print()


if __name__ == "__main__":
    main()
