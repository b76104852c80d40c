"""The plain model that a network must beat: a penalised regression, and the last value.

What a regression knows of a sequence: of each feature the last value, mean, minimum, maximum,
trend and the share of steps at which it was measured; of a text its words and pairs of words.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ..sequences.data import SequenceData, check_data
from ..sequences.padding import last_true
from ..sequences.scaling import fill_forward
from .penalised import PENALTIES, choose_regression
from .scores import score

# To choose from: see `fit_regression`. Columns of TF-IDF are small.
_PENALTIES_OF_TEXTS: Sequence[float] = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6)
# Beyond these quantiles of the training part a summary is cut: one wrong value must not decide.
_CUT = (0.005, 0.995)
# So many targets must be the later value of one feature for the data to be forecasts of it.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Baseline:
    """A fitted plain model.

    Attributes
    ----------
    name : str
        Such as "logistic regression".
    predict : callable
        ``predict(part)`` gives predictions of a data part, of the shape that `score` takes.
    num_parameters : int
        Fitted numbers.
    """

    name: str
    predict: Callable[[SequenceData], np.ndarray] = field(repr=False)
    num_parameters: int = 0


def fit_baselines(data: SequenceData) -> list[Baseline]:
    """Fit the plain models for this kind of data, the best on the validation part first.

    A linear regression (ridge), or a logistic regression for classes, on summaries of each feature
    and the static facts; for texts on the TF-IDF of words and pairs of words that occur twice. The
    weight of its penalty is the one with the lowest loss on the validation part. Where the target
    is a later value of one of the features, also that feature's last value, and its value one
    season before: of parts of a day a day and a week, of days a week, of months and quarters a
    year, as far as the window reaches. For data of `from_series` also a linear autoregression: a
    regression of each step ahead on the target's whole past, and on as many last steps of the other
    features as are forecast, which is what is known in advance.

    Parameters
    ----------
    data : SequenceData
        Split, with a target. Missing values may be NaN, or filled with
        ``fill_missing(indicators=True)``: filled ones are then not summarised.

    Returns
    -------
    list of Baseline
        Nothing of the test part is read: ``fit_baselines(data)[0].predict(data.test)``.

    Raises
    ------
    ValueError
        The data has no target, or is not split.

    References
    ----------
    Wang and Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification": linear models of words and pairs are hard to beat.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(100, 5, 2))
    >>> data = SequenceData.from_arrays(values, values[:, -1, 0]).split_by_group()
    >>> best = fit_baselines(data)[0]
    >>> best.name, score(data.test, best.predict(data.test))["r2"] > 0.95
    ('linear regression', True)
    """
    check_data(data=data)
    if data.target is None:
        raise ValueError(
            "Expected data with a target to fit baselines to; received none. Give target=... when "
            "making the data."
        )
    fitted = [_regression(data), *_own_past(data)]
    if _is_series(data):
        fitted.append(_autoregression(data))
    return sorted(fitted, key=lambda one: _loss(data.validation, one.predict(data.validation)))


def _loss(part: SequenceData, predictions: np.ndarray) -> float:
    return score(part, predictions)["rmse" if part.task == "regression" else "log_loss"]


def _regression(data: SequenceData) -> Baseline:
    if data.tokens is None:
        columns_of, penalties = _as_columns(_summaries, data.train), PENALTIES
    else:
        columns_of, penalties = _words_as_columns(data.train), _PENALTIES_OF_TEXTS
    parts = columns_of(data.train), columns_of(data.validation)
    fit = choose_regression(data, *parts, penalties)
    kind = "linear" if data.task == "regression" else "logistic"
    name = f"{kind} regression{'' if data.tokens is None else ' on words'}"
    size = fit.kernel.size + fit.bias.size
    return Baseline(name, lambda part: fit.predict(data, columns_of(part)), size)


def _autoregression(data: SequenceData) -> Baseline:
    columns_of = _as_columns(_recent, data.train)
    fit = choose_regression(data, columns_of(data.train), columns_of(data.validation), PENALTIES)
    size = fit.kernel.size + fit.bias.size
    return Baseline("linear autoregression", lambda part: fit.predict(data, columns_of(part)), size)


# -- what a regression reads -----------------------------------------------------------------------
def _words_as_columns(train: SequenceData) -> Callable[[SequenceData], Any]:
    """Return what gives the TF-IDF of words and pairs of neighbours, in units of training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    def words_and_pairs(ids: list[int]) -> list[tuple[int, ...]]:
        return [*((one,) for one in ids), *pairwise(ids)]

    def ids_of(part: SequenceData) -> list[list[int]]:
        tokens: Any = part.tokens
        return [row[real].tolist() for row, real in zip(tokens, part.mask, strict=True)]

    texts = ids_of(train)
    times = Counter(word for ids in texts for word in {*ids})
    least = min(2, max(times.values()))  # where no word occurs twice, all count
    vectorizer = TfidfVectorizer(analyzer=words_and_pairs, sublinear_tf=True, min_df=least)
    vectorizer.fit(texts)
    return lambda part: vectorizer.transform(ids_of(part))


def _as_columns(
    read: Callable[[SequenceData], np.ndarray], train: SequenceData
) -> Callable[[SequenceData], np.ndarray]:
    """Return what gives the numbers read with mean 0 and deviation 1 over the training part."""
    from sklearn.preprocessing import StandardScaler

    first = read(train)
    known = ~np.isnan(first).all(axis=0)
    low, high = np.nanquantile(first[:, known], _CUT, axis=0)
    scaler = StandardScaler().fit(np.clip(first[:, known], low, high))
    # What is missing takes the mean, which is 0 then.
    return lambda part: np.nan_to_num(scaler.transform(np.clip(read(part)[:, known], low, high)))


