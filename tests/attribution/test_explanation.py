"""The verbs of an Explanation keep every sum, and nothing is lost on the way to other tools."""

import json

import numpy as np
import pandas as pd
import pytest
import tiny
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain as lx
from lstm_explain import Explanation

DAYS = np.array("2020-03-30", "datetime64[D]")


def made(lengths=(3, 5, 1, 4), features=3, static=True, times="days", seed=0):
    """An explanation of random numbers, laid out as `explain` lays it out; gaps are 0.25."""
    rng = np.random.default_rng(seed)
    samples, steps = len(lengths), max(lengths)
    mask = np.arange(steps) < np.array(lengths)[:, None]
    cell = ("sample", "time", "feature")
    values = np.where(mask[..., None], rng.normal(size=(samples, steps, features)), 0)
    base_values = rng.normal(size=samples)
    total = base_values + values.sum(axis=(1, 2))
    variables = {
        "values": (cell, values),
        "base_values": ("sample", base_values),
        "mask": (cell[:2], mask),
        "data": (cell, np.where(mask[..., None], rng.normal(size=values.shape), np.nan)),
        "unit": ("feature", np.array(["mg", "1/min", "", "µg"][:features])),
        "output": ("sample", np.array(["died", "left"])[np.arange(samples) % 2]),
        "target": ("sample", np.array(["left", "died"])[np.arange(samples) % 2]),
        "ids": ("sample", np.array([f"Zoë {i}" for i in range(samples)])),
        "attention": (cell[:2], mask / np.array(lengths)[:, None]),
    }
    if static:
        facts = rng.normal(size=(2, samples, 2))
        variables["static_values"] = (("sample", "static_feature"), facts[0])
        variables["static_data"] = (("sample", "static_feature"), facts[1])
        variables["static_unit"] = ("static_feature", np.array(["years", ""]))
        total = total + facts[0].sum(axis=1)
    variables["predictions"] = ("sample", total + 0.25)
    if times is not None:
        step = np.arange(steps) + 10 * np.arange(samples)[:, None]
        clock = {
            "days": DAYS + step,
            "hours": DAYS.astype("datetime64[s]") + step.astype("timedelta64[h]"),
            "numbers": step * 0.5,
        }[times]
        nowhere = 0.0 if times == "numbers" else np.datetime64("NaT")
        variables["times"] = (cell[:2], np.where(mask, clock, nowhere))
    coordinates = {
        "sample": np.arange(samples),
        "time": np.arange(steps),
        "feature": ["dose", "pulse", "noise", "rate"][:features],
    }
    provenance = {"method": "dice", "scale": "margin", "background": "3 dice", "seed": None}
    attributes = {
        "time_name": "hour",
        "target_unit": "log %²",
        "provenance": json.dumps(provenance | {"masked": True, "sizes": [1, 2]}),
    }
    if static:
        coordinates["static_feature"] = ["age", "bmi"]
    return Explanation(xr.Dataset(variables, coordinates, attributes))


def total(e):
    """The sum of everything that was attributed, per sample, by NumPy alone."""
    result = e.values.values.reshape(len(e), -1).sum(axis=1)
    return result if e.static_values is None else result + e.static_values.values.sum(axis=1)


VERBS = {
    "over_time": lambda e: e.over_time(),
    "over_features": lambda e: e.over_features(),
    "over_windows": lambda e: e.over_windows(length=2),
}


# -- coarser views ---------------------------------------------------------------------------------
@given(st.lists(st.sampled_from(sorted(VERBS)), max_size=3), st.booleans())
def test_sums_agree_after_any_verbs_in_any_order(names, static):
    """A verb either raises or keeps each sample's sum, its gap and everything beside the values."""
    e = coarse = made(static=static)
    for name in names:
        try:
            coarse = VERBS[name](coarse)
        except ValueError:
            needed = {"over_time": "feature"}.get(name, "time")
            assert needed not in coarse.values.dims
    np.testing.assert_allclose(total(coarse), total(e), atol=1e-12)
    np.testing.assert_allclose(coarse.gaps, 0.25, atol=1e-12)
    for field in ("base_values", "predictions", "data", "mask", "times", "output", "attention"):
        assert getattr(coarse, field).identical(getattr(e, field))
    assert coarse.provenance == e.provenance


