"""The figure of a faithfulness report: every check beside its controls, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..wording import decimals, fixed, plain
from .style import STYLE, Panels, ink, limit_of, open_panels, tidy, write_heading

# Colour, marker and dash of what was measured: apart in grey too.
_LOOKS = {
    "explanation": (STYLE.importance, "o", "-"),
    "attention": ("#b8860b", "s", "-"),
    "attention contribution": ("#00796b", "^", "-"),
    "random": (STYLE.attention, "D", (0, (4, 2))),
    "inverted": (STYLE.raises, "v", (0, (1, 1.5))),
}
_TITLE = "Does the explanation tell the truth about the model?"
_CURVES = {"comprehensiveness": "removed", "sufficiency": "kept, the others removed"}
_UNITS = {"cell": "cells", "feature": "features", "window": "windows"}
_CURVE, _ROW, _NAMES = 2.1, 0.21, 1.15
Block = tuple[str, pd.DataFrame, float | None]  # title, rows, largest number that is drawn


def draw_report(
    table: pd.DataFrame,
    checks: Sequence[Any],
    notes: Sequence[str],
    ax: Axes | None,
    steps: str = "steps",
) -> Axes:
    """Draw curves of what is lost for each level, then all other checks as points.

    Parameters
    ----------
    table : DataFrame
        Of `FaithfulnessReport.to_frame`.
    checks : sequence of Check
        Rows of the table of checks: their `name`, `panel`, `measures`, `label` and `better`.
    steps : str
        What the steps are called: "words" in texts.
    """
    levels = list(dict.fromkeys(table.loc[table["check"] == "removal", "level"]))
    columns = [_blocks(table, checks, steps, column) for column in (0, 1)]
    pairs = max(map(len, columns))
    heights = [_CURVE] * len(levels)
    for row in range(pairs):
        sizes = [len(side[row][1]) for side in columns if row < len(side)]
        heights.append(_ROW * max(sizes) + 0.35)
    # Names of rows stand in columns of their own, so that they do not narrow the curves above.
    place = open_panels(ax, heights, (_NAMES, 1.0, _NAMES, 1.0), width=11.0)
    better = {measure: more for check in checks for measure, more in check.better.items()}
    main = _draw_curves(place, table, levels, better, steps)
    for column, side in enumerate(columns):
        for row, block in enumerate(side):
            _draw_points(place.add(len(levels) + row, 2 * column + 1, label=block[0]), *block)
    if table["low"].notna().any():  # one sample has no interval
        notes = [*notes, "bands and lines: 95 % interval over samples"]
    write_heading(main, [_TITLE], notes, place)
    place.figure.sca(main)
    return main


def _draw_curves(
    place: Panels,
    table: pd.DataFrame,
    levels: Sequence[str],
    better: Mapping[str, bool],
    steps: str,
) -> Axes:
    main: Axes | None = None
    for row, level in enumerate(levels):
        unit = {**_UNITS, "time": steps}.get(level, level)
        for column, (measure, verb) in enumerate(_CURVES.items()):
            ax = place.add(row, slice(2 * column, 2 * column + 2), label=f"{measure} {level}")
            main = main or ax
            curves = table[
                (table["measure"] == measure) & (table["level"] == level) & table["share"].notna()
            ]
            for of, curve in curves.groupby("of", sort=False):
                colour, marker, dash = _LOOKS[str(of)]
                ax.plot(
                    curve["share"], curve["mean"], marker, linestyle=dash, color=colour,
                    markersize=4, linewidth=1.3, label=str(of),
                )  # fmt: skip
                ends = (curve["low"], curve["high"])
                ax.fill_between(curve["share"], *ends, color=colour, alpha=0.14, linewidth=0)
            ax.axhline(0, color=ink(), linewidth=0.7)
            more = "more" if better[measure] else "less"
            _share_axis(ax, f"share of {unit} {verb}")
            ax.set_ylabel(f"{measure}\n({more} is better)", fontsize=STYLE.small)
            if column == 1:
                ax.legend(
                    frameon=False, fontsize=STYLE.small, loc="upper left",
                    bbox_to_anchor=(1.0, 1.02), title=f"{unit}: order of",
                    title_fontsize=STYLE.small,
                    alignment="left", borderaxespad=0.2,
                )  # fmt: skip
    if main is None:
        raise ValueError("Expected a report with removals; received one without. Check it again.")
    return main


def _share_axis(ax: Axes, name: str) -> None:
    tidy(ax, grid="y")
    ax.set_xscale("log")
    ax.set_xticks([0.01, 0.05, 0.1, 0.2, 0.5])
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.xaxis.set_minor_locator(MaxNLocator(1))
    ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    ax.set_xlabel(name, fontsize=STYLE.small)
    ax.yaxis.set_major_locator(MaxNLocator(4))


# -- points ----------------------------------------------------------------------------------------
def _blocks(table: pd.DataFrame, checks: Sequence[Any], steps: str, column: int) -> list[Block]:
    """Return the panels of one column, each with its rows of the table and their labels."""
    rows_of: dict[Any, list[pd.DataFrame]] = {}
    means = table[table["share"].isna() & ~table["of"].str.contains(" better than ")]
    for check in checks:
        rows = means[means["check"] == check.name]
        if check.panel.column == column and len(rows):
            # Steps are ranked beside cells for attention: points are of what the explanation ranks.
            rows = rows[rows["level"] == rows["level"].iloc[0]]
            names = [check.label(*row) for row in zip(rows["measure"], rows["of"], strict=True)]
            rows = rows.assign(name=names)
            for measure in check.measures or dict.fromkeys(rows["measure"]):
                rows_of.setdefault(check.panel, []).append(rows[rows["measure"] == measure])
    return [
        (panel.title.format(steps=steps), pd.concat(rows), panel.limit)
        for panel, rows in rows_of.items()
    ]


def _draw_points(ax: Axes, title: str, rows: pd.DataFrame, limit: float | None) -> None:
    """Draw one point with its interval per row, and its number beside it."""
    largest = np.inf if limit is None else limit
    places = max(decimals(limit_of(rows["mean"].to_numpy(float))), 2)
    for at, row in enumerate(rows.itertuples()):
        colour, marker, _ = _LOOKS.get(row.of, (STYLE.importance, "o", "-"))
        if row.mean > largest:
            marker = ">"
        elif np.isfinite(row.low):
            ax.hlines(at, row.low, min(row.high, largest), colors=colour, linewidths=1.5)
        ax.plot(min(row.mean, largest), at, marker, color=colour, markersize=5)
        ax.annotate(
            fixed(row.mean, places), (1.01, at), xycoords=("axes fraction", "data"),
            fontsize=STYLE.small, va="center",
        )  # fmt: skip
    ax.set_yticks([])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    for at, name in enumerate(rows["name"]):
        label = ax.annotate(
            plain(name, 44), (0, at), (-5, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", fontsize=STYLE.small, ha="right", va="center",
        )  # fmt: skip
        label.set_in_layout(False)
    tidy(ax, keep=("bottom",), grid="x")
    ax.axvline(0, color=ink(), linewidth=0.7)
    ax.xaxis.set_major_locator(MaxNLocator(5 if places <= 3 else 2))  # with a power, fewer fit
    ax.margins(x=0.06)
    ax.set_title(" ", fontsize=STYLE.small)  # keeps the room
    heading = ax.annotate(
        title, (-_NAMES, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=STYLE.small, fontweight="bold",
    )  # fmt: skip
    heading.set_in_layout(False)
