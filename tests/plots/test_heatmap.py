"""The figures: what is drawn is what the explanation says, and everything can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from lstm_explain import plot_heatmap, plot_history, plot_summary, plot_timeline
from lstm_explain.attribution.cohorts import overview
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.intervals import mean_interval
from lstm_explain.plots.style import SIGNED, SIZES, STYLE
from lstm_explain.plots.time_axis import step_ticks
from lstm_explain.wording import MINUS, decimals

PLOTS: list[Callable[..., Axes]] = [plot_heatmap, plot_timeline, plot_summary]
each_plot = pytest.mark.parametrize("plot", PLOTS)
TRADING_DAYS = pd.bdate_range("2010-07-06", periods=500, holidays=["2010-09-06"], freq="C")


def explanation(values: Any, mask: Any = None, **more: Any) -> Explanation:
    """Make an explanation around values (sample, time, feature), with 0 on padded steps."""
    values = np.asarray(values, float)
    count, steps, features = values.shape
    mask = np.ones((count, steps), bool) if mask is None else np.asarray(mask)
    values = values * mask[..., None]
    rng = np.random.default_rng(7)
    cell, step = ("sample", "time", "feature"), ("sample", "time")
    static = more.get("static")
    base = np.full(count, more.get("base", -0.5))
    total = values.sum((1, 2)) + (0 if static is None else np.sum(static, axis=1))
    data = np.where(mask[..., None], rng.normal(100, 20, values.shape), np.nan)
    arrays: dict[str, Any] = {
        "values": (cell, values),
        "base_values": ("sample", base),
        "predictions": ("sample", base + total + more.get("gap", 0.0)),
        "data": (cell, data),
        "mask": (step, mask),
        "output": ("sample", np.resize(np.array(more.get("output", "died")), count)),
        "unit": ("feature", np.array(more.get("units", [""] * features))),
    }
    coordinates: dict[str, Any] = {
        "sample": np.arange(count),
        "time": np.arange(steps),
        "feature": more.get("names", [f"f{i}" for i in range(features)]),
    }
    if static is not None:
        facts = ("sample", "static_feature")
        arrays["static_values"] = (facts, np.asarray(static))
        arrays["static_data"] = (facts, np.asarray(more["static_data"]))
        arrays["static_unit"] = ("static_feature", np.array(more["static_units"]))
        coordinates["static_feature"] = more["static_names"]
    if more.get("attention", True):
        weights = rng.random((count, steps)) * mask
        arrays["attention"] = (step, weights / weights.sum(axis=1, keepdims=True))
        arrays["attention_contribution"] = (step, rng.normal(size=(count, steps)) * mask)
    if "times" in more:
        arrays["times"] = (step, np.tile(np.asarray(more["times"]), (count, 1)))
    for name in ("ids", "target"):
        if name in more:
            arrays[name] = ("sample", np.array(more[name]))
    record = {
        "method": "expected gradients",
        "scale": more.get("scale", "margin"),
        "background": more.get("background", "100 of 2118 train sequences"),
        "data": "icu",
    }
    attributes = {
        "time_name": more.get("time_name", "step"),
        "target_unit": more.get("target_unit", ""),
        "provenance": json.dumps(record),
    }
    return Explanation(xr.Dataset(arrays, coords=coordinates, attrs=attributes))


def patient(**more: Any) -> Explanation:
    """Make one padded sample with static facts: 3 variables over 20 of 24 hours."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(1, 24, 3)) * [0.1, 1.0, 0.4]
    facts: dict[str, Any] = {
        "names": ["SpO2", "heart rate", "temperature"],
        "units": ["%", "1/min", "°C"],
        "static": [[0.3, -0.8]],
        "static_data": [[67.0, 1.0]],
        "static_names": ["age", "male"],
        "static_units": ["years", ""],
        "times": np.arange(24.0),
        "time_name": "hour",
        "ids": ["132539"],
        "target": ["survived"],
    }
    return explanation(values, [np.arange(24) < 20], **{**facts, **more})


