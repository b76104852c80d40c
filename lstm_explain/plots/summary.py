"""Many explanations as one map of feature by step before the end, with sums beside it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..attribution.explanation import Explanation
from ..attribution.summary import bootstrap_interval, overview
from . import content, panels, sides
from .style import STYLE, limit_of, open_panels, row_heights, write_heading


def draw_summary(explanation: Explanation, ax: Axes | None, max_features: int) -> Axes:
    """Draw what `plot_summary` describes, of values per cell."""
    found = overview(explanation)
    sums, names = found.sums.mean(axis=0), content.feature_labels(explanation)
    rows = content.most_important(names, found.cells, max_features, sums)
    facts = found.static
    static = content.static_rows(explanation, None if facts is None else facts.mean(axis=0))

    vary = bool(np.ptp(found.counts))
    above = [1.0, *([0.4] if vary else [])]
    heights = [*above, *row_heights(len(rows.names), len(static.names))]
    place, row = open_panels(ax, heights, (1.0, 0.3)), len(above)
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
