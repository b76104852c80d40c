"""Validation of what goes into a ``SequenceData``."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ..arguments import check_number, check_one_of, check_type, is_whole
from ..wording import percent, told_apart
from .padding import Padded, as_array
from .splitting import SPLITS

# A NUL ends a text for NumPy and in files; half of a surrogate pair has no bytes in UTF-8.
_LOST = re.compile("[\0\ud800-\udfff]")

# A date with a clock, or without, as NumPy and pandas write it.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)((?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?)")


def clean(
    padded: Padded, feature_names: tuple[str, ...], static_names: tuple[str, ...], missing: str
) -> Padded:
    """Validate the arrays and return them as float32, with zeros on padded steps."""
    check_one_of(("error", "keep"), remedy='Use "keep" and data.fill_missing().', missing=missing)
    values, mask = np.asarray(padded.values), np.asarray(padded.mask)
    if values.dtype.kind not in "fiub":
        raise ValueError(
            f"Expected numbers in values; received type {values.dtype}. Convert them to float."
        )
    if mask.shape != values.shape[:2]:
        raise ValueError(
            f"Expected a mask of shape {values.shape[:2]} (sample, time); received {mask.shape}."
            " Give one flag per step."
        )
    if len(values) == 0:
        raise ValueError("Expected at least one sample; received none. Check the filter.")
    mask = mask.astype(bool)
    check_padding(mask)
    for label in ("target", "static", "times", "ids"):
        array = getattr(padded, label)
        if array is not None and np.shape(array)[:1] != (len(values),):
            raise ValueError(
                f"Expected {label} for {len(values)} samples; received shape {np.shape(array)}."
                " Give one entry per sample."
            )
    check_ids(padded.ids)
    check_order(padded.times, mask)
    exact = np.where(mask[..., None], values, 0)
    values = as_float32(exact)
    check_finite(values, mask, feature_names, nan_allowed=missing == "keep")
    check_digits(exact, values, feature_names, mask)
    static = padded.static
    if static is None:
        return replace(padded, values=values, mask=mask)
    if static.ndim != 2 or static.dtype.kind not in "fiub":
        raise ValueError(
            f"Expected static numbers of shape (sample, static feature); received {static.shape}, "
            f"type {static.dtype}. For one static feature use static[:, None]; encode categories."
        )
    facts = as_float32(static)
    check_names(static_names, static.shape[1], "static_names")
    check_finite(facts, None, static_names, nan_allowed=missing == "keep")
    check_digits(static, facts, static_names)
    return replace(padded, values=values, mask=mask, static=facts)


def as_float32(numbers: np.ndarray) -> np.ndarray:
    """Return numbers as float32; what that cannot hold becomes infinity, refused later."""
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32)


# How much of a feature's changes may be lost: far above what float32 does to ordinary numbers.
_LOST_SHARE = 0.01


def check_digits(
    exact: np.ndarray, rounded: np.ndarray, names: Iterable[str], mask: np.ndarray | None = None
) -> None:
    """Warn where float32 loses what differs: from step to step, or else between samples."""
    if exact.dtype == np.float32:
        return
    for column, name in enumerate(names):
        given = exact[..., column].astype(np.float64)
        if np.isnan(given).all():
            continue
        change, lost = given - np.nanmedian(given), rounded[..., column] - given
        if mask is not None and mask[:, 1:].any():
            change, lost = (np.diff(one)[mask[:, 1:]] for one in (change, lost))
        known = ~np.isnan(change)
        size, error = (np.abs(one[known]).sum() for one in (change, lost))
        largest = np.nanmax(np.abs(given), initial=0.0)
        # A constant that was computed differs by the rounding of float64.
        if error > _LOST_SHARE * size > 1e-14 * largest * known.sum():
            low, high = told_apart([np.nanmin(given), np.nanmax(given)])
            warnings.warn(
                f"Expected numbers that float32 tells apart; received {name!r} from {low} to "
                f"{high}, whose changes it gets wrong by {percent(error / size)} on average. Take "
                "out what is large and alike: subtract the first value, such as hours since the "
                "first row.",
                stacklevel=5,
            )


def read_rows(key: Any, length: int, ids: np.ndarray | None = None) -> slice | np.ndarray:
    """Return an index of samples as a slice, or as positions or flags (sample,).

    Text or a date is an id, or a list of ids: all samples of each, in the order of the list.
    """
    if isinstance(key, slice):
        if key.step == 0 or not all(
            end is None or is_whole(end) for end in (key.start, key.stop, key.step)
        ):
            raise IndexError(
                f"Expected a slice of positions, such as [10:20]; received {key!r}. Of ids give a "
                "list, or flags: data[np.isin(data.ids, wanted)]."
            )
        return key
    rows = np.asarray(key)
    of_ids = rows.size and rows.dtype == object
    if rows.dtype.kind == "M" or (of_ids and all(isinstance(i, str | date) for i in rows.flat)):
        rows = rows.astype(str)  # as pandas holds ids
    if rows.dtype.kind == "U":
        return _rows_of_ids(rows.ravel(), ids)
    if rows.shape == (0,):
        return np.zeros(0, int)
    if rows.dtype == object:  # flags of pandas' nullable type
        rows = np.asarray(pd.Series(rows.ravel()).infer_objects()).reshape(rows.shape)
    is_flags = rows.dtype.kind == "b" and rows.shape == (length,)
    if isinstance(key, tuple) or not (is_flags or (rows.dtype.kind in "iu" and rows.ndim < 2)):
        raise IndexError(
            f"Expected a position, a slice, a list of positions or {length} flags; received "
            f"{key!r}."
        )
    if not is_flags and ((rows < -length) | (rows >= length)).any():
        raise IndexError(f"Expected a sample below {length}; received {key!r}.")
    return np.atleast_1d(rows)


def _rows_of_ids(wanted: np.ndarray, ids: np.ndarray | None) -> np.ndarray:
    if ids is None:
        raise IndexError(
            "Expected a position, because these samples have no ids; received "
            f"{wanted.tolist()}. Give them ids: SequenceData.from_arrays(values, ids=...)."
        )
    names = np.asarray(ids).astype(str)
    if not np.isin(wanted, names).all():  # a date can be written in several ways
        given, wanted, first = wanted, _as_one_text(wanted), names[:3].tolist()
        names = _as_one_text(names)
        unknown = given[~np.isin(wanted, names)]
        if len(unknown):
            raise IndexError(
                f"Expected a sample's id, such as one of {first}; received {unknown.tolist()}. All "
                "stand in .ids."
            )
    return np.concatenate([np.flatnonzero(names == one) for one in wanted])


def _as_one_text(names: np.ndarray) -> np.ndarray:
    """Write dates alike: without the zeros at the end of the clock, which NumPy writes."""
    moments = ((name, _MOMENT.fullmatch(name)) for name in names.tolist())
    return np.array([m[1] + m[2][1:].rstrip("0:.") if m else n for n, m in moments])


def check_ids(ids: np.ndarray | None) -> None:
    """Raise unless each sample has one id, and all ids are of one type.

    1001 and "1001" may be one patient, who must not be in two parts of a split.
    """
    if ids is None:
        return
    if ids.ndim != 1 or pd.isna(ids).any():
        raise ValueError(
            f"Expected one id per sample; received shape {ids.shape} with "
            f"{int(pd.isna(ids).sum())} missing. Drop or fill those samples."
        )
    kind = pd.api.types.infer_dtype(ids, skipna=False)
    if kind.startswith("mixed") and kind != "mixed-integer-float":
        raise ValueError(
            f"Expected ids of one type; received {sorted({type(i).__name__ for i in ids})}. "
            "Convert them, for instance with .astype(str)."
        )


def read_labels(split: Any, count: int) -> np.ndarray:
    """Return the parts of a split as text, or raise unless there is training data."""
    labels = as_array(split, "split")
    if labels.dtype == object:  # a column of a table
        labels = np.array(labels.tolist())
    if labels.dtype.kind == "b":
        labels = np.where(labels, "train", "test")
    check_split(labels, count)
    return labels


def check_split(split: np.ndarray | None, count: int) -> None:
    """Raise unless each sample is in one of the three parts: others would silently be in none."""
    labels = np.zeros(0) if split is None else np.asarray(split)
    if split is not None and (labels.shape != (count,) or not np.isin(labels, SPLITS).all()):
        raise ValueError(
            f"Expected one of {list(SPLITS)} for each of {count} samples; received shape "
            f"{labels.shape} with {sorted(set(map(str, labels.ravel())))[:10]}. Give one label per "
            "sample."
        )


def check_order(times: np.ndarray | None, mask: np.ndarray) -> None:
    """Raise if time runs backwards within a sample."""
    if times is None:
        return
    backwards = ((times[:, 1:] < times[:, :-1]) & mask[:, 1:]).any(axis=1)
    if backwards.any():
        raise ValueError(
            f"Expected times in increasing order within each sample; received a step back in "
            f"{int(backwards.sum())} samples, the first at position {int(backwards.argmax())}. "
            "Sort the steps by time."
        )


def check_tokens(tokens: np.ndarray, mask: np.ndarray, num_words: int) -> np.ndarray:
    """Validate token ids and return them as int32, with 0 on padded steps."""
    if tokens.dtype.kind not in "iu":
        raise ValueError(
            f"Expected token ids as whole numbers; received type {tokens.dtype}. Turn words into "
            "ids with the vocabulary that the model was trained on."
        )
    real = tokens[mask]
    limit = num_words or np.iinfo(np.int32).max
    if real.size and (real.min() < 0 or real.max() >= limit):
        upper = num_words - 1 if num_words else "the size of the vocabulary"
        raise ValueError(
            f"Expected token ids from 0 to {upper}; received {real.min()} to {real.max()}. Use "
            "the vocabulary that made the ids."
        )
    return np.where(mask, tokens, 0).astype(np.int32)


def check_units(units: Iterable[str], names: tuple[str, ...]) -> None:
    """Raise if a unit is given for a feature that does not exist."""
    unknown = sorted(set(units) - set(names))
    if unknown:
        raise ValueError(
            f"Expected units for {list(names)}; received some for {unknown}. Use the feature "
            "names as keys."
        )


def read_codes(labels: Any, names: tuple[str, ...]) -> dict[str, dict[float, str]]:
    """Return what the codes of static facts stand for, with floats as codes."""
    if labels is None:
        return {}
    usual = 'Give {"sex": {0: "female", 1: "male"}}.'
    check_type(Mapping, usual, labels=labels)
    if unknown := sorted(set(map(str, labels)) - set(names)):
        raise ValueError(
            f"Expected labels for codes of the static facts {list(names)}; received some for "
            f"{unknown}. Features are drawn as numbers."
        )
    for name, texts in labels.items():
        check_type(Mapping, usual, **{f"labels[{name!r}]": texts})
        for code in texts:
            check_number(remedy=usual, **{f"a code of {name!r}": code})
    return {
        str(name): {float(code): str(text) for code, text in texts.items()}
        for name, texts in labels.items()
    }


def check_padding(mask: np.ndarray) -> None:
    """Raise unless every sample has a real step and its padding stands at the end."""
    empty = ~mask.any(axis=1)
    if empty.any():
        raise ValueError(
            f"Expected at least one real step per sample; received all steps masked in "
            f"{int(empty.sum())} samples, the first at position {int(empty.argmax())}. Drop them."
        )
    not_right_padded = (~mask[:, :-1] & mask[:, 1:]).any(axis=1)
    if not_right_padded.any():
        raise ValueError(
            "Expected padding at the end of each sequence (right padding); received a masked step "
            f"before a real one in {int(not_right_padded.sum())} samples, the first at position "
            f"{int(not_right_padded.argmax())}. Pass a list of unpadded sequences, or "
            'pad_sequences(..., padding="post").'
        )


def check_names(names: tuple[str, ...], expected: int, what: str) -> None:
    """Raise unless there is one different name per column."""
    if len(names) != expected or len(set(names)) != len(names):
        raise ValueError(
            f"Expected {expected} different {what}; received {len(names)}: {list(names)}."
            " Name each column once."
        )


def check_characters(texts: Mapping[str, Any]) -> None:
    """Raise if a text, or one of several under one name, has a character that a file would lose."""
    for what, given in texts.items():
        array = np.asarray(given, object).ravel()
        every = [text for text in array.tolist() if isinstance(text, str)]
        if _LOST.search("".join(every)):
            text = next(filter(_LOST.search, every))
            raise ValueError(
                f"Expected text without NUL and without lone surrogates in {what}, since no file "
                f"keeps them; received {text!r:.60}. Remove them: "
                'text.encode("utf-8", "ignore").decode().replace("\\0", "").'
            )


def check_finite(
    values: np.ndarray, mask: np.ndarray | None, names: tuple[str, ...], nan_allowed: bool = False
) -> None:
    """Raise if a real step holds infinity, or NaN where it is not allowed."""
    bad = np.isinf(values) if nan_allowed else ~np.isfinite(values)
    if mask is not None:
        bad &= mask[..., None]
    if bad.any():
        where = np.argwhere(bad)[0]
        raise ValueError(
            f"Expected finite values; received {values[tuple(where)]} in {names[where[-1]]!r} of "
            f"sample {where[0]} ({int(bad.sum())} such cells). For missing values make the data "
            'with missing="keep", split it and call data.fill_missing(); remove infinity.'
        )