def panel(ax: Axes, label: str) -> Axes:
    """Return the panel of the same figure that has a label."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    children = [child for axes in figure.axes for child in axes.child_axes]
    found = [axes for axes in [*figure.axes, *children] if axes.get_label() == label]
    assert len(found) == 1, f"{len(found)} panels are called {label!r}"
    return found[0]


def labels(ax: Axes) -> set[object]:
    """Return the labels of all panels of a figure."""
    return {axes.get_label() for axes in ax.figure.axes}


def heights(ax: Axes) -> np.ndarray:
    """Return the heights of upright bars, from left to right."""
    return np.array([bar.get_height() for bar in ax.patches])  # type: ignore[attr-defined]


def widths(ax: Axes) -> np.ndarray:
    """Return the signed lengths of lying bars, from top to bottom."""
    return np.array([bar.get_width() for bar in ax.patches])  # type: ignore[attr-defined]


def cells(ax: Axes) -> np.ma.MaskedArray:
    """Return the array that a map draws, (row, column), the first row on top."""
    return np.ma.asarray(ax.collections[0].get_array())


def rows(ax: Axes) -> list[str]:
    """Return the names of a map's rows from top to bottom, as they are drawn."""
    low, high = ax.get_ylim()
    assert low > high, "the first row stands on top"
    return [tick.get_text() for tick in ax.get_yticklabels()]


def heading(ax: Axes) -> tuple[str, str]:
    """Return title and notes of the figure, each on one line."""
    titled = next(a for a in ax.figure.axes if a.get_title(loc="left"))
    notes = next(t for t in titled.texts if t.get_text().count("absent ="))
    return words(titled.get_title(loc="left")), words(notes.get_text())


def words(text: str) -> str:
    """Return a label without its line breaks, with the minus of a keyboard."""
    return " ".join(text.split()).replace(MINUS, "-")


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


# -- what the numbers are of -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"scale": "margin"}, "log-odds of died"),
        ({"scale": "probability", "output": "output 2"}, "probability of output 2"),
        (
            {"scale": "value", "output": "volatility", "target_unit": "log %²"},
            "volatility [log %²]",
        ),
        ({"scale": "margin", "output": "died-survived"}, "log-odds of died-survived"),
    ],
)
def test_figures_say_what_the_numbers_are_of(facts: dict[str, Any], name: str) -> None:
    e = patient(**facts)
    heat, time, whole = plot_heatmap(e), plot_timeline(e), plot_summary(e)
    assert words(panel(heat, "colours").get_xlabel()) == f"SHAP value ({name})"
    assert words(time.get_ylabel()) == f"SHAP value per step ({name})"
    assert words(panel(whole, "colours").get_xlabel()) == f"mean |SHAP value| ({name})"
    for ax in (heat, time, whole):
        assert heading(ax)[0].startswith(f"{name}: ")


@pytest.mark.parametrize("plot", [plot_heatmap, plot_timeline])
def test_heading_adds_up_and_names_the_background(plot: Callable[..., Axes]) -> None:
    e = explanation(np.full((1, 2, 1), 0.6), base=-2.0, target=["died"], ids=["7"])
    assert heading(plot(e)) == (
        "log-odds of died: prediction -0.80 = base value -2.00 + SHAP values +1.20",
        "icu 7 · true class: died · absent = 100 of 2,118 train sequences",
    )
    e = explanation(np.full((3, 2, 1), 0.6), target=[0.1, 0.2, -3.0], gap=0.25)[2]
    assert heading(plot(e)) == (
        "log-odds of died: prediction 0.95 = base value -0.50 + SHAP values +1.20 + gap +0.25",
        "icu sample 2 · true value -3.00 · absent = 100 of 2,118 train sequences",
    )


def test_heading_of_the_summary() -> None:
    e = explanation(np.ones((12, 2, 1)), output=["a", "b"], background="mean of 900 sequences")
    title, notes = heading(plot_summary(e))
    assert title == "log-odds of each predicted class: mean |SHAP value| over 12 samples"
    assert notes == "icu · absent = mean of 900 sequences · lines on bars: 95 % bootstrap interval"


def test_which_side_is_which_is_written() -> None:
    e = patient()
    sides = [text.get_text() for text in panel(plot_heatmap(e), "colours").texts]
    assert sides == ["lowers", "raises"]
    up, down = plot_timeline(e).texts[:2]
    assert up.get_text() == r"$\uparrow$ raises the prediction"
    assert down.get_text() == r"$\downarrow$ lowers it"
    assert up.get_position()[1] > down.get_position()[1]


@pytest.mark.parametrize(
    ("size", "places"), [(123.4, 1), (1.234, 2), (0.1234, 2), (0.001234, 4), (1e-12, 6), (0.0, 2)]
)
def test_decimals_follow_the_size(size: float, places: int) -> None:
    assert decimals(size) == decimals(-size) == places


