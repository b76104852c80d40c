"""Data with a known answer: the recipes' own statistics, and the published scores."""

from itertools import pairwise

import hypothesis
import numpy as np
import pytest
from benchmarks.saliency_scores import score_saliency
from hypothesis import strategies
from hypothesis.extra import numpy as arrays

import lstm_explain as lx
from lstm_explain.backend import keras, ops
from lstm_explain.datasets import truth

# 1000 series of 200 steps: a share has a standard error below 0.002, a mean below 0.004.
LARGE = lx.datasets.load_truth("state", seed=5)
DRAWN = lx.datasets.planted_truth(LARGE)


# -- the recipes -----------------------------------------------------------------------------------
def test_state_leaves_as_published():
    states = DRAWN.states
    before, after = states[:, :-1], states[:, 1:]
    np.testing.assert_allclose(after[before == 0].mean(), 0.05, atol=0.002)
    # Of all visits to state 1 that begin inside the series: the risk of ending at each age.
    age, at_risk, left = np.zeros(len(states), int), np.zeros(30), np.zeros(30)
    begun = np.zeros(len(states), bool)
    for step in range(1, states.shape[1]):
        inside = begun & (states[:, step - 1] == 1) & (age < 30)
        np.add.at(at_risk, age[inside], 1)
        np.add.at(left, age[inside & (states[:, step] == 0)], 1)
        begun |= (states[:, step - 1] == 0) & (states[:, step] == 1)
        age = np.where(states[:, step] == states[:, step - 1], age + 1, 0)
    # The chance grows by 1/500 a step: by ten steps at a time, with errors of about 0.003.
    expected = at_risk * (0.05 + np.arange(30) / 500)
    found, expected = (count.reshape(3, 10).sum(axis=1) for count in (left, expected))
    at_risk = at_risk.reshape(3, 10).sum(axis=1)
    np.testing.assert_allclose(found / at_risk, expected / at_risk, atol=0.008)
    assert np.diff(found / at_risk).min() > 0.01


def test_state_emissions_as_published():
    for state in (0, 1):
        inside = LARGE.values[DRAWN.states == state]
        np.testing.assert_allclose(inside.mean(axis=0), truth.STATE_MEANS[state], atol=0.015)
        expected = 0.801 * np.eye(3)
        expected[0, 1 + state] = expected[1 + state, 0] = 0.01
        np.testing.assert_allclose(np.cov(inside.T), expected, atol=0.015)


def test_switch_feature_as_published():
    data = lx.datasets.load_truth("switch_feature", seed=2)
    truth = lx.datasets.planted_truth(data)
    before, after = truth.states[:, :-1].ravel(), truth.states[:, 1:].ravel()
    moves = np.zeros((3, 3))
    np.add.at(moves, (before, after), 1)
    expected = [[0.95, 0.02, 0.03], [0.02, 0.95, 0.03], [0.03, 0.02, 0.95]]
    np.testing.assert_allclose(moves / moves.sum(axis=1, keepdims=True), expected, atol=0.004)
    np.testing.assert_allclose(
        np.bincount(truth.states[:, 0]) / len(data), np.full(3, 1 / 3), atol=0.06
    )
    for state in range(3):
        inside = data.values[truth.states == state]
        means = [[0.8, -0.5, -0.2], [0.0, -1.0, 0.0], [-0.2, -0.2, 0.8]][state]
        np.testing.assert_allclose(inside.mean(axis=0), means, atol=0.01)
        np.testing.assert_allclose(np.cov(inside.T), 0.1 * np.eye(3), atol=0.003)
    assert (truth.cells.argmax(axis=2) == truth.states).all()


@pytest.mark.parametrize(("recipe", "slope"), [("state", 2.0), ("switch_feature", 3.0)])
def test_the_deciding_cell_gives_the_label(recipe, slope):
    data = lx.datasets.load_truth(recipe, seed=1)
    truth = lx.datasets.planted_truth(data)
    np.testing.assert_array_equal(truth.cells.sum(axis=2), 1)
    deciding = np.where(truth.cells, data.values, 0).sum(axis=2)
    np.testing.assert_allclose(truth.probabilities, 1 / (1 + np.exp(-slope * deciding)), rtol=1e-5)
    for low in np.arange(0, 1, 0.1):  # calibrated in each tenth, within four standard errors
        inside = (truth.probabilities >= low) & (truth.probabilities < low + 0.1)
        error = truth.labels[inside].mean() - truth.probabilities[inside].mean()
        assert abs(error) < 4 * np.sqrt(0.25 / inside.sum()) < 0.2
    np.testing.assert_array_equal(data.target, truth.labels[:, -1])


