"""The models that Keras 2 has saved, in the words of Keras 3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import keras, ops

# What Keras 2 writes of a layer and Keras 3 does not know, by the only value without an effect.
_WITHOUT_EFFECT = {
    "time_major": False,
    "causal": False,
    "score_mode": "dot",
    **dict.fromkeys(("input_length", "query_shape", "key_shape", "value_shape"), ...),
}
CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
# How Keras 3 describes a function.
_FUNCTION = {"module": "builtins", "class_name": "function", "config": "hard_sigmoid_of_keras_2"}


@keras.saving.register_keras_serializable(package="lstm_explain")
def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """Return 0.2 x + 0.5 between 0 and 1; the slope of Keras 3 is 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def rewrite_description(description: Any, *, is_archive: bool) -> None:
    """Rewrite what a file of Keras 2 says of its layers.

    Parameters
    ----------
    description : dict
        Changed in place.
    is_archive : bool
        Of a ``.keras`` file, whose functions Keras 3 wants described in full.
    """
    for layer, settings in layers_in(description):
        _rewrite_layer(layer, settings)
        for key in ("activation", "recurrent_activation"):
            if settings.get(key) == "hard_sigmoid":
                name = "lstm_explain>hard_sigmoid_of_keras_2"
                settings[key] = {**_FUNCTION, "registered_name": name} if is_archive else name


def layers_in(description: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each object of a saved model, as it is and its settings, those within others too."""
    if isinstance(description, dict):
        settings = description.get("config")
        if "class_name" in description and isinstance(settings, dict):
            yield description, settings
        description = list(description.values())
    for each in description if isinstance(description, list | tuple) else ():
        yield from layers_in(each)


def _rewrite_layer(layer: dict[str, Any], settings: dict[str, Any]) -> None:
    """Rewrite what Keras 2 says of one layer, or of a model in a model, in the words of Keras 3."""
    name = layer["class_name"]
    layer.pop("build_config", None)  # with initial states it is no shape; calls build the layers
    if settings.get("time_major"):
        raise ValueError(
            f"Expected layers that read (sample, time, feature); {settings['name']!r} reads "
            "(time, sample, feature), which Keras 3 cannot. Build the model in code without "
            "time_major, its inputs transposed, and give it the weights with model.load_weights."
        )
    for key, value in _WITHOUT_EFFECT.items():
        if key in settings and value in (settings[key], ...):
            del settings[key]
    if name in CUDNN:
        layer["class_name"], settings["recurrent_activation"] = CUDNN[name], "sigmoid"
    if name == "GRU":  # before files said which, it was this one
        settings.setdefault("reset_after", False)
    if name == "SpatialDropout1D":  # the only layer of Keras 3 that refuses what all layers have
        layer["config"] = {key: settings[key] for key in ("rate", "name")}
    if name == "Functional" and "module" in layer:
        layer.update(module="keras", class_name="Model", registered_name=None)
    if name == "LeakyReLU" and "alpha" in settings:
        settings["negative_slope"] = settings.pop("alpha")
    if name == "Sequential":
        _begin_with_input(settings["layers"])
    elif "layers" in settings:
        _rewrite_calls(settings)


def _rewrite_calls(settings: dict[str, Any]) -> None:
    """Rewrite how the layers of a functional model are called.

    Keras 2 writes a tensor as [name, call, position, other arguments of the layer that takes it].
    It counts the calls of most models in a model from 1, behind that which made it.
    """
    layers = settings["layers"]
    models = {each["config"]["name"] for each in layers if "layers" in each["config"]}
    given = [settings["output_layers"], [each["inbound_nodes"] for each in layers]]
    tensors = [each for each in _tensors_in(given) if each[0] in models]
    first = {name: min(call for each, call, *_ in tensors if each == name) for name in models}
    for tensor in tensors:
        tensor[1] -= first[tensor[0]]
    for each in layers:
        is_recurrent = (
            "recurrent_initializer" in each["config"] or each["class_name"] == "Bidirectional"
        )
        each["inbound_nodes"] = [
            _call(node, is_recurrent) if isinstance(node, list) else node
            for node in each["inbound_nodes"]
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


def leave_cudnn(weights: Any) -> None:
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
