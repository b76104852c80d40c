"""Panels with a time axis: cells, bars per step, lines, and the labels below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from ..attribution.explanation import Explanation
from ..wording import MINUS
from . import content
from .content import Rows
from .style import SIGNED, SIZES, STYLE, colour_of, ink, limit_of, name_panel, name_rows, tidy
from .time_axis import span_of, step_ticks

_ATTENTION = "attention\n(where it looked)\ndashed: even share"


def draw_cells(
    ax: Axes, edges: np.ndarray, rows: Rows, limit: float, *, sizes: bool = False
) -> QuadMesh:
    """Draw rows of cells, the first on top; NaN cells are grey.

    Parameters
    ----------
    edges : array (column + 1,)
    limit : float
        The value of the strongest colour.
    sizes : bool
        Numbers without a sign, from white at 0; else white is 0 between blue and red.
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
    ax.hlines(np.arange(1, count) - 0.5, edges[0], edges[-1], colors=STYLE.faint, linewidths=0.6)
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
    gap = 0.86 if len(heights) <= 120 else 1.0
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
    weights, edges = _per_step(explanation, "attention")
    draw_step_bars(ax, edges, weights, _ATTENTION, colour=STYLE.attention)
    real = explanation.mask.values[0].sum()
    ax.axhline(1 / real, color=ink(), linewidth=0.9, linestyle=(0, (4, 3)))


def draw_contribution(ax: Axes, explanation: Explanation) -> None:
    """Draw the signed attention contribution of each step of one sample."""
    values, edges = _per_step(explanation, "attention_contribution")
    draw_step_bars(ax, edges, values, "signed attention\ncontribution", num_ticks=3)


def name_sides(ax: Axes) -> None:
    """Write into a panel of signed bars which way is which, with arrows."""
    up = ax.text(0.008, 0.99, r"$\uparrow$ raises the prediction", va="top", color=STYLE.raises)
    down = ax.text(0.008, 0.01, r"$\downarrow$ lowers it", va="bottom", color=STYLE.lowers)
    for text in (up, down):
        text.set(transform=ax.transAxes, fontsize=STYLE.small)


def draw_losses(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the losses of each epoch, counted from 1, and mark the best one."""
    epochs, losses = np.arange(1, len(table) + 1), {"training": table["loss"].to_numpy(float)}
    title = f"training loss over {len(table)} epoch{'s' * (len(table) != 1)}"
    if "validation_loss" in table and table["validation_loss"].notna().any():
        validation = losses["validation"] = table["validation_loss"].to_numpy(float)
        best = int(np.nanargmin(validation))
        title = f"best epoch: {best + 1} of {len(table)}, validation loss {validation[best]:.3f}"
        ax.axvline(epochs[best], color=STYLE.padding, linewidth=1.2, zorder=0)
        ax.plot(epochs[best], validation[best], "o", color=STYLE.importance, markersize=8)
    for (name, curve), colour in zip(losses.items(), (ink(), STYLE.importance), strict=False):
        marker = "." if len(curve) <= 30 else ""
        ax.plot(epochs, curve, color=colour, linewidth=1.6, marker=marker, label=name)
    ax.legend(frameon=False, fontsize=STYLE.text)
    ax.set_title(title, loc="left", fontsize=STYLE.title, fontweight="bold")
    ax.set_xlabel("epoch", fontsize=STYLE.text)
    ax.set_ylabel("loss", fontsize=STYLE.text)
    ax.set_xlim(0.5, len(table) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    tidy(ax, grid="y")


def label_time(ax: Axes, explanation: Explanation) -> None:
    """Label the real steps of one sample by their dates or numbers."""
    label_times(ax, *content.times_of(explanation))


def label_times(ax: Axes, times: np.ndarray, name: str) -> None:
    """Label steps by their dates or numbers."""
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


def _per_step(explanation: Explanation, which: str) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of one sample's real steps, and the edges of these."""
    numbers = getattr(explanation, which).values[0, content.real_steps(explanation)]
    return numbers, np.arange(len(numbers) + 1) - 0.5
