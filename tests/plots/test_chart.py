"""The figures of the bedside: charts, reliability, and a sample before and after a change."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from lstm_explain import (
    SequenceData,
    plot_chart,
    plot_comparison,
    plot_heatmap,
    plot_reliability,
    plot_summary,
    plot_timeline,
)
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.plots.style import STYLE
from lstm_explain.wording import MINUS, NO_BREAK

NAN = float("nan")
LONG = "a variable with a name that goes on and on $ and on_1^2"
RANGES = pd.DataFrame(
    {"reference_low": [0.5, 60.0, NAN], "reference_high": [2.2, 100.0, NAN]},
    index=["lactate", "heart rate", "urine"],
)


def stays(**more: Any) -> SequenceData:
    """Make two stays of 6 and 4 hours, the first one with gaps that are easy to check."""
    lactate = [NAN, 1.0, NAN, NAN, 2.2, 3.5]
    rate = [90, 110, 55, 60, 100, 80]
    urine = [NAN] * 6
    first = np.array([lactate, rate, urine], float).T
    second = np.array([[1.0, 2.0, 1.5, 1.0], [70, 80, 90, 75], [30, 40, 50, 60]], float).T
    options: dict[str, Any] = {
        "feature_names": ["lactate", "heart rate", "urine"],
        "units": {"lactate": "mmol/L", "heart rate": "bpm", "urine": "mL"},
        "static": np.array([[67.0, NAN], [54.0, 180.0]]),
        "static_names": ["age", "height"],
        "missing": "keep",
        "ids": np.array([11, 12]),
        "name": "stay",
        **more,
    }
    data = SequenceData.from_arrays([first, second], [1, 0], **options)
    return replace(data, split=np.array(["train", "train"]), time_name="hours since admission")


def lines(ax: Axes) -> dict[str, np.ndarray]:
    """Return the points of the lines of a panel by their label; several of one name joined."""
    found: dict[str, np.ndarray] = {}
    for line in ax.lines:
        name, points = str(line.get_label()), np.asarray(line.get_xydata())
        found[name] = np.concatenate([found[name], points]) if name in found else points
    return found


def panel(ax: Axes, label: str) -> Axes:
    """Return the panel of the same figure that has a label."""
    return next(a for a in ax.get_figure(root=True).axes if a.get_label() == label)  # type: ignore[union-attr]


def words(text: str) -> str:
    """Return text on one line, with the minus and the space of a keyboard."""
    return " ".join(text.replace(NO_BREAK, " ").split()).replace(MINUS, "-").replace(r"\$", "$")


def written(ax: Axes) -> list[str]:
    """Return what stands in a panel."""
    return [words(text.get_text()) for text in ax.texts if text.get_text()]


def heading(ax: Axes) -> tuple[str, str]:
    """Return title and notes."""
    titled = next(a for a in ax.get_figure(root=True).axes if a.get_title(loc="left"))  # type: ignore[union-attr]
    return words(titled.get_title(loc="left")), " ".join(written(titled)[-1:])


def names_at_left(ax: Axes) -> list[str]:
    """Return the names of rows from top to bottom."""
    return [words(tick.get_text()) for tick in ax.get_yticklabels()]


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


# -- the chart -------------------------------------------------------------------------------------
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
        assert "dashed: carried forward" in heading(ax)[1]
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
    assert title in heading(ax)[0]
    marked = [line for line in panel(ax, "chart 1").lines if list(line.get_xdata()) == [at, at]]  # type: ignore[call-overload]
    assert len(marked) == (at is not None)


def test_chart_heading_has_the_static_facts() -> None:
    title, notes = heading(plot_chart(stays()[0], RANGES))
    assert title == (
        "stay 11, 6 hours: the last value of 1 of 2 variables is outside its reference range"
    )
    assert notes.startswith("age = 67 · height unknown · band: reference range")
    assert heading(plot_chart(stays()[0]))[0] == "stay 11, 6 hours"


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
    assert "4 hours" in heading(ax)[0]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"data": stays()}, ValueError, r"one sample in plot_chart; received 2\. Take one: data"),
        ({"data": 3}, TypeError, r"Expected a SequenceData .* received int\. Pass one sample"),
        ({"names": ["pH"]}, ValueError, r"Expected names among \['lactate'.*\['pH'\]\. Leave"),
        ({"names": []}, ValueError, r"Expected names among .*received \[\]"),
        ({"at": 6}, ValueError, r"at to be a step from 0 to 5.*received 6\. Leave it out"),
        ({"at": 1.5}, ValueError, r"in whole steps; received 1\.5"),
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


# -- reliability -----------------------------------------------------------------------------------
def bins(shift: float = 0.0, top: float = 0.3) -> pd.DataFrame:
    predicted = np.linspace(0.02, top, 5)
    observed = np.clip(predicted + shift, 0, 1)
    return pd.DataFrame(
        {
            "predicted": predicted,
            "observed": observed,
            "count": [40, 30, 20, 10, 10],
            "low": np.clip(observed - 0.05, 0, 1),
            "high": np.clip(observed + 0.05, 0, 1),
        }
    )


def test_reliability_draws_bins_intervals_and_counts() -> None:
    table = bins(0.04)
    ax = plot_reliability(table.sample(frac=1, random_state=0))
    drawn = lines(ax)
    np.testing.assert_allclose(drawn["_bins"], table[["predicted", "observed"]])
    np.testing.assert_allclose(drawn["_even"][:, 0], drawn["_even"][:, 1])
    segments = np.array(ax.collections[0].get_segments())  # type: ignore[attr-defined]
    np.testing.assert_allclose(segments[:, :, 1], table[["low", "high"]])
    np.testing.assert_allclose(segments[:, 0, 0], table["predicted"])
    sticks = np.array(panel(ax, "count 0").collections[0].get_segments())  # type: ignore[attr-defined]
    np.testing.assert_allclose(sticks[:, 1], table[["predicted", "count"]])
    assert panel(ax, "count 0").get_xlim() == ax.get_xlim()
    mean = np.average(table["predicted"], weights=table["count"])
    assert heading(ax)[0] == f"mean predicted {mean:.1%}, observed {mean + 0.04:.1%}".replace(
        "%", " %"
    )


@pytest.mark.parametrize(
    ("top", "least", "most"), [(0.3, 0.3, 0.45), (0.03, 0.07, 0.12), (0.95, 0.95, 1.05)]
)
def test_reliability_axes_end_near_the_data(top: float, least: float, most: float) -> None:
    ax = plot_reliability(bins(top=top))
    assert ax.get_xlim() == ax.get_ylim()  # the diagonal is one
    assert -0.02 <= ax.get_xlim()[0] <= 0
    assert least <= ax.get_xlim()[1] <= most
    ax.figure.canvas.draw()
    ticks = [words(tick.get_text()) for tick in ax.get_yticklabels()]
    assert len(set(ticks)) == len(ticks)
    for text, place in zip(ticks, ax.get_yticks(), strict=True):
        assert text.endswith(" %")
        assert float(text[:-2]) == pytest.approx(100 * place, abs=0.06)


def test_reliability_of_two_models_from_a_mapping_or_a_joined_table() -> None:
    tables = {"LSTM": bins(), "logistic regression": bins(0.1)}
    for given in (tables, pd.concat(tables)):
        ax = plot_reliability(given)
        drawn = lines(ax)
        for name, table in tables.items():
            np.testing.assert_allclose(drawn[name], table[["predicted", "observed"]])
        marks = {str(line.get_label()): line for line in ax.lines}
        first, second = (marks[name] for name in tables)
        assert first.get_marker() != second.get_marker()
        assert to_hex(first.get_color()) != to_hex(second.get_color())  # type: ignore[arg-type]
        legend = ax.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == list(tables)
        assert "LSTM: mean predicted" in heading(ax)[0]
        assert "logistic regression" in panel(ax, "count 1").get_ylabel()


def test_reliability_leaves_empty_bins_out() -> None:
    table = bins()
    table.loc[5] = [NAN, NAN, 0, NAN, NAN]
    np.testing.assert_allclose(
        lines(plot_reliability(table))["_bins"], bins()[["predicted", "observed"]]
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (bins().drop(columns="low"), r"columns \['predicted'.*received the columns \['pred"),
        (3, "received int. Pass what lx.models.reliability"),
        ({}, r"at least one table in plot_reliability; received none\. Pass"),
        ({"LSTM": bins()[:0]}, "table 'LSTM' with at least one bin .* received none"),
        (bins() * 100, r"shares from 0 to 1 in the table; received .* Divide percentages by 100"),
    ],
)
def test_reliability_refuses(table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_reliability(table)
    assert plt.get_fignums() == []


# -- before and after a change ---------------------------------------------------------------------
def pair(**more: Any) -> Explanation:
    """Make one patient before and after lactate was changed at steps 3 and 4 of 8."""
    rng = np.random.default_rng(1)
    features = more.get("names", ["heart rate", "lactate", "urine"])
    count = len(features)
    values = np.repeat(rng.normal(size=(1, 8, count)) * 0.1, 2, axis=0)
    values[1, :, 1] -= 0.2
    values[1, :, 0] += 0.01
    static = np.array([[0.3, -0.1], [0.3 + more.get("older", 0.0), -0.1]])
    data = np.repeat(rng.normal(100, 20, (1, 8, count)), 2, axis=0)
    data[:, 6, 2] = NAN
    data[1, 3:5, 1] = [1.0, NAN]
    base = np.full(2, -0.8)
    weights = rng.random((2, 8))
    record = {"method": "m", "scale": "margin", "background": "50 of 2118 stays", "step": "last"}
    arrays: dict[str, Any] = {
        "values": (("sample", "time", "feature"), values),
        "static_values": (("sample", "static_feature"), static),
        "base_values": ("sample", base),
        "predictions": ("sample", base + values.sum((1, 2)) + static.sum(axis=1)),
        "data": (("sample", "time", "feature"), data),
        "static_data": (
            ("sample", "static_feature"),
            np.array([[67.0, 1.0], [67.0 + 20 * bool(more.get("older")), 1.0]]),
        ),
        "static_unit": ("static_feature", np.array(["years", ""])),
        "mask": (("sample", "time"), np.ones((2, 8), bool)),
        "attention": (("sample", "time"), weights / weights.sum(axis=1, keepdims=True)),
        "output": ("sample", np.array(more.get("output", ["died", "died"]))),
        "unit": ("feature", np.array(["bpm", "mmol/L", *[""] * (count - 2)])),
        "ids": ("sample", np.array(more.get("ids", ["as recorded", "changed"]))),
    }
    coordinates = {
        "sample": [0, 1],
        "time": np.arange(8),
        "feature": features,
        "static_feature": ["age", "male"],
    }
    attributes = {
        "time_name": "hour",
        "target_unit": "log %²",
        "provenance": json.dumps({**record, **more.get("record", {})}),
    }
    return Explanation(xr.Dataset(arrays, coords=coordinates, attrs=attributes))


def test_comparison_shows_both_predictions_as_a_probability() -> None:
    e = pair()
    ax = plot_comparison(e)
    drawn, margins = lines(panel(ax, "prediction")), e.predictions.values
    chances = 1 / (1 + np.exp(-margins))
    np.testing.assert_allclose(drawn["as recorded"], [[chances[0], 0]])
    np.testing.assert_allclose(drawn["changed"], [[chances[1], 1]])
    assert names_at_left(panel(ax, "prediction")) == ["as recorded", "changed"]
    first, second = written(panel(ax, "prediction"))[:2]
    assert first == f"{100 * chances[0]:.0f} % (log-odds {margins[0]:.2f})"
    assert second == f"{100 * chances[1]:.0f} % (log-odds {margins[1]:.2f})"
    assert heading(ax)[0] == (
        "after the change, the predicted probability of died falls from "
        f"{100 * chances[0]:.0f} % to {100 * chances[1]:.0f} %"
    )


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ({"record": {"scale": "value"}}, "died [log %²] falls from"),
        ({"record": {"step": "sum"}}, "log-odds of died falls from"),
        ({"output": ["a-b", "a-b"]}, "log-odds of a-b falls from"),
        ({"ids": ["11", "12"]}, "11 against 12: the predicted probability of died falls"),
        ({"ids": ["7", "7"]}, "sample 0 against sample 1: the predicted probability of died"),
    ],
)
def test_comparison_says_what_it_compares(facts: dict[str, Any], title: str) -> None:
    e = pair(**facts)
    ax = plot_comparison(e)
    assert title in heading(ax)[0]
    if "probability" not in title:
        drawn = np.concatenate(list(lines(panel(ax, "prediction")).values()))
        np.testing.assert_allclose(drawn[:, 0], e.predictions)


def test_comparison_of_equal_predictions_says_so() -> None:
    e = pair()[[0, 0]]
    chance = 1 / (1 + np.exp(-e.predictions.values[0]))
    title = heading(plot_comparison(e))[0]
    assert title.endswith(
        f"the predicted probability of died stays at {chance:.1%}".replace("%", " %")
    )


def test_comparison_draws_sums_in_the_order_of_their_change() -> None:
    e = pair()
    ax = plot_comparison(e)
    assert names_at_left(ax) == [
        "lactate [mmol/L]", "heart rate [bpm]", "urine", "age = 67 years", "male = 1",
    ]  # fmt: skip
    sums = e.values.values.sum(axis=1)
    expected = np.concatenate([sums[:, [1, 0, 2]], e.static_values.values], axis=1)  # type: ignore[union-attr]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    for line, one in zip(dots, expected, strict=True):
        np.testing.assert_allclose(line.get_xdata(), one)
    bars = np.array(ax.collections[0].get_segments())  # type: ignore[attr-defined]
    np.testing.assert_allclose(bars[:, :, 0], expected.T)
    assert written(ax) == ["-1.60", "+0.08", "0.00", "0.00", "0.00"]
    blue, red = (to_hex(colour) for colour in ax.collections[0].get_color()[:2])  # type: ignore[attr-defined]
    assert (blue, red) == (STYLE.lowers, STYLE.raises)


def test_comparison_sums_the_others_so_that_changes_add_up() -> None:
    e = pair(older=0.05)
    ax = plot_comparison(e, max_features=1)
    assert names_at_left(ax) == ["lactate [mmol/L]", "other (4)"]
    dots = [np.asarray(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"]
    change = float(np.diff(e.predictions.values)[0])
    assert (dots[1] - dots[0]).sum() == pytest.approx(change)
    older = plot_comparison(e)
    assert "age = 67 → 87" in names_at_left(older)
    assert "facts that differ: age" in heading(older)[1]


def test_comparison_marks_where_the_data_differ() -> None:
    e = pair()
    ax = panel(plot_comparison(e), "time")
    (band,) = ax.patches  # steps 3 and 4, one of them now without a measurement; 6 has none in both
    corners = band.get_extents().transformed(ax.transData.inverted())
    assert (corners.x0, corners.x1) == pytest.approx((2.5, 4.5))
    drawn = lines(ax)
    assert e.attention is not None
    np.testing.assert_allclose(drawn["as recorded"][:, 1], e.attention.values[0])
    np.testing.assert_allclose(drawn["changed"][:, 1], e.attention.values[1])
    assert "shaded: other data in lactate" in heading(plot_comparison(e))[1]


def test_comparison_without_attention_shows_values_per_step() -> None:
    e = Explanation(pair().to_dataset().drop_vars("attention"))
    ax = panel(plot_comparison(e), "time")
    np.testing.assert_allclose(lines(ax)["changed"][:, 1], e.values.values[1].sum(axis=1))
    assert words(ax.get_ylabel()) == "SHAP value per step"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (lambda e: e[:1], ValueError, r"two samples in plot_comparison.*received 1\. Take two"),
        (lambda _: 3, TypeError, "Expected an Explanation in plot_comparison; received int"),
        (lambda e: e.over_time(), ValueError, "received values per time. Give an explanation"),
        (
            lambda _: pair(output=["died", "survived"]),
            ValueError,
            r"one output in plot_comparison; received \['died', 'survived'\]\. Name it: .*'died'",
        ),
    ],
)
def test_comparison_refuses(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_comparison(given(pair()))
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
    assert "dots: measured" in heading(ax)[1]


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
    assert "dots" not in heading(ax)[1]
    assert len(panel(ax, "data").lines) == 1


def test_gaps_in_the_data_are_bridged_by_a_lighter_line() -> None:
    ax = plot_heatmap(pair()[1], feature="urine")
    solid, dashed = panel(ax, "data").lines
    assert np.isnan(np.asarray(solid.get_ydata(), float)).sum() == 1
    np.testing.assert_array_equal(dashed.get_xdata(), [0, 1, 2, 3, 4, 5, 7])
    assert dashed.get_linewidth() < solid.get_linewidth()


# -- they can be read, and leave the rest alone ----------------------------------------------------
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
