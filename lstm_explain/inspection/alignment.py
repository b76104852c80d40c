"""Which axes inside a model are the steps of its input: found by moving one step at a time."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from .compiled import Compiled, Subject, kept_with

# Steps of one sample that are moved.
_PROBES = 12
# From this rank correlation on, the positions that change most go with the steps that are moved.
_ALIGNED = 0.8


def attended_axes(compiled: Compiled, subject: Subject) -> list[int]:
    """Tell what the positions are that each call of an attention layer weighs.

    Where the sequence that is weighed changes first, last or most in the order of the steps, its
    positions are the steps. It does not where they are features, or steps of a decoder, which may
    be as many.

    Returns
    -------
    list of int
        1: steps of the input; -1: its steps in reversed order, as a layer with ``go_backwards``
        gives them; 0: something else.
    """
    if not compiled.anatomy.attention_calls:
        return []

    def probe() -> list[int]:
        steps, moved = _moved_one_by_one(subject)
        return [_axis(states, steps, moved) for states in compiled.attended(moved)]

    key = "attended axes", compiled.anatomy.attention_calls, subject.mask.shape[1]
    return kept_with(compiled.anatomy.model, key, probe)


def output_axis(compiled: Compiled, subject: Subject) -> int:
    """Tell in the same way what the steps of the output (sample, step, output) are."""
    steps, moved = _moved_one_by_one(subject)
    return _axis(compiled.outputs(moved, len(moved)), steps, moved)


def _moved_one_by_one(subject: Subject) -> tuple[np.ndarray, Subject]:
    """Return steps, and the longest sample with each of them moved, the sample itself last."""
    sample = int(subject.mask.sum(axis=1).argmax())
    real = np.flatnonzero(subject.mask[sample])
    steps = np.unique(real[np.linspace(0, len(real) - 1, _PROBES).astype(int)])
    many = subject[np.full(len(steps) + 1, sample)]
    values = many.values.copy()
    # Every feature by its own size: beside a raw count of thousands, 1 would be lost.
    sizes = np.abs(subject.values).mean(axis=(0, 1)) + subject.values.std(axis=(0, 1))
    noise = np.random.default_rng(0).normal(size=(len(steps), values.shape[2]))
    values[np.arange(len(steps)), steps] += (np.where(sizes > 0, sizes, 1) * noise).astype("f4")
    return steps, many.with_values(values, many.static)


def _axis(states: np.ndarray, steps: np.ndarray, moved: Subject) -> int:
    """Return how positions (moved step, position, ...) go with the moved steps: 1, -1 or 0."""
    num_steps = moved.mask.shape[1]
    if states.shape[1] != num_steps:
        return 0
    states = states.astype(np.float64)
    changes = np.linalg.norm(states[:-1] - states[-1], axis=2)
    if len(steps) < 2:
        return 1
    changed = changes > 1e-5 * changes.max()
    first, last = changed.argmax(axis=1), num_steps - 1 - changed[:, ::-1].argmax(axis=1)
    for place in (first, last):
        for direction, expected in ((1, steps), (-1, num_steps - 1 - steps)):
            if np.array_equal(place, expected):
                return direction
    most = changes.argmax(axis=1)
    if np.ptp(most) == 0:
        return 0
    correlation = float(spearmanr(most, steps).statistic)
    return int(np.sign(correlation)) if abs(correlation) >= _ALIGNED else 0
