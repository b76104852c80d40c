"""Attention that people write themselves is found by what it does, and is shown like any other."""

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
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
    with pytest.raises(ValueError, match="takes a softmax or gives its weights too"):
        lx.attention_maps(own_layer("exponentials", False), X)