def test_each_view_sums_what_it_says():
    """By hand, cell by cell; the last window may be shorter."""
    e = made(static=False)
    cells = e.values.values
    np.testing.assert_allclose(e.over_time().values, cells.sum(axis=2))
    np.testing.assert_allclose(e.over_features().values, cells.sum(axis=1))
    windows = np.stack([cells[:, :2].sum(1), cells[:, 2:4].sum(1), cells[:, 4:].sum(1)], axis=1)
    coarse = e.over_windows(length=2)
    np.testing.assert_allclose(coarse.values, windows)
    assert coarse.values["window"].values.tolist() == ["0-1", "2-3", "4-4"]
    np.testing.assert_allclose(coarse.over_time().values, windows.sum(axis=2))
    np.testing.assert_allclose(e.over_time().over_windows(length=2).values, windows.sum(axis=2))
    np.testing.assert_allclose(coarse.over_features().values, cells.sum(axis=1))
    np.testing.assert_allclose(e.over_windows(length=np.int64(99)).values[:, 0], cells.sum(axis=1))


@pytest.mark.parametrize(
    ("verbs", "level"),
    [
        ([], "cell"),
        (["over_time"], "time"),
        (["over_features"], "feature"),
        (["over_windows"], "window and feature"),
        (["over_windows", "over_time"], "window"),
        (["over_time", "over_windows"], "window"),
        (["over_windows", "over_features"], "feature"),
        (["over_time", "over_features"], "whole sequence"),
        (["over_features", "over_time"], "whole sequence"),
    ],
)
def test_the_level_is_named(verbs, level):
    """Also in the repr, which names the sizes."""
    e = made()
    for verb in verbs:
        e = VERBS[verb](e)
    assert e.level == level
    assert repr(e).startswith("Explanation of the margin by dice: 4 samples")
    assert "times" not in repr(e)  # steps are what is counted
    assert repr(e).endswith("absent means 3 dice; largest gap 0.25")


@pytest.mark.parametrize(
    ("verbs", "verb", "needed", "level"),
    [
        (["over_time"], "over_time", "feature", "time"),
        (["over_features"], "over_features", "time", "feature"),
        (["over_features"], "over_windows", "time", "feature"),
        (["over_windows"], "over_windows", "time", "window and feature"),
        (["over_time", "over_features"], "over_features", "time", "whole sequence"),
    ],
)
def test_an_impossible_verb_is_refused(verbs, verb, needed, level):
    e = made()
    for name in verbs:
        e = VERBS[name](e)
    message = rf"a {needed} dimension for {verb}\(\); received values per {level}. Call it on the"
    with pytest.raises(ValueError, match=message):
        VERBS[verb](e)


@pytest.mark.parametrize("length", [0, -1, 1.5, "2", None])
def test_windows_of_no_length_are_refused(length):
    with pytest.raises(ValueError, match=r"at least 1 step, in whole steps; received length="):
        made().over_windows(length=length)


def test_standard_errors_do_not_survive_a_sum():
    """Errors of a sum are not the sum of errors, and the draws are gone."""
    e = made()
    sampled = Explanation(e._dataset.assign(standard_errors=abs(e.values)))
    assert sampled.standard_errors.dims == sampled.values.dims
    assert sampled.over_time().standard_errors is None
    np.testing.assert_array_equal(sampled[1].standard_errors, abs(e[1].values))


