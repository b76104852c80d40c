"""What many explanations say together: mean sizes of SHAP values, counted back from the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .explanation import Explanation

# Drawing them takes this many numbers at most; 200 resamples are enough to see an interval.
_DRAWS = 20_000_000


_SEED = 0
# A mean over fewer of the samples says more about these few than about the model.
_FEWEST = 0.05


@dataclass(frozen=True)
class Overview:
    """Mean absolute SHAP values of a set of samples.

    Attributes
    ----------
    cells : array (feature, step)
        Mean over the samples that have the step. The last column is the last real step of every
        sample, the one before it the step before that. Steps so far back that fewer than 5 % of
        the samples have them are left out.
    counts : int array (step,)
        How many samples have the step.
    sums : array (sample, feature)
        Each sample's absolute values summed over its steps.
    left_out : int
        How many earlier steps there are.
    static : array (sample, static feature) or None
        Each sample's absolute values of the static facts.
    """

    cells: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    left_out: int
    static: np.ndarray | None


def overview(explanation: Explanation) -> Overview:
    """Average the sizes of the values of all samples, with the ends of the sequences aligned."""
    sizes, mask = np.abs(explanation.values.values), explanation.mask.values
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    steps = last[:, None] - np.arange(mask.shape[1])[::-1]
    inside = np.maximum(steps, 0)
    real = (steps >= 0) & np.take_along_axis(mask, inside, axis=1)
    aligned = np.take_along_axis(sizes, inside[..., None], axis=1) * real[..., None]
    counts = real.sum(axis=0)
    first = int(np.flatnonzero(counts >= _FEWEST * len(mask))[0])
    totals = aligned.sum(axis=0)[first:].T
    left_out = first - int(np.flatnonzero(counts)[0])
    with np.errstate(invalid="ignore"):  # a step that no sample has is not a number
        cells = totals / counts[first:]
    facts = explanation.static_values
    static = None if facts is None else np.abs(facts.values)
    return Overview(cells, counts[first:], aligned.sum(axis=1), left_out, static)


def bootstrap_interval(numbers: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the percentile bootstrap interval of each column's mean.

    Parameters
    ----------
    numbers : array (sample, column)
        A single sample has no interval: both ends are the number itself.
    level : float
        Share of resampled means between the ends.

    Examples
    --------
    >>> low, high = bootstrap_interval(np.array([[1.0], [2.0], [3.0], [4.0]]))
    >>> bool(low[0] < 2.5 < high[0])
    True
    """
    count = len(numbers)
    resamples = int(np.clip(_DRAWS // count, 200, 2000))
    # How often each sample is drawn: the mean of a resample is a weighted mean.
    weights = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), resamples)
    low, high = np.quantile(weights @ numbers / count, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
