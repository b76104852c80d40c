"""Which columns of a table can be read as numbers, times and targets."""

import datetime
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences.tables import from_table, panel, table, windows

from lstm_explain import SequenceData


@pytest.mark.parametrize(
    "pulse",
    [
        pd.array([72, 61, 73, None, 70], dtype="Int64"),
        pd.array([72, 61, 73, None, 70], dtype="Float64"),
        pd.array(["72", "61", "73", None, "70"], dtype="string"),
        [Decimal(72), 61, 73.0, None, 70],
    ],
    ids=["Int64", "Float64", "string", "object"],
)
def test_every_kind_of_number_column_is_read(pulse):
    """Missing is NaN, not a large number or an exception."""
    data = from_table(table(pulse=pulse), missing="keep")
    np.testing.assert_array_equal(data.values[0, :, 0], [70, 72, 73])
    np.testing.assert_array_equal(data.values[1, :2, 0], [np.nan, 61])


@pytest.mark.parametrize(
    "day",
    [
        pd.to_datetime(["2020-02-03", "2020-02-02", "2020-10-01", "2020-02-01", "2020-02-01"]),
        [datetime.date(2020, 2, d) for d in (3, 2, 4, 1, 1)],
        [pd.Timestamp(2020, 2, d) for d in (3, 2, 4, 1, 1)],
        pd.Categorical(pd.to_datetime([f"2020-02-0{d}" for d in (3, 2, 4, 1, 1)])),
        pd.array([3, 2, 4, 1, 1], dtype="Int64"),
        pd.array([3, 2, 4, 1, 1], dtype="Float64"),
        [Decimal(d) for d in (3, 2, 4, 1, 1)],
        pd.Categorical([3, 2, 10, 1, 1], categories=[10, 3, 2, 1]),
    ],
    ids=["datetime", "date", "Timestamp", "categories", "Int64", "Float64", "Decimal", "reversed"],
)
def test_every_kind_of_time_column_is_sorted_as_time(day):
    """As plain dates or numbers, whatever held them: a category's own order does not count."""
    frame = table(day=day)
    frame["day"] = frame["day"].astype(frame["day"].dtype)
    data = from_table(frame)
    np.testing.assert_array_equal(data.values[0, :, 0], [70, 72, 73])
    assert data.times.dtype.kind in "Mif"


