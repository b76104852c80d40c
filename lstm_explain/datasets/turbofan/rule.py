"""The planted faults of the simulated engines: which readings tell that an engine will fail.

Every number here is made up so that explanations can be scored. None describes a real engine.

An engine runs for L cycles. In the last T of them, 70 to 110, one of its parts is faulty, and at
cycle t that part's wear is

    w = max(0, 1 - (L - t) / T) ** 2

A faulty compressor moves exhaust temperature and compressor pressure, a faulty bearing vibration
and oil temperature. With n the noise of a sensor and a the inlet temperature's deviation,

    reading = normal + n * (fault * w + inlet * a + washing * s + Normal(0, 1))

where s falls from 1 to -1 between two washes of the fan, every 25 to 45 cycles. Inlet temperature
and core speed say nothing about any fault. Of engines up to number 120 each part fails in one half;
of later ones the bearing does in four of five.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ...sequences.data import SequenceData, check_data

NAME = "turbofan sample"


class Sensor(NamedTuple):
    """How a sensor reads; all but the first two in units of its noise."""

    unit: str
    normal: float
    noise: float
    faults: tuple[float, float] = (0.0, 0.0)  # at failure: of the compressor, of the bearing
    inlet: float = 0.0  # per standard deviation of the inlet temperature
    washing: float = 0.0


SENSORS = {
    "inlet temperature": Sensor("°C", 15.0, 1.0, inlet=6.0),
    "exhaust temperature": Sensor("°C", 540.0, 4.0, faults=(8.0, 0.0), inlet=1.0),
    "compressor pressure": Sensor("kPa", 1850.0, 12.0, faults=(-8.0, 0.0)),
    "vibration": Sensor("mm/s", 2.4, 0.15, faults=(0.0, 8.0)),
    "oil temperature": Sensor("°C", 92.0, 1.5, faults=(0.0, 8.0), inlet=1.0),
    "core speed": Sensor("rpm", 9050.0, 8.0, washing=3.0),
}
# A reading is a cause where the fault moved it by more than its noise.
CAUSE_THRESHOLD = 1.0
# From this number on, four of five engines have the faulty bearing.
SECOND_FLEET = 121


class Engine(NamedTuple):
    """One simulated engine, run to failure."""

    readings: np.ndarray  # (cycle, sensor), in the sensors' units
    wear: np.ndarray  # (cycle, sensor): how far the fault moved a reading, in its noise


def simulate_engine(number: int) -> Engine:
    """Simulate an engine from its number alone: the same number gives the same engine.

    Examples
    --------
    >>> engine = simulate_engine(7)
    >>> engine.readings.shape == engine.wear.shape, engine.readings.shape[1]
    (True, 6)
    """
    rng = np.random.default_rng([2026, number])
    length, time_faulty = int(rng.integers(130, 230)), int(rng.integers(70, 111))
    bearing = rng.random() < (0.5 if number < SECOND_FLEET else 0.8)
    left = length - np.arange(1, length + 1)
    wear = np.maximum(0, 1 - left / time_faulty) ** 2
    moved = wear[:, None] * np.array([sensor.faults[int(bearing)] for sensor in SENSORS.values()])
    inlet = _slow_noise(rng, length)
    since_wash = (np.arange(length) + rng.integers(45)) % rng.integers(25, 46) / 45
    noise = rng.standard_normal((length, len(SENSORS)))
    columns = []
    for column, sensor in enumerate(SENSORS.values()):
        other = sensor.inlet * inlet + sensor.washing * (1 - 2 * since_wash)
        columns.append(sensor.normal + sensor.noise * (moved[:, column] + other + noise[:, column]))
    return Engine(np.stack(columns, axis=1), moved)


def _slow_noise(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return standard normal numbers of which neighbours correlate by 0.9."""
    shocks, numbers = rng.standard_normal(length), np.empty(length)
    numbers[0] = shocks[0]
    for step in range(1, length):
        numbers[step] = 0.9 * numbers[step - 1] + np.sqrt(1 - 0.9**2) * shocks[step]
    return numbers


def true_wear(data: SequenceData) -> np.ndarray:
    """Return how far the fault moved each reading, in units of the sensor's noise.

    Parameters
    ----------
    data : SequenceData
        Windows of ``load_turbofan("sample")``, all or some, standardised or not, unchanged.

    Returns
    -------
    array (window, cycle, sensor)

    Raises
    ------
    ValueError
        Other data, or readings that were changed.

    Examples
    --------
    >>> from lstm_explain import load_turbofan
    >>> true_wear(load_turbofan().test[:2]).shape
    (2, 30, 6)
    """
    check_data("Use the windows of load_turbofan().", data=data)
    shown = data.display_values
    wear, noise = np.zeros(data.values.shape), [sensor.noise for sensor in SENSORS.values()]
    for row, number in enumerate(_numbers(data)):
        engine, cycles = simulate_engine(number), np.asarray(data.times)[row] - 1
        wear[row] = engine.wear[cycles]
        # Standardised float32 values come back to about seven digits.
        if (np.abs(shown[row] - engine.readings[cycles]) > 0.01 * np.array(noise)).any():
            raise ValueError(
                "Expected readings as they were simulated; received other ones. Give the windows "
                "of load_turbofan() unchanged: a change may change what tells of a fault."
            )
    return wear


def true_cause(data: SequenceData) -> np.ndarray:
    """Tell which readings show the fault, bool (window, cycle, sensor).

    They are those that it moved by more than the sensor's noise. Windows of engines in order have
    none: see `true_wear`.

    Examples
    --------
    >>> from lstm_explain import load_turbofan
    >>> data = load_turbofan()
    >>> last = data.validation[data.validation.target == 0][:1]
    >>> true_cause(last).any(axis=1).sum()  # the two sensors of the faulty part
    np.int64(2)
    """
    return np.abs(true_wear(data)) > CAUSE_THRESHOLD


def _numbers(data: SequenceData) -> list[int]:
    """Read the engines' numbers from the ids."""
    ids = [] if data.ids is None else [str(name) for name in data.ids.tolist()]
    numbers = [int(name.split()[1]) for name in ids if re.fullmatch(r"engine \d+", name)]
    if data.name != NAME or len(numbers) < len(data) or data.feature_names != tuple(SENSORS):
        raise ValueError(
            "Expected simulated engines, whose faults are known; received "
            f"{data.name!r}. Use the windows of load_turbofan()."
        )
    return numbers
