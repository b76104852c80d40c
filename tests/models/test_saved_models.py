"""Models that Keras 2 saved compute what they did; what a file cannot hold is named."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain.backend import keras, ops

pytestmark = pytest.mark.slow

layers = keras.layers
ARCHIVE = Path(__file__).parents[1] / "written_before" / "keras_2.zip"
LOADED = (
    "stateful.h5", "masked.h5", "words.h5", "hard_sigmoid.h5", "with_states.h5", "attending.h5",
    "by_hand.h5", "nested.h5", "own_layer.h5", "logits.h5", "cudnn.h5",
    "hard_sigmoid.keras", "with_states.keras", "nested.keras", "logits.keras",
)  # fmt: skip


class Attention(layers.Layer):
    """The layer of the file, written for Keras 3."""

    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1], 1))
        self.b = self.add_weight(name="b", shape=(shape[1], 1))

    def call(self, x):
        weights = ops.softmax(ops.tanh(ops.matmul(x, self.w) + self.b), axis=1)
        return ops.sum(x * weights, axis=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("keras_2")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(place)
    return place


@pytest.fixture(scope="module")
def expected(folder):
    return np.load(folder / "expected.npz")


def load(folder, name):
    own = {"Attention": Attention} if "own" in name else None
    return lx.load_model(folder / name, custom_objects=own)


@pytest.mark.parametrize("file", LOADED)
def test_a_model_of_keras_2_predicts_what_it_did_and_is_explained(file, folder, expected):
    model, name = load(folder, file), file.split(".")[0]
    x = expected["IDS" if name == "words" else "X"]
    # float32 on another version of the same operations
    np.testing.assert_allclose(model.predict(x, verbose=0), expected[name], atol=2e-6)
    if name == "stateful":
        with pytest.raises(ValueError, match=r"lx\.models\.stateless\(model\)"):
            lx.explain(model, x, background=x)
        model = lx.models.stateless(model)
        np.testing.assert_allclose(model.predict(x[:3], verbose=0), expected[name][:3], atol=2e-6)
    many = {"output": 0} if model.output_shape[1] > 1 else {}
    e = lx.explain(model, x, background=x, progress=False, **many)
    assert e.scale == ("margin" if name in ("masked", "words", "logits") else "value")
    np.testing.assert_allclose(e.gaps, 0, atol=0.01)


def test_the_hard_sigmoid_of_keras_3_would_be_silently_wrong(folder, expected):
    """The slope that Keras 3 has moves the prediction, so that the test above would notice it."""
    model = load(folder, "hard_sigmoid.h5")
    cell = model.layers[0].cell
    assert float(cell.recurrent_activation(ops.convert_to_tensor([1.0]))[0]) == pytest.approx(0.7)
    cell.recurrent_activation = keras.activations.hard_sigmoid
    wrong = ops.convert_to_numpy(model(expected["X"]))
    assert np.abs(wrong - expected["hard_sigmoid"]).max() > 0.01


def test_a_model_of_keras_2_is_saved_again_as_one_of_keras_3(folder, expected, tmp_path):
    load(folder, "hard_sigmoid.h5").save(tmp_path / "new.keras")
    again = lx.load_model(tmp_path / "new.keras").predict(expected["X"], verbose=0)
    np.testing.assert_allclose(again, expected["hard_sigmoid"], atol=2e-6)


def changed(folder, name, tmp_path, change):
    """Copy a file with other text in the description of its model."""
    copy = tmp_path / f"{name}.h5"
    copy.write_bytes((folder / f"{name}.h5").read_bytes())
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = np.bytes_(change(file.attrs["model_config"]))
        file.attrs["keras_version"] = np.bytes_("2.1.6")  # as the first versions wrote texts
    return copy


def without_names_of_cells(text):
    """Describe a GRU as the first files did: without a word on when it resets."""
    config = json.loads(text)
    del config["config"]["layers"][-2]["config"]["layer"]["config"]["reset_after"]
    first = config["config"]["layers"]
    del first[0]  # and without a layer for the input
    return json.dumps(config)


def test_files_of_the_first_versions(folder, expected, tmp_path):
    path = changed(folder, "masked", tmp_path, without_names_of_cells)
    predicted = lx.load_model(path).predict(expected["X"], verbose=0)
    np.testing.assert_allclose(predicted, expected["masked"], atol=2e-6)


def test_what_a_file_cannot_hold_is_named_before_anything_is_built(folder, tmp_path):
    with pytest.raises(ValueError, match=r"\['lambda'\] are functions.*model\.load_weights"):
        load(folder, "function.h5")
    own = folder / "own_layer.h5"
    with pytest.raises(ValueError, match=r"into custom_objects=.*also where Keras has one of its"):
        lx.load_model(own)  # Keras has an Attention of its own, which reads something else
    model = keras.Sequential([keras.Input((6, 3)), Attention()])
    model.save(tmp_path / "new.keras")
    with pytest.raises(ValueError, match=r"into custom_objects=\{name: class\}"):
        lx.load_model(tmp_path / "new.keras")
    other = changed(folder, "own_layer", tmp_path, lambda t: t.replace('"Attention"', '"Mine"'))
    with pytest.raises(ValueError, match=r'custom_objects=\{"Mine": Mine\}'):
        lx.load_model(other)
    turned = changed(
        folder,
        "stateful",
        tmp_path,
        lambda t: t.replace('"time_major": false', '"time_major": true'),
    )
    with pytest.raises(ValueError, match=r"reads \(time, sample, feature\), which Keras 3 cannot"):
        lx.load_model(turned)
    model = load(folder, "by_hand.h5")
    model.save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(ValueError, match=r"holds weights alone\. Build the model in code"):
        lx.load_model(tmp_path / "only.weights.h5")
    (tmp_path / "broken.h5").write_bytes(own.read_bytes()[:100] + b"0" * 500)
    with pytest.raises((ValueError, OSError), match=r"damaged|truncated"):
        lx.load_model(tmp_path / "broken.h5")
    with pytest.raises(ValueError, match=r"without a saved_model\.pb"):
        lx.load_model(tmp_path)


def test_the_weights_of_a_model_with_functions_fit_the_model_in_code(folder, expected):
    """What the refusal says to do works."""
    inputs = keras.Input((6, 3))
    states = layers.LSTM(4, return_sequences=True)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Lambda(lambda x: x[:, -1])(states)))
    model.load_weights(folder / "function.h5")
    predicted = model.predict(expected["X"], verbose=0)
    np.testing.assert_allclose(predicted, expected["function"], atol=2e-6)


def test_files_of_keras_3_keep_what_they_say_of_themselves(tmp_path, rng):
    x = rng.normal(size=(5, 6, 3)).astype("float32")
    model = randomised(
        keras.Sequential(
            [
                keras.Input((6, 3)),
                layers.Bidirectional(layers.GRU(3, recurrent_activation="hard_sigmoid")),
                layers.Dense(1),
            ]
        )
    )
    model.save(tmp_path / "three.h5")
    loaded = lx.load_model(tmp_path / "three.h5")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a SavedModel is TensorFlow's")
def test_a_saved_model_is_explained_like_the_model_that_it_was(tmp_path, rng):
    x = rng.normal(size=(5, 6, 3)).astype("float32")
    model = randomised(
        keras.Sequential([keras.Input((6, 3)), layers.LSTM(4), layers.Dense(1, "sigmoid")])
    )
    model.export(tmp_path / "saved", verbose=False)
    loaded = lx.load_model(tmp_path / "saved")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    expected = lx.explain(model, x, background=x, scale="probability", progress=False)
    e = lx.explain(loaded, x, background=x, progress=False)
    np.testing.assert_allclose(e.values, expected.values, atol=1e-5)


def test_a_stateless_model_begins_each_sample_anew(rng):
    x = rng.normal(size=(4, 6, 3)).astype("float32")
    stateful = randomised(
        keras.Sequential(
            [
                keras.Input(batch_shape=(4, 6, 3)),
                layers.LSTM(4, stateful=True, return_sequences=True),
                layers.Bidirectional(layers.GRU(2, stateful=True)),
                layers.Dense(1),
            ]
        )
    )
    # Called, because what predict does is not kept by all backends.
    first, second = (ops.convert_to_numpy(stateful(x)) for _ in range(2))
    assert np.abs(second - first).max() > 1e-3  # the states of the first call were there
    model = lx.models.stateless(stateful)
    for rows in (x, x[:1], np.concatenate([x, x])):
        expected = np.concatenate([first, first])[: len(rows)]
        np.testing.assert_allclose(model.predict(rows, verbose=0), expected, atol=1e-6)
    model.layers[-1].bias.assign([100.0])
    assert ops.convert_to_numpy(stateful.layers[-1].bias)[0] < 50  # the weights are copies

    class Own(keras.Model):
        def call(self, x):
            return x

    own = Own(name="own")
    own(x)
    with pytest.raises(
        ValueError, match=r"'own' is subclassed\. Build it again with stateful=False"
    ):
        lx.models.stateless(own)
