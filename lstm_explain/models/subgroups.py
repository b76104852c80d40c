"""For whom predictions are good: groups of samples, each with its own scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..sequences.data import SequenceData
from .assessment import binary_target, interval_of, wilson_interval


def score_by_group(
    data: SequenceData,
    probabilities: np.ndarray,
    groups: Mapping[str, np.ndarray],
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Say how well each group of samples is served: ranked and calibrated, with intervals.

    Parameters
    ----------
    data, probabilities : as in `reliability`
    groups : mapping of name to bool array (sample,)
        Groups may overlap.
    draws, seed : int
        Bootstrap samples, and the seed of drawing them.

    Returns
    -------
    DataFrame
        One row per group: `count`, `events`, `observed` and `predicted` shares of the second
        class, `difference` (predicted minus observed) and `auroc`, each with its 95 % interval.
        The AUROC is NaN where a group has one class only. The interval of the difference comes from
        that of the observed share (Wilson 1927): also no event among few says little.

    Raises
    ------
    ValueError
        A group that is no bool array over the samples, or is empty.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> score_by_group(data, np.array([0.1, 0.2, 0.3, 0.8]), {"all": np.ones(4, bool)})["auroc"]
    all    1.0
    Name: auroc, dtype: float64
    """
    target, probabilities = binary_target(data, probabilities)
    rows = {}
    for name, members in checked_groups(groups, len(target)).items():
        rows[name] = _one_group(target[members], probabilities[members], draws, seed)
    return pd.DataFrame(rows).T.astype({"count": int, "events": int})


def checked_groups(groups: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """Return the groups as bool arrays (count,), or say which one does not fit."""
    if not isinstance(groups, Mapping) or not groups:
        raise ValueError(
            "Expected at least one group, as a mapping of name to bool array; received "
            f"{groups!r}. For example {{'old': age >= 65}}."
        )
    checked = {name: np.asarray(members) for name, members in groups.items()}
    for name, members in checked.items():
        if members.shape == (count,) and members.dtype == bool and not members.any():
            raise ValueError(
                f"Expected some of the {count} samples in the group {name!r}; received none. Check "
                "the bound that makes the group."
            )
        if members.shape != (count,) or members.dtype != bool:
            raise ValueError(
                f"Expected a bool array of {count} samples for the group "
                f"{name!r}; received {members.dtype} of shape {members.shape}. Compare a column of "
                "display_static, of the same samples, with a bound."
            )
    return checked


def _one_group(
    target: np.ndarray, probabilities: np.ndarray, draws: int, seed: int
) -> dict[str, float]:
    low, high = interval_of(
        lambda index: [_auroc(target[index], probabilities[index])], len(target), draws, seed
    )
    observed, predicted = float(target.mean()), float(probabilities.mean())
    least, most = wilson_interval(observed, len(target))
    return {
        "count": len(target),
        "events": int(target.sum()),
        "observed": observed,
        "predicted": predicted,
        "difference": predicted - observed,
        "difference_low": predicted - most,
        "difference_high": predicted - least,
        "auroc": _auroc(target, probabilities),
        "auroc_low": low[0],
        "auroc_high": high[0],
    }


def _auroc(target: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of pairs that are in the right order, ties counting half."""
    events = int(target.sum())
    if events in (0, len(target)):
        return float("nan")
    ranks = pd.Series(probabilities).rank().to_numpy()
    above = ranks[target == 1].sum() - events * (events + 1) / 2
    return float(above / (events * (len(target) - events)))
