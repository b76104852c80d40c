"""Drivers of two cohorts: differences, intervals that hold, and a test that keeps its level."""

import json
from itertools import combinations

import numpy as np
import pytest
from attribution.explanations import made
from scipy import stats

import lstm_explain as lx
from lstm_explain.attribution.drift import holm, permutation_p_values
from lstm_explain.intervals import bootstrap_interval


def cohorts(early=6, late=7, ids=None, shift=0.0):
    """Two explanations of random numbers, against one background; the second is shifted."""
    both = made(lengths=(4,) * (early + late)).to_dataset()
    values = both["values"].copy()
    values[early:, :, 0] += shift
    both = both.assign(values=values, output=("sample", ["died"] * (early + late)))
    if ids is not None:
        both = both.assign(ids=("sample", ids))
    both = lx.Explanation(both)
    return both[:early], both[early:]


def test_the_table_is_means_and_their_differences():
    before, after = cohorts(shift=2.0)
    table = lx.compare_cohorts(before, after, permutations=200)
    names = ["dose", "pulse", "noise", "static 0", "static 1"]
    names[3:] = before.static_values["static_feature"].values.tolist()
    assert table.index.tolist() == [(n, m) for n in names for m in ("mean size", "mean value")]
    for column, name in enumerate(names[:3]):
        sums = [part.values.values.sum(axis=1)[:, column] for part in (before, after)]
        for measure, change in (("mean size", np.abs), ("mean value", np.positive)):
            row = table.loc[name, measure]
            early, late = (change(part).mean() for part in sums)
            expected = [early, late, late - early]
            np.testing.assert_allclose(row[["before", "after", "difference"]], expected)
            assert row["low"] < row["difference"] < row["high"]
    assert (table["p_corrected"] >= table["p"]).all()
    shifted = table.loc["dose", "mean value"]
    assert shifted["low"] > 0
    assert shifted["p"] < 0.05
    again = lx.compare_cohorts(before, after, permutations=200)
    np.testing.assert_array_equal(again, table)
    turned = lx.compare_cohorts(after, before, permutations=200)
    np.testing.assert_allclose(turned["difference"], -table["difference"])


def test_the_p_value_against_all_ways_to_divide_the_units():
    """Literal: Welch's statistic of every division of eight units into three and five."""
    rng = np.random.default_rng(4)
    numbers, late = rng.normal(size=8), np.arange(8) >= 3
    numbers[late] += 1.0

    def statistic(early):
        parts = [numbers[list(early)], numbers[[i for i in range(8) if i not in early]]]
        error = np.sqrt(sum(part.var() / len(part) for part in parts))
        return abs(parts[1].mean() - parts[0].mean()) / error

    every = [statistic(early) for early in combinations(range(8), 3)]
    exact = np.mean(np.array(every) >= statistic(range(3)) * (1 - 1e-9))
    p = permutation_p_values(numbers[:, None], np.arange(8), late, 20_000, seed=0)
    # 20,000 draws of a share of at most a half: four standard errors are 0.014.
    np.testing.assert_allclose(p[0], exact, atol=0.014)


def test_an_id_in_both_cohorts_is_compared_with_itself():
    """Every person rises by about one, which is little beside how far people lie apart."""
    rng = np.random.default_rng(2)
    person = 10 * rng.normal(size=12)
    numbers = np.concatenate([person, person + 1 + 0.2 * rng.normal(size=12)])[:, None]
    late = np.arange(24) >= 12
    paired = permutation_p_values(numbers, np.tile(np.arange(12), 2), late, 2000, seed=0)
    alone = permutation_p_values(numbers, np.arange(24), late, 2000, seed=0)
    assert paired[0] < 0.005 < 0.5 < alone[0]


ROWS_EACH, TRIALS = 6, 400


def p_values_of_nothing(rng, by_unit=True):
    """Of 9 and 15 people, whose rows are alike and who do not differ between the cohorts."""
    people = np.repeat(np.arange(24), ROWS_EACH)
    numbers = rng.normal(size=24)[people] + 0.5 * rng.normal(size=len(people))
    late = people >= 9
    units = people if by_unit else np.arange(len(people))
    seed = int(rng.integers(2**31))
    return permutation_p_values(numbers[:, None], units, late, 199, seed)[0]


