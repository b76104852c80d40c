"""Figures of gates: what stands where, in which order, and errors."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tiny
import xarray as xr
from matplotlib.figure import Figure

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.plots.gates import order_units


def panels(figure):
    return {ax.get_label(): ax for ax in figure.axes}


def cells(ax):
    [mesh] = [one for one in ax.collections if one.get_array() is not None]
    return np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan)


@pytest.fixture(scope="module")
def trace():
    return lx.trace_gates(tiny.model(), tiny.padded().test[:3])


@pytest.fixture(scope="module")
def stacked():
    """An LSTM in both directions, then a GRU."""
    inputs = keras.Input((6, 3))
    both = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True), name="both")
    states = both(keras.layers.Masking()(inputs))
    outputs = keras.layers.Dense(1)(keras.layers.GRU(12, name="last")(states))
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(scale=0.8, size=w.shape) for w in model.get_weights()])
    return lx.trace_gates(model, np.pad(rng.normal(size=(1, 4, 3)), ((0, 0), (1, 1), (0, 0))))


def test_every_map_shows_its_numbers_in_the_order_of_change(trace):
    one = trace.isel(sample=1)
    steps = int(one["mask"].sum())
    ax = lx.plot_gates(trace.isel(sample=[1]))
    shown = panels(ax.figure)
    order = order_units(one, "change")
    for part in ("input_gate", "candidate", "forget_gate", "cell", "output_gate", "hidden"):
        expected = one[part].values[:steps, order].T
        np.testing.assert_array_equal(cells(shown[part]), expected)
    assert [text.get_text() for text in ax.get_yticklabels()] == [str(n) for n in order]
    assert f"4 units over {steps} steps" in ax.get_title(loc="left")
    change = np.abs(np.diff(one["cell"].values[:steps], axis=0, prepend=0))
    assert np.diff(change.argmax(axis=0)[order]).min() >= 0
    assert np.ptp(change.argmax(axis=0)) > 0  # else any order would do


def test_units_that_keep_stand_on_top(trace):
    one = trace.isel(sample=0)
    kept = one["forget_gate"].mean("time").values
    np.testing.assert_array_equal(order_units(one, "keep"), np.argsort(-kept))
    np.testing.assert_array_equal(order_units(one, "number"), np.arange(4))


def test_one_direction_of_one_layer_is_drawn(stacked):
    ax = lx.plot_gates(stacked, ["written", "forgotten"], layer="both, backward", order="number")
    shown = panels(ax.figure)
    assert ax.get_title(loc="left").startswith("both, reading backwards:")
    units = (stacked.layer == "both") & (stacked.direction == "backward")
    written = stacked["written"].isel(sample=0, unit=units.values).values[:5]
    np.testing.assert_array_equal(cells(shown["written"]), written.T)
    assert np.isnan(cells(shown["written"])[:, 0]).all()  # masked: grey
    note = next(text for text in ax.texts if "grey" in text.get_text())
    assert "nothing is computed" in note.get_text()


def test_a_gru_has_panels_of_its_own(stacked):
    shown = panels(lx.plot_gates(stacked, layer="last").figure)
    assert [label for label in shown if label in stacked] == [
        "reset_gate", "candidate", "update_gate", "hidden",
    ]  # fmt: skip
    assert shown["hidden"].get_yticklabels() == []  # 12 numbers would touch


def test_words_stand_below_their_steps():
    data = SequenceData.from_texts(["a good $film"], [1.0], at_least=1)
    trace = lx.trace_gates(lx.build_model(data, units=(2,), embedding_size=3, beside=None), data)
    lowest = panels(lx.plot_gates(trace).figure)["hidden"]
    assert [text.get_text() for text in lowest.get_xticklabels()] == ["a", "good", r"\$", "film"]
    lowest.figure.canvas.draw()  # a formula would raise here


def test_it_goes_where_it_is_put(trace):
    figure, (left, _) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    ax = lx.plot_gates(trace.isel(sample=0), ["cell"], ax=left)
    assert ax.figure is figure
    assert left not in figure.axes
    alone = Figure(layout="constrained")  # one that pyplot does not know, as in a widget
    assert lx.plot_gates(trace.isel(sample=0), ["cell"], ax=alone.add_subplot()).figure is alone


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda t: "text", {}, TypeError, "received str. Call lx.trace_gates"),
        (lambda t: xr.Dataset(), {}, TypeError, "received Dataset. Call lx.trace_gates"),
        (lambda t: t, {}, ValueError, r"received 3: use plot_gates\(trace.isel\(sample=\[0\]\)\)"),
        (lambda t: t.isel(sample=0), {"order": "size"}, ValueError, r"'number'\]; received"),
        (lambda t: t.isel(sample=0), {"parts": "cell"}, ValueError, "parts to be a list; received"),
        (lambda t: t.isel(sample=0), {"parts": ["reset_gate"]}, ValueError, "of some of .*'cell'"),
        (lambda t: t.isel(sample=0), {"layer": "b"}, ValueError, r"one of \['lstm_1, forward'\]"),
    ],
)
def test_errors_say_the_remedy(trace, change, options, error, message):
    with pytest.raises(error, match=message):
        lx.plot_gates(change(trace), **options)


def test_several_layers_must_be_named(stacked):
    with pytest.raises(ValueError, match="one direction at a time"):
        lx.plot_gates(stacked)
    with pytest.raises(ValueError, match="'both, forward', 'both, backward', 'last, forward'"):
        lx.plot_gates(stacked, layer="both")
