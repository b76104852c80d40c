"""Figures of explanations and of training. They compute no explanation and show nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from . import figure_checks as checks
from . import figure_content as content
from . import figure_panels as panels
from . import figure_sides as sides
from .explanation import Explanation
from .figure_style import STYLE, limit_of, open_panels, single_axes, write_heading
from .figure_summary import bootstrap_interval, overview

# Inches: the height of a row, the least height of a map.
_ROW, _MAP = 0.25, 1.2
_CELLS = "Give an explanation as lx.explain returned it; plot_timeline draws values per step."
_STEPS = "Give an explanation as lx.explain returned it, or summed by over_time()."


def plot_heatmap(
    explanation: Explanation,
    *,
    ax: Axes | None = None,
    max_features: int = 12,
    feature: str | None = None,
    limit: float | None = None,
) -> Axes:
    """Draw the SHAP values of one sample, time by feature, below the data and the attention.

    Red cells raise the prediction, blue cells lower it, white ones do nothing. Bars at the side
    sum each feature over time; static facts have a bar only. Padded steps are not drawn.

    Parameters
    ----------
    explanation : Explanation
        Of one sample, per cell or per window and feature.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.
    max_features : int
        So many of the most important ones have their own row; the others are summed into one.
    feature : str, optional
        Whose data to draw on top. By default the most important one's.
    limit : float, optional
        SHAP value of the strongest colours. By default the largest one; give the same limit to
        figures that are to be compared.

    Returns
    -------
    Axes
        The map. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_heatmap(explanation[0])                     # doctest: +SKIP
    """
    caller = "plot_heatmap"
    explanation = checks.need_one(explanation, caller)
    checks.need_level(explanation, ("cell", "window and feature"), caller, _CELLS)
    if limit is not None:
        checks.need_positive(limit, "limit")
    columns, edges = content.edges_of(explanation)
    names = content.feature_labels(explanation)
    values = explanation.values.values[0, columns].T
    rows = content.most_important(names, values, max_features)
    shown = rows.order[0] if feature is None else checks.need_feature(explanation, feature)
    facts = explanation.static_values
    static = content.static_rows(explanation, None if facts is None else facts.values[0])

    above = [1.0] if explanation.attention is None else [1.0, 0.6]
    heights = [*above, max(_ROW * len(rows.names), _MAP)]
    place = open_panels(ax, [*heights, *_static_height(static)], (1.0, 0.3))
    main = place.add(len(above), 0, label="map")
    cells = content.without_padding(explanation, columns, rows)
    mesh = panels.draw_cells(main, edges, cells, limit or limit_of(rows.named))
    panels.label_time(main, explanation)
    top = place.add(0, 0, label="data", sharex=main)
    data = explanation.data.values[0, content.real_steps(explanation), shown]
    panels.draw_line(top, data, names[shown])
    if explanation.attention is not None:
        panels.draw_attention(place.add(1, 0, label="attention", sharex=main), explanation)
    sums = [rows.values.sum(axis=1), static.values[:, 0]]
    sides.draw_sides(place, len(above), main, sums, static.names, "sum over time")
    label = f"SHAP value\n({content.explained(explanation)})"
    sides.draw_colour_bar(place, len(above), mesh, label, ("lowers", "raises"))
    write_heading(top, content.equation(explanation), content.circumstances(explanation), place)
    place.figure.sca(main)
    return main


def plot_timeline(explanation: Explanation, *, ax: Axes | None = None) -> Axes:
    """Draw the SHAP value of each step of one sample, and below it where the model looked.

    Parameters
    ----------
    explanation : Explanation
        Of one sample, per cell, step or window. Cells are summed over the features.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The SHAP values. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_timeline(explanation[0])                    # doctest: +SKIP
    """
    caller = "plot_timeline"
    explanation = checks.need_one(explanation, caller)
    levels = ("cell", "time", "window and feature", "window")
    checks.need_level(explanation, levels, caller, _STEPS)
    errors = explanation.standard_errors
    if "feature" in explanation.values.dims:
        explanation, errors = explanation.over_time(), None
    columns, edges = content.edges_of(explanation)
    facts = explanation.static_values
    static = content.static_rows(explanation, None if facts is None else facts.values[0])

    below = [explanation.attention, explanation.attention_contribution]
    heights = [2.0, *(0.8 for strip in below if strip is not None)]
    place = open_panels(ax, heights, (1.0, 0.28) if static.names else (1.0,))
    main = place.add(0, 0, label="values")
    values = explanation.values.values[0, columns]
    width = "window" if "window" in explanation.values.dims else "step"
    panels.draw_step_bars(
        main,
        edges,
        values,
        f"SHAP value per {width}\n({content.explained(explanation)})",
        errors=None if errors is None else errors.values[0, columns],
        num_ticks=5,
    )
    panels.name_sides(main)
    lowest = main
    if explanation.attention is not None:
        lowest = place.add(1, 0, label="attention", sharex=main)
        panels.draw_attention(lowest, explanation)
    if explanation.attention_contribution is not None:
        lowest = place.add(len(heights) - 1, 0, label="contribution", sharex=main)
        panels.draw_contribution(lowest, explanation)
    if static.names:
        sides.draw_static_list(place.add(slice(None), 1, label="static"), static, place.width)
    panels.label_time(lowest, explanation)
    write_heading(main, content.equation(explanation), content.circumstances(explanation), place)
    place.figure.sca(main)
    return main


def plot_summary(
    explanation: Explanation, *, ax: Axes | None = None, max_features: int = 20
) -> Axes:
    """Draw how much each feature matters at each step before the end, on average over samples.

    Cells are mean absolute SHAP values over the samples that have the step; sequences of different
    length are aligned at their last real step. The bars beside them sum each sample's absolute
    values over time, with a 95 % bootstrap interval of their mean. Steps so far back that fewer
    than 5 % of the samples have them are left out of the map.

    Parameters
    ----------
    explanation : Explanation
        Of several samples, per cell.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.
    max_features : int
        So many of the most important ones have their own row; the others are summed into one.

    Returns
    -------
    Axes
        The map. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_summary(explanation)                        # doctest: +SKIP
    """
    caller = "plot_summary"
    explanation = checks.need_explanation(explanation, caller)
    checks.need_level(explanation, ("cell",), caller, _CELLS)
    found = overview(explanation)
    sums, names = found.sums.mean(axis=0), content.feature_labels(explanation)
    rows = content.most_important(names, found.cells, max_features, sums)
    facts = found.static
    static = content.static_rows(explanation, None if facts is None else facts.mean(axis=0))

    vary = bool(np.ptp(found.counts))
    heights = [1.0, *([0.4] if vary else []), max(_ROW * len(rows.names), _MAP)]
    place = open_panels(ax, [*heights, *_static_height(static)], (1.0, 0.3))
    row = len(heights) - 1
    main = place.add(row, 0, label="map")
    edges = np.arange(-len(found.counts), 1) + 0.5
    mesh = panels.draw_cells(main, edges, rows, limit_of(rows.named), sizes=True)
    panels.label_steps_before_end(main, len(found.counts), found.left_out)
    top = place.add(0, 0, label="steps", sharex=main)
    per_step = found.cells.sum(axis=0)
    panels.draw_step_bars(top, edges, per_step, "all features", colour=STYLE.importance)
    if vary:
        reach = place.add(1, 0, label="samples", sharex=main)
        panels.draw_step_bars(reach, edges, found.counts, "samples", colour=STYLE.padding)
    parts = [content.grouped(found.sums, rows.order)]
    if facts is not None:
        parts.append(content.grouped(facts, static.order))
    means = [part.mean(axis=0) for part in parts]
    ends = [bootstrap_interval(part) for part in parts]
    sides.draw_sides(place, row, main, means, static.names, "sum over time", ends)
    label = f"mean |SHAP value|\n({content.explained(explanation)})"
    sides.draw_colour_bar(place, row, mesh, label)
    write_heading(top, *content.summary_heading(explanation), place)
    place.figure.sca(main)
    return main


def plot_history(run: Any, *, ax: Axes | None = None) -> Axes:
    """Draw training and validation loss of each epoch, and mark the epoch that was kept.

    Parameters
    ----------
    run : TrainingRun, its history, or what Keras' ``fit`` returned
    ax : Axes, optional
        Where to draw. By default a new figure.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import pandas as pd
    >>> losses = pd.DataFrame({"loss": [1.0, 0.6, 0.5], "validation_loss": [1.1, 0.8, 0.9]})
    >>> plot_history(losses).get_title(loc="left")
    'best epoch: 2 of 3, validation loss 0.800'
    """
    table = checks.need_history(run)
    ax = single_axes(ax, (7.0, 3.6))
    panels.draw_losses(ax, table)
    return ax


def _static_height(static: content.Rows) -> list[float]:
    return [_ROW * len(static.names)] if static.names else []
