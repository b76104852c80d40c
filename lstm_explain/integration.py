"""Expected gradients: path integrals from every background row to a sample, by fixed quadrature."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .backend import ops
from .background import Background
from .forward import Compiled, static_or_empty
from .progress import progress_bar
from .quadrature import gauss_legendre
from .sequences import SequenceData

# Samples that share one call of the compiled function.
_BLOCK = 32
# Nodes per path, first try to last: each refinement also measures the error of the one before.
_LADDER = (4, 8, 16, 32, 64)


class ToleranceWarning(UserWarning):
    """The values are less exact than was asked for; the message says by how much."""


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
        total = [
            before + ops.convert_to_numpy(gradient)
            for before, gradient in zip(total, gradients, strict=True)
        ]
    return total[0], total[1]


@dataclass(frozen=True)
class Integral:
    """SHAP values of samples, how far the last refinement moved them, and the finest rule used."""

    values: np.ndarray
    static_values: np.ndarray
    change: float
    num_nodes: int


def integrate(
    compiled: Compiled,
    data: SequenceData,
    background: Background,
    selection: np.ndarray,
    differences: np.ndarray,
    tolerance: float,
    batch_size: int,
    progress: bool,
) -> Integral:
    """Integrate block by block, refining the samples whose values are not yet within tolerance.

    ``differences`` (sample,) are predictions minus base values, which the values must sum to.
    """
    count = len(data)
    values = np.zeros(data.values.shape)
    static_values = np.zeros((count, len(data.static_names)))
    change = np.full(count, np.inf)
    spread = float(np.std(differences)) or float(np.abs(differences).max()) or 1.0
    finest = _LADDER[0]
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for start in range(0, count, _BLOCK):
            todo = np.arange(start, min(start + _BLOCK, count))
            bar_step = len(todo)
            for nodes in _LADDER:
                new, new_static = expected_gradients(
                    compiled, data[todo], background, selection[todo], nodes, batch_size
                )
                if nodes > _LADDER[0]:
                    change[todo] = _relative_change(
                        (values[todo], static_values[todo]), (new, new_static)
                    )
                values[todo], static_values[todo] = new, new_static
                finest = max(finest, nodes)
                gaps = differences[todo] - new.sum(axis=(1, 2)) - new_static.sum(axis=1)
                todo = todo[(change[todo] > tolerance) | (np.abs(gaps) > tolerance * spread)]
                if len(todo) == 0:
                    break
            bar.update(bar_step)
    gaps = differences - values.sum(axis=(1, 2)) - static_values.sum(axis=1)
    _warn_beyond(tolerance, float(change.max()), float(np.abs(gaps).max()) / spread, finest)
    return Integral(values, static_values, float(change.max()), finest)


def _relative_change(
    old: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Relative L2 distance of two sets of values, over all cells and static facts, (sample,)."""
    flat_old, flat_new = (
        np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
        for parts in (old, new)
    )
    size = np.linalg.norm(flat_new, axis=1)
    return np.linalg.norm(flat_new - flat_old, axis=1) / np.where(size > 0, size, 1.0)


def _warn_beyond(tolerance: float, change: float, gap: float, nodes: int) -> None:
    if change > tolerance or gap > tolerance:
        warnings.warn(
            f"Expected values within tolerance={tolerance}; with {nodes} nodes per path the last "
            f"refinement still moved them by {change:.3f} (relative L2) and the largest gap is "
            f"{gap:.3f} of the predictions' spread. Read e.gaps before you trust a sample.",
            ToleranceWarning,
            stacklevel=4,
        )
