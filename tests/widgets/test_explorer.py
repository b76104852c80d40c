"""The explorer: a state reached by hand equals the same state made afresh, and nothing is lost."""

import re
import warnings

import numpy as np
import pytest
from widgets.explored import linear_model, value_of

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.widgets.state import Edit, State
from lstm_explain.widgets.view import heading, sentence

pytestmark = pytest.mark.slow


def test_each_control_leads_to_the_state_that_it_names(explorer):
    own = explorer.controls
    own.variable.value = "pulse"
    own.last.value = 5
    own.first.value = 1
    assert own.selected_steps == (1, 5)
    own.last.value = 3
    assert own.selected_steps == (1, 3)
    own.number.value = "11.5"
    assert explorer.state.edits == (Edit("pulse", 11.5, (1, 3)),)
    own.last.value = 0  # the other end gives way
    assert own.selected_steps == (0, 0)
    own.first.value = 4
    assert own.selected_steps == (4, 4)
    own.first.value = 2
    assert own.selected_steps == (2, 4)
    own.missing.click()
    own.facts["age"][1].value = "71"
    own.facts["sex"][0].value = not own.facts["sex"][0].value
    [ward] = own.facts["ward"]
    ward.value = next(value for _, value in ward.options if value != ward.value)
    state = explorer.state
    assert [edit.name for edit in state.edits] == ["pulse", "pulse", "age", "sex", "ward"]
    assert state.edits[1] == Edit("pulse", None, (2, 4))
    own.undo.click()
    assert explorer.state.edits == state.edits[:-1]
    own.redo.click()
    assert explorer.state.edits == state.edits
    assert own.redo.disabled
    own.undo.click()
    own.pin.click()
    assert explorer.state.pinned == state.edits[:-1]
    own.reset.click()
    assert explorer.state.edits == ()
    own.unpin.click()
    assert explorer.state.pinned is None
    own.way.value = "most wrong"
    order = explorer.core.order("most wrong", explorer.state)
    assert explorer.state.sample in order[:2]
    own.next.click()
    own.sample.value = "4"
    assert explorer.state == State(4)
    assert explorer.wait(60)
    assert value_of(explorer.status) == ""


def test_hand_made_states_equal_fresh_ones(explorer, model_and_data, rng):
    """Random moves of every control, then the same state made in one go."""
    model, data = model_and_data
    own = explorer.controls
    facts = [(control, name) for name, many in own.facts.items() for control in many]

    def move() -> None:
        kind = rng.integers(9)
        if kind < 2:
            own.value.value = int(rng.integers(own.value.max + 1))
        elif kind == 2:
            own.number.value = f"{rng.uniform(5, 16):.3f}"
        elif kind == 3:
            [own.first, own.last][rng.integers(2)].value = int(rng.integers(6))
        elif kind == 4:
            own.variable.value = str(rng.choice(["lactate", "pulse"]))
        elif kind == 5:
            control, _ = facts[rng.integers(len(facts))]
            if isinstance(control.value, bool):
                control.value = not control.value
            elif hasattr(control, "options"):
                control.value = control.options[rng.integers(len(control.options))][1]
            elif control in own.ladders:
                control.value = int(rng.integers(control.max + 1))
            else:
                control.value = f"{rng.uniform(45, 80)}"
        elif kind == 6:
            own.missing.click()
        elif kind == 7:
            [own.undo, own.redo, own.pin, own.unpin, own.reset][rng.integers(5)].click()
        else:
            own.sample.value = str(rng.integers(len(data.test)))

    for _ in range(60):
        move()
    assert explorer.wait(120)
    assert value_of(explorer.status) == ""
    state = explorer.state
    fresh = lx.explore(model, data.test, background=data.train, sample=state.sample)
    fresh.controls.variable.value = own.variable.value
    for name in ("values", "predictions", "attention"):
        ours = getattr(explorer.explanation, name).values
        theirs = getattr(fresh.core.explanation(State(state.sample, state.edits)), name).values
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    assert fresh.core.glance(State(state.sample, state.edits, state.pinned)) in (
        value_of(explorer.live).replace("&gt;", ">")
    )
    # every control says what the state says
    sample = explorer.data
    first, last = own.selected_steps
    column = list(sample.variables).index(own.variable.value)
    shown = sample.display_values[0, first : last + 1, column].mean()
    measured = sample.display_values[0, first : last + 1, column + 2].any()
    said = own.number.value and float(own.number.value)
    assert said == (pytest.approx(shown, rel=1e-5, abs=1e-5) if measured else "")
    fresh.close()


def test_the_first_move_is_made_where_it_matters_most(explorer):
    own = explorer.controls
    values = explorer.explanation.over_variables().values[0].transpose("feature", "time")
    totals = dict(zip(values["feature"].values, values.values.sum(axis=1), strict=True))
    assert own.variable.value == max(totals, key=lambda name: abs(totals[name]))
    sizes = np.abs(values.sel(feature=own.variable.value).values)
    column = list(explorer.data.variables).index(own.variable.value)
    step = int(np.where(explorer.data.display_values[0, :, column + 2], sizes, 0).argmax())
    assert own.selected_steps == (step, step)


