"""Gates and states of every kind of layer, beside literal loops and the layer's own output."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops
from lstm_explain.internals.cells import CELLS, PARTS, STATES

pytestmark = pytest.mark.slow

L = keras.layers
STEPS, FEATURES = 7, 3

LSTM_PARTS, GRU_PARTS = (cell.parts for cell in CELLS)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numbers(weights):
    return ops.convert_to_numpy(weights).astype(float)


def slow_lstm(cell, steps):
    """Hochreiter and Schmidhuber with forget gates, one number at a time, in float64."""
    units = cell.units
    kernel, recurrent = numbers(cell.kernel), numbers(cell.recurrent_kernel)
    bias = numbers(cell.bias) if cell.use_bias else np.zeros(4 * units)
    h, c, rows = np.zeros(units), np.zeros(units), []
    for x in steps:
        now = {name: np.zeros(units) for name in LSTM_PARTS}
        for u in range(units):
            drive = [
                x @ kernel[:, column] + h @ recurrent[:, column] + bias[column]
                for column in (u, units + u, 2 * units + u, 3 * units + u)
            ]
            now["input_gate"][u], now["forget_gate"][u] = sigmoid(drive[0]), sigmoid(drive[1])
            now["candidate"][u], now["output_gate"][u] = np.tanh(drive[2]), sigmoid(drive[3])
            now["written"][u] = now["input_gate"][u] * now["candidate"][u]
            now["forgotten"][u] = c[u] - now["forget_gate"][u] * c[u]
            now["cell"][u] = now["forget_gate"][u] * c[u] + now["written"][u]
            now["hidden"][u] = now["output_gate"][u] * np.tanh(now["cell"][u])
        h, c = now["hidden"], now["cell"]
        rows.append(now)
    return rows


def slow_gru(cell, steps):
    """Cho et al., one number at a time, with the reset gate before or after the product."""
    units = cell.units
    kernel, recurrent = numbers(cell.kernel), numbers(cell.recurrent_kernel)
    bias = numbers(cell.bias) if cell.use_bias else np.zeros((2, 3 * units))
    if bias.ndim == 1:
        bias = np.stack([bias, np.zeros(3 * units)])
    h, rows = np.zeros(units), []
    for x in steps:
        now = {name: np.zeros(units) for name in GRU_PARTS}
        read = x @ kernel + bias[0]
        for u in range(units):
            z, r = u, units + u
            now["update_gate"][u] = sigmoid(read[z] + h @ recurrent[:, z] + bias[1, z])
            now["reset_gate"][u] = sigmoid(read[r] + h @ recurrent[:, r] + bias[1, r])
        for u in range(units):
            g, reset = 2 * units + u, now["reset_gate"]
            if cell.reset_after:
                earlier = reset[u] * (h @ recurrent[:, g] + bias[1, g])
            else:
                earlier = (reset * h) @ recurrent[:, g]
            now["candidate"][u] = np.tanh(read[g] + earlier)
            update = now["update_gate"][u]
            now["written"][u] = (1 - update) * now["candidate"][u]
            now["forgotten"][u] = h[u] - update * h[u]
            now["hidden"][u] = update * h[u] + now["written"][u]
        h = now["hidden"]
        rows.append(now)
    return rows


def slow(layer, steps, mask):
    """Run one direction over the real steps of one sample, carry its states over the others."""
    order = np.arange(len(steps))[:: -1 if layer.go_backwards else 1]
    read = [t for t in order if mask[t]]
    is_lstm = isinstance(layer.cell, L.LSTMCell)
    names = LSTM_PARTS if is_lstm else GRU_PARTS
    rows = (slow_lstm if is_lstm else slow_gru)(layer.cell, steps[read].astype(float))
    result = {name: np.full((len(steps), layer.cell.units), np.nan) for name in names}
    states = {name: np.zeros(layer.cell.units) for name in names if name in STATES}
    by_step = dict(zip(read, rows, strict=True))
    for t in order:
        for name in names:
            if t in by_step:
                result[name][t] = by_step[t][name]
            elif name in states:
                result[name][t] = states[name]
        states = {name: result[name][t] for name in states}
    return result


def network(*layers):
    """A functional model with weights large enough to drive gates towards their limits."""
    inputs = keras.Input((STEPS, FEATURES))
    states = inputs
    for layer in layers:
        states = layer(states)
    model = keras.Model(inputs, L.Dense(1)(states))
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(scale=0.8, size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture
def gaps(rng):
    """Right-padded, left-padded, with a hole, wholly padded, and full; padding is 0."""
    values = rng.normal(size=(5, STEPS, FEATURES)).astype(np.float32)
    real = np.ones((5, STEPS), bool)
    real[0, 4:], real[1, :3], real[2, 2:4], real[3] = False, False, False, False
    return values * real[..., None], real


def assert_as_slow(trace, layer, direction, steps, real):
    """Hold the traced units of one direction of a layer against the loops, sample by sample."""
    chosen = (trace.layer == layer.name) & (trace.direction == direction)
    inner = layer
    if isinstance(layer, L.Bidirectional):
        inner = next(
            one
            for one in (layer.forward_layer, layer.backward_layer)
            if one.go_backwards == (direction == "backward")
        )
    units = trace.isel(unit=chosen.values)
    assert units.number.values.tolist() == list(range(inner.cell.units))
    for sample, (values, flags) in enumerate(zip(steps, real, strict=True)):
        expected = slow(inner, values, flags)
        for name, array in expected.items():
            # float32 against float64 over a few steps
            np.testing.assert_allclose(units[name].values[sample], array, atol=1e-5, rtol=0)


KINDS = {
    "lstm": lambda **more: L.LSTM(4, **more),
    "lstm without bias": lambda **more: L.LSTM(4, use_bias=False, **more),
    "gru": lambda **more: L.GRU(4, **more),
    "gru, reset before": lambda **more: L.GRU(4, reset_after=False, **more),
    "gru without bias": lambda **more: L.GRU(4, use_bias=False, **more),
    "cell in RNN": lambda **more: L.RNN(L.LSTMCell(4), **more),
    "dropout is off": lambda **more: L.LSTM(4, dropout=0.5, recurrent_dropout=0.5, **more),
}


@pytest.mark.parametrize(
    ("kind", "backwards"), [*((kind, False) for kind in KINDS), ("lstm", True), ("gru", True)]
)
def test_gates_are_those_of_literal_loops(kind, backwards, gaps):
    values, real = gaps
    layer = KINDS[kind](go_backwards=backwards)
    trace = lx.trace_gates(network(L.Masking(), layer), values)
    assert trace["hidden"].dims == ("sample", "time", "unit")
    assert_as_slow(trace, layer, "backward" if backwards else "forward", values, real)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_hidden_states_are_the_output_of_the_layer(kind, gaps):
    """Keras's own sequence of outputs, read from the layer by a model that ends there."""
    values, real = gaps
    layer = KINDS[kind](return_sequences=True)
    model = network(L.Masking(), layer)
    states = keras.Model(model.inputs, layer.output).predict(values, verbose=0)
    hidden = lx.trace_gates(model, values)["hidden"].values
    np.testing.assert_allclose(hidden[real], states[real], atol=1e-5, rtol=0)
    assert np.abs(hidden[real]).mean() > 0.1  # not equal because both are nothing