def _summaries(data: SequenceData) -> np.ndarray:
    """Return (sample, column) in original units, NaN where there was nothing to summarise."""
    chart = _measured(data)
    real = ~np.isnan(chart)
    count, steps = real.sum(axis=1), np.arange(chart.shape[1])[:, None]
    last = fill_forward(chart)[np.arange(len(data)), np.maximum(data.lengths - 1, 0)]
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of features that were never measured
        mean = np.nanmean(chart, axis=1)
        ranges = [np.nanmin(chart, axis=1), np.nanmax(chart, axis=1)]
        times = np.where(real, steps, np.nan)
        times -= np.nanmean(times, axis=1, keepdims=True)
        squares = np.nansum(times**2, axis=1)
        trend = np.nansum(times * (chart - mean[:, None]), axis=1) / squares
    share = count / np.maximum(data.lengths, 1)[:, None]
    facts = [data.lengths[:, None].astype(float)]
    facts += [] if data.display_static is None else [data.display_static]
    return np.concatenate([last, mean, *ranges, trend, share, *facts], axis=1)


def _recent(data: SequenceData) -> np.ndarray:
    """Return (sample, column): the target's past, and the last steps of what else is known."""
    chart = _measured(data)
    others = chart[:, -(data.horizon or 1) :, 1:]
    return np.concatenate([chart[..., 0], others.reshape(len(chart), -1)], axis=1)


def _measured(data: SequenceData) -> np.ndarray:
    """Return (sample, time, variable) in original units, NaN where nothing was measured."""
    chart = data.display_values
    if not data.variables:
        return chart
    count = len(set(data.variables))
    # The value of each variable stands first, then whether it was measured.
    return np.where(data.values[..., count : 2 * count] > 0.5, chart[..., :count], np.nan)


# -- a series' own past ----------------------------------------------------------------------------
def _is_series(data: SequenceData) -> bool:
    """Tell data of `from_series`: the first feature is the past of all that is to be predicted."""
    count = max(len(data.target_names), 1)
    return data.horizon == count and data.feature_names[:1] == (data.target_name,)


def _own_past(data: SequenceData) -> list[Baseline]:
    """Return the last value, and that of one season before, where the target is a later one."""
    if data.task != "regression" or data.times is None or data.tokens is not None:
        return []
    count = max(len(data.target_names), 1)
    ahead = [*range(1, count + 1)] if count > 1 else [data.horizon or 1]
    features: list[int | None] = [0] * count
    if not _is_series(data):
        features = [_feature_of(data, column, steps) for column, steps in enumerate(ahead)]
    backs = {"last value": [0] * count}
    for name, season in _seasons(data).items():
        backs[name] = [-(-steps // season) * season - steps for steps in ahead]

    means = np.mean(np.asarray(data.train.target, float), axis=0)

    def forecast(back: list[int]) -> Callable[[SequenceData], np.ndarray]:
        def predict(part: SequenceData) -> np.ndarray:
            rows, ends = np.arange(len(part)), last_true(part.mask)
            values = fill_forward(part.display_values)
            past = [values[rows, ends - b, f] for f, b in zip(features, back, strict=True)]
            columns = (np.column_stack(past) - part.target_center) / part.target_scale
            columns = np.where(np.isnan(columns), means, columns)
            return columns if part.target_names else columns[:, 0]

        return predict

    known = None not in features
    return [
        Baseline(name, forecast(back))
        for name, back in backs.items()
        if known and max(back) < data.lengths.min()
    ]


def _feature_of(data: SequenceData, column: int, ahead: int) -> int | None:
    """Return the feature of which a target is the value so many samples later, or None."""
    rows, ends = np.arange(len(data)), last_true(data.mask)
    owners = (
        np.zeros(len(data)) if data.ids is None else np.unique(data.ids, return_inverse=True)[1]
    )
    order = np.lexsort((np.asarray(data.times)[rows, ends], owners))
    last = pd.DataFrame(data.display_values[rows, ends][order])
    later = last.groupby(owners[order]).shift(-ahead).to_numpy()
    known = ~np.isnan(later).any(axis=1)
    target = np.asarray(data.target, float).reshape(len(data), -1)[order, column, None]
    target = target * data.target_scale + data.target_center
    alike = np.isclose(later[known], target[known], rtol=1e-5)
    if known.mean() < 0.5 or not alike.size:
        return None
    shares = alike.mean(axis=0)
    return int(shares.argmax()) if shares.max() >= _NEARLY_ALL else None


# Hours from step to step, at least and at most, and the steps of a season.
_SEASONS = ((24, 24, 7), (28 * 24, 31 * 24, 12), (90 * 24, 92 * 24, 4))


def _seasons(data: SequenceData) -> dict[str, int]:
    """Return the steps of each season by name, by how far apart the dates of the steps are."""
    times: Any = data.times
    if times.dtype.kind != "M" or times.shape[1] < 2:
        return {}
    hours = np.diff(times, axis=1)[data.mask[:, 1:]] / np.timedelta64(1, "h")
    least, most = np.quantile(hours, [0.05, 0.95]) if len(hours) else (0, 0)
    if 0 < least == most < 24 and 24 % least == 0:
        day = round(24 / least)
        return {"seasonal naive": day, "seasonal naive of a week": 7 * day}
    season = next((n for low, high, n in _SEASONS if low <= least and most <= high), None)
    return {} if season is None else {"seasonal naive": season}
