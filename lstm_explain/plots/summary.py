"""``plot_summary``: mean size of SHAP values by feature and step, over many samples."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..attribution.cohorts import groups_alike, overview
from ..attribution.explanation import Explanation
from ..attribution.reading import largest_text
from ..intervals import SIZE, mean_interval
from . import content, panels, validation
from .style import STYLE, limit_of, open_panels, row_heights, write_heading


def plot_summary(
    explanation: Explanation, *, ax: Axes | None = None, max_features: int = 20
) -> Axes:
    """Draw how much each feature matters at each step before the end, on average over samples.

    Cells are mean absolute SHAP values over the samples that have the step; sequences of different
    length are aligned at their last real step. The bars beside them sum each sample's absolute
    values over time, with a 95 % bootstrap interval of their mean, for which samples of one id, or
    of one stretch of a series, are drawn together. Steps so far back that fewer than 5 % of the
    samples have them are left out of the map.

    Parameters
    ----------
    explanation : Explanation
        Of several samples, per cell.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.
    max_features : int
        Number of features with a row, the most important; the others are summed into one.

    Returns
    -------
    Axes
        The map. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_summary(explanation)                        # doctest: +SKIP
    """
    caller = "plot_summary"
    explanation = validation.need_explanation(explanation, caller)
    validation.need_level(explanation, ("cell",), caller)
    summary = overview(explanation)
    importance, names = summary.sums.mean(axis=0), content.feature_labels(explanation)
    rows = content.most_important(names, summary.cells, max_features, importance)
    facts = summary.static
    static = content.static_rows(explanation, None if facts is None else facts.mean(axis=0))

    vary = bool(np.ptp(summary.counts))
    above = [1.0, *([0.4] if vary else [])]
    heights = [*above, *row_heights(len(rows.names), len(static.names))]
    place, row = open_panels(ax, heights, (1.0, 0.3)), len(above)
    main = place.add(row, 0, label="map")
    edges = np.arange(-len(summary.counts), 1) + 0.5
    mesh = panels.draw_cells(main, edges, rows, limit_of(rows.named), sizes=True)
    panels.label_steps_before_end(main, len(summary.counts), summary.left_out)
    top = place.add(0, 0, label="steps", sharex=main)
    per_step = summary.cells.sum(axis=0)
    panels.draw_step_bars(top, edges, per_step, "all features", colour=STYLE.importance)
    if vary:
        reach = place.add(1, 0, label="samples", sharex=main)
        panels.draw_step_bars(reach, edges, summary.counts, "samples", colour=STYLE.padding)
    sums = [content.grouped(summary.sums, rows.order)]
    if facts is not None:
        sums.append(content.grouped(facts, static.order))
    bars = [sizes.mean(axis=0) for sizes in sums]
    alike, _ = groups_alike(explanation)
    ends = [mean_interval(sizes, alike, limits=SIZE) for sizes in sums]
    panels.draw_sides(place, row, main, bars, static.names, "sum over time", ends)
    label = f"mean |SHAP value|\n({content.explained(explanation)})"
    panels.draw_colour_bar(place, row, mesh, label)
    heading = content.summary_heading(explanation)
    kind = "Map of mean sizes of SHAP values, feature by step before the end"
    write_heading(top, *heading, place, kind, [largest_text(explanation)])
    place.figure.sca(main)
    return main
