"""Refinement of steep paths against integrals that are known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import lstm_explain as lx
from lstm_explain.attribution import refinement
from lstm_explain.attribution.expected_gradients import ToleranceWarning
from lstm_explain.backend import keras, ops

STEPS, FEATURES, SLOPE = 5, 2, 40.0
PLACES = ((7.3, 2.0), (2.1, -1.4))  # where the output steps, and by how much


def steps_of(total):
    """Return the output at a sum of all cells: two steep steps on a slope."""
    return 0.1 * total + sum(h / (1 + np.exp(-SLOPE * (total - at))) for at, h in PLACES)


def steep_model() -> keras.Model:
    values = keras.Input((STEPS, FEATURES))
    total = ops.sum(values, axis=(1, 2))[:, None]
    parts = [height * ops.sigmoid(SLOPE * (total - at)) for at, height in PLACES]
    return keras.Model(values, 0.1 * total + parts[0] + parts[1])


@pytest.fixture
def cells(rng) -> np.ndarray:
    """Return samples whose sums are about 10, so that a step takes a hundredth of the path."""
    return rng.uniform(0.5, 1.5, size=(3, STEPS, FEATURES)).astype("float32")


def known_values(cells: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Every gradient is the same for all cells, so that each gets its share of the change."""
    moves = cells - start
    total, begin = cells.sum(axis=(1, 2)), start * STEPS * FEATURES
    change = steps_of(total) - steps_of(begin)
    return moves / moves.sum(axis=(1, 2), keepdims=True) * change[:, None, None]


def test_steps_between_the_nodes_are_found(cells):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ToleranceWarning)
        e = lx.explain(steep_model(), cells, background="zero", tolerance=0.01, progress=False)
    expected = known_values(cells)
    # As exact as was asked for: relative L2 within the tolerance.
    error = np.linalg.norm(e.values.values - expected) / np.linalg.norm(expected)
    assert error < 0.01, error


def test_rows_share_the_panels(cells):
    """Two rows have their steps at different places of their paths."""
    rows = np.stack([np.full((STEPS, FEATURES), start, np.float32) for start in (0.0, 0.1)])
    e = lx.explain(steep_model(), cells, background=rows, tolerance=0.01, progress=False)
    expected = (known_values(cells) + known_values(cells, 0.1)) / 2
    error = np.linalg.norm(e.values.values - expected) / np.linalg.norm(expected)
    assert error < 0.01, error


def test_without_refinement_the_same_values_are_wrong_and_said_to_be(cells, monkeypatch):
    monkeypatch.setattr(refinement, "_ROUNDS", 0)
    with pytest.warns(ToleranceWarning, match="tolerance=0.01"):
        e = lx.explain(steep_model(), cells, background="zero", tolerance=0.01, progress=False)
    expected = known_values(cells)
    assert np.linalg.norm(e.values.values - expected) / np.linalg.norm(expected) > 0.02


def test_nodes_gather_where_the_path_is_steep(cells):
    """Few nodes: a step a hundredth wide would need thousands of equal ones."""
    e = lx.explain(steep_model(), cells, background="zero", tolerance=0.001, progress=False)
    assert 64 < e.provenance["nodes_per_path"] < 600
