"""Demand for electricity: what the simulation plants is what is told, and Victoria's clock."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_explain import SequenceData, load_demand
from lstm_explain.datasets import UnverifiedDataWarning
from lstm_explain.datasets.energy import demand_truth, simulate_demand
from lstm_explain.datasets.energy.loader import read_victoria


@pytest.fixture(scope="module")
def sample() -> SequenceData:
    return load_demand()


# -- the simulation --------------------------------------------------------------------------------
def demand_of(temperature: np.ndarray, holiday: bool) -> np.ndarray:
    """Return a day's demand without noise from the temperature (day, hour) of it and two before."""
    day = np.empty(24)
    for h in range(24):
        level = 60 + 12 * np.sin(np.pi * (h - 6) / 12) + 6 * np.sin(np.pi * (h - 3) / 6)
        if h < 9:
            level += 1.0 * (np.mean(temperature[2, 0:9]) - 13)
        else:
            level += 1.0 * (np.mean(temperature[2, 9:18]) - 21)
        if h >= 12:
            level += 2.5 * max(np.mean(temperature[0, 9:18]) - 20, 0)
        if 8 <= h < 18 and holiday:
            level -= 12
        day[h] = level
    return day


def test_the_demand_is_the_formula_and_noise() -> None:
    frame = simulate_demand(400)
    temperature = frame["temperature"].to_numpy().reshape(400, 24)
    holiday = frame["holiday"].to_numpy().reshape(400, 24)
    assert (holiday == holiday[:, :1]).all()
    assert 8 <= holiday[:, 0].sum() <= 35  # 5 % of 400
    exact = [demand_of(temperature[d - 2 : d + 1], holiday[d, 0]) for d in range(2, 400)]
    noise = frame["demand"].to_numpy().reshape(400, 24)[2:] - exact
    # Of 9,552 draws with deviation 1.5 the mean is within 0.06, the deviation within 0.05.
    assert abs(noise.mean()) < 0.06
    assert abs(noise.std() - 1.5) < 0.05
    assert np.abs(np.corrcoef(noise.T)[~np.eye(24, dtype=bool)]).max() < 0.25


def test_a_seed_gives_the_same_series_every_time_and_another_gives_another() -> None:
    pd.testing.assert_frame_equal(simulate_demand(9), simulate_demand(9))
    assert not simulate_demand(9).equals(simulate_demand(9, seed=1))


