"""Where a picture can be touched: its panels as they were drawn, and what lies at a place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

# Left, top, width and height.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Panel:
    """Where steps and rows lie in a picture, in shares of its width and height from the top left.

    Attributes
    ----------
    name : str
    steps : array (step + 1,)
        The edges between steps.
    rows : array (row + 1,)
        The edges between rows; a panel that is not a map has one row.
    """

    name: str
    steps: np.ndarray
    rows: np.ndarray

    def contains(self, x: float, y: float) -> bool:
        """Return whether a place lies in the panel."""
        return bool(self.steps[0] <= x <= self.steps[-1] and self.rows[0] <= y <= self.rows[-1])

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return the row and the step that are nearest to a place."""
        return _between(self.rows, y), _between(self.steps, x)

    def box(self, row: int, first: int, last: int) -> Box:
        """Return the place of one row, of the only one if there is one, between two steps."""
        row = min(row, len(self.rows) - 2)
        left, right = self.steps[first], self.steps[last + 1]
        top, bottom = self.rows[row], self.rows[row + 1]
        return float(left), float(top), float(right - left), float(bottom - top)


def _between(edges: np.ndarray, place: float) -> int:
    return int(np.clip(np.searchsorted(edges, place) - 1, 0, len(edges) - 2))


def panels_of(figure: Figure, steps: int, rows: dict[str, int]) -> list[Panel]:
    """Return panels of a figure whose layout is done.

    Parameters
    ----------
    figure : Figure
    steps : int
        Drawn from -0.5 on.
    rows : dict of int
        How many rows each panel has, by the label of its axes; 0 where it is not a map.
    """
    axes = {ax.get_label(): ax for ax in figure.axes}
    width, height = figure.bbox.size
    panels = []
    for name, count in rows.items():
        edges = np.arange(steps + 1) - 0.5
        across = axes[name].transData.transform([(edge, 0.0) for edge in edges])[:, 0]
        down = np.array([axes[name].bbox.y1, axes[name].bbox.y0])
        if count:
            edges = np.arange(count + 1) - 0.5
            down = axes[name].transData.transform([(0.0, edge) for edge in edges])[:, 1]
        panels.append(Panel(name, across / width, 1 - down / height))
    return panels


def panel_at(panels: Iterable[Panel], x: float, y: float) -> Panel | None:
    """Return the panel in which a place lies, if it lies in one."""
    return next((panel for panel in panels if panel.contains(x, y)), None)