@pytest.mark.slow
def test_the_level_holds_over_units_and_not_over_their_rows():
    rng = np.random.default_rng(0)
    rejected = sum(p_values_of_nothing(rng) <= 0.05 for _ in range(TRIALS))
    low, high = stats.binom.interval(0.999, TRIALS, 0.05)
    assert low <= rejected <= high
    uniform = stats.kstest([p_values_of_nothing(rng) for _ in range(TRIALS)], "uniform")
    assert uniform.pvalue > 0.001
    # Sabotage: rows of one person permuted apart, as if they were as many people.
    wrong = sum(p_values_of_nothing(rng, by_unit=False) <= 0.05 for _ in range(TRIALS // 4))
    assert wrong > stats.binom.interval(0.999, TRIALS // 4, 0.05)[1]


@pytest.mark.slow
def test_the_level_holds_for_people_seen_in_both_cohorts():
    """Half of the people are in both, the others in one, with different numbers of rows."""
    rng = np.random.default_rng(1)
    people = np.concatenate([np.repeat(np.arange(16), 3), np.repeat(np.arange(8, 24), 5)])
    late = np.arange(len(people)) >= 48

    def p_value():
        within = rng.normal(size=(2, 24))[late.astype(int), people]  # a part of a person is alike
        numbers = rng.normal(size=24)[people] + within + rng.normal(size=len(people))
        seed = int(rng.integers(2**31))
        return permutation_p_values(numbers[:, None], people, late, 199, seed)[0]

    rejected = sum(p_value() <= 0.05 for _ in range(TRIALS))
    low, high = stats.binom.interval(0.999, TRIALS, 0.05)
    assert low <= rejected <= high


def test_samples_of_one_id_and_windows_of_one_period_are_one_unit():
    rows = np.repeat(np.arange(8), 4)
    ids = [f"patient {row % 4}" for row in rows]
    before, after = cohorts(16, 16, ids)
    grouped = lx.compare_cohorts(before, after, permutations=200)
    numbers = np.concatenate([before.values.values, after.values.values]).sum(axis=1)[:, :1]
    late = np.arange(32) >= 16

    def difference(drawn):
        is_late = late[drawn]
        if is_late.all() or not is_late.any():
            return [np.nan]
        return [numbers[drawn][is_late].mean() - numbers[drawn][~is_late].mean()]

    low, high = bootstrap_interval(difference, np.array(ids), 200, 0)
    row = grouped.loc["dose", "mean value"]
    np.testing.assert_allclose([row["low"], row["high"]], [low[0], high[0]])


def test_a_cohort_of_one_id_counts_as_that_id_also_where_it_was_explained_alone():
    """Alone its samples are windows of one series; beside those of others they are of one id."""
    ids = np.repeat(["a", "b", "c"], 8)
    early, late = cohorts(8, 16, ids)
    alone = lx.Explanation(early.to_dataset().assign_attrs(window_step=1))
    for one in (early, alone):
        with pytest.raises(ValueError, match="received 1 before and 2 after"):
            lx.compare_cohorts(one, late)
    both = lx.Explanation.concat([early, late])
    with pytest.raises(ValueError, match="received 1 before and 3 after"):
        lx.compare_cohorts(alone, both)


def test_holm_by_hand_and_within_bounds():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1, 1])


def test_a_variable_that_never_matters_has_not_changed():
    numbers = np.zeros((10, 1))
    assert permutation_p_values(numbers, np.arange(10), np.arange(10) > 4, 100, 0)[0] == 1


def test_what_cannot_be_compared():
    before, after = cohorts()
    with pytest.raises(ValueError, match=r"at least 2 ids, .* received 6 before and 1 after"):
        lx.compare_cohorts(before, after[:1])
    dataset = after.to_dataset()
    facts = json.loads(dataset.attrs["provenance"]) | {"background": "zero"}
    other = lx.Explanation(dataset.assign_attrs(provenance=json.dumps(facts)))
    with pytest.raises(ValueError, match=r"Expected explanations of one kind; .* background"):
        lx.compare_cohorts(before, other)
    other = lx.Explanation(after.to_dataset().assign(output=("sample", ["left"] * len(after))))
    with pytest.raises(ValueError, match=r"same output .*'died' before and 'left' after.*='died'"):
        lx.compare_cohorts(before, other)
    mixed = lx.Explanation(before.to_dataset().assign(output=("sample", ["died", "left"] * 3)))
    with pytest.raises(ValueError, match=r"Expected one output .*output='died'"):
        lx.compare_cohorts(mixed, after)
    with pytest.raises(ValueError, match="Expected values per feature; received values per time"):
        lx.compare_cohorts(before.over_time(), after.over_time())
