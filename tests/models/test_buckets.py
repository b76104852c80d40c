"""Batches of similar length: every text once, with its own target, and the same predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from marks import slow_but

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.models import LengthBuckets, buckets

pytestmark = pytest.mark.slow

WORDS = 12


def texts(lengths, static=False):
    """Make texts of these lengths whose target is the parity of their first word."""
    rng = np.random.default_rng(5)
    tokens = [rng.integers(2, WORDS, length) for length in lengths]
    return SequenceData.from_tokens(
        tokens,
        [int(ids[0] % 2) for ids in tokens],
        vocabulary=["[PAD]", "[UNK]", *(f"w{i}" for i in range(WORDS - 2))],
        static=rng.normal(size=(len(tokens), 2)) if static else None,
        class_names=["even", "odd"],
        ids=np.arange(len(tokens)),
    )


def many(num=90, seed=1, **options):
    """Make many short texts and some long ones, split."""
    rng = np.random.default_rng(seed)
    lengths = np.where(rng.random(num) < 0.6, rng.integers(1, 30, num), rng.integers(30, 150, num))
    return texts(lengths, **options).split_by_group(0.2, 0.2)


def additive_model(weights):
    """Return a logistic regression on the sum of the words' weights, which masks padding."""
    tokens, mask = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="bool")
    own = keras.layers.Embedding(WORDS, 1, name="weights")(tokens)
    summed = keras.layers.GlobalAveragePooling1D()(own, mask=mask)
    model = keras.Model([tokens, mask], keras.layers.Activation("sigmoid")(summed))
    model.set_weights([np.asarray(weights, np.float32)[:, None]])
    return model


def slope(data, weights, target):
    """Work out the gradient of the mean log loss of `additive_model` by its weights, literally."""
    gradient = np.zeros(WORDS)
    for ids, mask, label in zip(data.tokens, data.mask, target, strict=True):
        shares = np.bincount(ids[mask], minlength=WORDS) / mask.sum()
        gradient += (1 / (1 + np.exp(-shares @ weights)) - label) * shares
    return gradient / len(data)


@pytest.fixture(scope="module")
def model():
    """Return an untrained LSTM with attention, and large weights."""
    network = lx.build_model(
        many(), units=(4,), embedding_size=3, attention_units=3, seed=1, beside=None
    )
    rng = np.random.default_rng(2)
    network.set_weights(
        [
            w if "seed" in v.path else rng.normal(0, 0.8, w.shape)
            for v, w in zip(network.weights, network.get_weights(), strict=True)
        ]
    )
    return network


# -- predictions -----------------------------------------------------------------------------------
def test_predictions_are_those_of_one_padded_batch(model):
    data = many()
    padded = model.predict(data.inputs_for(model), batch_size=len(data), verbose=0)
    found = lx.models.predict_by_length(model, data, batch_size=7)
    np.testing.assert_allclose(found, padded, atol=1e-5)  # float32, sums over other batches
    assert np.abs(found[::-1] - padded).max() > 0.03, "or else any order would do"


def test_static_facts_stay_with_their_text():
    data = many(static=True)
    model = lx.build_model(data, units=(3,), embedding_size=3, attention_units=3, beside=None)
    padded = model.predict(data.inputs_for(model), batch_size=len(data), verbose=0)
    np.testing.assert_allclose(lx.models.predict_by_length(model, data, 7), padded, atol=1e-5)
    other = replace(data, static=data.static[::-1].copy())
    assert np.abs(lx.models.predict_by_length(model, other, 7) - padded).max() > 1e-2


def test_an_embedding_that_masks_needs_no_mask_input():
    data = many()
    tokens = keras.Input((None,), dtype="int32")
    states = keras.layers.Embedding(WORDS, 4, mask_zero=True)(tokens)
    model = keras.Model(tokens, keras.layers.Dense(3)(keras.layers.LSTM(4)(states)))
    assert buckets.may_be_cut(model, data)
    padded = model.predict(data.tokens, batch_size=len(data), verbose=0)
    np.testing.assert_allclose(lx.models.predict_by_length(model, data, 7), padded, atol=1e-5)


def unmasked():
    """Return a model that reads its padding: cutting it off would change the predictions."""
    tokens = keras.Input((None,), dtype="int32")
    states = keras.layers.LSTM(4)(keras.layers.Embedding(WORDS, 4)(tokens))
    return keras.Model(tokens, keras.layers.Dense(1)(states))


