"""Which samples train, validate and test: by time or by group, so that nothing leaks."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..arguments import check_number, check_whole
from .padding import last_true

if TYPE_CHECKING:
    from .data import SequenceData

SPLITS = ("train", "validation", "test")


def labels_by_time(
    data: SequenceData, validation: object, test: object, gap: int | None = None
) -> np.ndarray:
    """Label samples by the time of their last real step; "" marks those dropped for the gap.

    A sample is dropped if what stands `gap` steps ahead, in its own sequence or among the times of
    all sequences, may be in the next part.
    """
    check_whole(
        remedy="Use the number of steps that the target looks ahead.", gap=gap, optional=True
    )
    times, lengths = np.asarray(data.times), data.lengths
    ends = pd.Series(times[np.arange(len(times)), lengths - 1])
    first_validation, first_test = (_as_time(ends, t) for t in (validation, test))
    if not first_validation < first_test:
        raise ValueError(
            f"Expected validation to begin before test; received validation={validation!r}, "
            f"test={test!r}. Give the first time of each part."
        )
    labels = np.where(ends < first_validation, "train", "validation").astype("<U10")
    labels[ends >= first_test] = "test"
    owners = pd.Series(np.zeros(len(times)) if data.ids is None else data.ids)
    steps = pd.DataFrame({"owner": np.repeat(owners, lengths), "time": times[data.mask]})
    distinct = steps.drop_duplicates()
    none_given = gap is None
    gap = _gap_of(data, gap, overlapping=len(distinct) < len(steps))
    if gap:
        for boundary in (first_validation, first_test):
            labels[_reaches_past(boundary, gap, ends, owners, distinct)] = ""
    if gap and none_given:
        # Windows of another sequence, whose steps lie further apart, may begin before all of these.
        answers = _times_of_targets(ends, owners, distinct, data.horizon or 0)
        for boundary in (first_validation, first_test):
            later = times[(ends >= boundary) & (labels != ""), 0]
            if len(later):
                labels[(ends < boundary) & (answers >= later.min())] = ""
    remedy = f"Move the boundaries inside the data's {ends.min()} to {ends.max()}"
    _check_parts(labels, f"{remedy}, or shorten the gap of {gap} steps")
    return labels


def _gap_of(data: SequenceData, gap: int | None, overlapping: bool) -> int:
    """Return the gap as given, or the one with which no window and no target reach across."""
    horizon = data.horizon or 0
    if gap is None:
        in_windows = data.horizon is not None or overlapping
        return (int(data.lengths.max()) - 1 if in_windows else 0) + horizon
    if gap < horizon:
        raise ValueError(
            f"Expected a gap of at least the {horizon} steps that the target looks ahead; received "
            f"{gap}, with which targets of one part would lie in the next. Leave gap out, or give "
            "from_frame another horizon=... if the target looks less far."
        )
    return int(gap)


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


def _times_of_targets(
    ends: pd.Series, owners: pd.Series, steps: pd.DataFrame, horizon: int
) -> pd.Series:
    """Return the time `horizon` steps of its sequence after each sample's end, as far as known."""
    steps = steps.sort_values(["owner", "time"])
    ahead = steps.groupby("owner")["time"].shift(-horizon).fillna(steps["time"])
    ahead.index = pd.MultiIndex.from_frame(steps)
    return ahead.reindex(pd.MultiIndex.from_arrays([owners, ends])).reset_index(drop=True)


def check_not_one_series(data: SequenceData) -> None:
    """Raise for windows of one series: at random, they would stand in training and in test."""
    if data.ids is None and (data.horizon is not None or _steps_on(data.values)):
        raise ValueError(
            "Expected ids, or samples that have no steps in common; received windows of one "
            "series, of which training and test would share steps. Call split_by_time("
            "validation=..., test=...), for which arrays need times=...; for several series, give "
            "the ids."
        )


