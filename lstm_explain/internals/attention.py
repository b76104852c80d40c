"""``attention_maps``: the weights of every attention layer of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ..arguments import check_type
from ..inspection.alignment import attended_axes
from ..inspection.anatomy import read_anatomy
from ..inspection.confirmation import see
from ..inspection.question import DEFAULT_BATCH, check_asked
from ..models.forms import as_sequences
from ..models.one_input import with_one_input
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
    attention: str | None = None,
    batch_size: int | None = None,
) -> xr.Dataset:
    """Return the weights of every attention layer of a model: where it looked, not why.

    Found are this package's ``AttentionPooling`` and Keras's ``Attention``,
    ``AdditiveAttention`` and ``MultiHeadAttention``, in nested models too; and attention that is
    written by hand, by what it does: weights that sum to 1 over the steps weigh the states.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to read.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    attention : str, optional
        Name of the one layer whose weights are asked for, such as one that is not found: it gives
        them, or takes a softmax to get them.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.

    Returns
    -------
    Dataset
        One variable per layer, under the layer's name ("encoder/attention" where nested models
        share a name, "attention call 2" where a layer is called twice): (sample, time) for pooling,
        (sample, query, time) for attention, (sample, head, query, time) with several heads;
        ``mask`` (sample, time), and ``times`` and ``ids`` where the data has them. Weights over
        time sum to 1. Weights over a reversed sequence are turned to the time of the input; the
        last dimension of weights over something else, such as features, the steps of a decoder or
        states that were shifted, is called "<layer> position". What the positions are is found by
        changing one step of a sample at a time. A shift that lies within the window of a
        convolution or pooling is not seen.

    Raises
    ------
    ValueError
        The model has no attention layer, or the one that is named gives no weights over the steps.

    Examples
    --------
    >>> attention_maps(model, data.test[:4])["attention"].dims  # doctest: +SKIP
    ('sample', 'time')
    """
    check_asked(model, batch_size)
    check_type(str, 'Give attention="attention_1".', optional=True, attention=attention)
    model = with_one_input(model)
    sequences = as_sequences(data, model, inputs)
    sequences.check_complete()
    anatomy = read_anatomy(model, sequences, inputs=inputs, attention=attention)
    batch_size = batch_size or DEFAULT_BATCH
    anatomy, compiled, subject = see(anatomy, sequences, "margin", batch_size)
    if not anatomy.attention_calls:
        raise ValueError(
            f"Expected a model with attention; in {model.name!r} none is seen. Attention of your "
            "own is seen where its layer takes a softmax or gives its weights too: return context, "
            'weights. Name the layer if it does: attention="layer name". Or use lx.explain, which '
            "needs no attention."
        )
    maps = compiled.attention(subject, batch_size)
    axes = attended_axes(compiled, subject)
    variables: dict[str, Any] = {"mask": (("sample", "time"), subject.mask)}
    if sequences.times is not None:
        variables["times"] = (("sample", "time"), sequences.times)
    if sequences.ids is not None:
        variables["ids"] = ("sample", sequences.ids.astype(str))
    for name, weights, axis in zip(anatomy.attention_names, maps, axes, strict=True):
        # Attention along other axes than the second has axes of its own.
        unnamed = [f"{name} axis {number}" for number in range(1, weights.ndim - 1)]
        *others, time = _DIMENSIONS.get(weights.ndim, ("sample", *unnamed, "time"))
        # Two layers may attend to different numbers of positions.
        last = time if axis else f"{name} position"
        variables[name] = ((*others, last), weights[..., ::-1] if axis < 0 else weights)
    return xr.Dataset(variables)
