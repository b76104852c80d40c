"""``trace_gates``: every gate and state of LSTM and GRU layers, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from ..backend import find_device, keras, ops
from ..inspection.anatomy import Anatomy, inspect
from ..inspection.compiled import in_batches
from ..inspection.gradients import compile_gradient
from ..inspection.interventions import substituted
from ..inspection.question import DEFAULT_BATCH, as_sequences, see
from ..sequences.data import SequenceData
from ..sequences.inputs import Role, arrange

STATES = ("cell", "hidden")
_MEMORY = ("candidate", "written", "forgotten")
LSTM_PARTS = ("input_gate", "forget_gate", "output_gate", *_MEMORY, "cell", "hidden")
GRU_PARTS = ("reset_gate", "update_gate", *_MEMORY, "hidden")
# In the order in which one reads them: gates first.
PARTS = tuple(dict.fromkeys([*LSTM_PARTS[:3], *GRU_PARTS[:2], *LSTM_PARTS[3:]]))
# Where numbers may be rounded to 10 bits: in half precision, and in matrix products on a GPU.
_TOLERANCE, _ROUNDED_TOLERANCE = 1e-5, 1e-2


def trace_gates(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    layer: str | None = None,
    inputs: Mapping[Role, str] | None = None,
    batch_size: int | None = None,
) -> xr.Dataset:
    """Return every gate and state of a model's LSTM and GRU layers, step by step.

    LSTM: ``cell = forget_gate * cell before + input_gate * candidate`` and
    ``hidden = output_gate * tanh(cell)``. GRU, as Keras has it:
    ``hidden = update_gate * hidden before + (1 - update_gate) * candidate``, so that an update gate
    near 1 *keeps*. What the memory (the cell; of a GRU, the hidden state) gains and loses is there
    too: ``memory = memory before + written - forgotten``.

    All are computed from the weights and from what the layer really receives while the whole model
    runs, and are accepted only if they give the layer's own output: to 1e-5, or to 1e-2 where
    hardware rounds (half precision, and matrix products on a GPU).

    Parameters
    ----------
    model, data, inputs, batch_size : as in `lstm_explain.explain`
    layer : str, optional
        The name of one layer. By default all LSTM and GRU layers, those inside Bidirectional and
        nested models too.

    Returns
    -------
    Dataset
        ``input_gate``, ``forget_gate``, ``output_gate``, ``candidate``, ``written``,
        ``forgotten``, ``cell`` and ``hidden`` (GRU: ``reset_gate`` and ``update_gate``, no cell),
        each float32 (sample, time, unit), without a unit of measurement: gates from 0 to 1,
        candidate and hidden from -1 to 1. The units of all layers stand side by side; the
        coordinates ``layer``, ``direction`` ("forward" or "backward") and ``number`` tell them
        apart. A variable that a layer does not have is NaN.

        Time is that of the layer's input. A backward layer reads it from the end: its state at a
        step has seen this step and the later ones. On a step that the layer's mask leaves out
        nothing is computed: all is NaN there but cell and hidden, which are carried over from
        the step that was read before (0 if there was none).

        ``mask`` (sample, time) says which steps are real in the data, beside ``times``, ``words``
        and ``ids`` where the data has them.

    Raises
    ------
    ValueError
        The model has no LSTM or GRU layer (of this name); a layer computes something else than
        its type says; layers see sequences of different lengths.

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9; Gers et al.
    (2000), "Learning to Forget", Neural Computation 12, for the forget gate; Cho et al. (2014),
    arXiv:1406.1078, equations 5 to 8, for the GRU.

    Examples
    --------
    >>> trace = trace_gates(model, data.test[:1])  # doctest: +SKIP
    >>> trace["forget_gate"].dims  # doctest: +SKIP
    ('sample', 'time', 'unit')
    >>> trace.isel(unit=trace.layer == "lstm_1")  # doctest: +SKIP
    """
    sequences = as_sequences(data)
    sequences.check_complete()
    anatomy = inspect(model, sequences, inputs=inputs)
    layers = _chosen(anatomy, layer)
    batch_size = batch_size or DEFAULT_BATCH
    # Also refuses token ids outside the vocabulary and predictions that are not finite.
    _, _, subject = see(anatomy, sequences, "margin", batch_size)
    run = compile_trace(anatomy, layers)
    arrays = in_batches(
        lambda *rows: run((), *rows)[2],
        batch_size, sequences.values_for(model), subject.tokens, subject.static, sequences.mask,
    )  # fmt: skip
    traces = [
        trace for n, each in enumerate(layers) for trace in _read(each, *arrays[3 * n : 3 * n + 3])
    ]
    _check_same_length(traces)
    return _dataset(traces, sequences, subject.mask)


def _chosen(anatomy: Anatomy, name: str | None) -> tuple[Any, ...]:
    """Return the layers to trace, or raise where there are none."""
    recurrent = anatomy.recurrent_layers
    gated = [layer for layer in recurrent if all(map(parts_of, directions_of(layer)))]
    if not gated:
        others = ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in recurrent)
        raise ValueError(
            f"Expected a model with an LSTM or GRU layer; {anatomy.model.name!r} has "
            f"{others or 'no recurrent layer'}. Use lx.explain, which needs no gates; of cells "
            "stacked in one RNN layer, make a layer each."
        )
    names = [layer.name for layer in gated]
    if name is None:
        return tuple(gated)
    if name not in names:
        raise ValueError(
            f"Expected layer to be one of {names}; received {name!r}. Leave it out for all of them."
        )
    return (gated[names.index(name)],)


@dataclass(frozen=True)
class _Trace:
    """What one direction of one layer computes: arrays (sample, time, unit) by name."""

    layer: str
    backward: bool
    parts: dict[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.parts["hidden"].shape


def _read(layer: Any, trace: np.ndarray, mask: np.ndarray, output: np.ndarray) -> list[_Trace]:
    """Take the parts of one layer apart and hold them against the layer's own output."""
    directions = directions_of(layer)
    traces = []
    for each, together in zip(directions, np.split(trace, len(directions), axis=-1), strict=True):
        names = parts_of(each)
        arrays = np.split(together.astype(np.float32), len(names), axis=-1)
        parts = dict(zip(names, arrays, strict=True))
        traces.append(_Trace(layer.name, each.go_backwards, parts))
    hidden = [one.parts["hidden"] for one in traces]
    _check_output(layer, hidden, mask, output)
    for one in traces:
        for name, array in one.parts.items():
            if name not in STATES:
                array[~mask] = np.nan
    return traces


