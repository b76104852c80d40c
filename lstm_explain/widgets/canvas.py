"""A figure that is blitted: its fixed part is kept as pixels, so an update takes milliseconds.

Its panels hold artists that are updated in place: two lines, a heat map, rows of two dots, two
predictions. Of each pair the state before is grey and open, the state now dark and filled.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..plots import panels
from ..plots.content import Rows
from ..plots.style import STYLE, colour_of, ink, limit_of, name_panel, tidy
from ..plots.time_axis import stretches
from ..wording import NO_BREAK, decimals, fixed

# Pixels per inch.
DPI = 100


class Canvas:
    """Draw a figure once, and the moving artists on top of its pixels at each update.

    Made without pyplot, so that no cell's figures are touched.

    Parameters
    ----------
    width, height : float
        Inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure((width, height), dpi=DPI, layout="constrained")
        self._canvas = FigureCanvasAgg(self.figure)
        self._moving: list[Artist] = []
        self._background: Any = None
        self._limits: dict[str, tuple[float, float]] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._canvas.get_width_height()

    def moving(self, artist: Any) -> Any:
        """Let an artist be drawn at each update, in the order of these calls; return it."""
        self._moving.append(artist)
        return artist

    def fix_layout(self) -> None:
        """Lay the panels out once: one that jumps under the reader's eyes is hard to read."""
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    def forget(self) -> None:
        """Draw everything at the next update: something other than a moving artist has changed."""
        self._background = None

    def widened(self, key: str, numbers: np.ndarray, room: float = 0.0) -> tuple[float, float]:
        """Return limits of an axis that hold these numbers and all earlier ones.

        Parameters
        ----------
        key : str
            Name of the axis.
        numbers : array
            NaN is left out.
        room : float
            Share of the span that is left free at both ends, other than at 0.
        """
        known = numbers[np.isfinite(numbers)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        old = self._limits.get(key)
        if old is not None and old[0] <= low and high <= old[1]:
            return old
        pad = room * (high - low)
        low, high = low - pad * (low != 0), high + pad * (high != 0)
        if old is not None:  # by more than is needed, so that not every change widens them
            more = 0.2 * (max(high, old[1]) - min(low, old[0]))
            low = low - more if low < old[0] else old[0]
            high = high + more if high > old[1] else old[1]
        self._limits[key] = (low, high)
        self.forget()
        return low, high

    def png(self, level: int = 1) -> bytes:
        """Return the picture as PNG, compressed quickly (level 1) or well (9)."""
        if self._background is None:
            shown = [artist.get_visible() for artist in self._moving]
            for artist in self._moving:
                artist.set_visible(False)
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            for artist, visible in zip(self._moving, shown, strict=True):
                artist.set_visible(visible)
        self._canvas.restore_region(self._background)
        for artist in self._moving:
            artist.draw(self._canvas.get_renderer())
        return png_of(np.asarray(self._canvas.buffer_rgba()), level)


def png_of(pixels: np.ndarray, level: int = 1) -> bytes:
    """Return pixels (row, column, 4) as PNG without transparency.

    Each row is written as its difference to the one above it: most are then zeros, and compressed
    in half the time. Pillow takes longer, because it tries several filters for each row.
    """
    height, width = pixels.shape[:2]
    colours = pixels[..., :3].reshape(height, -1)
    rows = np.full((height, 1 + 3 * width), 2, np.uint8)  # the first byte: filtered by "up"
    rows[0, 1:] = colours[0]
    np.subtract(colours[1:], colours[:-1], out=rows[1:, 1:])
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, level)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


_BEFORE: dict[str, Any] = {"color": STYLE.attention, "markeredgewidth": 1.4, "fillstyle": "none"}
_NOW: dict[str, Any] = {"color": STYLE.importance}
# With more steps than this, the markers of neighbouring steps would touch.
_MOST_MARKERS = 80


