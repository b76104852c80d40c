"""What enters a SequenceData, what is refused, and that nothing leaks from later rows or parts."""

import datetime
from dataclasses import fields, replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_explain import SequenceData
from lstm_explain.backend import keras

NUMBERS = st.floats(-1e6, 1e6, width=32)
RAGGED = st.integers(1, 3).flatmap(
    lambda features: st.lists(
        st.integers(1, 5).flatmap(
            lambda steps: hnp.arrays(np.float32, (steps, features), elements=NUMBERS)
        ),
        min_size=1,
        max_size=6,
    )
)


def table(**columns):
    """Two patients with three and two visits, out of order; columns can be replaced or added."""
    frame = {
        "patient": ["b", "a", "b", "a", "b"],
        "day": [2, 1, 3, 0, 0],
        "pulse": [72.0, 61.0, 73.0, 60.0, 70.0],
        "dose": [7.0, 4.0, 8.0, 3.0, 6.0],
        "age": [50, 40, 50, 40, 50],
        "died": [1, 0, 1, 0, 1],
    }
    return pd.DataFrame(frame | columns)


def from_table(frame=None, **changes):
    """Read the table of patients with the usual arguments, some of them changed."""
    usual = {"id": "patient", "time": "day", "features": ["pulse", "dose"], "target": "died"}
    return SequenceData.from_frame(table() if frame is None else frame, **(usual | changes))


def panel(rows=24, owners=("a",), **columns):
    """One row per step and owner; the target of row i is i + 2, two steps ahead."""
    frames = [
        pd.DataFrame({"id": owner, "t": np.arange(rows), "x": 100.0 * k + np.arange(rows)})
        for k, owner in enumerate(owners)
    ]
    frame = pd.concat(frames, ignore_index=True).assign(**columns)
    position = frame.groupby("id").cumcount()
    return frame.assign(ahead=(position + 2.0).where(position < rows - 2))


def windows(frame, **options):
    usual = {"time": "t", "features": ["x"], "target": "ahead", "id": "id", "window": 4}
    return SequenceData.from_frame(frame, **(usual | options))


