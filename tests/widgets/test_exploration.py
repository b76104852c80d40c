"""The numbers behind the explorer are those of explain; its flip is that of the closed form."""

import numpy as np
import pandas as pd
import pytest
import tiny
from marks import slow_but
from widgets.explored import linear_model

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.plots.content import circumstances
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.samples import orders, samples_of, ways
from lstm_explain.widgets.state import Edit, State, edited
from lstm_explain.wording import MINUS

pytestmark = pytest.mark.slow


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


def test_inputs_that_cannot_be_told_apart_are_named():
    """Two inputs of numbers per step: one holds flags, and only the user knows which."""
    import keras

    x, flags = keras.Input((4, 1), name="x"), keras.Input((4,), name="flags")
    states = keras.layers.LSTM(3)(x)
    model = keras.Model(
        [x, flags], keras.layers.Dense(1)(keras.layers.Concatenate()([states, flags]))
    )
    values = np.random.default_rng(0).normal(size=(6, 4, 1))
    data = SequenceData.from_arrays(values, values[:, 0, 0], static=values[:, :, 0])
    names = {"sequence": "x", "static": "flags"}
    found = Exploration(model, data, data, inputs=names).explanation(State(1, ()))
    fresh = lx.explain(model, data[1], background=data, inputs=names, progress=False)
    np.testing.assert_allclose(found.values, fresh.values, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="Expected inputs= to give each"):
        lx.explore(model, data, data, inputs={"sequence": "y"})


def test_predictions_stay_those_of_one_class_when_the_decision_flips():
    """Of three classes the predicted one is explained; a change must not turn the question."""
    model, data = tiny.model("multiclass"), tiny.padded("multiclass")
    core = Exploration(model, data.test, data.train)
    name = core.question(0).selection.names[0]
    for value in (-8.0, 8.0):
        state = State(0, (Edit("dose", value, (0, int(data.test.lengths[0]) - 1)),))
        fresh = lx.explain(
            model, core.edited(state), background=data.train, output=str(name), progress=False
        )
        np.testing.assert_allclose(
            core.predictions(state)[1], fresh.predictions.values[0], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("task", slow_but(["binary", "multiclass", "regression"], "binary"))
def test_orders_are_permutations_that_begin_with_what_they_name(task):
    model, data = tiny.model(task), tiny.padded(task)
    core = Exploration(model, data.test, data.train)
    question = core.question(0)
    found = orders(question, data.test, samples_of(question, data.test, range(len(data.test))))
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


# -- the smallest change that flips a decision -----------------------------------------------------
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
    assert f"No value of dose from {MINUS}2 to 2 (the range of the training data)" in str(none)


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


def test_a_window_is_called_by_its_last_time_in_figure_and_explorer():
    """Counted by position, one window had two numbers: in the part explained, and among all."""
    table = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=31)})
    table["return"] = np.random.default_rng(0).normal(size=31)
    table["next"] = table["return"].shift(-1)
    data = SequenceData.from_frame(table, time="day", features=["return"], target="next", window=3)
    core = Exploration(linear_model(1.0, 0.0), data, data)
    assert core.names[:2] == ["2020-01-03", "2020-01-04"]
    alone = lx.explain(core.model, data[[7]], background=data, output=0, progress=False)
    shown = core.explanation(State(7, ()))
    for explanation in (alone, shown):
        assert circumstances(explanation)[0] == f"data to {core.names[7]}"
    assert core.sample_called("2020-01-10") == 7
