"""``Anatomy``: the inputs, layers and output of a Keras model that matter here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from ..arguments import check_model
from ..backend import keras
from ..models.forms import reads_tokens
from ..models.layers import AttentionPooling
from ..models.links import RECURRENT, Link, activated, last_operation, link_of
from ..models.one_output import head_names
from ..sequences.data import SequenceData
from ..sequences.inputs import Role, find_roles, input_names

ATTENTION = (
    AttentionPooling,
    keras.layers.Attention,  # keras.layers.AdditiveAttention is one of them
    keras.layers.MultiHeadAttention,
)
_BINARY_LOSSES = (keras.losses.BinaryCrossentropy, keras.losses.BinaryFocalCrossentropy)
_CATEGORICAL_LOSSES = (
    keras.losses.CategoricalCrossentropy,
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalFocalCrossentropy,
)


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
    link : {"identity", "logits", "binary logits", "sigmoid", "softmax", "probability"}
        What turns the margin into the model's output: an activation; or nothing, where the output
        is a value, logits because the compiled loss says so (each its own sigmoid for a binary
        loss), or a probability whose margin is out of reach.
    attention_layers, recurrent_layers, masking_layers, embedding_layers : tuple of layers
        In the order of the model, those of nested models in their place.
    mask_operations : tuple of operations
        Those of a functional graph that compute masks, beside the Masking layers.
    margin_operation : layer or operation, or None
        The one whose activation is left out to read the margin.
    step_masks : tuple of bools
        Whether the mask of each call of a masking layer is of the input's steps, in their order;
        empty where no sample has padding that shows it.
    margin_was_seen : bool
        Whether the model has run on data, and the link turned its margin into its output there.
    is_confirmed : bool
        Whether, beyond that, its outputs are those of the explained function.
    embedding_calls, attention_calls : tuples of (layer, int)
        Known once the model has run on data: each call of an embedding layer that reads the token
        ids, and each call of an attention layer, the calls of a layer counted from 0.
    id_calls : tuple of IdCall
        Known then too: calls of embedding layers that read features or static facts as ids.
    written_attention : tuple of WrittenAttention
        Known then too: attention that no layer of Keras computes. It is the last of the
        `attention_calls`.
    attention : str, optional
        The layer that was named as attention; then there is no other.
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
    embedding_calls: tuple[tuple[Any, int], ...] = field(default=(), repr=False)
    attention_calls: tuple[tuple[Any, int], ...] = field(default=(), repr=False)
    id_calls: tuple[Any, ...] = field(default=(), repr=False)
    written_attention: tuple[Any, ...] = field(default=(), repr=False)
    attention: str | None = None
    step_masks: tuple[bool, ...] = field(default=(), compare=False, repr=False)
    margin_was_seen: bool = field(default=False, compare=False, repr=False)
    is_confirmed: bool = field(default=False, compare=False, repr=False)

    @property
    def per_step(self) -> bool:
        """Whether the model gives one output per step."""
        return len(self.output_shape) == 3

    @property
    def masks_zero(self) -> bool:
        """Whether an Embedding layer takes the token id 0 for padding."""
        return any(layer.mask_zero for layer in self.embedding_layers)

    @property
    def num_outputs(self) -> int:
        """Outputs per sample, or per step."""
        return 1 if len(self.output_shape) == 1 else int(self.output_shape[-1] or 1)

    @property
    def margin_at(self) -> str:
        """Name of the layer whose activation is left out to read the margin."""
        return "the output" if self.margin_operation is None else self.margin_operation.name

    @property
    def attention_names(self) -> list[str]:
        """A name for each of the `attention_calls`."""
        layers = [layer for layer, _ in self.attention_calls]
        names = told_apart(self.model, list(dict.fromkeys(layers)))
        by_layer = dict(zip(dict.fromkeys(layers), names, strict=True))
        return [
            f"{by_layer[layer]} call {number + 1}" if layers.count(layer) > 1 else by_layer[layer]
            for layer, number in self.attention_calls
        ]

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
            "binary logits": "the logit (the compiled binary loss takes each output as one)",
            "sigmoid": f"the logit, read before the sigmoid of {self.margin_at!r}",
            "softmax": "the log-odds of one class against the rest, read before the softmax of "
            f"{self.margin_at!r}",
            "probability": "the probability that the model gives",
        }[self.link]
        if self.margin_operation is not None and not (self.margin_was_seen or self.is_confirmed):
            explained += " (expected; confirmed when data are given)"
        names = input_names(self.model) or ["input"]
        reads = [f"{name} as {role}" for name, role in zip(names, self.roles, strict=False)]
        lines = {
            "reads": ", ".join(reads),
            "gives": f"{self.output_shape}{', one output per step' if self.per_step else ''}",
            "explained": explained,
            "attention": _names(self.model, (*self.attention_layers, *self.written_attention)),
            "recurrent": _names(self.model, self.recurrent_layers),
            "masking": _names(self.model, self.masking_layers),
            "embedding": _names(self.model, self.embedding_layers),
        }
        return f"Anatomy of {self.model.name!r}\n" + "\n".join(
            f"  {name:<10} {text}" for name, text in lines.items()
        )


def read_anatomy(
    model: Any,
    data: SequenceData | None = None,
    *,
    inputs: Mapping[Role, str] | None = None,
    attention: str | None = None,
) -> Anatomy:
    """Return what a model's layers say about it, without running it: see `inspect`."""
    check_model(model, built=False)
    layers = list(walk(model))
    stateful = [layer.name for layer in layers if getattr(layer, "stateful", False)]
    if stateful:
        raise ValueError(
            f"Expected a model whose output depends on its input alone; received stateful layers "
            f"{stateful}. Explain lx.models.stateless(model), which has the same weights."
        )
    embeddings = tuple(layer for layer in layers if isinstance(layer, keras.layers.Embedding))
    roles = _roles(model, data, inputs)
    shape = _output_shape(model, data)
    operation, link = _find_margin(model, layers, shape)
    recurrent = tuple(layer for layer in layers if isinstance(layer, RECURRENT))
    inner = {id(inside) for layer in recurrent for inside in _inside(layer)}
    attends = [layer for layer in layers if _gives_weights(layer)]
    return Anatomy(
        model=model,
        roles=roles,
        output_shape=shape,
        link=link,
        attention_layers=tuple(
            layer for layer in attends if attention is None or goes_by(model, layer, attention)
        ),
        recurrent_layers=tuple(layer for layer in recurrent if id(layer) not in inner),
        masking_layers=tuple(layer for layer in layers if isinstance(layer, keras.layers.Masking)),
        embedding_layers=embeddings,
        mask_operations=tuple(_mask_operations(model)),
        margin_operation=operation,
        attention=attention,
    )