@pytest.mark.slow
@pytest.mark.parametrize("merge", ["concat", "mul", "ave", None, "sum"])
def test_both_directions_of_stacked_layers(merge, gaps):
    values, real = gaps
    first = L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=merge, name="first")
    second = L.Bidirectional(L.GRU(2), name="second")
    inputs = keras.Input((STEPS, FEATURES))
    states = first(L.Masking()(inputs))
    states = states if merge is not None else L.Concatenate()(states)
    model = keras.Model(inputs, L.Dense(1)(second(states)))
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(scale=0.8, size=w.shape) for w in model.get_weights()])
    trace = lx.trace_gates(model, values)
    assert trace.sizes["unit"] == 2 * 3 + 2 * 2
    for direction in ("forward", "backward"):
        assert_as_slow(trace, first, direction, values, real)
    between = keras.Model(inputs, states).predict(values, verbose=0)
    for direction in ("forward", "backward"):
        assert_as_slow(trace, second, direction, between, real)
    assert np.isnan(trace["cell"].isel(unit=(trace.layer == "second").values)).all()
    alone = lx.trace_gates(model, values, layer="second")
    assert list(alone.data_vars) == [*GRU_PARTS, "mask"]


def test_directions_may_be_of_other_cells(gaps):
    values, real = gaps
    back = L.GRU(3, go_backwards=True)
    both = L.Bidirectional(L.LSTM(3), backward_layer=back, name="both")
    trace = lx.trace_gates(network(L.Masking(), both), values)
    assert trace.cell_type.values.tolist() == ["LSTM"] * 3 + ["GRU"] * 3
    for direction in ("forward", "backward"):
        assert_as_slow(trace, both, direction, values, real)


def test_a_backward_layer_gives_its_steps_on_in_the_order_of_reading(gaps):
    values, real = gaps
    first = L.LSTM(3, go_backwards=True, return_sequences=True)
    trace = lx.trace_gates(network(L.Masking(), first, L.GRU(2)), values)
    assert_as_slow(trace, first, "backward", values, real)