def _check_output(
    layer: Any, hidden: list[np.ndarray], mask: np.ndarray, output: np.ndarray
) -> None:
    """Raise unless the hidden states are what the layer gives on."""
    first, *_ = directions = directions_of(layer)
    if first.return_sequences:
        # In the order of reading: Bidirectional turns what its second layer reads back again.
        turn = slice(None, None, -1 if first.go_backwards else 1)
        expected, given = [states[:, turn] for states in hidden], mask[:, turn]
    else:
        last = [0 if one.go_backwards else -1 for one in directions]
        expected = [states[:, end] for states, end in zip(hidden, last, strict=True)]
        given = np.asarray(mask.any(axis=1))
        if first.zero_output_for_mask:  # then an end that is padding has no output
            given = given & mask[:, last].all(axis=1)
    joined = _MERGE[getattr(layer, "merge_mode", "concat")](expected)
    exact = layer.compute_dtype == "float32" and find_device().kind == "CPU"
    tolerance = _TOLERANCE if exact else _ROUNDED_TOLERANCE
    error = np.abs(joined.astype(np.float64) - output)[given].max(initial=0.0)
    if not error <= tolerance * max(1.0, float(np.abs(output).max(initial=0.0))):
        raise ValueError(
            f"Expected {layer.name!r} to compute what its type, {type(layer).__name__}, says; its "
            f"output differs from that by {error:.2g}. A subclass that computes something else "
            "cannot be traced: name another layer with layer=..., or use lx.explain."
        )


_MERGE: dict[str | None, Callable[[list[np.ndarray]], np.ndarray]] = {
    "concat": lambda parts: np.concatenate(parts, axis=-1),
    None: lambda parts: np.concatenate(parts, axis=-1),
    "sum": lambda parts: np.sum(parts, axis=0),
    "ave": lambda parts: np.mean(parts, axis=0),
    "mul": lambda parts: np.prod(parts, axis=0),
}


def _check_same_length(traces: list[_Trace]) -> None:
    lengths = {trace.layer: trace.shape[1] for trace in traces}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"Expected layers that read the same steps; received {lengths} steps. Trace one of "
            f"them: layer={next(iter(lengths))!r}."
        )


def _dataset(traces: list[_Trace], data: SequenceData, mask: np.ndarray) -> xr.Dataset:
    """Put the units of all layers side by side."""
    dims = ("sample", "time", "unit")
    found = {name for trace in traces for name in trace.parts}
    names = [name for name in PARTS if name in found]
    variables: dict[str, Any] = {}
    for name in names:
        columns = [
            trace.parts.get(name, np.full(trace.shape, np.nan, np.float32)) for trace in traces
        ]
        variables[name] = (dims, np.concatenate(columns, axis=-1))
    if mask.shape == traces[0].shape[:2]:  # a layer behind a pooling has steps of its own
        variables["mask"] = (dims[:2], mask)
        if data.times is not None:
            variables["times"] = (dims[:2], data.times)
        if data.tokens is not None:
            variables["words"] = (dims[:2], data.words)
    if data.ids is not None:
        variables["ids"] = ("sample", data.ids.astype(str))
    sizes = [trace.shape[2] for trace in traces]
    directions = ["backward" if trace.backward else "forward" for trace in traces]
    coordinates = {
        "layer": ("unit", np.repeat([trace.layer for trace in traces], sizes)),
        "direction": ("unit", np.repeat(directions, sizes)),
        "number": ("unit", np.concatenate([np.arange(size) for size in sizes])),
    }
    return xr.Dataset(variables, coordinates, {"time_name": data.time_name})


def need_layer(trace: xr.Dataset, layer: str | None) -> xr.Dataset:
    """Return one direction of one layer: that of the name, or the only one."""
    columns = zip(trace["layer"].values, trace["direction"].values, strict=True)
    labels = np.array([f"{name}, {direction}" for name, direction in columns])
    names = trace["layer"].values.astype(str)
    known = list(dict.fromkeys(labels.tolist()))
    wanted = known[0] if layer is None and len(known) == 1 else layer
    found = labels == wanted if wanted in known else names == wanted
    if len(set(labels[found])) != 1:
        raise ValueError(
            f"Expected layer to be one of {known}; received {layer!r}. A layer that reads in both "
            "directions is drawn one direction at a time."
        )
    return trace.isel(unit=found)


def is_lstm(trace: xr.Dataset) -> bool:
    """Tell whether units of one layer have a cell."""
    return "cell" in trace and not bool(np.isnan(trace["cell"].values).all())


# The cell and the hidden state stand at the end: they are what the next step reads.
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
