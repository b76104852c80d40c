"""Sums of gradients over nodes on the paths from background rows to samples."""

from __future__ import annotations

import numpy as np

from ..backend import ops
from ..inspection.preparation import Question


def sum_nodes(
    question: Question,
    samples: np.ndarray,
    positions: np.ndarray,
    weights: np.ndarray,
    bin_: np.ndarray,
    bins: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Evaluate nodes (row, node) of every path of some samples, in batches of one size.

    Returns
    -------
    values (sample, bin, time, feature), static_values (sample, bin, static feature)
        Weighted gradients times (sample - row), summed over the nodes of a bin.
    slopes (sample, row, node)
        Weighted slope of the output along the path.
    outputs (sample, row, node)
        The explained output.
    """
    # Few shapes: each new one is compiled anew. The copies of the last sample have no nodes.
    padded = np.pad(samples, (0, _rounded_up(len(samples)) - len(samples)), "edge")
    subject, chosen = question.subject[padded], question.chosen[padded]
    shape = (len(samples), *positions.shape)
    sample, row, node = (index.ravel() for index in np.indices(shape))
    columns = [
        (sample * bins + bin_[row, node]).astype(np.int32),
        sample.astype(np.int32),
        row.astype(np.int32),
        weights[row, node].astype(np.float32),
        positions[row, node].astype(np.float32),
    ]
    moves = np.zeros((len(padded) * bins, *subject.values.shape[1:]), np.float32)
    static_moves = np.zeros((len(padded) * bins, subject.static.shape[1]), np.float32)
    values, static_values = np.zeros(moves.shape), np.zeros(static_moves.shape)
    slopes, outputs = [], []
    total = len(sample)
    size = min(question.batch_size, _rounded_up(total))
    for begin in range(0, total, size):
        # Missing nodes of the last batch are copies of its last with weight 0.
        index = np.minimum(np.arange(begin, begin + size), total - 1)
        group, which, start, weight, position = (column[index] for column in columns)
        real = np.arange(begin, begin + size) < total
        _, gradients, (output,) = question.compiled.path(
            (moves, static_moves, position),
            subject.arrays,
            question.rows,
            (group, which, start, weight * real.astype(np.float32)),
            (chosen.weights, chosen.steps),
        )
        values += ops.convert_to_numpy(gradients[0])
        static_values += ops.convert_to_numpy(gradients[1])
        slopes.append(ops.convert_to_numpy(gradients[2])[real])
        outputs.append(ops.convert_to_numpy(output)[real])
    count = len(samples)
    return (
        values.reshape(len(padded), bins, *subject.values.shape[1:])[:count],
        static_values.reshape(len(padded), bins, subject.static.shape[1])[:count],
        np.concatenate(slopes).reshape(shape).astype(np.float64),
        np.concatenate(outputs).reshape(shape).astype(np.float64),
    )


def _rounded_up(count: int) -> int:
    """Return the next power of two, beyond 64 the next multiple of 64."""
    return 1 << (count - 1).bit_length() if count <= 64 else -(-count // 64) * 64
