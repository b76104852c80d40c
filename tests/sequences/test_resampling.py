"""Rows at any times become rows at equal steps that know of nothing later; rows are not hours."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences.tables import panel, windows

from lstm_explain import SequenceData
from lstm_explain.sequences import UnevenStepsWarning
from lstm_explain.sequences.resampling import are_uneven


def visits(**columns):
    """Two stays at odd minutes; the first has a long gap."""
    frame = {
        "stay": ["b", "a", "b", "b", "a"],
        "time": pd.to_datetime(["2020-01-01 00:10", "2020-01-05 00:00", "2020-01-01 01:00",
                                "2020-01-01 03:30", "2020-01-05 02:59"]),
        "pulse": [60.0, 80.0, 70.0, 90.0, 100.0],
        "age": [50, 40, 50, 50, 40],
        "died": [1, 0, 1, 1, 0],
    }  # fmt: skip
    return pd.DataFrame(frame | columns)


def gridded(frame=None, **changes):
    usual = {"id": "stay", "time": "time", "features": ["pulse"], "missing": "keep"}
    frame = visits() if frame is None else frame
    return SequenceData.from_frame(frame, **(usual | {"resample": "1h"} | changes))


NAN = np.nan


# -- the grid --------------------------------------------------------------------------------------
def test_a_step_is_named_by_its_end_and_holds_what_came_since_the_step_before():
    """00:10 and 01:00 are both in the step that ends at 01:00; 02:59 in the one of 03:00."""
    data = gridded(target="died", static=["age"])
    np.testing.assert_array_equal(data.values[..., 0], [[70, NAN, NAN, 90], [80, NAN, NAN, 100]])
    hours = [[f"2020-01-01T0{h}" for h in (1, 2, 3, 4)], [f"2020-01-05T0{h}" for h in range(4)]]
    np.testing.assert_array_equal(data.times, np.array(hours, "M8[h]"))
    assert data.ids.tolist() == ["b", "a"]
    assert (data.task, data.target.tolist()) == ("binary", [1, 0])
    assert data.static[:, 0].tolist() == [50, 40]
    with pytest.raises(ValueError, match=r"received nan in 'pulse' of sample 0.*missing=.keep"):
        gridded(missing="error")


@pytest.mark.parametrize(
    ("how", "first"),
    [("last", 70), ("mean", 65), ("sum", 130), ("min", 60), ("max", 70), ({"pulse": "sum"}, 130),
     ({}, 70)],
)  # fmt: skip
def test_how_rows_of_one_step_become_one(how, first):
    """A sum of nothing is missing, not 0; a missing value counts in none."""
    nothing = visits(pulse=NAN)[2:3]
    later = nothing.assign(time=pd.Timestamp("2020-01-01 02:30"))
    before = nothing.assign(time=pd.Timestamp("2020-01-01 00:59"))
    frame = pd.concat([visits(), later, before])
    data = gridded(frame, how=how)
    np.testing.assert_array_equal(data.values[0, :, 0], [first, NAN, NAN, 90])


def test_numbers_have_a_grid_of_multiples_of_the_step():
    """2.1 / 0.3 is more than 7, but the row at 2.1 belongs to the step at 2.1."""
    frame = pd.DataFrame({"t": [1.2, 2.1, 2.15, 3.3], "x": [1.0, 2, 3, 4]})
    data = SequenceData.from_frame(frame, time="t", features=["x"], resample=0.3, missing="keep")
    np.testing.assert_allclose(data.times[0], [1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0, 3.3])
    np.testing.assert_array_equal(data.values[0, :, 0], [1, NAN, NAN, 2, 3, NAN, NAN, 4])


def test_months_are_steps():
    frame = pd.DataFrame(
        {"t": np.array(["2020-01-01", "2020-01-31T12", "2020-03-05"], "M8[s]"), "x": [1.0, 2, 3]}
    )
    data = SequenceData.from_frame(frame, time="t", features=["x"], resample="MS", missing="keep")
    ends = ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"]
    assert data.times[0].astype("M8[D]").astype(str).tolist() == ends
    np.testing.assert_array_equal(data.values[0, :, 0], [1, 2, NAN, 3])


def test_a_wide_table_of_months_becomes_a_long_one():
    """One row per shop and one column per month, of which one is missing."""
    wide = pd.DataFrame(
        {"shop": ["n", "s"], "region": ["north", "south"], "profit": [0.5, 0.7],
         "2023-02": [2.0, 20], "2023-01": [1.0, 10], "2023-04": [4.0, 40]}
    )  # fmt: skip
    long = wide.melt(["shop", "region", "profit"], var_name="month", value_name="sales")
    long["month"] = pd.to_datetime(long["month"])
    data = SequenceData.from_frame(
        long, time="month", id="shop", features=["sales"], static=["region"], target="profit",
        resample="MS", missing="keep",
    )  # fmt: skip
    np.testing.assert_array_equal(data.values[..., 0], [[1, 2, NAN, 4], [10, 20, NAN, 40]])
    assert data.times[0].astype("M8[M]").astype(str).tolist()[2] == "2023-03"
    assert data.static.tolist() == [[1, 0], [0, 1]]
    np.testing.assert_allclose(data.target, [0.5, 0.7], rtol=1e-6)


SIXTEENTHS = st.integers(0, 144).map(lambda count: count / 16)
MOMENTS = st.lists(SIXTEENTHS, min_size=2, max_size=12, unique=True)


@settings(max_examples=60)
@given(MOMENTS, st.sampled_from([0.25, 1.0, 3.0]), st.sampled_from(["last", "mean", "sum"]))
def test_no_step_knows_of_a_later_row(moments, every, how):
    """Each step against a loop over the rows between its end and the end before."""
    values = np.arange(1.0, len(moments) + 1)
    frame = pd.DataFrame({"t": moments, "x": values})
    data = SequenceData.from_frame(
        frame, time="t", features=["x"], resample=every, how=how, missing="keep"
    )
    assert np.allclose(np.diff(data.times), every)
    pick = {"last": lambda rows: rows.iloc[-1], "mean": np.mean, "sum": np.sum}[how]
    for end, value in zip(data.times[0], data.values[0, :, 0], strict=True):
        rows = frame[(frame["t"] > end - every) & (frame["t"] <= end)].sort_values("t")["x"]
        np.testing.assert_allclose(value, pick(rows) if len(rows) else NAN, rtol=1e-6)


def test_the_target_of_a_window_is_that_of_the_last_row_in_its_last_step():
    """An earlier target of the same step, or of a step before, would be of another time."""
    frame = pd.DataFrame(
        {"t": [0.5, 1.0, 1.2, 1.9, 4.0, 5.0], "x": np.arange(6.0), "ward": list("aaabbb"),
         "y": [10, 11, 12, 13, 14, None]}
    )  # fmt: skip
    frame["y"] = frame["y"].astype("Int64")
    data = SequenceData.from_frame(
        frame, time="t", features=["x", "ward"], target="y", window=2, resample=1, missing="keep"
    )
    # Steps 1, 2, 3 (no row), 4, 5 (no target): windows end at 2 and 4, and look 1 step ahead.
    assert data.times.tolist() == [[1, 2], [3, 4]]
    assert [data.class_names[t] for t in data.target] == ["13", "14"]
    assert data.horizon == 1
    np.testing.assert_array_equal(data.values[..., 0], [[1, 3], [NAN, 4]])
    np.testing.assert_array_equal(data.values[..., 1:], [[[1, 0], [0, 1]], [[NAN, NAN], [0, 1]]])


def test_a_fact_keeps_all_its_categories():
    """In windows too, where other columns have gaps."""
    sex = pd.Categorical(list("fmffm"), categories=list("mfx"))
    data = gridded(visits(sex=sex), static=["sex"], target="died", window=2)
    assert data.static_names == ("sex: m", "sex: f", "sex: x")
    assert data.static.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert (data.task, data.target.tolist()) == ("binary", [1, 0])


def test_the_share_of_a_category_is_its_mean():
    frame = pd.DataFrame({"t": [0.2, 0.4, 0.9, 1.0], "ward": list("aaba")})
    data = SequenceData.from_frame(frame, time="t", features=["ward"], resample=1, how="mean")
    np.testing.assert_array_equal(data.values[0], [[0.75, 0.25]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resample": "1 hour and a half"}, "offset of pandas .*; received '1 hour and a half'"),
        ({"resample": "-1h"}, r"received '-1h'. Column 'time' holds dates: give .*resample=\"1h\""),
        ({"resample": 1.0}, "an offset of pandas that leads forward; received 1.0"),
        ({"resample": "1ns"}, r"at most 1e\+08 steps .*; received resample='1ns', which makes 3"),
        ({"time": "age", "id": "pulse"}, r"resample to be a finite number above 0; received '1h'"),
        ({"time": "age", "id": "pulse", "resample": 0}, "Column 'age' holds numbers: give a step"),
        ({"how": "mode"}, r"how of 'pulse' to be one of \['last', .*; received 'mode'"),
        ({"how": {"puls": "sum"}}, r"some of the features \['pulse'\]; received it for \['puls'\]"),
        ({"resample": None, "how": "sum"}, "how only with resample; received how='sum' without it"),
    ],
)
def test_a_grid_that_cannot_be_made_is_refused(changes, message):
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        gridded(**changes)


# -- rows that are not hours -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "long", "size", "uneven"),
    [(100, 1, 99.0, False), (100, 2, 99.0, True), (99, 1, 99.0, True), (100, 2, 5.0, False)],
)
def test_uneven_is_more_than_1_in_100_steps_beyond_5_times_the_median(count, long, size, uneven):
    steps = np.ones(count)
    steps[:long] = size
    assert are_uneven(steps) == uneven
    assert are_uneven((steps * 3600).astype("m8[s]")) == uneven


def test_trading_days_and_months_are_even():
    days = pd.bdate_range("2010-01-01", "2012-12-31").to_numpy()
    months = pd.date_range("2010-01-01", periods=60, freq="MS").to_numpy()
    assert not are_uneven(np.diff(days))
    assert not are_uneven(np.diff(months))
    assert not are_uneven(np.array([]))
    assert not are_uneven(np.array([0, 0, 0, 3]))


def test_windows_of_uneven_rows_are_warned_of_and_a_grid_is_the_remedy():
    """Without windows a sample is a whole sequence, and nothing is said."""
    frame = panel(24)
    frame["t"] = np.cumsum(np.tile([1, 1, 1, 9], 6))
    message = (
        r"received steps of 1 to 9 in column 't', 26.% of them longer than 5 times the median of "
        r"their sequence\. Make the steps equal with from_frame\(\.\.\., resample=1\)"
    )
    with pytest.warns(UnevenStepsWarning, match=message) as caught:
        windows(frame)
    assert caught[0].filename == windows.__code__.co_filename  # the caller's line
    days = frame.assign(t=pd.Timestamp("2020-01-01") + pd.to_timedelta(frame["t"], unit="h"))
    with pytest.warns(UnevenStepsWarning, match='0 days 01:00:00 to 0 days 09:00:00.*="1h"'):
        windows(days)
    with warnings.catch_warnings(action="error"):
        windows(frame, resample=1, missing="keep")
        SequenceData.from_frame(frame, time="t", features=["x"])


def test_sequences_with_other_steps_than_their_neighbours_are_even():
    """Days of three shops, weeks of another."""
    frame = panel(24, owners=("a", "b", "c", "weeks"))
    frame["t"] *= np.where(frame["id"] == "weeks", 7, 1)
    assert len(windows(frame)) == 4 * 19  # the last two rows have no target


def test_static_facts_leave_the_name_of_the_data():
    data = gridded(static=["age"], name="stays")
    assert data.name == "stays"
