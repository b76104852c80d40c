"""The linear paths of a model, of charts and of words, against loops and scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
from models.texts import VOCABULARY, texts
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from tiny import charts, explained_charts

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.models import layers
from lstm_explain.models.linear_paths import MeasuredSummaries, word_ratios
from lstm_explain.models.penalised import PENALTIES

pytestmark = pytest.mark.slow


def prepared():
    return charts(120).fill_missing(indicators=True).standardise()


def literal_summaries(data, sample, low, high, recent):
    """The columns of one sample in their own units, NaN where one does not exist."""
    length = data.lengths[sample]
    columns = [[] for _ in range(9)]
    for variable in range(2):
        chart = np.arcsinh(data.values[sample, :length, variable].astype(float))
        measured = data.values[sample, :length, variable + 2] > 0.5
        late = measured & (np.arange(length) >= length - recent)
        above = np.maximum(chart - high[variable], 0)
        below = np.maximum(low[variable] - chart, 0)
        columns[0].append(chart[-1] if measured.any() else np.nan)
        for place, steps in ((1, measured), (4, late)):
            for offset, channel in enumerate((chart, above, below)):
                mean = channel[steps].mean() if steps.any() else np.nan
                columns[place + offset].append(mean)
        columns[7].append(float(measured.any()))
        columns[8].append(measured.mean())
    return np.concatenate(columns)


def test_summaries_against_a_loop():
    data = prepared()
    layer = layers.MeasuredSummaries(recent=3, times_static=0)
    layer.adapt(data.train.values, data.train.mask)
    found = keras.ops.convert_to_numpy(layer(data.values, mask=data.mask, static=data.static))
    train = data.train
    charts_ = [
        np.arcsinh(train.values[..., v][(train.values[..., v + 2] > 0.5) & train.mask])
        for v in range(2)
    ]
    low, high = (np.array([np.quantile(c, q) for c in charts_]) for q in (0.2, 0.8))
    raw = np.array([literal_summaries(data, i, low, high, 3) for i in range(len(data))])
    own = raw[data.split == "train"]
    mean, deviation = np.nanmean(own, axis=0), np.nanstd(own, axis=0)
    deviation[deviation <= 1e-3] = 1  # nearly always measured at least once
    expected = np.nan_to_num((raw - mean) / deviation)
    np.testing.assert_allclose(found[:, :18], expected, atol=2e-4)  # float32, small deviations
    np.testing.assert_array_equal(found[:, 18:19], data.static)
    np.testing.assert_allclose(found[:, 19:], expected[:, 2:4] * data.static, atol=1e-3)


@pytest.mark.slow
def test_the_path_is_a_logistic_regression_and_training_starts_there(tmp_path):
    data = prepared()
    model = lx.build_model(data, units=(3,), beside=MeasuredSummaries(times="age"))
    summary = model.get_layer("summaries")
    columns = keras.ops.convert_to_numpy(summary(data.values, mask=data.mask, static=data.static))
    in_train = data.split == "train"
    validation, target = data.split == "validation", data.target[in_train]
    fits = [
        LogisticRegression(C=1 / (penalty * in_train.sum()), tol=1e-8, max_iter=1000).fit(
            columns[in_train], target
        )
        for penalty in PENALTIES
    ]
    losses = [
        log_loss(data.target[validation], fit.predict_proba(columns[validation])) for fit in fits
    ]
    expected = fits[int(np.argmin(losses))].predict_proba(columns)[:, 1]
    found = model.predict(data.inputs_for(model), verbose=0)[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-4)  # float32
    kernel = model.get_layer("linear_path").get_weights()[0]
    lx.train(model, data, epochs=2, progress=False)
    np.testing.assert_array_equal(model.get_layer("linear_path").get_weights()[0], kernel)
    assert np.abs(model.get_layer("head").get_weights()[0]).max() > 0
    model.save(tmp_path / "model.keras")
    again = lx.load_model(tmp_path / "model.keras").predict(data.inputs_for(model), verbose=0)
    # Compiled anew, sums may be taken in another order.
    np.testing.assert_allclose(again, model.predict(data.inputs_for(model), verbose=0), rtol=1e-6)


@pytest.mark.slow
def test_a_variable_that_was_never_measured_gets_its_share():
    """A count turned into "ever" by a comparison would have no slope, and its value be lost."""
    data, _, _ = explained_charts()
    model = lx.build_model(data, units=(3,), beside=MeasuredSummaries())
    e = lx.explain(model, data.test, background=data.train, progress=False)
    spread = float(e.predictions.std())
    assert float(np.abs(e.gaps).max()) <= 0.1 * spread
    never = data.test[0].change("pressure", None)
    both = lx.compare(model, data.test[0], never, background=data.train, progress=False)
    unmeasured = both.unmeasured_values().values[1]
    assert np.abs(unmeasured[data.test.mask[0], 1]).sum() > 1e-3


def test_a_variable_that_is_measured_at_admission_only():
    """No training sample has its recent mean: that summary is 0, not NaN."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 20, 2))
    values[:, 1:, 1] = np.nan
    target = (values[:, :, 0].mean(axis=1) > 0).astype(int)
    data = lx.SequenceData.from_arrays(values, target, missing="keep").split_by_group()
    data = data.fill_missing(indicators=True).standardise()
    model = lx.build_model(data, units=(2,), beside=MeasuredSummaries())
    predicted = model.predict(data.test.inputs_for(model), verbose=0)
    assert np.isfinite(predicted).all()
    assert np.ptp(predicted) > 0.01


def test_padding_adds_nothing_to_summaries():
    data = prepared()
    model = lx.build_model(data, units=(3,), beside=MeasuredSummaries())
    noisy = data.values + 50.0 * ~data.mask[..., None]
    one, other = (
        model.predict([values, data.mask, data.static], verbose=0)
        for values in (data.values, noisy.astype("float32"))
    )
    np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beside": MeasuredSummaries(times="height")}, r"among the static facts \['age'\]"),
    ],
)
def test_impossible_summaries_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lx.build_model(prepared(), **arguments)


def test_summaries_need_indicators():
    with pytest.raises(ValueError, match=r"received measurements and a binary target without\. C"):
        lx.build_model(tiny.padded(), beside=MeasuredSummaries())
    with pytest.raises(ValueError, match="recent to be a whole number of at least 1; received 0"):
        layers.MeasuredSummaries(recent=0)


# -- naive Bayes beside the LSTM -------------------------------------------------------------------
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


@pytest.mark.slow
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
    weight = (
        lx.build_model(data, beside=lx.models.WordRatios())
        .get_layer("linear_path")
        .get_weights()[0]
    )
    assert weight.item() > 0.5


@pytest.mark.slow
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
