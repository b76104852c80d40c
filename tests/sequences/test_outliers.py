"""Outliers are cut at quantiles of the training part, and shown as they came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny
from sequences.tables import split_with_gaps

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.attribution.records import data_of, question_of

PAIR = (0.05, 0.9)


def wild():
    """Return sequences of 3 to 6 steps with a few numbers that are far too large."""
    data = tiny.padded("binary")
    values = np.array(data.values)
    values[::7, 1, 0] = 400
    values[::9, 2, 1] = -90
    return replace(data, values=values)


def test_values_are_cut_at_the_quantiles_of_training_steps(capsys):
    data = wild()
    cut = data.clip_outliers(PAIR)
    told = capsys.readouterr().out
    counts = []
    for feature in range(3):
        train = sorted(
            float(data.values[sample, step, feature])
            for sample in range(len(data))
            for step in range(data.lengths[sample])
            if data.split[sample] == "train"
        )
        low = train[int(np.floor(0.05 * (len(train) - 1)))]
        high = train[int(np.ceil(0.9 * (len(train) - 1)))]
        assert cut.limits[:, feature].tolist() == [low, high]
        counts.append(0)
        for sample in range(len(data)):
            for step in range(data.values.shape[1]):
                before, after = (each.values[sample, step, feature] for each in (data, cut))
                real = step < data.lengths[sample]
                assert after == (min(max(before, low), high) if real else 0)
                counts[-1] += after != before
    total = int(data.mask.sum()) * 3
    assert told.startswith(f"Cut {sum(counts)} of {total} values: dose {counts[0]} beyond ")
    assert f"pulse {counts[1]} beyond " in told
    np.testing.assert_array_equal(cut.recorded, data.display_values)
    assert np.nanmax(cut.display_values) < 400
    whole = data.clip_outliers((0, 1))
    np.testing.assert_array_equal(whole.train.values, data.train.values)


def test_only_training_samples_set_the_limits():
    data = wild()
    values = np.where((data.split == "test")[:, None, None], 77.0, data.values)
    moved = replace(data, values=values.astype("float32"))
    one, two = data.clip_outliers(PAIR), moved.clip_outliers(PAIR)
    np.testing.assert_array_equal(one.limits, two.limits)


def test_flags_and_times_are_not_cut():
    """Of a variable with gaps the quantiles are over what was measured."""
    data = split_with_gaps().fill_missing(indicators=True).standardise()
    cut = data.clip_outliers((0.2, 0.8))
    kinds = np.array(data.parts)
    assert np.isfinite(cut.limits).all(axis=0).tolist() == (kinds == "value").tolist()
    train, count = data.train, len(set(data.variables))
    for feature in range(count):
        flag = train.display_values[..., count + feature] > 0.5
        measured = train.display_values[..., feature][flag & train.mask]
        limits = [np.quantile(measured, 0.2, method="lower"),
                  np.quantile(measured, 0.8, method="higher")]  # fmt: skip
        np.testing.assert_allclose(cut.limits[:, feature], limits, rtol=1e-5)
    one_hot = replace(wild(), one_hot=("noise",)).clip_outliers(PAIR)
    assert np.isfinite(one_hot.limits).all(axis=0).tolist() == [True, True, False]


@pytest.mark.slow
def test_explanations_show_what_came_and_explain_what_is_read(tmp_path):
    data = wild().clip_outliers(PAIR).standardise(robust=True)
    model = lx.build_model(data, units=(3,), beside=None)
    lx.train(model, data, epochs=1, progress=False, fit_baseline=False)
    some = data[:4]
    e = lx.explain(model, some, background=data.train, progress=False)
    assert float(e.data[0, 1, 0]) == 400
    plain = lx.explain(model, replace(some, limits=None, recorded=None, scale_known=False),
                       background=data.train, progress=False)  # fmt: skip
    np.testing.assert_array_equal(e.values, plain.values)
    again = lx.Explanation.load(e.save(tmp_path / "cut.nc"))
    question_of(model, again)  # raises unless the same predictions come out
    np.testing.assert_allclose(data_of(again).values, some.values, atol=1e-5)
    # New values are cut alike, and shown as they are.
    changed = some[0].change("dose", 1000.0, steps=0)
    top = (data.limits[1, 0] - data.center[0]) / data.scale[0]
    np.testing.assert_allclose(changed.values[0, 0, 0], top, rtol=1e-6)
    assert changed.recorded[0, :2, 0].tolist() == [1000, 400]
    np.testing.assert_array_equal(changed.values[0, 1:], some.values[0, 1:])
    other = wild().clip_outliers((0.1, 0.8)).standardise(robust=True)
    other = replace(other, center=data.center, scale=data.scale)
    for wrong in (other, replace(data, limits=None)):
        with pytest.raises(ValueError, match=r"Expected data whose outliers are cut as those"):
            lx.predict(model, wrong)


def test_what_cannot_be_cut_is_refused():
    data = wild()
    cut = data.clip_outliers(PAIR)
    for wrong, message in (
        (cut, "received data that are cut already"),
        (tiny.texts(), "received texts"),
        (replace(data, split=None), "Expected split data"),
        (split_with_gaps(), "Expected finite values"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong.clip_outliers()
    with pytest.raises(ValueError, match=r"not cut yet.*Fill first: data.fill_missing"):
        cut.fill_missing()
    with pytest.raises(ValueError, match=r"not cut yet.*Call scaled_by first"):
        cut.scaled_by(features=object())
    with pytest.raises(ValueError, match=r"Expected two quantiles; received 0.9"):
        data.clip_outliers(0.9)


# -- median and quartiles --------------------------------------------------------------------------
def test_robust_standardising_takes_median_and_quartiles(rng):
    values = rng.normal(50, 8, size=(400, 10, 1))
    static = rng.normal(3, 2, size=(400, 1))
    usual, far = values.copy(), values.copy()
    far[:40, :, 0] = 1e5
    data = [
        SequenceData.from_arrays(each, static=static).split_by_group(0.2, 0.2)
        for each in (usual, far)
    ]
    train = sorted(data[1].train.values[..., 0].ravel().astype(float).tolist())

    def quantile(share):
        place = share * (len(train) - 1)
        below = int(place)
        return train[below] + (place - below) * (
            train[min(below + 1, len(train) - 1)] - train[below]
        )

    made = data[1].standardise(robust=True)
    np.testing.assert_allclose(made.center, quantile(0.5), rtol=1e-6)
    np.testing.assert_allclose(made.scale, (quantile(0.75) - quantile(0.25)) / 1.34898, rtol=1e-4)
    np.testing.assert_allclose(made.display_values, data[1].display_values, rtol=1e-5)
    # Of normal numbers it is the deviation; outliers hardly move it.
    assert data[0].standardise(robust=True).scale[0] == pytest.approx(8, rel=0.05)
    assert made.scale[0] == pytest.approx(8, rel=0.25)
    assert data[1].standardise().scale[0] > 1000
    np.testing.assert_allclose(made.static_center, np.median(data[1].train.static), rtol=1e-6)


def test_robust_standardising_of_what_has_no_quartiles(rng):
    """Mostly 0: the deviation; constant: 1; a category stays 0 and 1."""
    values = np.zeros((40, 5, 3))
    values[:, 0, 0] = rng.normal(5, 1, size=40)
    values[..., 1] = 7
    values[..., 2] = rng.random((40, 5)) < 0.5
    data = SequenceData.from_arrays(values, feature_names=["a", "b", "c"]).split_by_group(0.2, 0.2)
    made = replace(data, one_hot=("c",)).standardise(robust=True)
    np.testing.assert_allclose(made.scale, [data.train.values[..., 0].std(), 1, 1], rtol=1e-6)
    assert made.center.tolist() == [0, 7, 0]
