"""Turn what people have (ragged lists, arrays, long tables) into padded arrays with a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Padded:
    """Right-padded arrays: the raw material of a ``SequenceData``."""

    values: np.ndarray
    mask: np.ndarray
    times: np.ndarray | None = None
    ids: np.ndarray | None = None
    static: np.ndarray | None = None
    target: np.ndarray | None = None


def pad(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Right-pad sequences of shape (time, ...) with zeros; return values and mask (sample, time).

    Examples
    --------
    >>> values, mask = pad([np.ones((2, 1)), np.ones((3, 1))])
    >>> mask.tolist()
    [[True, True, False], [True, True, True]]
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    if not arrays:
        raise ValueError(
            "Expected at least one sequence; received none. Check the filter that chose them."
        )
    ranks = {(a.ndim, a.shape[1:]) for a in arrays}
    if len(ranks) > 1:
        raise ValueError(
            "Expected every sequence to have the same features, shape (time, feature); received "
            f"shapes {sorted({a.shape for a in arrays})}. Give each sequence the same columns."
        )
    lengths = np.array([len(a) for a in arrays])
    mask = np.arange(lengths.max()) < lengths[:, None]
    values = np.zeros(mask.shape + arrays[0].shape[1:], dtype=arrays[0].dtype)
    if values.dtype.kind == "M":
        values[:] = np.datetime64("NaT")
    values[mask] = np.concatenate(arrays)
    return values, mask


def mask_from_lengths(lengths: np.ndarray, num_steps: int) -> np.ndarray:
    """Return the mask (sample, time) of right-padded sequences from their lengths."""
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.min() < 1 or lengths.max() > num_steps:
        raise ValueError(
            f"Expected lengths of shape (sample,) between 1 and {num_steps} steps; received shape "
            f"{lengths.shape} with values {lengths.min()} to {lengths.max()}. Drop empty sequences."
        )
    return np.arange(num_steps) < lengths[:, None]


def from_sequences(
    values: np.ndarray | Sequence[np.ndarray],
    lengths: np.ndarray | Sequence[int] | None,
    mask: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return an array (sample, time, feature) and its mask, from an array or a ragged list."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        if values.ndim != 3:
            raise ValueError(
                f"Expected values of shape (sample, time, feature); received shape "
                f"{values.shape}. For one sequence use values[None]; for one feature use "
                "values[..., None]."
            )
        if mask is None and lengths is not None:
            mask = mask_from_lengths(np.asarray(lengths), values.shape[1])
        mask = np.ones(values.shape[:2], bool) if mask is None else np.asarray(mask, bool)
        array = values
    else:
        if mask is not None or lengths is not None:
            raise ValueError(
                "Expected mask or lengths only with a padded array; received them with a list "
                "of sequences, whose lengths are known. Leave them out."
            )
        array, mask = pad(list(values))
        if array.ndim != 3:
            raise ValueError(
                f"Expected each sequence of shape (time, feature); received rank "
                f"{array.ndim - 1}. For one feature use sequence[:, None]."
            )
    return array, mask


def columns_as_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return the named columns as float64 (row, column), or say which of them cannot be read.

    Raises
    ------
    ValueError
        A column is missing, or holds text.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"Expected columns {list(columns)}; the table lacks {missing} and has "
            f"{list(map(str, frame.columns))}. Rename the columns or name the ones you have."
        )
    result = np.empty((len(frame), len(columns)))
    for position, name in enumerate(columns):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        text = numbers.isna() & frame[name].notna()
        if text.any():
            row = int(np.flatnonzero(text.to_numpy())[0])
            raise ValueError(
                f"Expected numbers in column {name!r}; received {frame[name].iloc[row]!r} in row "
                f"{row}. Convert the column with pandas.to_numeric, or encode its categories."
            )
        result[:, position] = numbers.to_numpy(dtype=float)
    return result


def from_long_table(
    frame: pd.DataFrame,
    *,
    time: str,
    features: Sequence[str],
    id: str | None = None,
    target: str | None = None,
    static: Sequence[str] = (),
    window: int | None = None,
    stride: int = 1,
) -> Padded:
    """Cut a long table (one row per id and time) into sequences or windows of consecutive rows."""
    if len(frame) == 0:
        raise ValueError("Expected a table with rows; received an empty one. Check the filter.")
    if time not in frame.columns:
        raise ValueError(
            f"Expected a time column {time!r}; received columns {list(map(str, frame.columns))}. "
            f"Name the right one with time=..."
        )
    frame = frame.reset_index(drop=True)
    keys = np.zeros(len(frame)) if id is None else columns_as_ids(frame, id)
    numbers = columns_as_numbers(frame, features)
    extra = columns_as_numbers(frame, static)
    targets = None if target is None else column_as_target(frame, target)
    clock = frame[time].to_numpy()
    pieces = []
    for key, rows in pd.Series(np.arange(len(frame))).groupby(keys, sort=False):
        order = rows.to_numpy()
        order = order[np.argsort(clock[order], kind="stable")]
        repeated = clock[order][1:] == clock[order][:-1]
        if repeated.any():
            when = clock[order][1:][repeated][0]
            raise ValueError(
                f"Expected each time once per sequence; received {when} twice"
                f"{'' if id is None else f' for {id}={key!r}'}. Aggregate the rows of one time "
                f"first, or name the column that tells the sequences apart with id=..."
            )
        pieces += _windows(order, window, stride)
    if not pieces:
        raise ValueError(
            f"Expected at least window={window} rows in one sequence; received "
            f"{len(frame)} rows in all. Use a shorter window or more rows."
        )
    last = np.array([rows[-1] for rows in pieces])
    known = np.ones(len(last), bool) if targets is None else ~pd.isna(targets[last])
    if not known.any():
        raise ValueError(
            f"Expected a target in column {target!r} for at least one sequence; received none "
            "that is not missing. The target of a sequence stands in its last row."
        )
    if window is None and not known.all():
        raise ValueError(
            f"Expected a target in the last row of each sequence; received none for "
            f"{int((~known).sum())} of {len(known)} in column {target!r}. Drop those sequences."
        )
    if window is None and targets is not None:
        _check_constant(targets, pieces, f"target {target!r}", "or ask for windows with window=...")
    for position, name in enumerate(static):
        _check_constant(
            extra[:, position], pieces, f"static column {name!r}", "or list it in features="
        )
    pieces = [rows for rows, keep in zip(pieces, known, strict=True) if keep]
    last = last[known]
    values, mask = pad([numbers[rows] for rows in pieces])
    times, _ = pad([clock[rows] for rows in pieces])
    return Padded(
        values=values,
        mask=mask,
        times=times,
        ids=None if id is None else keys[last],
        static=extra[last] if len(static) else None,
        target=None if targets is None else targets[last],
    )


def columns_as_ids(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the id column, refusing a missing column or missing ids."""
    if name not in frame.columns:
        raise ValueError(
            f"Expected an id column {name!r}; received columns {list(map(str, frame.columns))}."
            " Name the column that tells the sequences apart with id=..."
        )
    keys = frame[name]
    if keys.isna().any():
        raise ValueError(
            f"Expected an id in every row of {name!r}; received {int(keys.isna().sum())} missing."
            " Drop or fill those rows."
        )
    return keys.to_numpy()


def column_as_target(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the target column: numbers stay numbers; text and categories stay labels."""
    if name not in frame.columns:
        raise ValueError(
            f"Expected a target column {name!r}; received columns "
            f"{list(map(str, frame.columns))}. Name the right one with target=..."
        )
    return np.asarray(frame[name])


def _windows(rows: np.ndarray, window: int | None, stride: int) -> list[np.ndarray]:
    if window is None:
        return [rows]
    if window < 1 or stride < 1:
        raise ValueError(
            f"Expected window and stride of at least 1 row; received window={window}, "
            f"stride={stride}. A usual choice is window=60, stride=1."
        )
    # The last window ends at the last row, whatever the stride: the newest data is never lost.
    ends = np.arange(len(rows), window - 1, -stride)[::-1]
    return [rows[end - window : end] for end in ends]


def _check_constant(column: np.ndarray, pieces: list[np.ndarray], what: str, remedy: str) -> None:
    for rows in pieces:
        distinct = pd.unique(column[rows])
        if len(distinct) > 1:
            raise ValueError(
                f"Expected one value of {what} per sequence; received {distinct[0]!r} and "
                f"{distinct[1]!r} in one. Make it constant, {remedy}."
            )
