"""Attention of every kind of layer, by hand in NumPy, and exactly zero on padding."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.fixture
def data(rng):
    return SequenceData.from_arrays([rng.normal(size=(n, 3)) for n in (4, 6)])


def masked_states():
    inputs = keras.Input((6, 3))
    return inputs, keras.layers.LSTM(4, return_sequences=True)(keras.layers.Masking()(inputs))


def states_of(model, data):
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.LSTM))
    inner = keras.Model(model.inputs, layer.output)
    return inner.predict(data.values, verbose=0)


def test_pooling_maps_are_those_of_the_explanation():
    data, model = tiny.padded(), tiny.model()
    maps = lx.attention_maps(model, data.test[:5])
    np.testing.assert_allclose(maps["attention"], tiny.explanation().attention, rtol=1e-6)
    np.testing.assert_array_equal(maps["mask"], data.test[:5].mask)
    named = replace(
        data.test[:5], ids=np.array(list("abcde")), times=np.cumsum(maps["mask"].values, axis=1)
    )
    maps = lx.attention_maps(model, named)
    assert maps["ids"].values.tolist() == list("abcde")
    np.testing.assert_array_equal(maps["times"], named.times)


def test_dot_product_attention_by_hand(data):
    """Luong attention of the states to themselves: softmax over real steps of h_q . h_k."""
    inputs, states = masked_states()
    context = keras.layers.Attention(name="look")([states, states])
    pooled = keras.layers.GlobalAveragePooling1D()(context)
    model = keras.Model(inputs, keras.layers.Dense(1)(pooled))
    maps = lx.attention_maps(model, data)["look"]
    assert maps.dims == ("sample", "query", "time")
    h = states_of(model, data).astype(float)
    scores = np.where(data.mask[:, None, :], h @ h.transpose(0, 2, 1), -np.inf)
    expected = softmax(scores)
    real = data.mask[..., None] & data.mask[:, None, :]
    np.testing.assert_allclose(maps.values[real], expected[real], rtol=1e-4)
    np.testing.assert_array_equal(maps.values[0][:, 4:], 0)
    e = lx.explain(model, data, background="zero", progress=False)
    np.testing.assert_allclose(e.attention[0, :4], expected[0, :4, :4].mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(e.attention.sum("time"), 1, rtol=1e-5)
    assert e.attention_contribution is None


def test_additive_attention_by_hand(data):
    inputs, states = masked_states()
    context = keras.layers.AdditiveAttention(use_scale=False, name="look")([states, states])
    model = keras.Model(
        inputs, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling1D()(context))
    )
    maps = lx.attention_maps(model, data)["look"].values
    h = states_of(model, data).astype(float)
    scores = np.tanh(h[:, :, None, :] + h[:, None, :, :]).sum(axis=-1)
    expected = softmax(np.where(data.mask[:, None, :], scores, -np.inf))
    real = data.mask[..., None] & data.mask[:, None, :]
    np.testing.assert_allclose(maps[real], expected[real], rtol=1e-4)


def test_every_head_is_kept_and_averaged(data):
    inputs, states = masked_states()
    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3, name="look")
    model = keras.Model(
        inputs, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling1D()(layer(states, states)))
    )
    maps = lx.attention_maps(model, data)["look"]
    assert maps.dims == ("sample", "head", "query", "time")
    _, expected = layer(
        states_of(model, data), states_of(model, data), return_attention_scores=True,
        key_mask=data.mask,
    )  # fmt: skip
    for i, length in enumerate(data.lengths):  # what padded queries attend to says nothing
        np.testing.assert_allclose(
            maps[i, :, :length], keras.ops.convert_to_numpy(expected)[i, :, :length], atol=1e-6
        )
    assert np.abs(maps[:, 0] - maps[:, 1]).max() > 1e-3  # the heads differ
    e = lx.explain(model, data, background="zero", progress=False)
    mean = maps.values.mean(axis=1)[1].mean(axis=0)
    np.testing.assert_allclose(e.attention[1], mean, rtol=1e-5)


def test_a_model_without_attention_is_refused(data):
    inputs, states = masked_states()
    model = keras.Model(inputs, keras.layers.Dense(1)(states[:, -1]))
    with pytest.raises(ValueError, match=r"Expected a model with attention; .* none is seen"):
        lx.attention_maps(model, data)
    assert lx.explain(model, data, background="zero", progress=False).attention is None
