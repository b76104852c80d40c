"""The chart draws what was measured, with its range and the facts that do not change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from plots.figures import NAN, RANGES, lines, panel, stays, title_and_note, written

from lstm_explain import SequenceData, plot_chart
from lstm_explain.plots.style import STYLE


@pytest.mark.parametrize("prepared", [False, True])
def test_chart_draws_what_was_measured(prepared: bool) -> None:
    data = stays()
    shown = data.fill_missing(indicators=True).standardise() if prepared else data
    if prepared:
        assert np.nanmax(np.abs(shown.values[0, :, :3] - data.values[0])) > 1  # another scale
    ax = plot_chart(shown[0], RANGES, names=["lactate", "heart rate"])
    top, second = lines(panel(ax, "chart 0")), lines(panel(ax, "chart 1"))
    np.testing.assert_allclose(top["inside"], [[1, 1.0], [4, 2.2]], rtol=1e-5)
    np.testing.assert_allclose(top["above"], [[5, 3.5]], rtol=1e-5)
    assert len(top["below"]) == 0
    np.testing.assert_allclose(second["above"], [[1, 110]], rtol=1e-5)
    np.testing.assert_allclose(second["below"], [[2, 55]], rtol=1e-5)
    np.testing.assert_allclose(second["inside"], [[0, 90], [3, 60], [4, 100], [5, 80]], rtol=1e-5)
    if prepared:  # held from the last measurement to just before the next one
        np.testing.assert_allclose(top["carried forward"], [[1, 1], [2, 1], [3, 1]], rtol=1e-5)
        assert "dashed: carried forward" in title_and_note(ax)[1]
    else:
        np.testing.assert_allclose(top["between"], [[1, 1.0], [4, 2.2], [5, 3.5]], rtol=1e-6)
    assert set(second) == {"measured", "inside", "above", "below"}


def test_chart_marks_by_shape_and_not_only_by_colour() -> None:
    ax = plot_chart(stays()[0], RANGES, names=["heart rate"])
    marks = {str(line.get_label()): line for line in panel(ax, "chart 0").lines}
    assert [marks[name].get_marker() for name in ("inside", "above", "below")] == ["o", "^", "v"]
    assert marks["above"].get_color() == STYLE.outside != marks["inside"].get_color()
    bare = lines(plot_chart(stays()[0], names=["heart rate"]))
    assert len(bare["inside"]) == 6  # nothing is outside of no range


def test_chart_shows_the_range_as_a_band() -> None:
    ax = plot_chart(stays()[0], RANGES, names=["lactate", "urine"])
    (band,) = panel(ax, "chart 0").patches
    corners = band.get_extents().transformed(panel(ax, "chart 0").transData.inverted())
    assert (corners.y0, corners.y1) == pytest.approx((0.5, 2.2))
    assert len(panel(ax, "chart 1").patches) == 0
    low, high = panel(ax, "chart 0").get_ylim()
    assert low < 0.5
    assert high > 3.5


@pytest.mark.parametrize(
    ("at", "texts", "title"),
    [
        (None, [["3.5", "mmol/L"], ["80", "bpm"], ["not measured"]], "the last value of 1 of 2"),
        (4, [["2.2", "mmol/L"], ["100", "bpm"], ["not measured"]], "at step 5 the last value of 0"),
        (2, [["1", "mmol/L"], ["55", "bpm"], ["not measured"]], "at step 3 the last value of 1"),
        (0, [["not measured"], ["90", "bpm"], ["not measured"]], "the last value of 0 of 1"),
    ],
)
def test_chart_writes_the_last_values(at: int | None, texts: list[list[str]], title: str) -> None:
    data = replace(stays()[0], time_name="step")
    ax = plot_chart(data, RANGES, names=["lactate", "heart rate", "urine"], at=at)
    assert [written(panel(ax, f"last {row}")) for row in range(3)] == texts
    assert title in title_and_note(ax)[0]
    marked = [line for line in panel(ax, "chart 1").lines if list(line.get_xdata()) == [at, at]]  # type: ignore[call-overload]
    assert len(marked) == (at is not None)


def test_chart_heading_has_the_static_facts() -> None:
    title, notes = title_and_note(plot_chart(stays()[0], RANGES))
    assert title == (
        "stay 11, 6 hours: the last value of 1 of 2 variables is outside its reference range"
    )
    assert notes.startswith("age = 67 · height unknown · band: reference range")
    assert title_and_note(plot_chart(stays()[0]))[0] == "stay 11, 6 hours"


def test_chart_without_names_shows_what_was_measured_most_often() -> None:
    rng = np.random.default_rng(0)
    chart = rng.normal(size=(1, 20, 12))
    for position in range(12):
        chart[0, : 20 - (20 - position if position < 11 else 0), position] = NAN
    names = [f"v{position}" for position in range(12)]
    data = SequenceData.from_arrays(chart, feature_names=names, missing="keep")
    ax = plot_chart(data)
    shown = [panel(ax, f"chart {row}").get_ylabel() for row in range(9)]
    assert shown == names[:9]  # v11 was never measured, v9 and v10 least often
    nothing = plot_chart(replace(data, values=np.full_like(data.values, NAN)))
    assert written(panel(nothing, "last 0")) == ["not measured"]


def test_chart_of_padded_sample_ends_with_its_last_hour() -> None:
    ax = plot_chart(stays()[1], RANGES)
    assert len(lines(panel(ax, "chart 0"))["measured"]) == 4
    assert ax.get_xlim() == (-0.7, 3.7)
    assert "4 hours" in title_and_note(ax)[0]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"data": stays()}, ValueError, r"one sample in plot_chart; received 2\. Take one: data"),
        ({"data": 3}, TypeError, r"Expected a SequenceData .* received int\. Pass one sample"),
        ({"names": ["pH"]}, ValueError, r"Expected names among \['lactate'.*\['pH'\]\. Leave"),
        ({"names": []}, ValueError, r"Expected names among .*received \[\]"),
        ({"at": 6}, ValueError, r"at to be a whole number from 0 to 5; received 6\. Leave it out"),
        ({"at": 1.5}, ValueError, r"from 0 to 5; received 1\.5"),
        (
            {"ranges": {"lactate": 1}},
            ValueError,
            r"Expected ranges with the columns.*received dict",
        ),
        ({"ranges": RANGES[["reference_low"]]}, ValueError, r"received the columns \['reference_l"),
        ({"ranges": RANGES.iloc[[0, 0]]}, ValueError, "received several of 'lactate'"),
    ],
)
def test_chart_refuses(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_chart(**{"data": stays()[0], **options})
    assert plt.get_fignums() == []


def test_what_changes_at_a_high_level_is_written() -> None:
    """The last value, the ticks, the hour of a midnight: each is told from its neighbours."""
    hours = np.datetime64("2024-01-01T22", "h") + np.arange(5)
    prices = np.array([20034.9, 20035.1, 20034.7, 20035.0, 20035.25]).reshape(1, 5, 1)
    data = SequenceData.from_arrays(prices, times=hours[None].astype("M8[ns]"))
    ax = plot_chart(
        data,
        pd.DataFrame({"reference_low": 20034.8, "reference_high": 20035.2}, ["feature 0"]),
        at=2,
    )
    assert written(panel(ax, "last 0")) == ["20034.7"]
    assert "at 2024-01-02 00:00 the last value of 1 of 1" in title_and_note(ax)[0]
    assert written(panel(plot_chart(data), "last 0")) == ["20035.25"]
    ax.figure.canvas.draw()
    ticks = [tick.get_text() for tick in panel(ax, "chart 0").get_yticklabels()]
    assert len(set(ticks)) == len(ticks) >= 2
    assert all(tick.startswith("2003") for tick in ticks)


def test_a_range_of_small_numbers_has_an_outside() -> None:
    data = SequenceData.from_arrays(np.array([[[5e-9], [2e-8]]]), feature_names=["variance"])
    ranges = pd.DataFrame({"reference_low": [1e-8], "reference_high": [1.5e-8]}, ["variance"])
    drawn = lines(panel(plot_chart(data, ranges), "chart 0"))
    assert (len(drawn["below"]), len(drawn["inside"]), len(drawn["above"])) == (1, 0, 1)
