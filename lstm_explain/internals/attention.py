"""``attention_maps``: the weights of every attention layer of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ..inspection.anatomy import inspect
from ..inspection.compiled import Subject
from ..inspection.question import DEFAULT_BATCH, as_sequences, check_asked, see
from ..sequences.data import SequenceData
from ..sequences.inputs import Role

_DIMENSIONS = {
    2: ("sample", "time"),
    3: ("sample", "query", "time"),
    4: ("sample", "head", "query", "time"),
}


def attention_maps(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    inputs: Mapping[Role, str] | None = None,
    batch_size: int | None = None,
) -> xr.Dataset:
    """Return the weights of every attention layer of a model: where it looked, not why.

    Found are this package's ``AttentionPooling`` and Keras's ``Attention``,
    ``AdditiveAttention`` and ``MultiHeadAttention``, in nested models too.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to read.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.

    Returns
    -------
    Dataset
        One variable per layer, under the layer's name: (sample, time) for pooling,
        (sample, query, time) for attention, (sample, head, query, time) with several heads;
        ``mask`` (sample, time), and ``times`` and ``ids`` where the data has them. Weights over
        time sum to 1.

    Raises
    ------
    ValueError
        The model has no attention layer, or one that attends to something else than its steps.

    Examples
    --------
    >>> attention_maps(model, data.test[:4])["attention"].dims  # doctest: +SKIP
    ('sample', 'time')
    """
    check_asked(model, batch_size)
    sequences = as_sequences(data)
    sequences.check_complete()
    anatomy = inspect(model, sequences, inputs=inputs)
    if not anatomy.attention_layers:
        raise ValueError(
            f"Expected a model with an attention layer; {model.name!r} has none. Use lx.explain, "
            "which needs no attention, or build one with lx.build_model."
        )
    batch_size = batch_size or DEFAULT_BATCH
    _, compiled, subject = see(anatomy, sequences, "margin", batch_size)
    maps = compiled.attention(subject, batch_size)
    variables: dict[str, Any] = {"mask": (("sample", "time"), subject.mask)}
    if sequences.times is not None:
        variables["times"] = (("sample", "time"), sequences.times)
    if sequences.ids is not None:
        variables["ids"] = ("sample", sequences.ids.astype(str))
    for layer, weights in zip(anatomy.attention_layers, maps, strict=True):
        variables[layer.name] = (_dimensions(layer.name, weights, subject), weights)
    return xr.Dataset(variables)


def mean_weights(weights: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Average weights (sample, [head,] query, time) over heads and real queries, (sample, time)."""
    if weights.ndim == 4:
        weights = weights.mean(axis=1)
    if weights.ndim == 3:
        num_queries = weights.shape[1]
        real = mask if num_queries == mask.shape[1] else np.ones((len(mask), num_queries), bool)
        weights = (weights * real[..., None]).sum(axis=1) / real.sum(axis=1)[:, None]
    return weights.astype(np.float64)


def _dimensions(name: str, weights: np.ndarray, subject: Subject) -> tuple[str, ...]:
    if weights.shape[-1] != subject.mask.shape[1]:
        raise ValueError(
            f"Expected {name!r} to attend to the {subject.mask.shape[1]} steps of the sequence; "
            f"its weights have shape {weights.shape}. Read them from the layer itself."
        )
    return _DIMENSIONS[weights.ndim]
