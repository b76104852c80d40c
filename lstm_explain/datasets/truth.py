"""Simulated series whose decisive cells are known, so that attributions can be scored.

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
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from ..arguments import check_one_of, check_whole
from ..sequences.data import SequenceData, check_data

Recipe = Literal["state", "switch_feature", "rare_time", "rare_feature"]

# State: feature 1 decides in state 0, feature 2 in state 1; feature 0 never does.
STATE_MEANS = np.array([[0.1, 1.6, 0.5], [-0.1, -0.4, -1.5]])
STATE_VARIANCE = 0.801
STATE_COVARIANCE = 0.01  # of feature 0 with the deciding one
STATE_SLOPE = 2.0
LEAVE = 0.05
# Each step spent in state 1 makes leaving it likelier by this much.
AGEING = 1 / 500

# Switch-feature: feature k decides in state k.
SWITCH_MEANS = np.array([[0.8, -0.5, -0.2], [0.0, -1.0, 0.0], [-0.2, -0.2, 0.8]])
SWITCH_VARIANCE = 0.1
SWITCH_SLOPE = 3.0
SWITCH_TRANSITIONS = np.array([[0.95, 0.02, 0.03], [0.02, 0.95, 0.03], [0.03, 0.02, 0.95]])

# Rare: x_t + 0.25 x_{t-1} + 0.1 x_{t-2} + 0.05 x_{t-3} is standard normal.
MEMORY = (1.0, 0.25, 0.1, 0.05)
NUM_FEATURES = 50
NUM_READ = 5  # steps or features that the white box reads


class PlantedTruth(NamedTuple):
    """What decides; the rare recipes have cells alone."""

    cells: np.ndarray  # bool (sample, time, feature): the cells that decide
    labels: np.ndarray | None = None  # int (sample, time): the label of each step
    probabilities: np.ndarray | None = None  # (sample, time): its probability of being 1
    states: np.ndarray | None = None  # int (sample, time): the hidden state


def load_truth(
    recipe: Recipe, *, samples: int | None = None, steps: int | None = None, seed: int = 0
) -> SequenceData:
    """Simulate a published benchmark whose decisive cells are known: see `planted_truth`.

    Parameters
    ----------
    recipe : {"state", "switch_feature", "rare_time", "rare_feature"}
        Two states and three features; three states and three features; a white box that reads 5
        steps; a white box that reads 5 features. The module says how each is drawn.
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
    check_one_of(RECIPES, recipe=recipe)
    check_whole(optional=True, samples=samples, steps=steps)
    check_whole(seed=seed)
    usual_samples, usual_steps, draw = RECIPES[recipe]
    num_samples = usual_samples if samples is None else samples
    num_steps = usual_steps if steps is None else steps
    if num_samples < 10 or num_steps < 8:
        raise ValueError(
            f"Expected at least 10 samples of at least 8 steps; received samples={num_samples}, "
            f"steps={num_steps}. Simulate more and slice what you need: load_truth({recipe!r})[:3]."
        )
    values, truth = draw(seed, np.arange(num_samples), num_steps)
    ids = [f"{seed}:{row}" for row in range(num_samples)]
    if truth.labels is None:
        output = (np.where(truth.cells, values, 0.0) ** 2).sum(axis=(1, 2))
        return SequenceData.from_arrays(
            values, output, target_name="sum of squares", ids=ids, name=recipe
        )
    data = SequenceData.from_arrays(
        values,
        truth.labels[:, -1],
        target_name="label of the last step",
        class_names=["0", "1"],
        ids=ids,
        name=recipe,
    )
    num_train, num_learn = (round(share * num_samples) for share in (0.64, 0.8))
    sizes = [num_train, num_learn - num_train, num_samples - num_learn]
    return replace(data, split=np.repeat(["train", "validation", "test"], sizes))


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
    *_, draw = RECIPES[data.name]
    values, truth = draw(seed, rows, data.values.shape[1])
    # Standardised float32 values come back to about seven digits of the scale.
    if not np.allclose(data.display_values, values, atol=1e-4):
        raise ValueError(
            "Expected the series as they were simulated; received other values. Give the data of "
            "load_truth unchanged: a change may change what decides."
        )
    return truth


