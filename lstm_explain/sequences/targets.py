"""What is to be predicted: a number, classes, or several numbers or labels of each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..arguments import check_names, check_one_of
from . import validation

if TYPE_CHECKING:
    from .data import SequenceData

Task = Literal["regression", "classes"]

# Whole numbers of more values than this are as likely counts or durations as classes.
_MOST_UNNAMED_CLASSES = 10


def read_target(
    target: np.ndarray | None,
    mask: np.ndarray,
    *,
    class_names: Sequence[str] | None = None,
    target_names: Sequence[str] | None = None,
    positive: Any = None,
    task: Task | None = None,
) -> tuple[np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """Return the target, the names of its classes, and the names of several targets.

    Numbers are float32, classes their positions, labels 0 and 1. Labels are several targets that
    are also classes.
    """
    check_names(optional=True, class_names=class_names, target_names=target_names)
    check_one_of(
        ("regression", "classes"), optional=True, remedy="Leave it out to tell by type.", task=task
    )
    classes = tuple(map(str, class_names if class_names is not None else ()))
    names = tuple(map(str, target_names if target_names is not None else ()))
    validation.check_names(classes, len(classes), "class_names")
    if task == "regression" and (classes or positive is not None):
        raise ValueError(
            'Expected task="regression" without class_names and positive; received it with one of '
            "them. Leave task out for classes."
        )
    if target is None:
        classes = names if names and task == "classes" else classes
        return *_positive_last(None, classes, positive), names
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1 and not (target.ndim == 2 and names):
        raise _unnamed(target, mask)
    if names and (target.ndim == 1 or classes or positive is not None):
        raise ValueError(
            f"Expected target_names for several targets, shape (sample, target), without "
            f"class_names and positive; received shape {target.shape}. Name one target by "
            'target_name="..."; labels of 0 and 1 are named by target_names alone.'
        )
    validation.check_names(names, target.shape[1] if names else 0, "target_names")
    target = _as_plain_type(target)
    if names and task is None and target.dtype.kind == "f" and np.isin(target, (0, 1)).all():
        raise ValueError(
            "Expected floats for several numbers, or integers or bools for labels; received floats "
            'that are all 0 or 1. Say which: task="regression" or task="classes".'
        )
    as_classes = task == "classes" or bool(classes) or positive is not None
    if task == "regression" or (target.dtype.kind == "f" and not as_classes):
        numbers = _as_numbers(target)
        columns = names or ("target",)
        exact, rounded = (array.reshape(-1, len(columns)) for array in (target, numbers))
        validation.check_digits(exact, rounded, columns)
        return numbers, (), names
    if names:
        return _as_labels(target), names, names
    return *_positive_last(*_classes(target, classes, as_classes), positive), ()


def for_target(data: SequenceData, name: str) -> SequenceData:
    """Return the data with one of its several targets, for all that takes a single one.

    Parameters
    ----------
    name : str
        One of `target_names`. A label becomes two classes, "not ..." and the label itself.

    Returns
    -------
    SequenceData

    Raises
    ------
    ValueError
        The data has no such target.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_arrays(
    ...     np.zeros((2, 3, 1)), [[0, 1], [1, 1]], target_names=["pain", "fever"]
    ... )
    >>> data
    SequenceData 'data': 2 samples x 3 steps x 1 feature, 2 labels, not split
    >>> data.for_target("pain").class_names
    ('not pain', 'pain')
    """
    names = data.target_names
    if name not in names:
        raise ValueError(
            f"Expected one of several targets, {list(names)}; received {name!r}. "
            f"{'Give one of these.' if names else 'This data has one target: use it as it is.'}"
        )
    position = names.index(name)
    center, scale = (
        unit[position] if isinstance(unit, tuple) else unit
        for unit in (data.target_center, data.target_scale)
    )
    return replace(
        data,
        target=None if data.target is None else data.target[:, position],
        target_name=name,
        target_center=center,
        target_scale=scale,
        target_names=(),
        class_names=(f"not {name}", name) if data.class_names else (),
    )


def check_one_target(data: SequenceData) -> None:
    """Raise unless each sample has one target: of several, all would be read as if they were it."""
    if data.target_names:
        raise ValueError(
            f"Expected one target; received {len(data.target_names)}. Take one: "
            f"data.for_target({data.target_names[0]!r})."
        )


def _as_plain_type(target: np.ndarray) -> np.ndarray:
    """Return numbers that are kept as Python objects, as in tables, as numbers."""
    if pd.isna(target).any():
        raise ValueError(
            f"Expected a target for every sample; received {int(pd.isna(target).sum())} missing."
            " Drop those samples."
        )
    if target.dtype == object:
        if all(isinstance(number, Decimal) for number in target.flat):  # of a database
            target = target.astype(float)
        columns = pd.DataFrame(target).infer_objects().to_numpy()
        target = columns.reshape(target.shape)
    if target.dtype.kind in "mMc":
        raise ValueError(
            f"Expected numbers or labels as target; received type {target.dtype}. Convert dates "
            "and durations to numbers, for instance days: .dt.total_seconds() / 86400."
        )
    return target


def _unnamed(target: np.ndarray, mask: np.ndarray) -> ValueError:
    """Return the error for several numbers per sample, with what they may be by their shape."""
    several = "Name them if each column is a target of its own: target_names=[...]."
    if target.shape[1] == mask.shape[1]:
        last = ":, -1" if mask.all() else "np.arange(len(target)), lengths - 1"
        remedy = f"If there is one for each step, take that of the last: target[{last}]. {several}"
    elif target.ndim > 2:
        remedy = f"Put them side by side: target.reshape(len(target), -1). {several}"
    elif np.isin(target, (0, 1)).all() and (target.sum(axis=1) == 1).all():
        remedy = f"If each row marks one class, give its position: target.argmax(axis=1). {several}"
    else:
        remedy = several
    return ValueError(
        f"Expected one target per sample, shape (sample,), or several with names; received shape "
        f"{target.shape}. {remedy}"
    )


def _as_labels(target: np.ndarray) -> np.ndarray:
    if target.dtype.kind not in "fiub" or not np.isin(target, (0, 1)).all():
        raise ValueError(
            f"Expected labels of 0 and 1 in several targets that are no floats; received "
            f"{np.unique(target.astype(str))[:10].tolist()}. For numbers use "
            "target.astype(float); of several classes give one target at a time."
        )
    return target.astype(np.int32)


def _as_numbers(target: np.ndarray) -> np.ndarray:
    if target.dtype.kind not in "fiub":
        raise ValueError(
            f'Expected numbers for task="regression"; received type {target.dtype}. Convert them '
            "with .astype(float), or leave task out for classes."
        )
    numbers = validation.as_float32(target)
    if not np.isfinite(numbers).all():
        raise ValueError("Expected finite targets; received infinity. Drop those samples.")
    return numbers


def _classes(
    target: np.ndarray, names: tuple[str, ...], as_classes: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return positions of classes and their names; `as_classes` where somebody said so."""
    try:
        labels, positions = np.unique(target, return_inverse=True)
    except TypeError as error:
        raise ValueError(
            "Expected target labels of one type; received "
            f"{sorted({type(t).__name__ for t in target})}. Convert them, for instance with "
            ".astype(str)."
        ) from error
    is_whole = labels.dtype.kind in "iu" or (
        labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels % 1 == 0).all()
    )
    if not names:
        if labels.dtype.kind == "f" and not is_whole:
            raise ValueError(
                f"Expected labels or whole numbers as classes; received {labels[:10].tolist()}. "
                "Leave task and positive out for a regression."
            )
        if is_whole and not as_classes and len(labels) > _MOST_UNNAMED_CLASSES:
            raise ValueError(
                f"Expected class_names for classes in whole numbers of {len(labels)} values, "
                f"{labels[0]} to {labels[-1]}, or floats for a regression; received neither. "
                'Give task="regression" (or target.astype(float)), or task="classes".'
            )
        names = tuple(str(int(label)) if is_whole else str(label) for label in labels)
        return positions.astype(np.int32), names
    as_text = [str(int(label)) if is_whole else str(label) for label in target]
    if set(as_text) <= set(names):  # also of numbers that are the names, such as grades
        return np.array([names.index(text) for text in as_text], np.int32), names
    fits = False
    if labels.dtype.kind in "fiub":
        with np.errstate(invalid="ignore"):  # infinity fits no position
            positions = target.astype(np.int32)
        fits = bool(((positions == target) & (positions >= 0) & (positions < len(names))).all())
    if not fits:
        raise ValueError(
            f"Expected targets among class_names={list(names)} or positions 0 to "
            f"{len(names) - 1}; received {labels[:10].tolist()}. Name every class, in order."
        )
    return positions, names


def _positive_last(
    target: np.ndarray | None, names: tuple[str, ...], positive: Any
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Put the class that is to be explained behind the other one."""
    if positive is None:
        return target, names
    if len(names) != 2 or str(positive) not in names:
        raise ValueError(
            f"Expected positive to be one of two classes; received {positive!r}, and the classes "
            f"{list(names)}. Give one of two; of more, name the one to explain by output=..."
        )
    if str(positive) == names[1]:
        return target, names
    return None if target is None else 1 - target, names[::-1]
