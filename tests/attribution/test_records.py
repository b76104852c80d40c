"""A file gives back the whole explanation, and with it the question that it answers."""

import numpy as np
import pytest
import tiny
import xarray as xr
from attribution.explanations import VERBS, made
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import slow_but

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.attribution.records import background_of, data_of, question_of
from lstm_explain.backend import keras
from lstm_explain.inspection.background import Background
from lstm_explain.inspection.question import prepare

pytestmark = pytest.mark.slow


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


@pytest.mark.slow
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
        (lambda path: path.mkdir(), ValueError, "received the folder .*run.nc"),
        (write_other_netcdf, ValueError, r"holds \['temperature'\]. Give the right file"),
    ],
    ids=["no file", "a CSV file", "a folder", "another netCDF file"],
)
def test_a_wrong_file_is_refused(write, error, message, tmp_path):
    path = tmp_path / "run.nc"
    write(path)
    with pytest.raises(error, match=f"Expected .*{message}"):
        Explanation.load(path)


def saved(explanation, folder):
    return Explanation.load(explanation.save(folder / "explanation.nc"))


@pytest.mark.parametrize("task", slow_but(["binary", "multiclass", "regression"], "regression"))
@pytest.mark.parametrize("static", slow_but([False, True], True))
def test_the_question_is_the_one_that_was_asked(task, static, tmp_path):
    data, model = tiny.padded(task, static), tiny.model(task, static)
    before = prepare(model, data.test[:5], data.train, None, "last", "margin", None, None)
    again = question_of(model, saved(tiny.explanation(task, static), tmp_path))
    for name in ("values", "static", "mask"):
        one, other = getattr(before.subject, name), getattr(again.subject, name)
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)  # float32
    for one, other in zip(before.rows, again.rows, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(before.selection.weights, again.selection.weights)
    np.testing.assert_array_equal(before.selection.names, again.selection.names)
    np.testing.assert_allclose(before.row_outputs, again.row_outputs, rtol=1e-5, atol=1e-6)


def test_standardised_data_come_back_in_the_units_that_the_model_reads(rng):
    values = rng.normal(size=(30, 5, 2)) * [1e-3, 40] + [0.01, 1e5]
    data = SequenceData.from_arrays(values, values[:, -1, 0], static=values[:, 0])
    data = data.split_by_group(0.2, 0.2).standardise()
    model = lx.build_model(data, units=(3,), attention_units=2, seed=1, beside=None)
    e = lx.explain(model, data.test, background=data.train, tolerance=0.5, progress=False)
    again = data_of(e)
    # Original units are rounded to whole decimal places where float32 ends.
    largest = np.abs(data.test.values).max()
    np.testing.assert_allclose(again.values, data.test.values, atol=1e-6 * largest)
    np.testing.assert_allclose(again.static, data.test.static, atol=1e-6 * largest)
    assert np.abs(again.display_values - data.test.display_values).max() < 0.02
    assert question_of(model, e[1:3]).subject.values.shape == (2, 5, 2)


@pytest.mark.slow
def test_a_contrast_of_classes_a_probability_and_short_rows_come_back():
    data, model = tiny.padded("multiclass"), tiny.model("multiclass")
    short = data.train[data.train.lengths < 5][:3]
    for output in ("high-low", 1):
        e = lx.explain(
            model, data.test[:4], background=short, output=output, scale="probability",
            tolerance=0.5, progress=False,
        )  # fmt: skip
        again = question_of(model, e)
        assert set(again.selection.names) == {"high-low" if output == "high-low" else "middle"}
        np.testing.assert_allclose(again.base_values, e.base_values, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(background_of(e).values, Background.from_data(short).values)


@pytest.mark.parametrize("background", slow_but([None, "b", "zero"], "b"))
def test_a_text_comes_back_with_its_absent_word(background, tmp_path):
    words = ["[PAD]", "[UNK]", *"abcdef"]
    data = SequenceData.from_tokens([[2, 3, 4], [5, 1], [6, 7, 2, 2]], [0, 1, 1], vocabulary=words)
    model = lx.build_model(data, units=(3,), attention_units=2, seed=1, beside=None)
    e = lx.explain(model, data, background=background, tolerance=0.5, progress=False)
    again = question_of(model, saved(e, tmp_path))
    np.testing.assert_array_equal(again.subject.tokens, data.tokens)
    np.testing.assert_array_equal(again.subject.mask, data.mask)
    np.testing.assert_allclose(again.base_values, e.base_values, rtol=1e-6)


@pytest.mark.slow
def test_another_model_and_an_explanation_without_its_inputs_are_refused():
    e = tiny.explanation()
    with pytest.raises(ValueError, match="Expected the model that was explained"):
        question_of(tiny.model("multiclass"), e)
    bare = Explanation(e.to_dataset().drop_vars("background_values"))
    with pytest.raises(ValueError, match="carries its inputs and its background"):
        question_of(tiny.model(), bare)
    other = Explanation(e.to_dataset().assign(data=e.data + 1))
    with pytest.raises(ValueError, match="to give its predictions again"):
        question_of(tiny.model(), other)


def test_numbers_of_any_size_must_give_their_predictions_again():
    """Returns squared are of size 1e-8: a fixed tolerance would take other data for the same."""
    inputs = keras.Input((3, 2))
    head = keras.layers.Dense(1, kernel_initializer="ones")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.layers.Rescaling(1e-8)(head))
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    e = lx.explain(model, x, background="zero", progress=False)
    np.testing.assert_allclose(question_of(model, e).predictions, e.predictions, rtol=1e-5)
    other = Explanation(e.to_dataset().assign(data=1.01 * e.data))
    with pytest.raises(ValueError, match=r"they differ by up to [0-9.]+e-10"):
        question_of(model, other)
