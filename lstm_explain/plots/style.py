"""The look of every figure: colours, sizes, headings, and the grid of its panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import GridSpec, GridSpecFromSubplotSpec
from matplotlib.ticker import Formatter, ScalarFormatter

from ..arguments import check_type
from ..wording import number, packed, told_apart, wrapped
from .figure import PlotFigure, describe


@dataclass(frozen=True)
class Style:
    """Colours and sizes in points. Blue and red stay apart for readers who do not see red or green.

    Sizes are given to each text, so that a figure is the same under any ``matplotlib.rcParams``.
    Only the colour of text and lines is taken from these, for dark figures.
    """

    raises: str = "#c13f2a"
    lowers: str = "#2468a8"
    attention: str = "#6f6f6f"
    importance: str = "#54408c"
    padding: str = "#d4d4d4"
    usual: str = "#3c8d5a33"  # a range of reference, as pale on white as on black
    outside: str = "#b0309a"  # neither of the colours of SHAP values
    dot: str = "#333333"
    mark: str = "#e0a8004d"
    ground: str = "#8080801c"  # lets a dark figure shine through
    faint: str = "#80808044"
    title: float = 11.5
    text: float = 10.0
    small: float = 9.0


STYLE = Style()
# Inches: the height of a row, the least height of a map.
_ROW, _MAP = 0.25, 1.2

# Lightness falls by equal steps on both sides of white.
SIGNED = LinearSegmentedColormap.from_list(
    "lstm_explain_signed",
    ["#08306b", "#2468a8", "#7fb2d9", "#ffffff", "#f2ac8d", "#c13f2a", "#78160f"],
).with_extremes(bad=STYLE.padding)
SIZES = LinearSegmentedColormap.from_list(
    "lstm_explain_sizes", ["#ffffff", "#c9c3e3", "#8b7dbf", "#54408c", "#2a1a55"]
).with_extremes(bad=STYLE.padding)


def ink() -> str:
    """Return the colour of text and lines."""
    return rcParams["text.color"]


def colour_of(values: np.ndarray) -> list[str]:
    """Return the colour of each bar: red raises, blue lowers."""
    return [STYLE.raises if value > 0 else STYLE.lowers for value in values]


def limit_of(values: np.ndarray) -> float:
    """Return the largest absolute value, or 1 where all are zero, for limits around 0."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return largest or 1.0


# -- panels ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Panels:
    """The grid of one plot's panels, and their width together in inches."""

    figure: Figure | SubFigure
    grid: GridSpec | GridSpecFromSubplotSpec
    width: float
    fixed: bool = False

    def add(self, row: int | slice, column: int | slice, **options: Any) -> Axes:
        """Return new Axes in a row and column (or slices of them) of the grid."""
        cell = self.grid[row, column]
        if self.fixed:
            return self.figure.add_axes(cell.get_position(self.figure).bounds, **options)  # type: ignore[arg-type]
        return self.figure.add_subplot(cell, **options)


def open_panels(
    ax: Axes | None, heights: Sequence[float], widths: Sequence[float], width: float = 10.0
) -> Panels:
    """Divide a new figure, or the place of `ax`, into rows and columns.

    Parameters
    ----------
    ax : Axes or None
        Removed; the panels take its place, and a figure without a layout engine gets constrained
        layout, which makes room for their names. None: a new figure with that layout.
    heights : sequence of float
        Heights of the rows in inches; a new figure is higher by its heading and its labels.
    widths : sequence of float
        Widths of the columns relative to each other.
    width : float
        Inches of a new figure.
    """
    check_type(Axes, "Leave it out for a new figure.", optional=True, ax=ax)
    options: dict[str, Any] = {"hspace": 0.05, "wspace": 0.02}
    options |= {"height_ratios": heights, "width_ratios": widths}
    rows, columns = len(heights), len(widths)
    if ax is None:
        figure = _new_figure((width, sum(heights) + 1.4))
        return Panels(figure, figure.add_gridspec(rows, columns, **options), width)
    place, box, parent = ax.get_subplotspec(), ax.get_position(), ax.figure
    root = parent.get_figure(root=True)
    width = float(box.width * parent.bbox.width / root.dpi)
    ax.remove()
    if place is not None:
        if root.get_layout_engine() is None:
            root.set_layout_engine("constrained")
        return Panels(parent, place.subgridspec(rows, columns, **options), width)
    # Axes that were put at a fixed place: no layout moves them.
    options |= {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1, "hspace": 0.4}
    return Panels(parent, GridSpec(rows, columns, **options), width, fixed=True)


