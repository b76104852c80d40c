"""Layers changed while a model runs: the change is seen, and undone whatever happens."""

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain.backend import keras, ops
from lstm_explain.inspection.interventions import (
    attention_recorded,
    attention_replaced,
    calls_recorded,
    mask_fixed,
    masks_recorded,
    replaced,
    run,
    vectors_replaced,
)


def inputs_of(data):
    static = np.zeros((len(data), 0), np.float32) if data.static is None else data.static
    tokens = np.zeros((len(data), 0), np.int32) if data.tokens is None else data.tokens
    return [ops.convert_to_tensor(part) for part in (data.values, tokens, static, data.mask)]


def test_a_change_is_undone_after_an_error():
    layer = keras.layers.Dense(1)

    def fail():
        with replaced(layer, "activation", None):
            assert layer.activation is None
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert layer.activation is keras.activations.linear
    with replaced(layer, "made_up", 3):
        assert layer.made_up == 3
    assert not hasattr(layer, "made_up")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_output_is_the_models_own_and_the_margin_is_before_its_link(task):
    data, model = tiny.padded(task).test, tiny.model(task)
    anatomy = lx.inspect(model, data)
    own = ops.convert_to_numpy(run(anatomy, inputs_of(data), margin=False))
    # One ran compiled, the other did not: they round differently.
    predicted = model.predict(data.inputs_for(model), verbose=0)
    np.testing.assert_allclose(own, predicted, atol=1e-6)
    margin = ops.convert_to_numpy(run(anatomy, inputs_of(data))).astype(float)
    if task == "binary":
        expected = 1 / (1 + np.exp(-margin))
    elif task == "multiclass":
        expected = np.exp(margin) / np.exp(margin).sum(axis=1, keepdims=True)
    else:
        expected = margin
    # float32: the link rounds at the seventh digit.
    np.testing.assert_allclose(own, expected, atol=1e-6)
    again = ops.convert_to_numpy(run(anatomy, inputs_of(data), margin=False))
    np.testing.assert_array_equal(again, own)


def test_attention_is_recorded_and_replaced():
    data, model = tiny.padded().test, tiny.model()
    anatomy = lx.inspect(model, data)
    [layer] = anatomy.pooling_layers
    record = {}
    plain = ops.convert_to_numpy(run(anatomy, inputs_of(data), [attention_recorded(layer, record)]))
    weights = ops.convert_to_numpy(record[layer][0])
    maps = lx.attention_maps(model, data)
    # Compiled and not compiled, the same weights to rounding.
    np.testing.assert_allclose(weights, maps[layer.name].values, atol=1e-6)
    same = run(anatomy, inputs_of(data), [attention_replaced(layer, lambda w, real: w)])
    np.testing.assert_allclose(ops.convert_to_numpy(same), plain, atol=1e-5)
    last = run(
        anatomy,
        inputs_of(data),
        [attention_replaced(layer, lambda w, real: np.eye(w.shape[1])[real.sum(axis=1) - 1])],
    )
    assert np.abs(ops.convert_to_numpy(last) - plain).max() > 1e-3


def test_a_masking_layer_keeps_the_mask_it_is_given():
    model = keras.Sequential(
        [keras.layers.Input((4, 2)), keras.layers.Masking(), keras.layers.LSTM(3)]
    )
    values = np.random.default_rng(0).normal(size=(2, 4, 2)).astype(np.float32)
    values[0, 2:] = 0
    anatomy = lx.inspect(model, lx.SequenceData.from_arrays(values))
    [layer] = anatomy.masking_layers
    nothing = [ops.convert_to_tensor(np.zeros((2, 0), np.float32))] * 3
    record = {}
    own = run(anatomy, [values, *nothing], [masks_recorded(layer, record)])
    mask = ops.convert_to_numpy(record[layer][0])
    np.testing.assert_array_equal(mask, [[True, True, False, False], [True] * 4])
    # Steps that the sample masks stay masked, whatever stands there.
    moved = np.where(mask[..., None], values, np.float32(9))
    changes = [mask_fixed(operation, [ops.convert_to_tensor(mask)])
               for operation in (layer, *anatomy.mask_operations)]  # fmt: skip
    held = run(anatomy, [moved, *nothing], changes)
    np.testing.assert_allclose(ops.convert_to_numpy(held), ops.convert_to_numpy(own), atol=1e-6)
    free = run(anatomy, [moved, *nothing])
    assert np.abs(ops.convert_to_numpy(free) - ops.convert_to_numpy(own)).max() > 1e-2


def test_an_embedding_gives_other_vectors_and_keeps_its_mask():
    data, model = tiny.texts().test, tiny.text_model()
    anatomy = lx.inspect(model, data)
    [layer] = anatomy.embedding_layers
    record = {}
    own = ops.convert_to_numpy(run(anatomy, inputs_of(data), [calls_recorded(layer, record)]))
    vectors = ops.convert_to_numpy(record[layer][0][1])
    np.testing.assert_array_equal(vectors, ops.convert_to_numpy(layer.embeddings)[data.tokens])
    swapped = np.where(data.mask[..., None], vectors, np.float32(7))  # the padding is not read
    same = run(anatomy, inputs_of(data), [vectors_replaced(layer, {0: swapped})])
    np.testing.assert_allclose(ops.convert_to_numpy(same), own, atol=1e-5)
    other = run(anatomy, inputs_of(data), [vectors_replaced(layer, {0: -vectors})])
    assert np.abs(ops.convert_to_numpy(other) - own).max() > 1e-2
