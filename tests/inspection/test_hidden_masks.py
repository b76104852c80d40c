"""A mask that a layer computes inside its call cannot be held, and is warned of."""

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain.backend import keras, ops

layers = keras.layers
VALUES = np.random.default_rng(0).normal(size=(20, 6, 3)).astype("float32")
PADDED = VALUES.copy()
for sample in range(20):
    PADDED[sample, 6 - sample % 3 :] = 0


@keras.saving.register_keras_serializable("tests")
class MaskedMean(layers.Layer):
    """Average the states of steps that are not 0 throughout."""

    def call(self, sequence, states):
        real = ops.cast(ops.any(ops.not_equal(sequence, 0), axis=-1, keepdims=True), "float32")
        return ops.sum(states * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1)


@keras.saving.register_keras_serializable("tests")
class MaskedByFirstFeature(layers.Layer):
    """An LSTM that leaves out steps whose first feature is 0."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lstm = layers.LSTM(4)

    def call(self, sequence):
        return self.lstm(sequence, mask=ops.not_equal(sequence[..., 0], 0))


def model_with(kind):
    inputs = keras.Input((6, 3))
    if kind == "mean":
        states = MaskedMean(name="masked_mean")(
            inputs, layers.LSTM(4, return_sequences=True)(inputs)
        )
    elif kind == "first feature":
        states = MaskedByFirstFeature(name="masked_mean")(inputs)
    elif kind == "Masking":
        states = layers.LSTM(4)(layers.Masking()(inputs))
    else:
        states = layers.LSTM(4)(inputs)
    return randomised(keras.Model(inputs, layers.Dense(1)(states)), 0.7)


@pytest.mark.parametrize("kind", ["mean", "first feature"])
@pytest.mark.parametrize(
    ("data", "background"),
    [(PADDED[:6], VALUES[6:12]), (VALUES[:6], np.zeros((1, 6, 3), "float32"))],
    ids=["padding in the samples", "zeros in the background"],
)
def test_a_mask_inside_a_layer_is_warned_of_by_name(kind, data, background):
    says = r"made the margin of '.*' jump by up to .* \(look at \['masked_mean'\]\).*Masking layer"
    with pytest.warns(lx.inspection.PaddingWarning, match=says):
        lx.shapley_values(model_with(kind), data, background=background, progress=False)


@pytest.mark.parametrize("kind", ["Masking", "no mask"])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_models_without_a_hidden_mask_are_not_warned_of(kind, scale):
    inputs = keras.Input((6, 3))
    scaled = keras.Model(inputs, model_with(kind)(layers.Rescaling(1 / scale)(inputs)))
    for background in (PADDED[6:12] * scale, "zero"):
        # Warnings are errors.
        lx.shapley_values(scaled, VALUES[:6] * scale, background=background, progress=False)


def test_ids_and_other_whole_numbers_are_not_moved():
    """Beside measured numbers an id is looked up: half of an id is none."""
    values = np.concatenate([VALUES, np.arange(120).reshape(20, 6, 1) % 5], axis=-1)
    inputs = keras.Input((6, 4))
    place = layers.Embedding(5, 2)(layers.Lambda(lambda x: ops.cast(x, "int32"))(inputs[..., 3]))
    both = layers.Concatenate()([inputs[..., :3], place])
    model = randomised(keras.Model(inputs, layers.Dense(1)(layers.LSTM(4)(both))), 0.7)
    e = lx.explain(model, values[:4], background=values[4:], progress=False)
    assert np.abs(e.values.sel(feature=e.feature_names[3])).max() > 0


def test_held_masks_give_the_values_that_a_hidden_one_would_have():
    """What the warning says to do: the same weights behind a mask that can be held."""
    hidden, held = model_with("mean"), keras.Input((6, 3))
    mask = layers.Masking()(held)
    states = layers.LSTM(4, return_sequences=True)(held)
    out = layers.Dense(1)(layers.GlobalAveragePooling1D()(states, mask=mask._keras_mask))
    remedy = keras.Model(held, out)
    remedy.set_weights(hidden.get_weights())
    np.testing.assert_allclose(  # the same function, in another order of float32 sums
        remedy.predict(PADDED, verbose=0), hidden.predict(PADDED, verbose=0), atol=1e-6
    )
    e = lx.explain(remedy, PADDED[:6], background=VALUES[6:12], progress=False)
    padding = (PADDED[:6] == 0).all(axis=-1)
    assert padding.any()
    assert not np.abs(e.values.values[padding]).any()


@pytest.mark.parametrize("ended", [500, 480], ids=["whole", "padded"])
def test_gradients_that_explode_are_no_mask(ended):
    """Any small move of any value moves such an output far."""
    doubled = keras.initializers.Orthogonal(gain=2.0, seed=0)
    wild = layers.SimpleRNN(16, recurrent_initializer=doubled)
    model = keras.Sequential([keras.Input((None, 4)), wild, layers.Dense(1)])
    values = np.random.default_rng(0).normal(size=(4, 500, 4)).astype("float32")
    values[:, ended:] = 0
    moved = model(values + 1e-6 * np.sign(values)) - model(values)
    assert np.abs(ops.convert_to_numpy(moved)).max() > 0.1
    # Warnings are errors.
    norms = lx.internals.gradient_norms(model, values)
    # Rounding, which differs by backend, decides how far the gradient of one sample grows.
    assert norms[:, 0].max() > 1000
