"""``plot_leads``: which observed step matters for which step ahead."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.ticker import MaxNLocator

from ..arguments import check_number, check_one_of
from ..attribution.explanation import Explanation
from ..wording import plain, with_unit
from . import content, panels, validation
from .style import STYLE, ink, limit_of, open_panels, write_heading

# Rows that have a name each; of more, every second, third, ...
_MOST_NAMES = 24


def plot_leads(
    explanation: Explanation,
    *,
    feature: str | None = None,
    limit: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the SHAP values of forecasts, one row for each step ahead, one column for each step.

    Columns are steps from the last observed one, at 0. What `SequenceData.from_series` knows in
    advance stands at the time that it is of, to the right of 0 where that is ahead.
    The attention of a decoder stands beside the map: the weights of each step ahead, at the steps
    whose states are weighed, which have read what is known in advance at that step.

    Parameters
    ----------
    explanation : Explanation
        Of several outputs, such as ``output="all"`` of a forecaster, per cell or per step. Of
        several samples their mean is drawn, in which values of opposite sign cancel.
    feature : str, optional
        The feature to draw. By default all of them, summed.
    limit : float, optional
        SHAP value of the strongest colours, by default the largest one.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The map; beside it, where there is some, the panel "attention".

    Raises
    ------
    ValueError
        The explanation is of one output, or its values are summed over time.

    Examples
    --------
    >>> together = lx.explain(model, day, background=rows, output="all")  # doctest: +SKIP
    >>> plot_leads(together)  # doctest: +SKIP
    """
    caller = "plot_leads"
    validation.need_explanation(explanation, caller, several=True)
    validation.need_level(explanation, ("cell", "time"), caller)
    check_number(above=0, optional=True, limit=limit)
    names = explanation.feature_names if explanation.level == "cell" else []
    check_one_of(names, optional=True, feature=feature)
    steps, sums = _by_step(explanation, feature)
    names = [plain(name, 24) for name in explanation.output.values]
    attention: Any = explanation.attention
    beside = attention is not None and "output" in attention.dims
    height = float(np.clip(0.16 * len(sums), 1.8, 5.0))
    place = open_panels(ax, [height], (1.5, 1.0) if beside else (1.0,), width=11 if beside else 8.5)
    main = place.add(0, 0, label="map")
    mesh = _draw_map(main, steps, content.Rows(names, sums, []), limit or limit_of(sums))
    main.axvline(0.5, color=ink(), linewidth=0.9, linestyle=(0, (4, 3)))
    unit = explanation.to_dataset().attrs.get("target_unit", "")
    _draw_scale(mesh, with_unit(explanation.value_name, unit))
    if beside:
        panel = place.add(0, 1, label="attention", sharey=main)
        weights = attention.mean("sample").values
        observed = np.arange(1 - weights.shape[1], 1)
        rows = content.Rows(names, weights, [])
        _draw_scale(
            _draw_map(panel, observed, rows, limit_of(weights), sizes=True), "attention weight"
        )
        panel.tick_params(axis="y", labelleft=False)
    count, of = len(explanation), plain(feature, 40) if feature else "all features"
    notes = [f"mean over {count:,} samples"] if count > 1 else []
    notes.append(content.absent(explanation))
    notes += ["right of the dashed line: known in advance"] * int(steps[-1] > 0)
    notes += ["without the static facts"] * (explanation.static_values is not None)
    row, column = np.unravel_index(np.abs(sums).argmax(), sums.shape)
    largest = f"largest: {names[row]} from step {steps[column]}"
    title = f"Which step matters for which step ahead: {of}"
    write_heading(main, [title], notes, place, "Map of SHAP values, step ahead by step", [largest])
    place.figure.sca(main)
    return main


def _by_step(explanation: Explanation, feature: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return steps from the last observed one, and values (output, step) of the samples' mean.

    A feature of so many steps later moves to the right by as many.
    """
    values = explanation.values.mean("sample").transpose("output", "time", ...).values
    dataset, count = explanation.to_dataset(), values.shape[1]
    steps = np.arange(1 - count, 1)
    if explanation.level == "time":
        return steps, values
    names = explanation.feature_names
    drawn = [at for at, name in enumerate(names) if feature in (None, name)]
    known = json.loads(dataset.attrs.get("known_ahead", "[]"))
    owners = dataset["variable"].values.tolist() if "variable" in dataset else names
    later = [at for at in drawn if owners[at] in known]
    sums = values[..., [at for at in drawn if at not in later]].sum(axis=-1)
    if not later:
        return steps, sums
    horizon = int(dataset.attrs["horizon"])
    both = np.zeros((len(values), count + horizon))
    both[:, :count] += sums
    both[:, horizon:] += values[..., later].sum(axis=-1)
    return np.arange(1 - count, horizon + 1), both


def _draw_map(
    ax: Axes, steps: np.ndarray, rows: content.Rows, limit: float, *, sizes: bool = False
) -> QuadMesh:
    """Draw cells over steps from the last observed one, and name as many rows as there is room."""
    edges = np.append(steps, steps[-1] + 1) - 0.5
    mesh = panels.draw_cells(ax, edges, rows, limit, sizes=sizes, lines=False)
    every = -(-len(rows.names) // _MOST_NAMES)
    shown = np.arange(len(rows.names))[every - 1 :: every]
    ax.set_yticks(shown, [rows.names[at] for at in shown], fontsize=STYLE.small)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.tick_params(axis="x", bottom=True, labelbottom=True, length=3)
    ax.set_xlabel("step (0: the last one observed)", fontsize=STYLE.small)
    return mesh


def _draw_scale(mesh: QuadMesh, name: str) -> None:
    bar = panels.draw_scale_beside(mesh, name)
    bar.ax.set_ylabel(name, fontsize=STYLE.small)
    panels.label_ends(bar, *mesh.get_clim())