def fixed(num_steps):
    """Return a model with a fixed number of steps."""
    tokens = keras.Input((num_steps,), dtype="int32")
    states = keras.layers.LSTM(4)(keras.layers.Embedding(WORDS, 4, mask_zero=True)(tokens))
    return keras.Model(tokens, keras.layers.Dense(1)(states))


def per_step():
    """Return a model with one output per step."""
    tokens = keras.Input((None,), dtype="int32")
    states = keras.layers.Embedding(WORDS, 4, mask_zero=True)(tokens)
    return keras.Model(tokens, keras.layers.LSTM(2, return_sequences=True)(states))


@pytest.mark.parametrize("make", [unmasked, lambda: fixed(many().tokens.shape[1]), per_step])
def test_nothing_is_cut_where_it_could_matter(make):
    data, model = many(), make()
    assert not buckets.may_be_cut(model, data)
    padded = model.predict(data.tokens, verbose=0)
    np.testing.assert_array_equal(lx.models.predict_by_length(model, data, 7).shape, padded.shape)
    np.testing.assert_allclose(lx.models.predict_by_length(model, data, 7), padded, atol=1e-5)


def test_numbers_and_texts_of_one_length_are_left_as_they_are(model):
    assert not buckets.may_be_cut(tiny.model(), tiny.padded())
    assert not buckets.may_be_cut(model, texts([40] * 5))
    numbers = tiny.padded()
    whole = tiny.model().predict(numbers.inputs_for(tiny.model()), verbose=0)
    np.testing.assert_allclose(
        lx.models.predict_by_length(tiny.model(), numbers, 9), whole, atol=1e-6
    )


