"""Texts of which only the first letter matters: a task that needs memory."""

from __future__ import annotations

import numpy as np

from ..arguments import check_whole
from ..sequences.data import SequenceData
from ..sequences.words import SPECIAL_WORDS

LETTERS = "abcd"


def load_recall(
    longest: int = 30, *, shortest: int = 2, count: int = 4000, seed: int = 0
) -> SequenceData:
    """Make random texts of the letters a to d, whose class is their first letter.

    The first letter is a or b. Each of the others is a, b, c or d, whatever stood before it, so
    that it says nothing about the class. The texts are simulated, like the tasks with long time
    lags of Hochreiter and Schmidhuber (1997).

    Parameters
    ----------
    longest, shortest : int
        Letters of a text: each number from shortest to longest is equally likely.
    count : int
        Texts to draw. Of equal ones all but the first are dropped, so that no text stands in two
        parts; short texts are therefore rarer than long ones.
    seed : int
        Same seed, same texts.

    Returns
    -------
    SequenceData
        Tokens (sample, letter), with classes "a first" and "b first"; 70 % train, 15 % validation,
        15 % test, drawn at random. The vocabulary is the same for any length.

    Raises
    ------
    ValueError
        `shortest` is below 1 or above `longest`, or there are fewer than 40 different texts.

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9, section 5.

    Examples
    --------
    >>> data = load_recall(5, shortest=5, count=100)
    >>> data.vocabulary
    ('[PAD]', '[UNK]', 'a', 'b', 'c', 'd')
    >>> set(data.words[data.target == 1, 0].tolist())
    {'b'}
    """
    check_whole(least=1, longest=longest, shortest=shortest, count=count)
    check_whole(seed=seed)
    if not 1 <= shortest <= longest:
        raise ValueError(
            f"Expected 1 <= shortest <= longest; received shortest={shortest}, longest={longest}. "
            "Give both, or make longest larger."
        )
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, longest + 1, count)
    # A dict keeps the order and drops repetitions.
    texts = list(dict.fromkeys(_draw(length, rng) for length in lengths.tolist()))
    if len(texts) < 40:
        raise ValueError(
            f"Expected at least 40 different texts; received {len(texts)} of {count} drawn. Make "
            "count or longest larger."
        )
    return SequenceData.from_texts(
        texts,
        [f"{text[0]} first" for text in texts],
        vocabulary=[*SPECIAL_WORDS, *LETTERS],
        split=rng.choice(["train", "validation", "test"], len(texts), p=[0.7, 0.15, 0.15]),
        target_name="first letter",
        name="letters",
    )


def _draw(length: int, rng: np.random.Generator) -> tuple[str, ...]:
    return LETTERS[rng.integers(2)], *rng.choice(list(LETTERS), length - 1).tolist()
