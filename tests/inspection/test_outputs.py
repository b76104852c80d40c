"""The explained output: the margin is found wherever the activation stands."""

import numpy as np
import pytest
from marks import slow_but
from networks import FEATURES, STEPS, numbers, randomised, sequential

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops

HEADS = {
    "fused sigmoid": lambda: [keras.layers.Dense(1, activation="sigmoid")],
    "separate sigmoid": lambda: [keras.layers.Dense(1), keras.layers.Activation("sigmoid")],
    "fused softmax": lambda: [keras.layers.Dense(3, activation="softmax")],
    "Softmax layer": lambda: [keras.layers.Dense(3), keras.layers.Softmax()],
    "reshaped": lambda: [keras.layers.Dense(3, activation="softmax"), keras.layers.Reshape((3,))],
}


@pytest.mark.parametrize("head", slow_but(HEADS, "fused sigmoid", "fused softmax"))
def test_the_margin_is_found_wherever_the_activation_stands(head):
    model = sequential(keras.layers.LSTM(4), *HEADS[head]())
    x, rows = numbers(3, STEPS, FEATURES), numbers(4, STEPS, FEATURES)
    e = lx.explain(model, x, background=rows, tolerance=1e-3, progress=False)
    p = model.predict(x, verbose=0)
    p = p[:, 0] if p.shape[1] == 1 else p.max(axis=1)
    np.testing.assert_allclose(e.predictions, np.log(p / (1 - p)), rtol=1e-3, atol=1e-3)
    assert e.scale == "margin"


@pytest.mark.slow
def test_softmax_operation_and_nested_models():
    inner = keras.Sequential([keras.Input((STEPS, FEATURES)), keras.layers.LSTM(4)])
    inputs = keras.Input((STEPS, FEATURES))
    logits = keras.layers.Dense(3)(inner(inputs))
    model = randomised(keras.Model(inputs, ops.softmax(logits)))
    outer = keras.Sequential([keras.Input((STEPS, FEATURES)), model])
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    one, other = (lx.explain(m, x, background=rows, progress=False) for m in (model, outer))
    p = model.predict(x, verbose=0).max(axis=1)
    np.testing.assert_allclose(one.predictions, np.log(p / (1 - p)), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one.values, other.values, atol=1e-6)


@pytest.mark.slow
def test_logits_are_taken_as_such_only_if_the_compiled_loss_says_so():
    model = sequential(keras.layers.LSTM(4), keras.layers.Dense(3))
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    with pytest.raises(ValueError, match="Expected output= to say which of 3 values"):
        lx.explain(model, x, background=rows)
    plain = lx.explain(model, x, background=rows, output=1, progress=False)
    assert plain.scale == "value"
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    e = lx.explain(model, x, background=rows, output=1, progress=False)
    z = model.predict(x, verbose=0).astype(float)
    expected = z[:, 1] - np.log(np.exp(z[:, 0]) + np.exp(z[:, 2]))
    np.testing.assert_allclose(e.predictions, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_margin_does_not_depend_on_a_shift_of_the_logits():
    """Two models with equal probabilities get equal values; raw logits would differ."""
    model = sequential(keras.layers.LSTM(4), keras.layers.Dense(3, activation="softmax"))
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    options = {"background": rows, "output": 2, "tolerance": 1e-4, "progress": False}
    before = lx.explain(model, x, **options)
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel + numbers(4, 1), bias + 3])
    np.testing.assert_allclose(lx.explain(model, x, **options).values, before.values, atol=1e-4)


@pytest.mark.slow
def test_one_output_per_step():
    model = sequential(
        keras.layers.LSTM(4, return_sequences=True),
        keras.layers.TimeDistributed(keras.layers.Dense(1, activation="sigmoid")),
    )
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    options = {"background": rows, "tolerance": 1e-4, "progress": False}
    steps = [lx.explain(model, x, step=step, **options) for step in range(STEPS)]
    np.testing.assert_array_equal(steps[1].values[:, 2:], 0)  # an LSTM does not see the future
    last = lx.explain(model, x, **options)
    np.testing.assert_allclose(last.values, steps[-1].values, atol=1e-6)
    total = lx.explain(model, x, step="sum", **options)
    np.testing.assert_allclose(total.values, sum(e.values for e in steps), atol=1e-4)
    p = model.predict(x, verbose=0)[:, 1, 0]
    np.testing.assert_allclose(steps[1].predictions, np.log(p / (1 - p)), rtol=1e-4)
    refused = {
        STEPS: f'Expected step to be "last", "sum" or a number from 0 to {STEPS - 1}',
        "first": 'received \'first\'. Or give "last" or "sum"',
    }
    for wrong, message in refused.items():
        with pytest.raises(ValueError, match=message):
            lx.explain(model, x, step=wrong, **options)
    with pytest.raises(ValueError, match="Expected a model with one output per step"):
        lx.explain(sequential(keras.layers.LSTM(1)), x, step=1, **options)


def test_a_shortened_output_of_padded_samples_must_be_named():
    """Two steps become one: whether the last one is padding cannot be known from outside."""
    model = sequential(
        keras.layers.LSTM(4, return_sequences=True), keras.layers.AveragePooling1D(2),
        keras.layers.Dense(1),
    )  # fmt: skip
    data = SequenceData.from_arrays([numbers(STEPS, FEATURES), numbers(3, FEATURES)])
    count = STEPS // 2
    for step in ("last", "sum"):
        with pytest.raises(
            ValueError, match=rf"gives {count}\. Name the step by .* step={count - 1}"
        ):
            lx.explain(model, data, background="zero", step=step, progress=False)
    whole = data[0]
    last = lx.explain(model, whole, background="zero", progress=False)
    named = lx.explain(model, whole, background="zero", step=count - 1, progress=False)
    np.testing.assert_array_equal(last.values, named.values)
