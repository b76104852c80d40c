"""The picture of a text inside a recurrent layer, updated in place while somebody types."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..plots.panels import share_time_axis
from ..plots.style import SIGNED, STYLE, ink, limit_of, name_panel
from ..plots.words import visible
from ..wording import MINUS, NO_BREAK, plain
from .canvas import Canvas
from .memory import Memory
from .moving import Map

_WIDTH, _DPI = 9.6, 100
# Inches: the answer, a map of at least so much, its rows, the labels of all.
_ANSWER, _MAP, _ROW, _LABELS = 0.9, 0.8, 0.16, 1.3


_MOST_NAMED = 16
# More letters than this side by side would touch: then words are written upright.
_WIDE = 90


_MAPS = ("written", "forgotten", "remembered")
# Which maps share a scale, by the one beside which it stands.
_SCALES = {"written": ("written", "forgotten"), "remembered": ("remembered",)}
# Words to come are no padding: they have no colour.
_COLOURS = SIGNED.with_extremes(bad="none")


class MemoryPicture(Canvas):
    """Answers by word above maps of what is written, forgotten and remembered.

    Parameters
    ----------
    memory : Memory
        The first one shown; others have the same units.
    columns : int
        Words that there is room for.
    """

    def __init__(self, memory: Memory, columns: int) -> None:
        units = len(memory.written)
        height = max(_MAP, _ROW * units)
        super().__init__(_WIDTH, _ANSWER + 3 * height + _LABELS, _DPI)
        self._columns = columns
        grid = self.figure.add_gridspec(4, 1, height_ratios=[_ANSWER, height, height, height])
        top = self.figure.add_subplot(grid[0], label="answer")
        style: Any = {"color": STYLE.importance, "marker": "o", "markersize": 3, "linewidth": 1.4}
        [line] = top.plot([], [], **style)
        self._answers = self.moving(line)
        top.set_xlim(-0.5, columns - 0.5)
        self._top, self._is_probability = top, memory.is_probability
        share_time_axis(top)
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
        self._colours = {part: self._scale_of(part) for part in _SCALES}
        lowest = self._maps["remembered"].mesh.axes
        lowest.set_xlabel("red: above 0, blue: below 0", fontsize=STYLE.small)
        self._upright = max(map(len, memory.words)) * columns > _WIDE
        lowest.xaxis.labelpad = 60 if self._upright else 16
        place: dict[str, Any] = {"transform": lowest.get_xaxis_transform(), "in_layout": False}
        place |= {"fontsize": STYLE.small, "color": ink(), "ha": "center"}
        place |= {"va": "top", "rotation": 90} if self._upright else {"va": "baseline"}
        down = (0.05 if self._upright else 0.17) / height
        self._words = [
            self.moving(lowest.text(column, -down, "", **place)) for column in range(columns)
        ]
        self.update(memory)
        self.figure.draw_without_rendering()
        # From here on nothing moves: a panel that jumps under the reader's eyes is hard to read.
        self.figure.set_layout_engine("none")

    def _scale_of(self, part: str) -> Any:
        mesh = self._maps[part].mesh
        beside = mesh.axes.inset_axes((1.012, 0, 0.012, 1), label=f"colours of {part}")
        bar = self.figure.colorbar(mesh, cax=beside)
        beside.tick_params(labelsize=STYLE.small, length=2)
        return bar

    def update(self, memory: Memory) -> None:
        """Show another text, or more or less of it."""
        count = len(memory.words)
        self._answers.set_data(np.arange(count), memory.answers)
        if not self._is_probability:
            self._top.set_ylim(*self.widened("answer", memory.answers, room=0.1))
        shown = {part: getattr(memory, part) for part in _MAPS}
        for part, together in _SCALES.items():
            largest = max(limit_of(shown[name]) for name in together)
            limit = self.widened(part, np.array([0.0, largest]))[1]
            for name in together:
                cells = np.full((len(shown[name]), self._columns), np.nan)
                cells[:, :count] = shown[name]
                self._maps[name].show(cells, np.zeros(cells.shape, bool), limit)
            ticks = [-limit, 0.0, limit]
            if self._colours[part].get_ticks().tolist() != ticks:
                labels = [f"{tick:.2g}".replace("-", MINUS) for tick in ticks]
                self._colours[part].set_ticks(ticks, labels=labels)
        words = [plain(visible(word, 12)) for word in memory.words]
        for column, text in enumerate(self._words):
            text.set_text(words[column] if column < count else "")
