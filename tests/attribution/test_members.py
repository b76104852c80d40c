"""Several models explained together: their mean, and what each of them says beside it."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from networks import randomised

import lstm_explain as lx
from lstm_explain.attribution.members import are_stable
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras

layers = keras.layers
RNG = np.random.default_rng(4)
VALUES = RNG.normal(size=(16, 4, 2)).astype("float32")
WEIGHTS = RNG.normal(size=(5, 8)).astype("float32")
OPTIONS = {"background": VALUES[3:], "progress": False, "tolerance": 1e-4}


def linear(weights, outputs=1, activation=None):
    parts = [layers.Flatten(), layers.Dense(outputs, activation=activation)]
    model = keras.Sequential([keras.Input((4, 2)), *parts])
    model.set_weights([np.reshape(weights, (8, outputs)), np.full(outputs, 0.3)])
    return model


def of_task(task, static=True, count=3):
    """Return tiny networks of several seeds, far from linear."""
    data = tiny.padded(task, static)
    built = [lx.build_model(data, units=(4,), seed=s, beside=None) for s in range(count)]
    for seed, model in enumerate(built):
        rng = np.random.default_rng(seed)
        model.set_weights([rng.normal(scale=0.8, size=w.shape) for w in model.get_weights()])
    return built, data


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_linear_models_have_the_mean_and_spread_of_their_weights(activation):
    """A value is the weight times the distance to the background's mean."""
    models = [linear(weights, activation=activation) for weights in WEIGHTS]
    e = lx.explain(models, VALUES[:3], **OPTIONS)
    distance = VALUES[:3] - VALUES[3:].mean(axis=0)
    each = np.stack([weights.reshape(4, 2) * distance for weights in WEIGHTS], axis=-1)
    np.testing.assert_allclose(e.member_values, each, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(e.values, each.mean(axis=-1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(e.spread, each.std(axis=-1, ddof=1), rtol=1e-4, atol=1e-6)
    margins = VALUES[:3].reshape(3, 8) @ WEIGHTS.T + 0.3
    np.testing.assert_allclose(e.member_predictions, margins, rtol=1e-5)
    np.testing.assert_allclose(e.predictions, margins.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(e.gaps, 0, atol=1e-5)
    # Sums of each member, not of spreads.
    for sums, axis in ((e.over_time(), 2), (e.over_features(), 1)):
        known = each.sum(axis=axis).std(axis=-1, ddof=1)
        np.testing.assert_allclose(sums.spread, known, rtol=1e-4, atol=1e-6)
        assert not np.allclose(sums.spread, e.spread.sum(e.spread.dims[axis]), rtol=0.01)
    windows = each.reshape(3, 2, 2, 2, 5).sum(axis=2)
    np.testing.assert_allclose(e.over_windows(2).member_values, windows, rtol=1e-4, atol=1e-6)


def test_stable_values_are_those_of_one_sign_and_twice_their_standard_error():
    models = [linear(weights) for weights in WEIGHTS]
    e = lx.explain(models, VALUES[:3], **OPTIONS)
    for share in (1.0, 0.8):
        stable = e.stable(share).values
        for cell in np.ndindex(stable.shape):
            each, mean = e.member_values.values[cell], float(e.values.values[cell])
            alike = sum(one * mean > 0 for one in each) / 5
            error = np.sqrt(sum((one - each.mean()) ** 2 for one in each) / 4 / 5)
            assert stable[cell] == (alike >= share and abs(mean) >= 2 * error)
    assert e.stable(0.8).values.sum() > e.stable().values.sum() > 0
    assert e.stable().dims == e.values.dims
    # One model of five that says the opposite takes the cell off.
    opposite = e.member_values.values.copy()
    opposite[..., 0] *= -1
    assert not are_stable(e.values.values, opposite).any()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_networks_give_a_mean_that_adds_up_and_padding_of_zero(task, tmp_path):
    models, data = of_task(task)
    e = lx.explain(models, data.test, background=data.train, tolerance=1e-3, progress=False)
    spread = float(e.predictions.std())
    assert float(np.abs(e.gaps).max()) < 5e-3 * spread
    padded = ~e.mask.values
    assert padded.any()
    assert not e.member_values.values[padded].any()
    assert not e.stable().values[padded].any()
    average = lx.models.average(models)
    question_of(average, e)  # raises unless it is the explanation of this model
    names = e.output.values.tolist()
    alone = lx.explain(
        models[2], data.test[0], background=data.train, output=names[0], tolerance=1e-3,
        progress=False,
    )  # fmt: skip
    size = float(np.abs(alone.values).max())
    for own, of in (("values", "member_values"), ("static_values", "member_static_values")):
        np.testing.assert_allclose(
            getattr(e, of).values[0, ..., 2], getattr(alone, own)[0], atol=0.01 * size
        )
    weights = [lx.attention_maps(model, data.test).attention.values for model in models]
    np.testing.assert_allclose(e.attention, np.mean(weights, axis=0), rtol=1e-4, atol=1e-6)
    assert e.attention_contribution is None
    if task != "multiclass":
        np.testing.assert_allclose(e.member_values.mean("member"), e.values, atol=1e-5 * spread)
    again = lx.Explanation.load(e.save(tmp_path / "several.nc"))
    assert again.to_dataset().identical(e.to_dataset())
    halves = lx.Explanation.concat([e[:4], e[4:]])
    np.testing.assert_array_equal(halves.member_values, e.member_values)
    assert "mean of 3 models" in repr(e)
    assert {"value", "spread"} <= set(e.to_frame().columns)


def test_several_outputs_have_members_each():
    weights = RNG.normal(size=(3, 16))
    models = [linear(one, 2) for one in weights]
    e = lx.explain(models, VALUES[:3], output="all", **OPTIONS)
    assert e.member_values.dims == ("sample", "output", "time", "feature", "member")
    alone = lx.explain(models[1], VALUES[:3], output=1, **OPTIONS)
    of_second = e.for_output(1).member_values[..., 1]
    np.testing.assert_allclose(of_second, alone.values, rtol=1e-5, atol=1e-6)


def test_members_explain_the_class_that_the_mean_predicts():
    """Whatever they predict themselves."""
    models = [
        linear(weights, 3, "softmax") for weights in np.random.default_rng(0).normal(size=(4, 24))
    ]
    e = lx.explain(models, VALUES[:3], **OPTIONS)
    means = lx.predict(lx.models.average(models), VALUES[:3])
    assert e.output.values.tolist() == [f"output {best}" for best in means.argmax(axis=1)]
    assert len(set(e.output.values.tolist())) > 1
    own = lx.predict(models[0], VALUES[:3]).argmax(axis=1)
    assert (own != means.argmax(axis=1)).any()
    for sample, name in enumerate(e.output.values):
        for number, model in enumerate(models):
            alone = lx.explain(model, VALUES[[sample]], output=str(name), **OPTIONS)
            np.testing.assert_allclose(
                e.member_values[sample, ..., number], alone.values[0], atol=1e-3
            )


def test_variables_and_texts_keep_their_members():
    e = tiny.explained_charts()[2]
    data = e.to_dataset()
    members = np.stack([e.values.values, 3 * e.values.values], axis=-1)
    both = lx.Explanation(data.assign(member_values=((*e.values.dims, "member"), members)))
    sums = both.over_variables()
    np.testing.assert_allclose(sums.member_values[..., 1], 3 * sums.values, rtol=1e-6)
    texts = tiny.texts()
    models = [randomised(lx.build_model(texts, units=(4,), seed=s, beside=None)) for s in (0, 1)]
    read = lx.explain(models, texts.test[:2], progress=False)
    assert read.member_values.dims == ("sample", "time", "member")
    np.testing.assert_allclose(read.member_values.mean("member"), read.values, atol=1e-5)


def test_one_model_has_no_spread():
    e = lx.explain(linear(WEIGHTS[0]), VALUES[:3], **OPTIONS)
    assert e.spread is e.member_values is e.member_predictions is e.member_static_values is None
    with pytest.raises(ValueError, match=r"Expected an explanation of several models; .*seeds"):
        e.stable()
    with pytest.raises(ValueError, match=r"Expected at least two models to average; received"):
        lx.explain([linear(WEIGHTS[0])], VALUES[:3], **OPTIONS)
    both = lx.explain([linear(each) for each in WEIGHTS[:2]], VALUES[:3], **OPTIONS)
    with pytest.raises(ValueError, match=r"Expected share to be .* above 0.5"):
        both.stable(0.5)
