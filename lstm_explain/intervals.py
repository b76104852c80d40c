"""Intervals of 95 %: of any score by the bootstrap, of a mean, and of a share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from .arguments import check_whole

# Resamples of a mean: as many as this many drawn samples give, from 200 to 2,000.
_DRAWN_SAMPLES = 20_000_000


def check_draws(draws: int, seed: int) -> None:
    """Raise unless these are a number of bootstrap samples, and a seed of drawing them."""
    check_whole(least=1, remedy="Try 500.", draws=draws)
    check_whole(seed=seed)


def bootstrap_interval(
    statistic: Callable[[np.ndarray], list[float]], count: int, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the percentile intervals of what `statistic` makes of sample positions."""
    check_draws(draws, seed)
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(rng.integers(0, count, count)) for _ in range(draws)])
    # A draw without one of the classes has no AUROC.
    known = ~np.isnan(drawn).all(axis=0)
    low, high = np.full((2, drawn.shape[1]), np.nan)
    if known.any():
        low[known], high[known] = np.nanquantile(drawn[:, known], [0.025, 0.975], axis=0)
    return low, high


def mean_interval(
    numbers: np.ndarray, level: float = 0.95, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the percentile bootstrap interval of each column's mean.

    Parameters
    ----------
    numbers : array (sample, column)
        A single sample has no interval: both ends are the number itself.
    level : float
        Share of resampled means between the ends.

    Examples
    --------
    >>> low, high = mean_interval(np.array([[1.0], [2.0], [3.0], [4.0]]))
    >>> bool(low[0] < 2.5 < high[0])
    True
    """
    count = len(numbers)
    resamples = int(np.clip(_DRAWN_SAMPLES // count, 200, 2000))
    # How often each sample is drawn: the mean of a resample is a weighted mean.
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    low, high = np.quantile(weights @ numbers / count, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def share_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the ends of the interval of a share (Wilson 1927).

    Examples
    --------
    >>> low, high = share_interval(5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    interval = stats.binomtest(successes, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