def split_with_gaps(missing_share=0.2, samples=30):
    """Padded data with NaN, static facts and a split by group."""
    rng = np.random.default_rng(5)
    sequences = [rng.normal(3, 2, size=(rng.integers(2, 7), 2)) for _ in range(samples)]
    for sequence in sequences:
        sequence[rng.random(sequence.shape) < missing_share] = np.nan
    static = rng.normal(size=(samples, 2))
    static[::7, 1] = np.nan
    return SequenceData.from_arrays(
        sequences, rng.normal(size=samples), static=static, missing="keep"
    ).split_by_group(0.2, 0.2)


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


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-3, 3)
        | st.floats()
        | st.text(max_size=2)
        | st.dates()
        | hnp.arrays(
            st.sampled_from([np.float64, np.complex128, bool, "datetime64[D]", "U2", object]),
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=1), inner),
        max_leaves=8,
    ),
    st.sampled_from(["values", "target", "lengths", "mask", "static", "times", "ids"]),
)
@settings(max_examples=400)
def test_any_input_is_read_or_refused_with_what_was_expected(thing, argument):
    """No input ends in another exception, in a warning, or in data that break the promises."""
    arguments = {"values": np.ones((2, 3, 1))} | {argument: thing}
    try:
        data = SequenceData.from_arrays(**arguments)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith("Expected")
        return
    assert data.values.dtype == np.float32
    assert data.mask.dtype == bool
    assert data.mask[:, 0].all()
    assert np.isfinite(data.values).all()
    assert (np.diff(data.mask.astype(int), axis=1) <= 0).all()
    assert repr(data[:0]).startswith("SequenceData 'data': 0 samples x")


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
    ("arguments", "message"),
    [
        ({"values": np.zeros((2, 3))}, r"\(sample, time, feature\); received shape \(2, 3\). For"),
        ({"values": np.zeros((2, 3, 0))}, r"at least one feature; received values of .*Check the"),
        ({"values": np.zeros((0, 3, 1))}, "at least one sample; received none. Check the filter"),
        ({"values": np.zeros((2, 0, 1))}, "at least one real step per sample; received all steps"),
        ({"values": []}, "at least one sequence; received none. Check the filter"),
        ({"values": 3}, r"a list of arrays \(time, feature\); received int. Give an array"),
        ({"values": "abc"}, "received str. Give an array"),
        ({"values": {"a": 1}}, "received dict. Give an array"),
        ({"values": table()}, r"received shape \(5, 6\).*use from_frame"),
        ({"values": [1.0, 2.0]}, r"shape \(time, feature\); received shapes \[\(\)\]. Give each"),
        ({"values": [[1.0, 2.0]]}, r"received rank 1. Use sequence\[:, None\] for one"),
        ({"values": [[[1, 2], [3]]]}, "equally long; received a nested list .*Give arrays"),
        (
            {"values": [np.ones((2, 2)), np.ones((2, 3))]},
            r"the same features.*received shapes \[\(2, 2\), \(2, 3\)\]. Give each",
        ),
        (
            {"values": [np.ones((2, 1)), np.array([["2020-01-01"]], "datetime64[D]")]},
            r"of one type; received \['datetime64\[D\]', 'float64'\]. Convert them to float",
        ),
        ({"values": np.full((1, 2, 1), "a")}, "numbers in values; received type <U1. Convert"),
        ({"values": np.full((1, 2, 1), None)}, "numbers in values; received type object. Convert"),
        ({"values": [np.zeros((0, 1))]}, "received all steps masked in 1 samples.*Drop them"),
        ({"lengths": [3, 4]}, r"shape \(2,\), whole numbers from 1 to 3.*\[3, 4\]. Drop"),
        ({"lengths": [3, 0]}, r"received .*\[3, 0\]. Drop empty"),
        ({"lengths": [3.0, 2.0]}, "received shape .* type float64"),
        ({"lengths": [3]}, r"lengths of shape \(2,\).*received shape \(1,\)"),
        ({"lengths": [3, 3], "mask": np.ones((2, 3))}, "lengths or mask; received both. Give one"),
        ({"mask": np.ones((2, 4))}, r"mask of shape \(2, 3\) .*received \(2, 4\). Give one flag"),
        ({"mask": np.full((2, 3), 0.5)}, r"mask of True .*received type float64. Compare first"),
        ({"mask": np.array([[0, 0, 0], [1, 1, 1]])}, "all steps masked in 1 samples, .*position 0"),
        (
            {"mask": np.array([[1, 1, 1], [0, 1, 1]])},
            r"right padding\); received a masked step .*first at position 1.*padding=\"post\"",
        ),
        ({"feature_names": ["a", "b"]}, r"1 different feature_names; received 2: .*Name each"),
        ({"units": {"pulse": "1/min"}}, r"received some for \['pulse'\]. Use the feature names"),
        ({"static": np.ones((3, 1))}, r"static for 2 samples; received shape \(3, 1\). Give one"),
        ({"static": np.ones(2)}, r"received \(2,\), type float64. For one .*static\[:, None\]"),
        ({"static": np.array([["a"], ["b"]])}, "received .*type <U1.*encode categories"),
        ({"static": np.array([[1.0], [np.inf]])}, "received inf in 'static 0' of sample 1"),
        ({"static": np.ones((2, 2)), "static_names": ["x", "x"]}, "2 different static_names"),
        ({"target": [1.0]}, r"target for 2 samples; received shape \(1,\). Give one entry"),
        ({"target": 1.0}, r"target for 2 samples; received shape \(\)"),
        ({"target": np.eye(2)}, r"one target per sample.*Use class positions.*argmax"),
        ({"target": [1.0, np.nan]}, "a target for every sample; received 1 missing. Drop"),
        ({"target": [None, "a"]}, "a target for every sample; received 1 missing. Drop"),
        ({"target": [1.0, 1e39]}, "finite targets; received infinity. Drop"),
        ({"target": np.array([1, "a"], object)}, r"of one type; received \['int', 'str'\]. Conv"),
        ({"target": np.zeros(2, "datetime64[D]")}, "received type datetime64.*Convert dates"),
        ({"target": ["x", "z"], "class_names": ["x", "y"]}, r"among class_names=\['x', 'y'\]"),
        ({"target": [0, 2], "class_names": ["x", "y"]}, r"0 to 1; received \[0, 2\]. Name every"),
        ({"target": [0, np.inf], "class_names": ["x", "y"]}, "0 to 1; received"),
        ({"target": [0, 1], "class_names": ["x", "x"]}, "2 different class_names; received 2"),
        ({"ids": [1]}, r"ids for 2 samples; received shape \(1,\). Give one entry"),
        ({"ids": [1.0, np.nan]}, r"one id per sample; received shape \(2,\) with 1 missing. Drop"),
        ({"ids": np.array([1, "1"], object)}, r"ids of one type; received \['int', 'str'\]. Conv"),
        ({"times": np.zeros((2, 4))}, r"times of shape \(2, 3\).*received \(2, 4\). Give one time"),
        ({"times": [[2, 1, 3], [1, 2, 3]]}, "increasing order .*first at position 0. Sort"),
        ({"times": [["2", "10", "9"]] * 2}, r"in times; received '2'.*pandas.to_datetime"),
        ({"times": [[0, 1, np.nan]] * 2}, "a time for every step in times; received 2 missing"),
        ({"missing": "drop"}, "missing to be \"error\" or \"keep\"; received 'drop'. Use"),
    ],
)  # fmt: skip
def test_arrays_that_cannot_be_read_are_refused(arguments, message):
    """Expected, received, remedy."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        SequenceData.from_arrays(**({"values": np.ones((2, 3, 1))} | arguments))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
def test_values_that_are_not_finite_are_named_with_their_place(bad):
    """1e39 is a number for NumPy and infinity for the model."""
    values = np.ones((3, 4, 2))
    values[2, 1, 1] = bad
    with pytest.raises(
        ValueError, match=r"received \S+ in 'dose' of sample 2 \(1 such cells\). For missing"
    ):
        SequenceData.from_arrays(values, feature_names=["pulse", "dose"])
    on_padding = SequenceData.from_arrays(values, lengths=[4, 4, 1])
    np.testing.assert_array_equal(on_padding.values[2], [[1, 1], [0, 0], [0, 0], [0, 0]])


def test_keep_accepts_nan_but_not_infinity():
    values = np.array([[[np.nan], [2.0]]])
    data = SequenceData.from_arrays(values, missing="keep")
    np.testing.assert_array_equal(data.values, values)
    with pytest.raises(ValueError, match=r"received nan in 'feature 0'.*call data.fill_missing"):
        data.check_complete()
    with pytest.raises(ValueError, match="received inf in 'feature 0' of sample 0"):
        SequenceData.from_arrays(np.array([[[np.inf], [np.nan]]]), missing="keep")


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


# -- token ids -------------------------------------------------------------------------------------
WORDS = ["", "[UNK]", "good", "bad", "film"]


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


@pytest.mark.parametrize(
    ("tokens", "options", "message"),
    [
        ("good film", {}, r"tokens of shape \(sample, time\), .*received str. Give an array"),
        (None, {}, "received NoneType. Give an array"),
        ([2, 4], {}, r"received shapes \[\(\)\]"),
        (np.array([2, 4]), {}, r"received shape \(2,\). For one sequence use tokens\[None\]"),
        ([[[2]]], {}, "received rank 2. Use one array per text"),
        ([["good"]], {}, "token ids as whole numbers; received type <U4. Turn words into ids"),
        ([[2.0]], {}, "received type float64"),
        ([[2], []], {}, "received all steps masked in 1 samples, the first at position 1. Drop"),
        ([[5]], {}, "token ids from 0 to 4; received 5 to 5. Use the vocabulary that made"),
        ([[-1]], {}, "received -1 to -1"),
        ([[2**40]], {"vocabulary": ()}, "the size of the vocabulary; received 1099511627776"),
        ([[2]], {"vocabulary": "good film"}, "a vocabulary of words; received one text. Give"),
        ([[2]], {"static": 3}, r"static for 1 samples; received shape \(\)"),
    ],
)  # fmt: skip
def test_what_is_no_token_id_is_refused(tokens, options, message):
    """An id beyond the vocabulary is a silent NaN on JAX; 2**40 would become 0."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        SequenceData.from_tokens(tokens, **({"vocabulary": WORDS} | options))


