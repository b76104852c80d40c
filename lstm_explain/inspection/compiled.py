"""``Compiled``: the functions of one model that explaining it needs, and the arrays they take."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..backend import keras, ops
from ..models.layers import AttentionPooling
from ..sequences.inputs import arrange
from .anatomy import Anatomy
from .gradients import compile_gradient
from .interventions import substituted
from .outputs import select


@dataclass(frozen=True)
class Compiled:
    """The functions that explaining one model needs, each traced once per shape of its inputs.

    Attributes
    ----------
    seen : callable
        ``seen((), values, tokens, static, mask)``: the model's real output, and as extras what
        its Masking layers mask and the embedded tokens.
    raw : callable
        ``raw((), *subject.arrays)``: margins or values, (row, output) or (row, step, output).
    path : callable
        ``path((moves, static_moves, positions), subject.arrays, starts, nodes, selection)``.
    coalition : callable
        ``coalition((), subject.arrays, starts, players, coalitions, selection)`` for one sample.
    attention : callable or None
        ``attention((context_moves,), *subject.arrays, weights, steps)``: the explained output,
        its gradient by the context, and (attention weights, states) of the last pooling layer.
    scores : callable or None
        ``scores((), *subject.arrays)``: attention weights of every attention layer.
    """

    seen: Callable[..., Any]
    raw: Callable[..., Any]
    path: Callable[..., Any]
    coalition: Callable[..., Any]
    attention: Callable[..., Any] | None
    scores: Callable[..., Any] | None


@lru_cache(maxsize=8)
def compile_model(anatomy: Anatomy, scale: str) -> Compiled:
    """Compile a model's functions; kept for the last few models, so that a widget is fast."""
    model, link = anatomy.model, anatomy.link

    def margin(values: Any, tokens: Any, static: Any, mask: Any, layer_masks: Any) -> Any:
        """Run the whole model with its margin exposed and its masks those of the sample."""
        with ExitStack() as changes:
            changes.enter_context(anatomy.margin_exposed())
            fixed = [*anatomy.masking_layers, *anatomy.mask_operations]
            for operation, layer_mask in zip(fixed, layer_masks, strict=True):
                changes.enter_context(_mask_fixed(operation, layer_mask))
            for layer in anatomy.embedding_layers:
                changes.enter_context(_embedding_replaced(layer, values))
            sequence = tokens if anatomy.embedding_layers else values
            result = model(arrange(anatomy.roles, sequence, static, mask), training=False)
        output = keras.tree.flatten(result)[0]
        return output[:, None] if len(output.shape) == 1 else output

    def seen(_: Any, values: Any, tokens: Any, static: Any, mask: Any) -> Any:
        found: dict[int, Any] = {}
        with ExitStack() as changes:
            for layer in anatomy.masking_layers:
                changes.enter_context(_recorded(layer, found, of_mask=True))
            for operation in (*anatomy.mask_operations, *anatomy.embedding_layers):
                changes.enter_context(_recorded(operation, found))
            sequence = tokens if anatomy.embedding_layers else values
            result = model(arrange(anatomy.roles, sequence, static, mask), training=False)
        output = keras.tree.flatten(result)[0]
        recorded = (*anatomy.masking_layers, *anatomy.mask_operations, *anatomy.embedding_layers)
        return output, (output, *(found[id(operation)] for operation in recorded))

    def raw(_: Any, *subject: Any) -> Any:
        output = margin(*subject)
        return output, (output,)

    def path(point: Any, subject: Any, starts: Any, nodes: Any, selection: Any) -> Any:
        """Sum of weight * output over nodes at ``start + (position + move) * (end - start)``.

        The moves, one per cell of each group of nodes and all 0, are what the sum is
        differentiated by: the gradient by a move is the node's gradient times (end - start),
        already weighted and summed over the group. The gradient by a position is the weighted
        slope of the output along the path.
        """
        position = point[2]
        group, sample, row, weight = nodes
        values, tokens, static, mask, layer_masks = keras.tree.map_structure(
            lambda array: _rows(array, sample), subject
        )
        start = ops.take(starts[0], row, axis=0)
        # A padded step is not absent: it stays as the sample has it.
        start = ops.where(mask[..., None], start, values)
        along = position[:, None, None] + ops.take(point[0], group, axis=0)
        values = start + along * (values - start)
        start = ops.take(starts[1], row, axis=0)
        along = position[:, None] + ops.take(point[1], group, axis=0)
        static = start + along * (static - start)
        weights, steps = (ops.take(part, sample, axis=0) for part in selection)
        output = margin(values, tokens, static, mask, layer_masks)
        output = select(output, weights, steps, link, scale)
        return weight * output, (output,)

    def coalition(
        _: Any, subject: Any, starts: Any, players: Any, coalitions: Any, selection: Any
    ) -> Any:
        """Explained output of one sample where only some players are present, per coalition.

        `players` holds the player of each cell (time, feature) and of each static fact;
        `coalitions` the background row (coalition,) and who is present (coalition, player).
        """
        row, present = coalitions
        count = row.shape[0]
        values, tokens, static, mask, layer_masks = keras.tree.map_structure(
            lambda array: ops.repeat(array, count, axis=0), subject
        )
        here = ops.take(present, players[0], axis=1)
        start = ops.where(mask[..., None], ops.take(starts[0], row, axis=0), values)
        values = start + here * (values - start)
        start = ops.take(starts[1], row, axis=0)
        static = start + ops.take(present, players[1], axis=1) * (static - start)
        weights, steps = (ops.repeat(part, count, axis=0) for part in selection)
        output = margin(values, tokens, static, mask, layer_masks)
        output = select(output, weights, steps, link, scale)
        return output, (output,)

    pooling = [layer for layer in anatomy.attention_layers if isinstance(layer, AttentionPooling)]

    def attention(point: Any, *arrays: Any) -> Any:
        """Explained output with a move, which is 0, added to the context of the attention."""
        *subject, weights, steps = arrays
        found: list[Any] = []
        original = pooling[-1].call

        def call(states: Any, mask: Any = None) -> Any:
            context, scores = original(states, mask=mask, return_attention_scores=True)
            found[:] = [scores, states]
            return context + ops.cast(point[0], context.dtype)

        with substituted(pooling[-1], "call", call):
            output = margin(*subject)
        return select(output, weights, steps, link, scale), tuple(found)

    def scores(_: Any, *subject: Any) -> Any:
        found: dict[str, Any] = {}
        with ExitStack() as changes:
            for layer in anatomy.attention_layers:
                changes.enter_context(_scores_recorded(layer, found))
            output = margin(*subject)
        return output, tuple(found[layer.name] for layer in anatomy.attention_layers)

    return Compiled(
        seen=compile_gradient(seen, model),
        raw=compile_gradient(raw, model),
        path=compile_gradient(path, model),
        coalition=compile_gradient(coalition, model),
        attention=compile_gradient(attention, model) if pooling else None,
        scores=compile_gradient(scores, model) if anatomy.attention_layers else None,
    )


