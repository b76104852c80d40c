"""Attention that people write themselves is found by what it does, and is shown like any other."""

from functools import partial

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras, ops

pytestmark = pytest.mark.slow

L = keras.layers
STEPS, FEATURES = 6, 3
X = np.random.default_rng(0).normal(size=(12, STEPS, FEATURES)).astype("float32")


class Attention(L.Layer):
    """That of most posts: weights (unit, 1) and a bias for each step, tanh, softmax over time."""

    def __init__(self, softmax, gives_weights, **more):
        super().__init__(**more)
        self.softmax, self.gives_weights = softmax, gives_weights

    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1], 1))
        self.b = self.add_weight(name="b", shape=(shape[1], 1))

    def call(self, states):
        weights = self.softmax(ops.tanh(ops.matmul(states, self.w) + self.b))
        context = ops.sum(states * weights, axis=1)
        return (context, weights) if self.gives_weights else context


def by_hand(scores):
    exponentials = ops.exp(scores)
    return exponentials / ops.sum(exponentials, axis=1, keepdims=True)


SOFTMAXES = {
    "ops": lambda scores: ops.softmax(scores, axis=1),
    "activations": lambda scores: keras.activations.softmax(scores, axis=1),
    "exponentials": by_hand,
}


def own_layer(softmax, gives_weights, **lstm):
    inputs = keras.Input((STEPS, FEATURES))
    states = L.LSTM(4, return_sequences=True, name="states", **lstm)(inputs)
    result = Attention(SOFTMAXES[softmax], gives_weights, name="own")(states)
    context = result[0] if gives_weights else result
    return randomised(keras.Model(inputs, L.Dense(1, "sigmoid")(context)), 0.7)


def weights_of(model, x):
    """The weights by NumPy, from the states that Keras computes."""
    states = keras.Model(model.inputs, model.get_layer("states").output).predict(x, verbose=0)
    w, b = map(np.asarray, model.get_layer("own").get_weights())
    exponentials = np.exp(np.tanh(states @ w + b))[..., 0]
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("softmax", "gives_weights"),
    [("ops", False), ("activations", False), ("ops", True), ("exponentials", True)],
)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_the_weights_of_an_own_layer(softmax, gives_weights, go_backwards):
    model = own_layer(softmax, gives_weights, go_backwards=go_backwards)
    for _ in range(2):  # with other weights too
        expected = weights_of(model, X)[:, :: -1 if go_backwards else 1]
        maps = lx.attention_maps(model, X, batch_size=5)
        assert maps["own"].dims == ("sample", "time")
        # float32 over a few steps
        np.testing.assert_allclose(maps["own"], expected, atol=1e-6)
        e = lx.explain(model, X[:4], background=X[4:], progress=False)
        np.testing.assert_allclose(e.attention, expected[:4], atol=1e-6)
        assert np.abs(expected - 1 / STEPS).max() > 0.02  # not the weights of everything
        model.set_weights([1.5 * w for w in model.get_weights()])


def layers_by_hand(join):
    inputs = keras.Input((STEPS, FEATURES))
    states = L.LSTM(4, return_sequences=True, name="states")(inputs)
    scores = L.Flatten()(L.Dense(1, "tanh")(states))
    weights = L.Activation("softmax", name="weights")(scores)
    return randomised(keras.Model(inputs, L.Dense(1)(join(states, weights))), 0.7)


JOINS = {
    "Multiply": lambda states, weights: L.GlobalAveragePooling1D()(
        L.Multiply()([states, L.Permute((2, 1))(L.RepeatVector(4)(weights))])
    ),
    "Dot": lambda states, weights: L.Dot(axes=1)([weights, states]),
    "operations": lambda states, weights: ops.sum(states * weights[..., None], axis=1),
}


@pytest.mark.parametrize("join", JOINS)
def test_attention_that_is_put_together_from_layers(join):
    model = layers_by_hand(JOINS[join])
    inner = keras.Model(model.inputs, model.get_layer("weights").output)
    maps = lx.attention_maps(model, X)
    assert set(maps.data_vars) == {"mask", "weights"}
    np.testing.assert_allclose(maps["weights"], inner.predict(X, verbose=0), atol=1e-6)
    assert "weights (WrittenAttention)" in repr(lx.inspect(model, lx.SequenceData.from_arrays(X)))


def test_what_sums_to_1_but_weighs_no_states_is_no_attention():
    """A softmax over as many classes as there are steps, and a gate that goes nowhere."""
    inputs = keras.Input((STEPS, FEATURES))
    classes = randomised(
        keras.Model(inputs, L.Dense(STEPS, "softmax", name="classes")(L.LSTM(4)(inputs)))
    )
    aside = layers_by_hand(lambda states, weights: L.Concatenate()([states[:, -1], weights]))
    for model in (classes, aside):
        with pytest.raises(ValueError, match=r"none is seen.*return context, weights"):
            lx.attention_maps(model, X)
        assert lx.inspect(model, lx.SequenceData.from_arrays(X)).written_attention == ()


def test_weights_over_features_are_not_called_time():
    inputs = keras.Input((STEPS, STEPS))
    turned = L.Permute((2, 1))(L.LSTM(STEPS, return_sequences=True)(inputs))  # (unit, step)
    scores = L.Flatten()(L.Dense(1)(turned))
    weights = L.Activation("softmax", name="weights")(scores)
    model = randomised(keras.Model(inputs, L.Dense(1)(L.Dot(axes=1)([weights, turned]))))
    x = np.random.default_rng(1).normal(size=(4, STEPS, STEPS)).astype("float32")
    assert lx.attention_maps(model, x)["weights"].dims == ("sample", "weights position")
    assert lx.explain(model, x, background=x, progress=False).attention is None