def test_the_repr_of_texts_counts_words():
    data = SequenceData.from_tokens([[2, 4], [3]], ["good", "bad"], vocabulary=WORDS)
    assert repr(data) == "SequenceData 'text': 2 samples x 1-2 words, 2 classes, not split"


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
        ({"features": ["pulse", "bp"]}, r"columns \['pulse', 'bp'\]; the table lacks \['bp'\]"),
        ({"features": "pulse"}, r"a list of columns; received the text 'pulse'. Use \['pulse'\]"),
        ({"static": "age"}, r"received the text 'age'. Use \['age'\]"),
        ({"features": []}, "at least one feature; received none. Name some"),
        ({"features": ["pulse", "pulse"]}, "2 different feature_names; received 2"),
        ({"features": ["pulse", "died"]}, "received 'died' as both, .*Leave it out"),
        ({"static": ["died"]}, "received 'died' as both"),
        ({"static": ["dose"]}, r"one value of static column 'dose'.*\n?.*or list it in features="),
        ({"window": 0}, "window and stride in whole rows, at least 1; received window=0"),
        ({"window": 2.5}, "received window=2.5"),
        ({"window": "2"}, "received window='2'"),
        ({"window": 2, "stride": 0}, "received window=2, stride=0. A usual choice"),
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
        ((16, 28, -1), "gap in whole steps, 0 or more; received -1. Use the number"),
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
        ((0, 0.2), "received validation=0, test=0.2"),
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