class Lines:
    """One number per step, before and now, and a shade over the changed steps.

    Parameters
    ----------
    with_gaps : bool
        Whether the line before has markers too, so that single measurements between gaps show.
    from_zero : bool
        Whether the axis always includes 0.
    """

    def __init__(
        self, canvas: Canvas, ax: Axes, steps: int, name: str, with_gaps: bool, from_zero: bool
    ) -> None:
        self._canvas, self._ax, self._from_zero = canvas, ax, from_zero
        shade = PolyCollection([], facecolor=STYLE.mark, edgecolor="none", zorder=0.5)
        ax.add_collection(shade, autolim=False)
        self._shade = canvas.moving(shade)
        marker = "o" if steps <= _MOST_MARKERS else ""
        looks: tuple[dict[str, Any], ...] = (
            {**_BEFORE, "linewidth": 2.6, "marker": marker if with_gaps else "", "markersize": 5.5},
            {**_NOW, "linewidth": 1.3, "marker": marker, "markersize": 2.8},
        )
        self._lines, self._bridges = [], []
        dashes: Any = {"alpha": 0.5, "linewidth": 0.9, "linestyle": (0, (3, 2))}
        for look in looks:
            [bridge] = ax.plot([], [], color=look["color"], **dashes)
            [line] = ax.plot(np.arange(steps), np.full(steps, np.nan), **look)
            self._bridges.append(canvas.moving(bridge))
            self._lines.append(canvas.moving(line))
        ax.set_xlim(-0.5, steps - 0.5)
        ax.yaxis.set_major_locator(MaxNLocator(3))
        panels.share_time_axis(ax)
        name_panel(ax, name)

    def show(self, pair: np.ndarray, moved: np.ndarray) -> None:
        """Show numbers (2, step), NaN for gaps; `moved` are the steps to shade."""
        numbers = np.append(pair, 0.0) if self._from_zero else pair.ravel()
        bottom, top = self._canvas.widened(str(self._ax.get_label()), numbers, room=0.08)
        self._ax.set_ylim(bottom, top)
        self._shade.set_verts(
            [
                [(a - 0.5, bottom), (b - 0.5, bottom), (b - 0.5, top), (a - 0.5, top)]
                for a, b in stretches(moved)
            ]
        )
        for line, bridge, values in zip(self._lines, self._bridges, pair, strict=True):
            known = np.flatnonzero(~np.isnan(values))
            line.set_ydata(values)
            bridge.set_data(known, values[known])
            bridge.set_visible(len(known) < len(values))


class Map:
    """A heat map of rows by steps, with dots where something was measured."""

    def __init__(self, canvas: Canvas, ax: Axes, names: list[str], steps: int, title: str) -> None:
        rows = Rows(names, np.zeros((len(names), steps)), [])
        mesh = panels.draw_cells(ax, np.arange(steps + 1) - 0.5, rows, 1.0)
        self.mesh = canvas.moving(mesh)
        self._dots = canvas.moving(ax.scatter([], [], s=4.0, linewidths=0, color=STYLE.dot))
        ax.set_title(title, loc="left", fontsize=STYLE.small, fontweight="bold", pad=2)

    def show(self, values: np.ndarray, measured: np.ndarray, limit: float) -> None:
        """Show values (row, step), the strongest colours at plus and minus `limit`."""
        self.mesh.set_array(np.ma.masked_invalid(values))
        self.mesh.set_clim(-limit, limit)
        row, step = np.nonzero(measured)
        self._dots.set_offsets(np.column_stack([step, row]))
        # White on dark cells, dark on light ones.
        dark = np.abs(values[row, step]) > 0.6 * limit
        self._dots.set_facecolor(np.where(dark, "#ffffff", STYLE.dot).tolist())


