"""What a Keras model is made of, as far as explaining it needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from .backend import keras
from .inputs import Role
from .layers import AttentionPooling
from .sequences import SequenceData
from .substitution import substituted

Link = Literal["identity", "sigmoid", "softmax"]


@dataclass(frozen=True)
class Anatomy:
    """What was found in a model, and what will be explained.

    Attributes
    ----------
    roles : tuple of str
        "sequence", "static" or "mask" for each input, in the model's order.
    num_outputs : int
        Outputs per sample.
    link : {"identity", "sigmoid", "softmax"}
        What turns the margin into the model's output.
    margin_at : str
        Name of the layer whose activation is lifted to read the margin.
    attention_layers, recurrent_layers : tuple of str
        Names, in the order of the model.
    """

    model: Any
    roles: tuple[Role, ...]
    num_outputs: int
    link: Link
    margin_at: str
    attention_layers: tuple[str, ...]
    recurrent_layers: tuple[str, ...]

    def __repr__(self) -> str:
        reads = " + ".join(self.roles)
        what = {
            "identity": "the output itself",
            "sigmoid": f"the logit before {self.margin_at!r}",
            "softmax": f"the log-odds of one class against the rest, before {self.margin_at!r}",
        }[self.link]
        return (
            f"Model {self.model.name!r} reads {reads}; explained: {what}; attention: "
            f"{', '.join(self.attention_layers) or 'none'}; recurrent: "
            f"{', '.join(self.recurrent_layers) or 'none'}"
        )

    def margin_exposed(self) -> AbstractContextManager[None]:
        """While a block runs, the model's output is its margin: the last activation is lifted."""
        operation = _output_operation(self.model)
        if self.link == "identity":
            return nullcontext()
        if getattr(operation, "activation", None) is not None:
            return substituted(operation, "activation", keras.activations.linear)
        return substituted(operation, "call", lambda inputs, *args, **kwargs: inputs)

    def attention_layer(self) -> Any:
        """Return the last attention layer, or None."""
        found = [layer for layer in walk(self.model) if isinstance(layer, AttentionPooling)]
        return found[-1] if found else None


def inspect(model: Any, data: SequenceData) -> Anatomy:
    """Say what was found in a model and what will be explained, before anything is computed.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData
        What it is to be used with; tells the inputs apart.

    Raises
    ------
    TypeError
        Not a Keras model.
    ValueError
        The model's inputs do not fit the data, or it cannot be explained correctly: a stateful
        layer, or an output that is not one row of numbers per sample.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"Expected a Keras model; received {type(model).__name__}. Pass run.model, or a model "
            "from lx.load_model(path)."
        )
    roles = data.roles_in(model)
    layers = list(walk(model))
    stateful = [layer.name for layer in layers if getattr(layer, "stateful", False)]
    if stateful:
        raise ValueError(
            f"Expected a model whose answer depends on its input alone; received stateful layers "
            f"{stateful}. Build it with stateful=False and load the same weights."
        )
    shape = tuple(model.output_shape) if isinstance(model.output_shape, tuple) else None
    if shape is None or len(shape) != 2 or shape[1] is None:
        raise ValueError(
            f"Expected one output of shape (sample, output); the model gives {model.output_shape}. "
            "Build a model on one of its outputs: keras.Model(model.inputs, model.outputs[0])."
        )
    operation = _output_operation(model)
    return Anatomy(
        model=model,
        roles=roles,
        num_outputs=shape[1],
        link=_link(operation),
        margin_at=operation.name,
        attention_layers=tuple(
            layer.name for layer in layers if isinstance(layer, AttentionPooling)
        ),
        recurrent_layers=tuple(
            layer.name
            for layer in layers
            if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional))
        ),
    )


def walk(model: Any) -> Iterator[Any]:
    """Yield the layers of a model in order, those of nested models in place of the models."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from walk(layer)
        else:
            yield layer


def _output_operation(model: Any) -> Any:
    """Return the operation that makes the model's output, inside nested models too."""
    operation = model.outputs[0]._keras_history.operation
    return _output_operation(operation) if isinstance(operation, keras.Model) else operation


def _link(operation: Any) -> Link:
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(operation).__name__).lower()
    if name == "sigmoid":
        return "sigmoid"
    return "softmax" if name == "softmax" else "identity"
