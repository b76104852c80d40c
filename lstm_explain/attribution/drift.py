"""``compare_cohorts``: did the drivers of predictions change between two periods or groups?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..arguments import check_type, check_whole
from ..intervals import bootstrap_interval
from .cohorts import groups_alike, values_by_feature
from .explanation import Explanation

MEASURES = ("mean size", "mean value")
# Numbers of permuted parts that are held at once.
_NUMBERS_AT_ONCE = 2_000_000


def compare_cohorts(
    before: Explanation, after: Explanation, *, permutations: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Compare what drives the predictions of two periods or groups, with intervals and a test.

    What changes is what the model makes of the samples: their data may have drifted, or the model
    may read the same data in another part of its range.

    Parameters
    ----------
    before, after : Explanation
        Per feature or finer, by one model and against one background.
    permutations : int
        Of the test, and as many bootstrap samples for the intervals.
    seed : int
        Of drawing both.

    Returns
    -------
    DataFrame
        Index `feature` (static facts last) and `measure`: "mean size" is the mean absolute SHAP
        value, "mean value" that with its sign, the steps of a sample summed first. Columns
        `before`, `after`, `difference` with `low` and `high` (95 % bootstrap interval), `p` of the
        permutation test, and `p_corrected` for all rows of the table (Holm 1979).

    Raises
    ------
    ValueError
        The explanations answer different questions, or a cohort is a single id or period.

    Notes
    -----
    Samples of one id, or windows of one separate period of a series, tell less than as many alone:
    they are drawn, and change their cohort, together. An id in both cohorts is compared with
    itself: the test swaps its two parts. The test's statistic is the difference in standard errors;
    its p-values hold where ids or periods are exchangeable between the cohorts.

    References
    ----------
    Chung and Romano (2013), "Exact and asymptotically robust permutation tests", Annals of
    Statistics 41. Holm (1979), "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> late = explanation.times.values[:, -1] >= np.datetime64("2020-03-01")   # doctest: +SKIP
    >>> compare_cohorts(explanation[~late], explanation[late])                  # doctest: +SKIP
    """
    remedy = "Pass what lx.explain returned for each of the two."
    check_type(Explanation, remedy, before=before, after=after)
    check_whole(least=100, remedy="Try 2000.", permutations=permutations)
    check_whole(seed=seed)
    both = Explanation.concat([before, after]).check_one_output()
    each = [np.unique(part.output.values).tolist() for part in (before, after)]
    if len(each[0]) == len(each[1]) == 1 and each[0] != each[1]:
        raise ValueError(
            f"Expected the same output in both cohorts; received {each[0][0]!r} before and "
            f"{each[1][0]!r} after. Explain both with output={each[0][0]!r}."
        )
    if len(outputs := np.unique(both.output.values)) > 1:
        raise ValueError(
            f"Expected one output for all samples; received {outputs.tolist()}, of each sample the "
            f"predicted class. Name one: lx.explain(..., output={str(outputs[0])!r})."
        )
    values, names = values_by_feature(both)
    numbers = np.concatenate([np.abs(values), values], axis=1)
    is_after = np.arange(len(both)) >= len(before)
    units = _units(before, after)
    counts = [len(np.unique(units[is_after == late])) for late in (False, True)]
    if min(counts) < 2:
        raise ValueError(
            "Expected at least 2 ids, or separate periods of a series, in each cohort; received "
            f"{counts[0]} before and {counts[1]} after. Explain more of them."
        )

    def differences(rows: np.ndarray) -> list[float]:
        late = is_after[rows]
        if late.all() or not late.any():
            return [np.nan] * numbers.shape[1]
        drawn = numbers[rows]
        return (drawn[late].mean(axis=0) - drawn[~late].mean(axis=0)).tolist()

    low, high = bootstrap_interval(
        differences, units, permutations, seed, telling=np.array(min(counts))
    )
    p_values = permutation_p_values(numbers, units, is_after, permutations, seed)
    columns = {
        "before": numbers[~is_after].mean(axis=0),
        "after": numbers[is_after].mean(axis=0),
        "difference": differences(np.arange(len(both))),
        "low": low,
        "high": high,
        "p": p_values,
        "p_corrected": holm(p_values),
    }
    index = pd.MultiIndex.from_product([MEASURES, names], names=["measure", "feature"])
    table = pd.DataFrame(columns, index=index).swaplevel()
    return table.reindex(pd.MultiIndex.from_product([names, MEASURES], names=table.index.names))


