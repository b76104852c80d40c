"""Models that this package did not build: each kind is explained exactly, or refused."""

import numpy as np
import pytest
import reference
from marks import slow_but
from networks import FEATURES, STEPS, dense_gradients, numbers, randomised, sequential

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras

pytestmark = pytest.mark.slow


LAYERS = {
    "LSTM": lambda: [keras.layers.LSTM(4)],
    "GRU": lambda: [keras.layers.GRU(4)],
    "SimpleRNN": lambda: [keras.layers.SimpleRNN(4)],
    "Bidirectional": lambda: [keras.layers.Bidirectional(keras.layers.LSTM(3))],
    "stacked": lambda: [keras.layers.LSTM(4, return_sequences=True), keras.layers.GRU(3)],
    "Conv1D": lambda: [keras.layers.Conv1D(4, 2, activation="tanh"), keras.layers.LSTM(3)],
}


@pytest.mark.parametrize("kind", slow_but(LAYERS, "LSTM"))
def test_every_recurrent_layer_equals_dense_quadrature(kind):
    model = sequential(*LAYERS[kind](), keras.layers.Dense(1))
    x, rows = numbers(1, STEPS, FEATURES), numbers(2, STEPS, FEATURES)
    e = lx.explain(model, x, background=rows, tolerance=1e-4, progress=False)
    expected = dense_gradients(model, x[0], rows, nodes=24)
    # float32 differences with a step of 3e-3 carry an error of about 1e-3.
    np.testing.assert_allclose(e.values[0], expected, atol=5e-3 * np.abs(expected).max())
    assert float(np.abs(e.gaps).max()) < 1e-3 * float(np.abs(e.values).sum())


@pytest.mark.parametrize("mask_value", slow_but([0.0, -1.0], 0.0))
def test_masked_steps_get_nothing_and_a_masked_reference_is_no_trap(mask_value):
    """With the mask value as reference every path point but the end would mask itself."""
    model = sequential(
        keras.layers.Masking(mask_value), keras.layers.LSTM(4), keras.layers.Dense(1)
    )
    x = numbers(3, STEPS, FEATURES)
    x[0, 3:], x[1, :2] = mask_value, mask_value  # right and left padding, as users have them
    short = keras.Sequential([keras.Input((None, FEATURES)), *model.layers[1:]])
    reference_row = np.full((1, STEPS, FEATURES), mask_value, "float32")
    e = lx.explain(model, x, background=reference_row, tolerance=1e-4, progress=False)
    np.testing.assert_array_equal(e.mask.values, ~(x == mask_value).all(axis=2))
    np.testing.assert_array_equal(e.values.values[~e.mask.values], 0)
    assert float(np.abs(e.gaps).max()) < 1e-4
    for sample, real in ((0, slice(0, 3)), (1, slice(2, 5))):
        alone = lx.explain(
            short, x[sample : sample + 1, real], background=reference_row[:, real],
            tolerance=1e-4, progress=False,
        )  # fmt: skip
        np.testing.assert_allclose(e.values[sample, real], alone.values[0], atol=1e-5)
        np.testing.assert_allclose(e.base_values[sample], alone.base_values[0], atol=1e-6)


def test_padding_is_given_as_the_model_expects_it():
    """SequenceData pads with 0; a model that masks -9 gets -9 there, and agrees with its array."""
    model = sequential(keras.layers.Masking(-9.0), keras.layers.LSTM(4), keras.layers.Dense(1))
    sequences = [numbers(3, FEATURES), numbers(STEPS, FEATURES)]
    data = SequenceData.from_arrays(sequences)
    array = np.full((2, STEPS, FEATURES), -9, "float32")
    for row, sequence in zip(array, sequences, strict=True):
        row[-len(sequence) :] = sequence  # padded in front, as pad_sequences does
    rows = numbers(3, STEPS, FEATURES)
    by_name, by_array = (
        lx.explain(model, d, background=rows[:, :1].repeat(STEPS, 1), progress=False)
        for d in (data, array)
    )
    np.testing.assert_allclose(by_name.predictions, by_array.predictions, rtol=1e-5)
    np.testing.assert_allclose(by_name.values[0, :3], by_array.values[0, 2:], atol=1e-5)


