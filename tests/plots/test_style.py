"""Every figure of values can be read, stays within its axes and changes no setting."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from plots.figures import (
    TRADING_DAYS,
    each_plot,
    explanation,
    heading,
    panel,
    patient,
    rows,
    without_pyplot,
)

from lstm_explain import plot_heatmap, plot_timeline
from lstm_explain.attribution.explanation import Explanation

pytestmark = pytest.mark.slow


# -- good manners ----------------------------------------------------------------------------------
@each_plot
def test_own_figure_is_one_and_settings_stay(plot: Callable[..., Axes]) -> None:
    before = mpl.rcParams.copy()
    ax = plot(patient())
    ax.figure.canvas.draw()
    assert mpl.rcParams == before
    assert len(plt.get_fignums()) == 1
    assert plt.gca() is ax
    assert isinstance(ax, Axes)


def with_constrained_layout() -> tuple[Any, Axes, Axes]:
    figure, (first, second) = plt.subplots(1, 2, figsize=(20, 6), layout="constrained")
    return figure, first, second


def with_no_layout() -> tuple[Any, Axes, Axes]:
    figure, (first, second) = plt.subplots(1, 2, figsize=(12, 6))
    return figure, first, second


def with_subfigures() -> tuple[Any, Axes, Axes]:
    figure = plt.figure(figsize=(20, 6), layout="constrained")
    first, second = (part.subplots() for part in figure.subfigures(1, 2))
    return figure, first, second


def at_a_fixed_place() -> tuple[Any, Axes, Axes]:
    figure = plt.figure(figsize=(20, 8))
    return figure, figure.add_axes((0.1, 0.1, 0.36, 0.7)), figure.add_axes((0.6, 0.1, 0.35, 0.7))


@pytest.mark.parametrize(
    "made",
    [with_constrained_layout, with_no_layout, without_pyplot, with_subfigures, at_a_fixed_place],
)
@each_plot
def test_panels_take_the_place_of_ax(plot: Callable[..., Axes], made: Any) -> None:
    figure, first, second = made()
    second.plot([1, 2])
    open_before = plt.get_fignums()
    ax = plot(patient(), ax=first)
    figure.canvas.draw()
    assert plt.get_fignums() == open_before
    assert ax.get_figure(root=True) is figure
    assert first not in figure.axes
    assert second in figure.axes
    assert len(second.lines) == 1
    boundary = second.get_window_extent().x0
    for axes in figure.axes:
        if axes is not second:
            assert axes.get_window_extent().x1 < boundary
    assert_nothing_is_cut(figure)


# -- it can be read --------------------------------------------------------------------------------
def hard_cases() -> dict[str, Explanation]:
    """Make the explanations that are hardest to draw well."""
    rng = np.random.default_rng(2)
    long_name = "a very long name of a feature that goes on and on"
    return {
        "one cell": explanation([[[0.3]]]),
        "one step": explanation(rng.normal(size=(1, 1, 4))),
        "one feature": explanation(rng.normal(size=(1, 30, 1))),
        "60 features": explanation(
            rng.normal(size=(1, 48, 60)), names=[f"c {i}" for i in range(60)]
        ),
        "1000 steps": explanation(rng.normal(size=(1, 1000, 5))),
        "all zero": explanation(np.zeros((1, 20, 3))),
        "all raise": explanation(np.ones((1, 20, 3))),
        "all lower": explanation(-1e-4 * np.ones((1, 20, 3))),
        "patient": patient(),
        "market": explanation(
            rng.normal(size=(1, 60, 5)),
            times=TRADING_DAYS.values[:60],
            time_name="date",
            scale="value",
            output="log variance of the next 5 days",
            target_unit="log %²",
            names=["return", "range", "relative volume", "log variance", "downside return"],
            units=["%", "%", "log ratio", "log %²", "%"],
        ),
        "many facts": patient(
            static=rng.normal(size=(1, 14)),
            static_data=rng.normal(size=(1, 14)) * 1e4,
            static_names=[f"fact {i}" for i in range(14)],
            static_units=["1/min"] * 14,
        ),
        "strange text": patient(
            names=["price in $ and more $", "x_1^2_{a} \\frac", long_name],
            units=["$", "dollars per hour and head", ""],
            output=f"$ class_{long_name} $",
            ids=["$ 4_5 $"],
            background="winter days before 2007, without holidays without the crisis: $ 12_345 $",
        ),
    }


def all_texts(figure: Figure) -> list[Text]:
    """Return every text of a figure that is drawn."""
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip()
    ]


@pytest.mark.parametrize("case", hard_cases())
@each_plot
def test_no_text_is_cut_or_small_and_no_labels_touch(plot: Callable[..., Axes], case: str) -> None:
    ax = plot(hard_cases()[case])
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    assert_nothing_is_cut(figure)
    beside = [axes for axes in figure.axes if str(axes.get_label()).endswith("sums")]
    for number in (text for axes in beside for text in axes.texts):
        assert number.get_window_extent().x0 >= ax.get_window_extent().x1, number
    for axes in figure.axes:
        ticks = [t.get_window_extent() for t in axes.get_xticklabels() if t.get_visible()]
        for left, right in pairwise(sorted(ticks, key=lambda box: box.x0)):
            assert left.x1 <= right.x0, (case, axes.get_label())


def assert_nothing_is_cut(figure: Figure) -> None:
    """Check that every text lies inside its figure and is large enough to read."""
    whole = figure.bbox
    for text in all_texts(figure):
        box = text.get_window_extent()
        if box.width and is_drawn(text, figure):
            assert text.get_fontsize() >= 9, text
            assert whole.x0 - 1 <= box.x0 < box.x1 <= whole.x1 + 1, text
            assert whole.y0 - 1 <= box.y0 < box.y1 <= whole.y1 + 1, text


def is_drawn(text: Text, figure: Figure) -> bool:
    """Tell a text from the spare labels that an axis keeps beyond its ends."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            spare = [tick.label1 for tick in axis.majorTicks + axis.minorTicks]
            if text in spare:
                low, high = sorted(axis.get_view_interval())
                location = text.get_position()[0 if axis is axes.xaxis else 1]
                return low <= location <= high
    return True


