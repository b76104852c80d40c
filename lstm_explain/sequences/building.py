"""The factories of ``SequenceData``: from arrays, lists, long tables, token ids, texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from . import padding, splitting, validation, words
from .padding import as_array

if TYPE_CHECKING:
    from .data import SequenceData

Missing = Literal["error", "keep"]
Truncate = Literal["end", "start"]


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
    target_name: str = "target",
    class_names: Sequence[str] | None = None,
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
    cls: type[SequenceData],
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
) -> SequenceData:
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
    cls: type[SequenceData],
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
) -> SequenceData:
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
    cls: type[SequenceData],
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
) -> SequenceData:
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


def from_texts(
    cls: type[SequenceData],
    texts: Iterable[str | Sequence[str]],
    target: np.ndarray | Sequence[Any] | None = None,
    *,
    vocabulary: Sequence[str] | None = None,
    split: np.ndarray | Sequence[Any] | None = None,
    max_words: int | None = None,
    truncate: Truncate = "end",
    vocabulary_size: int = 20_000,
    at_least: int = 2,
    lower: bool = True,
    static: np.ndarray | None = None,
    static_names: Sequence[str] | None = None,
    target_name: str = "target",
    class_names: Sequence[str] | None = None,
    ids: np.ndarray | Sequence[Any] | None = None,
    name: str = "text",
) -> SequenceData:
    """Make sequences of words from texts; see ``tokenise`` for what a word is.

    Without `vocabulary` one is made: from the training samples only when `split` is given, else
    from all texts. So give `split` whenever a score on other texts matters.

    Parameters
    ----------
    texts : iterable of str, or of lists of words
        Lists of words are taken as they are, for texts that another tool has cut.
    vocabulary : sequence of str, optional
        Of the model which is to read these texts: that of the data it was
        trained on, or ``load_vocabulary(path)``.
    split : array (sample,), optional
        "train", "validation" or "test"; or True for training and False for test samples.
    max_words : int, optional
        Longer texts are cut.
    truncate : {"end", "start"}
        Which end of a longer text is cut off.
    vocabulary_size, at_least : see ``make_vocabulary``
    lower : bool
        False keeps capital letters apart: "Good" is another word than "good".
    target, class_names, static, ids : see `from_arrays`

    Returns
    -------
    SequenceData
        A word that the vocabulary lacks has the id of "[UNK]" and is shown as "[UNK]" by `words`,
        and as it was written, in brackets, by `own_words`.

    Raises
    ------
    TypeError
        Bytes, missing values or other things that are no text.
    ValueError
        A text without a word: the message names the sample.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_texts(["A good, good film", "A bad film!"], [1, 0], at_least=2)
    >>> data.vocabulary
    ('[PAD]', '[UNK]', 'a', 'film', 'good')
    >>> data.words.tolist()
    [['a', 'good', '[UNK]', 'good', 'film'], ['a', '[UNK]', 'film', '[UNK]', '']]
    >>> data.own_words[1].tolist()
    ['a', '[bad]', 'film', '[!]', '']
    """
    samples = _words_of(texts, lower, ids)
    labels = np.full(len(samples), "train") if split is None else _labels(split, len(samples))
    if vocabulary is None:
        if "train" not in labels:
            raise ValueError(
                "Expected training texts to make a vocabulary from; received none, only "
                f"{sorted(set(labels.tolist()))}. Give the vocabulary of the model."
            )
        seen = [samples[position] for position in np.flatnonzero(labels == "train")]
        vocabulary = words.make_vocabulary(seen, vocabulary_size, at_least)
    known = words.check_vocabulary(
        vocabulary if isinstance(vocabulary, str) else list(vocabulary), "vocabulary"
    )
    number = {word: position for position, word in enumerate(known)}
    unknown = number[words.UNKNOWN]
    part = _part_to_keep(max_words, truncate)
    tokens: list[Any] = [
        np.array([number.get(word, unknown) for word in sample[part]], np.int32)
        for sample in samples
    ]
    data = from_tokens(
        cls,
        tokens,
        target,
        vocabulary=known,
        static=static,
        static_names=static_names,
        target_name=target_name,
        class_names=class_names,
        ids=ids,
        name=name,
    )
    kept = [sample[part] for sample in samples]
    data = replace(data, unknown_words=words.kept_unknown(kept, tokens, unknown))
    return data if split is None else replace(data, split=labels)


def _words_of(texts: Any, lower: bool, ids: Any) -> list[Sequence[str]]:
    # A table gives the names of its columns, a set no order that labels could keep to.
    wrong = isinstance(texts, str | bytes | Mapping | Set) or hasattr(texts, "columns")
    if wrong or not isinstance(texts, Iterable):
        raise TypeError(
            f"Expected several texts; received {type(texts).__name__}. Give a list of them: for "
            'one text [text], of a table one column, table["text"].'
        )
    samples: list[Sequence[str]] = []
    for position, text in enumerate(texts):
        where = f" in sample {position}"
        if isinstance(text, list | tuple):
            for word in text:
                words.check_text(word, where)
            samples.append(text)
        else:
            words.check_text(text, where)
            samples.append(words.tokenise(text, lower=lower))
    if not samples:
        raise ValueError("Expected at least one text; received none. Check the filter.")
    empty = [position for position, sample in enumerate(samples) if not any(sample)]
    if empty:
        named = "" if ids is None else f" (id {as_array(ids, 'ids')[empty[0]]})"
        raise ValueError(
            f"Expected at least one word in every text; received none in {len(empty)} of "
            f"{len(samples)} texts, the first sample {empty[0]}{named}. Drop texts that are empty "
            "or blank."
        )
    for position, sample in enumerate(samples):
        if "" in sample or words.PAD in sample:
            raise ValueError(
                f"Expected lists of words; received an empty one or {words.PAD!r} in sample "
                f"{position}. Leave them out: padding is added where it is needed."
            )
    return samples


def _labels(split: Any, count: int) -> np.ndarray:
    """Return the parts of a split as text, or raise unless there is training data."""
    labels = as_array(split, "split")
    if labels.dtype == object:  # a column of a table
        labels = np.array(labels.tolist())
    if labels.dtype.kind == "b":
        labels = np.where(labels, "train", "test")
    if labels.shape != (count,) or not set(labels.tolist()) <= set(splitting.SPLITS):
        raise ValueError(
            f"Expected one of {list(splitting.SPLITS)}, or True for training, for each of {count} "
            f"texts; received shape {labels.shape} with "
            f"{sorted(map(str, set(labels.ravel().tolist())))[:10]}. Give one label per text."
        )
    return labels


def _part_to_keep(max_words: int | None, truncate: str) -> slice:
    if truncate not in ("end", "start"):
        raise ValueError(
            f'Expected truncate to be "end" or "start"; received {truncate!r}. "end" keeps the '
            "beginning of a long text."
        )
    if max_words is None:
        return slice(None)
    if isinstance(max_words, bool) or not isinstance(max_words, int | np.integer) or max_words < 1:
        raise ValueError(
            f"Expected max_words to be a whole number of at least 1; received {max_words!r}. "
            "Leave it out to keep every word."
        )
    return slice(max_words) if truncate == "end" else slice(-max_words, None)
