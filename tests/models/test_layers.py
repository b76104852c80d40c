"""Attention against hand-made numbers, and words that are dropped in training only."""

import numpy as np
import pytest
import reference
from models.texts import texts

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops
from lstm_explain.models.layers import WordDropout

numbers = keras.ops.convert_to_numpy


def with_weights(projection, bias, score):
    layer = lx.models.AttentionPooling(len(bias))
    layer.build((None, None, len(projection)))
    layer.set_weights([np.array(projection), np.array(bias), np.array(score)[:, None]])
    return layer


def test_weights_of_two_steps_by_hand():
    """Scores tanh(0) and tanh(1): the weights are a softmax of two known numbers."""
    layer = with_weights([[1.0]], [0.0], [1.0])
    context, weights = layer(np.array([[[0.0], [1.0]]]), return_attention_scores=True)
    second = np.exp(np.tanh(1)) / (1 + np.exp(np.tanh(1)))
    np.testing.assert_allclose(numbers(weights), [[1 - second, second]], rtol=1e-6)  # float32
    np.testing.assert_allclose(numbers(context), [[second]], rtol=1e-6)


def test_equals_literal_attention():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(4, 6, 5))
    weights = [rng.normal(size=s) for s in ((5, 3), (3,), (3,))]
    layer = with_weights(*weights)
    found = layer(states.astype("float32"), return_attention_scores=True)
    context, attention = (numbers(part) for part in found)
    for i, sequence in enumerate(states):
        expected, pooled = reference.attention(
            sequence, weights[0], weights[1], weights[2][:, None]
        )
        np.testing.assert_allclose(attention[i], expected, rtol=1e-5)  # float32 against float64
        np.testing.assert_allclose(context[i], pooled, rtol=1e-4, atol=1e-6)


def test_padding_gets_exactly_no_weight_and_changes_nothing():
    rng = np.random.default_rng(1)
    states = rng.normal(size=(2, 3, 4)).astype("float32")
    layer = lx.models.AttentionPooling(5, seed=0)
    context, weights = layer(states, return_attention_scores=True)
    padded = np.concatenate([states, 100 * np.ones((2, 2, 4), "float32")], axis=1)
    mask = np.array([[True] * 3 + [False] * 2] * 2)
    padded_context, padded_weights = layer(padded, mask=mask, return_attention_scores=True)
    np.testing.assert_array_equal(numbers(padded_weights)[:, 3:], 0)
    np.testing.assert_allclose(numbers(padded_weights)[:, :3], numbers(weights), rtol=1e-6)
    np.testing.assert_allclose(numbers(padded_context), numbers(context), rtol=1e-5)
    unmasked = numbers(layer(padded))
    assert np.abs(unmasked - numbers(context)).max() > 0.1, "without the mask it must show"


def test_large_scores_do_not_leak_into_padding():
    """A real step with a very low score still takes all weight from a padded one."""
    layer = with_weights([[1.0]], [0.0], [-1e4])
    _, weights = layer(
        np.array([[[5.0], [0.0]]], "float32"), mask=np.array([[True, False]]),
        return_attention_scores=True,
    )  # fmt: skip
    np.testing.assert_array_equal(numbers(weights), [[1.0, 0.0]])


def test_saved_and_loaded_layer_gives_equal_weights(tmp_path):
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, lx.models.AttentionPooling(3, seed=5)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = lx.load_model(tmp_path / "model.keras")
    states = np.random.default_rng(2).normal(size=(3, 4, 2)).astype("float32")
    original = model.layers[-1](states, return_attention_scores=True)
    again = loaded.layers[-1](states, return_attention_scores=True)
    for one, other in zip(original, again, strict=True):
        np.testing.assert_array_equal(numbers(one), numbers(other))


def test_no_units_is_refused():
    with pytest.raises(ValueError, match="units to be a whole number of at least 1; received 0"):
        lx.models.AttentionPooling(0)


def test_words_are_dropped_in_training_only_and_at_the_rate():
    layer = WordDropout(0.3, unknown=1, seed=4)
    tokens = np.full((200, 50), 7)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(tokens)), tokens)
    dropped = ops.convert_to_numpy(layer(tokens, training=True))
    assert set(np.unique(dropped)) == {1, 7}
    np.testing.assert_allclose((dropped == 1).mean(), 0.3, atol=0.02)  # sd 0.0046
    again = ops.convert_to_numpy(WordDropout(0.3, seed=4)(tokens, training=True))
    np.testing.assert_array_equal(again, dropped)


def test_without_an_unknown_word_nothing_is_dropped():
    data = SequenceData.from_tokens([[0, 1, 2], [2, 1, 0]], [0, 1], vocabulary=["a", "b", "c"])
    names = [layer.name for layer in lx.build_model(data, units=(2,), beside=None).layers]
    assert "word_dropout" not in names
    assert "embedding" in names


def test_impossible_rates_and_sizes_are_refused():
    with pytest.raises(ValueError, match="of at least 0 and below 1; received 1"):
        lx.build_model(texts(), word_dropout=1, beside=None)
    with pytest.raises(
        ValueError, match="embedding_size to be a whole number of at least 1; received 0"
    ):
        lx.build_model(texts(), embedding_size=0, beside=None)
    assert keras.saving.get_registered_object("lstm_explain>WordDropout") is WordDropout
