"""Expected gradients: path integrals from every background row to a sample, by fixed quadrature."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .backend import ops
from .forward import Compiled
from .outputs import Selection
from .progress import progress_bar
from .quadrature import gauss_legendre
from .subject import Subject

# Samples that share one call of the compiled function.
_BLOCK = 32
# Nodes per path, first try to last: each refinement also measures the error of the one before.
_LADDER = (4, 8, 16, 32, 64)


class ToleranceWarning(UserWarning):
    """The values are less exact than was asked for; the message says by how much."""


def expected_gradients(
    compiled: Compiled,
    subject: Subject,
    rows: tuple[np.ndarray, np.ndarray],
    chosen: Selection,
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
    sample, row, node = (
        index.ravel()
        for index in np.meshgrid(
            np.arange(len(subject)), np.arange(len(rows[0])), np.arange(num_nodes), indexing="ij"
        )
    )
    nodes = (sample, row, positions[node], weights[node] / len(rows[0]))
    return _sum_nodes(compiled, subject, rows, nodes, chosen, batch_size)


def _sum_nodes(
    compiled: Compiled,
    subject: Subject,
    rows: tuple[np.ndarray, np.ndarray],
    nodes: tuple[np.ndarray, ...],
    chosen: Selection,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Add up weighted gradients over all nodes, in batches of one size."""
    moves = (np.zeros_like(subject.values), np.zeros_like(subject.static))
    values, static_values = (np.zeros(move.shape) for move in moves)
    count = len(nodes[0])
    size = min(batch_size, count)
    types = (np.int32, np.int32, np.float32, np.float32)
    for begin in range(0, count, size):
        # Missing nodes of the last batch are copies of node 0 with weight 0.
        batch = [np.zeros(size, kind) for kind in types]
        for part, full in zip(batch, nodes, strict=True):
            piece = full[begin : begin + size]
            part[: len(piece)] = piece
        _, gradients, _ = compiled.path(
            moves, subject.arrays, rows, tuple(batch), (chosen.weights, chosen.steps)
        )
        values += ops.convert_to_numpy(gradients[0])
        static_values += ops.convert_to_numpy(gradients[1])
    return values, static_values


@dataclass(frozen=True)
class Integral:
    """SHAP values of samples, how far the last refinement moved them, and the finest rule used."""

    values: np.ndarray
    static_values: np.ndarray
    change: float
    num_nodes: int


def integrate(
    compiled: Compiled,
    subject: Subject,
    rows: tuple[np.ndarray, np.ndarray],
    chosen: Selection,
    differences: np.ndarray,
    tolerance: float,
    batch_size: int,
    progress: bool,
) -> Integral:
    """Integrate block by block, refining the samples whose values are not yet within tolerance.

    ``differences`` (sample,) are predictions minus base values, which the values must sum to.
    """
    count = len(subject)
    values, static_values = np.zeros(subject.values.shape), np.zeros(subject.static.shape)
    change = np.full(count, np.inf)
    spread = float(np.std(differences)) or float(np.abs(differences).max()) or 1.0
    finest = _LADDER[0]
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for start in range(0, count, _BLOCK):
            todo = np.arange(start, min(start + _BLOCK, count))
            bar_step = len(todo)
            for nodes in _LADDER:
                new, new_static = expected_gradients(
                    compiled, subject[todo], rows, chosen[todo], nodes, batch_size
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
