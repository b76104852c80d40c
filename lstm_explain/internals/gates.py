"""``trace_gates``: every gate and state of LSTM and GRU layers, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..arguments import check_type
from ..backend import find_device, keras, ops
from ..inspection.anatomy import Anatomy, read_anatomy, told_apart
from ..inspection.compiled import in_batches
from ..inspection.confirmation import see
from ..inspection.gradients import compile_gradient
from ..inspection.interventions import Record, run, states_recorded
from ..inspection.observation import inputs_of
from ..inspection.question import DEFAULT_BATCH, check_asked
from ..models.forms import as_sequences
from ..models.keeping import kept_with
from ..models.one_input import with_one_input
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .cells import PARTS, STATES, TracedCell, cell_type, need_cell_type

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
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to read.
    layer : str, optional
        The name of one layer. By default all LSTM and GRU layers, those inside Bidirectional and
        nested models too.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.

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
    check_asked(model, batch_size)
    check_type(str, "Leave it out for all layers.", optional=True, layer=layer)
    model = with_one_input(model)
    sequences = as_sequences(data, model, inputs)
    sequences.check_complete()
    anatomy = read_anatomy(model, sequences, inputs=inputs)
    layers = _gated_layers(anatomy, layer)
    batch_size = batch_size or DEFAULT_BATCH
    # Also refuses token ids outside the vocabulary and predictions that are not finite.
    _, _, subject = see(anatomy, sequences, "margin", batch_size)
    traced = kept_with(
        model, tuple(layers), lambda: _compile_trace(anatomy, tuple(layers.values()))
    )
    rows = inputs_of(anatomy, sequences)
    arrays = in_batches(lambda *batch: traced((), *batch)[2], batch_size, *rows)
    traces = [
        trace
        for n, (name, each) in enumerate(layers.items())
        for trace in _read(name, each, *arrays[3 * n : 3 * n + 3])
    ]
    _check_same_length(traces)
    return _dataset(traces, sequences, subject.mask)


def _gated_layers(anatomy: Anatomy, name: str | None) -> dict[str, Any]:
    """Return the layers to trace by name, or raise where there are none."""
    recurrent = anatomy.recurrent_layers
    gated = [layer for layer in recurrent if all(map(cell_type, directions_of(layer)))]
    if not gated:
        others = ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in recurrent)
        raise ValueError(
            f"Expected a model with an LSTM or GRU layer; {anatomy.model.name!r} has "
            f"{others or 'no recurrent layer'}. Use lx.explain, which needs no gates; of cells "
            "stacked in one RNN layer, make a layer each."
        )
    by_name = dict(zip(told_apart(anatomy.model, gated), gated, strict=True))
    if name is None:
        return by_name
    if name not in by_name:
        raise ValueError(
            f"Expected layer to be one of {list(by_name)}; received {name!r}. Leave it out for all "
            "of them."
        )
    return {name: by_name[name]}


@dataclass(frozen=True)
class _Trace:
    """What one direction of one layer computes: arrays (sample, time, unit) by name."""

    layer: str
    backward: bool
    cell_type: str
    parts: dict[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.parts["hidden"].shape


def _read(
    name: str, layer: Any, trace: np.ndarray, mask: np.ndarray, output: np.ndarray
) -> list[_Trace]:
    """Take the parts of one layer apart and hold them against the layer's own output."""
    directions = directions_of(layer)
    traces = []
    rows = [need_cell_type(each) for each in directions]
    sizes = [len(row.parts) * each.cell.units for row, each in zip(rows, directions, strict=True)]
    by_direction = np.split(trace.astype(np.float32), np.cumsum(sizes[:-1]), axis=-1)
    for each, row, together in zip(directions, rows, by_direction, strict=True):
        arrays = np.split(together, len(row.parts), axis=-1)
        parts = dict(zip(row.parts, arrays, strict=True))
        traces.append(_Trace(name, each.go_backwards, row.name, parts))
    hidden = [one.parts["hidden"] for one in traces]
    _check_output(layer, hidden, mask, output)
    for one in traces:
        for part, array in one.parts.items():
            if part not in STATES:
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
    variables: dict[str, Any] = {}
    for name in [name for name in PARTS if any(name in trace.parts for trace in traces)]:
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
        "cell_type": ("unit", np.repeat([trace.cell_type for trace in traces], sizes)),
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
    units = labels == wanted if wanted in known else names == wanted
    if len(set(labels[units])) != 1:
        raise ValueError(
            f"Expected layer to be one of {known}; received {layer!r}. A layer that reads in both "
            "directions is drawn one direction at a time."
        )
    return trace.isel(unit=units)


def directions_of(layer: Any) -> tuple[Any, ...]:
    """Return the recurrent layers that one layer is made of: two for a Bidirectional."""
    if isinstance(layer, keras.layers.Bidirectional):
        return (layer.forward_layer, layer.backward_layer)
    return (layer,)


def _compile_trace(anatomy: Anatomy, layers: tuple[Any, ...]) -> Callable[..., Any]:
    """Compile ``run((), values, tokens, static, mask)``, whose extras are three arrays per layer.

    These are what each step computes (sample, time, direction * part * unit), with time as in the
    layer's input; the mask that the layer received (sample, time); and its own output.
    """

    def traced(_: Any, *inputs: Any) -> Any:
        record: Record = {}
        changes = [
            states_recorded(layer, directions_of(layer), _run_traced, record) for layer in layers
        ]
        output = run(anatomy, inputs, changes, margin=False)
        for layer in layers:
            if len(record[layer]) != 3:  # said here, because Keras would wrap it in a layer's words
                raise ValueError(
                    f"Expected each recurrent layer to read one sequence; {layer.name!r} is used "
                    f"{len(record[layer]) // 3} times. Name another layer, or give each use a "
                    "layer of its own."
                )
        return output, tuple(array for layer in layers for array in record[layer])

    return compile_gradient(traced, anatomy.model)


def _run_traced(layer: Any, sequences: Any, states: list[Any], mask: Any) -> Any:
    """Run a recurrent layer so that each step gives all its parts, (sample, time, part * unit)."""
    cell = TracedCell(layer.cell, need_cell_type(layer))
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