@pytest.mark.parametrize("history", [72, 96])
def test_the_truth_is_what_changes_the_demand(history: int) -> None:
    """Each cell is moved by itself, on hot days, on which stored heat counts."""
    data = load_demand(history=history)[:1]
    truth = demand_truth(data)
    rng = np.random.default_rng(0)
    temperature, holiday = 30 + rng.normal(size=(3, 24)), np.zeros(24, bool)
    before = demand_of(temperature, holiday=False)
    assert truth.cells.shape == (history, 3, 24)
    assert not truth.cells[:, 0].any()  # the past of the demand tells nothing more
    assert not truth.cells[: history - 72].any()
    for step in range(72):
        moved = temperature.copy()
        moved[step // 24, step % 24] += 1
        changed = demand_of(moved, holiday=False) != before
        np.testing.assert_array_equal(truth.cells[history - 72 + step, 1], changed)
        if step < 24:
            stored = truth.causes["heat two days ago"][history - 72 + step, 1]
            np.testing.assert_array_equal(stored, changed)
    on_holiday = demand_of(temperature, holiday=bool(~holiday[0])) != before
    np.testing.assert_array_equal(truth.causes["holiday"][-24:, 2], np.tile(on_holiday, (24, 1)))
    np.testing.assert_array_equal(truth.cells, np.any([*truth.causes.values()], axis=0))


def test_the_truth_is_where_the_windows_hold_those_hours(sample: SequenceData) -> None:
    """The first day of a window's later temperature is two days before the day of its targets."""
    frame = simulate_demand(2191).set_index("time")
    window = sample.test[5]
    first_target = pd.Timestamp(window.times[0, -1]) + pd.Timedelta("1h")
    assert first_target.hour == 0
    for day, begin in ((0, 0), (2, 48)):
        hours = pd.date_range(first_target - pd.Timedelta(days=2 - day), periods=24, freq="h")
        np.testing.assert_allclose(
            window.display_values[0, begin : begin + 24, 1],
            frame.loc[hours, "temperature"],
            rtol=1e-5,  # float32 of standardised values
        )
    hours = pd.date_range(first_target, periods=24, freq="h")
    np.testing.assert_allclose(window.target[0], frame.loc[hours, "demand"], rtol=1e-6)


def test_the_sample_is_split_by_time_without_a_leak(sample: SequenceData) -> None:
    assert sample.target_names == tuple(f"+{k} h" for k in range(1, 25))
    assert (sample.target_unit, sample.units[:2]) == ("MW", ("MW", "°C"))
    parts = (sample.train, sample.validation, sample.test)
    for early, late in pairwise(parts):
        assert early.times[:, -1].max() + np.timedelta64(24, "h") < late.times[:, 0].min()
    np.testing.assert_allclose(sample.train.values[..., 0].mean(), 0, atol=1e-4)


@pytest.mark.parametrize("changes", [{"horizon": 12}, {"history": 48}])
def test_the_truth_of_other_data_is_not_known(changes: dict[str, int]) -> None:
    with pytest.raises(
        ValueError, match=r"Expected the simulated demand.*Use the data of load_dem"
    ):
        demand_truth(load_demand(**changes))


# -- Victoria --------------------------------------------------------------------------------------
def victorian(start: str = "2012-03-31", days: int = 3, fold: bool = False) -> pd.DataFrame:
    """Return rows as in the file: Melbourne's clock, whose midnights are dates alone."""
    times = pd.date_range(start, periods=48 * days, freq="30min", tz="Australia/Melbourne")
    clock = times.strftime("%Y-%m-%d %H:%M:%S").str.removesuffix(" 00:00:00")
    return pd.DataFrame(
        {
            "Time": times.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ") if fold else clock,
            "Demand": np.arange(len(times)) + 0.5,
            "Temperature": 20.0,
            "Date": times.strftime("%Y-%m-%d"),
            "Holiday": "FALSE",
        }
    )


def test_melbournes_clock_becomes_even_steps(tmp_path: Path) -> None:
    """On 2012-04-01 the hour from 2 to 3 comes twice; 2012-03-31 and 2012-04-01 are a weekend."""
    path = tmp_path / "vic_elec.csv"
    victorian().to_csv(path)
    frame = read_victoria(path)
    assert frame["time"].diff().dropna().unique().tolist() == [pd.Timedelta("30min")]
    assert frame["time"][0] == pd.Timestamp("2012-03-30 23:00")  # summer time is an hour ahead
    assert frame["weekend"].tolist() == [True] * (48 + 50) + [False] * 46
    assert frame["holiday"].dtype == bool
    victorian(fold=True).to_csv(path)
    pd.testing.assert_frame_equal(read_victoria(path), frame)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Date": "Time"}, r"Expected the columns .*received none named .'Time'"),
        (
            {"Time": "noon"},
            r"Expected times such as .*; Time data noon.*Replace vic_elec.csv",
        ),
    ],
)
def test_a_file_that_is_none_of_victorias_is_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    frame = victorian()
    frame = frame.drop(columns="Time") if "Date" in change else frame.assign(**change)
    folder = tmp_path / "vic_elec"
    folder.mkdir()
    frame.to_csv(folder / "vic_elec.csv")
    with pytest.raises(ValueError, match=message), pytest.warns(UnverifiedDataWarning):
        load_demand("vic_elec", data_home=tmp_path)


def test_victoria(data_home: Path) -> None:
    data = load_demand("vic_elec", data_home=data_home)
    assert data.feature_names == (
        "demand", "temperature, 24 h later", "holiday, 24 h later", "weekend, 24 h later"
    )  # fmt: skip
    assert data.values.shape[1:] == (336, 4)
    assert data.target_names[:2] == ("+30 min", "+1 h")
    assert data.target_names[-1] == "+24 h"
    # The first row of the file, midnight of 2012 in summer time, is in the first window.
    first = data.train[0]
    assert first.times[0, 0] == np.datetime64("2011-12-31T23:00")
    np.testing.assert_allclose(first.display_values[0, 0, 0], 4382.825174, rtol=1e-6)
    assert (data.test.times[:, -1].min() >= np.datetime64("2014-01-01")).all()
    assert not np.isnan(data.values).any()
