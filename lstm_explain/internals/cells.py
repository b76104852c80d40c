"""The recurrent cells whose gates are known: what each computes at one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import xarray as xr

from ..backend import keras, ops


@dataclass(frozen=True)
class Cell:
    """A type of recurrent cell whose gates are known.

    Attributes
    ----------
    name : str
    layer : type
        The Keras cell.
    parts : tuple of str
        What `step` computes, in its order. The states that the next step reads stand last, in the
        reverse of Keras's order; the very last is "hidden", the output.
    memory, memory_name : str
        The part with ``memory = memory before + written - forgotten``, and its name in a figure.
    keep : str
        The gate that is near 1 where the memory is kept.
    drawn : tuple of str
        What a figure shows, from top to bottom, unless told otherwise.
    step : callable
        ``step(cell, inputs, hidden, memory)`` gives the parts, from the weights of the Keras cell.
    """

    name: str
    layer: type
    parts: tuple[str, ...]
    memory: str
    memory_name: str
    keep: str
    drawn: tuple[str, ...]
    step: Callable[[Any, Any, Any, Any], list[Any]]


def _lstm_step(cell: Any, inputs: Any, hidden: Any, memory: Any) -> list[Any]:
    """Compute the parts of an LSTM."""
    drive = ops.matmul(inputs, cell.kernel) + ops.matmul(hidden, cell.recurrent_kernel)
    if cell.use_bias:
        drive = drive + cell.bias
    i, f, g, o = ops.split(drive, 4, axis=-1)
    i, f, o = map(cell.recurrent_activation, (i, f, o))
    g = cell.activation(g)
    written, forgotten = i * g, (1 - f) * memory
    memory = f * memory + written
    return [i, f, o, g, written, forgotten, memory, o * cell.activation(memory)]


def _gru_step(cell: Any, inputs: Any, hidden: Any, memory: Any) -> list[Any]:
    """Compute the parts of a GRU; its memory is the hidden state."""
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
    written, forgotten = (1 - update) * candidate, (1 - update) * memory
    hidden = update * memory + written
    return [reset, update, candidate, written, forgotten, hidden]


# To trace another type of layer, write its step and add its row.
CELLS = (
    Cell(
        name="LSTM",
        layer=keras.layers.LSTMCell,
        parts=(
            *("input_gate", "forget_gate", "output_gate"),
            *("candidate", "written", "forgotten", "cell", "hidden"),
        ),
        memory="cell",
        memory_name="cell",
        keep="forget_gate",
        drawn=("input_gate", "candidate", "forget_gate", "cell", "output_gate", "hidden"),
        step=_lstm_step,
    ),
    Cell(
        name="GRU",
        layer=keras.layers.GRUCell,
        parts=("reset_gate", "update_gate", "candidate", "written", "forgotten", "hidden"),
        memory="hidden",
        memory_name="hidden state",
        keep="update_gate",
        drawn=("reset_gate", "candidate", "update_gate", "hidden"),
        step=_gru_step,
    ),
)
_BY_NAME = {cell.name: cell for cell in CELLS}
# States keep their values on padded steps; gates and what they write are not computed there.
STATES = frozenset(part for cell in CELLS for part in ("hidden", cell.memory))
# In the order in which one reads them: gates first.
PARTS = tuple(
    dict.fromkeys(
        sorted((part for cell in CELLS for part in cell.parts), key=lambda part: "gate" not in part)
    )
)


def cell_of(trace: xr.Dataset) -> Cell:
    """Return the row of `CELLS` that the units of one layer belong to."""
    return _BY_NAME[str(trace["cell_type"].values[0])]


def cell_type(layer: Any) -> Cell | None:
    """Return the row of `CELLS` that a recurrent layer belongs to, None where it has no gates."""
    cell = getattr(layer, "cell", None)
    return next((row for row in CELLS if isinstance(cell, row.layer)), None)


def need_cell_type(layer: Any) -> Cell:
    """Return the row of `CELLS` that a recurrent layer belongs to, or raise."""
    row = cell_type(layer)
    if row is None:
        raise TypeError(f"Expected a layer with gates; received {type(layer).__name__}.")
    return row


class TracedCell:
    """A cell with the weights of another, whose output is everything that this one computes.

    The output is its only state too: where a step is masked, Keras repeats the first state on JAX
    and the last output elsewhere.
    """

    def __init__(self, cell: Any, row: Cell) -> None:
        self.original, self.row = cell, row
        self.state_size = self.output_size = len(row.parts) * cell.units
        self.compute_dtype = cell.compute_dtype

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Take one step."""
        names = self.row.parts
        before = dict(zip(names, ops.split(states[0], len(names), axis=-1), strict=True))
        parts = self.row.step(self.original, inputs, before["hidden"], before[self.row.memory])
        output = ops.concatenate(parts, axis=-1)
        return output, [output]

    __call__ = call

    def state_from(self, states: list[Any]) -> list[Any]:
        """Return the state that stands for a layer's own initial states, (hidden, cell)."""
        nothing = [ops.zeros_like(states[0])] * (len(self.row.parts) - len(states))
        return [ops.concatenate([*nothing, *states[::-1]], axis=-1)]
