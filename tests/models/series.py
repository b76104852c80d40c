"""A short series with what is known in advance, which the tests of forecasters share."""

from functools import lru_cache

import numpy as np
import pandas as pd

from lstm_explain import SequenceData

HORIZON, HISTORY = 3, 6


@lru_cache
def series(horizon: int = HORIZON) -> SequenceData:
    """Hours whose load follows the temperature, which is known in advance, and its last value."""
    rng = np.random.default_rng(1)
    heat, other = rng.normal(size=(2, 120))
    load = np.zeros(120)
    for hour in range(1, 120):
        load[hour] = 0.6 * load[hour - 1] + heat[hour] + 0.2 * rng.normal()
    table = pd.DataFrame({"load": 50 + 5 * load, "wind": other, "heat": heat})
    table["time"] = pd.date_range("2024-01-01", periods=len(table), freq="h")
    data = SequenceData.from_series(
        table, time="time", target="load", horizon=horizon, history=HISTORY, features=["wind"],
        known_future=["heat"], units={"load": "MW"}, name="hours",
    )  # fmt: skip
    return data.split_by_time("2024-01-03 12:00", "2024-01-04 12:00").standardise()
