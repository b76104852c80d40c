"""Compiled functions beside closed forms: gradients of huge features, and the last short batch."""

import numpy as np
import pytest

import lstm_explain as lx
from lstm_explain.backend import keras
from lstm_explain.inspection.compiled import in_batches
from lstm_explain.inspection.question import prepare


def linear_model(weights, steps):
    """Return a model that sums ``weights . x_t`` over the steps: its gradient is the weights."""
    model = keras.Sequential(
        [
            keras.layers.Input((steps, len(weights))),
            keras.layers.Flatten(),
            keras.layers.Dense(1, use_bias=False),
        ]
    )
    model.layers[-1].set_weights([np.tile(weights, steps)[:, None].astype(np.float32)])
    return model


@pytest.mark.parametrize("size", [1.0, 1e4, 1e8, 1e12])
def test_gradients_of_features_of_any_size(size, rng):
    """A difference of two numbers of 1e8 in float32 has no digit left of a step of 1."""
    weights = np.array([2.0, -3.0]) / size
    values = size * (1 + rng.random((3, 4, 2)))
    question = prepare(linear_model(weights, 4), values, "zero", None, "last", "margin", None, None)
    found = question.compiled.gradients(question.subject, question.selection, 2)
    # The weights come back as they were stored, in float32.
    np.testing.assert_allclose(found, np.broadcast_to(weights, found.shape), rtol=1e-6)
    norms = lx.internals.gradient_norms(linear_model(weights, 4), values)
    np.testing.assert_allclose(norms, np.linalg.norm(weights), rtol=1e-6)


def test_batches_of_one_size_join_to_all_rows():
    sizes = []

    def double(rows, pair):
        sizes.append(len(rows))
        return 2 * rows, pair[0] + pair[1]

    rows = np.arange(7)
    twice, sums = in_batches(double, 3, rows, (rows, 10 * rows))
    np.testing.assert_array_equal(twice, 2 * rows)
    np.testing.assert_array_equal(sums, 11 * rows)
    assert sizes == [3, 3, 3]
