"""Ids beside numbers: the value of an id is what its whole vector does."""

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops

L = keras.layers
STEPS, SIZE = 5, 3
RNG = np.random.default_rng(4)
X = RNG.normal(size=(9, STEPS, 2)).astype("float32")
STORES, WARDS = RNG.integers(0, 6, 9), RNG.integers(0, 4, 9)
EVENTS = RNG.integers(0, 6, (9, STEPS))
FACT = RNG.normal(size=9)


def head(sequence, *facts):
    states = L.LSTM(4, name="recurrent")(sequence)
    joined = L.Concatenate()([states, *facts]) if facts else states
    return L.Dense(1, name="head")(L.Dense(6, "tanh", name="hidden")(joined))


def copied(target, source):
    """Give the layers of one model the weights of those of the same names."""
    for name in ("recurrent", "hidden", "head"):
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())
    return target


def table(model, name):
    return np.asarray(model.get_layer(name).get_weights()[0])


def static_ids():
    """A number, two ids of two tables, and an id of the first table again."""
    x, facts = keras.Input((STEPS, 2)), keras.Input((4,))
    store, ward = L.Embedding(6, SIZE, name="store"), L.Embedding(4, 2, name="ward")
    vectors = [store(facts[:, 1]), ward(facts[:, 2]), store(facts[:, 3])]
    model = randomised(keras.Model([x, facts], head(x, facts[:, :1], *vectors)), 0.7)
    data = SequenceData.from_arrays(
        X, static=np.stack([FACT, STORES, WARDS, STORES[::-1]], axis=1),
        static_names=["number", "store", "ward", "to"],
    )  # fmt: skip
    y, numbers = keras.Input((STEPS, 2)), keras.Input((1 + 2 * SIZE + 2,))
    plain = copied(keras.Model([y, numbers], head(y, numbers)), model)
    stores, wards = table(model, "store"), table(model, "ward")
    read = np.concatenate(
        [FACT[:, None], stores[STORES], wards[WARDS], stores[STORES[::-1]]], axis=1
    )
    return model, data, plain, SequenceData.from_arrays(X, static=read), [1, SIZE, 2, SIZE]


def ids_per_step():
    """A column of the sequence, of which some steps are padding."""
    x, flags = keras.Input((STEPS, 3)), keras.Input((STEPS,), dtype="bool")
    vectors = L.Embedding(6, SIZE, name="event")(ops.cast(x[:, :, 1], "int32"))
    sequence = L.Concatenate()([x[:, :, :1], vectors, x[:, :, 2:]])
    states = L.LSTM(4, name="recurrent")(sequence, mask=flags)
    output = L.Dense(1, name="head")(L.Dense(6, "tanh", name="hidden")(states))
    model = randomised(keras.Model([x, flags], output), 0.7)
    real = np.arange(STEPS) < np.array([5, 3, 5, 4, 5, 5, 2, 5, 5])[:, None]
    values = np.concatenate([X[..., :1], EVENTS[..., None], X[..., 1:]], axis=2)
    data = SequenceData.from_arrays(values, mask=real)
    y = keras.Input((STEPS, 2 + SIZE))
    states = L.LSTM(4, name="recurrent")(y, mask=flags)
    output = L.Dense(1, name="head")(L.Dense(6, "tanh", name="hidden")(states))
    plain = copied(keras.Model([y, flags], output), model)
    read = np.concatenate([X[..., :1], table(model, "event")[EVENTS], X[..., 1:]], axis=2)
    return model, data, plain, SequenceData.from_arrays(read, mask=real), [1, SIZE, 1]


def summed(values, sizes):
    """Add up the values of the numbers that belong together."""
    return np.add.reduceat(values, np.cumsum([0, *sizes[:-1]]), axis=-1)


@pytest.mark.parametrize("make", [static_ids, ids_per_step])
def test_the_value_of_an_id_is_that_of_its_vector(make):
    """Beside a model that reads the vectors themselves, as numbers."""
    model, data, plain, read, sizes = make()
    options = {"progress": False, "tolerance": 0.001}
    e = lx.explain(model, data[:4], background=data[4:], **options)
    expected = lx.explain(plain, read[:4], background=read[4:], **options)
    np.testing.assert_allclose(e.predictions, expected.predictions, atol=1e-5)
    np.testing.assert_allclose(e.base_values, expected.base_values, atol=1e-5)
    # both to a thousandth of the differences that they explain
    if make is static_ids:
        np.testing.assert_allclose(e.values, expected.values, atol=4e-3)
        static = summed(expected.static_values.values, sizes)
        np.testing.assert_allclose(e.static_values, static, atol=4e-3)
        assert np.abs(static[:, 1:]).max() > 0.05
    else:
        values = summed(expected.values.values, sizes)
        np.testing.assert_allclose(e.values, values, atol=4e-3)
        assert np.abs(values[..., 1]).max() > 0.05
        assert not e.values.values[~data.mask[:4]].any()


