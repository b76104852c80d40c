"""How every figure looks: colours, sizes, headings, and text that is safe to draw."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import GridSpec, GridSpecFromSubplotSpec


@dataclass(frozen=True)
class Style:
    """Colours and sizes in points. Blue and red stay apart for readers who do not see red or green.

    Sizes are given to each text, so that a figure is the same under any ``matplotlib.rcParams`` and
    changes none of them. Only the colour of text and lines is theirs, for dark figures.
    """

    raises: str = "#c13f2a"
    lowers: str = "#2468a8"
    attention: str = "#6f6f6f"
    importance: str = "#54408c"
    padding: str = "#d4d4d4"
    ground: str = "#8080801c"  # lets a dark figure shine through
    faint: str = "#80808044"
    title: float = 11.5
    text: float = 10.0
    small: float = 9.0


STYLE = Style()
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"

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


# -- text ------------------------------------------------------------------------------------------
def plain(text: object, longest: int = 60) -> str:
    r"""Return text from data as matplotlib should draw it: one line, no formulas, not too long.

    Examples
    --------
    >>> plain("price [$]")
    'price [\\$]'
    >>> plain("a name that goes on and on", longest=12)
    'a name that…'
    """
    line = " ".join(str(text).split())
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    return line.replace("$", r"\$")


def with_unit(name: object, unit: object, longest: int = 34) -> str:
    """Return ``name [unit]``, safe to draw; the name is cut where both are too long."""
    unit = plain(unit, 14)
    if not unit:
        return plain(name, longest)
    # Lines are not broken within a unit.
    return f"{plain(name, longest - len(unit) - 3)} [{unit.replace(' ', NO_BREAK)}]"


def fixed(number: float, decimals: int, sign: bool = False) -> str:
    """Return a number with so many decimals and a real minus; zero has no sign.

    Examples
    --------
    >>> fixed(0.126, 2, sign=True), fixed(0.126, 2), fixed(-0.001, 2)
    ('+0.13', '0.13', '0.00')
    """
    text = f"{number:{'+' if sign else ''}.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def wrapped(text: str, width: int) -> str:
    """Break each line of a text into lines of about `width` letters."""
    # Only at spaces: a no-break space, and a hyphen in a name, hold.
    wrapper = textwrap.TextWrapper(max(width, 8), break_on_hyphens=False)
    return "\n".join(piece for line in text.split("\n") for piece in wrapper.wrap(line))


def packed(parts: Sequence[str], between: str, width: int) -> str:
    r"""Put parts on as few lines of about `width` letters as they fit on, unbroken if possible.

    Examples
    --------
    >>> packed(["died:", "prediction 1.2", "= base value 1.0"], " ", width=24)
    'died: prediction 1.2\n= base value 1.0'
    """
    lines: list[str] = []
    for part in parts:
        joined = lines[-1] + between + part if lines else part
        if lines and len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(wrapped(part, width))
    return "\n".join(lines)


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
    """Where the panels of one plot go, and how many inches wide they are together."""

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


def open_panels(ax: Axes | None, heights: Sequence[float], widths: Sequence[float]) -> Panels:
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
    """
    options: dict[str, Any] = {"hspace": 0.05, "wspace": 0.02}
    options |= {"height_ratios": heights, "width_ratios": widths}
    rows, columns = len(heights), len(widths)
    if ax is None:
        figure = _new_figure((10.0, sum(heights) + 1.4))
        return Panels(figure, figure.add_gridspec(rows, columns, **options), 10.0)
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


def single_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return `ax`, or the only Axes of a new figure."""
    return _new_figure(size).add_subplot() if ax is None else ax


def _new_figure(size: tuple[float, float]) -> Figure:
    # The one use of pyplot: a notebook shows only the figures that pyplot knows.
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained")


def write_heading(ax: Axes, title: Sequence[str], notes: Sequence[str], place: Panels) -> None:
    """Write a bold title and smaller notes above the top panel, broken where they are too long."""
    # The names of the rows take about a fifth of the width; letters are so wide on average.
    points = 0.8 * place.width * 72
    heading = packed(title, " ", int(points / (0.59 * STYLE.title)))
    subtitle = packed(notes, "  ·  ", int(points / (0.54 * STYLE.small)))
    room = 5 + 1.25 * STYLE.small * (subtitle.count("\n") + 1)
    ax.set_title(heading, loc="left", fontsize=STYLE.title, fontweight="bold", pad=room + 4)
    line = ax.annotate(
        subtitle,
        (0, 1),
        (0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=STYLE.small,
        alpha=0.75,
        va="bottom",
        annotation_clip=False,
    )
    # The title already reserves its height; its width may pass over the neighbouring panel.
    line.set_in_layout(False)


def tidy(ax: Axes, *, keep: Sequence[str] = ("left", "bottom"), grid: str | None = None) -> None:
    """Leave only the spines that carry a scale, and set the size of the tick labels."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in keep)
    ax.tick_params(labelsize=STYLE.small)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(axis=grid, color=STYLE.faint, linewidth=0.7)  # type: ignore[arg-type]


def name_panel(ax: Axes, text: str, width: int = 22) -> None:
    """Name a panel by lines that stand upright to the left of its scale."""
    ax.set_ylabel(
        wrapped(text, width),
        fontsize=STYLE.small,
        rotation=0,
        horizontalalignment="right",
        verticalalignment="center",
    )


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Write the names of rows at the left, the first on top."""
    ax.set_yticks(np.arange(len(names)), names, fontsize=STYLE.small)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