def row_heights(*counts: int) -> list[float]:
    """Return the heights in inches of blocks of named rows; only the first may be a map.

    Examples
    --------
    >>> row_heights(8, 2), row_heights(1, 0)
    ([2.0, 0.5], [1.2])
    """
    first, *others = counts
    return [max(_ROW * first, _MAP), *(_ROW * count for count in others if count)]


def single_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return `ax`, or the only Axes of a new figure."""
    check_type(Axes, "Leave it out for a new figure.", optional=True, ax=ax)
    return _new_figure(size).add_subplot() if ax is None else ax


def _new_figure(size: tuple[float, float]) -> Figure:
    # The one use of pyplot: a notebook shows only the figures that pyplot knows.
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained", FigureClass=PlotFigure)


def write_heading(
    ax: Axes,
    title: Sequence[str],
    notes: Sequence[str],
    place: Panels,
    kind: str,
    shown: Sequence[str] = (),
) -> None:
    """Write a bold title and smaller notes above the top panel, broken where they are too long.

    With `kind`, what sort of picture it is, and further facts that are `shown`, they are also the
    alternative text.
    """
    describe(ax, kind, " ".join(title), "; ".join(notes), *shown)
    # The names of the rows take a fifth of the width or two inches; letters are so wide on average.
    points = min(0.8 * place.width, max(place.width - 2.0, 2.0)) * 72
    heading = packed(title, " ", int(points / (0.59 * STYLE.title)))
    subtitle = packed(notes, "  ·  ", int(points / (0.54 * STYLE.small)))
    room = 5 + 1.3 * STYLE.small * (subtitle.count("\n") + 1)
    ax.set_title(heading, loc="left", fontsize=STYLE.title, fontweight="bold", pad=room + 4)
    look: dict[str, Any] = {"fontsize": STYLE.small, "alpha": 0.75, "va": "bottom"}
    look |= {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    line = ax.annotate(subtitle, (0, 1), (0, 5), **look)
    # The title already reserves its height; its width may pass over the neighbouring panel.
    line.set_in_layout(False)


class TickNumbers(Formatter):
    """Numbers at ticks, each complete: what Matplotlib writes at the end would meet other text."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Return the number of one tick."""
        return number(value)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the numbers of all ticks, of which no two are alike."""
        ticks = np.asarray(values, float)  # a multiple of 0.1 may miss zero
        largest = np.abs(ticks).max(initial=0.0)
        return told_apart(np.where(np.abs(ticks) < 1e-9 * largest, 0.0, ticks), digits=4)


def tidy(ax: Axes, *, keep: Sequence[str] = ("left", "bottom"), grid: str | None = None) -> None:
    """Leave only the spines that carry a scale, and set size and numbers of the tick labels."""
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(TickNumbers())
    for side, spine in ax.spines.items():
        spine.set_visible(side in keep)
    ax.tick_params(labelsize=STYLE.small)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(axis=grid, color=STYLE.faint, linewidth=0.7)  # type: ignore[arg-type]


def name_panel(ax: Axes, text: str, width: int = 22) -> None:
    """Name a panel by lines that stand upright to the left of its scale."""
    look: dict[str, Any] = {"fontsize": STYLE.small, "rotation": 0, "ha": "right", "va": "center"}
    ax.set_ylabel(wrapped(text, width), labelpad=7, **look)


def note(ax: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Write small text at a place in units of the panel, unless `look` says otherwise."""
    ax.text(x, y, text, **{"transform": ax.transAxes, "fontsize": STYLE.small, **look})


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Write the names of rows at the left, the first on top."""
    ax.set_yticks(np.arange(len(names)), names, fontsize=STYLE.small)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
