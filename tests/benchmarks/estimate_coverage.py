"""Does the estimated error hold? python tests/benchmarks/estimate_coverage.py [--models 300].

Random networks of eight kinds, as layers begin and with saturated gates, with 1 to 100 background
rows, 3 to 500 steps, some with padding. The true error of a sample is the relative L2 distance to
composite Gauss-Legendre rules, doubled until nothing changes, on plain gradients of the model. A
model is silently beyond if a sample's true error exceeds the tolerance and `explain` would not
warn. Nodes are points of paths at which the model was evaluated, in all rules together.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby, product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from games import standardised_errors
from networks import composite_integral, drawn
from nodes import counted_nodes

from lstm_explain.attribution.expected_gradients import integrate
from lstm_explain.inspection.question import Question, prepare

TOLERANCE, SAMPLES = 0.05, 4
NETWORKS = (
    ("LSTM", 3, 2), ("LSTM", 12, 4), ("GRU", 10, 3), ("SimpleRNN", 12, 2), ("Bidirectional", 8, 3),
    ("stacked", 10, 3), ("attention", 12, 3), ("convolution", 14, 3), ("masked", 12, 3),
    ("LSTM", 60, 2),
)  # fmt: skip
LONG = ("attention", 500, 2)  # instead of 60 steps, where gates are as layers begin
ROWS, GAINS = (1, 3, 8, 20, 100), (1.0, 2.0, 4.0)


def cases(count: int, seed: int) -> list[tuple]:
    """Return kind, steps, features, rows, gain and seed of each model, each network's together."""
    rng = np.random.default_rng(seed)
    grid = list(product(NETWORKS, ROWS, GAINS))
    order = np.concatenate([rng.permutation(len(grid)) for _ in range(-(-count // len(grid)))])
    chosen = []
    for number in order[:count]:
        network, rows, gain = grid[number]
        if network == NETWORKS[-1] and gain == 1:
            network, rows = LONG, min(rows, 8)
        chosen.append((*network, rows, gain, int(rng.integers(2**31))))
    return sorted(chosen)


def network_of(case: tuple) -> tuple:
    """Return kind, steps and features of a case: models that share them are compiled once."""
    return case[:3]


def asked(kind: str, steps: int, features: int, rows: int, gain: float, seed: int) -> Question:
    """Return the question about random samples of a random model."""
    samples = SAMPLES if steps < 500 else 1
    model, x, background = drawn(kind, (samples, steps, features), rows, gain, seed)
    return prepare(model, x, background, None, "last", "margin", None, None)


def converged(question: Question, sample: int) -> tuple[np.ndarray, bool]:
    """Return values of one sample, and whether they changed no more when the nodes doubled."""
    panels = max(2, 64 // question.row_outputs.shape[1])
    values, before = composite_integral(question, sample, panels), np.inf
    change = float(question.predictions[sample] - question.base_values[sample])
    while panels < 2048:
        panels *= 2
        before, values = values, composite_integral(question, sample, panels)
        moved = np.linalg.norm(values - before), abs(change - values.sum())
        if max(moved) < 3e-4 * np.linalg.norm(values):
            return values, True
    return values, False


def measure_all(of_one_network: list[tuple]) -> list[dict]:
    """Return one record per sample of some models, which share their compiled functions."""
    records = []
    for case in of_one_network:
        with counted_nodes() as counted:
            records += measure(case, counted)
    return records


def measure(case: tuple, counted: list[int]) -> list[dict]:
    """Return one record per sample of a model."""
    question = asked(*case)
    count, rows = question.row_outputs.shape
    integral = integrate(question, TOLERANCE, progress=False)
    nodes = sum(counted) / (count * rows)
    warned = max(integral.errors.max(), integral.gaps.max()) > TOLERANCE
    records = []
    for sample in range(count):
        truth, exact = converged(question, sample)
        error = np.linalg.norm(integral.values[sample] - truth) / np.linalg.norm(truth)
        records.append(
            {"kind": case[0], "steps": case[1], "rows": rows, "gain": case[4], "seed": case[5]}
            | {"error": error, "estimate": integral.errors[sample], "exact": exact}
            | {"nodes": nodes, "warned": warned}
        )
    return records


def summary(samples: pd.DataFrame) -> pd.Series:
    """Return the rates of some models' samples."""
    silent = samples[(samples.error > TOLERANCE) & ~samples.warned]
    return pd.Series(
        {
            "models": samples.seed.nunique(),
            "silently beyond": silent.seed.nunique(),
            "worst silent error": samples[~samples.warned].error.max(),
            "truth exceeds estimate": (samples.error > samples.estimate).mean(),
            "warned": samples[samples.warned].seed.nunique(),
            "nodes per path": samples.groupby("seed").nodes.first().mean(),
            "median error": samples.error.median(),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    groups = [list(group) for _, group in groupby(cases(options.models, options.seed), network_of)]
    # The slowest first; each process compiles the functions of its own networks.
    groups.sort(key=lambda group: -group[0][1])
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        records = [record for part in pool.map(measure_all, groups) for record in part]
    samples = pd.DataFrame(records)
    print(f"{(~samples.exact).sum()} of {len(samples)} samples left out: their truth is not exact")
    samples = samples[samples.exact]
    for by in ("kind", "steps", "rows", "gain"):
        print(samples.groupby(by).apply(summary, include_groups=False).round(3).to_string())
    print(summary(samples).round(4).to_string())
    for rows in (1, 3, 8, 20, 100):
        z = standardised_errors(rows, count=60, repeats=10, seed=options.seed)
        outside = (np.abs(z) > 1.96).mean()
        print(f"sampled Shapley values, {rows} rows: z {z.std():.3f}, beyond 1.96: {outside:.1%}")


if __name__ == "__main__":
    main()
