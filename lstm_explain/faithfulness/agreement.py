"""How far two rankings agree: Kendall's tau and Spearman's rho, sample by sample."""

from __future__ import annotations

import numpy as np
import pandas as pd


def kendall(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of two arrays (sample, item), over the known items of each sample.

    1 is the same order, 0 none, -1 the opposite; NaN where one of the two is constant.

    References
    ----------
    Kendall (1945), "The treatment of ties in ranking problems", Biometrika 33.

    Examples
    --------
    >>> numbers = np.array([[1.0, 2.0, 3.0, 9.0]])
    >>> kendall(numbers, numbers**2, numbers < 5).tolist()
    [1.0]
    """
    result = np.full(len(one), np.nan)
    for row in range(len(one)):
        a, b = (part[row, known[row]] for part in (one, other))
        pairs = np.triu_indices(len(a), 1)
        first, second = (np.sign(np.subtract.outer(part, part)[pairs]) for part in (a, b))
        size = np.sqrt((first != 0).sum() * (second != 0).sum())
        if size > 0:
            result[row] = (first * second).sum() / size
    return result


def spearman(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of two arrays (sample, item), over known items.

    Equal numbers share their mean rank. NaN where one of the two is constant.

    Examples
    --------
    >>> numbers = np.array([[1.0, 2.0, 3.0]])
    >>> spearman(numbers, -(numbers**3), numbers > 0).tolist()
    [-1.0]
    """
    ranks = [
        pd.DataFrame(np.where(known, part, np.nan)).rank(axis=1).to_numpy() for part in (one, other)
    ]
    number = np.maximum(known.sum(axis=1, keepdims=True), 1)
    a, b = (np.where(known, part - np.nansum(part, 1, keepdims=True) / number, 0) for part in ranks)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    product = (a * b).sum(axis=1)
    return np.where(size > 0, product / np.where(size > 0, size, 1), np.nan)