def test_padding_in_the_background_is_no_value():
    """A background padded in front counts as its sequences with their first value held."""
    model = sequential(keras.layers.Masking(-9.0), keras.layers.LSTM(4), keras.layers.Dense(1))
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    padded, held = rows.copy(), rows.copy()
    padded[0, :2], held[0, :2] = -9, rows[0, 2]
    one, other = (lx.explain(model, x, background=b, progress=False) for b in (padded, held))
    np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.filterwarnings("ignore:Layer 'conv1d:UserWarning")  # Keras tells too
@pytest.mark.parametrize("size", [1.0, 1e-7])  # of what is predicted
def test_a_model_that_reads_its_padding_is_told(size):
    model = sequential(
        keras.layers.Masking(),
        keras.layers.Conv1D(3, 2, padding="same"),
        keras.layers.LSTM(3),
        keras.layers.Dense(1),
        keras.layers.Rescaling(size),
    )
    x = numbers(2, STEPS, FEATURES)
    x[:, 3:] = 0
    with pytest.warns(
        lx.inspection.PaddingWarning, match="moved the margin of 'sequential.*' by up to"
    ):
        e = lx.explain(model, x, background=numbers(2, STEPS, FEATURES), progress=False)
    np.testing.assert_array_equal(e.values[:, 3:], 0)


def test_static_facts_and_sequence_sum_together():
    sequence, static = keras.Input((STEPS, FEATURES), name="vitals"), keras.Input((2,), name="age")
    joined = keras.layers.Concatenate()([keras.layers.LSTM(3)(sequence), static])
    model = randomised(keras.Model([static, sequence], keras.layers.Dense(1)(joined)))
    data = SequenceData.from_arrays(numbers(6, STEPS, FEATURES), static=numbers(6, 2))
    e = lx.explain(model, data[:2], background=data[2:], tolerance=1e-4, progress=False)
    weights = model.layers[-1].get_weights()[0][3:, 0]
    expected = weights * (data.static[:2] - data.static[2:].mean(axis=0))
    np.testing.assert_allclose(e.static_values, expected, atol=1e-5)  # linear in the static facts
    assert float(np.abs(e.gaps).max()) < 1e-4


def test_ambiguous_inputs_are_named_by_the_caller():
    values, first, second = (
        keras.Input((STEPS, FEATURES), name="x"), keras.Input((STEPS,), dtype="bool", name="real"),
        keras.Input((2,), name="facts"),
    )  # fmt: skip
    state = keras.layers.LSTM(3)(values, mask=first)
    out = keras.layers.Dense(1)(keras.layers.Concatenate()([state, second]))
    model = randomised(keras.Model([values, first, second], out))
    data = SequenceData.from_arrays(numbers(4, STEPS, FEATURES), static=numbers(4, 2))
    named = {"sequence": "x", "mask": "real", "static": "facts"}
    one = lx.explain(model, data, background=data, inputs=named, progress=False)
    other = lx.explain(model, data, background=data, progress=False)
    np.testing.assert_array_equal(one.values, other.values)
    with pytest.raises(
        ValueError, match=r"Expected inputs= to give .*received \{'sequence': 'y'\}"
    ):
        lx.explain(model, data, background=data, inputs={"sequence": "y"}, progress=False)
    double = keras.Model([values, first, second], out)
    twice = keras.layers.Concatenate()([values, keras.Input((STEPS, FEATURES), name="z")])
    double = keras.Model(
        [values, twice._keras_history.operation.input[1]],
        keras.layers.Dense(1)(keras.layers.LSTM(2)(twice)),
    )
    with pytest.raises(ValueError, match=r"Expected 6 features .* 'x_and_z'; received 3"):
        lx.explain(double, data, background=data, progress=False)


