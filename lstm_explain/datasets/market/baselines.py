"""Baseline forecasts of volatility: what an LSTM has to beat.

Each gives the log variance for every sample of the data, in the data's order, and is fitted on the
training part only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from ...sequences.data import SequenceData

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
    target, train = _target_and_train(data)
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
    try:
        from arch import arch_model
    except ImportError as error:
        raise ImportError(
            "Expected the package arch, which fits GARCH models; it is not installed. Run: pip "
            "install arch."
        ) from error
    returns = _daily_returns(data)
    target, train = _target_and_train(data)
    last_days = _times(data)[:, -1]
    gjr = partial(arch_model, p=1, o=1, q=1, dist="t", rescale=False)
    known = returns[returns.index <= last_days[train].max()]
    parameters = gjr(known).fit(disp="off").params
    # The recursion runs forward with the trained parameters: each day knows only its past.
    filtered = gjr(returns).fix(parameters)
    ahead = filtered.forecast(horizon=horizon, start=0).variance.mean(axis=1)
    forecast = np.log(ahead.loc[last_days].to_numpy())
    return forecast + (target - forecast)[train].mean()


def _columns(data: SequenceData, names: Sequence[str]) -> np.ndarray:
    missing = [name for name in names if name not in data.feature_names]
    if missing:
        raise ValueError(
            f"Expected market data with the features {list(names)}; {missing} missing, received "
            f"{list(data.feature_names)}. Load it with load_market(...)."
        )
    return data.display_values[..., [data.feature_names.index(name) for name in names]]


def _target_and_train(data: SequenceData) -> tuple[np.ndarray, np.ndarray]:
    if data.split is None or data.target is None or not (data.split == "train").any():
        raise ValueError(
            "Expected split data with a target and a training part to fit on; received "
            f"{data!r}. Give all of what load_market(...) returns, not one part."
        )
    return data.target.astype(float), data.split == "train"


def _daily_returns(data: SequenceData) -> pd.Series:
    returns = _columns(data, ["return"])[..., 0]
    days, first = np.unique(_times(data), return_index=True)
    return pd.Series(returns.ravel()[first], index=pd.DatetimeIndex(days), name="return")


def _times(data: SequenceData) -> np.ndarray:
    if data.times is None:
        raise ValueError(
            "Expected market data with the date of each step; received none. Load it with "
            "load_market(...)."
        )
    return data.times
