"""The step of a time series: which it is, the equal steps it makes, and how far ahead in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ..arguments import check_number, described

# A number, or an offset of pandas: of months, which are not equally long, as of minutes.
Step: TypeAlias = float | pd.offsets.BaseOffset

# Days from row to row at least and at most, and the months of such a step.
_MONTHS = ((28, 31, 1), (90, 92, 3), (365, 366, 12))
# Units of calendar offsets, by a part of the name of their type.
_UNITS = {
    "SemiMonth": "half month",
    "HalfYear": "half year",
    "Month": "month",
    "Quarter": "quarter",
    "Year": "year",
    "Week": "week",
}
_LEAST_FILLED = 0.5


def read_step(step: Any, clocks: list[np.ndarray], time: str) -> Step:
    """Return the step that was given, or the most common one between the rows of the series."""
    is_date = clocks[0].dtype.kind == "M"
    if step is None:
        steps = np.concatenate([np.diff(clock) for clock in clocks])
        if not len(steps):
            raise ValueError(
                f"Expected several rows in one series; received one at most, by column {time!r}. "
                "Leave group=... out where rows of one series differ in it."
            )
        sizes, counts = np.unique(steps, return_counts=True)
        usual = sizes[counts.argmax()]
        return _calendar_step(usual, clocks) if is_date else float(usual)
    if not is_date:
        remedy = f"Column {time!r} holds numbers: give a step in their unit, such as step=1."
        check_number(above=0, remedy=remedy, step=step)
        return float(step)
    remedy = 'Give for example step="1h", "30min", "D" or "MS".'
    return read_offset(pd.Timestamp(clocks[0][0]), remedy, step=step)


def read_offset(since: pd.Timestamp, remedy: str, **named: Any) -> pd.offsets.BaseOffset:
    """Return the offset of pandas that was given, or raise if it does not lead forward in time."""
    [(name, given)] = named.items()
    try:
        offset = pd.tseries.frequencies.to_offset(given)
        is_forward = bool(since + offset > since)
    except (ValueError, TypeError, AttributeError):
        is_forward = False
    if not is_forward:
        raise ValueError(
            f"Expected {name} to be an offset of pandas that leads forward; received "
            f"{described(given)}. {remedy}"
        )
    return offset


def _calendar_step(usual: np.timedelta64, clocks: list[np.ndarray]) -> pd.offsets.BaseOffset:
    """Return months where all dates begin or end one, business days where no date is a weekend's.

    Else it is a step of always the same length.
    """
    dates, days = pd.DatetimeIndex(np.concatenate(clocks)), pd.Timedelta(usual).days
    for low, high, months in _MONTHS:
        if low <= days <= high:
            if (dates.day == 1).all():
                return pd.offsets.MonthBegin(months)
            if dates.is_month_end.all():
                return pd.offsets.MonthEnd(months)
    # Any seven days have a weekend.
    is_long = any(clock[-1] - clock[0] >= np.timedelta64(7, "D") for clock in clocks)
    if usual == np.timedelta64(1, "D") and is_long and (dates.day_of_week < 5).all():
        return pd.offsets.BusinessDay()
    return pd.tseries.frequencies.to_offset(pd.Timedelta(usual))


def steps_of(clock: np.ndarray, step: Step, time: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the equal steps from the first time to the last, and which step each time is.

    Raises
    ------
    ValueError
        A time lies between two steps, or more than half of the steps have no row.
    """
    if isinstance(step, pd.offsets.BaseOffset):
        at_most = (clock[-1] - clock[0]) / np.timedelta64(1, "s") / _seconds(clock[0], step) + 1
    else:
        at_most = (clock[-1] - clock[0]) / step + 1
    if len(clock) < _LEAST_FILLED * (at_most - 1):
        raise ValueError(
            f"Expected rows at about equal steps in column {time!r}; received {len(clock):,} for "
            f"{at_most:,.0f} steps of {span_text(1, step)}. Give the step with step=..., add the "
            "rows of steps at which nothing was, or number the rows of a series that pauses: "
            'frame["row"] = range(len(frame)), time="row".'
        )
    if isinstance(step, pd.offsets.BaseOffset):
        times = pd.date_range(clock[0], clock[-1], freq=step).to_numpy().astype(clock.dtype)
        at = np.searchsorted(times, clock)
        between = times[np.minimum(at, len(times) - 1)] != clock if len(times) else at == 0
    else:
        exact = (clock - clock[0]) / step
        at = np.rint(exact).astype(int)
        times = clock[0] + np.arange(at[-1] + 1) * step
        if clock.dtype.kind == "i" and step % 1 == 0:
            times = times.astype(clock.dtype)
        between = np.abs(exact - at) > 1e-6
    if between.any():
        when = clock[between][0]
        raise ValueError(
            f"Expected rows at equal steps of {span_text(1, step)} from {clock[0]} on; received "
            f"one at {when}, one of {int(between.sum())} between two steps. Put the rows at equal "
            'steps first, for example with frame.resample("1h", on=...).mean(), or give step=...'
        )
    return times, at


def _seconds(first: np.datetime64, step: pd.offsets.BaseOffset) -> float:
    """Return about how long a step is, from twelve of them."""
    start = pd.Timestamp(first)
    return float(((start + 12 * step) - start).total_seconds()) / 12


def span_text(count: int, step: Step) -> str:
    """Return how long so many steps are, in the unit of a step.

    Examples
    --------
    >>> offset = pd.tseries.frequencies.to_offset
    >>> [span_text(n, offset("30min")) for n in (1, 2, 3, 48)]
    ['30 min', '1 h', '1 h 30 min', '24 h']
    >>> span_text(24, offset("h")), span_text(1, offset("D")), span_text(2, offset("7D"))
    ('24 h', '1 day', '2 weeks')
    >>> span_text(3, offset("MS")), span_text(5, offset("B")), span_text(3, 1.0)
    ('3 months', '5 business days', '3 steps')
    """
    if not isinstance(step, pd.offsets.BaseOffset):
        return _counted(count, "step")
    kind = type(step).__name__
    if kind == "BusinessDay":
        return _counted(count * step.n, "business day")
    if unit := next((unit for part, unit in _UNITS.items() if part in kind), None):
        return _counted(count * step.n, unit)
    try:
        size = pd.Timedelta(days=step.n) if kind == "Day" else pd.Timedelta(step)
    except (ValueError, TypeError):  # an offset of another calendar
        return _counted(count, "step")
    seconds = size.total_seconds()
    if seconds % 86_400 == 0:
        days = int(seconds) // 86_400
        is_weeks = days % 7 == 0
        return _counted(count * (days // 7 if is_weeks else days), "week" if is_weeks else "day")
    if seconds % 60:
        return f"{count * seconds:g} s"
    hours, minutes = divmod(int(count * seconds) // 60, 60)
    return " ".join(
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number
    )


def lead_names(horizon: int, step: Step) -> list[str]:
    """Return how far ahead each target is, such as "+30 min"."""
    return [f"+{span_text(ahead, step)}" for ahead in range(1, horizon + 1)]


def names_later(names: Iterable[str], span: str) -> tuple[str, ...]:
    """Return the names of features whose values are those of so much later.

    Examples
    --------
    >>> names_later(["temperature"], "24 h")
    ('temperature, 24 h later',)
    """
    return tuple(f"{name}, {span} later" for name in names)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
