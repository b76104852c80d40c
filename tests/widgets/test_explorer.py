"""The explorer: a state reached by hand equals the same state made afresh, and nothing is lost."""

import io
import re
import threading
import types
import warnings

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import gappy

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.widgets.canvas import png_of
from lstm_explain.widgets.exploration import Exploration, orders, ways
from lstm_explain.widgets.familiarity import Familiarity
from lstm_explain.widgets.page import guard_figures, release_figures
from lstm_explain.widgets.pictures import Picture
from lstm_explain.widgets.state import Edit, State, changed, edited, pinned, reset, undone
from lstm_explain.widgets.view import heading, sentence, view_of
from lstm_explain.widgets.worker import Newest


@pytest.fixture(scope="module")
def model_and_data():
    return gappy()


@pytest.fixture
def explorer(model_and_data):
    model, data = model_and_data
    found = lx.explore(model, data.test, background=data.train)
    yield found
    found.close()


def value_of(html):
    return html.value.split(">", 1)[1].rsplit("</div>", 1)[0] if html.value else ""


# -- states ----------------------------------------------------------------------------------------
EDITS = st.lists(
    st.one_of(
        st.builds(
            lambda name, value, ends: Edit(name, value, (min(ends), max(ends))),
            st.sampled_from(["lactate", "pulse"]),
            st.one_of(st.none(), st.floats(-5, 30, width=16)),
            st.tuples(st.integers(0, 5), st.integers(0, 5)),
        ),
        st.builds(Edit, st.sampled_from(["age", "ward"]), st.floats(0, 90, width=16)),
    ),
    max_size=8,
)


@given(edits=EDITS)
@settings(max_examples=60)
def test_edits_that_later_ones_cover_can_be_left_out(edits):
    """The state keeps fewer edits than were made, and says the same about the sample."""
    sample = gappy()[1].test[0]
    state = State(0)
    for edit in edits:
        state = changed(state, edit)
    kept, all_of_them = edited(sample, state.edits), edited(sample, tuple(edits))
    # float32: values that were set and set back may differ in the last digit
    np.testing.assert_allclose(kept.values, all_of_them.values, atol=2e-6)
    np.testing.assert_allclose(kept.static, all_of_them.static, atol=2e-6)
    assert len(state.edits) <= len(edits)


def test_undo_goes_back_action_by_action_and_reset_can_be_undone():
    state = State(0)
    for value in (1.0, 2.0, 3.0):  # one slider: one action
        state = changed(state, Edit("pulse", value, (1, 2)))
    state = changed(state, Edit("age", 50.0))
    both = state.edits
    assert both == (Edit("pulse", 3.0, (1, 2)), Edit("age", 50.0))
    assert undone(state).edits == both[:1]
    assert undone(undone(state)).edits == ()
    assert undone(undone(undone(state))) == undone(undone(state))
    assert reset(state).edits == ()
    assert undone(reset(state)).edits == both
    assert pinned(state).pinned == both
    # a change of other steps covers nothing
    assert len(changed(state, Edit("pulse", 1.0, (2, 3))).edits) == 3


# -- numbers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "edits",
    [
        (),
        (Edit("lactate", 14.0, (2, 4)),),
        (Edit("pulse", None, (1, 5)), Edit("age", 80.0), Edit("sex", 1.0)),
    ],
    ids=["recorded", "one", "several"],
)
def test_numbers_are_those_of_explain(model_and_data, edits):
    model, data = model_and_data
    core = Exploration(model, data.test, data.train)
    core.explanation(State(3, (Edit("pulse", 3.0, (0, 5)),)))  # something else came before
    found = core.explanation(State(3, edits))
    sample = edited(data.test[3], edits)
    fresh = lx.explain(
        model, sample, background=data.train, output=str(found.output.values[0]), progress=False
    )
    for part in ("values", "static_values", "predictions", "base_values", "attention"):
        ours, theirs = getattr(found, part).values, getattr(fresh, part).values
        # float32 sums in batches of another size
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert found.values["sample"].values.tolist() == [3]


