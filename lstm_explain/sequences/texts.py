"""The factory of ``SequenceData`` for texts: cut into words, looked up, and padded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Literal, TypeVar

import numpy as np

from . import building, spelling, splitting, words
from .padding import as_array

Data = TypeVar("Data", bound=Any)


Truncate = Literal["end", "start"]


def from_texts(
    cls: Callable[..., Data],
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
) -> Data:
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
    data = building.from_tokens(
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
    data = replace(data, unknown_words=spelling.kept_unknown(kept, tokens, unknown))
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