# -- time axis -------------------------------------------------------------------------------------
FORMATS = ("%d %b %Y", "%b %Y", "%Y", "%H:%M %d %b", "%H:%M:%S %d %b")


def read_dates(texts: list[str], like: np.ndarray) -> list[pd.Timestamp]:
    """Read date labels as a person does: what stands below holds until it changes."""
    dates, below = [], ""
    for text in texts:
        upper, _, lower = text.partition("\n")
        below = lower or below
        whole = f"{upper} {below}".strip()
        for form in FORMATS:
            try:
                date = pd.to_datetime(whole, format=form)
            except ValueError:
                continue
            dates.append(
                date if date.year > 1900 else date.replace(year=pd.Timestamp(like[0]).year)
            )
            break
        else:
            raise AssertionError(f"{text!r} is no date")
    return dates


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (TRADING_DAYS[:60], "D"),
        (TRADING_DAYS[:5], "D"),
        (TRADING_DAYS[:1], "D"),
        (TRADING_DAYS[:250], "M"),
        (TRADING_DAYS, "M"),
        (pd.date_range("1999-03-05", periods=4000, freq="D"), "Y"),
        (pd.date_range("2011-01-01", periods=60, freq="MS"), "Y"),
        (pd.date_range("2011-05-01 07:00", periods=48, freq="h"), "m"),
        (pd.date_range("2011-05-01 07:13", periods=90, freq="min"), "m"),
        (pd.date_range("2011-05-01 07:13", periods=90, freq="s"), "s"),
    ],
)
def test_labels_are_the_dates_of_their_steps(times: pd.DatetimeIndex, unit: str) -> None:
    positions, texts = step_ticks(times.values)
    assert len(positions) == len(texts) == len(set(positions.tolist()))
    assert min(3, len(times)) <= len(texts) <= 9
    truth = times.values[positions].astype(f"datetime64[{unit}]")
    read = np.array(read_dates(texts, times.values), "datetime64[s]")
    np.testing.assert_array_equal(read.astype(truth.dtype), truth)


def test_a_week_begins_with_its_first_trading_day() -> None:
    """6 September 2010 was Labor Day: the label stands at Tuesday the 7th, and says so."""
    positions, texts = step_ticks(TRADING_DAYS[:60].values)
    assert texts == ["12 Jul\n2010", "26 Jul", "9 Aug", "23 Aug", "7 Sep", "20 Sep"]
    assert [f"{day:%a}" for day in TRADING_DAYS[positions]] == ["Mon"] * 4 + ["Tue", "Mon"]


@pytest.mark.parametrize(
    ("times", "name", "texts"),
    [
        (np.arange(48.0), "hour", "0 6 12 18 24 30 36 42"),
        (np.arange(20.0), "hour in the ICU", "0 3 6 9 12 15 18"),
        (np.arange(1, 61), "step", "10 20 30 40 50 60"),
        (np.arange(-20, 0), "day", "-20 -15 -10 -5"),
        (np.arange(9) / 2, "hours", "0 1 2 3 4"),
        (np.array([1.0, 2.5, 7.25]), "hour", "1 2.5 7.25"),
        # Irregular: evenly back from the last step, each with its own number.
        (np.arange(20.0) ** 2, "s", "1 16 49 100 169 256 361"),
    ],
)
def test_numbers_on_the_time_axis(times: np.ndarray, name: str, texts: str) -> None:
    positions, found = step_ticks(times, name)
    assert words(" ".join(found)) == texts
    shown = [float(words(text)) for text in found]
    np.testing.assert_allclose(times[positions], shown)


def test_irregular_dates_do_not_crowd() -> None:
    hours = np.sort(np.random.default_rng(0).integers(0, 48 * 60, 40))
    times = np.datetime64("2011-05-01", "s") + hours.astype("timedelta64[m]")
    positions, _ = step_ticks(times)
    assert np.diff(positions).min() >= 3


