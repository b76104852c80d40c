"""Scores of the Numenta Anomaly Benchmark, by its rules: a literal reading of its paper.

A detection in a labelled window counts the more, the earlier it comes, and only the best of a
window counts; a detection outside costs little just after a window and the full price far from one;
a window without detection costs one. One threshold for all series, the best there is. 0 is a
detector that never speaks, 100 one that speaks at the first step of each window and never else.

Lavin and Ahmad (2015), "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly
Benchmark", ICMLA, section II; the standard profile.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from lstm_explain.datasets.store import read_members

FALSE_POSITIVE = 0.11  # its price in the standard profile; a true one and a missed one weigh 1
LABELS = "labels/combined_windows.json"


class Series(NamedTuple):
    """A series of the benchmark: what was measured, and where something was wrong."""

    name: str
    values: np.ndarray  # (step,)
    windows: list[tuple[int, int]]  # first and last step of each

    @property
    def num_probation(self) -> int:
        """How many first steps are for learning and are not scored."""
        return int(0.15 * min(len(self.values), 5000))


def read_nab(path: Path) -> list[Series]:
    """Read the series and labelled windows of the benchmark's archive."""

    def name_of(member: str) -> str | None:
        return member if member == LABELS or member.endswith(".csv") else None

    members = read_members(path, name_of, max_archive=10**8, max_member=10**7)
    labels = json.loads(members.pop(LABELS).content)
    series = []
    for name, member in members.items():
        table = pd.read_csv(io.BytesIO(member.content), parse_dates=["timestamp"])
        times = table["timestamp"].to_numpy()
        windows = []
        for ends in labels[name.removeprefix("data/")]:
            first, last = (np.datetime64(end) for end in ends)
            inside = np.flatnonzero((times >= first) & (times <= last))
            windows.append((int(inside[0]), int(inside[-1])))
        series.append(Series(name, table["value"].to_numpy(float), windows))
    return series


def sigmoid_of(position: np.ndarray) -> np.ndarray:
    """Return what a detection is worth: 1 long before a window's end, 0 there, -1 long after."""
    return np.where(position > 3, -1, 2 / (1 + np.exp(5 * np.minimum(position, 3))) - 1)


def worth(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the worth (step,) of a detection at each step, and its window, or -1 outside."""
    steps = np.arange(len(series.values))
    value, window = np.full(len(steps), -1.0), np.full(len(steps), -1)
    for number, (first, last) in enumerate(sorted(series.windows)):
        length = last - first + 1
        after, inside = steps > last, (steps >= first) & (steps <= last)
        if length > 1:  # counted from the last window that has ended
            value[after] = sigmoid_of((steps[after] - last) / (length - 1))
        value[inside] = sigmoid_of((steps[inside] - last - 1) / length) / sigmoid_of(np.array(-1.0))
        window[inside] = number
    value[window < 0] *= FALSE_POSITIVE
    return value, window


def nab_score(corpus: Iterable[Series], scores: Iterable[np.ndarray]) -> tuple[float, float]:
    """Return the score of anomaly scores (step,), one array a series, and the best threshold."""
    levels, gains, num_windows = [np.array([np.inf])], [np.array([0.0])], 0
    for series, of_steps in zip(corpus, scores, strict=True):
        value, window = worth(series)
        scored = np.arange(len(value)) >= series.num_probation
        outside = scored & (window < 0)
        levels.append(of_steps[outside])
        gains.append(value[outside])
        for number in range(len(series.windows)):
            inside = np.flatnonzero(scored & (window == number))
            inside = inside[np.argsort(-of_steps[inside], kind="stable")]
            best = np.maximum.accumulate(value[inside])  # of all that are detected so far
            levels.append(of_steps[inside])
            gains.append(np.diff(best, prepend=-1))
            num_windows += 1
    level, gain = np.concatenate(levels), np.concatenate(gains)
    order = np.argsort(-level, kind="stable")
    level, total = level[order], np.cumsum(gain[order])
    last = np.append(np.diff(level) != 0, True)  # detections at one threshold come together
    best_at = int(np.argmax(total[last]))
    # `total` begins at the detector that never speaks, whose score is minus one a window.
    return float(100 * total[last][best_at] / (2 * num_windows)), float(level[last][best_at])


def windowed_gaussian(series: Series, size: int = 6400, step: int = 100) -> np.ndarray:
    """Return how unlikely each value is by mean and deviation of the last `size` before it.

    A detector of the benchmark whose score is published: 39.6.
    """
    values, scores = series.values, np.zeros(len(series.values))
    first, last, mean, spread = 0, 0, 0.0, 1.0
    for now, value in enumerate(values):
        if now > 0:
            scores[now] = ndtr(abs(value - mean) / spread)
        # The window grows by single values, and once it is full moves on by a hundred.
        if last - first < size:
            last = now + 1
        elif now + 1 - last == step:
            first, last = first + step, now + 1
        else:
            continue
        mean, spread = values[first:last].mean(), values[first:last].std() or 1e-6
    return scores
