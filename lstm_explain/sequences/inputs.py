"""Which array goes into which input of a Keras model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..arguments import check_type
from .scaling import other_scale, scale_of
from .words import vocabulary_digest

if TYPE_CHECKING:
    from .data import SequenceData

Role = Literal["sequence", "static", "mask"]
ROLES: tuple[Role, ...] = ("sequence", "static", "mask")


class ModelInput(NamedTuple):
    """One input of a model; `dtype` is "" where only a call could tell."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def model_inputs(model: Any) -> list[ModelInput]:
    """Return a model's inputs in its order, by the keys of a dict of inputs.

    Of a subclassed model they are those that it was built with, with any number of steps.
    """
    tensors = list(getattr(model, "inputs", None) or [])
    struct = _structure(model)
    if tensors:
        keys = struct if isinstance(struct, dict) else {}
        named = {id(tensor): str(key) for key, tensor in keys.items()}
        return [
            ModelInput(named.get(id(tensor), tensor.name), tuple(tensor.shape), str(tensor.dtype))
            for tensor in tensors
        ]
    if struct is None:
        return []
    if not isinstance(struct, dict):
        shapes = struct if isinstance(struct, list) else [struct]
        struct = {f"input_{number}": shape for number, shape in enumerate(shapes)}
    return [
        ModelInput(str(name), (None, None, *shape[2:])[: len(shape)], "")
        for name, shape in struct.items()
    ]


def _structure(model: Any) -> Any:
    """Return what a model is called with: a tensor or shape, or a list or dict of them."""
    if getattr(model, "inputs", None):
        return getattr(model, "_inputs_struct", None)
    config = model.get_build_config() if hasattr(model, "get_build_config") else None
    shapes = (config or {}).get("input_shape")
    parts = shapes.values() if isinstance(shapes, dict) else shapes or [None]
    if all(isinstance(part, int | None) for part in parts):
        return tuple(shapes) if shapes else None
    # Lists within lists, whose parts have no order that one could name, stay with the model.
    flat = all(isinstance(size, int | None) for part in parts for size in part)
    return (shapes if isinstance(shapes, dict) else [*parts]) if flat else None


def find_roles(
    model: Any,
    *,
    tokens: bool,
    num_features: int | None = None,
    num_steps: int | None = None,
    num_static: int | None = None,
    named: Mapping[Role, str] | None = None,
) -> tuple[Role, ...]:
    """Tell what each input of a model is, in the model's order.

    By rank, type and size: (sample, time, feature) is the sequence, bool (sample, time) the mask
    and (sample, static feature) the static facts. With `tokens`, the sequence is (sample, time).

    Parameters
    ----------
    tokens : bool
        The sequence holds token ids, not numbers.
    num_features, num_steps, num_static : int, optional
        Sizes that the inputs must fit; None fits any.
    named : mapping of role to input name, optional
        For models in which the roles cannot be told apart.

    Raises
    ------
    ValueError
        An input fits no role, or more than one reading is possible.
    """
    tensors = model_inputs(model)
    if not tensors:  # a subclassed model that was not called yet
        return ("sequence",)
    names, shapes, _ = map(list, zip(*tensors, strict=True))
    if named is None:
        roles = None
        beside = [shape for shape in shapes if len(shape) > 2][1:]
    else:
        roles = _roles_by_name(named, names)
        by_role = zip(roles, shapes, strict=True)
        beside = [shape for role, shape in by_role if role != "sequence" and len(shape) > 2]
    if beside or any(len(shape) > 3 for shape in shapes):
        raise ValueError(
            "Expected a model with one sequence input of shape (sample, time, feature); received "
            f"inputs {dict(zip(names, shapes, strict=True))}. lx.explain reads them side by side; "
            "elsewhere give lx.models.with_one_input(model) and the explanation's data."
        )
    if roles is not None:
        return roles
    roles = tuple(_role(tensor, tokens, num_static, len(tensors)) for tensor in tensors)
    if roles.count("sequence") != 1 or len(set(roles)) != len(roles):
        raise ValueError(
            "Expected a model with one sequence input of shape "
            f"{'(sample, time)' if tokens else '(sample, time, feature)'}, and at most one of "
            f"static facts and of a mask; received inputs {dict(zip(names, shapes, strict=True))}, "
            f"read as {list(roles)}. Name them with "
            'inputs={"sequence": ..., "static": ..., "mask": ...}.'
        )
    sequence = tensors[roles.index("sequence")]
    for axis, size, what in ((2, num_features, "features"), (1, num_steps, "steps")):
        if axis < len(sequence.shape) and size is not None:
            _check_size(sequence, axis, size, what)
    return roles


