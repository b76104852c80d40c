"""Score attributions against known causes: the cells that decide."""

from __future__ import annotations

import numpy as np

from ..arguments import as_numbers
from ..models import metrics


def score_cells(values: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Score how well the size of values finds the cells that are known to be causes.

    Parameters
    ----------
    values : array (sample, time, feature)
        Any attribution: its size counts, not its sign. Also (sample, time), for one value per step
        such as attention: every feature of a step then has it.
    truth : bool array (sample, time, feature)
        The causes, as data with a planted cause knows them.
    mask : bool array (sample, time)
        Only real steps count.

    Returns
    -------
    dict
        ``auroc``; ``auprc`` (average precision); ``prevalence``, the share of causes, which is the
        AUPRC of a guess.

    Raises
    ------
    ValueError
        Shapes that do not fit, or a truth without both causes and others.

    Examples
    --------
    >>> truth = np.array([[[True, False], [False, False]]])
    >>> score_cells(np.array([[[-2.0, 1.0], [0.5, 0.1]]]), truth, np.ones((1, 2), bool))["auprc"]
    1.0
    """
    values, truth = as_numbers(values, "values"), as_numbers(truth, "truth")
    mask = as_numbers(mask, "mask") > 0
    if values.ndim == 2:
        values = np.repeat(values[..., None], truth.shape[-1], axis=-1)
    if not values.shape == truth.shape or mask.shape != truth.shape[:2]:
        raise ValueError(
            f"Expected values, truth and mask of the same samples, steps and features; received "
            f"{values.shape}, {truth.shape} and {mask.shape}. For data with indicators take "
            "explanation.over_variables().values."
        )
    sizes, causes = np.abs(values[mask]).ravel(), truth[mask].ravel().astype(bool)
    if causes.all() or not causes.any():
        raise ValueError(
            "Expected cells that are causes and cells that are not; received one kind only. Choose "
            "samples with a cause: truth.any(axis=(1, 2))."
        )
    return {
        "auroc": metrics.auroc(causes, sizes),
        "auprc": metrics.auprc(causes, sizes),
        "prevalence": float(causes.mean()),
    }
