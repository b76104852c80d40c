"""Scores of predictions, alike for models and baselines, with intervals, also of groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from ..arguments import as_numbers
from ..intervals import bootstrap_interval, share_interval
from ..sequences.data import SequenceData, check_data
from ..sequences.splitting import groups_alike
from ..sequences.targets import check_one_target
from . import metrics

# How far probabilities may exceed 1, or their sum differ from 1: float32 in a model's output.
_ROUNDING = 1e-3
# Scales without bounds, on which scores spread evenly, and the way back to what is possible.
Scales = Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]]
SCALES: Scales = {
    **dict.fromkeys(("accuracy", "auroc", "auprc"), (logit, expit)),
    **dict.fromkeys(("rmse", "mae", "log_loss"), (np.log, np.exp)),
    "r2": (float, lambda end: np.minimum(end, 1)),
}
DIFFERENCES: Scales = dict.fromkeys(
    ("accuracy", "auroc", "auprc"), (float, lambda end: np.clip(end, -1, 1))
)


def score(data: SequenceData, predictions: np.ndarray) -> dict[str, float]:
    """Score predictions of a data part's target.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted.
    predictions : array (sample,), (sample, class) or (sample, target)
        Values for regression, probability of the second class for binary targets, probabilities
        of all classes for more; of several targets a column each.

    Returns
    -------
    dict
        Regression: ``rmse`` and ``mae`` in units of the target, ``r2`` (1 is perfect, 0 is the
        test mean). Classes: ``accuracy``, ``log_loss`` in nats; binary also ``auroc``, ``auprc``.
        Of several targets the mean of each score that all of them have, then those of each, such
        as ``rmse of day 1``.

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
    target = _target(data)
    predictions = as_predictions(data, predictions)
    if data.target_names:
        each = {
            name: score(data.for_target(name), column)
            for name, column in zip(data.target_names, predictions.T, strict=True)
        }
        shared = [n for n in each[data.target_names[0]] if all(n in one for one in each.values())]
        return {n: float(np.mean([one[n] for one in each.values()])) for n in shared} | {
            f"{n} of {name}": value for name, one in each.items() for n, value in one.items()
        }
    if data.task == "regression":
        scores = {
            "rmse": metrics.rmse(target, predictions),
            "mae": metrics.mae(target, predictions),
        }
        explained = metrics.r2(target, predictions)
        return scores if np.isnan(explained) else scores | {"r2": explained}
    scores = {
        "accuracy": metrics.accuracy(target, predictions),
        "log_loss": metrics.log_loss(target, predictions),
    }
    if data.task == "binary" and len(np.unique(target)) == 2:
        scores["auroc"] = metrics.auroc(target, predictions)
        scores["auprc"] = metrics.auprc(target, predictions)
    return scores


def constant_baseline(data: SequenceData) -> np.ndarray:
    """Predict the test part by the training part's mean, or its share of each class."""
    target = _target(data.train)
    if data.task == "multiclass":
        shares = np.bincount(target, minlength=len(data.class_names)) / len(target)
        return np.tile(shares, (len(data.test), 1))
    return np.repeat(target.mean(axis=0, dtype=np.float64)[None], len(data.test), axis=0)


