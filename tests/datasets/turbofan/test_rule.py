"""The simulated engines do what their description says, and their truth follows the windows."""

import numpy as np
import pytest

from lstm_explain import load_turbofan
from lstm_explain.datasets.turbofan.rule import (
    SECOND_FLEET,
    SENSORS,
    simulate_engine,
    true_cause,
    true_wear,
)

ENGINES = {number: simulate_engine(number) for number in range(1, 181)}
NAMES = list(SENSORS)
COMPRESSOR = [NAMES.index(name) for name in ("exhaust temperature", "compressor pressure")]
BEARING = [NAMES.index(name) for name in ("vibration", "oil temperature")]


def test_one_part_fails_and_moves_its_sensors_alone():
    for engine in ENGINES.values():
        [sensors] = [np.flatnonzero(engine.wear.any(axis=0)).tolist()]
        assert sensors in (COMPRESSOR, BEARING)
        assert np.abs(engine.wear[-1, sensors]).tolist() == [8, 8]
        assert 130 <= len(engine.readings) < 230
        begun = len(engine.wear) - np.flatnonzero(engine.wear.any(axis=1))[0]
        assert 69 <= begun <= 110
    shares = [
        np.mean([engine.wear[-1, BEARING[0]] > 0 for n, engine in ENGINES.items() if pick(n)])
        for pick in (lambda n: n < SECOND_FLEET, lambda n: n >= SECOND_FLEET)
    ]
    # 120 and 60 engines: standard errors of 0.05.
    np.testing.assert_allclose(shares, [0.5, 0.8], atol=0.15)


def test_readings_follow_the_equation():
    """Without wear, inlet and washing what is left of a reading is noise of its size."""
    readings = np.concatenate([engine.readings for engine in ENGINES.values()])
    wear = np.concatenate([engine.wear for engine in ENGINES.values()])
    normal, noise = np.array([[sensor.normal, sensor.noise] for sensor in SENSORS.values()]).T
    left = (readings - normal) / noise - wear
    inlet = left[:, 0] / 6
    for column, sensor in enumerate(SENSORS.values()):
        if not sensor.washing and column:
            # Inlet temperature is itself read with noise of a sixth.
            apart = left[:, column] - sensor.inlet * inlet
            np.testing.assert_allclose(apart.std(), np.sqrt(1 + (sensor.inlet / 6) ** 2), rtol=0.02)
            np.testing.assert_allclose(apart.mean(), 0, atol=0.05)
    neighbours = np.concatenate(
        [
            np.stack([engine.readings[:-1, 0], engine.readings[1:, 0]], axis=1)
            for engine in ENGINES.values()
        ]
    )
    # 0.9 of the inlet's part of the variance, 36 of 37.
    np.testing.assert_allclose(np.corrcoef(neighbours.T)[0, 1], 0.9 * 36 / 37, atol=0.02)


def test_truth_follows_slices_and_its_threshold():
    data = load_turbofan(stride=7)
    part = data.validation[[3, 90, 11]]
    wear = true_wear(part)
    for row, one in enumerate(part.ids):
        engine = ENGINES[int(str(one).split()[1])]
        np.testing.assert_array_equal(wear[row], engine.wear[part.times[row] - 1])
    np.testing.assert_array_equal(true_cause(part), np.abs(wear) > 1)
    assert not true_cause(data.train[data.train.target == 125]).any()


def test_what_has_no_known_fault():
    data = load_turbofan(stride=20)
    with pytest.raises(ValueError, match=r"Expected readings as they were simulated"):
        true_wear(data[0].change("vibration", 9.0, steps=[3]))
    with pytest.raises(ValueError, match=r"Expected simulated engines, .* received 'other'"):
        true_wear(data.__class__.from_arrays(np.zeros((1, 4, 6)), name="other"))