def test_on_padding_nothing_is_computed_and_states_are_carried(gaps):
    values, real = gaps
    trace = lx.trace_gates(network(L.Masking(), L.LSTM(4)), values)
    for name in PARTS:
        if name in trace and name not in STATES:
            np.testing.assert_array_equal(np.isnan(trace[name].values).all(axis=2), ~real)
    for name in STATES:
        states = trace[name].values
        np.testing.assert_array_equal(states[0, 4:], np.repeat(states[0, 3:4], STEPS - 4, axis=0))
        np.testing.assert_array_equal(states[1, :3], 0)
        np.testing.assert_array_equal(states[2, 2:4], np.repeat(states[2, 1:2], 2, axis=0))
        np.testing.assert_array_equal(states[3], 0)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_memory_is_what_was_written_and_not_forgotten(kind, gaps):
    values, _ = gaps
    trace = lx.trace_gates(network(L.Masking(), KINDS[kind]()), values)
    memory = trace["cell" if kind == "lstm" else "hidden"].values
    moved = (trace["written"] - trace["forgotten"]).fillna(0).values
    np.testing.assert_allclose(moved.cumsum(axis=1), memory, atol=1e-5)


def test_more_padding_changes_nothing():
    """The same steps, shifted and padded by any number of masked steps."""
    data = tiny.padded()[:3]
    layer = L.LSTM(4)
    inputs = keras.Input((None, FEATURES))
    model = keras.Model(inputs, L.Dense(1)(layer(L.Masking()(inputs))))
    short = lx.trace_gates(model, data)
    for before, after in ((0, 5), (4, 0), (2, 3)):
        padded = np.pad(data.values, ((0, 0), (before, after), (0, 0)))
        long = lx.trace_gates(model, padded)
        moved = slice(before, before + data.values.shape[1])
        for name in ("forget_gate", "cell", "hidden"):
            ours, theirs = short[name].values, long[name].values[:, moved]
            np.testing.assert_allclose(ours[data.mask], theirs[data.mask], atol=1e-6, rtol=0)


def test_a_layer_that_reads_its_padding_has_gates_there():
    data = tiny.padded()[:4]
    layer = L.LSTM(4)
    inputs = keras.Input((data.values.shape[1], FEATURES))
    model = keras.Model(inputs, L.Dense(1)(layer(inputs)))
    trace = lx.trace_gates(model, data)
    np.testing.assert_array_equal(trace["mask"], data.mask)
    assert not np.isnan(trace["forget_gate"]).any()
    everything = np.ones(data.mask.shape, bool)
    assert_as_slow(trace, layer, "forward", data.values, everything)


def test_texts_carry_their_words():
    texts = ["good film", "a good , long film", "bad"]
    data = SequenceData.from_texts(texts, [1, 1, 0], at_least=1)
    model = lx.build_model(data, units=(3,), embedding_size=5, bidirectional=True, beside=None)
    trace = lx.trace_gates(model, data)
    assert trace["words"].values[1].tolist() == ["a", "good", ",", "long", "film"]
    embedding = model.get_layer("embedding")
    vectors = ops.convert_to_numpy(embedding.embeddings)[data.tokens]
    layer = model.get_layer("bidirectional_1")
    for direction in ("forward", "backward"):
        assert_as_slow(trace, layer, direction, vectors, data.mask)


def test_names_and_times_are_kept():
    data = tiny.padded(static=True).test[:3]
    times = np.cumsum(data.mask, axis=1)
    data = replace(data, ids=np.array(list("abc")), times=times, time_name="hour")
    trace = lx.trace_gates(tiny.model(static=True), data)
    assert trace["ids"].values.tolist() == list("abc")
    np.testing.assert_array_equal(trace["times"], times)
    assert trace.attrs["time_name"] == "hour"


def test_a_start_that_is_given_is_used(gaps):
    """A decoder that starts where an encoder ended."""
    values, _ = gaps
    inputs = keras.Input((STEPS, FEATURES))
    encoder, decoder = L.LSTM(3, return_state=True), L.LSTM(3, return_sequences=True)
    _, h, c = encoder(inputs)
    model = keras.Model(inputs, L.Dense(1)(decoder(inputs, initial_state=[h, c])[:, -1]))
    trace = lx.trace_gates(model, values, layer=decoder.name)
    forget, start = trace["forget_gate"].values[:, 0], trace["cell"].values[:, 0]
    written = trace["input_gate"].values[:, 0] * trace["candidate"].values[:, 0]
    expected = keras.Model(inputs, c).predict(values, verbose=0)
    np.testing.assert_allclose(start, forget * expected + written, atol=1e-5, rtol=0)
    assert np.abs(forget * expected).max() > 0.01


