"""The summary draws means over samples, aligned at their ends."""

from __future__ import annotations

import numpy as np
import pytest
from plots.figures import cells, cohort, heights, labels, panel, rows, widths

from lstm_explain import plot_summary
from lstm_explain.attribution.cohorts import overview
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.intervals import mean_interval
from lstm_explain.plots.style import SIZES


def test_summary_aligns_the_ends() -> None:
    """Against a slow count of each sample's steps back from its own last one."""
    lengths = [4, 12, 9, 12, 7]
    e = cohort(lengths)
    ax = plot_summary(e)
    assert rows(ax) == ["f1", "f2", "f0"]
    drawn = cells(ax)
    for back in range(12):
        long_enough = [s for s in range(5) if lengths[s] > back]
        for row, feature in enumerate([1, 2, 0]):
            sizes = [abs(e.values.values[s, lengths[s] - 1 - back, feature]) for s in long_enough]
            assert drawn[row, -1 - back] == pytest.approx(np.mean(sizes))
        assert heights(panel(ax, "samples"))[-1 - back] == len(long_enough)
    np.testing.assert_allclose(heights(panel(ax, "steps")), drawn.sum(axis=0))
    assert ax.get_xlim() == (-11.5, 0.5)
    texts = {t.get_text(): t.get_position()[0] for t in ax.get_xticklabels()}
    assert texts["0"] == 0
    assert all(int(text) == -x for text, x in texts.items())


def test_summary_of_left_padded_samples_aligns_them_too() -> None:
    e = cohort([3, 5])
    flipped = Explanation(e._dataset.isel(time=slice(None, None, -1)))
    right, left = overview(e), overview(flipped)
    np.testing.assert_array_equal(right.counts, left.counts)
    np.testing.assert_allclose(right.sums, left.sums)
    first_steps = np.abs(e.values.values[:, 0])
    np.testing.assert_allclose(left.cells[:, -1], first_steps.mean(axis=0))


def test_summary_bars_are_means_of_sums_with_an_interval() -> None:
    e = cohort([12] * 40)
    ax = plot_summary(e)
    assert "samples" not in labels(ax)  # all have the same length
    sums = np.abs(e.values.values).sum(axis=1)[:, [1, 2, 0]]
    beside = panel(ax, "sums")
    np.testing.assert_allclose(widths(beside), sums.mean(axis=0))
    np.testing.assert_allclose(widths(beside), cells(ax).sum(axis=1))
    ends = np.array([line[:, 0] for line in beside.collections[0].get_segments()])  # type: ignore[attr-defined]
    # Close to the interval of the normal distribution, which holds 95 % within 1.96 errors.
    error = sums.std(axis=0) / np.sqrt(40)
    np.testing.assert_allclose(np.diff(ends)[:, 0] / error, 2 * 1.96, rtol=0.06)
    np.testing.assert_allclose((ends.mean(axis=1) - sums.mean(axis=0)) / error, 0, atol=0.2)
    assert e.static_values is not None
    facts = np.abs(e.static_values.values).mean(axis=0)
    np.testing.assert_allclose(widths(panel(ax, "static sums")), np.sort(facts)[::-1])
    assert set(rows(panel(ax, "static"))) == {"age [years]", "male"}


def test_summary_bars_of_sizes_end_at_0() -> None:
    """Of a sample far from the others, Student's t of two would reach below."""
    dataset = cohort([12] * 3).to_dataset()
    dataset["values"].values[:2] *= 1e-3
    beside = panel(plot_summary(Explanation(dataset)), "sums")
    segments = np.array(beside.collections[0].get_segments())  # type: ignore[attr-defined]
    assert (segments[:, 0, 0] == 0).all()


def test_summary_draws_samples_of_one_id_together() -> None:
    """Four copies of each sample tell no more than one."""
    e = cohort([12] * 9)
    copies = np.repeat(np.arange(9), 4)

    def ends(rows: np.ndarray) -> np.ndarray:
        dataset = e[rows].to_dataset().assign(ids=("sample", rows.astype(str)))
        beside = panel(plot_summary(Explanation(dataset)), "sums")
        return np.array(beside.collections[0].get_segments())  # type: ignore[attr-defined]

    np.testing.assert_allclose(ends(copies), ends(np.arange(9)))


def test_summary_sums_other_features_of_each_sample() -> None:
    e = cohort([12] * 6)
    ax = plot_summary(e, max_features=1)
    assert rows(ax) == ["f1", "other (2)"]
    others = np.abs(e.values.values[:, :, [0, 2]])
    np.testing.assert_allclose(cells(ax)[1], others.sum(axis=2).mean(axis=0))
    np.testing.assert_allclose(widths(panel(ax, "sums"))[1], others.sum(axis=(1, 2)).mean())


def test_summary_leaves_out_steps_that_hardly_any_sample_has() -> None:
    e = cohort([12] + [8] * 39)
    ax = plot_summary(e)
    assert cells(ax).shape == (3, 8)
    assert ax.get_xlabel() == (
        "steps before the end (earlier ones, rare in these samples: 4 left out)"
    )


def test_summary_colours_begin_with_white_at_zero() -> None:
    mesh = plot_summary(cohort([12] * 3)).collections[0]
    assert mesh.get_clim() == (0, cells(mesh.axes).max())  # type: ignore[arg-type]
    assert SIZES(0.0)[:3] == (1, 1, 1)


def test_bootstrap_interval_of_one_sample_is_the_sample() -> None:
    low, high = mean_interval(np.array([[2.0, 3.0]]))
    np.testing.assert_array_equal(low, [2.0, 3.0])
    np.testing.assert_array_equal(high, low)