def _origin(data: SequenceData) -> tuple[int, np.ndarray]:
    """Read from the ids the seed and the numbers of the series."""
    check_data(data=data)
    ids = [] if data.ids is None else [str(name) for name in data.ids.tolist()]
    pairs = [name.split(":") for name in ids if re.fullmatch(r"\d+:\d+", name)]
    seeds = {int(seed) for seed, _ in pairs}
    if data.name not in RECIPES or len(pairs) < len(ids) or len(seeds) != 1:
        raise ValueError(
            "Expected simulated series whose decisive cells are known; received "
            f'{data.name!r}. Use the data of one load_truth(...), such as load_truth("state").'
        )
    return seeds.pop(), np.array([int(row) for _, row in pairs])


def _draw_state(seed: int, rows: np.ndarray, num_steps: int) -> tuple[np.ndarray, PlantedTruth]:
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
    for number, feature in enumerate((1, 2)):
        covariances[number, [0, feature], [feature, 0]] = STATE_COVARIANCE
    roots = np.linalg.cholesky(covariances)
    values = STATE_MEANS[states] + np.einsum("stij,stj->sti", roots[states], normal)
    return values, _labelled(values, states, states + 1, STATE_SLOPE, uniform[:, 1:, 1])


def _draw_switch(seed: int, rows: np.ndarray, num_steps: int) -> tuple[np.ndarray, PlantedTruth]:
    uniform, normal = _noise(seed, rows, num_steps)
    states = np.empty((len(rows), num_steps), int)
    states[:, 0] = uniform[:, 1, 0] * 3
    bounds = SWITCH_TRANSITIONS.cumsum(axis=1)[:, :-1]
    for step in range(1, num_steps):
        states[:, step] = (uniform[:, step + 1, 0, None] >= bounds[states[:, step - 1]]).sum(axis=1)
    values = SWITCH_MEANS[states] + np.sqrt(SWITCH_VARIANCE) * normal
    return values, _labelled(values, states, states, SWITCH_SLOPE, uniform[:, 1:, 1])


def _noise(seed: int, rows: np.ndarray, num_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw uniform (sample, 1 + step, 2) and normal numbers (sample, step, 3), series by series."""
    generators = [np.random.default_rng([seed, int(row)]) for row in rows]
    uniform = np.stack([one.random((num_steps + 1, 2)) for one in generators])
    return uniform, np.stack([one.standard_normal((num_steps, 3)) for one in generators])


def _labelled(
    values: np.ndarray, states: np.ndarray, deciding: np.ndarray, slope: float, uniform: np.ndarray
) -> PlantedTruth:
    """Draw the label of each step from its deciding feature, whose number is given."""
    cells = deciding[..., None] == np.arange(values.shape[-1])
    decisive = np.take_along_axis(values, deciding[..., None], axis=2)[..., 0]
    probabilities = 1 / (1 + np.exp(-slope * decisive))
    return PlantedTruth(cells, (uniform < probabilities).astype(int), probabilities, states)


def _draw_rare(
    seed: int, rows: np.ndarray, num_steps: int, read: Literal["steps", "features"]
) -> tuple[np.ndarray, PlantedTruth]:
    """Draw the series, and which cells the white box reads: the same in every series."""
    from scipy.signal import lfilter

    shape = (num_steps, NUM_FEATURES)
    noise = [np.random.default_rng([seed, int(row)]).standard_normal(shape) for row in rows]
    rng = np.random.default_rng(seed)
    cells = np.zeros(shape, bool)
    if read == "steps":
        start = int(rng.integers(num_steps - NUM_READ))
        cells[start : start + NUM_READ, _middle_half(NUM_FEATURES)] = True
    else:
        cells[_middle_half(num_steps), rng.permutation(NUM_FEATURES)[:NUM_READ]] = True
    return lfilter([1.0], MEMORY, noise, axis=1), PlantedTruth(np.tile(cells, (len(rows), 1, 1)))


def _middle_half(count: int) -> slice:
    return slice(count // 4, 3 * count // 4)


# Samples and steps as published, and what draws series from a seed, their numbers and the steps.
RECIPES: dict[
    str, tuple[int, int, Callable[[int, np.ndarray, int], tuple[np.ndarray, PlantedTruth]]]
] = {
    "state": (1000, 200, _draw_state),
    "switch_feature": (1000, 100, _draw_switch),
    "rare_time": (10, 50, partial(_draw_rare, read="steps")),
    "rare_feature": (10, 50, partial(_draw_rare, read="features")),
}
