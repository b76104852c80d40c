"""Baseline forecasts and their scores, against literal re-implementations and closed forms."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from math import cos, pi, sqrt

import numpy as np
import pandas as pd
import pytest
from arch.data import sp500 as arch_sp500
from scipy import stats

from lstm_explain import SequenceData
from lstm_explain.datasets.market.baselines import (
    compare_forecasts,
    diebold_mariano,
    gjr_garch,
    har,
    level_correction,
    persistence,
    qlike_losses,
)
from lstm_explain.datasets.market.loader import load_market, market_table


@pytest.fixture(scope="module")
def data() -> SequenceData:
    """Return the S&P 500 data with their defaults."""
    return load_market("sp500")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the same history, one row per day."""
    return market_table(arch_sp500.load())


def last_days(data: SequenceData) -> pd.DatetimeIndex:
    """Return the last day of each window."""
    assert data.times is not None
    return pd.DatetimeIndex(data.times[:, -1])


# -- baselines -------------------------------------------------------------------------------------
def test_persistence_is_the_mean_variance_of_five_days(
    data: SequenceData, table: pd.DataFrame
) -> None:
    variance = np.exp(table["log variance"])
    expected = np.log(variance.rolling(5).mean()).loc[last_days(data)]
    np.testing.assert_allclose(persistence(data), expected, atol=1e-5)


def test_har_is_least_squares_on_day_week_and_month(
    data: SequenceData, table: pd.DataFrame
) -> None:
    """Regressors built from the daily table; the normal equations solved on train."""
    regressors = pd.DataFrame({"constant": np.ones(len(table))}, index=table.index)
    for name in ("log variance", "return", "downside return"):
        for days in (1, 5, 22):
            regressors[f"{name} {days}"] = table[name].rolling(days).mean()
    rows = regressors.loc[last_days(data)].to_numpy()
    target = table.iloc[:, -1].loc[last_days(data)].to_numpy()
    train = data.split == "train"
    gram, moments = rows[train].T @ rows[train], rows[train].T @ target[train]
    np.testing.assert_allclose(har(data), rows @ np.linalg.solve(gram, moments), atol=1e-4)


def test_gjr_follows_its_recursion(data: SequenceData, table: pd.DataFrame) -> None:
    """Fit in the test with arch, then filter and look ahead by hand."""
    from arch import arch_model

    returns = table["return"].loc[data.train.times[0, 0] :]  # type: ignore[index]
    known = returns.loc[: last_days(data.train).max()]
    model = arch_model(known, p=1, o=1, q=1, dist="t", rescale=False)
    mean, constant, alpha, gamma, beta, _ = model.fit(disp="off").params
    shocks = (returns - mean).to_numpy()
    # The recursion starts from some variance; after a year of days its weight is nil.
    variance, ahead = known.var(), []
    for shock in shocks:
        variance = constant + (alpha + gamma * (shock < 0)) * shock**2 + beta * variance
        expected = [variance]
        for _ in range(4):
            expected.append(constant + (alpha + gamma / 2 + beta) * expected[-1])
        ahead.append(np.mean(expected))
    forecast = pd.Series(np.log(ahead), index=returns.index).loc[last_days(data)].to_numpy()
    shift = gjr_garch(data) - forecast
    np.testing.assert_allclose(shift[250:], shift[-1], atol=1e-3)
    assert data.target is not None
    error = (data.target - gjr_garch(data))[data.split == "train"]
    np.testing.assert_allclose(error.mean(), 0, atol=1e-6)


@pytest.mark.parametrize("forecast", [persistence, har, gjr_garch])
def test_forecasts_know_only_the_past(
    forecast: Callable[[SequenceData], np.ndarray],
) -> None:
    """Other prices from 2012 on change no forecast of a day before."""
    history = arch_sp500.load().astype(float)
    changed = history.copy()
    every_other_day = changed.loc["2012":].index[::2]
    changed.loc[every_other_day, ["High", "Close"]] *= 1.02
    kept, moved = (
        load_market(frame, validation="2008-01-01", test="2010-01-01")
        for frame in (history, changed)
    )
    before = last_days(kept) < "2012"
    np.testing.assert_allclose(forecast(kept)[before], forecast(moved)[before], atol=1e-6)
    assert np.abs(forecast(kept) - forecast(moved))[~before].max() > 0.01


