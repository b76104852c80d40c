"""Forecasters of several steps: against literal loops, their attention, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from models.series import HISTORY, HORIZON, series
from networks import randomised

import lstm_explain as lx
from lstm_explain import SequenceData

pytestmark = pytest.mark.slow
DECODERS = ("direct", "attention", "recursive")


def forecaster(decoder, **options):
    options = {"units": (4,), "beside": None, **options}
    return randomised(lx.build_forecaster(series(), decoder=decoder, **options), 0.5)


def test_recursion_equals_a_literal_loop():
    """Each forecast is read as the next load beside the last wind and the next hour's heat."""
    data, model = series(), forecaster("recursive")
    layer = model.get_layer("recursion")
    kernel, recurrent, bias, head, head_bias = (np.asarray(w, float) for w in layer.get_weights())
    size = data.train.values[..., 0].std()
    few = data.test[:3]
    for values, expected in zip(few.values.astype(float), lx.predict(model, few), strict=True):
        hidden, memory = np.zeros((2, 4))
        load, forecasts = values[0, 0], []
        for step in range(HISTORY + HORIZON - 1):
            if step < HISTORY:
                load = values[step, 0]
            wind = values[min(step, HISTORY - 1), 1]
            # The last column holds the heat of three hours later: that of the next hour lies above.
            heat = values[max(step + 1 - HORIZON, 0), 2]
            x = np.array([load, wind, heat]) @ kernel + hidden @ recurrent + bias
            entered, kept, new, shown = np.split(x, 4)
            memory = reference.sigmoid(kept) * memory + reference.sigmoid(entered) * np.tanh(new)
            hidden = reference.sigmoid(shown) * np.tanh(memory)
            if step >= HISTORY - 1:
                load = load + size * (hidden @ head + head_bias)[0]
                forecasts.append(load)
        megawatts = np.array(forecasts) * data.scale[0] + data.center[0]
        target = (megawatts - data.target_center) / data.target_scale
        np.testing.assert_allclose(expected, target, rtol=1e-4, atol=1e-4)  # float32 recurrences


def test_recursion_that_learned_nothing_forecasts_the_last_value():
    data = series()
    predictions = lx.predict(lx.build_forecaster(data, decoder="recursive"), data.test)
    last = data.test.display_values[:, -1, :1]
    shown = predictions * data.target_scale + data.target_center
    np.testing.assert_allclose(shown, np.repeat(last, HORIZON, axis=1), rtol=1e-5)  # float32


