"""The factories of ``SequenceData``: from arrays, ragged lists or a long table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from . import padding, validation

Data = TypeVar("Data")


Missing = Literal["error", "keep"]


def from_arrays(
    cls: Callable[..., Data],
    values: np.ndarray | Sequence[np.ndarray],
    target: np.ndarray | Sequence[Any] | None = None,
    *,
    lengths: np.ndarray | Sequence[int] | None = None,
    mask: np.ndarray | None = None,
    static: np.ndarray | None = None,
    feature_names: Sequence[str] | None = None,
    static_names: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    target_name: str = "target",
    class_names: Sequence[str] | None = None,
    times: np.ndarray | None = None,
    time_name: str = "step",
    ids: np.ndarray | Sequence[Any] | None = None,
    missing: Missing = "error",
    name: str = "data",
) -> Data:
    """Make sequences from an array (sample, time, feature) or a list of (time, feature).

    Parameters
    ----------
    values : array (sample, time, feature), or list of arrays (time, feature)
        A list may hold different lengths; it is right-padded.
    target : array (sample,), optional
        Floating-point numbers are a regression target; integers, booleans and text are
        classes.
    lengths, mask : optional
        Which steps of a padded array are real: number of real steps, or a bool array.
    units : mapping of feature name to unit, optional
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
    padded = padding.Padded(
        values=array,
        mask=mask,
        times=None if times is None else padding.padded_times(times, mask),
        ids=None if ids is None else padding.as_array(ids, "ids"),
        static=None if static is None else padding.as_array(static, "static"),
        target=None if target is None else padding.as_array(target, "target"),
    )
    if feature_names is None:
        feature_names = [f"feature {i}" for i in range(array.shape[-1])]
    return assemble(
        cls,
        padded,
        feature_names=feature_names,
        static_names=static_names,
        units=units or {},
        target_name=target_name,
        class_names=class_names,
        time_name=time_name,
        missing=missing,
        name=name,
    )


def from_frame(
    cls: Callable[..., Data],
    frame: pd.DataFrame,
    *,
    time: str,
    features: Sequence[str],
    id: str | None = None,
    target: str | None = None,
    static: Sequence[str] = (),
    window: int | None = None,
    stride: int = 1,
    units: Mapping[str, str] | None = None,
    class_names: Sequence[str] | None = None,
    missing: Missing = "error",
    name: str = "data",
) -> Data:
    """Make sequences from a long table with one row per id and time.

    Without `window`, each id is one sample and its target must be constant. With `window`,
    each run of `window` consecutive rows of one id is a sample, and its target is the one in
    its last row: put there only what is to be predicted from that row's time on. Rows are put
    in order of time. Windows whose last row has no target are left out, and so are ids with
    fewer rows than a window.

    Parameters
    ----------
    time, id, target : str
        Column names. Times are numbers, or dates without a time zone; text is refused. A target
        of floats is a regression, of anything else classes. `id` tells the sequences apart;
        without it all rows are one sequence.
    features, static : sequence of str
        Columns that change over time; columns that are constant for a sequence.
    window, stride : int, optional
        Rows per sample and rows between the ends of two samples.
    units, missing : see `from_arrays`

    Examples
    --------
    >>> table = pd.DataFrame({"day": range(5), "price": [1.0, 2, 3, 4, 5],
    ...                       "next": [2.0, 3, 4, 5, None]})
    >>> from lstm_explain import SequenceData
    >>> SequenceData.from_frame(table, time="day", features=["price"], target="next", window=2)
    SequenceData 'data': 3 samples x 2 steps x 1 feature, target next, not split
    """
    padded = padding.from_long_table(
        frame,
        time=time,
        features=features,
        id=id,
        target=target,
        static=static,
        window=window,
        stride=stride,
    )
    return assemble(
        cls,
        padded,
        feature_names=features,
        static_names=static,
        units=units or {},
        target_name=target or "target",
        class_names=class_names,
        time_name=time,
        missing=missing,
        name=name,
    )


def from_tokens(
    cls: Callable[..., Data],
    tokens: np.ndarray | Sequence[Sequence[int]],
    target: np.ndarray | Sequence[Any] | None = None,
    *,
    lengths: np.ndarray | Sequence[int] | None = None,
    mask: np.ndarray | None = None,
    vocabulary: Sequence[str] = (),
    static: np.ndarray | None = None,
    static_names: Sequence[str] | None = None,
    target_name: str = "target",
    class_names: Sequence[str] | None = None,
    ids: np.ndarray | Sequence[Any] | None = None,
    name: str = "text",
) -> Data:
    """Make texts from token ids: an array (sample, time), or a list of different lengths.

    Parameters
    ----------
    tokens : int array (sample, time), or list of int sequences
    vocabulary : sequence of str, optional
        The word of each token id, for display and to find "[UNK]".
    target, lengths, mask, static : see `from_arrays`

    Raises
    ------
    ValueError
        Ids that are no whole numbers, are negative, or stand outside the vocabulary.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_tokens([[2, 1], [2]], vocabulary=["", "[UNK]", "good"])
    >>> data.words.tolist()
    [['good', '[UNK]'], ['good', '']]
    """
    array, mask = padding.from_sequences(tokens, lengths, mask, tokens=True)
    if isinstance(vocabulary, str):
        raise ValueError("Expected a vocabulary of words; received one text. Give a list.")
    return assemble(
        cls,
        padding.Padded(
            values=np.zeros((*mask.shape, 0), np.float32),
            mask=mask,
            ids=None if ids is None else padding.as_array(ids, "ids"),
            static=None if static is None else padding.as_array(static, "static"),
            target=None if target is None else padding.as_array(target, "target"),
        ),
        feature_names=[],
        static_names=static_names,
        units={},
        target_name=target_name,
        class_names=class_names,
        time_name="word",
        missing="error",
        name=name,
        tokens=validation.check_tokens(array, mask, len(vocabulary)),
        vocabulary=tuple(map(str, vocabulary)),
    )


def assemble(
    cls: Callable[..., Data],
    padded: padding.Padded,
    *,
    feature_names: Sequence[str],
    static_names: Sequence[str] | None,
    units: Mapping[str, str],
    target_name: str,
    class_names: Sequence[str] | None,
    time_name: str,
    missing: Missing,
    name: str,
    **more: Any,
) -> Data:
    """Check everything and build the frozen object."""
    if static_names is None:
        num_static = 0 if padded.static is None else sum(np.shape(padded.static)[1:2])
        static_names = [f"static {i}" for i in range(num_static)]
    feature_names, static_names = tuple(map(str, feature_names)), tuple(map(str, static_names))
    validation.check_names(feature_names, padded.values.shape[-1], "feature_names")
    validation.check_units(units, feature_names + static_names)
    padded = validation.clean(padded, feature_names, static_names, missing)
    target, names = validation.read_target(padded.target, class_names)
    return cls(
        values=padded.values,
        mask=padded.mask,
        feature_names=feature_names,
        units=tuple(units.get(n, "") for n in feature_names),
        center=np.zeros(len(feature_names)),
        scale=np.ones(len(feature_names)),
        static=padded.static,
        static_names=static_names,
        static_units=tuple(units.get(n, "") for n in static_names),
        static_center=None if padded.static is None else np.zeros(len(static_names)),
        static_scale=None if padded.static is None else np.ones(len(static_names)),
        target=target,
        target_name=target_name,
        target_unit="",
        class_names=names,
        times=padded.times,
        time_name=time_name,
        ids=padded.ids,
        name=name,
        **more,
    )