def check_vocabulary(model: Any, vocabulary: Sequence[str]) -> None:
    """Raise if the model recorded the vocabulary that it learned, and this is another one."""
    if not vocabulary:
        return
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else []
    learned = {getattr(layer, "vocabulary_digest", "") for layer in layers} - {""}
    if learned and vocabulary_digest(vocabulary) not in learned:
        raise ValueError(
            f"Expected texts read with the vocabulary that {model.name!r} was trained with; "
            f"received another one, of {len(vocabulary)} words, in which the same ids are other "
            "words. Read them with SequenceData.from_texts(texts, vocabulary=run.vocabulary)."
        )


def check_is_no_mask(static: Any, num_steps: int) -> None:
    """Raise where static facts are a mask in numbers: a 1 for each real step, from one end on."""
    if static.shape[1] != num_steps or num_steps < 2 or not ((static == 0) | (static == 1)).all():
        return
    changes = (static[:, 1:] != static[:, :-1]).sum(axis=1)
    if (changes <= 1).all() and changes.any():
        raise ValueError(
            f"Expected static facts; received {num_steps} of 0 and 1, one for each step, with a 1 "
            "up to some step or from it on, as in a mask. Say which it is: "
            'inputs={"sequence": ..., "mask": ...} or inputs={"sequence": ..., "static": ...}.'
        )


def record_learned(model: Any, data: SequenceData) -> None:
    """Note on a model what its numbers mean: names, classes and units of the data it learns from.

    Its layers that have a place for it keep it in a saved file.
    """
    answers = data.class_names or data.target_names
    names = {"features": [*data.feature_names, *data.static_names], "classes": answers}
    if data.limits is not None:
        names["limits"] = data.limits.tolist()
    for layer in model._flatten_layers():
        if layer is model or hasattr(layer, "learned_from"):
            layer.learned_from = json.dumps({**names, **scale_of(data)})


def check_learned(model: Any, data: SequenceData) -> None:
    """Raise if the model recorded what its numbers mean, and those of the data mean other things.

    Other names of features are taken for new names of the same, but not a name in another place.
    """
    if not data.scale_known or not hasattr(model, "_flatten_layers"):
        return
    for record in {getattr(layer, "learned_from", "") for layer in model._flatten_layers()} - {""}:
        learned = {"features": [], "classes": [], "limits": [], **json.loads(record)}
        names = [*data.feature_names, *data.static_names]
        if any(a != b and a in names for a, b in zip(learned["features"], names, strict=False)):
            raise ValueError(
                f"Expected the features in the order in which {model.name!r} learned them, "
                f"{learned['features']}; received {names}. Make the data with features in that "
                "order."
            )
        if wrong := other_scale(data, learned):
            raise ValueError(
                f"Expected data standardised as those that {model.name!r} was trained on; received "
                f"{wrong}. Take a part of the data that it was trained on, or pass numbers that "
                "are in the model's units as an array."
            )
        limits: Any = [] if data.limits is None else data.limits
        if not (len(limits) == len(learned["limits"]) and np.allclose(limits, learned["limits"])):
            raise ValueError(
                f"Expected data whose outliers are cut as those that {model.name!r} was trained "
                "on; received other limits, or none. Take a part of the data that it was trained "
                "on, or call data.clip_outliers() as for these."
            )
        numbers = [str(number) for number in range(len(learned["classes"]))]
        answers = list(data.class_names or data.target_names)
        if learned["classes"] and answers not in ([], learned["classes"], numbers):
            raise ValueError(
                f"Expected the classes or targets that {model.name!r} was trained on, in their "
                f"order {learned['classes']}; received {answers}. Make the data with "
                f"class_names={learned['classes']}, or with these target_names; labels may also be "
                "positions among the classes."
            )


