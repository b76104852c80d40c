"""``plot_gates``: the gates and states of one layer as maps of unit by time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ..arguments import check_names, check_one_of
from ..internals.cells import cell_of
from ..internals.gates import need_layer
from ..wording import plain
from .content import Rows
from .panels import draw_cells, draw_scale_beside, label_ends, label_times
from .style import STYLE, limit_of, name_panel, open_panels, write_heading
from .words import visible

Order = Literal["change", "keep", "number"]
# Inches: the least height of a map, and of a row with the number of its unit, and without.
_MAP, _NUMBERED, _ROW = 0.85, 0.14, 0.04
# So many units have their numbers beside them; so many words fit on the axis.
_MOST_NUMBERS, _MOST_WORDS = 10, 60
# What the panels of each part are called.
NAMES = {
    "input_gate": "input gate $i$\nhow far it is open",
    "forget_gate": "forget gate $f$\nshare that is kept",
    "output_gate": "output gate $o$\nshare that is shown",
    "update_gate": "update gate $z$\nshare that is kept",
    "reset_gate": "reset gate $r$\nshare that is recalled",
    "candidate": "candidate $g$\nwhat could be written",
    "written": "written",
    "forgotten": "forgotten",
    "cell": "cell $c$\nwhat is remembered",
    "hidden": "hidden state $h$\nwhat is passed on",
}
_ORDERS = {
    "change": "units in the order of the step at which their memory changes most",
    "keep": "units in the order of how much they keep, the longest memory on top",
    "number": "units as the layer numbers them",
}


def plot_gates(
    trace: xr.Dataset,
    parts: Sequence[str] | None = None,
    *,
    layer: str | None = None,
    order: Order = "change",
    ax: Axes | None = None,
) -> Axes:
    """Draw gates and states of one recurrent layer on one sample, unit by unit and step by step.

    Gates go from white (closed) to dark (open); candidate, cell and hidden state are red above 0
    and blue below. The numbers at the left are those of the units.

    Parameters
    ----------
    trace : Dataset
        Of one sample, as `trace_gates` returns it.
    parts : sequence of str, optional
        Variables of the trace to draw, from top to bottom; also "written" and "forgotten".
    layer : str, optional
        The name of one of several layers, or "name, backward" where it reads in both directions.
    order : {"change", "keep", "number"}
        Units by the step at which their memory changes most, by how much they keep, or as numbered.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The top panel. The others are in ``figure.axes``, each with its part as label.

    Examples
    --------
    >>> plot_gates(trace_gates(model, data.test[:1]))    # doctest: +SKIP
    """
    trace = need_layer(_need_trace(trace, "plot_gates"), layer)
    parts = _need_parts(trace, parts)
    trace = trace.isel(unit=order_units(trace, order), time=_drawn_steps(trace))
    count, steps = trace.sizes["unit"], trace.sizes["time"]
    height = max(_MAP, (_NUMBERED if count <= _MOST_NUMBERS else _ROW) * count)
    place = open_panels(ax, [height] * len(parts), (1.0,))
    panels: list[Axes] = []
    for row, part in enumerate(parts):
        panel = place.add(row, 0, label=part, sharex=panels[0] if panels else None)
        panels.append(panel)
        name_panel(panel, NAMES[part])
        _draw_map(panel, trace[part].values, trace["number"].values, is_gate=part.endswith("gate"))
        panel.tick_params(axis="x", bottom=False, labelbottom=False)
    _label_steps(panels[-1], trace)
    name, direction = str(trace["layer"].values[0]), str(trace["direction"].values[0])
    title = [f"{plain(name)}{', reading backwards' if direction == 'backward' else ''}:"]
    units = f"{count} unit{'s' * (count != 1)}"
    title.append(f"{units} over {steps} step{'s' * (steps != 1)}")
    notes = [_ORDERS[order]]
    if np.isnan(trace[parts[0]].values).any():
        notes.append("grey: masked, nothing is computed")
    drawn = ", ".join(part.replace("_", " ") for part in parts)
    write_heading(panels[0], title, notes, place, f"Maps of units by steps: {drawn}")
    place.figure.sca(panels[0])
    return panels[0]


def _need_trace(trace: object, caller: str) -> xr.Dataset:
    """Return the one sample of what `trace_gates` returned, without its dimension."""
    if not isinstance(trace, xr.Dataset) or not {"time", "unit"} <= set(trace.dims):
        raise TypeError(
            f"Expected what lx.trace_gates returned in {caller}; received {type(trace).__name__}. "
            "Call lx.trace_gates(model, data.test[:1])."
        )
    count = trace.sizes.get("sample", 1)
    if count != 1:
        raise ValueError(
            f"Expected one sample, received {count}: use {caller}(trace.isel(sample=[0]))."
        )
    return trace.squeeze("sample") if "sample" in trace.dims else trace


def _need_parts(trace: xr.Dataset, parts: Sequence[str] | None) -> tuple[str, ...]:
    """Return what to draw of one layer, or raise on names that it does not have."""
    names = [name for name in NAMES if name in trace and np.isfinite(trace[name].values).any()]
    if parts is None:
        return cell_of(trace).drawn
    check_names(parts=parts)
    if not parts or not set(parts) <= set(names):
        raise ValueError(
            f"Expected parts to be a list of some of {names}; received {parts!r}. Leave it out for "
            "the usual ones."
        )
    return tuple(parts)


def order_units(trace: xr.Dataset, order: Order) -> np.ndarray:
    """Return the units of one layer and one sample in an order that `plot_gates` knows.

    Examples
    --------
    >>> written = xr.DataArray([[0.0, 0.9], [0.0, 0.1], [0.8, 0.0]], dims=("time", "unit"))
    >>> trace = xr.Dataset({"written": written, "forgotten": 0 * written})
    >>> order_units(trace, "change").tolist()
    [1, 0]
    """
    check_one_of(_ORDERS, order=order)
    if order == "number":
        return np.arange(trace.sizes["unit"])
    if order == "keep":
        kept = trace[cell_of(trace).keep].values
        return np.argsort(-np.nanmean(kept, axis=0), kind="stable")
    changes = np.abs((trace["written"] - trace["forgotten"]).fillna(0).values)
    # Of units that change at the same step, the one that changes most comes first.
    return np.lexsort((-changes.max(axis=0), changes.argmax(axis=0)))


def _drawn_steps(trace: xr.Dataset) -> slice:
    """Return the steps up to the last one that is real in the data or read by the layer."""
    gates = [name for name in trace.data_vars if str(name).endswith("gate")]
    used = ~np.isnan(trace[gates[0]].values).all(axis=-1)
    if "mask" in trace:
        used = used | trace["mask"].values
    return slice(0, int(np.flatnonzero(used).max(initial=0)) + 1)


def _draw_map(ax: Axes, values: np.ndarray, numbers: np.ndarray, *, is_gate: bool) -> None:
    """Draw (time, unit) as a map with the first unit on top, and its scale beside it."""
    steps, count = values.shape
    rows = Rows([str(number) for number in numbers], values.T, [])
    limit = 1.0 if is_gate else limit_of(values)
    mesh = draw_cells(ax, np.arange(steps + 1) - 0.5, rows, limit, sizes=is_gate, lines=False)
    if count > _MOST_NUMBERS:
        ax.set_yticks([])
    bar = draw_scale_beside(mesh, "colours")
    label_ends(bar, *mesh.get_clim())
    bar.outline.set_visible(False)


def _label_steps(ax: Axes, trace: xr.Dataset) -> None:
    """Label the time axis by the words, dates or numbers of the steps."""
    if "words" in trace and trace.sizes["time"] <= _MOST_WORDS:
        words = [plain(visible(word, 14)) if word else "" for word in trace["words"].values]
        upright = max(map(len, words)) * len(words) > 90
        ax.set_xticks(np.arange(len(words)), words, rotation=90 if upright else 0)
        ax.tick_params(axis="x", bottom=True, labelbottom=True, length=3, labelsize=STYLE.small)
        return
    name = plain(trace.attrs.get("time_name", "step"), 30)
    times = np.arange(trace.sizes["time"]) + 1
    if "times" in trace and trace["mask"].values.all():
        times = trace["times"].values
    label_times(ax, times, name)
