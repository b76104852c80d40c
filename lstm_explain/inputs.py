"""Which array goes into which input of a Keras model."""

from __future__ import annotations

from typing import Any

import numpy as np


def match(
    model: Any, values: np.ndarray, mask: np.ndarray, static: np.ndarray | None
) -> np.ndarray | list[np.ndarray]:
    """Return the arrays in the order of the model's inputs; one array for a single input.

    Raises
    ------
    ValueError
        An input's shape fits none of the arrays: features, steps or static facts differ.
    """
    tensors = list(getattr(model, "inputs", None) or [])
    if not tensors:
        return values
    arrays = [_match_one(tensor, values, mask, static) for tensor in tensors]
    if not any(array is values for array in arrays):
        raise ValueError(
            "Expected a model with a sequence input of shape (sample, time, feature); received "
            f"inputs of shapes {[tuple(t.shape) for t in tensors]}. Use a model that reads "
            "sequences."
        )
    return arrays[0] if len(arrays) == 1 else arrays


def _match_one(
    tensor: Any, values: np.ndarray, mask: np.ndarray, static: np.ndarray | None
) -> np.ndarray:
    shape = tuple(tensor.shape)
    if len(shape) == 3:
        for axis, what in ((2, "features"), (1, "steps")):
            if shape[axis] not in (None, values.shape[axis]):
                raise ValueError(
                    f"Expected {shape[axis]} {what} for the model input {tensor.name!r}; received "
                    f"{values.shape[axis]}. Use the same {what} as the model was trained on."
                )
        return values
    if len(shape) == 2 and str(tensor.dtype) == "bool":
        return mask
    if len(shape) == 2 and static is not None and shape[1] == static.shape[1]:
        return static
    num_static = 0 if static is None else static.shape[1]
    raise ValueError(
        f"Expected model inputs of shape (sample, time, feature), bool (sample, time) or "
        f"(sample, {num_static} static features); the model has {tensor.name!r} of shape {shape}, "
        f"type {tensor.dtype}. Use a model with a sequence input, and give the data the static "
        "facts that it needs."
    )
