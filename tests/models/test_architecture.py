"""Networks that build_model makes, against a literal forward pass; models of words."""

from dataclasses import replace

import numpy as np
import pytest
import reference
import tiny
from models.texts import VOCABULARY, texts

import lstm_explain as lx
from lstm_explain import SequenceData

pytestmark = pytest.mark.slow


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
    model = lx.build_model(tiny.padded(), units=(4, 3), bidirectional=True, beside=None)
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
    model = lx.build_model(data, beside=None)
    model.get_layer("head").set_weights([0 * w for w in model.get_layer("head").get_weights()])
    predictions = model.predict(data.inputs_for(model), verbose=0)
    np.testing.assert_allclose(predictions, data.train.target.mean(), rtol=1e-5)


def test_same_seed_same_weights():
    data = tiny.padded()
    one, two, other = (lx.build_model(data, seed=s, beside=None).get_weights() for s in (0, 0, 1))
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
        ({"units": ()}, "Expected at least one layer with"),
        ({"units": (0,)}, "with at least 1 unit; received"),
        ({"dropout": 1.0}, "dropout to be a finite number of at least 0 and below 1; received 1.0"),
    ],
)
def test_impossible_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lx.build_model(tiny.padded(), **arguments, beside=None)


def test_data_without_target_is_refused():
    with pytest.raises(ValueError, match="Expected data with a target to shape the output"):
        lx.build_model(SequenceData.from_arrays(np.zeros((2, 3, 1))), beside=None)


def model_of(data, **options):
    model = lx.build_model(
        data, units=(5,), embedding_size=4, attention_units=3, **options, beside=None
    )
    rng = np.random.default_rng(2)
    weights = [
        w if "seed" in v.path else rng.normal(0, 0.7, w.shape)
        for v, w in zip(model.weights, model.get_weights(), strict=True)
    ]
    model.set_weights(weights)
    return model


def test_longer_padding_and_longer_texts_are_read():
    data = texts()
    model = model_of(data)
    ids, mask = data.tokens, data.mask
    short = model.predict([ids, mask], verbose=0)
    wide = [np.pad(part, ((0, 0), (0, 4))) for part in (ids, mask)]
    np.testing.assert_allclose(model.predict(wide, verbose=0), short, rtol=1e-5)


@pytest.mark.slow
def test_words_add_up_to_the_prediction_and_shapley_values_are_those_of_enumeration():
    data = texts()
    model = model_of(data)
    e = lx.explain(model, data.test, tolerance=0.01, progress=False)
    np.testing.assert_allclose(e.gaps, 0, atol=0.01 * float(e.predictions.std()))
    unknown = np.where(data.test.mask, 1, 0)
    p = model.predict([unknown, data.test.mask], verbose=0)[:, 0].astype(float)
    np.testing.assert_allclose(e.base_values, np.log(p / (1 - p)), atol=1e-4)
    short = data.test[np.flatnonzero(data.test.lengths <= 4)[:2]]
    s = lx.shapley_values(model, short, level="time", progress=False)
    for row, length in enumerate(short.lengths):
        players = np.array(list(np.ndindex(*[2] * length)), bool)
        ids = np.pad(np.where(players, short.tokens[row, :length], 1), ((0, 0), (0, 7 - length)))
        mask = np.tile(short.mask[row], (len(ids), 1))
        p = model.predict([ids, mask], verbose=0)[:, 0].astype(float)
        worth = dict(zip(map(tuple, players.tolist()), np.log(p / (1 - p)), strict=True))
        expected = reference.shapley_values(
            lambda members, worth=worth, n=length: worth[tuple(i in members for i in range(n))],
            length,
        )
        np.testing.assert_allclose(s.values[row, :length], expected, atol=1e-4)


@pytest.mark.slow
def test_a_trained_model_finds_the_word_and_is_saved(tmp_path):
    data = texts(300)
    model = lx.build_model(data, units=(8,), embedding_size=8, beside=None)
    run = lx.train(model, data, epochs=25, learning_rate=1e-2, progress=False)
    assert run.metrics["auroc"] > 0.9
    e = lx.explain(model, data.test, progress=False)
    found = e.data.values == "w3"  # token id 5
    assert (
        e.values.values[found].mean() > 5 * np.abs(e.values.values[~found & data.test.mask]).mean()
    )
    run.save(tmp_path)
    loaded = lx.TrainingRun.load(tmp_path)
    assert loaded.vocabulary == run.vocabulary == tuple(VOCABULARY)
    again = loaded.model
    inputs = data.test.inputs_for(model)
    np.testing.assert_allclose(
        again.predict(inputs, verbose=0), model.predict(inputs, verbose=0), rtol=1e-6
    )


# -- the vocabulary that a model learned -----------------------------------------------------------
def test_texts_read_with_another_vocabulary_are_refused(tmp_path):
    """One word moved gives every id after it another meaning: wrong words, without an error."""
    data = texts()
    model = model_of(data)
    swapped = [*VOCABULARY[:3], VOCABULARY[4], VOCABULARY[3], *VOCABULARY[5:]]
    other = replace(data, vocabulary=tuple(swapped))
    model.save(tmp_path / "model.keras")
    for network in (model, lx.load_model(tmp_path / "model.keras")):
        network.predict(data.test.inputs_for(network), verbose=0)
        for use in (
            lambda network=network: other.inputs_for(network),
            lambda network=network: lx.explain(network, other.test),
            lambda network=network: lx.train(network, other, progress=False),
        ):
            with pytest.raises(ValueError, match=r"another one, of 12 words, in which the same id"):
                use()
    # Ids without words, and models that do not know their vocabulary, are taken on trust.
    replace(data, vocabulary=()).inputs_for(model)
