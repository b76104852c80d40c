"""Scores of predictions, with the same definition for models and baselines."""

from __future__ import annotations

import numpy as np

from ..sequences.data import SequenceData

_ROUNDING = 1e-3


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

    Raises
    ------
    ValueError
        Predictions of another shape, not finite, or no probabilities where those are needed.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((2, 3, 1)), [1.0, 3.0])
    >>> score(data, np.array([1.0, 2.0]))["r2"]
    0.5
    """
    from sklearn import metrics

    target = _target(data)
    predictions = _checked(data, predictions)
    if data.task == "regression":
        scores = {
            "rmse": float(metrics.root_mean_squared_error(target, predictions)),
            "mae": float(metrics.mean_absolute_error(target, predictions)),
        }
        if len(target) > 1:
            scores["r2"] = float(metrics.r2_score(target, predictions))
        return scores
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


def _checked(data: SequenceData, predictions: np.ndarray) -> np.ndarray:
    """Return predictions as float64 (sample,) or (sample, class), or say what is wrong."""
    predictions = np.asarray(predictions, dtype=np.float64)
    shape: tuple[int, ...] = (len(data),)
    if data.task == "multiclass":
        shape = (len(data), len(data.class_names))
    elif predictions.shape == (len(data), 1):
        predictions = predictions[:, 0]
    if predictions.shape != shape:
        what = {
            "regression": "one number per sample",
            "binary": "one probability per sample, of the second class",
            "multiclass": "one probability per sample and class",
        }[data.task]
        raise ValueError(
            f"Expected predictions of shape {shape}; received {predictions.shape}. Give {what}."
        )
    if not np.isfinite(predictions).all():
        raise ValueError(
            f"Expected finite predictions; received {int((~np.isfinite(predictions)).sum())} that "
            "are NaN or infinite. If training diverged, use a lower learning_rate."
        )
    if data.task == "regression":
        return predictions
    if predictions.min() < 0 or predictions.max() > 1 + _ROUNDING:
        raise ValueError(
            f"Expected probabilities from 0 to 1; received {predictions.min():.3g} to "
            f"{predictions.max():.3g}. End the model with a sigmoid or softmax."
        )
    if data.task == "binary":
        return predictions.clip(0, 1)
    sums = predictions.sum(axis=1, keepdims=True)
    if np.abs(sums - 1).max() > _ROUNDING:
        raise ValueError(
            f"Expected probabilities that add up to 1 for each sample; received sums from "
            f"{sums.min():.3g} to {sums.max():.3g}. End the model with a softmax."
        )
    return predictions / sums  # float32 sums are 1 to seven digits only


def _target(data: SequenceData) -> np.ndarray:
    if data.target is None:
        raise ValueError(
            "Expected data with a target to score; received none. Give target=... when making it."
        )
    if len(data) == 0:
        raise ValueError("Expected at least one sample to score; received none. Check the slice.")
    return data.target
