"""Models whose explanation could be that of another function: right, or refused by name."""

import itertools
import math

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops

pytestmark = pytest.mark.slow

layers = keras.layers
STEPS, FEATURES = 6, 3


def numbers(count=8, seed=0):
    return np.random.default_rng(seed).normal(size=(count, STEPS, FEATURES)).astype("float32")


def series():
    return keras.Input((STEPS, FEATURES))


def words():
    return keras.Input((STEPS,), dtype="int32")


def explained(model, x, **options):
    return lx.explain(model, x[:3], background=x[3:], progress=False, **options)


# -- the link --------------------------------------------------------------------------------------
def attended_by_hand(i):
    states = layers.LSTM(4, return_sequences=True)(i)
    weights = layers.Softmax(axis=1)(layers.Dense(1)(states))
    return layers.GlobalAveragePooling1D()(layers.Multiply()([weights, states]))


@pytest.mark.parametrize("wrapped", [lambda loss: loss, lambda loss: [loss]], ids=["loss", "list"])
def test_logits_stay_logits_where_attention_by_hand_has_a_softmax(wrapped):
    i = series()
    model = randomised(keras.Model(i, layers.Dense(3)(attended_by_hand(i))), 0.4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=wrapped(loss))
    x = numbers()
    raw = model.predict(x[:3], verbose=0).astype(float)
    e = explained(model, x, output=0)
    others = np.log(np.exp(raw[:, 1:]).sum(axis=1))
    np.testing.assert_allclose(e.predictions, raw[:, 0] - others, atol=1e-5)
    assert e.scale == "margin"


def test_logits_of_a_gated_model_with_two_classes():
    i = series()
    gate = layers.Dense(FEATURES, "sigmoid")(i)
    out = layers.Dense(1)(layers.LSTM(4)(layers.Multiply()([gate, i])))
    model = randomised(keras.Model(i, out), 0.4)
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    x = numbers()
    raw = model.predict(x[:3], verbose=0)[:, 0]
    np.testing.assert_allclose(explained(model, x, output=0).predictions, -raw, atol=1e-5)


def test_logits_of_an_own_loss_are_values():
    """Only its author knows whether it takes several logits for one question or for several."""

    class Own(keras.losses.Loss):
        from_logits = True

        def call(self, true, predicted):
            return ops.mean(keras.losses.binary_crossentropy(true, predicted, from_logits=True))

    model = randomised(keras.Sequential([series(), layers.LSTM(4), layers.Dense(3)]), 0.4)
    model.compile(loss=Own())
    x = numbers()
    e = explained(model, x, output=1)
    np.testing.assert_allclose(e.predictions, model.predict(x[:3], verbose=0)[:, 1], atol=1e-5)
    assert e.scale == "value"


# -- masks -----------------------------------------------------------------------------------------
def shapley(predict, sample, absent):
    """Sum over all orders, by coalitions of steps; `predict` takes rows (coalition, time, ...)."""
    steps = range(len(sample))
    coalitions = list(itertools.product([False, True], repeat=len(sample)))
    present = np.array(coalitions).reshape(len(coalitions), len(sample), *[1] * (sample.ndim - 1))
    outputs = dict(zip(coalitions, predict(np.where(present, sample, absent)), strict=True))
    values = np.zeros(len(sample))
    for coalition, step in itertools.product(coalitions, steps):
        if not coalition[step]:
            size = sum(coalition)
            weight = math.factorial(size) * math.factorial(len(sample) - size - 1)
            gain = outputs[tuple(np.array(coalition) | (np.arange(len(sample)) == step))]
            values[step] += weight / math.factorial(len(sample)) * (gain - outputs[coalition])
    return values


def test_an_id_of_0_that_the_embedding_reads_as_1_is_a_word():
    i = words()
    table = layers.Embedding(11, 4, mask_zero=True)
    model = randomised(keras.Model(i, layers.Dense(1)(layers.LSTM(4)(table(i + 1)))), 0.5)
    ids = np.random.default_rng(0).integers(0, 10, (2, STEPS)).astype("int32")
    ids[:, 2] = 0
    e = lx.shapley_values(model, ids, background=1, progress=False)
    for sample in range(2):
        truth = shapley(lambda z: model.predict(z, verbose=0)[:, 0], ids[sample], 1)
        np.testing.assert_allclose(e.values[sample], truth, atol=1e-5)


