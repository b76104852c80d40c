"""Which output of a model is explained, on which scale, and what the model decides with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.special import expit

from ..arguments import check_one_of
from ..backend import ops
from ..models.links import Link
from ..models.quantiles import quantile_names
from ..sequences.data import SequenceData
from ..sequences.padding import last_true
from .anatomy import Anatomy

Scale = Literal["margin", "probability"]
Output: TypeAlias = "int | str | list[int | str] | None"


@dataclass(frozen=True)
class Selection:
    """One number per sample out of a model's outputs.

    Attributes
    ----------
    weights : float32 array (sample, output)
        A one-hot row for a class or value, 1 and -1 for a contrast of two. For a single sigmoid
        output 1 is the second class and -1 the first, 2 and -2 are their contrasts.
    steps : float32 array (sample, step)
        How much each step's output counts; width 0 for a model with one output per sample.
    names : str array (sample,)
    scale : str
        "margin", "probability" or "value".
    """

    weights: np.ndarray
    steps: np.ndarray
    names: np.ndarray
    scale: str

    def __getitem__(self, index: np.ndarray) -> Selection:
        return Selection(self.weights[index], self.steps[index], self.names[index], self.scale)


def select(raw: Any, weights: Any, steps: Any, link: Link, scale: str) -> Any:
    """Return the explained number (row,) from margins or values ``raw``.

    `raw` has shape (row, output) or (row, step, output). The margin of class k is its log-odds
    against the rest, ``z_k - logsumexp(z_j, j != k)``: raw logits are defined only up to a shift.
    A contrast of two classes is ``z_a - z_b``.
    """
    weights, steps = ops.convert_to_tensor(weights), ops.convert_to_tensor(steps)
    if len(raw.shape) == 2:
        return _picked(raw, weights, link, scale)
    return ops.sum(steps * _picked(raw, weights[:, None, :], link, scale), axis=-1)


def _picked(raw: Any, weights: Any, link: Link, scale: str) -> Any:
    raw = ops.cast(raw, "float32")
    if link == "identity":
        return ops.sum(weights * raw, axis=-1)
    single = raw.shape[-1] == 1
    sigmoids = link in ("sigmoid", "binary logits") or (link == "logits" and single)
    if scale == "probability":
        if link != "probability":
            raw = ops.sigmoid(raw) if sigmoids else ops.softmax(raw, axis=-1)
        if (
            single
        ):  # of the two classes the second has p; 1 and -1 select a class, 2 and -2 contrast
            weights = weights[..., 0]
            one_class = ops.cast(ops.abs(weights) < 1.5, raw.dtype)
            return 0.5 * one_class + weights * (raw[..., 0] - 0.5)
        return ops.sum(weights * raw, axis=-1)
    if sigmoids:
        return ops.sum(ops.sign(weights) * raw, axis=-1)
    others = ops.logsumexp(raw - 1e9 * ops.maximum(weights, 0.0), axis=-1)
    is_contrast = ops.cast(ops.min(weights, axis=-1) < 0, raw.dtype)
    return ops.sum(weights * raw, axis=-1) - (1.0 - is_contrast) * others


def linked(raw: np.ndarray, link: Link) -> np.ndarray:
    """Return what a model gives for its margins, in their own precision, as float64."""
    if link in ("sigmoid", "softmax"):
        function = ops.sigmoid if link == "sigmoid" else ops.softmax
        raw = ops.convert_to_numpy(function(ops.convert_to_tensor(raw)))
    return raw.astype(np.float64)


def answers_of(data: SequenceData, quantiles: Sequence[float], count: int) -> tuple[str, ...]:
    """Return the names of a model's `count` outputs, of classes or targets; none where unknown."""
    names = data.class_names or data.target_names
    if quantiles:
        names = tuple(quantile_names(names or [data.target_name], quantiles))
    # The two classes of one sigmoid are not two labels.
    return () if data.target_names and count != len(names) else names


