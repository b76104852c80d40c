"""``inspect`` and ``Anatomy``: the inputs, layers and output of a Keras model that matter here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..backend import keras
from ..models.layers import AttentionPooling
from ..sequences.data import SequenceData
from ..sequences.inputs import Role, find_roles

Link = Literal["identity", "logits", "sigmoid", "softmax"]
_ATTENTION = (
    AttentionPooling,
    keras.layers.Attention,  # keras.layers.AdditiveAttention is one of them
    keras.layers.MultiHeadAttention,
)
_RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)


@dataclass(frozen=True)
class Anatomy:
    """The parts of a model that matter for explaining it, and what will be explained.

    Attributes
    ----------
    model : keras.Model
    roles : tuple of str
        "sequence", "static" or "mask" for each input, in the model's order.
    output_shape : tuple
        (sample, output), (sample,) or, with one output per step, (sample, time, output).
    link : {"identity", "logits", "sigmoid", "softmax"}
        What turns the margin into the model's output: an activation; or nothing, where the output
        is a value, or logits because the compiled loss says so.
    attention_layers, recurrent_layers, masking_layers, embedding_layers : tuple of layers
        In the order of the model, those of nested models in their place.
    mask_operations : tuple of operations
        Those of a functional graph that compute masks, beside the Masking layers.
    margin_operation : layer or operation, or None
        The one whose activation is left out to read the margin.
    margin_is_last : bool
        Whether that one gives the model's output, with no reshape or the like behind it.
    """

    model: Any
    roles: tuple[Role, ...]
    output_shape: tuple[int | None, ...]
    link: Link
    attention_layers: tuple[Any, ...]
    recurrent_layers: tuple[Any, ...]
    masking_layers: tuple[Any, ...]
    embedding_layers: tuple[Any, ...]
    mask_operations: tuple[Any, ...] = field(default=(), repr=False)
    margin_operation: Any = field(default=None, repr=False)
    margin_is_last: bool = True

    @property
    def per_step(self) -> bool:
        """Whether the model gives one output per step."""
        return len(self.output_shape) == 3

    @property
    def num_outputs(self) -> int:
        """Outputs per sample, or per step."""
        return 1 if len(self.output_shape) == 1 else int(self.output_shape[-1] or 1)

    @property
    def margin_at(self) -> str:
        """Name of the layer whose activation is left out to read the margin."""
        return "the output" if self.margin_operation is None else self.margin_operation.name

    @property
    def pooling_layers(self) -> tuple[AttentionPooling, ...]:
        """The attention layers whose weights and context can be told apart and replaced."""
        return tuple(a for a in self.attention_layers if isinstance(a, AttentionPooling))

    @property
    def context_size(self) -> int:
        """Size of the context that the last AttentionPooling layer makes."""
        return int(self.pooling_layers[-1].projection.shape[0])

    def __repr__(self) -> str:
        explained = {
            "identity": "the output itself",
            "logits": "the log-odds of a class (the compiled loss takes the output as logits)",
            "sigmoid": f"the logit, read before the sigmoid of {self.margin_at!r}",
            "softmax": "the log-odds of one class against the rest, read before the softmax of "
            f"{self.margin_at!r}",
        }[self.link]
        names = [tensor.name for tensor in getattr(self.model, "inputs", None) or []] or ["input"]
        reads = [f"{name} as {role}" for name, role in zip(names, self.roles, strict=False)]
        lines = {
            "reads": ", ".join(reads),
            "gives": f"{self.output_shape}{', one output per step' if self.per_step else ''}",
            "explained": explained,
            "attention": _names(self.attention_layers),
            "recurrent": _names(self.recurrent_layers),
            "masking": _names(self.masking_layers),
            "embedding": _names(self.embedding_layers),
        }
        return f"Anatomy of {self.model.name!r}\n" + "\n".join(
            f"  {name:<10} {text}" for name, text in lines.items()
        )


def inspect(
    model: Any,
    data: SequenceData | None = None,
    *,
    inputs: Mapping[Role, str] | None = None,
) -> Anatomy:
    """Return the inputs, layers and output of a model, and what will be explained of it.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData, optional
        The data to explain: with them inputs are told apart, and must fit.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.

    Returns
    -------
    Anatomy
        Print it to read it.

    Raises
    ------
    TypeError
        Not a Keras model.
    ValueError
        The model's inputs do not fit the data, or it cannot be explained correctly: a stateful
        layer, an embedding shared by two inputs, several outputs.

    Examples
    --------
    >>> inspect(model)  # doctest: +SKIP
    Anatomy of 'lstm_with_attention'
      reads      values as sequence
      ...
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"Expected a Keras model; received {type(model).__name__}. Pass run.model, or a model "
            "from lx.load_model(path)."
        )
    layers = list(walk(model))
    stateful = [layer.name for layer in layers if getattr(layer, "stateful", False)]
    if stateful:
        raise ValueError(
            f"Expected a model whose output depends on its input alone; received stateful layers "
            f"{stateful}. Build it with stateful=False and load the same weights."
        )
    embeddings = tuple(layer for layer in layers if isinstance(layer, keras.layers.Embedding))
    roles = _roles(model, data, bool(embeddings), inputs)
    shape = _output_shape(model, data)
    operation, link, is_last = _find_margin(model, layers, shape)
    recurrent = tuple(layer for layer in layers if isinstance(layer, _RECURRENT))
    inner = {id(inside) for layer in recurrent for inside in _inside(layer)}
    return Anatomy(
        model=model,
        roles=roles,
        output_shape=shape,
        link=link,
        attention_layers=tuple(layer for layer in layers if isinstance(layer, _ATTENTION)),
        recurrent_layers=tuple(layer for layer in recurrent if id(layer) not in inner),
        masking_layers=tuple(layer for layer in layers if isinstance(layer, keras.layers.Masking)),
        embedding_layers=embeddings,
        mask_operations=tuple(_mask_operations(model)),
        margin_operation=operation,
        margin_is_last=is_last,
    )