def test_predictions_stay_those_of_one_class_when_the_decision_flips():
    """Of three classes the predicted one is explained; a change must not turn the question."""
    model, data = tiny.model("multiclass"), tiny.padded("multiclass")
    core = Exploration(model, data.test, data.train)
    name = core.inquiry(State(0)).question.chosen.names[0]
    for value in (-8.0, 8.0):
        state = State(0, (Edit("dose", value, (0, int(data.test.lengths[0]) - 1)),))
        fresh = lx.explain(
            model, core.edited(state), background=data.train, output=str(name), progress=False
        )
        np.testing.assert_allclose(
            core.predictions(state)[1], fresh.predictions.values[0], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_orders_are_permutations_that_begin_with_what_they_name(task):
    model, data = tiny.model(task), tiny.padded(task)
    core = Exploration(model, data.test, data.train)
    question = core.inquiry(State(0)).question
    found = orders(question, data.test)
    assert list(found) == ways(question, data.test)
    for order in found.values():
        assert sorted(order) == list(range(len(data.test)))
    output = model.predict(data.test.inputs_for(model), verbose=0)
    if task == "regression":
        error = np.abs(output[:, 0] - data.test.target)
        assert found["highest prediction"][0] == output[:, 0].argmax()
    else:
        chances = np.column_stack([1 - output, output]) if task == "binary" else output
        error = -chances[np.arange(len(chances)), data.test.target]
        assert found["most certain"][0] == chances.max(axis=1).argmax()
        assert found["least certain"][0] == chances.max(axis=1).argmin()
    assert found["most wrong"][0] == error.argmax()
    jumps = []
    for row, weights in enumerate(lx.attention_maps(model, data.test)["attention"].values):
        real = weights[data.test.mask[row]]
        jumps.append(np.abs(np.diff(real)).max() * len(real))
    assert found["largest change of attention"][0] == int(np.argmax(jumps))


# -- what is unlike the training data --------------------------------------------------------------
def test_warnings_name_what_is_beyond_its_range(model_and_data):
    _, data = model_and_data
    core = Exploration(model_and_data[0], data.test, data.train)
    measured = data.train.display_values[..., 0][data.train.display_values[..., 2] > 0.5]
    low, high = measured.min(), measured.max()
    assert core.familiarity.ranges["lactate"] == pytest.approx((low, high))
    assert core.warnings(State(0)) == []
    [text] = core.warnings(State(0, (Edit("lactate", float(high) + 1, (2, 2)),)))
    assert text.startswith(f"lactate = {high + 1:.4g} lies outside the training data ({low:.4g}")
    [text] = core.warnings(State(0, (Edit("age", 200.0),)))
    assert "age = 200 lies outside" in text
    assert core.warnings(State(0, (Edit("sex", 1.0),))) == []
    few = Exploration(model_and_data[0], data.test, data.train[:3], training=data.train)
    assert few.familiarity.ranges == core.familiarity.ranges
    assert len(few.background) == 3


def test_a_jump_within_the_range_is_noticed_and_the_training_steps_are_not():
    """Slow curves: each value of the jump is usual, the jump itself is not."""
    rng = np.random.default_rng(2)
    steps = rng.normal(scale=0.02, size=(80, 20, 1))
    curves = rng.uniform(-1, 1, size=(80, 1, 1)) + steps.cumsum(axis=1)
    data = SequenceData.from_arrays(curves, feature_names=["slow"])
    usual = Familiarity.with_data(data)
    low = data[int(curves[:, 0, 0].argmin())]
    moved = np.zeros(20, bool)
    moved[10] = True
    nearby = low.change("slow", float(low.display_values[0, 10, 0]) + 0.005, 10)
    assert usual.warnings(nearby, ["slow"], moved) == []
    [text] = usual.warnings(low.change("slow", 1.0, 10), ["slow"], moved)
    assert re.match("what was measured at step 1[12], with its change", text)
    assert "farther from the training data" in text


# -- the smallest change that flips a decision -----------------------------------------------------
def linear_model(weight, threshold):
    """Two classes, log-odds = weight * (sum of x - threshold), over three steps."""
    import keras

    inputs = keras.Input((3, 1))
    output = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, output)
    model.layers[-1].set_weights([np.full((3, 1), weight), np.array([-weight * threshold])])
    return model


