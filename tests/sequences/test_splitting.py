"""No target of one part reaches into another, and no patient is in two."""

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sequences.tables import panel, windows

from lstm_explain import SequenceData


# -- splitting by time -----------------------------------------------------------------------------
def target_steps(data):
    """What the targets are about: the toy target of row i is i + 2."""
    return data.times[:, -1] + 2


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_the_gap_removes_exactly_the_targets_that_reach_across(stride):
    """Target = row + horizon: no train target lies in validation; one more row would."""
    whole = windows(panel(40), stride=stride)
    data = whole.split_by_time(validation=16, test=28, gap=2)
    assert target_steps(data.train).max() < 16
    assert target_steps(data.validation).max() < 28
    kept = data.times[:, -1]
    ends = whole.times[:, -1]
    expected = ((ends < 14) | (ends >= 16)) & ((ends < 26) | (ends >= 28))
    np.testing.assert_array_equal(kept, ends[expected])


def reached(part, horizon):
    """The steps of a part's windows and of their targets, by owner."""
    times = np.concatenate([part.times, part.times[:, -1:] + np.arange(1, horizon + 1)], axis=1)
    owners = np.zeros(len(part)) if part.ids is None else part.ids
    return {(owner, step) for owner, row in zip(owners, times, strict=True) for step in row}


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 3), st.booleans())
def test_by_default_no_window_and_no_target_reaches_into_another_part(
    window, stride, horizon, with_id
):
    """And only windows that end within a window and a horizon before a boundary are left out."""
    stride = min(stride, window)  # else the data lacks steps in between, and less is kept
    frame = panel(60, ("a", "b") if with_id else ("a",))
    frame["ahead"] = frame.groupby("id")["t"].shift(-horizon).astype(float)
    whole = windows(frame, window=window, stride=stride, id="id" if with_id else None)
    assert whole.horizon == horizon
    data = whole.split_by_time(validation=24, test=42)
    parts = [reached(part, horizon) for part in (data.train, data.validation, data.test)]
    assert len(set.union(*parts)) == sum(map(len, parts))
    ends, lost = whole.times[:, -1], window - 1 + horizon
    kept = ~np.isin(ends, [b - 1 - k for b in (24, 42) for k in range(lost)])
    np.testing.assert_array_equal(data.times[:, -1], ends[kept])


def test_a_gap_wins_unless_targets_would_reach_across():
    """With the gap of the horizon windows may share steps; with less, targets lie in the next."""
    whole = windows(panel(40))
    data = whole.split_by_time(validation=16, test=28, gap=2)
    assert data.validation.times.min() == 13
    with pytest.raises(ValueError, match=r"gap of at least the 2 steps .* received 1, .*Leave gap"):
        whole.split_by_time(validation=16, test=28, gap=1)
    told = windows(panel(40), horizon=1).split_by_time(validation=16, test=28, gap=1)
    assert told.train.times[:, -1].max() == 14


def test_the_horizon_is_as_long_as_every_sequence_is_without_a_target_at_its_end():
    """One that was broken off has no target for longer; one without any says nothing."""
    frame = panel(20, ("a", "b", "c"))
    frame.loc[(frame["id"] == "b") & (frame["t"] > 12), "ahead"] = np.nan
    frame.loc[frame["id"] == "c", "ahead"] = np.nan
    assert windows(frame).horizon == 2
    assert windows(frame.dropna()).horizon == 0
    assert windows(panel(20), target=None).horizon == 0
    whole = SequenceData.from_frame(
        panel(9).assign(ahead=1.0), time="t", features=["x"], target="ahead", id="id"
    )
    assert whole.horizon is None
    for wrong, window in ((-1, 4), (1.5, 4), (2, None)):
        with pytest.raises(ValueError, match=f"horizon of windows .*received {wrong} with window"):
            windows(panel(20), horizon=wrong, window=window)


def test_windows_in_an_array_are_told_by_the_times_that_they_share():
    """Of one owner; owners with the same clock share no window."""
    times = np.arange(40)[:, None] + np.arange(4)
    values = np.random.default_rng(0).normal(size=(40, 4, 1))
    data = SequenceData.from_arrays(values, times=times, ids=np.zeros(40))
    parts = data.split_by_time(validation=20, test=30)
    assert parts.train.times.max() == 16
    assert parts.validation.times.min() == 17
    each = SequenceData.from_arrays(values, times=times, ids=np.arange(40))
    assert len(each.split_by_time(validation=20, test=30)) == 40


