"""Baseline forecasts of volatility, their scores, and a test whether one is better than another.

Each baseline gives the log variance for every sample of the data, in the data's order, and is
fitted on the training part only. QLIKE scores them as forecasts of the variance itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import pi, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ...arguments import as_numbers, check_number, check_one_of, check_type, check_whole, is_whole
from ...sequences.data import SequenceData, check_data
from ...sequences.targets import check_one_target

# What the linear regression reads: its own past, and which way the market went ("leverage").
HAR_FEATURES = ("log variance", "return", "downside return")
DAY, WEEK, MONTH = 1, 5, 22  # trading days


def persistence(data: SequenceData) -> np.ndarray:
    """Forecast the coming days' variance by the mean variance of the last 5 days.

    Returns
    -------
    array (sample,)
        In log %².
    """
    log_variance = _columns(data, ["log variance"])[:, -WEEK:, 0]
    return np.log(np.exp(log_variance).mean(axis=1))


def har(data: SequenceData) -> np.ndarray:
    """Forecast by a linear regression on the last day, week and month, fitted on train.

    Regressors are the last value and the means of the last 5 and 22 days of the log variance, the
    return and the return where it is negative, and a constant.

    Returns
    -------
    array (sample,)
        In log %².

    References
    ----------
    Corsi (2009), "A Simple Approximate Long-Memory Model of Realized Volatility", Journal of
    Financial Econometrics 7. The terms of the return are after Corsi and Renò (2012), "Discrete-
    Time Volatility Forecasting With Persistent Leverage Effect", Journal of Business & Economic
    Statistics 30.
    """
    columns = _columns(data, HAR_FEATURES)
    if columns.shape[1] < MONTH:
        raise ValueError(
            f"Expected windows of at least {MONTH} days for the month's mean; received "
            f"{columns.shape[1]}. Load the data with window={MONTH} or more."
        )
    means = [columns[:, -days:].mean(axis=1) for days in (DAY, WEEK, MONTH)]
    regressors = np.column_stack([np.ones(len(data)), *means])
    target, split = _target_and_split(data)
    train = split == "train"
    weights, *_ = np.linalg.lstsq(regressors[train], target[train], rcond=None)
    return regressors @ weights


def gjr_garch(data: SequenceData, horizon: int = 5) -> np.ndarray:
    """Forecast by a GJR-GARCH(1,1) with Student t errors, fitted on train and filtered forward.

    The model forecasts the variance of returns from close to close; a constant that is estimated on
    train moves its log to the level of the target.

    Parameters
    ----------
    data : SequenceData
        All of a market's data: the daily returns are read off its overlapping windows.
    horizon : int
        Days ahead in the target.

    Returns
    -------
    array (sample,)
        In log %².

    References
    ----------
    Glosten, Jagannathan and Runkle (1993), "On the Relation between the Expected Value and the
    Volatility of the Nominal Excess Return on Stocks", Journal of Finance 48.
    """
    check_whole(least=1, horizon=horizon)
    try:
        from arch import arch_model
    except ImportError as error:
        raise ImportError(
            "Expected the package arch, which fits GARCH models; it is not installed. Run: pip "
            "install arch."
        ) from error
    target, split = _target_and_split(data)
    train = split == "train"
    if data.times is None:
        raise ValueError(
            "Expected market data with the date of each step; received none. Load it with "
            "load_market(...)."
        )
    last_days = data.times[:, -1]
    days, first = np.unique(data.times, return_index=True)
    daily = _columns(data, ["return"]).ravel()[first]
    returns = pd.Series(daily, index=pd.DatetimeIndex(days), name="return")
    gjr = partial(arch_model, p=1, o=1, q=1, dist="t", rescale=False)
    known = returns[returns.index <= last_days[train].max()]
    parameters = gjr(known).fit(disp="off").params
    # The recursion runs forward with the trained parameters: each day knows only its past.
    filtered = gjr(returns).fix(parameters)
    ahead = filtered.forecast(horizon=horizon, start=0).variance.mean(axis=1)
    forecast = np.log(ahead.loc[last_days].to_numpy())
    return forecast + (target - forecast)[train].mean()


def _columns(data: SequenceData, names: Sequence[str]) -> np.ndarray:
    check_data("Load it with load_market(...).", data=data)
    missing = [name for name in names if name not in data.feature_names]
    if missing:
        raise ValueError(
            f"Expected market data with the features {list(names)}; {missing} missing, received "
            f"{list(data.feature_names)}. Load it with load_market(...)."
        )
    return data.display_values[..., [data.feature_names.index(name) for name in names]]


def _target_and_split(data: SequenceData, part: str = "train") -> tuple[np.ndarray, np.ndarray]:
    check_data("Load it with load_market(...).", data=data)
    check_one_target(data)
    if data.target is None or data.split is None or not {"train", part} <= set(data.split):
        use = "to fit on" if part == "train" else f"and a {part} part"
        raise ValueError(
            f"Expected data with a target, a training part {use}; received {data!r}. Give all of "
            "what load_market(...) returns, not one part."
        )
    return data.target.astype(float), data.split


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
    check_number(correction=correction)
    target, prediction = as_numbers(target, "target"), as_numbers(prediction, "prediction")
    if target.shape != prediction.shape:
        raise ValueError(
            f"Expected as many predictions as targets; received shapes {prediction.shape} and "
            f"{target.shape}. Give those of the same samples."
        )
    log_ratio = target - prediction - correction
    return np.exp(log_ratio) - log_ratio - 1


class DieboldMariano(NamedTuple):
    """Do two forecasts differ? Below 0: the first loses less; `p_value` is two-sided."""

    statistic: float
    p_value: float


def diebold_mariano(
    losses: np.ndarray, other_losses: np.ndarray, horizon: int = 5
) -> DieboldMariano:
    """Test whether two forecasts of the same days have the same mean loss.

    Targets that look several days ahead overlap, so neighbouring losses go together. The variance
    of their mean is read off the slowest waves in the differences: the mean of the squares of the
    first v cosine coefficients, which is never negative, with Student's t of v degrees of freedom.
    v is ``0.4 n^(2/3)``, and at most n / (pi horizon), below which waves are those of the overlap.

    Parameters
    ----------
    losses, other_losses : arrays (sample,)
        In order of time.
    horizon : int
        Days ahead in the target.

    Raises
    ------
    ValueError
        Losses that are not finite or not of the same days; fewer than two horizons of them; a
        horizon below 1; losses that differ by a constant, which nothing says the chance of.

    Notes
    -----
    Of 10,000 simulated pairs of equally good forecasts, 200 days with an overlap of 5, 5.6 % are
    rejected at 5 %; 12 % with Newey and West's variance and the normal distribution. The correction
    of Harvey, Leybourne and Newbold (1997) gives 5.9 %, but 8.5 % at 50 days, and 24 % where losses
    of forecasts one day ahead go together (autocorrelation 0.5; here 5.4 %).

    References
    ----------
    Diebold and Mariano (1995), "Comparing Predictive Accuracy", Journal of Business & Economic
    Statistics 13. Coroneo and Iacone (2020), "Comparing predictive accuracy in small samples using
    fixed-smoothing asymptotics", Journal of Applied Econometrics 35. Cosines and v: Lazarus, Lewis,
    Stock and Watson (2018), "HAR Inference: Recommendations for Practice", JBES 36.

    Examples
    --------
    >>> diebold_mariano([1.0, 2.0, 1.0, 2.0], [2.0, 1.0, 2.0, 1.0], horizon=1)
    DieboldMariano(statistic=0.0, p_value=1.0)
    """
    losses, other_losses = as_numbers(losses, "losses"), as_numbers(other_losses, "other_losses")
    if not is_whole(horizon) or horizon < 1:
        raise ValueError(
            f"Expected a horizon of whole days, 1 or more; received {horizon!r}. Give how many "
            "days ahead the target looks."
        )
    shapes = losses.shape, other_losses.shape
    if losses.ndim != 1 or shapes[0] != shapes[1] or len(losses) < 2 * horizon:
        raise ValueError(
            f"Expected one loss per day for at least {2 * horizon} days; received shapes "
            f"{shapes[0]} and {shapes[1]}. Give two arrays of the same days, in order of time."
        )
    unknown = int((~np.isfinite([losses, other_losses])).sum())
    if unknown:
        raise ValueError(
            f"Expected finite losses; received {unknown} that are NaN or infinite. Score both "
            "forecasts on days that have a target."
        )
    difference = losses - other_losses
    num_days, mean = len(difference), difference.mean()
    rounding = 1e-12 * np.abs([losses, other_losses]).max()
    if np.ptp(difference) <= rounding:
        if abs(mean) <= rounding:
            return DieboldMariano(0.0, 1.0)
        raise ValueError(
            f"Expected losses whose difference varies from day to day; received a difference of "
            f"{mean:.3g} on every day, of which no test can be made. Compare the losses of two "
            "forecasts."
        )
    freedom = max(1, int(min(0.4 * num_days ** (2 / 3), num_days / (pi * horizon))))
    waves = np.cos(pi * np.outer(np.arange(1, freedom + 1), (np.arange(num_days) + 0.5) / num_days))
    variance = 2 * np.mean((waves @ (difference - mean)) ** 2) / num_days
    statistic = mean / sqrt(variance / num_days)
    return DieboldMariano(float(statistic), float(2 * stats.t.sf(abs(statistic), freedom)))


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
    check_one_of(("test", "validation", "train"), part=part)
    check_whole(least=1, horizon=horizon)
    check_type(Mapping, 'Give for example {"HAR": har(data)}.', forecasts=forecasts)
    target, split = _target_and_split(data, part)
    train, scored = split == "train", split == part
    if reference not in forecasts:
        raise ValueError(
            f"Expected the reference among {list(forecasts)}; received {reference!r}. Name one."
        )
    spread = np.sum((target[scored] - target[scored].mean()) ** 2)
    losses, rows = {}, {}
    for name, values in forecasts.items():
        forecast = as_numbers(values, f"forecasts[{name!r}]")
        if forecast.shape != target.shape:
            raise ValueError(
                f"Expected {len(target)} forecasts from {name!r}, one per sample of all parts; "
                f"received shape {forecast.shape}. Predict all of the data: the training part "
                "sets the level."
            )
        correction = level_correction(target[train], forecast[train])
        losses[name] = qlike_losses(target[scored], forecast[scored], correction)
        error = np.sum((target[scored] - forecast[scored]) ** 2)
        rows[name] = {"QLIKE": losses[name].mean(), "R2": 1 - error / spread}
    for name in forecasts:
        test = diebold_mariano(losses[name], losses[reference], horizon)
        rows[name] |= {"DM": test.statistic, "p": test.p_value}
    return pd.DataFrame(rows).T
