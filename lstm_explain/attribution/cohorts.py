"""Many samples together: mean sizes of SHAP values, and drivers by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..arguments import check_type
from ..intervals import SHARE, bootstrap_interval, check_draws
from ..models.scores import checked_groups
from ..sequences.padding import last_true
from ..sequences.splitting import stretches_of, window_ends
from .explanation import Explanation


def drivers_by_group(
    explanation: Explanation, groups: Mapping[str, np.ndarray], draws: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Compare which features drive the predictions of different groups of samples.

    A feature's share is its mean absolute SHAP value over the group's samples, the steps summed
    first, divided by the sum of all features and static facts.

    Parameters
    ----------
    explanation : Explanation
        Per feature or finer.
    groups : mapping of name to bool array (sample,)
    draws, seed : int
        Number of bootstrap samples, and the seed of the draws.

    Returns
    -------
    DataFrame
        Index group and feature; columns `share`, `low`, `high` (95 % bootstrap interval; samples of
        one id, or of one stretch of a series, are drawn together).

    Raises
    ------
    ValueError
        Values without features, or a group that does not fit the samples.

    Examples
    --------
    >>> groups = {"old": age >= 75, "young": age < 75}                # doctest: +SKIP
    >>> drivers_by_group(explanation.over_variables(), groups)        # doctest: +SKIP
    """
    check_type(Explanation, "Pass what lx.explain returned.", explanation=explanation)
    explanation.check_one_output()
    check_draws(draws, seed)
    values, names = values_by_feature(explanation)
    sizes, (alike, _) = np.abs(values), groups_alike(explanation)
    tables = {}
    for group, members in checked_groups(groups, len(sizes)).items():
        of_group = sizes[members]
        low, high = bootstrap_interval(
            partial(_shares, of_group), alike[members], draws, seed, limits=SHARE
        )
        tables[group] = pd.DataFrame(
            {"share": _shares(of_group, np.arange(len(of_group))), "low": low, "high": high},
            index=names,
        )
    return pd.concat(tables, names=["group", "feature"])


def values_by_feature(explanation: Explanation) -> tuple[np.ndarray, list[str]]:
    """Return values (sample, feature), the steps summed, and the names; static facts stand last."""
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
    return values, [str(name) for name in names]


def groups_alike(explanation: Explanation) -> tuple[np.ndarray, str]:
    """Number samples that tell less together than as many alone, and say what a group of them is.

    It is a "sample", an "id", or, of windows of one series, a "separate period" of it: twice as
    long as a window, so that windows of one have little in common with those of another.
    """
    step, mask = explanation.to_dataset().attrs.get("window_step"), explanation.mask.values
    if step is not None:
        times = None if explanation.times is None else explanation.times.values
        ends = window_ends(int(step), times, mask, explanation.values["sample"].values)
        return stretches_of(ends, 2 * int(mask.sum(axis=1).max())), "separate period"
    if explanation.ids is None:
        return np.arange(len(explanation)), "sample"
    ids, alike = np.unique(explanation.ids.values, return_inverse=True)
    return alike, "sample" if len(ids) == len(explanation) else "id"


def _shares(sizes: np.ndarray, index: np.ndarray) -> list[float]:
    means = sizes[index].mean(axis=0)
    return (means / (means.sum() or 1.0)).tolist()


# A mean over a smaller share of the samples says more about them than about the model.
_FEWEST = 0.05


@dataclass(frozen=True)
class Overview:
    """Mean absolute SHAP values of a set of samples.

    Attributes
    ----------
    cells : array (feature, step)
        Mean over the samples that have the step. The last column is the last real step of every
        sample, the one before it the step before that. Steps so far back that fewer than 5 % of
        the samples have them are left out.
    counts : int array (step,)
        How many samples have the step.
    sums : array (sample, feature)
        Each sample's absolute values summed over its steps.
    left_out : int
        How many earlier steps there are.
    static : array (sample, static feature) or None
        Each sample's absolute values of the static facts.
    """

    cells: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    left_out: int
    static: np.ndarray | None


def overview(explanation: Explanation) -> Overview:
    """Average the sizes of the values of all samples, with the ends of the sequences aligned."""
    sizes, mask = np.abs(explanation.values.values), explanation.mask.values
    steps = last_true(mask)[:, None] - np.arange(mask.shape[1])[::-1]
    inside = np.maximum(steps, 0)
    real = (steps >= 0) & np.take_along_axis(mask, inside, axis=1)
    aligned = np.take_along_axis(sizes, inside[..., None], axis=1) * real[..., None]
    counts = real.sum(axis=0)
    first = int(np.flatnonzero(counts >= _FEWEST * len(mask))[0])
    totals = aligned.sum(axis=0)[first:].T
    left_out = first - int(np.flatnonzero(counts)[0])
    with np.errstate(invalid="ignore"):  # a step that no sample has is not a number
        cells = totals / counts[first:]
    facts = explanation.static_values
    static = None if facts is None else np.abs(facts.values)
    return Overview(cells, counts[first:], aligned.sum(axis=1), left_out, static)