# -- selecting -------------------------------------------------------------------------------------
@settings(max_examples=30)
@given(st.data())
def test_an_index_selects_samples_in_every_variable(draw):
    """And always keeps the sample dimension; positions keep their sample number."""
    e = made()
    flags = draw.draw(st.lists(st.booleans(), min_size=4, max_size=4))
    position = draw.draw(st.integers(-4, 3))
    for key, rows in [
        (draw.draw(st.slices(4)), None),
        (position, [position]),
        (np.int64(position), [position]),
        (np.array(flags), np.flatnonzero(flags)),
        (flags, np.flatnonzero(flags)),
        ([2, 0, 2], [2, 0, 2]),
        ([], np.zeros(0, int)),
    ]:
        chosen = e[key]
        for field in ("values", "base_values", "data", "ids", "static_values", "times", "gaps"):
            expected = getattr(e, field).values[key if rows is None else rows]
            np.testing.assert_array_equal(getattr(chosen, field), expected)
        assert chosen.values.dims == e.values.dims
        assert f"{len(chosen)} sample" in repr(chosen)


@pytest.mark.parametrize("key", [4, -5, True, (0, 1), "a", [True], None, [0.5]])
def test_an_index_that_is_none_is_refused(key):
    with pytest.raises(IndexError, match=r"Expected a (position|sample).*received"):
        made()[key]


def test_fields_that_are_not_there_are_none():
    e = made(static=False, times=None)
    e = Explanation(e._dataset.drop_vars(["ids", "target", "attention"]))
    for field in (
        "static_values", "static_data", "times", "ids", "target", "attention",
        "attention_contribution", "standard_errors",
    ):  # fmt: skip
        assert getattr(e, field) is None


def test_names_units_and_provenance_are_at_hand():
    e = made()
    assert e.feature_names == ["dose", "pulse", "noise"]
    assert e.units == ["mg", "1/min", ""]
    assert (e.scale, e.background) == ("margin", "3 dice")
    assert e.provenance["masked"] is True
    assert e.provenance["seed"] is None


# -- as a table ------------------------------------------------------------------------------------
def test_the_table_holds_every_real_cell_once():
    """Values and data beside each other, none on padding, and nothing but them."""
    e = made()
    table = e.to_frame()
    assert table.columns.tolist() == ["sample", "time", "feature", "value", "data"]
    assert len(table) == 3 * e.mask.values.sum()
    assert not table.duplicated(["sample", "time", "feature"]).any()
    for row in table.itertuples():
        at = {"sample": row.sample, "time": row.time, "feature": row.feature}
        assert row.value == float(e.values.sel(at))
        assert row.data == float(e.data.sel(at))


@pytest.mark.parametrize(
    ("verbs", "columns", "rows"),
    [
        (["over_time"], ["sample", "time", "value"], 13),
        (["over_features"], ["sample", "feature", "value"], 12),
        (["over_windows"], ["sample", "window", "feature", "value"], 36),
        (["over_time", "over_features"], ["sample", "value"], 4),
    ],
)
def test_the_table_of_a_coarser_view_adds_up_too(verbs, columns, rows):
    """Prediction = base value + table + static facts + gap, for each sample."""
    e = made()
    for verb in verbs:
        e = VERBS[verb](e)
    table = e.to_frame()
    assert table.columns.tolist() == columns
    assert len(table) == rows
    sums = table.groupby("sample")["value"].sum().to_numpy()
    rest = e.base_values + e.static_values.sum("static_feature") + 0.25
    np.testing.assert_allclose(sums + rest, e.predictions)


def test_tables_of_slices_keep_the_number_of_the_sample():
    """Also of samples taken twice, and of none."""
    e = made()
    assert set(e[2].to_frame()["sample"]) == {2}
    twice = e[[1, 1]].to_frame()
    assert len(twice) == 2 * len(e[1].to_frame())
    np.testing.assert_allclose(twice["value"].sum(), 2 * float(e[1].values.sum()))
    assert e[:0].to_frame().columns.tolist() == e.to_frame().columns.tolist()


# -- in shap's own plots ---------------------------------------------------------------------------
@pytest.mark.parametrize("verb", sorted(VERBS))
@pytest.mark.parametrize("static", [False, True])
def test_shap_gets_the_same_numbers(verb, static):
    """Values, base values and names; static facts as further columns; sums as before."""
    e = VERBS[verb](made(static=static))
    e = e.over_time() if verb == "over_windows" else e
    converted = e.to_shap()
    width = e.values.shape[1]
    np.testing.assert_array_equal(converted.values[:, :width], e.values)
    np.testing.assert_array_equal(converted.base_values, e.base_values)
    sums = converted.values.sum(axis=1) + converted.base_values + 0.25
    np.testing.assert_allclose(sums, e.predictions)
    names = list(converted.feature_names)
    assert len(names) == converted.values.shape[1] == width + 2 * static
    assert len(set(names)) == len(names)
    assert names[width:] == ["age", "bmi"] * static


