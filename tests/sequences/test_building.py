"""Arrays, ragged lists, token ids and tables come out of a SequenceData as they went in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences.tables import RAGGED, WORDS, from_table, panel, table, windows

from lstm_explain import SequenceData


# -- arrays and ragged lists -----------------------------------------------------------------------
@given(RAGGED)
def test_a_ragged_list_comes_back_as_it_went_in(sequences):
    """Padding stands at the end, holds 0, and what is real is unchanged."""
    data = SequenceData.from_arrays(sequences)
    assert data.lengths.tolist() == [len(s) for s in sequences]
    for values, mask, sequence in zip(data.values, data.mask, sequences, strict=True):
        np.testing.assert_array_equal(values[mask], sequence)
        np.testing.assert_array_equal(mask, np.arange(len(mask)) < len(sequence))
        np.testing.assert_array_equal(values[~mask], 0)


def test_whole_numbers_in_the_first_sequence_cut_nothing_off():
    """The type of the padded array fits all sequences, not the first."""
    data = SequenceData.from_arrays([np.array([[1], [2]]), np.array([[1.5]])])
    assert data.values[1, 0, 0] == 1.5


def test_numbers_keep_their_meaning_as_float32():
    """Booleans, integers and float64 become float32; the caller's array is left alone."""
    original = np.full((2, 3, 1), 7)
    data = SequenceData.from_arrays(original)
    data.values[:] = 0
    assert (original == 7).all()
    assert SequenceData.from_arrays(np.ones((1, 2, 1), bool)).values.dtype == np.float32


@pytest.mark.parametrize(
    ("target", "task", "names", "read"),
    [
        ([0.5, 2.0, 1.0], "regression", (), [0.5, 2.0, 1.0]),
        (np.array([1.5, 2, 3], object), "regression", (), [1.5, 2, 3]),
        ([3, 1, 3], "binary", ("1", "3"), [1, 0, 1]),
        ([True, False, True], "binary", ("False", "True"), [1, 0, 1]),
        (["up", "down", "flat"], "multiclass", ("down", "flat", "up"), [2, 0, 1]),
        (np.array([[0], [1], [1]]), "binary", ("0", "1"), [0, 1, 1]),
    ],
)
def test_floats_are_regressed_and_everything_else_is_classes(target, task, names, read):
    data = SequenceData.from_arrays(np.zeros((3, 2, 1)), target)
    assert (data.task, data.class_names, data.target.tolist()) == (task, names, read)


def test_given_class_names_fix_the_order():
    """Text is looked up; positions, also as floats, are taken as they are."""
    names = ["low", "middle", "high"]
    for target in (["high", "low"], [2, 0], [2.0, 0.0]):
        data = SequenceData.from_arrays(np.zeros((2, 2, 1)), target, class_names=names)
        assert data.target.tolist() == [2, 0]
        assert data.class_names == ("low", "middle", "high")


# -- token ids -------------------------------------------------------------------------------------
@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=5), min_size=1, max_size=5))
def test_texts_come_back_as_they_went_in(texts):
    """As ids and as words; padding is id 0 and no word."""
    data = SequenceData.from_tokens(texts, vocabulary=WORDS)
    again = SequenceData.from_tokens(data.tokens, lengths=data.lengths, vocabulary=WORDS)
    for ids, words, mask, text in zip(again.tokens, data.words, data.mask, texts, strict=True):
        assert ids[mask].tolist() == text
        assert words[mask].tolist() == [WORDS[i] for i in text]
        assert not ids[~mask].any()
        assert set(words[~mask]) <= {""}
    assert data.tokens.dtype == np.int32


# -- tables ----------------------------------------------------------------------------------------
def test_a_table_is_read_by_patient_and_day():
    """Rows in any order; each value stands at its patient's day; static and target follow."""
    data = from_table(static=["age"], units={"dose": "mg", "age": "years"})
    assert data.ids.tolist() == ["b", "a"]
    np.testing.assert_array_equal(data.values[0], [[70, 6], [72, 7], [73, 8]])
    np.testing.assert_array_equal(data.values[1], [[60, 3], [61, 4], [0, 0]])
    np.testing.assert_array_equal(data.mask, [[1, 1, 1], [1, 1, 0]])
    assert data.static.tolist() == [[50], [40]]
    assert (data.class_names, data.target.tolist()) == (("0", "1"), [1, 0])
    assert data.times[0].tolist() == [0, 2, 3]
    assert (data.units, data.static_units, data.time_name) == (("", "mg"), ("years",), "day")


@settings(max_examples=25)
@given(st.permutations(range(5)))
def test_the_order_of_rows_does_not_matter(order):
    """Nor does the frame's index, even where its labels repeat."""
    frame = table().iloc[list(order)].set_axis([0, 0, 1, 1, 1])
    data, expected = from_table(frame), from_table()
    for owner in ("a", "b"):
        one, other = data[data.ids == owner], expected[expected.ids == owner]
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.target, other.target)
        np.testing.assert_array_equal(one.times[one.mask], other.times[other.mask])


# -- windows ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("stride", [1, 3])
def test_a_window_is_its_rows_and_the_target_is_of_its_last(stride):
    data = windows(panel(12, ("a", "b")), stride=stride)
    for i in range(len(data)):
        last = data.times[i, -1]
        np.testing.assert_array_equal(data.times[i], np.arange(last - 3, last + 1))
        start = {"a": 0, "b": 100}[data.ids[i]]
        np.testing.assert_array_equal(data.values[i, :, 0], start + data.times[i])
        assert data.target[i] == last + 2
    ends = data.times[data.ids == "a", -1]
    assert ends.max() == {1: 9, 3: 8}[stride]
    assert set(np.diff(ends)) == {stride}


def test_windows_never_mix_two_owners():
    """Also where their rows alternate in the table, and one has too few rows for a window."""
    frame = panel(8, ("a", "b", "c"))
    frame = frame[(frame["id"] != "c") | (frame["t"] < 3)].sample(frac=1, random_state=0)
    data = windows(frame, target=None)
    assert data.ids.tolist().count("a") == data.ids.tolist().count("b") == 5
    assert "c" not in data.ids
    assert {tuple(w // 100) for w in data.values[..., 0]} == {(0,) * 4, (1,) * 4}


@settings(max_examples=30)
@given(st.integers(0, 23), st.integers(-1000, 1000))
def test_no_row_after_its_end_changes_a_window(changed, value):
    """The rule of no leakage, row by row: later values move neither inputs nor target."""
    frame = panel()
    other = frame.copy()
    other.loc[changed, "x"] = value
    one, two = windows(frame), windows(other)
    before = one.times[:, -1] < changed
    np.testing.assert_array_equal(one.values[before], two.values[before])
    np.testing.assert_array_equal(one.target, two.target)
    reaches = (one.times == changed).any(axis=1) & (frame["x"][changed] != value)
    assert ((one.values != two.values).any(axis=(1, 2)) == reaches).all()