def test_flip_is_that_of_the_closed_form():
    training = SequenceData.from_arrays(
        np.linspace(-2, 2, 30).reshape(10, 3, 1),
        np.array(["no", "yes"] * 5),
        feature_names=["dose"],
    )
    sample = SequenceData.from_arrays(
        [[[0.0], [0.5], [0.0]]], np.array([0]), class_names=["no", "yes"], feature_names=["dose"]
    )
    model = linear_model(3.0, 1.6)
    found = lx.inspection.smallest_change(model, sample, "dose", training=training, steps=2)
    # 0.0 + 0.5 + x = 1.6; the grid ends at 2 and is refined 24 times
    assert found.value == pytest.approx(1.1, abs=1e-4)
    assert (found.before, found.after) == ("no", "yes")
    assert found.distance == pytest.approx(1.1, abs=1e-4)
    assert "dose = 1.1 changes the decision from no to yes" in str(found)
    both = lx.inspection.smallest_change(model, sample, "dose", training=training)
    assert both.value == pytest.approx(1.6 / 3, abs=1e-4)
    assert both.distance == pytest.approx(
        np.sqrt(np.mean((1.6 / 3 - np.array([0, 0.5, 0])) ** 2)), abs=1e-4
    )
    none = lx.inspection.smallest_change(
        linear_model(3.0, 9.0), sample, "dose", training=training, steps=2
    )
    assert not none.found
    assert none.value is None
    assert "No value of dose from -2 to 2 (the range of the training data)" in str(none)


def test_flip_needs_what_it_needs():
    model, data = tiny.model("regression"), tiny.padded("regression")
    with pytest.raises(ValueError, match="Expected a threshold, because the model predicts"):
        lx.inspection.smallest_change(model, data.test[0], "dose", training=data.train)
    with pytest.raises(ValueError, match="Expected one sample to change; received 2"):
        lx.inspection.smallest_change(
            model, data.test[:2], "dose", training=data.train, threshold=0.0
        )
    with pytest.raises(ValueError, match=r"Expected a name among .*'dose'.*; received 'dos'"):
        lx.inspection.smallest_change(
            model, data.test[0], "dos", training=data.train, threshold=0.0
        )
    # the value itself crosses the threshold that was found
    value = float(model.predict(data.test[0].inputs_for(model), verbose=0)[0, 0])
    found = lx.inspection.smallest_change(
        model, data.test[0], "dose", training=data.train, steps=0, threshold=value + 0.05
    )
    if found.found:
        moved = data.test[0].change("dose", found.value, 0)
        assert float(model.predict(moved.inputs_for(model), verbose=0)[0, 0]) > value + 0.0499


# -- pictures --------------------------------------------------------------------------------------
def pixels(png):
    from matplotlib.image import imread

    return imread(io.BytesIO(png), format="png")


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
    same = view_of(core.explanation(State(2)), core.explanation(State(2)), "lactate", "as recorded")
    assert not same.moved.any()
    assert "is " + same.text(1) in sentence(same)


