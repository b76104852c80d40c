"""A vector for each word of a vocabulary: read from a file or learned from texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sequences.words import SPECIAL_WORDS, special_ids

NOT_FOUND = 0.05  # random numbers from -0.05 to 0.05: small beside those of words that are known


@dataclass(frozen=True, eq=False, repr=False)
class WordVectors:
    """One vector for each word of a vocabulary.

    Attributes
    ----------
    values : float32 array (word, number)
        In the order of the vocabulary, so that a token id is its row.
    found : bool array (word,)
        False for small random numbers: the word was not in the file or texts, or is too rare.
    vocabulary : tuple of str
        The word of each row.
    """

    values: np.ndarray
    found: np.ndarray
    vocabulary: tuple[str, ...]

    def __repr__(self) -> str:
        looked_for = len(set(self.vocabulary) - set(SPECIAL_WORDS))
        return (
            f"WordVectors: {int(self.found.sum()):,} of {looked_for:,} words found, "
            f"{self.values.shape[1]} numbers each"
        )

    def nearest(self, word: str, count: int = 5) -> list[str]:
        """Return the words whose vectors point most nearly the same way, nearest first.

        Parameters
        ----------
        word : str
            One of the vocabulary that has a vector.
        count : int
            How many words.

        Raises
        ------
        ValueError
            The word has no vector.

        Examples
        --------
        >>> values = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], np.float32)
        >>> WordVectors(values, np.ones(3, bool), ("dull", "slow", "film")).nearest("dull", 1)
        ['slow']
        """
        rows = np.flatnonzero(self.found & self.values.any(axis=1))
        at = [place for place, row in enumerate(rows) if self.vocabulary[row] == word]
        if not at:
            raise ValueError(
                f"Expected a word that has a vector, such as {some_of(self.vocabulary)}; received "
                f"{word!r}."
            )
        vectors = self.values[rows] / np.linalg.norm(self.values[rows], axis=1, keepdims=True)
        order = np.argsort(-vectors @ vectors[at[0]], kind="stable")
        return [self.vocabulary[rows[place]] for place in order if place != at[0]][:count]


def filled(
    vectors: dict[int, np.ndarray], words: tuple[str, ...], size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of all words, small random ones where none is given, and which are given.

    Examples
    --------
    >>> values, found = filled({1: np.ones(2)}, ("[PAD]", "good"), size=2, seed=0)
    >>> values.tolist(), found.tolist()
    ([[0.0, 0.0], [1.0, 1.0]], [False, True])
    """
    random = np.random.default_rng(seed)
    values = random.uniform(-NOT_FOUND, NOT_FOUND, (len(words), size)).astype(np.float32)
    values[special_ids(words)] = 0
    values[list(vectors)] = list(vectors.values())
    found = np.zeros(len(words), bool)
    found[list(vectors)] = True
    return values, found


def some_of(words: tuple[str, ...]) -> list[str]:
    """Return a few words, for messages."""
    return [word for word in words if word not in SPECIAL_WORDS][:5]
