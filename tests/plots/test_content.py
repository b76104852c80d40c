"""What a figure writes about its numbers: what they explain, how they add up, whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from plots.figures import (
    each_plot,
    explanation,
    heading,
    panel,
    patient,
    widths,
    words,
    written,
)  # fmt: skip

from lstm_explain import plot_heatmap, plot_summary, plot_timeline
from lstm_explain.plots.content import differ, equation, explained, fact_labels, read_prediction
from lstm_explain.wording import adding_up, decimals


@pytest.mark.parametrize(
    ("facts", "name", "of_one", "of_many"),
    [
        (
            {"scale": "margin"}, "log-odds of died",
            "probability of died 58.4 %: log-odds 0.34 =",
            "probability of died, in log-odds: mean |SHAP value| over",
        ),
        (
            {"scale": "probability", "output": "output 2"}, "probability of output 2",
            "probability of output 2: prediction 0.34 =",
            "probability of output 2: mean |SHAP value| over",
        ),
        (
            {"scale": "value", "output": "volatility", "target_unit": "log %²"},
            "volatility [log %²]",
            "volatility [log %²]: prediction 0.34 =",
            "volatility [log %²]: mean |SHAP value| over",
        ),
        (
            {"scale": "margin", "output": "died-survived"}, "log-odds of died-survived",
            "log-odds of died-survived: prediction 0.34 =",
            "log-odds of died-survived: mean |SHAP value| over",
        ),
        (
            {"scale": "probability", "output": "died-survived"},
            "difference of the probabilities died-survived",
            "difference of the probabilities died-survived: prediction 0.34 =",
            "difference of the probabilities died-survived: mean |SHAP value| over",
        ),
    ],
)  # fmt: skip
def test_figures_say_what_the_numbers_are_of(
    facts: dict[str, Any], name: str, of_one: str, of_many: str
) -> None:
    """Beside log-odds of a class its probability: 1 / (1 + exp(-0.34)) is 58.4 %."""
    e = patient(**facts)
    heat, time, whole = plot_heatmap(e), plot_timeline(e), plot_summary(e)
    assert words(panel(heat, "colours").get_xlabel()) == f"SHAP value ({name})"
    assert words(time.get_ylabel()) == f"SHAP value per step ({name})"
    assert words(panel(whole, "colours").get_xlabel()) == f"mean |SHAP value| ({name})"
    for ax in (heat, time):
        assert heading(ax)[0].startswith(of_one)
    assert heading(whole)[0].startswith(of_many)


@pytest.mark.parametrize("plot", [plot_heatmap, plot_timeline])
def test_heading_adds_up_and_names_the_background(plot: Callable[..., Axes]) -> None:
    e = explanation(np.full((1, 2, 1), 0.6), base=-2.0, target=["died"], ids=["7"])
    assert heading(plot(e)) == (
        "probability of died 31.0 %: log-odds -0.80 = base value -2.00 + SHAP values +1.20",
        "icu 7 · true class: died · absent = 100 of 2,118 train sequences",
    )
    e = explanation(np.full((3, 2, 1), 0.6), target=[0.1, 0.2, -3.0], gap=0.25)[2]
    assert heading(plot(e)) == (
        (
            "probability of died 72.1 %: log-odds 0.95 = base value -0.50 + SHAP values +1.20 "
            "+ gap +0.25"
        ),
        "icu sample 2 · true value -3.00 · absent = 100 of 2,118 train sequences",
    )
    named = explanation(np.full((1, 2, 1), 0.6), record={"data": "review sample"})
    assert heading(plot(named))[1].startswith("review sample 0 · absent")


def test_heading_of_the_summary() -> None:
    e = explanation(np.ones((12, 2, 1)), output=["a", "b"], background="mean of 900 sequences")
    title, notes = heading(plot_summary(e))
    whose = "probability of each predicted class"
    assert title == f"{whose}, in log-odds: mean |SHAP value| over 12 samples"
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
    ("size", "places"),
    [(123.4, 1), (1.234, 2), (0.1234, 2), (0.001234, 4), (1.2e-12, 13), (0.0, 2)],
)
def test_decimals_follow_the_size(size: float, places: int) -> None:
    assert decimals(size) == decimals(-size) == places


def test_the_heading_adds_up_as_it_is_written() -> None:
    """In the digits that a reader sees, whatever the level and the size of the values."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        base = float(rng.choice([0, -0.5, 20000.04, 3.2e-6, 812.3]))
        size = rng.choice([1e-3, 1, 30]) * (abs(base) or 1e-8) / 100
        e = explanation(
            rng.normal(size=(1, 2, 1)) * size, base=base, gap=rng.choice([0, 1e-4]) * size
        )
        text = words(" ".join(equation(e)[1:]))
        assert text.startswith("log-odds ")
        prediction, *parts = map(Decimal, re.findall(r"[-+]?\d[\d.]*(?:e-?\d+)?", text))
        assert sum(parts) == prediction, text
        truth = float(e.values.sum())
        assert float(parts[1]) == pytest.approx(truth, rel=0.06, abs=1e-6 * abs(base)), text


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_rounded_parts_add_up_and_none_is_off_by_a_whole_digit(count: int) -> None:
    rng = np.random.default_rng(count)
    for places in (0, 2, 7):
        parts = rng.normal(size=count) * 3 * 10.0**-places
        total = float(parts.sum())
        shown = adding_up(total, parts.tolist(), places)
        written = [Decimal(f"{part:.{places}f}") for part in shown]
        assert sum(written) == Decimal(f"{total:.{places}f}")
        assert np.abs(np.array(shown) - parts).max() < 10.0**-places