def choose(
    anatomy: Anatomy,
    raw: np.ndarray,
    mask: np.ndarray,
    class_names: tuple[str, ...],
    target_name: str,
    output: Output,
    step: int | Literal["last", "sum"],
    scale: Scale,
) -> Selection:
    """Turn what the caller asked for into a selection for each sample.

    Of a list of outputs, or "all", into one for each sample and output, sample by sample.

    Parameters
    ----------
    raw : array (sample, output) or (sample, step, output)
        The model's margins or values for the samples.
    mask : bool array (sample, time)
    output : int, str, list or None
        Position, class name, or "a-b" for the contrast of two classes. The name of a target of
        several quantiles is its median. None: the only value, the
        second class of a single sigmoid, or the predicted class of each sample.
    step : int, "last" or "sum"
        Which step's output, for models with one output per step.
    """
    if anatomy.link == "identity" and scale == "probability":
        raise ValueError(
            "Expected a model that gives probabilities to explain one; received outputs below 0 or "
            'above 1. Use scale="margin", which explains the output itself.'
        )
    steps = _step_weights(raw, mask, step)
    single = anatomy.link != "identity" and raw.shape[-1] == 1
    count = 2 if single else raw.shape[-1]
    names = _output_names(count, class_names, target_name)

    def rows_of(one: Any) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(one, str) and one not in names and "-" in one:
            first, second = _split_contrast(one, names)
            weights = np.eye(count)[first] - np.eye(count)[second]
            return np.tile(weights, (len(raw), 1)), np.full(len(raw), one)
        if one is None:
            positions = _default(anatomy, raw, steps, names)
        else:
            positions = np.full(len(raw), _position(one, names))
        return np.eye(count)[positions], np.array(names)[positions]

    outputs = names if output == "all" and "all" not in names else output
    asked = outputs if isinstance(outputs, list) else [outputs]
    rows, labels = (np.stack(parts, axis=1) for parts in zip(*map(rows_of, asked), strict=True))
    rows, labels = rows.reshape(-1, count), labels.ravel()
    steps = np.repeat(steps, len(asked), axis=0)
    if single:  # two classes from one output
        rows = rows[:, 1:] - rows[:, :1]
    kind = "value" if anatomy.link == "identity" else scale
    return Selection(rows.astype(np.float32), steps, labels.astype(str), kind)


def check_scale(scale: str) -> None:
    """Raise unless the scale is one of the two."""
    check_one_of(("margin", "probability"), remedy='Try "margin".', scale=scale)


def _step_weights(raw: np.ndarray, mask: np.ndarray, step: int | str) -> np.ndarray:
    if raw.ndim == 2:
        if step != "last":
            raise ValueError(
                f"Expected a model with one output per step to choose step={step!r}; this one "
                "gives one output per sample. Leave step out."
            )
        return np.zeros((len(raw), 0), np.float32)
    num_steps = raw.shape[1]
    if mask.shape[1] != num_steps:
        # Which of a shortened sequence's steps are padding, nobody but the model's author knows.
        if not mask.all() and isinstance(step, str) and num_steps > 1:
            raise ValueError(
                f"Expected one output per step of the sequence ({mask.shape[1]}) for step={step!r} "
                f"of padded samples; the model gives {num_steps}. Name the step by its number: "
                f"step={num_steps - 1}, or explain samples without padding."
            )
        mask = np.ones((len(raw), num_steps), bool)
    if step == "sum":
        return mask.astype(np.float32)
    if step == "last":
        positions = last_true(mask)
    elif isinstance(step, (int, np.integer)) and 0 <= step < num_steps:
        positions = np.full(len(raw), step)
    else:
        raise ValueError(
            f'Expected step to be "last", "sum" or a number from 0 to {num_steps - 1}; received '
            f"{step!r}."
        )
    padded = ~mask[np.arange(len(raw)), positions]
    if padded.any():
        raise ValueError(
            f"Expected step {step} to be a real step of every sample; it is padding in "
            f"{int(padded.sum())}, the first at position {int(padded.argmax())}. Use "
            'step="last", or explain the longer samples only.'
        )
    return np.eye(num_steps, dtype=np.float32)[positions]


def _default(anatomy: Anatomy, raw: np.ndarray, steps: np.ndarray, names: list[str]) -> np.ndarray:
    if len(names) == 1:
        return np.zeros(len(raw), int)
    if anatomy.link == "identity":
        raise ValueError(
            f"Expected output= to say which of {len(names)} values to explain; received None. "
            f"Choose one of {names}."
        )
    if raw.shape[-1] == 1:
        return np.ones(len(raw), int)
    totals = raw if raw.ndim == 2 else (raw * steps[..., None]).sum(axis=1)
    return totals.argmax(axis=-1)


