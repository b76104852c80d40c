"""The columns of a table as numbers, times, ids and targets; what is ambiguous is refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from ..arguments import described

# Of more categories, one column each would be mostly 0: an Embedding learns them better.
_MOST_CATEGORIES = 50

# A number as people write it: with a decimal comma, or with marks between the thousands.
_WRITTEN_NUMBER = r"\s*[-+]?[.,]?\d[\d.,' ]*"


class Features(NamedTuple):
    """Columns of a table as float64 (row, name), with the column that each name is made of."""

    values: np.ndarray
    names: list[str]
    columns: list[str]

    @property
    def one_hot(self) -> tuple[str, ...]:
        """The names that stand for one category each."""
        pairs = zip(self.names, self.columns, strict=True)
        return tuple(name for name, column in pairs if name != column)


def columns_as_features(frame: pd.DataFrame, columns: Sequence[str]) -> Features:
    """Return numbers as they are, and text or categories as a column of 0 and 1 per category."""
    _need_columns(frame, columns)
    parts = [_as_features(frame, name) for name in columns]
    return Features(
        np.hstack([np.empty((len(frame), 0)), *parts]),
        [name for part in parts for name in part],
        [name for name, part in zip(columns, parts, strict=True) for _ in part],
    )


def _as_features(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    column = one_column(frame, name, "a column", "Rename the columns.")
    if not _is_category(column):
        return pd.DataFrame({name: columns_as_numbers(frame, [name])[:, 0]})
    column = column.astype("category")  # of text: the distinct values in order
    count = len(column.cat.categories)
    if not 1 <= count <= _MOST_CATEGORIES:
        raise ValueError(
            f"Expected 1 to {_MOST_CATEGORIES} categories in column {name!r}; received {count}. "
            "Put rare ones together, or give their numbers, "
            f"frame[{name!r}].astype('category').cat.codes, to a model with an Embedding."
        )
    one_hot = pd.get_dummies(column, prefix=str(name), prefix_sep=": ", dtype=float)
    one_hot[column.isna().to_numpy()] = np.nan
    return one_hot


def _is_category(column: pd.Series) -> bool:
    """Tell text and categories from numbers, also from numbers that were read as text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if types.infer_dtype(column, skipna=True) != "string":
        return False
    words = pd.Series(column.dropna().unique())
    is_number = pd.to_numeric(words, errors="coerce").notna() | words.str.fullmatch(_WRITTEN_NUMBER)
    return not is_number.any()


def columns_as_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return the named columns as float64 (row, column); text and dates are refused."""
    _need_columns(frame, columns)
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
                f"{row}. Convert the column with pandas.to_numeric, read decimal commas with "
                'read_csv(decimal=","), or make categories of it with .astype("category").'
            )
        result[:, position] = numbers.to_numpy(dtype=float, na_value=np.nan)
    return result


def _need_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"Expected columns {list(columns)}; received a table that lacks {missing} and has "
            f"{list(map(str, frame.columns))}. Rename the columns or name the ones you have."
        )


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


def as_clock(times: pd.Series | np.ndarray, what: str) -> np.ndarray:
    """Return times as datetime64 or finite numbers, float64 or int64.

    Text is refused: "10/1/2020" sorts before "9/1/2020", and may be in January or October.
    """
    if isinstance(times, np.ndarray):
        times = _as_column(times, what)
    if times.isna().any():
        raise ValueError(
            f"Expected a time for every step in {what}; received {int(times.isna().sum())} "
            "missing. Drop or fill those rows."
        )
    if isinstance(times.dtype, pd.CategoricalDtype):
        times = times.astype(times.dtype.categories.dtype)
    if types.is_object_dtype(times.dtype):
        times = _objects_as_times(times)
    dtype, wrong = times.dtype, np.ones(len(times), bool)
    if types.is_datetime64_dtype(dtype):
        wrong = ~times.dt.year.between(1, 9999).to_numpy()
    elif types.is_float_dtype(dtype):
        times = pd.Series(times.to_numpy(np.float64))
        wrong = ~np.isfinite(times.to_numpy())
    elif types.is_integer_dtype(dtype):
        wrong = np.asarray(times > np.iinfo(np.int64).max, bool)
    if wrong.any():
        raise _no_times(times[wrong].iloc[0], dtype, what)
    return times.to_numpy(np.int64) if types.is_integer_dtype(dtype) else times.to_numpy()


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


def _as_column(times: np.ndarray, what: str) -> pd.Series:
    """Return an array as pandas holds it, unless that would round its times or cannot be."""
    is_date = times.dtype.kind == "M"
    if not is_date or np.datetime_data(times.dtype)[0] not in ("generic", "ps", "fs", "as"):
        with suppress(ValueError):  # a date that no unit of pandas holds, several fields in one
            return pd.Series(times)
    raise _no_times(times.flat[0], times.dtype, what)


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


def _no_times(received: Any, dtype: Any, what: str) -> ValueError:
    return ValueError(
        f"Expected dates without a time zone, or finite numbers, in {what}; received "
        f"{received!r}, type {dtype}. {_clock_remedy(dtype)}."
    )


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
    if getattr(dtype, "kind", "") == "M":
        return "Give dates of the years 1 to 9999 in nanoseconds or coarser, or numbers"
    if types.is_float_dtype(dtype):
        return "Drop the rows whose time is not finite"
    if types.is_integer_dtype(dtype):
        return "Subtract the first time: int64 does not hold such numbers"
    if types.is_numeric_dtype(dtype):
        return "Give one number per step that grows with time"
    return "Convert text to dates with pandas.to_datetime(..., format=...)"
