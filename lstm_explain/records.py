"""The labelled arrays inside an ``Explanation``, and the record of what made them."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from .backend import keras
from .integration import Integral
from .outputs import Selection
from .sequences import SequenceData


def labelled(
    data: SequenceData,
    integral: Integral,
    predictions: np.ndarray,
    base_values: np.ndarray,
    chosen: Selection,
) -> xr.Dataset:
    """Name every dimension of what was computed, with the data in its own units beside it."""
    cell, step = ("sample", "time", "feature"), ("sample", "time")
    variables: dict[str, Any] = {
        "values": (cell, integral.values),
        "base_values": ("sample", base_values),
        "predictions": ("sample", predictions),
        "data": (cell, data.display_values),
        "mask": (step, data.mask),
        "output": ("sample", chosen.names),
        "unit": ("feature", np.array(data.units, dtype=str)),
    }
    if data.static is not None:
        variables["static_values"] = (("sample", "static_feature"), integral.static_values)
        variables["static_data"] = (("sample", "static_feature"), data.display_static)
        variables["static_unit"] = ("static_feature", np.array(data.static_units, dtype=str))
    if data.times is not None:
        variables["times"] = (step, data.times)
    if data.ids is not None:
        variables["ids"] = ("sample", data.ids.astype(str))
    if data.target is not None:
        names = np.array(data.class_names)
        variables["target"] = ("sample", names[data.target] if len(names) else data.target)
    coordinates = {
        "sample": np.arange(len(data)),
        "time": np.arange(data.values.shape[1]),
        "feature": list(data.feature_names),
        "static_feature": list(data.static_names),
    }
    if data.static is None:
        del coordinates["static_feature"]
    attributes = {"time_name": data.time_name, "target_unit": data.target_unit}
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def provenance(model: Any, **facts: Any) -> str:
    """Return the facts of a computation as JSON, with the model's fingerprint and versions.

    One JSON text, because netCDF attributes hold neither None nor mappings.
    """
    versions = {
        "lstm_explain": version("lstm_explain"),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "numpy": np.__version__,
    }
    return json.dumps({**facts, "weights_sha256": _fingerprint(model), "versions": versions})


def _fingerprint(model: Any) -> str:
    """Return 16 hexadecimal digits that change when any weight changes."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]