def test_the_gap_counts_the_steps_of_each_sequence():
    """A weekly series beside a daily one: two of its own steps ahead are two weeks."""
    daily, weekly = panel(60, ("daily",)), panel(9, ("weekly",))
    weekly = weekly.assign(t=weekly["t"] * 7)
    frame = pd.concat([daily, weekly], ignore_index=True)
    frame["ahead"] = frame.groupby("id")["t"].shift(-2).astype(float)
    data = windows(frame, window=2).split_by_time(validation=30, test=45, gap=2)
    assert set(data.ids) == {"daily", "weekly"}
    assert data.train.target.max() < 30
    assert data.validation.target.max() < 45
    weekly = data.train.ids == "weekly"
    assert data.train.times[weekly, -1].tolist() == [7, 14]


def test_windows_of_another_calendar_do_not_reach_into_training():
    """One sequence has a step a day, another one a week: its windows begin early."""
    daily = panel(rows=140, owners=("daily",))
    weekly = panel(rows=20, owners=("weekly",)).assign(t=7 * np.arange(20))
    data = windows(pd.concat([daily, weekly]))
    split = data.split_by_time(validation=70, test=112)
    for earlier, later in (("train", "validation"), ("validation", "test")):
        first = split[split.split == later].times[:, 0].min()
        before = split[split.split == earlier]
        step = np.where(before.ids == "weekly", 7, 1)
        assert (before.times[:, -1] + 2 * step).max() == first - 1
    # The daily sequence alone loses what its own windows and targets need.
    alone = windows(daily).split_by_time(validation=70, test=112)
    assert alone.train.times[:, -1].max() == 70 - 1 - (4 - 1 + 2)


def test_the_gap_leaves_patients_alone_who_left_before():
    """Patients with one sample each: only those at the last step of all before a boundary go."""
    times = np.arange(12)[:, None] * 10 + np.arange(3)
    data = SequenceData.from_arrays(np.zeros((12, 3, 1)), times=times, ids=np.arange(12))
    kept = data.split_by_time(validation=60, test=90, gap=1)
    assert kept.ids.tolist() == [0, 1, 2, 3, 4, 6, 7, 9, 10, 11]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((30, 16), "validation to begin before test; received validation=30, test=16. Give"),
        ((16, 400), r"train, validation and test; received .*'test': 0.* data's 3 to 37, or short"),
        ((16, 28, 50), "or shorten the gap of 50 steps"),
        ((16, 28, -1), "gap to be a whole number of at least 0; received -1. Use the number"),
        ((16, 28, 1.5), "received 1.5"),
        (("2020-01-01", "2021-01-01"), "a number as boundary, as the times are; received '2020"),
    ],
)
def test_a_split_by_time_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        windows(panel(40)).split_by_time(*arguments)


def dated():
    days = pd.date_range("2020-01-01", periods=40)
    return windows(panel(40, t=days).assign(ahead=1.0))


@pytest.mark.parametrize("read", [str, pd.Timestamp, np.datetime64, datetime.date.fromisoformat])
def test_a_boundary_is_the_first_day_of_its_part(read):
    data = dated().split_by_time(read("2020-01-16"), read("2020-01-28"), gap=0)
    assert data.train.times[:, -1].max() == np.datetime64("2020-01-15")
    assert data.validation.times[:, -1].min() == np.datetime64("2020-01-16")
    assert data.test.times[:, -1].min() == np.datetime64("2020-01-28")


@pytest.mark.parametrize("boundary", [2020, "soon", pd.Timestamp("2020-01-16", tz="UTC"), None])
def test_a_boundary_that_is_no_plain_date_is_refused(boundary):
    """2020 would be 2020 nanoseconds after 1970."""
    with pytest.raises(ValueError, match=r"Expected a date without a time zone.*received .*Give"):
        dated().split_by_time(boundary, "2020-01-28")