def test_features_come_with_their_mean_over_real_steps():
    """Padding does not dilute the mean that colours shap's beeswarm."""
    e = made()
    real = [e.data.values[i][e.mask.values[i]].mean(axis=0) for i in range(4)]
    data = e.over_features().to_shap().data
    np.testing.assert_allclose(data[:, :3], real, atol=1e-4)  # rounded for display
    np.testing.assert_allclose(data[:, 3:], e.static_data, atol=1e-4)
    assert e.over_time().to_shap().data is None


@pytest.mark.parametrize(
    ("times", "sample", "names"),
    [
        ("days", 0, ["2020-03-30", "2020-03-31", "2020-04-01", "padding", "padding"]),
        ("numbers", 3, ["hour 15", "hour 15.5", "hour 16", "hour 16.5", "padding"]),
        ("hours", 2, ["2020-03-30T20:00:00", "padding", "padding", "padding", "padding"]),
        (None, 0, [f"step {i} of 5" for i in range(1, 6)]),
    ],
)
def test_steps_of_one_sample_are_named_by_their_time(times, sample, names):
    """Hours of one day are told apart; padding is not called the first hour."""
    one = made(static=False, times=times)[sample]
    assert list(one.over_time().to_shap().feature_names) == names


def test_steps_of_several_samples_are_counted():
    """Their dates differ."""
    names = made(static=False).over_time().to_shap().feature_names
    assert list(names) == [f"step {i} of 5" for i in range(1, 6)]


@pytest.mark.parametrize("verbs", [[], ["over_windows"], ["over_time", "over_features"]])
def test_what_shap_cannot_plot_is_refused(verbs):
    e = made()
    for verb in verbs:
        e = VERBS[verb](e)
    with pytest.raises(ValueError, match=r"received values per .*Call explanation.over_features"):
        e.to_shap()


@pytest.mark.parametrize("verb", ["over_time", "over_features"])
@pytest.mark.parametrize("static", [False, True])
def test_shap_draws_what_it_was_given(verb, static):
    """shap's own waterfall, bar and beeswarm: the largest value's name is on each axis."""
    import matplotlib.pyplot as plt
    import shap

    e = VERBS[verb](made(lengths=(3, 5, 4, 5, 2, 5), static=static)).to_shap()
    largest = e.feature_names[int(np.abs(e.values).mean(axis=0).argmax())]
    for draw, shown in (
        (shap.plots.bar, e),
        (shap.plots.beeswarm, e),
        (shap.plots.waterfall, e[1]),
        (shap.plots.bar, e[1]),
    ):
        plt.figure()
        draw(shown, show=False)
        written = [text.get_text() for text in plt.gca().get_yticklabels()]
        if shown is not e:
            largest = e.feature_names[int(np.abs(shown.values).argmax())]
        assert any(largest in text for text in written), (draw, written)
        plt.close("all")


# -- in a file -------------------------------------------------------------------------------------
def assert_same(one, two):
    assert set(one._dataset.variables) == set(two._dataset.variables)
    for name, variable in one._dataset.variables.items():
        other = two._dataset[name]
        assert other.dims == variable.dims
        # Text comes back as wide, and dates as fine, as need be.
        kinds = other.dtype.kind + variable.dtype.kind
        assert other.dtype == variable.dtype or kinds in ("UU", "MM"), name
        np.testing.assert_array_equal(other.values, variable.values, err_msg=name)
    assert two._dataset.attrs == one._dataset.attrs