def test_without_anywidget_everything_but_the_keys_is_there(model_and_data, monkeypatch):
    model, data = model_and_data
    monkeypatch.setattr("lstm_explain.widgets.page.is_available", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = lx.explore(model, data.test, background=data.train)
        plain.controls.number.value = "12.0"
        assert plain.wait(60)
    assert "→" in value_of(plain.live)
    assert value_of(plain.status) == ""
    plain.close()


def test_sliders_stand_at_round_values_within_the_training_data(explorer):
    own = explorer.controls
    for slider, name in ((own.value, "lactate"), (own.facts["age"][0], "age")):
        low, high = explorer.core.familiarity.ranges[name]
        values = own.ladders[slider]
        assert (values[0], values[-1]) == (low, high)
        assert all(len(f"{value:g}") <= 4 for value in values[1:-1])
        assert slider.max == len(values) - 1
    assert explorer.state.edits == ()
    own.value.value = 20
    value = own.ladders[own.value][20]
    assert explorer.state.edits == (Edit("lactate", value, own.selected_steps),)
    assert float(own.number.value) == own.ladders[own.value][20]
    assert own.readings()["lstm-explain-slider-1"] == own.number.value


def test_the_ends_of_a_slider_and_its_value_are_one_message(explorer):
    """Else the page would clip the old position to the new end, and report that as a move."""
    sent = []
    slider = explorer.controls.value
    slider.send_state, kept = lambda key=None: sent.append(set(key)), slider.send_state
    explorer.controls.variable.value = "pulse"
    slider.send_state = kept
    assert len(sent) == 1
    assert {"max", "value"} <= sent[0]


@pytest.mark.slow
def test_a_tolerance_that_is_missed_stands_in_the_status_line(model_and_data):
    model, data = model_and_data
    with warnings.catch_warnings():  # no warning leaves the worker's thread
        warnings.simplefilter("error")
        rough = lx.explore(model, data.test, background=data.train[:2], tolerance=1e-12)
        assert "Expected values within tolerance=1e-12" in value_of(rough.status)
        rough.controls.number.value = "12.0"
        assert rough.wait(60)
    said = r"within tolerance=1e-12; with \d+ nodes per path their estimated error is (\S+) \("
    found = re.search(said, value_of(rough.status))
    assert found
    assert 1e-12 < float(found[1]) < 0.05  # small, and no zero
    rough.close()


def test_steps_are_called_as_the_axis_calls_them():
    days = np.array(["2011-01-03", "2011-01-04", "2011-01-05"], "datetime64[D]")
    values = np.random.default_rng(0).normal(size=(12, 3, 1))
    data = SequenceData.from_arrays(
        values, np.arange(12) % 2, feature_names=["dose"], times=np.tile(days, (12, 1)),
        time_name="day",
    )  # fmt: skip
    explorer = lx.explore(linear_model(1.0, 0.0), data, background=data)
    assert [name for name, _ in explorer.controls.first.options] == [str(day) for day in days]
    assert explorer.controls.unit.value == "day"
    explorer.controls.first.value = 0
    assert explorer.controls.selected_steps == (0, 2)
    explorer.close()


def test_errors_stand_in_the_status_line_and_pass(explorer, monkeypatch):
    own = explorer.controls

    def broken(*args):
        raise RuntimeError("no <memory> left")

    monkeypatch.setattr(explorer.core, "view", broken)
    own.number.value = "12"
    assert explorer.wait(60)
    assert value_of(explorer.status) == "This did not work. no &lt;memory&gt; left"
    monkeypatch.undo()
    own.number.value = "13"
    assert explorer.wait(60)
    assert value_of(explorer.status) == ""


def test_nothing_leaks_into_pyplot_in_many_edits(explorer, rng):
    from matplotlib import pyplot

    for value in rng.uniform(5, 15, 200):
        explorer.controls.number.value = str(value)
    assert explorer.wait(120)
    assert pyplot.get_fignums() == []
    assert len(explorer.state.past) == 200
    assert explorer.core._explained.cache_info().currsize <= 16


def test_static_picture_is_shown_beside_the_widget(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **options: shown.append(thing))
    explorer._ipython_display_()
    static, widget = shown
    view_type = "application/vnd.jupyter.widget-view+json"
    assert widget[view_type]["model_id"] == explorer.widget.model_id
    assert "running kernel" in widget["text/plain"]
    assert static["text/html"].startswith(f'<div class="{explorer._scope}-static">')
    assert '<img src="data:image/png;base64,' in static["text/html"]
    view = explorer.core.view(State(0), "lactate")
    assert static["text/plain"] == f"{heading(view)}. {sentence(view)}"
    hidden = [child.value for child in explorer.widget.children if hasattr(child, "value")]
    assert any(f".{explorer._scope}-static" in str(value) for value in hidden)


def test_refused_with_a_remedy(model_and_data):
    model, data = model_and_data
    with pytest.raises(TypeError, match=r"Expected SequenceData.*received ndarray"):
        lx.explore(model, data.test.values, background=data.train)
    with pytest.raises(ValueError, match=f"from 0 to {len(data.test) - 1}; received 99"):
        lx.explore(model, data.test, background=data.train, sample=99)
    with pytest.raises(ValueError, match=r"background=data\.train"):
        lx.explore(model, data.test)
    words = SequenceData.from_tokens(np.ones((2, 3), int))
    with pytest.raises(ValueError, match=r"token ids without one\. Make them with Seq"):
        lx.explore(model, words, background=words)


@pytest.mark.slow
def test_memory_does_not_grow_with_edits(explorer, rng):
    import resource

    def edit(count):
        for value in rng.uniform(5, 15, count):
            explorer.controls.number.value = str(value)
            assert explorer.wait(60)

    edit(100)  # caches and traces are filled
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edit(200)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, f"{grown} KB in 200 edits"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explorer.widget.get_state()
