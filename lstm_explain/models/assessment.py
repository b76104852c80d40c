"""How good predictions are, with intervals; and whether probabilities are calibrated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..sequences.data import SequenceData
from .scores import score

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
    if not 1 <= bins <= len(target):
        raise ValueError(f"Expected 1 to {len(target)} bins, as many as samples; received {bins}.")
    order = np.argsort(probabilities, kind="stable")
    ends = np.cumsum([len(part) for part in np.array_split(order, bins)])
    # Equal probabilities stay together: which of them come first says nothing.
    ends = np.unique(np.searchsorted(probabilities[order], probabilities[order][ends - 1], "right"))
    rows = []
    for part in np.split(order, ends[:-1]):
        observed = float(target[part].mean())
        low, high = wilson_interval(observed, len(part))
        rows.append(
            {
                "predicted": float(probabilities[part].mean()),
                "observed": observed,
                "count": len(part),
                "low": low,
                "high": high,
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
    predictions = np.asarray(predictions, float)
    value = score(data, predictions)

    def scored(index: np.ndarray) -> list[float]:
        found = score(data[index], predictions[index])
        return [found.get(name, np.nan) for name in value]

    low, high = interval_of(scored, len(data), draws, seed)
    return pd.DataFrame({"value": value, "low": low, "high": high}, index=list(value))


def score_difference(
    data: SequenceData,
    predictions: np.ndarray,
    baseline: np.ndarray,
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Say by how much predictions score better than a baseline's on the same samples.

    Both are resampled together: whether their own intervals overlap says little, because the same
    samples are hard for both.

    Parameters
    ----------
    data, predictions : as in `score_with_interval`
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
    both = [np.asarray(part, float) for part in (predictions, baseline)]
    names = list(score(data, both[0]))

    def difference(index: np.ndarray) -> list[float]:
        first, second = (score(data[index], part[index]) for part in both)
        return [first.get(name, np.nan) - second.get(name, np.nan) for name in names]

    low, high = interval_of(difference, len(data), draws, seed)
    value = difference(np.arange(len(data)))
    return pd.DataFrame({"value": value, "low": low, "high": high}, index=names)


def interval_of(
    statistic: Callable[[np.ndarray], list[float]], count: int, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % bootstrap interval of numbers that `statistic` makes of sample positions."""
    if draws < 1:
        raise ValueError(f"Expected at least 1 bootstrap draw; received {draws}. Try 500.")
    rng = np.random.default_rng(seed)
    found = np.array([statistic(rng.integers(0, count, count)) for _ in range(draws)])
    # A draw without one of the classes has no AUROC.
    known = ~np.isnan(found).all(axis=0)
    low, high = np.full((2, found.shape[1]), np.nan)
    if known.any():
        low[known], high[known] = np.nanquantile(found[:, known], [0.025, 0.975], axis=0)
    return low, high


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `count` (Wilson 1927)."""
    spread = _QUANTILE**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = np.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def binary_target(data: SequenceData, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a target of two classes and the probabilities of the second, or say what is wrong."""
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
