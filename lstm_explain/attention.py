"""Attention weights of a model, and the signed contribution of each step."""

from __future__ import annotations

import numpy as np

from .forward import Compiled, in_batches, static_or_empty
from .sequences import SequenceData


def attention_and_contribution(
    compiled: Compiled,
    data: SequenceData,
    selection: np.ndarray,
    context_size: int,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return attention weights and signed contributions, (sample, time) each.

    The contribution of step t is ``a_t (g . h_t)``, with the attention weight a_t, the state h_t
    and g the gradient of the explained output by the context. With a linear head these sum over
    time to exactly what the context adds to the output.
    """
    attention = compiled.attention
    if attention is None:
        raise ValueError(
            "Expected a model with an attention layer; received one without. Build one with "
            "lx.build_model, or use explain, which needs no attention."
        )
    static = static_or_empty(data.static, len(data))
    moves = np.zeros((len(data), context_size), np.float32)

    def evaluate(*batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        move, *rest = batch
        _, gradients, (weights, states) = attention((move,), *rest)
        response = (np.asarray(states) * np.asarray(gradients[0])[:, None, :]).sum(axis=-1)
        return weights, np.asarray(weights) * response

    weights, contribution = in_batches(
        evaluate, batch_size, moves, data.values, static, data.mask, selection
    )
    return weights.astype(np.float64), contribution.astype(np.float64)