def padding_value(model: Any) -> float:
    """Return the value that a model's Masking layers mask; 0 if it has none.

    Raises
    ------
    ValueError
        They mask different values, so that no padding is padding for all.
    """
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else []
    values = {float(layer.mask_value) for layer in layers if type(layer).__name__ == "Masking"}
    if len(values) > 1:
        raise ValueError(
            f"Expected Masking layers of one value for samples of different lengths; those of "
            f"{model.name!r} mask {sorted(values)}. Pad the samples yourself, as the model was "
            "trained, and pass them as an array."
        )
    return values.pop() if values else 0.0


def arrange(model: Any, roles: Sequence[Role], sequence: Any, static: Any, mask: Any) -> Any:
    """Return the arrays as the model was built to take them: one, a list, or a dict."""
    by_role = {"sequence": sequence, "static": static, "mask": mask}
    return as_called(model, [by_role[role] for role in roles])


def as_called(model: Any, parts: Sequence[Any]) -> Any:
    """Return what goes into each input as the model is called: one part, a list, or a dict."""
    struct = _structure(model)
    if isinstance(struct, dict):
        return dict(zip(input_names(model), parts, strict=True))
    return parts[0] if len(parts) == 1 and not isinstance(struct, list) else list(parts)


def input_names(model: Any) -> list[str]:
    """Return the names of a model's inputs, in its order: the keys of a dict of inputs."""
    return [each.name for each in model_inputs(model)]


def _roles_by_name(named: Mapping[Role, str], names: list[str]) -> tuple[Role, ...]:
    check_type(Mapping, f'Give for example {{"sequence": "{names[0]}"}}.', inputs=named)
    by_name = {str(name): role for role, name in named.items()}
    if set(by_name) != set(names) or "sequence" not in named or not set(named) <= set(ROLES):
        raise ValueError(
            f"Expected inputs= to give each of the model's inputs {names} a role out of "
            f"{list(ROLES)}; received {dict(named)}. For example "
            f'inputs={{"sequence": "{names[0]}"}}.'
        )
    return tuple(by_name[name] for name in names)


def _role(tensor: ModelInput, tokens: bool, num_static: int | None, count: int) -> Role:
    name, shape, kind = tensor
    if len(shape) == 3 and not tokens:
        return "sequence"
    if len(shape) == 2 and kind == "bool":
        return "mask"
    if len(shape) == 2 and tokens and (count == 1 or "int" in kind):
        return "sequence"
    fits = num_static is None or (num_static != 0 and shape[1] in (num_static, None))
    if len(shape) == 2 and fits:
        return "static"
    raise ValueError(
        f"Expected model inputs of shape "
        f"{'(sample, time) of token ids' if tokens else '(sample, time, feature)'}, bool (sample, "
        f"time) or (sample, {num_static} static features); the model has {name!r} of shape "
        f"{shape}, type {kind or 'unknown'}. Use a model with a sequence input, give the data the "
        'static facts that it needs, or name the roles with inputs={"sequence": ...}.'
    )


def _check_size(tensor: ModelInput, axis: int, size: int, what: str) -> None:
    if tensor.shape[axis] not in (None, size):
        raise ValueError(
            f"Expected {tensor.shape[axis]} {what} for the model input {tensor.name!r}; received "
            f"{size}. Use the same {what} as the model was trained on."
        )
