"""Drivers of groups, causes that are known, and the same sample asked twice."""

import numpy as np
import pytest
import tiny
from tiny import charts, explained_charts

import lstm_explain as lx
from lstm_explain.backend import keras


def test_shares_of_groups_against_a_loop():
    _, _, e = explained_charts()
    grouped = e.over_variables()
    groups = {"first": np.arange(len(e)) < 4, "rest": np.arange(len(e)) >= 4}
    table = lx.attribution.drivers_by_group(grouped, groups, draws=30)
    summed = np.concatenate(
        [grouped.values.sum("time").values, e.static_values.values], axis=1
    )  # lactate, pressure, age
    for name, members in groups.items():
        sizes = np.abs(summed[members]).mean(axis=0)
        np.testing.assert_allclose(table.loc[name, "share"], sizes / sizes.sum())
        assert table.loc[name].index.tolist() == ["lactate", "pressure", "age"]
    assert (table["low"] <= table["share"] + 1e-12).all()
    assert (table["share"] <= table["high"] + 1e-12).all()
    # With Student's t of two samples the ends lie far out: at the ends of what a share can be.
    two = lx.attribution.drivers_by_group(grouped, {"two": np.arange(len(e)) < 2}, draws=30)
    assert (two["low"].min(), two["high"].max()) == (0, 1)
    one = lx.attribution.drivers_by_group(grouped, {"one": np.arange(len(e)) == 2}, draws=5)
    np.testing.assert_allclose(one["low"], one["high"])  # one sample: nothing to draw from


def test_copies_of_a_sample_under_one_id_tell_no_more():
    """Drawn together: the same interval, where they were taken for as many samples."""
    e = explained_charts()[2].over_variables()

    def shares(rows):
        dataset = e[rows].to_dataset().assign(ids=("sample", rows.astype(str)))
        every = {"all": np.ones(len(rows), bool)}
        return lx.attribution.drivers_by_group(lx.Explanation(dataset), every, draws=30)

    alone = shares(np.arange(len(e)))
    np.testing.assert_allclose(shares(np.repeat(np.arange(len(e)), 4)), alone)
    assert shares(np.zeros(5, int))[["low", "high"]].isna().all(axis=None)


def test_causes_are_found_by_size_and_not_by_chance(rng):
    truth = rng.random((30, 8, 5)) < 0.1
    mask = np.ones((30, 8), bool)
    mask[:, 6:] = False
    values = np.where(truth, -1.0, 0.1) + rng.normal(0, 0.01, truth.shape)
    found = lx.faithfulness.score_cells(values, truth, mask)
    assert found["auroc"] == 1
    np.testing.assert_allclose(found["prevalence"], truth[:, :6].mean())
    shuffled = rng.permutation(values.ravel()).reshape(values.shape)
    chance = lx.faithfulness.score_cells(shuffled, truth, mask)
    np.testing.assert_allclose(chance["auroc"], 0.5, atol=0.1)  # 90 causes: sd 0.03
    # What stands in the padding does not count.
    values[:, 6:] = 1e6
    assert lx.faithfulness.score_cells(values, truth, mask) == found


def test_one_value_per_step_finds_steps_not_features():
    truth = np.zeros((1, 4, 2), bool)
    truth[0, 1, 0] = True
    found = lx.faithfulness.score_cells(
        np.array([[0.1, 0.7, 0.1, 0.1]]), truth, np.ones((1, 4), bool)
    )
    assert found["auprc"] == 0.5  # of two features at the step found, one is the cause


def test_what_cannot_be_scored():
    truth = np.zeros((2, 3, 2), bool)
    with pytest.raises(ValueError, match=r"Expected values, truth and mask .*over_variables"):
        lx.faithfulness.score_cells(np.zeros((2, 3, 6)), truth, np.ones((2, 3), bool))
    with pytest.raises(ValueError, match="Expected cells that are causes and cells that are not"):
        lx.faithfulness.score_cells(np.zeros((2, 3, 2)), truth, np.ones((2, 3), bool))
    _, _, e = explained_charts()
    with pytest.raises(ValueError, match="Expected values per feature; received values per time"):
        lx.attribution.drivers_by_group(e.over_time(), {"all": np.ones(len(e), bool)})
    with pytest.raises(ValueError, match="Expected a bool array of 8 samples for the group"):
        lx.attribution.drivers_by_group(e, {"all": np.ones(3, bool)})


# -- the same sample asked twice -------------------------------------------------------------------
def test_compare_is_both_explanations():
    data, model, _ = explained_charts()
    patient = data.test[1]
    changed = patient.change("lactate", 0.5, steps=[1, 2]).change("age", 90)
    options = {"background": data.train, "progress": False, "tolerance": 0.02}
    both = lx.compare(model, patient, changed, **options)
    assert both.ids.values.tolist() == ["as recorded", "changed"]
    for row, single in enumerate((patient, changed)):
        alone = lx.explain(model, single, **options)
        np.testing.assert_allclose(both.predictions[row], alone.predictions[0], rtol=1e-5)
        # Refinement looks at each sample alone: the same nodes, float32 sums in another order.
        scale = np.abs(alone.values.values).max()
        np.testing.assert_allclose(both.values[row], alone.values[0], atol=1e-4 * scale)
        np.testing.assert_allclose(both.attention[row], alone.attention[0], atol=1e-6)
    moved = np.abs(both.values[1] - both.values[0]).sum()
    assert float(moved) > 0.01
    assert both.static_data.values[1, 0] == pytest.approx(90)


@pytest.mark.slow
def test_compare_asks_both_about_the_class_predicted_at_first():
    """The predicted class of the changed sample is another one."""
    data, model = tiny.padded("multiclass"), keras.models.clone_model(tiny.model("multiclass"))
    rng = np.random.default_rng(11)
    model.set_weights([rng.normal(scale=1.5, size=w.shape) for w in model.get_weights()])
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel, 0 * bias])  # or else it decides alone
    chosen = model.predict(data.test.inputs_for(model), verbose=0).argmax(axis=1)
    samples = [
        (data.test[row], data.test[row].change(name, value))
        for row in range(len(chosen))
        for name in data.feature_names
        for value in (-30, 30)
    ]
    classes = (
        [int(model.predict(one.inputs_for(model), verbose=0)[0].argmax()) for one in pair]
        for pair in samples
    )
    pair, before = next(
        (pair, before)
        for pair, (before, after) in zip(samples, classes, strict=True)
        if before != after
    )
    both = lx.compare(model, *pair, background=data.train, progress=False, tolerance=0.5)
    assert both.output.values.tolist() == [data.class_names[before]] * 2


def test_what_cannot_be_compared():
    data, model, _ = explained_charts()
    with pytest.raises(ValueError, match=r"Expected one sample before .* received 2 and 1"):
        lx.compare(model, data.test[:2], data.test[0], background=data.train)
    short, long = data.test.lengths.argmin(), data.test.lengths.argmax()
    with pytest.raises(ValueError, match=r"Expected the same sample .* their mask differ"):
        lx.compare(model, data.test[short], data.test[long], background=data.train)
    unscaled = charts().fill_missing(indicators=True).test[0]
    with pytest.raises(ValueError, match=r"Expected the same sample .* their center differ"):
        lx.compare(model, data.test[0], unscaled.change("lactate", 1.0), background=data.train)
    with pytest.raises(ValueError, match="Expected a sample that was changed; received the same"):
        lx.compare(model, data.test[0], data.test[0], background=data.train)
