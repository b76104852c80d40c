"""Dates and numbers on the time axis stand at their steps and do not crowd."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from plots.figures import TRADING_DAYS, explanation, panel, words

from lstm_explain import (
    SequenceData,
    plot_chart,
    plot_comparison,
    plot_heatmap,
    plot_timeline,
)
from lstm_explain.plots.time_axis import step_ticks
from lstm_explain.sequences.resampling import are_uneven
from lstm_explain.sequences.step_names import named_times

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


# Hours at the bedside: bursts, and long breaks between them; two rows within a minute.
BURSTS = np.array([0, 0.5, 1, 1.01, 1.5, 9, 9.2, 9.5, 24, 25, 26, 40.0])


def chart(times: np.ndarray) -> Axes:
    """Draw measurements at such times, as explanations are drawn."""
    values = np.random.default_rng(0).normal(size=(1, len(times), 1))
    data = SequenceData.from_arrays(values, times=times[None], time_name="hour")
    return plot_chart(data)


def figure(plot: Callable[..., Axes]) -> Callable[[np.ndarray], Axes]:
    def draw(times: np.ndarray) -> Axes:
        values = np.random.default_rng(0).normal(size=(1, len(times), 2))
        return plot(explanation(values, times=times, time_name="hour"))

    return draw


@pytest.mark.parametrize("as_dates", [False, True])
@pytest.mark.parametrize("draw", [figure(plot_heatmap), figure(plot_timeline), chart])
def test_uneven_steps_are_drawn_to_scale(draw: Callable[..., Axes], as_dates: bool) -> None:
    """On every panel with time; what is too close to be seen is a fifth of an average step wide."""
    start = np.datetime64("2024-05-01", "ns")
    times = start + (BURSTS * 3600).round().astype("m8[s]") if as_dates else BURSTS
    ax = draw(times)
    steps = np.arange(len(BURSTS))
    names = {"map", "data", "attention", "values", "contribution", "chart 0"}
    panels = [one for one in ax.figure.axes if one.get_label() in names]
    assert len(panels) == {"map": 3, "values": 3, "chart 0": 1}[str(ax.get_label())]
    gaps = np.diff(BURSTS)
    gaps = np.maximum(gaps, 0.2 * gaps.mean())
    for one in panels:
        pixels = one.transData.transform(np.stack([steps, 0 * steps], axis=1))[:, 0]
        np.testing.assert_allclose(np.diff(pixels) / np.ptp(pixels), gaps / gaps.sum(), rtol=1e-6)
        back = one.transData.inverted().transform(np.stack([pixels, 0 * pixels], axis=1))[:, 0]
        np.testing.assert_allclose(back, steps, atol=1e-9)
    lowest = next(one for one in panels if one.get_xlabel())
    ticks = lowest.transData.transform(np.stack([lowest.get_xticks()] * 2, axis=1))[:, 0]
    width = lowest.get_window_extent().width
    assert len(ticks) >= 3
    assert np.diff(ticks).min() > width / 12
    # Every label is the time of its own step.
    texts = [tick.get_text().partition("\n")[0] for tick in lowest.get_xticklabels()]
    clocks = [named_times(times)[int(at)] for at in lowest.get_xticks()]
    assert all(clock.endswith(text) for clock, text in zip(clocks, texts, strict=True))


def test_two_samples_of_the_same_uneven_times_are_drawn_to_scale() -> None:
    values = np.random.default_rng(0).normal(size=(2, len(BURSTS), 2))
    ax = plot_comparison(explanation(values, times=BURSTS, time_name="hour"))
    time = panel(ax, "time")
    steps = np.stack([np.arange(len(BURSTS))] * 2, axis=1)
    pixels = np.diff(time.transData.transform(steps)[:, 0])
    assert pixels[7] / pixels[10] == pytest.approx((24 - 9.5) / (40 - 26))


def test_bars_of_uneven_steps_do_not_reach_into_the_gaps() -> None:
    """A bar beside a long gap is no wider than one at the median step."""
    ax = figure(plot_timeline)(BURSTS)
    attention = panel(ax, "attention")
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in attention.patches]  # type: ignore[attr-defined]
    pixels = attention.transData.transform(np.stack([np.ravel(ends)] * 2, axis=1))[:, 0]
    left, right = pixels.reshape(-1, 2).T
    steps = np.arange(len(BURSTS))
    middles = attention.transData.transform(np.stack([steps, steps], axis=1))[:, 0]
    np.testing.assert_allclose((left + right) / 2, middles)
    assert (right - left).max() <= np.median(np.diff(middles)) * 1.01


@pytest.mark.parametrize("draw", [figure(plot_heatmap), figure(plot_timeline), chart])
def test_even_steps_stay_at_equal_distances(draw: Callable[..., Axes]) -> None:
    """Trading days too: a weekend is no gap."""
    for times in (np.arange(12.0), TRADING_DAYS.values[:12]):
        assert draw(times).get_xscale() == "linear"


SECONDS = np.datetime64("2024-01-01T07:00:10", "s")
NOON = np.datetime64("2024-01-01T00:00", "ns") + np.array([0, 24, 36, 48, 72]) * np.timedelta64(
    1, "h"
)


@pytest.mark.parametrize(
    "times",
    [
        123456 + np.arange(1, 41) / 10,
        2020.0 + np.arange(40) / 365.25,
        np.array([0.25, 100.25, 100.5, 1e6]),
        1.7e9 + np.arange(6) / 4,
        (SECONDS + np.array([0, 40, 1800, 1810, 7200])).astype("M8[ns]"),
        (SECONDS.astype("M8[ms]") + np.arange(0, 400, 10)).astype("M8[ns]"),
        SECONDS.astype("M8[ns]") + np.arange(1, 6) * np.timedelta64(1, "ns"),
        NOON,
    ],
    ids=["tenths", "years", "quarters", "Unix", "seconds", "milliseconds", "nanoseconds", "noon"],
)
def test_no_two_steps_share_a_name_and_each_name_is_of_its_own_step(times: np.ndarray) -> None:
    """In lists, for shap, and on the axis, where the date stands below."""
    names = named_times(times)
    assert len(set(names)) == len(times)
    is_date = times.dtype.kind == "M"
    read = np.array(names, times.dtype) if is_date else np.array(names, float)
    assert (np.abs(read[:, None] - times).argmin(axis=1) == np.arange(len(times))).all()
    e = explanation(np.ones((1, len(times), 1)), times=times, time_name="hour").over_time()
    assert [str(name).removeprefix("hour ") for name in e.to_shap().feature_names] == names
    positions, labels = step_ticks(times)
    assert len(labels) >= (2 if are_uneven(np.diff(times)) else 3)
    assert max(map(len, labels[0].split("\n"))) * len(labels) <= 75  # they do not touch
    days = ""
    for at, label in zip(positions, labels, strict=True):
        clock, _, below = label.partition("\n")
        days = below or days
        assert names[at].endswith(clock)
        if is_date:
            assert f"{pd.Timestamp(times[at]):%-d %b}" == days


def test_the_second_step_of_one_time_is_named_as_such() -> None:
    """Two visits of one day, two events of one hour: on the axis too."""
    days = np.array(["2024-01-01", "2024-01-01", "2024-01-03"], "datetime64[ns]")
    assert named_times(days) == ["2024-01-01", "2024-01-01 (2)", "2024-01-03"]
    assert step_ticks(days)[1] == ["1 Jan\n2024", "1 Jan (2)", "3 Jan"]
    hours = days + np.timedelta64(7, "h")
    assert step_ticks(hours)[1] == ["07:00\n1 Jan", "07:00 (2)", "07:00\n3 Jan"]
    assert step_ticks(np.array([1.0, 1.0, 1.0, 2.5]))[1] == ["1", "1 (2)", "1 (3)", "2.5"]
