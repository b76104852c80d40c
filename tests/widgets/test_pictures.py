"""The pictures of the explorer show what the explanations hold."""

from dataclasses import replace

import numpy as np
import pytest
from widgets.explored import pixels

from lstm_explain.widgets.canvas import png_of
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.pictures import Picture
from lstm_explain.widgets.state import Edit, State
from lstm_explain.widgets.view import sentence, view_of


def test_png_holds_the_pixels(rng):
    image = rng.integers(0, 256, size=(7, 5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(np.round(pixels(png_of(image)) * 255), image[..., :3])


def test_picture_follows_changes_and_comes_back_to_the_same_pixels(model_and_data):
    model, data = model_and_data
    core = Exploration(model, data.test, data.train)
    small, large = (State(0, (Edit("lactate", v, (1, 4)),)) for v in (11.0, 25.0))
    picture = Picture(core.view(small, "lactate"))
    picture.update(core.view(large, "lactate"))  # widens the limits
    picture.png()
    picture.update(core.view(small, "lactate"))
    first = picture.png()
    picture.update(core.view(large, "lactate"))
    second = picture.png()
    picture.update(core.view(small, "lactate"))
    assert picture.png() == first != second
    # what is blitted is what is drawn in one go
    picture.forget()
    assert picture.png() == first
    line = picture.figure.axes[0].lines[-1]
    np.testing.assert_allclose(line.get_ydata(), core.view(small, "lactate").data[1])


def test_view_shows_what_the_explanations_hold(model_and_data):
    model, data = model_and_data
    core = Exploration(model, data.test, data.train)
    state = State(2, (Edit("lactate", 15.0, (2, 3)), Edit("age", 75.0)))
    view = core.view(state, "lactate")
    summed = core.explanation(state).over_variables()
    by_name = dict(zip(view.names, np.nansum(view.values[1], axis=1), strict=True))
    for name in ("lactate", "pulse"):
        own = float(summed.values.sel(feature=name).sum())
        assert by_name[name] == pytest.approx(own, abs=1e-9)
    assert view.moved.tolist() == [False, False, True, True, False, False]
    chance = 1 / (1 + np.exp(-core.predictions(state)))
    np.testing.assert_allclose(view.shown, chance, rtol=1e-6)
    words = sentence(view)
    assert f"goes from {view.text(0)} to {view.text(1)}" in words
    assert f"Attention is highest at step {int(view.attention[1].argmax()) + 1}" in words
    assert any(name.startswith("age") and "→ 75" in name for name in view.facts)
    shown = core.answer(State(2)).shown
    same = view_of(shown, shown, "lactate", "as recorded")
    assert not same.moved.any()
    assert "is " + same.text(1) in sentence(same)


def test_panels_with_time_draw_uneven_steps_at_one_scale(model_and_data):
    """What is blitted is what is drawn in one go, here too."""
    model, data = model_and_data
    core = Exploration(model, data.test, data.train)
    view = core.view(State(0, (Edit("lactate", 11.0, (1, 4)),)), "lactate")
    hours = np.array([0.0, 1, 2, 40, 41, 90])
    picture = Picture(replace(view, times=hours[: len(view.times)]))
    labels = ("data", "attention", "now", "lower")
    panels = [ax for ax in picture.figure.axes if ax.get_label() in labels]
    assert len(panels) == len(labels)
    first = picture.png()
    steps = np.stack([np.arange(len(view.times))] * 2, axis=1)
    for ax in panels:
        places = ax.transData.transform(steps)[:, 0]
        np.testing.assert_allclose(places, panels[0].transData.transform(steps)[:, 0], atol=0.5)
        assert places[3] - places[2] > 5 * (places[1] - places[0])
    picture.forget()
    assert picture.png() == first