@pytest.mark.parametrize("plot", [plot_heatmap, plot_timeline])
def test_dates_stand_below_the_lowest_panel(plot: Callable[..., Axes]) -> None:
    rng = np.random.default_rng(0)
    e = explanation(rng.normal(size=(1, 60, 2)), times=TRADING_DAYS.values[:60], time_name="date")
    ax = plot(e)
    lowest = ax if plot is plot_heatmap else panel(ax, "contribution")
    assert lowest.get_xlabel() == "date: 2010-07-06 to 2010-09-28"
    texts = [tick.get_text() for tick in lowest.get_xticklabels()]
    assert texts[:2] == ["12 Jul\n2010", "26 Jul"]
    np.testing.assert_array_equal(lowest.get_xticks(), step_ticks(TRADING_DAYS.values[:60])[0])
    for other in ax.figure.axes:
        if other.get_label() in ("data", "attention", "values"):
            shown = [tick for tick in other.get_xticklabels() if tick.get_visible()]
            assert shown == [] or other is lowest


def test_span_of_hours() -> None:
    times = pd.date_range("2011-05-01 07:00", periods=4, freq="h").values
    ax = plot_heatmap(explanation(np.ones((1, 4, 1)), times=times, time_name="time"))
    assert ax.get_xlabel() == "time: 2011-05-01 07:00 to 2011-05-01 10:00"


# -- the timeline ----------------------------------------------------------------------------------
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


# -- the summary -----------------------------------------------------------------------------------
def cohort(lengths: list[int], steps: int = 12) -> Explanation:
    """Make samples of different lengths, right-padded, with two static facts."""
    rng = np.random.default_rng(5)
    count = len(lengths)
    return explanation(
        rng.normal(size=(count, steps, 3)) * [0.2, 1.0, 0.5],
        np.arange(steps) < np.array(lengths)[:, None],
        static=rng.normal(size=(count, 2)),
        static_data=rng.normal(size=(count, 2)),
        static_names=["age", "male"],
        static_units=["years", ""],
    )


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


# -- training --------------------------------------------------------------------------------------
LOSSES = {"loss": [1.0, 0.7, 0.5, 0.4], "validation_loss": [1.1, 0.8, 0.75, 0.9]}


@pytest.mark.parametrize(
    "run",
    [
        SimpleNamespace(history=pd.DataFrame(LOSSES)),  # as TrainingRun has it
        pd.DataFrame(LOSSES),
        SimpleNamespace(history={"loss": LOSSES["loss"], "val_loss": LOSSES["validation_loss"]}),
    ],
)
def test_history_marks_the_best_epoch(run: Any) -> None:
    ax = plot_history(run)
    curves = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(curves["training"].get_ydata(), LOSSES["loss"])
    np.testing.assert_array_equal(curves["validation"].get_ydata(), LOSSES["validation_loss"])
    np.testing.assert_array_equal(curves["validation"].get_xdata(), [1, 2, 3, 4])
    assert [3, 0.75] in [line.get_xydata().tolist()[0] for line in ax.lines]  # type: ignore[union-attr]
    assert ax.get_title(loc="left") == "best epoch: 3 of 4, validation loss 0.750"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_history_without_validation_has_no_best_epoch() -> None:
    ax = plot_history({"loss": [1.0]})
    assert ax.get_title(loc="left") == "training loss over 1 epoch"
    assert [line.get_label() for line in ax.lines] == ["training"]


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (3, TypeError, r"received int\. Pass what lx\.train"),
        (pd.DataFrame({"mae": [1.0]}), ValueError, r"1 epochs with \['mae'\]\. Pass what"),
        (pd.DataFrame(LOSSES)[:0], ValueError, "received 0 epochs"),
    ],
)
def test_history_refuses(run: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_history(run)
    assert plt.get_fignums() == []


# -- errors ----------------------------------------------------------------------------------------
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature": "pH"}, r"one of \['SpO2', .*received 'pH'"),
        ({"limit": 0.0}, "limit above 0; received 0.0"),
        ({"limit": float("nan")}, "limit above 0; received nan"),
        ({"max_features": 0}, "max_features of at least 1; received 0"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_heatmap(patient(), **options)
    assert plt.get_fignums() == []


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


def without_pyplot() -> tuple[Any, Axes, Axes]:
    figure = Figure(figsize=(20, 6))
    FigureCanvasAgg(figure)
    first, second = figure.subplots(1, 2)
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


def test_history_draws_into_ax() -> None:
    figure, first, _ = without_pyplot()
    assert plot_history(pd.DataFrame(LOSSES), ax=first) is first
    assert first.figure is figure
    assert plt.get_fignums() == []


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
