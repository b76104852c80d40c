"""A notebook shows the figures of this package sharp, small in bytes and with a text."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image
from plots.figures import bins, explanation, pair, patient, stays, words

import lstm_explain as lx
from lstm_explain.plots.figure import PlotFigure, png_of
from lstm_explain.plots.history import plot_history


def shown(figure: Figure, monkeypatch: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what IPython sends to the notebook."""
    sent: list[Any] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda bundle, raw, metadata: sent.append((bundle, metadata))
    )
    formatter = DisplayFormatter()
    png = formatter.formatters["image/png"]
    png.enabled = True
    png.for_type(Figure, lambda figure: "the picture that IPython would make")
    assert formatter.format(figure) == ({}, {}), "IPython makes its own picture"
    assert len(sent) == 1
    return sent[0]


def test_a_notebook_gets_twice_the_pixels_for_the_same_place(monkeypatch: Any) -> None:
    figure = lx.plot_heatmap(patient()).figure
    bundle, metadata = shown(figure, monkeypatch)
    image = Image.open(BytesIO(bundle["image/png"]))
    size = metadata["image/png"]
    assert image.width / size["width"] == pytest.approx(2, abs=0.01)
    assert image.height / size["height"] == pytest.approx(2, abs=0.01)
    # On the page it is as wide as any figure of so many inches, up to cut and added margins.
    assert size["width"] == pytest.approx(figure.bbox.width, rel=0.05)
    plain = BytesIO()
    figure.savefig(plain, format="png", dpi=figure.dpi, bbox_inches="tight")
    assert len(bundle["image/png"]) < 1.3 * len(plain.getvalue())


def test_the_colours_of_a_notebook_are_those_of_the_figure() -> None:
    figure = lx.plot_heatmap(explanation(np.linspace(-1, 1, 80).reshape(1, 40, 2))).figure
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=2 * figure.dpi, bbox_inches="tight")
    exact = np.asarray(Image.open(drawn).convert("RGB"), int)
    small = np.asarray(Image.open(BytesIO(png_of(figure)[0])).convert("RGB"), int)
    assert np.abs(exact - small).mean() < 1
    assert (np.abs(exact - small).max(axis=-1) > 40).mean() < 0.001


def test_a_huge_figure_has_no_more_pixels_than_it_has_already() -> None:
    figure = plt.figure(figsize=(30, 30), FigureClass=PlotFigure)
    figure.add_subplot()
    data, size = png_of(figure)
    assert Image.open(BytesIO(data)).width == pytest.approx(size["width"], abs=1)


def test_a_figure_without_a_ground_has_none_in_a_notebook() -> None:
    """Letters of a dark theme on a ground that shines through would be lost on white or black."""
    with plt.rc_context({"figure.facecolor": "none"}):
        data, _ = png_of(lx.plot_timeline(patient()).figure)
    corner = Image.open(BytesIO(data)).convert("RGBA").getpixel((0, 0))
    assert corner[3] == 0  # type: ignore[index]


def texts() -> dict[str, tuple[Any, list[str]]]:
    """A figure of each kind, and what its text must say."""
    one, losses = patient(), {"loss": [1.0, 0.6], "val_loss": [1.1, 0.8]}
    return {
        "heatmap": (
            lambda: lx.plot_heatmap(one),
            [
                "Map of SHAP values, feature by step. probability of died 58.4 %: log-odds 0.34 = ",
                "absent = 100 of 2,118 train sequences. largest SHAP values: temperature +1.32;",
            ],
        ),
        "timeline": (
            lambda: lx.plot_timeline(one),
            ["SHAP values step by step. probability of died", "largest SHAP values: hour 0 -2.18"],
        ),
        "summary": (
            lambda: lx.plot_summary(explanation(np.ones((3, 2, 1)))),
            ["Map of mean sizes of SHAP values", "over 3 samples", "largest mean |SHAP value|: f0"],
        ),
        "comparison": (
            lambda: lx.plots.plot_comparison(pair()),
            ["Two explanations compared. after the change, the predicted probability of died"],
        ),
        "chart": (lambda: lx.plot_chart(stays()[0]), ["Chart over time of lactate, heart rate"]),
        "history": (
            lambda: plot_history(losses),
            ["Training and validation loss by epoch. best epoch: 2 of 2, validation loss 0.800."],
        ),
        "reliability": (
            lambda: lx.plots.plot_reliability(bins()),
            ["Observed shares against predicted probabilities. mean predicted"],
        ),
    }


@pytest.mark.parametrize("kind", texts())
def test_every_figure_has_a_text_that_says_what_it_shows(kind: str, monkeypatch: Any) -> None:
    draw, parts = texts()[kind]
    bundle, metadata = shown(draw().figure, monkeypatch)
    alt = metadata["image/png"]["alt"]
    assert bundle["text/plain"] == alt
    for part in parts:
        assert part in words(alt), words(alt)
    assert "\\$" not in alt


def test_a_figure_of_the_reader_keeps_its_way() -> None:
    figure, ax = plt.subplots(layout="constrained")
    lx.plot_timeline(patient(), ax=ax)
    assert not hasattr(figure, "_ipython_display_")
    assert not hasattr(figure, "alt")
