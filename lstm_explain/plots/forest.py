"""``plot_forest``: scores of groups beside each other, each with its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..wording import fixed, plain
from . import validation
from .style import STYLE, ink, name_rows, note, open_panels, row_heights, tidy, write_heading

_COLUMNS = [f"{name}{end}" for name in ("difference", "auroc") for end in ("", "_low", "_high")]


def plot_forest(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how well the samples of each group are ranked and calibrated, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        What `score_by_group` returns, one row per group.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The AUROC; beside it, labelled "calibration", predicted minus observed share.

    Examples
    --------
    >>> plot_forest(score_by_group(data.test, risk, groups))    # doctest: +SKIP
    """
    if not isinstance(table, pd.DataFrame) or not {*_COLUMNS, "count", "events"} <= {*table}:
        raise ValueError(
            "Expected what lx.models.score_by_group returned in plot_forest; received "
            f"{validation.what_is(table)}. Call lx.models.score_by_group(data, risk, groups)."
        )
    place = open_panels(ax, row_heights(len(table)), (1.0, 1.0), width=9.5)
    main = place.add(0, 0, label="auroc")
    beside = place.add(0, 1, label="calibration", sharey=main)
    _draw(main, table, "auroc", 0.5, "AUROC (dotted: chance)")
    _draw(beside, table, "difference", 0.0, "predicted minus observed share")
    names = [plain(name, 34) for name in table.index]
    counts = zip(names, table["events"], table["count"], strict=True)
    name_rows(main, [f"{name} ({events:,} of {count:,})" for name, events, count in counts])
    beside.tick_params(axis="y", left=False, labelleft=False)
    known = table["auroc"].dropna()
    title = "AUROC unknown in all groups"
    if len(known):
        ends = f"{fixed(known.min(), 3)} to {fixed(known.max(), 3)}"
        title = f"AUROC {ends} in {len(known)} group{'s' * (len(known) != 1)}"
    notes = ["in brackets: events of samples", "lines: 95 % interval"]
    write_heading(main, [title], notes, place, "Scores by group")
    place.figure.sca(main)
    return main


def _draw(ax: Axes, table: pd.DataFrame, score: str, neutral: float, name: str) -> None:
    values, low, high = (table[f"{score}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    rows = np.arange(len(table))
    ax.axvline(neutral, color=ink(), linewidth=0.9, linestyle=(0, (1, 1.5)))
    known = np.isfinite(low)
    ax.hlines(rows[known], low[known], high[known], colors=STYLE.importance, linewidths=1.5)
    ax.plot(values, rows, "s", color=STYLE.importance, markersize=5)
    beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center"}
    for row, value in enumerate(values):
        text = fixed(value, 3, sign=score == "difference")
        note(ax, 1.01, row, text if np.isfinite(value) else "not known", **beside)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel(name, fontsize=STYLE.small)
    tidy(ax, keep=("bottom",), grid="x")
