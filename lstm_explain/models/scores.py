"""Scores of predictions, alike for models and baselines: intervals, groups and calibration too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from ..arguments import as_numbers, check_whole
from ..intervals import bootstrap_interval, check_draws, share_interval
from ..sequences.data import SequenceData, check_data

# How far probabilities may exceed 1, or their sum differ from 1: float32 in a model's output.
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
        predicted = predictions.argmax(axis=1)
    else:
        predicted = (predictions >= 0.5).astype(int)
    scores = {
        "accuracy": float(metrics.accuracy_score(target, predicted)),
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
    predictions = as_numbers(predictions, "predictions")
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
    check_data(data=data)
    if data.target is None:
        raise ValueError(
            "Expected data with a target to score; received none. Give target=... when making it."
        )
    if len(data) == 0:
        raise ValueError("Expected at least one sample to score; received none. Check the slice.")
    return data.target


def reliability(data: SequenceData, probabilities: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Compare predicted probabilities with what happened, in bins of equally many samples.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted, with a target of two classes.
    probabilities : array (sample,) or (sample, 1)
        Of the second class.
    bins : int
        Equally many samples each, from the lowest probability to the highest: at a rare outcome,
        bins of equal width would leave most of them nearly empty. Equal probabilities stay in one
        bin, so there may be fewer.

    Returns
    -------
    DataFrame
        One row per bin: `predicted` (mean), `observed` (share of the second class), `count`, and
        `low` and `high`, the 95 % interval of `observed` (Wilson 1927).

    Raises
    ------
    ValueError
        A target that is not two classes, more bins than samples, or no probabilities.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> reliability(data, np.array([0.1, 0.2, 0.3, 0.8]), bins=2)["observed"].tolist()
    [0.0, 0.5]
    """
    target, probabilities = binary_target(data, probabilities)
    check_whole(least=1, most=len(target), remedy="Samples are the most bins.", bins=bins)
    order = np.argsort(probabilities, kind="stable")
    ends = np.cumsum([len(part) for part in np.array_split(order, bins)])
    # Equal probabilities stay together: which of them come first says nothing.
    ends = np.unique(np.searchsorted(probabilities[order], probabilities[order][ends - 1], "right"))
    rows = []
    for part in np.split(order, ends[:-1]):
        low, high = share_interval(int(target[part].sum()), len(part))
        predicted, observed = float(probabilities[part].mean()), float(target[part].mean())
        rows.append((predicted, observed, len(part), low, high))
    columns = ["predicted", "observed", "count", "low", "high"]
    return pd.DataFrame(rows, columns=columns).rename_axis("bin")


