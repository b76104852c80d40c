"""Arrays that cannot be read are refused, with what was expected and where."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sequences.tables import WORDS, table

from lstm_explain import SequenceData


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
        ({"target": np.eye(2)}, r"one target per sample.*If each row marks one class.*argmax"),
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
        ({"values": np.ma.masked_less(np.ones((2, 3, 1)), 2)}, r"without masked .*filled\(np"),
        ({"values": np.full((2, 3, 1), 1e300)}, "finite values; received inf in"),
        ({"missing": "drop"}, r"missing to be one of \['error', 'keep'\]; received 'drop'. Use"),
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
        ([[2]], {"vocabulary": "good film"}, "received 'good film'. Give data.vocabulary"),
        ([[2]], {"static": 3}, r"static for 1 samples; received shape \(\)"),
    ],
)  # fmt: skip
def test_what_is_no_token_id_is_refused(tokens, options, message):
    """An id beyond the vocabulary is a silent NaN on JAX; 2**40 would become 0."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        SequenceData.from_tokens(tokens, **({"vocabulary": WORDS} | options))


START = 1.7e9  # seconds since 1970
SECONDS = START + np.arange(600.0).reshape(2, 300, 1)


@pytest.mark.parametrize(
    ("arguments", "name", "wrong"),
    [
        ({"values": SECONDS}, "clock", "205"),
        ({"values": SECONDS.astype(int)}, "clock", "205"),
        ({"values": 48.8566 + np.cumsum(np.full((2, 9, 1), 1e-5), axis=1)}, "clock", "18"),
        ({"static": SECONDS[:, 0] + np.array([[0.0], [900.0]])}, "admitted", "4"),
        ({"target": SECONDS[:, 0, 0] + np.array([0.0, 900.0])}, "target", "4"),
    ],
)
def test_digits_that_float32_loses_are_named(arguments, name, wrong):
    plain = {"values": np.ones((2, 3, 1)), "feature_names": ["clock"]}
    if "static" in arguments:
        plain["static_names"] = ["admitted"]
    message = (
        rf"Expected numbers that float32 tells apart; received '{name}' from \S+ to \S+, whose "
        rf"changes it gets wrong by {wrong}\s% on average. Take out .*: subtract the first value"
    )
    with pytest.warns(UserWarning, match=message):
        SequenceData.from_arrays(**plain | arguments)


def test_ordinary_numbers_lose_nothing_that_is_named(rng):
    """A warning is an error here. With the start subtracted, seconds are ordinary too."""
    shape = (6, 200, 1)
    ordinary = [
        rng.normal(size=shape),
        1e-30 * rng.normal(size=shape),
        rng.integers(-(2**24), 2**24, shape),
        rng.random(shape) < 0.5,
        rng.uniform(19_000, 21_000, shape).round(2),  # with cents
        20_000 + rng.normal(size=shape).cumsum(axis=1).round(2),
        SECONDS[:1, :200] - START,
        START + 86_400 * np.arange(200.0)[:, None],
        1234567.9,
        0.3 + 1e-16 * rng.normal(size=shape),  # a constant that was computed
        1 + np.exp(-np.arange(200.0))[:, None],
    ]
    for numbers in ordinary:
        values = np.broadcast_to(numbers, shape)
        data = SequenceData.from_arrays(values, values[:, 0, 0], static=values[:, 0])
        np.testing.assert_array_equal(data.values, values.astype(np.float32))
    gaps = np.where(rng.random(shape) < 0.7, np.nan, rng.normal(size=shape))
    SequenceData.from_arrays(gaps, static=np.full((6, 1), np.nan), missing="keep")
