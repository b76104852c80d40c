"""What stands beside and below a map: sums of its rows, static facts, the scale of its colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.ticker import MaxNLocator

from ..wording import MINUS, fixed, wrapped
from .content import Rows
from .style import STYLE, Panels, colour_of, ink, limit_of, name_rows, tidy

Ends = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class BarScale:
    """A scale that holds all bars with their numbers beyond the tips, and the numbers' decimals."""

    low: float
    high: float
    decimals: int

    @classmethod
    def around(cls, *numbers: np.ndarray, width: float) -> BarScale:
        """Return one scale for the bars of several panels, in a plot so many inches wide."""
        every = np.concatenate([np.ravel(part) for part in numbers])
        low, high = min(0.0, every.min()), max(0.0, every.max())
        room = float(np.clip(6 / width, 0.6, 2)) * (high - low) or 1.0
        # Three digits of the longest bar.
        decimals = int(np.clip(2 - np.floor(np.log10(limit_of(every))), 0, 6))
        return cls(
            low - room * (low < 0 or high == 0), high + room * (high > 0 or low == 0), decimals
        )


def draw_sides(
    place: Panels,
    row: int,
    main: Axes,
    sums: Sequence[np.ndarray],
    static_names: Sequence[str],
    name: str,
    ends: Sequence[Ends] = (),
) -> None:
    """Draw bars beside the rows of a map, and below it static facts with bars on the same scale.

    Parameters
    ----------
    row : int
        Where the map stands in the grid.
    sums : numbers of the rows, then of the static facts
    ends : an interval around each of the `sums`, optional
    """
    every = [*sums, *(end for pair in ends for end in pair)]
    scale = BarScale.around(*every, width=place.width)
    intervals: Sequence[Ends | None] = ends or (None, None)
    beside = place.add(row, 1, label="sums", sharey=main)
    draw_row_bars(beside, sums[0], scale, ends=intervals[0])
    beside.set_xlabel(name, fontsize=STYLE.small)
    if static_names:
        names = place.add(row + 1, 0, label="static")
        draw_static_names(names, static_names)
        below = place.add(row + 1, 1, label="static sums", sharey=names, sharex=beside)
        draw_row_bars(below, sums[1], scale, ends=intervals[1])
        tidy(below, keep=())
        below.tick_params(axis="x", bottom=False, labelbottom=False)
        below.set_facecolor(STYLE.ground)


def draw_row_bars(
    ax: Axes,
    sums: np.ndarray,
    scale: BarScale,
    *,
    ends: Ends | None = None,
    height: float = 0.72,
) -> None:
    """Draw one bar per row with its number.

    Parameters
    ----------
    ends : lower and upper ends of an interval around each bar, optional
        Given for sizes; signed numbers have none.
    """
    rows, sizes = np.arange(len(sums)), ends is not None
    colours: Any = STYLE.importance if sizes else colour_of(sums)
    ax.barh(rows, sums, height=height, color=colours)
    tips = sums
    if ends is not None:
        ax.hlines(rows, *ends, colors=ink(), linewidths=1.2)
        tips = np.maximum(sums, ends[1])
    for row, tip, number in zip(rows, tips, sums, strict=True):
        ax.annotate(
            fixed(number, scale.decimals, sign=not sizes),
            (tip, row),
            (-3 if number < 0 else 3, 0),
            textcoords="offset points",
            fontsize=STYLE.small,
            ha="right" if number < 0 else "left",
            va="center_baseline",
        )
    reach = height / 2 + 0.1
    ax.vlines(0 * rows, rows - reach, rows + reach, colors=ink(), linewidths=0.8)
    ax.set(xlim=(scale.low, scale.high), ylim=(len(sums) - 0.5, -0.5))
    tidy(ax, keep=("bottom",))
    ax.tick_params(axis="y", left=False, labelleft=False)
    ax.xaxis.set_major_locator(MaxNLocator(3))


def draw_static_names(ax: Axes, names: Sequence[str]) -> None:
    """Name static facts below the time axis, and say why they have no cells."""
    name_rows(ax, names)
    ax.set_xticks([])
    ax.set_facecolor(STYLE.ground)
    tidy(ax, keep=())
    ax.text(
        0.5,
        0.5,
        "static facts: the same at every step",
        transform=ax.transAxes,
        fontsize=STYLE.small,
        fontstyle="italic",
        ha="center",
        va="center",
    )


def draw_static_list(ax: Axes, static: Rows, width: float) -> None:
    """Draw static facts as a list of names, each with its bar below it, in a plot so wide."""
    values = static.values[:, 0]
    draw_row_bars(ax, values, BarScale.around(values, width=width), height=0.4)
    for row, name in enumerate(static.names):
        ax.text(
            0.03,
            row - 0.3,
            name,
            transform=ax.get_yaxis_transform(),
            fontsize=STYLE.small,
            va="bottom",
        )
    # As high as a list of seven, so that a few facts stand together at the top.
    ax.set_ylim(max(len(values), 7) - 0.5, -1.5)
    ax.set_facecolor(STYLE.ground)
    ax.text(
        0.03,
        -1.4,
        "static facts",
        transform=ax.get_yaxis_transform(),
        fontsize=STYLE.small,
        va="top",
        fontstyle="italic",
    )
    ax.set_xlabel("SHAP value", fontsize=STYLE.small)


def draw_colour_bar(
    place: Panels, row: int, mesh: QuadMesh, name: str, ends: Sequence[str] = ()
) -> None:
    """Draw the scale of a map in the corner above the bars beside it.

    Parameters
    ----------
    row : int
        Where the map stands in the grid.
    name : str
        What its number is of.
    ends : sequence of str
        What the left and the right end mean.
    """
    corner = place.add(slice(0, row), 1, label="corner")
    corner.set_axis_off()
    ax = corner.inset_axes((0.05, 0.66, 0.9, 0.13), label="colours")
    # Arrows at the ends where a cell is beyond the strongest colour.
    low, high = mesh.get_clim()
    beyond = limit_of(np.ma.filled(np.ma.asarray(mesh.get_array()), 0.0)) > high * (1 + 1e-9)
    extend = "neither" if not beyond else "both" if low < 0 else "max"
    bar = place.figure.colorbar(mesh, cax=ax, orientation="horizontal", extend=extend)
    ticks = sorted({low, 0.0, high})
    bar.set_ticks(ticks, labels=[f"{tick:.2g}".replace("-", MINUS) for tick in ticks])
    ax.tick_params(labelsize=STYLE.small)
    ax.set_xlabel(wrapped(name, int(2.5 * place.width)), fontsize=STYLE.small)
    for x, text in zip((0, 1), ends, strict=False):
        side = "right" if x else "left"
        ax.text(x, 1.2, text, transform=ax.transAxes, fontsize=STYLE.small, ha=side, va="bottom")
