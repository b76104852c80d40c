"""No target of one part reaches into another, and no patient is in two."""

import datetime

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


def test_without_the_gap_targets_do_reach_across():
    """The test above can fail."""
    data = windows(panel(40)).split_by_time(validation=16, test=28)
    assert target_steps(data.train).max() == 17


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
        ((16, 28, 50), "or shorten the gap"),
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
    data = dated().split_by_time(read("2020-01-16"), read("2020-01-28"))
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


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_parts_of_data_that_is_not_split_are_refused(part):
    with pytest.raises(ValueError, match=rf"its {part} part.*Call data.split_by_time\(...\) or"):
        getattr(SequenceData.from_arrays(np.zeros((9, 1, 1))), part)
