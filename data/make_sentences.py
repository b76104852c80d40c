"""Simulate the sentences of load_sentences() and write sentences.csv.gz.

Run: python data/make_sentences.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from make_reviews_sample import write_texts

from lstm_explain import SequenceData
from lstm_explain.datasets.sentences import (
    ADJECTIVES,
    CHASING,
    FILE,
    NAME,
    OBJECTS,
    OPENINGS,
    PATTERNS,
    RESTING,
    VERBS,
    subject_and_verb,
)
from lstm_explain.sequences.words import SPECIAL_WORDS

OPENED, DESCRIBED = 0.4, 0.4  # shares of sentences with an opening, of animals with an adjective
SURPRISE = 0.1  # of the next words are drawn at random
FEWEST_SENTENCES = 100


def sample_sentences(seed: int = 0, num_sentences: int = 6000) -> SequenceData:
    """Simulate beginnings of sentences and the words that follow.

    Parameters
    ----------
    seed : int
        The same seed gives the same sentences.
    num_sentences : int
        At least 100.
    """
    if num_sentences < FEWEST_SENTENCES:
        raise ValueError(
            f"Expected at least {FEWEST_SENTENCES} sentences; received num_sentences="
            f"{num_sentences}. Make more and take those you need: sample_sentences()[:5]."
        )
    rng = np.random.default_rng(seed)
    sentences = [_sentence(rng) for _ in range(num_sentences)]
    following = sorted(word for objects in OBJECTS.values() for word in objects)
    targets = [following.index(_next_word(words)) for words in sentences]
    drawn = rng.integers(len(following), size=num_sentences)
    surprising = rng.random(num_sentences) < SURPRISE
    vocabulary = (*SPECIAL_WORDS, *sorted(_all_words()))
    number = {word: position for position, word in enumerate(vocabulary)}
    data = SequenceData.from_tokens(
        [[number[word] for word in words] for words in sentences],
        np.where(surprising, drawn, targets).astype(np.int32),
        vocabulary=vocabulary,
        target_name="next word",
        class_names=following,
        name=NAME,
    )
    data = replace(data, ids=np.arange(1, num_sentences + 1))
    # Not `seed` itself, which would shuffle with the same random bits that wrote the sentences.
    return data.split_by_group(validation=0.15, test=0.15, seed=int(rng.integers(2**32)))


def _sentence(rng: np.random.Generator) -> list[str]:
    """Draw a sentence up to the "the" before its next word."""

    def one_of(choices: Sequence[str]) -> str:
        return choices[int(rng.integers(len(choices)))]

    subject, other = rng.permutation(list(OBJECTS))[:2].tolist()

    def phrase(animal: str) -> list[str]:
        return ["the", *([one_of(ADJECTIVES)] if rng.random() < DESCRIBED else []), animal]

    words = one_of(OPENINGS).split() if rng.random() < OPENED else []
    for part in one_of(PATTERNS).split():
        if part in ("A", "B"):
            words += phrase(subject if part == "A" else other)
        else:
            words.append(one_of({"W": CHASING, "R": RESTING}.get(part, (part,))))
    return [*words, one_of(tuple(VERBS)), "the"]


def _next_word(words: list[str]) -> str:
    """Return what the rule says of a sentence."""
    subject, verb = subject_and_verb(words)
    return OBJECTS[words[subject]][VERBS[words[verb]]]


def _all_words() -> set[str]:
    parts = " ".join((*PATTERNS, *OPENINGS)).split()
    fixed = {part for part in parts if part not in ("A", "B", "W", "R")}
    return fixed | {"the", *OBJECTS, *VERBS, *ADJECTIVES, *CHASING, *RESTING}


if __name__ == "__main__":
    write_texts(sample_sentences(), Path(__file__).with_name(FILE))
