"""``plot_chart``: the measurements of one sample, a row per variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..arguments import check_names, check_whole
from ..sequences.data import SequenceData
from ..sequences.scaling import chart_of
from ..sequences.step_names import named_times
from ..wording import fact_text, number, plain, row_names, wrapped
from . import panels
from .style import STYLE, ink, name_panel, note, open_panels, write_heading
from .time_axis import stretches
from .validation import what_is

# Inches, and how many variables are drawn by default.
_ROW, _MOST = 0.5, 9


def plot_chart(
    data: SequenceData,
    ranges: pd.DataFrame | None = None,
    names: Sequence[str] | None = None,
    at: int | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the measurements of one sample, a row per variable, like a chart at the bedside.

    Dots are measurements, triangles those outside the reference range, which is a pale band; values
    carried forward to steps without a measurement are dashed. After ``fill_missing()`` without
    indicators, measured and carried values cannot be told apart, and every value has its dot.

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
    data = _need_sample(data, "plot_chart")
    rows = _chart_rows(data, _need_ranges(ranges), names)
    at = _need_step(at, data)
    place = open_panels(ax, [_ROW] * len(rows), (1.0, 0.27))
    steps = int(data.lengths[0])
    times = np.arange(1, steps + 1) if data.times is None else data.times[0][:steps]
    until = steps - 1 if at is None else at
    moment = "" if at is None else _moment(data, times, at)
    charts: list[Axes] = []
    titles = row_names([row.name for row in rows], [""] * len(rows), 40)
    for position, row in enumerate(rows):
        label = f"chart {position}"
        chart = place.add(position, 0, label=label, sharex=charts[0] if charts else None)
        charts.append(chart)
        _draw_row(chart, row)
        name_panel(chart, titles[position], 26)
        if at is not None:
            chart.axvline(at, color=ink(), linewidth=0.9, linestyle=(0, (1, 1.5)))
        beside = place.add(position, 1, label=f"last {position}")
        _write_last(beside, row, until)
        if position == 0:
            name = wrapped(f"last value up to {moment}" if moment else "last value", 20)
            beside.set_title(name, fontsize=STYLE.small, fontstyle="italic", loc="left")
    charts[-1].set_xlim(-0.7, steps - 0.3)
    panels.label_times(charts[-1], times, plain(data.time_name, 40))
    # The notes end before the name of the column beside the rows.
    narrow = replace(place, width=0.84 * place.width)
    title = _title(data, rows, until, f"at {moment} " if moment else "")
    kind = f"Chart over time of {', '.join(titles)}"
    write_heading(charts[0], title, _notes(data, rows), narrow, kind)
    place.figure.sca(charts[0])
    return charts[0]


def _need_sample(data: object, caller: str) -> SequenceData:
    if not isinstance(data, SequenceData):
        raise TypeError(
            f"Expected a SequenceData in {caller}; received {type(data).__name__}. Pass one sample "
            "of what lx.load_icu() returns: data.test[3]."
        )
    if data.tokens is not None:
        raise ValueError(
            f"Expected measurements in {caller}; received a text. Read its words: data.words."
        )
    if len(data) != 1:
        raise ValueError(
            f"Expected one sample in {caller}; received {len(data)}. Take one: data.test[3]."
        )
    return data


def _need_step(at: Any, data: SequenceData) -> int | None:
    steps = int(data.lengths[0])
    if at is None:
        return None
    check_whole(most=steps - 1, remedy="Leave it out for the last values.", at=at)
    return int(at)


def _need_ranges(ranges: object) -> pd.DataFrame | None:
    wanted = ["reference_low", "reference_high"]
    if ranges is None:
        return None
    if not isinstance(ranges, pd.DataFrame) or not set(wanted) <= set(ranges.columns):
        raise ValueError(
            f"Expected ranges with the columns {wanted} and one row per variable; received "
            f"{what_is(ranges)}. Pass lx.datasets.icu_reference_ranges() or a table like it."
        )
    if not ranges.index.is_unique:
        twice = ranges.index[ranges.index.duplicated()][0]
        raise ValueError(
            f"Expected ranges with one row per variable; received several of {twice!r}. Keep one."
        )
    return ranges


@dataclass(frozen=True)
class ChartRow:
    """One variable of one sample, in original units.

    ``measured`` is NaN where nothing was measured; ``carried`` is the value carried forward there,
    or NaN. ``low`` and ``high`` are the ends of the reference range, or NaN.
    """

    name: str
    unit: str
    measured: np.ndarray
    carried: np.ndarray
    low: float
    high: float

    @property
    def has_range(self) -> bool:
        """Whether there is a reference range, at least with one end."""
        return bool(np.isfinite([self.low, self.high]).any())

    def last(self, until: int) -> float:
        """Return the last value measured up to a step (included), NaN if there is none."""
        measured = self.measured[: until + 1]
        measured = measured[~np.isnan(measured)]
        return float(measured[-1]) if len(measured) else float("nan")

    def sides(self, values: np.ndarray) -> np.ndarray:
        """Return 1 above the range, -1 below it, else 0."""
        # Rounded to float32, a value at the end of the range stays inside.
        slack = 2.0**-22 * np.abs(values)
        return (values > self.high + slack).astype(int) - (values < self.low - slack)


def _chart_rows(
    data: SequenceData, ranges: pd.DataFrame | None, names: Sequence[str] | None
) -> list[ChartRow]:
    """Return the rows of the chart of one sample, by default those measured most often."""
    steps = int(data.lengths[0])
    display = data.display_values[0, :steps]
    variables = list(dict.fromkeys(data.variables)) or list(data.feature_names)
    chart, filled = display, np.full_like(display, np.nan)
    if data.variables:
        # The parts stand in blocks, all values first.
        columns = [np.flatnonzero(np.array(data.variables) == name) for name in variables]
        chart = np.stack([chart_of(display[:, parts])[:, 0] for parts in columns], axis=1)
        filled = display[:, [parts[0] for parts in columns]]
        begun = np.maximum.accumulate(~np.isnan(chart), axis=0)
        filled = np.where(begun & np.isnan(chart), filled, np.nan)
    if names is None:
        counts = (~np.isnan(chart)).sum(axis=0)
        most = np.argsort(-counts, kind="stable")[:_MOST]
        shown = sorted(most[counts[most] > 0].tolist()) or list(range(len(variables))[:_MOST])
    else:
        check_names(names=names)
        if not len(names) or not set(names) <= set(variables):
            raise ValueError(
                f"Expected names among {variables} in plot_chart; received {list(names)}. Leave "
                "names out to see the ones measured most often."
            )
        shown = [variables.index(name) for name in names]
    rows = []
    for i in shown:
        name, ends = variables[i], (float("nan"), float("nan"))
        if ranges is not None and name in ranges.index:
            ends = ranges.at[name, "reference_low"], ranges.at[name, "reference_high"]
        rows.append(ChartRow(name, data.units[i], chart[:, i], filled[:, i], *map(float, ends)))
    return rows


def _draw_row(ax: Axes, row: ChartRow) -> None:
    steps = np.flatnonzero(~np.isnan(row.measured))
    values = row.measured[steps]
    if np.isfinite(row.low) and np.isfinite(row.high):
        # The edge shows a range of a single value: 15 of 15 points.
        look: dict[str, Any] = {"facecolor": STYLE.usual, "edgecolor": STYLE.usual}
        look |= {"linewidth": 1.0 if row.high > row.low else 4.0, "label": "reference range"}
        ax.axhspan(row.low, row.high, **look)
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
    if np.isnan(row.carried).all() and len(steps) < len(row.measured):
        ax.plot(steps, values, label="between", **light)
    size = 3.4 if len(row.measured) <= 120 else 1.8
    sides = row.sides(values)
    for name, side, marker in (("inside", 0, "o"), ("above", 1, "^"), ("below", -1, "v")):
        dots: dict[str, Any] = {
            "color": STYLE.outside if side else ink(),
            "markeredgewidth": 0,
            "zorder": 3,
        }
        dots |= {"markersize": size + 2.2 * abs(side), "label": name}
        ax.plot(steps[sides == side], values[sides == side], marker, **dots)
    whole = bool(len(values)) and bool((values == values.round()).all())
    ax.yaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2, integer=whole))
    panels.share_time_axis(ax)
    if not ends:
        ax.set_yticks([])


def _write_last(ax: Axes, row: ChartRow, until: int) -> None:
    """Write the last value, marked as in the row, and its unit, each in its own column."""
    value = row.last(until)
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    style: dict[str, Any] = {"va": "center_baseline"}
    if np.isnan(value):
        note(ax, 0.12, 0.5, "not measured", fontstyle="italic", **style)
        return
    side = int(row.sides(np.array(value)))
    colour = STYLE.outside if side else ink()
    bold: dict[str, Any] = {"fontsize": STYLE.text, "fontweight": "bold", "ha": "right"}
    spread = np.nanmax(row.measured) - np.nanmin(row.measured)
    # Of a high level that hardly changes, what changes is written too.
    digits = max(4, 3 + int(np.log10(abs(value) / spread))) if spread * value else 4
    note(ax, 0.52, 0.5, number(value, digits), color=colour, **bold, **style)
    note(ax, 0.56, 0.5, plain(row.unit, 12), **style)
    if side:
        marker = "^" if side > 0 else "v"
        ax.plot(0.04, 0.5, marker, color=colour, markersize=5.6, markeredgewidth=0)


def _title(data: SequenceData, rows: Sequence[ChartRow], until: int, moment: str) -> list[str]:
    steps = int(data.lengths[0])
    times = None if data.times is None else data.times[0, :steps]
    is_regular = times is None or times.dtype.kind not in "fiu" or (np.diff(times) == 1).all()
    unit = _unit(data) if is_regular else "step"
    whose = plain(data.name, 30) + ("" if data.ids is None else f" {plain(data.ids[0], 30)}")
    title = f"{whose}, {steps} {unit}{'s' * (steps != 1)}"
    last = [(row, row.last(until)) for row in rows if row.has_range]
    sides = [row.sides(np.array(value)) for row, value in last if not np.isnan(value)]
    if not sides:
        return [title]
    outside = sum(bool(side) for side in sides)
    verb = f"{moment}the last value of {outside} of {len(sides)} variables is"
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
        else fact_text(name, [fact], unit, data.labels.get(name), longest=24)
        for name, fact, unit in zip(data.static_names, facts[0], units, strict=True)
    ]


def _unit(data: SequenceData) -> str:
    return "hour" if "hour" in data.time_name.lower() else "step"


def _moment(data: SequenceData, times: np.ndarray, at: int) -> str:
    label = named_times(times)[at]
    return label if np.issubdtype(times.dtype, np.datetime64) else f"{_unit(data)} {label}"
