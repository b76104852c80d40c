"""Removing what a ranking puts first, against a loop over samples, rows and cells in NumPy."""

import numpy as np
import pytest
import tiny
from benchmarks.removal import removal_outputs
from hypothesis import given
from hypothesis import strategies as st
from marks import slow_but
from reference import attention_lstm

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.faithfulness.removal import SHARES, counts_of, places_of, with_few_rows
from lstm_explain.inspection.background import Background
from lstm_explain.inspection.question import prepare

pytestmark = pytest.mark.slow

WORDS = ["[PAD]", "[UNK]", *"abcdefgh"]
# The model computes in float32, the reference in float64.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def by_hand(model, data, rows, scores, share, keep):
    """One sample, one row, one cell at a time."""
    margin = attention_lstm(model)
    results = []
    for sample in range(len(data)):
        length = data.lengths[sample]
        x = data.values[sample, :length].astype(float)
        score = scores[sample, :length]
        order = sorted(np.ndindex(score.shape), key=lambda cell, score=score: -score[cell])
        top = order[: max(1, int(share * len(order) + 0.5))]
        outputs = []
        for row in rows:
            absent = row[:length].astype(float)
            changed = absent.copy() if keep else x.copy()
            for cell in top:
                changed[cell] = x[cell] if keep else absent[cell]
            outputs.append(margin(changed)[0])
        results.append(np.mean(outputs))
    return np.array(results)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("ndim", [2, 3])
def test_outputs_are_those_of_a_slow_loop(rng, keep, ndim):
    data, model = tiny.padded(), tiny.model()
    some = data.test[:4]
    scores = rng.normal(size=some.values.shape[:ndim])
    found = removal_outputs(
        model, some, scores, background=data.train, shares=[0.1, 0.5], keep=keep, progress=False
    )
    rows = Background.resolve(data.train, some).rows_for(some.mask.shape[1])
    for at, share in enumerate(found["share"].values):
        expected = by_hand(model, some, rows, scores, share, keep)
        np.testing.assert_allclose(found[:, at], expected, **TOLERANCE)
        wrong = by_hand(model, some, rows, -scores, share, keep)
        assert not np.allclose(found[:, at], wrong, **TOLERANCE)


@pytest.mark.parametrize("task", slow_but(["binary", "multiclass", "regression"], "binary"))
def test_everything_removed_is_the_base_value_and_everything_kept_the_prediction(task):
    e, data = tiny.explanation(task), tiny.padded(task)
    for keep, expected in ((False, e.base_values), (True, e.predictions)):
        found = removal_outputs(
            tiny.model(task), data.test[:5], e.values, background=data.train, shares=[1],
            keep=keep, progress=False,
        )  # fmt: skip
        np.testing.assert_allclose(found[:, 0], expected, **TOLERANCE)


def test_static_facts_stay():
    data, model = tiny.padded(static=True), tiny.model(static=True)
    some, rows = data.test[:3], data.train[:7]
    found = removal_outputs(
        model, some, np.zeros(some.values.shape), background=rows, shares=[1], output=1,
        scale="probability", progress=False,
    )  # fmt: skip
    background = Background.resolve(rows, some)
    for sample in range(len(some)):
        absent = np.where(
            some.mask[sample][:, None], background.rows_for(some.mask.shape[1]), 0
        ).astype(np.float32)
        facts, mask = (np.repeat(part[[sample]], 7, axis=0) for part in (some.static, some.mask))
        parts = {"sequence": absent, "static": facts, "mask": mask}
        inputs = [parts[role] for role in some.roles_in(model)]
        expected = np.asarray(model(inputs)).mean()
        np.testing.assert_allclose(found[sample, 0], expected, **TOLERANCE)


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(3)
    tokens = [rng.integers(2, len(WORDS), rng.integers(3, 7)) for _ in range(40)]
    target = np.array([int((ids == 4).any()) for ids in tokens])
    data = SequenceData.from_tokens(tokens, target, vocabulary=WORDS).split_by_group(0.2, 0.2)
    return data, lx.build_model(data, units=(4,), attention_units=3, seed=1, beside=None)