def test_an_own_layer_that_hides_its_weights_is_told_to_give_them():
    hidden = own_layer("exponentials", False)
    with pytest.raises(ValueError, match="takes a softmax or gives its weights too"):
        lx.attention_maps(hidden, X)
    with pytest.raises(ValueError, match=r"'own' to give weights.*return context, weights"):
        lx.attention_maps(hidden, X, attention="own")


class Transformed(L.Layer):
    """The states are transformed before they are weighed, so that no product of them is seen."""

    def __init__(self, of_pairs, **more):
        super().__init__(**more)
        self.of_pairs, self.value = of_pairs, L.Dense(3)

    def call(self, states):
        scores = ops.matmul(states, ops.transpose(states, (0, 2, 1)))  # (sample, query, time)
        weights = ops.softmax(scores if self.of_pairs else ops.tanh(scores[:, -1]), axis=-1)
        queries = weights if self.of_pairs else weights[:, None]
        return ops.max(ops.matmul(queries, self.value(states)) ** 2, axis=1)


def transformed(of_pairs, **lstm):
    inputs = keras.Input((STEPS, FEATURES))
    states = L.LSTM(4, return_sequences=True, name="states", **lstm)(inputs)
    return randomised(keras.Model(inputs, L.Dense(1)(Transformed(of_pairs, name="own")(states))), 1)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("of_pairs", [False, True])
def test_attention_that_is_not_seen_can_be_named(of_pairs, go_backwards):
    model = transformed(of_pairs, go_backwards=go_backwards)
    with pytest.raises(ValueError, match=r'none is seen.*attention="layer name"'):
        lx.attention_maps(model, X)
    states = keras.Model(model.inputs, model.get_layer("states").output).predict(X, verbose=0)
    scores = states @ states.transpose(0, 2, 1)
    exponentials = np.exp(scores if of_pairs else np.tanh(scores[:, -1]))
    expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
    expected = expected[..., :: -1 if go_backwards else 1]
    weights = lx.attention_maps(model, X, attention="own", batch_size=5)["own"]
    assert weights.dims == (("sample", "query", "time") if of_pairs else ("sample", "time"))
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    e = lx.explain(model, X[:4], background=X[4:], attention="own", progress=False)
    np.testing.assert_allclose(e.attention, expected[:4].reshape(4, -1, STEPS).mean(1), atol=1e-6)
    assert lx.explain(model, X[:4], background=X[4:], progress=False).attention is None
    again = question_of(model, e)  # what asks the same again, such as a report, knows it
    assert again.anatomy.attention_names == ["own"]


def test_of_several_layers_that_attend_one_can_be_named():
    inputs = keras.Input((STEPS, FEATURES))
    states = L.LSTM(4, return_sequences=True)(inputs)
    first = lx.models.AttentionPooling(3, name="first")(states)
    second = lx.models.AttentionPooling(3, name="second")(states)
    model = randomised(keras.Model(inputs, L.Dense(1)(L.Concatenate()([first, second]))), 0.7)
    maps = lx.attention_maps(model, X[:4])
    for name in ("first", "second"):
        assert set(lx.attention_maps(model, X[:4], attention=name).data_vars) == {"mask", name}
        e = lx.explain(model, X[:4], background=X[4:], attention=name, progress=False)
        np.testing.assert_allclose(e.attention, maps[name], atol=1e-6)
    assert np.abs(maps["first"] - maps["second"]).max() > 0.02


def test_a_name_of_no_attention_is_refused():
    model = transformed(False)
    for method in (lx.attention_maps, partial(lx.explain, background=X)):
        with pytest.raises(
            ValueError, match=r"received 'ownn': its layers are \[.*'states'.*'own'"
        ):
            method(model, X, attention="ownn")
        with pytest.raises(ValueError, match=r"'states' to give weights over the 6 .*\(6, 4\)"):
            method(model, X, attention="states")
        with pytest.raises(TypeError, match="Expected attention to be str; received int"):
            method(model, X, attention=3)
    inputs = keras.Input((STEPS, STEPS))
    turned = L.Permute((2, 1))(L.LSTM(STEPS, return_sequences=True)(inputs))
    weights = L.Activation("softmax", name="weights")(L.Flatten()(L.Dense(1)(turned)))
    features = randomised(keras.Model(inputs, L.Dense(1)(L.Dot(axes=1)([weights, turned]))))
    x = np.random.default_rng(1).normal(size=(4, STEPS, STEPS)).astype("float32")
    with pytest.raises(ValueError, match=r"'weights' do not go with them.*lx.attention_maps"):
        lx.explain(features, x, background=x, attention="weights", progress=False)


def test_a_name_that_stands_twice_or_inside_a_loop_is_refused():
    def tower(name):
        inputs = keras.Input((STEPS, FEATURES))
        inner = L.TimeDistributed(L.Dense(2, "softmax", name="inside"))(inputs)
        return keras.Model(inputs, Transformed(False, name="own")(inner), name=name)

    inputs = keras.Input((STEPS, FEATURES))
    both = L.Concatenate()([tower("a")(inputs), tower("b")(inputs)])
    model = randomised(keras.Model(inputs, L.Dense(1)(both)), 1)
    with pytest.raises(ValueError, match=r"there are 2 of that name.*in front: 'model/own'"):
        lx.attention_maps(model, X, attention="own")
    with pytest.raises(ValueError, match="inside a loop over steps"):
        lx.attention_maps(model, X, attention="inside")
    maps = [lx.attention_maps(model, X, attention=f"{name}/own")[f"{name}/own"] for name in "ab"]
    assert np.abs(maps[0] - maps[1]).max() > 0.02