# -- batches ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [None, 3])
@given(lengths=st.lists(st.integers(1, 100), min_size=2, max_size=60), batch_size=st.integers(1, 9))
def test_every_text_once_per_epoch_and_no_batch_longer_than_needed(
    model, seed, lengths, batch_size
):
    data = texts([*lengths, 100, 3])
    feed = LengthBuckets(model, data, batch_size, seed)
    number = len(feed)
    vary = len({feed[i][0][0].shape[1] for i in range(number)}) > 1
    for _ in range(3):
        rows = np.concatenate(feed.batches)
        np.testing.assert_array_equal(np.sort(rows), np.arange(len(data)))
        assert len(feed) == number
        for i, batch in enumerate(feed.batches):
            (tokens, mask), target = feed[i]
            width, longest = tokens.shape[1], int(data.lengths[batch].max())
            # Rounded up to whole 32; if one batch is as long as all, to that length.
            assert width == (min(-(-longest // 32) * 32, 100) if vary else 100)
            np.testing.assert_array_equal(mask.sum(axis=1), data.lengths[batch])
            for own, row in zip(tokens, batch, strict=True):
                np.testing.assert_array_equal(own, data.tokens[row, :width])
            np.testing.assert_array_equal(target, data.target[batch])
        feed.on_epoch_end()


def test_batches_hold_texts_of_similar_length(model, monkeypatch):
    """Chunks of 3 batches here; without a seed all texts are sorted."""
    monkeypatch.setattr(buckets, "BATCHES_PER_CHUNK", 3)
    data = texts(np.random.default_rng(0).permutation(np.arange(1, 61)))
    feed = LengthBuckets(model, data, 5)
    in_order = sorted(np.sort(data.lengths[rows]).tolist() for rows in feed.batches)
    assert in_order == np.arange(1, 61).reshape(12, 5).tolist()
    feed = LengthBuckets(model, data, 5, seed=0)
    spans = [np.ptp(data.lengths[rows]) for rows in feed.batches]
    random = [
        np.ptp(part) for part in np.random.default_rng(1).permuted(np.arange(60)).reshape(12, 5)
    ]
    assert 4 < np.mean(spans) < 0.75 * np.mean(random)


def test_same_seed_same_batches_and_each_epoch_has_its_own(model):
    data = many()
    one, two, other = (LengthBuckets(model, data, 4, seed) for seed in (7, 7, 8))
    epochs = []
    for _ in range(3):
        for a, b in zip(one.batches, two.batches, strict=True):
            np.testing.assert_array_equal(a, b)
        epochs.append([rows.tolist() for rows in one.batches])
        assert [rows.tolist() for rows in other.batches] not in epochs
        for feed in (one, two, other):
            feed.on_epoch_end()
    assert epochs[0] != epochs[1] != epochs[2]
    sorted_ones = LengthBuckets(model, data, 4)
    before = [rows.tolist() for rows in sorted_ones.batches]
    sorted_ones.on_epoch_end()
    assert [rows.tolist() for rows in sorted_ones.batches] == before


@pytest.mark.parametrize(
    "lengths", slow_but([[5] * 40 + [70], [70] * 9 + [5], [70, 5, 5], [40] * 6 + [33]], [70, 5, 5])
)
def test_batches_of_any_lengths_pass_through_keras(lengths):
    """TensorFlow takes the first two batches as a pattern for all."""
    data, model = texts(lengths), additive_model(np.zeros(WORDS))
    model.compile("sgd", "binary_crossentropy")
    for batch_size in (1, 2, 3):
        feed = LengthBuckets(model, data, batch_size, seed=0)
        model.fit(feed, epochs=3, validation_data=LengthBuckets(model, data, batch_size), verbose=0)


# -- training --------------------------------------------------------------------------------------
def moved(data, feed, start, rate=1e-2):
    """Return the mean step of one epoch of gradient descent, per batch and unit of rate."""
    model = additive_model(start)
    model.compile(keras.optimizers.SGD(rate), "binary_crossentropy")
    model.fit(feed(model), epochs=1, verbose=0)
    return (start - model.get_weights()[0][:, 0]) / (rate * len(data) / 6)


def test_an_epoch_of_gradient_descent_sees_each_target_with_its_own_text():
    """Small steps add up to the gradient over all texts; targets of other texts give another."""
    data = texts(np.random.default_rng(0).integers(1, 90, 60))
    start = np.random.default_rng(1).normal(size=WORDS)
    expected = slope(data, start, data.target)
    found = moved(data, lambda model: LengthBuckets(model, data, 6, seed=2), start)
    # Ten steps of 1e-2 times 0.03 move the weights a little, and so the later gradients.
    np.testing.assert_allclose(found, expected, atol=3e-4)

    def sabotaged(model):
        feed = LengthBuckets(model, data, 6, seed=2)
        feed._data = replace(data, target=np.random.default_rng(3).permutation(data.target))
        return feed

    assert np.abs(moved(data, sabotaged, start) - expected).max() > 1e-2


def test_train_uses_buckets_for_texts_and_repeats_itself(monkeypatch):
    data = many(60)
    seen = []
    original = LengthBuckets.__getitem__

    def watched(self, index):
        batch = original(self, index)
        seen.append((self._random is not None, len(batch), batch[0][0].shape))
        return batch

    monkeypatch.setattr(LengthBuckets, "__getitem__", watched)
    runs = []
    for _ in range(2):
        model = additive_model(np.zeros(WORDS))
        runs.append(lx.train(model, data, epochs=2, batch_size=8, seed=3, progress=False))
    assert {(random, parts) for random, parts, _ in seen} == {(True, 2), (False, 2), (False, 1)}
    assert len({shape[1] for _, _, shape in seen}) > 1
    np.testing.assert_array_equal(runs[0].history, runs[1].history)
    assert runs[0].metrics == runs[1].metrics
    predictions = runs[0].model.predict(data.test.inputs_for(runs[0].model), verbose=0)[:, 0]
    accuracy = np.mean((predictions >= 0.5) == data.test.target)
    assert runs[0].metrics["accuracy"] == pytest.approx(accuracy)


def test_train_does_not_use_buckets_for_numbers(monkeypatch):
    def refuse(self, *arguments, **options):
        raise AssertionError("numbers come as arrays")

    monkeypatch.setattr(LengthBuckets, "__init__", refuse)
    values = keras.Input((6, tiny.NUM_FEATURES))
    outputs = keras.layers.Dense(1, "sigmoid")(keras.layers.Flatten()(values))
    lx.train(keras.Model(values, outputs), tiny.padded(), epochs=1, progress=False)


# -- refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (
            many,
            {"batch_size": 0},
            "batch_size to be a whole number of at least 1; received 0. Try 256",
        ),
        (lambda: texts([4] * 6), {}, "texts of different lengths, and a model .*Train with lx.tr"),
        (lambda: replace(many(), target=None), {}, "texts with a target; received none. Give targ"),
        (
            lambda: replace(many(static=True), static=np.full((90, 2), np.nan)),
            {},
            "static 0",
        ),
    ],
)
def test_what_cannot_be_put_into_buckets_is_refused(model, make, options, message):
    with pytest.raises(ValueError, match=message):
        LengthBuckets(model, make(), **{"batch_size": 4, **options})


def test_a_batch_size_of_zero_is_refused_for_numbers_too():
    with pytest.raises(
        ValueError, match="batch_size to be a whole number of at least 1; received 0"
    ):
        lx.models.predict_by_length(tiny.model(), tiny.padded(), batch_size=0)
