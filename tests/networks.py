"""Networks that this package did not build, far from linear."""

import numpy as np

from lstm_explain.backend import keras

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
