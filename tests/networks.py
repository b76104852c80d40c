"""Networks that this package did not build, far from linear."""

import numpy as np

from lstm_explain.backend import keras
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


def redraw(model, gain, rng):
    """Draw all weights anew: about as layers begin at gain 1, saturated gates at gain 4."""
    shapes = [weights.shape for weights in model.get_weights()]
    scales = [gain / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.3 for shape in shapes]
    model.set_weights(
        [rng.normal(scale=s, size=shape) for s, shape in zip(scales, shapes, strict=True)]
    )
