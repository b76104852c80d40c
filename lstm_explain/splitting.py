"""Which samples train, validate and test: by time or by group, so that nothing leaks."""

from __future__ import annotations

import numpy as np
import pandas as pd

SPLITS = ("train", "validation", "test")


def labels_by_time(
    end_times: np.ndarray, validation: object, test: object, gap: int = 0
) -> np.ndarray:
    """Label samples by the time of their last step; "" marks the dropped gap.

    ``gap`` distinct times before each boundary are dropped, so that a target that looks ``gap``
    steps ahead never reaches into the next part.
    """
    order = pd.Series(end_times)
    first_validation, first_test = (_as_time(order, t) for t in (validation, test))
    if not first_validation < first_test:
        raise ValueError(
            f"Expected validation to begin before test; received validation={validation!r}, "
            f"test={test!r}. Give the first time of each part."
        )
    distinct = np.sort(order.unique())
    labels = np.where(order < first_validation, "train", "validation").astype("<U10")
    labels[order >= first_test] = "test"
    for boundary in (first_validation, first_test):
        before = distinct[distinct < boundary]
        if gap and len(before):
            in_gap = (order >= before[max(len(before) - gap, 0)]) & (order < boundary)
            labels[in_gap.to_numpy()] = ""
    _check_parts(
        labels,
        "Move the boundaries inside the data's "
        f"{distinct[0]} to {distinct[-1]}, or shorten the gap",
    )
    return labels


def labels_by_group(
    groups: np.ndarray, validation: float, test: float, seed: int = 0
) -> np.ndarray:
    """Label samples so that all samples of one group (patient, author) fall into one part."""
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ValueError(
            f"Expected shares between 0 and 1 that leave some for training; received "
            f"validation={validation}, test={test}. A usual choice is 0.15 and 0.15."
        )
    distinct, position = np.unique(groups, return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(distinct))
    num_test = round(test * len(distinct))
    num_validation = round(validation * len(distinct))
    group_labels = np.full(len(distinct), "train", dtype="<U10")
    group_labels[shuffled[:num_test]] = "test"
    group_labels[shuffled[num_test : num_test + num_validation]] = "validation"
    labels = group_labels[position]
    _check_parts(labels, f"{len(distinct)} groups are too few for these shares")
    return labels


def _as_time(order: pd.Series, value: object) -> object:
    """Read a boundary in the units of the times: a date for dates, a number for numbers."""
    if not pd.api.types.is_datetime64_any_dtype(order.dtype):
        return value
    try:
        return pd.Timestamp(value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Expected a date such as '2008-01-01' as boundary; received {value!r}."
        ) from error


def _check_parts(labels: np.ndarray, remedy: str) -> None:
    sizes = {name: int((labels == name).sum()) for name in SPLITS}
    if min(sizes.values()) == 0:
        raise ValueError(
            f"Expected samples in train, validation and test; received {sizes}. {remedy}."
        )
