"""``average``: the mean of several models as one ordinary model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..arguments import check_model, described
from ..backend import keras
from ..sequences.inputs import as_called, model_inputs
from .links import Link, activated, last_operation, link_of
from .saved_models import stateless

_MADE_UP = re.compile(r"^(keras_tensor|input|input_layer)(_\d+)?$")


def average(models: Sequence[Any]) -> keras.Model:
    """Return the mean of several models, an ensemble, as a Keras model.

    Averaged is the margin, what stands before a sigmoid or softmax at the end: ``output =
    link(mean of margins)``. So prediction, score and explanation are of one function, and SHAP
    values of two classes or of a number are the means of the members' values.

    Parameters
    ----------
    models : sequence of keras.Model
        At least two, functional or Sequential, with the same inputs and one output of the same
        meaning, such as one architecture trained with several seeds.

    Returns
    -------
    keras.Model
        With copies of the members' layers and weights, inside models "member_1", "member_2", ...

    Raises
    ------
    ValueError
        Fewer than two models, other inputs or outputs, members trained on other features, classes
        or units, or a subclassed model.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell (2017), arXiv:1612.01474: networks that differ in their
    seed alone. They average probabilities, which leaves no additive margin to explain.

    Examples
    --------
    >>> models = [lx.build_model(data, seed=seed) for seed in range(5)]  # doctest: +SKIP
    >>> runs = [lx.train(model, data, seed=i) for i, model in enumerate(models)]  # doctest: +SKIP
    >>> model = lx.models.average([run.model for run in runs])           # doctest: +SKIP
    >>> lx.models.score(data.test, lx.predict(model, data.test))         # doctest: +SKIP
    """
    models = check_members(models)
    first = models[0]
    for number, model in enumerate(models):
        for what, of_first, of_model in zip(
            ("inputs", "output", "activation at the end", "features, classes and units"),
            _described(first),
            _described(model),
            strict=True,
        ):
            if of_model != of_first:
                raise ValueError(
                    f"Expected models that differ in their weights alone; model {number} differs "
                    f"from the first in its {what}: {of_model!s:.300} instead of {of_first!s:.300}."
                    " Average models of the same data."
                )
    members = [_member(model, f"member_{number}") for number, model in enumerate(models, start=1)]
    inputs = [
        keras.Input(batch_shape=each.shape, dtype=each.dtype, name=each.name)
        for each in model_inputs(first)
    ]
    link = link_of(last_operation(first))
    margins = [member(as_called(first, inputs)) for member in members]
    output = keras.layers.Average(name="mean")(margins)
    if link != "identity":
        output = keras.layers.Activation(link, name="output")(output)
    made = keras.Model(as_called(first, inputs), output, name=f"mean_of_{len(models)}")
    losses = keras.tree.flatten(getattr(first, "loss", None))
    if any(getattr(loss, "from_logits", False) for loss in losses):  # else they would be values
        made.compile(optimizer="sgd", loss=first.loss)
    if learned_from := getattr(first, "learned_from", ""):
        made.learned_from = learned_from
    return made


def check_members(models: Any) -> list[Any]:
    """Return models as a list; raise unless they are two or more Keras models."""
    members = list(models) if isinstance(models, Sequence) else []
    if len(members) < 2:
        raise ValueError(
            f"Expected at least two models to average; received {described(models)}. Train one "
            "architecture with several seeds, or give the model itself."
        )
    for model in members:
        check_model(model)
    return members


def _described(model: Any) -> tuple[list[Any], list[Any], Link, set[str]]:
    """Return what members must have in common."""
    outputs = getattr(model, "outputs", None)
    if not outputs or len(outputs) != 1:
        raise ValueError(
            f"Expected functional or Sequential models with one output; {model.name!r} has "
            f"{len(outputs) if outputs else 'none that is known'}. Take one head: "
            "lx.models.with_output(model, name); a subclassed model has to be built as a graph."
        )
    learned = {getattr(layer, "learned_from", "") for layer in model._flatten_layers()} - {""}
    # The names that Keras makes up differ from model to model.
    reads = [(_MADE_UP.sub("", each.name), *each[1:]) for each in model_inputs(model)]
    return reads, [*outputs[0].shape], link_of(last_operation(model)), learned


def _member(model: Any, name: str) -> Any:
    """Return a copy of a model that gives its margin."""
    copy = stateless(model)
    output, operation = copy.outputs[0], last_operation(copy)
    if link_of(operation) != "identity":
        layer = activated(operation)
        if hasattr(layer, "activation"):
            layer.activation = keras.activations.linear
        elif operation is output._keras_history.operation:
            node = operation._inbound_nodes[output._keras_history.node_index]
            output = node.input_tensors[0]
        else:
            raise ValueError(
                f"Expected the {link_of(operation)} at the end of {model.name!r} in a layer; it is "
                "an operation inside a nested model. Use keras.layers.Activation for it."
            )
    return keras.Model(as_called(copy, copy.inputs), output, name=name)
