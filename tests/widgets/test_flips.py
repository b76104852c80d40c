"""The smallest change over all variables is that of the closed form, and it flips the decision."""

import numpy as np
import pytest
from widgets.explored import value_of

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.flips import flip_of, flip_of_any
from lstm_explain.widgets.state import Edit, State

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data():
    """The dose lies between -2 and 2, the pulse between -20 and 20; the first sample is 0."""
    values = np.linspace(-1, 1, 12)[:, None, None] * np.array([2.0, 20.0]) * np.ones((12, 3, 1))
    values[0], values[-2] = 0.0, -values[-1]
    return SequenceData.from_arrays(
        values, np.array(["no", "yes"] * 6), feature_names=["dose", "pulse"], units={"dose": "mg"}
    )


def model_of(threshold):
    """Log-odds = 3 * sum of doses + sum of pulses - threshold."""
    import keras

    inputs = keras.Input((3, 2))
    output = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, output)
    model.layers[-1].set_weights([np.tile([3.0, 1.0], 3)[:, None], np.array([-threshold])])
    return model


def test_the_variable_that_moves_least_for_its_range_is_found(data):
    """At two steps the dose must rise by 3.7 / 6, the pulse by 3.7 / 2: 15 and 5 % of the range."""
    model = model_of(3.7)
    core = Exploration(model, data, data)
    flip, words = flip_of_any(core, State(0), range(1, 3))
    assert flip.name == "pulse"
    assert flip.value == pytest.approx(1.85, abs=0.0011)
    assert words.startswith("pulse = 1.85")
    assert words.endswith(
        "It moves by 5\N{NO-BREAK SPACE}% of its range, the least of 2 variables."
    )
    dose = flip_of(core, State(0), "dose", range(1, 3))
    assert dose.value == pytest.approx(3.7 / 6, abs=1e-4)
    for one in (flip, dose):
        changed = core.edited(State(0, (Edit(one.name, one.value, (1, 2)),)))
        assert model.predict(changed.values, verbose=0).item() > 0.5
        assert float(f"{one.value:.5g}") == one.value  # as it is written
    assert model.predict(data[0].values, verbose=0).item() < 0.5


def test_what_does_not_flip_is_not_offered(data, monkeypatch):
    core = Exploration(model_of(999.0), data, data)
    flip, words = flip_of_any(core, State(0), range(3))
    assert flip is None
    assert words.startswith("No single variable")
    core = Exploration(model_of(3.7), data, data)
    monkeypatch.setattr("lstm_explain.widgets.flips.decision", lambda *args: 0)  # it holds nowhere
    assert not flip_of(core, State(0), "dose", range(3)).found
    assert flip_of_any(core, State(0), range(3))[0] is None


def test_the_button_makes_the_change_and_tells_of_it(data):
    explorer = lx.explore(model_of(3.7), data, data)
    controls = explorer.controls
    controls.variable.value, controls.first.value, controls.last.value = "dose", 1, 2
    controls.flip_any.click()
    [edit] = explorer.state.edits
    assert (edit.name, edit.steps) == ("pulse", (1, 2))
    assert controls.variable.value == "pulse"
    assert "changes the decision from no to yes" in value_of(controls.notes[controls.flip_any])
    controls.undo.click()
    assert explorer.state.edits == ()
    explorer.close()
