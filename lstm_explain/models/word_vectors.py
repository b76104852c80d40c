"""``WordVectors``: a vector for each word of a vocabulary, also from a GloVe or word2vec file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import as_path, check_flag, check_names, check_whole
from ..progress import progress_bar
from ..sequences.words import SPECIAL_WORDS, special_ids

# Words without a vector get random numbers from -0.05 to 0.05: small beside those of other words.
RANDOM_RANGE = 0.05
# The first bytes of compressed files and of some text files; bytes with which no text begins.
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CONTROLS = set(range(32)) - set(b"\t\n\v\f\r")
LINES_PER_UPDATE = 1000


@dataclass(frozen=True, eq=False, repr=False)
class WordVectors:
    """One vector for each word of a vocabulary.

    Attributes
    ----------
    values : float32 array (word, number)
        In the order of the vocabulary, so that a token id is its row.
    found : bool array (word,)
        True for words whose vector comes from the file or the texts. The others, which the file
        lacks or which are too rare in the texts, have small random numbers.
    vocabulary : tuple of str
        The word of each row.
    """

    values: np.ndarray
    found: np.ndarray
    vocabulary: tuple[str, ...]

    def __repr__(self) -> str:
        num_words = len(set(self.vocabulary) - set(SPECIAL_WORDS))
        return (
            f"WordVectors: {int(self.found.sum()):,} of {num_words:,} words found, "
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
        check_whole(least=1, count=count)
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
    """Return a vector for each word, small and random where none is given, and which are given.

    Examples
    --------
    >>> values, is_given = filled({1: np.ones(2)}, ("[PAD]", "good"), size=2, seed=0)
    >>> values.tolist(), is_given.tolist()
    ([[0.0, 0.0], [1.0, 1.0]], [False, True])
    """
    random = np.random.default_rng(seed)
    values = random.uniform(-RANDOM_RANGE, RANDOM_RANGE, (len(words), size)).astype(np.float32)
    values[special_ids(words)] = 0
    values[list(vectors)] = list(vectors.values())
    is_given = np.zeros(len(words), bool)
    is_given[list(vectors)] = True
    return values, is_given


def some_of(words: tuple[str, ...]) -> list[str]:
    """Return a few words, for messages."""
    return [word for word in words if word not in SPECIAL_WORDS][:5]


def load_word_vectors(
    path: str | Path, vocabulary: Sequence[str], *, seed: int = 0, progress: bool = True
) -> WordVectors:
    """Read the vectors of a vocabulary's words from a GloVe or word2vec text file.

    Each line holds a word and its numbers, separated by spaces; word2vec and fastText files begin
    with a line "number of words, size". The file is read line by line, so its size does not matter,
    and may be compressed (.gz). Words are compared as they are written: most files of GloVe are in
    lower case, as vocabularies are by default.

    Parameters
    ----------
    path : path
        Of a file that you have, such as ``glove.6B.100d.txt``.
    vocabulary : sequence of str
        Usually ``data.vocabulary``.
    seed : int
        Of the small random vectors of words that the file lacks. "[PAD]" and "[UNK]" get zeros.
    progress : bool
        Show a progress bar, and say how many words were found.

    Returns
    -------
    WordVectors
        For ``build_model(data, word_vectors=...)``.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no such text, is damaged, or holds none of the words: the message names the
        line.

    References
    ----------
    Pennington, Socher and Manning (2014), "GloVe: Global Vectors for Word Representation".
    Mikolov et al. (2013), "Distributed Representations of Words and Phrases and their
    Compositionality".

    Examples
    --------
    >>> vectors = load_word_vectors("glove.6B.100d.txt", data.vocabulary)  # doctest: +SKIP
    >>> model = build_model(data, word_vectors=vectors)                    # doctest: +SKIP
    """
    path, words = as_path(path), _checked(vocabulary)
    check_whole(seed=seed)
    check_flag(progress=progress)
    rows = {
        word.encode("utf-8", "surrogatepass"): row
        for row, word in enumerate(words)
        if word not in SPECIAL_WORDS
    }
    # Most lines are skipped by the text before their first space alone, which is fast.
    first_parts = {word.split(b" ")[0] for word in rows}
    vectors: dict[int, np.ndarray] = {}
    with _opened(path, progress) as (lines, show_progress):
        size, header, start = _layout(lines, path)
        count = 0
        for number, stored_line in enumerate(lines, start=start):
            if number % LINES_PER_UPDATE == 0:
                show_progress()
            line = stored_line.rstrip(b" \r\n")
            if not line:
                continue
            count += 1
            if line.count(b" ") < size:
                raise _of_other_length(path, number, size, line.count(b" "))
            first = line[: line.index(b" ")]
            if first in first_parts:
                word, *numbers = line.rsplit(b" ", size)
                # "good 0.1 0.2" where one number is expected; "new york 0.1" is a word of two.
                extra = word[len(first) :].split()
                if first in rows and extra and all(map(_is_number, extra)):
                    raise _of_other_length(path, number, size, size + len(extra))
                if word in rows:
                    # Where a word stands twice, the first vector is that of the frequent word.
                    vectors.setdefault(rows[word], _numbers(numbers, path, number, word))
    if header is not None and count != header:
        raise ValueError(
            f"Expected {header:,} words, as the first line of {str(path)!r} says; received "
            f"{count:,}. The file may have been cut off: download or save it again."
        )
    if not vectors:
        raise ValueError(
            f"Expected vectors of some of the vocabulary's words, such as {some_of(words)}; found "
            f"none of them in {str(path)!r}. Take a file of the same language, in lower case if "
            "the vocabulary is."
        )
    word_vectors = WordVectors(*filled(vectors, words, size, seed), words)
    if progress:
        print(word_vectors)
    return word_vectors


@contextmanager
def _opened(path: Path, progress: bool) -> Iterator[tuple[Any, Callable[[], None]]]:
    """Open a file of vectors, compressed or not, as bytes; with it, what moves its bar."""
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a file of word vectors; found none at {str(path)!r}. Download one, such as "
            "glove.6B.zip of https://nlp.stanford.edu/projects/glove, unpack it, and give the path "
            "of its .txt file."
        )
    with path.open("rb") as stored:
        begin = stored.read(4)
        stored.seek(0)
        if begin == ZIP:
            raise ValueError(
                f"Expected a text file of word vectors; received the archive {str(path)!r}. Unpack "
                "it and give the path of one of its files."
            )
        size = path.stat().st_size
        with progress_bar(size, f"reading {path.name}", "byte", progress) as bar:
            text: Any = gzip.GzipFile(fileobj=stored) if begin[:2] == GZIP else stored
            try:
                yield text, lambda: bar.update(stored.tell() - bar.n)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ValueError(
                    f"Expected a whole compressed file; received {str(path)!r}, which is damaged "
                    f"or was cut off ({error}). Download it again."
                ) from error


def _layout(lines: Any, path: Path) -> tuple[int, int | None, int]:
    """Return numbers per word, words if a header tells, and the number of the first line of words.

    Reading goes on at that line.
    """
    if CONTROLS.intersection(lines.peek(4096)[:4096]):
        raise ValueError(
            f"Expected a text file of word vectors; received a binary one, {str(path)!r}. Save it "
            "as text, with gensim: KeyedVectors.load_word2vec_format(path, binary=True)"
            ".save_word2vec_format(new_path, binary=False)."
        )
    begin = len(BYTE_ORDER_MARK) if lines.peek(3)[:3] == BYTE_ORDER_MARK else 0
    lines.seek(begin)
    first = lines.readline()
    parts = first.split()
    if len(parts) == 2 and all(part.isdigit() for part in parts) and int(parts[1]) > 0:
        return int(parts[1]), int(parts[0]), 2
    size = first.rstrip(b" \r\n").count(b" ")
    if size == 0 or not _is_number(parts[-1]):
        raise ValueError(
            f"Expected a word and its numbers, separated by spaces, in each line of {str(path)!r}; "
            f"received {first[:60]!r} in line 1. Give a file in GloVe or word2vec text format."
        )
    lines.seek(begin)
    return size, None, 1


def _numbers(parts: list[bytes], path: Path, line: int, word: bytes) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # too large for float32 is refused below
            vector = np.array(parts, dtype=np.float64).astype(np.float32)
    except ValueError:
        vector = np.array([np.nan])
    if not np.isfinite(vector).all():
        wrong = next(part for part in parts if not _is_finite(part))
        raise ValueError(
            f"Expected finite numbers; received {wrong.decode(errors='replace')!r} for the word "
            f"{word.decode(errors='replace')!r} in line {line} of {str(path)!r}. The file is "
            "damaged or in another format: download or save it again."
        )
    return vector


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True


def _is_finite(part: bytes) -> bool:
    return _is_number(part) and abs(float(part)) <= float(np.finfo(np.float32).max)


def _of_other_length(path: Path, line: int, size: int, received: int) -> ValueError:
    return ValueError(
        f"Expected {size} numbers in each line of {str(path)!r}, as in the first; received "
        f"{received} in line {line}. The file is damaged or was cut off: download or save it again."
    )


def _checked(vocabulary: Sequence[str]) -> tuple[str, ...]:
    check_names(remedy="Give data.vocabulary.", vocabulary=vocabulary)
    words = tuple(vocabulary)
    if not words or len(set(words)) < len(words):
        raise ValueError(
            f"Expected a vocabulary of different words; received {vocabulary!r:.60}. Give "
            "data.vocabulary of texts that were made with SequenceData.from_texts."
        )
    return words
