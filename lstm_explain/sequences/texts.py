"""The factories of ``SequenceData`` for text: from token ids and from texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..arguments import check_flag, check_names, check_one_of, check_whole
from . import padding, validation, words
from .building import from_padded
from .padding import Padded, as_array
from .targets import Task

if TYPE_CHECKING:
    from .data import SequenceData

Truncate = Literal["end", "start"]
_VOCABULARY = "Give data.vocabulary, or load_vocabulary(path)."


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
    target_names: Sequence[str] | None = None,
    positive: Any = None,
    task: Task | None = None,
    split: np.ndarray | Sequence[Any] | None = None,
    ids: np.ndarray | Sequence[Any] | None = None,
    name: str = "text",
) -> SequenceData:
    """Make texts from token ids: an array (sample, time), or a list of different lengths.

    Parameters
    ----------
    tokens : int array (sample, time), or list of int sequences
    vocabulary : sequence of str, optional
        The word of each token id, for display and to find "[UNK]".
    target : array (sample,) or (sample, target), optional
        Floating-point numbers are a regression target; all others are classes. Several with
        `target_names`, as in `from_arrays`.
    lengths, mask : optional
        Which steps of a padded array are real: number of real steps, or a bool array.
    static, static_names : optional
        Facts that do not change over the text, (sample, static feature), and their names.
    target_name, class_names, target_names, ids, name : optional
        Names of the target, the classes, several targets and the data set; whose text each
        sample is.
    positive, task : optional
        Of two classes the one that is explained; "regression" or "classes".
    split : array (sample,), optional
        "train", "validation" or "test"; or True for training and False for test samples.

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
    return from_padded(
        cls,
        Padded(no_values, mask, None, ids, static, target),
        feature_names=[],
        static_names=static_names,
        target_name=target_name,
        class_names=class_names,
        target_names=target_names,
        positive=positive,
        task=task,
        split=split,
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
    target_names: Sequence[str] | None = None,
    positive: Any = None,
    task: Task | None = None,
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
    target : array (sample,) or (sample, target), optional
        Floating-point numbers are a regression target; all others are classes. Several with
        `target_names`, as in `from_arrays`.
    static, static_names : optional
        Facts that do not change over the text, (sample, static feature), and their names.
    target_name, class_names, target_names, ids, name : optional
        Names of the target, the classes, several targets and the data set; whose text each
        sample is.
    positive, task : optional
        Of two classes the one that is explained; "regression" or "classes".

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
        target_names=target_names,
        positive=positive,
        task=task,
        split=split,
        ids=ids,
        name=name,
    )
    return replace(data, unknown_words=words.kept_unknown(samples, tokens, unknown))


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