def _units(before: Explanation, after: Explanation) -> np.ndarray:
    """Name the unit of each sample: its id, which both cohorts may have, or else its period.

    Periods are units where all samples of both cohorts are of one series: a cohort of one id knows
    nothing of the ids of the other.
    """
    parts = before, after
    ids = [part.ids.values for part in parts if part.ids is not None]
    if len(ids) == len(parts) and len(np.unique(np.concatenate(ids))) > 1:
        return np.concatenate(ids)
    alike = [groups_alike(part)[0] for part in parts]
    return np.array([f"{cohort}:{of}" for cohort, each in enumerate(alike) for of in each])


def permutation_p_values(
    numbers: np.ndarray, units: np.ndarray, is_after: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """Return two-sided p-values of differences of means under permutation of whole units.

    Parameters
    ----------
    numbers : array (sample, column)
    units : array (sample,)
        Whose samples change their cohort together; those of a unit in both cohorts are swapped.
    is_after : bool array (sample,)
    permutations, seed : int
        Draws beside the data as they are, which count as one; and their seed.

    Returns
    -------
    array (column,)

    Examples
    --------
    >>> numbers = np.array([[1.0], [1.2], [0.9], [1.1], [5.0], [5.2], [4.9], [5.1]])
    >>> late = np.arange(8) >= 4
    >>> p = permutation_p_values(numbers, np.arange(8), late, permutations=999, seed=0)
    >>> bool(0.01 < p[0] < 0.06)  # of 70 ways to divide them, 2 are so far apart
    True
    """
    distinct, position = np.unique(units, return_inverse=True)
    # Of the early and the late part of each unit: sums of the numbers, and of how many.
    sums = np.zeros((2, len(distinct), numbers.shape[1]))
    np.add.at(sums, (is_after.astype(int), position), numbers)
    counts = np.zeros((2, len(distinct), 1))
    np.add.at(counts, (is_after.astype(int), position), 1)
    is_early, is_late = counts[..., 0] > 0
    in_both = is_early & is_late
    alone = is_late[~in_both]
    observed = _difference_in_errors(sums, counts)
    rng = np.random.default_rng(seed)
    as_far, size = np.ones(numbers.shape[1]), max(1, _NUMBERS_AT_ONCE // sums.size)
    for start in range(0, permutations, size):
        swapped = rng.random((min(size, permutations - start), len(distinct))) < 0.5
        drawn = np.tile(alone, (len(swapped), 1))
        swapped[:, ~in_both] = rng.permuted(drawn, axis=1) != alone
        parts = [
            np.where(swapped[..., None], each[::-1, None], each[:, None]) for each in (sums, counts)
        ]
        # Sums in another order are equal but for rounding.
        as_far += (_difference_in_errors(*parts) >= observed * (1 - 1e-9)).sum(axis=0)
    return as_far / (permutations + 1)


def _difference_in_errors(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the difference of two means in standard errors over units, without its sign.

    Parameters
    ----------
    sums, counts : arrays (2, ..., unit, column) and (2, ..., unit, 1)

    Returns
    -------
    array (..., column)
    """
    totals = counts.sum(axis=-2, keepdims=True)
    means = sums.sum(axis=-2, keepdims=True) / totals
    # What each unit adds to the difference; the two parts of one may cancel.
    early, late = (sums - means * counts) / totals
    errors = np.sqrt(((late - early) ** 2).sum(axis=-2))
    difference = np.abs(means[1] - means[0])[..., 0, :]
    # A constant column has no error; one that differs all the same is infinitely far.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(difference / errors, nan=0.0, posinf=np.inf)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values that hold for all of them together.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
