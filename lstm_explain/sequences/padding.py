"""Padding: ragged lists, arrays and long tables become right-padded arrays with a mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..arguments import check_names, check_whole, is_whole
from .columns import as_clock, column_as_target, columns_as_ids, columns_as_numbers, one_column


@dataclass(frozen=True)
class Padded:
    """Right-padded arrays, from which a ``SequenceData`` is made, not yet validated."""

    values: np.ndarray
    mask: np.ndarray
    times: np.ndarray | None = None
    ids: Any = None
    static: Any = None
    target: Any = None
    horizon: int | None = None


def pad(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Right-pad sequences of shape (time, ...) with zeros; return values and mask (sample, time).

    Examples
    --------
    >>> values, mask = pad([np.ones((2, 1)), np.ones((3, 1))])
    >>> mask.tolist()
    [[True, True, False], [True, True, True]]
    """
    arrays = [as_array(sequence, "sequences") for sequence in sequences]
    if not arrays:
        raise ValueError("Expected at least one sequence; received none. Check the filter.")
    ranks = {(a.ndim, a.shape[1:]) for a in arrays}
    if len(ranks) > 1 or arrays[0].ndim == 0:
        raise ValueError(
            "Expected every sequence to have the same features, shape (time, feature); received "
            f"shapes {sorted({a.shape for a in arrays})}. Give each sequence the same columns."
        )
    try:
        steps = np.concatenate([a for a in arrays if len(a)] or arrays)  # [] has no type
    except TypeError as error:
        raise ValueError(
            "Expected sequences of one type; received "
            f"{sorted({str(a.dtype) for a in arrays})}. Convert them to float."
        ) from error
    lengths = np.array([len(a) for a in arrays])
    mask = np.arange(lengths.max()) < lengths[:, None]
    return at_mask(steps, mask), mask


