"""The heat map draws the values, in the order of their importance, over their own steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb
from plots.figures import (
    cells,
    explanation,
    heights,
    labels,
    names_at_left,
    pair,
    panel,
    patient,
    rows,
    title_and_note,
    widths,
    words,
)

from lstm_explain import plot_heatmap, plot_summary, plot_timeline
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.plots.style import SIGNED, STYLE
from lstm_explain.wording import MINUS


# -- the heat map ----------------------------------------------------------------------------------
def test_heatmap_draws_the_values_in_the_order_of_importance() -> None:
    e = patient()
    ax = plot_heatmap(e)
    assert rows(ax) == ["heart rate [1/min]", "temperature [°C]", "SpO2 [%]"]
    np.testing.assert_array_equal(cells(ax), e.values.values[0, :20][:, [1, 2, 0]].T)
    assert not np.ma.is_masked(cells(ax))


def test_heatmap_leaves_padded_steps_out_on_both_sides() -> None:
    mask = [[False] * 5 + [True] * 10 + [False] * 3]
    e = explanation(np.ones((1, 18, 2)), mask)
    ax = plot_heatmap(e)
    assert cells(ax).shape == (2, 10)
    assert ax.get_xlim() == (-0.5, 9.5)
    assert len(heights(panel(ax, "attention"))) == 10
    assert ax.get_xticklabels()[0].get_text() == "6"  # counted from 1 in its own positions


def test_heatmap_hides_padding_between_real_steps() -> None:
    mask = np.array([[True, True, False, True]])
    drawn = cells(plot_heatmap(explanation(np.ones((1, 4, 2)), mask)))
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), ~np.tile(mask, (2, 1)))
    assert SIGNED.get_bad()[:3] == pytest.approx(to_rgb(STYLE.padding))


def test_heatmap_sums_the_less_important_features() -> None:
    values = np.arange(1.0, 7.0)[None, None, :] * np.array([1.0, -1.0])[None, :, None]
    e = explanation(values)
    ax = plot_heatmap(e, max_features=3)
    assert rows(ax) == ["f5", "f4", "f3", "other (3)"]
    np.testing.assert_array_equal(cells(ax), [[6, -6], [5, -5], [4, -4], [6, -6]])
    # One feature too many has its own row: "other (1)" would take the same place.
    assert rows(plot_heatmap(e, max_features=5)) == ["f5", "f4", "f3", "f2", "f1", "f0"]


def test_heatmap_colours_are_centred_on_zero() -> None:
    e = patient()
    mesh = plot_heatmap(e).collections[0]
    largest = np.abs(e.values.values).max()
    assert mesh.get_clim() == (-largest, largest)
    assert SIGNED(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)
    blue, red = np.array(SIGNED(0.2)), np.array(SIGNED(0.8))
    assert red[0] > red[2]
    assert blue[2] > blue[0]


def test_colours_stay_apart_without_red_or_green() -> None:
    """Project on what a deuteranope and a protanope see (Machado et al. 2009, severity 1)."""
    sees = {
        "deuteranope": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "protanope": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    }
    lightness = [0.2126, 0.7152, 0.0722]
    for strength in (0.1, 0.2, 0.35, 0.5):
        pair = np.array([SIGNED(0.5 - strength)[:3], SIGNED(0.5 + strength)[:3]])
        linear = pair**2.2
        assert np.ptp((linear @ lightness) ** (1 / 2.4)) < 0.12  # neither side looks stronger
        for name, matrix in sees.items():
            seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
            assert np.abs(np.diff(seen, axis=0)).max() > 0.1, (name, strength)


def test_marked_cells_are_framed_where_the_reader_sees_them() -> None:
    e, marked = patient(), np.zeros((24, 3), bool)
    marked[2:5, 0] = marked[7, 0] = marked[18:24, 1] = True  # the last four are padding
    ax = plot_heatmap(e, marked=marked)
    frames = [patch.get_bbox().bounds for patch in ax.patches]  # type: ignore[attr-defined]
    of = {name: row - 0.5 for row, name in enumerate(rows(ax))}
    rate, oxygen = of["heart rate [1/min]"], of["SpO2 [%]"]
    assert frames == [(17.5, rate, 2, 1), (1.5, oxygen, 3, 1), (6.5, oxygen, 1, 1)]
    assert "framed: marked cells" in title_and_note(ax)[1]
    assert not plot_heatmap(e).patches
    # What is summed into one row is no cell of one feature.
    assert not plot_heatmap(e, marked=marked[:, [2, 2, 0]], max_features=1).patches
    for wrong in (marked[:20], marked.astype(int)):
        with pytest.raises(
            ValueError, match=r"Expected marked to be a bool array \(time, feature\)"
        ):
            plot_heatmap(e, marked=wrong)


def test_heatmap_limit_compares_figures_and_marks_what_is_beyond() -> None:
    e = patient()
    ax = plot_heatmap(e, limit=0.25)
    assert ax.collections[0].get_clim() == (-0.25, 0.25)
    bar = panel(ax, "colours")
    assert [t.get_text() for t in bar.get_xticklabels()] == [f"{MINUS}0.25", "0", "0.25"]
    assert ax.collections[0].colorbar.extend == "both"  # type: ignore[union-attr]
    assert plot_heatmap(e, limit=100.0).collections[0].colorbar.extend == "neither"  # type: ignore[union-attr]


def test_heatmap_bars_are_sums_over_time() -> None:
    e = patient()
    ax = plot_heatmap(e)
    sums = e.over_features().values.values[0, [1, 2, 0]]
    np.testing.assert_allclose(widths(panel(ax, "sums")), sums)
    np.testing.assert_allclose(widths(panel(ax, "static sums")), [-0.8, 0.3])
    for name in ("sums", "static sums"):
        for bar in panel(ax, name).patches:
            side = STYLE.raises if bar.get_width() > 0 else STYLE.lowers  # type: ignore[attr-defined]
            assert to_rgb(bar.get_facecolor()) == pytest.approx(to_rgb(side))
    numbers = [text.get_text() for text in panel(ax, "static sums").texts]
    assert numbers == [f"{MINUS}0.80", "+0.30"]
    # One scale, so that facts and features compare.
    assert panel(ax, "sums").get_xlim() == panel(ax, "static sums").get_xlim()
    assert rows(panel(ax, "static")) == ["male = 1", "age = 67 years"]


def test_heatmap_shows_data_and_attention_on_the_same_time_axis() -> None:
    e = patient()
    ax = plot_heatmap(e)
    top, strip = panel(ax, "data"), panel(ax, "attention")
    np.testing.assert_array_equal(top.lines[0].get_ydata(), e.data.values[0, :20, 1])
    assert top.get_ylabel() == "heart rate [1/min]"
    assert e.attention is not None
    np.testing.assert_allclose(heights(strip), e.attention.values[0, :20])
    assert words(strip.get_ylabel()).startswith("attention (where it looked)")
    np.testing.assert_allclose(strip.lines[0].get_ydata(), 1 / 20)
    assert top.get_xlim() == strip.get_xlim() == ax.get_xlim()
    other = plot_heatmap(e, feature="temperature")
    assert panel(other, "data").get_ylabel() == "temperature [°C]"
    np.testing.assert_array_equal(
        panel(other, "data").lines[0].get_ydata(), e.data.values[0, :20, 2]
    )


def test_panels_that_have_nothing_to_say_are_absent() -> None:
    bare = explanation(np.ones((1, 4, 2)), attention=False)
    assert labels(plot_heatmap(bare)) == {"map", "data", "sums", "corner"}
    assert labels(plot_timeline(bare)) == {"values"}
    assert labels(plot_summary(bare)) == {"map", "steps", "sums", "corner"}


def test_heatmap_of_windows_draws_each_over_its_steps() -> None:
    e = patient()
    ax = plot_heatmap(e.over_windows(6))
    np.testing.assert_allclose(
        cells(ax)[0], [e.values.values[0, a : a + 6, 1].sum() for a in (0, 6, 12, 18)]
    )
    # The last window holds two real steps; the data above still has one point per step.
    corners = ax.collections[0].get_coordinates()  # type: ignore[attr-defined]
    np.testing.assert_allclose(corners[0, :, 0], [-0.5, 5.5, 11.5, 17.5, 19.5])
    assert len(panel(ax, "data").lines[0].get_ydata()) == 20  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature": "pH"}, r"one of \['SpO2', .*received 'pH'"),
        ({"limit": 0.0}, "limit to be a finite number above 0; received 0.0"),
        ({"limit": float("nan")}, "limit to be a finite number above 0; received nan"),
        ({"max_features": 0}, "max_features to be a whole number"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_heatmap(patient(), **options)
    assert plt.get_fignums() == []


# -- variables with gaps in the other figures ------------------------------------------------------
def test_heatmap_dots_mark_the_measured_cells() -> None:
    e = pair()[1]
    ax = plot_heatmap(e)
    dots = next(c for c in ax.collections if c.get_label() == "measured")
    drawn = {tuple(point) for point in np.asarray(dots.get_offsets()).tolist()}
    order = [names_at_left(ax).index(f"{n} [{u}]".replace(" []", "")) for n, u in
             zip(e.feature_names, e.units, strict=True)]  # fmt: skip
    measured = ~np.isnan(e.data.values[0])
    expected = {(float(t), float(order[f])) for t, f in np.argwhere(measured)}
    assert drawn == expected
    assert len(expected) == 8 * 3 - 2
    assert "dots: measured" in title_and_note(ax)[1]


def test_heatmap_dots_are_light_on_dark_cells_and_follow_the_steps_of_windows() -> None:
    e = pair()[1]
    ax = plot_heatmap(e.over_windows(4))
    dots = next(c for c in ax.collections if c.get_label() == "measured")
    colours = {to_hex(c) for c in dots.get_facecolor()}  # type: ignore[attr-defined]
    assert colours == {"#ffffff", STYLE.dot}
    cells = np.abs(np.asarray(ax.collections[0].get_array()))
    limit = ax.collections[0].get_clim()[1]
    for (step, row), colour in zip(
        np.asarray(dots.get_offsets()),
        dots.get_facecolor(),
        strict=True,  # type: ignore[attr-defined]
    ):
        strong = cells[int(row), int(step) // 4] > 0.6 * limit
        assert (to_hex(colour) == "#ffffff") == strong


def test_figures_of_complete_data_have_no_dots() -> None:
    dataset = pair().to_dataset()
    whole = Explanation(dataset.assign(data=dataset["data"].fillna(1.0)))[1]
    ax = plot_heatmap(whole)
    assert not [c for c in ax.collections if c.get_label() == "measured"]
    assert "dots" not in title_and_note(ax)[1]
    assert len(panel(ax, "data").lines) == 1


def test_gaps_in_the_data_are_bridged_by_a_lighter_line() -> None:
    ax = plot_heatmap(pair()[1], feature="urine")
    solid, dashed = panel(ax, "data").lines
    assert np.isnan(np.asarray(solid.get_ydata(), float)).sum() == 1
    np.testing.assert_array_equal(dashed.get_xdata(), [0, 1, 2, 3, 4, 5, 7])
    assert dashed.get_linewidth() < solid.get_linewidth()


def test_heatmap_hatches_what_is_not_stable() -> None:
    """Of rows that are summed the members' sums count; padding is not hatched."""
    values = np.array([[[2.0, 1.0, 0.5, 0.4], [1.0, -1.0, 0.2, -0.2], [0.0] * 4]])
    e = explanation(values, [[True, True, False]], record={"members": 3})
    each = np.stack([values * factor for factor in (0.99, 1.0, 1.01)], axis=-1)
    each[0, 0, 1] = [-1.0, 1.0, 3.0]
    each[0, 1, 2] = [0.4, -0.5, 0.7]  # hidden by the sum of two: it stays positive
    each[0, 1, 3] = [-0.3, 0.7, -0.6]
    dataset = e.to_dataset().assign(member_values=((*e.values.dims, "member"), each))
    ax = plot_heatmap(Explanation(dataset), hatch_unstable=True, max_features=2)
    assert rows(ax) == ["f0", "f1", "other (2)"]
    places = {(p.get_x(), p.get_y(), p.get_width()) for p in ax.patches if p.get_hatch()}
    assert places == {(-0.5, 0.5, 1.0), (0.5, 1.5, 1.0)}
    assert "hatched: not stable" in title_and_note(ax)[1]
    assert not [p for p in plot_heatmap(Explanation(dataset)).patches if p.get_hatch()]
    with pytest.raises(ValueError, match=r"Expected an explanation of several models"):
        plot_heatmap(e, hatch_unstable=True)
