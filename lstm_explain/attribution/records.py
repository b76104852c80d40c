"""The labelled arrays inside an ``Explanation``, and the record of what made them."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from ..backend import keras
from ..inspection.preparation import Question
from ..internals.attention import mean_weights, pooling_and_contribution, scores_of
from .explanation import Explanation, window_labels

_DIMENSIONS = {
    "cell": ("sample", "time", "feature"),
    "time": ("sample", "time"),
    "feature": ("sample", "feature"),
    "window": ("sample", "window"),
}


def assemble(
    question: Question,
    arrays: dict[str, np.ndarray],
    static_values: np.ndarray,
    level: str = "cell",
    window: int | None = None,
    **facts: Any,
) -> Explanation:
    """Name every dimension, add attention where there is some, and record what was done."""
    if question.anatomy.embedding_layers and level == "cell":
        arrays = {name: array.sum(axis=2) for name, array in arrays.items()}
        level = "time"
    dataset = _labelled(question, arrays, static_values, level, window)
    if question.compiled.attention is not None:
        weights, contribution = pooling_and_contribution(
            question.compiled,
            question.subject,
            question.chosen,
            question.anatomy.context_size,
            question.batch_size,
        )
        dataset["attention"] = (("sample", "time"), weights)
        dataset["attention_contribution"] = (("sample", "time"), contribution)
    elif question.compiled.scores is not None:
        last = scores_of(question.compiled, question.subject, question.batch_size)[-1]
        if last.shape[-1] == question.subject.mask.shape[1]:
            weights = mean_weights(last, question.subject.mask)
            dataset["attention"] = (("sample", "time"), weights)
    dataset.attrs["provenance"] = _provenance(
        question.anatomy.model,
        **facts,
        scale=question.chosen.scale,
        background=question.background.description,
        background_rows=len(question.background),
        background_seed=question.background.seed,
        data=question.data.name,
        roles=list(question.anatomy.roles),
        class_names=list(question.data.class_names),
        target_name=question.data.target_name,
    )
    return Explanation(dataset.assign(_to_reopen(question)))


def _labelled(
    question: Question,
    arrays: dict[str, np.ndarray],
    static_values: np.ndarray,
    level: str,
    window: int | None,
) -> xr.Dataset:
    """Name every dimension of what was computed, with the data in its own units beside it."""
    data, subject = question.data, question.subject
    cell, step = ("sample", "time", "feature"), ("sample", "time")
    variables: dict[str, Any] = {
        name: (_DIMENSIONS[level], array) for name, array in arrays.items()
    }
    variables |= {
        "base_values": ("sample", question.base_values),
        "predictions": ("sample", question.predictions),
        "mask": (step, subject.mask),
        "output": ("sample", question.chosen.names),
    }
    coordinates: dict[str, Any] = {
        "sample": np.arange(len(data)),
        "time": np.arange(subject.mask.shape[1]),
    }
    if data.tokens is not None:
        variables["data"] = (step, data.own_words)
    else:
        variables["data"] = (cell, data.display_values)
        variables["unit"] = ("feature", np.array(data.units, dtype=str))
        coordinates["feature"] = list(data.feature_names)
        if data.variables:
            variables["variable"] = ("feature", np.array(data.variables, dtype=str))
            variables["part"] = ("feature", np.array(data.parts, dtype=str))
    if data.static is not None:
        variables["static_values"] = (("sample", "static_feature"), static_values)
        variables["static_data"] = (("sample", "static_feature"), data.display_static)
        variables["static_unit"] = ("static_feature", np.array(data.static_units, dtype=str))
        coordinates["static_feature"] = list(data.static_names)
    if data.times is not None:
        variables["times"] = (step, data.times)
    if data.ids is not None:
        variables["ids"] = ("sample", data.ids.astype(str))
    if data.target is not None:
        names = np.array(data.class_names)
        variables["target"] = ("sample", names[data.target] if len(names) else data.target)
    if window is not None:
        coordinates["window"] = window_labels(subject.mask.shape[1], window)
    attributes = {"time_name": data.time_name, "target_unit": data.target_unit}
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _to_reopen(question: Question) -> dict[str, Any]:
    """Return what `recorded_question` makes the model's inputs and background rows of again.

    The data stands in the explanation in its own units: two numbers per feature turn it back, which
    takes less room than the inputs.
    """
    data, background, row = question.data, question.background, "background_row"
    variables: dict[str, Any] = {"lengths": ("sample", data.lengths)}
    if data.tokens is not None:
        variables["tokens"] = (("sample", "time"), data.tokens)
    else:
        variables["center"] = ("feature", data.center)
        variables["scale"] = ("feature", data.scale)
        rows = ((row, "background_time", "feature"), background.values)
        variables["background_values"] = rows
    if background.tokens is not None:
        variables["background_tokens"] = ((row, "background_time"), background.tokens)
    if data.static is not None:
        variables["static_center"] = ("static_feature", data.static_center)
        variables["static_scale"] = ("static_feature", data.static_scale)
        variables["background_static"] = ((row, "static_feature"), background.static)
    return variables


def _provenance(model: Any, **facts: Any) -> str:
    """Return the facts of a computation as JSON, with the model's fingerprint and versions.

    One JSON text, because netCDF attributes hold neither None nor mappings.
    """
    versions = {
        "lstm_explain": version("lstm_explain"),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "numpy": np.__version__,
    }
    return json.dumps({**facts, "weights_sha256": fingerprint(model), "versions": versions})


def fingerprint(model: Any) -> str:
    """Return 16 hexadecimal digits that change when any weight changes."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]
