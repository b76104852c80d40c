"""Simulated stays in intensive care whose deaths have a known cause.

Every number is made up: the stays are to look plausible, the cause is to be known cell by cell.
Nothing here is medical knowledge or medical advice.

Stays pass through episodes. Some of them change the planted risk of ``icu_rule``, because lactate
is high while the pressure is low; the others look as dramatic and do not: a high lactate with a
good pressure (adrenaline, seizures), a low pressure with a good lactate (sedation), fever, trouble
with breathing, injured kidneys. Who looks unwell is measured more often, and that alone changes
nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...sequences.data import SequenceData
from .physiology import EPISODES, NUM_HOURS, draw_episodes, measurements
from .rule import true_log_odds

SHORTEST_STAY = 6  # hours
# Below this, rounding may leave no stay for validation or test.
FEWEST_STAYS = 10


VARIABLES = {
    "heart rate": "bpm",
    "mean blood pressure": "mmHg",
    "oxygen saturation": "%",
    "breathing rate": "breaths/min",
    "temperature": "°C",
    "lactate": "mmol/L",
    "creatinine": "mg/dL",
    "urine output": "mL",
    "Glasgow coma score": "",
}


STATIC = {"age": "years", "sex": "", "surgical": "", "cardiac": ""}


def sample_stays(seed: int = 0, num_stays: int = 4000) -> SequenceData:
    """Simulate stays in intensive care, hour by hour, and who died in hospital.

    The chart has gaps: vital signs are recorded nearly every hour, the temperature and the Glasgow
    coma score every few hours, lactate and creatinine every 4 to 12 hours and more often when the
    patient looks unwell. Hours without a recording are NaN.

    Parameters
    ----------
    seed : int
        The same seed gives the same stays.
    num_stays : int
        At least 10.

    Returns
    -------
    SequenceData
        Nine variables over 6 to 48 hours; age in years, sex (0 female, 1 male) and type of ICU
        (surgical, cardiac, or neither: medical); classes survived and died; split by stay into
        70 % training, 15 % validation and 15 % test. ``icu_rule.true_log_odds`` and
        ``icu_rule.true_cause`` tell the truth about it.

    Raises
    ------
    ValueError
        Too few stays to split.

    Examples
    --------
    >>> sample_stays(num_stays=100)
    SequenceData 'ICU sample': 100 samples x 6-48 steps x 9 features + 4 static, 2 classes, \
train 70 / validation 15 / test 15
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
    data = SequenceData.from_arrays(
        values,
        lengths=lengths,
        static=static,
        feature_names=list(VARIABLES),
        static_names=list(STATIC),
        units=VARIABLES | STATIC,
        times=np.tile(np.arange(NUM_HOURS), (num_stays, 1)),
        time_name="hours since admission",
        ids=np.arange(1, num_stays + 1),
        missing="keep",
        name="ICU sample",
    )
    # The chart as recorded decides, not what happened between two recordings.
    risk = 1 / (1 + np.exp(-true_log_odds(data)))
    died = (rng.random(num_stays) < risk).astype(np.int32)
    data = replace(
        data, target=died, target_name="death in hospital", class_names=("survived", "died")
    )
    # Not `seed` itself, which would shuffle with the same random bits that drew the patients.
    return data.split_by_group(validation=0.15, test=0.15, seed=int(rng.integers(2**32)))


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
