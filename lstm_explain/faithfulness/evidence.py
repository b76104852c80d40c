"""``Evidence``: one number per sample that a check measured, and tables of it with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, spearmanr

from ..intervals import bootstrap_interval

COLUMNS = ["check", "measure", "level", "of", "share", "mean", "low", "high", "count"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one check measured of one explanation, attention or control.

    Attributes
    ----------
    check : str
        Its name in the table of checks: "removal", "infidelity", "sanity", ...
    measure : str
        What the numbers are: "comprehensiveness", "deletion area", ...
    of : str
        Of what: "explanation", "random", "inverted", "attention", ...
    values : float64 array (sample,)
        NaN where a sample has none.
    level : str
        What was ranked or compared: "cell", "time", ... "" where nothing was.
    share : float or None
        Share of the cells or steps that was removed or kept.
    owners : array (sample,) or None
        Whose sample each is: those of one owner are drawn together for intervals.
    """

    check: str
    measure: str
    of: str
    values: np.ndarray
    level: str = ""
    share: float | None = None
    owners: np.ndarray | None = None


def difference(one: Evidence, other: Evidence, higher_is_better: bool) -> Evidence:
    """Return by how much the first is better than the second, sample by sample."""
    sign = 1.0 if higher_is_better else -1.0
    values = sign * (one.values - other.values)
    return replace(one, of=f"{one.of} better than {other.of}", values=values)


def summary(evidence: Sequence[Evidence], draws: int, seed: int) -> pd.DataFrame:
    """Return a row per evidence: the mean and its 95 % bootstrap interval over owners.

    Evidence of equally many samples shares owners and draws. One owner has no interval.

    Examples
    --------
    >>> table = summary([Evidence("gap", "gap", "explanation", np.array([1.0, 3.0]))], 200, seed=0)
    >>> float(table["mean"].iloc[0])
    2.0
    """
    means, lows, highs = np.full((3, len(evidence)), np.nan)
    counts = np.array([int((~np.isnan(part.values)).sum()) for part in evidence], int)
    sizes = np.array([len(part.values) for part in evidence], int)
    for size in np.unique(sizes):
        rows = np.flatnonzero((sizes == size) & (counts > 0))
        if len(rows) == 0:
            continue
        stacked = np.stack([evidence[int(row)].values for row in rows])
        means[rows] = _mean(stacked)
        owners = evidence[int(rows[0])].owners
        groups = np.arange(size) if owners is None else owners
        statistic = partial(_mean_of, stacked)
        lows[rows], highs[rows] = bootstrap_interval(statistic, groups, draws, seed)
    return pd.DataFrame(
        {
            "check": [part.check for part in evidence],
            "measure": [part.measure for part in evidence],
            "level": [part.level for part in evidence],
            "of": [part.of for part in evidence],
            "share": [np.nan if part.share is None else part.share for part in evidence],
            "mean": means,
            "low": lows,
            "high": highs,
            "count": counts,
        },
        columns=COLUMNS,
    )


def _mean_of(rows: np.ndarray, index: np.ndarray) -> list[float]:
    return _mean(rows[:, index]).tolist()


def _mean(rows: np.ndarray) -> np.ndarray:
    """Mean of each row without its NaN; NaN where it has nothing else."""
    known = ~np.isnan(rows)
    number = known.sum(axis=1)
    sums = np.where(known, rows, 0).sum(axis=1)
    return np.where(number > 0, sums / np.maximum(number, 1), np.nan)


def above_zero(row: pd.Series) -> bool:
    """Tell whether an interval lies above 0; of one sample, which has none, its number."""
    return bool((row["low"] if np.isfinite(row["low"]) else row["mean"]) > 0)


def kendall(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of two arrays (sample, item), over the known items of each sample.

    1 is the same order, 0 none, -1 the opposite; NaN where one of the two is constant.

    Examples
    --------
    >>> numbers = np.array([[1.0, 2.0, 3.0, 9.0]])
    >>> kendall(numbers, numbers**2, numbers < 5).tolist()
    [1.0]
    """
    return _by_sample(kendalltau, one, other, known)


def spearman(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of two arrays (sample, item), over known items.

    Equal numbers share their mean rank. NaN where one of the two is constant.

    Examples
    --------
    >>> numbers = np.array([[1.0, 2.0, 3.0]])
    >>> spearman(numbers, -(numbers**3), numbers > 0).tolist()
    [-1.0]
    """
    return _by_sample(spearmanr, one, other, known)


def _by_sample(
    correlation: Callable[..., Any], one: np.ndarray, other: np.ndarray, known: np.ndarray
) -> np.ndarray:
    result = np.full(len(one), np.nan)
    for row, items in enumerate(known):
        pair = one[row, items], other[row, items]
        if all(len(np.unique(numbers)) > 1 for numbers in pair):  # else SciPy warns
            result[row] = correlation(*pair).statistic
    return result
