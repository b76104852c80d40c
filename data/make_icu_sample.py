"""Simulate the stays of load_icu() and write icu_sample.npz. Run: python data/make_icu_sample.py

Every number is made up: the stays are to look plausible, and the cause of death is to be known cell
by cell. Nothing here is medical knowledge or medical advice.

Stays pass through episodes. Some of them raise the planted risk of lstm_explain.datasets.icu.rule,
because lactate is high while the pressure is low; the others look as dramatic and do not: a high
lactate with a good pressure (adrenaline, seizures), a low pressure with a good lactate (sedation),
fever, trouble with breathing, injured kidneys. Who looks unwell is measured more often, and that
alone changes nothing.

The chart has gaps: vital signs are recorded nearly every hour, the temperature and the Glasgow coma
score every few hours, lactate and creatinine every 4 to 12 hours and more often when the patient
looks unwell.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lstm_explain import SequenceData
from lstm_explain.datasets.icu.loader import SAMPLE_FILE, make_stays
from lstm_explain.datasets.icu.rule import true_log_odds

NUM_HOURS = 48
SHORTEST_STAY = 6  # hours
# Below this, rounding may leave no stay for validation or test.
FEWEST_STAYS = 10
STATIC = ("age", "sex", "surgical", "cardiac")


def sample_stays(seed: int = 0, num_stays: int = 4000) -> SequenceData:
    """Simulate stays in intensive care; hours without a recording are NaN.

    Parameters
    ----------
    seed : int
        The same seed gives the same stays.
    num_stays : int
        At least 10.
    """
    if num_stays < FEWEST_STAYS:
        raise ValueError(
            f"Expected at least {FEWEST_STAYS} stays, to split them; received "
            f"num_stays={num_stays}. Simulate more and take those you need: sample_stays()[:5]."
        )
    rng = np.random.default_rng(seed)
    static = _patients(rng, num_stays)
    # Many stays outlast the two days that are looked at.
    lengths = np.exp(rng.normal(np.log(40), 0.7, num_stays)).round()
    lengths = lengths.clip(SHORTEST_STAY, NUM_HOURS).astype(int)
    episodes = draw_episodes(rng, static, lengths)
    values = measurements(rng, static, episodes)
    values[~_recorded(rng, episodes)] = np.nan
    data = make_stays(
        values,
        np.zeros(num_stays, np.int32),  # until the risk is known
        lengths=lengths,
        static=static,
        feature_names=list(CHART),
        static_names=STATIC,
        ids=np.arange(1, num_stays + 1),
        name="ICU sample",
    )
    # The chart as recorded decides, not what happened between two recordings.
    risk = 1 / (1 + np.exp(-true_log_odds(data)))
    data = replace(data, target=(rng.random(num_stays) < risk).astype(np.int32))
    # Not `seed` itself, which would shuffle with the same random bits that drew the patients.
    return data.split_by_group(validation=0.15, test=0.15, seed=int(rng.integers(2**32)))


def write(path: Path) -> None:
    """Write the stays of the default seed; a zip file of NumPy's holds no time of writing."""
    stays = sample_stays()
    np.savez_compressed(
        path,
        # In Fortran order each variable is in one piece, which compresses best.
        values=np.asfortranarray(stays.values[stays.mask]),
        lengths=stays.lengths,
        static=stays.static,
        target=stays.target,
        split=stays.split,
        ids=stays.ids,
        feature_names=np.array(stays.feature_names),
        static_names=np.array(stays.static_names),
    )


def _patients(rng: np.random.Generator, num_stays: int) -> np.ndarray:
    """Draw the static facts, (stay, static fact)."""
    age = rng.normal(64, 16, num_stays).clip(18, 95).round()
    male = rng.random(num_stays) < 0.56
    kind = rng.random(num_stays)
    return np.stack([age, male, kind < 0.3, kind > 0.75], axis=1)


