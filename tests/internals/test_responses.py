"""Gradients and answers by step, beside finite differences and sequences that were really cut."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras

pytestmark = pytest.mark.slow

L = keras.layers


def scalar_network(factor, steps=None):
    """h_t = factor * h_(t-1) + x_t, and the output is 3 h_T."""
    inputs = keras.Input((steps, 1))
    layer = L.SimpleRNN(1, activation="linear", use_bias=False)
    model = keras.Model(inputs, L.Dense(1, use_bias=False)(layer(L.Masking()(inputs))))
    model.set_weights([np.array([[w]]) for w in (1.0, factor, 3.0)])
    return model


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_a_linear_recurrence_vanishes_or_explodes_by_its_factor(factor, rng):
    """d output / d x_t = 3 factor^(T - t)."""
    sizes = np.array([5, 5000, -1e6])  # raw counts too
    values = rng.normal(size=(3, 20, 1)) + sizes[:, None, None]
    norms = lx.internals.gradient_norms(scalar_network(factor), values)
    assert norms.dims == ("sample", "time")
    expected = 3 * factor ** np.arange(19, -1, -1)
    np.testing.assert_allclose(norms, np.tile(expected, (3, 1)), rtol=1e-4)


def test_padding_has_none_and_changes_nothing(rng):
    sequences = [rng.normal(size=(n, 1)) + 5 for n in (4, 9)]
    model = scalar_network(0.8)
    norms = lx.internals.gradient_norms(model, SequenceData.from_arrays(sequences)).values
    np.testing.assert_array_equal(norms[0, 4:], 0)
    np.testing.assert_allclose(norms[0, :4], 3 * 0.8 ** np.arange(3, -1, -1), rtol=1e-4)
    left = np.pad(sequences[0], ((5, 0), (0, 0)))[None]
    padded = lx.internals.gradient_norms(model, left).values[0]
    np.testing.assert_allclose(padded, [0] * 5 + norms[0, :4].tolist(), rtol=1e-5)


def slow_norms(model, data, nudge=1e-2):
    """Central differences of the logit, cell by cell."""

    def logits(values):
        p = model.predict([values, data.mask], verbose=0)[:, 0].astype(float)
        return np.log(p / (1 - p))

    result = np.zeros(data.mask.shape)
    for t in range(result.shape[1]):
        for feature in range(data.values.shape[2]):
            moved = np.zeros_like(data.values)
            moved[:, t, feature] = nudge
            slope = (logits(data.values + moved) - logits(data.values - moved)) / (2 * nudge)
            result[:, t] += slope**2
    return np.sqrt(result)


@pytest.mark.slow
def test_an_lstm_beside_finite_differences():
    data, model = tiny.padded().test[:4], tiny.model()
    norms = lx.internals.gradient_norms(model, data, output="up").values
    expected = slow_norms(model, data) * data.mask
    # Differences of float32 predictions, over steps of 0.01.
    np.testing.assert_allclose(norms, expected, atol=0.02 * expected.max())
    assert np.abs(norms[:, ::-1] - expected).max() > 0.1 * expected.max()  # the order matters


def test_texts_respond_by_their_vectors():
    """The gradient by a word's vector: with one linear unit it is the same at every word."""
    data = SequenceData.from_texts(["a b c", "a c"], [1.0, 0.0], at_least=1)
    tokens = keras.Input((None,), dtype="int32")
    vectors = L.Embedding(len(data.vocabulary), 4, mask_zero=True)(tokens)
    model = keras.Model(tokens, L.Dense(1)(L.GlobalAveragePooling1D()(vectors)))
    length = np.linalg.norm(model.layers[-1].get_weights()[0])
    norms = lx.internals.gradient_norms(model, data).values
    np.testing.assert_allclose(norms, [[length / 3] * 3, [length / 2, length / 2, 0]], rtol=1e-5)


def test_batches_give_the_same():
    data, model = tiny.padded().test[:5], tiny.model()
    whole = lx.internals.gradient_norms(model, data, output="up")
    parts = lx.internals.gradient_norms(model, data, output="up", batch_size=2)
    np.testing.assert_allclose(parts, whole, rtol=1e-4)


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
    model = lx.build_model(data, units=(3,), embedding_size=4, bidirectional=True, beside=None)
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
