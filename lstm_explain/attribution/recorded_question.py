"""The question that an explanation answered, put together again from what it carries."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ..inspection.background import Background
from ..inspection.outputs import Scale
from ..inspection.preparation import Question, prepare
from ..sequences.data import SequenceData
from .explanation import Explanation
from .records import fingerprint

# Largest difference between a prediction made again and the recorded one, relative to 1 + its size.
_TOLERANCE = 1e-3


def question_of(model: Any, explanation: Explanation, batch_size: int | None = None) -> Question:
    """Return the question, with the same samples, background rows and outputs.

    Raises
    ------
    ValueError
        Another model, or an explanation without the inputs and the background it was made from.
    """
    facts = explanation.provenance
    _check_model(model, explanation)
    outputs = np.unique(explanation.output.values.astype(str))
    question = prepare(
        model,
        data_of(explanation),
        background_of(explanation),
        # Several names: each sample's predicted class, which is what None means.
        str(outputs[0]) if len(outputs) == 1 else None,
        facts["step"],
        scale_of(explanation),
        batch_size,
        roles_of(model, explanation),
    )
    again, before = question.predictions, explanation.predictions.values
    same = np.array_equal(question.chosen.names, explanation.output.values.astype(str))
    if not same or not np.allclose(again, before, rtol=_TOLERANCE, atol=_TOLERANCE):
        raise ValueError(
            "Expected the explanation's own data to give its predictions again; they differ by up "
            f"to {np.abs(again - before).max():.2g}. Explain the samples again with lx.explain, "
            "and check that result."
        )
    return question


def scale_of(explanation: Explanation) -> Scale:
    """Return the scale that was asked for."""
    return "probability" if explanation.scale == "probability" else "margin"


def roles_of(model: Any, explanation: Explanation) -> dict[Any, str] | None:
    """Return which input of a model has which role; None for one without named inputs."""
    names = [tensor.name for tensor in getattr(model, "inputs", None) or []]
    return dict(zip(explanation.provenance["roles"], names, strict=True)) if names else None


def data_of(explanation: Explanation) -> SequenceData:
    """Return the explained samples as the model reads them.

    Values come from those in original units, which are rounded where float32 ends: they are as they
    were to a millionth of the feature's largest.
    """
    dataset, facts = _complete(explanation), explanation.provenance
    mask = np.arange(dataset.sizes["time"]) < dataset["lengths"].values[:, None]
    fields: dict[str, Any] = {}
    if "tokens" in dataset:
        fields["tokens"] = dataset["tokens"].values.astype(np.int32)
        fields["values"] = np.zeros((*mask.shape, 0), np.float32)
        fields["center"] = fields["scale"] = np.zeros(0)
    else:
        fields["center"], fields["scale"] = dataset["center"].values, dataset["scale"].values
        values = (dataset["data"].values - fields["center"]) / fields["scale"]
        fields["values"] = np.where(mask[..., None], values, 0).astype(np.float32)
        fields["units"] = tuple(explanation.units)
    if "static_center" in dataset:
        center, scale = dataset["static_center"].values, dataset["static_scale"].values
        fields["static"] = ((dataset["static_data"].values - center) / scale).astype(np.float32)
        fields |= {"static_center": center, "static_scale": scale}
        fields["static_names"] = tuple(str(name) for name in dataset["static_feature"].values)
        fields["static_units"] = tuple(str(unit) for unit in dataset["static_unit"].values)
    return SequenceData(
        mask=mask,
        feature_names=tuple(explanation.feature_names),
        class_names=tuple(facts["class_names"]),
        target_name=facts["target_name"],
        name=facts["data"],
        **{"units": (), **fields},
    )


def background_of(explanation: Explanation) -> Background:
    """Return the rows that stood for "absent"."""
    dataset, facts = _complete(explanation), explanation.provenance
    tokens = dataset.get("background_tokens")
    values, static = dataset.get("background_values"), dataset.get("background_static")
    if values is None:  # a text: rows without features
        shape = (1, dataset.sizes["time"]) if tokens is None else tokens.shape
        rows = np.zeros((*shape, 0), np.float32)
    else:
        rows = values.values.astype(np.float32)
    return Background(
        rows,
        None if static is None else static.values.astype(np.float32),
        facts["background"],
        facts["background_seed"],
        None if tokens is None else tokens.values.astype(np.int32),
    )


def _check_model(model: Any, explanation: Explanation) -> None:
    if fingerprint(model) != explanation.provenance.get("weights_sha256"):
        raise ValueError(
            "Expected the model that was explained; its weights differ from those that the "
            "explanation recorded. Give that model, or explain this one with lx.explain."
        )


def _complete(explanation: Explanation) -> xr.Dataset:
    """Return the dataset, or say that it lacks what it was made from."""
    dataset = explanation.to_dataset()
    numeric = "background_values" in dataset and "center" in dataset
    if "lengths" not in dataset or not (numeric or "tokens" in dataset):
        raise ValueError(
            "Expected an explanation that carries its inputs and its background; received one "
            "without, such as after over_variables(), or made elsewhere. Give the explanation "
            "that lx.explain or lx.shapley_values returned."
        )
    return dataset
