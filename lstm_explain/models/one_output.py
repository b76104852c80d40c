"""``with_output``: a model that gives one head of another, or a function of its outputs."""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..arguments import check_model, described, is_whole
from ..backend import keras


def with_output(model: Any, output: str | int | Callable[..., Any]) -> Any:
    """Return the model with one of its heads, or a function of its outputs, as its only output.

    The layers are the model's own, so that further training shows in both. `explain` does this by
    itself for ``output=``; the model is for what takes an explanation and its model.

    Parameters
    ----------
    model : keras.Model
    output : str, int or callable
        The name or position of a head of a model with several outputs: a key of its dict, or the
        name of the layer that makes it. Or ``function(outputs)`` or ``function(outputs, inputs)``
        with operations of ``keras.ops`` or of the backend, which gives one number per sample.
        Outputs and inputs come as the model itself gives and takes them: one tensor, a list or a
        dict.

    Returns
    -------
    keras.Model

    Raises
    ------
    ValueError
        The model has no such head.
    TypeError
        `output` is none of these.

    Examples
    --------
    >>> def error(outputs, inputs):
    ...     return ops.mean((outputs - inputs) ** 2, axis=(1, 2))
    >>> with_output(autoencoder, error)  # doctest: +SKIP
    >>> with_output(model, "length_of_stay")  # doctest: +SKIP
    """
    check_model(model)
    if callable(output):
        made = _followed_by(model, partial(_one_number, _OutputFunction(output)))
        made.explained_function = json.dumps(source_of(output))
        return made
    names = head_names(model)
    if not isinstance(output, str) and not is_whole(output):
        raise TypeError(
            f"Expected output to be the name of a head or a function; received "
            f"{described(output)}. Give one of {names}, or output=lambda outputs: ..."
        )
    if output not in names and output not in range(len(names)):
        raise ValueError(
            f"Expected output to be a head of {model.name!r}, which has {names}; received "
            f"{output!r}. Give one of these names."
        )
    position = names.index(output) if isinstance(output, str) else output
    inputs, outputs = _tensors(model)
    head = keras.Model(inputs, keras.tree.flatten(outputs)[position], name=model.name)
    head.explained_head = names[position]
    losses = keras.tree.flatten(_in_order(model, getattr(model, "loss", None)))
    if len(losses) == len(names):  # it may say that the outputs are logits
        head.compile(loss=losses[position])
    return head


def head_names(model: Any) -> list[str]:
    """Return the names of a model's outputs, in order; none for a subclassed model.

    Of a dict they are its keys, of a list the names of the layers that make them.
    """
    if not getattr(model, "inputs", None):
        return []
    outputs = _tensors(model)[1]
    if isinstance(outputs, Mapping):
        return [str(key) for key in sorted(outputs)]
    names = [tensor._keras_history.operation.name for tensor in keras.tree.flatten(outputs)]
    # Sequence and states of one layer have one name.
    return [
        f"{name} {names[:number].count(name)}" if names.count(name) > 1 else name
        for number, name in enumerate(names)
    ]


def _tensors(model: Any) -> tuple[Any, Any]:
    """Return what a model that is a graph takes and gives: a tensor each, a list or a dict."""
    # A Sequential model that took its shape from the data has no `output`.
    is_chain = isinstance(model, keras.Sequential)
    return (model.inputs[0], model.outputs[0]) if is_chain else (model.input, model.output)


def _followed_by(model: Any, compute: Callable[[Any, Any], Any]) -> Any:
    """Return a model of ``compute(outputs, inputs)`` of another's."""
    if not getattr(model, "inputs", None):
        return _WithOutput(model, compute)
    inputs, outputs = _tensors(model)
    return keras.Model(inputs, compute(outputs, inputs), name=model.name)


def _in_order(model: Any, loss: Any) -> Any:
    """Return losses that were given by name as those of the heads, in order."""
    by_name = isinstance(loss, Mapping) and set(loss) == set(head_names(model))
    return [loss[name] for name in head_names(model)] if by_name else loss


def in_target_units(
    model: Any, center: float | tuple[float, ...], scale: float | tuple[float, ...]
) -> Any:
    """Return the model with its outputs times `scale` plus `center`, in the target's unit.

    Of several targets, each output in the unit of its own.
    """
    if getattr(model, "explained_in_target_units", False):
        return model
    rescale = keras.layers.Rescaling(scale, center, name="target_units")
    made = _followed_by(model, lambda outputs, inputs: rescale(outputs))
    made.explained_in_target_units = True
    return made


def explained_by(model: Any) -> dict[str, Any]:
    """Return which head or function of another model's outputs a model gives, for provenance."""
    function, head = (getattr(model, f"explained_{name}", None) for name in ("function", "head"))
    facts = {"function": json.loads(function) if function else None, "head": head}
    return {name: fact for name, fact in facts.items() if fact}


def source_of(function: Callable[..., Any]) -> dict[str, str]:
    """Return the name and the source of a function, "" where no file or cell holds it."""
    try:
        source = textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        source = ""
    return {"name": _name_of(function), "source": source}


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "function of the output" if name == "<lambda>" else name


def _one_number(compute: _OutputFunction, outputs: Any, inputs: Any) -> Any:
    """Compute a function of outputs; raise unless it gives one number per sample."""
    result = compute(outputs, inputs)
    # Here, not in the layer, where Keras would put its own words around the message.
    shape = tuple(result.shape)
    if len(shape) != 2 or shape[1] != 1:
        raise ValueError(
            f"Expected {_name_of(compute.function)!r} to give one number per sample, of shape "
            f"(sample,); received {shape}. Sum or average over the other axes: "
            "ops.mean(..., axis=(1, 2))."
        )
    return result


class _OutputFunction(keras.layers.Layer):
    """Compute a number per sample from the outputs, and the inputs where the function takes two."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(name="output_function")
        self.function = function
        kinds = [each.kind for each in inspect.signature(function).parameters.values()]
        by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.reads_inputs = sum(kind in by_position for kind in kinds) > 1

    def get_config(self) -> dict[str, Any]:
        """Return what tells this function from others, as Keras writes down a Lambda."""
        function = keras.layers.Lambda(self.function).get_config()["function"]
        return {**super().get_config(), "function": function}

    def call(self, outputs: Any, inputs: Any) -> Any:
        result = self.function(*((outputs, inputs) if self.reads_inputs else (outputs,)))
        return result[:, None] if len(result.shape) == 1 else result


class _WithOutput(keras.Model):
    """A subclassed model with a function of its outputs behind it."""

    def __init__(self, model: Any, compute: Any) -> None:
        super().__init__(name=model.name)
        self.model, self.compute = model, compute
        self.built = True

    def get_build_config(self) -> Any:
        return self.model.get_build_config()

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.compute(self.model(inputs, training=training), inputs)