@pytest.mark.parametrize(
    ("day", "message"),
    [
        (["9/1/2020", "10/1/2020", "11/1/2020", "2/1/2020", "1/1/2020"], "pandas.to_datetime"),
        (pd.array(["2", "10", "3", "1", "1"], dtype="string"), "received '2'.*pandas.to_datetime"),
        (pd.Categorical(["2", "10", "3", "1", "1"]), "pandas.to_datetime"),
        (pd.date_range("2020", periods=5, tz="Europe/Berlin"), r"Keep local.*tz_localize\(None\)"),
        (
            [
                pd.Timestamp("2020", tz="UTC"),
                *pd.date_range("2020", periods=4, tz="Europe/Berlin"),
            ],
            "without a time zone",
        ),
        (pd.period_range("2020", periods=5), r"Convert periods to dates.*to_timestamp"),
        (pd.to_timedelta(range(5), unit="h"), r"for instance hours: .dt.total_seconds\(\) / 3600"),
        ([datetime.timedelta(hours=h) for h in range(5)], "Convert durations"),
        ([0, 1, np.inf, 2, 3], "Drop the rows whose time is not finite"),
        (
            [0, 1, 2**63 + 1, 2, 3],
            f"received .*{2**63 + 1}.*, type uint64. Subtract the first time",
        ),
        (pd.array([2**63] * 5, dtype="UInt64"), f"received .*{2**63}.*, type UInt64. Subtract"),
        ([False, True] * 2 + [True], r"received .*False.*, type bool. Give one number per step"),
        (np.ones(5, complex), "type complex128. Give one number per step that grows with time"),
        (np.array([f"{y}-01-01" for y in range(9996, 10001)], "M8[s]"), "10000.*years 1 to 9999"),
        ([0, 1, np.nan, 2, 3], "a time for every step in column 'day'; received 1 missing. Drop"),
        (pd.to_datetime(["2020-01-01", None, None, "2020-01-02", None]), "received 3 missing"),
        (pd.array([0, 1, None, 2, 3], dtype="Int64"), "received 1 missing"),
        ([2, 1, 2, 0, 0], "each time once per sequence; received 2 twice for patient=b. Aggregate"),
    ],
    ids=str,
)
def test_times_without_a_sure_order_are_refused(day, message):
    """Text sorts 10/1 before 9/1; a time zone, NaT or a repeated time is nobody's guess."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        from_table(table(day=day))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (np.array([2**63 - 1, 2**63], np.uint64), f"received .*{2**63}.*, type uint64. Subtract"),
        ([2**63, 2**63 + 1], f"received .*{2**63}.*Subtract the first time"),
        # pandas would round these to one nanosecond, and has no such year.
        (
            np.array([1, 2], "M8[ps]"),
            r"type datetime64\[ps\]. Give dates of the years 1 to 9999",
        ),
        (np.array([10**15, 10**15 + 1], "M8[Y]"), r"type datetime64\[Y\]. Give dates of the years"),
        (np.array(["NaT", "NaT"], "M8"), "NaT.*, type datetime64. Give dates of the years"),
        (
            np.zeros(2, [("day", int)]),
            r"received .*, type \[\(.day., .<i8.\)\]. Convert text to dates",
        ),
    ],
    ids=str,
)
def test_times_that_would_become_other_times_are_refused(times, message):
    with pytest.raises(ValueError, match=f"Expected dates .* in times; .*{message}"):
        SequenceData.from_arrays(np.zeros((1, 2, 1)), times=np.asarray(times)[None])


@pytest.mark.parametrize(
    "times",
    [
        np.array([0, 2**63 - 1], np.uint64),
        np.array([-(2**63), 5]),
        np.array(["1969-12", "1970-03"], "M8[M]"),
        np.array([0.1, 1e300]),
    ],
    ids=str,
)
def test_times_at_the_ends_of_what_is_held_stay(times):
    data = SequenceData.from_arrays(np.zeros((1, 2, 1)), times=times[None])
    assert (data.times[0] == times).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame": "icu.csv"}, "a pandas DataFrame; received str. Read a file with"),
        ({"frame": table()[:0]}, "a table with rows; received an empty one. Check the filter"),
        ({"time": "hour"}, r"a time column 'hour'; received other .*Name it with time=.*reset_ind"),
        ({"id": "name"}, r"an id column 'name'; received other columns: .*Name the one .*id="),
        ({"target": "alive"}, r"a target column 'alive'; received other .*Name the right one"),
        ({"features": ["pulse", "bp"]}, r"columns \['pulse', 'bp'\]; received .* lacks \['bp'\]"),
        (
            {"features": "pulse"},
            r"to be a list; received 'pulse'. Give \['pulse'\]",
        ),
        ({"static": "age"}, r"static to be a list; received 'age'. Give \['age'\]"),
        ({"features": []}, "at least one feature; received none. Name some"),
        ({"features": ["pulse", "pulse"]}, "2 different feature_names; received 2"),
        ({"features": ["pulse", "died"]}, "received 'died' as both, .*Leave it out"),
        ({"static": ["died"]}, "received 'died' as both"),
        ({"static": ["dose"]}, r"one value of static column 'dose'.*\n?.*or list it in features="),
        ({"window": 0}, "window to be a whole number of at least 1; received 0. A usual"),
        ({"window": 2.5}, "received 2.5"),
        ({"window": "2"}, "received '2'"),
        (
            {"window": 2, "stride": 0},
            "stride to be a whole number of at least 1; received 0. A usual",
        ),
        ({"window": 4}, "at least window=4 rows in one sequence; received 5 rows in all. Use a"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        from_table(**changes)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("pulse", ["72", "61", "n/a", "60", "70"], "column 'pulse'; received 'n/a' in row 2. Conv"),
        (
            "pulse",
            ["7,2", "6,1", "7,0", None, "7,3"],
            r"'7,2' in row 0.*read_csv\(decimal=.,.\), or make",
        ),
        (
            "pulse",
            ["1,072", "61", "n/a", None, "7"],
            "'1,072' in row 0.*categories of it with .ast",
        ),
        ("pulse", pd.Categorical([None] * 5), "1 to 50 categories in column 'pulse'; received 0"),
        ("pulse", pd.date_range("2020", periods=5), r"received type datetime64.*total_seconds"),
        ("pulse", pd.to_timedelta(range(5), unit="h"), "received type timedelta64"),
        ("pulse", np.ones(5, complex), "received type complex128"),
        ("pulse", [72.0, np.inf, 73.0, 60.0, 70.0], "received inf in 'pulse' of sample 1"),
        ("pulse", [72.0, np.nan, 73.0, 60.0, 70.0], "received nan in 'pulse'.*missing=.keep"),
        ("patient", ["b", None, "b", "a", "b"], "an id in every row of 'patient'; received 1 miss"),
        ("patient", [1001, "1001", 1001, "1001", 1001], r"ids of one type; received \['int', 'str"),
        ("died", [1, 0, 0, 0, 1], "one value of target 'died' per sequence.*window="),
        (
            "died",
            [1, None, 1, None, 1],
            "in the last row of each sequence; received none for 1 of 2",
        ),
        ("died", [None] * 5, "in column 'died' for at least one sequence; received none"),
        ("age", [50, 40, 51, 40, 50], "static column 'age' per sequence; received 50.0 and 51.0"),
    ],
)
def test_a_column_that_cannot_be_read_is_refused(column, values, message):
    """Dates among the features would become nanoseconds since 1970."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        from_table(table(**{column: values}), static=["age"])


