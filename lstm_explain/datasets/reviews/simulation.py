"""Simulated short reviews whose sentiment has a known cause, word by word.

Every review is made up: it is to read like a clipped opinion of a film, and the words that decide
are to be known. The same polarity words stand in positive and in negative reviews, because many are
negated, and because in "slow but moving" only the second half counts. Who counts words without
their order can hardly tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ...sequences.data import SequenceData
from . import phrases
from .rule import INTENSIFIERS, UNKNOWN, log_odds_of, true_log_odds

SHORTEST, LONGEST = 8, 40  # words, punctuation among them
# Below this, rounding may leave no review for validation or test.
FEWEST_REVIEWS = 10


PADDING = "[PAD]"
# Shares of the opinions. They are what keeps word counts from telling the sentiment.
NEGATED, CONTRASTED = 0.3, 0.25


STRONG = 0.25  # of the polarity words without an intensifier


DISSENT = 0.15  # of the second and third opinions, which go against the first


EMPHASIS = tuple(word for word, factor in INTENSIFIERS.items() if factor > 1)


Choice = TypeVar("Choice")


def sample_reviews(seed: int = 0, num_reviews: int = 6000) -> SequenceData:
    """Make short reviews of films, and whether each is positive.

    Parameters
    ----------
    seed : int
        The same seed gives the same reviews.
    num_reviews : int
        At least 10.

    Returns
    -------
    SequenceData
        Lower-case words, punctuation among them; 8 to 40 per review; the vocabulary begins with
        "[PAD]" and "[UNK]"; classes negative and positive; split by review into 70 % training,
        15 % validation and 15 % test. ``reviews_rule.true_log_odds``, ``true_rationale`` and
        ``true_shapley`` tell the truth about it.

    Raises
    ------
    ValueError
        Too few reviews to split.

    Examples
    --------
    >>> sample_reviews(num_reviews=100)  # doctest: +ELLIPSIS
    SequenceData 'review sample': 100 samples x ...
    """
    if num_reviews < FEWEST_REVIEWS:
        raise ValueError(
            f"Expected at least {FEWEST_REVIEWS} reviews, to split them; received "
            f"num_reviews={num_reviews}. Make more and take those you need: sample_reviews()[:5]."
        )
    rng = np.random.default_rng(seed)
    writer = _Writer(rng)
    reviews = [writer.review() for _ in range(num_reviews)]
    data = _as_tokens(reviews)
    chance = 1 / (1 + np.exp(-true_log_odds(data)))
    positive = (rng.random(num_reviews) < chance).astype(np.int32)
    data = replace(
        data, target=positive, target_name="sentiment", class_names=("negative", "positive")
    )
    # Not `seed` itself, which would shuffle with the same random bits that wrote the reviews.
    return data.split_by_group(validation=0.15, test=0.15, seed=int(rng.integers(2**32)))


def _as_tokens(reviews: Sequence[Sequence[str]]) -> SequenceData:
    """Return reviews with the vocabulary of all patterns, so that ids do not depend on the seed."""
    vocabulary = (PADDING, UNKNOWN, *sorted(_all_words()))
    position = {word: number for number, word in enumerate(vocabulary)}
    return SequenceData.from_tokens(
        [[position[word] for word in review] for review in reviews],
        vocabulary=vocabulary,
        ids=np.arange(1, len(reviews) + 1),
        name="review sample",
    )


def _all_words() -> set[str]:
    patterns = (
        phrases.SUBJECTS, phrases.PLAIN, phrases.NEGATING, phrases.CONTRASTING, phrases.HALVES,
        phrases.NEGATED_HALVES, phrases.NEUTRAL,
    )  # fmt: skip
    parts = {part for group in patterns for pattern in group for part in pattern.split()}
    # Capital letters and braces are places to fill.
    words = {part for part in parts if part == part.lower() and "{" not in part}
    drawn = {word for words in phrases.LISTS.values() for word in words}
    return words | drawn | set(INTENSIFIERS) | {"an", "."}


@dataclass
class _Writer:
    """Draws sentences. `sign` is +1 for an opinion in favour, -1 for one against."""

    rng: np.random.Generator

    def review(self) -> list[str]:
        """Return the words of one review that reads as it was meant."""
        while True:
            verdict = self._one_of((1, -1))
            more = self.rng.random(self._one_of((0, 0, 1, 1, 2)))
            signs = [verdict, *np.where(more < DISSENT, -verdict, verdict).tolist()]
            sentences = [self._opinion(sign) for sign in signs]
            sentences += [self._filled(phrases.NEUTRAL) for _ in range(self._one_of((1, 1, 2)))]
            sentences = [sentences[i] for i in self.rng.permutation(len(sentences))]
            words = [word for sentence in sentences for word in (*sentence, ".")]
            if SHORTEST <= len(words) <= LONGEST and _stand_alone(sentences, words):
                return words

    def _opinion(self, sign: int) -> list[str]:
        if self.rng.random() < CONTRASTED:
            return self._contrast(sign)
        if self.rng.random() < NEGATED:
            return self._filled(phrases.NEGATING, -sign)
        return self._filled(phrases.PLAIN, sign)

    def _contrast(self, sign: int) -> list[str]:
        halves = {"X": self._half(-sign), "Y": self._half(sign)}
        first = second = self._filled(phrases.SUBJECTS)
        while second[1] == first[1]:  # not "the story is bad , but this story is good"
            second = self._filled(phrases.SUBJECTS)
        places = {**halves, "S": first, "T": second}
        parts = self._one_of(phrases.CONTRASTING).split()
        return [word for part in parts for word in places.get(part, [part])]

    def _half(self, sign: int) -> list[str]:
        if self.rng.random() < NEGATED:
            return self._filled(phrases.NEGATED_HALVES, -sign)
        return self._filled(phrases.HALVES, sign)

    def _filled(self, patterns: Sequence[str], sign: int = 0) -> list[str]:
        """Draw a pattern and fill its places; polarity words go in the direction of `sign`."""
        words: list[str] = []
        for part in self._one_of(patterns).split():
            words += self._word(part, sign, words[-1] if words else "")
        return _with_articles(words)

    def _word(self, part: str, sign: int, previous: str = "") -> list[str]:
        if part == "S":
            return self._filled(phrases.SUBJECTS)
        if part == "I":
            return [self._one_of(tuple(INTENSIFIERS))]
        if part == "E":
            return [self._one_of(EMPHASIS)]
        if part == "A":
            direction = "positive" if sign > 0 else "negative"
            # "very superb" and "slightly awful" are not said.
            if previous not in INTENSIFIERS and self.rng.random() < STRONG:
                direction = f"strongly {direction}"
            return [self._one_of(phrases.LISTS[direction])]
        if part.startswith("{"):
            return [self._one_of(phrases.LISTS[part.strip("{}")])]
        return [part]

    def _one_of(self, choices: Sequence[Choice]) -> Choice:
        return choices[int(self.rng.integers(len(choices)))]


def _with_articles(words: list[str]) -> list[str]:
    """Return the words with "an" where it belongs."""
    return [
        "an" if word == "a" and following.startswith(tuple("aeio")) else word
        for word, following in zip(words, [*words[1:], "."], strict=True)
    ]


def _stand_alone(sentences: list[list[str]], words: list[str]) -> bool:
    """Tell whether no word acts across the end of its sentence."""
    apart = sum(log_odds_of(sentence) for sentence in sentences)
    return abs(log_odds_of(words) - apart) < 1e-9