class Dots:
    """Rows of two dots, before and now, with a line between them and the change beside them.

    Parameters
    ----------
    named : bool
        Whether each row has its name, which may change, above its dots.
    differs : bool
        Whether there are changes to write.
    """

    def __init__(
        self, canvas: Canvas, ax: Axes, rows: int, title: str, named: bool, differs: bool
    ) -> None:
        self._canvas, self._ax = canvas, ax
        self._places = np.arange(rows) + (0.15 if named else 0.0)
        between = LineCollection([], linewidths=2.2, zorder=2)
        ax.add_collection(between, autolim=False)
        # Beside the dots only: it would strike the names through.
        reach = 0.2 if named else 0.5
        ends = self._places - reach, self._places + reach
        ax.vlines(np.zeros(rows), *ends, colors=ink(), linewidth=0.8, zorder=1)
        self._between = canvas.moving(between)
        dot: Any = {"marker": "o", "linestyle": "none", "zorder": 3}
        [before] = ax.plot([], [], markersize=6, **dot, **_BEFORE)
        [now] = ax.plot([], [], markersize=5.5, **dot, **_NOW)
        self._pair = [canvas.moving(before), canvas.moving(now)]
        beside: Any = {"transform": ax.get_yaxis_transform(), "fontsize": STYLE.small}
        beside |= {"va": "center_baseline"}
        self._changes = [
            canvas.moving(ax.text(1.0, place, "", ha="right", **beside)) for place in self._places
        ]
        self._names = [
            canvas.moving(ax.text(0.0, row - 0.28, "", **beside)) for row in range(rows * named)
        ]
        ax.set_ylim(*((max(rows, 2) - 0.4, -0.7) if named else (rows - 0.5, -0.5)))
        ax.tick_params(axis="y", left=False, labelleft=False)
        ax.set_title(title, loc="left", fontsize=STYLE.small, fontweight="bold", pad=2)
        if differs:
            ax.set_title("change", loc="right", fontsize=STYLE.small, fontstyle="italic", pad=2)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        tidy(ax, keep=("bottom",), grid="x")

    def show(self, pair: np.ndarray, names: Sequence[str] = ()) -> None:
        """Show numbers (2, row), and the rows' names where they have one here."""
        low, high = self._canvas.widened(str(self._ax.get_label()), np.append(pair, 0.0), room=0.08)
        self._ax.set_xlim(low, high + 0.3 * (high - low))
        change = pair[1] - pair[0]
        for dots, numbers in zip(self._pair, pair, strict=True):
            dots.set_data(numbers, self._places)
        ends = zip(*pair, self._places, strict=True)
        self._between.set_segments([[(a, y), (b, y)] for a, b, y in ends])
        self._between.set_color(colour_of(change))
        places = decimals(limit_of(pair))
        for text, size, colour in zip(self._changes, change, colour_of(change), strict=True):
            text.set_text(fixed(float(size), places, sign=True) if round(size, places) else "")
            text.set_color(colour)
        for text, name in zip(self._names, names, strict=True):
            text.set_text(name)


class Predictions:
    """Two predictions on one scale, each with its number."""

    def __init__(self, canvas: Canvas, ax: Axes, title: str, probability: bool) -> None:
        self._canvas, self._ax, self._probability = canvas, ax, probability
        self._points = [
            canvas.moving(ax.plot([], [], "o", markersize=8, **look)[0]) for look in (_BEFORE, _NOW)
        ]
        self._texts = [
            canvas.moving(
                ax.text(0, row - 0.42, "", fontsize=STYLE.small, ha="center", va="center")
            )
            for row in (0, 1)
        ]
        ax.set_yticks([])
        ax.set_ylim(1.4, -0.85)
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        tidy(ax, keep=("bottom",), grid="x")
        if probability:
            ax.set_xlim(-0.02, 1.02)
            ax.xaxis.set_major_formatter(PercentFormatter(1, 0, symbol=f"{NO_BREAK}%"))
        ax.set_title(title, loc="left", fontsize=STYLE.small, fontweight="bold", pad=3)

    def show(self, pair: np.ndarray, texts: Sequence[str]) -> None:
        """Show two numbers, each with a text; NaN is not drawn."""
        if not self._probability:
            low, high = self._canvas.widened(str(self._ax.get_label()), pair, room=0.3)
            self._ax.set_xlim(low, high)
        left, right = self._ax.get_xlim()
        for row, value in enumerate(pair):
            point, text = self._points[row], self._texts[row]
            point.set_data([value], [row])
            text.set_text(texts[row])
            # Above its point, but never beyond the panel.
            room = 0.4 * (right - left)
            text.set_x(float(np.clip(value, left + room, right - room)))
