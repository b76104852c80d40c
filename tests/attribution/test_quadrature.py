"""Quadrature rules against integrals that are known."""

import numpy as np
import pytest

from lstm_explain.attribution.quadrature import (
    between,
    estimated_error,
    gauss_legendre,
    proportion,
    shifted_midpoints,
)


@pytest.mark.parametrize("nodes", [1, 2, 5])
def test_gauss_legendre_is_exact_for_polynomials(nodes):
    positions, weights = gauss_legendre(3, nodes)
    for degree in range(2 * nodes):
        integral = (weights * positions**degree).sum()
        np.testing.assert_allclose(integral, 1 / (degree + 1), rtol=1e-12)
    missed = (weights * positions ** (2 * nodes)).sum() - 1 / (2 * nodes + 1)
    assert abs(missed) > 1e-8  # one degree more is beyond it


def test_shifted_midpoints_fill_the_path_evenly():
    """One node per row: over the rows they are an even grid, so slopes are integrated exactly."""
    positions = shifted_midpoints(50, 1)
    np.testing.assert_allclose(np.sort(positions.ravel()), (np.arange(50) + 0.5) / 50)
    for nodes in (2, 4, 8):
        positions = shifted_midpoints(50, nodes)
        np.testing.assert_array_equal(
            np.floor(positions * nodes), np.tile(np.arange(nodes), (50, 1))
        )
        np.testing.assert_allclose(positions.mean(), 0.5, rtol=1e-12)


def test_shifts_cancel_where_equal_midpoints_do_not():
    """The mean over rows of a path that is steep somewhere, wherever that is."""
    fine = (np.arange(20_000) + 0.5) / 20_000
    errors = {"shifted": [], "equal": []}
    for place in np.linspace(0.1, 0.9, 33):
        truth = _steep(fine, place).mean()
        errors["shifted"].append(_steep(shifted_midpoints(100, 4), place).mean() - truth)
        errors["equal"].append(_steep((np.arange(4) + 0.5) / 4, place).mean() - truth)
    shifted, equal = (np.linalg.norm(errors[name]) for name in ("shifted", "equal"))
    assert shifted < 0.7 * equal, (shifted, equal)


def _steep(position, place):
    return 1 / (1 + np.exp(-60 * (position - place)))


def test_doubling_keeps_one_node_in_every_cell():
    positions = shifted_midpoints(40, 4)
    for nodes in (8, 16):
        positions = np.concatenate([positions, between(positions)], axis=1)
        cells = np.sort(np.floor(positions * nodes), axis=1)
        np.testing.assert_array_equal(cells, np.tile(np.arange(nodes), (40, 1)))


@pytest.mark.parametrize("nodes", [1, 2, 4, 8])
@pytest.mark.parametrize("steepness", [25, 80])
def test_the_estimated_error_covers_the_true_one(nodes, steepness):
    """Paths whose gradients are bumps of known integral, in 12 cells that share their places."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(40):
        found, missed, proportions, truth = _bumps(rng, nodes, steepness)
        error = np.linalg.norm(found - truth) / np.linalg.norm(found)
        ratios.append(float(estimated_error(found, missed, proportions)[0]) / error)
    # Above the true error with few exceptions, by a factor of two to three at its middle.
    assert np.quantile(ratios, 0.05) > 0.9, np.quantile(ratios, 0.05)
    assert np.median(ratios) < 3.5, np.median(ratios)


def test_the_estimate_does_not_depend_on_how_finely_inputs_are_divided():
    """Each cell as four that change alike: the same relative error, of twice as large a sum."""
    rng = np.random.default_rng(1)
    sums, missed = rng.normal(size=(3, 5, 7)), rng.normal(size=(3, 9))
    counts = np.full(5, 2)
    one = estimated_error(sums.sum(axis=1), missed, proportion(sums, counts))
    four = np.repeat(sums / 4, 4, axis=2)
    divided = estimated_error(four.sum(axis=1), missed, proportion(four, counts))
    np.testing.assert_allclose(divided, one, rtol=1e-12)


def test_changes_that_cancel_in_the_sum_count_in_full():
    """One cell gains what another loses: the change is 2 in norm (by hand), the sum moves by 1."""
    sums = np.array([[[0.0, 0.0, 0.0], [2.0, -2.0, 1.0], [0.0, 0.0, 0.0]]])
    np.testing.assert_allclose(proportion(sums, np.array([1, 1, 0])), 3.0)  # root of 4 + 4 + 1
    np.testing.assert_allclose(proportion(sums[..., :2], np.array([1, 1, 0])), 100)  # its most


def _bumps(rng, nodes, steepness, rows=60, cells=12, bins=32):
    """Values (1, cell), missed (1, row), proportion (1,) and truth (1, cell) of one sample."""
    place = rng.uniform(0.2, 0.8, rows)[:, None, None]
    height = rng.normal(1, 0.5, (rows, 1, cells)) * rng.normal(size=cells)
    positions = shifted_midpoints(rows, nodes)
    rise = 1 / (1 + np.exp(-steepness * (positions[..., None] - place)))
    gradients = height * steepness * rise * (1 - rise)
    ends = [1 / (1 + np.exp(-steepness * (end - place[:, 0]))) for end in (0, 1)]
    changes = height[:, 0] * (ends[1] - ends[0])
    sums, bin_ = np.zeros((1, bins, cells)), (positions * bins).astype(int).ravel()
    np.add.at(sums[0], bin_, gradients.reshape(-1, cells) / rows)
    missed = changes.sum(axis=1) - gradients.mean(axis=1).sum(axis=1)
    proportions = proportion(sums, np.bincount(bin_, minlength=bins))
    return sums.sum(axis=1) / nodes, missed[None], proportions, changes.mean(axis=0)[None]
