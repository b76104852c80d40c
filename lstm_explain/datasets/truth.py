"""Data with a known answer: published recipes whose decisive cells are known, so that attributions
can be scored.

**State** and **switch-feature**: each step has a label, and a hidden state chooses the one feature
that decides it. With s_t the state and x_t the features of step t,

    state           s_1 is reached by one step from a fair coin
                    P(s_t = 1 | s_{t-1} = 0) = 0.05
                    P(s_t = 0 | s_{t-1} = 1) = 0.05 + (steps already spent in state 1) / 500
                    x_t ~ Normal(mean of s_t, 0.801 on the diagonal, 0.01 between x_0 and x_{1+s})
                    P(y_t = 1) = 1 / (1 + exp(-2 x_{t, 1+s_t}))
    switch-feature  three states, each is kept with probability 0.95
                    x_t ~ Normal(mean of s_t, 0.1)
                    P(y_t = 1) = 1 / (1 + exp(-3 x_{t, s_t}))

**Rare-time** and **rare-feature**: 50 independent features over 50 steps,

    x_t = e_t - 0.25 x_{t-1} - 0.1 x_{t-2} - 0.05 x_{t-3},   e_t ~ Normal(0, 1)

and a white box that sums the squares of 125 cells and reads no other: 5 steps of the middle half of
the features, or 5 features over the middle half of the steps.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, NamedTuple, cast, get_args

import numpy as np

from ..sequences.data import SequenceData

Recipe = Literal["state", "switch_feature", "rare_time", "rare_feature"]
# Samples and steps as published.
_SIZES = {"state": (1000, 200), "switch_feature": (1000, 100)}
_RARE_SIZE = (10, 50)


class PlantedTruth(NamedTuple):
    """What decides, as the recipe knows it; `None` where a recipe has no such thing."""

    cells: np.ndarray  # bool (sample, time, feature): the cells that decide
    labels: np.ndarray | None  # int (sample, time): the label of each step
    probabilities: np.ndarray | None  # (sample, time): its probability of being 1
    states: np.ndarray | None  # int (sample, time): the hidden state


def load_truth(
    recipe: Recipe, *, samples: int | None = None, steps: int | None = None, seed: int = 0
) -> SequenceData:
    """Simulate a published benchmark whose decisive cells are known: see `planted_truth`.

    Parameters
    ----------
    recipe : {"state", "switch_feature", "rare_time", "rare_feature"}
        Two states and three features; three states and three features; a white box that reads 5
        steps; a white box that reads 5 features.
    samples, steps : int, optional
        As published by default: 1000 series of 200 steps ("state"), 1000 of 100
        ("switch_feature"), 10 of 50 (the rare ones).
    seed : int
        Another seed draws other series, and for the rare ones other cells.

    Returns
    -------
    SequenceData
        Target of "state" and "switch_feature": the label of the last step; `planted_truth` gives
        the label of every step, for models with one output per step. The first 64 % are for
        training, 16 % for validation, 20 % for testing: as published, 800 and 200. Target of the
        rare ones: the white box's output; nothing is trained, so they are not split.

    Raises
    ------
    ValueError
        An unknown recipe, or too few samples or steps.

    Notes
    -----
    Where paper and code differ, the code of the authors is followed, because the published figures
    come from it: the factor 2 or 3 in the label's probability, the minus signs of the series. Three
    things differ from it. The random numbers are NumPy's. Switch-feature starts in any state with
    equal probability, and its Gaussian process has a length scale of 0.2 steps, at which neighbours
    correlate by 4e-6: they are drawn independently.

    References
    ----------
    Crabbé and van der Schaar (2021), "Explaining time series predictions with dynamic masks", ICML,
    section 4: rare-time, rare-feature and state. Tonekaboni et al. (2020), "What went wrong and
    when?", NeurIPS: state and switch-feature.

    Examples
    --------
    >>> load_truth("state", samples=50, steps=20)
    SequenceData 'state': 50 samples x 20 steps x 3 features, 2 classes, train 32 / validation 8 / \
