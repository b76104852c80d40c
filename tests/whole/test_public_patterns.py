"""What Keras users bring: each pattern counted in 71 public repositories is explained exactly.

The shares stand in docs/models_and_data.md. Every model is held against a quadrature of its own
outputs, which knows nothing of the package.
"""

import numpy as np
import pytest
from networks import STEPS, dense_gradients, randomised

import lstm_explain as lx
from lstm_explain.backend import keras, ops

pytestmark = pytest.mark.slow

layers = keras.layers
FEATURES = 2


class CopiedAttention(layers.Layer):
    """The attention layer that most tutorials have, with a bias for each step."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 1), initializer="normal")
        self.b = self.add_weight(shape=(shape[1], 1), initializer="zeros")

    def call(self, states):
        weights = ops.softmax(ops.tanh(ops.matmul(states, self.w) + self.b), axis=1)
        return ops.sum(states * weights, axis=1)


def attention_by_hand(states):
    scores = layers.Flatten()(layers.Dense(1, activation="tanh")(states))
    weights = layers.Permute([2, 1])(layers.RepeatVector(4)(layers.Softmax()(scores)))
    return layers.Lambda(lambda x: ops.sum(x, axis=1))(layers.Multiply()([states, weights]))


def built_in_attention(states):
    return layers.GlobalAveragePooling1D()(layers.Attention()([states, states]))


def chain(*parts, steps=STEPS):
    return keras.Sequential([keras.Input((steps, FEATURES)), *parts])


def graph(encode, head=None):
    series = keras.Input((STEPS, FEATURES))
    return keras.Model(series, (head or layers.Dense(1))(encode(series)))


def sequence_of(units=4, **options):
    return layers.LSTM(units, return_sequences=True, **options)


PATTERNS = {
    "Sequential": lambda: chain(layers.LSTM(4), layers.Dense(1)),
    "stacked": lambda: chain(sequence_of(), layers.LSTM(3), layers.Dense(1)),
    "input_shape in the layer": lambda: keras.Sequential(
        [layers.LSTM(4, input_shape=(STEPS, FEATURES)), layers.Dense(1)]
    ),
    "dropout": lambda: chain(layers.LSTM(4, dropout=0.2), layers.Dropout(0.5), layers.Dense(1)),
    "recurrent dropout": lambda: chain(layers.LSTM(4, recurrent_dropout=0.2), layers.Dense(1)),
    "softmax": lambda: chain(layers.LSTM(4), layers.Dense(3, activation="softmax")),
    "functional": lambda: graph(lambda x: layers.Dense(3, "relu")(layers.LSTM(4)(x))),
    "one single step": lambda: chain(layers.LSTM(4), layers.Dense(1), steps=1),
    "Bidirectional": lambda: chain(layers.Bidirectional(layers.LSTM(3)), layers.Dense(1)),
    "relu in the LSTM": lambda: chain(layers.LSTM(4, activation="relu"), layers.Dense(1)),
    "Dense(horizon)": lambda: chain(layers.LSTM(4), layers.Dense(3)),
    "TimeDistributed": lambda: chain(
        sequence_of(), layers.TimeDistributed(layers.Dense(2)), layers.Flatten(), layers.Dense(1)
    ),
    "RepeatVector": lambda: chain(
        layers.LSTM(4), layers.RepeatVector(2), sequence_of(3), layers.Flatten(), layers.Dense(1)
    ),
    "Conv1D": lambda: chain(
        layers.Conv1D(4, 2, activation="tanh"), layers.MaxPooling1D(2), layers.LSTM(3),
        layers.Dense(1),
    ),
    "built-in attention": lambda: graph(lambda x: built_in_attention(sequence_of()(x))),
    "attention by hand": lambda: graph(lambda x: attention_by_hand(sequence_of()(x))),
    "own attention layer": lambda: chain(sequence_of(), CopiedAttention(), layers.Dense(1)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")  # Keras 3 tells
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_of_public_repositories_is_explained_exactly(pattern):
    model = randomised(PATTERNS[pattern](), 0.5)
    shape = model.input_shape[1:]
    # Not of the generator that all tests share: the inputs would depend on which ran before.
    rng = np.random.default_rng(1)
    x, rows = (rng.normal(size=(count, *shape)).astype("float32") for count in (1, 2))
    raw = model.predict(x, verbose=0)
    output = 0 if raw.shape[-1] > 1 else None
    scale = "probability" if pattern == "softmax" else "margin"
    options = {"output": output, "scale": scale, "tolerance": 0.01, "progress": False}
    e = lx.explain(model, x, background=rows, **options)
    np.testing.assert_allclose(e.predictions, raw[:, 0], atol=1e-5)
    # Kinks of relu and of maxima, and float32 differences, leave errors of about 1e-3.
    expected = dense_gradients(model, x[0], rows, nodes=300)
    np.testing.assert_allclose(e.values[0], expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_padded_texts_without_a_mask_are_explained_and_warned_of(padding):
    """``pad_sequences`` before an Embedding that masks nothing: the model reads its padding."""
    model = randomised(
        keras.Sequential(
            [keras.Input((STEPS,)), layers.Embedding(9, 3), layers.LSTM(4), layers.Dense(1)]
        ),
        0.5,
    )
    ids = keras.utils.pad_sequences([[3, 4, 5], [6, 7, 8, 2, 1]], STEPS, padding=padding)
    e = lx.explain(model, ids, background=0, progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(ids, verbose=0)[:, 0], atol=1e-5)
    np.testing.assert_allclose(e.gaps, 0, atol=0.01)
