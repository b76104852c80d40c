"""Series whose hidden state chooses the feature that decides: state and switch-feature."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# -- state: two states, three features -------------------------------------------------------------
# Feature 1 decides in state 0, feature 2 in state 1; feature 0 never does.
STATE_MEANS = np.array([[0.1, 1.6, 0.5], [-0.1, -0.4, -1.5]])


STATE_VARIANCE = 0.801


STATE_COVARIANCE = 0.01  # of feature 0 with the deciding one


STATE_SLOPE = 2.0


LEAVE = 0.05
# Each step spent in state 1 makes leaving it likelier by this much.
AGEING = 1 / 500

# -- switch-feature: three states, three features, feature k decides in state k --------------------
SWITCH_MEANS = np.array([[0.8, -0.5, -0.2], [0.0, -1.0, 0.0], [-0.2, -0.2, 0.8]])


SWITCH_VARIANCE = 0.1


SWITCH_SLOPE = 3.0


SWITCH_TRANSITIONS = np.array([[0.95, 0.02, 0.03], [0.02, 0.95, 0.03], [0.03, 0.02, 0.95]])


class StateSeries(NamedTuple):
    """Series drawn from a hidden state."""

    values: np.ndarray  # float64 (sample, step, feature)
    cells: np.ndarray  # bool (sample, step, feature): the feature that decides each label
    states: np.ndarray  # int (sample, step)
    probabilities: np.ndarray  # (sample, step): of label 1
    labels: np.ndarray  # int (sample, step)


def draw_state(seed: int, rows: np.ndarray, num_steps: int) -> StateSeries:
    """Draw the series of these numbers of the state data; a series depends on no other.

    Examples
    --------
    >>> draw_state(0, np.array([7]), 5).cells.sum(axis=2).tolist()
    [[1, 1, 1, 1, 1]]
    """
    uniform, normal = _noise(seed, rows, num_steps)
    states = np.empty((len(rows), num_steps), int)
    state = (uniform[:, 0, 0] < 0.5).astype(int)
    age = np.zeros(len(rows), int)
    for step in range(num_steps):
        to_one = np.where(state == 1, 1 - LEAVE - age * AGEING, LEAVE)
        following = (uniform[:, step + 1, 0] < to_one).astype(int)
        age = np.where(following == state, age + 1, 0)
        states[:, step] = state = following
    covariances = np.tile(STATE_VARIANCE * np.eye(3), (2, 1, 1))
    for own, feature in enumerate((1, 2)):
        covariances[own, 0, feature] = covariances[own, feature, 0] = STATE_COVARIANCE
    roots = np.linalg.cholesky(covariances)
    values = STATE_MEANS[states] + np.einsum("stij,stj->sti", roots[states], normal)
    return _labelled(values, states, states + 1, STATE_SLOPE, uniform[:, 1:, 1])


def draw_switch_feature(seed: int, rows: np.ndarray, num_steps: int) -> StateSeries:
    """Draw the series of these numbers of the switch-feature data.

    Examples
    --------
    >>> series = draw_switch_feature(0, np.array([7]), 5)
    >>> bool((series.cells.argmax(axis=2) == series.states).all())
    True
    """
    uniform, normal = _noise(seed, rows, num_steps)
    states = np.empty((len(rows), num_steps), int)
    states[:, 0] = uniform[:, 1, 0] * 3
    bounds = SWITCH_TRANSITIONS.cumsum(axis=1)[:, :-1]
    for step in range(1, num_steps):
        states[:, step] = (uniform[:, step + 1, 0, None] >= bounds[states[:, step - 1]]).sum(axis=1)
    values = SWITCH_MEANS[states] + np.sqrt(SWITCH_VARIANCE) * normal
    return _labelled(values, states, states, SWITCH_SLOPE, uniform[:, 1:, 1])


def _noise(seed: int, rows: np.ndarray, num_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw uniform (sample, 1 + step, 2) and normal numbers (sample, step, 3), series by series."""
    generators = [np.random.default_rng([seed, int(row)]) for row in rows]
    uniform = np.array([one.random((num_steps + 1, 2)) for one in generators])
    normal = np.array([one.standard_normal((num_steps, 3)) for one in generators])
    return uniform.reshape(-1, num_steps + 1, 2), normal.reshape(-1, num_steps, 3)


def _labelled(
    values: np.ndarray, states: np.ndarray, deciding: np.ndarray, slope: float, uniform: np.ndarray
) -> StateSeries:
    cells = deciding[..., None] == np.arange(values.shape[-1])
    decisive = np.take_along_axis(values, deciding[..., None], axis=2)[..., 0]
    probabilities = 1 / (1 + np.exp(-slope * decisive))
    return StateSeries(values, cells, states, probabilities, (uniform < probabilities).astype(int))
