"""Expected gradients against literal code, closed forms and invariants; and that sabotage shows."""

import networks
import numpy as np
import pytest
import reference
import tiny
from marks import slow_but

import lstm_explain as lx
from lstm_explain import Background, SequenceData
from lstm_explain.attribution.expected_gradients import integrate
from lstm_explain.backend import keras
from lstm_explain.inspection.question import prepare


def literal(task="binary", samples=3, output=0):
    """Values of the first test samples by the reference code, one unpadded sequence at a time."""
    data, model = tiny.padded(task), tiny.model(task)
    margin = reference.attention_lstm(model)
    rows = Background.from_data(data.train).values
    result = np.zeros((samples, *data.values.shape[1:]))
    for i in range(samples):
        x = data.test.values[i][data.test.mask[i]].astype(float)
        background = rows[:, : len(x)].astype(float)
        result[i, : len(x)] = reference.expected_gradients(
            lambda z: margin(z)[output], x, background, num_nodes=24
        )
    return result


@pytest.fixture(scope="module")
def truth():
    return literal()


def test_values_equal_literal_expected_gradients(truth):
    """The midpoint rule with 24 nodes and float32 limit the agreement to about 1e-3."""
    values = tiny.explanation().values.values[:3]
    error = np.linalg.norm(values - truth) / np.linalg.norm(truth)
    assert error < 2e-3, error


@pytest.mark.parametrize(
    "sabotage",
    [
        lambda values: values[:, :, ::-1],
        lambda values: -values,
        lambda values: np.roll(values, 1, axis=1),
        lambda values: values * 1.05,
    ],
    ids=["features swapped", "sign flipped", "one step late", "five percent too large"],
)
def test_the_comparison_notices_sabotage(truth, sabotage):
    values = sabotage(tiny.explanation().values.values[:3])
    assert np.linalg.norm(values - truth) / np.linalg.norm(truth) > 0.04


def linear_model(weights):
    inputs = keras.Input(weights.shape)
    flat = keras.layers.Flatten()(inputs)
    dense = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, dense(flat))
    dense.set_weights([weights.reshape(-1, 1)])
    return model