def test_a_class_that_is_a_code_is_named_by_its_target() -> None:
    """ "probability of 1" says nothing; of a value the number 1 is a name like any other."""
    for name, scale, title in [
        ("1", "margin", "log-odds of died = 1"),
        ("True", "probability", "probability of died = True"),
        ("1", "value", "1"),
        ("stage 1", "margin", "log-odds of stage 1"),
    ]:
        assert explained(patient(output=name, scale=scale, record={"target_name": "died"})) == title


@each_plot
def test_small_numbers_are_written_and_drawn_like_large_ones(plot: Callable[..., Axes]) -> None:
    """A target in small units: the same digits, with their power, as of the target times 1e8."""
    values = np.random.default_rng(3).normal(size=(1, 24, 3))
    large = plot(explanation(values, base=1.5, scale="value"))
    small = plot(explanation(values * 1e-8, base=1.5e-8, scale="value"))
    powers = [text.replace("e-8", "") for text in re.findall(r"\S+e-8", heading(small)[0])]
    assert all(number in heading(large)[0] for number in powers)
    assert len(powers) == (0 if plot is plot_summary else 3)
    small.figure.canvas.draw()
    assert {ax.yaxis.get_offset_text().get_text() for ax in small.figure.axes} == {""}
    if plot is plot_heatmap:
        ends = [tick.get_text() for tick in panel(small, "colours").get_xticklabels()]
        assert words(" ".join(ends)) == "-3.3e-8 0 3.3e-8"
    if plot is not plot_timeline:
        shown = [float(text) for text in written(panel(small, "sums"))]
        bars = widths(panel(small, "sums"))
        np.testing.assert_allclose(shown, bars, rtol=0, atol=0.005 * np.abs(bars).max())


def test_what_differs_differs_relative_to_itself() -> None:
    """Cents of a price and small units count; the rounding of float32 does not."""
    before, now = [20035.10, 0, 1e-8, np.nan, 5], [20035.15, 0, 2e-8, np.nan, 5 * (1 + 1e-7)]
    found = differ(np.array(before), np.array(now))
    assert found.tolist() == [True, False, True, False, False]
    [label] = fact_labels(["level"], ["EUR"], before[:1], now[:1])
    assert label == "level = 20035.1 → 20035.2 EUR"


@pytest.mark.parametrize(
    ("shown", "probability", "difference", "text"),
    [
        (1.234e-8, False, 0.0, "1.2e-8"),
        (20035.28, False, 12.5, "20035.3"),
        (0.5, False, 1e-12, "0.5000000"),  # seven digits: that is rounding
        (0.2345, True, 0.0, "23.4 %"),
        (0.000234, True, 0.0, "0.02 %"),
        (0.99998, True, 0.0, "99.998 %"),
        (0.2345, True, 1e-12, "23.4500 %"),
    ],
)
def test_a_prediction_has_the_digits_that_it_needs(
    shown: float, probability: bool, difference: float, text: str
) -> None:
    assert words(read_prediction(shown, probability, difference)) == text
