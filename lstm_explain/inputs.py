"""Which array goes into which input of a Keras model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

Role = Literal["sequence", "static", "mask"]


def find_roles(model: Any, num_features: int, num_steps: int, num_static: int) -> tuple[Role, ...]:
    """Tell what each input of a model is, in the model's order, by rank, type and size.

    (sample, time, feature) is the sequence, bool (sample, time) the mask and
    (sample, static feature) the static facts.

    Raises
    ------
    ValueError
        An input fits none of them: features, steps or static facts differ.
    """
    tensors = list(getattr(model, "inputs", None) or [])
    if not tensors:
        return ("sequence",)
    roles = tuple(_role(tensor, num_features, num_steps, num_static) for tensor in tensors)
    if roles.count("sequence") != 1:
        raise ValueError(
            "Expected a model with one sequence input of shape (sample, time, feature); received "
            f"inputs of shapes {[tuple(t.shape) for t in tensors]}. Use a model that reads one "
            "sequence."
        )
    return roles


def arrange(roles: Sequence[Role], sequence: Any, static: Any, mask: Any) -> Any:
    """Return the arrays in the order of the roles; one array for a single input."""
    by_role = {"sequence": sequence, "static": static, "mask": mask}
    arrays = [by_role[role] for role in roles]
    return arrays[0] if len(arrays) == 1 else arrays


def _role(tensor: Any, num_features: int, num_steps: int, num_static: int) -> Role:
    shape = tuple(tensor.shape)
    if len(shape) == 3:
        for axis, size, what in ((2, num_features, "features"), (1, num_steps, "steps")):
            if shape[axis] not in (None, size):
                raise ValueError(
                    f"Expected {shape[axis]} {what} for the model input {tensor.name!r}; received "
                    f"{size}. Use the same {what} as the model was trained on."
                )
        return "sequence"
    if len(shape) == 2 and str(tensor.dtype) == "bool":
        return "mask"
    if len(shape) == 2 and num_static and shape[1] == num_static:
        return "static"
    raise ValueError(
        f"Expected model inputs of shape (sample, time, feature), bool (sample, time) or "
        f"(sample, {num_static} static features); the model has {tensor.name!r} of shape {shape}, "
        f"type {tensor.dtype}. Use a model with a sequence input, and give the data the static "
        "facts that it needs."
    )