def test_training_goes_on_and_the_trace_follows(gaps):
    values, real = gaps
    layer = L.LSTM(4)
    model = network(L.Masking(), layer)
    before = lx.trace_gates(model, values)["cell"].values
    model.set_weights([0.5 * w for w in model.get_weights()])
    trace = lx.trace_gates(model, values)
    assert np.abs(trace["cell"].values - before).max() > 0.01
    assert_as_slow(trace, layer, "forward", values, real)


def test_small_batches_give_the_same(gaps):
    values, _ = gaps
    model = network(L.Masking(), L.LSTM(4))
    whole = lx.trace_gates(model, values)
    parts = lx.trace_gates(model, values, batch_size=2)
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], atol=1e-6, rtol=0)


def test_half_precision_is_traced_as_exactly_as_it_is():
    data = tiny.padded()
    model = lx.build_model(
        data, units=(4,), attention_units=3, mixed_precision=True, seed=1, beside=None
    )
    exact = lx.build_model(data, units=(4,), attention_units=3, seed=1, beside=None)
    for name in ("forget_gate", "hidden"):
        rounded, full = (lx.trace_gates(m, data.test[:5])[name].values for m in (model, exact))
        np.testing.assert_allclose(rounded, full, atol=5e-3)  # float16 has 11 bits
        assert np.nanmax(np.abs(rounded - full)) > 0


class Leaky(L.LSTMCell):
    """Forgets a little more than its weights say."""

    def call(self, inputs, states, training=False):
        _, (h, c) = super().call(inputs, states, training=training)
        return 0.99 * h, [0.99 * h, c]


def test_a_layer_that_computes_something_else_is_refused(gaps):
    """The comparison with the layer's own output fails, as it must, when one of both is changed."""
    values, _ = gaps
    with pytest.raises(ValueError, match="to compute what its type, RNN, says; its output differs"):
        lx.trace_gates(network(L.Masking(), L.RNN(Leaky(4))), values)
    with keras.saving.custom_object_scope({"Leaky": Leaky}):
        both = L.Bidirectional(L.RNN(Leaky(4), return_sequences=True))
    with pytest.raises(ValueError, match="its output differs from that by"):
        lx.trace_gates(network(both), values)


def test_a_layer_used_twice_is_refused(gaps):
    values, _ = gaps
    inputs = keras.Input((STEPS, FEATURES))
    shared = L.LSTM(FEATURES, return_sequences=True, name="shared")
    model = keras.Model(inputs, L.Dense(1)(shared(shared(inputs))[:, -1]))
    with pytest.raises(ValueError, match=r"^Expected .* 'shared' is used 2 times"):
        lx.trace_gates(model, values)
    pieces = L.TimeDistributed(L.LSTM(2, name="pieces"))
    model = network(L.Reshape((STEPS, 1, FEATURES)), pieces, L.LSTM(3, name="whole"))
    with pytest.raises(ValueError, match=rf"^Expected .* 'pieces' is used {STEPS} times"):
        lx.trace_gates(model, values)
    assert set(lx.trace_gates(model, values, layer="whole").layer.values) == {"whole"}


def test_layers_that_read_other_steps_are_traced_one_by_one(gaps):
    values, _ = gaps
    first, second = L.LSTM(3, return_sequences=True, name="a"), L.LSTM(2, name="b")
    model = network(first, L.AveragePooling1D(2), second)
    with pytest.raises(ValueError, match=r"received \{'a': 7, 'b': 3\} steps.*layer='a'"):
        lx.trace_gates(model, values)
    trace = lx.trace_gates(model, values, layer="b")
    assert trace.sizes["time"] == 3
    assert "mask" not in trace


@pytest.mark.parametrize(
    ("layers", "named", "message"),
    [
        ([L.SimpleRNN(3, name="plain")], None, r"has plain \(SimpleRNN\). Use lx.explain"),
        ([L.GlobalAveragePooling1D()], None, "has no recurrent layer"),
        ([L.RNN([L.LSTMCell(2), L.LSTMCell(2)])], None, "stacked in one RNN layer, make a layer"),
        ([L.LSTM(2, name="only")], "other", r"layer to be one of \['only'\]; received 'other'"),
    ],
)
def test_what_has_no_gates_is_refused_with_the_remedy(layers, named, message, gaps):
    with pytest.raises(ValueError, match=message):
        lx.trace_gates(network(*layers), gaps[0], layer=named)
