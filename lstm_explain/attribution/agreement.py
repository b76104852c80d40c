"""Do two explanations agree? Rank correlations of their values, sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import kendalltau, spearmanr

from .explanation import Explanation


def rank_agreement(one: Explanation, other: Explanation) -> dict[str, float]:
    """Return the mean over samples of Spearman's rank correlation of two explanations' values.

    By `cell`, and summed by `variable` and by `time`; by `time` alone for texts. Padded steps do
    not count, nor samples with fewer than three numbers: two are always in order or not.
    """
    real, both = one.mask.values, [e.values.values for e in (one, other)]
    views = {"time": (both, real)}
    if "feature" in one.values.dims:
        cells = [values.reshape(len(values), -1) for values in both]
        features = [values.sum(axis=1) for values in both]
        views = {
            "cell": (cells, np.repeat(real, both[0].shape[2], axis=1)),
            "variable": (features, np.ones(features[0].shape, bool)),
            "time": ([values.sum(axis=2) for values in both], real),
        }
    correlations = {}
    for name, ((first, second), known) in views.items():
        each = spearman(first, second, known & (known.sum(axis=1, keepdims=True) > 2))
        known_samples = each[np.isfinite(each)]
        correlations[name] = float(known_samples.mean()) if len(known_samples) else float("nan")
    return correlations


def kendall(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of two arrays (sample, item), over the known items of each sample.

    1 is the same order, 0 none, -1 the opposite; NaN where one of the two is constant.

    Examples
    --------
    >>> numbers = np.array([[1.0, 2.0, 3.0, 9.0]])
    >>> kendall(numbers, numbers**2, numbers < 5).tolist()
    [1.0]
    """
    return _by_sample(kendalltau, one, other, known)


def spearman(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of two arrays (sample, item), over known items.

    Equal numbers share their mean rank. NaN where one of the two is constant.

    Examples
    --------
    >>> numbers = np.array([[1.0, 2.0, 3.0]])
    >>> spearman(numbers, -(numbers**3), numbers > 0).tolist()
    [-1.0]
    """
    return _by_sample(spearmanr, one, other, known)


def _by_sample(
    correlation: Callable[..., Any], one: np.ndarray, other: np.ndarray, known: np.ndarray
) -> np.ndarray:
    result = np.full(len(one), np.nan)
    for row, items in enumerate(known):
        pair = one[row, items], other[row, items]
        if all(len(np.unique(numbers)) > 1 for numbers in pair):  # else SciPy warns
            result[row] = correlation(*pair).statistic
    return result
