"""What runs beside the LSTM: one option for it, and the old keywords for one more release."""

from functools import lru_cache

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.models import MeasuredSummaries, TrailingMeans, WordRatios


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


def assert_equal_models(one, other):
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
    assert [(w.path, w.trainable) for w in one.weights] == [
        (w.path, w.trainable) for w in other.weights
    ]
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- the paths -------------------------------------------------------------------------------------
@pytest.mark.slow
def test_trailing_means_are_a_least_squares_fit_and_training_starts_there():
    data = tiny.padded("regression")
    model = lx.build_model(data, units=(3,), beside=TrailingMeans(["dose", "noise"], spans=(1, 3)))
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


def test_default_spans_are_day_week_and_month():
    assert TrailingMeans(["dose"]).spans == (1, 5, 22)
    model = lx.build_model(tiny.padded("regression"), beside=TrailingMeans(["dose"]))
    assert model.get_layer("trailing_means").spans == [1, 5, 22]


# -- what does not fit -----------------------------------------------------------------------------
@pytest.mark.parametrize("wrong", [WordRatios, "WordRatios", ["dose"], True, False])
def test_something_else_beside_the_lstm_is_refused(wrong):
    with pytest.raises(TypeError, match=r"Expected beside as .*received .*Leave beside out for"):
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
        (
            TrailingMeans(["dose"]),
            tiny.padded,
            r"for TrailingMeans; received measurements and a binary target\. Leave beside out, or",
        ),
        (TrailingMeans(["dose"]), texts, "for TrailingMeans; received texts and a binary target"),
        (
            MeasuredSummaries(),
            tiny.padded,
            r"for MeasuredSummaries; received a binary target and no indicators\. Call data\.fill",
        ),
        (MeasuredSummaries(), texts, "received a binary target and no indicators"),
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


# -- the old keywords ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("data", "old", "new"),
    [
        (
            lambda: tiny.padded("regression"),
            {"linear_features": ["dose", "pulse"], "linear_spans": (1, 3)},
            TrailingMeans(["dose", "pulse"], spans=(1, 3)),
        ),
        (
            lambda: tiny.padded("regression"),
            {"linear_features": ["dose"]},
            TrailingMeans(["dose"]),
        ),
        (measurements, {"summaries": True}, MeasuredSummaries()),
        (
            measurements,
            {"summaries": True, "summaries_times": "age"},
            MeasuredSummaries(times="age"),
        ),
        (texts, {"naive_bayes": True}, WordRatios()),
        (texts, {"naive_bayes": False, "linear_features": ()}, None),
    ],
)
def test_old_keywords_make_the_same_model_and_show_the_new_form(data, old, new):
    with pytest.warns(FutureWarning) as caught:
        before = lx.build_model(data(), units=(3,), seed=2, **old)
    (warning,) = [one for one in caught if one.category is FutureWarning]
    assert warning.filename == __file__
    shown = "None" if new is None else f"lx.models.{new!r}"
    assert f"use build_model(data, beside={shown})" in str(warning.message)
    assert_equal_models(before, lx.build_model(data(), units=(3,), seed=2, beside=new))


def test_old_and_new_keywords_together_are_refused():
    with pytest.raises(TypeError, match="Expected beside alone; received also naive_bayes"):
        lx.build_model(texts(), beside=WordRatios(), naive_bayes=True)


def test_an_unknown_keyword_is_refused_as_python_does():
    with pytest.raises(TypeError, match="unexpected keyword argument 'linear_feature'"):
        lx.build_model(texts(), linear_feature=["dose"])
