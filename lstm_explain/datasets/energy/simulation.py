"""Demand for electricity and weather, hour by hour, simulated with causes that are known.

Demand: with h the hour of a day D from 0 to 23, and p(h) its part, the night until 9, the day until
18, the evening,

    temperature   18 + 4 cos(2 pi (D - 15) / 365) + 5 cos(2 pi (h - 15) / 24)
                  + 2 w_D + 4 v_{D,p} + u_{D,h},   w_D = 0.3 w_{D-1} + 0.95 e_D
    demand        profile(h) + noise of 1.5 MW
                  + 1.0 (mean of D from 0 to 9 h - 13)             before 9 h
                  + 1.0 (mean of D from 9 to 18 h - 21)            from 9 h on
                  + 2.5 max(mean of D - 2 from 9 to 18 h - 20, 0)  from 12 h on
                  - 12                                             on holidays from 8 to 18 h

All of e, v, u are standard normal, and so is the noise before it is scaled. What buildings have
stored of the heat comes out two days later: that is the planted cause.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ...sequences.data import SequenceData, check_data

HOURS = 24
FIRST_DAY = "2017-01-01"
# Hours whose mean temperature counts: of the night for the night, of the day for the rest of it.
NIGHT, DAY = slice(0, 9), slice(9, 18)
# What the day has stored comes out so many days later, from this hour on.
DAYS_LATER, RELEASED = 2, 12
WORKING = slice(8, 18)
HOLIDAY_SHARE = 0.05
LATER = ", 24 h later"


class DemandTruth(NamedTuple):
    """Which cells of a window raise or lower which of the next 24 hours of demand.

    Attributes
    ----------
    cells : bool array (time, feature, horizon)
        Those of any cause.
    causes : dict of such arrays
        By cause: "heat two days ago", "heat of the day", "holiday".
    """

    cells: np.ndarray
    causes: dict[str, np.ndarray]


def simulate_demand(days: int, seed: int = 0) -> pd.DataFrame:
    """Simulate so many days of demand, in MW, with temperature and holidays.

    Examples
    --------
    >>> simulate_demand(2)[["time", "demand", "temperature", "holiday"]].shape
    (48, 4)
    """
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    weather = lfilter([0.95], [1, -0.3], rng.standard_normal(days))
    hour, day = np.arange(HOURS), np.arange(days)[:, None]
    # Each part has weather of its own: the evening does not tell how hot the day was.
    lengths = [DAY.start, DAY.stop - DAY.start, HOURS - DAY.stop]
    parts = np.repeat(rng.standard_normal((days, 3)), lengths, axis=1)
    temperature = (
        18
        + 4 * np.cos(2 * np.pi * (day - 15) / 365)
        + 5 * np.cos(2 * np.pi * (hour - 15) / HOURS)
        + 2 * weather[:, None]
        + 4 * parts
        + rng.standard_normal((days, HOURS))
    ).round(1)
    holiday = rng.random(days) < HOLIDAY_SHARE
    demand = 60 + 12 * np.sin(np.pi * (hour - 6) / 12) + 6 * np.sin(np.pi * (hour - 3) / 6)
    demand = demand + 1.5 * rng.standard_normal((days, HOURS))
    of_day = temperature[:, DAY].mean(axis=1, keepdims=True)
    demand[:, NIGHT] += temperature[:, NIGHT].mean(axis=1, keepdims=True) - 13
    demand[:, DAY.start :] += of_day - 21
    demand[DAYS_LATER:, RELEASED:] += 2.5 * np.maximum(of_day[:-DAYS_LATER] - 20, 0)
    demand[:, WORKING] -= 12 * holiday[:, None]
    return pd.DataFrame(
        {
            "time": pd.date_range(FIRST_DAY, periods=days * HOURS, freq="h"),
            "demand": demand.ravel().round(2),
            "temperature": temperature.ravel(),
            "holiday": np.repeat(holiday, HOURS),
        }
    )


def simulate_weather(days: int, seed: int = 0) -> pd.DataFrame:
    """Simulate so many days of hours at three stations, with holes.

    Twelve hours after the pressure the temperature follows it, by 0.4 °C for each hPa; the rest of
    it is the season, the time of day and noise. A tenth of the pressures are missing in runs of six
    hours, one humidity or wind speed in fifty, and one row in five hundred.

    Examples
    --------
    >>> list(simulate_weather(2))
    ['time', 'station', 'temperature', 'humidity', 'wind speed', 'pressure']
    """
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    steps, delay = days * HOURS, 12
    hour = np.arange(steps)
    common = lfilter([1.0], [1, -0.98], rng.standard_normal(steps + delay))
    frames = []
    for station in ("coast", "hills", "plain"):
        local = lfilter([0.5], [1, -0.9], rng.standard_normal(steps + delay))
        pressure = 1015 + common + local
        temperature = (
            12
            + 9 * np.cos(2 * np.pi * (hour / HOURS - 200) / 365)
            + 4 * np.cos(2 * np.pi * (hour - 15) / HOURS)
            + 0.4 * (pressure[:-delay] - 1015)
            + lfilter([0.5], [1, -0.8], rng.standard_normal(steps))
        )
        humidity = (75 - 1.5 * (temperature - 12) + 6 * rng.standard_normal(steps)).clip(5, 100)
        wind = rng.gamma(4, 1.2, steps)
        runs = np.repeat(rng.random(steps // 6) < 0.1, 6)
        columns = {
            "temperature": temperature.round(1),
            "humidity": np.where(rng.random(steps) < 0.02, np.nan, humidity.round()),
            "wind speed": np.where(rng.random(steps) < 0.02, np.nan, wind.round(1)),
            "pressure": np.where(runs, np.nan, pressure[delay:].round(1)),
        }
        times = pd.date_range(FIRST_DAY, periods=steps, freq="h")
        frame = pd.DataFrame({"time": times, "station": station, **columns})
        frames.append(frame[rng.random(steps) >= 0.002])
    return pd.concat(frames, ignore_index=True)


def demand_truth(data: SequenceData) -> DemandTruth:
    """Tell which cells of each window of the simulated demand raise or lower which coming hour.

    Parameters
    ----------
    data : SequenceData
        From ``load_demand("sample")``: all of it or some samples, of which all have the same truth.

    Returns
    -------
    DemandTruth
        A holiday lasts from midnight to midnight, so that each of its hours tells of it: a model
        may read any of them, and all count as the cause.

    Raises
    ------
    ValueError
        Data whose causes are not known.

    Examples
    --------
    >>> from lstm_explain import load_demand
    >>> truth = demand_truth(load_demand())
    >>> truth.cells.shape, sorted(truth.causes)
    ((72, 3, 24), ['heat of the day', 'heat two days ago', 'holiday'])
    """
    check_data(data=data)
    names, steps = list(data.feature_names), data.values.shape[1]
    expected = ["demand", f"temperature{LATER}", f"holiday{LATER}"]
    days = DAYS_LATER + 1
    if names != expected or data.horizon != HOURS or steps < days * HOURS:
        raise ValueError(
            f"Expected the simulated demand, with the features {expected}; received "
            f"{data.name!r} with {names} over {steps} steps. Use the data of load_demand() as they "
            "are."
        )
    causes = {
        name: np.zeros((steps, len(names), HOURS), bool)
        for name in ("heat two days ago", "heat of the day", "holiday")
    }
    # A step holds what is known of 24 hours later: the last 24 are the day that is forecast.
    before = slice(steps - days * HOURS, steps - (days - 1) * HOURS)
    causes["heat two days ago"][before, 1][DAY, RELEASED:] = True
    causes["heat of the day"][-HOURS:, 1][NIGHT, NIGHT] = True
    causes["heat of the day"][-HOURS:, 1][DAY, DAY.start :] = True
    causes["holiday"][-HOURS:, 2, WORKING] = True
    return DemandTruth(np.any([*causes.values()], axis=0), causes)
