"""The planted rule of the simulated ICU stays: the true risk, its causes and their true values.

Every number here is made up so that explanations can be scored. None is medical knowledge, and
nothing here is medical advice.

The rule reads the chart as recorded: the last recorded value of a variable holds until the next
one, and before the first recording a variable counts as normal. At hour t

    excess lactate      L = clip((lactate - 2) / 2, 0, 2)
    pressure deficit    P = clip((75 - mean blood pressure) / 10, 0, 2)
    strain              s = L * P

and for the stay, with the strain summed over its hours,

    log-odds of death = BASE + AGE_SLOPE * (age - 60)
                        + age factor * WEIGHT * SATURATION * (1 - exp(-sum of s / SATURATION))
    age factor        = clip(1 + (age - 60) / 40, 0.5, 1.5)

Neither a high lactate nor a low pressure costs anything alone; no other variable does at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...sequences.data import SequenceData, check_data
from ...sequences.scaling import fill_forward

LACTATE, PRESSURE, AGE = "lactate", "mean blood pressure", "age"
# What a variable counts as before its first recording: no excess and no deficit.
NORMAL_LACTATE, NORMAL_PRESSURE = 1.2, 85.0
# Log-odds of a stay without strain at 60 years: about 1 in 31 dies.
BASE = -3.4
AGE_SLOPE = 0.02  # log-odds per year: without strain too, the old die a little more often
# Log-odds per hour of strain 1 (lactate 4, pressure 65) at 60 years, before the sum saturates.
WEIGHT = 0.35
# Hours of strain 1 after which the next hour counts 1/e as much.
SATURATION = 15.0
# An hour is a cause where its strain is above this, a twentieth of the largest strain there is. One
# below it moves the log-odds by at most 0.2 * WEIGHT * 1.5 = 0.105: as little as five years of age.
CAUSE_THRESHOLD = 0.2
# Midpoints on each path: eight times as many change the values by 0.3 %.
NUM_NODES = 64


class TrueValues(NamedTuple):
    """What each cell truly adds: ``base + values + static``, summed, is the true log-odds."""

    values: np.ndarray  # (stay, hour, variable)
    static: np.ndarray  # (stay, static fact)
    base: np.ndarray  # (stay,)


def true_log_odds(data: SequenceData) -> np.ndarray:
    """Return the log-odds of death that the rule gives to each stay, float64 (stay,).

    Parameters
    ----------
    data : SequenceData
        Stays with the variables lactate and mean blood pressure and the static fact age, simulated
        or changed by hand, standardised or not. Missing values are kept: the rule carries the last
        recorded one forward itself.

    Examples
    --------
    >>> hours = np.array([[[4.0, 65.0]] * 10])
    >>> stay = SequenceData.from_arrays(
    ...     hours, static=np.array([[60.0]]), feature_names=[LACTATE, PRESSURE], static_names=[AGE]
    ... )
    >>> true_log_odds(stay).round(2).tolist()
    [-0.85]
    """
    lactate, pressure = _charts(data)
    return _log_odds(_strain(lactate, pressure), data.mask, _ages(data))


def true_cause(data: SequenceData) -> np.ndarray:
    """Tell which cells cause the risk, bool (stay, hour, variable).

    They are the lactate and the mean blood pressure at the hours whose strain is above
    `CAUSE_THRESHOLD`. An hour whose values were recorded earlier and still hold counts too.

    Examples
    --------
    >>> hours = np.array([[[4.0, 80.0], [4.0, 65.0], [np.nan, 65.0]]])
    >>> stay = SequenceData.from_arrays(
    ...     hours, feature_names=[LACTATE, PRESSURE], missing="keep"
    ... )
    >>> true_cause(stay)[0].tolist()
    [[False, False], [True, True], [True, True]]
    """
    hours = (_strain(*_charts(data)) > CAUSE_THRESHOLD) & data.mask
    cause = np.zeros((*hours.shape, len(data.feature_names)), bool)
    for name in (LACTATE, PRESSURE):
        cause[..., data.feature_names.index(name)] = hours
    return cause


def true_shap(data: SequenceData, background: SequenceData) -> TrueValues:
    """Return the expected gradients of the rule itself: what a perfect model's explanation shows.

    For each background stay the chart moves on a straight line from it to the explained stay. A
    cell's value is its difference times the rule's mean derivative on that line, averaged over the
    background: the same definition as that of ``lstm_explain.explain``. A background stay that
    ends early holds its last values.

    Parameters
    ----------
    data : SequenceData
        The stays to explain.
    background : SequenceData
        The stays that stand for "not known", usually about 100 of the training part.

    Returns
    -------
    TrueValues
        `values` is 0 for every variable but lactate and mean blood pressure, and on padded hours.

    Examples
    --------
    >>> def stay(lactate, pressure):
    ...     return SequenceData.from_arrays(
    ...         np.array([[[lactate, pressure]] * 4]), static=np.array([[60.0]]),
    ...         feature_names=[LACTATE, PRESSURE], static_names=[AGE],
    ...     )
    >>> explained = true_shap(stay(4.0, 65.0), background=stay(2.0, 75.0))
    >>> explained.values[0].round(2).tolist()
    [[0.15, 0.15], [0.15, 0.15], [0.15, 0.15], [0.15, 0.15]]
    """
    ends = np.stack(_charts(data), axis=-1)
    num_hours = ends.shape[1]
    starts = _to_length(np.stack(_charts(background), axis=-1), num_hours)
    ages, start_ages = _ages(data), _ages(background)
    nodes = (np.arange(NUM_NODES) + 0.5) / NUM_NODES
    values = np.zeros((*data.mask.shape, len(data.feature_names)))
    static = np.zeros((len(data), len(data.static_names)))
    base = np.zeros(len(data))
    columns = [data.feature_names.index(name) for name in (LACTATE, PRESSURE)]
    for stay, length in enumerate(data.lengths):
        start = starts[:, None, :length]
        step = ends[stay, :length] - start
        points = start + nodes[:, None, None] * step  # (background, node, hour, variable)
        age_step = ages[stay] - start_ages
        age_points = start_ages[:, None] + nodes * age_step[:, None]
        slopes, age_slopes = _derivatives(points, age_points)
        values[stay, :length, columns] = (slopes.mean(axis=1) * step[:, 0]).mean(axis=0).T
        static[stay, data.static_names.index(AGE)] = (age_slopes.mean(axis=1) * age_step).mean()
        strain = _strain(start[:, 0, :, 0], start[:, 0, :, 1])
        base[stay] = _log_odds(strain, np.ones(strain.shape, bool), start_ages).mean()
    return TrueValues(values, static, base)


def _log_odds(strain: np.ndarray, mask: np.ndarray, age: np.ndarray) -> np.ndarray:
    load = _saturated((strain * mask).sum(axis=1))
    return BASE + AGE_SLOPE * (age - 60) + _age_factor(age) * WEIGHT * load


def _derivatives(points: np.ndarray, age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differentiate the log-odds by charts (..., hour, variable) and by age (...)."""
    lactate, pressure = points[..., 0], points[..., 1]
    excess, deficit = _excess(lactate), _deficit(pressure)
    total = (excess * deficit).sum(axis=-1)
    by_strain = (WEIGHT * _age_factor(age) * np.exp(-total / SATURATION))[..., None]
    # A clipped quantity has a slope only strictly between its bounds.
    by_lactate = by_strain * deficit * ((excess > 0) & (excess < 2)) / 2
    by_pressure = -by_strain * excess * ((deficit > 0) & (deficit < 2)) / 10
    inside = (age > 40) & (age < 80)
    by_age = AGE_SLOPE + inside / 40 * WEIGHT * _saturated(total)
    return np.stack([by_lactate, by_pressure], axis=-1), by_age


