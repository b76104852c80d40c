"""Numbers that were scaled beforehand: features and explanations are in real units again."""

import numpy as np
import pandas as pd
import pytest
from networks import Subclassed, randomised
from sklearn import decomposition, preprocessing

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.attribution.expected_gradients import integrate
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras
from lstm_explain.inspection.question import prepare

pytestmark = pytest.mark.slow

layers = keras.layers
RNG = np.random.default_rng(0)
PRICES = np.cumsum(RNG.normal(size=(40, 6, 2)), axis=1) * [3.0, 400.0] + [50.0, 20_000.0]
TABLE = pd.DataFrame(PRICES.reshape(-1, 2), columns=["close", "volume"])
SCALERS = {
    "MinMaxScaler": preprocessing.MinMaxScaler((-1, 1)),
    "StandardScaler": preprocessing.StandardScaler(),
    "RobustScaler": preprocessing.RobustScaler(),
    "MaxAbsScaler": preprocessing.MaxAbsScaler(),
}


def scaled_data(scaler, **options):
    scaled = scaler.transform(TABLE).reshape(PRICES.shape)
    target = scaled[:, -1, 0] + 0.01
    return SequenceData.from_arrays(
        scaled.astype("float32"), target, feature_names=["close", "volume"], **options
    )


def forecaster(horizon=1, activation=None, per_step=False):
    inputs = keras.Input((6, 2))
    states = layers.LSTM(4, return_sequences=per_step)(inputs)
    return randomised(
        keras.Model(inputs, layers.Dense(horizon, activation=activation)(states)), 0.7
    )


@pytest.mark.parametrize("scaler", SCALERS.values(), ids=SCALERS)
def test_features_are_shown_as_they_were(scaler):
    data = scaled_data(scaler.fit(TABLE)).scaled_by(features=scaler)
    # The model reads float32 numbers of about 1: seven digits of the feature's spread.
    for feature in (0, 1):
        spread = np.ptp(PRICES[..., feature])
        np.testing.assert_allclose(
            data.display_values[..., feature], PRICES[..., feature], atol=2e-6 * spread
        )


def test_a_normalization_layer_before_the_model_is_a_scaler():
    layer = keras.layers.Normalization()
    layer.adapt(PRICES)
    scaled = np.asarray(layer(PRICES.astype("float32")))
    data = SequenceData.from_arrays(scaled).scaled_by(features=layer)
    np.testing.assert_allclose(data.display_values, PRICES, rtol=1e-4)  # its mean is float32


@pytest.mark.parametrize("model", [forecaster(), Subclassed(1)], ids=["graph", "subclassed"])
@pytest.mark.parametrize("method", [lx.explain, lx.shapley_values])
def test_an_explanation_is_in_the_targets_unit(model, method):
    scaler = SCALERS["MinMaxScaler"].fit(TABLE)
    plain = scaled_data(scaler, target_name="tomorrow")
    model(plain.values[:1])
    data = plain.scaled_by(features=scaler, target=(scaler, "close"))
    scale = 1 / scaler.scale_[0]
    bare, e = (
        method(model, each[:4], background=each[4:24], progress=False) for each in (plain, data)
    )
    np.testing.assert_allclose(e.values, scale * bare.values, rtol=1e-4, atol=1e-5)
    outputs = np.repeat(model.predict(data.values[:4], verbose=0), 2, axis=1)
    expected = scaler.inverse_transform(outputs)[:, 0]
    np.testing.assert_allclose(e.predictions, expected, rtol=1e-5)
    np.testing.assert_allclose(e.target, PRICES[:4, -1, 0] + 0.01 * scale, rtol=1e-5)
    np.testing.assert_allclose(e.gaps, scale * bare.gaps, atol=1e-4 * scale)
    again = question_of(model, e)  # the model as it is: a report takes that
    np.testing.assert_allclose(again.predictions, e.predictions, rtol=1e-5)
    np.testing.assert_allclose(again.row_outputs.mean(axis=1), e.base_values, rtol=1e-5)


