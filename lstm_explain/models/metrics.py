"""The scores themselves, from numbers that were checked before.

The bootstrap computes each of them hundreds of times: scikit-learn's functions, whose results these
are, take ten to a hundred times as long, most of it for checks.
"""

from __future__ import annotations

import numpy as np
from scipy import stats


def rmse(target: np.ndarray, predictions: np.ndarray) -> float:
    """Return the root of the mean squared error, in units of the target."""
    return float(np.sqrt(np.mean((predictions - target) ** 2)))


def mae(target: np.ndarray, predictions: np.ndarray) -> float:
    """Return the mean absolute error, in units of the target."""
    return float(np.abs(predictions - target).mean())


def r2(target: np.ndarray, predictions: np.ndarray) -> float:
    """Return the mean of the targets' R2; NaN where one is constant: it has nothing to explain."""
    if not np.all(np.ptp(target, axis=0) > 0):
        return float("nan")
    left = ((target - predictions) ** 2).mean(axis=0)
    return float(np.mean(1 - left / target.var(axis=0, dtype=float)))


def correct(target: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Tell of which samples the class that is predicted is the true one."""
    predicted = chances >= 0.5 if chances.ndim == 1 else chances.argmax(axis=1)
    return np.asarray(predicted == target)


def accuracy(target: np.ndarray, chances: np.ndarray) -> float:
    """Return the share of samples whose predicted class is the true one."""
    return float(correct(target, chances).mean())


def log_loss(target: np.ndarray, chances: np.ndarray) -> float:
    """Return the mean cross entropy in nats, of classes or of answers to yes-or-no questions."""
    if chances.ndim > target.ndim:
        of_true = np.take_along_axis(chances, target[:, None], axis=1)
    else:
        of_true = np.where(target == 1, chances, 1 - chances)
    return float(-np.log(of_true.clip(np.finfo(float).eps, 1)).mean())


def auroc(target: np.ndarray, chances: np.ndarray) -> float:
    """Return the share of pairs that are in the right order, ties counting half.

    NaN where one of the two classes is missing.
    """
    events = int(target.sum())
    if events in (0, len(target)):
        return float("nan")
    ranks = stats.rankdata(chances)
    above = ranks[target == 1].sum() - events * (events + 1) / 2
    return float(above / (events * (len(target) - events)))


def auprc(target: np.ndarray, chances: np.ndarray) -> float:
    """Return the average precision: the mean precision at the events, those of one value together.

    NaN where there is no event.
    """
    order = np.argsort(-chances, kind="stable")
    # Samples with one chance are told apart by nothing: the last of them stands for all.
    last = np.flatnonzero(np.append(np.diff(chances[order]) != 0, True))
    events = np.cumsum(target[order])[last]
    if not events[-1]:
        return float("nan")
    return float(np.diff(events, prepend=0) @ (events / (last + 1)) / events[-1])
