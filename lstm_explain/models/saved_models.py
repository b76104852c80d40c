"""``load_model``: the files that Keras writes, and those that Keras 2 wrote; ``stateless``."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np

from ..arguments import as_path, check_model, check_type
from ..backend import keras, ops
from . import layers as own_layers  # noqa: F401 (Keras must know them when it reads a file)

# What Keras 2 writes of a layer and Keras 3 does not know, by the only value without an effect.
_WITHOUT_EFFECT = {
    "time_major": False,
    "causal": False,
    "score_mode": "dot",
    **dict.fromkeys(("input_length", "query_shape", "key_shape", "value_shape"), ...),
}
_CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
_WITHOUT_CODE = ("Lambda", "TFOpLambda", "SlicingOpLambda")


@keras.saving.register_keras_serializable(package="lstm_explain")
def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """Return 0.2 x + 0.5 between 0 and 1; the slope of Keras 3 is 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def load_model(path: str | Path, custom_objects: Mapping[str, Any] | None = None) -> keras.Model:
    """Load a saved model: a ``.keras`` file, an ``.h5`` file also of Keras 2, or a SavedModel.

    Keras 3 itself refuses recurrent layers that Keras 2 has saved. Here they are read, and compute
    what they did: layers of cuDNN become LSTM and GRU, and ``hard_sigmoid``, which Keras 3 has
    given another slope, keeps its own. Of a SavedModel the layers cannot be seen: it can be
    explained, but shows no attention or gates.

    Parameters
    ----------
    path : path
        A ``.keras``, ``.h5`` or ``.hdf5`` file, or the folder of a SavedModel.
    custom_objects : mapping of str to class or function, optional
        The layers and functions of your own that the model has, by the name in the file, written
        for Keras 3.

    Returns
    -------
    keras.Model
        An ``.h5`` file comes without its optimizer: compile the model to train it further.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged, holds weights alone, or holds layers whose code is missing.

    Examples
    --------
    >>> model = load_model("run/model.keras")  # doctest: +SKIP
    >>> model = load_model("old.h5", custom_objects={"attention": Attention})  # doctest: +SKIP
    """
    path = as_path(path, folder=os.path.isdir(path) if path else False)
    check_type(Mapping, "Give {name: class}.", optional=True, custom_objects=custom_objects)
    if not path.exists():
        raise FileNotFoundError(
            f"Expected a saved Keras model; found no file {str(path)!r}. Save one with "
            'model.save("model.keras") or run.save("run").'
        )
    with keras.saving.custom_object_scope(dict(custom_objects or {})):
        if path.is_dir():
            return _load_folder(path)
        if path.suffix in (".h5", ".hdf5"):
            return _load_hdf5(path)
        if path.suffix == ".keras" and not _is_whole(path):
            raise ValueError(
                f"Expected a saved Keras model; {str(path)!r} is damaged, or was not written by "
                "model.save. Copy it again from where it is whole, or save the model again."
            )
        return keras.saving.load_model(path)


def stateless(model: keras.Model) -> keras.Model:
    """Return a model with the same weights that begins each sample with empty states.

    A stateful model's output depends on the batches before, so that it cannot be explained. Where
    its states were reset before each sample, this model predicts the same, in batches of any size.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential.

    Raises
    ------
    ValueError
        A subclassed model, whose layers only its code can make.

    Examples
    --------
    >>> e = lx.explain(lx.models.stateless(model), data.test)  # doctest: +SKIP
    """
    check_model(model)
    if not isinstance(model, keras.Sequential) and not getattr(model, "inputs", None):
        raise ValueError(
            f"Expected a functional or Sequential model; {model.name!r} is subclassed. Build it "
            "again with stateful=False, and give it the weights: new.set_weights("
            "model.get_weights())."
        )
    config = model.get_config()
    for _, settings in _layers_in(config):
        _without_state(settings)
    if "build_input_shape" in config:
        config["build_input_shape"] = (None, *config["build_input_shape"][1:])
    # Layers that the model holds are known here, registered or not.
    own = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
    with keras.saving.custom_object_scope(own):
        copy = type(model).from_config(config)
    copy.set_weights(model.get_weights())
    return copy


