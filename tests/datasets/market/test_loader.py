"""The market loader: what a window holds, that nothing leaks, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arch.data import sp500 as arch_sp500

from lstm_explain import SequenceData
from lstm_explain.datasets.market.loader import (
    BOUNDARIES,
    FEATURES,
    daily_variance,
    load_market,
    market_table,
    read_prices,
)


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    """Return 20 years of daily prices of the S&P 500."""
    return arch_sp500.load()


@pytest.fixture(scope="module")
def sp500() -> SequenceData:
    """Return the built-in data with their defaults."""
    return load_market()


@pytest.fixture
def prices(history: pd.DataFrame) -> pd.DataFrame:
    """Return 400 days, as a user's own table with a Date column."""
    return history.iloc[-400:].astype({"Volume": float}).reset_index()


# -- what a window holds ---------------------------------------------------------------------------
def test_variance_of_a_day_by_hand() -> None:
    prices = pd.DataFrame(
        [[100, 104, 98, 102], [103, 105, 99, 101]], columns=["Open", "High", "Low", "Close"]
    )
    overnight = np.log(103 / 102)
    intraday = np.log(105 / 99) ** 2 / 2 - (2 * np.log(2) - 1) * np.log(101 / 103) ** 2
    variance = daily_variance(prices)
    assert np.isnan(variance[0])
    np.testing.assert_allclose(variance[1], 10_000 * (overnight**2 + intraday), rtol=1e-12)


def test_variance_estimates_that_of_a_random_walk(rng: np.random.Generator) -> None:
    """On simulated days whose variance is known, the mean estimate is that variance."""
    num_days, num_steps, night, day = 2000, 2000, 0.3, 1.1  # deviations in %
    steps = rng.normal(scale=day / np.sqrt(num_steps), size=(num_days, num_steps)) / 100
    path = steps.cumsum(axis=1)
    gaps = rng.normal(scale=night, size=num_days) / 100
    opening = (gaps + np.append(0, path[:-1, -1])).cumsum()
    prices = pd.DataFrame(
        {
            "Open": opening,
            "High": opening + path.max(axis=1).clip(min=0),
            "Low": opening + path.min(axis=1).clip(max=0),
            "Close": opening + path[:, -1],
        }
    )
    estimate = daily_variance(np.exp(prices))
    # Standard error 1.2 %; finitely many steps see a range that is 2 to 3 % too small.
    np.testing.assert_allclose(estimate.mean(), night**2 + day**2, rtol=0.07)


def test_windows_hold_what_they_say(sp500: SequenceData, history: pd.DataFrame) -> None:
    """One test window, each feature and the target worked out row by row."""
    sample = sp500.test[1000]
    assert sample.times is not None
    assert sample.target is not None
    position = history.index.get_loc(sample.times[0, -1])
    variance = daily_variance(history).to_numpy()
    expected = []
    for row in range(position - 59, position + 1):
        today, yesterday = history.iloc[row], history.iloc[row - 1]
        change = 100 * np.log(today.Close / yesterday.Close)
        volume = today.Volume / history.Volume.iloc[row - 21 : row + 1].mean()
        spread = 100 * np.log(today.High / today.Low)
        expected.append([np.log(variance[row]), change, min(change, 0), spread, np.log(volume)])
    np.testing.assert_allclose(sample.display_values[0], expected, rtol=1e-5, atol=1e-5)
    ahead = np.log(variance[position + 1 : position + 6].mean())
    np.testing.assert_allclose(sample.target[0], ahead, rtol=1e-6)