@pytest.mark.parametrize("kind", ["reversed", "rolled"])
def test_the_mask_of_a_moved_sequence_is_none_of_the_inputs_steps(kind):
    move = (
        (lambda v: ops.flip(v, axis=1))
        if kind == "reversed"
        else (lambda v: ops.roll(v, 2, axis=1))
    )
    masking = layers.Masking()
    i = series()
    model = randomised(keras.Model(i, layers.Dense(1)(layers.LSTM(4)(masking(move(i))))), 0.5)
    x = numbers()
    x[0, 4:], x[1, 3:] = 0, 0
    e = explained(model, x)
    real = np.any(x[:3] != 0, axis=2)
    assert (np.abs(e.over_time().values.values) > 1e-6).tolist() == real.tolist()
    assert e.mask.values.all()  # nothing is padding: the model reads what stands there
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)


def test_a_mask_that_is_given_by_position_is_held():
    x = numbers()
    x[0, 1:] = 0
    lstm, head = layers.LSTM(4), layers.Dense(1)
    values = []
    for by_name in (False, True):
        i = series()
        real = ops.any(ops.not_equal(i, 0.0), axis=-1)
        states = lstm(i, mask=real) if by_name else lstm(i, None, real)
        model = keras.Model(i, head(states))
        if not values:
            randomised(model, 0.5)
        values.append(explained(model, x).values.values)
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)
    assert not values[0][0, 1:].any()


# -- attention -------------------------------------------------------------------------------------
def reversed_states():
    i = series()
    states = layers.LSTM(4, return_sequences=True, go_backwards=True)(i)
    attended = layers.Attention(name="a")([states, states])
    return randomised(keras.Model(i, layers.Dense(1)(layers.Flatten()(attended))), 0.5)


def test_what_attention_weighs_is_not_taken_from_a_sample_that_does_not_show_it():
    x = numbers(3)
    data = SequenceData.from_arrays([x[0, :1], x[1], x[2]])
    model, other = reversed_states(), reversed_states()
    lx.attention_maps(model, data[:1])  # one real step
    later = lx.attention_maps(model, data[1:])["a"]
    np.testing.assert_array_equal(later, lx.attention_maps(other, data[1:])["a"])
    weights = other.get_weights()
    other.set_weights([np.zeros_like(weight) for weight in weights])
    lx.attention_maps(other, data[1:])  # untrained
    other.set_weights(weights)
    np.testing.assert_array_equal(later, lx.attention_maps(other, data[1:])["a"])


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_weights_of_shifted_states_are_of_no_step(shift):
    i = series()
    states = layers.LSTM(4, return_sequences=True)(i)
    moved = layers.ZeroPadding1D((shift, 0))(states)[:, :-shift]
    attended = layers.Attention(name="a")([states[:, -1:], moved])
    model = randomised(keras.Model(i, layers.Dense(1)(layers.Flatten()(attended))), 0.5)
    assert "time" not in lx.attention_maps(model, numbers(2))["a"].dims
    assert explained(model, numbers()).attention is None


# -- what the check sees ---------------------------------------------------------------------------
class Scaled(layers.Layer):
    """Multiply by numbers that stand in a dict, a list, an array, an object and a closure."""

    def __init__(self, kind):
        super().__init__()
        factor = {"closure": [1.0]}
        self.kept = {
            "dict": {"all": {"factor": 1.0}},
            "list": [1.0],
            "array": np.ones(1, "float32"),
            "closure": lambda: factor["closure"][0],
        }[kind]
        self.kind, self.cell = kind, factor["closure"]
        if kind == "closure":
            del self.cell
            self.set_factor = lambda value: factor["closure"].__setitem__(0, value)

    def change(self, value):
        if self.kind == "dict":
            self.kept["all"]["factor"] = value
        elif self.kind == "closure":
            self.set_factor(value)
        else:
            self.kept[0] = value

    def call(self, values):
        if self.kind == "dict":
            return values * self.kept["all"]["factor"]
        return values * (self.kept() if self.kind == "closure" else float(self.kept[0]))


@pytest.mark.parametrize("kind", ["dict", "list", "array", "closure"])
def test_what_is_changed_in_place_is_followed(kind):
    i, scaled, x = series(), Scaled(kind), numbers()
    model = randomised(keras.Model(i, layers.Dense(1)(layers.LSTM(4)(scaled(i)))), 0.5)
    for factor in (1.0, 1.0, 3.0):
        scaled.change(factor)
        e = explained(model, x)
        now = ops.convert_to_numpy(model(x[:3], training=False))[:, 0]
        np.testing.assert_allclose(e.predictions, now, atol=1e-5)