def _is_whole(path: Path) -> bool:
    """Compare the checksums in a zip archive: HDF5 may read damaged weights for minutes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # whatever zipfile makes of damage
        return False


def _load_hdf5(path: Path) -> keras.Model:
    """Load a copy of the file whose description Keras 3 understands."""
    import h5py

    if not h5py.is_hdf5(path):
        raise ValueError(
            f"Expected a saved Keras model; {str(path)!r} is damaged, or no HDF5 file. Copy it "
            "again from where it is whole."
        )
    with h5py.File(path) as file:
        description: Any = json.loads(file.attrs.get("model_config", "null"))
        training: Any = json.loads(file.attrs.get("training_config", "null"))
        is_old = str(file.attrs.get("keras_version", "1")) < "3"
    if description is None:
        raise ValueError(
            f"Expected a saved model; {str(path)!r} holds weights alone. Build the model in code "
            f'as it was and give it the weights: model.load_weights("{path.name}").'
        )
    _check_code(path, description)
    for layer, settings in _layers_in(description) if is_old else ():
        _as_keras_3(layer, settings)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model.h5")
        copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(description)
            _leave_cudnn(file["model_weights"])
        try:
            model = keras.saving.load_model(copy, compile=False)
        except Exception as error:
            raise ValueError(
                f"Expected layers that Keras 3 reads as {path.name!r} has them; it says: {error} A "
                "layer of your own goes into custom_objects={name: class}, also where Keras has "
                "one of its name. Else build the model in code and give it the weights: "
                f'model.load_weights("{path.name}").'
            ) from error
    loss: Any = (training or {}).get("loss")
    kind = (
        getattr(keras.losses, loss.get("class_name", ""), None) if isinstance(loss, dict) else None
    )
    if kind is not None and loss["config"].get("from_logits"):
        model.compile(loss=kind(from_logits=True))  # says what the output is
    return model


def _layers_in(description: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each object of a saved model, as it is and its settings, those within others too."""
    if isinstance(description, dict):
        settings = description.get("config")
        if "class_name" in description and isinstance(settings, dict):
            yield description, settings
        description = list(description.values())
    for each in description if isinstance(description, list | tuple) else ():
        yield from _layers_in(each)


def _without_state(settings: dict[str, Any]) -> None:
    if settings.get("stateful"):
        settings["stateful"] = False
    for name in ("batch_shape", "batch_input_shape"):
        if settings.get(name):
            settings[name] = (None, *settings[name][1:])


def _check_code(path: Path, description: dict[str, Any]) -> None:
    """Raise where layers are not Keras's own, and their code was not given."""
    layers = [layer for layer, settings in _layers_in(description) if _is_layer(layer, settings)]
    code = [layer["config"]["name"] for layer in layers if layer["class_name"] in _WITHOUT_CODE]
    if code:
        raise ValueError(
            f"Expected layers that a file can hold; {code} are functions, whose code depends on "
            "the version of Python and may be anything. Build the model in code as it was and give "
            f'it the weights: model.load_weights("{path.name}").'
        )
    missing = {
        layer["class_name"]
        for layer in layers
        if not hasattr(keras.layers, layer["class_name"].split(">")[-1])
        and layer["class_name"] not in (*_CUDNN, "Functional", "Model", "Sequential")
        and keras.saving.get_registered_object(layer["class_name"]) is None
    }
    if missing:
        pairs = ", ".join(f'"{name}": {name.split(">")[-1]}' for name in sorted(missing))
        raise ValueError(
            f"Expected the code of the layers {sorted(missing)}; a file holds their weights alone. "
            "Give it, written for Keras 3: "
            f'lx.load_model("{path.name}", custom_objects={{{pairs}}}).'
        )


