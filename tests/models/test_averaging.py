"""The mean of several models is one model: its margin is the mean of theirs."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from networks import Subclassed, randomised
from scipy.special import expit, logit, softmax

import lstm_explain as lx
from lstm_explain.backend import keras, ops

layers = keras.layers
VALUES = np.random.default_rng(2).normal(size=(6, 5, 3)).astype("float32")


def network(end, seed, outputs=1):
    """Return a network that ends in a sigmoid, softmax or nothing, written in one of many ways."""
    inputs = keras.Input((5, 3))
    fused = {"fused sigmoid": "sigmoid", "fused softmax": "softmax"}.get(end)
    raw = layers.Dense(outputs, activation=fused)(layers.LSTM(4)(inputs))
    made = {
        "layer": lambda: layers.Activation("sigmoid")(raw),
        "operation": lambda: ops.sigmoid(raw),
        "softmax layer": lambda: layers.Softmax()(raw),
    }.get(end, lambda: raw)()
    model = keras.Model(inputs, made)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("end", ["fused sigmoid", "layer", "operation", "nothing"])
def test_the_mean_of_one_margin(end):
    models = [network(end, seed) for seed in range(4)]
    outputs = np.stack([lx.predict(model, VALUES) for model in models]).astype(float)
    expected = outputs.mean(axis=0) if end == "nothing" else expit(logit(outputs).mean(axis=0))
    made = lx.models.average(models)
    np.testing.assert_allclose(lx.predict(made, VALUES), expected, rtol=1e-4, atol=1e-6)
    if end != "nothing":  # the test can fail: the mean of probabilities is another model
        assert np.abs(outputs.mean(axis=0) - expected).max() > 1e-3
    for model, before in zip(models, outputs, strict=True):  # which stay as they were
        np.testing.assert_array_equal(lx.predict(model, VALUES), before.astype("float32"))


@pytest.mark.parametrize("end", ["fused softmax", "softmax layer"])
def test_the_mean_of_several_margins(end):
    models = [network(end, seed, outputs=3) for seed in range(3)]
    logs = np.mean([np.log(lx.predict(model, VALUES).astype(float)) for model in models], axis=0)
    made = lx.models.average(models)
    np.testing.assert_allclose(lx.predict(made, VALUES), softmax(logs, axis=1), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_it_is_saved_scored_and_read_as_any_model(task, tmp_path):
    data = tiny.padded(task, static=True)
    models = [lx.build_model(data, units=(4,), seed=seed) for seed in range(2)]
    for seed, model in enumerate(models):
        lx.train(model, data, epochs=2, seed=seed, progress=False, fit_baseline=False)
    made = lx.models.average(models)
    made.save(tmp_path / "mean.keras")
    again = lx.load_model(tmp_path / "mean.keras")
    np.testing.assert_array_equal(lx.predict(again, data.test), lx.predict(made, data.test))
    assert set(lx.models.score(data.test, lx.predict(made, data.test)))
    other = tiny.padded(task, static=True).standardise()
    with pytest.raises(ValueError, match=r"Expected data standardised as those"):
        lx.predict(made, other)


def test_logits_stay_logits(tmp_path):
    models = [network("nothing", seed) for seed in range(2)]
    for model in models:
        model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    lx.models.average(models).save(tmp_path / "logits.keras")
    assert lx.inspect(lx.load_model(tmp_path / "logits.keras")).link == "binary logits"


@pytest.mark.slow
def test_what_cannot_be_averaged_is_refused():
    one = network("layer", 0)
    with pytest.raises(ValueError, match=r"Expected at least two models to average; received"):
        lx.models.average([one])
    with pytest.raises(TypeError, match=r"Expected a Keras model; received str"):
        lx.models.average([one, "model.keras"])
    wide = keras.Input((5, 4))
    wider = keras.Model(wide, layers.Dense(1, activation="sigmoid")(layers.LSTM(4)(wide)))
    for other, what in (
        (wider, "inputs"),
        (network("layer", 1, outputs=2), "output"),
        (network("nothing", 1), "activation at the end"),
    ):
        message = (
            rf"model 1 differs from the first in its {what}: .* Average models of the same data"
        )
        with pytest.raises(ValueError, match=message):
            lx.models.average([one, other])
    scaled = []
    for data in (tiny.padded("binary"), tiny.padded("binary").standardise()):
        scaled.append(lx.build_model(data, units=(2,), beside=None))
        lx.train(scaled[-1], data, epochs=1, progress=False, fit_baseline=False)
    with pytest.raises(
        ValueError, match=r"model 1 differs from the first in its features, classes and units"
    ):
        lx.models.average(scaled)
    inputs = keras.Input((5, 3))
    heads = keras.Model(inputs, [layers.LSTM(2)(inputs), layers.LSTM(2)(inputs)])
    with pytest.raises(ValueError, match=r"with one output; .* has 2. Take one head"):
        lx.models.average([heads, heads])
    subclassed = Subclassed()
    subclassed(VALUES)
    with pytest.raises(ValueError, match=r"none that is known.*built as a graph"):
        lx.models.average([subclassed, subclassed])
    nested = keras.Model(inputs, network("operation", 0)(inputs))
    with pytest.raises(ValueError, match=r"sigmoid at the end of .* Use keras.layers.Activation"):
        lx.models.average([nested, randomised(nested)])