def walk(model: Any) -> Iterator[Any]:
    """Yield each layer of a model once, in order, those inside models and wrappers included."""
    seen = set()
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer


def _mask_operations(model: Any) -> Iterator[Any]:
    """Yield the operations that compute masks in a functional graph, nested models included.

    When a model is built, Keras writes a layer's mask into its graph as operations on the layer's
    input (for Masking, a comparison with the mask value), beside the layer itself.
    """
    seen = set()
    for submodel in [model, *(layer for layer in walk(model) if isinstance(layer, keras.Model))]:
        graph = getattr(submodel, "_functional", None) or submodel
        depths = getattr(graph, "_nodes_by_depth", {})
        for node in (node for nodes in depths.values() for node in nodes):
            for mask in keras.tree.flatten(node.arguments.kwargs.get("mask")):
                operation = getattr(getattr(mask, "_keras_history", None), "operation", None)
                if operation is None or isinstance(operation, keras.layers.InputLayer):
                    continue
                if id(operation) not in seen:
                    seen.add(id(operation))
                    yield operation


def _inside(layer: Any) -> Iterator[Any]:
    return iter(layer._flatten_layers(include_self=False, recursive=True))


def _names(layers: tuple[Any, ...]) -> str:
    return ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in layers) or "none"


def _roles(
    model: Any,
    data: SequenceData | None,
    has_embedding: bool,
    named: Mapping[Role, str] | None,
) -> tuple[Role, ...]:
    if data is not None:
        return data.roles_in(model, named)
    no_cube = all(len(tensor.shape) < 3 for tensor in getattr(model, "inputs", None) or [])
    return find_roles(model, tokens=has_embedding and no_cube, named=named)


def _output_shape(model: Any, data: SequenceData | None) -> tuple[int | None, ...]:
    outputs = getattr(model, "outputs", None)
    if outputs is None:  # the shapes of a subclassed model are known after a call
        if data is None:
            raise ValueError(
                "Expected data to inspect a subclassed model, whose shapes only a call can tell; "
                "received none. Call lx.inspect(model, data)."
            )
        outputs = keras.tree.flatten(model(data[:1].inputs_for(model), training=False))
        shapes = [(None, *tensor.shape[1:]) for tensor in outputs]
    else:
        shapes = [tuple(tensor.shape) for tensor in outputs]
    if len(shapes) != 1 or len(shapes[0]) > 3:
        raise ValueError(
            f"Expected one output of shape (sample, output) or (sample, time, output); the model "
            f"gives {shapes}. Build a model on one of its outputs: "
            "keras.Model(model.inputs, model.outputs[0])."
        )
    return shapes[0]


def _find_margin(
    model: Any, layers: list[Any], shape: tuple[int | None, ...]
) -> tuple[Any, Link, bool]:
    """Return the operation whose activation makes the output, its link, and if it is the last."""
    last = None
    if getattr(model, "outputs", None) is not None:
        last = _last_operation(model)
        if _link(last) != "identity":
            return _activated(last), _link(last), True
    # A reshape or the like may stand behind the activation, which is accepted later only if it
    # turns the margin into the model's real output.
    operations = list(getattr(model, "operations", None) or layers)
    for operation in reversed(operations):
        link = _link(operation)
        if link == "sigmoid" or (link == "softmax" and shape[-1] != 1):
            return _activated(operation), _link(operation), False
    if getattr(getattr(model, "loss", None), "from_logits", False):
        return None, "logits", True
    return None, "identity", True


def _last_operation(model: Any) -> Any:
    operation = model.outputs[0]._keras_history.operation
    return _last_operation(operation) if isinstance(operation, keras.Model) else operation


def _activated(operation: Any) -> Any:
    """Look through TimeDistributed at the layer that holds the activation."""
    return operation.layer if isinstance(operation, keras.layers.TimeDistributed) else operation


def _link(operation: Any) -> Link:
    operation = _activated(operation)
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(operation).__name__).lower()
    if name == "sigmoid":
        return "sigmoid"
    return "softmax" if name == "softmax" else "identity"
