"""Which axes inside a model are the steps of its input: found by moving one step at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import keras
from ..models.keeping import kept_with
from ..sequences.padding import last_true
from .anatomy import walk
from .compiled import Compiled, Subject

# Steps of one sample that are moved.
_PROBES = 12
# From this correlation on, positions change more the nearer they are to the moved step; and from
# this many standard errors of the correlation that tables of chance have.
_ALIGNED, _ERRORS = 0.25, 3.0


def attended_axes(compiled: Compiled, subject: Subject) -> list[int]:
    """Tell what the positions are that each call of an attention layer weighs.

    Where some unit of the sequence that is weighed changes from the moved step on, or up to it, or
    most around it, the positions are the steps. They are not where they are features, or steps of a
    decoder, which may be as many. Nor where a model shifts its states against the steps: those of a
    Bidirectional all change, most where both of its directions read the moved step first. A shift
    within the reach of a convolution is not told from what the convolution has learned.

    Returns
    -------
    list of int
        1: steps of the input; -1: its steps in reversed order, as a layer with ``go_backwards``
        gives them; 0: something else.
    """
    return [axis for _, axis in _axes(compiled, subject)]


def query_axes(compiled: Compiled, subject: Subject) -> list[int]:
    """Tell in the same way what the queries of each call of an attention layer are."""
    return [axis for axis, _ in _axes(compiled, subject)]


def _axes(compiled: Compiled, subject: Subject) -> list[tuple[int, int]]:
    """Tell what the queries and the positions of each call of an attention layer are."""
    if not compiled.anatomy.attention_calls:
        return []
    steps, moved = _moved_one_by_one(subject)
    reach = _reach_of_windows(compiled.anatomy.model)

    def probe() -> list[tuple[int, int]]:
        calls = zip(compiled.attended(moved), compiled.anatomy.attention_calls, strict=True)
        return [
            (
                _axis(queries, steps, moved, reach) * _may_read_steps(layer, slice(1)),
                _axis(states, steps, moved, reach) * _may_read_steps(layer, slice(None)),
            )
            for (queries, states), (layer, _) in calls
        ]

    # Found with other weights, or on fewer steps, it may be something else.
    model = compiled.anatomy.model
    weights = tuple(float(np.sum(weight)) for weight in model.get_weights())
    key = "attended axes", compiled.anatomy.attention_calls, subject.mask.shape[1], len(steps)
    return kept_with(model, (*key, weights), probe)


def output_axis(compiled: Compiled, subject: Subject) -> int:
    """Tell in the same way what the steps of the output (sample, step, output) are."""
    tensors = getattr(compiled.anatomy.model, "outputs", None)
    if tensors and not _from_steps(tensors[0]):
        return 0
    steps, moved = _moved_one_by_one(subject)
    return _axis(compiled.outputs(moved, len(moved)), steps, moved)


def _may_read_steps(layer: Any, inputs: slice) -> bool:
    """Whether some of the inputs of a layer may have steps.

    One outside of a graph may always, as attention that is written by hand, whose states are seen.
    """
    nodes = getattr(layer, "_inbound_nodes", [])
    tensors = [tensor for node in nodes for tensor in node.input_tensors[inputs]]
    return not tensors or any(map(_from_steps, tensors))


def _from_steps(tensor: Any) -> bool:
    """Whether a tensor of a functional graph may have steps of the input: a decoder repeats one."""
    operation, position, _ = tensor._keras_history
    if isinstance(operation, keras.layers.InputLayer):
        return True
    parents = operation._inbound_nodes[position].input_tensors
    return len(tensor.shape) > 2 and any(map(_from_steps, parents))


def _moved_one_by_one(subject: Subject) -> tuple[np.ndarray, Subject]:
    """Return steps, and the longest sample with each of them moved, the sample itself last."""
    sample = int(subject.mask.sum(axis=1).argmax())
    real = np.flatnonzero(subject.mask[sample])
    if len(real) < 2:  # of one step nothing is seen; where padding is read, it may be moved too
        real = np.arange(subject.mask.shape[1])
    steps = np.unique(real[np.linspace(0, len(real) - 1, _PROBES).astype(int)])
    many = subject[np.full(len(steps) + 1, sample)]
    values, (noisy, _) = many.values.copy(), many.with_noise(subject.feature_sizes)
    values[np.arange(len(steps)), steps] = noisy[np.arange(len(steps)), steps]
    return steps, many.with_values(values, many.static)


def _reach_of_windows(model: Any) -> int:
    """Return by how many steps the convolutions and poolings of a model can move what they read."""
    reach = 0
    for layer in walk(model):
        size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if isinstance(size, int | tuple):  # in a layer of the user's it may be anything
            dilation = getattr(layer, "dilation_rate", 1)
            reach += (int(np.max(size)) - 1) * int(np.max(dilation))
    return reach


def _axis(states: np.ndarray, steps: np.ndarray, moved: Subject, reach: int | None = None) -> int:
    """Return how positions (moved step, position, ...) go with the moved steps: 1, -1 or 0.

    Where `reach` is given, the position that changes most may be no further from the moved step.
    """
    num_steps = moved.mask.shape[1]
    if states.ndim != 3 or states.shape[1] != num_steps:
        return 0
    changes = np.abs(states[:-1].astype(np.float64) - states[-1])  # (moved step, position, unit)
    changed = changes > 1e-5 * changes.max()
    seen = changed.any(axis=(1, 2))  # padding that the model masks moves nothing
    steps, changes, changed = steps[seen], changes[seen], changed[seen]
    if len(steps) < 2:
        return 1
    first, last = changed.argmax(axis=1), last_true(changed)
    # Shifted orders too: at steps that lie several steps further, weights are those of no step.
    shifts = sorted(range(1 - num_steps, num_steps), key=abs)
    orders = {
        (direction, shift): shift + (steps if direction == 1 else num_steps - 1 - steps)
        for shift in shifts
        for direction in (1, -1)
    }
    for (direction, shift), order in orders.items():
        # A unit of a layer that reads in one direction; a Bidirectional has some for each.
        inside = (order >= 0) & (order < num_steps)
        begins, ends = (
            (place == order[:, None])[inside].all(axis=0).any() for place in (first, last)
        )
        enough = inside.sum() > 1 and 2 * inside.sum() >= len(steps)
        if enough and ((begins and shift >= 0) or (ends and shift <= 0)):
            # A convolution begins before the step and ends behind it; a delay is the other way.
            return direction if shift == 0 else 0
    # States that a model mixes over the steps say no more than which order they come nearest to.
    sizes = np.log(np.linalg.norm(changes, axis=2) + 1e-12)
    near = {
        direction: _correlation(
            sizes, -np.abs(np.arange(num_steps) - orders[direction, 0][:, None])
        )
        for direction in (1, -1)
    }
    direction = max(near, key=lambda each: near[each])
    of_chance = 1 / np.sqrt((len(steps) - 1) * (num_steps - 1))
    if near[direction] < max(_ALIGNED, _ERRORS * of_chance):
        return 0
    # States that are shifted lie near the steps too; at the shift they change most.
    beyond = sizes - sizes.mean(axis=0)
    rows = np.arange(len(steps))
    toward, shift = max(orders, key=lambda each: beyond[rows, orders[each] % num_steps].mean())
    return direction if reach is None or (toward == direction and abs(shift) <= reach) else 0


def _correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Correlate tables (moved step, position) beyond what whole rows and columns share."""
    one, two = (
        table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
        for table in (one, two)
    )
    size = np.linalg.norm(one) * np.linalg.norm(two)
    return float((one * two).sum() / size) if size > 0 else 0.0
