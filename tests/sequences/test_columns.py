"""Which columns of a table can be read as numbers, times and targets."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sequences.tables import from_table, panel, table, windows


@pytest.mark.parametrize(
    "pulse",
    [
        pd.array([72, 61, 73, None, 70], dtype="Int64"),
        pd.array([72, 61, 73, None, 70], dtype="Float64"),
        pd.array(["72", "61", "73", None, "70"], dtype="string"),
        pd.Categorical([72, 61, 73, None, 70]),
        [Decimal(72), 61, 73.0, None, 70],
    ],
    ids=["Int64", "Float64", "string", "category", "object"],
)
def test_every_kind_of_number_column_is_read(pulse):
    """Missing is NaN, not a large number, a category's position, or an exception."""
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
        ("pulse", pd.Categorical(list("abcab")), "received 'a' in row 0.*encode its categories"),
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


@pytest.mark.parametrize("argument", ["target", "id", "time"])
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
