"""Which output of a model is explained, and on which scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .anatomy import Anatomy, Link
from .backend import ops

Scale = Literal["margin", "probability"]


@dataclass(frozen=True)
class Selection:
    """One number per sample out of a model's outputs.

    ``weights`` (sample, output) picks it: a one-hot row for a class or value, 1 and -1 for a
    contrast of two; for a single sigmoid output 1 is the second class, -1 the first.
    """

    weights: np.ndarray
    names: np.ndarray
    scale: str


def select(raw: Any, weights: Any, link: Link, scale: str) -> Any:
    """Return the explained number (row,) from margins or values ``raw`` (row, output).

    The margin of class k is its log-odds against the rest, ``z_k - logsumexp(z_j, j != k)``: raw
    logits are defined only up to a shift. A contrast of two classes is ``z_a - z_b``.
    """
    if link == "identity":
        return ops.sum(weights * raw, axis=-1)
    if scale == "probability":
        if link == "sigmoid":
            return ops.sum(0.5 + weights * (ops.sigmoid(raw) - 0.5), axis=-1)
        return ops.sum(weights * ops.softmax(raw, axis=-1), axis=-1)
    picked = ops.sum(weights * raw, axis=-1)
    if link == "sigmoid":
        return picked
    rest = ops.logsumexp(raw - 1e9 * ops.maximum(weights, 0.0), axis=-1)
    is_contrast = ops.cast(ops.min(weights, axis=-1) < 0, raw.dtype)
    return picked - (1.0 - is_contrast) * rest


def choose(
    anatomy: Anatomy,
    raw: np.ndarray,
    class_names: tuple[str, ...],
    target_name: str,
    output: int | str | None,
    scale: Scale,
) -> Selection:
    """Turn what the caller asked for into a selection for each sample.

    Parameters
    ----------
    raw : array (sample, output)
        The model's margins or values for the samples.
    output : int, str or None
        Position, class name, or "a-b" for the contrast of two classes. None: the value itself,
        the second class of a sigmoid output, or the predicted class of each sample.
    """
    if scale not in ("margin", "probability"):
        raise ValueError(f'Expected scale "margin" or "probability"; received {scale!r}.')
    count = 2 if anatomy.link == "sigmoid" and anatomy.num_outputs == 1 else anatomy.num_outputs
    names = _output_names(count, class_names, target_name)
    if anatomy.link == "identity":
        if scale == "probability":
            raise ValueError(
                "Expected a model with a sigmoid or softmax output to explain a probability; this "
                f'one ends in {anatomy.margin_at!r} without. Use scale="margin".'
            )
        default = np.zeros(len(raw), int)
    elif anatomy.link == "sigmoid":
        default = np.full(len(raw), count - 1)
    else:
        default = raw.argmax(axis=1)
    if isinstance(output, str) and output not in names and "-" in output:
        first, second = _split_contrast(output, names)
        weights = np.eye(count)[first] - np.eye(count)[second]
        rows, labels = np.tile(weights, (len(raw), 1)), np.full(len(raw), output)
    else:
        chosen = default if output is None else np.full(len(raw), _position(output, names))
        rows, labels = np.eye(count)[chosen], np.array(names)[chosen]
    if count > anatomy.num_outputs:  # two classes from one sigmoid: -1 is the first, 1 the second
        rows = np.sign(rows[:, 1:] - rows[:, :1])
    kind = "value" if anatomy.link == "identity" else scale
    return Selection(rows.astype(np.float32), labels.astype(str), kind)


def _output_names(count: int, class_names: tuple[str, ...], target_name: str) -> list[str]:
    if len(class_names) == count:
        return list(class_names)
    return [target_name] if count == 1 else [f"output {i}" for i in range(count)]


def _position(output: int | str, names: list[str]) -> int:
    if isinstance(output, str) and output in names:
        return names.index(output)
    if isinstance(output, (int, np.integer)) and 0 <= output < len(names):
        return int(output)
    raise ValueError(
        f"Expected output to be one of {names} or a position from 0 to {len(names) - 1}; received "
        f'{output!r}. Two classes are contrasted by "{names[-1]}-{names[0]}".'
    )


def _split_contrast(output: str, names: list[str]) -> tuple[int, int]:
    for cut in (i for i, letter in enumerate(output) if letter == "-"):
        first, second = output[:cut], output[cut + 1 :]
        if first in names and second in names and first != second:
            return names.index(first), names.index(second)
    return _position(output, names), -1  # raises: neither a name nor a contrast