# -- categories ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "ward",
    [["b", "a", "b", "a", "c"], pd.array(list("babac"), "string"), pd.Categorical(list("babac"))],
    ids=["text", "string", "category"],
)
def test_each_category_is_a_feature_of_0_and_1(ward):
    data = from_table(table(ward=ward), features=["pulse", "ward", "dose"])
    assert data.feature_names == ("pulse", "ward: a", "ward: b", "ward: c", "dose")
    assert data.one_hot == ("ward: a", "ward: b", "ward: c")
    expected = [[[0, 0, 1], [0, 1, 0], [0, 1, 0]], [[1, 0, 0], [1, 0, 0], [0, 0, 0]]]
    np.testing.assert_array_equal(data.values[..., 1:4], expected)
    np.testing.assert_array_equal(data.values[0, :, 4], [6, 7, 8])


def test_a_later_table_has_the_same_features_where_the_type_lists_the_categories():
    """Also in their own order, also of numbers, and also for facts."""
    grade = pd.CategoricalDtype([3, 1, 2])
    frame = table(grade=pd.Series([3, 1, 3, 1, 3], dtype=grade), sex=list("mfmfm"))
    data = from_table(frame, static=["grade", "sex"])
    assert data.static_names == ("grade: 3", "grade: 1", "grade: 2", "sex: f", "sex: m")
    assert data.static.tolist() == [[1, 0, 0, 0, 1], [0, 1, 0, 1, 0]]
    later = from_table(frame[frame["patient"] == "a"], static=["grade"])
    assert later.static_names == data.static_names[:3]
    assert later.static.tolist() == [[0, 1, 0]]


def test_true_and_false_are_one_feature():
    data = from_table(table(fever=[True, False, True, False, False]), features=["pulse", "fever"])
    assert (data.feature_names, data.one_hot) == (("pulse", "fever"), ())
    assert data.values[..., 1].tolist() == [[0, 1, 1], [0, 0, 0]]


def test_a_missing_category_is_missing_and_is_filled_like_a_number():
    """By the last one known; a fact by the shares in training."""
    ward = ["b", None, None, "a", "c"]
    frame = table(ward=ward, sex=["m", None, "m", None, "m"])
    with pytest.raises(ValueError, match=r"received nan in 'ward: a' of sample 0.*missing=.keep"):
        from_table(frame, features=["ward"])
    data = from_table(frame, features=["ward"], static=["sex"], missing="keep")
    np.testing.assert_array_equal(data.values[0], [[0, 0, 1], [0, 1, 0], [np.nan] * 3])
    filled = replace(data, split=np.array(["train", "train"])).fill_missing()
    assert filled.values[0].tolist() == [[0, 0, 1], [0, 1, 0], [0, 1, 0]]
    assert filled.static.tolist() == [[1], [1]]


