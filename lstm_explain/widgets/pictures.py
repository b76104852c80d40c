"""The pictures of the widgets: data and SHAP values, a text inside a layer, and all samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..plots import panels
from ..plots.style import SIGNED, SIZES, STYLE, ink, limit_of, name_panel, tidy
from ..plots.time_axis import draw_to_scale
from ..plots.words import visible
from ..wording import MINUS, NO_BREAK, label_of, number, plain, with_unit, wrapped
from .canvas import DPI, Canvas, Dots, Lines, Map, Predictions
from .memory import Memory
from .samples import Samples
from .touch import Box, panels_of
from .view import View, heading

# What the second map shows, and what has the same colours.
LOWER = ("change", "before")
COLOURS = ("of all samples", "of this sample")
# Panels over time: lines, and maps with one row per variable.
_LINED, MAPS = ("data", "attention"), ("now", "lower")
# Pixels, and inches: the two lines, a row of a map, a fact with its name, the two lines of text at
# the top, the first of these alone, the labels of a row of panels.
_LINES, _ROW, _FACT = (0.85, 0.55), 0.18, 0.38
PICTURE_WIDTH = 740
_TOP, _HEADING, _LABELS = 0.55, 0.26, 0.4


class Picture(Canvas):
    """The figure of one sample, updated in place.

    Its second map is there when something was changed.

    Parameters
    ----------
    view : View
    lower : {"change", "before"}
        What the second map shows.
    headed : bool
        Whether a title states the prediction before and now. Widgets write it as text.
    least : float
        The strongest colours are at no smaller SHAP value than this one.

    Attributes
    ----------
    panels : list of Panel
        Where steps and variables lie.
    """

    def __init__(
        self, view: View, lower: str = "change", headed: bool = True, least: float = 0.0
    ) -> None:
        rows, facts = _ROW * max(len(view.names), 5), _FACT * len(view.facts)
        # The facts stand beside the second map, or below the first one, beside the colours.
        more = [max(rows * view.differs, facts)] if view.differs or facts else []
        heights = [*_LINES, rows, *more]
        top = _TOP if headed else _TOP - _HEADING
        height = sum(heights) + _LABELS * len(heights) + top
        super().__init__(PICTURE_WIDTH / DPI, height)
        self.view, self._lower, self._least = view, lower, least
        layout: Any = self.figure.get_layout_engine()
        layout.set(hspace=0.02, wspace=0.03, w_pad=0.05, rect=(0, 0, 1, 1 - top / height))
        grid = self.figure.add_gridspec(
            len(heights), 2, height_ratios=heights, width_ratios=(1, 0.42)
        )
        places: dict[str, Any] = {"data": grid[0, 0], "attention": grid[1, 0], "now": grid[2, 0]}
        places |= {"lower": grid[3, 0]} if view.differs else {}
        places |= {"prediction": grid[0, 1], "sums": grid[2, 1]}
        places |= {"colours": grid[3, 0] if facts and not view.differs else grid[1, 1]}
        places |= {"facts": grid[3, 1]} if facts else {}
        ax = {name: self.figure.add_subplot(at, label=name) for name, at in places.items()}
        line: dict[str, Any] = {"ha": "left", "va": "top", "in_layout": False}
        self._title = self.figure.text(
            0.01, 1 - 0.1 / height, "", fontsize=STYLE.title, fontweight="bold", **line
        )
        self._title.set_visible(headed)
        self.moving(self._title)
        self.figure.text(
            0.01, 1 - (top - _TOP + 0.36) / height, wrapped(view.subject, 105).split("\n")[0],
            fontsize=STYLE.small, color=ink(), alpha=0.75, **line,
        )  # fmt: skip
        steps, gaps = len(view.times), bool(np.isnan(view.data).any())
        weights = "attention" if view.attention is not None else "SHAP value\nper step"
        name = with_unit(view.variable, view.unit)
        self._data = Lines(self, ax["data"], steps, name, gaps, from_zero=False)
        self._weights = Lines(self, ax["attention"], steps, weights, False, from_zero=True)
        self._maps = [Map(self, ax["now"], view.names, steps, "SHAP values now")]
        if view.differs:
            before = f"SHAP values {view.label}"
            second = before if lower == "before" else f"change: now {MINUS} before"
            self._maps.append(Map(self, ax["lower"], view.names, steps, second))
            ax["now"].tick_params(axis="x", bottom=False, labelbottom=False)
        panels.label_times(self._maps[-1].mesh.axes, view.times, view.time_name)
        for panel in ("data", "attention", "now"):
            draw_to_scale(ax[panel], view.times)
        what = f"probability of {view.output}" if view.probability else view.explained
        self._predictions = Predictions(self, ax["prediction"], wrapped(what, 22), view.probability)
        self._sums = Dots(self, ax["sums"], len(view.names), "sum", False, view.differs)
        self._facts = None
        if view.facts:
            self._facts = Dots(self, ax["facts"], len(view.facts), "facts", True, view.differs)
        beside = view.differs or not facts
        self._open_colours(ax["colours"], _LINES[1] if beside else facts, 30 if beside else 60)
        self.update(view)
        self.fix_layout()
        shown = dict.fromkeys(_LINED, 0) | {name: len(view.names) for name in MAPS if name in ax}
        self.panels = panels_of(self.figure, steps, shown)

    def _open_colours(self, corner: Any, height: float, letters: int) -> None:
        """Draw the colour bar in a free corner, so many inches high, of so many letters' width."""
        corner.set_axis_off()
        ax = corner.inset_axes((0.27, 1 - 0.2 / height, 0.46, 0.1 / height))
        self._colours = self.figure.colorbar(self._maps[0].mesh, cax=ax, orientation="horizontal")
        ax.tick_params(labelsize=STYLE.small, length=2, pad=1)
        name = wrapped(f"SHAP value ({self.view.explained})", letters)
        ax.set_xlabel(name, fontsize=STYLE.small, labelpad=1)
        look: dict[str, Any] = {"transform": ax.transAxes, "fontsize": STYLE.small, "va": "center"}
        ax.text(-0.05, 0.5, "lowers", ha="right", **look)
        ax.text(1.05, 0.5, "raises", ha="left", **look)

    def fits(self, view: View, lower: str, least: float = 0.0) -> bool:
        """Tell whether a view can be shown by updating this picture."""

        def layout(view: View) -> tuple[Any, ...]:
            pair = view.variable, view.differs
            return view.names, view.label, view.subject, len(view.facts), *pair

        return (
            (lower, least) == (self._lower, self._least)
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
        _, limit = self.widened("colours", np.array([0.0, max(largest, self._least)]))
        self._maps[0].show(view.values[1], view.measured[1], limit)
        for shown in self._maps[1:]:
            shown.show(second, view.measured[0 if before else 1], limit)
        panels.label_ends(self._colours, -limit, limit)
        self._sums.show(np.nansum(view.values, axis=2))
        if self._facts is not None:
            self._facts.show(view.fact_values, view.facts)
        if view.differs:
            texts = [f"{view.text(row)} {name}" for row, name in enumerate((view.label, "now"))]
            self._predictions.show(view.shown, texts)
        else:
            self._predictions.show(np.array([np.nan, view.shown[1]]), ["", view.text(1)])


# Inches: the figure, the answer, the least height of a map, one of its rows, all labels together.
_MEMORY_WIDTH = 9.6
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
        super().__init__(_MEMORY_WIDTH, _ANSWER + 3 * height + _MEMORY_LABELS)
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


# Inches; the share of the picture within which a point is meant, and half the size of its frame.
_SAMPLES_HEIGHT, _NEAR, _FRAME = 2.9, 0.03, 0.011
# Colours of few kinds, apart in lightness too.
_KINDS = ("#54408c", "#e39b00", "#2a9d8f", "#c13f2a", "#7fb2d9", "#222222")


class SamplesPicture(Canvas):
    """A point for each sample, predicted against true, and the threshold between two classes.

    Classes are spread over rows, at random but the same in every picture.

    Parameters
    ----------
    samples : Samples
    name : str
        What the colours stand for.
    values : array (sample,)
        NaN is grey.
    labels : mapping
        What codes stand for; empty for numbers.
    """

    def __init__(
        self, samples: Samples, name: str, values: np.ndarray, labels: Mapping[float, str]
    ) -> None:
        super().__init__(PICTURE_WIDTH / DPI, _SAMPLES_HEIGHT)
        self.name, self._values, self._labels = name, values, labels
        ax = self.figure.add_subplot()
        count, truth = len(samples.shown), samples.truth
        rows = np.random.default_rng(0).uniform(-0.36, 0.36, count)
        if samples.is_probability or truth is None:
            rows += 0 if truth is None else truth
            names = [] if truth is None else [plain(one, 20) for one in samples.classes]
            ax.set_yticks(np.arange(len(names)), names)
            ax.set_ylim(max(len(names), 1) - 0.5, -0.5)
            name_panel(ax, "true class" if names else "")
        else:
            rows = truth
            ends = np.nanmin([*truth, *samples.shown]), np.nanmax([*truth, *samples.shown])
            ax.plot(ends, ends, color=ink(), linewidth=0.9, linestyle=(0, (4, 3)))
            name_panel(ax, "true value")
        self._draw_points(ax, samples.shown, rows)
        tidy(ax, grid="x")
        what = f"predicted {plain(samples.output, 50)}"
        if samples.is_probability:
            ax.set_xlim(-0.02, 1.02)
            ax.xaxis.set_major_formatter(PercentFormatter(1, 0, symbol=f"{NO_BREAK}%"))
            what = f"probability of {plain(samples.output, 50)}"
        ax.set_xlabel(what, fontsize=STYLE.small)
        look: dict[str, Any] = {"color": STYLE.outside, "linewidth": 1.4}
        self._line = self.moving(ax.axvline(0.5, **look))
        self._line.set_visible(samples.probabilities.shape[1] == 2)
        self.fix_layout()
        at = ax.transData.transform(np.column_stack([samples.shown, rows])) / self.figure.bbox.size
        self.places = np.column_stack([at[:, 0], 1 - at[:, 1]])

    def _draw_points(self, ax: Axes, shown: np.ndarray, rows: np.ndarray) -> None:
        look: dict[str, Any] = {"s": 26, "linewidths": 0.5, "edgecolors": "#00000080"}
        legend: dict[str, Any] = {"loc": "outside right upper", "frameon": False}
        if not self._labels or len(self._labels) > len(_KINDS):
            points = ax.scatter(shown, rows, c=self._values, cmap=SIZES, plotnonfinite=True, **look)
            bar = self.figure.colorbar(points, ax=ax, fraction=0.03, pad=0.01, aspect=30)
            bar.ax.tick_params(labelsize=STYLE.small)
            bar.ax.yaxis.set_major_locator(MaxNLocator(4))
            bar.ax.set_title(wrapped(plain(self.name), 18), fontsize=STYLE.small, loc="right")
            return
        for (code, text), colour in zip(self._labels.items(), _KINDS, strict=False):
            of = np.isclose(self._values, code, rtol=1e-5)
            ax.scatter(shown[of], rows[of], color=colour, label=plain(text, 20), **look)
        self.figure.legend(title=wrapped(plain(self.name), 18), fontsize=STYLE.small,
            title_fontsize=STYLE.small, **legend)  # fmt: skip

    def at(self, threshold: float) -> bytes:
        """Return the picture with the threshold there, as PNG."""
        self._line.set_xdata([threshold, threshold])
        return self.png()

    def nearest(self, x: float, y: float) -> int | None:
        """Return the sample whose point is nearest to a place, None if none is near."""
        moves = (self.places - (x, y)) * self.figure.bbox.size
        distances = np.nan_to_num(np.hypot(*moves.T), nan=np.inf)
        nearest = int(distances.argmin())
        return nearest if distances[nearest] <= _NEAR * self.figure.bbox.width else None

    def box(self, sample: int) -> Box:
        """Return the frame around the point of a sample."""
        (x, y), (width, height) = self.places[sample], self.figure.bbox.size
        tall = float(_FRAME * width / height)
        return float(x - _FRAME), float(y - tall), 2 * _FRAME, 2 * tall

    def colour_text(self, sample: int) -> str:
        """Return what the colour of a sample stands for."""
        value = float(self._values[sample])
        return label_of(value, self._labels) or number(value, 3)
