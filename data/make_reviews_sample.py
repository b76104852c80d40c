"""Simulate the reviews of load_reviews() and write reviews_sample.csv.gz.

Run: python data/make_reviews_sample.py

Each review is meant as praise or as blame; the rule in lstm_explain.datasets.reviews.rule decides.
Sentences are drawn from patterns; words in braces are drawn from a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from lstm_explain import SequenceData
from lstm_explain.datasets.reviews.loader import CLASSES, SAMPLE_FILE, SAMPLE_NAME
from lstm_explain.datasets.reviews.rule import (
    INTENSIFIERS,
    NEGATIVE,
    POSITIVE,
    VERY_NEGATIVE,
    VERY_POSITIVE,
    log_odds_of,
    true_log_odds,
)
from lstm_explain.datasets.texts import word_lists
from lstm_explain.sequences.words import SPECIAL_WORDS

SHORTEST, LONGEST = 8, 40  # words, punctuation among them
# Below this, rounding may leave no review for validation or test.
FEWEST_REVIEWS = 10
# Shares of the opinions. They are what keeps word counts from telling the sentiment.
NEGATED, CONTRASTED = 0.3, 0.25
STRONG = 0.25  # of the polarity words without an intensifier
DISSENT = 0.15  # of the second and third opinions, which go against the first
EMPHASIS = tuple(word for word, factor in INTENSIFIERS.items() if factor > 1)
Choice = TypeVar("Choice")


def sample_reviews(seed: int = 0, num_reviews: int = 6000) -> SequenceData:
    """Simulate reviews of 8 to 40 lower-case words, punctuation among them.

    Parameters
    ----------
    seed : int
        The same seed gives the same reviews; the vocabulary is the same for every seed.
    num_reviews : int
        At least 10.
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
    data = replace(data, target=positive, target_name="sentiment", class_names=CLASSES)
    # Not `seed` itself, which would shuffle with the same random bits that wrote the reviews.
    return data.split_by_group(validation=0.15, test=0.15, seed=int(rng.integers(2**32)))


def write_texts(data: SequenceData, path: Path) -> None:
    """Write texts as lstm_explain.datasets.texts.read_texts reads them, without a time."""
    table = pd.DataFrame(
        {
            "split": data.split,
            "class": np.array(data.class_names)[data.target],
            "text": [" ".join(words) for words in word_lists(data)],
        }
    )
    compression = {"method": "gzip", "mtime": 0}
    table.to_csv(path, index=False, lineterminator="\n", compression=compression)


def _as_tokens(reviews: Sequence[Sequence[str]]) -> SequenceData:
    """Return reviews with the vocabulary of all patterns, so that ids do not depend on the seed."""
    vocabulary = (*SPECIAL_WORDS, *sorted(_all_words()))
    position = {word: number for number, word in enumerate(vocabulary)}
    return SequenceData.from_tokens(
        [[position[word] for word in review] for review in reviews],
        vocabulary=vocabulary,
        ids=np.arange(1, len(reviews) + 1),
        name=SAMPLE_NAME,
    )


def _all_words() -> set[str]:
    patterns = (
        SUBJECTS, PLAIN, NEGATING, CONTRASTING, HALVES,
        NEGATED_HALVES, NEUTRAL,
    )  # fmt: skip
    parts = {part for group in patterns for pattern in group for part in pattern.split()}
    # Capital letters and braces are places to fill.
    words = {part for part in parts if part == part.lower() and "{" not in part}
    drawn = {word for words in LISTS.values() for word in words}
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
            sentences += [self._filled(NEUTRAL) for _ in range(self._one_of((1, 1, 2)))]
            sentences = [sentences[i] for i in self.rng.permutation(len(sentences))]
            words = [word for sentence in sentences for word in (*sentence, ".")]
            if SHORTEST <= len(words) <= LONGEST and _stand_alone(sentences, words):
                return words

    def _opinion(self, sign: int) -> list[str]:
        if self.rng.random() < CONTRASTED:
            return self._contrast(sign)
        if self.rng.random() < NEGATED:
            return self._filled(NEGATING, -sign)
        return self._filled(PLAIN, sign)

    def _contrast(self, sign: int) -> list[str]:
        halves = {"X": self._half(-sign), "Y": self._half(sign)}
        first = second = self._filled(SUBJECTS)
        while second[1] == first[1]:  # not "the story is bad , but this story is good"
            second = self._filled(SUBJECTS)
        places = {**halves, "S": first, "T": second}
        parts = self._one_of(CONTRASTING).split()
        return [word for part in parts for word in places.get(part, [part])]

    def _half(self, sign: int) -> list[str]:
        if self.rng.random() < NEGATED:
            return self._filled(NEGATED_HALVES, -sign)
        return self._filled(HALVES, sign)

    def _filled(self, patterns: Sequence[str], sign: int = 0) -> list[str]:
        """Draw a pattern and fill its places; polarity words go in the direction of `sign`."""
        words: list[str] = []
        for part in self._one_of(patterns).split():
            words += self._word(part, sign, words[-1] if words else "")
        return _with_articles(words)

    def _word(self, part: str, sign: int, previous: str = "") -> list[str]:
        if part == "S":
            return self._filled(SUBJECTS)
        if part == "I":
            return [self._one_of(tuple(INTENSIFIERS))]
        if part == "E":
            return [self._one_of(EMPHASIS)]
        if part == "A":
            direction = "positive" if sign > 0 else "negative"
            # "very superb" and "slightly awful" are not said.
            if previous not in INTENSIFIERS and self.rng.random() < STRONG:
                direction = f"strongly {direction}"
            return [self._one_of(LISTS[direction])]
        if part.startswith("{"):
            return [self._one_of(LISTS[part.strip("{}")])]
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


