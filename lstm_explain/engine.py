"""``explain``: check, choose, integrate, and assemble an ``Explanation``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .anatomy import inspect
from .attention import attention_and_contribution
from .background import Background
from .explanation import Explanation
from .forward import compile_model, static_or_empty
from .integration import integrate
from .outputs import Scale, choose
from .prediction import check_margin, mean_over_background, raw_outputs, selected
from .records import labelled, provenance
from .sequences import SequenceData

# Path points per call of the model: large enough to keep two cores busy.
DEFAULT_BATCH = 512


def explain(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    output: int | str | None = None,
    scale: Scale = "margin",
    tolerance: float = 0.05,
    batch_size: int | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by expected gradients: SHAP values per cell, and attention beside them.

    Every path from a background sequence to a sample is integrated by a fixed quadrature, so that
    the same call gives the same numbers. On every point of a path the model sees the explained
    sample's own mask; values on padded steps are exactly 0.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        What to explain.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent"; usually ``data.train``.
    output : int, str or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    tolerance : float
        Bound on the gap relative to the spread of predictions, and on the change of the values
        (relative L2) when the quadrature is refined.
    batch_size : int, optional
        Path points per call of the model; less needs less memory.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        What was asked for does not fit the model or the data; nothing has been computed then.

    Warns
    -----
    ToleranceWarning
        The tolerance was not reached with the finest quadrature.

    References
    ----------
    Erion et al. (2021), Nature Machine Intelligence 3: expected gradients. Sundararajan, Taly and
    Yan (2017), arXiv:1703.01365: integrated gradients, which a single background row gives.

    Examples
    --------
    >>> explanation = explain(model, data.test[:16], background=data.train)  # doctest: +SKIP
    """
    if not tolerance > 0:
        raise ValueError(f"Expected a tolerance above 0; received {tolerance}. Try 0.05.")
    sequences = _as_sequences(data)
    sequences.check_complete()
    anatomy = inspect(model, sequences)
    reference = Background.resolve(background, sequences)
    compiled = compile_model(anatomy, scale)
    batch_size = batch_size or DEFAULT_BATCH
    static = static_or_empty(sequences.static, len(sequences))
    raw = raw_outputs(compiled, batch_size, sequences.values, static, sequences.mask)
    check_margin(anatomy, compiled, sequences, raw)
    chosen = choose(anatomy, raw, sequences.class_names, sequences.target_name, output, scale)
    predictions = selected(raw, chosen, anatomy)
    base_values = mean_over_background(compiled, anatomy, sequences, reference, chosen, batch_size)
    integral = integrate(
        compiled, sequences, reference, chosen.weights, predictions - base_values,
        tolerance, batch_size, progress,
    )  # fmt: skip
    dataset = labelled(sequences, integral, predictions, base_values, chosen)
    layer = anatomy.attention_layer()
    if layer is not None:
        weights, contribution = attention_and_contribution(
            compiled, sequences, chosen.weights, layer.projection.shape[0], batch_size
        )
        dataset["attention"] = (("sample", "time"), weights)
        dataset["attention_contribution"] = (("sample", "time"), contribution)
    dataset.attrs["provenance"] = provenance(
        model,
        method="expected gradients",
        scale=chosen.scale,
        background=reference.description,
        background_rows=len(reference),
        background_seed=reference.seed,
        tolerance=tolerance,
        nodes_per_path=integral.num_nodes,
        change_on_refinement=integral.change,
        data=sequences.name,
    )
    return Explanation(dataset)


def _as_sequences(data: SequenceData | np.ndarray) -> SequenceData:
    if isinstance(data, SequenceData):
        if len(data) == 0:
            raise ValueError(
                "Expected at least one sample to explain; received none. Check the slice."
            )
        return data
    return SequenceData.from_arrays(np.asarray(data))
