"""``plot_models``: scores of networks beside each other, and whether they agree why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.ticker import MaxNLocator

from ..arguments import check_one_of, check_type
from ..attribution.model_comparison import ModelComparison
from ..wording import fixed, ink_on, plain, score_text
from .style import (
    SIGNED,
    STYLE,
    ink,
    name_rows,
    note,
    open_panels,
    row_heights,
    tidy,
    write_heading,
)


def plot_models(
    comparison: ModelComparison, *, by: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the scores of compared models with their intervals, and how far explanations agree.

    Parameters
    ----------
    comparison : ModelComparison
        From `compare_models`.
    by : {"cell", "variable", "time"}, optional
        By which sums of SHAP values they are compared; by default the finest.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The scores; beside them, labelled "agreement", rank correlations: of two models, and on the
        diagonal of two seeds of one.

    Examples
    --------
    >>> plot_models(compare_models(data, ["lstm", "tcn"]))    # doctest: +SKIP
    """
    remedy = "Give what lx.compare_models(data) returned."
    check_type(ModelComparison, remedy, comparison=comparison)
    views = [str(name) for name in comparison.agreement.columns]
    check_one_of(views, optional=True, by=by)
    table, names = comparison.table, [plain(name, 34) for name in comparison.table.index]
    place = open_panels(ax, row_heights(len(table)), (1.1, 1.0), width=10.5)
    main = place.add(0, 0, label="scores")
    score = comparison.score.replace("_", " ")
    _draw_scores(main, table, score)
    name_rows(main, names)
    notes = ["lines: 95 % interval", "dotted: the baseline"]
    if views:
        by = by or views[0]
        _draw_agreement(place.add(0, 1, label="agreement"), comparison.agreement[by], names[:-1])
        notes.append(
            f"right: rank correlation of SHAP values by {by}, on the diagonal of two seeds"
        )
    best = comparison.best
    title = f"Best: {plain(best, 34)}, test {score} {score_text(table['score'][best])}"
    write_heading(main, [title], notes, place, "Models beside each other")
    place.figure.sca(main)
    return main


def _draw_scores(ax: Axes, table: pd.DataFrame, score: str) -> None:
    values, low, high = (table[name].to_numpy(float) for name in ("score", "low", "high"))
    rows = np.arange(len(table))
    ax.axvline(values[-1], color=ink(), linewidth=0.9, linestyle=(0, (1, 1.5)))
    known = np.isfinite(low)
    ax.hlines(rows[known], low[known], high[known], colors=STYLE.importance, linewidths=1.5)
    ax.plot(values, rows, "s", color=STYLE.importance, markersize=5)
    for row, value in enumerate(values):
        note(ax, 1.01, row, score_text(value), transform=ax.get_yaxis_transform(), va="center")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel(f"test {score}", fontsize=STYLE.small)
    tidy(ax, keep=("bottom",), grid="x")


def _draw_agreement(ax: Axes, agreement: pd.Series, names: Sequence[str]) -> None:
    models = list(dict.fromkeys(agreement.index.get_level_values(0)))
    order = list(dict.fromkeys([*models, *agreement.index.get_level_values(1)]))
    matrix = np.full((len(order), len(order)), np.nan)
    for (one, other), value in agreement.items():
        at = order.index(one), order.index(other)
        matrix[at] = matrix[at[::-1]] = value
    image = ax.imshow(matrix, cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour: Any = image.to_rgba(value)
            ground = to_hex(colour)
            ax.text(
                column, row, fixed(value, 2), ha="center", va="center", fontsize=STYLE.small,
                color=ink_on(ground),
            )  # fmt: skip
    name_rows(ax, names)
    ax.set_xticks(range(len(order)), names, rotation=45, ha="right", fontsize=STYLE.small)
    tidy(ax, keep=())
