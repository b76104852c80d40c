"""What turns a model's margin into its output: the activation at its end."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy.special import expit, softmax

from ..backend import keras, ops

Link = Literal["identity", "logits", "binary logits", "sigmoid", "softmax", "probability"]
RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)


def last_operation(model: Any) -> Any:
    """Return the layer or operation that makes a model's output, also inside a nested graph."""
    operation = model.outputs[0]._keras_history.operation
    # A subclassed model in a model says nothing of what is inside.
    is_graph = isinstance(operation, keras.Model) and getattr(operation, "outputs", None)
    return last_operation(operation) if is_graph else operation


def activated(operation: Any) -> Any:
    """Look through TimeDistributed at the layer that holds the activation."""
    return operation.layer if isinstance(operation, keras.layers.TimeDistributed) else operation


def link_of(operation: Any) -> Link:
    """Return the link that a layer or operation ends in."""
    operation = activated(operation)
    if isinstance(operation, RECURRENT):  # its activation is inside the cell
        return "identity"
    is_lambda = isinstance(operation, keras.layers.Lambda)
    function = getattr(operation, "function" if is_lambda else "activation", None)
    if function is not None:
        return _link_of_function(function)
    links: dict[str, Link] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
    return links.get(type(operation).__name__, "identity")


def _link_of_function(function: Any) -> Link:
    """Tell an activation by what it computes: ``tf.nn.softmax`` has another name than Keras's."""
    probe = np.array([[-2.0, 0.5, 3.0], [1.0, -1.0, 0.0]], np.float32)
    try:
        result = ops.convert_to_numpy(function(ops.convert_to_tensor(probe)))
    except Exception:  # of a Lambda that computes something else than an activation
        return "identity"
    if np.shape(result) != probe.shape:
        return "identity"
    if np.allclose(result, expit(probe), atol=1e-6):
        return "sigmoid"
    return "softmax" if np.allclose(result, softmax(probe, axis=-1), atol=1e-6) else "identity"
