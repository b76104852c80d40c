"""What stands for "absent": which rows, how they are cut and held, and what is refused."""

import dataclasses

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain as lx
from lstm_explain import Background, SequenceData
from lstm_explain.backend import keras


def ragged(lengths=(2, 4, 3), features=2):
    """Sequences whose cell at step t of sample i is 100 i + 10 t + feature."""
    cells = [
        100.0 * i + 10 * np.arange(n)[:, None] + np.arange(features) for i, n in enumerate(lengths)
    ]
    return SequenceData.from_arrays(cells)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(1, 9))
def test_longer_rows_are_cut_and_shorter_ones_hold_their_last_value(lengths, num_steps):
    """By the rule, cell by cell: step t of row i is step min(t, its last) of that sequence."""
    rows = Background.from_data(ragged(lengths)).rows_for(num_steps)
    assert rows.shape[1] == num_steps
    for i, row in enumerate(rows):
        for t, cells in enumerate(row):
            step = min(t, lengths[i] - 1)
            np.testing.assert_array_equal(cells, [100 * i + 10 * step, 100 * i + 10 * step + 1])


def test_no_row_falls_back_to_the_zeros_of_its_padding():
    """Padding is no value of anybody: it must never stand for "absent"."""
    values = Background.from_data(tiny.padded().train).values
    assert (tiny.padded().train.values == 0).all(axis=2).any(), "there is padding to fall back to"
    assert not (values == 0).all(axis=2).any()


def test_all_rows_are_used_where_they_are_few():
    """In their order, nothing drawn: seed is None, static facts beside them."""
    data = tiny.padded(static=True)
    background = Background.from_data(data.train)
    assert len(background) == 36
    assert background.seed is None
    assert background.description == "36 train sequences"
    np.testing.assert_array_equal(background.static, data.train.static)
    np.testing.assert_array_equal(background.values[:, 0], data.train.values[:, 0])


def test_the_choice_of_rows_is_seeded_and_said():
    """The same seed takes the same rows, without repetition, static facts with their sequence."""
    data = tiny.padded(static=True).train
    one, two, other = (Background.from_data(data, rows=10, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(one.values, two.values)
    assert (one.values != other.values).any()
    assert (one.description, one.seed) == ("10 of 36 train sequences", 3)
    owners = [np.flatnonzero((data.values[:, 0] == row[0]).all(axis=1)) for row in one.values]
    assert len({int(owner) for [owner] in owners}) == 10
    np.testing.assert_array_equal(one.static, data.static[np.concatenate(owners)])


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (tiny.padded().train[:1], "1 train sequence"),
        (tiny.padded()[:50], "50 sequences"),
        (ragged(), "3 sequences"),
        (ragged((2,)), "1 sequence"),
    ],
)
def test_the_description_says_which_rows(data, description):
    """It stands on every plot: how many, of which part; a mixture of parts is not called train."""
    assert Background.from_data(data).description == description


def test_the_mean_is_over_real_steps_by_step():
    """By hand: lengths 2, 4, 3; the last step is known from one sequence only."""
    background = Background.mean(ragged())
    expected = [[100, 101], [110, 111], [170, 171], [130, 131]]
    np.testing.assert_array_equal(background.values, [expected])
    assert background.description == "mean of 3 sequences"
    assert Background.mean(ragged((2,))).description == "mean of 1 sequence"


def test_the_mean_of_short_sequences_is_held_to_the_end():
    """After slicing no sequence may reach the end of the array."""
    background = Background.mean(ragged()[:1])
    np.testing.assert_array_equal(background.values[0, :, 0], [0, 10, 10, 10])


def test_the_mean_takes_static_facts_with_it():
    data = tiny.padded(static=True).train
    np.testing.assert_allclose(Background.mean(data).static, [data.static.mean(axis=0)], rtol=1e-6)


def resolve(background, data=None):
    return Background.resolve(background, ragged() if data is None else data)


