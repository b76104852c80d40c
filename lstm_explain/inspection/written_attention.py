"""Attention that people write themselves is found by what it does: its weights weigh states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import keras, ops
from ..models.keeping import kept_with
from .anatomy import ATTENTION, Anatomy, goes_by, takes_softmax, told_apart, walk
from .interventions import Record, run, tensors_recorded

# Float32: by how much sums and products may differ, of their size.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Place:
    """A tensor among those that an operation gives, takes a softmax to get, or reads first."""

    operation: Any
    number: int


@dataclass(frozen=True)
class WrittenAttention:
    """Attention of no layer that Keras knows as such.

    Attributes
    ----------
    name : str
        That of the layer in which the weights appear.
    weights : Place
        (sample, position), with further axes of size 1; where they were named also (sample, query,
        position) and (sample, head, query, position).
    states : Place
        The sequence (sample, position, state) that they weigh; where that is not seen, what the
        named layer reads first.
    """

    name: str
    weights: Place
    states: Place


def find_written_attention(
    anatomy: Anatomy, inputs: Sequence[np.ndarray]
) -> tuple[WrittenAttention, ...]:
    """Find weights over a sequence in a model that runs on some samples.

    They are not negative, sum to 1 over its positions, and the model computes their products with
    the states at these, or the sum of the products.
    """
    if anatomy.attention is not None:
        return () if anatomy.attention_layers else (_named(anatomy, inputs),)
    key = "written attention", *(array.shape[1:] for array in inputs)
    return kept_with(anatomy.model, key, lambda: _find(anatomy, inputs))


def _find(anatomy: Anatomy, inputs: Sequence[np.ndarray]) -> tuple[WrittenAttention, ...]:
    operations = list(_operations(anatomy))
    if not any(map(_may_attend, operations)):
        return ()
    arrays = _arrays_of(anatomy, operations, inputs)
    count = len(inputs[0][:4])
    sequences = {place: array for place, array in arrays.items() if array.ndim == 3}
    results = [array for array in arrays.values() if array.ndim in (2, 3)]
    weighings: list[tuple[Place, Place]] = []
    seen: list[np.ndarray] = []  # what one layer gives, the next one reads
    for place, array in sorted(arrays.items(), key=lambda item: item[0].number):
        weights = array.reshape(count, -1)
        if not _may_weigh(array) or any(np.array_equal(weights, other) for other in seen):
            continue
        for source, states in sequences.items():
            if states.shape[1] == weights.shape[1] and _are_weighed(states, weights, results):
                weighings.append((place, source))
                seen.append(weights)
                break
    names = told_apart(anatomy.model, [place.operation for place, _ in weighings])
    for position, name in enumerate(names):  # two in one layer
        names[position] = name if name not in names[:position] else f"{name} {position + 1}"
    return tuple(
        WrittenAttention(name, *places) for name, places in zip(names, weighings, strict=True)
    )


def _arrays_of(
    anatomy: Anatomy, operations: Sequence[Any], inputs: Sequence[np.ndarray]
) -> dict[Place, np.ndarray]:
    """Return what operations give, take a softmax to get, and read first, of a few samples."""
    record: Record = {}
    tensors = [ops.convert_to_tensor(array[:4]) for array in inputs]
    run(anatomy, tensors, [tensors_recorded(each, record) for each in operations], margin=False)
    return {
        Place(operation, number): array
        for operation in operations
        for number, tensor in enumerate(record[operation])
        if (array := _as_array(tensor)).shape[:1] == (len(tensors[0]),)
    }


def _named(anatomy: Anatomy, inputs: Sequence[np.ndarray]) -> WrittenAttention:
    """Return the attention of the layer that was named; raise if it has none over the steps."""
    model, name = anatomy.model, str(anatomy.attention)
    operations = list(_operations(anatomy))
    called = [each for each in operations if goes_by(model, each, name)]
    if len(called) != 1:
        layers = list(walk(model))
        is_inside = any(goes_by(model, each, name) for each in layers)
        reason = (
            f"there are {len(called)} of that name; put that of its model in front: 'model/{name}'"
            if called
            else "it is inside a loop over steps or a layer of Keras; explain a model without that"
            if is_inside
            else f"its layers are {told_apart(model, layers)}"
        )
        raise ValueError(
            f"Expected attention to be the name of one layer of {model.name!r}; received {name!r}: "
            f"{reason}."
        )
    arrays = _arrays_of(anatomy, operations, inputs)
    outputs = {place: array for place, array in arrays.items() if place.operation is called[0]}
    steps = inputs[3].shape[1]
    for place, array in outputs.items():
        weights = array.reshape(len(array), -1) if over_one_axis(array.shape) else array
        if weights.ndim > 4 or weights.shape[-1] != steps or not _sums_to_1(weights):
            continue
        states = [*outputs][-1]
        if arrays[states].ndim < 2 or arrays[states].shape[1] != steps:
            states = place
        results = [each for each in arrays.values() if each.ndim in (2, 3)]
        for source, sequence in arrays.items() if weights.ndim == 2 else ():
            is_sequence = sequence.ndim == 3 and sequence.shape[1] == steps
            if is_sequence and _are_weighed(sequence, weights, results):
                states = source
                break
        return WrittenAttention(name, place, states)
    raise ValueError(
        f"Expected the layer {name!r} to give weights over the {steps} steps of the input, not "
        "negative and with a sum of 1; received arrays (sample, ...) of "
        f"{[array.shape[1:] for array in outputs.values()]}, none of which is that. Name the layer "
        "that takes the softmax, or let it give its weights too: return context, weights."
    )


def over_one_axis(shape: Sequence[int]) -> bool:
    """Whether weights (sample, ...) of this shape are one row for each sample."""
    return max(shape[1:], default=0) == int(np.prod(shape[1:]))


def _operations(anatomy: Anatomy) -> Iterator[Any]:
    """Yield the layers and operations of a model, those of nested models too, once each.

    What stands inside Keras's own attention, recurrent layers and loops over steps stays out, and
    what is changed while a model is explained.
    """
    model = anatomy.model
    changed = (*anatomy.embedding_layers, *anatomy.masking_layers, *anatomy.mask_operations)
    closed = (*ATTENTION, keras.layers.RNN, keras.layers.TimeDistributed)
    layers = list(walk(model))
    inside = {
        id(inner)
        for layer in layers
        if isinstance(layer, (*closed, keras.layers.Bidirectional))
        for inner in layer._flatten_layers(include_self=isinstance(layer, ATTENTION))
    }
    models = [layer for layer in (model, *layers) if isinstance(layer, keras.Model)]
    functional = [each for one in models for each in getattr(one, "operations", None) or []]
    no_places = (keras.Model, keras.layers.InputLayer)
    inside |= set(map(id, (*changed, anatomy.margin_operation)))
    for operation in dict.fromkeys([*layers, *functional]):
        if id(operation) not in inside and not isinstance(operation, no_places):
            yield operation


def _may_attend(operation: Any) -> bool:
    """Whether it is a layer of the user's, or takes a softmax."""
    package = type(operation).__module__.split(".")[0]
    return package not in ("keras", __package__.split(".")[0]) or takes_softmax(operation)


def _as_array(tensor: Any) -> np.ndarray:
    try:
        return np.asarray(ops.convert_to_numpy(tensor))
    except Exception:  # of a loop that is compiled, of a ragged tensor
        return np.zeros(0)


def _may_weigh(array: np.ndarray) -> bool:
    """Whether these may be weights: over one axis, not negative, with a sum of 1."""
    weights = array.reshape(len(array), -1)
    one_axis = array.ndim < 4 and weights.shape[1] == max(array.shape[1:], default=0) > 1
    return one_axis and _sums_to_1(weights)


def _sums_to_1(weights: np.ndarray) -> bool:
    if weights.dtype.kind != "f" or (weights < 0).any():
        return False
    return bool(np.abs(weights.sum(axis=-1) - 1).max() < _TOLERANCE)


def _are_weighed(states: np.ndarray, weights: np.ndarray, results: Sequence[np.ndarray]) -> bool:
    """Whether the model computes the products of weights and states, or their sum."""
    products = weights[:, :, None] * states
    return any(
        array.shape == expected.shape
        and np.abs(array - expected).max() <= _TOLERANCE * np.abs(expected).max() > 0
        for expected in (products, products.sum(axis=1))
        for array in results
    )
