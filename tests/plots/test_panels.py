"""Every figure of the bedside can be read and stays within its axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from plots.figures import NAN, RANGES, bins, pair, panel, stays

from lstm_explain import (
    SequenceData,
    plot_chart,
    plot_comparison,
    plot_heatmap,
    plot_reliability,
    plot_summary,
    plot_timeline,
)

pytestmark = pytest.mark.slow

LONG = "a variable with a name that goes on and on $ and on_1^2"


def assert_all_is_readable(ax: Axes) -> None:
    """Check that no text is cut, small, or written over another, or crowds the time axis."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    whole = figure.bbox
    boxes = []
    for axes in figure.axes:
        if axes.axison:
            texts: list[Text] = [axes.xaxis.label, axes.yaxis.label, *axes.texts]
            for axis, low_high in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
                low, high = sorted(low_high)
                texts += [
                    tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
                ]
        else:
            texts = list(axes.texts)
        texts += [axes.title, axes._left_title]  # type: ignore[attr-defined]
        for text in texts:
            if not (text.get_visible() and text.get_text().strip()):
                continue
            box = text.get_window_extent()
            assert text.get_fontsize() >= 9, text
            assert whole.x0 - 1 <= box.x0 < box.x1 <= whole.x1 + 1, text
            assert whole.y0 - 1 <= box.y0 < box.y1 <= whole.y1 + 1, text
            boxes.append((text, box))
    for (first, a), (second, b) in ((p, q) for i, p in enumerate(boxes) for q in boxes[:i]):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        upright = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes are a little larger than their letters.
        assert across <= 2 or upright <= 4, (first, second)


def many_variables() -> SequenceData:
    """Make a stay of 48 hours and 37 variables with long names, facts, and gaps."""
    rng = np.random.default_rng(4)
    chart = rng.normal(100, 30, (1, 48, 37))
    chart[rng.random(chart.shape) < 0.7] = NAN
    chart[..., 3] *= 1e6
    return replace(
        SequenceData.from_arrays(
            chart,
            feature_names=[f"{LONG} {position}" for position in range(37)],
            units={f"{LONG} {position}": "dollars per hour and head" for position in range(37)},
            static=rng.normal(size=(1, 8)) * 1e4,
            static_names=[f"fact {position}: {LONG}" for position in range(8)],
            missing="keep",
            name=LONG,
        ),
        time_name="hours since admission",
    )


def strange_ranges() -> pd.DataFrame:
    names = [f"{LONG} {position}" for position in range(37)]
    return pd.DataFrame({"reference_low": 90.0, "reference_high": 110.0}, index=names)


FIGURES = {
    "chart": lambda **more: plot_chart(stays()[0], RANGES, at=3, **more),
    "chart of 37": lambda **more: plot_chart(many_variables(), strange_ranges(), **more),
    "chart of all 37": lambda **more: plot_chart(
        many_variables(), names=list(many_variables().feature_names), **more
    ),
    "chart of one hour": lambda **more: plot_chart(
        SequenceData.from_arrays([[[7.0]]], feature_names=["pH"]), **more
    ),
    "chart of dates": lambda **more: plot_chart(
        SequenceData.from_arrays(
            np.random.default_rng(0).normal(size=(1, 60, 2)),
            times=pd.bdate_range("2010-07-06", periods=60).to_numpy()[None],
        ),
        at=30,
        **more,
    ),
    "reliability": lambda **more: plot_reliability(bins(), **more),
    "reliability of rare": lambda **more: plot_reliability(
        bins(top=0.025) / [10, 10, 1, 10, 10], **more
    ),
    "reliability of one bin": lambda **more: plot_reliability(bins()[:1], **more),
    "reliability of three": lambda **more: plot_reliability(
        {LONG: bins(), "LSTM": bins(0.1), "random forest": bins(0.5)}, **more
    ),
    "comparison": lambda **more: plot_comparison(pair(), **more),
    "comparison of long names": lambda **more: plot_comparison(
        pair(
            names=[f"{LONG} {position}" for position in range(30)],
            output=[LONG, LONG],
            ids=[LONG, f"changed {LONG}"],
        ),
        **more,
    ),
    "comparison of values": lambda **more: plot_comparison(
        pair(record={"scale": "value"}), **more
    ),
    "heat map": lambda **more: plot_heatmap(pair()[1], **more),
    "timeline": lambda **more: plot_timeline(pair()[1], **more),
    "summary": lambda **more: plot_summary(pair(), **more),
}  # fmt: skip
each_figure = pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES.keys())


@each_figure
def test_nothing_is_cut_or_written_over(draw: Any) -> None:
    before = mpl.rcParams.copy()
    ax = draw()
    assert_all_is_readable(ax)
    assert mpl.rcParams == before
    assert len(plt.get_fignums()) == 1
    assert plt.gca() is ax


@each_figure
def test_no_text_from_data_is_a_formula(draw: Any) -> None:
    ax = draw()
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    own = ("raises the prediction", "lowers it")
    formulas = [text.get_text() for text in texts if text._preprocess_math(text.get_text())[1]]
    assert [text for text in formulas if not text.endswith(own)] == []


@pytest.mark.parametrize("name", ["chart", "reliability", "comparison"])
def test_panels_take_the_place_of_ax(name: str) -> None:
    figure, (first, second) = plt.subplots(1, 2, figsize=(20, 7), layout="constrained")
    ax = FIGURES[name](ax=first)  # type: ignore[no-untyped-call]
    figure.canvas.draw()
    assert ax.figure is figure
    assert first not in figure.axes
    assert second in figure.axes
    others = [axes for axes in figure.axes if axes is not second]
    assert all(axes.get_window_extent().x1 < second.get_window_extent().x0 for axes in others)
    assert_all_is_readable(ax)


def test_labels_of_hours_do_not_touch() -> None:
    ax = FIGURES["chart of 37"]()  # type: ignore[no-untyped-call]
    ax.figure.canvas.draw()
    lowest = panel(ax, "chart 8")
    boxes = [tick.get_window_extent() for tick in lowest.get_xticklabels()]
    assert len(boxes) >= 4
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