def test_standardising_leaves_categories_0_and_1():
    """A rare one would become very large; numbers beside it have mean 0."""
    frame = table(ward=list("bbbbc"), sex=list("mfmfm"))
    data = from_table(frame, features=["pulse", "ward"], static=["age", "sex"])
    data = replace(data, split=np.array(["train", "train"])).standardise()
    assert data.values[..., 1:].tolist() == from_table(frame, features=["ward"]).values.tolist()
    assert data.static.tolist() == [[1, 0, 1], [-1, 1, 0]]
    np.testing.assert_allclose(data.train.values[data.mask][:, 0].mean(), 0, atol=1e-6)


def test_more_than_50_categories_are_refused():
    names = [f"drug {number:02}" for number in range(51)]
    frame = pd.DataFrame({"t": range(51), "drug": names})
    message = (
        r"Expected 1 to 50 categories in column 'drug'; received 51\. Put rare ones together, or "
        r"give their numbers, frame\['drug'\]\.astype\('category'\)\.cat\.codes, to a model with an"
    )
    with pytest.raises(ValueError, match=message):
        SequenceData.from_frame(frame, time="t", features=["drug"])
    assert len(SequenceData.from_frame(frame[1:], time="t", features=["drug"]).feature_names) == 50


def read_words(words):
    """Read a column of text, or return the message with which it is refused."""
    frame = pd.DataFrame({"t": range(len(words)), "word": pd.Series(words, dtype=object)})
    try:
        return SequenceData.from_frame(frame, time="t", features=["word"], missing="keep")
    except ValueError as error:
        return str(error)


WORD = st.one_of(st.none(), st.sampled_from(["1", "2.5", "3,5", "a", "b"]), st.text(max_size=3))


@settings(max_examples=100)
@given(st.lists(WORD, min_size=1, max_size=6))
def test_any_text_is_its_category_or_its_number_or_is_refused(words):
    data = read_words(words)
    if isinstance(data, str):
        assert data.startswith("Expected")
        return
    for word, row in zip(words, data.values[0], strict=True):
        if word is None:
            assert np.isnan(row).all()
        elif data.one_hot:
            assert [data.feature_names[at] for at in np.flatnonzero(row)] == [f"word: {word}"]
        else:
            assert row.tolist() == [np.float32(word)]


@pytest.mark.parametrize("argument", ["id", "time"])
def test_several_columns_where_one_is_meant_are_refused(argument):
    with pytest.raises(ValueError, match=r"the name of .*; received \['pulse', 'day'\]. Name one"):
        from_table(table(), **{argument: ["pulse", "day"]})


@pytest.mark.parametrize("column", ["pulse", "day", "patient", "died"])
def test_a_column_name_that_stands_twice_is_refused(column):
    frame = pd.concat([table(), table()[[column]]], axis=1)
    with pytest.raises(ValueError, match=f"Expected a.* column '{column}'; received it twice:"):
        from_table(frame)


@pytest.mark.parametrize(
    ("died", "task", "target"),
    [
        (pd.array([1, 0, 1, 0, 1], dtype="Int64"), "binary", [1, 0]),
        (pd.array([1, 0, 1, 0, 1], dtype="boolean"), "binary", [1, 0]),
        (pd.array([1, 0, 1, 0, 1], dtype="Float64"), "regression", [1, 0]),
        (pd.array(list("yxyxy"), dtype="string"), "binary", [1, 0]),
        (pd.Categorical(list("yxyxy")), "binary", [1, 0]),
    ],
    ids=["Int64", "boolean", "Float64", "string", "category"],
)
def test_pandas_own_types_make_the_same_targets_as_numpys(died, task, target):
    data = from_table(table(died=died))
    assert (data.task, data.target.tolist()) == (task, target)


@pytest.mark.parametrize(("dtype", "task"), [("Float64", "regression"), ("Int64", "multiclass")])
def test_a_missing_last_target_does_not_change_what_the_target_is(dtype, task):
    """Shifted columns of pandas' own types keep numbers numbers and classes classes."""
    frame = panel(9)
    data = windows(frame.assign(ahead=frame["ahead"].astype(dtype)))
    assert data.task == task
    assert len(data) == 4
