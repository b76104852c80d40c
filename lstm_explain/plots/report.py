"""The figure of a faithfulness report: every check beside its controls, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..wording import fixed, plain
from .style import STYLE, Panels, ink, open_panels, tidy, write_heading

# Colour, marker and dash of what was measured: apart in grey too.
_LOOKS = {
    "explanation": (STYLE.importance, "o", "-"),
    "attention": ("#b8860b", "s", "-"),
    "attention contribution": ("#00796b", "^", "-"),
    "random": (STYLE.attention, "D", (0, (4, 2))),
    "inverted": (STYLE.raises, "v", (0, (1, 1.5))),
}
_UNITS = {"cell": "cells", "feature": "features", "window": "windows"}
_CURVE, _ROW, _NAMES = 2.1, 0.21, 1.15
Row = tuple[str, str, str, str]  # check, measure, of, name


def draw_report(
    table: pd.DataFrame, title: str, notes: Sequence[str], ax: Axes | None, steps: str = "steps"
) -> Axes:
    """Draw curves of what is lost for each level, then all other checks as points.

    Parameters
    ----------
    table : DataFrame
        Of `FaithfulnessReport.to_frame`.
    steps : str
        What the steps are called: "words" in texts.
    """
    levels = list(dict.fromkeys(table.loc[table["check"] == "removal", "level"]))
    left, right = _left_blocks(table), _right_blocks(table, steps)
    pairs = max(len(left), len(right))
    heights = [_CURVE] * len(levels)
    for row in range(pairs):
        sizes = [len(side[row][1]) for side in (left, right) if row < len(side)]
        heights.append(_ROW * max(sizes) + 0.35)
    # Names of rows stand in columns of their own, so that they do not narrow the curves above.
    place = open_panels(ax, heights, (_NAMES, 1.0, _NAMES, 1.0), width=11.0)
    main = _draw_curves(place, table, levels, steps)
    for column, side in enumerate((left, right)):
        for row, (name, rows, limit) in enumerate(side):
            _draw_points(
                place.add(len(levels) + row, 2 * column + 1, label=name), table, name, rows, limit
            )
    if table["low"].notna().any():  # one sample has no interval
        notes = [*notes, "bands and lines: 95 % interval over samples"]
    write_heading(main, [title], notes, place)
    place.figure.sca(main)
    return main


def _draw_curves(place: Panels, table: pd.DataFrame, levels: Sequence[str], steps: str) -> Axes:
    main: Axes | None = None
    for row, level in enumerate(levels):
        unit = {**_UNITS, "time": steps}.get(level, level)
        for column, (measure, verb, better) in enumerate(
            (("comprehensiveness", "removed", "more is better"),
             ("sufficiency", "kept, the others removed", "less is better"))
        ):  # fmt: skip
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
            _share_axis(ax, f"share of {unit} {verb}")
            ax.set_ylabel(f"{measure}\n({better})", fontsize=STYLE.small)
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
Block = tuple[str, list[Row], float | None]


def _left_blocks(table: pd.DataFrame) -> list[Block]:
    level = str(table.loc[table["check"] == "removal", "level"].iloc[0])
    areas = [
        (level, measure, of, f"{measure}, {of}")
        for measure in ("deletion area", "insertion area")
        for of in ("explanation", "random", "inverted")
    ]
    blocks: list[Block] = [
        ("area below the support that is left (deletion: less is better)", areas, None)
    ]
    errors = [
        ("", "gap", "explanation", "completeness gap"),
        *(("", "infidelity", of, f"infidelity, {of}") for of in _LOOKS),
        *(("", "maximum sensitivity", of, f"maximum sensitivity, {of}") for of in _LOOKS),
    ]
    blocks.append(("errors (0 is best; beyond 2: arrow)", _present(table, errors), 2.0))
    moved = [("", "prediction moved", f"{way} attention", f"{way} attention")
             for way in ("uniform", "permuted")]  # fmt: skip
    blocks.append(("predictions moved, in their spread", _present(table, moved), None))
    return [block for block in blocks if block[1]]


def _right_blocks(table: pd.DataFrame, steps: str) -> list[Block]:
    sanity = [
        ("", measure, of, f"{of}{ending}")
        for measure, ending in (("rank correlation", ""), ("rank correlation of sizes", ", sizes"))
        for of in dict.fromkeys(table.loc[table["check"] == "sanity", "of"])
        if "better than" not in of
    ]
    again = [
        ("", f"{kind} rank correlation", of, f"{of}, {kind}")
        for kind in ("local", "global")
        for of in ("other seeds", "permuted labels")
    ]
    tau = [
        ("", f"Kendall tau with {way}", of, f"{of} with {way}")
        for way in ("|SHAP|", "gradients")
        for of in ("attention", "attention contribution", "random")
    ]
    blocks: list[Block] = [
        ("weights made random: Spearman with the explanation", _present(table, sanity), None),
        ("trained again: Spearman with the explanation", _present(table, again), None),
        (f"Kendall's tau over {steps}", _present(table, tau), None),
    ]
    return [block for block in blocks if block[1]]


def _present(table: pd.DataFrame, rows: Sequence[Row]) -> list[Row]:
    have = set(zip(table["measure"], table["of"], strict=True))
    return [row for row in rows if (row[1], row[2]) in have]


def _draw_points(
    ax: Axes, table: pd.DataFrame, name: str, rows: Sequence[Row], limit: float | None
) -> None:
    """Draw one point with its interval per row, and its number beside it."""
    for at, (level, measure, of, _) in enumerate(rows):
        found = table[(table["measure"] == measure) & (table["of"] == of) & table["share"].isna()]
        if level:
            found = found[found["level"] == level]
        mean, low, high = (float(found[part].iloc[0]) for part in ("mean", "low", "high"))
        colour, marker, _ = _LOOKS.get(of, (STYLE.importance, "o", "-"))
        shown = mean if limit is None else min(mean, limit)
        if shown < mean:
            marker = ">"
        elif np.isfinite(low):
            ax.hlines(
                at, low, high if limit is None else min(high, limit), colors=colour, linewidths=1.5
            )
        ax.plot(shown, at, marker, color=colour, markersize=5)
        ax.annotate(
            fixed(mean, 2), (1.01, at), xycoords=("axes fraction", "data"), fontsize=STYLE.small,
            va="center",
        )  # fmt: skip
    ax.set_yticks([])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    for at, row in enumerate(rows):
        label = ax.annotate(
            plain(row[3], 44), (0, at), (-5, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", fontsize=STYLE.small, ha="right", va="center",
        )  # fmt: skip
        label.set_in_layout(False)
    tidy(ax, keep=("bottom",), grid="x")
    ax.axvline(0, color=ink(), linewidth=0.7)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.margins(x=0.06)
    ax.set_title(" ", fontsize=STYLE.small)  # keeps the room
    heading = ax.annotate(
        name, (-_NAMES, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=STYLE.small, fontweight="bold",
    )  # fmt: skip
    heading.set_in_layout(False)
