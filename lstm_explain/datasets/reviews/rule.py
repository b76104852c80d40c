"""The planted rule of the sample reviews: the true log-odds, the words behind it, their values.

Every number here is made up so that explanations can be scored. A review is positive with

    log-odds = SLOPE * sum of the scores of its polarity words

A polarity word, "good" or "boring", has a strength, 1 or 1.5, positive or negative. Its score is

    0                                   if "but" or "yet" stands among the five words after it
    strength * i                        if nothing negates it
    NEGATED * strength / i              if a negator stands among the three words before it

where i is the factor of an intensifier directly before it, otherwise 1. Thus "not very good" is
milder than "not good", and "not even slightly good" is worse. A negator acts on the first polarity
word after it only, and not across "but" or "yet". Punctuation and every other word, also "[UNK]",
only keep their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations
from math import comb

import numpy as np

from ...sequences.data import SequenceData, check_data
from ...sequences.words import UNKNOWN
from ..texts import word_lists


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


POSITIVE = _words("good moving funny clever charming gripping fresh tender witty lovely")
NEGATIVE = _words("bad boring slow dull silly clumsy shallow predictable stale noisy")
VERY_POSITIVE = _words("superb brilliant wonderful thrilling")
VERY_NEGATIVE = _words("awful dreadful tedious lifeless")
STRENGTHS = {
    **dict.fromkeys(POSITIVE, 1.0),
    **dict.fromkeys(VERY_POSITIVE, 1.5),
    **dict.fromkeys(NEGATIVE, -1.0),
    **dict.fromkeys(VERY_NEGATIVE, -1.5),
}
INTENSIFIERS = {"very": 1.6, "really": 1.6, "truly": 1.6, "slightly": 0.5, "somewhat": 0.5}
NEGATORS = frozenset({"not", "never", "hardly"})
CONTRASTS = frozenset({"but", "yet"})
# Every other word is a filler.
WORDS_WITH_A_ROLE = {*STRENGTHS, *INTENSIFIERS, *NEGATORS, *CONTRASTS}
NEGATED = -0.8  # "not awful" is less than praise
SLOPE = 2.8  # log-odds of one plain polarity word: 19 of 20 reviews say what it says
BEFORE, AFTER = 3, 5  # how far a negator reaches forward, a contrast back
_Window = tuple[str, ...]


def true_log_odds(data: SequenceData) -> np.ndarray:
    """Return the log-odds of being positive that the rule gives to each review, float64 (review,).

    Parameters
    ----------
    data : SequenceData
        Texts of lower-case words with any vocabulary, sampled or written by hand.

    Examples
    --------
    >>> words = ["[PAD]", "[UNK]", "not", "very", "good", "slow", "but"]
    >>> data = SequenceData.from_tokens([[4], [2, 4], [2, 3, 4], [5, 6, 4]], vocabulary=words)
    >>> true_log_odds(data).round(2).tolist()
    [2.8, -2.24, -1.4, 2.8]
    """
    return np.array([log_odds_of(words) for words in word_lists(data)])


def log_odds_of(words: list[str]) -> float:
    """Return the log-odds of one review, given by its words.

    Examples
    --------
    >>> round(log_odds_of(["slow", ",", "but", "very", "moving"]), 2)
    4.48
    """
    return SLOPE * sum(_score(window) for _, window in _windows(words))


def true_rationale(data: SequenceData) -> np.ndarray:
    """Tell which words decide, bool (review, word): those without which the log-odds differ.

    They are the polarity words that no contrast silences, the negators and intensifiers that act
    on them, and each "but" or "yet" that silences a polarity word. A "not" or "but" that acts on no
    polarity word is none.

    Examples
    --------
    >>> words = ["[PAD]", "[UNK]", "not", "very", "good", "slow", "but", "he", "came", "."]
    >>> review = [5, 6, 2, 4, 9, 7, 8, 3]
    >>> data = SequenceData.from_tokens([review], vocabulary=words)
    >>> data.words[0][true_rationale(data)[0]].tolist()
    ['but', 'not', 'good']
    """
    check_data(data=data)
    rationale = np.zeros(data.mask.shape, bool)
    for row, words in enumerate(word_lists(data)):
        for position, window in _windows(words):
            for player in _decisive(window):
                rationale[row, position + player - BEFORE] = True
    return rationale


def true_shapley(data: SequenceData) -> np.ndarray:
    """Return the Shapley values of the rule's log-odds over the words, float64 (review, word).

    An absent word is "[UNK]", which the rule does not count. The values of a review sum to its
    log-odds, because a review of unknown words has log-odds 0. They are exact: the log-odds are a
    sum over polarity words, hence so are the values, and around each of these only few words count.

    Examples
    --------
    >>> words = ["[PAD]", "[UNK]", "not", "slow", "but", "good"]
    >>> data = SequenceData.from_tokens([[2, 5], [3, 4, 5]], vocabulary=words)
    >>> true_shapley(data).round(2).tolist()
    [[-2.52, 0.28, 0.0], [-1.4, 1.4, 2.8]]
    """
    check_data(data=data)
    values = np.zeros(data.mask.shape)
    for row, words in enumerate(word_lists(data)):
        for position, window in _windows(words):
            for player, value in _shapley(window):
                values[row, position + player - BEFORE] += SLOPE * value
    return values


def _windows(words: list[str]) -> Iterator[tuple[int, _Window]]:
    """Yield each polarity word's position and what stands around it; fillers are alike."""
    known = [word if word in WORDS_WITH_A_ROLE else UNKNOWN for word in words]
    padded = [UNKNOWN] * BEFORE + known + [UNKNOWN] * AFTER
    for position, word in enumerate(known):
        if word in STRENGTHS:
            yield position, tuple(padded[position : position + BEFORE + 1 + AFTER])


# Few different windows occur, since fillers are alike.
@cache
def _score(window: _Window) -> float:
    """Return the score of the polarity word in the window, 0 where that word is absent."""
    before, word, after = window[:BEFORE], window[BEFORE], window[BEFORE + 1 :]
    if word not in STRENGTHS or CONTRASTS.intersection(after):
        return 0.0
    factor = INTENSIFIERS.get(before[-1], 1.0)
    for nearer in reversed(before):
        if nearer in STRENGTHS or nearer in CONTRASTS:
            break
        if nearer in NEGATORS:
            return NEGATED * STRENGTHS[word] / factor
    return STRENGTHS[word] * factor


def _keep(window: _Window, kept: tuple[int, ...]) -> _Window:
    return tuple(word if place in kept else UNKNOWN for place, word in enumerate(window))


def _players(window: _Window) -> tuple[int, ...]:
    return tuple(place for place, word in enumerate(window) if word != UNKNOWN)


@cache
def _decisive(window: _Window) -> tuple[int, ...]:
    """Return the places without which the score differs."""
    players = _players(window)
    return tuple(
        place
        for place in players
        if _score(_keep(window, tuple(p for p in players if p != place))) != _score(window)
    )


@cache
def _shapley(window: _Window) -> tuple[tuple[int, float], ...]:
    """Return the exact Shapley value of each word with a role, by place."""
    players = _players(window)
    values = []
    for player in players:
        others = [p for p in players if p != player]
        value = 0.0
        for size in range(len(others) + 1):
            weight = 1 / (len(players) * comb(len(others), size))
            for coalition in combinations(others, size):
                gain = _score(_keep(window, (*coalition, player)))
                value += weight * (gain - _score(_keep(window, coalition)))
        values.append((player, value))
    return tuple(values)