@pytest.mark.parametrize("times", ["days", "hours", "numbers", None])
@pytest.mark.parametrize("static", [False, True])
def test_a_loaded_explanation_is_equal_in_every_variable(times, static, tmp_path):
    """Dates with NaT, masks, text beyond ASCII, NaN in the data, names, units, provenance."""
    e = made(times=times, static=static)
    path = e.save(tmp_path / "new" / "run.nc")
    assert path == tmp_path / "new" / "run.nc"
    assert_same(e, Explanation.load(str(path)))


@pytest.mark.parametrize("key", [2, slice(0), [3, 1]])
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_slices_and_coarser_views_are_saved_too(verb, key, tmp_path):
    """And over an older file."""
    made().save(tmp_path / "run.nc")
    e = VERBS[verb](made())[key]
    loaded = Explanation.load(e.save(tmp_path / "run.nc"))
    assert_same(e, loaded)
    assert loaded.level == e.level
    assert repr(loaded) == repr(e)


@settings(max_examples=20)
@given(moments=st.lists(st.datetimes(), min_size=3, max_size=3))
def test_dates_survive_to_the_microsecond(moments, tmp_path_factory):
    """Hospitals shift dates by centuries; exchanges count microseconds."""
    e = made(lengths=(3,), static=False, times=None)
    times = np.array([sorted(moments)], "datetime64[us]")
    dated = Explanation(e._dataset.assign(times=(("sample", "time"), times)))
    path = dated.save(tmp_path_factory.mktemp("dates") / "run.nc")
    np.testing.assert_array_equal(Explanation.load(path).times, times)


def test_a_real_explanation_survives_with_its_provenance(tmp_path):
    """Of a model with static facts: numbers, attention, versions, weights' fingerprint."""
    e = tiny.explanation("regression", True)
    loaded = Explanation.load(e.save(tmp_path / "run.nc"))
    assert_same(e, loaded)
    assert loaded.provenance == e.provenance
    assert loaded.provenance["versions"]["lstm_explain"] == lx.__version__
    np.testing.assert_array_equal(loaded.attention_contribution, e.attention_contribution)
    np.testing.assert_array_equal(loaded.gaps, e.gaps)
    for view in (loaded.over_time(), loaded.over_features(), loaded.over_windows(length=4)):
        np.testing.assert_allclose(view.gaps, e.gaps, atol=1e-12)


def write_text(path):
    path.write_text("sample,time,value\n0,0,1.0\n")


def write_other_netcdf(path):
    xr.Dataset({"temperature": ("x", [1.0])}).to_netcdf(path, engine="h5netcdf")


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (lambda path: None, FileNotFoundError, r"found none at .*Give the path that explanation"),
        (write_text, ValueError, "is no netCDF file. Give the right file"),
        (lambda path: path.mkdir(), ValueError, "is no netCDF file"),
        (write_other_netcdf, ValueError, r"holds \['temperature'\]. Give the right file"),
    ],
    ids=["no file", "a CSV file", "a folder", "another netCDF file"],
)
def test_a_wrong_file_is_refused(write, error, message, tmp_path):
    path = tmp_path / "run.nc"
    write(path)
    with pytest.raises(error, match=f"Expected a file written by Explanation.save; .*{message}"):
        Explanation.load(path)


# -- the tests above can fail ----------------------------------------------------------------------
@pytest.mark.parametrize(
    "sabotage",
    [
        lambda e: e._dataset.assign(values=e.values * 1.01),
        lambda e: e._dataset.assign(values=e.values.roll(sample=1)),
        lambda e: e._dataset.assign(static_values=-e.static_values),
        lambda e: e._dataset.assign(base_values=e.base_values + 0.1),
    ],
    ids=["one percent too large", "of another sample", "sign flipped", "base value moved"],
)
def test_gaps_show_what_does_not_add_up(sabotage):
    """The gap is computed from the values, not stored beside them."""
    gaps = Explanation(sabotage(made())).gaps
    assert np.abs(gaps - 0.25).max() > 1e-3


def test_the_table_is_of_pandas_own_types():
    """Numbers to group and average at once: no object columns but names."""
    table = made().to_frame()
    assert [table[name].dtype.kind for name in ("sample", "time", "value", "data")] == list("iiff")
    assert isinstance(table.index, pd.RangeIndex)