def at_mask(steps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Put steps (real step, ...) at the mask's places, and zeros or NaT at the others."""
    padded = np.zeros(mask.shape + steps.shape[1:], dtype=steps.dtype)
    if padded.dtype.kind == "M":
        padded[:] = np.datetime64("NaT")
    padded[mask] = steps
    return padded


def as_array(values: Any, what: str) -> np.ndarray:
    """Return an array, refusing nested lists of unequal lengths and cells that are masked."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"Expected {what} without masked cells; received a masked array, whose mask would be "
            f"lost. Fill it with {what}.filled(np.nan), or give whole steps as mask=."
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"Expected {what} whose rows are equally long; received a nested list whose rows are "
            "not. Give arrays."
        ) from error


def mask_from_lengths(lengths: Any, num_samples: int, num_steps: int) -> np.ndarray:
    """Return the mask (sample, time) of right-padded sequences from their lengths."""
    lengths = as_array(lengths, "lengths")
    is_whole = lengths.shape == (num_samples,) and lengths.dtype.kind in "iu"
    if not is_whole or ((lengths < 1) | (lengths > num_steps)).any():
        raise ValueError(
            f"Expected lengths of shape ({num_samples},), whole numbers from 1 to {num_steps} "
            f"steps; received shape {lengths.shape}, type {lengths.dtype}, "
            f"{lengths.ravel()[:10].tolist()}. Drop empty sequences."
        )
    return np.arange(num_steps) < lengths[:, None]


def from_sequences(
    values: Any,
    lengths: np.ndarray | Sequence[int] | None,
    mask: np.ndarray | None,
    tokens: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return an array and its mask (sample, time), from an array or a ragged list.

    The array is (sample, time, feature), or (sample, time) for tokens.
    """
    what, shape, each, rank = "values", "(sample, time, feature)", "(time, feature)", 3
    if tokens:
        what, shape, each, rank = "tokens", "(sample, time)", "(time,)", 2
    if hasattr(values, "__array__"):  # also tensors and tables
        values = as_array(values, what)
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        raise ValueError(
            f"Expected {what} of shape {shape}, or a list of arrays {each}; received "
            f"{type(values).__name__}. Give an array or a list of arrays."
        )
    if lengths is not None and mask is not None:
        raise ValueError("Expected lengths or mask; received both. Give one of them.")
    if isinstance(values, np.ndarray) and (values.dtype != object or values.ndim > 1):
        if values.ndim != rank:
            more = "; for one feature use values[..., None]; for a long table use from_frame"
            raise ValueError(
                f"Expected {what} of shape {shape}; received shape {values.shape}. For one "
                f"sequence use {what}[None]{'' if tokens else more}."
            )
        if lengths is not None:
            mask = mask_from_lengths(lengths, *values.shape[:2])
        mask = np.ones(values.shape[:2], bool) if mask is None else _as_flags(mask)
        array = values
    else:
        if mask is not None or lengths is not None:
            raise ValueError(
                "Expected mask or lengths only with a padded array; received them with a list of "
                "sequences. Leave them out."
            )
        array, mask = pad(list(values))
        if array.ndim != rank:
            remedy = "one array per text" if tokens else "sequence[:, None] for one feature"
            raise ValueError(
                f"Expected each sequence of shape {each}; received rank {array.ndim - 1}. Use "
                f"{remedy}."
            )
    if array.shape[-1] == 0 and not tokens:
        raise ValueError(
            f"Expected at least one feature; received values of shape {array.shape}. Check the "
            "columns."
        )
    return array, mask


def padded_times(times: Any, mask: np.ndarray) -> np.ndarray:
    """Return dates or numbers (sample, time) from an array or a ragged list, one per step."""
    if not (isinstance(times, np.ndarray) and times.dtype != object):
        if not isinstance(times, Iterable) or isinstance(times, str | bytes | Mapping):
            times = as_array(times, "times")
        else:
            times, _ = pad(list(times))
    if times.shape != mask.shape:
        raise ValueError(
            f"Expected times of shape {mask.shape} (sample, time); received {times.shape}. Give "
            "one time per step."
        )
    return at_mask(as_clock(pd.Series(times[mask]), "times"), mask)


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
    horizon: int | None = None,
) -> Padded:
    """Cut a long table (one row per id and time) into sequences or windows of consecutive rows."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(
            f"Expected a pandas DataFrame; received {type(frame).__name__}. Read a file with "
            "pandas.read_csv first."
        )
    usual = "A usual choice is window=60, stride=1."
    check_whole(least=1, optional=True, remedy=usual, window=window)
    check_whole(least=1, remedy=usual, stride=stride)
    check_names(features=features, static=static)
    if len(frame) == 0:
        raise ValueError("Expected a table with rows; received an empty one. Check the filter.")
    when = one_column(
        frame, time, "a time column", "Name it with time=...; an index needs frame.reset_index()."
    )
    clock = as_clock(when, f"column {time!r}")
    keys = np.zeros(len(frame)) if id is None else columns_as_ids(frame, id)
    numbers = columns_as_numbers(frame, features)
    if not len(features):
        raise ValueError("Expected at least one feature; received none. Name some in features=...")
    extra = columns_as_numbers(frame, static)
    targets = None if target is None else column_as_target(frame, target)
    if target is not None and target in [*features, *static]:
        raise ValueError(
            f"Expected a target that is not among what the model reads; received {target!r} as "
            "both, which would give the answer away. Leave it out of features and static."
        )
    if horizon is not None and (window is None or not is_whole(horizon) or horizon < 0):
        raise ValueError(
            f"Expected the horizon of windows in whole rows, 0 or more; received {horizon!r} with "
            f"window={window!r}. Give how many rows ahead the target looks, or leave it out."
        )
    pieces, without_target = [], []
    for key, rows in pd.Series(np.arange(len(frame))).groupby(keys, sort=False):
        order = rows.to_numpy()
        order = order[np.argsort(clock[order], kind="stable")]
        repeated = clock[order][1:] == clock[order][:-1]
        if repeated.any():
            when = clock[order][1:][repeated][0]
            raise ValueError(
                f"Expected each time once per sequence; received {when} twice"
                f"{'' if id is None else f' for {id}={key}'}. Aggregate the rows of one time "
                f"first, or name the column that tells the sequences apart with id=..."
            )
        pieces += _windows(order, window, stride)
        if targets is not None:
            with_target = np.flatnonzero(~pd.isna(targets[order]))
            without_target += [len(order) - 1 - int(last) for last in with_target[-1:]]
    if not pieces:
        raise ValueError(
            f"Expected at least window={window} rows in one sequence; received "
            f"{len(frame)} rows in all. Use a shorter window or more rows."
        )
    last = np.array([rows[-1] for rows in pieces])
    has_target = np.ones(len(last), bool) if targets is None else ~pd.isna(targets[last])
    if not has_target.any():
        raise ValueError(
            f"Expected a target in column {target!r} for at least one sequence; received none "
            "that is not missing. The target of a sequence stands in its last row."
        )
    if window is None and not has_target.all():
        raise ValueError(
            f"Expected a target in the last row of each sequence; received none for "
            f"{int((~has_target).sum())} of {len(last)} in column {target!r}. Drop those sequences."
        )
    if window is None and targets is not None:
        _check_constant(targets, pieces, f"target {target!r}", "or ask for windows with window=...")
    for facts, name in zip(extra.T, static, strict=True):
        _check_constant(facts, pieces, f"static column {name!r}", "or list it in features=")
    pieces = [rows for rows, keep in zip(pieces, has_target, strict=True) if keep]
    last = last[has_target]
    values, mask = pad([numbers[rows] for rows in pieces])
    return Padded(
        values=values,
        mask=mask,
        times=at_mask(np.concatenate([clock[rows] for rows in pieces]), mask),
        ids=None if id is None else keys[last],
        static=extra[last] if len(static) else None,
        target=None if targets is None else targets[last],
        horizon=min(without_target, default=0)
        if window is not None and horizon is None
        else horizon,
    )


def _as_flags(mask: Any) -> np.ndarray:
    flags = as_array(mask, "mask")
    if flags.dtype.kind not in "biuf" or not np.isin(flags, (0, 1)).all():
        raise ValueError(
            f"Expected a mask of True on real steps and False on padding; received type "
            f"{flags.dtype}. Compare first, for instance mask=(values != 0).any(axis=-1)."
        )
    return flags.astype(bool)


def _windows(rows: np.ndarray, window: int | None, stride: int) -> list[np.ndarray]:
    if window is None:
        return [rows]
    # The last window ends at the last row, whatever the stride: the newest data is never lost.
    ends = np.arange(len(rows), window - 1, -stride)[::-1]
    return [rows[end - window : end] for end in ends]


def _check_constant(column: np.ndarray, pieces: list[np.ndarray], what: str, remedy: str) -> None:
    for rows in pieces:
        distinct = pd.unique(column[rows]).tolist()
        if len(distinct) > 1:
            raise ValueError(
                f"Expected one value of {what} per sequence; received {distinct[0]!r} and "
                f"{distinct[1]!r} in one. Make it constant, {remedy}."
            )
