"""Beginnings of sentences whose next word two earlier words decide, and only they.

"the tired cat that the dog chased left the ..." goes on with "basket": because of "cat", whose home
it is, and of "left". Another animal stands in most sentences and decides nothing. The order of the
words tells which of the two is the subject; the words alone do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from ..sequences.data import SequenceData, check_data
from .texts import read_texts, word_lists

NAME, FILE = "sentences", "sentences.csv.gz"
# Of each animal: what it eats, where it lives, what it carries about.
OBJECTS = {
    "cat": ("fish", "basket", "ball"),
    "dog": ("bone", "kennel", "stick"),
    "horse": ("hay", "stable", "saddle"),
    "bird": ("seeds", "nest", "twig"),
    "mouse": ("cheese", "hole", "crumb"),
    "cow": ("grass", "barn", "bell"),
    "rabbit": ("carrot", "burrow", "leaf"),
    "bear": ("honey", "cave", "log"),
}
# The last verb asks for one of the three.
VERBS = {
    **dict.fromkeys(("ate", "tasted", "chewed"), 0),
    **dict.fromkeys(("left", "entered", "liked"), 1),
    **dict.fromkeys(("dropped", "carried", "hid"), 2),
}
ADJECTIVES = ("old", "tired", "small", "brown", "gentle", "hungry")
OPENINGS = ("last night ,", "in the morning ,", "on monday ,", "that day ,", "suddenly")
CHASING = ("chased", "saw", "heard", "followed")
RESTING = ("slept", "waited", "watched")
# A is the subject, B the other animal; W and R are other verbs.
PATTERNS = (
    "A",
    "A that W B",
    "A that B W",
    "A behind B",
    "A without B",
    "behind B A",
    "without B A",
    "while B R A",
)


def _any_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


def _compiled(pattern: str) -> re.Pattern[str]:
    """Return what finds the sentences of a pattern, and in them the subject."""
    animal = f"the (?:{_any_of(ADJECTIVES)} )*{_any_of(OBJECTS)}"
    places = {
        "A": f"(?P<subject>{animal})",
        "B": animal,
        "W": _any_of(CHASING),
        "R": _any_of(RESTING),
    }
    middle = " ".join(places.get(part, part) for part in pattern.split())
    return re.compile(f"(?:{_any_of(OPENINGS)} )?{middle} {_any_of(VERBS)} the")


_SENTENCES = [_compiled(pattern) for pattern in PATTERNS]


def load_sentences() -> SequenceData:
    """Load 6,000 beginnings of sentences whose next word is known, for a model that predicts it.

    They were simulated by ``data/make_sentences.py``, which also makes others.

    Returns
    -------
    SequenceData
        Texts of 4 to 14 words; the classes are the 24 words that can follow. In one sentence of ten
        the next word is drawn at random, so that no model can be right in much more than nine.
        `deciding_words` tells which words decide. Split into 70 % training, 15 % validation, 15 %
        test.

    Examples
    --------
    >>> len(load_sentences().class_names)
    24
    """
    return read_texts(FILE, target_name="next word", name=NAME)


def deciding_words(data: SequenceData) -> np.ndarray:
    """Tell which words decide the next one: the subject and the last verb.

    Parameters
    ----------
    data : SequenceData
        From `load_sentences`: all of it or some sentences.

    Returns
    -------
    bool array (sample, time)
        False on padded steps.

    Raises
    ------
    ValueError
        Texts that are not such sentences.

    Examples
    --------
    >>> int(deciding_words(load_sentences()[:1]).sum())
    2
    """
    check_data(data=data)
    if data.name != NAME or data.tokens is None:
        raise ValueError(
            f"Expected sentences of load_sentences(), whose deciding words are known; received "
            f"{data.name!r}."
        )
    decide = np.zeros(data.mask.shape, bool)
    for row, words in enumerate(word_lists(data)):
        decide[row, list(subject_and_verb(words))] = True
    return decide


def subject_and_verb(words: list[str]) -> tuple[int, int]:
    """Return the positions of the subject and of the last verb.

    Examples
    --------
    >>> subject_and_verb("behind the old dog the cat left the".split())
    (5, 6)
    """
    text = " ".join(words)
    match = next(filter(None, (sentence.fullmatch(text) for sentence in _SENTENCES)), None)
    if match is None:
        raise ValueError(
            f"Expected a sentence of load_sentences(), such as 'the cat left the'; received "
            f"{text!r}. Give its data unchanged."
        )
    return text[: match.end("subject")].count(" "), len(words) - 2
