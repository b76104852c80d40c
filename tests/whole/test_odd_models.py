"""Models as beginners and others bring them: explained right, or refused with what helps."""

import re

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops

pytestmark = pytest.mark.slow

L = keras.layers
STEPS, FEATURES = 7, 3
X = np.random.default_rng(0).normal(size=(12, STEPS, FEATURES)).astype("float32")
REAL = np.arange(STEPS) < np.array([7, 4, 1, 6, 2, 7, 5, 7, 3, 7, 6, 7])[:, None]
PADDED = X * REAL[..., None]
METHODS = [lx.explain, lx.shapley_values, lx.lime_values]


def series():
    return keras.Input((STEPS, FEATURES), name="series")


@pytest.mark.filterwarnings("ignore:(?s).*softmax over axis -1")  # Keras says the same
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", ["margin", "probability"])
def test_a_softmax_of_one_number_says_the_same_of_everything(method, scale):
    i = series()
    model = keras.Model(i, L.Dense(1, activation="softmax")(L.LSTM(4)(i)))
    with pytest.raises(ValueError, match="same for all samples"):
        method(model, X[:3], background=X[3:], scale=scale, progress=False)
    data = SequenceData.from_arrays(X)
    with pytest.raises(ValueError, match="decides nothing"):
        lx.inspection.smallest_change(model, data[:1], data.feature_names[0], training=data)


@pytest.mark.filterwarnings("ignore:.*destroy the mask information")  # by Flatten
def test_queries_of_a_decoder_are_all_real():
    """As many as the input has steps, but none of them is padding."""
    i = series()
    encoded, hidden, _ = L.LSTM(4, return_sequences=True, return_state=True)(L.Masking()(i))
    decoded = L.LSTM(4, return_sequences=True)(L.RepeatVector(STEPS)(hidden))
    attention = L.Attention(name="attention")
    both = L.Concatenate()([decoded, attention([decoded, encoded])])
    model = randomised(keras.Model(i, L.Dense(1)(L.Flatten()(both))), 0.8)
    maps = lx.attention_maps(model, PADDED[:5])
    e = lx.explain(model, PADDED[:5], background=X[5:], progress=False)
    np.testing.assert_allclose(e.attention, maps["attention"].mean("query"), atol=1e-6)
    first = np.stack(
        [m[: r.sum()].mean(axis=0) for m, r in zip(maps["attention"].values, REAL, strict=False)]
    )
    assert np.abs(first - e.attention.values).max() > 1e-3  # what it was
    # Of attention of the states to themselves, padded queries do not count.
    states = L.LSTM(4, return_sequences=True)(L.Masking()(i))
    model = randomised(keras.Model(i, L.Dense(1)(L.Flatten()(attention([states, states])))), 0.8)
    maps = lx.attention_maps(model, PADDED[:5])["attention"].values
    e = lx.explain(model, PADDED[:5], background=X[5:], progress=False)
    expected = [m[: r.sum()].mean(axis=0) for m, r in zip(maps, REAL, strict=False)]
    np.testing.assert_allclose(e.attention, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["float32", "int32"])
def test_a_mask_in_numbers_is_not_read_as_facts(kind):
    i, flags = series(), keras.Input((STEPS,), dtype=kind, name="flags")
    states = L.LSTM(4, return_sequences=True)(i)
    weighed = L.Multiply()([states, L.Reshape((STEPS, 1))(ops.cast(flags, "float32"))])
    model = randomised(keras.Model([i, flags], L.Dense(1)(L.GlobalAveragePooling1D()(weighed))))
    inputs = [PADDED[:5], REAL[:5].astype(kind)]
    background = [X[5:], np.ones((7, STEPS), kind)]
    for method in METHODS:
        with pytest.raises(ValueError, match=r"as in a mask\. Say which it is: inputs="):
            method(model, inputs, background=background, progress=False)
    names = {"sequence": "series", "mask": "flags"}
    e = lx.explain(model, inputs, background=background, inputs=names, progress=False)
    assert e.static_values is None
    assert not e.values.values[~REAL[:5]].any()
    if kind == "int32":  # nothing lies between two of its numbers
        return
    facts = {"sequence": "series", "static": "flags"}
    e = lx.explain(model, inputs, background=background, inputs=facts, progress=False)
    assert e.static_values.shape == (5, STEPS)


