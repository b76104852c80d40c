"""What a model predicts for samples and for the background, on the explained scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .anatomy import Anatomy
from .backend import ops
from .background import Background
from .forward import Compiled, in_batches, static_or_empty
from .outputs import Selection, select
from .sequences import SequenceData

_MARGIN_TOLERANCE = 1e-5


def raw_outputs(compiled: Compiled, batch_size: int, *inputs: np.ndarray) -> np.ndarray:
    """Return the model's margins or values, (row, output)."""
    return in_batches(lambda *batch: compiled.raw((), *batch)[:1], batch_size, *inputs)[0]


def selected(raw: np.ndarray, chosen: Selection, anatomy: Anatomy) -> np.ndarray:
    """Return the explained number of each row, float64 (row,)."""
    numbers = select(ops.convert_to_tensor(raw), chosen.weights, anatomy.link, chosen.scale)
    return np.asarray(ops.convert_to_numpy(numbers), np.float64)


def check_margin(anatomy: Anatomy, compiled: Compiled, data: SequenceData, raw: np.ndarray) -> None:
    """Accept the margin only if the link turns it into what the model really outputs."""
    if anatomy.link == "identity":
        return
    few = data[:64]
    static = static_or_empty(few.static, len(few))
    _, _, (plain,) = compiled.plain((), few.values, static, few.mask)
    link = ops.sigmoid if anatomy.link == "sigmoid" else ops.softmax
    error = np.abs(ops.convert_to_numpy(link(raw[: len(few)])) - ops.convert_to_numpy(plain)).max()
    if not error < _MARGIN_TOLERANCE:
        raise ValueError(
            f"Expected the {anatomy.link} of the margin before {anatomy.margin_at!r} to be the "
            f'model\'s output; they differ by {error:.2g}. Use scale="probability".'
        )


def mean_over_background(
    compiled: Compiled,
    anatomy: Anatomy,
    data: SequenceData,
    reference: Background,
    chosen: Selection,
    batch_size: int,
) -> np.ndarray:
    """Mean explained output over the background, seen through each sample's own mask."""
    rows = reference.rows_for(data.values.shape[1])
    row_static = static_or_empty(reference.static, len(rows))
    result = np.zeros(len(data))
    masks, which = np.unique(data.mask, axis=0, return_inverse=True)
    for position, mask in enumerate(masks):
        masked = np.where(mask[:, None], rows, 0)
        raw = raw_outputs(compiled, batch_size, masked, row_static, np.tile(mask, (len(rows), 1)))
        members = np.flatnonzero(which.ravel() == position)
        distinct, selection = np.unique(chosen.weights[members], axis=0, return_inverse=True)
        for index, weights in enumerate(distinct):
            one = replace(chosen, weights=np.tile(weights, (len(raw), 1)))
            result[members[selection.ravel() == index]] = selected(raw, one, anatomy).mean()
    return result
