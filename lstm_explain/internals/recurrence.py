"""LSTM and GRU layers run so that they give every gate and state, from their own weights."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from typing import Any

from ..backend import keras, ops
from ..inspection.anatomy import Anatomy
from ..inspection.gradients import compile_gradient
from ..inspection.interventions import substituted
from ..sequences.inputs import arrange

# The cell and the hidden state stand at the end: they are what the next step reads.
_MEMORY = ("candidate", "written", "forgotten")


LSTM_PARTS = ("input_gate", "forget_gate", "output_gate", *_MEMORY, "cell", "hidden")


GRU_PARTS = ("reset_gate", "update_gate", *_MEMORY, "hidden")


def directions_of(layer: Any) -> tuple[Any, ...]:
    """Return the recurrent layers that one layer is made of: two for a Bidirectional."""
    if isinstance(layer, keras.layers.Bidirectional):
        return (layer.forward_layer, layer.backward_layer)
    return (layer,)


def parts_of(layer: Any) -> tuple[str, ...]:
    """Name what a recurrent layer computes at each step; nothing where it has no gates."""
    cell = getattr(layer, "cell", None)
    if isinstance(cell, keras.layers.LSTMCell):
        return LSTM_PARTS
    return GRU_PARTS if isinstance(cell, keras.layers.GRUCell) else ()


@lru_cache(maxsize=8)
def compile_trace(anatomy: Anatomy, layers: tuple[Any, ...]) -> Callable[..., Any]:
    """Compile ``run((), values, tokens, static, mask)``, whose extras are three arrays per layer.

    These are what each step computes (sample, time, direction * part * unit), with time as in the
    layer's input; the mask that the layer received (sample, time); and its own output.
    """
    model = anatomy.model

    def run(_: Any, values: Any, tokens: Any, static: Any, mask: Any) -> Any:
        found: dict[int, tuple[Any, Any, Any]] = {}
        with ExitStack() as changes:
            for layer in layers:
                changes.enter_context(_traced(layer, found))
            sequence = tokens if anatomy.embedding_layers else values
            result = model(arrange(anatomy.roles, sequence, static, mask), training=False)
        arrays = [array for layer in layers for array in found[id(layer)]]
        return keras.tree.flatten(result)[0], tuple(arrays)

    return compile_gradient(run, model)


def _traced(layer: Any, found: dict[int, tuple[Any, Any, Any]]) -> AbstractContextManager[None]:
    """While a model runs, compute beside a layer's output all that its steps compute."""
    original, directions = layer.call, directions_of(layer)

    def call(sequences: Any, initial_state: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        if id(layer) in found:
            raise ValueError(
                f"Expected each recurrent layer to read one sequence; {layer.name!r} is used "
                "twice. Name another layer, or give each use a layer of its own."
            )
        result = original(sequences, initial_state=initial_state, mask=mask, **kwargs)
        states = keras.tree.flatten(initial_state) if initial_state is not None else []
        share = len(states) // len(directions)
        flags = keras.tree.flatten(mask)[0] if mask is not None else None
        traces = [
            _run_traced(part, sequences, states[n * share : (n + 1) * share], flags)
            for n, part in enumerate(directions)
        ]
        if flags is None:
            flags = ops.ones(ops.shape(sequences)[:2], "bool")
        separate = getattr(layer, "merge_mode", "") is None
        outputs = keras.tree.flatten(result)[: 2 if separate else 1]
        found[id(layer)] = (
            ops.concatenate(traces, axis=-1),
            ops.cast(flags, "bool"),
            ops.concatenate(outputs, axis=-1),
        )
        return result

    return substituted(layer, "call", call)


def _run_traced(layer: Any, sequences: Any, states: list[Any], mask: Any) -> Any:
    cell = _TracedCell(layer.cell)
    runner = keras.layers.RNN(
        cell,
        return_sequences=True,
        go_backwards=layer.go_backwards,
        dtype=layer.cell.dtype_policy,
        name="traced",
    )
    start = cell.state_from(states) if states else None
    trace = runner(sequences, initial_state=start, mask=mask, training=False)
    return ops.flip(trace, axis=1) if layer.go_backwards else trace


class _TracedCell:
    """A cell with the weights of another, whose output is everything that this one computes.

    The output is its only state too: where a step is masked, Keras repeats the first state on JAX
    and the last output elsewhere.
    """

    def __init__(self, cell: Any) -> None:
        self.original = cell
        self.is_lstm = isinstance(cell, keras.layers.LSTMCell)
        self.num_parts = len(LSTM_PARTS if self.is_lstm else GRU_PARTS)
        self.state_size = self.output_size = self.num_parts * cell.units
        self.compute_dtype = cell.compute_dtype

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Take one step."""
        *_, cell, hidden = ops.split(states[0], self.num_parts, axis=-1)
        if self.is_lstm:
            parts = _lstm_step(self.original, inputs, hidden, cell)
        else:
            parts = _gru_step(self.original, inputs, hidden)
        output = ops.concatenate(parts, axis=-1)
        return output, [output]

    __call__ = call

    def state_from(self, states: list[Any]) -> list[Any]:
        """Return the state that stands for a layer's own initial states, (hidden, cell)."""
        nothing = [ops.zeros_like(states[0])] * (self.num_parts - len(states))
        return [ops.concatenate([*nothing, *states[::-1]], axis=-1)]


def _lstm_step(cell: Any, inputs: Any, hidden: Any, memory: Any) -> list[Any]:
    """Compute the parts in the order of `LSTM_PARTS`."""
    drive = ops.matmul(inputs, cell.kernel) + ops.matmul(hidden, cell.recurrent_kernel)
    if cell.use_bias:
        drive = drive + cell.bias
    i, f, g, o = ops.split(drive, 4, axis=-1)
    i, f, o = map(cell.recurrent_activation, (i, f, o))
    g = cell.activation(g)
    written, forgotten = i * g, (1 - f) * memory
    memory = f * memory + written
    return [i, f, o, g, written, forgotten, memory, o * cell.activation(memory)]


def _gru_step(cell: Any, inputs: Any, hidden: Any) -> list[Any]:
    """Compute the parts in the order of `GRU_PARTS`."""
    read = ops.matmul(inputs, cell.kernel)
    recurrent, units = cell.recurrent_kernel, cell.units
    from_hidden = ops.matmul(hidden, recurrent if cell.reset_after else recurrent[:, : 2 * units])
    if cell.use_bias and cell.reset_after:
        read, from_hidden = read + cell.bias[0], from_hidden + cell.bias[1]
    elif cell.use_bias:
        read = read + cell.bias
    both = read[:, : 2 * units] + from_hidden[:, : 2 * units]
    update, reset = ops.split(cell.recurrent_activation(both), 2, axis=-1)
    if cell.reset_after:
        earlier = reset * from_hidden[:, 2 * units :]
    else:
        earlier = ops.matmul(reset * hidden, recurrent[:, 2 * units :])
    candidate = cell.activation(read[:, 2 * units :] + earlier)
    written, forgotten = (1 - update) * candidate, (1 - update) * hidden
    hidden = update * hidden + written
    return [reset, update, candidate, written, forgotten, hidden]
