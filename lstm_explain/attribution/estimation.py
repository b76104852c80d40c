"""How exact a midpoint rule is, estimated from the evaluations that it made in any case."""

from __future__ import annotations

import numpy as np

from .quadrature import alternating


def estimated_error(
    sums: np.ndarray, static_sums: np.ndarray, slopes: np.ndarray, path_ends: np.ndarray, nodes: int
) -> np.ndarray:
    """Estimate the relative L2 error of samples' values from what a midpoint rule evaluated.

    Two estimates know the pattern of the error over the cells, not its size. The size is set by the
    output itself: how much of its change along every path the rule missed is known exactly.

    Parameters
    ----------
    sums : array (sample, bin, time, feature)
        Gradients times (sample - row) by the part of the path in which they were taken.
    static_sums : array (sample, bin, static feature)
    slopes : array (sample, row, bin)
        Slopes of the output along the path, 0 where no node stands.
    path_ends : array (sample, row)
        Change of the output from the row to the sample.
    nodes : int
        Nodes per path; the bins are a multiple of them.

    Returns
    -------
    array (sample,)
    """
    slopes = slopes * slopes.shape[1]  # they carry the weight 1 / rows
    missed = np.sqrt(((path_ends - slopes.sum(axis=2) / nodes) ** 2).mean(axis=1))
    if nodes < 4:
        contrasts, size = _neighbours(sums.shape[1]), missed / np.sqrt(slopes.shape[1])
        along = norm_of(slopes.mean(axis=1) @ contrasts.T)
    else:
        contrasts, size = np.repeat(alternating(nodes), sums.shape[1] // nodes)[None], missed
        along = np.sqrt(((slopes @ contrasts[0]) ** 2).mean(axis=1))
    pattern = np.hypot(
        norm_of(np.tensordot(sums, contrasts, (1, 1))),
        norm_of(np.tensordot(static_sums, contrasts, (1, 1))),
    )
    length = np.hypot(norm_of(sums.sum(axis=1)), norm_of(static_sums.sum(axis=1))) / nodes
    return pattern / np.where(length > 0, length, 1.0) * size / np.maximum(along, 1e-15)


def _neighbours(bins: int) -> np.ndarray:
    """Second differences of neighbouring bins, (contrast, bin): for one or two nodes per path.

    A path with so few nodes says nothing about its own error, but the rows, each with a shift of
    its own, fill the bins between them. What a bin differs by from the line through its neighbours
    is what rows, not positions, put there: the pattern of an average of few.
    """
    return np.diff(np.eye(bins), n=2, axis=0)


def norm_of(array: np.ndarray) -> np.ndarray:
    """Return the L2 norm of each sample's numbers, (sample,)."""
    return np.linalg.norm(array.reshape(len(array), -1), axis=1)
