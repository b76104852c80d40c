"""``plot_heatmap``: SHAP values of one sample as a map of features and steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle

from ..arguments import check_flag, check_number, check_one_of
from ..attribution.explanation import Explanation
from ..attribution.members import are_stable
from ..attribution.reading import largest_text
from . import content, panels, validation
from .content import Rows
from .style import STYLE, limit_of, open_panels, row_heights, write_heading
from .time_axis import stretches

# Beyond so many steps the dots of neighbouring cells would touch.
_MOST_DOTS = 150


def plot_heatmap(
    explanation: Explanation,
    *,
    ax: Axes | None = None,
    max_features: int = 12,
    feature: str | None = None,
    limit: float | None = None,
    marked: np.ndarray | None = None,
    hatch_unstable: bool = False,
) -> Axes:
    """Draw the SHAP values of one sample, time by feature, below the data and the attention.

    Red cells raise the prediction, blue cells lower it, white ones do nothing. Bars at the side
    sum each feature over time; static facts have a bar only. Padded steps are not drawn. Where the
    data has gaps, as after `over_variables`, dots mark the cells that were measured.

    Parameters
    ----------
    explanation : Explanation
        Of one sample, per cell or per window and feature.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.
    max_features : int
        Number of features with a row, the most important; the others are summed into one.
    feature : str, optional
        The feature whose data is drawn on top. By default the most important one.
    limit : float, optional
        SHAP value of the strongest colours. By default the largest one; give the same limit to
        figures that are to be compared.
    marked : bool array (time, feature), optional
        Cells to frame, such as the known causes of simulated data; padded steps included.
    hatch_unstable : bool
        Of an explanation of several models: hatch and pale the cells that are not stable, which
        another seed might not have named (see `Explanation.stable`).

    Returns
    -------
    Axes
        The map. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_heatmap(explanation[0])                     # doctest: +SKIP
    """
    caller = "plot_heatmap"
    explanation = validation.need_one(explanation, caller)
    validation.need_level(explanation, ("cell", "window and feature"), caller)
    check_number(above=0, optional=True, limit=limit)
    check_flag(hatch_unstable=hatch_unstable)
    stable = explanation.stable() if hatch_unstable else None  # raises where there is one model
    check_one_of(explanation.feature_names, optional=True, feature=feature)
    data = explanation.data.values[0, content.real_steps(explanation)]
    frames = _need_marks(marked, explanation)
    columns, edges = content.edges_of(explanation)
    names = content.feature_labels(explanation)
    values = explanation.values.values[0, columns].T
    rows = content.most_important(names, values, max_features)
    shown = rows.order[0] if feature is None else explanation.feature_names.index(feature)
    facts = explanation.static_values
    static = content.static_rows(explanation, None if facts is None else facts.values[0])

    above = [1.0] if explanation.attention is None else [1.0, 0.6]
    heights = [*above, *row_heights(len(rows.names), len(static.names))]
    place = open_panels(ax, heights, (1.0, 0.3))
    main = place.add(len(above), 0, label="map")
    cells = content.without_padding(explanation, columns, rows)
    mesh = panels.draw_cells(main, edges, cells, limit or limit_of(rows.named))
    panels.label_times(main, *content.times_of(explanation))
    top = place.add(0, 0, label="data", sharex=main)
    panels.draw_line(top, data[:, shown], names[shown])
    notes = content.circumstances(explanation)
    if np.isnan(data.astype(float)).any() and len(data) <= _MOST_DOTS:
        _mark_measured(main, data, rows, mesh)
        notes.append("dots: measured")
    if frames is not None:
        _frame(main, frames, rows)
        notes.append("framed: marked cells")
    if stable is not None:
        _hatch(main, edges, ~_stable_rows(explanation, columns, rows), cells)
        notes.append("hatched: not stable")
    if explanation.attention is not None:
        panels.draw_attention(place.add(1, 0, label="attention", sharex=main), explanation)
    sums = [rows.values.sum(axis=1), static.values[:, 0]]
    panels.draw_sides(place, len(above), main, sums, static.names, "sum over time")
    label = f"SHAP value\n({content.explained(explanation)})"
    panels.draw_colour_bar(place, len(above), mesh, label, ("lowers", "raises"))
    kind = "Map of SHAP values, feature by step"
    title = content.equation(explanation)
    write_heading(top, title, notes, place, kind, [largest_text(explanation)])
    place.figure.sca(main)
    return main


def _need_marks(marked: object, explanation: Explanation) -> np.ndarray | None:
    """Return the real steps of the cells to frame, bool (step, feature), or raise."""
    if marked is None:
        return None
    cells, shape = np.asarray(marked), explanation.data.shape[1:]
    if cells.dtype != bool or cells.shape != shape:
        raise ValueError(
            f"Expected marked to be a bool array (time, feature) of shape {shape}; received "
            f"{cells.dtype} of shape {cells.shape}. Pass True where a cell is to be framed."
        )
    return cells[content.real_steps(explanation)]


def _frame(ax: Axes, cells: np.ndarray, rows: Rows) -> None:
    """Draw a frame around each run of marked steps; several features together have none."""
    for row, feature in enumerate(rows.order):
        for start, end in stretches(cells[:, feature]) if feature >= 0 else ():
            place: Any = {"xy": (start - 0.5, row - 0.5), "width": end - start, "height": 1}
            look: Any = {"edgecolor": STYLE.dot, "linewidth": 1.8, "label": "marked"}
            ax.add_patch(Rectangle(**place, fill=False, **look))


def _stable_rows(explanation: Explanation, columns: slice, rows: Rows) -> np.ndarray:
    """Return which cells (row, step) are stable over the models; sums by the members' sums."""
    members: Any = explanation.member_values
    of_each = [
        content.grouped(one, rows.order) for one in members.values[0, columns].T.swapaxes(1, 2)
    ]
    return are_stable(rows.values, np.stack(of_each, axis=-1).swapaxes(0, 1))


def _hatch(ax: Axes, edges: np.ndarray, unstable: np.ndarray, cells: Rows) -> None:
    """Hatch each run of cells (row, step); cells that are padding have no value to be stable."""
    for row, steps in enumerate(unstable & ~np.isnan(cells.values)):
        for start, end in stretches(steps):
            place: Any = {"xy": (edges[start], row - 0.5), "width": edges[end] - edges[start]}
            look: Any = {"facecolor": "#ffffff99", "edgecolor": STYLE.attention, "hatch": "////"}
            ax.add_patch(Rectangle(**place, height=1, **look, linewidth=0, label="unstable"))


def _mark_measured(ax: Axes, data: np.ndarray, rows: Rows, mesh: QuadMesh) -> None:
    """Put a dot into every cell of data (step, feature) that was measured, that is not NaN.

    The row of several features together has no dots.
    """
    dots = [
        (step, row)
        for row, feature in enumerate(rows.order)
        if feature >= 0
        for step in np.flatnonzero(~np.isnan(data[:, feature]))
    ]
    if not dots:
        return
    steps, dotted_rows = np.array(dots).T
    # On what is drawn, not on the theme: white on dark cells, dark on light ones.
    edges = np.asarray(mesh.get_coordinates())[0, :, 0]
    strength = np.abs(rows.values[dotted_rows, np.searchsorted(edges[1:], steps)])
    colours = np.where(strength > 0.6 * mesh.get_clim()[1], "#ffffff", STYLE.dot)
    ax.scatter(steps, dotted_rows, s=5.0, c=colours, linewidths=0, label="measured")