def text_model(mask_zero=True):
    return randomised(
        keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(12, 3, mask_zero=mask_zero),
                keras.layers.LSTM(4), keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
    )  # fmt: skip


def test_words_equal_literal_integration_through_the_embedding():
    model = text_model()
    tokens = np.array([[3, 7, 5, 0, 0], [4, 4, 9, 11, 2]])
    e = lx.explain(model, tokens, background=1, tolerance=1e-4, progress=False)
    table, *lstm = model.layers[0].get_weights() + model.layers[1].get_weights()
    kernel, bias = model.layers[2].get_weights()

    def margin(vectors):
        return (reference.lstm(vectors, *lstm)[-1] @ kernel + bias)[0]

    for ids, row in zip(tokens, e.values.values, strict=True):
        real = ids[ids != 0]
        vectors, absent = table[real].astype(float), np.tile(table[1].astype(float), (len(real), 1))
        expected = reference.expected_gradients(margin, vectors, absent[None], num_nodes=60)
        np.testing.assert_allclose(row[: len(real)], expected.sum(axis=1), rtol=3e-3, atol=1e-5)
        np.testing.assert_array_equal(row[len(real) :], 0)
    p = model.predict(tokens, verbose=0)[:, 0]
    np.testing.assert_allclose(e.predictions, np.log(p / (1 - p)), rtol=1e-4)


@pytest.mark.slow
def test_text_backgrounds():
    model = text_model()
    words = ["", "[UNK]", *"abcdefghij"]
    data = SequenceData.from_tokens([[3, 7, 5], [4, 4, 9, 11, 2]], vocabulary=words)
    options = {"tolerance": 1e-3, "progress": False}
    by_word = lx.explain(model, data, **options)
    by_id = lx.explain(model, data, background=1, **options)
    np.testing.assert_array_equal(by_word.values, by_id.values)
    assert by_word.background == "the word '[UNK]'"
    assert by_word.data.values.tolist() == [["b", "f", "d", "", ""], ["c", "c", "h", "j", "a"]]
    texts = lx.explain(model, data, background=data[::-1], **options)
    assert texts.provenance["background_rows"] == 2
    assert float(np.abs(texts.gaps).max()) < 1e-2
    with pytest.raises(ValueError, match=r"Expected a word of the vocabulary .* received 'zebra'"):
        lx.explain(model, data, background="zebra")
    with pytest.raises(
        ValueError, match=r"Give the id that stands for unknown words: background=1"
    ):
        lx.explain(model, np.array([[3, 7, 5]]))
    with pytest.raises(ValueError, match="Expected token ids below 12"):
        lx.explain(model, np.array([[3, 12, 5]]), background=1)


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.recurrent = keras.layers.LSTM(3)
        self.head = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.head(self.recurrent(x))


def test_subclassed_models():
    model = Subclassed()
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    model(x)
    randomised(model)
    e = lx.explain(model, x, background=rows, tolerance=1e-3, progress=False)
    p = model.predict(x, verbose=0)[:, 0]
    np.testing.assert_allclose(e.predictions, np.log(p / (1 - p)), rtol=1e-3)
    with pytest.raises(ValueError, match=r"Call lx.inspect\(model, data\)"):
        lx.inspect(model)


@pytest.mark.slow
def test_half_precision():
    """float16 limits the values to about three digits; the gap says so."""
    model = sequential(keras.layers.LSTM(4), keras.layers.Dense(1))
    narrow = keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)), keras.layers.LSTM(4, dtype="mixed_float16"),
            keras.layers.Dense(1, dtype="mixed_float16"),
        ]
    )  # fmt: skip
    narrow.set_weights(model.get_weights())
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    wide, half = (lx.explain(m, x, background=rows, progress=False) for m in (model, narrow))
    np.testing.assert_allclose(half.values, wide.values, atol=1e-2 * np.abs(wide.values).max())