test 10
    """
    if recipe not in get_args(Recipe):
        raise ValueError(
            f"Expected a recipe of {list(get_args(Recipe))}; received {recipe!r}. Choose one of "
            "them."
        )
    sizes = _SIZES.get(recipe, _RARE_SIZE)
    num_samples = sizes[0] if samples is None else samples
    num_steps = sizes[1] if steps is None else steps
    if num_samples < 10 or num_steps < 8:
        raise ValueError(
            f"Expected at least 10 samples of at least 8 steps; received samples={num_samples}, "
            f"steps={num_steps}. Simulate more and slice what you need: load_truth({recipe!r})[:3]."
        )
    values, truth = _drawn(recipe, seed, np.arange(num_samples), num_steps)
    if truth.labels is None:
        target = (np.where(truth.cells, values, 0.0) ** 2).sum(axis=(1, 2))
    else:
        target = truth.labels[:, -1]
    data = SequenceData.from_arrays(
        values,
        target,
        target_name="sum of squares" if truth.labels is None else "label of the last step",
        class_names=None if truth.labels is None else ["0", "1"],
        ids=[f"{seed}:{row}" for row in range(num_samples)],
        name=recipe,
    )
    if truth.labels is None:
        return data
    ends = [round(share * num_samples) for share in (0.64, 0.8)]
    split = np.full(num_samples, "test", "<U10")
    split[: ends[1]] = "validation"
    split[: ends[0]] = "train"
    return replace(data, split=split)


def planted_truth(data: SequenceData) -> PlantedTruth:
    """Tell which cells of simulated series decide, and what the recipe drew besides.

    Parameters
    ----------
    data : SequenceData
        From `load_truth`: all of it or some samples, standardised or not.

    Returns
    -------
    PlantedTruth
        `cells` bool (sample, time, feature), and `labels`, `probabilities` and `states`
        (sample, time), which the rare recipes do not have.

    Raises
    ------
    ValueError
        Data of which no such cells are known, or whose values were changed.

    Examples
    --------
    >>> data = load_truth("state", samples=10)
    >>> truth = planted_truth(data.test)
    >>> truth.cells.shape, truth.labels.shape
    ((2, 200, 3), (2, 200))
    """
    seed, rows = _origin(data)
    values, truth = _drawn(cast(Recipe, data.name), seed, rows, data.values.shape[1])
    # Standardised float32 values come back to about seven digits of the scale.
    if not np.allclose(data.display_values, values, atol=1e-4):
        raise ValueError(
            "Expected the series as they were simulated; received other values. Give the data of "
            "load_truth unchanged: a change may change what decides."
        )
    return truth


def _origin(data: SequenceData) -> tuple[int, np.ndarray]:
    """Read from the ids which seed and which series these are."""
    names = [] if data.ids is None else [str(name) for name in data.ids.tolist()]
    found = [re.fullmatch(r"(\d+):(\d+)", name) for name in names]
    seeds = {match[1] for match in found if match}
    if data.name not in get_args(Recipe) or None in found or len(seeds) != 1:
        raise ValueError(
            "Expected simulated series whose decisive cells are known; received "
            f'{data.name!r}. Use the data of one load_truth(...), such as load_truth("state").'
        )
    return int(seeds.pop()), np.array([int(match[2]) for match in found if match])


def _drawn(
    recipe: Recipe, seed: int, rows: np.ndarray, num_steps: int
) -> tuple[np.ndarray, PlantedTruth]:
    """Draw these series again, in float64, with what decides them."""
    if recipe == "rare_time" or recipe == "rare_feature":
        kind: Literal["time", "feature"] = "time" if recipe == "rare_time" else "feature"
        cells = chosen_cells(kind, seed, num_steps)
        values = draw_series(seed, rows, num_steps)
        return values, PlantedTruth(np.tile(cells, (len(rows), 1, 1)), None, None, None)
    draw = draw_state if recipe == "state" else draw_switch_feature
    series = draw(seed, rows, num_steps)
    return series.values, PlantedTruth(
        series.cells, series.labels, series.probabilities, series.states
    )


# x_t = e_t - 0.25 x_{t-1} - 0.1 x_{t-2} - 0.05 x_{t-3}, e_t standard normal
PAST = (-0.25, -0.1, -0.05)
NUM_FEATURES = 50
NUM_CHOSEN = 5


def draw_series(seed: int, rows: np.ndarray, num_steps: int) -> np.ndarray:
    """Draw the series of these numbers, (sample, step, feature); features are independent.

    Examples
    --------
    >>> draw_series(0, np.array([3, 1]), 4).shape
    (2, 4, 50)
    """
    shape = (num_steps, NUM_FEATURES)
    noise = [np.random.default_rng([seed, int(row)]).standard_normal(shape) for row in rows]
    values = np.array(noise).reshape(-1, *shape)
    for step in range(num_steps):
        for lag, weight in enumerate(PAST, start=1):
            if step >= lag:
                values[:, step] += weight * values[:, step - lag]
    return values


def chosen_cells(kind: Literal["time", "feature"], seed: int, num_steps: int) -> np.ndarray:
    """Return which cells the white box reads, bool (step, feature), the same for every series.

    Examples
    --------
    >>> int(chosen_cells("time", 0, 50).sum()), int(chosen_cells("feature", 0, 50).sum())
    (125, 125)
    """
    rng = np.random.default_rng(seed)
    cells = np.zeros((num_steps, NUM_FEATURES), bool)
    if kind == "time":
        start = int(rng.integers(num_steps - NUM_CHOSEN))
        cells[start : start + NUM_CHOSEN, _middle(NUM_FEATURES)] = True
    else:
        cells[_middle(num_steps), rng.permutation(NUM_FEATURES)[:NUM_CHOSEN]] = True
    return cells


def _middle(count: int) -> slice:
    return slice(count // 4, 3 * count // 4)


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
