"""What a figure writes about its numbers: what they explain, how they add up, whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from plots.figures import explanation, heading, panel, patient, words

from lstm_explain import plot_heatmap, plot_summary, plot_timeline
from lstm_explain.wording import decimals


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
        (
            {"scale": "probability", "output": "died-survived"},
            "difference of the probabilities died-survived",
        ),
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
