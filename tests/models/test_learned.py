"""A trained model knows which units, classes and features its numbers stand for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain.backend import keras

pytestmark = pytest.mark.slow


FEATURES, CLASSES = ["rate", "lactate"], ["survived", "died"]


def test_a_trained_model_refuses_data_in_other_units(tmp_path):
    """Raw numbers into a model of standardised ones; also after saving, and not without need."""
    raw = tiny.padded()
    data = replace(raw, values=np.where(raw.mask[..., None], 5 + 3 * raw.values, 0)).standardise()
    model = lx.build_model(data, units=(2,), attention_units=2, beside=None)
    options = {"epochs": 1, "batch_size": 60, "progress": False}
    run = lx.train(model, data, **options)
    lx.TrainingRun.save(run, tmp_path)
    for trained_model in (model, lx.TrainingRun.load(tmp_path).model):
        with pytest.raises(ValueError, match=r"with mean 0 and deviation 1 instead of [3-7]"):
            lx.models.predict_by_length(trained_model, raw)
        with pytest.raises(ValueError, match=r"standardised as those that 'lstm_with"):
            lx.explain(trained_model, raw.test, background=raw.train, progress=False)
        data.test.inputs_for(trained_model)
    again = lx.train(model, raw, **options).model  # it learns the other units
    raw.inputs_for(again)
    with pytest.raises(ValueError, match=r"instead of 0 and 1 \(0 and 1: original units\)"):
        data.inputs_for(again)


def test_a_trained_model_refuses_another_order_of_classes_or_features(tmp_path):
    """Labels that were sorted, a class that nobody has, columns in another order."""
    rng = np.random.default_rng(0)
    values, died = rng.normal(size=(60, 4, 2)).astype(np.float32), np.arange(60) % 2
    labels = np.array(CLASSES)[died]

    def data_of(labels, features=FEATURES, classes=CLASSES, rows=slice(None)):
        names = {"feature_names": features, "class_names": classes}
        return lx.SequenceData.from_arrays(values[rows], labels[rows], **names)

    data = data_of(labels).split_by_group()
    model = lx.build_model(data, units=(2,), attention_units=2, beside=None)
    run = lx.train(model, data, epochs=1, progress=False)
    model.save(tmp_path / "alone.keras")
    folder = run.save(tmp_path / "run")
    read = [lx.TrainingRun.load(folder).model, lx.load_model(tmp_path / "alone.keras")]

    by_letter = data_of(labels, classes=None)  # "died" comes first
    all_died = data_of(labels, classes=None, rows=died == 1)
    turned, renamed = data_of(labels, FEATURES[::-1]), data_of(labels, ["hr", "lac"])
    positions = data_of(died, classes=None)
    for trained_model in (model, *read):
        with pytest.raises(ValueError, match=r"\['survived', 'died'\]; received \['died', 'surv"):
            lx.predict(trained_model, by_letter)
        with pytest.raises(ValueError, match=r"\['died'\]. Make the data with class_names="):
            lx.explain(trained_model, all_died, background=data.train, progress=False)
        with pytest.raises(ValueError, match=r"in which .* \['rate', 'lactate'\]; received \['lac"):
            lx.predict(trained_model, turned)
        for same in (data, positions, renamed, values):
            np.testing.assert_array_equal(lx.predict(trained_model, same), lx.predict(model, data))
    again = by_letter.split_by_group()
    lx.train(model, again, epochs=1, progress=False)  # it learns the other order
    lx.predict(model, again)


def test_a_plain_array_may_be_in_the_units_of_the_model(tmp_path):
    raw = lx.SequenceData.from_arrays(np.random.default_rng(2).normal(size=(60, 4, 2)), [0, 1] * 30)
    raw = raw.split_by_group(0.2, 0.2)
    inputs = keras.Input((4, 2))
    head = keras.layers.Dense(1, "sigmoid")
    model = keras.Model(inputs, head(keras.layers.Flatten()(inputs)))
    data = raw.standardise()
    run = lx.train(model, data, epochs=1, progress=False)
    for trained_model in (model, lx.TrainingRun.load(run.save(tmp_path)).model):
        with pytest.raises(ValueError, match=r"Expected data standardised as those that"):
            raw.inputs_for(trained_model)
    by_data = lx.explain(model, data.test[:2], background=data.train, progress=False)
    by_array = lx.explain(model, data.test.values[:2], background=data.train, progress=False)
    np.testing.assert_array_equal(by_data.values.values, by_array.values.values)
