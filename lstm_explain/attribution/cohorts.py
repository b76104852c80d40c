"""What drives predictions, compared between groups and with a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from ..models.assessment import interval_of
from ..models.subgroups import checked_groups
from .explanation import Explanation


def drivers_by_group(
    explanation: Explanation, groups: Mapping[str, np.ndarray], draws: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Compare which features drive the predictions of different groups of samples.

    A feature's share is its mean |SHAP value| over the group's samples, the steps summed first,
    divided by the sum of all features and static facts.

    Parameters
    ----------
    explanation : Explanation
        Per feature or finer.
    groups : mapping of name to bool array (sample,)
    draws, seed : int
        Bootstrap samples, and the seed of drawing them.

    Returns
    -------
    DataFrame
        Index group and feature; columns `share`, `low`, `high` (95 % bootstrap interval).

    Raises
    ------
    ValueError
        Values without features, or a group that does not fit the samples.

    Examples
    --------
    >>> groups = {"old": age >= 75, "young": age < 75}                # doctest: +SKIP
    >>> drivers_by_group(explanation.over_variables(), groups)        # doctest: +SKIP
    """
    while "feature" in explanation.values.dims and explanation.values.ndim > 2:
        explanation = explanation.over_features()
    if explanation.values.dims != ("sample", "feature"):
        raise ValueError(
            f"Expected values per feature; received values per {explanation.level}. Call it on the "
            "explanation that these values were summed from."
        )
    values, names = explanation.values.values, explanation.values["feature"].values.tolist()
    if explanation.static_values is not None:
        values = np.concatenate([values, explanation.static_values.values], axis=1)
        names += explanation.static_values["static_feature"].values.tolist()
    sizes = np.abs(values)
    tables = {}
    for group, members in checked_groups(groups, len(sizes)).items():
        own = sizes[members]
        low, high = interval_of(partial(_shares_of, own), len(own), draws, seed)
        tables[group] = pd.DataFrame(
            {"share": _shares_of(own, np.arange(len(own))), "low": low, "high": high},
            index=[str(name) for name in names],
        )
    return pd.concat(tables, names=["group", "feature"])


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
    from sklearn import metrics

    values, truth = np.asarray(values), np.asarray(truth)
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
        "auroc": float(metrics.roc_auc_score(causes, sizes)),
        "auprc": float(metrics.average_precision_score(causes, sizes)),
        "prevalence": float(causes.mean()),
    }


def _shares_of(sizes: np.ndarray, index: np.ndarray) -> list[float]:
    means = sizes[index].mean(axis=0)
    return (means / (means.sum() or 1.0)).tolist()
