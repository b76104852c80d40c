"""The linear part of a model, fitted before training: the LSTM learns the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import keras
from ..sequences.data import SequenceData
from ..sequences.words import special_ids
from .layers import SumOfFirst, TrailingMeans
from .summaries import MeasuredSummaries

# Inverse weight of the squared coefficients, as scikit-learn counts it. On PhysioNet 2012, set A,
# five-fold cross-validation is flat around it.
PENALTY = 0.005


def trailing_means_path(
    data: SequenceData, features: Sequence[str], spans: Sequence[int], values: Any, mask: Any
) -> Any:
    """Return a least-squares forecast from means over the last steps, (sample, 1)."""
    positions = [data.feature_names.index(name) for name in features]
    summary = TrailingMeans(positions, spans, name="trailing_means")
    linear = keras.layers.Dense(1, trainable=False, name="linear_path")
    margin = linear(summary(values, mask=mask))
    train = training_part(data)
    means = np.asarray(keras.ops.convert_to_numpy(summary(train.values, mask=train.mask)))
    target = np.asarray(train.target, np.float64)
    target = (target - target.mean()) / (target.std() or 1.0)
    columns = np.column_stack([means.astype(np.float64), np.ones(len(means))])
    solution = np.linalg.lstsq(columns, target, rcond=None)[0]
    linear.set_weights([solution[:-1, None], solution[-1:]])
    return margin


def summaries_path(
    data: SequenceData, times_static: str | None, values: Any, mask: Any, static: Any
) -> Any:
    """Return the log-odds of a logistic regression on `MeasuredSummaries`, (sample, 1)."""
    from sklearn.linear_model import LogisticRegression

    position = None if times_static is None else data.static_names.index(times_static)
    train = training_part(data)
    summary = MeasuredSummaries(times_static=position, name="summaries")
    summary.adapt(train.values, train.mask)
    linear = keras.layers.Dense(1, trainable=False, name="linear_path")
    margin = linear(summary(values, mask=mask, static=static))
    parts = [
        keras.ops.convert_to_numpy(summary(part.values, mask=part.mask, static=part.static))
        for part in (train[start : start + 512] for start in range(0, len(train), 512))
    ]
    fitted = LogisticRegression(C=PENALTY, max_iter=1000).fit(np.concatenate(parts), train.target)
    linear.set_weights([fitted.coef_.T, fitted.intercept_])
    return margin


def word_ratios(data: SequenceData) -> np.ndarray:
    """Return how much each word speaks for the second class, in training texts: (word,).

    The log of the word's share among the words of positive texts over its share among those of
    negative ones; a word counts once per text, and each count starts at 1. 0 for "[PAD]" and
    "[UNK]".

    References
    ----------
    Wang and Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", equation 2 and section 3.3 (presence instead of counts).
    """
    counts = np.ones((2, len(data.vocabulary)))
    texts: Any = zip(data.tokens, data.mask, data.target, strict=True)  # type: ignore[arg-type]
    for tokens, real, positive in texts:
        counts[positive, np.unique(tokens[real])] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    ratios = np.log(shares[1] / shares[0])
    ratios[special_ids(data.vocabulary)] = 0
    return ratios


def word_ratios_path(data: SequenceData, vectors: Any, mask: Any, word_dropout: float) -> Any:
    """Return the log-odds of a naive Bayes classifier whose ratios stand first in the vectors.

    Both the ratios and their weight are learned on. The weight begins where texts of one half,
    judged by ratios counted in the other, are best told apart: in its own half a ratio promises
    too much.
    """
    from sklearn.linear_model import LogisticRegression

    train = training_part(data)
    half = _halves(np.asarray(train.target))
    sums = np.zeros(len(train))
    for part in (0, 1):
        ratios = word_ratios(train[half != part])
        judged = train[half == part]
        sums[half == part] = (ratios[judged.tokens] * judged.mask).sum(axis=1)
    fitted = LogisticRegression(C=np.inf).fit(sums[:, None], train.target)
    linear = keras.layers.Dense(1, name="linear_path")
    total = SumOfFirst(word_dropout, name="sum_of_ratios")
    margin = linear(total(vectors, mask=mask))
    linear.set_weights([fitted.coef_, fitted.intercept_])
    return margin


def _halves(target: np.ndarray) -> np.ndarray:
    """Return 0 or 1 for each sample, at random, so that each half has as much of every class."""
    half = np.zeros(len(target), int)
    random = np.random.default_rng(0)
    for label in np.unique(target):
        rows = random.permutation(np.flatnonzero(target == label))
        half[rows] = np.arange(len(rows)) % 2
    return half


def training_part(data: SequenceData) -> SequenceData:
    """Return what may be learned from: the training part, or all of it where there is no split."""
    return data if data.split is None else data.train
