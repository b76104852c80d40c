"""Scores of predictions, with the same definition for models and baselines."""

from __future__ import annotations

import numpy as np

from .sequences import SequenceData


def score(data: SequenceData, predictions: np.ndarray) -> dict[str, float]:
    """Score predictions of a data part's target.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted.
    predictions : array (sample,) or (sample, class)
        Values for regression, probability of the second class for binary targets, probabilities
        of all classes for more.

    Returns
    -------
    dict
        Regression: ``rmse`` and ``mae`` in units of the target, ``r2`` (1 is perfect, 0 is the
        test mean). Classes: ``accuracy``, ``log_loss`` in nats; binary also ``auroc``, ``auprc``.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((2, 3, 1)), [1.0, 3.0])
    >>> score(data, np.array([1.0, 2.0]))["r2"]
    0.5
    """
    from sklearn import metrics

    target = _target(data)
    predictions = np.asarray(predictions, dtype=np.float64)
    if data.task != "multiclass":
        predictions = predictions.reshape(len(target))
    if data.task == "regression":
        return {
            "rmse": float(metrics.root_mean_squared_error(target, predictions)),
            "mae": float(metrics.mean_absolute_error(target, predictions)),
            "r2": float(metrics.r2_score(target, predictions)),
        }
    labels = np.arange(len(data.class_names))
    if data.task == "multiclass":
        chosen = predictions.argmax(axis=1)
    else:
        chosen = (predictions >= 0.5).astype(int)
    scores = {
        "accuracy": float(metrics.accuracy_score(target, chosen)),
        "log_loss": float(metrics.log_loss(target, predictions, labels=labels)),
    }
    if data.task == "binary" and len(np.unique(target)) == 2:
        scores["auroc"] = float(metrics.roc_auc_score(target, predictions))
        scores["auprc"] = float(metrics.average_precision_score(target, predictions))
    return scores


def constant_baseline(data: SequenceData) -> np.ndarray:
    """Predict the test part by the training part's mean, or its share of each class."""
    target = _target(data.train)
    if data.task == "multiclass":
        shares = np.bincount(target, minlength=len(data.class_names)) / len(target)
        return np.tile(shares, (len(data.test), 1))
    return np.full(len(data.test), target.mean(dtype=np.float64))


def _target(data: SequenceData) -> np.ndarray:
    if data.target is None:
        raise ValueError(
            "Expected data with a target to score; received none. Give target=... when making it."
        )
    return data.target