def _is_layer(described: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Whether this is a layer and no initializer, loss or type of numbers."""
    return "trainable" in settings or "layers" in settings or "inbound_nodes" in described


def _as_keras_3(layer: dict[str, Any], settings: dict[str, Any]) -> None:
    """Rewrite what Keras 2 says of one layer, or of a model in a model, in the words of Keras 3."""
    name = layer["class_name"]
    if settings.get("time_major"):
        raise ValueError(
            f"Expected layers that read (sample, time, feature); {settings['name']!r} reads "
            "(time, sample, feature), which Keras 3 cannot. Build the model in code without "
            "time_major, its inputs transposed, and give it the weights with model.load_weights."
        )
    for key, value in _WITHOUT_EFFECT.items():
        if key in settings and value in (settings[key], ...):
            del settings[key]
    if name in _CUDNN:
        layer["class_name"], settings["recurrent_activation"] = _CUDNN[name], "sigmoid"
    if name == "GRU":  # before files said which, it was this one
        settings.setdefault("reset_after", False)
    if name == "SpatialDropout1D":  # the only layer of Keras 3 that refuses what all layers have
        layer["config"] = {key: settings[key] for key in ("rate", "name")}
    if name == "LeakyReLU" and "alpha" in settings:
        settings["negative_slope"] = settings.pop("alpha")
    for key in ("activation", "recurrent_activation"):
        if settings.get(key) == "hard_sigmoid":
            settings[key] = "lstm_explain>hard_sigmoid_of_keras_2"
    if name == "Sequential":
        _begin_with_input(settings["layers"])
    elif "layers" in settings:
        _rewrite_calls(settings)


def _rewrite_calls(settings: dict[str, Any]) -> None:
    """Rewrite how the layers of a functional model are called.

    Keras 2 writes a tensor as [name, call, position, other arguments of the layer that takes it].
    It counts the calls of a model in a model from 1, behind that which made it.
    """
    layers = settings["layers"]
    models = {each["config"]["name"] for each in layers if "layers" in each["config"]}
    for tensor in _tensors_in([settings["output_layers"], [x["inbound_nodes"] for x in layers]]):
        if tensor[0] in models and tensor[1] > 0:
            tensor[1] -= 1
    for each in layers:
        kept = "recurrent_initializer" in each["config"] or each["class_name"] == "Bidirectional"
        each["inbound_nodes"] = [
            _call(node, kept) if isinstance(node, list) else node for node in each["inbound_nodes"]
        ]


def _call(node: list[Any], is_recurrent: bool) -> dict[str, Any] | list[Any]:
    """Rewrite a call of several arguments that are tensors: initial states, values, masks."""
    others = {key: each for tensor in node for key, each in (*tensor[3:], {})[0].items()}
    states = [_tensor(each) for each in node[1:]] if is_recurrent else []
    if not states and not any(map(_is_tensor, others.values())):
        return node
    given = [_tensor(each) for each in node]
    arguments = {key: _tensor(each) if _is_tensor(each) else each for key, each in others.items()}
    if states:
        arguments["initial_state"] = states
    return {"args": given[:1] if states or len(given) == 1 else [given], "kwargs": arguments}


def _tensors_in(value: Any) -> Iterator[list[Any]]:
    """Yield each tensor, also those among the other arguments of a call."""
    if _is_tensor(value):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, list | dict):
            yield from _tensors_in(each)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, list) and [type(each) for each in value[:3]] == [str, int, int]


def _tensor(value: list[Any]) -> dict[str, Any]:
    """Name a tensor as Keras 3 does, which takes its shape from the layer that gives it."""
    config = {"shape": [], "dtype": "float32", "keras_history": value[:3]}
    return {"class_name": "__keras_tensor__", "config": config}


def _begin_with_input(layers: list[dict[str, Any]]) -> None:
    """Give the layers of a Sequential model the input that the first of them tells of."""
    shape = layers[0]["config"].get("batch_input_shape")
    if shape and layers[0]["class_name"] != "InputLayer":
        kind = "int32" if layers[0]["class_name"] == "Embedding" else "float32"
        begin = {
            "batch_shape": shape,
            "dtype": kind,
            "name": f"{layers[0]['config']['name']}_input",
        }
        layers.insert(0, {"class_name": "InputLayer", "config": begin})
    for layer in layers[1:]:
        layer["config"].pop("batch_input_shape", None)


def _leave_cudnn(weights: Any) -> None:
    """Give the weights of cuDNN's layers in a file the form of those of LSTM and GRU.

    cuDNN keeps each gate's kernel transposed, and a second bias behind the first.
    """
    groups: list[Any] = []
    weights.visititems(lambda _, each: groups.append(each) if "bias:0" in _names(each) else None)
    for group in groups:
        if not {"kernel:0", "recurrent_kernel:0"} <= set(_names(group)):
            continue
        kernel, recurrent, bias = (
            group[f"{name}:0"][...] for name in ("kernel", "recurrent_kernel", "bias")
        )
        if bias.shape != (2 * kernel.shape[1],):
            continue
        units = recurrent.shape[0]
        gates = kernel.shape[1] // units
        both = bias.reshape(2, -1)
        changed = {
            "kernel:0": np.hstack(
                [each.ravel().reshape(each.shape, order="F") for each in np.hsplit(kernel, gates)]
            ),
            "recurrent_kernel:0": np.hstack([each.T for each in np.hsplit(recurrent, gates)]),
            "bias:0": both.sum(axis=0) if gates == 4 else both,  # a GRU has two of its own
        }
        for name, array in changed.items():
            del group[name]
            group[name] = array


def _names(group: Any) -> list[str]:
    return list(group) if hasattr(group, "keys") else []


def _load_folder(path: Path) -> keras.Model:
    """Wrap a SavedModel in a model of one layer."""
    if not (path / "saved_model.pb").is_file():
        raise ValueError(
            f"Expected a saved model; received the folder {str(path)!r} without a saved_model.pb. "
            "Of a run that was saved here, take TrainingRun.load(path).model."
        )
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="serving_default")
    _, reads = layer.call_endpoint_fn.structured_input_signature
    inputs = {
        name: keras.Input(tuple(spec.shape[1:]), dtype=spec.dtype.name, name=name)
        for name, spec in reads.items()
    }
    outputs = keras.tree.flatten(layer(**inputs) if len(inputs) > 1 else layer(*inputs.values()))
    return keras.Model([*inputs.values()], outputs if len(outputs) > 1 else outputs[0])
