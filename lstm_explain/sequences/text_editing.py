"""Change what was written: other sentences, and words that are switched off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .editing import chosen_steps
from .spelling import kept_unknown, written_words
from .texts import from_texts
from .words import SPECIAL_WORDS, UNKNOWN

Data = TypeVar("Data", bound=Any)
# What a new text shares with the data that it is read like.
_KEPT = (
    *("static", "static_names", "static_units", "static_center", "static_scale"),
    *("name", "target_name", "class_names"),
)


def rewrite(data: Data, texts: Iterable[str | Sequence[str]]) -> Data:
    """Return other texts, read as this data was: what the model would say of a new sentence.

    Parameters
    ----------
    texts : iterable of str, or of lists of words
        As many as the data has samples where it has static facts, which stay; else any number.
        Capital letters are kept where the vocabulary has any; then give them as the model knows
        them.

    Returns
    -------
    SequenceData
        With the same vocabulary and classes, and without a target: nobody has judged the texts.

    Raises
    ------
    ValueError
        The data is no text, or a text has no word.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_texts(["A good film", "A bad film"], ["up", "down"], at_least=1)
    >>> data.rewrite(["Not a good film!"]).own_words.tolist()
    [['[not]', 'a', 'good', 'film', '[!]']]
    """
    _need_text(data, "rewrite")
    capitals = any(word != word.lower() for word in data.vocabulary[len(SPECIAL_WORDS) :])
    new = from_texts(type(data), texts, vocabulary=data.vocabulary, lower=not capitals)
    if data.static is not None and len(new) != len(data):
        raise ValueError(
            f"Expected {len(data)} texts, one for each sample's static facts; received {len(new)}. "
            "Take one sample: data.test[3].rewrite([text])."
        )
    return replace(new, **{name: getattr(data, name) for name in _KEPT})


def switch_off(data: Data, steps: int | slice | Sequence[int]) -> Data:
    """Return texts in which the model reads "[UNK]" instead of the words at some steps.

    Parameters
    ----------
    steps : int, slice or sequence of int
        Positions of the words, from 0 on; negative ones from the end of each text.

    Returns
    -------
    SequenceData
        `own_words` shows the words that were switched off in brackets.

    Raises
    ------
    ValueError
        The data is no text, or has no word at such a step.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_texts(["A good film"], at_least=1)
    >>> data.switch_off([1]).own_words.tolist()
    [['a', '[good]', 'film']]
    """
    _need_text(data, "switch_off")
    unknown = data.vocabulary.index(UNKNOWN)
    chosen = chosen_steps(data, steps, data.mask, "the text")
    tokens = np.where(chosen, np.int32(unknown), data.tokens)
    written = _unknown_words(written_words(data), tokens, data.mask, data)
    return replace(data, tokens=tokens, unknown_words=written)


def side_by_side(recorded: Data, changed: Data) -> Data:
    """Return two texts as one data set, the shorter one padded, without what people said of one."""
    _need_text(recorded, "compare")
    if recorded.vocabulary != changed.vocabulary:
        raise ValueError(
            f"Expected two texts with one vocabulary; received others, of "
            f"{len(recorded.vocabulary)} and {len(changed.vocabulary)} words. Read the second one "
            "as the first: sentence.rewrite([text])."
        )
    longest = max(recorded.mask.shape[1], changed.mask.shape[1])
    pair = (recorded, changed)
    room = [((0, 0), (0, longest - one.mask.shape[1])) for one in pair]
    tokens, mask = (
        np.concatenate(
            [np.pad(getattr(one, part), more) for one, more in zip(pair, room, strict=True)]
        )
        for part in ("tokens", "mask")
    )
    return replace(
        recorded[np.array([0, 0])],
        values=np.zeros((2, longest, 0), np.float32),
        tokens=tokens,
        mask=mask,
        times=None,
        target=None,
        unknown_words=_unknown_words(
            [written_words(one)[0] for one in pair], tokens, mask, recorded
        ),
    )


def _unknown_words(written: Any, tokens: np.ndarray, mask: np.ndarray, data: Any) -> Any:
    """Return what `SequenceData.unknown_words` holds; padding is no word, whatever its id."""
    unknown = data.vocabulary.index(UNKNOWN)
    return kept_unknown(written, np.where(mask, tokens, unknown - 1), unknown)


def _need_text(data: Any, verb: str) -> None:
    if data.tokens is None or UNKNOWN not in data.vocabulary:
        received = "numeric sequences" if data.tokens is None else "token ids without a vocabulary"
        raise ValueError(
            f"Expected texts with a vocabulary in {verb}; received {received}. Make them with "
            "SequenceData.from_texts, or change numbers with data.change(...)."
        )