def test_names_units_and_standardising(sp500: SequenceData) -> None:
    assert dict(zip(sp500.feature_names, sp500.units, strict=True)) == FEATURES
    assert sp500.target_name == "log variance of the next 5 days"
    assert sp500.target_unit == "log %²"
    train = sp500.train.values
    np.testing.assert_allclose(train.mean(axis=(0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(train.std(axis=(0, 1)), 1, atol=1e-3)


def test_both_indices_split_at_the_documented_dates(sp500: SequenceData) -> None:
    for data in (sp500, load_market("nasdaq")):
        assert [len(data.train), len(data.validation), len(data.test)] == [2177, 500, 2259]
        assert data.times is not None
        ends = data.times[:, -1]
        for part, boundary in zip(("validation", "test"), BOUNDARIES, strict=True):
            assert ends[data.split == part].min() >= np.datetime64(boundary)
        assert str(ends.max())[:10] == "2018-12-21"  # five days of 2018 are left for its target


# -- nothing leaks ---------------------------------------------------------------------------------
def test_the_future_changes_no_input_and_no_earlier_target(history: pd.DataFrame) -> None:
    horizon, changed_from = 5, 2500
    changed = history.astype(float)
    changed.iloc[changed_from:] *= np.linspace(1, 3, len(history) - changed_from)[:, None]
    changed.iloc[changed_from:, changed.columns.get_loc("High")] *= 1.5
    before, after = (market_table(read_prices(frame), horizon) for frame in (history, changed))
    inputs = list(FEATURES)
    pd.testing.assert_frame_equal(before[inputs][:changed_from], after[inputs][:changed_from])
    target = before.columns[-1]
    known = changed_from - horizon
    pd.testing.assert_series_equal(before[target][:known], after[target][:known])
    # Sabotage: the very next target and the very next input do see the change.
    assert before[target].iloc[known] != after[target].iloc[known]
    assert (before[inputs].iloc[changed_from] != after[inputs].iloc[changed_from]).any()


@pytest.mark.parametrize("horizon", [1, 5, 10])
@pytest.mark.parametrize(
    ("part", "boundary"), [("train", BOUNDARIES[0]), ("validation", BOUNDARIES[1])]
)
def test_no_target_reaches_into_the_next_part(
    history: pd.DataFrame, part: str, boundary: str, horizon: int
) -> None:
    """What comes after a boundary changes nothing of the part before it, scaling included."""
    changed = history.astype(float)
    later = np.asarray(changed.index >= boundary)
    changed.loc[later, ["High", "Close"]] *= 1.3
    options = {"horizon": horizon, "validation": BOUNDARIES[0], "test": BOUNDARIES[1]}
    kept, moved = (load_market(frame, **options) for frame in (history, changed))  # type: ignore[arg-type]
    kept, moved = (data[data.split == part] for data in (kept, moved))
    np.testing.assert_array_equal(kept.values, moved.values)
    np.testing.assert_array_equal(kept.target, moved.target)
    # The last target of the part reaches exactly up to the boundary, so the gap is not too wide.
    assert kept.times is not None
    days_left = (history.index < boundary).sum() - 1 - history.index.get_loc(kept.times[-1, -1])
    assert days_left == horizon


# -- a user's own prices ---------------------------------------------------------------------------
def test_file_and_frame_agree(prices: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    prices.to_csv(path, index=False)
    from_file, from_text = load_market(path), load_market(str(path))
    assert from_file.name == "mine"
    lower = prices.rename(columns=str.lower)
    indexed = prices.set_index("Date").tz_localize("America/New_York")
    for data in (from_text, load_market(prices), load_market(lower), load_market(indexed)):
        np.testing.assert_array_equal(data.values, from_file.values)
        np.testing.assert_array_equal(data.target, from_file.target)
        np.testing.assert_array_equal(data.times, from_file.times)


def test_dates_with_hours_and_zones_that_change_are_read(prices: pd.DataFrame) -> None:
    """As yfinance writes them."""
    zoned = prices["Date"].dt.tz_localize("America/New_York").map(str)
    assert zoned.str.slice(-6).nunique() == 2  # summer and winter
    data = load_market(prices.assign(Date=zoned))
    np.testing.assert_array_equal(data.times, load_market(prices).times)


def test_own_prices_are_cut_60_20_20(prices: pd.DataFrame) -> None:
    data = load_market(prices)
    num_samples = 400 - 21 - 60 - 5 + 1
    sizes = [len(data.train), len(data.validation), len(data.test)]
    assert sum(sizes) == num_samples - 2 * 5
    shares = np.add(sizes, [5, 5, 0])
    np.testing.assert_allclose(shares / num_samples, [0.6, 0.2, 0.2], atol=0.01)


def test_own_boundaries(prices: pd.DataFrame) -> None:
    data = load_market(prices, validation="2018-06-01", test="2018-09-01")
    assert data.test.times is not None
    assert str(data.test.times[0, -1])[:10] == "2018-09-04"  # after Labor Day


def test_days_without_trading_stay_finite(prices: pd.DataFrame) -> None:
    still = prices.copy()
    still.loc[100:130, ["Open", "High", "Low", "Close"]] = still.loc[99, "Close"]
    still.loc[100:130, "Volume"] = 0
    still.loc[:3, "Volume"] = 0
    data = load_market(still)
    assert np.isfinite(data.values).all()
    assert data.target is not None
    np.testing.assert_allclose(data.target.min(), np.log(1e-4), rtol=1e-6)


def test_a_share_split_is_noticed(prices: pd.DataFrame) -> None:
    prices.loc[200:, ["Open", "High", "Low", "Close"]] /= 2
    with pytest.warns(UserWarning, match="halved or doubled overnight on 2018-03-.*share split"):
        load_market(prices)


# -- what is refused -------------------------------------------------------------------------------
def put(row: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a change of one cell."""

    def change(prices: pd.DataFrame) -> pd.DataFrame:
        prices = prices.astype({column: object})
        prices.loc[row, column] = value
        return prices

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda p: p.drop(columns=["Low", "Volume"]),
            r"Expected the columns \['Date', .*\['Low', 'Volume'\] missing, received .*Rename",
        ),
        (
            lambda p: p.drop(columns="Date"),
            r"\['Date'\] missing.*dates may also be the index",
        ),
        (
            lambda p: p.iloc[::-1],
            r"Expected dates oldest first; received 2018-12-28 after 2018-12-31. Sort the rows",
        ),
        (
            lambda p: pd.concat([p, p.iloc[-1:]]),
            r"Expected each date once; received 2018-12-31 after 2018-12-31. Keep one row per day",
        ),
        (
            put(7, "Date", "31.12.2017"),
            r"Expected dates such as 2008-01-31; received '31.12.2017'. Convert.*to_datetime",
        ),
        (
            lambda p: p.assign(Date=p["Date"].dt.strftime("%Y%m%d").astype(int)),
            r"Expected dates such as 2008-01-31; received .*2017.*Convert",
        ),
        (put(9, "Date", None), r"Expected dates such as 2008-01-31; received (nan|NaT|None)"),
        (
            put(5, "Close", "n/a"),
            r"Expected numbers in column 'Close'; received 'n/a' in row 5. Convert",
        ),
        (
            put(5, "Close", np.nan),
            r"Expected a finite number in every cell; received .*Close nan.* on 2017-06-07. Drop",
        ),
        (put(5, "Volume", np.inf), r"finite number .*Volume inf on 2017-06-07. Drop .*dropna"),
        (put(5, "Low", 0.0), r"Expected prices above 0; received .*Low 0, .*2017-06-07. Mend"),
        (put(5, "Open", -3.0), r"Expected prices above 0; received Open -3,"),
        (put(5, "Volume", -1.0), r"Expected volumes of 0 or more; received .*Volume -1 on"),
        (put(5, "High", 2000.0), r"Expected High of at least Low; received .*High 2000, Low 24"),
        (put(5, "Close", 3000.0), r"Expected Open and Close between Low and High; .*Close 3000,"),
        (
            lambda p: p.iloc[-85:],
            r"at least 86 days of prices for one window of 60 days .* received 85. Use a shorter",
        ),
        (lambda p: p.iloc[-90:], r"Expected samples in train, validation and test; received"),
    ],
)
def test_bad_prices_are_refused(
    prices: pd.DataFrame, damage: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_market(damage(prices))


def test_bad_file_is_refused_alike(prices: pd.DataFrame, tmp_path: Path) -> None:
    put(5, "Close", "n/a?")(prices).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ValueError, match=r"Expected numbers in column 'Close'; received 'n/a\?'"):
        load_market(tmp_path / "mine.csv")


@pytest.mark.parametrize(
    ("symbol", "error", "message"),
    [
        ("dax", ValueError, r"Expected one of \['sp500', 'nasdaq'\].*received 'dax'. For another"),
        ("prices.csv", FileNotFoundError, r"found no file 'prices.csv'. Check the path"),
        (Path("prices"), FileNotFoundError, r"Expected a CSV file.*found no file 'prices'"),
    ],
)
def test_unknown_source(symbol: str | Path, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_market(symbol)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, r"window to be .* at least 1; received 0. Usual choices"),
        ({"horizon": 0}, r"horizon to be .* at least 1; received 0. Usual choices"),
        ({"test": "2010-01-01"}, r"both validation and test, or neither; .*validation=None"),
        ({"validation": "2011-01-01", "test": "2010-01-01"}, r"validation to begin before test"),
        ({"validation": "soon", "test": "2010-01-01"}, r"Expected a date .* received 'soon'"),
    ],
)
def test_wrong_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_market("sp500", **options)  # type: ignore[arg-type]


def test_arch_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch.data.sp500", None)
    with pytest.raises(ImportError, match=r"package arch.*not installed. Run: pip install arch"):
        load_market("sp500")
