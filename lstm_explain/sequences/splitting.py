"""Which samples train, validate and test: by time or by group, so that nothing leaks."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..arguments import check_number, check_whole
from .padding import as_array

if TYPE_CHECKING:
    from .data import SequenceData

SPLITS = ("train", "validation", "test")


def labels_by_time(
    times: np.ndarray,
    mask: np.ndarray,
    ids: np.ndarray | None,
    validation: object,
    test: object,
    gap: int = 0,
) -> np.ndarray:
    """Label samples by the time of their last real step; "" marks those dropped for the gap.

    A sample is dropped if its target, `gap` steps ahead in its own sequence or among the times of
    all sequences, may be in the next part.
    """
    check_whole(remedy="Use the number of steps that the target looks ahead.", gap=gap)
    lengths = mask.sum(axis=1)
    ends = pd.Series(times[np.arange(len(times)), lengths - 1])
    first_validation, first_test = (_as_time(ends, t) for t in (validation, test))
    if not first_validation < first_test:
        raise ValueError(
            f"Expected validation to begin before test; received validation={validation!r}, "
            f"test={test!r}. Give the first time of each part."
        )
    labels = np.where(ends < first_validation, "train", "validation").astype("<U10")
    labels[ends >= first_test] = "test"
    if gap:
        owners = pd.Series(np.zeros(len(times)) if ids is None else ids)
        steps = pd.DataFrame({"owner": np.repeat(owners, lengths), "time": times[mask]})
        for boundary in (first_validation, first_test):
            labels[_reaches_past(boundary, gap, ends, owners, steps.drop_duplicates())] = ""
    span = f"{ends.min()} to {ends.max()}"
    _check_parts(labels, f"Move the boundaries inside the data's {span}, or shorten the gap")
    return labels


def _reaches_past(
    boundary: Any, gap: int, ends: pd.Series, owners: pd.Series, steps: pd.DataFrame
) -> np.ndarray:
    """Tell which samples end before a boundary but less than `gap` steps before it."""
    before = steps[steps["time"] < boundary].sort_values("time")
    # Steps of one sequence may lie further apart than those of all sequences together. A sequence
    # that is cut into windows has later steps; one that is a single sample has none.
    in_windows = before["owner"].isin(owners[owners.duplicated()])
    first_within_gap = before[in_windows].groupby("owner").tail(gap).groupby("owner")["time"].min()
    near = ends >= owners.map(first_within_gap)  # False where there is none
    if len(before):
        near |= ends >= np.sort(before["time"].unique())[-gap:][0]
    return (near & (ends < boundary)).to_numpy()


def labels_by_group(
    groups: np.ndarray, validation: float, test: float, seed: int = 0
) -> np.ndarray:
    """Label samples so that all samples of one group (patient, author) fall into one part."""
    usual = "A usual choice is 0.15 and 0.15."
    check_number(above=0, below=1, remedy=usual, validation=validation, test=test)
    check_whole(seed=seed)
    if not validation + test < 1:
        raise ValueError(
            f"Expected shares between 0 and 1 that leave some for training; received "
            f"validation={validation}, test={test}. {usual}"
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


def _as_time(ends: pd.Series, value: Any) -> Any:
    """Read a boundary in the units of the times: a date for dates, a number for numbers."""
    is_number = isinstance(value, Number)
    if not pd.api.types.is_datetime64_any_dtype(ends.dtype):
        if is_number:
            return value
        raise ValueError(
            f"Expected a number as boundary, as the times are; received {value!r}. The data "
            f"ends between {ends.min()} and {ends.max()}."
        )
    try:
        date = pd.NaT if is_number else pd.Timestamp(value)  # the number 2008 would be in 1970
    except (ValueError, TypeError):
        date = pd.NaT
    if date is pd.NaT or date.tzinfo is not None:
        raise ValueError(
            f"Expected a date without a time zone, such as '2008-01-01', as boundary; received "
            f"{value!r}. Give the first date of each part."
        )
    return date


def _check_parts(labels: np.ndarray, remedy: str) -> None:
    sizes = {name: int((labels == name).sum()) for name in SPLITS}
    if min(sizes.values()) == 0:
        raise ValueError(
            f"Expected samples in train, validation and test; received {sizes}. {remedy}."
        )


def need_training_part(data: Any) -> Any:
    """Return the training part, from which alone means and deviations may be taken."""
    if data.split is not None and not (data.split == "train").any():
        raise ValueError(
            "Expected training samples to take means from; received none, only "
            f"{sorted(set(data.split.tolist()))}. Call it on the whole data, before slicing."
        )
    return data.train


def training_part(data: SequenceData) -> SequenceData:
    """Return the training part, or all data where there is no split."""
    return data if data.split is None else data.train


def read_labels(split: Any, count: int) -> np.ndarray:
    """Return the parts of a split as text, or raise unless there is training data."""
    labels = as_array(split, "split")
    if labels.dtype == object:  # a column of a table
        labels = np.array(labels.tolist())
    if labels.dtype.kind == "b":
        labels = np.where(labels, "train", "test")
    if labels.shape != (count,) or not set(labels.tolist()) <= set(SPLITS):
        raise ValueError(
            f"Expected one of {list(SPLITS)}, or True for training, for each of {count} "
            f"texts; received shape {labels.shape} with "
            f"{sorted(map(str, set(labels.ravel().tolist())))[:10]}. Give one label per text."
        )
    return labels