def walk(model: Any) -> Iterator[Any]:
    """Yield each layer of a model once, in order, those inside models and wrappers included."""
    seen = set()
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer


def _gives_weights(layer: Any) -> bool:
    """Whether it is an attention layer that can be asked for its weights."""
    asked = signature(layer.call).parameters if isinstance(layer, ATTENTION) else {}
    return isinstance(layer, AttentionPooling) or "return_attention_scores" in asked


def draws(layer: Any) -> bool:
    """Whether a layer may draw random numbers."""
    rates = [getattr(layer, name, None) for name in ("rate", "dropout", "recurrent_dropout")]
    has_generator = any(
        isinstance(each, keras.random.SeedGenerator) for each in vars(layer).values()
    )
    return has_generator and (rates == [None] * 3 or any(rates))


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
            for mask in keras.tree.flatten(_mask_given(node)):
                operation = getattr(getattr(mask, "_keras_history", None), "operation", None)
                if operation is None or isinstance(operation, keras.layers.InputLayer):
                    continue
                if id(operation) not in seen:
                    seen.add(id(operation))
                    yield operation


def _mask_given(node: Any) -> Any:
    """Return the mask that a call of a layer is given, by name or by position."""
    arguments = node.arguments
    try:
        call = signature(node.operation.call).bind_partial(*arguments.args, **arguments.kwargs)
    except (TypeError, ValueError):  # a call whose arguments have no names
        return arguments.kwargs.get("mask")
    return call.arguments.get("mask", arguments.kwargs.get("mask"))


