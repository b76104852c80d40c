"""Every form that ``model.predict`` takes gives the values of `SequenceData`, or a remedy."""

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras, ops
from lstm_explain.models.forms import as_sequences

pytestmark = pytest.mark.slow

layers = keras.layers
RNG = np.random.default_rng(3)
X = RNG.normal(size=(8, 6, 3)).astype("float32")
FACTS = RNG.normal(size=(8, 2)).astype("float32")
IDS = RNG.integers(2, 20, (8, 6))


def plain_model(steps=6):
    return randomised(keras.Sequential([keras.Input((steps, 3)), layers.LSTM(4), layers.Dense(1)]))


def facts_model(as_dict=False):
    # The dict stands against the alphabet: Keras sorts keys in some places and not in others.
    series, facts = keras.Input((6, 3), name="series"), keras.Input((2,), name="facts")
    output = layers.Dense(1)(layers.Concatenate()([layers.LSTM(4)(series), facts]))
    inputs = {"series": series, "facts": facts} if as_dict else [series, facts]
    return randomised(keras.Model(inputs, output), 0.4)


class Subclassed(keras.Model):
    """Shapes that only a call can tell; `read` takes the parts out of what the model is given."""

    def __init__(self, read):
        super().__init__()
        self.read, self.recurrent = read, layers.LSTM(4)
        self.join, self.head = layers.Concatenate(), layers.Dense(1)

    def call(self, inputs):
        series, *facts = self.read(inputs)
        return self.head(self.join([self.recurrent(series), *facts]))


def subclassed(read, first_call):
    model = Subclassed(read)
    model(first_call)
    return randomised(model, 0.4)


def subclassed_list():
    return subclassed(lambda inputs: inputs, [X[:1, :4], FACTS[:1]])


def subclassed_dict():
    return subclassed(
        lambda inputs: (inputs["series"], inputs["facts"]), {"series": X[:1], "facts": FACTS[:1]}
    )


def words_model():
    return randomised(
        keras.Sequential(
            [keras.Input((6,)), layers.Embedding(20, 4), layers.LSTM(4), layers.Dense(1)]
        )
    )


class Batches(keras.utils.PyDataset):
    """Batches of four with targets, as one would train on them."""

    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays[0]) // 4

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        inputs = tuple(array[rows] for array in self.arrays)
        return (inputs if len(inputs) > 1 else inputs[0]), np.zeros(4)


