"""How good predicted probabilities are, with intervals: calibrated or not, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from .metrics import score
from .sequences import SequenceData

# The normal quantile of a two-sided 95 % interval.
_QUANTILE = 1.959964


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
        bins of equal width would leave most of them nearly empty.

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
    target, probabilities = _binary(data, probabilities)
    if not 1 <= bins <= len(target):
        raise ValueError(f"Expected 1 to {len(target)} bins, as many as samples; received {bins}.")
    order = np.argsort(probabilities, kind="stable")
    rows = []
    for part in np.array_split(order, bins):
        count, observed = len(part), float(target[part].mean())
        spread = _QUANTILE**2 / count
        middle = (observed + spread / 2) / (1 + spread)
        half = np.sqrt(observed * (1 - observed) * spread + spread**2 / 4) / (1 + spread)
        rows.append(
            {
                "predicted": float(probabilities[part].mean()),
                "observed": observed,
                "count": count,
                "low": max(0.0, middle - half),
                "high": min(1.0, middle + half),
            }
        )
    return pd.DataFrame(rows).rename_axis("bin")


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
    data, predictions : as in `lstm_explain.metrics.score`
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
    value = score(data, predictions)

    def scored(index: np.ndarray) -> list[float]:
        found = score(data[index], predictions[index])
        return [found.get(name, np.nan) for name in value]

    low, high = interval_of(scored, len(data), draws, seed)
    return pd.DataFrame({"value": value, "low": low, "high": high}, index=list(value))


def score_by_group(
    data: SequenceData,
    probabilities: np.ndarray,
    groups: Mapping[str, np.ndarray],
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Say how well each group of samples is served: ranked and calibrated, with intervals.

    Parameters
    ----------
    data, probabilities : as in `reliability`
    groups : mapping of name to bool array (sample,)
        Groups may overlap.
    draws, seed : int
        Bootstrap samples, and the seed of drawing them.

    Returns
    -------
    DataFrame
        One row per group: `count`, `events`, `observed` and `predicted` shares of the second
        class, and of their difference and the AUROC 95 % intervals; NaN where a group has one
        class only.

    Raises
    ------
    ValueError
        A group that is no bool array over the samples, or is empty.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> score_by_group(data, np.array([0.1, 0.2, 0.3, 0.8]), {"all": np.ones(4, bool)})["auroc"]
    all    1.0
    Name: auroc, dtype: float64
    """
    target, probabilities = _binary(data, probabilities)
    rows = {}
    for name, members in checked_groups(groups, len(target)).items():
        rows[name] = _one_group(target[members], probabilities[members], draws, seed)
    return pd.DataFrame(rows).T.astype({"count": int, "events": int})


def checked_groups(groups: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """Return the groups as bool arrays (count,), or say which one does not fit."""
    checked = {name: np.asarray(members) for name, members in groups.items()}
    for name, members in checked.items():
        if members.shape != (count,) or members.dtype != bool or not members.any():
            raise ValueError(
                f"Expected a bool array of {count} samples, some of them True, for the group "
                f"{name!r}; received {members.dtype} of shape {members.shape}. Compare a column of "
                "display_static, of the same samples, with a bound."
            )
    return checked


def interval_of(
    statistic: Callable[[np.ndarray], list[float]], count: int, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % bootstrap interval of numbers that `statistic` makes of sample positions."""
    rng = np.random.default_rng(seed)
    found = np.array([statistic(rng.integers(0, count, count)) for _ in range(draws)])
    # A draw without one of the classes has no AUROC.
    known = ~np.isnan(found).all(axis=0)
    low, high = np.full((2, found.shape[1]), np.nan)
    low[known], high[known] = np.nanquantile(found[:, known], [0.025, 0.975], axis=0)
    return low, high


def _one_group(
    target: np.ndarray, probabilities: np.ndarray, draws: int, seed: int
) -> dict[str, float]:
    def statistic(index: np.ndarray) -> list[float]:
        difference = probabilities[index].mean() - target[index].mean()
        return [_auroc(target[index], probabilities[index]), float(difference)]

    low, high = interval_of(statistic, len(target), draws, seed)
    return {
        "count": len(target),
        "events": int(target.sum()),
        "observed": float(target.mean()),
        "predicted": float(probabilities.mean()),
        "difference_low": low[1],
        "difference_high": high[1],
        "auroc": _auroc(target, probabilities),
        "auroc_low": low[0],
        "auroc_high": high[0],
    }


def _auroc(target: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of pairs that are in the right order, ties counting half."""
    events = int(target.sum())
    if events in (0, len(target)):
        return float("nan")
    ranks = pd.Series(probabilities).rank().to_numpy()
    above = ranks[target == 1].sum() - events * (events + 1) / 2
    return float(above / (events * (len(target) - events)))


def _binary(data: SequenceData, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if data.task != "binary" or data.target is None:
        raise ValueError(
            f"Expected data with a target of two classes; received a {data.task} target. Look at "
            "several classes one at a time."
        )
    score(data, probabilities)  # its checks: shape, finite, from 0 to 1
    return data.target, np.asarray(probabilities, float).reshape(len(data)).clip(0, 1)
