"""How far back a model's output still responds: gradients by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..backend import ops
from ..inspection.outputs import Scale
from ..inspection.preparation import Question, prepare
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
    model, data, output, step, scale, batch_size, inputs : as in `lstm_explain.explain`

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
    size = min(question.batch_size, len(question.subject))
    gradients = np.zeros(question.subject.values.shape)
    for start in range(0, len(gradients), size):
        # The last batch overlaps the one before it, so that nothing is traced twice.
        rows = np.arange(size) + min(start, len(gradients) - size)
        gradients[rows] = _gradients(question, rows)
    norms = np.linalg.norm(gradients, axis=-1)
    return xr.DataArray(norms, dims=("sample", "time"), name="gradient norm")


def _gradients(question: Question, rows: np.ndarray) -> np.ndarray:
    """Return d output / d values of some samples, (sample, time, feature).

    The compiled path gives gradients times (end - start). Its end are the samples themselves, and
    it starts so far below them that nothing is lost to rounding.
    """
    subject, chosen = question.subject[rows], question.chosen[rows]
    count = np.arange(len(rows), dtype=np.int32)
    ones, lengths = np.ones(len(rows), np.float32), np.abs(subject.values) + 1
    moves = np.zeros(subject.values.shape, np.float32), np.zeros(subject.static.shape, np.float32)
    _, gradients, _ = question.compiled.path(
        (*moves, ones),
        subject.arrays,
        (subject.values - lengths, subject.static),
        (count, count, count, ones),
        (chosen.weights, chosen.steps),
    )
    return np.asarray(ops.convert_to_numpy(gradients[0]), np.float64) / lengths