# What fills a pattern. Punctuation is a token of its own, as a tokeniser would leave it.
LISTS = {
    name: tuple(words.split())
    for name, words in {
        "name": """anna bruno clara david elena felix greta henry irene jonas karin leo marta nora
            oscar paula quinn rosa simon tara viktor wanda yusuf zoe""",
        "surname": """marlow bergman okafor tanaka rossi novak silva dubois larsen weber haddad
            kowalski moreno ivanova""",
        "job": """baker teacher pilot nurse painter sailor farmer lawyer detective dancer clerk
            waiter gardener librarian mechanic violinist""",
        "place": """lisbon oslo chicago kyoto dublin naples warsaw havana berlin cairo prague
            montreal""",
        "where": """harbour village hotel school station garden museum market lighthouse library
            theatre kitchen""",
        "relative": "brother sister mother father uncle aunt cousin neighbour daughter son",
        "day": "monday tuesday wednesday thursday friday saturday sunday",
        "season": "spring summer autumn winter",
        "thing": "letter suitcase photograph piano bicycle diary map ring watch boat parcel key",
        "number": "two three four five six seven eight nine ten twelve",
        "genre": "western musical thriller documentary drama comedy sequel remake biography",
        "work": "film movie picture story",
        "part": """acting plot ending dialogue music script camera direction editing story pacing
            casting opening""",
        "whose": "her his their",
        "role": "performance voice timing singing narration portrayal",
        "stretch": "first second third last",
        "piece": "hour act scene chapter",
        "positive": " ".join(POSITIVE),
        "negative": " ".join(NEGATIVE),
        "strongly positive": " ".join(VERY_POSITIVE),
        "strongly negative": " ".join(VERY_NEGATIVE),
    }.items()
}

# What an opinion is about.
SUBJECTS = (
    "the {part}",
    "the {part}",
    "the {part}",
    "{whose} {role}",
    "this {work}",
    "the {work}",
    "the {genre}",
    "the {stretch} {piece}",
    "the first half",
    "the {part} by {surname}",
    "the part set in {place}",
)

# S and T stand for subjects, A for a polarity word, I for an intensifier, E for one that is no
# understatement. The rule knows words, not patterns: here A keeps its direction.
PLAIN = (
    "S is A",
    "S was A",
    "S feels A",
    "S seems A",
    "S remains A",
    "S is I A",
    "S was I A",
    "S feels I A",
    "S is A and A",
    "A from start to finish",
    "I A from start to finish",
    "a A {genre}",
    "another A {genre} by {surname}",
    "a I A {genre} by {surname}",
)
# Here A is turned round.
NEGATING = (
    "S is not A",
    "S was not A",
    "S is never A",
    "S was never A",
    "S is hardly A",
    "S was hardly ever A",
    "S never feels A",
    "S never seems A",
    "S does not feel A",
    "S is not at all A",
    "S is not E A",
    "S was not E A",
    "S is never even slightly A",
    "S was not even slightly A",
    "not a A {genre}",
    "hardly a A {work}",
    "never a A moment",
    "not A , says my {relative}",
)
# Two opinions, X and then Y, which go against each other; the second one decides.
CONTRASTING = (
    "S is X but Y",
    "S was X but Y",
    "S is X , but Y",
    "S is X yet Y",
    "S seems X but is Y",
    "S is X , yet T is Y",
    "S is X , but T is Y",
    "S was X but T was Y",
    "X but Y",
    "X , yet Y",
)
# What X and Y may be: A in its own direction, or turned round.
HALVES = ("A", "A", "A", "I A")
NEGATED_HALVES = (
    "not A",
    "never A",
    "hardly A",
    "not at all A",
    "not E A",
    "never even slightly A",
)
# Sentences that say nothing, among them such with "not", "very" and "but" that act on nothing.
NEUTRAL = (
    "{name} is a {job} who returns to {place}",
    "{name} and {name} meet in a {where} in {place}",
    "a {job} from {place} finds a {thing} in the {where}",
    "{name} loses a {thing} and travels to {place}",
    "{name} , a {job} , inherits a {thing}",
    "the {thing} belongs to a {job} in {place}",
    "it runs for {number} reels",
    "it is set in {place} in {season}",
    "directed by {surname} , with music by {surname}",
    "written by {name} {surname} and shot in {place}",
    "i saw it on a {day} with my {relative}",
    "my {relative} rented it on {day}",
    "we watched it in {season} , in {number} parts",
    "a {genre} about a {job} and a {thing}",
    "there are {number} songs and a {where}",
    "{name} {surname} plays the {job}",
    "the book came out {number} years ago",
    "the {thing} does not reach {place}",
    "{name} calls but nobody answers",
    "{name} never returns to the {where}",
    "{name} hardly knows the {job}",
    "the {job} is not from {place}",
    "it is a remake , yet not of the {genre} from {place}",
    "it starts very early on a {day}",
    "{name} really leaves for {place} in the {stretch} {piece}",
    "the {genre} has slightly more songs than the book",
    "not seen on {day} , but my {relative} has the disc",
    "{name} leaves {place} but keeps the {thing}",
)


if __name__ == "__main__":
    write_texts(sample_reviews(), Path(__file__).with_name(SAMPLE_FILE))
