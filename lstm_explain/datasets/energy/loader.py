"""Demand for electricity, to forecast a day ahead: simulated with known causes, or of Victoria."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ...arguments import check_one_of, check_whole
from ...sequences.data import SequenceData
from ..store import check_home, find_file, not_official
from .simulation import simulate_demand

DAYS = 2191  # 2017 to 2022
VICTORIA = "vic_elec/vic_elec.csv"
COLUMNS = ("Time", "Demand", "Temperature", "Date", "Holiday")
UNITS = {"demand": "MW", "temperature": "°C"}
# Steps of a day, history in days, what is known in advance, first days of validation and of test.
_SAMPLE = (24, 3, ["temperature", "holiday"], "2021-01-01", "2022-01-01")
_VICTORIA = (48, 7, ["temperature", "holiday", "weekend"], "2013-07-01", "2014-01-01")


def load_demand(
    source: Literal["sample", "vic_elec"] = "sample",
    *,
    horizon: int | None = None,
    history: int | None = None,
    data_home: str | Path | None = None,
    progress: bool = True,
) -> SequenceData:
    """Load the demand for electricity as windows whose targets are all steps of the next day.

    A window a day, in MW, with the past demand, and the temperature (°C) and the holidays of the
    time that is forecast: see `known_future` in ``SequenceData.from_series``.

    Parameters
    ----------
    source : {"sample", "vic_elec"}
        "sample": six simulated years of hours, without a download; what raises the demand is known:
        see ``datasets.energy.demand_truth``. "vic_elec": every half hour of Victoria, Australia,
        2012 to 2014, real, with weekends known in advance as well.
    horizon, history : int, optional
        Steps to forecast and steps of the past: a day from three days of hours (sample), or from
        seven days of half hours.
    data_home : path, optional
        Folder that holds ``vic_elec/vic_elec.csv``, or into which it is downloaded. Default: the
        environment variable LSTM_EXPLAIN_DATA, else a folder of this user's cache. Not used for the
        sample.
    progress : bool
        Show the progress of downloading.

    Returns
    -------
    SequenceData
        Split by time, so that no window and no target of a part lies in a window of another, and
        standardised. The sample tests on 2022, Victoria on 2014.

    Raises
    ------
    ValueError
        An unknown source, or a file that holds something else than expected.
    FileNotFoundError
        The file is not there and cannot be downloaded.

    Warns
    -----
    UnverifiedDataWarning
        The file in the data home is not the one that the registry names.

    Notes
    -----
    The temperature of the coming day is the one that was measured: a forecast of it, which a real
    forecaster would have, is less exact. The clock of "vic_elec" is local in the file, where it
    repeats an hour in April and skips one in October; here it is standard time, ten hours before
    UTC, all year. Weekends and holidays are those of the local date.

    References
    ----------
    O'Hara-Wild, Hyndman, Wang and Godahewa, "tsibbledata: Diverse Datasets for 'tsibble'", R
    package: the demand comes from the Australian energy market operator, the temperature from the
    bureau of meteorology at Melbourne.

    Examples
    --------
    >>> load_demand()
    SequenceData 'demand sample': 2180 samples x 72 steps x 3 features, 24 targets, train 1455 / \
validation 361 / test 364
    >>> load_demand("vic_elec")                                     # doctest: +SKIP
    """
    check_one_of(("sample", "vic_elec"), remedy="Of your own use from_series.", source=source)
    usual = "Leave it out for the default."
    check_whole(least=1, optional=True, remedy=usual, horizon=horizon, history=history)
    check_home(data_home, progress)
    if source == "sample":
        table, name, defaults = simulate_demand(DAYS), "demand sample", _SAMPLE
    else:
        path = find_file(VICTORIA, data_home, progress=progress).path
        table, name, defaults = read_victoria(path), "demand of Victoria", _VICTORIA
    day, days, known, validation, test = defaults
    data = SequenceData.from_series(
        table,
        time="time",
        target="demand",
        horizon=day if horizon is None else horizon,
        history=day * days if history is None else history,
        known_future=known,
        stride=day,
        units=UNITS,
        name=name,
    )
    return data.split_by_time(validation, test).standardise()


def read_victoria(path: Path) -> pd.DataFrame:
    """Read the half hours of Victoria: time (UTC + 10 h), demand, temperature, holiday, weekend.

    Times with a Z are UTC; others are Melbourne's clock, whose midnights have no hour.
    """
    table = pd.read_csv(path, dtype={"Time": str})
    if lacking := [name for name in COLUMNS if name not in table]:
        raise not_official(
            path, f"Expected the columns {list(COLUMNS)} in {path}; received none named {lacking}"
        )
    try:
        times = pd.to_datetime(table["Time"], format="ISO8601")
        if times.dt.tz is None:
            times = times.dt.tz_localize("Australia/Melbourne", ambiguous="infer")
        weekend = pd.to_datetime(table["Date"], format="ISO8601").dt.day_of_week >= 5
    except ValueError as error:
        raise not_official(
            path,
            f"Expected times such as 2012-01-01 00:30:00 in {path}; {str(error).splitlines()[0]}",
        ) from error
    clock = times.dt.tz_convert("UTC").dt.tz_localize(None) + np.timedelta64(10, "h")
    return pd.DataFrame(
        {
            "time": clock,
            "demand": table["Demand"],
            "temperature": table["Temperature"],
            "holiday": table["Holiday"],
            "weekend": weekend,
        }
    )
