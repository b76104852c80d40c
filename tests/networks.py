"""Networks that this package did not build, far from linear."""

from functools import lru_cache

import numpy as np

from lstm_explain.backend import keras, ops
from lstm_explain.models.layers import AttentionPooling

RNG = np.random.default_rng(5)
STEPS, FEATURES = 5, 3


def numbers(*shape):
    return RNG.normal(size=shape).astype("float32")


def randomised(model, scale=0.7):
    """Large weights, so that the model is far from linear and errors show."""
    rng = np.random.default_rng(11)
    model.set_weights([rng.normal(scale=scale, size=w.shape) for w in model.get_weights()])
    return model


def sequential(*layers):
    return randomised(keras.Sequential([keras.Input((STEPS, FEATURES)), *layers]))


@lru_cache
def recurrent(kind, steps, features, units=8):
    """Return one of eight kinds of recurrent network with one value as output."""
    layers = keras.layers
    parts = {
        "LSTM": lambda: [layers.LSTM(units)],
        "GRU": lambda: [layers.GRU(units)],
        "SimpleRNN": lambda: [layers.SimpleRNN(units)],
        "Bidirectional": lambda: [layers.Bidirectional(layers.LSTM(units))],
        "stacked": lambda: [layers.LSTM(units, return_sequences=True), layers.LSTM(units)],
        "attention": lambda: [layers.LSTM(units, return_sequences=True), AttentionPooling(units)],
        "convolution": lambda: [layers.Conv1D(units, 3, activation="relu"), layers.LSTM(units)],
        "masked": lambda: [layers.Masking(), layers.LSTM(units)],
    }[kind]()
    return keras.Sequential([keras.Input((steps, features)), *parts, layers.Dense(1)])


def drawn(kind, shape, rows, gain, seed):
    """Return a network with new random weights, samples of a shape, and background rows.

    Weights are about as layers begin at gain 1; at gain 4, gates are saturated.
    """
    rng = np.random.default_rng(seed)
    model = recurrent(kind, *shape[1:])
    shapes = [weights.shape for weights in model.get_weights()]
    scales = [gain / np.sqrt(np.prod(size[:-1])) if len(size) > 1 else 0.3 for size in shapes]
    model.set_weights([rng.normal(scale=s, size=n) for s, n in zip(scales, shapes, strict=True)])
    x = rng.normal(size=shape)
    if kind == "masked":
        x *= np.arange(shape[1])[:, None] < rng.integers(3, shape[1] + 1, (len(x), 1, 1))
    background = rng.normal(size=(rows, *shape[1:]))
    return model, x.astype("float32"), background.astype("float32")


def composite_integral(question, sample, panels):
    """Values of one sample by panels of 8 Gauss-Legendre nodes each, on plain gradients."""
    inside, weights = np.polynomial.legendre.leggauss(8)
    weights = np.tile(weights, panels) / (2 * panels)
    positions = ((np.arange(panels)[:, None] + (inside + 1) / 2) / panels).reshape(-1, 1, 1)
    many = np.full(len(positions), sample)
    subject, selection = question.subject[many], question.selection[many]
    x, real = subject.values[0].astype(float), subject.mask[0][:, None]
    total = np.zeros(x.shape)
    for row in question.rows[0].astype(float):
        start = np.where(real, row, x)
        points = (start + positions * (x - start)).astype("float32")
        moved = subject.with_values(points, subject.static)
        gradients = question.compiled.gradients(moved, selection, 512)
        total += (x - start) * np.tensordot(weights, gradients, 1)
    return total / len(question.rows[0])


def dense_gradients(model, x, background, output=0, nodes=64):
    """Expected gradients of a model's own output by TensorFlow-free central differences."""
    total = np.zeros(x.shape)
    positions, weights = np.polynomial.legendre.leggauss(nodes)
    positions, weights = (positions + 1) / 2, weights / 2
    step = 3e-3
    for start in background:
        points = start + positions[:, None, None] * (x - start)
        for index in np.ndindex(*x.shape):
            up, down = points.copy(), points.copy()
            up[(slice(None), *index)] += step
            down[(slice(None), *index)] -= step
            rise = (
                model(up.astype("float32"))[..., output]
                - model(down.astype("float32"))[..., output]
            )
            slope = np.asarray(ops.convert_to_numpy(rise)) / (2 * step)
            total[index] += (x - start)[index] * (weights * slope).sum()
    return total / len(background)


class Subclassed(keras.Model):
    """An LSTM that says nothing of its shapes before it is called."""

    def __init__(self, outputs=3):
        super().__init__(name="subclassed")
        self.lstm, self.dense = keras.layers.LSTM(4), keras.layers.Dense(outputs)

    def call(self, inputs):
        return self.dense(self.lstm(inputs))


class Positions(keras.layers.Layer):
    """Add a vector for each position, which does not depend on the words."""

    def build(self, shape):
        self.table = keras.layers.Embedding(shape[1], shape[-1])
        self.table.build(None)

    def call(self, vectors):
        return vectors + self.table(ops.arange(vectors.shape[1]))[None]