@pytest.mark.slow
def test_saved_and_loaded_models_work_the_same(tmp_path):
    model = sequential(keras.layers.Masking(), keras.layers.GRU(3), keras.layers.Dense(1))
    model.save(tmp_path / "mine.keras")
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    one, other = (
        lx.explain(m, x, background=rows, progress=False)
        for m in (model, lx.load_model(tmp_path / "mine.keras"))
    )
    np.testing.assert_array_equal(one.values, other.values)


def test_an_output_that_ignores_its_input_is_refused():
    inputs = keras.Input((STEPS, FEATURES))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.LSTM(2)(0 * inputs)))
    with pytest.raises(ValueError, match="Expected an output that depends on the input"):
        lx.explain(model, numbers(2, STEPS, FEATURES), background=numbers(2, STEPS, FEATURES))


def test_inspect_says_what_was_found():
    model = sequential(keras.layers.Masking(), keras.layers.LSTM(3), keras.layers.Dense(1))
    text = repr(lx.inspect(model))
    assert "as sequence" in text
    assert "(LSTM)" in text
    assert "(Masking)" in text
    assert "explained  the output itself\n" in text


def test_inspect_says_whether_data_have_shown_what_it_expects():
    """A sum behind the sigmoid is no sigmoid any more, which only a run tells."""
    inputs = keras.Input((STEPS, FEATURES))
    odds = keras.layers.Dense(1, "sigmoid", name="odds")(keras.layers.LSTM(3)(inputs))
    data = lx.SequenceData.from_arrays(numbers(4, STEPS, FEATURES))
    plain, shifted = keras.Model(inputs, odds), keras.Model(inputs, odds + 1.0)
    seen = "explained  the logit, read before the sigmoid of 'odds'"
    expected = f"{seen} (expected; confirmed when data are given)\n"
    assert expected in repr(lx.inspect(plain))
    assert f"{seen}\n" in repr(lx.inspect(plain, data))
    assert expected in repr(lx.inspect(shifted))
    assert "explained  the output itself\n" in repr(lx.inspect(shifted, data))


def test_unscaled_inputs_are_no_false_alarm_and_a_dead_model_is_told():
    """Noise is made in the size of each feature: beside a raw count of thousands 1 is nothing."""
    model = sequential(keras.layers.Rescaling(1e-5), keras.layers.LSTM(3), keras.layers.Dense(1))
    x, rows = 250_000 * numbers(2, STEPS, FEATURES), 250_000 * numbers(9, STEPS, FEATURES)
    e = lx.explain(model, x[[0, 0]], background=rows, progress=False)
    assert np.abs(e.values).max() > 0.01


def test_a_sample_of_padding_alone_does_not_spoil_the_others():
    model = sequential(keras.layers.Masking(-9.0), keras.layers.LSTM(4), keras.layers.Dense(1))
    x = numbers(2, STEPS, FEATURES)
    x[0, :2], x[1] = -9, -9
    e = lx.explain(model, x, background="zero", progress=False)
    np.testing.assert_array_equal(e.mask[0], [False, False, True, True, True])
    np.testing.assert_array_equal(e.values[0, :2], 0)


def test_a_diverged_model_is_told():
    model = sequential(keras.layers.LSTM(3), keras.layers.Dense(1))
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    with pytest.raises(ValueError, match=r"Expected finite predictions; .* first for sample 0"):
        lx.explain(model, numbers(2, STEPS, FEATURES), background="zero")


def test_a_batch_size_below_one_is_refused():
    model = sequential(keras.layers.LSTM(3), keras.layers.Dense(1))
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"whole number of at least 1; received {size}"):
            lx.explain(model, numbers(1, STEPS, FEATURES), background="zero", batch_size=size)
