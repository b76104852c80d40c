"""What the LSTM must be better than: a logistic regression on simple summaries of a stay."""

from __future__ import annotations

import warnings

import numpy as np

from ...sequences.data import SequenceData, check_data
from ...sequences.scaling import fill_forward

# Inverse weights of the squared coefficients to choose from, by the validation part.
_PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
# Beyond these quantiles of the training part a summary is cut.
_CUT = (0.005, 0.995)


def logistic_forecast(data: SequenceData) -> np.ndarray:
    """Predict the test part's risk by logistic regression on summaries of each variable.

    Of each variable the last, smallest, largest and mean value and the share of hours at which it
    was measured; and the static facts. What does not exist takes the training mean. The weight of
    the penalty is the one with the lowest log loss on the validation part.

    Parameters
    ----------
    data : SequenceData
        Split, with missing values kept as NaN: as `load_icu` returns it.

    Returns
    -------
    array (sample,)
        Probability of the second class for each sample of ``data.test``.

    Raises
    ------
    ValueError
        Data whose missing values were filled already, or that is no forecast of two classes.

    Examples
    --------
    >>> from lstm_explain import load_icu
    >>> logistic_forecast(load_icu("sample")[:200]).shape
    (29,)
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler

    check_data("Use the stays of load_icu().", data=data)
    filled = not np.isnan(data.values).any()
    if data.task != "binary" or filled:
        raise ValueError(
            f"Expected data of two classes as load_icu returns it; received a {data.task} target"
            f"{' and filled values' if filled else ''}. Call this before fill_missing()."
        )
    parts = [_summaries(part) for part in (data.train, data.validation, data.test)]
    low, high = np.nanquantile(parts[0], _CUT, axis=0)
    parts = [np.clip(part, low, high) for part in parts]
    scaler = StandardScaler().fit(parts[0])
    # What is missing takes the mean, which is 0 now.
    scaled = [np.nan_to_num(scaler.transform(part)) for part in parts]
    fitted = [
        LogisticRegression(C=penalty, max_iter=2000).fit(scaled[0], data.train.target)
        for penalty in _PENALTIES
    ]
    losses = [log_loss(data.validation.target, fit.predict_proba(scaled[1])) for fit in fitted]
    return fitted[int(np.argmin(losses))].predict_proba(scaled[2])[:, 1]


def _summaries(data: SequenceData) -> np.ndarray:
    """Return the columns of the regression, (stay, column), NaN where one does not exist."""
    chart = data.display_values
    last = fill_forward(chart)[np.arange(len(data)), data.lengths - 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of variables that were never measured
        ranges = [np.nanmin(chart, axis=1), np.nanmax(chart, axis=1), np.nanmean(chart, axis=1)]
    share = (~np.isnan(chart)).sum(axis=1) / data.lengths[:, None]
    facts = [] if data.display_static is None else [data.display_static]
    return np.concatenate([last, *ranges, share, *facts], axis=1)
