"""``plot_timeline``: one sample's values step by step, with attention below."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..attribution.explanation import Explanation
from ..attribution.reading import largest_text
from . import content, panels, validation
from .style import STYLE, note, open_panels, write_heading


def plot_timeline(explanation: Explanation, *, ax: Axes | None = None) -> Axes:
    """Draw the value of each step of one sample, and below it where the model looked.

    Parameters
    ----------
    explanation : Explanation
        Of one sample, per cell, step or window. Cells are summed over the features.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The values. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_timeline(explanation[0])                    # doctest: +SKIP
    """
    caller = "plot_timeline"
    explanation = validation.need_one(explanation, caller)
    levels = ("cell", "time", "window and feature", "window")
    validation.need_level(explanation, levels, caller)
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
        f"{explanation.value_name} per {width}\n({content.explained(explanation)})",
        errors=None if errors is None else errors.values[0, columns],
        num_ticks=5,
    )
    note(main, 0.008, 0.99, r"$\uparrow$ raises the prediction", va="top", color=STYLE.raises)
    note(main, 0.008, 0.01, r"$\downarrow$ lowers it", va="bottom", color=STYLE.lowers)
    lowest = main
    if explanation.attention is not None:
        lowest = place.add(1, 0, label="attention", sharex=main)
        panels.draw_attention(lowest, explanation)
    if explanation.attention_contribution is not None:
        lowest = place.add(len(heights) - 1, 0, label="contribution", sharex=main)
        shares = explanation.attention_contribution.values[0, content.real_steps(explanation)]
        steps = np.arange(len(shares) + 1) - 0.5
        panels.draw_step_bars(lowest, steps, shares, "signed attention\ncontribution")
    if static.names:
        panels.draw_static_list(
            place.add(slice(None), 1, label="static"), static, place.width, explanation.value_name
        )
    panels.label_times(lowest, *content.times_of(explanation))
    title, notes = content.equation(explanation), content.circumstances(explanation)
    kind = f"{explanation.value_name}s step by step"
    write_heading(main, title, notes, place, kind, [largest_text(explanation)])
    place.figure.sca(main)
    return main
