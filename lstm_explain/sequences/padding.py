"""Padding: ragged lists and arrays become right-padded arrays with a mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import as_clock


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


def last_true(flags: np.ndarray) -> np.ndarray:
    """Return the position of the last True of each row, as of the last real step of each mask.

    Examples
    --------
    >>> last_true(np.array([[True, True, False], [False, True, True]])).tolist()
    [1, 2]
    """
    return flags.shape[1] - 1 - flags[:, ::-1].argmax(axis=1)


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
    return at_mask(as_clock(times[mask], "times"), mask)


def _as_flags(mask: Any) -> np.ndarray:
    flags = as_array(mask, "mask")
    if flags.dtype.kind not in "biuf" or not np.isin(flags, (0, 1)).all():
        raise ValueError(
            f"Expected a mask of True on real steps and False on padding; received type "
            f"{flags.dtype}. Compare first, for instance mask=(values != 0).any(axis=-1)."
        )
    return flags.astype(bool)
