"""``plot_comparison``: two explanations of one output against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..attribution.explanation import Explanation
from ..inspection.outputs import as_probability
from ..wording import NO_BREAK, decimals, fixed, plain
from . import content, panels, validation
from .content import Rows
from .style import (
    STYLE,
    colour_of,
    ink,
    limit_of,
    name_panel,
    name_rows,
    note,
    open_panels,
    row_heights,
    tidy,
    write_heading,
)
from .time_axis import stretches

# What `compare` calls them.
_CHANGE = ["as recorded", "changed"]
# The recorded one is grey and open, the changed one dark and filled.
_RECORDED: dict[str, Any] = {"color": STYLE.attention, "fillstyle": "none", "markeredgewidth": 1.5}
_LOOKS = (_RECORDED, _RECORDED | {"color": STYLE.importance, "fillstyle": "full"})


def plot_comparison(
    explanation: Explanation, *, ax: Axes | None = None, max_features: int = 10
) -> Axes:
    """Draw two explanations of the same output against each other, as `compare` returns them.

    Steps stand where the model reads them, the first above the first. Their dates or numbers are
    written where both samples have the same; otherwise the steps are counted.

    Parameters
    ----------
    explanation : Explanation
        Of two samples, the recorded one first, per cell; `over_variables` is easier to read.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure.
    max_features : int
        Number of features with a row, those that changed most; the others are summed into one.

    Returns
    -------
    Axes
        The SHAP values of both. The other panels are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_comparison(compare(model, patient, changed, background=data.train))  # doctest: +SKIP
    """
    caller = "plot_comparison"
    explanation = _need_two(explanation, caller)
    validation.need_level(explanation, ("cell",), caller)
    pair = Pair.of(explanation)
    rows = _rows(explanation, max_features)
    heights = [0.55, 1.1, *row_heights(len(rows.names))]
    place = open_panels(ax, heights, (1.0,), width=9.0)
    top = place.add(0, 0, label="prediction")
    _draw_predictions(top, pair)
    _draw_time(place.add(1, 0, label="time"), pair)
    main = place.add(2, 0, label="values")
    _draw_values(main, rows, content.explained(explanation))
    write_heading(top, _title(pair), _notes(pair), place, "Two explanations compared")
    place.figure.sca(main)
    return main


def _need_two(explanation: object, caller: str) -> Explanation:
    explanation = validation.need_explanation(explanation, caller)
    if len(explanation) != 2:
        raise ValueError(
            f"Expected two samples in {caller}, the recorded one and the changed one; received "
            f"{len(explanation)}. Take two, e[[0, 1]], or make them by lx.compare."
        )
    outputs = [str(name) for name in explanation.output.values]
    if outputs[0] != outputs[1]:
        raise ValueError(
            f"Expected two explanations of one output in {caller}; received {outputs}. Name it: "
            f"lx.explain(..., output={outputs[0]!r})."
        )
    return explanation


@dataclass(frozen=True)
class Pair:
    """Two samples, ready to draw.

    ``shown`` (sample,) are the predictions, as probabilities if ``probability`` is True. ``steps``
    is a slice of the steps that are real in either sample; ``changed`` (step, feature) is True
    where the recorded data differ.
    """

    explanation: Explanation
    labels: list[str]
    shown: np.ndarray
    probability: bool
    steps: slice
    changed: np.ndarray

    @classmethod
    def of(cls, explanation: Explanation) -> Pair:
        """Read two samples."""
        ids = explanation.ids
        labels = [f"sample {number}" for number in explanation.values["sample"].values]
        if ids is not None and ids.values[0] != ids.values[1]:
            labels = [plain(name, 24) for name in ids.values]
        margins = explanation.predictions.values
        facts = explanation.provenance
        chances = as_probability(margins, explanation.output.values, facts)
        shown = margins if chances is None else chances
        steps = content.real_steps(explanation)
        changed = content.differ(*explanation.data.values[:, steps])
        return cls(explanation, labels, shown, chances is not None, steps, changed)

    def text(self, sample: int) -> str:
        """Return a prediction as it is read: 23 % or 1.25."""
        difference = float(np.ptp(self.shown))
        return content.read_prediction(float(self.shown[sample]), self.probability, difference)


# -- panels ----------------------------------------------------------------------------------------
def _draw_predictions(ax: Axes, pair: Pair) -> None:
    margins = pair.explanation.predictions.values
    both = pair.probability and pair.explanation.scale == "margin"
    for sample, (value, look) in enumerate(zip(pair.shown, _LOOKS, strict=True)):
        ax.plot(value, sample, "o", markersize=8, zorder=3, label=pair.labels[sample], **look)
        places = decimals(float(np.ptp(margins)), limit_of(margins))
        odds = f"  (log-odds {fixed(margins[sample], places)})"
        # Of a probability, the number stands on the side with more room.
        left = pair.probability and value > 0.5
        text, offset = pair.text(sample) + odds * both, (-9 if left else 9, 0)
        side: dict[str, Any] = {"ha": "right" if left else "left", "va": "center_baseline"}
        side |= {"textcoords": "offset points", "fontsize": STYLE.text}
        ax.annotate(text, (value, sample), offset, **side)
    name_rows(ax, pair.labels)
    ax.set_ylim(1.6, -0.6)
    low, high = float(pair.shown.min()), float(pair.shown.max())
    room = (high - low) or 0.1 * abs(high) or 1.0
    # The numbers stand to the right of the points.
    limits = (low - 0.4 * room, high + 1.2 * room)
    if pair.probability:
        limits = (-0.02, 1.02) if high > 0.4 else (-0.03 * high, 2 * high)
        limits = limits if high > 0 else (0.0, 1.0)
    ax.set_xlim(*limits)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    tidy(ax, keep=("bottom",), grid="x")
    if pair.probability:
        places = 0 if limits[1] > 0.05 else decimals(100 * limits[1])
        ax.xaxis.set_major_formatter(PercentFormatter(1, places, symbol=f"{NO_BREAK}%"))
        ax.set_xticks([tick for tick in ax.get_xticks() if tick <= 1])
        ax.set_xlim(*limits)


def _draw_time(ax: Axes, pair: Pair) -> None:
    weights, name = pair.explanation.attention, "attention\n(where it looked)"
    if weights is None:
        weights, name = pair.explanation.values.sum("feature"), "SHAP value\nper step"
    numbers = weights.values[:, pair.steps]
    for begin, end in stretches(np.asarray(pair.changed.any(axis=1))):
        ax.axvspan(begin - 0.5, end - 0.5, facecolor=STYLE.mark, edgecolor="none", label="changed")
    for values, label, look, width in zip(numbers, pair.labels, _LOOKS, (2.6, 1.3), strict=True):
        marker = "o" if numbers.shape[1] <= 60 and width < 2 else ""
        line: dict[str, Any] = {"color": look["color"], "linewidth": width, "marker": marker}
        ax.plot(values, markersize=2.6, label=label, **line)
    ax.set_xlim(-0.5, numbers.shape[1] - 0.5)
    if pair.explanation.attention is None:
        ax.axhline(0, color=ink(), linewidth=0.8)
    else:
        ax.set_ylim(0, 1.12 * limit_of(numbers))
    ax.yaxis.set_major_locator(MaxNLocator(3))
    panels.share_time_axis(ax)
    name_panel(ax, name)
    panels.label_times(ax, *content.times_of(pair.explanation))


def _draw_values(ax: Axes, rows: Rows, explained: str) -> None:
    before, after = rows.values.T
    position = np.arange(len(rows.names))
    change = after - before
    ax.axvline(0, color=ink(), linewidth=0.8, zorder=1)
    ax.hlines(position, before, after, colors=colour_of(change), linewidths=2.2, zorder=2)
    for values, look in zip((before, after), _LOOKS, strict=True):
        ax.plot(values, position, "o", linestyle="none", markersize=6.5, zorder=3, **look)
    low, high = min(0.0, float(rows.values.min())), max(0.0, float(rows.values.max()))
    room = 0.08 * (high - low) or 1.0
    places = decimals(limit_of(change), limit_of(rows.values))
    name_rows(ax, rows.names)
    ax.set_xlim(low - room, high + 3 * room)
    beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right"}
    for row, (size, side) in enumerate(zip(change, colour_of(change), strict=True)):
        colour = side if round(size, places) else ink()
        text = fixed(size, places, sign=True)
        note(ax, 0.995, row, text, color=colour, va="center_baseline", **beside)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    tidy(ax, keep=("bottom",), grid="x")
    ax.set_title("change", loc="right", fontsize=STYLE.small, fontstyle="italic", pad=3)
    ax.set_xlabel(f"SHAP value, sum over time ({explained})", fontsize=STYLE.small)


# -- words and rows --------------------------------------------------------------------------------
def _rows(explanation: Explanation, most: int) -> Rows:
    """Return features and static facts, (row, sample), the largest change first."""
    names, sums = content.feature_labels(explanation), explanation.values.sum("time").values
    facts = explanation.static_values
    if facts is not None:
        names = [*names, *content.static_labels(explanation, with_data=True)]
        sums = np.concatenate([sums, facts.values], axis=1)
    return content.most_important(names, sums.T, most, np.abs(np.diff(sums, axis=0))[0])


def _title(pair: Pair) -> list[str]:
    first, second = pair.text(0), pair.text(1)
    subject = "after the change," if pair.labels == _CHANGE else f"{' against '.join(pair.labels)}:"
    what = content.subject(pair.explanation)
    if pair.probability:
        what = f"the predicted {what}"
    if first == second:
        return [subject, what, f"stays at {first}"]
    verb = "rises" if pair.shown[1] > pair.shown[0] else "falls"
    return [subject, what, f"{verb} from {first} to {second}"]


def _notes(pair: Pair) -> list[str]:
    """Say what was changed and what stood for "absent"."""
    counts = pair.changed.sum(axis=0)
    order = [i for i in np.argsort(-counts, kind="stable") if counts[i]]
    names = [plain(pair.explanation.feature_names[i], 24) for i in order[:3]]
    more = f" and {len(order) - 3} more" if len(order) > 3 else ""
    notes = [f"shaded: other data in {', '.join(names)}{more}"] if order else []
    facts = pair.explanation.static_data
    if facts is not None:
        changed = facts["static_feature"].values[content.differ(*facts.values)]
        if len(changed):
            notes.append(f"facts that differ: {', '.join(plain(n, 24) for n in changed[:3])}")
    return [*notes, content.absent(pair.explanation)]