def _steps_on(values: np.ndarray) -> int:
    """Return so many steps later than which each sample is the one before it; 0 if it is not."""
    if values.shape[2] == 0 or len(values) < 2 or np.ptp(np.nan_to_num(values[:2])) == 0:
        return 0
    for later in range(1, values.shape[1]):
        before, after = values[:-1, later:], values[1:, :-later]
        # All at once would take long where the first pair tells.
        if np.array_equal(before[0], after[0], equal_nan=True) and np.array_equal(
            before, after, equal_nan=True
        ):
            return later
    return 0


def labels_by_group(
    groups: np.ndarray,
    validation: float,
    test: float,
    seed: int = 0,
    classes: np.ndarray | None = None,
) -> np.ndarray:
    """Label samples so that all samples of one group (patient, author) fall into one part.

    With the class of each sample, the parts get their shares of every class.
    """
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
    if classes is None:
        num_test = round(test * len(distinct))
        num_validation = round(validation * len(distinct))
        group_labels = np.full(len(distinct), "train", dtype="<U10")
        group_labels[shuffled[:num_test]] = "test"
        group_labels[shuffled[num_test : num_test + num_validation]] = "validation"
    else:
        counts = pd.crosstab(position, classes).to_numpy()
        shares = np.array([1 - validation - test, validation, test])
        group_labels = np.array(SPLITS)[_stratified(counts, shares, shuffled)]
    labels = group_labels[position]
    few = f"{len(distinct)} groups are too few for these shares; windows are split by time"
    _check_parts(labels, few)
    return labels


def _stratified(counts: np.ndarray, shares: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the part (group,) of each group, given its samples of each class (group, class).

    Groups are taken from large to small, each into the part that lacks most of its classes.
    """
    lacking = shares[:, None] * counts.sum(axis=0)
    part_of = np.empty(len(counts), int)
    for group in order[np.argsort(-counts[order].sum(axis=1), kind="stable")]:
        # The step that most lowers the squared lack, each class in units of its own size.
        part_of[group] = (lacking @ (counts[group] / counts.sum(axis=0))).argmax()
        lacking[part_of[group]] -= counts[group]
    return part_of


def need_classes(data: SequenceData) -> np.ndarray:
    """Return the class of each sample, by which a split is stratified."""
    if data.target is None or data.task not in ("binary", "multiclass"):
        what = "no target" if data.target is None else f"a {data.task} target"
        raise ValueError(
            f"Expected classes for stratify=True; received {what}. Leave it out; of several labels "
            "split by one, data.for_target(...), and give its .split as split= of the factory."
        )
    return data.target


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


# Stretches of a series that count as independent: enough to tell their spread, and each long enough
# that it has little in common with its neighbours.
_STRETCHES, _HORIZONS_EACH = 20, 5


def groups_alike(data: SequenceData) -> np.ndarray:
    """Number samples that tell less together than as many alone, for intervals of scores.

    Those of one id go together; of one series that was cut into windows those of one stretch, of at
    least 5 times as many steps as the target looks ahead. Other samples stand alone.
    """
    step = window_step(data)
    if step is not None:
        ends = window_ends(step, data.times, data.mask, np.arange(len(data)))
        return stretches_of(ends, _HORIZONS_EACH * max(1, data.horizon or 1))
    if data.ids is not None:
        return np.unique(data.ids, return_inverse=True)[1]
    return np.arange(len(data))


def window_step(data: SequenceData) -> int | None:
    """Return so many steps later than which each window of one series is the one before it.

    0 where they follow in another order, and None where samples are no windows of one series.
    """
    if data.ids is not None and (data.horizon is None or len(set(data.ids.tolist())) > 1):
        return None
    step = _steps_on(data.values)
    return None if data.horizon is None and not step else step


def window_ends(
    step: int, times: np.ndarray | None, mask: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    """Return at which step of their series windows end, by their times or else their numbers.

    Windows in an order that nothing tells all end at the same step.
    """
    if times is None:
        return numbers * step
    return np.searchsorted(np.unique(times[mask]), times[np.arange(len(times)), last_true(mask)])


def stretches_of(ends: np.ndarray, length: int) -> np.ndarray:
    """Number the stretches of a series, of at least so many steps each, in which windows end."""
    span = int(np.ptp(ends)) + 1
    return (ends - ends.min()) * int(np.clip(span // length, 1, _STRETCHES)) // span


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