def calibration_error(data: SequenceData, probabilities: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error: mean |predicted - observed| over the bins.

    By chance alone it is above 0: with n samples per bin by about the mean of
    ``0.8 * sqrt(p (1 - p) / n)``.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning"; bins of equal counts as in Nguyen and O'Connor (2015), arXiv:1508.05154.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> calibration_error(data, np.array([0.25, 0.25, 0.25, 0.25]), bins=1)
    0.0
    """
    table = reliability(data, probabilities, bins)
    return float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["count"]))


def score_with_interval(
    data: SequenceData, predictions: np.ndarray, draws: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Score predictions, with 95 % intervals by resampling the samples.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted.
    predictions : array (sample,) or (sample, class)
        Values, probabilities of the second of two classes, or probabilities of all classes.
    draws, seed : int
        Bootstrap samples, and the seed of drawing them.

    Returns
    -------
    DataFrame
        One row per score: `value`, `low`, `high`.

    References
    ----------
    Efron (1979), "Bootstrap methods: another look at the jackknife"; percentile intervals.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [1.0, 2.0, 3.0, 4.0])
    >>> score_with_interval(data, np.array([1.0, 2.0, 3.0, 4.0])).loc["rmse", "high"]
    np.float64(0.0)
    """
    check_data(data=data)
    predictions = as_numbers(predictions, "predictions")

    def scores(rows: np.ndarray | slice) -> dict[str, float]:
        return score(data[rows], predictions[rows])

    return _with_intervals(scores, len(data), draws, seed)


def score_difference(
    data: SequenceData,
    predictions: np.ndarray,
    baseline: np.ndarray,
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the scores of predictions with those of a baseline on the same samples.

    Both are resampled together. Two separate intervals that overlap say little, because the same
    samples are hard for both.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted.
    predictions : array (sample,) or (sample, class)
        Values, probabilities of the second of two classes, or probabilities of all classes.
    baseline : array
        Other predictions of the same samples.
    draws, seed : int
        Bootstrap samples, and the seed of drawing them.

    Returns
    -------
    DataFrame
        One row per score: `value` (predictions minus baseline), `low`, `high`.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [1.0, 2.0, 3.0, 4.0])
    >>> worse = np.array([1.0, 2.0, 3.0, 5.0])
    >>> score_difference(data, worse, np.array([1.0, 2.0, 3.0, 4.0])).loc["mae", "value"]
    np.float64(0.25)
    """
    check_data(data=data)
    predictions = as_numbers(predictions, "predictions")
    baseline = as_numbers(baseline, "baseline")

    def difference(rows: np.ndarray | slice) -> dict[str, float]:
        scores = score(data[rows], predictions[rows])
        of_baseline = score(data[rows], baseline[rows])
        return {name: value - of_baseline[name] for name, value in scores.items()}

    return _with_intervals(difference, len(data), draws, seed)


def _with_intervals(
    scores: Callable[[np.ndarray | slice], dict[str, float]], count: int, draws: int, seed: int
) -> pd.DataFrame:
    """Return the scores of all samples, each with its bootstrap interval."""
    check_draws(draws, seed)
    values = scores(slice(None))

    def resampled(rows: np.ndarray) -> list[float]:
        drawn = scores(rows)
        return [drawn.get(name, np.nan) for name in values]  # one class alone has no AUROC

    low, high = bootstrap_interval(resampled, count, draws, seed)
    return pd.DataFrame({"value": values, "low": low, "high": high}, index=list(values))


def binary_target(data: SequenceData, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a target of two classes and the probabilities of the second, or say what is wrong."""
    check_data(data=data)
    if data.target is None:
        raise ValueError(
            "Expected data with a target to compare with; received none. Give target=... when "
            "making it."
        )
    if data.task != "binary":
        raise ValueError(
            f"Expected data with a target of two classes; received a {data.task} target. Look at "
            "several classes one at a time."
        )
    score(data, probabilities)  # its checks: shape, finite, from 0 to 1
    return data.target, np.asarray(probabilities, float).reshape(len(data)).clip(0, 1)


def score_by_group(
    data: SequenceData,
    probabilities: np.ndarray,
    groups: Mapping[str, np.ndarray],
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Say how well the samples of each group are ranked and calibrated, with intervals.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted, with two classes.
    probabilities : array (sample,)
        Of the second class.
    groups : mapping of name to bool array (sample,)
        Groups may overlap.
    draws, seed : int
        Bootstrap samples, and the seed of drawing them.

    Returns
    -------
    DataFrame
        One row per group: `count`, `events`, `observed` and `predicted` shares of the second
        class, `difference` (predicted minus observed) and `auroc`, each with its 95 % interval.
        The AUROC is NaN where a group has one class only. The interval of the difference comes from
        that of the observed share (Wilson 1927), which is wide for few samples without an event.

    Raises
    ------
    ValueError
        A group is not a bool array over the samples, or has no member.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> score_by_group(data, np.array([0.1, 0.2, 0.3, 0.8]), {"all": np.ones(4, bool)})["auroc"]
    all    1.0
    Name: auroc, dtype: float64
    """
    target, probabilities = binary_target(data, probabilities)
    rows = {}
    for name, members in checked_groups(groups, len(target)).items():
        rows[name] = _one_group(target[members], probabilities[members], draws, seed)
    return pd.DataFrame(rows).T.astype({"count": int, "events": int})


def checked_groups(groups: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """Return the groups as bool arrays (count,), or say which one does not fit."""
    if not isinstance(groups, Mapping) or not groups:
        raise ValueError(
            "Expected at least one group, as a mapping of name to bool array; received "
            f"{groups!r}. For example {{'old': age >= 65}}."
        )
    checked = {name: np.asarray(members) for name, members in groups.items()}
    for name, members in checked.items():
        if members.shape != (count,) or members.dtype != bool:
            raise ValueError(
                f"Expected a bool array of {count} samples for the group "
                f"{name!r}; received {members.dtype} of shape {members.shape}. Compare a column of "
                "display_static, of the same samples, with a bound."
            )
        if not members.any():
            raise ValueError(
                f"Expected some of the {count} samples in the group {name!r}; received none. Check "
                "the bound that makes the group."
            )
    return checked


def _one_group(
    target: np.ndarray, probabilities: np.ndarray, draws: int, seed: int
) -> dict[str, float]:
    low, high = bootstrap_interval(
        lambda index: [_auroc(target[index], probabilities[index])], len(target), draws, seed
    )
    observed, predicted = float(target.mean()), float(probabilities.mean())
    least, most = share_interval(int(target.sum()), len(target))
    return {
        "count": len(target),
        "events": int(target.sum()),
        "observed": observed,
        "predicted": predicted,
        "difference": predicted - observed,
        "difference_low": predicted - most,
        "difference_high": predicted - least,
        "auroc": _auroc(target, probabilities),
        "auroc_low": low[0],
        "auroc_high": high[0],
    }


def _auroc(target: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of pairs that are in the right order, ties counting half.

    The bootstrap calls this often: scikit-learn's function, with the same result, takes ten times
    as long.
    """
    events = int(target.sum())
    if events in (0, len(target)):
        return float("nan")
    ranks = pd.Series(probabilities).rank().to_numpy()
    above = ranks[target == 1].sum() - events * (events + 1) / 2
    return float(above / (events * (len(target) - events)))
