"""What the tests of the figures draw, and how they read a figure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lstm_explain import SequenceData, plot_heatmap, plot_summary, plot_timeline
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.wording import MINUS, NO_BREAK

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
        **more.get("record", {}),
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


def without_pyplot() -> tuple[Any, Axes, Axes]:
    figure = Figure(figsize=(20, 6))
    FigureCanvasAgg(figure)
    first, second = figure.subplots(1, 2)
    return figure, first, second


NAN = float("nan")
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


def words(text: str) -> str:
    """Return text on one line, with the minus and the space of a keyboard."""
    return " ".join(text.replace(NO_BREAK, " ").split()).replace(MINUS, "-").replace(r"\$", "$")


def written(ax: Axes) -> list[str]:
    """Return what stands in a panel."""
    return [words(text.get_text()) for text in ax.texts if text.get_text()]


def title_and_note(ax: Axes) -> tuple[str, str]:
    """Return the title and the last note."""
    titled = next(a for a in ax.get_figure(root=True).axes if a.get_title(loc="left"))  # type: ignore[union-attr]
    return words(titled.get_title(loc="left")), " ".join(written(titled)[-1:])


def names_at_left(ax: Axes) -> list[str]:
    """Return the names of rows from top to bottom."""
    return [words(tick.get_text()) for tick in ax.get_yticklabels()]


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