# -- the widget ------------------------------------------------------------------------------------
def test_each_control_leads_to_the_state_that_it_names(explorer):
    own = explorer.controls
    own.variable.value = "pulse"
    own.last.value = 5
    own.first.value = 1
    assert own.chosen_steps == (1, 5)
    own.last.value = 3
    assert own.chosen_steps == (1, 3)
    own.number.value = 17.5
    assert explorer.state.edits == (Edit("pulse", 17.5, (1, 3)),)
    own.last.value = 0  # the other end gives way
    assert own.chosen_steps == (0, 0)
    own.first.value = 4
    assert own.chosen_steps == (4, 4)
    own.first.value = 2
    assert own.chosen_steps == (2, 4)
    own.missing.click()
    own.facts["age"][1].value = 71.0
    own.facts["sex"][0].value = not own.facts["sex"][0].value
    [ward] = own.facts["ward"]
    ward.value = next(value for _, value in ward.options if value != ward.value)
    state = explorer.state
    assert [edit.name for edit in state.edits] == ["pulse", "pulse", "age", "sex", "ward"]
    assert state.edits[1] == Edit("pulse", None, (2, 4))
    own.undo.click()
    assert explorer.state.edits == state.edits[:-1]
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
    own.sample.value = 4
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
            own.number.value = float(np.round(rng.uniform(-20, 40), 3))
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
                control.value = float(rng.uniform(40, 80))
        elif kind == 6:
            own.missing.click()
        elif kind == 7:
            [own.undo, own.pin, own.unpin, own.reset][rng.integers(4)].click()
        else:
            own.sample.value = int(rng.integers(len(data.test)))

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
    assert fresh.core.glance(State(state.sample, state.edits, state.pinned)).text in (
        value_of(explorer.live).replace("&gt;", ">")
    )
    # every control says what the state says
    sample = explorer.data
    first, last = own.chosen_steps
    column = list(sample.variables).index(own.variable.value)
    shown = sample.display_values[0, first : last + 1, column].mean()
    assert own.number.value == pytest.approx(shown, rel=1e-5, abs=1e-5)
    fresh.close()


def test_the_first_move_is_made_where_it_matters_most(explorer):
    own = explorer.controls
    values = explorer.explanation.over_variables().values[0].transpose("feature", "time")
    totals = dict(zip(values["feature"].values, values.values.sum(axis=1), strict=True))
    assert own.variable.value == max(totals, key=lambda name: abs(totals[name]))
    step = int(np.abs(values.sel(feature=own.variable.value).values).argmax())
    assert own.chosen_steps == (step, step)


