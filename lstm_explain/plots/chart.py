"""``plot_chart``: a chart with gaps, as it was recorded, on the colours of its SHAP values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..sequences.data import SequenceData
from ..sequences.scaling import chart_of
from ..wording import number, plain, wrapped
from . import panels, validation
from .gates import plot_gates as plot_gates
from .style import STYLE, ink, name_panel, open_panels, write_heading
from .time_axis import step_ticks, stretches
from .tokens import plot_tokens as plot_tokens


def plot_chart(
    data: SequenceData,
    ranges: pd.DataFrame | None = None,
    names: Sequence[str] | None = None,
    at: int | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw what was recorded of one sample, a row per variable, as a chart at the bedside.

    Dots are measurements, triangles those outside the reference range, which is a pale band; what
    is carried forward to steps without a measurement is dashed. After ``fill_missing()`` without
    indicators nothing tells measured from carried forward, and every value has its dot.

    Parameters
    ----------
    data : SequenceData
        One sample: ``data.test[3]``.
    ranges : DataFrame, optional
        `reference_low` and `reference_high` by the name of the variable, as
        `icu_reference_ranges` returns them.
    names : sequence of str, optional
        Which variables, from top to bottom. By default the 9 that were measured most often.
    at : int, optional
        A step, from 0 on, to mark; the last values are then those up to it.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The top row. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_chart(data.test[3], icu_reference_ranges())    # doctest: +SKIP
    """
    data = validation.need_sample(data, "plot_chart")
    rows = chart_rows(data, validation.need_ranges(ranges), names)
    return draw_chart(data, rows, validation.need_step(at, data), ax)


# Inches, and how many variables fit where nobody says which.
_ROW, _MOST = 0.5, 9


@dataclass(frozen=True)
class ChartRow:
    """One variable of one sample, in original units.

    ``measured`` is NaN where nothing was measured; ``carried`` is what a model reads there, NaN
    where nothing is carried forward. ``low`` and ``high`` are NaN without a range of reference.
    """

    name: str
    unit: str
    measured: np.ndarray
    carried: np.ndarray
    low: float
    high: float

    @property
    def has_range(self) -> bool:
        """Whether there is a lower or an upper end to be outside of."""
        return bool(np.isfinite([self.low, self.high]).any())

    def last(self, until: int) -> float:
        """Return the last value measured up to a step (included), NaN if there is none."""
        known = self.measured[: until + 1]
        known = known[~np.isnan(known)]
        return float(known[-1]) if len(known) else float("nan")

    def sides(self, values: np.ndarray) -> np.ndarray:
        """Return 1 above the range, -1 below it, else 0."""
        # Standardised in float32 and back, a value at the end of the range stays inside.
        slack = 1e-5 * np.maximum(np.abs(values), 1e-3)
        return (values > self.high + slack).astype(int) - (values < self.low - slack)


def chart_rows(
    data: SequenceData, ranges: pd.DataFrame | None, names: Sequence[str] | None
) -> list[ChartRow]:
    """Return the rows of the chart of one sample, the most often measured ones by default."""
    steps = int(data.lengths[0])
    display = data.display_values[0, :steps]
    known = list(dict.fromkeys(data.variables)) or list(data.feature_names)
    chart, filled = display, np.full_like(display, np.nan)
    if data.variables:
        # The parts stand in blocks, all values first.
        columns = [np.flatnonzero(np.array(data.variables) == name) for name in known]
        chart = np.stack([chart_of(display[:, own])[:, 0] for own in columns], axis=1)
        filled = display[:, [own[0] for own in columns]]
        begun = np.maximum.accumulate(~np.isnan(chart), axis=0)
        filled = np.where(begun & np.isnan(chart), filled, np.nan)
    if names is None:
        counts = (~np.isnan(chart)).sum(axis=0)
        most = np.argsort(-counts, kind="stable")[:_MOST]
        chosen = sorted(most[counts[most] > 0].tolist()) or list(range(min(len(known), _MOST)))
    else:
        unknown = [name for name in names if name not in known]
        if unknown or not len(names):
            raise ValueError(
                f"Expected names among {known} in plot_chart; received {list(names)}. Leave names "
                "out to see the ones measured most often."
            )
        chosen = [known.index(name) for name in names]
    rows = []
    for i in chosen:
        low, high = _range_of(known[i], ranges)
        rows.append(ChartRow(known[i], data.units[i], chart[:, i], filled[:, i], low, high))
    return rows


def draw_chart(
    data: SequenceData, rows: Sequence[ChartRow], at: int | None, ax: Axes | None
) -> Axes:
    """Draw the rows below each other on one time axis, and the last values beside them."""
    place = open_panels(ax, [_ROW] * len(rows), (1.0, 0.27))
    steps = int(data.lengths[0])
    times = np.arange(1, steps + 1) if data.times is None else data.times[0][:steps]
    until = steps - 1 if at is None else at
    first = None
    for position, row in enumerate(rows):
        own = place.add(position, 0, label=f"chart {position}", sharex=first)
        first = own if first is None else first
        _draw_row(own, row)
        if at is not None:
            own.axvline(at, color=ink(), linewidth=0.9, linestyle=(0, (1, 1.5)))
        beside = place.add(position, 1, label=f"last {position}")
        _write_last(beside, row, until)
        if position == 0:
            name = "last value" if at is None else f"last value up to {_moment(data, times, at)}"
            beside.set_title(
                wrapped(name, 20), fontsize=STYLE.small, fontstyle="italic", loc="left"
            )
    own.set_xlim(-0.7, steps - 0.3)
    panels.label_times(own, times, plain(data.time_name, 40))
    moment = "" if at is None else f"at {_moment(data, times, at)} "
    # The notes end before the name of the column beside the rows.
    narrow = replace(place, width=0.84 * place.width)
    top = own if first is None else first
    write_heading(top, _title(data, rows, until, moment), _notes(data, rows), narrow)
    place.figure.sca(top)
    return top