def test_ids_in_a_model_that_adds_up():
    """The closed form: w . (vector of the sample - vector of the row), over the rows."""
    x, store = keras.Input((STEPS, 2)), keras.Input((1,), dtype="int32", name="store_id")
    vector = L.Flatten()(L.Embedding(6, SIZE, name="store")(store))
    both = L.Concatenate()([L.LSTM(4)(x), vector])
    model = randomised(keras.Model([x, store], L.Dense(1, name="head")(both)), 0.7)
    weights = np.asarray(model.get_layer("head").get_weights()[0])[4:, 0]
    scores = table(model, "store") @ weights
    expected = scores[STORES[:4]] - scores[STORES[4:]].mean()
    inputs = [X, STORES[:, None]]
    few, rows = ([part[index] for part in inputs] for index in (slice(0, 4), slice(4, 9)))
    e = lx.explain(model, few, background=rows, progress=False)
    np.testing.assert_allclose(e.static_values[:, 0], expected, atol=1e-5)  # float32
    assert np.abs(expected).max() > 0.1
    shapley = lx.shapley_values(model, few, background=rows, level="time", progress=False)
    np.testing.assert_allclose(shapley.static_values[:, 0], expected, atol=1e-4)


def test_words_and_an_id():
    words, ward = keras.Input((STEPS,), dtype="int32"), keras.Input((1,), name="ward_id")
    sequence = L.Embedding(9, 4, name="words")(words)
    vector = L.Flatten()(L.Embedding(4, 2, name="ward")(ward))
    model = randomised(keras.Model([words, ward], head(sequence, vector)), 0.7)
    tokens = RNG.integers(1, 9, (9, STEPS))
    data = SequenceData.from_tokens(tokens, static=WARDS[:, None])
    plain = keras.Model([i := keras.Input((STEPS, 4)), f := keras.Input((2,))], head(i, f))
    read = SequenceData.from_arrays(
        table(model, "words")[tokens], static=table(model, "ward")[WARDS]
    )
    options = {"progress": False, "tolerance": 0.001}
    e = lx.explain(model, data[:4], background=data[4:], **options)
    expected = lx.explain(copied(plain, model), read[:4], background=read[4:], **options)
    np.testing.assert_allclose(e.values, expected.values.values.sum(axis=2), atol=4e-3)
    np.testing.assert_allclose(
        e.static_values[:, 0], expected.static_values.values.sum(axis=1), atol=4e-3
    )


def test_positions_that_happen_to_equal_a_column_are_no_ids():
    x = keras.Input((STEPS, 2))
    positions = ops.cumsum(ops.ones_like(x[:, :, 0]), axis=1) - 1
    sequence = L.Concatenate()([x, L.Embedding(STEPS, SIZE, name="position")(positions)])
    model = randomised(keras.Model(x, head(sequence)), 0.7)
    values = X.copy()
    values[..., 1] = np.arange(STEPS)
    data = SequenceData.from_arrays(values)
    assert lx.inspect(model, data).id_calls == ()
    e = lx.explain(model, data[:4], background=data[4:], progress=False)
    np.testing.assert_allclose(e.gaps, 0, atol=0.01)
    assert not e.values.values[..., 1].any()  # the same in every sample and row


def test_ids_that_are_none_are_refused():
    model, data, *_ = static_ids()
    message = r"'store' reads static fact 1 as ids, and received .* background=data\.train"
    with pytest.raises(ValueError, match=message):
        lx.explain(model, data[:4], background=lx.Background.mean(data), progress=False)
    scaled = SequenceData.from_arrays(X, static=data.static / 7)
    with pytest.raises(ValueError, match=r"as ids, and received 0\.\d+ in the samples"):
        lx.explain(model, scaled[:4], background=scaled[4:], progress=False)


@pytest.mark.parametrize("outside", [4, -1])
def test_an_id_outside_the_table_is_refused(outside):
    """Some backends read another row for it."""
    model, data, *_ = static_ids()
    static = data.static.copy()
    static[2, 2] = outside
    data = SequenceData.from_arrays(X, static=static)
    with pytest.raises(ValueError, match=r"Expected ids that a table .*has a row for; .* from 0"):
        lx.explain(model, data[:4], background=data[4:], progress=False)
