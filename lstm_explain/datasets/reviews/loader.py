"""Reviews: texts, whether they praise, and which words people called decisive."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from ...arguments import check_one_of, check_whole
from ...progress import progress_bar
from ...sequences.data import SequenceData, check_data
from ...sequences.words import RULE_VERSION, UNKNOWN
from ..store import StoredFile, cached_arrays, check_home, digest, find_file
from ..texts import read_texts
from .archives import Review, read_imdb, read_movies, read_rt_polarity

Source = Literal["sample", "rt_polarity", "imdb", "movies"]
SAMPLE_FILE, SAMPLE_NAME = "reviews_sample.csv.gz", "review sample"
CLASSES = ("negative", "positive")
SPLIT_SEED = 0
HELD_OUT = 0.1  # of rt-polarity for validation and again for testing, of IMDB for validation
# Raise it whenever the same files give other arrays than before.
PARSER_VERSION = 2


class Corpus(NamedTuple):
    """A public data set of reviews."""

    name: str
    file: str
    read: Callable[[Path, Any], list[Review]]
    total: int


CORPORA = {
    "rt_polarity": Corpus(
        "rt-polarity", "rt_polarity/rt-polaritydata.tar.gz", read_rt_polarity, 10_662
    ),
    "imdb": Corpus("IMDB", "imdb/aclImdb_v1.tar.gz", read_imdb, 50_000),
    "movies": Corpus("ERASER movies", "eraser_movies/movies.tar.gz", read_movies, 1_999),
}
MOVIES = CORPORA["movies"]


def load_reviews(
    source: Source = "sample",
    *,
    data_home: str | Path | None = None,
    max_words: int | None = None,
    truncate: Literal["end", "start"] = "end",
    vocabulary_size: int = 20_000,
    progress: bool = True,
) -> SequenceData:
    """Load reviews of films, word by word, and whether each is negative or positive.

    Parameters
    ----------
    source : {"sample", "rt_polarity", "imdb", "movies"}
        "sample": simulated short reviews whose decisive words are known, without a download.
        "rt_polarity": 10,662 sentences (Pang and Lee 2005); a random 80 % train, 10 % validate and
        10 % test. "imdb": 50,000 long reviews (Maas et al. 2011), official training and test
        parts; a tenth of the training part validates, of other films than the rest. "movies": 1,999
        long reviews with the passages that people called decisive (DeYoung et al. 2020), official
        parts; see ``review_rationales``.
    data_home : path, optional
        Folder that holds ``rt_polarity/rt-polaritydata.tar.gz``, ``imdb/aclImdb_v1.tar.gz`` or
        ``eraser_movies/movies.tar.gz``, or into which they are downloaded (0.5, 84 and 4 MB).
        Default: the environment variable LSTM_EXPLAIN_DATA, else a folder of this user's cache.
    max_words : int, optional
        Longer reviews are cut. 400 keeps 83 % of those of IMDB whole.
    truncate : {"end", "start"}
        Which end of a longer review is cut off.
    vocabulary_size : int
        See ``make_vocabulary``; the vocabulary is made from the training part. The sample brings
        its own small vocabulary.
    progress : bool
        Show the progress of downloading and reading.

    Returns
    -------
    SequenceData
        Split into training, validation and test; `ids` say in which file a review stands.

    Raises
    ------
    ValueError
        An unknown source, or a file that is damaged or holds something else than expected: the
        message names file and line.
    FileNotFoundError
        A file is not there and cannot be downloaded: the message says how to place it by hand.

    Warns
    -----
    UnverifiedDataWarning
        A file in the data home is not the official one.

    Notes
    -----
    In "rt_polarity" and "imdb", of texts with the same words one is kept, that of the test part if
    there is one: else the model would be tested on what it learned. The test part of IMDB is
    therefore a little smaller than that of published scores (24,799 of 25,000). The random parts
    are the same every time. ``<br />`` in IMDB is read as a space.

    What was parsed is kept, in the folder that the environment variable LSTM_EXPLAIN_CACHE names
    or in this user's cache.

    Examples
    --------
    >>> load_reviews("sample").class_names
    ('negative', 'positive')
    >>> load_reviews("imdb", max_words=400)                     # doctest: +SKIP
    """
    remedy = "For texts of your own use SequenceData.from_texts."
    check_one_of(("sample", *CORPORA), remedy=remedy, source=source)
    check_home(data_home, progress)
    check_whole(least=1, optional=True, max_words=max_words)
    check_one_of(("end", "start"), truncate=truncate)
    check_whole(least=3, vocabulary_size=vocabulary_size)
    if source == "sample":
        return _sample(max_words, truncate)
    corpus = CORPORA[source]
    arrays = _stored(corpus, find_file(corpus.file, data_home, progress=progress), progress)
    return SequenceData.from_texts(
        _word_lists(arrays),
        arrays["target"],
        split=arrays["split"],
        max_words=max_words,
        truncate=truncate,
        vocabulary_size=vocabulary_size,
        target_name="sentiment",
        class_names=CLASSES,
        ids=arrays["ids"],
        name=corpus.name,
    )


def review_rationales(
    data: SequenceData, *, data_home: str | Path | None = None, progress: bool = True
) -> np.ndarray:
    """Tell which words of reviews are decisive: to people ("movies"), or by the sample's rule.

    Parameters
    ----------
    data : SequenceData
        From ``load_reviews("movies")`` or ``load_reviews("sample")``: all of it or some samples,
        at whatever length it was cut.
    data_home, progress : see ``load_reviews``

    Returns
    -------
    bool array (sample, time)
        False on padded steps.

    Raises
    ------
    ValueError
        Data of which no such words are known, or whose words were changed.

    Notes
    -----
    In "movies" people marked everything that supports the class only in the test part (30 % of the
    words); in the others they marked some of it (9 and 7 %). Score explanations on ``data.test``.
    One review, posR_161.txt, has no mark at all.

    Examples
    --------
    >>> data = load_reviews("sample").test[:3]
    >>> words = data.words[review_rationales(data)]
    """
    check_data("Use what load_reviews() returns.", data=data)
    check_home(data_home, progress)
    if data.name == SAMPLE_NAME:
        from .rule import true_rationale

        return true_rationale(data)
    if data.name != MOVIES.name or data.tokens is None or data.ids is None:
        raise ValueError(
            "Expected reviews whose decisive words are known, from load_reviews("
            f'"movies") or "sample"; received {data.name!r}. Load one of them.'
        )
    arrays = _stored(MOVIES, find_file(MOVIES.file, data_home, progress=progress), progress)
    marked_texts = zip(_word_lists(arrays), _by_review(arrays, "marks"), strict=True)
    reviews = dict(zip(arrays["ids"].tolist(), marked_texts, strict=True))
    number = {word: position for position, word in enumerate(data.vocabulary)}
    rationales = np.zeros(data.mask.shape, bool)
    for row, (review, length) in enumerate(zip(data.ids.tolist(), data.lengths, strict=True)):
        words, marked = reviews.get(review, ([], np.zeros(0, bool)))
        tokens = np.array([number.get(word, number[UNKNOWN]) for word in words], np.int32)
        # A long review was cut at its end or at its start.
        for part in (slice(length), slice(max(len(words) - length, 0), None)):
            if np.array_equal(tokens[part], data.tokens[row, :length]):
                rationales[row, :length] = marked[part]
                break
        else:
            raise ValueError(
                f"Expected the words of the review as they were loaded; received others in sample "
                f"{row} (id {review!r}). Give the data of load_reviews unchanged."
            )
    return rationales


def _sample(max_words: int | None, truncate: Literal["end", "start"]) -> SequenceData:
    if max_words is not None or truncate != "end":
        raise ValueError(
            f"Expected the sample whole; received max_words={max_words}, truncate={truncate!r}. "
            "Its reviews are short, and what is cut off would belong to their known cause."
        )
    return read_texts(SAMPLE_FILE, target_name="sentiment", name=SAMPLE_NAME)


def _stored(corpus: Corpus, file: StoredFile, progress: bool) -> dict[str, np.ndarray]:
    """Return a data set from the cache, or parse it."""
    key = digest(PARSER_VERSION, RULE_VERSION, unicodedata.unidata_version, file.sha256)
    return cached_arrays(Path(corpus.file).parent.name, key, lambda: _parse(corpus, file, progress))


def _parse(corpus: Corpus, file: StoredFile, progress: bool) -> dict[str, np.ndarray]:
    """Read, leave out what occurs twice, and split."""
    with progress_bar(corpus.total, f"reading {corpus.name}", "review", visible=progress) as bar:
        reviews = corpus.read(file.path, bar)
    if corpus is not MOVIES:
        reviews = _without_repetitions(reviews)
    marks = [mark for review in reviews for mark in review.marks or []]
    lexicon = {word: None for review in reviews for word in review.words}
    number = {word: position for position, word in enumerate(lexicon)}
    # Words hold no line breaks, so all of them can be kept as bytes of one text: no pickle.
    return {
        "lexicon": np.frombuffer("\n".join(lexicon).encode(), np.uint8),
        "words": np.array([number[word] for review in reviews for word in review.words], np.int32),
        "lengths": np.array([len(review.words) for review in reviews]),
        "target": np.array([review.target for review in reviews], np.int32),
        "ids": np.array([review.id for review in reviews]),
        "split": _split(
            np.array([review.part for review in reviews]), [review.film for review in reviews]
        ),
        "marks": np.array(marks, bool),
    }


def _word_lists(arrays: dict[str, np.ndarray]) -> list[list[str]]:
    lexicon = np.array(arrays["lexicon"].tobytes().decode().split("\n"), object)
    return [lexicon[words].tolist() for words in _by_review(arrays, "words")]


def _by_review(arrays: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    return np.split(arrays[name], np.cumsum(arrays["lengths"])[:-1])


def _without_repetitions(reviews: list[Review]) -> list[Review]:
    """Return each text once: the one of the test part, else the first."""
    first: dict[tuple[str, ...], Review] = {}
    for review in sorted(reviews, key=lambda review: review.part != "test"):
        first.setdefault(tuple(review.words), review)
    ids = {review.id for review in first.values()}
    return [review for review in reviews if review.id in ids]


def _split(parts: np.ndarray, films: list[str]) -> np.ndarray:
    """Label the reviews: official parts stay, and what they lack is drawn at random, film by film.

    Reviews of one film share its names and its plot: a model that is validated on films that it has
    learned looks better than it is. A review of which the film is not known counts as a film.
    """
    labels = np.where(parts == "", "train", parts).astype("<U10")
    if "validation" in labels:
        return labels
    train = np.flatnonzero(labels == "train")
    names = [films[row] or row for row in train]
    film, _ = pd.factorize(np.array(names, object))
    order = np.random.default_rng(SPLIT_SEED).permutation(film.max() + 1)
    share = round(HELD_OUT * len(train))
    # For each review, how many reviews the films up to and including its own have.
    reached = pd.Series(np.bincount(film)[order].cumsum(), index=order)[film].to_numpy()
    labels[train[reached <= share]] = "validation"
    if "test" not in labels:
        labels[train[(reached > share) & (reached <= 2 * share)]] = "test"
    return labels
