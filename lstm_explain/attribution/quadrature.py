"""Quadrature on the paths from background rows to samples.

Nodes and weights of the midpoint and Gauss-Legendre rules, sums of gradients over the nodes, and an
estimate of a rule's error that needs no further evaluations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..inspection.compiled import Nodes, even_size, rounded_up
from ..inspection.question import Question

# By how much an estimate exceeds the likely error. Chosen on models that
# tests/benchmarks/estimate_coverage.py draws with seeds 1000 and 1001; the README reports another.
_SAFETY = 1.4
# Rows of a call that keep a processor busy: fewer are joined by copies of themselves.
_FULL = 1024


def gauss_legendre(num_rows: int, num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same Gauss-Legendre positions and weights for every row, (row, node) each.

    Exact for polynomials of degree 2 n - 1 along each path: the rule for high accuracy.

    Examples
    --------
    >>> positions, weights = gauss_legendre(1, 2)
    >>> float(round((weights * positions**3).sum(), 12))
    0.25
    """
    positions, weights = np.polynomial.legendre.leggauss(num_nodes)
    rows = np.ones((num_rows, 1))
    return rows * (positions + 1) / 2, rows * weights / (2 * num_rows)


def shifted_midpoints(num_rows: int, num_nodes: int) -> np.ndarray:
    """Return midpoints that are shifted from row to row, (row, node).

    Only the mean over rows is needed: with a different shift for every row, the errors of the rows
    cancel, and few nodes per path are enough. The shifts fill their range evenly in the order of
    van der Corput (1935), so that neighbouring rows differ most.

    Examples
    --------
    >>> shifted_midpoints(4, 1).ravel().tolist()
    [0.125, 0.625, 0.375, 0.875]
    """
    order = np.argsort(np.argsort(_van_der_corput(num_rows), kind="stable"))
    even = (order + 0.5) / num_rows
    # A shift over the whole cell is best for one or two nodes, a narrower one for more.
    shift = 0.5 + min(1.0, 2.0 / num_nodes) * (even - 0.5)
    return (np.arange(num_nodes) + shift[:, None]) / num_nodes


def between(positions: np.ndarray) -> np.ndarray:
    """Return the positions half-way between a row's midpoints, which double the rule.

    Examples
    --------
    >>> between(np.array([[0.125, 0.625]])).tolist()
    [[0.375, 0.875]]
    """
    return (positions + 0.5 / positions.shape[1]) % 1.0


def _van_der_corput(count: int) -> np.ndarray:
    """Return 0, 1, 2, ... with their binary digits mirrored at the point."""
    numbers, result, digit = np.arange(count), np.zeros(count), 0.5
    while numbers.any():
        result += digit * (numbers & 1)
        numbers, digit = numbers >> 1, digit / 2
    return result


