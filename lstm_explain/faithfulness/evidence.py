"""``Evidence``: one number per sample that a check measured, and tables of it with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from ..intervals import ANY, bootstrap_interval

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
    limits : pair of numbers
        The least and the most that a number can be.
    """

    check: str
    measure: str
    of: str
    values: np.ndarray
    level: str = ""
    share: float | None = None
    owners: np.ndarray | None = None
    limits: tuple[float, float] = ANY


def difference(one: Evidence, other: Evidence, higher_is_better: bool) -> Evidence:
    """Return by how much the first is better than the second, sample by sample."""
    sign = 1.0 if higher_is_better else -1.0
    values = sign * (one.values - other.values)
    (least, most), (other_least, other_most) = one.limits, other.limits
    limits = sorted((sign * (least - other_most), sign * (most - other_least)))
    of = f"{one.of} better than {other.of}"
    return replace(one, of=of, values=values, limits=(limits[0], limits[1]))


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
        limits = np.array([evidence[int(row)].limits for row in rows]).T
        lows[rows], highs[rows] = bootstrap_interval(
            statistic, groups, draws, seed, limits=(limits[0], limits[1])
        )
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
