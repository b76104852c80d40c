"""What may enter a ``SequenceData``: every refusal says expected, received and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from .assembly import Padded


def clean(
    padded: Padded, feature_names: tuple[str, ...], static_names: tuple[str, ...], missing: str
) -> Padded:
    """Return the arrays as float32 with zeros on padded steps, or raise on what cannot be read."""
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
        raise ValueError(
            "Expected at least one sample; received none. Check the filter that chose them."
        )
    mask = mask.astype(bool)
    check_padding(mask)
    for label in ("target", "static", "times", "ids"):
        array = getattr(padded, label)
        if array is not None and len(array) != len(values):
            raise ValueError(
                f"Expected {label} for {len(values)} samples; received {len(array)}."
                " Give one entry per sample."
            )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity, refused below
        values = np.where(mask[..., None], values, 0).astype(np.float32)
    check_finite(values, mask, feature_names, nan_allowed=missing == "keep")
    if padded.static is None:
        return replace(padded, values=values, mask=mask)
    static = np.asarray(padded.static, np.float32)
    if static.ndim != 2:
        raise ValueError(
            f"Expected static of shape (sample, static feature); received {static.shape}."
            " For one static feature use static[:, None]."
        )
    check_names(static_names, static.shape[1], "static_names")
    check_finite(static, None, static_names, nan_allowed=missing == "keep")
    return replace(padded, values=values, mask=mask, static=static)


def check_units(units: Iterable[str], names: tuple[str, ...]) -> None:
    """Raise if a unit is given for a feature that does not exist."""
    unknown = sorted(set(units) - set(names))
    if unknown:
        raise ValueError(
            f"Expected units for {list(names)}; received some for {unknown}. Use the feature "
            "names as keys."
        )


def read_target(
    target: np.ndarray | None, class_names: Sequence[str] | None
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Tell a regression target (floats) from classes (anything else)."""
    if target is None:
        return None, tuple(class_names or ())
    target = np.asarray(target)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1:
        raise ValueError(
            f"Expected one target per sample, shape (sample,); received {target.shape}. Use class "
            "positions instead of one-hot rows: target.argmax(axis=1)."
        )
    if pd.isna(target).any():
        raise ValueError(
            f"Expected a target for every sample; received {int(pd.isna(target).sum())} missing."
            " Drop those samples."
        )
    if target.dtype.kind == "f" and class_names is None:
        if not np.isfinite(target).all():
            raise ValueError("Expected finite targets; received infinity. Drop those samples.")
        return target.astype(np.float32), ()
    labels, positions = np.unique(target, return_inverse=True)
    if class_names is None:
        return positions.astype(np.int32), tuple(map(str, labels))
    names = tuple(map(str, class_names))
    if labels.dtype.kind in "fiub":
        positions = target.astype(np.int32)
        fits = bool(((positions == target) & (positions >= 0) & (positions < len(names))).all())
    else:
        fits = set(map(str, labels)) <= set(names)
        positions = np.array([names.index(str(t)) if fits else 0 for t in target], np.int32)
    if not fits:
        raise ValueError(
            f"Expected targets among class_names={list(names)} or positions 0 to "
            f"{len(names) - 1}; received {list(labels[:10])}. Name every class, in order."
        )
    return positions, names


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
            f"sample {where[0]} ({int(bad.sum())} such cells). Remove infinity; for NaN make the "
            'data with missing="keep" and call data.fill_missing().'
        )
