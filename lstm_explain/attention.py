"""Attention weights of a model, and the signed contribution of each step."""

from __future__ import annotations

import numpy as np

from .backend import ops
from .forward import Compiled, in_batches
from .outputs import Selection
from .subject import Subject


def pooling_and_contribution(
    compiled: Compiled, subject: Subject, chosen: Selection, context_size: int, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and signed contributions of an ``AttentionPooling`` layer, (sample, time).

    The contribution of step t is ``a_t (g . h_t)``, with the attention weight a_t, the state h_t
    and g the gradient of the explained output by the context. With a linear head these sum over
    time to exactly what the context adds to the output.
    """
    attention = compiled.attention
    if attention is None:
        raise ValueError(
            "Expected a model with an AttentionPooling layer; received one without. Build one with "
            "lx.build_model, or use lx.attention_maps for the weights of Keras's own layers."
        )
    moves = np.zeros((len(subject), context_size), np.float32)

    def evaluate(move: np.ndarray, *rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        _, gradients, (weights, states) = attention((move,), *rows)
        weights, states, gradient = map(ops.convert_to_numpy, (weights, states, gradients[0]))
        return weights, weights * (states * gradient[:, None, :]).sum(axis=-1)

    weights, contribution = in_batches(
        evaluate, batch_size, moves, *subject.arrays, chosen.weights, chosen.steps
    )
    return weights.astype(np.float64), contribution.astype(np.float64)