def test_decoder_attends_from_each_step_ahead_to_each_observed_step():
    data, model = series(), forecaster("attention")
    weights = lx.attention_maps(model, data.test[:2])["decoder_attention"]
    assert weights.dims == ("sample", "query", "time")
    assert weights.shape == (2, HORIZON, HISTORY)
    np.testing.assert_allclose(weights.sum("time"), 1, rtol=1e-5)  # float32 softmax
    together = lx.explain(model, data.test[:2], background=data.train, output="all", progress=False)
    np.testing.assert_allclose(together.attention, weights, rtol=1e-4, atol=1e-6)
    alone = lx.explain(model, data.test[:2], background=data.train, output="+2 h", progress=False)
    np.testing.assert_allclose(alone.attention, weights[:, 1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("decoder", DECODERS)
def test_values_of_each_step_ahead_add_up_in_the_targets_unit(decoder):
    data, model = series(), forecaster(decoder, quantiles=(0.1, 0.5, 0.9))
    e = lx.explain(
        model, data.test[:2], background=data.train, output=list(data.target_names),
        tolerance=0.01, progress=False,
    )  # fmt: skip
    assert e.output.values.tolist() == [f"{name}, 50 %" for name in data.target_names]
    shown = lx.predict(model, data.test[:2])[:, 1::3] * data.target_scale + data.target_center
    np.testing.assert_allclose(e.predictions, shown, rtol=1e-5)
    # Of the background; that of the samples too, which the tolerance is of, is a little larger.
    spread = lx.predict(model, data.train)[:, 1::3].std(axis=0) * data.target_scale
    assert (abs(e.gaps.values) <= 0.011 * spread).all()
    target = data.test.target[:2] * data.target_scale + data.target_center
    np.testing.assert_allclose(e.target, target, rtol=1e-5)


def test_width_of_an_interval_is_a_contrast_of_two_quantiles():
    data, model = series(), forecaster("direct", quantiles=(0.1, 0.5, 0.9))
    e = lx.explain(
        model, data.test[:3], background=data.train, output="+3 h, 90 %-+3 h, 10 %", progress=False
    )
    predictions = lx.predict(model, data.test[:3])
    width = (predictions[:, 8] - predictions[:, 6]) * data.target_scale
    np.testing.assert_allclose(e.predictions, width, rtol=1e-4)
    assert e.target is None
    by_position = lx.explain(
        model, data.test[:3], background=data.train, progress=False,
        output=lambda outputs: outputs[:, 8] - outputs[:, 6],
    )  # fmt: skip
    scaled = by_position.values * data.target_scale
    np.testing.assert_allclose(e.values, scaled, rtol=0.02, atol=0.02 * float(abs(scaled).max()))


def test_forecast_starts_at_the_linear_autoregression_and_the_spread_of_its_errors():
    data = series()
    model = lx.build_forecaster(data, quantiles=(0.1, 0.5, 0.9))
    columns = data.train.values.reshape(len(data.train), -1)
    part = data.validation
    flat = np.c_[part.values.reshape(len(part), -1), np.ones(len(part))]
    layer = model.get_layer("linear_path")
    kernel, bias = map(np.asarray, layer.get_weights())
    assert kernel.shape == (columns.shape[1], HORIZON)
    expected = flat @ np.vstack([kernel, bias])
    scale, offset = (np.asarray(getattr(model.get_layer("output"), n)) for n in ("scale", "offset"))
    predictions = lx.predict(model, data.validation).reshape(-1, HORIZON, 3)
    np.testing.assert_allclose(
        predictions[..., 1], expected * scale[::3] + offset[::3], rtol=1e-4, atol=1e-4
    )
    errors = data.validation.target - predictions[..., 1]
    gaps = np.diff(np.quantile(errors, (0.1, 0.5, 0.9), axis=0), axis=0)
    np.testing.assert_allclose(np.diff(predictions, axis=-1)[0].T, gaps, rtol=1e-3)


@pytest.mark.parametrize("decoder", DECODERS)
def test_training_reports_coverage_and_the_run_is_read_again(decoder, tmp_path):
    data = series()
    model = lx.build_forecaster(data, decoder=decoder, quantiles=(0.1, 0.5, 0.9), units=(4,))
    run = lx.train(model, data, epochs=1, fit_baseline=False, progress=False)
    lower, _, upper = np.moveaxis(lx.predict(model, data.test).reshape(-1, HORIZON, 3), -1, 0)
    inside = (lower <= data.test.target) & (data.test.target <= upper)
    assert run.metrics["coverage"] == pytest.approx(inside.mean())
    assert 0 <= run.metrics["coverage_on_validation"] <= 1
    assert run.metrics["rmse of +3 h"] > 0
    again = lx.TrainingRun.load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(lx.predict(again.model, data.test), lx.predict(model, data.test))


def test_one_step_ahead_may_have_quantiles_too():
    data = series(1)
    model = lx.build_forecaster(data, quantiles=(0.1, 0.5), units=(3,), beside=None)
    e = lx.explain(model, data.test[:2], background="mean", output="all", progress=False)
    assert e.output.values.tolist() == ["load, 10 %", "load, 50 %"]


def padded():
    rng = np.random.default_rng(0)
    past = [rng.normal(size=(length, 1)) for length in (3, 4, 5)]
    return SequenceData.from_arrays(past, rng.normal(size=(3, 2)), target_names=["+1 h", "+2 h"])


def second():
    return series().for_target("+2 h")


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (series, {"decoder": "seq2seq"}, r"Expected decoder .*'attention'.* received 'seq2seq'"),
        (series, {"quantiles": (0.9, 0.1)}, r"ascending order; received \(0.9, 0.1\)"),
        (series, {"quantiles": (0.1, 1.0)}, r"below 1 in ascending order"),
        (series, {"quantiles": ()}, "Give for example"),
        (series, {"quantiles": 3}, "Expected quantiles .*received int. Give for example"),
        (series, {"decoder": "recursive", "cell": "tcn"}, r"reading forward.*received cell='tcn'"),
        (series, {"decoder": "attention", "cell": "echo state"}, "a state for each step"),
        (padded, {"decoder": "attention", "beside": None}, "one length.*received padded"),
        (padded, {}, "measurements of one length for Autoregression"),
        (second, {"decoder": "attention"}, r"all 3 steps ahead as targets.*received 1\..*direct"),
        (second, {"decoder": "recursive"}, r"all 3 steps ahead as targets.*received 1\..*direct"),
        (lambda: replace(series(), class_names=("a", "b", "c")), {}, "numbers as targets"),
    ],
)
def test_what_cannot_be_built_is_said(data, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        lx.build_forecaster(data(), **options)