@pytest.mark.slow
def test_an_absent_word_is_the_unknown_word(texts, rng):
    data, model = texts
    some = data.test[:3]
    scores = rng.normal(size=some.mask.shape)
    found = removal_outputs(
        model, some, scores, shares=[0.5], output=1, scale="probability", progress=False
    )
    for sample in range(len(some)):
        length = some.lengths[sample]
        order = np.argsort(-scores[sample, :length])
        changed = some[sample].tokens.copy()
        changed[0, order[: int(0.5 * length + 0.5)]] = WORDS.index("[UNK]")
        parts = {"sequence": changed, "mask": some.mask[[sample]]}
        expected = np.asarray(model([parts[role] for role in some.roles_in(model)]))[0, 0]
        np.testing.assert_allclose(found[sample, 0], expected, rtol=1e-5)
    with pytest.raises(ValueError, match="Expected scores of words"):
        removal_outputs(model, some, np.zeros((3, 6, 4)), progress=False)


def test_padding_changes_nothing(rng):
    data, model = tiny.padded(), tiny.model()
    short = data.test[np.argsort(data.test.lengths)[:2]]
    scores = rng.normal(size=short.mask.shape)
    other = np.where(short.mask, scores, 99.0)
    options = {"background": data.train, "progress": False}
    np.testing.assert_array_equal(
        removal_outputs(model, short, scores, **options),
        removal_outputs(model, short, other, **options),
    )


def test_equal_scores_are_removed_in_an_order_drawn_by_the_seed():
    data, model = tiny.padded(), tiny.model()
    options = {"background": data.train, "shares": [0.3], "progress": False}
    equal = np.ones(data.test.mask.shape)
    found = [removal_outputs(model, data.test, equal, seed=s, **options) for s in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert (np.abs(found[0] - found[2]) > 1e-4).any()


@given(st.integers(1, 300), st.lists(st.floats(0.001, 1), min_size=1, max_size=6))
def test_counts_grow_with_the_share_and_stay_within_the_sample(number, shares):
    counts = counts_of(np.array([number]), sorted(shares))[0]
    assert counts.min() >= 1
    assert counts.max() <= number
    assert (np.diff(counts) >= 0).all()
    # Rounded: no farther than half a cell from the share, but for the one that is always there.
    free = counts > 1
    assert (np.abs(counts - number * np.array(sorted(shares)))[free] <= 0.5 + 1e-6).all()


@given(st.lists(st.sampled_from([-1.0, 0.0, 2.5]), min_size=2, max_size=12), st.integers(0, 5))
def test_places_follow_the_scores_and_leave_out_who_is_not_ranked(scores, seed):
    scores = np.array([scores])
    ranked = np.arange(scores.size)[None] % 3 > 0
    places = places_of(scores, ranked, np.random.default_rng(seed))
    assert (places[~ranked] == scores.size).all()
    assert sorted(places[ranked]) == list(range(ranked.sum()))
    assert (np.diff(scores[ranked][np.argsort(places[ranked])]) <= 0).all()


def test_few_rows_are_rows_of_the_background():
    data = tiny.padded()
    question = prepare(tiny.model(), data.test[:2], data.train, None, "last", "margin", None, None)
    few = with_few_rows(question, 7, seed=1)
    assert len(few.rows[0]) == 7
    assert few.row_outputs.shape == (2, 7)
    for row, outputs in zip(few.rows[0], few.row_outputs.T, strict=True):
        where = [np.array_equal(row, other) for other in question.rows[0]].index(True)
        np.testing.assert_array_equal(outputs, question.row_outputs[:, where])
    assert with_few_rows(question, 1000, seed=1) is question


def test_what_cannot_be_ranked_is_refused():
    data, model = tiny.padded(), tiny.model()
    some = data.test[:3]
    options = {"background": data.train, "progress": False}
    for scores in (np.zeros(3), np.zeros((3, 2)), np.zeros((*some.values.shape, 1))):
        with pytest.raises(ValueError, match="Expected scores of shape"):
            removal_outputs(model, some, scores, **options)
    with pytest.raises(ValueError, match="without NaN on real steps"):
        removal_outputs(model, some, np.full(some.values.shape, np.nan), **options)
    for shares in ([], [0.0], [0.2, 1.5]):
        with pytest.raises(ValueError, match="Expected shares above 0 and up to 1"):
            removal_outputs(model, some, np.zeros(some.values.shape), shares=shares, **options)
    assert SHARES == (0.01, 0.05, 0.1, 0.2, 0.5)
