"""Ids beside numbers: a store, a ward, a kind of event, which the model reads by an Embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..backend import ops

Source = Literal["values", "static"]
Inputs: TypeAlias = tuple[Any, Any]


@dataclass(frozen=True)
class IdCall:
    """A call of an Embedding that reads features or static facts as ids.

    Attributes
    ----------
    layer : keras.layers.Embedding
    number : int
        Which of the layer's calls, counted from 0.
    source : {"values", "static"}
    columns : tuple of int
        The features or static facts, in the order in which the layer reads them.
    shape : tuple of int
        Of the ids of one sample.
    step : int or None
        The one step whose features it reads, as it does inside TimeDistributed; None: all steps.
    """

    layer: Any
    number: int
    source: Source
    columns: tuple[int, ...]
    shape: tuple[int, ...]
    step: int | None = None


def find_id_call(
    layer: Any,
    number: int,
    ids: np.ndarray,
    inputs: Sequence[np.ndarray],
    ids_after: Callable[[Sequence[np.ndarray]], np.ndarray],
) -> IdCall | None:
    """Tell which features or static facts a call of an Embedding reads; None if it reads neither.

    Parameters
    ----------
    layer, number
        The call.
    ids : array (sample, ...)
        What it reads.
    inputs : arrays
        Values, token ids, static facts and mask of the samples.
    ids_after : callable
        What it reads of other inputs.

    Raises
    ------
    ValueError
        It reads numbers that are not whole, or that its table has no row for.
    """
    values, _, static, _ = inputs
    sources: dict[Source, np.ndarray] = {"values": values, "static": static}
    for source, array in sources.items():
        if ids.size == 0 or array.size == 0 or ids.shape[1 : array.ndim - 1] != array.shape[1:-1]:
            continue
        positions = np.trunc(ids).reshape(*array.shape[:-1], -1)
        axes = tuple(range(array.ndim - 1))
        equal = np.trunc(array)[..., None] == positions[..., None, :]
        equal = equal.all(axis=axes)  # (column, position)
        if not equal.any(axis=0).all():
            continue
        read = np.zeros_like(equal)
        for column in np.flatnonzero(equal.any(axis=1)):
            moved = {each: part[:8].copy() for each, part in sources.items()}
            changed = (np.trunc(array[:8, ..., column]) + 1) % layer.input_dim
            moved[source][..., column] = changed
            after = ids_after([moved["values"], inputs[1][:8], moved["static"], inputs[3][:8]])
            now = after.reshape(*changed.shape, -1)
            read[column] = (now == changed[..., None]).all(axis=axes)
        if (read.sum(axis=0) != 1).any():
            continue
        columns = tuple(read.argmax(axis=0).tolist())
        _check_ids(layer, source, columns, array)
        return IdCall(layer, number, source, columns, ids.shape[1:])
    return _find_in_one_step(layer, number, ids, inputs, ids_after)


def _find_in_one_step(
    layer: Any,
    number: int,
    ids: np.ndarray,
    inputs: Sequence[np.ndarray],
    ids_after: Callable[[Sequence[np.ndarray]], np.ndarray],
) -> IdCall | None:
    """Tell which features of which step a call reads, as those of a sentence of a document."""
    values, rng = inputs[0], np.random.default_rng(0)
    if ids.size == 0 or len(ids) != len(values):
        return None
    positions = np.trunc(ids).reshape(len(ids), 1, -1)
    for step, array in enumerate(np.trunc(values).swapaxes(0, 1)):
        equal = (array[..., None] == positions).all(axis=0)  # (column, position)
        if not equal.size or not equal.any(axis=0).all():
            continue
        moved = values[:8].copy()
        some = np.flatnonzero(equal.any(axis=1))
        moved[:, step, some] = rng.integers(layer.input_dim, size=(len(moved), len(some)))
        now = ids_after([moved, *(each[:8] for each in inputs[1:])]).reshape(len(moved), 1, -1)
        read = equal & (moved[:, step, :, None] == now).all(axis=0)
        if (read.sum(axis=0) == 1).all():
            columns = tuple(read.argmax(axis=0).tolist())
            _check_ids(layer, "values", columns, values[:, step])
            return IdCall(layer, number, "values", columns, ids.shape[1:], step)
    return None


def _check_ids(layer: Any, source: Source, columns: tuple[int, ...], array: np.ndarray) -> None:
    """Raise where ids are not whole, or a table has no row for them."""
    what = f"{'feature' if source == 'values' else 'static fact'} {columns[0]}"
    ids = array[..., list(columns)]
    broken, outside = ids[ids % 1 != 0], ids[(ids < 0) | (ids >= layer.input_dim)]
    if broken.size:
        raise ValueError(
            f"Expected ids as whole numbers; {layer.name!r} reads {what} as ids, and received "
            f"{broken[0]} in the samples or the background. Do not scale ids, and take rows as "
            "background, not their mean: background=data.train."
        )
    if outside.size:  # Keras takes another row for it on some backends
        raise ValueError(
            f"Expected ids that a table has a row for; {layer.name!r} reads {what} as ids, and "
            f"received {outside[0]:.0f}. Give ids from 0 to {layer.input_dim - 1}."
        )


def between(
    calls: Sequence[IdCall], begin: Inputs, end: Inputs, share: Inputs
) -> tuple[Any, Any, dict[Any, dict[int, Any]]]:
    """Return what the model reads on the way from one input to another.

    Between two ids there is nothing, but between their vectors: the whole vector goes from that of
    the first to that of the second.

    Parameters
    ----------
    calls : sequence of IdCall
    begin, end : pairs of tensors
        Values (row, time, feature) and static facts (row, static feature).
    share : pair of tensors of these shapes
        How far on the way, from 0 to 1.

    Returns
    -------
    values, static : tensors
        Ids are those of the end.
    vectors : dict
        The vectors of each of the calls, by layer and number.
    """
    values, static = (
        first + part * (last - first) for first, last, part in zip(begin, end, share, strict=True)
    )
    vectors: dict[Any, dict[int, Any]] = {}
    for call in calls:
        source, columns = int(call.source == "static"), list(call.columns)
        parts = [each[source] for each in (begin, end, share)]
        if call.step is not None:
            parts = [each[:, call.step] for each in parts]
        first, last, part = (ops.take(each, columns, axis=-1) for each in parts)
        before, after = (call.layer.call(ops.cast(ids, "int32")) for ids in (first, last))
        vector = before + ops.cast(part, before.dtype)[..., None] * (after - before)
        shape = (-1, *call.shape, call.layer.output_dim)
        vectors.setdefault(call.layer, {})[call.number] = ops.reshape(vector, shape)
        is_id = np.zeros(end[source].shape[1:], bool)
        is_id[... if call.step is None else call.step, columns] = True
        if call.source == "static":
            static = ops.where(is_id, end[1], static)
        else:
            values = ops.where(is_id, end[0], values)
    return values, static, vectors
