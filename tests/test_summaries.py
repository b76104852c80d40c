"""The linear path of a model on charts with gaps, against loops and scikit-learn."""

import numpy as np
import pytest
import tiny
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from test_missingness import charts, explained

import lstm_explain as lx
from lstm_explain.backend import keras
from lstm_explain.datasets.icu.baseline import logistic_forecast
from lstm_explain.datasets.icu.simulation import sample_stays
from lstm_explain.models import layers
from lstm_explain.models.linear_paths import PENALTY, MeasuredSummaries


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


def test_the_path_is_a_logistic_regression_and_training_starts_there(tmp_path):
    data = prepared()
    model = lx.build_model(data, units=(3,), beside=MeasuredSummaries(times="age"))
    summary = model.get_layer("summaries")
    columns = keras.ops.convert_to_numpy(summary(data.values, mask=data.mask, static=data.static))
    in_train = data.split == "train"
    fitted = LogisticRegression(C=PENALTY, max_iter=1000).fit(
        columns[in_train], data.target[in_train]
    )
    expected = fitted.predict_proba(columns)[:, 1]
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


def test_a_variable_that_was_never_measured_gets_its_share():
    """A count turned into "ever" by a comparison would have no slope, and its value be lost."""
    data, _, _ = explained()
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
        ({"summaries_times": "age"}, "with summaries=True; received 'age' and summaries=False"),
    ],
)
def test_impossible_summaries_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lx.build_model(prepared(), **arguments)


def test_summaries_need_indicators_and_two_classes():
    with pytest.raises(ValueError, match=r"received a binary target and no indicators\. Call"):
        lx.build_model(tiny.padded(), beside=MeasuredSummaries())
    with pytest.raises(ValueError, match=r"received a multiclass target and no indicators"):
        lx.build_model(tiny.padded("multiclass"), beside=MeasuredSummaries())
    with pytest.raises(ValueError, match="Expected at least 1 recent step; received 0"):
        layers.MeasuredSummaries(recent=0)


# -- the baseline ----------------------------------------------------------------------------------
def test_the_baseline_ranks_far_better_than_chance_and_reads_no_test_target():
    from dataclasses import replace

    raw = sample_stays(num_stays=1500)
    found = logistic_forecast(raw)
    assert roc_auc_score(raw.test.target, found) > 0.75  # 225 stays: chance has sd 0.05
    other = np.where(raw.split == "test", 1 - raw.target, raw.target)
    np.testing.assert_array_equal(logistic_forecast(replace(raw, target=other)), found)


def test_the_baseline_wants_the_gaps():
    raw = sample_stays(num_stays=100)
    with pytest.raises(ValueError, match=r"and filled values\. Call this before fill_missing"):
        logistic_forecast(raw.fill_missing(indicators=True))
