"""The picture is touched: places lead to the cells that were drawn there, and to the controls."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import lstm_explain as lx
from lstm_explain.plots.time_axis import draw_to_scale
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.pictures import COLOURS, Picture
from lstm_explain.widgets.state import Edit, State
from lstm_explain.widgets.touch import panel_at, panels_of
from lstm_explain.widgets.view import reading

pytestmark = pytest.mark.slow


def middle(panel, row, step):
    left, top, width, height = panel.box(row, step, step)
    return [left + width / 2, top + height / 2]


def test_places_are_those_of_the_drawn_axes():
    """Those of uneven times too, which are drawn to scale."""
    figure = Figure((4, 2), dpi=100)
    line = figure.add_axes((0.5, 0.5, 0.4, 0.5), label="line")
    cells = figure.add_axes((0.5, 0.0, 0.4, 0.5), label="cells")
    for ax in (line, cells):
        ax.set_xlim(-0.5, 3.5)
    cells.set_ylim(1.5, -0.5)
    even = panels_of(figure, 4, {"line": 0, "cells": 2})
    np.testing.assert_allclose(even[1].steps, 0.5 + 0.1 * np.arange(5))
    np.testing.assert_allclose(even[1].rows, [0.5, 0.75, 1.0])
    np.testing.assert_allclose(even[0].rows, [0.0, 0.5])
    assert even[1].at(0.65, 0.8) == (1, 1)
    assert even[1].at(0.0, 0.0) == (0, 0)  # a drag that left the panel
    assert panel_at(even, 0.65, 0.2).name == "line"
    assert panel_at(even, 0.45, 0.2) is None
    for ax in (line, cells):
        draw_to_scale(ax, np.array([0.0, 1.0, 2.0, 12.0]))
    uneven = panels_of(figure, 4, {"cells": 2})[0]
    widths = np.diff(uneven.steps)
    assert widths[1] < 0.5 * widths[3]
    for step in range(4):
        assert uneven.at(*middle(uneven, 1, step)) == (1, step)


def test_a_drag_over_the_map_selects_its_variable_and_steps(explorer):
    controls, live = explorer.controls, explorer._live
    panels = {panel.name: panel for panel in explorer._picture.panels}
    assert list(panels) == ["data", "attention", "now"]
    names = [name for name, _ in explorer._picture.view.rows]
    row = names.index("pulse")
    places = [middle(panels["now"], row, 4), middle(panels["now"], row, 2)]
    live.hover = places
    assert live.tip["box"] == panels["now"].box(row, 2, 4)
    live.selection = places
    assert (controls.variable.value, controls.selected_steps) == ("pulse", (2, 4))
    assert explorer.state == State(0)
    assert explorer.wait(60)
    assert explorer._picture.view.variable == "pulse"
    marked = [panel.box(row, 2, 4) for panel in explorer._picture.panels]
    assert [tuple(mark) for mark in live.marks] == marked
    line = explorer._picture.panels[0]
    live.selection = [middle(line, 0, 5), middle(line, 0, 5)]  # of the same variable
    assert (controls.variable.value, controls.selected_steps) == ("pulse", (5, 5))
    live.selection = [[0.99, 0.99]]  # beside everything
    live.hover = [[0.99, 0.99]]
    assert controls.selected_steps == (5, 5)
    assert live.tip == {}


def test_what_is_pointed_at_is_said_with_its_unit(model_and_data):
    model, data = model_and_data
    core = Exploration(model, data.test, data.train)
    view = core.view(State(0, (Edit("pulse", 12.5, (2, 2)),)), "pulse")
    names = [name for name, _ in view.rows]
    row, before = names.index("pulse"), data.test.display_values[0, 2, 1]
    value = view.values[1, row, 2]
    said = reading(view, "now", row, 2)
    recorded = f"{before:.4g}" if data.test.display_values[0, 2, 3] else "not measured"
    assert said.startswith(f"pulse at step 3: {recorded} → 12.5; SHAP value ")
    assert float(said.rsplit(" ", 1)[1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(
        value, abs=6e-3
    )
    gaps = np.argwhere(np.isnan(view.cells[1]))
    row, step = map(int, gaps[0])
    assert f"{names[row]} at step {step + 1}: not measured; " in reading(view, "now", row, step)
    assert reading(view, "data", 0, 2) == f"pulse at step 3: {recorded} → 12.5"
    assert reading(view, "attention", 0, 2).startswith("attention at step 3: 0.")
    assert "; change of the SHAP value " in reading(view, "lower", 0, 2)


def test_the_second_map_is_there_when_something_was_changed(explorer):
    controls = explorer.controls
    assert controls.lower.layout.display == "none"
    height = int(explorer.image.height)
    controls.number.value = "12"
    assert explorer.wait(60)
    assert [panel.name for panel in explorer._picture.panels][-1] == "lower"
    assert controls.lower.layout.display is None
    controls.undo.click()
    assert explorer.wait(60)
    assert [panel.name for panel in explorer._picture.panels][-1] == "now"
    assert int(explorer.image.height) == height


def test_a_small_effect_looks_small_beside_other_samples(model_and_data):
    model, data = model_and_data
    core = Exploration(model, data.test, data.train, tolerance=0.1)
    sizes = [np.abs(core.answer(State(i)).shown.values.values).max() for i in range(len(data.test))]
    predictions = [core.answer(State(i)).explanation.predictions.item() for i in range(len(sizes))]
    extremes = int(np.argmax(predictions)), int(np.argmin(predictions))
    limit = max(sizes[one] for one in extremes)
    small = int(np.argmin(sizes))
    assert sizes[small] < 0.7 * limit
    explorer = lx.explore(model, data.test, data.train, sample=small)
    for sample in (small, extremes[0]):
        explorer.controls.sample.value = str(sample)
        assert explorer.wait(60)
        assert explorer._picture._maps[0].mesh.get_clim() == pytest.approx((-limit, limit))
    explorer.controls.sample.value = str(small)
    explorer.controls.colours.value = COLOURS[1]
    assert explorer.wait(60)
    top = explorer._picture._maps[0].mesh.get_clim()[1]
    assert top == pytest.approx(sizes[small])
    explorer.close()


def test_a_saved_picture_has_the_colours_of_the_live_one(model_and_data):
    model, data = model_and_data
    view = Exploration(model, data.test, data.train).view(State(0), "pulse")
    assert Picture(view, least=7.5)._maps[0].mesh.get_clim() == (-7.5, 7.5)
