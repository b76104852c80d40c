"""What a SequenceData says of itself, what its slices hold, and what it feeds to a model."""

from dataclasses import fields
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sequences.tables import RAGGED, WORDS, split_with_gaps

from lstm_explain import SequenceData
from lstm_explain.backend import keras


# -- arrays and ragged lists -----------------------------------------------------------------------
@given(RAGGED)
def test_lengths_mask_and_list_say_the_same(sequences):
    """Three ways to hand over padded data give equal objects, whatever stands in the padding."""
    listed = SequenceData.from_arrays(sequences)
    garbage = np.where(listed.mask[..., None], listed.values, np.nan)
    for extent in ({"mask": listed.mask}, {"lengths": listed.lengths}):
        data = SequenceData.from_arrays(garbage, **extent)
        np.testing.assert_array_equal(data.values, listed.values)
        np.testing.assert_array_equal(data.mask, listed.mask)


@given(RAGGED, st.data())
def test_slicing_slices_every_array(sequences, draw):
    """data[key] is array[key] for each field, by slice, position, list, flags and pandas flags."""
    count = len(sequences)
    data = SequenceData.from_arrays(
        sequences,
        np.arange(count) / 2,
        static=np.arange(2.0 * count).reshape(count, 2),
        ids=[f"p{i}" for i in range(count)],
        times=[np.arange(len(s)) + 10 * i for i, s in enumerate(sequences)],
    )
    flags = draw.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    position = draw.draw(st.integers(-count, count - 1))
    for key, rows in [
        (draw.draw(st.slices(count)), None),
        (flags, np.flatnonzero(flags)),
        (pd.Series(flags, dtype="boolean"), np.flatnonzero(flags)),
        (position, [position]),
        (np.int8(position), [position]),
        ([position, 0], [position, 0]),
        ([], np.zeros(0, int)),
    ]:
        chosen = data[key]
        for name in ("values", "mask", "static", "target", "ids", "times"):
            expected = getattr(data, name)[key if rows is None else rows]
            np.testing.assert_array_equal(getattr(chosen, name), expected)
        assert repr(chosen).startswith(f"SequenceData 'data': {len(chosen)} sample")


def test_repr_is_one_line_that_says_what_is_in_it():
    data = split_with_gaps().fill_missing()
    assert repr(data) == (
        "SequenceData 'data': 30 samples x 2-6 steps x 2 features + 2 static, target target, "
        "train 18 / validation 6 / test 6"
    )
    one = SequenceData.from_arrays([np.ones((2, 1)), np.ones((5, 1))], name="icu")
    assert repr(one[0]) == "SequenceData 'icu': 1 sample x 2 steps x 1 feature, not split"
    assert repr(data.test[:0]).startswith("SequenceData 'data': 0 samples x 6 steps")


@pytest.mark.parametrize(
    "key",
    [5, -6, [0, 5], None, True, ..., "a", [0.0], [True], (0, 1), np.zeros((1, 1), int), slice],
    ids=str,
)
def test_an_index_that_is_none_is_refused(key):
    """Above all `data[None]` and `data[True]`, which NumPy reads as a new axis."""
    with pytest.raises(IndexError, match=r"Expected a (position|sample).*received"):
        SequenceData.from_arrays(np.zeros((5, 2, 1)))[key]


@pytest.mark.parametrize("key", [slice("10", "12"), slice(0.0, 2), slice(None, None, 0)], ids=str)
def test_a_slice_of_anything_but_positions_is_refused(key):
    data = SequenceData.from_arrays(np.zeros((3, 2, 1)), ids=["10", "11", "12"])
    message = r"Expected a slice of positions.*received slice\(.*give a list, or flags: data\[np"
    with pytest.raises(IndexError, match=message):
        data[key]


DAYS = ["2020-03-04", "2020-03-05", "2020-03-05 12:30", "2020-03-05 12:30:10", "2020-10-20 10:00"]


@pytest.mark.parametrize(
    "ids",
    [
        np.array(DAYS, "M8[ns]"),
        np.array(DAYS, "M8[s]"),
        np.array(DAYS, "M8[ns]").astype(str),  # as an explanation keeps them
        np.array(list(map(pd.Timestamp, DAYS)), object),
        np.array(DAYS),
    ],
    ids=["nanoseconds", "seconds", "text of NumPy", "pandas", "text"],
)
def test_dates_that_are_ids_are_found_however_they_are_written(ids):
    data = SequenceData.from_arrays(np.arange(5.0)[:, None, None], ids=ids)
    for position, day in enumerate(DAYS):
        moment = pd.Timestamp(day)
        numpy = [moment.to_datetime64(), moment.to_datetime64().astype("M8[s]")]
        for key in [day, day.replace(" ", "T"), moment, moment.to_pydatetime(), *numpy]:
            assert data[key].values.ravel().tolist() == [position], key
    assert data[date(2020, 3, 5)].values.item() == 1
    both = data[pd.DatetimeIndex([DAYS[2], DAYS[0]])]
    assert both.values.ravel().tolist() == [2, 0]
    assert data[[date(2020, 3, 4), "2020-03-05T12:30"]].values.ravel().tolist() == [0, 2]
    message = r"such as one of \['2020-03-04.*received \['2020-03-06"
    with pytest.raises(IndexError, match=message):
        data[[DAYS[0], "2020-03-06"]]
    with pytest.raises(IndexError, match="these samples have no ids; received"):
        SequenceData.from_arrays(np.zeros((2, 2, 1)))[np.datetime64("2020-03-05")]


def test_the_repr_of_texts_counts_words():
    data = SequenceData.from_tokens([[2, 4], [3]], ["good", "bad"], vocabulary=WORDS)
    assert repr(data) == "SequenceData 'text': 2 samples x 1-2 words, 2 classes, not split"


# -- what a model is fed ---------------------------------------------------------------------------
def test_inputs_come_in_the_models_own_order():
    """Static first, mask last, the sequence between: told by rank, type and size."""
    data = split_with_gaps(0).fill_missing()
    model = keras.Model(
        inputs := [
            keras.Input((2,), name="static"),
            keras.Input((6, 2), name="values"),
            keras.Input((6,), dtype="bool", name="mask"),
        ],
        keras.layers.Dense(1)(inputs[0]),
    )
    for fed, expected in zip(
        data.inputs_for(model), (data.static, data.values, data.mask), strict=True
    ):
        np.testing.assert_array_equal(fed, expected)
    with pytest.raises(ValueError, match="received nan in 'feature 0'"):
        split_with_gaps().inputs_for(model)


def test_no_verb_changes_the_data_it_is_called_on():
    """SequenceData is a value: every verb returns a new one."""
    data = split_with_gaps()
    before = {f.name: np.copy(getattr(data, f.name)) for f in fields(data)}
    data.split_by_group(0.3, 0.3).fill_missing().standardise()
    for name, value in before.items():
        np.testing.assert_array_equal(value, getattr(data, name))
    with pytest.raises(AttributeError, match="cannot assign to field"):
        data.name = "other"
