"""What runs beside the LSTM: one option for it, and the old keywords for one more release."""

from functools import lru_cache

import numpy as np
import pytest
import tiny
from sklearn.linear_model import LogisticRegression

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.models import MeasuredSummaries, TrailingMeans, WordRatios
from lstm_explain.models.linear_paths import usual_path
from lstm_explain.models.penalised import PENALTIES


@lru_cache
def measurements():
    """Two variables of which half is not measured; age; two classes."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 6, 2))
    values[rng.random(values.shape) < 0.5] = np.nan
    return (
        SequenceData.from_arrays(
            values,
            rng.integers(0, 2, 60),
            static=rng.normal(size=(60, 1)),
            static_names=["age"],
            missing="keep",
        )
        .split_by_group(0.2, 0.2)
        .fill_missing(indicators=True)
        .standardise()
    )


@lru_cache
def texts(num_classes=2):
    rng = np.random.default_rng(0)
    words = np.array(["good", "fine", "dull", "poor", "film", "plot"])
    rows = [words[rng.integers(0, 6, rng.integers(2, 6))].tolist() for _ in range(40)]
    return SequenceData.from_texts(
        rows, np.arange(40) % num_classes, class_names=("a", "b", "c")[:num_classes]
    )


def no_texts_seen(num_classes=2):
    """Token ids without the words that they stand for."""
    ids = np.random.default_rng(0).integers(2, 6, (20, 4))
    return SequenceData.from_tokens(ids, np.arange(20) % num_classes)


# -- the paths -------------------------------------------------------------------------------------
@pytest.mark.slow
def test_trailing_means_are_a_least_squares_fit_and_training_starts_there():
    data = tiny.padded("regression")
    path = TrailingMeans(["dose", "noise"], spans=(1, 3), penalty=0)
    model = lx.build_model(data, units=(3,), beside=path)
    columns = np.array(
        [
            [values[mask][-span:, feature].mean() for span in (1, 3) for feature in (0, 2)] + [1.0]
            for values, mask in zip(data.values.astype(float), data.mask, strict=True)
        ]
    )
    train = data.split == "train"
    solution = np.linalg.lstsq(columns[train], data.target[train], rcond=None)[0]
    predicted = model.predict(data.inputs_for(model), verbose=0)[:, 0]
    np.testing.assert_allclose(predicted, columns @ solution, atol=1e-5)  # float32
    before = model.get_layer("linear_path").get_weights()[0]
    lx.train(model, data, epochs=1, progress=False)
    np.testing.assert_array_equal(model.get_layer("linear_path").get_weights()[0], before)
    assert np.abs(model.get_layer("head").get_weights()[0]).max() > 0


def ridge(columns, target, penalty):
    """Return coefficients that minimise the mean squared error and the penalty, in closed form."""
    centred = columns - columns.mean(axis=0)
    gram = centred.T @ centred / len(target) + penalty * np.eye(columns.shape[1])
    kernel = np.linalg.solve(gram, centred.T @ (target - target.mean()) / len(target))
    return kernel, target.mean() - columns.mean(axis=0) @ kernel


def test_the_usual_path_of_numbers_is_the_ridge_regression_that_validates_best():
    data = tiny.padded("regression")
    model = lx.build_model(data, units=(3,))
    assert model.get_layer("trailing_means").spans == [1, 6]  # a quarter of 6 steps is 1
    columns = np.array(
        [
            [values[mask][-span:, feature].mean() for span in (1, 6) for feature in range(3)]
            for values, mask in zip(data.values.astype(float), data.mask, strict=True)
        ]
    )
    train, validation = (data.split == name for name in ("train", "validation"))
    mean, deviation = data.train.target.mean(), data.train.target.std()
    target = (data.target - mean) / deviation
    forecasts = []
    for penalty in PENALTIES:
        kernel, bias = ridge(columns[train], target[train], penalty)
        forecasts.append(columns @ kernel + bias)
    losses = [((one - target)[validation] ** 2).mean() for one in forecasts]
    assert 0 < np.argmin(losses) < len(losses) - 1  # else the choice is not tested
    predicted = model.predict(data.inputs_for(model), verbose=0)[:, 0]
    expected = forecasts[np.argmin(losses)] * deviation + mean
    np.testing.assert_allclose(predicted, expected, atol=1e-5)  # float32


def test_the_usual_path_of_classes_is_a_logistic_regression():
    data = tiny.padded("multiclass")
    model = lx.build_model(data, units=(3,), beside=TrailingMeans(penalty=0.1))
    means = model.get_layer("trailing_means")
    columns = np.asarray(keras.ops.convert_to_numpy(means(data.values, mask=data.mask)), float)
    train = data.split == "train"
    fit = LogisticRegression(C=1 / (0.1 * train.sum()), tol=1e-8, max_iter=1000)
    fit.fit(columns[train], data.target[train])
    predicted = model.predict(data.inputs_for(model), verbose=0)
    np.testing.assert_allclose(predicted, fit.predict_proba(columns), atol=1e-4)  # float32


def test_the_usual_path_follows_the_data():
    assert usual_path(measurements()) == MeasuredSummaries()
    assert usual_path(tiny.padded("multiclass")) == TrailingMeans()
    assert usual_path(texts()) == WordRatios()
    assert usual_path(texts(3)) is None
    assert usual_path(no_texts_seen()) is None


@pytest.mark.parametrize("target", [[0, 2] * 20, [1] * 40])
def test_classes_that_the_training_part_lacks_are_as_good_as_never(target):
    rng = np.random.default_rng(0)
    data = SequenceData.from_arrays(
        rng.normal(size=(40, 4, 2)), np.array(target), class_names=["a", "b", "c"]
    )
    model = lx.build_model(data, units=(2,))
    predicted = model.predict(data.values, verbose=0)
    assert (predicted[:, [k for k in range(3) if k not in target]] < 1e-3).all()
    assert (predicted[:, sorted(set(target))] > 1e-3).all()


def test_several_labels_have_a_regression_each():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(90, 4, 2))
    labels = np.column_stack([values[:, -1, 0] > 0, values[:, -1, 1] < 0]).astype(int)
    data = SequenceData.from_arrays(values, labels, target_names=["high", "low"])
    model = lx.build_model(data, units=(2,))
    for column, name in enumerate(["high", "low"]):
        alone = lx.build_model(data.for_target(name), units=(2,))
        np.testing.assert_allclose(
            model.predict(values, verbose=0)[:, column],
            alone.predict(values, verbose=0)[:, 0],
            atol=1e-5,  # float32
        )


def test_gaps_are_named_before_a_regression_is_fitted():
    with pytest.raises(ValueError, match=r"fill_missing"):
        lx.build_model(tiny.charts())


# -- what does not fit -----------------------------------------------------------------------------
@pytest.mark.parametrize("wrong", [WordRatios, "WordRatios", ["dose"], True, False])
def test_something_else_beside_the_lstm_is_refused(wrong):
    with pytest.raises(TypeError, match=r"Expected beside as .*received .*Leave it out for"):
        lx.build_model(tiny.padded(), beside=wrong)


@pytest.mark.parametrize("features", [[], ["dose", "sugar"], "dose"])
def test_features_that_the_data_has_not_are_refused(features):
    message = r"among \['dose', 'pulse', 'noise'\] for TrailingMeans; received .*\['dose'\]"
    with pytest.raises(ValueError, match=message):
        lx.build_model(tiny.padded("regression"), beside=TrailingMeans(features))


@pytest.mark.parametrize("spans", [(), (1, 0)])
def test_spans_without_a_step_are_refused(spans):
    with pytest.raises(ValueError, match=r"Expected spans .*received .*Try .*\(1, 5, 22\)"):
        lx.build_model(tiny.padded("regression"), beside=TrailingMeans(["dose"], spans))


@pytest.mark.parametrize(
    ("beside", "data", "message"),
    [
        (TrailingMeans(["dose"]), texts, "for TrailingMeans; received texts and a binary target"),
        (
            MeasuredSummaries(),
            tiny.padded,
            r"for MeasuredSummaries; received measurements and a binary target without\. Call data",
        ),
        (MeasuredSummaries(), texts, "received texts and a binary target without"),
        (
            MeasuredSummaries(times="height"),
            measurements,
            r"static facts \['age'\] for MeasuredSummaries; received 'height'\. Leave times out",
        ),
        (
            WordRatios(),
            measurements,
            r"for WordRatios; received measurements and a binary target\. Make them with Sequence",
        ),
        (WordRatios(), lambda: texts(3), "received texts and a multiclass target"),
        (WordRatios(), no_texts_seen, "received texts without a vocabulary and a binary target"),
    ],
)
def test_a_path_for_other_data_is_refused(beside, data, message):
    with pytest.raises(ValueError, match=message):
        lx.build_model(data(), beside=beside)
