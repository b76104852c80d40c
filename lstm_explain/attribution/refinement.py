"""Refinement of the integral of one sample's paths where they are steep."""

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
    values : array (input,)
        Its part of the integral.
    positions, slopes, outputs : arrays (row, node)
        Of its nodes, with the slope of the output along the whole path.
    error : float
        L2, upper estimate.
    """

    start: float
    end: float
    values: np.ndarray
    positions: np.ndarray
    slopes: np.ndarray
    outputs: np.ndarray
    error: float = 0.0


def refine(
    question: Question, sample: int, coarse: np.ndarray, tolerance: float, spread: float
) -> tuple[np.ndarray, float, int]:
    """Halve the panels of a path that matter most, round by round.

    A panel matters by how much halving changed the values, and by how much the output changes
    between neighbouring nodes beyond what its slopes say. The second finds a step of the output
    that falls between two nodes.

    Parameters
    ----------
    question : Question
        With few background rows: all paths share the panels.
    sample : int
        Position of the sample in the question.
    coarse : array (input,)
        Values by a coarser rule.
    tolerance : float
        Bound on the gap, relative to `spread`, and on the estimated relative L2 error.
    spread : float
        Standard deviation of the predictions.

    Returns
    -------
    values (input,), error, nodes
        With the estimated relative L2 error, and the nodes per path.
    """
    edges = np.linspace(0, 1, 2 * _TOGETHER + 1)
    panels = _evaluated(question, sample, edges[:-1], edges[1:])
    change = np.linalg.norm(_total(panels)[0] - coarse)
    panels = [replace(panel, error=float(change) / len(panels)) for panel in panels]
    prediction = float(question.predictions[sample] - question.base_values[sample])
    for _ in range(_ROUNDS):
        values, error = _total(panels)
        gap = abs(prediction - values.sum()) / spread
        if max(error, gap) <= tolerance:
            break
        norm = float(np.linalg.norm(values)) or 1.0
        urgency = np.maximum([p.error / norm for p in panels], _unseen(panels) / spread)
        order = np.argsort(urgency, kind="stable")
        parents = [panels[i] for i in order[-_TOGETHER:]]
        panels = [panels[i] for i in order[:-_TOGETHER]]
        cuts = np.array([(p.start, (p.start + p.end) / 2, p.end) for p in parents])
        halves = _evaluated(question, sample, cuts[:, :2].ravel(), cuts[:, 1:].ravel())
        for parent, left, right in zip(parents, halves[::2], halves[1::2], strict=True):
            change = np.linalg.norm(left.values + right.values - parent.values)
            panels += [replace(half, error=float(change) / 2) for half in (left, right)]
    return (*_total(panels), _NODES * len(panels))


def _total(panels: list[_Panel]) -> tuple[np.ndarray, float]:
    """Return the sum of the panels' values, and of their errors relative to its norm."""
    values = np.sum([panel.values for panel in panels], axis=0)
    norm = float(np.linalg.norm(values)) or 1.0
    return values, sum(panel.error for panel in panels) / norm


def _unseen(panels: list[_Panel]) -> np.ndarray:
    """Change of the output in each panel that its slopes do not tell, mean over the rows."""
    arrays = [(p.positions, p.slopes, p.outputs) for p in panels]
    positions, slopes, outputs = (np.concatenate(a, axis=1) for a in zip(*arrays, strict=True))
    order = np.argsort(positions[0])
    positions, slopes, outputs = (array[:, order] for array in (positions, slopes, outputs))
    expected = (slopes[:, 1:] + slopes[:, :-1]) / 2 * np.diff(positions, axis=1)
    unseen = np.abs(np.diff(outputs, axis=1) - expected).mean(axis=0)
    # A step between two nodes may be in the panel of either.
    owner, count = order // _NODES, len(panels)
    return np.bincount(owner[1:], unseen, count) + np.bincount(owner[:-1], unseen, count)


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
    nodes = (positions.reshape(flat), weights.reshape(flat), panel.reshape(flat))
    sums, weighted, outputs = sum_nodes(question, np.array([sample]), *nodes, count)
    slopes = weighted[0].reshape(positions.shape) / weights
    outputs = outputs[0].reshape(positions.shape)
    return [
        _Panel(
            *(float(starts[i]), float(ends[i]), sums[0, i]),
            *(positions[:, i], slopes[:, i], outputs[:, i]),
        )
        for i in range(count)
    ]