class Head(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.dense(x)


def test_a_model_may_end_in_a_subclassed_model():
    i = series()
    head = Head()
    model = randomised(keras.Model(i, head(L.LSTM(4)(i))), 0.7)
    plain = keras.Sequential([series(), *model.layers[1:-1], head.dense])
    e, expected = (
        lx.explain(each, X[:3], background=X[3:], progress=False) for each in (model, plain)
    )
    np.testing.assert_allclose(e.values, expected.values, atol=1e-5)
    assert e.scale == "margin"
    assert lx.trace_gates(model, X).sizes["unit"] == 4


def test_a_comparison_has_no_attribution():
    i = series()
    model = keras.Model(i, L.Dense(1)(L.LSTM(4)(i)) > 0)
    for method in METHODS:
        with pytest.raises(ValueError, match=r"gives bool values.*number which is compared"):
            method(model, X[:3], background=X[3:], progress=False)


class WithNumpy(keras.Model):
    def __init__(self):
        super().__init__()
        self.recurrent, self.dense = L.LSTM(4), L.Dense(1)

    def call(self, x):
        states = self.recurrent(x)
        return self.dense(states) * float(states.numpy().std())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow compiles")
def test_a_model_that_cannot_be_compiled_is_refused():
    model = WithNumpy()
    model.compile("adam", "mse", run_eagerly=True)
    model(X)
    with pytest.raises(ValueError, match=r"(?s)Keras can compile.*keras\.ops in place of NumPy"):
        lx.explain(model, X[:3], background=X[3:], progress=False)


def test_one_sample_of_whole_numbers_is_no_text():
    i = series()
    model = keras.Model(i, L.Dense(1)(L.LSTM(4)(i)))
    with pytest.raises(TypeError, match=r"of one sample, data\[None\]"):
        lx.explain(model, np.arange(STEPS * FEATURES).reshape(STEPS, FEATURES), background=X)


def test_a_model_that_makes_the_feature_itself():
    """The way out of the message is code that works."""
    model = randomised(
        keras.Sequential([keras.Input((24,)), L.Reshape((24, 1)), L.LSTM(4), L.Dense(1)])
    )
    x = np.random.default_rng(1).normal(size=(9, 24)).astype("float32")
    with pytest.raises(TypeError, match="Begin the model with the feature") as refusal:
        lx.explain(model, x[:3], background=x)
    names = {"keras": keras, "model": model}
    exec(re.search("`(.*?)`", str(refusal.value))[1], names)  # noqa: S102 (tested code)
    e = lx.explain(names["begun"], x[:3, :, None], background=x[..., None], progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(x[:3], verbose=0)[:, 0], atol=1e-6)


def test_one_step_of_several_outputs_is_the_last_of_padded_samples_too():
    i = series()
    output = L.Dense(2)(L.Reshape((1, 4))(L.LSTM(4)(L.Masking()(i))))
    model = randomised(keras.Model(i, output))
    last, named = (
        lx.explain(model, PADDED[:5], background=X[5:], output=1, step=step, progress=False)
        for step in ("last", 0)
    )
    np.testing.assert_array_equal(last.values, named.values)


@pytest.mark.filterwarnings("ignore:Expected numbers that float32 tells apart")  # of the data
@pytest.mark.parametrize("unit", [3600.0, 100.0])
def test_double_precision_that_is_needed_is_refused(unit):
    """Data are float32: seconds since 1970 are the same then for two minutes."""
    i = keras.Input((STEPS, FEATURES), dtype="float64")
    times = L.Rescaling(1 / unit, -1.7e9 / unit, dtype="float64")(i)
    model = randomised(keras.Model(i, L.Dense(1)(L.LSTM(4)(times))))
    x = 1.7e9 + unit * X.astype("float64")
    for method in (*METHODS, lambda *args, **options: lx.predict(*args)):
        with pytest.raises(ValueError, match="numbers that float32 tells apart"):
            method(model, x[:3], background=x[3:], progress=False)
    # Where nothing is lost, it is explained.
    e = lx.explain(
        randomised(keras.Model(i, L.Dense(1)(L.LSTM(4)(i)))),
        X[:3],
        background=X[3:],
        progress=False,
    )
    np.testing.assert_allclose(e.gaps, 0, atol=0.01)


def test_digits_that_a_model_loses_itself_are_no_other_function():
    """A difference of large numbers: the order of the sums moves its last digits."""
    base = np.array([2000.0, 1000.0, 500.0])
    for seed in range(6):
        keras.utils.set_random_seed(seed)
        i = series()
        both = L.Concatenate()([L.LSTM(16)(L.Rescaling(1 / 2000)(i)), L.Flatten()(i)])
        model = keras.Model(i, L.Dense(1)(both))
        kernel, _ = map(np.asarray, model.layers[-1].get_weights())
        offset = np.concatenate([np.zeros(16), np.tile(base, STEPS)]) @ kernel[:, 0]
        model.layers[-1].set_weights([kernel, np.array([-offset])])
        x = (0.3 * X + base).astype("float32")
        e = lx.explain(model, x[:3], background=x[3:], progress=False)
        np.testing.assert_allclose(e.predictions, model.predict(x[:3], verbose=0)[:, 0], atol=1e-3)


def test_token_ids_in_double_precision_are_words():
    """As Keras makes inputs under set_floatx("float64"): there are no numbers to round."""
    ids = keras.Input((5,), dtype="float64")
    model = randomised(keras.Model(ids, L.Dense(1)(L.LSTM(4)(L.Embedding(9, 3)(ids)))))
    tokens = np.random.default_rng(2).integers(1, 9, (6, 5))
    e = lx.explain(model, tokens[:2], background=tokens[2:], progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(tokens[:2], verbose=0)[:, 0], atol=1e-6)
