"""Penalised linear and logistic regressions: of baselines, and of the linear path of a model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, softmax

from ..sequences.data import SequenceData

# Usual penalties to choose from: see `fit_regression`.
PENALTIES: Sequence[float] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4)
# The probability of a class that the training part lacks.
_NO_CHANCE = 1e-4


class Regression(NamedTuple):
    """Coefficients of a regression, of numbers in standard deviations from their training mean.

    Attributes
    ----------
    kernel : array (output, column)
    bias : array (output,)
    """

    kernel: np.ndarray
    bias: np.ndarray

    def margins(self, columns: Any) -> np.ndarray:
        """Return (sample, output): numbers, or log-odds of classes."""
        return np.asarray(columns @ self.kernel.T + self.bias)

    def predict(self, data: SequenceData, columns: Any) -> np.ndarray:
        """Return predictions of a part of the data's kind, as `score` takes them."""
        margins = self.margins(columns)
        if data.task == "multiclass":
            return softmax(margins, axis=1)
        target = _target_of(data)
        if data.task == "regression":
            predictions = margins * deviations(target) + target.mean(axis=0, dtype=float)
        else:
            predictions = expit(margins)
        return predictions if data.target_names else predictions[:, 0]


def fit_regression(data: SequenceData, columns: Any, penalty: float) -> Regression:
    """Fit a linear regression of numbers, a logistic one of classes, one for each target.

    Parameters
    ----------
    data : SequenceData
        Its training part gives the target.
    columns : array or sparse matrix (training sample, column)
    penalty : float
        Weight of half of the squared coefficients beside the mean loss of a sample, which is the
        log loss, or half of the squared error.
    """
    from sklearn.linear_model import Ridge

    target = _target_of(data)
    if data.task == "regression":
        solver = "auto" if penalty else "svd"  # which no columns that depend on each other stop
        fit = Ridge(penalty * len(target), solver=solver).fit(columns, _scaled(target, target))
        return Regression(np.atleast_2d(fit.coef_), np.atleast_1d(fit.intercept_))
    each = target.T if data.task == "multilabel" else target[None]
    count = max(len(data.class_names), 2)
    fits = [_logistic(columns, labels, count, penalty) for labels in each]
    if data.task != "multiclass":
        # One number for the second of two classes: how far it is above the first.
        fits = [Regression(np.diff(fit.kernel, axis=0), np.diff(fit.bias)) for fit in fits]
    return Regression(*(np.concatenate(parts) for parts in zip(*fits, strict=True)))


def choose_regression(
    data: SequenceData, columns: Any, validation_columns: Any, penalties: Sequence[float]
) -> Regression:
    """Fit one for each penalty; return that with the lowest loss on the validation part."""
    true = _target_of(data, "validation")
    fits = [fit_regression(data, columns, penalty) for penalty in penalties]
    return min(fits, key=lambda fit: _loss(data, fit.margins(validation_columns), true))


def _logistic(columns: Any, labels: np.ndarray, num_classes: int, penalty: float) -> Regression:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    kernel = np.zeros((num_classes, columns.shape[1]))
    bias = np.full(num_classes, np.log(_NO_CHANCE))
    classes = np.unique(labels)
    bias[classes] = 0.0
    if len(classes) > 1:
        inverse = 1 / (penalty * len(labels)) if penalty else np.inf
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one that is worse is not chosen
            fit = LogisticRegression(C=inverse, solver="newton-cg", max_iter=200)
            fit.fit(columns, labels)
        two = len(classes) == 2
        kernel[classes] = np.concatenate([-fit.coef_, fit.coef_]) / 2 if two else fit.coef_
        halves = np.concatenate([-fit.intercept_, fit.intercept_]) / 2
        bias[classes] = halves if two else fit.intercept_
    return Regression(kernel, bias)


def _loss(data: SequenceData, margins: np.ndarray, true: np.ndarray) -> float:
    """Return the mean loss of margins (sample, output): squared, or the log loss."""
    if data.task == "regression":
        scaled = _scaled(true, _target_of(data))
        return float(np.mean((margins - scaled) ** 2))
    if data.task == "multiclass":
        return float(np.mean(logsumexp(margins, axis=1) - margins[np.arange(len(true)), true]))
    true = true.reshape(margins.shape)
    return float(np.mean(np.logaddexp(0, margins) - true * margins))


def _target_of(data: SequenceData, part: str = "train") -> np.ndarray:
    """Return the target of a part, without a copy of its sequences; all where there is no split."""
    target = np.asarray(data.target)
    return target if data.split is None else target[data.split == part]


def _scaled(target: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return a target in standard deviations from its training mean, (sample, output)."""
    scaled = (target - training.mean(axis=0, dtype=float)) / deviations(training)
    return scaled.reshape(len(target), -1)


def deviations(target: np.ndarray) -> np.ndarray:
    """Return the standard deviation of a target, of several each; 1 where it is constant."""
    deviation = np.std(target, axis=0)
    return np.where(deviation > 0, deviation, 1.0)
