"""Write `keras_2.zip`: models saved by Keras 2, and what it predicts with them.

Run it where `tf_keras` 2.19, the last Keras 2, is installed: it is not needed for the tests.
"""

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tf_keras as keras
import tf_keras.backend as k
from tf_keras import layers
from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU
from tf_keras.src.layers.rnn.cudnn_lstm import CuDNNLSTM

STEPS, FEATURES = 6, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, STEPS, FEATURES)).astype("float32")
IDS = RNG.integers(1, 20, (4, STEPS)) * (np.arange(STEPS) < 4)


class Attention(layers.Layer):
    """The attention that most posts show."""

    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1], 1), initializer="normal")
        self.b = self.add_weight(name="b", shape=(shape[1], 1), initializer="normal")

    def call(self, x):
        weights = k.softmax(k.tanh(k.dot(x, self.w) + self.b), axis=1)
        return k.sum(x * weights, axis=1)


last = lambda states: states[:, -1]  # noqa: E731 (Keras 2 writes the code of a lambda)
# Without the place where this file lies.
last.__code__ = last.__code__.replace(co_filename="last.py")


def sequential(*parts):
    return keras.Sequential(list(parts))


def functional(make):
    inputs = layers.Input((STEPS, FEATURES))
    return keras.Model(inputs, layers.Dense(1)(make(inputs)))


def with_states(x):
    sequence, *states = layers.Bidirectional(
        layers.LSTM(4, return_sequences=True, return_state=True)
    )(x)
    hidden = layers.Concatenate()([states[0], states[2]])
    cell = layers.Concatenate()([states[1], states[3]])
    return layers.LSTM(8)(sequence, initial_state=[hidden, cell])


def attending(x):
    states = layers.LSTM(4, return_sequences=True)(x)
    dot = layers.Attention()([states, states])
    return layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 3)(dot, states))


def by_hand(x):
    states = layers.LSTM(4, return_sequences=True)(x)
    scores = layers.Flatten()(layers.Dense(1, activation="tanh")(states))
    weights = layers.RepeatVector(4)(layers.Activation("softmax")(scores))
    return layers.GlobalMaxPooling1D()(layers.Multiply()([states, layers.Permute((2, 1))(weights)]))


def nested(x):
    inner = sequential(layers.LSTM(4, input_shape=(STEPS, FEATURES)), layers.Dense(3))
    later = sequential(layers.Dense(2), layers.LSTM(2))  # built by its first call
    once, again = later(x), later(layers.Rescaling(-0.5)(x))
    twins = layers.Subtract()([inner(layers.Rescaling(2.0)(x)), inner(x)])
    return layers.Concatenate()([twins, once, layers.Rescaling(3.0)(again)])


def recurrent(lstm, gru):
    return lambda x: layers.Bidirectional(gru(3))(lstm(5, return_sequences=True)(x))


def logits():
    model = sequential(layers.GRU(4, input_shape=(STEPS, FEATURES)), layers.Dense(3))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


MODELS = {
    "stateful": lambda: sequential(
        layers.LSTM(
            5, batch_input_shape=(4, STEPS, FEATURES), stateful=True, return_sequences=True
        ),
        layers.LeakyReLU(alpha=0.2),
        layers.SimpleRNN(4, stateful=True),
        layers.Dense(1),
    ),
    "masked": lambda: sequential(
        layers.Masking(0.0, input_shape=(STEPS, FEATURES)),
        layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
        layers.Bidirectional(layers.GRU(3, reset_after=False)),
        layers.Dense(2, activation="softmax"),
    ),
    "words": lambda: sequential(
        layers.Embedding(20, 4, input_length=STEPS, mask_zero=True),
        layers.SpatialDropout1D(0.1),
        layers.LSTM(4, dropout=0.1, recurrent_dropout=0.1),
        layers.Dense(1, activation="sigmoid"),
    ),
    "hard_sigmoid": lambda: sequential(
        layers.LSTM(5, recurrent_activation="hard_sigmoid", input_shape=(STEPS, FEATURES)),
        layers.Dense(1),
    ),
    "with_states": lambda: functional(with_states),
    "attending": lambda: functional(attending),
    "by_hand": lambda: functional(by_hand),
    "nested": lambda: functional(nested),
    "own_layer": lambda: functional(
        lambda x: Attention()(layers.LSTM(4, return_sequences=True)(x))
    ),
    "function": lambda: functional(
        lambda x: layers.Lambda(last)(layers.LSTM(4, return_sequences=True)(x))
    ),
    "logits": logits,
    "cudnn": lambda: functional(recurrent(CuDNNLSTM, CuDNNGRU)),
}


IN_BOTH = ("hard_sigmoid", "with_states", "nested", "logits")


def predicted(model, name, folder):
    """Predict with Keras 2; layers of cuDNN, which need a GPU, as it reads them without one."""
    if name == "cudnn":
        model.save_weights(folder / "weights.h5")
        model = functional(recurrent(layers.LSTM, layers.GRU))
        model.load_weights(folder / "weights.h5")
    return model.predict(IDS if name == "words" else X, verbose=0)


def main():
    arrays = {"X": X, "IDS": IDS}
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        place = Path(__file__).with_name("keras_2.zip")
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, make in MODELS.items():
                keras.utils.set_random_seed(0)
                model = make()
                # Larger than those that a model begins with, so that units reach their limits.
                model.set_weights(
                    [RNG.normal(scale=0.6, size=w.shape) for w in model.get_weights()]
                )
                if name != "logits":
                    model.compile("adam", "mse")
                arrays[name] = predicted(model, name, folder)
                endings = ["h5", "keras"] if name in IN_BOTH else ["h5"]
                for ending in endings:
                    model.save(folder / f"{name}.{ending}")
                    archive.write(folder / f"{name}.{ending}", f"{name}.{ending}")
            np.savez_compressed(folder / "expected.npz", **arrays)
            archive.write(folder / "expected.npz", "expected.npz")


if __name__ == "__main__":
    main()
