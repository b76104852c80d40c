"""Labels of a time axis: which steps have one, and its text."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from ..sequences.resampling import are_uneven
from ..sequences.step_names import named_times

# Lengths of time that people count in, from fine to coarse: the level of their labels, and so many
# seconds or months.
_PERIODS = [
    *(("second", "s", n) for n in (1, 2, 5, 10, 15, 30)),
    *(("time", "s", n * 60) for n in (1, 2, 5, 10, 15, 30)),
    *(("time", "s", n * 3600) for n in (1, 2, 3, 6, 12)),
    *(("day", "s", n * 86_400) for n in (1, 2, 7, 14)),
    *(("month", "M", n) for n in (1, 2, 3, 6)),
    *(("year", "M", n) for n in (12, 24, 60, 120, 240)),
]
# What they are counted from; weeks begin on a Monday.
_ORIGINS = {"s": np.datetime64("1970-01-05", "s"), "M": np.datetime64("1970-01", "M")}

# The width of a bar, in steps.
BAR_WIDTH = 0.86
# A step is at least so wide, in average steps, that it can be seen beside long ones.
_NARROWEST = 0.2

# The format of a label, and of its second line, which is written where it changes.
_FORMATS: dict[str, tuple[str, str]] = {
    # With what `named_times` writes after the date.
    "clock": ("{1}", "{0.day} {0:%b}"),
    "date": ("{0.day} {0:%b} {1}", "{0.year}"),
    "second": ("{0:%H:%M:%S}", "{0.day} {0:%b}"),
    "time": ("{0:%H:%M}", "{0.day} {0:%b}"),
    "day": ("{0.day} {0:%b}", "{0.year}"),
    "month": ("{0:%b}", "{0.year}"),
    "year": ("{0.year}", ""),
}


def step_ticks(times: np.ndarray, name: str = "", most: int = 8) -> tuple[np.ndarray, list[str]]:
    r"""Choose the steps to label: where a round period begins, else evenly back from the last one.

    Every label is the date or number of its own step: a week whose Monday was a holiday is labelled
    by its Tuesday. Of uneven steps, which `draw_to_scale` draws by their times, those are labelled
    that leave room for it.

    Parameters
    ----------
    times : array (step,)
        Dates or numbers, increasing.
    name : str
        What is counted; hours are labelled by 6, 12 or 24.
    most : int
        About the number of labels that fit.

    Returns
    -------
    positions : int array
        Indices into `times`.
    labels : list of str

    Examples
    --------
    >>> days = np.arange("2011-01-03", "2011-03-01", dtype="datetime64[D]")
    >>> step_ticks(days)[1]
    ['3 Jan\n2011', '10 Jan', '17 Jan', '24 Jan', '31 Jan', '7 Feb', '14 Feb', '21 Feb', '28 Feb']
    """
    names = named_times(times)
    if np.issubdtype(times.dtype, np.datetime64):
        return _date_ticks(times, names, most)
    return _number_ticks(times.astype(float), names, name, most)


def draw_to_scale(ax: Axes, times: np.ndarray) -> None:
    """Draw steps 0, 1, ... of an axis where their times are; even steps stay at equal distances.

    Bars are no wider than at the median step, cells reach halfway to the next one. What is drawn,
    and what a click reads, still counts steps.
    """
    if not are_uneven(np.diff(times)):
        return
    places, half = _places(times), BAR_WIDTH / 2
    # Beyond both ends there is one average step, of which half is drawn.
    gaps = np.diff(places, prepend=places[0] - 1, append=places[-1] + 1)
    reach = half * np.minimum(np.median(gaps[1:-1]), np.minimum(gaps[:-1], gaps[1:]))
    steps = (np.arange(len(times))[:, None] + [-half, 0, half]).ravel()
    drawn = (places[:, None] + np.outer(reach, [-1, 0, 1])).ravel()
    steps = np.concatenate([[-1], steps, [len(times)]])
    drawn = np.concatenate([places[:1] - 1, drawn, places[-1:] + 1])
    forward = partial(np.interp, xp=steps, fp=drawn)
    ax.set_xscale("function", functions=(forward, partial(np.interp, xp=drawn, fp=steps)))


def _places(times: np.ndarray) -> np.ndarray:
    """Return where steps stand on the axis, in average steps: 0, 1, 2, ... if they are even."""
    steps = np.diff(times).astype(float)
    if not are_uneven(steps):
        return np.arange(len(times))
    steps = np.maximum(steps, _NARROWEST * steps.mean())
    return np.concatenate([[0], np.cumsum(steps)]) / steps.mean()


def span_of(times: np.ndarray, name: str) -> str:
    """Return the name of a time axis, for dates with the first and the last.

    Examples
    --------
    >>> span_of(np.array(["2011-01-03", "2011-02-28"], "datetime64[D]"), "date")
    'date: 2011-01-03 to 2011-02-28'
    """
    if not np.issubdtype(times.dtype, np.datetime64):
        return name
    names = named_times(times)
    return f"{name}: {names[0]} to {names[-1]}" if len(times) > 1 else f"{name}: {names[0]}"


def stretches(marks: np.ndarray) -> list[tuple[int, int]]:
    """Return the first position, and the one after the last, of each run of True.

    Examples
    --------
    >>> stretches(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    runs, _ = ndimage.label(marks)
    return [(run.start, run.stop) for (run,) in ndimage.find_objects(runs)]


def _date_ticks(times: np.ndarray, names: list[str], most: int) -> tuple[np.ndarray, list[str]]:
    clocks = [name.partition(" ")[2] for name in names]
    finest = "clock" if clocks[0] else "date"
    few, uneven = _fitting(most, clocks), are_uneven(np.diff(times))
    if len(times) <= few and not uneven:
        return np.arange(len(times)), _date_labels(times, clocks, finest)
    for level, unit, count in [] if uneven else _PERIODS:
        if finest == "date" and level in ("second", "time"):
            continue
        positions = _begins(times, unit, count, most)
        if len(positions):
            return positions, _date_labels(times[positions], [clocks[i] for i in positions], level)
    positions = _even(_places(times), few)
    return positions, _date_labels(times[positions], [clocks[i] for i in positions], finest)


def _begins(times: np.ndarray, unit: str, count: int, most: int) -> np.ndarray:
    """Return the first step of each period, or nothing where these are too few or too many."""
    just_before = times[:1] - np.timedelta64(1, "s")
    since = np.concatenate([just_before, times]).astype(f"M8[{unit}]") - _ORIGINS[unit]
    begins = np.flatnonzero(np.diff(since.astype(int) // count))
    if not 3 <= len(begins) <= most + 1:
        return begins[:0]
    # Irregular times may bring two periods so close together that their labels would touch.
    kept = [begins[0]]
    for begin in begins[1:]:
        if begin - kept[-1] >= 0.6 * len(times) / most:
            kept.append(begin)
    return np.array(kept)


def _date_labels(times: np.ndarray, clocks: list[str], level: str) -> list[str]:
    upper, lower = _FORMATS[level]
    labels, before = [], ""
    for moment, clock in zip(pd.DatetimeIndex(times), clocks, strict=True):
        below = lower.format(moment)
        labels.append(
            upper.format(moment, clock).rstrip() + (f"\n{below}" if below != before else "")
        )
        before = below
    return labels


def _number_ticks(
    times: np.ndarray, names: list[str], name: str, most: int
) -> tuple[np.ndarray, list[str]]:
    positions, most = np.arange(len(times)), _fitting(most, names)
    if len(times) > most or are_uneven(np.diff(times)):
        positions = _round_numbers(times, "hour" in name.lower(), most)
        if len(positions) < 3:
            positions = _even(_places(times), most)
    return positions, [names[at] for at in positions]


def _round_numbers(times: np.ndarray, by_hours: bool, most: int) -> np.ndarray:
    """Return the steps at round numbers, or nothing where the numbers are not evenly spaced."""
    step = np.diff(times).mean()
    if not np.allclose(np.diff(times), step, atol=0):
        return np.array([], int)
    multiples = [1, 1.2, 2, 2.4, 3, 6, 10] if by_hours else [1, 2, 2.5, 5, 10]
    ticks = MaxNLocator(most, steps=multiples, integer=True).tick_values(times[0], times[-1])
    nearest = np.abs(times[:, None] - ticks).argmin(axis=0)
    return nearest[np.abs(times[nearest] - ticks) < 1e-6 * abs(step)]


def _fitting(most: int, labels: list[str]) -> int:
    """Return how many labels fit: eight of eight letters, of longer ones fewer."""
    return min(most, 64 // max(1, *map(len, labels)))


def _even(places: np.ndarray, most: int) -> np.ndarray:
    """Return steps whose places are about evenly spaced, counted back from the last one."""
    kept = [len(places) - 1]
    for step in range(len(places) - 2, -1, -1):
        if places[kept[-1]] - places[step] >= len(places) / most:
            kept.append(step)
    return np.array(kept[::-1])