def test_text_from_data_is_no_formula() -> None:
    e = hard_cases()["strange text"]
    ax = plot_heatmap(e)
    ax.figure.canvas.draw()
    drawn = [text._preprocess_math(text.get_text()) for text in all_texts(ax.figure)]  # type: ignore[attr-defined, arg-type]
    assert not any(is_formula for _, is_formula in drawn)
    shown = {text for text, _ in drawn}
    assert "price in $ and more $ [$]" in shown
    assert any("x_1^2_{a} \\frac [dollars" in text for text in shown)
    assert "icu $ 4_5 $" in heading(ax)[1].replace(r"\$", "$")


def test_dark_figures_are_readable() -> None:
    with mpl.style.context("dark_background"):
        ax = plot_timeline(patient())
        texts = [*ax.get_xticklabels(), *panel(ax, "static").texts, ax.yaxis.label]
        assert all(np.mean(to_rgb(text.get_color())) > 0.9 for text in texts)


def test_long_names_that_begin_alike_stay_apart() -> None:
    """Rows that are all called "systolic arterial blood pressure…" could not be told apart."""
    begin = "systolic arterial blood pressure measured by catheter"
    names = [f"{begin} in the {side} arm" for side in ("left", "right")] + ["pulse"]
    ax = plot_heatmap(explanation(np.ones((1, 4, 3)), names=names, units=["mmHg", "mmHg", ""]))
    drawn = rows(ax)
    assert len(set(drawn)) == 3
    assert max(map(len, drawn)) <= 34
    assert any(name.endswith("left arm [mmHg]") for name in drawn)


def test_the_axis_of_static_bars_says_what_they_are() -> None:
    ax = plot_timeline(patient())
    assert panel(ax, "static").get_xlabel() == "SHAP value"
