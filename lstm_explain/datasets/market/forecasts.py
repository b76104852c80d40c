"""Score forecasts of volatility, and test whether one is better than another.

Forecasts are of the log variance; QLIKE scores them as forecasts of the variance itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...sequences.data import SequenceData


def level_correction(target: np.ndarray, prediction: np.ndarray) -> float:
    """Return the constant to add to forecasts of a log before they are read as a level.

    The exponential of a good forecast of the log variance is too small a forecast of the variance
    (Jensen's inequality). ``log mean exp(target - prediction)`` mends that: the ratio of outcome to
    forecast then averages 1, and no other constant gives a smaller mean of
    `qlike_losses`. Estimate it on the training part, for every model alike.

    Examples
    --------
    >>> variances, forecasts = np.array([1.0, 3.0]), np.array([1.0, 1.0])
    >>> round(np.exp(level_correction(np.log(variances), np.log(forecasts))), 3).item()
    2.0
    """
    return float(np.log(np.mean(np.exp(np.asarray(target, float) - prediction))))


def qlike_losses(target: np.ndarray, prediction: np.ndarray, correction: float = 0.0) -> np.ndarray:
    """Return each sample's QLIKE loss, ``r - log r - 1`` with r = variance / forecast of it.

    It is 0 for a perfect forecast and ranks forecasts rightly even where the variance itself is
    only measured with noise. Too low a forecast costs more than too high a one.

    Parameters
    ----------
    target, prediction : arrays (sample,)
        Log variance, in the same units.
    correction : float
        Added to the predictions: see `level_correction`.

    References
    ----------
    Patton (2011), "Volatility Forecast Comparison Using Imperfect Volatility Proxies", Journal of
    Econometrics 160.

    Examples
    --------
    >>> qlike_losses(np.log([1.0, 2.0]), np.log([1.0, 1.0])).round(3).tolist()
    [0.0, 0.307]
    """
    log_ratio = np.asarray(target, float) - np.asarray(prediction, float) - correction
    return np.exp(log_ratio) - log_ratio - 1


class DieboldMariano(NamedTuple):
    """Do two forecasts differ? Below 0: the first loses less; `p_value` is two-sided."""

    statistic: float
    p_value: float


def diebold_mariano(
    losses: np.ndarray, other_losses: np.ndarray, horizon: int = 5
) -> DieboldMariano:
    """Test whether two forecasts of the same days have the same mean loss.

    Targets that look several days ahead overlap, so neighbouring losses go together: the variance
    of their mean is Newey and West's, with weights falling to 0 after the larger of ``horizon - 1``
    and ``4 (n / 100)^(2/9)`` days.

    Parameters
    ----------
    losses, other_losses : arrays (sample,)
        In order of time.
    horizon : int
        Days ahead in the target.

    References
    ----------
    Diebold and Mariano (1995), "Comparing Predictive Accuracy", Journal of Business & Economic
    Statistics 13. Newey and West (1987), Econometrica 55; lag rule: (1994), Review of Economic
    Studies 61.

    Examples
    --------
    >>> diebold_mariano([1.0, 2.0, 1.0, 2.0], [2.0, 1.0, 2.0, 1.0], horizon=1)
    DieboldMariano(statistic=0.0, p_value=1.0)
    """
    difference = np.asarray(losses, float) - np.asarray(other_losses, float)
    if difference.ndim != 1 or len(difference) < 2 * horizon:
        raise ValueError(
            f"Expected one loss per day for at least {2 * horizon} days; received shape "
            f"{difference.shape}. Give two arrays of the same days, in order of time."
        )
    num_days, mean = len(difference), difference.mean()
    if mean == 0:
        return DieboldMariano(0.0, 1.0)
    num_lags = max(horizon - 1, int(4 * (num_days / 100) ** (2 / 9)))
    centred = difference - mean
    variance = centred @ centred / num_days
    for lag in range(1, min(num_lags, num_days - 1) + 1):
        covariance = centred[lag:] @ centred[:-lag] / num_days
        variance += 2 * (1 - lag / (num_lags + 1)) * covariance
    statistic = mean / sqrt(variance / num_days)
    return DieboldMariano(float(statistic), erfc(abs(statistic) / sqrt(2)))


def compare_forecasts(
    data: SequenceData,
    forecasts: Mapping[str, np.ndarray],
    reference: str = "HAR",
    part: str = "test",
    horizon: int = 5,
) -> pd.DataFrame:
    """Score forecasts on one part, each with the level correction of its own training part.

    Parameters
    ----------
    data : SequenceData
        Split data.
    forecasts : mapping of name to array (sample,)
        Log variance for every sample of `data`.
    reference : str
        Which forecast the others are tested against.
    part : {"test", "validation", "train"}
    horizon : int
        Days ahead in the target.

    Returns
    -------
    DataFrame
        One row per forecast: ``QLIKE`` (lower is better), ``R2`` of the log variance (1 is best),
        ``DM`` (below 0: better than the reference) and its two-sided ``p``.
    """
    if data.target is None or data.split is None or not {"train", part} <= set(data.split):
        raise ValueError(
            f"Expected data with a target, a training part and a {part} part; received {data!r}. "
            "Give all of what load_market(...) returns."
        )
    if reference not in forecasts:
        raise ValueError(
            f"Expected the reference among {list(forecasts)}; received {reference!r}. Name one."
        )
    target = data.target.astype(float)
    train, chosen = data.split == "train", data.split == part
    spread = np.sum((target[chosen] - target[chosen].mean()) ** 2)
    losses, rows = {}, {}
    for name, values in forecasts.items():
        forecast = np.asarray(values, float)
        if forecast.shape != target.shape:
            raise ValueError(
                f"Expected {len(target)} forecasts from {name!r}, one per sample of all parts; "
                f"received shape {forecast.shape}. Predict all of the data: the training part "
                "sets the level."
            )
        correction = level_correction(target[train], forecast[train])
        losses[name] = qlike_losses(target[chosen], forecast[chosen], correction)
        error = np.sum((target[chosen] - forecast[chosen]) ** 2)
        rows[name] = {"QLIKE": losses[name].mean(), "R2": 1 - error / spread}
    for name in forecasts:
        test = diebold_mariano(losses[name], losses[reference], horizon)
        rows[name] |= {"DM": test.statistic, "p": test.p_value}
    return pd.DataFrame(rows).T