def test_sums_contrasts_and_several_outputs_are_in_the_unit_too():
    scaler = preprocessing.StandardScaler().fit(TABLE)
    data = scaled_data(scaler).scaled_by(target=(scaler, 0))
    mean, scale = scaler.mean_[0], scaler.scale_[0]
    options = {"background": data[4:24], "progress": False}
    model = forecaster(3)
    raw = model.predict(data.values[:4], verbose=0)
    e = lx.explain(model, data[:4], output="all", **options)
    np.testing.assert_allclose(e.predictions, raw * scale + mean, rtol=1e-5)
    change = lx.explain(model, data[:4], output="output 2-output 0", **options)
    np.testing.assert_allclose(change.predictions, (raw[:, 2] - raw[:, 0]) * scale, rtol=1e-4)
    per_step = forecaster(per_step=True)
    raw = per_step.predict(data.values[:4], verbose=0)[..., 0]
    total = lx.explain(per_step, data[:4], step="sum", **options)
    np.testing.assert_allclose(total.predictions, (raw * scale + mean).sum(axis=1), rtol=1e-5)


def two_targets(scaler, names=("close", "volume")):
    scaled = scaler.transform(TABLE).reshape(PRICES.shape)
    return SequenceData.from_arrays(scaled.astype("float32"), scaled[:, -1], target_names=names)


@pytest.mark.parametrize("name", ["MinMaxScaler", "StandardScaler"])
@pytest.mark.parametrize("method", [lx.explain, lx.shapley_values])
def test_several_targets_are_each_in_their_own_unit(name, method, tmp_path):
    """By hand: center and scale of each column, on what the model gives for scaled numbers."""
    scaler, model = SCALERS[name].fit(TABLE), forecaster(2)
    plain = two_targets(scaler)
    data = plain.scaled_by(target=scaler)
    low = TABLE.min() if name == "MinMaxScaler" else TABLE.mean()
    scale = np.ptp(TABLE, axis=0) / 2 if name == "MinMaxScaler" else TABLE.std(ddof=0)
    center = low + (scale if name == "MinMaxScaler" else 0)
    center, scale = center.to_numpy(), scale.to_numpy()
    options = {"background": data[4:24], "progress": False}
    bare, e = (
        method(model, each[:4], output="all", **options | {"background": each[4:24]})
        for each in (plain, data)
    )
    e = lx.Explanation.load(e.save(tmp_path / "e.nc"))
    raw = model.predict(plain.values[:4], verbose=0)
    np.testing.assert_allclose(e.predictions, raw * scale + center, rtol=1e-5)
    np.testing.assert_allclose(e.base_values, bare.base_values * scale + center, rtol=1e-5)
    np.testing.assert_allclose(e.target, PRICES[:4, -1], rtol=1e-5)
    for column, target in enumerate(("close", "volume")):
        one = e.for_output(target)
        values = bare.for_output(target).values * scale[column]
        np.testing.assert_allclose(one.values, values, rtol=1e-3, atol=1e-5 * scale[column])
        np.testing.assert_allclose(one.gaps, 0, atol=0.02 * scale[column])
        again = question_of(model, one)
        np.testing.assert_allclose(again.predictions, one.predictions, rtol=1e-5)
        alone = method(model, data[:4], output=target, **options)
        np.testing.assert_allclose(one.values, alone.values, rtol=1e-3, atol=1e-5 * scale[column])
        taken = data.for_target(target)
        assert (taken.target_center, taken.target_scale) == pytest.approx(
            (center[column], scale[column])
        )
    change = lx.explain(model, data[:4], output="volume-close", **options)
    np.testing.assert_allclose(change.predictions, np.diff(raw * scale + center)[:, 0], rtol=1e-5)


def test_columns_of_several_targets_are_named_in_their_order():
    scaler = preprocessing.MinMaxScaler().fit(TABLE)
    low, scale = TABLE.min(), np.ptp(TABLE, axis=0)
    data = two_targets(scaler, ("later volume", "later close"))
    crossed = data.scaled_by(target=(scaler, ["volume", "close"]))
    assert crossed.target_scale == pytest.approx((scale["volume"], scale["close"]))
    assert crossed.target_center == pytest.approx((low["volume"], low["close"]))
    # The same price on two days: one scale, also for a model of another number of outputs.
    days = data.scaled_by(target=(scaler, "close"))
    assert (days.target_center, days.target_scale) == pytest.approx((low["close"], scale["close"]))
    unnamed = preprocessing.MinMaxScaler().fit(TABLE.to_numpy())
    assert data.scaled_by(target=(unnamed, 1)).target_scale == pytest.approx(scale["volume"])
    with pytest.raises(ValueError, match=r"one for each of \['later volume', .*columns\) in the"):
        data.scaled_by(target=(scaler, ["close"]))
    with pytest.raises(ValueError, match=r"scaler of target \['price'\]; received .*'volume'\]"):
        data.scaled_by(target=(scaler, "price"))
    with pytest.raises(ValueError, match=r"an output for each of the targets .*data.for_target"):
        lx.explain(forecaster(3), crossed[:2], background=crossed, output=0, progress=False)


