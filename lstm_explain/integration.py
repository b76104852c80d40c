"""Expected gradients: path integrals from every background row to a sample, by fixed quadrature."""

from __future__ import annotations

import numpy as np

from .backend import ops
from .background import Background
from .forward import Compiled
from .quadrature import gauss_legendre
from .sequences import SequenceData


def static_or_empty(static: np.ndarray | None, rows: int) -> np.ndarray:
    """Return the static facts, or an array of width 0 where there are none."""
    return np.zeros((rows, 0), np.float32) if static is None else static


def expected_gradients(
    compiled: Compiled,
    data: SequenceData,
    background: Background,
    selection: np.ndarray,
    num_nodes: int,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate d output / d input along every path from a background row to a sample.

    ``value_i = mean over rows b of (x_i - b_i) * integral over a in [0, 1] of
    d output / d x_i (b + a (x - b))``, with `num_nodes` Gauss-Legendre nodes per path.

    Returns
    -------
    values (sample, time, feature), static_values (sample, static feature) : float64 arrays

    References
    ----------
    Erion et al. (2021), "Improving performance of deep learning models with axiomatic attribution
    priors and expected gradients", Nature Machine Intelligence 3, equation 3.
    """
    positions, weights = gauss_legendre(num_nodes)
    ends = (data.values, static_or_empty(data.static, len(data)))
    rows = background.rows_for(data.values.shape[1])
    starts = (rows, static_or_empty(background.static, len(rows)))
    sample, row, node = (
        index.ravel()
        for index in np.meshgrid(
            np.arange(len(data)), np.arange(len(rows)), np.arange(num_nodes), indexing="ij"
        )
    )
    nodes = (sample, row, positions[node], weights[node] / len(rows))
    return _sum_nodes(compiled, ends, data.mask, starts, nodes, selection, batch_size)


def _sum_nodes(
    compiled: Compiled,
    ends: tuple[np.ndarray, np.ndarray],
    mask: np.ndarray,
    starts: tuple[np.ndarray, np.ndarray],
    nodes: tuple[np.ndarray, ...],
    selection: np.ndarray,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Add up weighted gradients over all nodes, in batches of one size."""
    moves = tuple(np.zeros_like(end) for end in ends)
    total = [np.zeros(end.shape) for end in ends]
    count = len(nodes[0])
    size = min(batch_size, count)
    types = (np.int32, np.int32, np.float32, np.float32)
    for begin in range(0, count, size):
        # Missing nodes of the last batch are copies of node 0 with weight 0.
        batch = [np.zeros(size, kind) for kind in types]
        for part, full in zip(batch, nodes, strict=True):
            piece = full[begin : begin + size]
            part[: len(piece)] = piece
        _, gradients, _ = compiled.path(moves, ends, mask, starts, tuple(batch), selection)
        for sum_, gradient in zip(total, gradients, strict=True):
            sum_ += ops.convert_to_numpy(gradient)
    return total[0], total[1]
