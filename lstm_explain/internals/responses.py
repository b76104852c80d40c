"""How a model's output responds to each step: gradients, and answers at earlier ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..inspection.confirmation import see
from ..inspection.observation import inspect
from ..inspection.outputs import Scale
from ..inspection.question import Question, check_asked, prepare, selected
from ..models.forms import as_sequences
from ..models.one_input import with_one_input
from ..sequences.data import SequenceData
from ..sequences.inputs import Role


def gradient_norms(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    output: int | str | None = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
) -> xr.DataArray:
    """Return the norm of d output / d step: how strongly the output responds to each step.

    Through many steps a gradient is a product of many factors. Where they are below 1 it vanishes,
    so that training cannot learn what the early steps mean; where they are above 1 it explodes, so
    that one update of training destroys what was learned.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to read.
    output : int, str or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample.
    step : int, "last" or "sum"
        Which step's output, for models that give one per step.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.

    Returns
    -------
    DataArray
        float64 (sample, time): the Euclidean norm over a step's features of the gradient of the
        explained output (by default the margin), in units of the output per unit of the values
        that the model reads; for texts, per unit of a word's vector. Exactly 0 on padded steps.

    References
    ----------
    Bengio et al. (1994), "Learning long-term dependencies with gradient descent is difficult", IEEE
    Transactions on Neural Networks 5; Pascanu et al. (2013), arXiv:1211.5063, equation 5.

    Examples
    --------
    >>> norms = gradient_norms(model, data.test[:16])  # doctest: +SKIP
    >>> norms.isel(time=0).mean()  # doctest: +SKIP
    """
    question = prepare(model, data, "zero", output, step, scale, batch_size, inputs)
    gradients = question.compiled.gradients(
        question.subject, question.selection, question.batch_size
    )
    norms = np.linalg.norm(gradients, axis=-1)
    return xr.DataArray(norms, dims=("sample", "time"), name="gradient norm")


def gradient_sizes(question: Question) -> np.ndarray:
    """Return the size of the explained output's gradient by each step, (sample, time).

    For numbers the sum of ``|d output / d x|`` over the features; for a word, as Jain and Wallace
    (2019) have it, ``|d output / d embedding . embedding|``, its gradient by the word's being
    there. Exactly 0 on padded steps.
    """
    subject = question.subject
    gradients = question.compiled.gradients(subject, question.selection, question.batch_size)
    if question.data.tokens is not None:
        return np.abs((gradients * subject.values).sum(axis=2))
    return np.abs(gradients).sum(axis=2)


_ROWS = 64


def answers_by_step(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    output: int | str | None = None,
    scale: Scale | None = None,
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
) -> xr.DataArray:
    """Return what a model would answer at each step if the sequence ended there.

    Each answer is the prediction of the whole model for the first steps of a sample, with the
    others masked. So it needs a model that masks its padding; of one that reads it, a
    ``PaddingWarning`` tells how much that moves the answers.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to read.
    output : int or str, optional
        Which class or value. By default the one that the model predicts for the whole sequence, or
        the second class of a single sigmoid.
    scale : {"probability", "margin"}, optional
        By default the probability where the model gives one, else its value.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.

    Returns
    -------
    DataArray
        float64 (sample, time), NaN on padded steps, with the coordinate ``output`` (sample,).

    Examples
    --------
    >>> answers_by_step(model, data.test[:1]).values  # doctest: +SKIP
    """
    check_asked(model, batch_size)
    model = with_one_input(model)
    sequences = as_sequences(data, model, inputs)
    if scale is None:
        link = inspect(model, sequences, inputs=inputs).link
        scale = "margin" if link == "identity" else "probability"
    question = prepare(model, sequences, "zero", output, "last", scale, batch_size, inputs)
    mask = question.subject.mask
    owner, step = np.nonzero(mask)
    count = len(owner)
    # In numbers that come again: a function is compiled for each number of rows.
    owner, step = (np.pad(index, (0, -count % _ROWS), mode="edge") for index in (owner, step))
    read = np.arange(mask.shape[1]) <= step[:, None]
    prefixes = sequences[owner]
    changes: dict[str, Any] = {
        "mask": prefixes.mask & read,
        "values": np.where(read[..., None], prefixes.values, np.float32(0)),
    }
    if prefixes.tokens is not None:
        changes["tokens"] = np.where(read, prefixes.tokens, 0).astype(np.int32)
    size = question.batch_size
    _, compiled, subject = see(question.anatomy, replace(prefixes, **changes), scale, size)
    selection = question.selection[owner]
    if selection.steps.shape[1]:  # a model with one output per step
        selection = replace(selection, steps=np.eye(mask.shape[1], dtype=np.float32)[step])
    answers = np.full(mask.shape, np.nan)
    outputs = selected(compiled.outputs(subject, size), selection, question.anatomy)
    answers[owner[:count], step[:count]] = outputs[:count]
    return xr.DataArray(
        answers,
        dims=("sample", "time"),
        coords={"output": ("sample", question.selection.names)},
        name=question.selection.scale,
    )
