"""A figure refuses what it cannot draw, and says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from plots.figures import cohort, each_plot, patient

from lstm_explain import plot_heatmap, plot_summary, plot_timeline


@each_plot
def test_wrong_object_is_refused(plot: Callable[..., Axes]) -> None:
    with pytest.raises(
        TypeError, match=r"Expected an Explanation .* received ndarray.*lx\.explain"
    ):
        plot(np.ones((1, 2, 3)))
    with pytest.raises(ValueError, match=r"at least one sample .* received none"):
        plot(cohort([3, 4])[:0])
    assert plt.get_fignums() == []


@pytest.mark.parametrize("plot", [plot_heatmap, plot_timeline])
def test_several_samples_are_refused(plot: Callable[..., Axes]) -> None:
    remedy = rf"Expected one sample, received 2: use {plot.__name__}\(e\[0\]\)"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=remedy):
        plot(cohort([3, 4]))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("plot", "coarser", "level"),
    [
        (plot_heatmap, lambda e: e.over_time(), "time"),
        (plot_heatmap, lambda e: e.over_features(), "feature"),
        (plot_timeline, lambda e: e.over_features(), "feature"),
        (plot_summary, lambda e: e.over_time(), "time"),
        (plot_summary, lambda e: e.over_windows(2), "window and feature"),
    ],
)
def test_wrong_level_is_refused(plot: Any, coarser: Any, level: str) -> None:
    with pytest.raises(ValueError, match=f"received values per {level}. Give an explanation"):
        plot(coarser(patient()))
    assert plt.get_fignums() == []
