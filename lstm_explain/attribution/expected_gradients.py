"""``explain``: check, choose, integrate, and assemble an ``Explanation``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ..inspection.outputs import Scale
from ..inspection.preparation import prepare
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .explanation import Explanation
from .integration import ToleranceWarning, integrate, shortfall
from .records import assemble


def explain(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    output: int | str | None = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    tolerance: float = 0.05,
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by expected gradients: SHAP values per cell, and attention beside them.

    Every path from a background sequence to a sample is integrated by fixed quadrature rules,
    refined until the sample is exact enough: the same call gives the same numbers. On every point
    of a path the model sees the explained sample's own mask; values on padded steps are exactly 0.

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
    step : int, "last" or "sum"
        Which step's output, for models that give one per step.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    tolerance : float
        Bound on the gap, relative to the spread of predictions over samples and background, and
        on the estimated error of each sample's values (relative L2).
    batch_size : int, optional
        Path points per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        What was asked for does not fit the model or the data: said before the integration begins.

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
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    integral = integrate(question, tolerance, progress)
    if message := shortfall(integral, tolerance):
        warnings.warn(message, ToleranceWarning, stacklevel=2)
    return assemble(
        question,
        {"values": integral.values},
        integral.static_values,
        method="expected gradients",
        step=step,
        tolerance=tolerance,
        nodes_per_path=integral.num_nodes,
        estimated_error=integral.error,
    )
