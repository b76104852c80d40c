"""Change what layers do while a model runs: masks held, vectors replaced, weights recorded.

`run` calls the whole model with a list of changes in force and gives its output. Each change is a
context manager that replaces one attribute of one layer, such as its ``call``, and puts it back
whatever happens. Nothing is cut out or copied, so that masks, nested models and all other layers
stay as they are. A compiled function keeps the changes that it was traced with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from typing import Any, TypeAlias

import numpy as np

from ..backend import keras, ops
from ..sequences.inputs import arrange
from .anatomy import Anatomy

Change: TypeAlias = AbstractContextManager[None]
# What changes write down while the model runs: by layer, one entry for each of its calls.
Record: TypeAlias = dict[Any, list[Any]]


def run(
    anatomy: Anatomy, inputs: Sequence[Any], changes: Iterable[Change] = (), *, margin: bool = True
) -> Any:
    """Call a model with changes in force.

    Parameters
    ----------
    anatomy : Anatomy
    inputs : sequence
        Values (row, time, feature), token ids (row, time), static facts (row, static feature) and
        mask (row, time); the model is given those that it takes, in its own order.
    changes : iterable of context managers
    margin : bool
        Give the margin instead of the model's own output: its last activation is lifted.

    Returns
    -------
    tensor (row, output) or (row, step, output)
    """
    values, tokens, static, mask = inputs
    with ExitStack() as stack:
        for change in (*changes, *([margin_exposed(anatomy)] if margin else [])):
            stack.enter_context(change)
        sequence = tokens if tokens.shape[1] else values
        arrays = arrange(anatomy.model, anatomy.roles, sequence, static, mask)
        result = anatomy.model(arrays, training=False)
    output = keras.tree.flatten(result)[0]
    return output[:, None] if len(output.shape) == 1 else output


@contextmanager
def replaced(operation: Any, attribute: str, replacement: Any) -> Iterator[None]:
    """Give one Keras operation another attribute for a block, behind Keras's bookkeeping."""
    attributes = vars(operation)
    had, original = attribute in attributes, attributes.get(attribute)
    attributes[attribute] = replacement
    try:
        yield
    finally:
        if had:
            attributes[attribute] = original
        else:
            attributes.pop(attribute, None)


@contextmanager
def margin_exposed(anatomy: Anatomy) -> Iterator[None]:
    """Lift the activation that makes the model's output, so that the output is the margin."""
    operation = anatomy.margin_operation
    if operation is None:
        yield
    elif getattr(operation, "activation", None) is not None:
        with replaced(operation, "activation", keras.activations.linear):
            yield
    else:
        with replaced(operation, "call", lambda inputs, *args, **kwargs: inputs):
            yield


@contextmanager
def mask_fixed(operation: Any, masks: Sequence[Any]) -> Iterator[None]:
    """Let a Masking layer, or an operation that computes a mask, mask these steps, fed anything.

    Each call of the layer takes the next of the masks; one of width 0 stands for its own.
    """
    remaining, original = iter(masks), operation.call
    if not isinstance(operation, keras.layers.Masking):

        def call_operation(*args: Any, **kwargs: Any) -> Any:
            mask = next(remaining)
            return mask if mask.shape[1] else original(*args, **kwargs)

        with replaced(operation, "call", call_operation):
            yield
        return

    current: list[Any] = []

    def call(inputs: Any) -> Any:
        current[:] = [next(remaining)]
        [mask] = current
        # As the layer itself: 0 in place of the mask value. Other numbers in a masked step stay, so
        # that a layer behind this one that reads its padding shows.
        read = ops.logical_or(mask, ops.any(ops.not_equal(inputs, operation.mask_value), axis=-1))
        return ops.where(read[..., None], inputs, ops.zeros_like(inputs))

    # Keras asks for the mask right after the call.
    with (
        replaced(operation, "call", call),
        replaced(operation, "compute_mask", lambda *args, **kwargs: current[0]),
    ):
        yield


def vectors_replaced(layer: Any, vectors: Mapping[int, Any]) -> Change:
    """Let some calls of an Embedding layer give these vectors; masks still come from the ids."""
    original, calls = layer.call, count()

    def call(ids: Any) -> Any:
        number = next(calls)
        if number in vectors:
            return ops.cast(vectors[number], layer.compute_dtype)
        return original(ids)

    return replaced(layer, "call", call)


def calls_recorded(operation: Any, record: Record) -> Change:
    """Write down what a layer reads first and what it gives, at each of its calls."""
    original = operation.call
    record[operation] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        record[operation].append((next(iter((*args, *kwargs.values()))), result))
        return result

    return replaced(operation, "call", call)


def masks_recorded(layer: Any, record: Record) -> Change:
    """Write down which steps a Masking layer leaves unmasked, at each of its calls."""
    original = layer.call
    record[layer] = []

    def call(inputs: Any) -> Any:
        record[layer].append(layer.compute_mask(inputs))
        return original(inputs)

    return replaced(layer, "call", call)


