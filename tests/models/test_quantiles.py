"""Quantiles: the pinball loss in closed form, no crossing, coverage."""

import numpy as np
import pytest

from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops
from lstm_explain.models.quantiles import (
    OrderedQuantiles,
    PinballLoss,
    central_forecasts,
    quantiles_of,
    score_quantiles,
)

QUANTILES = (0.1, 0.5, 0.9)


def test_pinball_loss_in_closed_form():
    """Errors of 2 above and 4 below, in deviations of 2: q e and (1 - q) |e|."""
    loss = PinballLoss(QUANTILES, [2.0, 2.0])
    true, quantiles = np.array([[2.0, 0.0]]), np.array([[0.0] * 3 + [4.0] * 3])
    above = np.mean([q * 1.0 for q in QUANTILES])
    below = np.mean([(1 - q) * 2.0 for q in QUANTILES])
    np.testing.assert_allclose(float(loss(true, quantiles)), (above + below) / 2, rtol=1e-6)
    again = PinballLoss.from_config(loss.get_config())
    np.testing.assert_allclose(float(again(true, quantiles)), float(loss(true, quantiles)))


def test_pinball_loss_is_least_at_the_quantile_of_the_targets():
    targets = np.random.default_rng(0).exponential(size=(2001, 1))
    loss, grid = PinballLoss([0.9], [1.0]), np.linspace(1, 4, 301)
    losses = [float(loss(targets, np.full_like(targets, value))) for value in grid]
    np.testing.assert_allclose(grid[np.argmin(losses)], np.quantile(targets, 0.9), atol=0.01)


@pytest.mark.parametrize("quantiles", [(0.5,), (0.1, 0.9), QUANTILES, (0.01, 0.02, 0.9)])
def test_quantiles_do_not_cross_and_one_stands_as_it_is(quantiles):
    numbers = np.random.default_rng(1).normal(0, 30, (50, 2 * len(quantiles))).astype("float32")
    ordered = ops.convert_to_numpy(OrderedQuantiles(quantiles)(numbers))
    assert (np.diff(ordered.reshape(50, 2, -1), axis=-1) >= 0).all()
    central = central_forecasts(ordered, quantiles)
    np.testing.assert_array_equal(central, central_forecasts(numbers, quantiles))


def test_a_model_tells_its_quantiles_after_it_was_saved(tmp_path):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, OrderedQuantiles(QUANTILES)(inputs))
    model.save(tmp_path / "model.keras")
    assert quantiles_of(keras.saving.load_model(tmp_path / "model.keras")) == QUANTILES
    assert quantiles_of(keras.Model(inputs, inputs)) == ()


def test_coverage_counts_the_ends():
    data = SequenceData.from_arrays(
        np.zeros((2, 3, 1)), [[0.0, 1.5], [3.0, 4.1]], target_names=["one", "two"]
    )
    predictions = np.array([[0.0, 1.0, 2.0, 0.0, 1.0, 2.0], [1.0, 2.0, 3.0, 2.0, 3.0, 4.0]])
    scores = score_quantiles(data, predictions, QUANTILES)
    assert scores["coverage"] == 0.75
    literal = [
        max(q * (y - p), (q - 1) * (y - p))
        for row, true in zip(predictions.reshape(2, 2, 3), data.target, strict=True)
        for triple, y in zip(row, true, strict=True)
        for q, p in zip(QUANTILES, triple, strict=True)
    ]
    np.testing.assert_allclose(scores["pinball"], np.mean(literal), rtol=1e-6)
