"""``SequenceData`` from arrays and lists, and the checks that every factory shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..arguments import check_names, check_type
from . import padding, validation
from .padding import Padded, as_array
from .targets import Task, read_target

if TYPE_CHECKING:
    from .data import SequenceData

Missing = Literal["error", "keep"]


def from_arrays(
    cls: type[SequenceData],
    values: np.ndarray | Sequence[np.ndarray],
    target: np.ndarray | Sequence[Any] | None = None,
    *,
    lengths: np.ndarray | Sequence[int] | None = None,
    mask: np.ndarray | None = None,
    static: np.ndarray | None = None,
    feature_names: Sequence[str] | None = None,
    static_names: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    labels: Mapping[str, Mapping[float, str]] | None = None,
    target_name: str = "target",
    class_names: Sequence[str] | None = None,
    target_names: Sequence[str] | None = None,
    positive: Any = None,
    task: Task | None = None,
    split: np.ndarray | Sequence[Any] | None = None,
    times: np.ndarray | None = None,
    time_name: str = "step",
    ids: np.ndarray | Sequence[Any] | None = None,
    missing: Missing = "error",
    name: str = "data",
) -> SequenceData:
    """Make sequences from an array (sample, time, feature) or a list of (time, feature).

    Parameters
    ----------
    values : array (sample, time, feature), or list of arrays (time, feature)
        A list may hold different lengths; it is right-padded.
    target : array (sample,) or (sample, target), optional
        Floating-point numbers are a regression target; integers, booleans and text are
        classes, in alphabetical order. Several with `target_names`: floats, or labels of 0 and 1
        of which any number may hold.
    lengths, mask : optional
        Which steps of a padded array are real: number of real steps, or a bool array.
    static, static_names : optional
        Facts that do not change over the sequence, (sample, static feature), and their names.
    feature_names, units, target_name, class_names, target_names, time_name, name : optional
        Names of the features, with their units by name, the target, the classes in their order,
        several targets, the steps and the data set.
    labels : mapping, optional
        What the codes of static facts stand for: ``{"sex": {0: "female", 1: "male"}}``.
    positive : optional
        Of two classes the one that is explained: it becomes the last.
    task : {"regression", "classes"}, optional
        What the target is, where its type says otherwise. Without it and without `class_names`,
        whole numbers of more than 10 values are refused: a length of stay is no class.
    split : array (sample,), optional
        "train", "validation" or "test"; or True for training and False for test samples.
    times : array (sample, time) or list of arrays (time,), optional
        A date or number for each step, in increasing order.
    ids : array (sample,), optional
        Whose sequence each sample is.
    missing : {"error", "keep"}
        NaN in `values` is an error, or is kept until `fill_missing`.

    Raises
    ------
    ValueError
        Wrong rank, lengths, names, padding, NaN or infinity: the message says the remedy.

    Examples
    --------
    >>> import numpy as np
    >>> from lstm_explain import SequenceData
    >>> SequenceData.from_arrays([np.ones((4, 2)), np.ones((6, 2))], [0, 1])
    SequenceData 'data': 2 samples x 4-6 steps x 2 features, 2 classes, not split
    """
    array, mask = padding.from_sequences(values, lengths, mask)
    padded_times = None if times is None else padding.padded_times(times, mask)
    if feature_names is None:
        feature_names = [f"feature {i}" for i in range(array.shape[-1])]
    return from_padded(
        cls,
        Padded(array, mask, padded_times, ids, static, target),
        feature_names=feature_names,
        static_names=static_names,
        units=units or {},
        labels=labels,
        target_name=target_name,
        class_names=class_names,
        target_names=target_names,
        positive=positive,
        task=task,
        split=split,
        time_name=time_name,
        missing=missing,
        name=name,
    )


def from_padded(
    cls: type[SequenceData],
    padded: Padded,
    *,
    feature_names: Sequence[str],
    static_names: Sequence[str] | None,
    units: Mapping[str, str] | None = None,
    labels: Mapping[str, Mapping[float, str]] | None = None,
    target_name: str,
    class_names: Sequence[str] | None,
    target_names: Sequence[str] | None = None,
    positive: Any = None,
    task: Task | None = None,
    split: np.ndarray | Sequence[Any] | None = None,
    time_name: str,
    missing: Missing = "error",
    name: str,
    **text_fields: Any,
) -> SequenceData:
    """Validate padded arrays and their names, and return them as a `SequenceData`."""
    per_sample = {field: getattr(padded, field) for field in ("ids", "static", "target")}
    check_names(feature_names=feature_names)
    check_names(optional=True, static_names=static_names)
    check_type(Mapping, 'Give for example {"pulse": "1/min"}.', optional=True, units=units)
    check_type(str, "Give a text.", target_name=target_name, time_name=time_name, name=name)
    given: dict[str, Any] = {
        field: as_array(v, field) for field, v in per_sample.items() if v is not None
    }
    validation.check_characters(
        # As they were given: an array of text has lost the NULs at its ends.
        {"ids": padded.ids, "target": padded.target, "class_names": class_names}
        | {"target_names": target_names}
        | {"feature_names": feature_names, "static_names": static_names}
        | {"units": list((units or {}).values()), "vocabulary": text_fields.get("vocabulary")}
        | {"target_name": target_name, "time_name": time_name, "name": name}
    )
    padded, units = replace(padded, **given), units or {}
    if static_names is None:
        num_static = 0 if padded.static is None else sum(padded.static.shape[1:2])
        static_names = [f"static {i}" for i in range(num_static)]
    feature_names, static_names = tuple(map(str, feature_names)), tuple(map(str, static_names))
    validation.check_names(feature_names, padded.values.shape[-1], "feature_names")
    validation.check_units(units, feature_names + static_names)
    labels = validation.read_codes(labels, static_names)
    padded = validation.clean(padded, feature_names, static_names, missing)
    target, class_names, target_names = read_target(
        padded.target,
        padded.mask,
        class_names=class_names,
        target_names=target_names,
        positive=positive,
        task=task,
    )
    has_static = padded.static is not None
    return cls(
        values=padded.values,
        mask=padded.mask,
        feature_names=feature_names,
        units=tuple(units.get(feature, "") for feature in feature_names),
        center=np.zeros(len(feature_names)),
        scale=np.ones(len(feature_names)),
        static=padded.static,
        static_names=static_names,
        static_units=tuple(units.get(fact, "") for fact in static_names),
        labels=labels,
        static_center=np.zeros(len(static_names)) if has_static else None,
        static_scale=np.ones(len(static_names)) if has_static else None,
        target=target,
        target_name=target_name,
        target_names=target_names,
        class_names=class_names,
        times=padded.times,
        time_name=time_name,
        ids=padded.ids,
        split=None if split is None else validation.read_labels(split, len(padded.mask)),
        horizon=padded.horizon,
        name=name,
        **text_fields,
    )