def test_rare_series_follow_the_equation():
    data = lx.datasets.load_truth("rare_time", samples=40, steps=400)
    x = data.values.astype(float)
    shocks = x[:, 3:] + 0.25 * x[:, 2:-1] + 0.1 * x[:, 1:-2] + 0.05 * x[:, :-3]
    np.testing.assert_allclose([shocks.mean(), shocks.std()], [0, 1], atol=0.01)
    following = np.mean(shocks[:, 1:] * shocks[:, :-1])
    np.testing.assert_allclose(following, 0, atol=0.01)  # what is left has no memory
    assert np.mean(x[:, 1:] * x[:, :-1]) < -0.15


def test_rare_cells_as_published():
    steps = lx.datasets.planted_truth(lx.datasets.load_truth("rare_time")).cells
    features = lx.datasets.planted_truth(lx.datasets.load_truth("rare_feature")).cells
    for cells in (steps, features):
        assert (cells == cells[0]).all()
        assert cells[0].sum() == 125
    [when] = np.where(steps[0].any(axis=1))
    np.testing.assert_array_equal(np.diff(when), 1)
    np.testing.assert_array_equal(np.where(steps[0].any(axis=0))[0], np.arange(12, 37))
    np.testing.assert_array_equal(np.where(features[0].any(axis=1))[0], np.arange(12, 37))
    assert features[0].any(axis=0).sum() == len(when) == 5
    other = lx.datasets.planted_truth(lx.datasets.load_truth("rare_feature", seed=1)).cells
    assert not np.array_equal(other, features)


def test_same_seed_same_series_and_a_series_stands_alone():
    for recipe in ("state", "switch_feature", "rare_time"):
        many = lx.datasets.load_truth(recipe, samples=30, steps=20, seed=4)
        few = lx.datasets.load_truth(recipe, samples=10, steps=20, seed=4)
        np.testing.assert_array_equal(few.values, many.values[:10])
        other = lx.datasets.load_truth(recipe, samples=10, steps=20, seed=5)
        assert not np.isclose(other.values, few.values).any()


def test_truth_follows_slices_and_scaling():
    truth = lx.datasets.planted_truth(LARGE.standardise().test[[7, 3]])
    for mine, all_of_them in zip(truth, DRAWN, strict=True):
        np.testing.assert_array_equal(mine, all_of_them[800:][[7, 3]])


def test_what_has_no_known_answer():
    with pytest.raises(
        ValueError, match=r"Expected recipe to be one of .*'state'.* received 'hmm'"
    ):
        lx.datasets.load_truth("hmm")
    with pytest.raises(ValueError, match=r"Expected at least 10 samples .* received samples=3"):
        lx.datasets.load_truth("state", samples=3)
    mine = lx.SequenceData.from_arrays(np.zeros((2, 8, 3)), name="state")
    with pytest.raises(ValueError, match=r"Expected simulated series .* received 'state'"):
        lx.datasets.planted_truth(mine)
    changed = LARGE[0].change("feature 1", 3.0, steps=[5])
    with pytest.raises(ValueError, match="Expected the series as they were simulated"):
        lx.datasets.planted_truth(changed)


# -- the white box ---------------------------------------------------------------------------------
def white_box(cells):
    """Sum the squares of the given cells (time, feature): the model of the rare recipes."""
    values = keras.Input(cells.shape)
    weights = ops.convert_to_tensor(cells[None].astype("float32"))
    return keras.Model(values, ops.sum(ops.square(values) * weights, axis=(1, 2))[:, None])


@pytest.mark.parametrize("recipe", ["rare_time", "rare_feature"])
def test_explain_finds_what_the_white_box_reads(recipe):
    data = lx.datasets.load_truth(recipe)
    cells = lx.datasets.planted_truth(data).cells
    model = white_box(cells[0])
    np.testing.assert_allclose(model(data.values)[:, 0], data.target, rtol=1e-5)
    e = lx.explain(model, data, background="zero", progress=False)
    # On x -> c x the gradient 2 c x has the mean x: the value of a cell is its square.
    np.testing.assert_allclose(e.values, np.where(cells, data.values**2, 0), atol=1e-4)
    found = score_saliency(e.values.values, cells, data.mask)
    np.testing.assert_allclose([found["auroc"], found["auprc"]], 1)
    np.testing.assert_allclose(found["aup"], 1, atol=0.001)
    # The published rows are 0.125 and 0.134: the mean scaled square.
    scaled = e.values.values / e.values.values.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found["aur"], scaled[cells].mean(), atol=0.001)
    wrong = score_saliency(e.values.values[:, ::-1, ::-1], cells, data.mask)
    assert wrong["auprc"] < 0.5