def _recorded(rng: np.random.Generator, episodes: dict[str, np.ndarray]) -> np.ndarray:
    """Draw which values are written down, bool (stay, hour, variable)."""
    shape = episodes["shock"].shape
    unwell = np.max([episodes[name] for name in EPISODES if name != "sedation"], axis=0) > 0.5
    # The monitor is off for some hours: an examination, an operation, a transport.
    away = rng.uniform(0, 60, (shape[0], 1))
    hours = np.arange(NUM_HOURS)
    present = (hours < away) | (hours >= away + rng.uniform(2, 6, (shape[0], 1)))

    def blood_wait() -> np.ndarray:
        """Wait 4 to 12 hours for the next sample, 4 to 6 where the patient looks unwell."""
        return np.where(unwell, rng.uniform(4, 6, shape), rng.uniform(4, 12, shape))

    recorded = {
        "heart rate": present & (rng.random(shape) < 0.96),
        "mean blood pressure": present & (rng.random(shape) < 0.92),
        "oxygen saturation": present & (rng.random(shape) < 0.95),
        "breathing rate": present & (rng.random(shape) < 0.9),
        "temperature": _in_rounds(rng, rng.uniform(2, 6, shape), 3),
        "lactate": _in_rounds(rng, blood_wait(), 6),
        "creatinine": _in_rounds(rng, blood_wait(), 8),
        "urine output": rng.random(shape) < 0.85,
        "Glasgow coma score": _in_rounds(rng, rng.uniform(1, 4, shape), 3),
    }
    return np.stack(list(recorded.values()), axis=-1)


def _in_rounds(rng: np.random.Generator, wait: np.ndarray, first: float) -> np.ndarray:
    """Record within the `first` hours, then each time that the wait (stay, hour) is over."""
    due = rng.uniform(0, first, len(wait))
    recorded = np.zeros(wait.shape, bool)
    for hour in range(wait.shape[1]):
        recorded[:, hour] = due <= hour
        due = np.where(recorded[:, hour], due + wait[:, hour], due)
    return recorded


# Smallest and largest value that can be charted, and the step of the chart.
CHART = {
    "heart rate": (30, 200, 1),
    "mean blood pressure": (35, 140, 1),
    "oxygen saturation": (60, 100, 1),
    "breathing rate": (6, 50, 1),
    "temperature": (34, 41.5, 0.1),
    "lactate": (0.4, 20, 0.1),
    "creatinine": (0.3, 12, 0.1),
    "urine output": (0, 600, 5),
    "Glasgow coma score": (3, 15, 1),
}
# How often an episode begins in or shortly before a stay, its median length in hours, the spread of
# the log of that length, and the hours over which it comes and goes.
EPISODES = {
    "shock": (0.32, 36, 0.5, 3),
    "adrenaline": (0.20, 22, 0.6, 2),  # stands for every high lactate with a good pressure
    "seizure": (0.06, 3, 0.3, 1),
    "sedation": (0.25, 20, 0.6, 1),
    "fever": (0.25, 16, 0.5, 5),
    "breathing": (0.22, 16, 0.6, 4),
    "kidney": (0.16, 40, 0.4, 8),
}