def test_figures_on_validation(data: SequenceData) -> None:
    """The baselines' order and figures on the crisis years, to notice a change of definition."""
    forecasts = {"5 days": persistence(data), "HAR": har(data), "GJR": gjr_garch(data)}
    scores = compare_forecasts(data, forecasts, part="validation")
    np.testing.assert_allclose(scores["QLIKE"], [0.152, 0.134, 0.134], atol=1e-3)
    np.testing.assert_allclose(scores["R2"], [0.714, 0.739, 0.736], atol=2e-3)


def test_what_baselines_refuse(data: SequenceData, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"training part to fit on; received .* not one part"):
        har(data.test)
    with pytest.raises(ValueError, match=r"\['return'\] missing, received .*load_market"):
        har(replace(data, feature_names=("log variance", "a", "downside return", "b", "c")))
    with pytest.raises(ValueError, match=r"at least 22 days .* received 10. Load .*window=22"):
        har(replace(data, values=data.values[:, :10], mask=data.mask[:, :10]))
    with pytest.raises(ValueError, match=r"date of each step; received none. Load"):
        gjr_garch(replace(data, times=None))
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(ImportError, match=r"package arch.*Run: pip install arch"):
        gjr_garch(data)


# -- scores ----------------------------------------------------------------------------------------
def test_qlike_by_hand() -> None:
    """Variance 2 forecast as 1, and 1 forecast as 2: the first mistake costs more."""
    low, high = qlike_losses(np.log([2.0, 1.0]), np.log([1.0, 2.0]))
    np.testing.assert_allclose([low, high], [2 - np.log(2) - 1, 0.5 + np.log(2) - 1])
    assert low > high


def test_qlike_does_not_depend_on_units(rng: np.random.Generator) -> None:
    target, prediction = rng.normal(size=(2, 50))
    moved = qlike_losses(target + 3, prediction + 3)
    np.testing.assert_allclose(moved, qlike_losses(target, prediction))


def test_level_correction_gives_the_smallest_qlike(rng: np.random.Generator) -> None:
    target, prediction = rng.normal(size=(2, 200))
    best = level_correction(target, prediction)
    loss = qlike_losses(target, prediction, best).mean()
    for other in best + np.array([-0.5, -0.01, 0.01, 0.5]):
        assert qlike_losses(target, prediction, other).mean() > loss
    np.testing.assert_allclose(np.exp(target - prediction - best).mean(), 1)


def test_diebold_mariano_by_hand(rng: np.random.Generator) -> None:
    """The first cosines written out, as many as 0.4 n^(2/3) and n / (pi horizon) allow."""
    losses, other = rng.normal(size=(2, 60)) ** 2
    for horizon, freedom in ((1, 6), (5, 3), (30, 1)):  # 0.4 * 15.3 = 6.1; 60 / (5 pi) = 3.8
        squares = []
        for j in range(1, freedom + 1):
            wave = [sqrt(2 / 60) * cos(pi * j * (day - 0.5) / 60) for day in range(1, 61)]
            squares.append(sum(w * (a - b) for w, a, b in zip(wave, losses, other, strict=True)))
        variance = sum(square**2 for square in squares) / freedom
        statistic = (losses - other).mean() / sqrt(variance / 60)
        test = diebold_mariano(losses, other, horizon)
        np.testing.assert_allclose(test.statistic, statistic)  # sums in another order
        t = np.linspace(0, abs(statistic), 100_001)
        half = np.trapezoid(stats.t.pdf(t, freedom), t)
        np.testing.assert_allclose(test.p_value, 1 - 2 * half, atol=1e-8)
        swapped = diebold_mariano(other, losses, horizon)
        np.testing.assert_allclose(swapped, [-test.statistic, test.p_value])


@pytest.mark.parametrize(
    ("days", "horizon", "together"), [(200, 5, 0.0), (50, 5, 0.0), (200, 1, 0.5)]
)
def test_diebold_mariano_rejects_as_often_as_it_says(
    rng: np.random.Generator, days: int, horizon: int, together: float
) -> None:
    """Of 2,000 pairs of equally good forecasts at most 7 % at the 5 % level.

    One standard error is 0.5 points; 5.6, 5.7 and 5.4 % of 10,000 and 5,000 pairs. Losses are sums
    of the days of an overlap, or go together by themselves, from one day to the next. Newey and
    West's variance with the normal distribution gives 12, 17 and 10 %.
    """
    noise = rng.normal(size=(2000, days + 104))
    for day in range(1, noise.shape[1]):
        noise[:, day] += together * noise[:, day - 1]
    overlapping = np.sum([noise[:, 100 - k :][:, :days] for k in range(horizon)], axis=0)
    zeros = np.zeros(days)
    p_values = np.array([diebold_mariano(d, zeros, horizon).p_value for d in overlapping])
    assert 0.03 < np.mean(p_values < 0.05) <= 0.07
    np.testing.assert_allclose(np.mean(p_values < 0.5), 0.5, atol=0.05)