def _draw_row(ax: Axes, row: ChartRow) -> None:
    known = np.flatnonzero(~np.isnan(row.measured))
    values = row.measured[known]
    if np.isfinite(row.low) and np.isfinite(row.high):
        # The edge shows a range of a single value: 15 of 15 points.
        edge = 1.0 if row.high > row.low else 4.0
        look: dict[str, Any] = {
            "facecolor": STYLE.usual,
            "edgecolor": STYLE.usual,
            "linewidth": edge,
        }
        ax.axhspan(row.low, row.high, label="reference range", **look)
    ends = [*values, *(end for end in (row.low, row.high) if np.isfinite(end))]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = 0.16 * (high - low) or 0.05 * abs(high) or 1.0
    ax.set_ylim(low - room, high + room)

    line: dict[str, Any] = {"color": ink(), "linewidth": 0.9, "zorder": 2}
    light: dict[str, Any] = line | {"alpha": 0.5, "linewidth": 0.8, "linestyle": (0, (3, 2))}
    ax.plot(row.measured, label="measured", **line)
    for begin, end in stretches(~np.isnan(row.carried)):
        held = np.full(end - begin + 1, row.carried[begin])
        ax.plot(np.arange(begin - 1, end), held, label="carried forward", **light)
    if np.isnan(row.carried).all() and len(known) < len(row.measured):
        ax.plot(known, values, label="between", **light)
    size = 3.4 if len(row.measured) <= 120 else 1.8
    sides = row.sides(values)
    for name, side, marker in (("inside", 0, "o"), ("above", 1, "^"), ("below", -1, "v")):
        ax.plot(
            known[sides == side],
            values[sides == side],
            marker,
            color=STYLE.outside if side else ink(),
            markersize=size + 2.2 * abs(side),
            markeredgewidth=0,
            zorder=3,
            label=name,
        )
    whole = bool(len(values)) and np.allclose(values, values.round(), rtol=1e-5)
    ax.yaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2, integer=whole))
    # An offset or a power of ten above the axis would stand in the row above.
    ax.yaxis.set_major_formatter(lambda value, _: number(value))
    panels.share_time_axis(ax)
    if not ends:
        ax.set_yticks([])
    name_panel(ax, plain(row.name, 40), 26)


def _write_last(ax: Axes, row: ChartRow, until: int) -> None:
    """Write the last value, marked as in the row, and its unit, each in its own column."""
    value = row.last(until)
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    style: dict[str, Any] = {"va": "center_baseline", "transform": ax.transAxes}
    if np.isnan(value):
        ax.text(0.12, 0.5, "not measured", fontsize=STYLE.small, fontstyle="italic", **style)
        return
    side = int(row.sides(np.array(value)))
    colour = STYLE.outside if side else ink()
    ax.text(
        0.52,
        0.5,
        number(value),
        fontsize=STYLE.text,
        fontweight="bold",
        color=colour,
        ha="right",
        **style,
    )
    ax.text(0.56, 0.5, plain(row.unit, 12), fontsize=STYLE.small, **style)
    if side:
        ax.plot(
            0.04, 0.5, "^" if side > 0 else "v", color=colour, markersize=5.6, markeredgewidth=0
        )


def _title(data: SequenceData, rows: Sequence[ChartRow], until: int, moment: str) -> list[str]:
    steps, unit = int(data.lengths[0]), _unit(data)
    number_ = "" if data.ids is None else plain(data.ids[0], 30)
    whose = f"{plain(data.name, 30)} {number_}".strip()
    title = f"{whose}, {steps} {unit}{'s' * (steps != 1)}"
    last = [(row, row.last(until)) for row in rows if row.has_range]
    known = [row.sides(np.array(value)) for row, value in last if not np.isnan(value)]
    if not known:
        return [title]
    outside = sum(bool(side) for side in known)
    verb = f"{moment}the last value of {outside} of {len(known)} variables is"
    return [f"{title}:", verb, "outside its reference range"]


def _notes(data: SequenceData, rows: Sequence[ChartRow]) -> list[str]:
    notes = _facts(data)
    if any(row.has_range for row in rows):
        notes += ["band: reference range", "triangles: outside it"]
    if any(not np.isnan(row.carried).all() for row in rows):
        notes.append("dashed: carried forward")
    elif any(np.isnan(row.measured).any() for row in rows):
        notes.append("dashed: not measured between")
    return notes


def _facts(data: SequenceData) -> list[str]:
    facts = data.display_static
    if facts is None:
        return []
    units = data.static_units or ("",) * len(data.static_names)
    return [
        f"{plain(name, 24)} unknown"
        if np.isnan(fact)
        else f"{plain(name, 24)} = {number(fact)} {plain(unit, 10)}".rstrip()
        for name, fact, unit in zip(data.static_names, facts[0], units, strict=True)
    ]


def _unit(data: SequenceData) -> str:
    return "hour" if "hour" in data.time_name.lower() else "step"


def _moment(data: SequenceData, times: np.ndarray, at: int) -> str:
    label = " ".join(step_ticks(times[at : at + 1])[1][0].split())
    return label if np.issubdtype(times.dtype, np.datetime64) else f"{_unit(data)} {label}"


def _range_of(name: str, ranges: pd.DataFrame | None) -> tuple[float, float]:
    if ranges is None or name not in ranges.index:
        return float("nan"), float("nan")
    return float(ranges.at[name, "reference_low"]), float(ranges.at[name, "reference_high"])
