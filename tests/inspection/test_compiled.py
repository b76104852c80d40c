"""Compiled functions: beside closed forms, in batches, and as long as their model lives."""

import gc
import weakref

import numpy as np
import pytest
from networks import Positions

import lstm_explain as lx
from lstm_explain.backend import keras
from lstm_explain.inspection.compiled import Compiled, in_batches
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


def test_a_second_call_compiles_nothing_anew(rng):
    """Neither where the link is found to be none, nor where positions are looked up."""
    i = keras.Input((6, 3))
    h = keras.layers.LSTM(3)(i)
    mean = keras.layers.Average()(
        [keras.layers.Dense(1, "sigmoid")(h), keras.layers.Dense(1, "sigmoid")(h)]
    )
    words = keras.Input((6,), dtype="int32")
    vectors = Positions()(keras.layers.Embedding(20, 4)(words))
    cases = [
        (keras.Model(i, mean), rng.normal(size=(3, 6, 3)), rng.normal(size=(4, 6, 3))),
        (
            keras.Model(words, keras.layers.Dense(1)(keras.layers.LSTM(3)(vectors))),
            np.full((4, 6), 5) + np.arange(6),
            1,
        ),
    ]
    for model, data, background in cases:
        for _ in range(2):  # the second observes by a function that it compiles
            first = lx.explain(model, data, background=background, progress=False)
        kept = dict(vars(model)["_lstm_explain_compiled"])
        functions = {key: list(c._functions.values()) for key, c in compiled_of(kept)}
        again = lx.explain(model, data, background=background, progress=False)
        np.testing.assert_array_equal(again.values, first.values)
        now = vars(model)["_lstm_explain_compiled"]
        assert {key: list(c._functions.values()) for key, c in compiled_of(now)} == functions


def compiled_of(kept):
    return [(key, each) for key, each in kept.items() if isinstance(each, Compiled)]


def test_explaining_counts_no_layers_of_its_own():
    """Keras numbers layers without a name: those of the user keep their numbers."""
    model = keras.Sequential([keras.Input((6, 3)), keras.layers.LSTM(3), keras.layers.Dense(1)])
    keras.layers.Layer()  # the first of a process has no number
    before = int(keras.layers.Layer().name.rsplit("_", 1)[-1])
    lx.explain(model, np.ones((2, 6, 3)), background="zero", progress=False)
    assert keras.layers.Layer().name == f"layer_{before + 1}"


def test_an_explained_model_is_freed():
    model = keras.Sequential([keras.Input((6, 3)), keras.layers.LSTM(3), keras.layers.Dense(1)])
    lx.explain(model, np.ones((2, 6, 3)), background="zero", progress=False)
    lx.trace_gates(model, np.ones((2, 6, 3)))
    reference = weakref.ref(model)
    keras.backend.clear_session()  # Keras's own register of names
    del model
    gc.collect()
    assert reference() is None
