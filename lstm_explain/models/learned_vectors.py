"""Word vectors learned from the training texts: words with like neighbours get like vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_whole
from ..sequences.data import SequenceData, check_data
from ..sequences.splitting import training_part
from ..sequences.words import special_ids
from .word_vectors import WordVectors, filled

# Levy, Goldberg and Dagan (2015), section 7: rare neighbours count a little less than they would.
SMOOTHING = 0.75
# Root mean square of the numbers, as in files of pretrained vectors.
SPREAD = 0.25
# A row that is shorter than the longest by this factor holds rounding errors only, which must not
# be scaled up to a vector.
ROUNDING = 1e-6


def learn_word_vectors(
    data: SequenceData, size: int = 64, *, window: int = 5, seed: int = 0
) -> WordVectors:
    """Learn vectors of a vocabulary's words from how often they stand near each other.

    Words with like neighbours, such as "boring" and "tedious", get like vectors. A model that
    starts from them need not learn from the labels alone which words are alike. No file is needed.
    Only the training part is read (all texts where there is no split), without its labels. 5
    million words take about 10 seconds.

    Parameters
    ----------
    data : SequenceData
        Texts with a vocabulary.
    size : int
        Numbers per word.
    window : int
        Neighbours up to this many words away count; one at a distance d counts
        ``(window + 1 - d) / window``.
    seed : int
        Of the approximate decomposition, and of the small vectors of words that get none from it.

    Returns
    -------
    WordVectors
        For ``build_model(data, word_vectors=...)``. Each word's vector has a root mean square of
        0.25. Rare words may have none: `found` says which words have one. "[PAD]" and "[UNK]" have
        zeros.

    Raises
    ------
    ValueError
        The data holds no texts, none with two words near each other, or fewer words than `size`;
        `size` or `window` is below 1.

    Notes
    -----
    The matrix of positive pointwise mutual information ``max(0, log(p(word, neighbour) / (p(word)
    q(neighbour))))``, with q proportional to the count to the power of 0.75, is decomposed into
    ``U S V'``; the vectors are the rows of ``U sqrt(S)``, each brought to the same length.

    References
    ----------
    Levy and Goldberg (2014), "Neural Word Embedding as Implicit Matrix Factorization", equations 6
    and 9. Levy, Goldberg and Dagan (2015), "Improving Distributional Similarity with Lessons
    Learned from Word Embeddings", sections 3.2 and 3.3.

    Examples
    --------
    >>> from lstm_explain import load_reviews
    >>> vectors = learn_word_vectors(load_reviews("sample"), size=16)
    >>> vectors.nearest("plot", 3)
    ['camera', 'script', 'ending']
    """
    from sklearn.utils.extmath import randomized_svd

    _check(data, size, window, seed)
    information = positive_information(_neighbours(training_part(data), window))
    if not information.nnz:
        raise ValueError(
            f"Expected training texts in which different words of the vocabulary stand within "
            f"{window} words of each other; found none. Give longer texts, or a wider window."
        )
    left, strengths, _ = randomized_svd(information, size, n_iter=3, random_state=seed)
    vectors = left * np.sqrt(strengths)
    lengths = np.linalg.norm(vectors, axis=1)
    known = np.flatnonzero(lengths > ROUNDING * lengths.max())
    vectors = SPREAD * np.sqrt(size) * vectors[known] / lengths[known, None]
    learned = dict(zip(known.tolist(), vectors, strict=True))
    return WordVectors(*filled(learned, data.vocabulary, size, seed), data.vocabulary)


def _neighbours(data: SequenceData, window: int) -> Any:
    """Return how often words stand near each other, nearer ones counting more: (word, word)."""
    from scipy.sparse import coo_array

    number = len(data.vocabulary)
    special = special_ids(data.vocabulary)
    tokens = np.asarray(data.tokens)
    counts = coo_array((number, number)).tocsr()
    for distance in range(1, window + 1):
        first, second = tokens[:, :-distance], tokens[:, distance:]
        known = data.mask[:, :-distance] & data.mask[:, distance:]
        known &= ~np.isin(first, special) & ~np.isin(second, special)
        weight = np.full(known.sum(), (window + 1 - distance) / window)
        pairs = coo_array((weight, (first[known], second[known])), shape=(number, number)).tocsr()
        counts += pairs + pairs.T
    return counts


def positive_information(counts: Any) -> Any:
    """Return the positive pointwise mutual information of counts, sparse (word, neighbour).

    Parameters
    ----------
    counts : sparse array (word, neighbour)
        How often they stand near each other.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> positive_information(csr_array([[0.0, 4.0], [4.0, 8.0]])).toarray().round(2).tolist()
    [[0.0, 0.36], [0.09, 0.0]]
    """
    from scipy.sparse import csr_array

    cells = counts.tocoo()
    words, neighbours = counts.sum(axis=1), counts.sum(axis=0) ** SMOOTHING
    total = words.sum()
    chance = words[cells.row] / total * neighbours[cells.col] / neighbours.sum()
    information = np.log(cells.data / total / chance)
    positive = information > 0
    places = cells.row[positive], cells.col[positive]
    return csr_array((information[positive], places), shape=counts.shape)


def _check(data: SequenceData, size: int, window: int, seed: int) -> None:
    check_data(data=data)
    check_whole(least=1, remedy="64 numbers and 5 words are usual.", size=size, window=window)
    check_whole(seed=seed)
    if data.tokens is None or not data.vocabulary:
        raise ValueError(
            "Expected texts with a vocabulary; received other data. Make them with "
            "lx.SequenceData.from_texts."
        )
    if size >= len(data.vocabulary):
        raise ValueError(
            f"Expected fewer numbers per word than the vocabulary has words, "
            f"{len(data.vocabulary)}; received size={size}. Try "
            f"size={max(1, len(data.vocabulary) // 4)}."
        )
