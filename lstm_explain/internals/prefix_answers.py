"""What a model would have answered had a sequence ended earlier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from ..inspection.anatomy import inspect
from ..inspection.compiled import raw_outputs
from ..inspection.outputs import Scale
from ..inspection.preparation import as_sequences, prepare
from ..inspection.question import see, selected
from ..sequences.data import SequenceData
from ..sequences.inputs import Role

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
    model, data, inputs, batch_size : as in `lstm_explain.explain`
    output : int or str, optional
        Which class or value. By default the one that the model predicts for the whole sequence, or
        the second class of a single sigmoid.
    scale : {"probability", "margin"}, optional
        By default probabilities where the model gives such, else its value.

    Returns
    -------
    DataArray
        float64 (sample, time), NaN on padded steps, with the coordinate ``output`` (sample,).

    Examples
    --------
    >>> answers_by_step(model, data.test[:1]).values  # doctest: +SKIP
    """
    sequences = as_sequences(data)
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
    chosen = question.chosen[owner]
    if chosen.steps.shape[1]:  # a model with one output per step
        chosen = replace(chosen, steps=np.eye(mask.shape[1], dtype=np.float32)[step])
    answers = np.full(mask.shape, np.nan)
    found = selected(raw_outputs(compiled, subject, size), chosen, question.anatomy)
    answers[owner[:count], step[:count]] = found[:count]
    return xr.DataArray(
        answers,
        dims=("sample", "time"),
        coords={"output": ("sample", question.chosen.names)},
        name=question.chosen.scale,
    )