def proportion(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return how large a change of the values is beside the change of their sum, (sample,).

    Measured by how the gradients change from part to part of the paths: about 1 where inputs change
    independently, far less where many change alike, more where their changes cancel.

    Parameters
    ----------
    sums : array (sample, bin, input)
        Gradients times (sample - row) by the bin of the path in which they were taken.
    counts : array (bin,)
        Nodes in each bin.

    Examples
    --------
    >>> alike = np.array([[[1.0, 1.0, 1.0, 1.0], [3.0, 3.0, 3.0, 3.0]]])
    >>> proportion(alike, np.array([5, 5])).tolist()
    [0.5]
    """
    means = sums[:, counts > 0] / counts[counts > 0, None]
    changes = means - means.mean(axis=1, keepdims=True)
    size = norm_of(changes)
    # At most 100: beyond that, the change of the sum is no more than rounding.
    return size / np.maximum(norm_of(changes.sum(axis=2)), np.maximum(size / 100, 1e-300))


def estimated_error(values: np.ndarray, missed: np.ndarray, proportions: np.ndarray) -> np.ndarray:
    """Estimate the relative L2 error of samples' values from what their paths are known to miss.

    The sum of a path's error is known exactly. The sum of the values' error is the mean of these;
    what cancels in it need not cancel in each value, so that as much again is added as means of
    independent errors would have. `proportions` turns the sum into a norm.

    Parameters
    ----------
    values : array (sample, input)
    missed : array (sample, row)
        Change of the output from the row to the sample, less what the rule gives along the path.
    proportions : array (sample,)

    Returns
    -------
    array (sample,)
    """
    size = np.sqrt(missed.mean(axis=1) ** 2 + (missed**2).mean(axis=1) / missed.shape[1])
    length = norm_of(values)
    return _SAFETY * proportions * size / np.where(length > 0, length, 1.0)


def norm_of(array: np.ndarray) -> np.ndarray:
    """Return the L2 norm of each sample's numbers, (sample,)."""
    return np.linalg.norm(array.reshape(len(array), -1), axis=1)


def sum_nodes(
    question: Question,
    samples: np.ndarray,
    positions: np.ndarray,
    weights: np.ndarray,
    bins: np.ndarray,
    num_bins: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evaluate the output and its gradients at nodes (row, node) of every path of some samples.

    Returns
    -------
    sums (sample, bin, input)
        Weighted gradients times (sample - row), summed over the nodes of a bin. The inputs are all
        cells of a sample, step by step, then its static facts.
    slopes (sample, row, node)
        Weighted slope of the output along the path.
    outputs (sample, row, node)
        The explained output.
    """
    shared = _shared(question, samples, positions.size)
    subject, selection = question.subject[shared.owners], question.selection[shared.asked.ravel()]
    shape = (shared.copies, *positions.shape)
    sample, row, node = (index.ravel() for index in np.indices(shape))
    nodes = Nodes(
        group=(sample * num_bins + bins[row, node]).astype(np.int32),
        sample=sample.astype(np.int32),
        row=row.astype(np.int32),
        weight=weights[row, node].astype(np.float32),
        position=positions[row, node].astype(np.float32),
    )
    rounds, num_groups = len(shared.asked), len(subject) * num_bins
    num_cells = int(np.prod(subject.values.shape[1:]))
    sums = np.zeros((rounds, num_groups, num_cells + subject.static.shape[1]))
    slopes, outputs = [], []
    total = len(sample)
    size = even_size(total, question.batch_size)
    for begin in range(0, total, size):
        # Missing nodes of the last batch are copies of its last with weight 0.
        index = np.minimum(np.arange(begin, begin + size), total - 1)
        real = np.arange(begin, begin + size) < total
        batch = Nodes(*(column[index] for column in nodes))
        batch = batch._replace(weight=batch.weight * real.astype(np.float32))
        values, static_values, slope, output = question.compiled.path(
            subject, question.rows, batch, selection, num_groups
        )
        sums[..., :num_cells] += values.reshape(rounds, num_groups, -1)
        sums[..., num_cells:] += static_values
        slopes.append(slope[:, real])
        outputs.append(output[:, real])
    return (
        sums.reshape(rounds, len(subject), num_bins, -1)[shared.place],
        _joined(slopes, shape)[shared.place],
        _joined(outputs, shape)[shared.place],
    )


def _joined(batches: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.concatenate(batches, axis=1).reshape(-1, *shape).astype(np.float64)


class _Shared(NamedTuple):
    """How the outputs of samples share runs of the model.

    Attributes
    ----------
    owners : int array (copy,)
        The row of the question whose sample each copy of a sample is.
    asked : int array (round, copy)
        The row whose output each copy is asked for in each round.
    copies : int
        Those that are asked; further ones only keep the number of shapes small.
    place : tuple of int arrays (row,)
        Round and copy in which the output of each row is.
    """

    owners: np.ndarray
    asked: np.ndarray
    copies: int
    place: tuple[np.ndarray, np.ndarray]


def _shared(question: Question, samples: np.ndarray, num_nodes: int) -> _Shared:
    """Share the model's runs between the outputs of a sample, which are rows side by side.

    A copy of a sample runs once and is differentiated once for each output that it is asked for.
    There are as many copies as fill a batch: few rows keep a processor waiting.
    """
    owners, place = np.unique(samples // question.num_outputs, return_inverse=True)
    number = np.arange(len(samples)) - np.searchsorted(place, place)
    most = int(number.max()) + 1
    copies = int(np.clip(_FULL // (num_nodes * len(owners)), 1, most))
    rounds = -(-most // copies)
    copies = -(-most // rounds)
    count = len(owners) * copies
    copy = place * copies + number % copies
    # Few shapes: each new one is compiled anew.
    first = np.searchsorted(place, np.arange(len(owners)))
    every = np.repeat(samples[first], copies)
    every = np.pad(every, (0, rounded_up(count) - count), "edge")
    asked = np.tile(every, (rounds, 1))
    asked[number // copies, copy] = samples
    return _Shared(every, asked, count, (number // copies, copy))
