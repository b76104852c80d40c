"""Refine the integral of one sample's paths where they are steep, until it is exact enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..inspection.question import Question
from .quadrature import gauss_legendre, sum_nodes

# Gauss-Legendre nodes of each panel, a part of the path; panels that are halved together, so that
# every round has the same shape and is compiled once; and rounds.
_NODES, _TOGETHER, _ROUNDS = 8, 4, 16


@dataclass(frozen=True)
class _Panel:
    """A part of the paths.

    Attributes
    ----------
    start, end : float
    values, static_values : arrays
        What it adds to the values.
    positions, slopes, outputs : arrays (row, node)
        Of its nodes, with the slope of the output along the whole path.
    error : float
        L2, upper estimate.
    """

    start: float
    end: float
    values: np.ndarray
    static_values: np.ndarray
    positions: np.ndarray
    slopes: np.ndarray
    outputs: np.ndarray
    error: float = 0.0


def refine(
    question: Question,
    sample: int,
    coarse: tuple[np.ndarray, np.ndarray],
    tolerance: float,
    spread: float,
) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Halve the panels of a path that matter most, round by round.

    Two things tell which: what halving moved the values by, and how far the output changes between
    neighbouring nodes by more than its slopes say. The second finds a step of the output that falls
    between two nodes.

    Parameters
    ----------
    question : Question
        With few background rows: all paths share the panels.
    sample : int
        Which of the question's samples.
    coarse : two arrays
        Values and static values by a coarser rule.
    tolerance : float
        As in `explain`.
    spread : float
        Of the predictions; the gap is measured in it.

    Returns
    -------
    values (time, feature), static_values (static feature)
    error, nodes
        Estimated relative L2 error, and nodes per path.
    """
    edges = np.linspace(0, 1, 2 * _TOGETHER + 1)
    leaves = _evaluated(question, sample, edges[:-1], edges[1:])
    values, static_values, _ = _total(leaves)
    moved = _size(values - coarse[0], static_values - coarse[1])
    leaves = [replace(panel, error=moved / len(leaves)) for panel in leaves]
    change = float(question.predictions[sample] - question.base_values[sample])
    for _ in range(_ROUNDS):
        values, static_values, error = _total(leaves)
        gap = abs(change - values.sum() - static_values.sum()) / spread
        if max(error, gap) <= tolerance:
            break
        size = _size(values, static_values) or 1.0
        urgency = np.maximum([p.error / size for p in leaves], _unseen(leaves) / spread)
        order = np.argsort(urgency, kind="stable")
        parents = [leaves[i] for i in order[-_TOGETHER:]]
        leaves = [leaves[i] for i in order[:-_TOGETHER]]
        cuts = np.array([(p.start, (p.start + p.end) / 2, p.end) for p in parents])
        halves = _evaluated(question, sample, cuts[:, :2].ravel(), cuts[:, 1:].ravel())
        for parent, left, right in zip(parents, halves[::2], halves[1::2], strict=True):
            moved = _size(
                left.values + right.values - parent.values,
                left.static_values + right.static_values - parent.static_values,
            )
            leaves += [replace(half, error=moved / 2) for half in (left, right)]
    return (*_total(leaves), _NODES * len(leaves))


def _total(leaves: list[_Panel]) -> tuple[np.ndarray, np.ndarray, float]:
    """Add the panels up; the errors too, relative to the whole."""
    values = np.sum([panel.values for panel in leaves], axis=0)
    static_values = np.sum([panel.static_values for panel in leaves], axis=0)
    size = _size(values, static_values) or 1.0
    return values, static_values, sum(panel.error for panel in leaves) / size


def _size(values: np.ndarray, static_values: np.ndarray) -> float:
    return float(np.hypot(np.linalg.norm(values), np.linalg.norm(static_values)))


def _unseen(leaves: list[_Panel]) -> np.ndarray:
    """Change of the output in each panel that its slopes do not tell, mean over the rows."""
    parts = [(p.positions, p.slopes, p.outputs) for p in leaves]
    positions, slopes, outputs = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    order = np.argsort(positions[0])
    positions, slopes, outputs = (part[:, order] for part in (positions, slopes, outputs))
    told = (slopes[:, 1:] + slopes[:, :-1]) / 2 * np.diff(positions, axis=1)
    unseen = np.abs(np.diff(outputs, axis=1) - told).mean(axis=0)
    # A step between two nodes may be in the panel of either.
    owner = order // _NODES
    return np.bincount(owner[1:], unseen, len(leaves)) + np.bincount(
        owner[:-1], unseen, len(leaves)
    )


def _evaluated(
    question: Question, sample: int, starts: np.ndarray, ends: np.ndarray
) -> list[_Panel]:
    """Integrate over panels, all in one call."""
    num_rows, count = question.row_outputs.shape[1], len(starts)
    inside, weights = gauss_legendre(num_rows, _NODES)
    lengths = (ends - starts)[:, None]
    positions = starts[:, None] + lengths * inside[:, None]  # (row, panel, node)
    weights = lengths * weights[:, None]
    panel = np.broadcast_to(np.arange(count)[:, None], positions.shape)
    flat = (num_rows, count * _NODES)
    values, static_values, weighted, outputs = sum_nodes(
        question,
        np.array([sample]),
        positions.reshape(flat),
        weights.reshape(flat),
        panel.reshape(flat),
        count,
    )
    slopes = weighted[0].reshape(positions.shape) / weights
    outputs = outputs[0].reshape(positions.shape)
    return [
        _Panel(
            float(starts[i]), float(ends[i]), values[0, i], static_values[0, i],
            positions[:, i], slopes[:, i], outputs[:, i],
        )
        for i in range(count)
    ]  # fmt: skip
