"""The figure of a faithfulness report: its main questions, each with its numbers and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..wording import NO_BREAK, decimals, fixed, plain
from .style import STYLE, ink, limit_of, name_rows, open_panels, tidy, write_heading

# Colour, marker and dash of what was measured: apart in grey too.
_LOOKS = {
    "explanation": (STYLE.importance, "o", "-"),
    "attention": ("#b8860b", "s", "-"),
    "attention contribution": ("#00796b", "^", "-"),
    "random": (STYLE.attention, "D", (0, (4, 2))),
    "inverted": (STYLE.raises, "v", (0, (1, 1.5))),
}
_TITLE = "Does the explanation tell the truth about the model?"
_CURVES = "comprehensiveness"
_UNITS = {"cell": "cells", "feature": "features", "window": "windows"}
# Inches: an empty panel below the heading, the curves, a row of points, its panel's other room.
_HEADING, _CURVE, _ROW, _REST = 0.02, 2.2, 0.27, 0.6


def draw_report(
    table: pd.DataFrame,
    checks: Sequence[Any],
    notes: Sequence[str],
    ax: Axes | None,
    steps: str = "steps",
    verdict: str = "",
) -> Axes:
    """Draw what is lost without what is ranked first, and the checks that have a panel as points.

    Parameters
    ----------
    table : DataFrame
        Of `FaithfulnessReport.to_frame`.
    checks : sequence of Check
        Rows of the table of checks: their `name`, `question`, `panel`, `measures`, `label`,
        `better` and `bounds`.
    steps : str
        What the steps are called: "words" in texts.
    verdict : str
        What follows the title.
    """
    means = table[table["share"].isna() & ~table["of"].str.contains(" better than ")]
    blocks: dict[Any, list[Any]] = {}
    for check in checks:
        if check.panel and (means["check"] == check.name).any():
            blocks.setdefault(check.panel, []).append(check)
    points = [_rows(means, block) for block in blocks.values()]
    removal = next((check for check in checks if _CURVES in check.better), None)
    if removal is None or not (table["check"] == removal.name).any():
        raise ValueError("Expected a report with removals; received one without. Check it again.")
    heights = [_HEADING, _CURVE, *(_ROW * len(rows) + _REST for rows in points)]
    place = open_panels(ax, heights, (1.0,), width=8.5)
    top = place.add(0, 0, label="heading")
    top.set_axis_off()
    main = place.add(1, 0, label=removal.question)
    _draw_curves(main, table, steps)
    _ask(main, removal.question, [removal], table)
    for row, ((panel, block), rows) in enumerate(zip(blocks.items(), points, strict=True), 2):
        beside = place.add(row, 0, label=panel.title)
        _draw_points(beside, rows, panel.limit, block)
        _ask(beside, panel.title.format(steps=steps), block, table)
    if table["low"].notna().any():  # one sample has no interval
        notes = [*notes, "bands and lines: 95 % interval over samples"]
    notes = [*notes, "all other checks: to_frame()"]
    kind = "Checks of an explanation with their controls"
    write_heading(top, [_TITLE, verdict], notes, place, kind)
    place.figure.sca(main)
    return main


def _ask(ax: Axes, question: str, checks: Sequence[Any], table: pd.DataFrame) -> None:
    """Write the question of a panel, and whether all bounds of its checks hold."""
    whole = table[table["share"].isna()]
    answers = []
    for bound in (bound for check in checks for bound in check.bounds):
        rows = whole[(whole["measure"] == bound.measure) & (whole["of"] == bound.of)]
        numbers = ["mean", "low", "high"]
        row = rows[numbers].iloc[0] if len(rows) else pd.Series(np.nan, numbers)
        answers.append(not bound.is_broken_by(row))
    answer = "" if not answers else "  Yes." if all(answers) else "  No."
    look: dict[str, Any] = {"loc": "left", "fontsize": STYLE.text, "fontweight": "bold"}
    ax.set_title(f"{plain(question, 80)}{answer}", **look)


def _draw_curves(ax: Axes, table: pd.DataFrame, steps: str) -> None:
    """Draw the loss by the share that is removed: of steps where attention ranks these too."""
    curves = table[(table["measure"] == _CURVES) & table["share"].notna()]
    attended = curves.loc[curves["of"] == "attention", "level"]
    level = (attended if len(attended) else curves["level"]).iloc[0]
    for of, curve in curves[curves["level"] == level].groupby("of", sort=False):
        colour, marker, dash = _LOOKS[str(of)]
        ax.plot(
            curve["share"], curve["mean"], marker, linestyle=dash, color=colour,
            markersize=4, linewidth=1.3, label=str(of),
        )  # fmt: skip
        ends = (curve["low"], curve["high"])
        ax.fill_between(curve["share"], *ends, color=colour, alpha=0.14, linewidth=0)
    ax.axhline(0, color=ink(), linewidth=0.7)
    tidy(ax, grid="y")
    unit = {**_UNITS, "time": steps}.get(str(level), str(level))
    ax.set_xscale("log")
    ax.set_xticks([0.01, 0.05, 0.1, 0.2, 0.5])
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0, symbol=f"{NO_BREAK}%"))
    ax.xaxis.set_minor_locator(MaxNLocator(1))
    ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    ax.set_xlabel(f"share of {unit} removed", fontsize=STYLE.small)
    ax.set_ylabel("what the output loses\n(more is better)", fontsize=STYLE.small)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.legend(
        frameon=False, fontsize=STYLE.small, loc="upper left", bbox_to_anchor=(1.0, 1.02),
        title=f"{unit}: order of", title_fontsize=STYLE.small, alignment="left", borderaxespad=0.2,
    )  # fmt: skip


# -- points ----------------------------------------------------------------------------------------
def _rows(means: pd.DataFrame, checks: Sequence[Any]) -> pd.DataFrame:
    """Return the rows of the table that a panel draws, with their names."""
    parts = []
    for check in checks:
        rows = means[(means["check"] == check.name) & (means["of"] != "inverted")]
        if check.measures:
            rows = rows[rows["measure"].isin(check.measures)]
        # Steps are ranked beside cells for attention: points are of what the explanation ranks.
        rows = rows[rows["level"] == rows["level"].iloc[0]]
        names = [check.label(*row) for row in zip(rows["measure"], rows["of"], strict=True)]
        parts.append(rows.assign(name=names))
    return pd.concat(parts)


def _draw_points(ax: Axes, rows: pd.DataFrame, limit: float | None, checks: Sequence[Any]) -> None:
    """Draw one point with its interval per row, its number beside it, and where its limit is."""
    largest = np.inf if limit is None else limit
    places = max(decimals(limit_of(rows["mean"].to_numpy(float))), 2)
    limits = {(b.measure, b.of): b for check in checks for b in check.bounds if b.demand != "above"}
    for at, row in enumerate(rows.itertuples()):
        colour, marker, _ = _LOOKS.get(row.of, (STYLE.importance, "o", "-"))
        if row.mean > largest:
            marker = ">"
        elif np.isfinite(row.low):
            ax.hlines(at, row.low, min(row.high, largest), colors=colour, linewidths=1.5)
        ax.plot(min(row.mean, largest), at, marker, color=colour, markersize=5)
        text, bound = fixed(row.mean, places), limits.get((row.measure, row.of))
        if bound is not None:
            ax.vlines(bound.limit, at - 0.4, at + 0.4, colors=ink(), linewidths=1.5)
            text += f"  ({bound.demand} {bound.limit:g})"
        ax.annotate(
            text, (1.01, at), xycoords=("axes fraction", "data"), fontsize=STYLE.small, va="center"
        )
    name_rows(ax, [plain(name, 44) for name in rows["name"]])
    tidy(ax, keep=("bottom",), grid="x")
    ax.axvline(0, color=ink(), linewidth=0.7)
    ax.xaxis.set_major_locator(MaxNLocator(5 if places <= 3 else 2))  # with a power, fewer fit
    ax.margins(x=0.06)
