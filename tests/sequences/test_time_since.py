"""Where steps are uneven, "since measured" is counted in time; where they are even, in steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import charts

from lstm_explain import SequenceData

NAN = np.nan
CHART = np.array([[NAN, 4.0, NAN, NAN], [1.0, NAN, 2.0, NAN]])[..., None]
START = np.datetime64("2020-03-01T06:00", "m")


def filled(times, values=CHART, **options):
    usual = {"feature_names": ["lactate"], "missing": "keep", "time_name": "hour"}
    data = SequenceData.from_arrays(values, times=times, **(usual | options))
    split = np.resize(["train"], len(data))
    return replace(data, split=split).fill_missing(indicators=True)


def since(data):
    return data.values[..., 2].tolist()


HOURS = np.array([[0.0, 0.5, 3, 10], [5, 7, 8, 20]])
MINUTES = START + (60 * HOURS).astype("m8[m]")
DAYS = (START + (24 * 60 * 2 * HOURS).astype("m8[m]")).astype("M8[D]")


@pytest.mark.parametrize(
    ("times", "unit", "expected"),
    [
        (HOURS, "hour", [[0, 0, 2.5, 9.5], [0, 2, 0, 12]]),
        (MINUTES.astype("M8[ns]"), "hours", [[0, 0, 2.5, 9.5], [0, 2, 0, 12]]),
        (DAYS, "days", [[0, 0, 5, 19], [0, 4, 0, 24]]),
        (HOURS + 0.25, "hour", [[0, 0, 2.5, 9.5], [0, 2, 0, 12]]),
    ],
    ids=["numbers", "clock", "dates", "shifted"],
)
def test_uneven_steps_are_counted_in_time(times, unit, expected):
    """From the first step on where nothing was measured yet; "measured" tells that apart."""
    data = filled(times)
    assert data.feature_names == ("lactate", "lactate: measured", "lactate: time since measured")
    assert data.parts == ("value", "measured", "time since measured")
    assert data.units == ("", "", unit)
    assert since(data) == expected


def test_uneven_steps_may_be_called_steps():
    data = filled(HOURS, time_name="steps")
    assert since(data) == [[0, 0, 2.5, 9.5], [0, 2, 0, 12]]
    assert (data.parts[2], data.units[2]) == ("time since measured", "steps")


@pytest.mark.parametrize(
    "times",
    [
        None,
        np.tile(np.arange(4), (2, 1)),
        np.array([[0.1, 0.2, 0.3, 0.4], [7.1, 7.2, 7.3, 7.4]]),
        START.astype("M8[s]") + np.arange(4) * np.timedelta64(90, "s") + np.zeros((2, 1), "m8[s]"),
    ],
    ids=["none", "whole", "tenths", "clock"],
)
def test_even_steps_are_counted_as_ever(times):
    """So that a model that learned from steps reads the same numbers."""
    data = filled(times)
    assert since(data) == [[1, 0, 1, 2], [0, 1, 0, 1]]
    assert data.feature_names[2] == "lactate: steps since measured"
    assert data.units[2] == "steps"


def test_the_last_millionth_decides_what_is_even():
    even = np.tile(np.arange(4.0), (2, 1))
    for share, part in ((0.9e-6, "steps since measured"), (1.1e-6, "time since measured")):
        times = even.copy()
        times[1, 3] += share
        assert filled(times).parts[2] == part


def test_only_training_steps_decide():
    times = np.tile(np.arange(4.0), (3, 1))
    times[2] = [0, 9, 10, 40]
    values = np.concatenate([CHART, CHART[:1]])
    data = SequenceData.from_arrays(values, times=times, missing="keep")
    split = np.array(["train", "train", "test"])
    steps = replace(data, split=split).fill_missing(indicators=True)
    assert steps.parts[2] == "steps since measured"
    assert since(steps)[2] == [1, 0, 1, 2]
    time = replace(data, split=split[::-1]).fill_missing(indicators=True)
    assert since(time) == [[0, 0, 1, 2], [0, 1, 0, 1], [0, 0, 1, 31]]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50)), min_size=2, max_size=9))
def test_the_time_since_against_a_loop(steps):
    """Of a shorter sequence too, whose padding stays 0."""
    clock = np.cumsum([step for _, step in steps])
    chart = np.array([[7.0 if known else NAN] for known, _ in steps])
    uneven = np.array([0.0, 1.0, 100.0])
    data = filled([clock, uneven], [chart, np.array([[1.0], [NAN], [NAN]])])
    last, expected = clock[0], []
    for (known, _), moment in zip(steps, clock, strict=True):
        last = moment if known else last
        expected.append(moment - last)
    assert since(data)[0][: len(steps)] == expected
    assert since(data)[1][:3] == [0, 1, 100]
    assert not data.values[~data.mask].any()


def test_a_change_before_filling_is_the_change_after_it_in_time_too(rng):
    raw = charts()
    gaps = rng.choice([0.25, 1, 6], size=raw.mask.shape)
    raw = replace(raw, times=np.where(raw.mask, np.cumsum(gaps, axis=1), 0), time_name="hour")
    prepared = raw.fill_missing(indicators=True).standardise()
    assert prepared.parts[-1] == "time since measured"
    row = int(np.flatnonzero(raw.split == "test")[0])
    for value, steps in ((9.5, 2), (None, [0, 1, 3])):
        values = raw.values.copy()
        values[row, steps, 0] = NAN if value is None else value
        expected = replace(raw, values=values).fill_missing(indicators=True).standardise()[row]
        changed = prepared[row].change("lactate", value, steps)
        # float32, standardised and back.
        np.testing.assert_allclose(changed.values, expected.values, atol=1e-5)
        assert np.abs(changed.values - prepared[row].values).max() > 0.01