def _inside(layer: Any) -> Iterator[Any]:
    return iter(layer._flatten_layers(include_self=False, recursive=True))


def _names(model: Any, layers: tuple[Any, ...]) -> str:
    names = zip(told_apart(model, layers), layers, strict=True)
    return ", ".join(f"{name} ({type(layer).__name__})" for name, layer in names) or "none"


def _roles(
    model: Any,
    data: SequenceData | None,
    named: Mapping[Role, str] | None,
) -> tuple[Role, ...]:
    if data is not None:
        return data.roles_in(model, named)
    return find_roles(model, tokens=reads_tokens(model), named=named)


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
        heads = head_names(model) if len(shapes) > 1 else []
        name = f"Name one of them: output={heads[0]!r}. Or give" if heads else "Give"
        raise ValueError(
            f"Expected one output of shape (sample, output) or (sample, time, output); the model "
            f"gives {shapes}. {name} a function that makes one number of them: output=lambda "
            "outputs: ..."
        )
    return shapes[0]


def _find_margin(model: Any, layers: list[Any], shape: tuple[int | None, ...]) -> tuple[Any, Link]:
    """Return the operation whose activation seems to make the output, and its link.

    Whether it does is known once the model runs: a reshape may stand behind it, but also a sum.
    """
    if getattr(model, "outputs", None) is not None:
        last = last_operation(model)
        link = link_of(last)
        if link != "identity":  # the softmax of one number is always 1
            is_constant = link == "softmax" and shape[-1] == 1
            return (None, "identity") if is_constant else (activated(last), link)
    # Before activations further inside, such as those of attention that is written by hand.
    link = _link_of_loss(model, shape)
    if link != "identity":
        return None, link
    operations = list(getattr(model, "operations", None) or layers)
    inside = [[one, *walk(one)] if isinstance(one, keras.Model) else [one] for one in operations]
    for operation in reversed([each for some in inside for each in some]):
        link = link_of(operation)
        if link == "sigmoid" or (link == "softmax" and shape[-1] != 1):
            return activated(operation), link
    return None, "identity"


def _link_of_loss(model: Any, shape: tuple[int | None, ...]) -> Link:
    """Tell by the loss whether the outputs are logits, of one question each or of one for all."""
    losses = keras.tree.flatten(getattr(model, "loss", None))
    if len(losses) != 1 or not getattr(losses[0], "from_logits", False):
        return "identity"
    if isinstance(losses[0], _BINARY_LOSSES) or shape[-1] == 1:
        return "binary logits"
    # What another loss makes of several logits, only its author knows.
    return "logits" if isinstance(losses[0], _CATEGORICAL_LOSSES) else "identity"


def takes_softmax(operation: Any) -> bool:
    """Whether a layer or operation ends in a softmax."""
    return link_of(operation) == "softmax"


def goes_by(model: Any, layer: Any, name: str) -> bool:
    """Whether a layer has this name, alone or behind that of its nested model."""
    owner, _, own_name = name.rpartition("/")
    nested = (each for each in walk(model) if isinstance(each, keras.Model) and each.name == owner)
    return layer.name == name or (
        layer.name == own_name and any(layer is each for model in nested for each in walk(model))
    )


def told_apart(model: Any, layers: Sequence[Any]) -> list[str]:
    """Return a name for each layer; those of one name get that of their nested model in front."""
    names = [layer.name for layer in layers]
    nested = [layer for layer in walk(model) if isinstance(layer, keras.Model)]
    for position, layer in enumerate(layers):
        if sum(other.name == layer.name for other in layers) > 1:
            owners = [owner.name for owner in nested if any(layer is one for one in walk(owner))]
            names[position] = "/".join([*owners[-1:], layer.name])
    return names