# -- the scores ------------------------------------------------------------------------------------
def literal(values, truth, mask):
    """Crabbé and van der Schaar (2021): one threshold, one sample and one cell at a time."""
    scores, causes = [], []
    for sample, marks, real in zip(np.abs(values), truth, mask, strict=True):
        cells = [cell for step, known in zip(sample, real, strict=True) if known for cell in step]
        low, high = min(cells), max(cells)
        scores += [(cell - low) / (high - low) if high > low else 0.0 for cell in cells]
        causes += [mark for step, known in zip(marks, real, strict=True) if known for mark in step]
    points = []
    for threshold in sorted(set(scores)):
        above = [cause for score, cause in zip(scores, causes, strict=True) if score >= threshold]
        points.append((threshold, sum(above) / len(above), sum(above) / sum(causes)))
    areas = {"aup": 0.0, "aur": 0.0}
    for (start, *lower), (end, *upper) in pairwise(points):
        for name, one, other in zip(areas, lower, upper, strict=True):
            areas[name] += (end - start) * (one + other) / 2
    information = entropy = 0.0
    for score, cause in zip(scores, causes, strict=True):
        if cause:
            out, inside = (abs(np.log2(share + 1e-5)) for share in (1 - score, score))
            information += out
            entropy += score * inside + (1 - score) * out
    return areas | {"information": information, "entropy": entropy}


def test_scores_against_literal_code(rng):
    values = rng.normal(size=(6, 5, 3)).round(1)  # with ties
    values[2] = 0.7  # a sample without differences
    truth = rng.random(values.shape) < 0.3
    mask = np.arange(5) < rng.integers(2, 6, (6, 1))
    values[~mask] = 99.0
    found = score_saliency(values, truth, mask)
    for name, expected in literal(values, truth, mask).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-9)
    for name, expected in lx.faithfulness.score_cells(values, truth, mask).items():
        assert found[name] == expected


def test_scores_by_hand():
    truth = np.array([[[True, False], [True, False]]])
    values = np.array([[[1.0, 0.25], [-0.5, 0.0]]])
    found = score_saliency(values, truth, np.ones((1, 2), bool))
    # Thresholds 0, 0.25, 0.5, 1: precision 2/4, 2/3, 1, 1; recall 1, 1, 1, 1/2.
    np.testing.assert_allclose(found["aup"], (0.5 + 2 / 3) / 8 + (2 / 3 + 1) / 8 + 0.5)
    np.testing.assert_allclose(found["aur"], 0.25 + 0.25 + 0.5 * 0.75)
    np.testing.assert_allclose(found["information"], 1 - np.log2(1e-5), atol=1e-4)
    np.testing.assert_allclose(found["entropy"], 1, atol=1e-3)  # half known is one bit


def test_aur_measures_scale_and_auprc_does_not(rng):
    truth = rng.random((4, 30, 5)) < 0.2
    values = rng.uniform(0, 1, truth.shape) * truth
    mask = np.ones((4, 30), bool)
    plain, squared, yes = (
        score_saliency(v, truth, mask) for v in (values, values**4, truth.astype(float))
    )
    for found in (plain, squared, yes):
        np.testing.assert_allclose([found["auroc"], found["auprc"]], 1)
    assert min(plain["aup"], squared["aup"]) > 0.99
    # With two thresholds only, the trapezoid rule halves the step of precision: AUP is no truth.
    np.testing.assert_allclose(yes["aup"], (1 + truth.mean()) / 2)
    # Up to the trapezoid rule over about 120 thresholds, the mean scaled size of the causes.
    scaled = values**4 / (values**4).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(squared["aur"], scaled[truth].mean(), atol=0.01)
    assert squared["aur"] < plain["aur"] / 2 < yes["aur"] / 2
    assert squared["information"] < plain["information"] < yes["information"]


@hypothesis.given(
    arrays.arrays(float, (2, 3, 2), elements=strategies.floats(-1e6, 1e6)),
    arrays.arrays(bool, (2, 3, 2)),
)
def test_scores_of_anything_are_in_range(values, truth):
    hypothesis.assume(truth.any() and not truth.all())
    found = score_saliency(values, truth, np.ones((2, 3), bool))
    for name in ("auroc", "auprc", "aup", "aur"):
        assert -1e-9 <= found[name] <= 1 + 1e-9
    assert 0 <= found["entropy"] <= truth.sum() + 1e-3
    assert 0 <= found["information"] <= truth.sum() * 16.7
