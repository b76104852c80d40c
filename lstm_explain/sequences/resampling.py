"""Rows at any times: whether their steps are uneven, and how they become rows at equal steps."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from ..arguments import check_number, check_one_of
from ..wording import percent
from .columns import Features
from .leads import read_offset

How = Literal["last", "mean", "sum", "min", "max"]

# Weekends and holidays in daily data, and a single hole in a long series, leave steps even.
_LONG, _MOST_LONG = 5, 0.01
# More would fill the memory: a second for three years.
_MOST_STEPS = 1e8


class UnevenStepsWarning(UserWarning):
    """Rows of windows count as equal steps, and their times say that they are not."""


def are_uneven(steps: np.ndarray) -> bool:
    """Tell whether more than 1 in 100 steps are longer than 5 times the median step.

    Examples
    --------
    >>> are_uneven(np.array([1, 1, 3, 1])), are_uneven(np.array([1, 1, 24, 1]))
    (False, True)
    """
    return _share([steps]) > _MOST_LONG


def _share(sequences: Iterable[np.ndarray]) -> float:
    """Return the share of steps that are long beside the median of their own sequence."""
    sizes = [steps.astype(float) for steps in sequences]
    sizes = [one[one > 0] for one in sizes]  # several rows may have one time
    long = [one > _LONG * np.median(one) for one in sizes if len(one)]
    return float(np.concatenate(long).mean()) if long else 0.0


def warn_if_uneven(sequences: list[np.ndarray], time: str) -> None:
    """Warn of uneven steps between the rows of windows; the message says how to make them even."""
    share, steps = _share(sequences), np.sort(np.concatenate(sequences))
    if share <= _MOST_LONG:
        return
    is_date = steps.dtype.kind == "m"
    sizes = [steps[at] for at in (0, len(steps) // 2, -1)]
    low, middle, high = (str(pd.Timedelta(s)) if is_date else f"{s:g}" for s in sizes)
    example = '"1h"' if is_date else middle
    warnings.warn(
        f"Expected rows at about equal steps, since each row of a window counts as one; received "
        f"steps of {low} to {high} in column {time!r}, {percent(share)} of them longer than "
        f"{_LONG} times the median of their sequence. Make the steps equal with from_frame(..., "
        f"resample={example}).",
        UnevenStepsWarning,
        stacklevel=3,
    )


class Grid(NamedTuple):
    """Rows at equal steps, each with what was known at its time.

    ``rows`` are the positions in the table of the last row of the same sequence up to then;
    ``is_empty`` tells where that row is of an earlier step, so that ``values`` are NaN.
    """

    times: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    is_empty: np.ndarray

    def take(self, frame: pd.DataFrame, known: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the table's rows on the grid: missing where it is empty, but for `known` columns.

        None stands for all columns.
        """
        held = frame.iloc[self.rows].reset_index(drop=True)
        if known is None:
            return held
        # As objects, so that whole numbers beside a gap stay whole numbers.
        kept = [name for name in known if name in held]
        others = held.drop(columns=kept).astype(object)
        others.loc[self.is_empty] = np.nan
        return others.join(held[kept])


def on_grid(
    clock: np.ndarray,
    keys: np.ndarray,
    features: Features,
    every: Any,
    how: How | Mapping[str, How],
    time: str,
) -> Grid:
    """Put the rows of each sequence on a grid, from the step of its first row to that of its last.

    A row belongs to the first step that is not before it, so that no step knows of a later one.
    """
    methods = _methods(how, list(dict.fromkeys(features.columns)))
    bins, ends = _bins(clock, every, time)
    owners, _ = pd.factorize(keys)
    order = np.lexsort((clock, owners))
    steps = [owners[order], bins[order]]
    grouped = pd.DataFrame(features.values[order]).groupby(steps)
    values = {
        position: _aggregated(grouped[position], methods[name])
        for position, name in enumerate(features.columns)
    }
    span = pd.Series(bins).groupby(owners).agg(["min", "max"])
    ranges = [np.arange(low, high + 1) for low, high in span.to_numpy()]
    index = pd.MultiIndex.from_arrays(
        [np.repeat(span.index, [len(one) for one in ranges]), np.concatenate(ranges)]
    )
    # The first step of a sequence has a row: nothing is carried from one sequence to the next.
    last = pd.Series(order).groupby(steps).last().reindex(index)
    return Grid(
        times=ends[index.get_level_values(1)],
        values=pd.DataFrame(values).reindex(index).to_numpy(),
        rows=last.ffill().to_numpy(int),
        is_empty=last.isna().to_numpy(),
    )


def _methods(how: How | Mapping[str, How], features: list[str]) -> dict[str, How]:
    by_name = how if isinstance(how, Mapping) else dict.fromkeys(features, how)
    unknown = [name for name in by_name if name not in features]
    if unknown:
        raise ValueError(
            f"Expected how for some of the features {features}; received it for {unknown}. Others "
            "than features keep their last value."
        )
    named: dict[str, Any] = {f"how of {name!r}": one for name, one in by_name.items()}
    check_one_of(get_args(How), **named)
    return {**dict.fromkeys(features, "last"), **by_name}


def _check_count(steps: float, every: Any) -> None:
    if steps > _MOST_STEPS:
        raise ValueError(
            f"Expected at most {_MOST_STEPS:.0e} steps from the first time to the last; received "
            f"resample={every!r}, which makes {steps:.1e}. Give a longer step."
        )


def _aggregated(rows: Any, method: How) -> pd.Series:
    """Return one value per step, NaN where none was measured: a sum of nothing is not 0."""
    return rows.sum(min_count=1) if method == "sum" else getattr(rows, method)()


def _bins(clock: np.ndarray, every: Any, time: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the step of each row, and the time at which each step ends."""
    if clock.dtype.kind != "M":
        remedy = f"Column {time!r} holds numbers: give a step in their unit, such as resample=1."
        check_number(above=0, remedy=remedy, resample=every)
        _check_count((clock.max() - clock.min()) / every, every)
        # Rounded, since 2.1 / 0.3 is a little more than 7.
        bins = np.ceil(np.round(clock / every, 6))
        first, steps = bins.min(), (bins - bins.min()).astype(int)
        return steps, (first + np.arange(steps.max() + 1)) * every
    first, last = pd.Timestamp(clock.min()), pd.Timestamp(clock.max())
    remedy = f'Column {time!r} holds dates: give for example resample="1h", "15min" or "D".'
    offset = read_offset(last, remedy, resample=every)
    _check_count((last - first) / ((last + offset) - last), every)
    ends = pd.date_range(first.normalize(), last + offset, freq=offset).to_numpy()
    return np.searchsorted(ends, clock), ends
