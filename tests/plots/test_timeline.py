"""The timeline draws one bar per step: the sum over the features."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from plots.figures import heading, heights, panel, patient, widths, words

from lstm_explain import plot_timeline
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.plots.style import STYLE


def test_timeline_draws_the_sum_of_each_step() -> None:
    e = patient()
    ax = plot_timeline(e)
    sums = e.values.values[0, :20].sum(axis=1)
    np.testing.assert_allclose(heights(ax), sums)
    for bar, value in zip(ax.patches, sums, strict=True):
        side = STYLE.raises if value > 0 else STYLE.lowers
        assert to_rgb(bar.get_facecolor()) == pytest.approx(to_rgb(side))
    assert e.attention is not None
    assert e.attention_contribution is not None
    np.testing.assert_allclose(heights(panel(ax, "attention")), e.attention.values[0, :20])
    np.testing.assert_allclose(
        heights(panel(ax, "contribution")), e.attention_contribution.values[0, :20]
    )
    np.testing.assert_allclose(widths(panel(ax, "static")), [-0.8, 0.3])
    names = [text.get_text() for text in panel(ax, "static").texts]
    assert {"male = 1", "age = 67 years"} <= set(names)


def test_timeline_of_cells_steps_and_windows_agree() -> None:
    e = patient()
    of_cells, of_steps = plot_timeline(e), plot_timeline(e.over_time())
    np.testing.assert_allclose(heights(of_cells), heights(of_steps))
    windows = plot_timeline(e.over_windows(6))
    again = plot_timeline(e.over_windows(6).over_time())
    np.testing.assert_allclose(heights(windows), heights(again))
    np.testing.assert_allclose(heights(windows)[0], heights(of_steps)[:6].sum())
    assert words(windows.get_ylabel()) == "SHAP value per window (log-odds of died)"
    edges = [bar.get_x() + bar.get_width() / 2 for bar in windows.patches]  # type: ignore[attr-defined]
    np.testing.assert_allclose(edges, [2.5, 8.5, 14.5, 18.5])


def test_timeline_shows_standard_errors_of_sampled_values() -> None:
    e = patient().over_time()
    errors = e.values.copy(data=np.full(e.values.shape, 0.25))
    sampled = Explanation(e._dataset.assign(standard_errors=errors))
    ax = plot_timeline(sampled)
    segments = np.array([s for c in ax.collections for s in c.get_segments()])  # type: ignore[attr-defined]
    np.testing.assert_allclose(segments[:, 1, 1] - segments[:, 0, 1], 0.5)
    np.testing.assert_allclose(segments[:, :, 1].mean(axis=1), e.values.values[0, :20])
    assert heading(ax)[1].endswith("thin lines: ± 1 standard error")
    low, high = ax.get_ylim()
    assert low < segments.min()
    assert high > segments[:, :, 1].max()