def test_words_are_one_row_of_zeros():
    """For standardised data 0 is the training mean, and is called so."""
    raw = tiny.padded("regression", static=True)
    zero, mean = resolve("zero", raw), resolve("mean", raw.standardise())
    for background, description in ((zero, "zero"), (mean, "the training mean")):
        np.testing.assert_array_equal(background.values, np.zeros((1, 6, 3)))
        np.testing.assert_array_equal(background.static, np.zeros((1, 2)))
        assert background.description == description


def test_what_may_be_passed_is_read_as_rows():
    """Data, a Background, one array (time, feature) or several: the same rows."""
    data = ragged((3, 3))
    made = Background.from_data(data)
    assert resolve(made) is made
    np.testing.assert_array_equal(resolve(data).values, data.values)
    np.testing.assert_array_equal(resolve(data.values.astype(int)).values, data.values)
    np.testing.assert_array_equal(resolve(data.values[0]).values, data.values[:1])
    assert resolve(data.values).description == "2 given sequences"
    assert resolve(data.values[0]).description == "1 given sequence"


def named(names, values=3.0):
    data = SequenceData.from_arrays(np.full((9, 2, 2), values), feature_names=names)
    return data.split_by_group(0.2, 0.2)


def scaled(rng, size):
    data = SequenceData.from_arrays(rng.normal(5, size, (20, 3, 1)))
    return data.split_by_group(0.2, 0.2)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        (None, "a background to compare with; received None. Pass background=data.train"),
        ("average", "received 'average'. Pass background=data.train"),
        ("mean", "\"mean\" for standardised data; received 'mean'. Pass .*Background.mean"),
        (np.zeros(3), r"\(row, time, feature\), .*; received \(3,\). Pass background=data.train"),
        (np.zeros((0, 4, 2)), r"received \(0, 4, 2\). Pass"),
        (np.zeros((1, 4, 3)), r"2 features \(\['feature 0', 'feature 1'\]\); received 3. Use"),
        (
            np.full((1, 4, 2), np.inf),
            "finite background values, .*; received NaN, infinity",
        ),
        (np.full((1, 4, 2), "a"), "received NaN, infinity or text, type <U1. Fill or remove them"),
        (
            ragged()[:0],
            "at least one background sequence .*; received none. Use",
        ),
        (ragged(features=3), "a background with 2 features .*received 3. Use sequences"),
        (
            SequenceData.from_arrays(np.full((1, 2, 2), np.nan), missing="keep"),
            "finite values; received nan in 'feature 0' of sample 0.*fill_missing",
        ),
    ],
)
def test_a_background_that_does_not_fit_is_refused(background, message):
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        resolve(background)


@pytest.mark.parametrize("background", [3, [[1.0, 2.0]], {"rows": 1}])
def test_a_background_of_another_type_is_refused(background):
    with pytest.raises(TypeError, match=r"Expected background to be .*received (int|list|dict)"):
        resolve(background)


def test_static_facts_must_be_there_on_both_sides():
    """An array has none; data with more or fewer do not fit."""
    with_static, without = tiny.padded(static=True), tiny.padded()
    with pytest.raises(ValueError, match=r"with static facts, .*received an array. Pass Sequence"):
        resolve(without.values, with_static)
    with pytest.raises(ValueError, match=r"with 2 static facts; received 0. Use sequences"):
        resolve(without, with_static)
    with pytest.raises(ValueError, match=r"with 0 static facts; received 2. Use sequences"):
        resolve(with_static, without)


def test_features_in_another_order_are_refused():
    """Pulse read as dose would go unnoticed: the sizes fit."""
    with pytest.raises(ValueError, match=r"in the order \['a', 'b'\]; received \['b', 'a'\]. Make"):
        resolve(named(["b", "a"]), named(["a", "b"]))
    assert len(resolve(named(["a", "b"]), named(["a", "b"]))) == 9


def test_rows_in_other_units_are_refused(rng):
    """Raw numbers beside standardised data are hundreds of deviations away from anybody."""
    raw, other = scaled(rng, 2), scaled(rng, 30)
    data = raw.standardise()
    for background in (raw, other.standardise()):
        with pytest.raises(ValueError, match="standardised like the data; received 'feature 0'"):
            resolve(background.train, data.test)
    assert resolve(data.train, data.test).description == "12 train sequences"


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match=r"rows to be a whole number of at least 1; received 0"):
        Background.from_data(ragged(), rows=0)
    with pytest.raises(ValueError, match=r"at least one background sequence .*; received none"):
        Background.mean(ragged()[:0])


