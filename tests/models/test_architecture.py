"""Networks that build_model makes, against a literal forward pass."""

import numpy as np
import pytest
import reference
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData


def test_predictions_equal_literal_lstm_with_attention():
    data, model = tiny.padded(), tiny.model()
    margin = reference.attention_lstm(model)
    expected = [
        reference.sigmoid(margin(values[mask].astype(float)))[0]
        for values, mask in zip(data.values, data.mask, strict=True)
    ]
    predicted = model.predict(data.inputs_for(model), verbose=0)[:, 0]
    np.testing.assert_allclose(predicted, expected, rtol=1e-4)  # float32 recurrences of 6 steps


def test_padding_adds_nothing():
    data, model = tiny.padded(), tiny.model()
    longer = SequenceData.from_arrays([v[m] for v, m in zip(data.values, data.mask, strict=True)])
    noisy = longer.values + 50.0 * ~longer.mask[..., None]
    one = model.predict([longer.values, longer.mask], verbose=0)
    np.testing.assert_array_equal(one, model.predict([noisy, longer.mask], verbose=0))


def test_layers_have_the_documented_names():
    model = lx.build_model(tiny.padded(), units=(4, 3), bidirectional=True)
    names = {layer.name for layer in model.layers}
    assert {"bidirectional_1", "bidirectional_2", "attention", "head", "output"} <= names


@pytest.mark.parametrize(("task", "outputs"), [("regression", 1), ("binary", 1), ("multiclass", 3)])
def test_output_fits_the_task(task, outputs):
    data = tiny.padded(task)
    predictions = tiny.model(task).predict(data.inputs_for(tiny.model(task)), verbose=0)
    assert predictions.shape == (len(data), outputs)
    if task == "multiclass":
        np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)  # float32 softmax


def test_untrained_regression_starts_at_the_training_mean():
    """A head of zeros gives the mean of the training target, in the target's own units."""
    data = tiny.padded("regression")
    model = lx.build_model(data)
    model.get_layer("head").set_weights([0 * w for w in model.get_layer("head").get_weights()])
    predictions = model.predict(data.inputs_for(model), verbose=0)
    np.testing.assert_allclose(predictions, data.train.target.mean(), rtol=1e-5)


def test_same_seed_same_weights():
    data = tiny.padded()
    one, two, other = (lx.build_model(data, seed=s).get_weights() for s in (0, 0, 1))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(np.abs(a - c).max() > 0 for a, c in zip(one, other, strict=True))


def test_loaded_model_shows_the_same_attention(tmp_path):
    data, model = tiny.padded(), tiny.model()
    model.save(tmp_path / "model.keras")
    loaded = lx.load_model(tmp_path / "model.keras")
    weights = [
        lx.explain(m, data.test[:3], background="zero", progress=False).attention.values
        for m in (model, loaded)
    ]
    np.testing.assert_array_equal(weights[0], weights[1])


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"found no file 'nowhere.keras'. Save one with"):
        lx.load_model("nowhere.keras")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": ()}, "Expected at least one LSTM layer"),
        ({"units": (0,)}, "with at least 1 unit; received"),
        ({"dropout": 1.0}, "Expected dropout from 0 to below 1; received 1.0"),
    ],
)
def test_impossible_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lx.build_model(tiny.padded(), **arguments)


def test_data_without_target_is_refused():
    with pytest.raises(ValueError, match="Expected data with a target to shape the output"):
        lx.build_model(SequenceData.from_arrays(np.zeros((2, 3, 1))))