def attention_recorded(layer: Any, record: Record) -> Change:
    """Write down the weights of an attention layer, at each of its calls."""
    original = layer.call
    record[layer] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        asked = kwargs.pop("return_attention_scores", False)
        result, weights = original(*args, return_attention_scores=True, **kwargs)
        record[layer].append(weights)
        return (result, weights) if asked else result

    return replaced(layer, "call", call)


def attended_recorded(layer: Any, record: Record) -> Change:
    """Write down who asks an attention layer, and the sequence that it weighs, at each call.

    A pooling layer is asked by nobody: there the sequence stands twice.
    """
    original = layer.call
    record[layer] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]
        if isinstance(layer, keras.layers.MultiHeadAttention):
            queries = kwargs["query"] if "query" in kwargs else args[0]
            sequence = kwargs["value"] if "value" in kwargs else given[1]
        elif isinstance(given[0], (list, tuple)):  # Keras's Attention reads [query, value]
            queries, sequence = given[0][:2]
        else:
            queries = sequence = given[0]
        record[layer].append((queries, sequence))
        return original(*args, **kwargs)

    return replaced(layer, "call", call)


def tensors_recorded(operation: Any, record: Record) -> Change:
    """Write down what an operation gives, takes a softmax to get, and reads first, in one list.

    Of its first call alone.
    """
    original = operation.call
    record[operation] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        softmaxes: list[Any] = []
        with ExitStack() as stack:
            for module, name in _softmaxes():
                stack.enter_context(_results_recorded(module, name, softmaxes))
            result = original(*args, **kwargs)
        if not record[operation]:
            first = next(iter((*args, *kwargs.values())), None)
            tensors = keras.tree.flatten((result, softmaxes, first))
            record[operation] = [each for each in tensors if ops.is_tensor(each)]
        return result

    return replaced(operation, "call", call)


def _softmaxes() -> Iterator[tuple[Any, str]]:
    """Yield the functions by which a layer may take a softmax, where it looks them up."""
    yield keras.ops, "softmax"
    yield keras.activations, "softmax"
    if keras.backend.backend() == "tensorflow":
        yield sys.modules["tensorflow"].nn, "softmax"


def _results_recorded(module: Any, name: str, results: list[Any]) -> Change:
    original = getattr(module, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        results.append(original(*args, **kwargs))
        return results[-1]

    return replaced(module, name, function)


def context_moved(layer: Any, move: Any, record: Record) -> Change:
    """Add a move to the context of an `AttentionPooling`; write down its weights and states."""
    original = layer.call

    def call(states: Any, mask: Any = None) -> Any:
        context, weights = original(states, mask=mask, return_attention_scores=True)
        record[layer] = [weights, states]
        return context + ops.cast(move, context.dtype)

    return replaced(layer, "call", call)


def attention_replaced(
    layer: Any, replacement: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Change:
    """Give an `AttentionPooling` the weights ``replacement(weights, mask)``, (row, time) each."""
    original = layer.call

    def call(states: Any, mask: Any = None) -> Any:
        _, weights = original(states, mask=mask, return_attention_scores=True)
        weights = np.asarray(ops.convert_to_numpy(weights))
        real = np.ones(weights.shape, bool) if mask is None else ops.convert_to_numpy(mask)
        weights = ops.convert_to_tensor(replacement(weights, np.asarray(real)).astype(np.float32))
        return ops.sum(ops.cast(weights, states.dtype)[..., None] * states, axis=1)

    return replaced(layer, "call", call)


def states_recorded(
    layer: Any, directions: Sequence[Any], trace: Callable[..., Any], record: Record
) -> Change:
    """Write down all that the steps of a recurrent layer compute, its mask and its output.

    Parameters
    ----------
    layer : Keras layer
    directions : sequence of recurrent layers
        What the layer is made of: two for a Bidirectional, else itself.
    trace : callable
        ``trace(direction, sequences, initial_states, mask)`` runs one of them step by step and
        gives what each step computes, (row, time, number).
    record : dict
        Of the layer, for each of its calls: traces of all directions side by side, mask (row,
        time), and its output.
    """
    original = layer.call
    record[layer] = []

    def call(sequences: Any, initial_state: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        result = original(sequences, initial_state=initial_state, mask=mask, **kwargs)
        states = keras.tree.flatten(initial_state) if initial_state is not None else []
        share = len(states) // len(directions)
        flags = keras.tree.flatten(mask)[0] if mask is not None else None
        traces = [
            trace(direction, sequences, states[n * share : (n + 1) * share], flags)
            for n, direction in enumerate(directions)
        ]
        if flags is None:
            flags = ops.ones(ops.shape(sequences)[:2], "bool")
        not_merged = getattr(layer, "merge_mode", "") is None
        outputs = keras.tree.flatten(result)[: 2 if not_merged else 1]
        record[layer] += [
            ops.concatenate(traces, axis=-1),
            ops.cast(flags, "bool"),
            ops.concatenate(outputs, axis=-1),
        ]
        return result

    return replaced(layer, "call", call)