def _strain(lactate: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    return _excess(lactate) * _deficit(pressure)


def _excess(lactate: np.ndarray) -> np.ndarray:
    return np.clip((lactate - 2) / 2, 0, 2)


def _deficit(pressure: np.ndarray) -> np.ndarray:
    return np.clip((75 - pressure) / 10, 0, 2)


def _age_factor(age: np.ndarray) -> np.ndarray:
    return np.clip(1 + (age - 60) / 40, 0.5, 1.5)


def _saturated(total: np.ndarray) -> np.ndarray:
    return SATURATION * (1 - np.exp(-total / SATURATION))


def _charts(data: SequenceData) -> tuple[np.ndarray, np.ndarray]:
    """Return lactate and pressure (stay, hour) as they stand on the chart at each hour."""
    check_data("Use the stays of load_icu(), changed or not.", data=data)
    positions = [_position(data.feature_names, name, "variable") for name in (LACTATE, PRESSURE)]
    chart = fill_forward(data.display_values[..., positions])
    chart = np.where(np.isnan(chart), [NORMAL_LACTATE, NORMAL_PRESSURE], chart)
    return chart[..., 0], chart[..., 1]


def _ages(data: SequenceData) -> np.ndarray:
    position = _position(data.static_names, AGE, "static fact")
    return np.asarray(data.display_static)[:, position]


def _position(names: tuple[str, ...], name: str, what: str) -> int:
    if name not in names:
        raise ValueError(
            f"Expected the {what} {name!r}, which the rule reads; received {list(names)}. Use the "
            "stays of load_icu(), changed or not."
        )
    return names.index(name)


def _to_length(rows: np.ndarray, num_hours: int) -> np.ndarray:
    """Cut rows (stay, hour, variable), or hold their last hour."""
    missing = max(0, num_hours - rows.shape[1])
    return np.pad(rows, ((0, 0), (0, missing), (0, 0)), mode="edge")[:, :num_hours]