def test_diebold_mariano_sees_a_difference(rng: np.random.Generator) -> None:
    """Of 4 standard errors: nearly always, where 5 days overlap."""
    noise = rng.normal(size=(200, 504))
    overlapping = np.sum([noise[:, k : k + 500] for k in range(5)], axis=0)
    shifted = overlapping + 4 * 5 / sqrt(500)
    assert np.mean([diebold_mariano(d, np.zeros(500)).p_value < 0.05 for d in shifted]) > 0.9


def test_diebold_mariano_of_one_forecast_with_itself() -> None:
    assert diebold_mariano(np.arange(20.0), np.arange(20.0)) == (0.0, 1.0)
    # Up to the rounding of sums, which is no difference between forecasts.
    losses = np.linspace(0.1, 3, 20)
    assert diebold_mariano(losses, losses * 1.1 / 1.1) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("losses", "other", "horizon", "message"),
    [
        (np.zeros(9), np.ones(9), 5, r"at least 10 days; received shapes \(9,\) and \(9,\). Give"),
        (np.arange(20.0), np.ones(1), 5, r"received shapes \(20,\) and \(1,\). Give two arrays"),
        (np.ones((20, 2)), np.ones((20, 2)), 5, r"received shapes \(20, 2\) and"),
        (
            np.arange(20.0),
            np.ones(20),
            -3,
            "horizon of whole days, 1 or more; received -3. Give",
        ),
        (np.arange(20.0), np.ones(20), 2.5, "1 or more; received 2.5"),
        (np.arange(20.0), np.full(20, np.nan), 5, "finite losses; received 20 that are NaN or inf"),
        (np.arange(20.0) + 0.1, np.arange(20.0), 5, "difference varies .*a difference of 0.1 on"),
    ],
)
def test_what_diebold_mariano_refuses(
    losses: np.ndarray, other: np.ndarray, horizon: int, message: str
) -> None:
    """A constant difference had p = 0, whatever its size."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        diebold_mariano(losses, other, horizon)


def test_comparison_against_its_definition(data: SequenceData, rng: np.random.Generator) -> None:
    assert data.target is not None
    good = data.target + rng.normal(scale=0.1, size=len(data))
    bad = data.target + rng.normal(scale=0.5, size=len(data)) + 2  # a wrong level is corrected
    scores = compare_forecasts(data, {"HAR": har(data), "good": good, "bad": bad})
    test, train = data.split == "test", data.split == "train"
    ratio = np.exp(data.target.astype(float) - bad)
    ratio = ratio[test] / ratio[train].mean()
    np.testing.assert_allclose(scores.loc["bad", "QLIKE"], np.mean(ratio - np.log(ratio) - 1))
    from sklearn.metrics import r2_score

    np.testing.assert_allclose(scores.loc["bad", "R2"], r2_score(data.target[test], bad[test]))
    assert scores.loc["good", "QLIKE"] < scores.loc["HAR", "QLIKE"]
    assert scores.loc["good", "DM"] < -2
    assert scores.loc["HAR", ["DM", "p"]].tolist() == [0.0, 1.0]


def test_what_the_comparison_refuses(data: SequenceData) -> None:
    forecasts = {"mean": np.zeros(len(data))}
    with pytest.raises(ValueError, match=r"reference among \['mean'\]; received 'HAR'. Name one"):
        compare_forecasts(data, forecasts)
    with pytest.raises(ValueError, match=r"Expected 4936 forecasts from 'mean', .*\(2259,\)"):
        compare_forecasts(data, {"mean": np.zeros(len(data.test))}, reference="mean")
    with pytest.raises(ValueError, match=r"a training part and a test part; received .*Give all"):
        compare_forecasts(data.test, forecasts, reference="mean")
