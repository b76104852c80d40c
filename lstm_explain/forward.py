"""Compiled functions of one model: its raw outputs, and what moves one of them along a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .anatomy import Anatomy
from .backend import ops
from .gradients import compile_gradient
from .inputs import arrange
from .outputs import select
from .substitution import substituted


@dataclass(frozen=True)
class Compiled:
    """The functions that explaining one model needs, each traced once per shape of its inputs.

    Attributes
    ----------
    raw : callable
        ``raw((), values, static, mask)``: margins or values, (row, output).
    plain : callable
        ``plain((), values, static, mask)``: what the model really outputs, as the one extra.
    path : callable
        ``path((moves, static_moves), ...)``: see `compile_model`.
    attention : callable or None
        ``attention((context_moves,), values, static, mask, selection)``: the explained output,
        its gradient by the context, and (attention weights, states).
    """

    raw: Callable[..., Any]
    plain: Callable[..., Any]
    path: Callable[..., Any]
    attention: Callable[..., Any] | None


@lru_cache(maxsize=8)
def compile_model(anatomy: Anatomy, scale: str) -> Compiled:
    """Compile a model's functions; kept for the last few models, so that a widget is fast."""
    model = anatomy.model
    layer = anatomy.attention_layer()

    def margin(values: Any, static: Any, mask: Any) -> Any:
        with anatomy.margin_exposed():
            return model(arrange(anatomy.roles, values, static, mask), training=False)

    def raw(_: Any, values: Any, static: Any, mask: Any) -> Any:
        return margin(values, static, mask), ()

    def plain(_: Any, values: Any, static: Any, mask: Any) -> Any:
        output = model(arrange(anatomy.roles, values, static, mask), training=False)
        return output, (output,)

    def path(
        point: Any,
        ends: tuple[Any, Any],
        masks: Any,
        starts: tuple[Any, Any],
        nodes: tuple[Any, Any, Any, Any],
        selection: Any,
    ) -> Any:
        """Sum of weight * output over nodes at ``start + (position + move) * (end - start)``.

        The moves, one per cell of each sample and all 0, are what the sum is differentiated by:
        the gradient by a move is the node's gradient times (end - start), already weighted and
        summed over all nodes of the sample.
        """
        sample, row, position, weight = nodes
        # As integers: on some processors TensorFlow complains about gathering bools.
        mask = ops.cast(ops.take(ops.cast(masks, "int32"), sample, axis=0), "bool")
        inputs = []
        for move, end, start in zip(point, ends, starts, strict=True):
            rank = len(end.shape)
            along = ops.reshape(position, (-1,) + (1,) * (rank - 1))
            end_rows, start_rows = ops.take(end, sample, axis=0), ops.take(start, row, axis=0)
            if rank == 3:  # a padded step is not absent: it stays as the sample has it
                start_rows = ops.where(mask[..., None], start_rows, end_rows)
            moved = along + ops.take(move, sample, axis=0)
            inputs.append(start_rows + moved * (end_rows - start_rows))
        values, static = inputs
        outputs = select(
            margin(values, static, mask), ops.take(selection, sample, axis=0), anatomy.link, scale
        )
        return weight * outputs, (outputs,)

    def attention(point: Any, values: Any, static: Any, mask: Any, selection: Any) -> Any:
        """Explained output with a move, which is 0, added to the context of the attention."""
        seen: list[Any] = []
        original = layer.call

        def call(states: Any, mask: Any = None) -> Any:
            context, weights = original(states, mask=mask, return_attention_scores=True)
            seen[:] = [weights, states]
            return context + point[0]

        with substituted(layer, "call", call):
            outputs = margin(values, static, mask)
        return select(outputs, selection, anatomy.link, scale), tuple(seen)

    return Compiled(
        raw=compile_gradient(raw, model),
        plain=compile_gradient(plain, model),
        path=compile_gradient(path, model),
        attention=None if layer is None else compile_gradient(attention, model),
    )


def static_or_empty(static: np.ndarray | None, rows: int) -> np.ndarray:
    """Return the static facts, or an array of width 0 where there are none."""
    return np.zeros((rows, 0), np.float32) if static is None else static


def in_batches(function: Callable[..., Any], batch_size: int, *arrays: np.ndarray) -> list[Any]:
    """Call `function` on rows in batches of one size and join what it returns.

    The last batch is filled up with copies of its first row, so that nothing is traced twice.
    """
    total = len(arrays[0])
    size = min(batch_size, total)
    pieces = []
    for start in range(0, total, size):
        batch = [array[start : start + size] for array in arrays]
        real = len(batch[0])
        batch = [np.concatenate([b, np.repeat(b[:1], size - real, axis=0)]) for b in batch]
        pieces.append([ops.convert_to_numpy(part)[:real] for part in function(*batch)])
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
