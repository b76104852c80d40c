"""Panels that several figures share: cells, bars per step or row, time axes, static facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from ..attribution.explanation import Explanation
from ..wording import MINUS, fixed, number, wrapped
from . import content
from .content import Rows
from .style import (
    SIGNED,
    SIZES,
    STYLE,
    Panels,
    colour_of,
    ink,
    limit_of,
    name_panel,
    name_rows,
    note,
    tidy,
)
from .time_axis import BAR_WIDTH, draw_to_scale, span_of, step_ticks

_ATTENTION = "attention\n(where it looked)\ndashed: even share"


def draw_cells(
    ax: Axes,
    edges: np.ndarray,
    rows: Rows,
    limit: float,
    *,
    sizes: bool = False,
    lines: bool = True,
) -> QuadMesh:
    """Draw rows of cells, the first on top; NaN cells are grey.

    Parameters
    ----------
    edges : array (column + 1,)
    limit : float
        The value of the strongest colour.
    sizes : bool
        Numbers without a sign, from white at 0; else white is 0 between blue and red.
    lines : bool
        Draw a faint line between rows.
    """
    count = len(rows.names)
    mesh = ax.pcolormesh(
        edges,
        np.arange(count + 1) - 0.5,
        np.ma.masked_invalid(rows.values),
        cmap=SIZES if sizes else SIGNED,
        norm=Normalize(0 if sizes else -limit, limit),
        rasterized=rows.values.size > 5000,
    )
    if lines:
        between = np.arange(1, count) - 0.5
        ax.hlines(between, edges[0], edges[-1], colors=STYLE.faint, linewidths=0.6)
    name_rows(ax, rows.names)
    ax.set_xlim(edges[0], edges[-1])
    tidy(ax, keep=("left", "right", "top", "bottom"))
    for spine in ax.spines.values():
        spine.set_color(STYLE.padding)
    return mesh


def draw_step_bars(
    ax: Axes,
    edges: np.ndarray,
    heights: np.ndarray,
    name: str,
    *,
    colour: str | None = None,
    errors: np.ndarray | None = None,
    num_ticks: int = 3,
) -> None:
    """Draw one bar per step or window; without a `colour` by its sign, with room for both."""
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    gap = BAR_WIDTH if len(heights) <= 120 else 1.0
    ax.bar(middles, heights, widths * gap, color=colour or colour_of(heights))
    errors = np.zeros(len(heights)) if errors is None else errors
    ax.vlines(middles, heights - errors, heights + errors, colors=ink(), linewidths=0.9)
    if colour is None:
        low, high = min(0.0, (heights - errors).min()), max(0.0, (heights + errors).max())
        # Both sides are named inside the panel, above and below the bars.
        room = 0.16 * (high - low) or 1.0
        ax.set_ylim(low - room, high + room)
        ax.axhline(0, color=ink(), linewidth=0.8)
    else:
        ax.set_ylim(0, 1.12 * limit_of(heights))
    ax.set_xlim(edges[0], edges[-1])
    ax.yaxis.set_major_locator(MaxNLocator(num_ticks))
    share_time_axis(ax)
    name_panel(ax, name)


def draw_line(ax: Axes, values: np.ndarray, name: str) -> None:
    """Draw the data of one feature, step by step, in its own units; gaps are bridged by dashes."""
    marker = "o" if len(values) <= 80 else ""
    ax.plot(values, color=ink(), linewidth=1.3, marker=marker, markersize=2.6)
    known = np.flatnonzero(~np.isnan(values))
    if 0 < len(known) < len(values):
        style: Any = {"color": ink(), "alpha": 0.5, "linewidth": 0.9, "linestyle": (0, (3, 2))}
        ax.plot(known, values[known], zorder=1.5, **style)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    share_time_axis(ax)
    name_panel(ax, name)


def draw_attention(ax: Axes, explanation: Explanation) -> None:
    """Draw the attention of one sample, and what each step would get if all got the same."""
    attention: Any = explanation.attention
    weights = attention.values[0, content.real_steps(explanation)]
    edges = np.arange(len(weights) + 1) - 0.5
    draw_step_bars(ax, edges, weights, _ATTENTION, colour=STYLE.attention)
    real = explanation.mask.values[0].sum()
    ax.axhline(1 / real, color=ink(), linewidth=0.9, linestyle=(0, (4, 3)))


def label_times(ax: Axes, times: np.ndarray, name: str) -> None:
    """Label steps by their dates or numbers, and draw them to scale where these are uneven."""
    draw_to_scale(ax, times)
    positions, labels = step_ticks(times, name)
    _label_steps(ax, positions, labels, span_of(times, name))


def label_steps_before_end(ax: Axes, count: int, left_out: int) -> None:
    """Label steps by how many come after them; the last one stands at 0."""
    positions, labels = step_ticks(np.arange(1 - count, 1))
    unsigned = [label.lstrip(MINUS) for label in labels]
    note = f" (earlier ones, rare in these samples: {left_out} left out)" if left_out else ""
    name = f"steps before the end{note}"
    _label_steps(ax, positions + 1 - count, unsigned, name)


def _label_steps(ax: Axes, positions: np.ndarray, labels: Sequence[str], name: str) -> None:
    ax.set_xticks(positions, labels, fontsize=STYLE.small)
    ax.tick_params(axis="x", bottom=True, labelbottom=True, length=3)
    ax.spines["bottom"].set_visible(True)
    ax.set_xlabel(name, fontsize=STYLE.small)


def share_time_axis(ax: Axes) -> None:
    """Leave the labels of the time axis to the panel below."""
    tidy(ax, keep=("left",), grid="x")
    ax.tick_params(axis="x", bottom=False, labelbottom=False)


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
        decimals = max(2 - int(np.floor(np.log10(limit_of(every)))), 0)
        low, high = low - room * (low < 0 or high == 0), high + room * (high > 0 or low == 0)
        return cls(low, high, decimals)


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
        name_rows(names, static_names)
        names.set_xticks([])
        names.set_facecolor(STYLE.ground)
        tidy(names, keep=())
        look: dict[str, Any] = {"fontstyle": "italic", "ha": "center", "va": "center"}
        note(names, 0.5, 0.5, "static facts: the same at every step", **look)
        below = place.add(row + 1, 1, label="static sums", sharey=names, sharex=beside)
        draw_row_bars(below, sums[1], scale, ends=intervals[1])
        tidy(below, keep=())
        below.tick_params(axis="x", bottom=False, labelbottom=False)
        below.set_facecolor(STYLE.ground)


def draw_row_bars(
    ax: Axes, sums: np.ndarray, scale: BarScale, *, ends: Ends | None = None, height: float = 0.72
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
    for row, tip, size in zip(rows, tips, sums, strict=True):
        text, left = fixed(size, scale.decimals, sign=not sizes), size < 0
        side: dict[str, Any] = {"ha": "right" if left else "left", "va": "center_baseline"}
        side |= {"textcoords": "offset points", "fontsize": STYLE.small}
        ax.annotate(text, (tip, row), (-3 if left else 3, 0), **side)
    reach = height / 2 + 0.1
    ax.vlines(0 * rows, rows - reach, rows + reach, colors=ink(), linewidths=0.8)
    ax.set(xlim=(scale.low, scale.high), ylim=(len(sums) - 0.5, -0.5))
    tidy(ax, keep=("bottom",))
    ax.tick_params(axis="y", left=False, labelleft=False)
    ax.xaxis.set_major_locator(MaxNLocator(3))


def draw_static_list(ax: Axes, static: Rows, width: float, name: str = "SHAP value") -> None:
    """Draw static facts as a list of names, each with its bar below it, in a plot so wide.

    `name` is what the bars show.
    """
    values = static.values[:, 0]
    draw_row_bars(ax, values, BarScale.around(values, width=0.7 * width), height=0.4)
    place: dict[str, Any] = {"transform": ax.get_yaxis_transform()}
    for row, fact in enumerate(static.names):
        note(ax, 0.03, row - 0.3, fact, va="bottom", **place)
    # As high as a list of seven, so that a few facts stand together at the top.
    ax.set_ylim(max(len(values), 7) - 0.5, -1.5)
    ax.set_facecolor(STYLE.ground)
    note(ax, 0.03, -1.4, "static facts", va="top", fontstyle="italic", **place)
    ax.set_xlabel(name, fontsize=STYLE.small)


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
    label_ends(bar, low, high)
    ax.tick_params(labelsize=STYLE.small)
    ax.set_xlabel(wrapped(name, int(2.5 * place.width)), fontsize=STYLE.small)
    for x, text in zip((0, 1), ends, strict=False):
        side = "right" if x else "left"
        note(ax, x, 1.2, text, ha=side, va="bottom")


def draw_scale_beside(mesh: QuadMesh, name: str) -> Any:
    """Draw the scale of a map in a narrow bar at its right; return the colour bar."""
    ax: Any = mesh.axes
    beside = ax.inset_axes((1.012, 0, 0.012, 1), label=name)
    bar = ax.figure.colorbar(mesh, cax=beside)
    beside.tick_params(labelsize=STYLE.small, length=2)
    return bar


def label_ends(bar: Any, low: float, high: float) -> None:
    """Label the ends of a colour bar, and 0, if they have moved."""
    ticks = sorted({low, 0.0, high})
    if bar.get_ticks().tolist() != ticks:
        bar.set_ticks(ticks, labels=[number(tick, digits=2) for tick in ticks])
