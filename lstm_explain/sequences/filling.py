"""Fill what was not measured, and tell the model about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from . import missingness, scaling
from .splitting import part_to_learn_from

Data = TypeVar("Data", bound=Any)


def fill_missing(data: Data, indicators: bool = False) -> Data:
    """Fill NaN by the last value measured in the same sequence, else by the training mean.

    Static facts take the training mean. Split first, so that no test sample is looked at.

    Parameters
    ----------
    indicators : bool
        Also tell the model whether each variable was measured, and how many steps ago.
    """
    reference = part_to_learn_from(data)
    means = scaling.mean_or_fail(reference.values[reference.mask], data.feature_names)
    parts = missingness.with_parts(data.values, data.mask, means).astype(np.float32)
    changes: dict[str, Any] = {"values": parts[..., : len(data.feature_names)]}
    if indicators:
        missingness.check_gaps(data.values, data.variables)
        zeros, ones = np.zeros(2 * len(means)), np.ones(2 * len(means))
        changes = {
            "values": parts,
            "feature_names": missingness.part_names(data.feature_names),
            "units": missingness.part_units(data.units),
            "center": np.concatenate([data.center, zeros]),
            "scale": np.concatenate([data.scale, ones]),
            "variables": data.feature_names * len(missingness.PARTS),
            "parts": tuple(np.repeat(missingness.PARTS, len(means)).tolist()),
            "unmeasured": np.tile(means * data.scale + data.center, len(missingness.PARTS)),
        }
    if data.static is not None and reference.static is not None:
        means = scaling.mean_or_fail(reference.static, data.static_names)
        changes["static"] = np.where(np.isnan(data.static), means, data.static).astype(np.float32)
    return replace(data, **changes)
