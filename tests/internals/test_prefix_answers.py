"""Answers by step, beside predictions of sequences that were really cut."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras

L = keras.layers


def cut_short(data, sample, steps):
    """One sample that ends after some steps, two at least: Keras warns of a softmax over one."""
    one = data[[sample]]
    width = max(steps, 2)
    fields = {name: getattr(one, name)[:, :width] for name in ("values", "mask", "tokens")}
    fields["mask"] = fields["mask"] & (np.arange(width) < steps)
    return replace(one, **fields)


def slow_answers(model, data):
    answers = np.full(data.mask.shape, np.nan)
    for sample, step in np.argwhere(data.mask):
        inputs = cut_short(data, sample, step + 1).inputs_for(model)
        answers[sample, step] = model.predict(inputs, verbose=0)[0, 0]
    return answers


@pytest.fixture(scope="module")
def texts():
    data = SequenceData.from_texts(
        ["a good film", "bad", "not a bad film"], ["yes", "no", "yes"], at_least=1
    )
    model = lx.build_model(data, units=(3,), embedding_size=4, bidirectional=True)
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(scale=0.8, size=w.shape) for w in model.get_weights()])
    return model, data


def test_answers_are_those_of_shorter_texts(texts):
    model, data = texts
    answers = lx.internals.answers_by_step(model, data)
    np.testing.assert_allclose(answers, slow_answers(model, data), atol=1e-6)
    assert answers.name == "probability"
    assert answers["output"].values.tolist() == ["yes"] * 3
    assert np.nanmax(np.abs(np.diff(answers.values, axis=1))) > 0.01  # they do move
    other = lx.internals.answers_by_step(model, data, output="no")
    np.testing.assert_allclose(other, 1 - answers, atol=1e-6)


def test_the_last_answer_is_the_prediction():
    data, model = tiny.padded("regression", static=True), tiny.model("regression", static=True)
    some = data.test[:4]
    answers = lx.internals.answers_by_step(model, some)
    last = answers.values[np.arange(4), some.lengths - 1]
    prediction = model.predict(some.inputs_for(model), verbose=0)[:, 0]
    np.testing.assert_allclose(last, prediction, rtol=1e-5)
    assert answers.name == "value"


def test_each_sample_keeps_its_own_class():
    data, model = tiny.padded("multiclass"), tiny.model("multiclass")
    some = data.test[:6]
    answers = lx.internals.answers_by_step(model, some)
    probabilities = model.predict(some.inputs_for(model), verbose=0)
    last = answers.values[np.arange(6), some.lengths - 1]
    np.testing.assert_allclose(last, probabilities.max(axis=1), rtol=1e-5)
    named = np.array(data.class_names)[probabilities.argmax(axis=1)]
    assert answers["output"].values.tolist() == named.tolist()


def test_a_model_with_one_output_per_step(rng):
    inputs = keras.Input((5, 2))
    states = L.LSTM(3, return_sequences=True)(L.Masking()(inputs))
    model = keras.Model(inputs, L.Dense(1)(states))
    values = rng.normal(size=(2, 5, 2)).astype(np.float32)
    answers = lx.internals.answers_by_step(model, values)
    # It reads forwards, so what it says at a step is what it would have said there.
    np.testing.assert_allclose(answers, model.predict(values, verbose=0)[..., 0], rtol=1e-4)


def test_a_model_that_reads_its_padding_is_reported(rng):
    inputs = keras.Input((5, 2))
    model = keras.Model(inputs, L.Dense(1)(L.LSTM(3)(inputs)))
    data = SequenceData.from_arrays([rng.normal(size=(n, 2)) for n in (3, 5)])
    with pytest.warns(lx.inspection.PaddingWarning, match="moved the margin"):
        lx.internals.answers_by_step(model, data)
