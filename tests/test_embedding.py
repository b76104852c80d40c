"""Models of words: gaps in training only, and an explanation per word that adds up."""

from dataclasses import replace

import numpy as np
import pytest
import reference

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops
from lstm_explain.models.layers import WordDropout
from lstm_explain.models.linear_paths import word_ratios

VOCABULARY = ["[PAD]", "[UNK]", *(f"w{i}" for i in range(10))]


def texts(num=60):
    rng = np.random.default_rng(0)
    tokens = [rng.integers(2, 12, rng.integers(3, 8)) for _ in range(num)]
    target = np.array([int(5 in ids) for ids in tokens])
    return SequenceData.from_tokens(tokens, target, vocabulary=VOCABULARY).split_by_group(0.2, 0.2)


def model_of(data, **options):
    model = lx.build_model(data, units=(5,), embedding_size=4, attention_units=3, **options)
    rng = np.random.default_rng(2)
    weights = [
        w if "seed" in v.path else rng.normal(0, 0.7, w.shape)
        for v, w in zip(model.weights, model.get_weights(), strict=True)
    ]
    model.set_weights(weights)
    return model


def test_words_are_dropped_in_training_only_and_at_the_rate():
    layer = WordDropout(0.3, unknown=1, seed=4)
    tokens = np.full((200, 50), 7)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(tokens)), tokens)
    dropped = ops.convert_to_numpy(layer(tokens, training=True))
    assert set(np.unique(dropped)) == {1, 7}
    np.testing.assert_allclose((dropped == 1).mean(), 0.3, atol=0.02)  # sd 0.0046
    again = ops.convert_to_numpy(WordDropout(0.3, seed=4)(tokens, training=True))
    np.testing.assert_array_equal(again, dropped)


def test_longer_padding_and_longer_texts_are_read():
    data = texts()
    model = model_of(data)
    ids, mask = data.tokens, data.mask
    short = model.predict([ids, mask], verbose=0)
    wide = [np.pad(part, ((0, 0), (0, 4))) for part in (ids, mask)]
    np.testing.assert_allclose(model.predict(wide, verbose=0), short, rtol=1e-5)


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
    model = lx.build_model(data, units=(8,), embedding_size=8)
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


def test_without_an_unknown_word_nothing_is_dropped():
    data = SequenceData.from_tokens([[0, 1, 2], [2, 1, 0]], [0, 1], vocabulary=["a", "b", "c"])
    names = [layer.name for layer in lx.build_model(data, units=(2,)).layers]
    assert "word_dropout" not in names
    assert "embedding" in names


def test_impossible_rates_and_sizes_are_refused():
    with pytest.raises(ValueError, match="Expected a rate from 0 to below 1; received 1"):
        lx.build_model(texts(), word_dropout=1)
    with pytest.raises(ValueError, match="Expected an embedding_size of at least 1; received 0"):
        lx.build_model(texts(), embedding_size=0)
    assert keras.saving.get_registered_object("lstm_explain>WordDropout") is WordDropout


# -- the vocabulary that a model learned ---------------------------------------------------------
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


# -- naive Bayes beside the LSTM -----------------------------------------------------------------
def ratio_literally(data, word):
    """Wang and Manning (2012), equation 2, word by word."""
    shares = []
    for positive in (1, 0):
        counts = {
            other: 1 + sum(other in row for row in data.words[data.target == positive].tolist())
            for other in data.vocabulary
        }
        shares.append(counts[word] / sum(counts.values()))
    return np.log(shares[0] / shares[1])


def labelled_texts():
    data = texts()
    return replace(data, class_names=("down", "up"))


def test_ratios_are_those_of_the_training_texts():
    data = labelled_texts()
    found = word_ratios(data.train)
    assert found[:2].tolist() == [0, 0]
    expected = [ratio_literally(data.train, word) for word in VOCABULARY[2:]]
    np.testing.assert_allclose(found[2:], expected, rtol=1e-12)
    shuffled = replace(data.train, target=data.train.target[::-1])
    assert np.abs(word_ratios(shuffled)[2:] - expected).max() > 0.1


def test_without_the_lstm_the_margin_is_the_weighted_sum_of_the_ratios():
    data = labelled_texts()
    model = lx.build_model(data, units=(3,), embedding_size=4, beside=lx.models.WordRatios())
    head = model.get_layer("head")
    head.set_weights([0 * weight for weight in head.get_weights()])
    weight, bias = (part.item() for part in model.get_layer("linear_path").get_weights())
    assert weight > 0.3  # texts of one half are told apart by the ratios of the other
    ratios = word_ratios(data.train)
    margins = [
        weight * ratios[ids[real]].sum() + bias
        for ids, real in zip(data.tokens, data.mask, strict=True)
    ]
    predicted = model.predict(data.inputs_for(model), verbose=0)[:, 0]
    np.testing.assert_allclose(predicted, 1 / (1 + np.exp(-np.array(margins))), rtol=1e-5)
    # A linear model is explained word by word by its own terms.
    e = lx.explain(model, data.test, progress=False)
    terms = np.where(data.test.mask, weight * ratios[data.test.tokens], 0)
    np.testing.assert_allclose(e.values, terms, atol=1e-5)


def test_the_weight_of_naive_bayes_does_not_depend_on_the_order_of_texts():
    """Labels in turns must not leave one class out of a half."""
    rng = np.random.default_rng(0)
    texts = [
        [str(rng.choice(["fine", "good", "even"] if k % 2 else ["dull", "poor", "even"])), "film"]
        for k in range(200)
    ]
    data = SequenceData.from_texts(texts, np.arange(200) % 2, class_names=("down", "up"))
    model = lx.build_model(data, beside=lx.models.WordRatios())
    weight = model.get_layer("linear_path").get_weights()[0]
    assert weight.item() > 0.5


def test_hidden_words_leave_the_sum_as_large_in_training_as_in_use():
    """Else a model trained on half of the words would be twice too sure of whole texts."""
    data = labelled_texts()
    model = lx.build_model(data, units=(3,), word_dropout=0.5, beside=lx.models.WordRatios())
    margin = keras.Model(model.inputs, model.get_layer("linear_path").output)
    weight, bias = (part.item() for part in model.get_layer("linear_path").get_weights())
    draws = [np.array(margin(data.inputs_for(model), training=True)) - bias for _ in range(400)]
    sums = np.array(margin(data.inputs_for(model))) - bias
    # 400 draws of sums about as large as they vary: a standard error of 0.05 of them.
    np.testing.assert_allclose(np.mean(draws, axis=0), sums, atol=0.2 * np.abs(sums).max())
    assert np.abs(sums).max() > 0.5 * weight


def test_naive_bayes_needs_texts_of_two_classes():
    numbers = SequenceData.from_arrays(np.zeros((4, 2, 1)), ["a", "b", "a", "b"])
    with pytest.raises(ValueError, match="two classes for WordRatios; received measurements"):
        lx.build_model(numbers, beside=lx.models.WordRatios())
    three = replace(labelled_texts(), class_names=("a", "b", "c"))
    with pytest.raises(ValueError, match="received texts and a multiclass target"):
        lx.build_model(three, beside=lx.models.WordRatios())
