"""Quadrature rules against integrals that are known."""

import numpy as np
import pytest

from lstm_explain.attribution.quadrature import (
    alternating,
    between,
    estimated_error,
    gauss_legendre,
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


@pytest.mark.parametrize("nodes", [4, 8, 16])
def test_the_contrast_sees_neither_constants_nor_slopes(nodes):
    contrast = alternating(nodes)
    np.testing.assert_allclose(contrast.sum(), 0, atol=1e-12)
    np.testing.assert_allclose(contrast @ np.arange(nodes), 0, atol=1e-12)
    np.testing.assert_allclose(contrast @ contrast, 1 / nodes, rtol=1e-12)


@pytest.mark.parametrize("nodes", [1, 2, 4, 8])
@pytest.mark.parametrize("steepness", [25, 80])
def test_the_estimated_error_follows_the_true_one(nodes, steepness):
    """Paths whose gradients are bumps of known integral, in 12 cells that share their places."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(40):
        sums, slopes, ends, truth = _bumps(rng, nodes, steepness)
        found = sums.sum(axis=1) / nodes
        error = np.linalg.norm(found - truth) / np.linalg.norm(found)
        estimate = estimated_error(sums, slopes, ends, nodes)
        ratios.append(float(estimate[0]) / error)
    # Within a factor of two at its middle, and seldom far too low: an estimate, not a bound.
    assert 0.5 < np.median(ratios) < 2, np.median(ratios)
    assert np.quantile(ratios, 0.1) > 0.2, np.quantile(ratios, 0.1)


def _bumps(rng, nodes, steepness, rows=60, cells=12, bins=16):
    """Sums (1, bin, cell), slopes (1, row, bin), ends (1, row), truth (1, cell) of one sample."""
    place = rng.uniform(0.2, 0.8, rows)[:, None, None]
    height = rng.normal(1, 0.5, (rows, 1, cells)) * rng.normal(size=cells)
    positions = shifted_midpoints(rows, nodes)
    rise = 1 / (1 + np.exp(-steepness * (positions[..., None] - place)))
    gradients = height * steepness * rise * (1 - rise)
    ends = [1 / (1 + np.exp(-steepness * (end - place[:, 0]))) for end in (0, 1)]
    changes = height[:, 0] * (ends[1] - ends[0])
    sums, slopes = np.zeros((1, bins, cells)), np.zeros((1, rows, bins))
    bin_ = (positions * bins).astype(int)
    np.add.at(sums[0], bin_.ravel(), gradients.reshape(-1, cells) / rows)
    slopes[0, np.arange(rows)[:, None], bin_] = gradients.sum(axis=2) / rows
    return sums, slopes, changes.sum(axis=1)[None], changes.mean(axis=0)[None]