def _rows(array: Any, index: Any) -> Any:
    """Gather rows; bools go as integers, which some processors need to gather them."""
    if keras.backend.standardize_dtype(array.dtype) != "bool":
        return ops.take(array, index, axis=0)
    return ops.cast(ops.take(ops.cast(array, "int32"), index, axis=0), "bool")


def _mask_fixed(layer: Any, mask: Any) -> Any:
    """Let a layer or operation mask what it masks for the sample itself, whatever it is fed."""
    if not isinstance(layer, keras.layers.Masking):
        return substituted(layer, "call", lambda *args, **kwargs: mask)
    changes = ExitStack()
    changes.enter_context(substituted(layer, "call", lambda inputs: inputs + 0))
    changes.enter_context(substituted(layer, "compute_mask", lambda *args, **kwargs: mask))
    return changes


def _embedding_replaced(layer: Any, vectors: Any) -> Any:
    """Let an Embedding layer give these vectors; its mask still comes from the token ids."""
    calls: list[Any] = []

    def call(_: Any) -> Any:
        calls.append(layer)
        if len(calls) > 1:
            raise ValueError(
                f"Expected each Embedding to read one input; {layer.name!r} is shared by two. "
                "Give each input an Embedding of its own, with the same weights."
            )
        return ops.cast(vectors, layer.compute_dtype)

    return substituted(layer, "call", call)


def _recorded(layer: Any, found: dict[int, Any], of_mask: bool = False) -> Any:
    """Keep what a layer gives, or what it masks."""
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        found[id(layer)] = layer.compute_mask(*args) if of_mask else output
        return output

    return substituted(layer, "call", call)


def _scores_recorded(layer: Any, found: dict[str, Any]) -> Any:
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        wanted = kwargs.pop("return_attention_scores", False)
        result, scores = original(*args, return_attention_scores=True, **kwargs)
        found[layer.name] = scores
        return (result, scores) if wanted else result

    return substituted(layer, "call", call)


def in_batches(function: Callable[..., Any], batch_size: int, *arrays: Any) -> list[np.ndarray]:
    """Call `function` on rows in batches of one size and join what it returns.

    The last batch is filled up with copies of its first row, so that nothing is traced twice.
    Arrays may stand in nested tuples.
    """
    total = len(keras.tree.flatten(arrays)[0])
    size = min(batch_size, total)
    pieces = []
    for start in range(0, total, size):
        real = min(size, total - start)
        index = start + np.minimum(np.arange(size), real - 1)
        batch = keras.tree.map_structure(lambda array, at=index: array[at], arrays)
        result = function(*batch)
        pieces.append([np.asarray(ops.convert_to_numpy(part))[:real] for part in result])
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


def raw_outputs(compiled: Compiled, subject: Subject, batch_size: int) -> np.ndarray:
    """Return the model's margins or values, (row, output) or (row, step, output)."""
    return in_batches(lambda *rows: compiled.raw((), *rows)[2], batch_size, *subject.arrays)[0]


@dataclass(frozen=True)
class Subject:
    """Samples in the form in which paths and coalitions change them.

    Attributes
    ----------
    values : float32 array (sample, time, feature)
        What is interpolated: measurements, or the embedded tokens.
    tokens : int32 array (sample, time)
        Token ids; width 0 where the sequence is numeric.
    static : float32 array (sample, static feature)
        Width 0 where there is none.
    mask : bool array (sample, time)
        Real steps: the data's own mask, less what the model masks of itself.
    layer_masks : tuple of bool arrays (sample, time)
        What each Masking layer of the model masks for the sample itself.
    """

    values: np.ndarray
    tokens: np.ndarray
    static: np.ndarray
    mask: np.ndarray
    layer_masks: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: np.ndarray | slice) -> Subject:
        return Subject(
            self.values[index],
            self.tokens[index],
            self.static[index],
            self.mask[index],
            tuple(mask[index] for mask in self.layer_masks),
        )

    def with_values(self, values: np.ndarray, static: np.ndarray) -> Subject:
        """Return the same samples with other values and static facts behind the same masks."""
        return replace(self, values=values, static=static)

    @property
    def arrays(self) -> tuple[np.ndarray | tuple[np.ndarray, ...], ...]:
        """The fields as a nested tuple, for a compiled function."""
        return (self.values, self.tokens, self.static, self.mask, self.layer_masks)
