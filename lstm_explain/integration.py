"""Expected gradients: path integrals from every background row to a sample, by fixed quadrature."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .backend import ops
from .preparation import Question
from .progress import progress_bar
from .quadrature import alternating, gauss_legendre, shifted_midpoints

# Samples that share one call of the compiled function.
_BLOCK = 32
# From this many rows on, the errors of shifted midpoints cancel well enough over the rows.
_MANY_ROWS = 8
_FIRST_NODES, _MOST_SHIFTED = 4, 12
# Where shifted midpoints do not reach the tolerance: each rule measures the one before it.
_LADDER = (16, 32, 64)
_SHORT_LADDER = (4, 8, 16, 32, 64)


class ToleranceWarning(UserWarning):
    """The values are less exact than was asked for; the message says by how much."""


@dataclass(frozen=True)
class Integral:
    """SHAP values of samples, how exact they are, and the finest rule that was needed.

    Attributes
    ----------
    values : float64 array (sample, time, feature)
    static_values : float64 array (sample, static feature)
    change : float
        Largest relative L2 change of a sample's values that refining the rule has made, or is
        estimated to make.
    num_nodes : int
        Most nodes per path.
    """

    values: np.ndarray
    static_values: np.ndarray
    change: float
    num_nodes: int


@dataclass(frozen=True)
class _Sums:
    """Weighted gradients of some samples, still apart by node; weighted slopes along the paths."""

    values: np.ndarray  # (sample, node, time, feature)
    static_values: np.ndarray  # (sample, node, static feature)
    slopes: np.ndarray  # (sample, row, node)


def integrate(question: Question, tolerance: float, progress: bool) -> Integral:
    """Integrate d output / d input along every path from a background row to a sample.

    ``value_i = mean over rows b of (x_i - b_i) * integral over a in [0, 1] of
    d output / d x_i (b + a (x - b))``. Each sample is refined until its gap, relative to the
    spread of predictions, and its estimated error are within tolerance.

    References
    ----------
    Erion et al. (2021), "Improving performance of deep learning models with axiomatic attribution
    priors and expected gradients", Nature Machine Intelligence 3, equation 3.
    """
    count = len(question.subject)
    values = np.zeros(question.subject.values.shape)
    static_values = np.zeros(question.subject.static.shape)
    change = np.full(count, np.inf)
    differences = question.predictions - question.base_values
    spread = float(np.std(differences)) or float(np.abs(differences).max()) or 1.0
    finest = 0
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for start in range(0, count, _BLOCK):
            block = todo = np.arange(start, min(start + _BLOCK, count))
            rules = _rules(question.row_outputs.shape[1])
            while rules and len(todo):
                kind, nodes = rules.pop(0)
                sums = _sum_nodes(question, todo, kind, nodes)
                new, new_static = sums.values.sum(axis=1), sums.static_values.sum(axis=1)
                if kind == "shifted":
                    change[todo] = _estimated_change(question, todo, sums)
                elif finest:
                    change[todo] = _relative_change(
                        (values[todo], static_values[todo]), (new, new_static)
                    )
                values[todo], static_values[todo] = new, new_static
                finest = max(finest, nodes)
                gaps = differences[todo] - new.sum(axis=(1, 2)) - new_static.sum(axis=1)
                error = np.maximum(change[todo], np.abs(gaps) / spread)
                todo = todo[error > tolerance]
                if kind == "shifted" and nodes == _FIRST_NODES and len(todo):
                    rules = _refined(rules, float(np.median(error[error > tolerance])), tolerance)
            bar.update(len(block))
    gaps = differences - values.sum(axis=(1, 2)) - static_values.sum(axis=1)
    _warn_beyond(tolerance, float(change.max()), float(np.abs(gaps).max()) / spread, finest)
    return Integral(values, static_values, float(change.max()), finest)


def _rules(num_rows: int) -> list[tuple[str, int]]:
    if num_rows < _MANY_ROWS:
        return [("gauss", nodes) for nodes in _SHORT_LADDER]
    return [("shifted", _FIRST_NODES), *(("gauss", nodes) for nodes in _LADDER)]


def _refined(rules: list[tuple[str, int]], error: float, tolerance: float) -> list[tuple[str, int]]:
    """Put a finer shifted rule first, if one that is fine enough is still cheap."""
    # Its error falls about as nodes to the power -1.25.
    nodes = int(np.ceil(_FIRST_NODES * (error / tolerance) ** 0.8))
    nodes = max(nodes, _FIRST_NODES + 2)
    return [("shifted", nodes), *rules] if nodes <= _MOST_SHIFTED else rules


def _sum_nodes(question: Question, todo: np.ndarray, kind: str, num_nodes: int) -> _Sums:
    """Evaluate every node of some samples, in batches of one size."""
    subject, chosen = question.subject[todo], question.chosen[todo]
    num_rows = question.row_outputs.shape[1]
    rule = shifted_midpoints if kind == "shifted" else gauss_legendre
    positions, weights = rule(num_rows, num_nodes)
    shape = (len(todo), num_rows, num_nodes)
    sample, row, node = (index.ravel() for index in np.indices(shape))
    columns = (
        (sample * num_nodes + node).astype(np.int32),
        sample.astype(np.int32),
        row.astype(np.int32),
        weights[row, node].astype(np.float32),
    )
    position = positions[row, node].astype(np.float32)
    groups = len(todo) * num_nodes
    moves = np.zeros((groups, *subject.values.shape[1:]), np.float32)
    static_moves = np.zeros((groups, subject.static.shape[1]), np.float32)
    values, static_values = np.zeros(moves.shape), np.zeros(static_moves.shape)
    slopes = []
    size = min(question.batch_size, len(position))
    for begin in range(0, len(position), size):
        real = min(size, len(position) - begin)
        # Missing nodes of the last batch are copies of its first with weight 0.
        index = np.where(np.arange(size) < real, begin + np.arange(size), begin)
        index = np.minimum(index, len(position) - 1)
        batch = [column[index] for column in columns]
        batch[3] = batch[3] * (np.arange(size) < real)
        _, gradients, _ = question.compiled.path(
            (moves, static_moves, position[index]),
            subject.arrays,
            question.rows,
            tuple(batch),
            (chosen.weights, chosen.steps),
        )
        values += ops.convert_to_numpy(gradients[0])
        static_values += ops.convert_to_numpy(gradients[1])
        slopes.append(ops.convert_to_numpy(gradients[2])[:real])
    return _Sums(
        values.reshape(len(todo), num_nodes, *subject.values.shape[1:]),
        static_values.reshape(len(todo), num_nodes, -1),
        np.concatenate(slopes).reshape(shape).astype(np.float64),
    )


def _estimated_change(question: Question, todo: np.ndarray, sums: _Sums) -> np.ndarray:
    """Estimate the relative L2 error of shifted midpoints from the same evaluations, (sample,).

    The alternating contrast of neighbouring nodes has the pattern of the error over the cells; its
    size is set by the paths, whose true errors (their gaps) are known.
    """
    num_nodes = sums.values.shape[1]
    contrast = alternating(num_nodes) * num_nodes  # the sums carry the weight 1 / nodes already
    pattern = np.hypot(
        _norm(np.tensordot(sums.values, contrast, (1, 0))),
        _norm(np.tensordot(sums.static_values, contrast, (1, 0))),
    )
    size = np.hypot(_norm(sums.values.sum(axis=1)), _norm(sums.static_values.sum(axis=1)))
    num_rows = sums.slopes.shape[1]
    path_gaps = (
        question.predictions[todo, None]
        - question.row_outputs[todo]
        - num_rows * sums.slopes.sum(axis=2)
    )
    path_contrasts = num_rows * sums.slopes @ contrast
    ratio = (path_gaps**2).mean(axis=1) / np.maximum((path_contrasts**2).mean(axis=1), 1e-30)
    return pattern / np.where(size > 0, size, 1.0) * np.sqrt(ratio)


def _norm(array: np.ndarray) -> np.ndarray:
    return np.linalg.norm(array.reshape(len(array), -1), axis=1)


def _relative_change(
    old: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Relative L2 distance of two sets of values, over all cells and static facts, (sample,)."""
    moved = np.hypot(*(_norm(a - b) for a, b in zip(new, old, strict=True)))
    size = np.hypot(*(_norm(part) for part in new))
    return moved / np.where(size > 0, size, 1.0)


def _warn_beyond(tolerance: float, change: float, gap: float, nodes: int) -> None:
    if change > tolerance or gap > tolerance:
        warnings.warn(
            f"Expected values within tolerance={tolerance}; with {nodes} nodes per path the last "
            f"refinement still moved them by {change:.3f} (relative L2) and the largest gap is "
            f"{gap:.3f} of the predictions' spread. Read e.gaps before you trust a sample.",
            ToleranceWarning,
            stacklevel=4,
        )