def _output_names(count: int, class_names: tuple[str, ...], target_name: str) -> list[str]:
    if len(class_names) == count:
        return list(class_names)
    return [target_name] if count == 1 else [f"output {i}" for i in range(count)]


def _position(output: int | str, names: list[str]) -> int:
    [median] = quantile_names([str(output)], [0.5])  # what the name of a lead alone means
    for name in (output, median):
        if isinstance(output, str) and name in names:
            return names.index(name)
    if isinstance(output, (int, np.integer)) and 0 <= output < len(names):
        return int(output)
    contrast = "" if len(names) < 2 else f' Two are contrasted by "{names[-1]}-{names[0]}".'
    raise ValueError(
        f"Expected output to be one of {names} or a position from 0 to {len(names) - 1}; received "
        f"{output!r}.{contrast}"
    )


def _split_contrast(output: str, names: list[str]) -> tuple[int, int]:
    for cut in (i for i, letter in enumerate(output) if letter == "-"):
        first, second = output[:cut], output[cut + 1 :]
        if first in names and second in names and first != second:
            return names.index(first), names.index(second)
    return _position(output, names), -1  # raises: neither a name nor a contrast


def last_outputs(raw: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the margins or values (sample, output) of each sample's last real step."""
    if raw.ndim == 2:
        return raw
    steps = raw.shape[1]
    real = mask if mask.shape[1] == steps else np.ones((len(raw), steps), bool)
    return raw[np.arange(len(raw)), last_true(real)]


def as_probability(
    numbers: np.ndarray, names: np.ndarray, facts: Mapping[str, Any]
) -> np.ndarray | None:
    """Return explained numbers as the probability of the class that their name says.

    Only the probability of one class, or its log-odds, can be read so. A value, a sum over steps
    and a contrast of two classes cannot: between three classes ``z_a - z_b`` says nothing of the
    third, and of two it is clearer to explain one of them.

    Parameters
    ----------
    numbers : array
        Explained outputs, such as ``explanation.predictions``.
    names : str array (sample,)
        What they are of, such as ``explanation.output``.
    facts : mapping
        ``"scale"``, ``"step"`` and ``"class_names"``, as in ``explanation.provenance``.

    Returns
    -------
    float64 array or None
        None where the numbers are no probability of one class.

    Examples
    --------
    >>> facts = {"scale": "margin", "class_names": ["ill", "long-term ill"]}
    >>> as_probability(np.array([0.0]), np.array(["long-term ill"]), facts)
    array([0.5])
    >>> as_probability(np.array([0.0]), np.array(["long-term ill-ill"]), facts) is None
    True
    """
    classes = facts.get("class_names") or ()
    # `choose` takes a name with a hyphen for a contrast only where no class has it.
    of_one_class = all(name in classes or "-" not in name for name in map(str, names))
    if facts["scale"] == "value" or facts.get("step") == "sum" or not of_one_class:
        return None
    numbers = np.asarray(numbers, np.float64)
    return expit(numbers) if facts["scale"] == "margin" else numbers


def chances(raw: np.ndarray, link: Link) -> np.ndarray:
    """Turn margins (sample, output) into the probabilities of all classes, (sample, class).

    Examples
    --------
    >>> chances(np.array([[0.0]]), "sigmoid").tolist()
    [[0.5, 0.5]]
    """
    raw = raw.astype(np.float64)
    if link == "probability":
        return raw if raw.shape[1] > 1 else np.concatenate([1 - raw, raw], axis=1)
    if link in ("sigmoid", "binary logits") and raw.shape[1] > 1:  # several questions
        return expit(raw)
    if raw.shape[1] == 1:
        raw = np.concatenate([np.zeros_like(raw), raw], axis=1)
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return raw / raw.sum(axis=1, keepdims=True)


def decisions(raw: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the decision of each row as a number: the likeliest class, or 1 above the threshold.

    Parameters
    ----------
    raw : array (sample, output)
    threshold : float or None
        Of the margin of two classes (by default 0, a probability of one half), or of a value.
    """
    if raw.shape[1] > 1:
        return raw.argmax(axis=1)
    return (raw[:, 0] > (threshold or 0.0)).astype(int)