def resolved_texts(background, vocabulary=()):
    return Background.resolve(
        background, SequenceData.from_tokens([[2, 3, 4]], vocabulary=vocabulary)
    )


WORDS = ("[PAD]", "[UNK]", "a", "b", "c")


@pytest.mark.parametrize(
    ("background", "vocabulary", "message"),
    [
        (-1, (), "a token id of 0 or more, .*; received -1. Give the id"),
        (-1, WORDS, "a token id from 0 to 4, .*; received -1"),
        (5, WORDS, "received 5"),
        (True, WORDS, "received True"),
        (np.array([[1, -1]]), (), "token ids from 0 to .*; received -1 to 1"),
        (np.array([[1, 9]]), WORDS, "token ids from 0 to 4; received 1 to 9"),
        (np.ones((1, 2)), WORDS, "token ids as whole numbers; received type float64"),
        (np.ones((1, 2, 3)), WORDS, r"array of ids \(row, time\), .*; received ndarray"),
        (
            SequenceData.from_tokens([[2]], vocabulary=list("abcde")),
            WORDS,
            "received one of 5 words, in",
        ),
    ],
)
def test_token_ids_that_the_vocabulary_lacks_are_refused(background, vocabulary, message):
    """-1 was read as the last word."""
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        resolved_texts(background, vocabulary)


def test_token_ids_that_the_model_lacks_are_refused():
    """Without a vocabulary only the model knows how many there are."""
    steps = keras.Input((3,), dtype="int32")
    vectors = keras.layers.Embedding(9, 2)(steps)
    model = keras.Model(steps, keras.layers.Dense(1)(keras.layers.LSTM(2)(vectors)))
    for background in (999, np.array([[1, 9, 2]])):
        with pytest.raises(ValueError, match=r"Expected token ids below 9, .*; received 9"):
            lx.explain(model, np.array([[2, 3, 4]]), background=background, progress=False)


def test_padded_ids_hold_the_nearest_word():
    """In front and behind, given as an array or as data; a row of padding alone stays."""
    ids = np.array([[0, 2, 3, 0], [4, 3, 2, 1], [0, 0, 0, 0]])
    held = [[2, 2, 3, 3], [4, 3, 2, 1], [0, 0, 0, 0]]
    for background in (ids, SequenceData.from_tokens(ids, vocabulary=WORDS)):
        assert resolved_texts(background, WORDS).tokens.tolist() == held
    # Without a vocabulary, id 0 may be a word like any other.
    assert resolved_texts(ids).tokens.tolist() == ids.tolist()
    assert resolved_texts(ids).description == "3 given texts"


@pytest.mark.parametrize("make", [Background.from_data, Background.mean, lambda part: part])
def test_units_must_agree_whichever_way_round(make, rng):
    """Raw data and a standardised background were taken for the same units."""
    raw = scaled(rng, 2)
    data = raw.standardise()
    for samples, background in ((raw.test, data.train), (data.test, raw.train)):
        with pytest.raises(ValueError, match=r"standardised like the data; received 'feature 0'"):
            resolve(make(background), samples)
    assert resolve(make(data.train), data.test).tokens is None


def test_static_facts_in_other_units_are_refused(rng):
    raw = tiny.padded(static=True)
    data = raw.standardise()
    mixed = dataclasses.replace(data, static=raw.static, static_center=raw.static_center)
    with pytest.raises(ValueError, match=r"received 'static \d' with mean 0 and deviation"):
        resolve(mixed.train, data.test)


def test_what_float32_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"finite background values, within float32; received NaN"):
        resolve(np.full((1, 4, 2), 1e300))
    with pytest.raises(ValueError, match=r"at least one row and step; received \(2, 0, 2\)"):
        resolve(np.zeros((2, 0, 2)))
    masked = np.ma.masked_equal(np.zeros((1, 4, 2)), 0.0)
    with pytest.raises(ValueError, match=r"background without masked cells; received a masked"):
        resolve(masked)