@pytest.mark.parametrize("explain", [lx.explain, lx.shapley_values])
def test_a_model_that_joins_the_samples_of_a_batch_is_refused(explain):
    i = series()
    centred = i - ops.mean(i, axis=0, keepdims=True)
    model = randomised(keras.Model(i, layers.Dense(1)(layers.LSTM(4)(centred))), 0.5)
    x = numbers(12)
    with pytest.raises(ValueError, match=r"on that sample alone; .* beside other samples"):
        explain(model, x[:4], background=x[4:], progress=False)


def test_half_precision_lets_no_other_model_through():
    """In float32 the link of this model is seen to be none; its layers' rounding hides 3 %."""
    layer = {"dtype": "float32"}
    i = series()
    state = layers.LSTM(8, dtype="mixed_float16")(i)
    probability = layers.Dense(1, "sigmoid", **layer)(state)
    model = keras.Model(i, layers.Rescaling(0.97, 0.015, **layer)(probability))
    x = numbers()
    e = explained(model, x, scale="probability")
    now = model.predict(x[:3], verbose=0)[:, 0]
    np.testing.assert_allclose(e.predictions, now, atol=1e-3)  # half precision


# -- embeddings beside numbers ---------------------------------------------------------------------
class Place(layers.Layer):
    """Add a vector for each position to numbers."""

    def __init__(self, by_sample, **options):
        super().__init__(**options)
        self.by_sample, self.table = by_sample, layers.Embedding(STEPS + 1, FEATURES)

    def call(self, values):
        if self.by_sample:
            ones = ops.ones_like(values[..., 0], dtype="int32")
            return values + self.table(ops.cumsum(ones, axis=1))
        return values + self.table(ops.arange(STEPS))


@pytest.mark.parametrize("by_sample", [True, False], ids=["of each sample", "of all"])
def test_a_table_of_positions_leaves_numbers_their_features(by_sample):
    i = series()
    model = randomised(keras.Model(i, layers.Dense(1)(layers.LSTM(4)(Place(by_sample)(i)))), 0.5)
    x = numbers()
    e = explained(model, x)
    assert e.level == "cell"
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)
    by_feature = lx.shapley_values(
        model, x[:1], background=x[3:], level="feature", budget=3000, progress=False
    )
    assert by_feature.feature_names == e.feature_names


def test_ids_beyond_the_table_are_no_error_where_the_model_takes_their_remainder():
    i = words()
    model = keras.Model(i, layers.Dense(1)(layers.LSTM(4)(layers.Embedding(7, 4)(i % 7))))
    randomised(model, 0.5)
    ids = np.random.default_rng(0).integers(2, 20, (2, STEPS)).astype("int32")
    e = lx.explain(model, ids, background=1, progress=False)
    now = model.predict(ids, verbose=0)[:, 0]
    np.testing.assert_allclose(e.predictions, now, atol=1e-6)
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)


def test_ids_that_no_embedding_reads_are_refused_with_a_way_out():
    i = words()
    model = keras.Model(i, layers.Dense(1)(layers.LSTM(4)(ops.one_hot(i, 20))))
    ids = np.random.default_rng(0).integers(2, 20, (2, STEPS)).astype("int32")
    with pytest.raises(ValueError, match=r"Expected an Embedding layer .*np\.eye\(size\)\[ids\]"):
        lx.explain(model, ids, background=1, progress=False)
    begun_behind = keras.Sequential([keras.Input((STEPS, 20)), *model.layers[-2:]])
    e = lx.explain(begun_behind, np.eye(20)[ids], background="zero", progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(ids, verbose=0)[:, 0], atol=1e-6)


def test_own_attention_that_cannot_be_asked_for_weights_is_explained_without():
    class Own(layers.Attention):
        def call(self, inputs, mask=None):
            return super().call(inputs, mask=mask)

    i = series()
    states = layers.LSTM(4, return_sequences=True)(i)
    out = layers.Dense(1)(layers.Flatten()(Own()([states, states])))
    e = explained(randomised(keras.Model(i, out), 0.5), numbers())
    assert e.attention is None
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)