def test_a_small_target_beside_a_large_one_is_as_exact_as_alone():
    """Tolerance is relative to the spread of each output, not to that of all."""
    scaler = preprocessing.StandardScaler().fit(TABLE)
    data = two_targets(scaler).scaled_by(target=scaler)
    rest = (data[4:24], "all", "last", "margin", None, None)
    question = prepare(forecaster(2), data[:4], *rest, several=True)
    integral = integrate(question, tolerance=0.05, progress=False)
    missed = np.abs(question.predictions - question.base_values - integral.values.sum(axis=(1, 2)))
    for column in (0, 1):
        outputs = np.append(question.row_outputs[column::2], question.predictions[column::2])
        expected = missed[column::2] / outputs.std()
        np.testing.assert_allclose(integral.gaps[column::2], expected, rtol=1e-6)
        assert (expected > 0).all()


def test_a_regression_that_ends_in_a_sigmoid_is_in_the_unit():
    """Common where the target lies between 0 and 1: the number is explained, not its logit."""
    scaler = preprocessing.MinMaxScaler().fit(TABLE)
    data = scaled_data(scaler).scaled_by(target=(scaler, "close"))
    model = forecaster(activation="sigmoid")
    e = lx.explain(model, data[:4], background=data[4:24], progress=False)
    assert e.scale == "value"
    real = model.predict(data.values[:4], verbose=0)[:, 0] * np.ptp(TABLE["close"])
    np.testing.assert_allclose(e.predictions, real + TABLE["close"].min(), rtol=1e-5)


def test_what_is_noted_stays_with_the_samples_and_the_file(tmp_path):
    scaler = preprocessing.StandardScaler().fit(TABLE)
    data = scaled_data(scaler, ids=np.arange(40)).scaled_by(scaler, (scaler, "close"))
    few = data[3:7]
    assert (few.target_center, few.target_scale) == (data.target_center, data.target_scale)
    e = lx.explain(forecaster(), few, background=data[10:], progress=False)
    again = lx.Explanation.load(e.save(tmp_path / "e.nc"))
    question = question_of(forecaster(), again)
    assert question.data.target_scale == pytest.approx(scaler.scale_[0])
    standardised = data.split_by_group(seed=0).standardise()
    np.testing.assert_allclose(standardised.display_values, data.display_values, rtol=1e-4)


REFUSED = {
    "bends": (preprocessing.PowerTransformer().fit(TABLE), ValueError, "PowerTransformer does"),
    "mixes": (decomposition.PCA(2).fit(TABLE), ValueError, "each column by itself for features="),
    "unfitted": (preprocessing.MinMaxScaler(), ValueError, "MinMaxScaler was not fitted"),
    "unadapted": (keras.layers.Normalization(), ValueError, "layer that was adapted for features="),
    "numbers": (np.ones(2), TypeError, "Expected a fitted scaler for features=; received ndarray"),
    "one column": (
        preprocessing.MinMaxScaler().fit(TABLE.to_numpy()[:, :1]), ValueError,
        r"Expected a scaler of features \['close', 'volume'\]; received one of 1 columns",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("scaler", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_scaler_of_these_features_is_refused(scaler, error, says):
    data = scaled_data(SCALERS["MinMaxScaler"].fit(TABLE))
    with pytest.raises(error, match=says):
        data.scaled_by(features=scaler)


def test_a_target_needs_its_column_and_numbers():
    scaler = preprocessing.MinMaxScaler().fit(TABLE)
    with pytest.raises(ValueError, match=r"target=\(scaler, column\)"):
        scaled_data(scaler, target_name="tomorrow").scaled_by(target=scaler)
    classes = SequenceData.from_arrays(PRICES.astype("float32"), ["a", "b"] * 20)
    with pytest.raises(ValueError, match=r"these data have classes \['a', 'b'\]"):
        classes.scaled_by(target=scaler)
    with pytest.raises(ValueError, match="these have none"):
        classes.scaled_by(static=scaler)
