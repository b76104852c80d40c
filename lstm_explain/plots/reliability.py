"""``plot_reliability``: observed shares against predicted probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..wording import NO_BREAK, decimals, percent, plain
from . import panels, validation
from .style import STYLE, ink, name_panel, note, open_panels, tidy, write_heading

# Colour and shape, so that models stay apart in grey.
_LOOKS = [(STYLE.importance, "o"), ("#b8860b", "s"), (STYLE.attention, "^"), (STYLE.outside, "D")]
_SHARES = ["predicted", "observed", "low", "high"]


def plot_reliability(
    table: pd.DataFrame | Mapping[str, pd.DataFrame], ax: Axes | None = None
) -> Axes:
    """Draw observed shares against the predicted probabilities of one or more models.

    Parameters
    ----------
    table : DataFrame, or mapping of name to DataFrame
        What `reliability` returns, one row per bin: `predicted` (mean probability), `observed`
        (share), `count`, and `low` and `high`, an interval of `observed`. Several models by name,
        or joined by ``pd.concat``.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The panel with the diagonal; below it, how many samples each bin holds.

    Examples
    --------
    >>> plot_reliability({"LSTM": first, "logistic regression": second})    # doctest: +SKIP
    """
    tables = _need_tables(table)
    heights = [4.6, *(0.42 for _ in tables)]
    place = open_panels(ax, heights, (1.0,), width=8.2)
    main = place.add(0, 0, label="reliability")
    low, high = ends = _limits(tables)
    main.plot(ends, ends, color=ink(), linewidth=0.9, linestyle=(0, (4, 3)), label="_even")
    main.set(xlim=ends, ylim=ends)
    for position, (name, table) in enumerate(tables.items()):
        colour, marker = _LOOKS[position % len(_LOOKS)]
        x = table["predicted"].to_numpy()
        main.vlines(x, table["low"], table["high"], colors=colour, linewidths=1.2, alpha=0.75)
        main.plot(x, table["observed"], color=colour, linewidth=0.9, alpha=0.5, label="_joined")
        label = plain(name, 30) or "_bins"
        main.plot(x, table["observed"], marker, color=colour, markersize=6, label=label)
        below = place.add(position + 1, 0, label=f"count {position}", sharex=main)
        _draw_counts(below, table, plain(name, 30), colour)
    _label(main)
    if len(tables) > 1:
        place_of_legend = (0.01, 0.94)  # below the note
        main.legend(
            frameon=False, fontsize=STYLE.text, loc="upper left", bbox_to_anchor=place_of_legend
        )
    _percent_ticks(main, below, high - low)
    below.set_xlabel("predicted probability: mean of each bin", fontsize=STYLE.small)
    notes = ["a point per bin", "lines: 95 % interval", "dashed: predicted = observed"]
    kind = "Observed shares against predicted probabilities"
    write_heading(main, _title(tables), notes, place, kind)
    place.figure.sca(main)
    return main


def _need_tables(table: object) -> dict[str, pd.DataFrame]:
    """Return tables of predicted and observed shares by the name of their model.

    A single table has the name "". A bin without samples is left out.
    """
    if isinstance(table, pd.DataFrame) and table.index.nlevels > 1:
        table = {name: table.xs(name) for name in dict.fromkeys(table.index.get_level_values(0))}
    tables = dict(table) if isinstance(table, Mapping) else {"": table}
    valid = {str(name): _shares(name, one) for name, one in tables.items()}
    if not valid:
        raise ValueError(
            "Expected at least one table in plot_reliability; received none. Pass what "
            "lx.models.reliability(data, probabilities) returned."
        )
    return valid


def _shares(name: object, table: object) -> pd.DataFrame:
    remedy = "Pass what lx.models.reliability(data, probabilities) returned."
    what = f"table {name!r}" if name else "table"
    if not isinstance(table, pd.DataFrame) or not {*_SHARES, "count"} <= set(table.columns):
        raise ValueError(
            f"Expected a {what} with the columns {[*_SHARES, 'count']} in plot_reliability; "
            f"received {validation.what_is(table)}. {remedy}"
        )
    bins: pd.DataFrame = table[[*_SHARES, "count"]].astype(float)
    bins = bins[(bins["count"] > 0) & bins[["predicted", "observed"]].notna().all(axis=1)]
    if bins.empty:
        raise ValueError(
            f"Expected a {what} with at least one bin that holds samples in plot_reliability; "
            f"received none. {remedy}"
        )
    least, most = float(bins[_SHARES].min(axis=None)), float(bins[_SHARES].max(axis=None))
    if least < 0 or most > 1:
        raise ValueError(
            f"Expected shares from 0 to 1 in the {what}; received {least:g} to {most:g}. Divide "
            "percentages by 100."
        )
    return bins.sort_values("predicted")


def _limits(tables: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Return one pair of limits for both axes that holds every bin, and 0 unless it is far off."""
    every = np.concatenate([table[_SHARES].to_numpy().ravel() for table in tables.values()])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    room = 0.05 * (high - low) or 0.05
    low = 0.0 if low < 0.5 * high else low - room
    return max(low, 0.0) - (0.01 * (high - low)), min(high + room, 1.0 + 0.01 * (high - low))


def _draw_counts(ax: Axes, table: pd.DataFrame, name: str, colour: str) -> None:
    # Lines, not bars: the bins may be narrow and close together.
    ax.vlines(table["predicted"], 0, table["count"], colors=colour, linewidths=3)
    ax.set_ylim(0, 1.15 * float(table["count"].max()))
    ax.yaxis.set_major_locator(MaxNLocator(2, integer=True, min_n_ticks=2))
    panels.share_time_axis(ax)
    name_panel(ax, f"samples per bin\n{name}".strip())


def _label(ax: Axes) -> None:
    tidy(ax, grid="both")
    ax.tick_params(axis="x", bottom=False, labelbottom=False)
    name_panel(ax, "share\nobserved")
    look: dict[str, Any] = {"fontstyle": "italic", "alpha": 0.8}
    note(ax, 0.02, 0.985, "above: happens more often than predicted", va="top", **look)
    note(ax, 0.985, 0.02, "below: less often than predicted", va="bottom", ha="right", **look)


def _percent_ticks(main: Axes, below: Axes, span: float) -> None:
    places = 0 if span > 0.05 else decimals(100 * span)
    for axis in (main.xaxis, main.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(PercentFormatter(1, places, symbol=f"{NO_BREAK}%"))
    below.tick_params(axis="x", bottom=True, labelbottom=True, length=3)
    below.spines["bottom"].set_visible(True)


def _title(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    means = {
        name: np.average(table[["predicted", "observed"]], axis=0, weights=table["count"])
        for name, table in tables.items()
    }
    largest = max(float(pair.max()) for pair in means.values())
    places = max(decimals(100 * largest) - 1, 1) if largest < 0.995 else 2
    parts = [
        f"{plain(name, 20)}: ".removeprefix(": ")
        + f"mean predicted {percent(pair[0], places)}, observed {percent(pair[1], places)}"
        for name, pair in means.items()
    ]
    return [part + ";" for part in parts[:-1]] + parts[-1:]
