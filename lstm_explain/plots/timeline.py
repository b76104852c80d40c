"""Figures of explanations and of training. They compute no explanation and show nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from ..attribution.explanation import Explanation
from ..sequences.data import SequenceData
from . import content, panels, sides, validation
from .chart import chart_rows, draw_chart
from .comparison import draw_comparison
from .gates import plot_gates as plot_gates
from .heatmap import draw_heatmap
from .reliability import draw_reliability
from .style import open_panels, single_axes, write_heading
from .summary import draw_summary
from .tokens import plot_tokens as plot_tokens

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
    sum each feature over time; static facts have a bar only. Padded steps are not drawn. Where the
    data has gaps, as after `over_variables`, dots mark the cells that were measured.

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
    explanation = validation.need_one(explanation, caller)
    validation.need_level(explanation, ("cell", "window and feature"), caller, _CELLS)
    if limit is not None:
        validation.need_positive(limit, "limit")
    return draw_heatmap(explanation, ax, max_features, feature, limit)


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
    explanation = validation.need_one(explanation, caller)
    levels = ("cell", "time", "window and feature", "window")
    validation.need_level(explanation, levels, caller, _STEPS)
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
    explanation = validation.need_explanation(explanation, caller)
    validation.need_level(explanation, ("cell",), caller, _CELLS)
    return draw_summary(explanation, ax, max_features)


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
    table = validation.need_history(run)
    ax = single_axes(ax, (7.0, 3.6))
    panels.draw_losses(ax, table)
    return ax


def plot_chart(
    data: SequenceData,
    ranges: pd.DataFrame | None = None,
    names: Sequence[str] | None = None,
    at: int | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw what was recorded of one sample, a row per variable, as a chart at the bedside.

    Dots are measurements, triangles those outside the reference range, which is a pale band; what
    is carried forward to steps without a measurement is dashed. After ``fill_missing()`` without
    indicators nothing tells measured from carried forward, and every value has its dot.

    Parameters
    ----------
    data : SequenceData
        One sample: ``data.test[3]``.
    ranges : DataFrame, optional
        `reference_low` and `reference_high` by the name of the variable, as
        `icu_reference_ranges` returns them.
    names : sequence of str, optional
        Which variables, from top to bottom. By default the 9 that were measured most often.
    at : int, optional
        A step, from 0 on, to mark; the last values are then those up to it.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The top row. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_chart(data.test[3], icu_reference_ranges())    # doctest: +SKIP
    """
    data = validation.need_sample(data, "plot_chart")
    rows = chart_rows(data, validation.need_ranges(ranges), names)
    return draw_chart(data, rows, validation.need_step(at, data), ax)


def plot_reliability(
    table: pd.DataFrame | Mapping[str, pd.DataFrame], ax: Axes | None = None
) -> Axes:
    """Draw how often it happened against how often the model said it would.

    Parameters
    ----------
    table : DataFrame, or mapping of name to DataFrame
        What `reliability` returns, one row per bin: `predicted` (mean probability), `observed`
        (share), `count`, and `low` and `high`, an interval of `observed`. Several models by name,
        or joined by ``pd.concat``.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The panel with the diagonal; below it, how many samples each bin holds.

    Examples
    --------
    >>> plot_reliability({"LSTM": first, "logistic regression": second})    # doctest: +SKIP
    """
    return draw_reliability(validation.need_tables(table), ax)


def plot_comparison(
    explanation: Explanation, *, ax: Axes | None = None, max_features: int = 10
) -> Axes:
    """Draw two explanations of the same output against each other, as `compare` returns them.

    Parameters
    ----------
    explanation : Explanation
        Of two samples, the recorded one first, per cell; `over_variables` is easier to read.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.
    max_features : int
        So many whose SHAP values changed most have a row; the others are summed into one.

    Returns
    -------
    Axes
        The SHAP values of both. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_comparison(compare(model, patient, changed, background=data.train))  # doctest: +SKIP
    """
    caller = "plot_comparison"
    explanation = validation.need_two(explanation, caller)
    validation.need_level(explanation, ("cell",), caller, _CELLS)
    return draw_comparison(explanation, ax, max_features)
