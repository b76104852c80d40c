"""The pictures of the two widgets: data and SHAP values, and a text inside a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..plots import panels
from ..plots.style import SIGNED, STYLE, ink, limit_of, name_panel
from ..plots.words import visible
from ..wording import MINUS, NO_BREAK, plain, wrapped
from .canvas import Canvas, Dots, Lines, Map, Predictions
from .memory import Memory
from .view import View, heading

LOWER = ("change", "before")
# Inches: a row of a map, a fact with its name, the two lines of text at the top, the first of these
# alone, all labels together.
_ROW, _FACT, _TOP, _HEADING, _LABELS = 0.24, 0.38, 0.55, 0.26, 1.5


class Picture(Canvas):
    """The figure of one sample, updated in place.

    Parameters
    ----------
    view : View
    lower : {"change", "before"}
        What the second map shows.
    headed : bool
        Whether a title states the prediction before and now. Widgets write it as text.
    """

    def __init__(self, view: View, lower: str = "change", headed: bool = True) -> None:
        rows = _ROW * max(len(view.names), 4)
        heights = [1.0, 0.75, rows, max(rows, _FACT * len(view.facts))]
        top = _TOP if headed else _TOP - _HEADING
        height = sum(heights) + _LABELS - _TOP + top
        super().__init__(height)
        self.view, self._lower = view, lower
        layout: Any = self.figure.get_layout_engine()
        layout.set(hspace=0.02, wspace=0.03, w_pad=0.07, rect=(0, 0, 1, 1 - top / height))
        grid = self.figure.add_gridspec(4, 2, height_ratios=heights, width_ratios=(1, 0.42))
        left = ("data", "attention", "now", "lower")
        right = ("prediction", "colours", "sums", "facts")
        ax = {
            name: self.figure.add_subplot(grid[row, column], label=name)
            for column, names in enumerate((left, right))
            for row, name in enumerate(names)
        }
        line: dict[str, Any] = {"ha": "left", "va": "top", "in_layout": False}
        self._title = self.figure.text(
            0.01, 1 - 0.1 / height, "", fontsize=STYLE.title, fontweight="bold", **line
        )
        self._title.set_visible(headed)
        self.moving(self._title)
        self.figure.text(
            0.01, 1 - (top - _TOP + 0.36) / height, wrapped(view.subject, 125).split("\n")[0],
            fontsize=STYLE.small, color=ink(), alpha=0.75, **line,
        )  # fmt: skip
        steps, gaps = len(view.times), bool(np.isnan(view.data).any())
        weights = (
            "attention\n(where it looked)" if view.attention is not None else "SHAP value\nper step"
        )
        self._data = Lines(self, ax["data"], steps, view.variable, gaps, from_zero=False)
        self._weights = Lines(self, ax["attention"], steps, weights, False, from_zero=True)
        second = f"SHAP values {view.label}" if lower == "before" else f"change: now {MINUS} before"
        self._maps = [
            Map(self, ax["now"], view.names, steps, "SHAP values now"),
            Map(self, ax["lower"], view.names, steps, second),
        ]
        ax["now"].tick_params(axis="x", bottom=False, labelbottom=False)
        panels.label_times(ax["lower"], view.times, view.time_name)
        what = f"probability of {view.output}" if view.probability else view.explained
        self._predictions = Predictions(self, ax["prediction"], wrapped(what, 34), view.probability)
        self._sums = Dots(self, ax["sums"], len(view.names), "sum over time", named=False)
        self._facts = None
        if view.facts:
            self._facts = Dots(self, ax["facts"], len(view.facts), "static facts", named=True)
        else:
            ax["facts"].set_axis_off()
        self._open_colours(ax["colours"])
        self.update(view)
        self.fix_layout()

    def _open_colours(self, corner: Any) -> None:
        """Draw the colour bar of the maps in a free corner."""
        corner.set_axis_off()
        ax = corner.inset_axes((0.02, 0.45, 0.96, 0.2))
        self._colours = self.figure.colorbar(self._maps[0].mesh, cax=ax, orientation="horizontal")
        ax.tick_params(labelsize=STYLE.small)
        ax.set_xlabel(wrapped(f"SHAP value ({self.view.explained})", 38), fontsize=STYLE.small)
        for x, text, side in ((0, "lowers", "left"), (1, "raises", "right")):
            ax.text(x, 1.2, text, transform=ax.transAxes, fontsize=STYLE.small, ha=side)

    def fits(self, view: View, lower: str) -> bool:
        """Tell whether a view can be shown by updating this picture."""

        def layout(view: View) -> tuple[Any, ...]:
            return view.names, view.label, view.subject, view.variable, len(view.facts)

        return (
            lower == self._lower
            and layout(self.view) == layout(view)
            and np.array_equal(self.view.times, view.times)
        )

    def update(self, view: View) -> None:
        """Show another view of the same sample."""
        self.view = view
        self._title.set_text(heading(view))
        weights = np.nansum(view.values, axis=1) if view.attention is None else view.attention
        self._data.show(view.data, view.moved_variable)
        self._weights.show(weights, view.moved)
        before = self._lower == "before"
        second = view.values[0] if before else view.change
        largest = limit_of(np.append(view.values, second))
        _, limit = self.widened("colours", np.array([0.0, largest]))
        self._maps[0].show(view.values[1], view.measured[1], limit)
        self._maps[1].show(second, view.measured[0 if before else 1], limit)
        panels.label_ends(self._colours, -limit, limit)
        self._sums.show(np.nansum(view.values, axis=2))
        if self._facts is not None:
            self._facts.show(view.fact_values, view.facts)
        texts = [f"{view.text(row)} {name}" for row, name in enumerate((view.label, "now"))]
        self._predictions.show(view.shown, texts)


# Inches: the answer, the least height of a map, one of its rows, all labels together.
_ANSWER, _MAP, _MEMORY_ROW, _MEMORY_LABELS = 0.9, 0.8, 0.16, 1.3
_MOST_NAMED = 16
# With more letters than this in a row, words would touch: they are written upright.
_MOST_LETTERS = 90
_MAPS = ("written", "forgotten", "remembered")
# Which maps share a colour bar, by the map that it stands beside.
_SCALES = {"written": ("written", "forgotten"), "remembered": ("remembered",)}
# Columns of words to come have no colour; by default they would look like padding.
_COLOURS = SIGNED.with_extremes(bad="none")


class MemoryPicture(Canvas):
    """Answers by word above heat maps of what is written, forgotten and remembered.

    Parameters
    ----------
    memory : Memory
        Of the first text; later ones must have the same units.
    columns : int
        The most words that are shown.
    """

    def __init__(self, memory: Memory, columns: int) -> None:
        units = len(memory.written)
        height = max(_MAP, _MEMORY_ROW * units)
        super().__init__(_ANSWER + 3 * height + _MEMORY_LABELS)
        self._columns = columns
        grid = self.figure.add_gridspec(4, 1, height_ratios=[_ANSWER, height, height, height])
        top = self.figure.add_subplot(grid[0], label="answer")
        style: Any = {"color": STYLE.importance, "marker": "o", "markersize": 3, "linewidth": 1.4}
        [line] = top.plot([], [], **style)
        self._answers = self.moving(line)
        top.set_xlim(-0.5, columns - 0.5)
        self._top, self._is_probability = top, memory.is_probability
        panels.share_time_axis(top)
        if memory.is_probability:
            top.set_ylim(-0.06, 1.06)
            top.set_yticks([0, 0.5, 1])
            top.yaxis.set_major_formatter(PercentFormatter(1, 0, symbol=f"{NO_BREAK}%"))
        else:
            top.yaxis.set_major_locator(MaxNLocator(3))
        what = "probability of" if memory.is_probability else "answer:"
        name_panel(top, f"{what}\n{plain(memory.answer_name, 22)}\nif the text ended here")
        self._maps: dict[str, Map] = {}
        names = [str(unit) if units <= _MOST_NAMED else "" for unit in range(units)]
        for row, part in enumerate(_MAPS, start=1):
            ax = self.figure.add_subplot(grid[row], label=part)
            self._maps[part] = Map(self, ax, names, columns, "")
            self._maps[part].mesh.set_cmap(_COLOURS)
            ax.tick_params(axis="x", bottom=False, labelbottom=False)
            name_panel(ax, f"{part}\n({plain(memory.kind)})" if part == "remembered" else part)
        top.set_title(
            f"{plain(memory.layer)}: {units} unit{'s' * (units != 1)}, word by word",
            loc="left", fontsize=STYLE.title, fontweight="bold",
        )  # fmt: skip
        # What is written and forgotten is small beside what is remembered: it has its own scale.
        self._colours = {
            part: panels.draw_scale_beside(self._maps[part].mesh, f"colours of {part}")
            for part in _SCALES
        }
        lowest = self._maps["remembered"].mesh.axes
        lowest.set_xlabel("red: above 0, blue: below 0", fontsize=STYLE.small)
        self._upright = max(map(len, memory.words)) * columns > _MOST_LETTERS
        lowest.xaxis.labelpad = 60 if self._upright else 16
        place: dict[str, Any] = {"transform": lowest.get_xaxis_transform(), "in_layout": False}
        place |= {"fontsize": STYLE.small, "color": ink(), "ha": "center"}
        place |= {"va": "top", "rotation": 90} if self._upright else {"va": "baseline"}
        down = (0.05 if self._upright else 0.17) / height
        self._words = [
            self.moving(lowest.text(column, -down, "", **place)) for column in range(columns)
        ]
        self.update(memory)
        self.fix_layout()

    def update(self, memory: Memory) -> None:
        """Show another text, or the first words of a text."""
        count = len(memory.words)
        self._answers.set_data(np.arange(count), memory.answers)
        if not self._is_probability:
            self._top.set_ylim(*self.widened("answer", memory.answers, room=0.1))
        shown = {part: getattr(memory, part) for part in _MAPS}
        for part, together in _SCALES.items():
            largest = max(limit_of(shown[name]) for name in together)
            _, limit = self.widened(part, np.array([0.0, largest]))
            for name in together:
                cells = np.full((len(shown[name]), self._columns), np.nan)
                cells[:, :count] = shown[name]
                self._maps[name].show(cells, np.zeros(cells.shape, bool), limit)
            panels.label_ends(self._colours[part], -limit, limit)
        words = [plain(visible(word, 12)) for word in memory.words]
        for column, text in enumerate(self._words):
            text.set_text(words[column] if column < count else "")
