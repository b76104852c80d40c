"""The columns of a table as numbers, times, ids and targets; what is ambiguous is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from ..arguments import described


def columns_as_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return the named columns as float64 (row, column); text and dates are refused."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"Expected columns {list(columns)}; received a table that lacks {missing} and has "
            f"{list(map(str, frame.columns))}. Rename the columns or name the ones you have."
        )
    result = np.empty((len(frame), len(columns)))
    for position, name in enumerate(columns):
        column = one_column(frame, name, "a column", "Rename the columns.")
        if not _may_hold_numbers(column.dtype):
            raise ValueError(
                f"Expected numbers in column {name!r}; received type {column.dtype}. Convert it, "
                "for instance to hours: (column - start).dt.total_seconds() / 3600."
            )
        numbers = pd.to_numeric(column, errors="coerce")
        text = numbers.isna() & column.notna()
        if text.any():
            row = int(np.flatnonzero(text.to_numpy())[0])
            raise ValueError(
                f"Expected numbers in column {name!r}; received {column.iloc[row]!r} in row "
                f"{row}. Convert the column with pandas.to_numeric, or encode its categories."
            )
        result[:, position] = numbers.to_numpy(dtype=float, na_value=np.nan)
    return result


def one_column(frame: pd.DataFrame, name: Any, what: str, remedy: str) -> pd.Series:
    """Return the only column of that name."""
    if isinstance(name, list | set | dict) or name is None:
        raise ValueError(
            f"Expected the name of {what}; received {described(name)}. Name one column; of "
            "several, make data for each."
        )
    number = int((frame.columns == name).sum())
    if number != 1:
        raise ValueError(
            f"Expected {what} {name!r}; received {'it twice' if number else 'other columns'}: "
            f"{list(map(str, frame.columns))}. {remedy}"
        )
    return frame[name]


def as_clock(times: pd.Series, what: str) -> np.ndarray:
    """Return times as datetime64 or finite numbers.

    Text is refused: "10/1/2020" sorts before "9/1/2020", and may be in January or October.
    """
    if times.isna().any():
        raise ValueError(
            f"Expected a time for every step in {what}; received {int(times.isna().sum())} "
            "missing. Drop or fill those rows."
        )
    if isinstance(times.dtype, pd.CategoricalDtype):
        times = times.astype(times.dtype.categories.dtype)
    if types.is_object_dtype(times.dtype):
        times = _objects_as_times(times)
    if types.is_datetime64_dtype(times.dtype):
        return times.to_numpy()
    if types.is_numeric_dtype(times.dtype) and not types.is_complex_dtype(times.dtype):
        is_float = types.is_float_dtype(times.dtype)
        numbers = times.to_numpy(dtype=np.float64 if is_float else np.int64)
        if np.isfinite(numbers).all():
            return numbers
    raise ValueError(
        f"Expected dates without a time zone, or finite numbers, in {what}; received "
        f"{times.iloc[0]!r}, type {times.dtype}. {_clock_remedy(times.dtype)}."
    )


def columns_as_ids(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the id column, in which no id may be missing."""
    keys = one_column(
        frame, name, "an id column", "Name the one that tells the sequences apart with id=..."
    )
    if keys.isna().any():
        raise ValueError(
            f"Expected an id in every row of {name!r}; received {int(keys.isna().sum())} missing."
            " Drop or fill those rows."
        )
    return keys.to_numpy()


def column_as_target(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the target column: numbers stay numbers; text and categories stay labels."""
    column = one_column(frame, name, "a target column", "Name the right one with target=...")
    if types.is_extension_array_dtype(column.dtype) and types.is_integer_dtype(column.dtype):
        return column.astype(object).to_numpy()  # NumPy has no missing integers: they stay classes
    return np.asarray(column)


def _may_hold_numbers(dtype: Any) -> bool:
    """Tell whether a column may hold numbers, also as text; not dates or durations."""
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    if types.is_numeric_dtype(dtype):
        return not types.is_complex_dtype(dtype)
    return types.is_object_dtype(dtype) or types.is_string_dtype(dtype)


def _objects_as_times(times: pd.Series) -> pd.Series:
    """Give dates and numbers that are kept as Python objects a type of their own."""
    kind = types.infer_dtype(times, skipna=False)
    if kind in ("date", "datetime"):
        try:
            return pd.to_datetime(times)
        except ValueError:  # dates of several time zones
            return times
    if kind in ("mixed-integer-float", "decimal"):
        return times.astype(float)
    return times.infer_objects()


def _clock_remedy(dtype: Any) -> str:
    if isinstance(dtype, pd.DatetimeTZDtype):
        return (
            "Keep local time with .dt.tz_localize(None), or take UTC with "
            '.dt.tz_convert("UTC").dt.tz_localize(None)'
        )
    if isinstance(dtype, pd.PeriodDtype):
        return "Convert periods to dates with .dt.to_timestamp()"
    if types.is_timedelta64_dtype(dtype):
        return "Convert durations to numbers, for instance hours: .dt.total_seconds() / 3600"
    if types.is_numeric_dtype(dtype):
        return "Drop the rows whose time is not finite"
    return "Convert text to dates with pandas.to_datetime(..., format=...)"