def as_predictions(data: SequenceData, predictions: np.ndarray) -> np.ndarray:
    """Return predictions as float64 (sample,) or (sample, class), or say what is wrong."""
    predictions = as_numbers(predictions, "predictions")
    shape: tuple[int, ...] = (len(data),)
    if data.target_names:
        shape = (len(data), len(data.target_names))
    elif data.task == "multiclass":
        shape = (len(data), len(data.class_names))
    elif predictions.shape == (len(data), 1):
        predictions = predictions[:, 0]
    if predictions.shape != shape:
        what = {
            "regression": "one number per sample",
            "binary": "one probability per sample, of the second class",
            "multiclass": "one probability per sample and class",
            "multilabel": f"one probability per sample for each of {list(data.target_names)}",
        }[data.task]
        if data.task == "regression" and data.target_names:
            what = f"one number per sample for each of {list(data.target_names)}"
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
            f"Expected probabilities from 0 to 1; received {predictions.min():.6g} to "
            f"{predictions.max():.6g}. End the model with a sigmoid or softmax."
        )
    if data.task in ("binary", "multilabel"):
        return predictions.clip(0, 1)
    sums = predictions.sum(axis=1, keepdims=True)
    if np.abs(sums - 1).max() > _ROUNDING:
        raise ValueError(
            f"Expected probabilities that add up to 1 for each sample; received sums from "
            f"{sums.min():.6g} to {sums.max():.6g}. End the model with a softmax."
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


def score_with_interval(
    data: SequenceData, predictions: np.ndarray, draws: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Score predictions, with 95 % intervals by resampling ids.

    Samples of one id (a patient, an author) are drawn together; windows of one series as up to 20
    stretches of it; without `ids` each sample alone, which is right only where none are alike. The
    interval is Student's, with the bootstrap's standard error, on a scale without bounds: log for
    errors, log-odds for ranking scores; `r2` as it is. Of the accuracy, a share, it is Wilson's.
    Ranking scores have as many degrees of freedom as there are ids with the rarer class, less one:
    their intervals are a little wide at five to ten events (96 to 98 %), and there is none below.

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
        One row per score: `value`, `low`, `high`; NaN where it is perfect, or all are of one id.
        Of several targets the rows of each, such as `rmse of day 1`, and no mean.

    References
    ----------
    Efron and Tibshirani (1993), "An introduction to the bootstrap", section 12.4. Field and Welsh
    (2007), "Bootstrapping clustered data", JRSS B 69.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [1.0, 2.0, 3.0, 4.0])
    >>> table = score_with_interval(data, np.array([1.5, 2.5, 3.5, 4.5]))
    >>> table.loc["rmse"].round(6).tolist()  # all errors are alike
    [0.5, 0.5, 0.5]
    """
    check_data(data=data)
    if data.target_names:
        return _of_each_target(score_with_interval, data, predictions, draws=draws, seed=seed)
    predictions, alike = as_numbers(predictions, "predictions"), groups_alike(data)

    def scores(rows: np.ndarray | slice) -> dict[str, float]:
        return score(data[rows], predictions[rows])

    table = with_intervals(scores, _target(data), alike, draws, seed)
    if "accuracy" in table.index:
        right = metrics.correct(_target(data), as_predictions(data, predictions))
        table.loc["accuracy", ["low", "high"]] = share_interval(right, alike)
    return table


def score_difference(
    data: SequenceData,
    predictions: np.ndarray,
    baseline: np.ndarray,
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the scores of predictions with those of a baseline on the same samples.

    Both are resampled together, as in `score_with_interval`: that two separate intervals overlap
    says little, because the same samples are hard for both.

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
    if data.target_names:
        both = predictions, baseline
        return _of_each_target(score_difference, data, *both, draws=draws, seed=seed)
    predictions = as_numbers(predictions, "predictions")
    baseline = as_numbers(baseline, "baseline")

    def difference(rows: np.ndarray | slice) -> dict[str, float]:
        scores = score(data[rows], predictions[rows])
        of_baseline = score(data[rows], baseline[rows])
        return {name: value - of_baseline[name] for name, value in scores.items()}

    alike = groups_alike(data)
    return with_intervals(difference, _target(data), alike, draws, seed, DIFFERENCES)


def _of_each_target(
    table: Callable[..., pd.DataFrame], data: SequenceData, *predictions: Any, **options: int
) -> pd.DataFrame:
    """Return the rows of a table of scores for each of several targets."""
    columns = [as_predictions(data, array).T for array in predictions]
    return pd.concat(
        table(data.for_target(name), *(array[at] for array in columns), **options).rename(
            index=lambda score, name=name: f"{score} of {name}"
        )
        for at, name in enumerate(data.target_names)
    )


def with_intervals(
    scores: Callable[[np.ndarray | slice], dict[str, float]],
    target: np.ndarray,
    alike: np.ndarray,
    draws: int,
    seed: int,
    scales: Scales = SCALES,
) -> pd.DataFrame:
    """Return the scores of all samples, each with its bootstrap interval."""
    values = scores(slice(None))
    telling = np.full(len(values), len(np.unique(alike)))
    # How well classes are told apart varies by the samples of the rarer one.
    ranked = [name in ("auroc", "auprc") for name in values]
    telling[ranked] = min(len(np.unique(alike[target == label])) for label in (0, 1))
    ways = [scales.get(name, (float, float)) for name in values]

    def resampled(rows: np.ndarray) -> list[float]:
        drawn = scores(rows)
        with np.errstate(divide="ignore"):
            scaled = [to(drawn.get(n, np.nan)) for n, (to, _) in zip(values, ways, strict=True)]
        # One class alone has no AUROC, and a perfect score no place on its scale.
        return [float(number) if np.isfinite(number) else np.nan for number in scaled]

    ends = bootstrap_interval(resampled, alike, draws, seed, telling)
    low, high = ([float(to(end)) for (_, to), end in zip(ways, side, strict=True)] for side in ends)
    return pd.DataFrame({"value": values, "low": low, "high": high}, index=list(values))


def binary_target(data: SequenceData, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a target of two classes and the probabilities of the second, or say what is wrong."""
    check_data(data=data)
    if data.target is None:
        raise ValueError(
            "Expected data with a target to compare with; received none. Give target=... when "
            "making it."
        )
    check_one_target(data)
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
        Samples of one id are drawn together and count as fewer, as in `score_with_interval`.

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
    rows, alike = {}, groups_alike(data)
    for name, of in checked_groups(groups, len(target)).items():
        rows[name] = _one_group(target[of], probabilities[of], alike[of], draws, seed)
    return pd.DataFrame(rows).T.astype({"count": int, "events": int})


def checked_groups(groups: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """Return the groups as bool arrays (count,), or say which one does not fit."""
    if not isinstance(groups, Mapping) or not groups:
        raise ValueError(
            f"Expected at least one group, as a mapping of name to bool array; received {groups!r}."
            " For example {'old': age >= 65}."
        )
    checked = {name: np.asarray(members) for name, members in groups.items()}
    for name, members in checked.items():
        if members.shape != (count,) or members.dtype != bool:
            raise ValueError(
                f"Expected a bool array of {count} samples for the group {name!r}; received "
                f"{members.dtype} {members.shape}. Compare a column of display_static with a bound."
            )
        if not members.any():
            raise ValueError(
                f"Expected some of the {count} samples in the group {name!r}; received none. Check "
                "the bound that makes the group."
            )
    return checked


def _one_group(
    target: np.ndarray, probabilities: np.ndarray, alike: np.ndarray, draws: int, seed: int
) -> dict[str, float]:
    auroc = with_intervals(
        lambda rows: {"auroc": metrics.auroc(target[rows], probabilities[rows])},
        target,
        alike,
        draws,
        seed,
    ).loc["auroc"]
    observed, predicted = float(target.mean()), float(probabilities.mean())
    least, most = share_interval(target, alike)
    return {
        "count": len(target),
        "events": int(target.sum()),
        "observed": observed,
        "predicted": predicted,
        "difference": predicted - observed,
        "difference_low": predicted - most,
        "difference_high": predicted - least,
        "auroc": auroc["value"],
        "auroc_low": auroc["low"],
        "auroc_high": auroc["high"],
    }