def test_data_without_times_cannot_be_split_by_time():
    with pytest.raises(ValueError, match=r"Expected data with times .*use split_by_group"):
        SequenceData.from_arrays(np.zeros((9, 2, 1))).split_by_time(3, 6)


# -- splitting by group ----------------------------------------------------------------------------
@given(st.lists(st.integers(0, 12), min_size=30, max_size=60), st.integers(0, 5))
def test_no_patient_is_in_two_parts(owners, seed):
    """And the same seed gives the same parts, whatever the order of the samples."""
    data = SequenceData.from_arrays(np.zeros((len(owners), 1, 1)), ids=owners)
    if len(set(owners)) < 6:
        return
    split = data.split_by_group(0.3, 0.3, seed=seed)
    parts = [set(part.ids) for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set(owners))
    turned = data[::-1].split_by_group(0.3, 0.3, seed=seed)
    np.testing.assert_array_equal(turned.split, split.split[::-1])


def test_shares_are_of_the_groups_and_the_seed_decides_which():
    data = SequenceData.from_arrays(np.zeros((100, 1, 1)))
    one, two, other = (data.split_by_group(0.2, 0.3, seed=s).split for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert [(one == part).sum() for part in ("train", "validation", "test")] == [50, 20, 30]


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((0.5, 0.5), "shares between 0 and 1 that leave some .*validation=0.5, test=0.5. A usual"),
        ((0, 0.2), "validation to be a finite number above 0 and below 1; received 0. A usual"),
        ((0.01, 0.01), r"received \{'train': 9, 'validation': 0, .*9 groups are too few"),
    ],
)
def test_shares_that_leave_a_part_empty_are_refused(shares, message):
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        SequenceData.from_arrays(np.zeros((9, 1, 1))).split_by_group(*shares)


@pytest.mark.parametrize("stride", [1, 4, 9])
def test_windows_of_one_series_are_not_split_at_random(stride):
    """Neighbours would train and test, and most test windows share steps with training ones."""
    data = windows(panel(99), id=None, stride=stride)
    message = r"Expected ids, or samples that have no steps in common; .*Call split_by_time\("
    with pytest.raises(ValueError, match=message):
        data.split_by_group()
    with pytest.raises(ValueError, match=r"1 groups are too few .*; windows are split by time"):
        windows(panel(99), stride=stride).split_by_group()
    assert len(windows(panel(30, tuple("abcdefgh"))).split_by_group(0.2, 0.2).test)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows_in_an_array_without_ids_are_not_split_at_random(rng, stride):
    """Cut with sliding_window_view, where nothing but their numbers tells it."""
    series = rng.normal(size=(80, 2))
    series[5:40] = 0.0  # nothing measured: neighbours are equal at any shift
    cut = np.lib.stride_tricks.sliding_window_view(series, 4, axis=0)[::stride].swapaxes(1, 2)
    with pytest.raises(ValueError, match="received windows of one series, of which"):
        SequenceData.from_arrays(cut).split_by_group()
    SequenceData.from_arrays(cut, ids=np.arange(len(cut)) // 9).split_by_group(0.3, 0.3)
    SequenceData.from_arrays(rng.permutation(cut)).split_by_group()  # in no order: not told
    SequenceData.from_arrays(np.zeros((20, 4, 1))).split_by_group()  # constants tell nothing


@pytest.mark.parametrize(
    ("labels", "received"),
    [(["train", "dev", "test"], r"\(3,\) with \['dev', 'test', 'train'\]"),
     (["train", "", "test"], r"\['', 'test', 'train'\]"), (["train"] * 2, r"shape \(2,\) with")],
)  # fmt: skip
def test_a_label_that_is_no_part_is_refused(labels, received):
    """Its samples would be in none of the parts, without a word."""
    data = SequenceData.from_arrays(np.zeros((3, 1, 1)))
    with pytest.raises(ValueError, match=f"Expected one of .* 3 samples; .*{received}.*Give one"):
        replace(data, split=np.array(labels))


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_parts_of_data_that_is_not_split_are_refused(part):
    with pytest.raises(ValueError, match=rf"its {part} part.*Call data.split_by_time\(...\) or"):
        getattr(SequenceData.from_arrays(np.zeros((9, 1, 1))), part)
