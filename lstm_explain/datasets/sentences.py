"""Simulated beginnings of sentences whose next word two earlier words decide, and only they.

"the tired cat that the dog chased left the ..." goes on with "basket": because of "cat", whose home
it is, and of "left". Another animal stands in most sentences and decides nothing. Which of the two
is the subject is told by the order of the words, not by which words there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..sequences.data import SequenceData
from ..sequences.words import SPECIAL_WORDS

NAME = "sentences"
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
# Which pattern a sentence follows, told by its words without "the" and adjectives; N is an animal.
SKELETONS = {pattern.replace("A", "N").replace("B", "N"): pattern for pattern in PATTERNS}
SYMBOLS = {
    **dict.fromkeys(OBJECTS, "N"),
    **dict.fromkeys(CHASING, "W"),
    **dict.fromkeys(RESTING, "R"),
}
OPENED, DESCRIBED = 0.4, 0.4  # shares of sentences with an opening, of animals with an adjective
SURPRISE = 0.1  # of the next words are drawn at random
FEWEST_SENTENCES = 100


def load_sentences(num_sentences: int = 6000, seed: int = 0) -> SequenceData:
    """Make beginnings of sentences whose next word is known, for a model that is to predict it.

    Parameters
    ----------
    num_sentences : int
        At least 100.
    seed : int
        The same seed gives the same sentences.

    Returns
    -------
    SequenceData
        Texts of 4 to 14 words; the classes are the 24 words that can follow. In one sentence of ten
        the next word is drawn at random, so that no model can be right in much more than nine.
        `deciding_words` tells which words decide. Split into 70 % training, 15 % validation, 15 %
        test.

    Raises
    ------
    ValueError
        Too few sentences.

    Examples
    --------
    >>> data = load_sentences(num_sentences=100)
    >>> len(data.class_names)
    24
    """
    if num_sentences < FEWEST_SENTENCES:
        raise ValueError(
            f"Expected at least {FEWEST_SENTENCES} sentences; received num_sentences="
            f"{num_sentences}. Make more and take those you need: load_sentences()[:5]."
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
    >>> some = load_sentences(num_sentences=100)[:1]
    >>> int(deciding_words(some).sum())
    2
    """
    if data.name != NAME or data.tokens is None:
        raise ValueError(
            f"Expected sentences of load_sentences(), whose deciding words are known; received "
            f"{data.name!r}."
        )
    found = np.zeros(data.mask.shape, bool)
    for row, (words, length) in enumerate(zip(data.words.tolist(), data.lengths, strict=True)):
        found[row, list(_deciders(words[:length]))] = True
    return found


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


def _deciders(words: Sequence[str]) -> tuple[int, int]:
    """Return the positions of the subject and of the last verb."""
    text = " ".join(words[:-2])
    begin = next((opening for opening in OPENINGS if text.startswith(f"{opening} ")), "")
    rest = text.removeprefix(begin).split()
    symbols = [SYMBOLS.get(word, word) for word in rest if word not in ("the", *ADJECTIVES)]
    pattern = SKELETONS.get(" ".join(symbols))
    if pattern is None or words[-2] not in VERBS or words[-1] != "the":
        raise ValueError(
            f"Expected a sentence of load_sentences(), such as 'the cat left the'; received "
            f"{' '.join(words)!r}. Give its data unchanged."
        )
    animals = [position for position, word in enumerate(words) if word in OBJECTS]
    roles = [part for part in pattern.split() if part in ("A", "B")]
    return animals[roles.index("A")], len(words) - 2


def _next_word(words: Sequence[str]) -> str:
    """Return what the rule says of a sentence."""
    subject, verb = _deciders(words)
    return OBJECTS[words[subject]][VERBS[words[verb]]]


def _all_words() -> set[str]:
    parts = " ".join((*PATTERNS, *OPENINGS)).split()
    fixed = {part for part in parts if part not in ("A", "B", "W", "R")}
    return fixed | {"the", *OBJECTS, *VERBS, *ADJECTIVES, *CHASING, *RESTING}
