"""``load_model``: the files that Keras writes, and those that Keras 2 wrote; ``stateless``."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

from ..arguments import as_path, check_model, check_type
from ..backend import keras
from . import encoders as own_encoders  # noqa: F401 (Keras must know them when it reads a file)
from . import layers as own_layers  # noqa: F401
from .keras_2 import CUDNN, layers_in, leave_cudnn, rewrite_description

_WITHOUT_CODE = ("Lambda", "TFOpLambda", "SlicingOpLambda")


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
        return _load_archive(path) if path.suffix == ".keras" else keras.saving.load_model(path)


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
    for _, settings in layers_in(config):
        _without_state(settings)
    if "build_input_shape" in config:
        config["build_input_shape"] = (None, *config["build_input_shape"][1:])
    # Layers that the model holds are known here, registered or not.
    classes = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
    with keras.saving.custom_object_scope(classes):
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


def _load_archive(path: Path) -> keras.Model:
    """Load a ``.keras`` file; of Keras 2, a copy that Keras 3 understands."""
    with zipfile.ZipFile(path) as archive:
        if json.loads(archive.read("metadata.json"))["keras_version"] >= "3":
            return _read(path, path)
        contents = {name: archive.read(name) for name in archive.namelist()}
    description: Any = json.loads(contents["config.json"])
    _check_code(path, description)
    rewrite_description(description, is_archive=True)
    contents["config.json"] = json.dumps(description).encode()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model.keras")
        with zipfile.ZipFile(copy, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return _load_copy(copy, path, (description.get("compile_config") or {}).get("loss"))


def _load_hdf5(path: Path) -> keras.Model:
    """Load a copy of an ``.h5`` file that Keras 3 understands."""
    import h5py

    if not h5py.is_hdf5(path):
        raise ValueError(
            f"Expected a saved Keras model; {str(path)!r} is damaged, or no HDF5 file. Copy it "
            "again from where it is whole."
        )
    with h5py.File(path) as file:
        description: Any = json.loads(file.attrs.get("model_config", "null"))
        training: Any = json.loads(file.attrs.get("training_config", "null")) or {}
        version = file.attrs.get("keras_version", "1")  # bytes in the oldest files
        is_old = (version.decode() if isinstance(version, bytes) else str(version)) < "3"
    if description is None:
        raise ValueError(
            f"Expected a saved model; {str(path)!r} holds weights alone. Build the model in code "
            f'as it was and give it the weights: model.load_weights("{path.name}").'
        )
    _check_code(path, description)
    if is_old:
        rewrite_description(description, is_archive=False)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model.h5")
        copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(description)
            leave_cudnn(file["model_weights"])
        return _load_copy(copy, path, training.get("loss"))


def _load_copy(copy: Path, path: Path, loss: Any) -> keras.Model:
    """Load a rewritten copy; compile it where the loss says that the outputs are logits."""
    model = _read(copy, path, compile=False)
    kind = getattr(keras.losses, loss["class_name"], None) if isinstance(loss, dict) else None
    if kind is not None and loss["config"].get("from_logits"):
        model.compile(loss=kind(from_logits=True))
    return model


def _read(file: Path, path: Path, **options: Any) -> keras.Model:
    try:
        return keras.saving.load_model(file, **options)
    except Exception as error:
        raise ValueError(
            f"Expected layers that Keras 3 reads as {path.name!r} has them; it says: {error} A "
            "layer of your own goes into custom_objects={name: class}, also where Keras has one of "
            "its name. Else build the model in code and give it the weights: "
            f'model.load_weights("{path.name}").'
        ) from error


def _without_state(settings: dict[str, Any]) -> None:
    if settings.get("stateful"):
        settings["stateful"] = False
    for name in ("batch_shape", "batch_input_shape"):
        if settings.get(name):
            settings[name] = (None, *settings[name][1:])


def _check_code(path: Path, description: dict[str, Any]) -> None:
    """Raise where layers are not Keras's own, and their code was not given."""
    layers = [layer for layer, settings in layers_in(description) if _is_layer(layer, settings)]
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
        and layer["class_name"] not in (*CUDNN, "Functional", "Model", "Sequential")
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