# -- standardising and missing values --------------------------------------------------------------
def test_training_steps_have_mean_0_and_deviation_1():
    """Over real steps only: padding counts in neither."""
    data = split_with_gaps(0).fill_missing().standardise()
    real = data.train.values[data.train.mask]
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-6)  # float32
    np.testing.assert_allclose(real.std(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(data.train.static.std(axis=0), 1, rtol=1e-6)
    np.testing.assert_array_equal(data.values[~data.mask], 0)


def test_display_gives_the_original_units_back():
    """After standardising once or twice; NaN on padding."""
    raw = split_with_gaps().fill_missing()
    for data in (raw.standardise(), raw.standardise().standardise()):
        # Rounded to the digits that float32 holds of each feature's largest value.
        np.testing.assert_allclose(
            data.display_values[data.mask], raw.values[raw.mask], rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(data.display_static, raw.static, rtol=1e-5, atol=1e-6)
        assert np.isnan(data.display_values[~data.mask]).all()
    assert SequenceData.from_arrays(np.zeros((1, 1, 1))).display_static is None


@pytest.mark.parametrize("part", ["validation", "test"])
def test_other_parts_change_no_statistic(part):
    """Means, deviations and what is filled in come from training samples alone."""
    data = split_with_gaps()
    elsewhere = data.split == part
    values, static = data.values.copy(), data.static.copy()
    values[elsewhere] = values[elsewhere] * 50 + 1000 * data.mask[elsewhere][..., None]
    static[elsewhere] += 1000
    moved = replace(data, values=values, static=static)
    one, two = (d.fill_missing().standardise() for d in (data, moved))
    for name in ("center", "scale", "static_center", "static_scale"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.values[~elsewhere], two.values[~elsewhere])


def test_statistics_do_follow_the_training_part():
    """The test above can fail."""
    data = split_with_gaps(0).fill_missing()
    values = np.where((data.split == "train")[:, None, None], data.values * 2, data.values)
    moved = replace(data, values=values).standardise()
    np.testing.assert_allclose(moved.scale, 2 * data.standardise().scale)


@pytest.mark.parametrize(("constant", "width"), [(0.1, 0), (1234567.9, 0), (0, 1e-15), (1e6, 10)])
def test_a_constant_feature_is_only_centred_and_a_small_one_is_scaled(constant, width, rng):
    """Told apart exactly: neither rounding nor smallness makes a feature constant or not."""
    values = constant + width * rng.normal(size=(20, 3, 1))
    data = SequenceData.from_arrays(values).split_by_group(0.2, 0.2).standardise()
    if width:
        np.testing.assert_allclose(data.train.values.std(), 1, rtol=1e-2)
    else:
        assert data.scale.tolist() == [1]
        np.testing.assert_allclose(data.values, 0, atol=1e-6)


def test_missing_values_take_the_last_measured_else_the_training_mean():
    values = np.array([[1.0, np.nan, 3], [np.nan, 5, np.nan], [9, np.nan, np.nan], [np.nan] * 3])
    data = SequenceData.from_arrays(values[..., None], lengths=[3, 3, 2, 3], missing="keep")
    split = replace(data, split=np.array(["train", "train", "validation", "test"]))
    filled = split.fill_missing()
    expected = [[1, 1, 3], [3, 5, 5], [9, 9, 0], [3, 3, 3]]  # the training mean of 1, 3, 5 is 3
    np.testing.assert_array_equal(filled.values[..., 0], expected)
    filled.check_complete()


@settings(max_examples=40)
@given(hnp.arrays(np.float32, (5, 6, 2), elements=st.floats(-5, 5, width=16)), st.data())
def test_filling_never_looks_ahead(values, draw):
    """What is filled in at a step does not change when later steps of its sequence do."""
    missing = draw.draw(hnp.arrays(bool, values.shape))
    missing[0] = False
    cut = draw.draw(st.integers(1, 5))
    values = np.where(missing, np.nan, values)
    later = values.copy()
    later[4, cut:] = 77
    split = np.array(["train", "train", "train", "validation", "test"])
    one, two = (
        replace(SequenceData.from_arrays(v, missing="keep"), split=split).fill_missing()
        for v in (values, later)
    )
    np.testing.assert_array_equal(one.values[:, :cut], two.values[:, :cut])
    real = ~np.isnan(values)
    np.testing.assert_array_equal(one.values[real], values[real])


@pytest.mark.parametrize("verb", ["standardise", "fill_missing"])
def test_means_need_training_samples(verb):
    """Before the split they would be over test samples too; on a slice there may be none."""
    data = split_with_gaps()
    with pytest.raises(ValueError, match=r"Expected split data .*Call data.split_by_time"):
        getattr(replace(data, split=None), verb)()
    with pytest.raises(ValueError, match=r"none, only \['test'\]. Call it on the whole data"):
        getattr(data.test, verb)()
    never = replace(data, values=np.where([True, False], np.nan, data.values))
    with pytest.raises(ValueError, match=r"received no value of \['feature 0'\]. Drop those"):
        getattr(never, verb)()


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