def test_without_anywidget_everything_but_the_keys_is_there(model_and_data, monkeypatch):
    model, data = model_and_data
    monkeypatch.setattr("lstm_explain.widgets.page.is_available", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = lx.explore(model, data.test, background=data.train)
        plain.controls.number.value = 12.0
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
    assert explorer.state.edits == (Edit("lactate", value, own.chosen_steps),)
    assert own.number.value == own.ladders[own.value][20]
    assert own.readings()["lstm-explain-slider-1"] == f"{own.number.value:g}"


def test_the_ends_of_a_slider_and_its_value_are_one_message(explorer):
    """Else the page would clip the old position to the new end, and report that as a move."""
    sent = []
    slider = explorer.controls.value
    slider.send_state, kept = lambda key=None: sent.append(set(key)), slider.send_state
    explorer.controls.variable.value = "pulse"
    slider.send_state = kept
    assert len(sent) == 1
    assert {"max", "value"} <= sent[0]


def test_a_tolerance_that_is_missed_stands_in_the_status_line(model_and_data):
    model, data = model_and_data
    with warnings.catch_warnings():  # no warning leaves the worker's thread
        warnings.simplefilter("error")
        rough = lx.explore(model, data.test, background=data.train[:2], tolerance=1e-12)
        assert "Expected values within tolerance=1e-12" in value_of(rough.status)
        rough.controls.number.value = 12.0
        assert rough.wait(60)
    assert re.search(r"within tolerance=1e-12; with \d+ nodes", value_of(rough.status))
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
    assert explorer.controls.chosen_steps == (0, 2)
    explorer.close()


def test_errors_stand_in_the_status_line_and_pass(explorer, monkeypatch):
    own = explorer.controls
    own.number.value = float("nan")
    assert "Expected a finite number for" in value_of(explorer.status)
    assert explorer.state.edits == ()

    def broken(*args):
        raise RuntimeError("no <memory> left")

    monkeypatch.setattr(explorer.core, "view", broken)
    own.number.value = 12.0
    assert explorer.wait(60)
    assert value_of(explorer.status) == "RuntimeError: no &lt;memory&gt; left"
    monkeypatch.undo()
    own.number.value = 13.0
    assert explorer.wait(60)
    assert value_of(explorer.status) == ""


def test_flip_and_save(explorer, tmp_path):
    own = explorer.controls
    own.flip.click()
    assert "the range of the training data" in value_of(explorer.status)
    own.number.value = 15.0
    own.folder.value = str(tmp_path / "kept")
    own.save.click()
    assert value_of(explorer.status).startswith("Saved ")
    saved = lx.Explanation.load(tmp_path / "kept" / "sample_0_changed.nc")
    np.testing.assert_array_equal(saved.values, explorer.explanation.values)
    assert pixels((tmp_path / "kept" / "sample_0_changed.png").read_bytes()).std() > 0.05


def test_nothing_leaks_into_pyplot_in_many_edits(explorer, rng):
    from matplotlib import pyplot

    for value in rng.uniform(5, 15, 200):
        explorer.controls.number.value = float(value)
    assert explorer.wait(120)
    assert pyplot.get_fignums() == []
    assert len(explorer.state.past) == 1  # one control: one action
    assert len(explorer.core._explained) <= 16


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


# -- threads ---------------------------------------------------------------------------------------
def test_the_newest_work_wins():
    worker, begun, go = Newest(), threading.Event(), threading.Event()
    done = []

    def slow(version):
        begun.set()
        go.wait(10)
        done.append((version, worker.is_newest(version)))

    worker.submit(slow)
    begun.wait(10)
    for name in "abc":
        worker.submit(lambda version, name=name: done.append((version, name)))
    go.set()
    assert worker.wait(10)
    assert done == [(1, False), (4, "c")]
    worker.close()
    worker.submit(lambda version: done.append("after the end"))
    assert worker.wait(10)
    assert len(done) == 2


def test_matplotlib_hooks_run_on_the_main_thread_only():
    from IPython.core.events import EventManager

    calls = []

    def ours():
        calls.append("ours")

    def flush_figures():
        calls.append("matplotlib")

    flush_figures.__module__ = "matplotlib_inline.backend_inline"
    shell = types.SimpleNamespace()
    shell.events = EventManager(shell, {"post_execute": None})

    def in_thread():
        thread = threading.Thread(target=shell.events.trigger, args=("post_execute",))
        thread.start()
        thread.join()

    shell.events.register("post_execute", ours)
    shell.events.register("post_execute", flush_figures)
    in_thread()
    assert calls == ["ours", "matplotlib"]  # what goes wrong without the guard
    calls.clear()
    guard_figures(shell)
    guard_figures(shell)
    in_thread()
    assert calls == ["ours"]
    shell.events.trigger("post_execute")
    assert calls == ["ours", "ours", "matplotlib"]
    shell.events.unregister("post_execute", flush_figures)  # as matplotlib itself does
    release_figures(shell)
    in_thread()
    assert calls[3:] == ["ours"]
    guard_figures(None)
    release_figures(None)


@pytest.mark.slow
def test_memory_does_not_grow_with_edits(explorer, rng):
    import resource

    def edit(count):
        for value in rng.uniform(5, 15, count):
            explorer.controls.number.value = float(value)
            assert explorer.wait(60)

    edit(100)  # caches and traces are filled
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edit(200)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, f"{grown} KB in 200 edits"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explorer.widget.get_state()