def draw_episodes(
    rng: np.random.Generator, static: np.ndarray, lengths: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw how strong each episode is at each hour: 0 is absent, 1 usual, (stay, hour) each."""
    _, _, surgical, cardiac = static.T
    # Operations bring sedation, failing hearts bring adrenaline.
    odds = {"sedation": 1 + surgical, "adrenaline": 1 + 0.5 * cardiac}
    hours = np.arange(NUM_HOURS)
    episodes = {}
    for name, (chance, median, spread, ramp) in EPISODES.items():
        happens = rng.random(len(static)) < chance * odds.get(name, 1)
        duration = np.exp(rng.normal(np.log(median), spread, len(static)))
        # From half of it before admission to near the end of the stay.
        start = rng.uniform(-duration / 2, np.maximum(lengths - 4, 1))[:, None]
        rise = ((hours - start) / ramp).clip(0, 1)
        fall = ((start + duration[:, None] - hours) / ramp).clip(0, 1)
        strength = (happens * rng.uniform(0.7, 1.3, len(static)))[:, None]
        # No episode is steady: it worsens, is treated, and comes back.
        strength = strength * np.exp(0.2 * _wandering(rng, rise.shape, 0.9))
        episodes[name] = strength * np.minimum(rise, fall)
    return episodes


def measurements(
    rng: np.random.Generator, static: np.ndarray, episodes: dict[str, np.ndarray]
) -> np.ndarray:
    """Return what would be read at every hour, (stay, hour, variable), in steps of the chart."""
    age, male, *_ = static.T
    shock, adrenaline, seizure, sedation, fever, breathing, kidney = episodes.values()

    def usual(mean: float, spread: float) -> np.ndarray:
        return rng.normal(mean, spread, (len(static), 1))

    def noise(spread: float, persistence: float) -> np.ndarray:
        return spread * _wandering(rng, shock.shape, persistence)

    # Awake by day: admissions are at any time of it.
    clock = (np.arange(NUM_HOURS) + rng.integers(24, size=(len(static), 1))) / 24
    day = np.cos(2 * np.pi * (clock - 0.65))
    # How a shock shows differs: not all have a lactate, and in some the pressure is held up.
    acid = rng.choice([0.15, 1.0], p=[0.2, 0.8], size=(len(static), 1))
    depth = rng.choice([0.2, 1.0], p=[0.1, 0.9], size=(len(static), 1))
    # Vasopressors are given before a pressure falls much further than 40 mmHg.
    fall = 40 * np.tanh((25 * depth * shock + 16 * sedation) / 40)
    old = (age - 60)[:, None]
    # Lactate lags what makes it, and is cleared more slowly than it comes.
    made = 4.2 * acid * shock + 3.5 * adrenaline + 5 * seizure
    lactate = np.exp(usual(0.1, 0.22) + noise(0.08, 0.7)) + _lagged(made, 0.5, 0.2)
    injury = _lagged(kidney + 0.15 * shock, 0.07, 0.02)
    creatinine = np.exp(usual(-0.15, 0.25) + 0.2 * male[:, None] + 0.004 * old) + 2.5 * injury
    flow = 75 * np.exp(usual(0, 0.25) + noise(0.35, 0.4))
    columns = {
        "heart rate": usual(80, 9) - 0.1 * old + 3 * day + noise(4, 0.8) + 26 * shock
        + 16 * adrenaline + 25 * seizure - 8 * sedation + 17 * fever + 9 * breathing,
        "mean blood pressure": usual(87, 5) + 2 * day + noise(3.5, 0.6) - fall
        + 4 * adrenaline + 8 * seizure - 2 * fever,
        "oxygen saturation": usual(97, 1) + noise(0.9, 0.6) - 8 * breathing - 1.5 * shock
        - 5 * seizure,
        "breathing rate": usual(17, 2) + noise(1.8, 0.6) + 11 * breathing + 5 * shock
        + 2 * adrenaline + 3 * fever - 3 * sedation,
        "temperature": usual(36.8, 0.25) + 0.2 * day + noise(0.15, 0.8) + 1.9 * fever
        - 0.3 * shock - 0.3 * sedation,
        "lactate": lactate,
        "creatinine": creatinine,
        "urine output": flow * np.exp(-1.3 * shock - 1.2 * kidney - 0.2 * sedation),
        "Glasgow coma score": 15.2 - np.exp(usual(-1, 0.8)) + noise(0.3, 0.9) - 9 * sedation
        - 6 * _lagged(seizure, 1, 0.15) - 1.5 * shock,
    }  # fmt: skip
    chart = [
        ((columns[name] / step).round() * step).clip(low, high)
        for name, (low, high, step) in CHART.items()
    ]
    return np.stack(chart, axis=-1)


def _wandering(rng: np.random.Generator, shape: tuple[int, ...], persistence: float) -> np.ndarray:
    """Draw noise of standard deviation 1 that remembers its last hour (AR(1)), (stay, hour)."""
    noise = rng.normal(size=shape)
    for hour in range(1, shape[1]):
        noise[:, hour] *= np.sqrt(1 - persistence**2)
        noise[:, hour] += persistence * noise[:, hour - 1]
    return noise


def _lagged(driver: np.ndarray, rise: float, fall: float) -> np.ndarray:
    """Follow a driver (stay, hour) by a share of the distance each hour, up and down."""
    level = driver.copy()
    for hour in range(1, driver.shape[1]):
        distance = driver[:, hour] - level[:, hour - 1]
        level[:, hour] = level[:, hour - 1] + distance * np.where(distance > 0, rise, fall)
    return level


if __name__ == "__main__":
    write(Path(__file__).with_name(SAMPLE_FILE))
