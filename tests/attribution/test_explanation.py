"""The verbs of an Explanation keep every sum, and nothing is lost on the way to other tools."""

import json

import numpy as np
import pandas as pd
import pytest
from attribution.explanations import VERBS, made, total
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain import Explanation


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
    with pytest.raises(
        ValueError, match="Expected length to be a whole number of at least 1; received"
    ):
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
        ("hours", 2, ["2020-03-30 20:00", "padding", "padding", "padding", "padding"]),
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


# -- joined again ----------------------------------------------------------------------------------
def test_parts_join_to_the_whole_in_the_order_that_is_given():
    e = made()
    joined = Explanation.concat([e[1:], e[0]])
    assert (
        joined.to_dataset()
        .drop_vars("sample")
        .identical(e[[*range(1, len(e)), 0]].to_dataset().drop_vars("sample"))
    )
    assert joined.values["sample"].values.tolist() == list(range(len(e)))


def test_only_what_was_asked_alike_is_joined():
    e, other = made(), made()
    other.to_dataset().attrs["provenance"] = json.dumps(e.provenance | {"background": "zero"})
    with pytest.raises(
        ValueError, match=r"number 1 differs from the first in background\. Explain"
    ):
        Explanation.concat([e, other])
    with pytest.raises(ValueError, match="differs from the first in dimensions"):
        Explanation.concat([e, e.over_time()])
    with pytest.raises(ValueError, match=r"Expected explanations to join; received .*Give a list"):
        Explanation.concat([])


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
