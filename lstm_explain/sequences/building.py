"""The factories of ``SequenceData``: from arrays, lists, long tables, token ids, texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..arguments import check_flag, check_names, check_one_of, check_type, check_whole
from . import padding, validation, words
from .padding import Padded, as_array

if TYPE_CHECKING:
    from .data import SequenceData

Missing = Literal["error", "keep"]
Truncate = Literal["end", "start"]
_VOCABULARY = "Give data.vocabulary, or load_vocabulary(path)."


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
    static, static_names : optional
        Facts that do not change over the sequence, (sample, static feature), and their names.
    feature_names, units, target_name, class_names, time_name, name : optional
        Names of the features, with their units by name, the target, the classes, the steps and
        the data set.
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
    return _from_padded(
        cls,
        Padded(array, mask, padded_times, ids, static, target),
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
    horizon: int | None = None,
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
    frame : DataFrame
    time, id, target : str
        Column names. Times are numbers, or dates without a time zone; text is refused. A target
        of floats is a regression, of anything else classes. `id` tells the sequences apart;
        without it all rows are one sequence.
    features, static : sequence of str
        Columns that change over time; columns that are constant for a sequence.
    window, stride : int, optional
        Rows per sample and rows between the ends of two samples.
    horizon : int, optional
        How many rows after the last one of a window its target reaches, which `split_by_time` keeps
        apart. By default as many as there are without a target at the end of every sequence.
    units, class_names, name : optional
        Units by feature name, names of the classes in their order, and of the data set.
    missing : {"error", "keep"}
        NaN is an error, or is kept until `fill_missing`.

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
        horizon=horizon,
    )
    return _from_padded(
        cls,
        padded,
        feature_names=features,
        static_names=static,
        units=units or {},
        target_name="target" if target is None else str(target),
        class_names=class_names,
        time_name=str(time),
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
    target : array (sample,), optional
        Floating-point numbers are a regression target; all others are classes.
    lengths, mask : optional
        Which steps of a padded array are real: number of real steps, or a bool array.
    static, static_names : optional
        Facts that do not change over the text, (sample, static feature), and their names.
    target_name, class_names, ids, name : optional
        Names of the target, the classes and the data set; whose text each sample is.

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
    check_names(remedy=_VOCABULARY, vocabulary=vocabulary)
    no_values = np.zeros((*mask.shape, 0), np.float32)
    return _from_padded(
        cls,
        Padded(no_values, mask, None, ids, static, target),
        feature_names=[],
        static_names=static_names,
        target_name=target_name,
        class_names=class_names,
        time_name="word",
        name=name,
        tokens=validation.check_tokens(array, mask, len(vocabulary)),
        vocabulary=tuple(map(str, vocabulary)),
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
        Lists of words are taken as they are, for texts that another tool has split.
    vocabulary : sequence of str, optional
        That of the model which is to read these texts: of the data that it was trained on, or
        from ``load_vocabulary(path)``.
    split : array (sample,), optional
        "train", "validation" or "test"; or True for training and False for test samples.
    max_words : int, optional
        Longer texts are cut.
    truncate : {"end", "start"}
        Which end of a longer text is cut off.
    vocabulary_size, at_least : int
        Of a new vocabulary: its largest size, and how often a word must occur to be in it.
    lower : bool
        False keeps capital letters apart: "Good" is another word than "good".
    target : array (sample,), optional
        Floating-point numbers are a regression target; all others are classes.
    static, static_names : optional
        Facts that do not change over the text, (sample, static feature), and their names.
    target_name, class_names, ids, name : optional
        Names of the target, the classes and the data set; whose text each sample is.

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
    check_flag(lower=lower)
    samples = _words_of(texts, lower, ids)
    labels = (
        np.full(len(samples), "train")
        if split is None
        else validation.read_labels(split, len(samples))
    )
    if vocabulary is None:
        if "train" not in labels:
            raise ValueError(
                "Expected training texts to make a vocabulary from; received none, only "
                f"{sorted(set(labels.tolist()))}. Give the vocabulary of the model."
            )
        training = [samples[position] for position in np.flatnonzero(labels == "train")]
        vocabulary = words.make_vocabulary(training, vocabulary_size, at_least)
    check_names(remedy=_VOCABULARY, vocabulary=vocabulary)
    vocabulary = words.check_vocabulary(list(vocabulary), "vocabulary")
    id_of = {word: position for position, word in enumerate(vocabulary)}
    unknown, kept = id_of[words.UNKNOWN], _kept_words(max_words, truncate)
    samples = [sample[kept] for sample in samples]
    tokens: list[Any] = [
        np.array([id_of.get(word, unknown) for word in sample], np.int32) for sample in samples
    ]
    data = from_tokens(
        cls,
        tokens,
        target,
        vocabulary=vocabulary,
        static=static,
        static_names=static_names,
        target_name=target_name,
        class_names=class_names,
        ids=ids,
        name=name,
    )
    data = replace(data, unknown_words=words.kept_unknown(samples, tokens, unknown))
    return data if split is None else replace(data, split=labels)


def _from_padded(
    cls: type[SequenceData],
    padded: Padded,
    *,
    feature_names: Sequence[str],
    static_names: Sequence[str] | None,
    units: Mapping[str, str] | None = None,
    target_name: str,
    class_names: Sequence[str] | None,
    time_name: str,
    missing: Missing = "error",
    name: str,
    **text_fields: Any,
) -> SequenceData:
    """Validate padded arrays and their names, and return them as a `SequenceData`."""
    per_sample = {field: getattr(padded, field) for field in ("ids", "static", "target")}
    check_names(feature_names=feature_names)
    check_names(optional=True, static_names=static_names, class_names=class_names)
    check_type(Mapping, 'Give for example {"pulse": "1/min"}.', optional=True, units=units)
    check_type(str, "Give a text.", target_name=target_name, time_name=time_name, name=name)
    given: dict[str, Any] = {
        field: as_array(v, field) for field, v in per_sample.items() if v is not None
    }
    validation.check_characters(
        # As they were given: an array of text has lost the NULs at its ends.
        {"ids": padded.ids, "target": padded.target, "class_names": class_names}
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
    padded = validation.clean(padded, feature_names, static_names, missing)
    target, labels = validation.read_target(padded.target, class_names)
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
        static_center=np.zeros(len(static_names)) if has_static else None,
        static_scale=np.ones(len(static_names)) if has_static else None,
        target=target,
        target_name=target_name,
        class_names=labels,
        times=padded.times,
        time_name=time_name,
        ids=padded.ids,
        horizon=padded.horizon,
        name=name,
        **text_fields,
    )


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
        is_split = isinstance(text, list | tuple)
        for string in text if is_split else [text]:
            words.check_text(string, f" in sample {position}")
        if is_split:
            validation.check_characters({f"sample {position}": text})
        samples.append(text if is_split else words.tokenise(text, lower=lower))
    if not samples:
        raise ValueError("Expected at least one text; received none. Check the filter.")
    empty = [position for position, sample in enumerate(samples) if not any(sample)]
    if empty:
        named = "" if ids is None else f" (id {as_array(ids, 'ids')[empty[0]]})"
        raise ValueError(
            f"Expected at least one word in every text; received none in {len(empty)} of "
            f"{len(samples)} texts, the first sample {empty[0]}{named}. Drop texts that are "
            "empty or blank."
        )
    for position, sample in enumerate(samples):
        if "" in sample or words.PAD in sample:
            raise ValueError(
                f"Expected lists of words; received an empty one or {words.PAD!r} in sample "
                f"{position}. Leave them out: padding is added where it is needed."
            )
    return samples


def _kept_words(max_words: int | None, truncate: str) -> slice:
    keeps = '"end" keeps the beginning of a long text.'
    check_one_of(("end", "start"), remedy=keeps, truncate=truncate)
    remedy = "Leave it out to keep every word."
    check_whole(least=1, optional=True, remedy=remedy, max_words=max_words)
    if max_words is None:
        return slice(None)
    return slice(max_words) if truncate == "end" else slice(-max_words, None)
