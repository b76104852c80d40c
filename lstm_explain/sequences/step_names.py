"""Names of steps in text: the date or time of a step, or else its number from 1 on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..wording import told_apart
from .data import SequenceData

_PRECISIONS = ("D", "m", "s", "ms", "us", "ns")


def named_times(times: np.ndarray) -> list[str]:
    """Return dates or numbers as text, all with as many digits as tell the steps apart.

    Dates have no hours where all are whole days, and no seconds where all are whole minutes; the
    second step of one time has a (2).

    Examples
    --------
    >>> named_times(np.array(["2011-01-03", "2011-01-04"], "datetime64[ns]"))
    ['2011-01-03', '2011-01-04']
    >>> named_times(np.array([0.0, 0.5]))
    ['0', '0.5']
    """
    return unique_names(_as_text(times, times))


def names_of_windows(times: np.ndarray, mask: np.ndarray) -> list[str]:
    """Return the last time of each window, by which windows of one series are called.

    Examples
    --------
    >>> days = np.array([["2011-01-03", "2011-01-04"]], "datetime64[ns]")
    >>> names_of_windows(days, np.ones((1, 2), bool))
    ['2011-01-04']
    """
    last = times[np.arange(len(times)), mask.sum(axis=1) - 1]
    return unique_names(_as_text(last, times[mask]))


def _as_text(times: np.ndarray, among: np.ndarray) -> list[str]:
    """Return times as text, of dates as much as it takes to write all times `among` them."""
    if not np.issubdtype(times.dtype, np.datetime64):
        return told_apart(times)
    for unit in _PRECISIONS:
        if (among.astype(f"datetime64[{unit}]") == among).all():
            times = times.astype(f"datetime64[{unit}]")
            break
    return [str(time).replace("T", " ") for time in times]


def unique_names(names: list[str]) -> list[str]:
    """Return the names, the second of equal ones with a (2).

    Examples
    --------
    >>> unique_names(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    before = pd.Series(names).groupby(names).cumcount()
    return [f"{name} ({at + 1})" if at else name for name, at in zip(names, before, strict=True)]


def step_names(sample: SequenceData) -> list[str]:
    """Return the names of one sample's real steps, the same as on the time axis of a figure.

    Examples
    --------
    >>> step_names(SequenceData.from_arrays([[[4.0], [5.0]]]))
    ['1', '2']
    """
    return named_times(_times_of(sample))


def phrase(times: np.ndarray, time_name: str, step: int) -> str:
    """Return the name of a step as it follows "at" in a sentence.

    Examples
    --------
    >>> phrase(np.array([1.0, 2.0]), "step", 0), phrase(np.array([0.0, 1.0]), "hours in care", 1)
    ('step 1', '1 (hours in care)')
    """
    name = named_times(times)[step]
    if np.issubdtype(times.dtype, np.datetime64):
        return name
    return f"step {name}" if time_name == "step" else f"{name} ({time_name})"


def phrase_of(sample: SequenceData, position: int) -> str:
    """Return the name of a position of one padded sample as it follows "at" in a sentence."""
    step = int(sample.mask[0][:position].sum())
    return phrase(_times_of(sample), sample.time_name, step)


def _times_of(sample: SequenceData) -> np.ndarray:
    real = sample.mask[0]
    return np.flatnonzero(real) + 1.0 if sample.times is None else sample.times[0][real]


def window_labels(num_steps: int, length: int) -> list[str]:
    """Name windows by their first and last step.

    Examples
    --------
    >>> window_labels(5, 2)
    ['0-1', '2-3', '4-4']
    """
    return [
        f"{start}-{min(start + length, num_steps) - 1}" for start in range(0, num_steps, length)
    ]
