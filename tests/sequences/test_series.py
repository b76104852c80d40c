"""Windows of time series with many steps ahead: no target leaks, gaps and clocks are said."""

import numpy as np
import pandas as pd
import pytest

from lstm_explain import SequenceData
from lstm_explain.sequences.series import known_ahead

HOURS = 400


def hourly(rows=HOURS, start="2024-01-01", seed=0, **columns):
    """Hours of a load that nothing tells exactly, with a temperature and a holiday a week."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=rows, freq="h")
    frame = {
        "time": times,
        "load": 100 + np.cumsum(rng.normal(size=rows)),
        "temperature": 15 + rng.normal(size=rows),
        "holiday": times.day_of_week == 6,
    }
    return pd.DataFrame(frame | columns)


def from_hours(frame=None, **changes):
    usual = {"time": "time", "target": "load", "horizon": 3, "history": 5}
    frame = hourly() if frame is None else frame
    return SequenceData.from_series(frame, **(usual | changes))


# -- windows ---------------------------------------------------------------------------------------
def test_windows_are_those_of_a_literal_loop():
    frame = hourly(60)
    data = from_hours(
        frame.sample(frac=1, random_state=1),  # in any order
        features=["temperature"], known_future=["temperature", "holiday"], stride=4,
        units={"load": "MW", "temperature": "°C"}, name="grid",
    )  # fmt: skip
    later = ["temperature, 3 h later", "holiday, 3 h later"]
    assert data.feature_names == ("load", "temperature", *later)
    assert data.units == ("MW", "°C", "°C", "")
    assert (data.target_name, data.target_unit, data.horizon) == ("load", "MW", 3)
    assert data.target_names == ("+1 h", "+2 h", "+3 h")
    assert data.ids is None
    columns = frame[["load", "temperature", "temperature", "holiday"]].to_numpy(float)
    values, targets, times = [], [], []
    for end in range(59 - 3, 3, -4):
        window = [
            [columns[t, 0], columns[t, 1], columns[t + 3, 2], columns[t + 3, 3]]
            for t in range(end - 4, end + 1)
        ]
        values.insert(0, window)
        targets.insert(0, [columns[end + k, 0] for k in (1, 2, 3)])
        times.insert(0, frame["time"][end - 4 : end + 1])
    np.testing.assert_array_equal(data.values, np.array(values, np.float32))
    np.testing.assert_array_equal(data.target, np.array(targets, np.float32))
    np.testing.assert_array_equal(data.times, np.array(times))
    assert known_ahead(data) == [2, 3]


def test_the_last_steps_of_what_is_known_ahead_are_the_time_that_is_forecast():
    frame = hourly()
    data = from_hours(frame, known_future=["temperature"], horizon=3)
    end = frame["time"].searchsorted(data.times[7, -1])
    forecast = frame["temperature"][end + 1 : end + 4].to_numpy(np.float32)
    np.testing.assert_array_equal(data.values[7, -3:, 1], forecast)


def test_a_horizon_of_one_is_a_single_target():
    data = from_hours(horizon=1, known_future=["holiday"])
    assert data.target.shape == (len(data),)
    assert (data.target_names, data.target_name) == ((), "load")
    np.testing.assert_array_equal(data.target[:-1], data.values[1:, -1, 0])
    assert data.feature_names[1] == "holiday, 1 h later"
    assert known_ahead(data) == [1]


@pytest.mark.parametrize(
    ("freq", "step", "leads", "ending"),
    [
        ("30min", None, ("+30 min", "+1 h", "+1 h 30 min"), "1 h 30 min later"),
        ("D", None, ("+1 day", "+2 days", "+3 days"), "3 days later"),
        ("7D", None, ("+1 week", "+2 weeks", "+3 weeks"), "3 weeks later"),
        ("MS", None, ("+1 month", "+2 months", "+3 months"), "3 months later"),
        ("QE", None, ("+3 months", "+6 months", "+9 months"), "9 months later"),
        ("B", "B", ("+1 business day", "+2 business days", "+3 business days"), "days later"),
        ("B", None, ("+1 business day", "+2 business days", "+3 business days"), "days later"),
        ("SMS", "SMS", ("+1 half month", "+2 half months", "+3 half months"), "months later"),
        ("HYS", "HYS", ("+1 half year", "+2 half years", "+3 half years"), "half years later"),
        ("15s", None, ("+15 s", "+30 s", "+45 s"), "45 s later"),
    ],
)
def test_leads_are_in_the_series_own_step(freq, step, leads, ending):
    frame = hourly(40).assign(time=pd.date_range("2024-01-31", periods=40, freq=freq))
    data = from_hours(frame, step=step, known_future=["holiday"])
    assert data.target_names == leads
    assert data.feature_names[1].endswith(ending)
    assert len(data) == 40 - 5 - 3 + 1
    assert known_ahead(data) == known_ahead(data.for_target(leads[1])) == [1]
    # The dates of a window do not tell the step: two weeks are no half month.
    one = from_hours(frame, step=step, known_future=["holiday"], horizon=1, history=1)
    assert one.feature_names[1] == f"holiday, {leads[0][1:]} later"
    assert known_ahead(one) == [1]


def test_days_of_one_week_alone_are_no_business_days():
    week = hourly(5).assign(time=pd.date_range("2024-01-01", periods=5))  # a Monday
    assert from_hours(week, horizon=2, history=2).target_names == ("+1 day", "+2 days")


def test_what_is_known_ahead_is_not_told_by_its_name():
    frame = hourly().assign(**{"temperature, 3 h later": lambda table: table["temperature"]})
    data = from_hours(frame, features=["temperature, 3 h later"], known_future=["holiday"])
    assert data.feature_names[1:] == ("temperature, 3 h later", "holiday, 3 h later")
    assert known_ahead(data) == [2]


def test_what_is_measured_of_later_steps_is_known_ahead_too():
    frame = hourly()
    frame.loc[::9, "temperature"] = np.nan
    data = from_hours(frame, known_future=["temperature"], missing="keep")
    data = data.split_by_time("2024-01-08", "2024-01-12").fill_missing(indicators=True)
    of_later = [at for at, name in enumerate(data.variables) if name == "temperature, 3 h later"]
    assert known_ahead(data) == of_later
    assert len(of_later) == 3


def test_numbers_count_steps():
    frame = hourly(40).assign(time=np.arange(40))
    data = from_hours(frame, known_future=["holiday"])
    assert data.target_names == ("+1 step", "+2 steps", "+3 steps")
    assert data.feature_names[1] == "holiday, 3 steps later"
    assert data.times.dtype.kind == "i"
    tenths = from_hours(frame.assign(time=np.arange(40) / 10))
    np.testing.assert_array_equal(tenths.values, from_hours(frame).values)


def several(rows=(60, 40), **columns):
    frames = [
        hourly(count, seed=seed, start=f"2024-01-0{1 + seed}", plant=f"p{seed}", height=10.0 * seed)
        for seed, count in enumerate(rows)
    ]
    return pd.concat(frames, ignore_index=True).assign(**columns)


def test_no_window_and_nothing_known_ahead_reaches_into_another_series():
    frame = several()
    data = from_hours(frame, group="plant", static=["height"], known_future=["temperature"])
    for key, one in frame.groupby("plant"):
        alone = from_hours(one, known_future=["temperature"])
        part = data[data.ids == key]
        np.testing.assert_array_equal(part.values, alone.values)
        np.testing.assert_array_equal(part.target, alone.target)
        assert set(part.static[:, 0].tolist()) == {10.0 * int(key[1])}
    assert len(data) == 60 + 40 - 2 * (5 + 3 - 1)


def test_a_series_that_is_too_short_is_left_out():
    data = from_hours(several((60, 7)), group="plant")
    assert set(data.ids) == {"p0"}


def test_categories_known_ahead_stay_categories():
    day = pd.date_range("2024-01-01", periods=60, freq="h").day_name()
    data = from_hours(hourly(60, day=day), known_future=["day"])
    assert data.feature_names[1:] == tuple(f"day: {name}, 3 h later" for name in sorted(set(day)))
    assert data.one_hot == data.feature_names[1:]
    np.testing.assert_array_equal(data.values[..., 1:].sum(axis=-1), 1)


# -- nothing leaks ---------------------------------------------------------------------------------
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("group", [None, "plant"])
def test_no_target_of_a_part_lies_in_a_window_of_another(stride, group):
    frame = hourly(200) if group is None else several((200, 150))
    data = from_hours(
        frame, group=group, stride=stride, known_future=["temperature"]
    ).split_by_time("2024-01-04", "2024-01-06")
    hour, parts = np.timedelta64(1, "h"), (data.train, data.validation, data.test)
    for early, late in ((0, 1), (1, 2), (0, 2)):
        last_target = parts[early].times[:, -1].max() + 3 * hour
        assert last_target < parts[late].times[:, 0].min()
    if stride == 1 and group is None:  # and no more is lost than that takes
        last_target = parts[0].times[:, -1].max() + 3 * hour
        assert last_target + hour == parts[1].times[:, 0].min()


@pytest.mark.parametrize("shift", [1, 3, 7])
def test_a_feature_that_is_the_target_of_later_steps_is_refused(shift):
    """Within the horizon, and beyond it as far as the window reaches back; also in other units."""
    frame = hourly()
    frame["tip"] = 2 - 1000 * frame["load"].shift(-shift)
    with pytest.raises(ValueError, match=rf"'tip', which.*'load' {shift} h later.*Leave it out"):
        from_hours(frame, features=["tip"], missing="keep")
    frame["tip"] = frame["load"].shift(shift)  # the past may be known
    assert from_hours(frame, features=["tip"], missing="keep").feature_names == ("load", "tip")


def test_what_is_known_ahead_must_not_be_the_target():
    frame = hourly(yesterday=hourly()["load"].shift(2))
    with pytest.raises(ValueError, match=r"'yesterday, 3 h later', which.*'load' 1 h later"):
        from_hours(frame, known_future=["yesterday"], missing="keep")
    frame["yesterday"] = frame["load"].shift(3)
    from_hours(frame, known_future=["yesterday"], missing="keep")
    with pytest.raises(ValueError, match=r"not known in advance; received 'load' also"):
        from_hours(known_future=["load"])


def test_a_series_that_repeats_itself_is_no_leak():
    frame = hourly(load=np.arange(HOURS) % 24.0, lag=(np.arange(HOURS) - 5) % 24.0)
    assert from_hours(frame, features=["lag"], history=30).feature_names == ("load", "lag")


# -- gaps and clocks -------------------------------------------------------------------------------
def test_missing_rows_are_missing_steps():
    frame = hourly(60).drop(index=[20, 21])
    with (
        pytest.raises(ValueError, match=r"none of 'load' at 2024-01-01T20.*one of 2 steps"),
        pytest.warns(UserWarning, match="left out"),
    ):
        from_hours(frame)
    with pytest.warns(UserWarning, match=r"4 of 53 windows were left out: in 4 'load' is missing"):
        data = from_hours(frame, missing="keep")
    gaps = np.isnan(data.values[..., 0])
    hours = pd.DatetimeIndex(data.times[gaps])
    assert set(hours.hour) == {20, 21}
    assert not np.isnan(data.target).any()
    filled = data.split_by_time("2024-01-02", "2024-01-02 12:00").fill_missing()
    assert not np.isnan(filled.values).any()


def test_windows_without_any_past_of_the_target_are_left_out():
    load = hourly(60)["load"].where((np.arange(60) < 20) | (np.arange(60) >= 26))
    with pytest.warns(UserWarning, match=r"left out: in 8 .*, in 1 at every step of the past"):
        data = from_hours(hourly(60, load=load), missing="keep")
    assert len(data) == 53 - 9


def local(zone="Europe/Berlin", start="2024-10-25", rows=24 * 7):
    times = pd.date_range(start, periods=rows, freq="h", tz="UTC").tz_convert(zone)
    return hourly(rows).assign(time=times.tz_localize(None))


def test_a_clock_that_goes_back_is_refused_and_the_remedy_works():
    frame = local()
    with pytest.raises(ValueError, match=r"once per series; received 2024-10-27T02.*twice.*infer"):
        from_hours(frame)
    clock = frame["time"].dt.tz_localize("Europe/Berlin", ambiguous="infer")
    frame["time"] = clock.dt.tz_convert("UTC").dt.tz_localize(None)
    data = from_hours(frame)
    assert (np.diff(data.times, axis=1) == np.timedelta64(1, "h")).all()


def test_a_clock_that_skips_an_hour_has_a_missing_step():
    frame = local(start="2024-03-29")
    with pytest.warns(UserWarning, match="3 of 162 windows were left out"):
        data = from_hours(frame, missing="keep")
    gaps = data.times[np.isnan(data.values[..., 0])]
    assert set(gaps.tolist()) == {np.datetime64("2024-03-31T02", "us").item()}


# -- the newest window -----------------------------------------------------------------------------
def test_the_newest_window_has_what_is_known_ahead_and_no_target():
    frame = hourly(60)
    data = from_hours(frame, known_future=["temperature"])
    data = data.split_by_time("2024-01-02", "2024-01-02 12:00").standardise()
    frame.loc[57:, "load"] = np.nan  # the three hours to forecast
    newest = from_hours(frame, known_future=["temperature"], newest=True)
    assert (len(newest), newest.target, newest.target_names) == (1, None, data.target_names)
    assert newest.times[0, -1] == frame["time"][56]
    forecast = frame["temperature"][57:].to_numpy(np.float32)
    np.testing.assert_array_equal(newest.values[0, -3:, 1], forecast)
    # The last test sample is that window: made from the whole table, and standardised with it.
    np.testing.assert_allclose(newest.standardise(like=data).values, data.test.values[-1:])
    with pytest.raises(ValueError, match=r"original units.*received some that are standardised"):
        newest.standardise(like=data).standardise(like=data)
    with pytest.raises(ValueError, match=r"with the features \['load', .*received \['load'\]"):
        from_hours(frame, newest=True).standardise(like=data)
    with pytest.raises(ValueError, match=r"'temperature' up to 3 steps after the last target"):
        from_hours(hourly(60), known_future=["temperature"], newest=True)


# -- bad input -------------------------------------------------------------------------------------
def jittered():
    minutes = pd.to_timedelta(np.random.default_rng(0).integers(0, 59, HOURS), unit="min")
    return hourly().assign(time=hourly()["time"] + minutes)


@pytest.mark.parametrize(
    ("frame", "changes", "message"),
    [
        (hourly(), {"horizon": 0}, "horizon to be a whole number of at least 1; received 0"),
        (hourly(), {"history": 2, "known_future": ["holiday"]},
         "history of at least the horizon of 3 steps.*received history=2. Give history=3"),
        (hourly(7), {}, "at least 8 steps in one series.*received at most 7 up to the last target"),
        (hourly(load=1.0), {}, "'load' that changes; received 1 in every row. Check the column"),
        (hourly(load=np.nan), {}, "'load' that changes; received no value"),
        (hourly(load="high"), {}, "numbers to forecast in column 'load'.*classes use from_frame"),
        (hourly().iloc[[*range(50), 10]], {}, "once per series; received 2024-01-01T10.*twice"),
        (hourly().iloc[::7].assign(time=jittered()["time"]), {}, "equal steps"),
        (jittered(), {}, "Expected rows at (about )?equal steps"),
        (hourly(), {"step": "2h"}, "equal steps of 2 h.*received one at 2024-01-01T01"),
        (hourly(), {"step": "soon"}, "offset of pandas that leads forward; received 'soon'"),
        (hourly().iloc[[*range(9), 300]], {}, "received 10 for 301 steps of 1 h"),
        (hourly().assign(time=np.arange(HOURS)), {"step": "h"}, "holds numbers: give a step"),
        (hourly(), {"group": "time"}, "several rows in one series; received one at most"),
        (hourly(temperature=hourly()["temperature"].where(np.arange(HOURS) < 396)),
         {"known_future": ["temperature"]},
         "known-future column 'temperature' up to the last target.*received it up to 4 steps less"),
        (hourly(), {"static": ["temperature"]}, "static column 'temperature' per sequence"),
        (hourly(), {"features": ["wind"]}, "lacks .'wind'"),
        (hourly(), {"units": {"wind": "m/s"}}, "received some for .'wind'"),
        (hourly(), {"newest": 1}, "newest to be True or False"),
        ([1, 2], {}, "Expected a pandas DataFrame; received list"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_the_remedy(frame, changes, message):
    with pytest.raises(ValueError, match=message):
        from_hours(frame, **changes)


def test_no_window_with_all_its_targets_is_refused():
    load = hourly(60)["load"].where(np.arange(60) % 3 > 0)
    with pytest.raises(ValueError, match=r"received 53 in which 'load' is missing .* 3 steps"):
        from_hours(hourly(60, load=load), missing="keep")