def test_linear_model_has_the_closed_form():
    """For w . x the values are w (x - mean of the background), whatever the quadrature."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(5, 2)).astype("float32")
    x, rows = (rng.normal(size=(n, 5, 2)).astype("float32") for n in (4, 7))
    e = lx.explain(linear_model(weights), x, background=rows, progress=False)
    np.testing.assert_allclose(e.values, weights * (x - rows.mean(axis=0)), atol=1e-5)  # float32
    np.testing.assert_allclose(e.base_values, (weights * rows.mean(axis=0)).sum(), rtol=1e-5)


def test_a_cell_that_the_model_does_not_read_gets_nothing():
    weights = np.ones((4, 3), "float32")
    weights[2, 1] = 0
    rng = np.random.default_rng(1)
    x, rows = (rng.normal(size=(n, 4, 3)).astype("float32") for n in (2, 5))
    values = lx.explain(linear_model(weights), x, background=rows, progress=False).values
    np.testing.assert_array_equal(values[:, 2, 1], 0)
    assert (np.abs(values).sum("sample") > 0).sum() == 11


def test_a_single_row_gives_integrated_gradients():
    """f = (sum of x)^2 from 0 to x: integrated gradients are x_i times the sum (by hand)."""
    inputs = keras.Input((2, 2))
    total = keras.ops.sum(inputs, axis=(1, 2), keepdims=False)
    model = keras.Model(inputs, keras.ops.reshape(total**2, (-1, 1)))
    x = np.array([[[1.0, 2.0], [-0.5, 3.0]]], "float32")
    e = lx.explain(model, x, background="zero", progress=False)
    np.testing.assert_allclose(e.values[0], x[0] * x.sum(), rtol=1e-5)  # exact rule, float32


@pytest.mark.parametrize("task", slow_but(["regression", "binary", "multiclass"], "binary"))
@pytest.mark.parametrize("static", slow_but([False, True], True))
def test_values_add_up_to_the_prediction(task, static):
    e = tiny.explanation(task, static)
    total = e.values.sum(["time", "feature"]) + e.base_values + e.gaps
    if static:
        total = total + e.static_values.sum("static_feature")
    np.testing.assert_allclose(total, e.predictions, rtol=1e-12)  # the definition of gaps
    spread = float((e.predictions - e.base_values).std())
    assert float(np.abs(e.gaps).max()) < 1e-3 * spread


def test_margin_is_the_log_odds_of_what_the_model_outputs():
    for task in ("binary", "multiclass"):
        data, model, e = tiny.padded(task), tiny.model(task), tiny.explanation(task)
        output = model.predict(data.test[:5].inputs_for(model), verbose=0)
        probability = output[:, 0] if task == "binary" else output.max(axis=1)
        # float32 probabilities near 1 limit what their log-odds can show.
        np.testing.assert_allclose(
            e.predictions, np.log(probability / (1 - probability)), rtol=1e-3, atol=1e-4
        )


def test_default_output_is_the_predicted_class():
    data, model, e = (
        tiny.padded("multiclass"),
        tiny.model("multiclass"),
        tiny.explanation("multiclass"),
    )
    predicted = model.predict(data.test[:5].inputs_for(model), verbose=0).argmax(axis=1)
    assert list(e.output.values) == [data.class_names[k] for k in predicted]


def explained(task, **options):
    data = tiny.padded(task)
    return lx.explain(
        tiny.model(task), data.test[:4], background=data.train, progress=False, tolerance=1e-3,
        **options,
    )  # fmt: skip


@pytest.mark.slow
def test_the_first_class_of_a_sigmoid_is_the_second_with_its_sign_turned():
    up, down = explained("binary", output="up"), explained("binary", output="down")
    np.testing.assert_allclose(down.values, -up.values, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(down.base_values, -up.base_values, rtol=1e-6)


@pytest.mark.slow
def test_a_contrast_is_the_difference_of_two_logits():
    contrast = explained("multiclass", output="high-low")
    turned = explained("multiclass", output="low-high")
    np.testing.assert_allclose(turned.values, -contrast.values, atol=1e-6)  # float32
    data, model = tiny.padded("multiclass"), tiny.model("multiclass")
    p = model.predict(data.test[:4].inputs_for(model), verbose=0)
    np.testing.assert_allclose(contrast.predictions, np.log(p[:, 2] / p[:, 0]), rtol=1e-3)
    assert set(contrast.output.values) == {"high-low"}


@pytest.mark.parametrize("task", slow_but(["binary", "multiclass"], "binary"))
def test_probability_scale_explains_the_probability(task):
    e = explained(task, scale="probability", output=1)
    data, model = tiny.padded(task), tiny.model(task)
    p = model.predict(data.test[:4].inputs_for(model), verbose=0)
    np.testing.assert_allclose(e.predictions, p[:, 0] if task == "binary" else p[:, 1], rtol=1e-5)
    assert e.scale == "probability"


def test_padding_gets_exactly_nothing_and_more_of_it_changes_nothing():
    data, model, e = tiny.padded(), tiny.model(), tiny.explanation()
    padded = ~data.test[:5].mask
    assert padded.any()
    np.testing.assert_array_equal(e.values.values[padded], 0)
    np.testing.assert_array_equal(e.attention.values[padded], 0)
    sequences = [v[m] for v, m in zip(data.test.values, data.test.mask, strict=True)][:5]
    longer = SequenceData.from_arrays([*sequences, np.zeros((9, 3))])[:5]
    free = lx.build_model(longer_like(data), units=(4,), attention_units=3, beside=None)
    free.set_weights(model.get_weights())
    again = lx.explain(free, longer, background=data.train, tolerance=1e-4, progress=False)
    np.testing.assert_allclose(again.values[:, :6], e.values, atol=1e-5)
    np.testing.assert_allclose(again.base_values, e.base_values, rtol=1e-5)


def longer_like(data):
    """The same kind of data with room for 9 steps, so that the network takes 9."""
    return SequenceData.from_arrays(
        [np.zeros((9, 3)), np.ones((4, 3))], ["down", "up"], name=data.name
    )


@pytest.mark.slow
def test_same_call_same_numbers():
    one, two = explained("binary"), explained("binary")
    np.testing.assert_array_equal(one.values, two.values)


@pytest.mark.slow
def test_batches_and_blocks_do_not_matter():
    """Samples alone, in tiny batches or all at once: the same values up to float32 sums."""
    data, model = tiny.padded(), tiny.model()
    options = {"background": data.train, "progress": False, "tolerance": 1e-3}
    whole = lx.explain(model, data, **options)
    assert len(data) > 32  # more than one block
    alone = lx.explain(model, data[40], batch_size=7, **options)
    np.testing.assert_allclose(alone.values[0], whole.values[40], atol=1e-5)


@pytest.mark.slow
def test_explanation_follows_further_training():
    data = tiny.padded()
    model = lx.build_model(data, units=(4,), beside=None)
    before = lx.explain(model, data.test[:3], background=data.train, progress=False)
    model.set_weights([w + 0.3 for w in model.get_weights()])
    after = lx.explain(model, data.test[:3], background=data.train, progress=False)
    copy = lx.build_model(data, units=(4,), beside=None)
    copy.set_weights(model.get_weights())
    fresh = lx.explain(copy, data.test[:3], background=data.train, progress=False)
    np.testing.assert_allclose(after.values, fresh.values, atol=1e-6)
    assert np.abs(after.values - before.values).max() > 1e-2
    assert before.provenance["weights_sha256"] != after.provenance["weights_sha256"]


def test_attention_weights_and_contributions_equal_literal_code():
    data, model, e = tiny.padded(), tiny.model(), tiny.explanation()
    lstm, pooling, (kernel, _) = (
        model.get_layer(name).get_weights() for name in ("lstm_1", "attention", "head")
    )
    for i in range(5):
        x = data.test.values[i][data.test.mask[i]].astype(float)
        states = reference.lstm(x, *lstm)
        weights, _ = reference.attention(states, *pooling)
        np.testing.assert_allclose(e.attention[i, : len(x)], weights, rtol=1e-4)
        np.testing.assert_allclose(
            e.attention_contribution[i, : len(x)], weights * (states @ kernel)[:, 0],
            rtol=1e-3, atol=1e-5,
        )  # fmt: skip


def test_contributions_split_the_margin_exactly():
    """With a linear head they sum to margin minus bias."""
    e, bias = tiny.explanation(), tiny.model().get_layer("head").get_weights()[1]
    total = e.attention_contribution.sum("time") + bias[0]
    np.testing.assert_allclose(total, e.predictions, rtol=1e-4, atol=1e-5)  # float32


@pytest.mark.slow
def test_an_unreachable_tolerance_warns_with_what_was_reached():
    with pytest.warns(
        lx.attribution.ToleranceWarning,
        match=r"Expected values within tolerance=1e-12; with \d{2,}",
    ):
        explained_to(1e-12)


def explained_to(tolerance):
    data = tiny.padded()
    return lx.explain(
        tiny.model(), data.test[:1], background=data.train[:2], tolerance=tolerance, progress=False
    )


def test_provenance_says_what_was_done():
    facts = tiny.explanation().provenance
    assert facts["method"] == "expected gradients"
    assert facts["background"] == "36 train sequences"
    assert facts["background_rows"] == 36
    assert facts["versions"]["keras"] == keras.__version__


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"background": None}, "Pass background=data.train"),
        ({"background": "nothing"}, "received 'nothing'. Pass background=data.train"),
        ({"background": "mean"}, '"mean" for standardised data; received'),
        ({"background": np.zeros((3, 6, 2))}, "Expected a background with 3 features"),
        ({"background": np.zeros((0, 6, 3))}, "Expected background rows of shape"),
        ({"background": np.full((1, 6, 3), np.nan)}, "Expected finite background values"),
        (
            {"output": "sideways"},
            "Expected output to be one of .*'down', 'up'.* received 'sideways'",
        ),
        ({"output": 2}, "a position from 0 to 1; received 2"),
        ({"output": "up-sideways"}, "received 'up-sideways'"),
        ({"scale": "odds"}, "Expected scale to be one of .* received .odds."),
        ({"tolerance": 0}, "tolerance to be a finite number above 0; received 0"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    data = tiny.padded()
    with pytest.raises(ValueError, match=message):
        lx.explain(
            tiny.model(), data.test[:2], **({"background": data.train, "progress": False} | options)
        )


def test_other_refusals():
    data, model = tiny.padded(), tiny.model()
    with pytest.raises(ValueError, match=r"at least one background sequence .*; received none"):
        lx.explain(model, data.test, background=data.train[:0])
    with pytest.raises(ValueError, match="Expected at least one sample in data; received none"):
        lx.explain(model, data.test[:0], background=data.train)
    with pytest.raises(TypeError, match="Expected background to be SequenceData"):
        lx.explain(model, data.test, background=3)
    with pytest.raises(TypeError, match="Expected a Keras model; received str"):
        lx.explain("model", data.test, background=data.train)
    with pytest.raises(
        ValueError, match="Expected a model that gives probabilities to explain one"
    ):
        lx.explain(
            tiny.model("regression"), tiny.padded("regression").test, background=data.train,
            scale="probability",
        )  # fmt: skip
    other = SequenceData.from_arrays(np.zeros((3, 6, 2)))
    with pytest.raises(
        ValueError, match="Expected 3 features for the model input 'values'; received 2"
    ):
        lx.explain(model, other, background="zero")


def test_models_that_cannot_be_explained_are_refused():
    x = np.zeros((2, 4, 3), "float32")
    flat = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(
        ValueError, match=r"Expected model inputs of shape \(sample, time, feature\)"
    ):
        lx.explain(flat, x, background="zero")
    stateful = keras.Sequential(
        [keras.Input(batch_shape=(2, 4, 3)), keras.layers.LSTM(2, stateful=True)]
    )
    with pytest.raises(
        ValueError, match=r"received stateful layers .* Explain lx\.models\.stateless"
    ):
        lx.explain(stateful, x, background="zero")
    steps = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(2, return_sequences=True)])
    with pytest.raises(ValueError, match="Expected output= to say which of 2 values to explain"):
        lx.explain(steps, x, background="zero")
    two = keras.Model(steps.inputs, [steps.outputs[0], steps.outputs[0]])
    with pytest.raises(ValueError, match=r"Expected one output of .* Name one of them: output="):
        lx.explain(two, x, background="zero")


@pytest.mark.slow
def test_the_estimated_error_is_about_the_true_one():
    """At the default tolerance: the estimate bounds the true error within a factor of two."""
    data, model = tiny.padded(), tiny.model()
    options = {"background": data.train, "progress": False}
    exact = lx.explain(model, data.test, tolerance=1e-6, **options).values.values
    for tolerance in (0.3, 0.2, 0.05, 0.01):  # 1, 2, 4 nodes at first
        e = lx.explain(model, data.test, tolerance=tolerance, **options)
        error = np.linalg.norm((e.values.values - exact).reshape(len(e), -1), axis=1)
        error /= np.linalg.norm(exact.reshape(len(e), -1), axis=1)
        assert error.max() < 2 * tolerance, (tolerance, error)
        assert e.provenance["estimated_error"] <= tolerance
        gaps = np.abs(e.gaps) / np.concatenate([e.predictions, e.base_values]).std()
        assert float(gaps.max()) < 10 * tolerance


# Drawn at random; by an estimate from one contrast along the paths, some samples were silently 5 to
# 13 % wrong.
STEEP = [
    ("Bidirectional", (4, 8, 3), 8, 2.0, 1267070680),
    ("LSTM", (4, 3, 2), 8, 4.0, 865933225),
    ("attention", (4, 12, 3), 8, 2.0, 23916645),
]


@pytest.mark.parametrize("case", STEEP, ids=[case[0] for case in STEEP])
def test_no_sample_of_a_steep_model_is_silently_beyond_the_tolerance(case):
    model, x, rows = networks.drawn(*case)
    question = prepare(model, x, rows, None, "last", "margin", None, None)
    integral = integrate(question, tolerance=0.05, progress=False)
    for sample, values in enumerate(integral.values):
        truth = networks.composite_integral(question, sample, panels=64)
        error = np.linalg.norm(values - truth) / np.linalg.norm(truth)
        assert error < integral.errors[sample], sample
        assert error < 0.05 or max(integral.errors.max(), integral.gaps.max()) > 0.05, sample


def explained_as(output, rows):
    """Explain one sample of a model of the sum of its cells, and return the warning."""
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, output(keras.ops.sum(inputs, axis=(1, 2)))[:, None])
    x, background = np.ones((1, 3, 2), "float32"), np.zeros((rows, 3, 2), "float32")
    background[:, 0, 0] = np.linspace(-1, 0, rows)
    with pytest.warns(lx.attribution.ToleranceWarning) as caught:
        lx.explain(model, x, background=background, progress=False)
    kind = lx.attribution.ToleranceWarning
    return next(str(one.message) for one in caught if one.category is kind)


@pytest.mark.parametrize("rows", [1, 9])
def test_the_warning_tells_a_jump_from_a_steep_output(rows):
    jump = explained_as(lambda total: total + 9 * keras.ops.round(total / 4), rows)
    assert "the output jumps where its gradient shows nothing (rounding, argmax" in jump
    assert jump.endswith("lx.shapley_values(...) needs no gradients.")


def test_the_warning_says_that_an_output_is_steep():
    """Gates a five-hundredth of the path wide, between 9 rows and the sample."""
    steep = explained_as(lambda total: total + 9 * keras.ops.sigmoid(200 * (total - 2.3)), 9)
    assert "More nodes still moved the values" in steep