FORMS = {
    "a list of arrays": (plain_model, list, (X,)),
    "a list of one input": (plain_model, lambda x: [x], (X,)),
    "a tensor": (plain_model, ops.convert_to_tensor, (X,)),
    "a list of tensors": (plain_model, lambda x: [ops.convert_to_tensor(r) for r in x], (X,)),
    "a PyDataset": (plain_model, Batches, (X,)),
    "[sequence, facts]": (facts_model, lambda x, f: [x, f], (X, FACTS)),
    "a tuple": (facts_model, lambda x, f: (x, f), (X, FACTS)),
    "a PyDataset of pairs": (facts_model, Batches, (X, FACTS)),
    "a dict by name": (facts_model, lambda x, f: {"facts": f, "series": x}, (X, FACTS)),
    "a dict in any order": (
        lambda: facts_model(as_dict=True), lambda x, f: {"facts": f, "series": x}, (X, FACTS),
    ),
    "a list for a subclassed model": (subclassed_list, lambda x, f: [x, f], (X, FACTS)),
    "a dict for a subclassed model": (
        subclassed_dict, lambda x, f: {"facts": f, "series": x}, (X, FACTS),
    ),
    "ids as numbers of a CSV file": (words_model, lambda i: i.astype("float32"), (IDS,)),
    "ids as a tensor": (words_model, ops.convert_to_tensor, (IDS,)),
    "ids as lists": (words_model, lambda i: i.tolist(), (IDS,)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_values_of_sequence_data(form):
    make_model, as_form, arrays = FORMS[form]
    model = make_model()
    make = SequenceData.from_arrays if arrays[0].ndim == 3 else SequenceData.from_tokens
    data, background = (
        make(*(array[rows] for array in arrays[:1]), static=FACTS[rows] if arrays[1:] else None)
        for rows in (slice(0, 4), slice(4, 8))
    )
    expected = lx.explain(model, data, background=background, progress=False)
    parts = [[array[rows] for array in arrays] for rows in (slice(0, 4), slice(4, 8))]
    e = lx.explain(model, as_form(*parts[0]), background=as_form(*parts[1]), progress=False)
    np.testing.assert_array_equal(e.values, expected.values)
    np.testing.assert_array_equal(e.base_values, expected.base_values)
    inputs = data.inputs_for(model)
    by_keras = model.predict(inputs, verbose=0)
    # Float32, in batches of another size.
    np.testing.assert_allclose(lx.predict(model, as_form(*parts[0])), by_keras, atol=1e-6)


def test_a_model_of_dict_inputs_trains_and_is_asked_again_about_its_explanation():
    data = SequenceData.from_arrays(X, X[:, 0, 0], static=FACTS).split_by_group(0.25, 0.25, seed=0)
    model = facts_model(as_dict=True)
    model.compile("adam", "mse")
    model.fit(data.train.inputs_for(model), data.train.target, verbose=0)
    e = lx.explain(model, data.test, background=data.train, progress=False)
    question = question_of(model, e)  # which input is which comes from the record
    np.testing.assert_allclose(question.predictions, e.predictions, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.data and ragged tensors")
def test_batches_and_ragged_tensors_of_tensorflow():
    import tensorflow as tf

    model = plain_model(None)
    expected = lx.explain(model, X[:4], background=X[4:], progress=False)
    batches = tf.data.Dataset.from_tensor_slices((X[:4], np.zeros(4))).batch(3)
    e = lx.explain(model, batches, background=tf.constant(X[4:]), progress=False)
    np.testing.assert_array_equal(e.values, expected.values)
    series = RNG.normal(size=(12, 3)).astype("float32")
    windows = keras.utils.timeseries_dataset_from_array(series, None, 6, batch_size=4)
    e = lx.explain(model, windows, background=X[4:], progress=False)
    # Window t begins at step t.
    np.testing.assert_array_equal(e.data, np.stack([series[t : t + 6] for t in range(7)]))
    ragged = tf.RaggedTensor.from_row_lengths(X[0], [4, 2])
    np.testing.assert_array_equal(as_sequences(ragged, model).lengths, [4, 2])
    ids = tf.RaggedTensor.from_row_lengths(np.arange(2, 8), [4, 2])
    words = as_sequences(ids, words_model())
    np.testing.assert_array_equal(words.tokens, [[2, 3, 4, 5], [6, 7, 0, 0]])
    with pytest.raises(ValueError, match=r"endless .*dataset\.take\(10\)"):
        lx.explain(model, batches.repeat(), background=X[4:])
    lengths = tf.data.Dataset.from_generator(
        lambda: (X[:2, :n] for n in (5, 6)), output_signature=tf.TensorSpec((2, None, 3))
    )
    with pytest.raises(ValueError, match=r"batches of data of one length"):
        lx.explain(model, lengths, background=X[4:])


@pytest.mark.parametrize(
    ("make_model", "data", "message"),
    [
        (facts_model, {"series": X}, r"one array for each input of the model, \['series', 'facts"),
        (plain_model, X[:, :, 0], r"Of one feature, give data\[\.\.\., None\]"),
        (plain_model, [], "one sample|array"),
        (subclassed_dict, X, r"input_shape|facts"),
        (subclassed_list, [X[..., :2], FACTS], r"Expected 3 features .* 'input_0'; received 2"),
        (words_model, IDS + 0.5, "whole numbers"),
    ],
    ids=["missing", "one feature", "nothing", "subclass, missing", "too few", "broken ids"],
)
def test_what_cannot_be_read_is_refused_with_a_remedy(make_model, data, message):
    with pytest.raises((ValueError, TypeError), match=message):
        lx.explain(make_model(), data, background="zero", progress=False)
    with pytest.raises((ValueError, TypeError), match=message):
        lx.predict(make_model(), data)


class Wrapper:
    """Like scikeras's: an estimator of scikit-learn, with the Keras model inside once fitted."""

    def __init__(self, model):
        self.model_ = model


class Tuner:
    """Like those of KerasTuner."""

    def get_best_models(self, num_models=1):
        return [plain_model()]


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("my/model.keras", r"lx\.load_model\('my/model\.keras'\)"),
        (Wrapper(None), r"wrapper\.model_"),
        (Tuner(), r"tuner\.get_best_models\(\)\[0\]"),
    ],
    ids=["a path", "scikeras", "KerasTuner"],
)
def test_what_holds_a_model_is_told_where_it_is(thing, message):
    for call in (lx.explain, lx.predict, lx.attention_maps):
        with pytest.raises(TypeError, match=message):
            call(thing, X)


def test_samples_are_taken_by_id():
    data = SequenceData.from_arrays(X[:4], ids=["P1", "P2", "P1", "P3"])
    np.testing.assert_array_equal(data["P1"].values, X[[0, 2]])
    np.testing.assert_array_equal(data[["P3", "P2"]].values, X[[3, 1]])
    e = lx.explain(plain_model(), data, background="zero", progress=False)
    np.testing.assert_array_equal(e["P2"].values, e.values[1:2])
    days = SequenceData.from_arrays(X[:2], ids=np.array(["2020-03-04", "2020-03-05"], "M8[ns]"))
    e = lx.explain(plain_model(), days, background="zero", progress=False)
    np.testing.assert_array_equal(e[np.datetime64("2020-03-05")].values, e.values[1:])
    np.testing.assert_array_equal(e["2020-03-05"].values, e.values[1:])
    numbers = SequenceData.from_arrays(X[:2], ids=[17, 4])
    np.testing.assert_array_equal(numbers["4"].values, X[1:2])
    with pytest.raises(IndexError, match=r"such as one of \['P1', 'P2', 'P1'\]; received \['P9'\]"):
        data["P9"]
    with pytest.raises(IndexError, match=r"these samples have no ids; received \['P1'\].*ids="):
        SequenceData.from_arrays(X)["P1"]


def test_ids_that_the_model_takes_out_of_numbers_get_no_noise():
    """A check that adds noise would ask an Embedding for a row that is not there."""
    inputs = keras.Input((6, 3))
    ids = layers.Lambda(lambda x: ops.cast(x[:, :, 2], "int32"))(inputs)
    both = layers.Concatenate()([inputs, layers.Embedding(3, 2)(ids)])
    model = randomised(keras.Model(inputs, layers.Dense(1)(layers.LSTM(4)(both))), 0.4)
    values = X.copy()
    values[..., 2] = RNG.integers(0, 3, X.shape[:2])
    values[:, :, 2] = values[:1, :, 2]  # the same ids everywhere: nothing lies between two of them
    alone = lx.explain(model, values[:1], background=values[4:], progress=False)
    padded = SequenceData.from_arrays([*values[:1], values[1, :4]])
    with pytest.warns(lx.inspection.PaddingWarning, match="moved the margin"):
        lx.explain(model, padded, background=values[4:], progress=False)
    np.testing.assert_allclose(  # float32, for one sample and for a difference of means
        alone.values.sum() + alone.base_values,
        model.predict(values[:1], verbose=0)[:, 0],
        atol=1e-4,
    )
