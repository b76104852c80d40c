"""Standardising, filling and changing variables with gaps; nothing leaks from later rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sequences.tables import split_with_gaps
from tiny import charts, explained_charts

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.sequences.scaling import chart_of, with_parts


# -- standardising and missing values --------------------------------------------------------------
def test_training_steps_have_mean_0_and_deviation_1():
    """Over real steps only: padding counts in neither."""
    data = split_with_gaps(0).fill_missing().standardise()
    real = data.train.values[data.train.mask]
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-6)  # float32
    np.testing.assert_allclose(real.std(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(data.train.static.std(axis=0), 1, rtol=1e-6)
    np.testing.assert_array_equal(data.values[~data.mask], 0)


def test_display_gives_the_original_units_back():
    """After standardising once or twice; NaN on padding."""
    raw = split_with_gaps().fill_missing()
    for data in (raw.standardise(), raw.standardise().standardise()):
        # Rounded to the digits that float32 holds of each feature's largest value.
        np.testing.assert_allclose(
            data.display_values[data.mask], raw.values[raw.mask], rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(data.display_static, raw.static, rtol=1e-5, atol=1e-6)
        assert np.isnan(data.display_values[~data.mask]).all()
    assert SequenceData.from_arrays(np.zeros((1, 1, 1))).display_static is None


@pytest.mark.parametrize("part", ["validation", "test"])
def test_other_parts_change_no_statistic(part):
    """Means, deviations and what is filled in come from training samples alone."""
    data = split_with_gaps()
    elsewhere = data.split == part
    values, static = data.values.copy(), data.static.copy()
    values[elsewhere] = values[elsewhere] * 50 + 1000 * data.mask[elsewhere][..., None]
    static[elsewhere] += 1000
    moved = replace(data, values=values, static=static)
    one, two = (d.fill_missing().standardise() for d in (data, moved))
    for name in ("center", "scale", "static_center", "static_scale"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.values[~elsewhere], two.values[~elsewhere])


def test_statistics_do_follow_the_training_part():
    """The test above can fail."""
    data = split_with_gaps(0).fill_missing()
    values = np.where((data.split == "train")[:, None, None], data.values * 2, data.values)
    moved = replace(data, values=values).standardise()
    np.testing.assert_allclose(moved.scale, 2 * data.standardise().scale)


@pytest.mark.parametrize(("constant", "width"), [(0.1, 0), (1234567.9, 0), (0, 1e-15), (1e6, 10)])
def test_a_constant_feature_is_only_centred_and_a_small_one_is_scaled(constant, width, rng):
    """Told apart exactly: neither rounding nor smallness makes a feature constant or not."""
    values = constant + width * rng.normal(size=(20, 3, 1))
    data = SequenceData.from_arrays(values).split_by_group(0.2, 0.2).standardise()
    if width:
        np.testing.assert_allclose(data.train.values.std(), 1, rtol=1e-2)
    else:
        assert data.scale.tolist() == [1]
        np.testing.assert_allclose(data.values, 0, atol=1e-6)


def test_missing_values_take_the_last_measured_else_the_training_mean():
    values = np.array([[1.0, np.nan, 3], [np.nan, 5, np.nan], [9, np.nan, np.nan], [np.nan] * 3])
    data = SequenceData.from_arrays(values[..., None], lengths=[3, 3, 2, 3], missing="keep")
    split = replace(data, split=np.array(["train", "train", "validation", "test"]))
    filled = split.fill_missing()
    expected = [[1, 1, 3], [3, 5, 5], [9, 9, 0], [3, 3, 3]]  # the training mean of 1, 3, 5 is 3
    np.testing.assert_array_equal(filled.values[..., 0], expected)
    filled.check_complete()


@settings(max_examples=40)
@given(hnp.arrays(np.float32, (5, 6, 2), elements=st.floats(-5, 5, width=16)), st.data())
def test_filling_never_looks_ahead(values, draw):
    """What is filled in at a step does not change when later steps of its sequence do."""
    missing = draw.draw(hnp.arrays(bool, values.shape))
    missing[0] = False
    cut = draw.draw(st.integers(1, 5))
    values = np.where(missing, np.nan, values)
    later = values.copy()
    later[4, cut:] = 77
    split = np.array(["train", "train", "train", "validation", "test"])
    one, two = (
        replace(SequenceData.from_arrays(v, missing="keep"), split=split).fill_missing()
        for v in (values, later)
    )
    np.testing.assert_array_equal(one.values[:, :cut], two.values[:, :cut])
    real = ~np.isnan(values)
    np.testing.assert_array_equal(one.values[real], values[real])


@pytest.mark.parametrize("verb", ["standardise", "fill_missing"])
def test_means_need_training_samples(verb):
    """Before the split they would be over test samples too; on a slice there may be none."""
    data = split_with_gaps()
    with pytest.raises(ValueError, match=r"Expected split data .*Call data.split_by_time"):
        getattr(replace(data, split=None), verb)()
    with pytest.raises(ValueError, match=r"none, only \['test'\]. Call it on the whole data"):
        getattr(data.test, verb)()
    never = replace(data, values=np.where([True, False], np.nan, data.values))
    with pytest.raises(ValueError, match=r"received no value of \['feature 0'\]. Drop those"):
        getattr(never, verb)()


BEFORE = np.array([2.0, -1.0])


def test_parts_against_a_loop():
    raw = charts()
    chart = np.where(raw.mask[..., None], raw.values, np.nan)
    parts = with_parts(chart, raw.mask, BEFORE)
    for sample, length in enumerate(raw.lengths):
        for variable in range(2):
            value, since = BEFORE[variable], 0
            for hour in range(length):
                since += 1
                if not np.isnan(chart[sample, hour, variable]):
                    value, since = chart[sample, hour, variable], 0
                expected = [value, since == 0, since]
                np.testing.assert_array_equal(parts[sample, hour, variable::2], expected)
        assert not parts[sample, length:].any()


@settings(deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.floats(-5, 5, width=32)), min_size=1, max_size=9))
def test_the_chart_comes_back(column):
    chart = np.array([[np.nan if v is None else v] for v in column])[None]
    parts = with_parts(chart, np.ones(chart.shape[:2], bool), np.zeros(1))
    np.testing.assert_array_equal(chart_of(parts), chart)


def test_filled_values_are_the_same_with_and_without_indicators():
    raw = charts()
    plain, marked = raw.fill_missing(), raw.fill_missing(indicators=True)
    np.testing.assert_array_equal(marked.values[..., :2], plain.values)
    assert marked.feature_names[2:4] == ("lactate: measured", "pressure: measured")
    assert marked.variables == ("lactate", "pressure") * 3
    assert marked.parts == ("value",) * 2 + ("measured",) * 2 + ("steps since measured",) * 2
    assert marked.units == ("mmol/L", "mmHg", "", "", "steps", "steps")
    assert "6 features of 2 variables" in repr(marked)


def test_no_test_sample_is_looked_at():
    raw = charts()
    values = raw.values.copy()
    values[raw.split != "train"] *= 100
    before, after = (
        data.fill_missing(indicators=True).standardise()
        for data in (raw, replace(raw, values=values))
    )
    np.testing.assert_array_equal(before.train.values, after.train.values)
    np.testing.assert_array_equal(before.unmeasured, after.unmeasured)


def test_indicators_are_added_once():
    with pytest.raises(ValueError, match=r"Expected data whose features .* Call it once"):
        charts().fill_missing(indicators=True).fill_missing(indicators=True)
    with pytest.raises(
        ValueError, match=r"Expected data with missing values; received none.* Leave"
    ):
        charts().fill_missing().fill_missing(indicators=True)


# -- what if ---------------------------------------------------------------------------------------
def test_a_change_before_filling_is_the_change_after_it():
    """The same numbers, whichever way round: also for what is carried forward and how long ago."""
    raw = charts()
    prepared = raw.fill_missing(indicators=True).standardise()
    row = int(np.flatnonzero(raw.split == "test")[0])
    for value, steps in ((9.5, 2), (None, [0, 1, 3]), (1.0, slice(2, None)), (None, None)):
        values = raw.values.copy()
        index = np.arange(raw.lengths[row])[steps if isinstance(steps, slice) else slice(None)]
        index = np.atleast_1d(steps) if isinstance(steps, int | list) else index
        values[row, index, 0] = np.nan if value is None else value
        expected = replace(raw, values=values).fill_missing(indicators=True).standardise()[row]
        changed = prepared[row].change("lactate", value, steps)
        # float32, standardised and back.
        np.testing.assert_allclose(changed.values, expected.values, atol=1e-5)
        assert np.abs(changed.values - prepared[row].values).max() > 0.01


def test_steps_are_each_samples_own():
    data = charts()[:6].change("lactate", 7.0)
    assert (data.values[data.mask][:, 0] == 7).all()
    last = charts()[:6].change("lactate", 7.0, steps=-1)
    for row, length in enumerate(last.lengths):
        assert last.values[row, length - 1, 0] == 7
        assert not (last.values[row, : length - 1, 0] == 7).any()


def test_only_measured_values_change_and_nothing_else_is_measured():
    raw = charts()[2]
    measured = ~np.isnan(raw.values) & raw.mask[..., None]
    prepared = charts().fill_missing(indicators=True).standardise()[2]
    changed = prepared.change("lactate", 1.5, steps="measured")
    shown = chart_of(changed.display_values)
    np.testing.assert_array_equal(~np.isnan(shown) & raw.mask[..., None], measured)
    np.testing.assert_allclose(shown[0, measured[0, :, 0], 0], 1.5, rtol=1e-6)
    np.testing.assert_array_equal(changed.values[..., [1, 2, 3, 4, 5]], prepared.values[..., 1:])
    # Set to what it is, nothing moves, to the last digit.
    pressure = prepared.display_values[0, 0, 1] if measured[0, 0, 1] else None
    same = prepared.change("pressure", pressure, steps=0)
    np.testing.assert_array_equal(same.values, prepared.values)


def test_what_was_standardised_is_itself_again():
    """Or else no comparison with 1 would find the ones."""
    rng = np.random.default_rng(0)
    facts = np.column_stack([rng.integers(0, 2, 200), rng.integers(18, 95, 200)]).astype(float)
    values = rng.integers(3, 16, (200, 4, 1)).astype(float)
    data = SequenceData.from_arrays(values, facts[:, 0].astype(int), static=facts)
    data = data.split_by_group().standardise()
    np.testing.assert_array_equal(data.display_static, facts)
    np.testing.assert_array_equal(data.display_values, values)


def test_what_a_sample_shows_does_not_depend_on_its_neighbours(rng):
    """A neighbour far away changes no digit; cents and flags come back as they were."""
    cents = rng.uniform(19_000, 21_000, (50, 4, 1)).round(2)
    flags = (rng.random((50, 4, 1)) < 0.02).astype(float)
    small = rng.normal(1e-8, 1e-9, (50, 4, 1))
    values = np.concatenate([cents, flags, small], axis=-1)
    values[0, 0, [0, 2]] = 9e7
    facts = values[:, 0]
    data = SequenceData.from_arrays(values, static=facts).split_by_group().standardise()
    train = data.split == "train"
    assert train[0]  # so that the deviation is that of the far one
    near = replace(data, values=data.values * 1e-3, static=data.static * 1e-3)
    for part in (data, near):
        alone = np.concatenate([part[[at]].display_values for at in range(50)])
        np.testing.assert_array_equal(alone, part.display_values)
        alone = np.concatenate([part[[at]].display_static for at in range(50)])
        np.testing.assert_array_equal(alone, part.display_static)
    np.testing.assert_array_equal(data.display_values[..., 1], flags[..., 0])
    usual = SequenceData.from_arrays(cents).split_by_group().standardise().display_values
    np.testing.assert_array_equal(usual.round(2), cents)


def test_a_change_by_a_cent_is_made():
    """Less than a millionth, which float32 still tells apart; set to what it is, nothing moves."""
    data = SequenceData.from_arrays([[[20035.10], [20035.10]]], feature_names=["price"])
    moved = data.change("price", 20035.11, steps=1)
    np.testing.assert_array_equal(moved.values.ravel(), np.float32([20035.10, 20035.11]))


def test_a_change_of_a_static_fact_and_of_a_plain_feature():
    data = charts().fill_missing().standardise()
    older = data[3].change("age", 90)
    np.testing.assert_allclose(older.display_static, [[90]], rtol=1e-5)
    np.testing.assert_array_equal(older.values, data[3].values)
    higher = data[3].change("pressure", 100, steps=[1, 2])
    expected = data[3].display_values
    expected[0, [1, 2], 1] = 100
    np.testing.assert_allclose(higher.display_values, expected, rtol=1e-5)
    raw = charts()[3].change("lactate", None)
    assert np.isnan(raw.values[raw.mask][:, 0]).all()


def test_what_cannot_be_changed():
    data = charts().fill_missing(indicators=True).standardise()
    with pytest.raises(ValueError, match=r"Expected a name among \['lactate', 'pressure', 'age'\]"):
        data.change("lactat", 1.0)
    for steps in (9, [0.5], [], slice(50, 60), -30, [True, False]):
        with pytest.raises(ValueError, match="Expected whole numbers of steps that every sample"):
            data[0].change("lactate", 1.0, steps=steps)
    for value in (float("nan"), "1.2", [1.0]):
        with pytest.raises(ValueError, match="the value of 'lactate' to be a finite number; rec"):
            data.change("lactate", value)
    for steps in ("mesured", "measured"):  # nobody's lactate was
        with pytest.raises(ValueError, match=r'a slice or "measured", with .lactate. measured in'):
            data.change("lactate", None).change("lactate", 1.0, steps=steps)
    with pytest.raises(ValueError, match="Expected a value and no steps for the static fact 'age'"):
        data.change("age", 50, steps=1)
    with pytest.raises(ValueError, match=r"cannot say .* Fill it with fill_missing\(indicators"):
        charts().fill_missing().change("lactate", None)


# -- one value per variable ------------------------------------------------------------------------
def test_variables_parts_and_cells_agree():
    data, _, e = explained_charts()
    grouped = e.over_variables()
    assert grouped.feature_names == ["lactate", "pressure"]
    assert grouped.units == ["mmol/L", "mmHg"]
    cells = e.values.values
    for position, name in enumerate(grouped.feature_names):
        own = cells[..., [position, position + 2, position + 4]]
        np.testing.assert_array_equal(e.parts_of(name).values, own)
        np.testing.assert_allclose(grouped.values.values[..., position], own.sum(-1), atol=1e-12)
    np.testing.assert_allclose(grouped.gaps, e.gaps, atol=1e-12)
    np.testing.assert_allclose(
        e.over_time().values, grouped.over_time().values, atol=1e-12
    )  # the order of sums
    by_feature = e.over_features().over_variables().values.values
    np.testing.assert_allclose(by_feature, grouped.over_features().values.values, atol=1e-12)
    chart = charts()
    test = chart[chart.split == "test"]
    shown = grouped.data.values[test.mask]
    np.testing.assert_allclose(shown, test.values[test.mask], rtol=1e-5, equal_nan=True)
    assert np.isnan(shown).any()
    assert len(data.test) == len(grouped)


def test_what_was_not_measured_is_read_separately():
    _, _, e = explained_charts()
    found = e.unmeasured_values().values
    chart = charts()
    measured = ~np.isnan(chart[chart.split == "test"].values)
    for position in range(2):
        both = e.values.values[..., [position + 2, position + 4]].sum(-1)
        expected = np.where(measured[..., position], 0, both)
        np.testing.assert_allclose(found[..., position], expected, atol=1e-12)
    assert np.abs(found).max() > 0.01


def test_saved_and_loaded_it_still_knows_its_variables(tmp_path):
    _, _, e = explained_charts()
    loaded = lx.Explanation.load(e.save(tmp_path / "run.nc"))
    np.testing.assert_array_equal(loaded.over_variables().values, e.over_variables().values)


def test_verbs_that_do_not_fit():
    _, _, e = explained_charts()
    with pytest.raises(ValueError, match=r"Expected a variable among \['lactate', 'pressure'\]"):
        e.parts_of("sodium")
    with pytest.raises(ValueError, match=r"Expected values per feature .*indicators=True"):
        e.over_time().over_variables()
    grouped = e.over_variables()
    assert grouped.over_variables() is grouped  # each feature is a variable
    with pytest.raises(ValueError, match=r"Expected values per feature .*indicators=True"):
        grouped.parts_of("lactate")
    with pytest.raises(ValueError, match="Expected values per cell, to tell measured"):
        e.over_features().unmeasured_values()
