"""Rank correlations against their definitions, pair by pair, and tables of evidence by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.attribution.agreement import kendall, spearman
from lstm_explain.faithfulness.evidence import Evidence, difference, summary

numbers = st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=2, max_size=9)


@given(numbers)
def test_kendall_counts_pairs(pairs):
    """tau-b: concordant less discordant pairs, over the pairs that are no tie in each."""
    a, b = np.array(pairs, float).T
    concordant = discordant = untied_a = untied_b = 0
    for i in range(len(a)):
        for j in range(i):
            sign = (a[i] - a[j]) * (b[i] - b[j])
            concordant += sign > 0
            discordant += sign < 0
            untied_a += a[i] != a[j]
            untied_b += b[i] != b[j]
    found = kendall(a[None], b[None], np.ones((1, len(a)), bool))[0]
    if untied_a * untied_b == 0:
        assert np.isnan(found)
    else:
        expected = (concordant - discordant) / np.sqrt(untied_a * untied_b)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@given(numbers)
def test_spearman_is_the_correlation_of_mean_ranks(pairs):
    a, b = np.array(pairs, float).T
    ranks = [
        np.array([(part < x).sum() + ((part == x).sum() + 1) / 2 for x in part]) for part in (a, b)
    ]
    found = spearman(a[None], b[None], np.ones((1, len(a)), bool))[0]
    if min(rank.std() for rank in ranks) == 0:
        assert np.isnan(found)
    else:
        np.testing.assert_allclose(found, np.corrcoef(*ranks)[0, 1], atol=1e-12)


def test_unknown_items_do_not_count():
    a, b = np.array([[1.0, 2.0, 3.0, 100.0]]), np.array([[1.0, 2.0, 3.0, -100.0]])
    known = np.array([[True, True, True, False]])
    assert kendall(a, b, known)[0] == 1
    np.testing.assert_allclose(spearman(a, b, known), 1)
    assert kendall(a, b, known | True)[0] == 0


def test_a_table_has_the_mean_and_an_interval_that_shrinks_with_samples(rng):
    few, many = (
        Evidence("removal", "loss", "explanation", rng.normal(2, 1, n)) for n in (20, 2000)
    )
    holes = Evidence("removal", "loss", "holes", np.array([1.0, np.nan, 3.0]))
    one = Evidence("removal", "loss", "one", np.array([5.0]))
    empty = Evidence("removal", "loss", "empty", np.array([np.nan]))
    table = summary([few, many, holes, one, empty], 500, seed=0)
    np.testing.assert_allclose(table["mean"][:4], [few.values.mean(), many.values.mean(), 2, 5])
    assert table["count"].tolist() == [20, 2000, 2, 1, 0]
    assert table.loc[3:, ["low", "high"]].isna().all(axis=None)
    width = (table["high"] - table["low"])[:2]
    # The interval of a mean: 2 * 1.96 deviations over the root of the count; a bootstrap is near.
    expected = [2 * 1.96 * part.values.std() / np.sqrt(len(part.values)) for part in (few, many)]
    np.testing.assert_allclose(width, expected, rtol=0.15)


def test_a_difference_is_better_when_it_is_positive():
    one, other = (Evidence("c", "m", name, np.array(v)) for name, v in (("a", [3.0]), ("b", [1.0])))
    assert difference(one, other, True).values.tolist() == [2.0]
    assert difference(one, other, False).values.tolist() == [-2.0]
    assert difference(one, other, True).of == "a better than b"