def test_numpy_numbers_are_recorded():
    model = randomised(keras.Sequential([series(), layers.LSTM(4), layers.Dense(1)]))
    e = explained(model, numbers(), tolerance=np.float32(0.05))
    assert e.provenance["tolerance"] == pytest.approx(0.05)


def test_labels_that_are_decided_one_by_one_have_no_smallest_change():
    model = randomised(keras.Sequential([series(), layers.LSTM(4), layers.Dense(3, "sigmoid")]))
    data = SequenceData.from_arrays(numbers(), feature_names=["u", "v", "w"])
    with pytest.raises(
        ValueError, match=r"3 labels, each decided on its own.*outputs\[0\]\[:, 0:1\]"
    ):
        lx.inspection.smallest_change(model, data[:1], "u", training=data)
    one = keras.Model(model.inputs, model.outputs[0][:, 0:1])
    flip = lx.inspection.smallest_change(one, data[:1], "u", training=data)
    assert {flip.before, flip.after} <= {"class 0", "class 1"}


@pytest.mark.parametrize("axes", [1, 2, (1, 2)])
def test_attention_along_other_axes_has_axes_of_its_own(axes):
    i = series()
    cube = layers.Reshape((STEPS, FEATURES, 1))(i)
    attended = layers.MultiHeadAttention(2, 3, attention_axes=axes, name="a")(cube, cube)
    model = randomised(keras.Model(i, layers.Dense(1)(layers.Flatten()(attended))), 0.3)
    x = numbers()
    e = explained(model, x)
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)
    assert e.attention is None
    weights = lx.attention_maps(model, x[:3])["a"]
    assert weights.dims[0] == "sample"
    assert "time" not in weights.dims


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"step": np.array([1, 2])}, "Expected step to be a whole number .* received ndarray"),
        ({"scale": np.array(["margin"])}, "Expected scale to be one of .* received ndarray"),
    ],
    ids=["step", "scale"],
)
def test_an_array_is_no_option(option, message):
    model = randomised(keras.Sequential([series(), layers.LSTM(4), layers.Dense(1)]))
    with pytest.raises(ValueError, match=message):
        explained(model, numbers(), **option)


def test_a_sample_that_is_its_background_has_no_gap():
    """Its spread of predictions is rounding, which would make a gap of any rounding."""
    model = randomised(keras.Sequential([series(), layers.LSTM(4), layers.Dense(1)]))
    x = numbers(1)
    e = lx.explain(model, x, background=x, progress=False)  # warnings are errors
    np.testing.assert_array_equal(e.values, 0)


@pytest.mark.parametrize("shift", [0, 1, -1, 3])
@pytest.mark.parametrize("kind", ["both ways", "mixed", "read twice"])
def test_states_of_both_directions_are_of_the_steps_that_move_them_most(kind, shift):
    i = keras.Input((12, FEATURES))
    states = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(i)
    if kind == "mixed":  # no unit of one direction is left
        states = layers.Dense(4)(states)
    elif kind == "read twice":
        states = layers.Bidirectional(layers.GRU(4, return_sequences=True))(states)
    states = ops.roll(states, shift, axis=1)
    attended = layers.Attention(name="a")([states, states])
    model = randomised(keras.Model(i, layers.Dense(1)(layers.Flatten()(attended))), 0.5)
    x = np.random.default_rng(0).normal(size=(2, 12, FEATURES)).astype("float32")
    assert ("time" in lx.attention_maps(model, x)["a"].dims) == (shift == 0)


@pytest.mark.parametrize("kind", ["convolved", "convolved, then read", "convolved, then rolled"])
def test_states_of_windows_are_of_the_steps_in_their_middle(kind):
    i = keras.Input((12, FEATURES))
    states = layers.Conv1D(4, 5, padding="same")(i)
    if kind.endswith("read"):
        states = layers.LSTM(4, return_sequences=True)(states)
    elif kind.endswith("rolled"):
        states = ops.roll(states, 5, axis=1)
    attended = layers.Attention(name="a")([states, states])
    model = randomised(keras.Model(i, layers.Dense(1)(layers.Flatten()(attended))), 0.5)
    x = np.random.default_rng(0).normal(size=(2, 12, FEATURES)).astype("float32")
    assert ("time" in lx.attention_maps(model, x)["a"].dims) == (not kind.endswith("rolled"))
