"""Making an ``Explanation`` from computed arrays, and the question again from an explanation."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from ..backend import keras
from ..inspection.alignment import attended_axes, query_axes
from ..inspection.background import Background
from ..inspection.compiled import Compiled, Subject
from ..inspection.outputs import Scale
from ..inspection.question import Question, model_of, prepare
from ..models.forecasting import DECODER_ATTENTION
from ..models.one_input import with_one_input
from ..models.one_output import explained_by, head_names
from ..sequences.data import SequenceData
from ..sequences.inputs import input_names
from ..sequences.outliers import within_limits
from ..sequences.scaling import scaled
from ..sequences.splitting import window_step
from ..sequences.step_names import window_labels
from .explanation import LEVELS, Explanation
from .joining import by_output

_DIMENSIONS = {level: dimensions for dimensions, level in LEVELS.items()}
# Largest difference between a prediction made again and the recorded one, relative to all that adds
# up to it.
_TOLERANCE = 1e-3


def make_explanation(
    question: Question,
    arrays: dict[str, np.ndarray],
    static_values: np.ndarray,
    level: str = "cell",
    window: int | None = None,
    **facts: Any,
) -> Explanation:
    """Return computed arrays as an `Explanation`, with attention, inputs and provenance.

    Parameters
    ----------
    arrays : dict
        "values", and "standard_errors" where they were sampled, at the `level`.
    **facts
        Further provenance: method, parameters, sizes.
    """
    if question.data.tokens is not None and level == "cell":
        arrays = {name: array.sum(axis=2) for name, array in arrays.items()}
        level = "time"
    dataset = _labelled(question, arrays, static_values, level, window)
    asking = _asking(question)
    dataset.attrs["provenance"] = _provenance(
        question.anatomy.model,
        **facts,
        scale=question.selection.scale,
        background=question.background.description,
        background_rows=len(question.background),
        background_seed=question.background.seed,
        data=question.data.name,
        roles=list(question.anatomy.roles),
        attention=question.anatomy.attention,
        class_names=list(question.data.class_names),
        target_name=question.data.target_name,
        target_names=list(question.data.target_names),
        target_center=question.data.target_center,
        target_scale=question.data.target_scale,
        **explained_by(question.anatomy.model),
    )
    attention = _attention(question, asking).items()
    weights = {name: (("sample", "time"), array) for name, array in attention}
    dataset = dataset.assign(weights | _to_reopen(question))  # at once: xarray aligns each time
    several = question.num_outputs > 1
    of_output = ["target"] if question.data.target_names else []
    of_output += [] if asking is None else ["attention"]
    count = question.num_outputs
    return Explanation(by_output(dataset, count, of_output) if several else dataset)


def _asking(question: Question) -> np.ndarray | None:
    """Return the query of the last attention that makes each explained output, (row,), or None.

    The queries of a decoder are the targets, one after the other.
    """
    anatomy, count = question.anatomy, len(question.data.target_names)
    if not anatomy.attention_calls or count < 2 or question.selection.weights.shape[1] % count:
        return None
    layer = anatomy.attention_calls[-1][0]
    if layer in anatomy.pooling_layers:  # which nobody asks
        return None
    few = question.subject[:1]
    weights = question.compiled.attention(few, 1)[-1]
    is_decoder = layer.name == DECODER_ATTENTION or not query_axes(question.compiled, few)[-1]
    if weights.ndim != 3 or weights.shape[1] != count or not is_decoder:
        return None
    return question.selection.weights.argmax(axis=1) * count // question.selection.weights.shape[1]


def _attention(question: Question, asking: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return weights and contributions of the last attention layer by the input's steps."""
    anatomy, compiled, subject = question.anatomy, question.compiled, question.subject
    if not anatomy.attention_calls:
        return {}
    called = [layer for layer, _ in anatomy.attention_calls]
    pooling = anatomy.pooling_layers[-1:]
    if pooling and called.count(pooling[0]) == 1:
        axis = attended_axes(compiled, subject)[called.index(pooling[0])]
        pooled = compiled.pooling(subject, question.selection, question.batch_size)
        arrays = dict(zip(("attention", "attention_contribution"), pooled, strict=True))
        return {name: array[:, ::axis] for name, array in arrays.items() if axis}
    weights = attention_by_step(compiled, subject, question.batch_size, asking)
    return {} if weights is None else {"attention": weights}


def attention_by_step(
    compiled: Compiled, subject: Subject, batch_size: int, asking: np.ndarray | None = None
) -> np.ndarray | None:
    """Average the weights of the last attention layer, (sample, time); None if not over steps.

    Where the query is known that is `asking` for each sample, its weights.
    """
    axis = next(reversed(attended_axes(compiled, subject)), 0)
    if not axis:
        return None
    if asking is not None:
        weights = compiled.attention(subject, batch_size)[-1]
        return weights[np.arange(len(asking)), asking, ::axis].astype(np.float64)
    queries = query_axes(compiled, subject)[-1]
    real = subject.mask[:, ::queries] if queries else None
    return mean_weights(compiled.attention(subject, batch_size)[-1], real)[:, ::axis]


def mean_weights(weights: np.ndarray, real: np.ndarray | None) -> np.ndarray:
    """Average weights (sample, [head,] query, time) over heads and real queries, (sample, time).

    Queries that are no steps of the input are all real: `real` is None.
    """
    if weights.ndim == 4:
        weights = weights.mean(axis=1)
    if weights.ndim == 3:
        if real is None or weights.shape[1] != real.shape[1]:
            real = np.ones(weights.shape[:2], bool)
        weights = (weights * real[..., None]).sum(axis=1) / real.sum(axis=1)[:, None]
    return weights.astype(np.float64)


def _labelled(
    question: Question,
    arrays: dict[str, np.ndarray],
    static_values: np.ndarray,
    level: str,
    window: int | None,
) -> xr.Dataset:
    """Return the arrays with named dimensions, and the data in original units beside them."""
    data, subject = question.data, question.subject
    cell, step = ("sample", "time", "feature"), ("sample", "time")
    variables: dict[str, Any] = {
        name: (_DIMENSIONS[level], array) for name, array in arrays.items()
    }
    variables |= {
        "base_values": ("sample", question.base_values),
        "predictions": ("sample", question.predictions),
        "mask": (step, subject.mask),
        "output": ("sample", question.selection.names),
    }
    coordinates: dict[str, Any] = {
        "sample": np.arange(len(data)),
        "time": np.arange(subject.mask.shape[1]),
    }
    if data.tokens is not None:
        variables["data"] = (step, data.own_words)
    else:
        shown = data.display_values if data.recorded is None else data.recorded
        variables["data"] = (cell, shown)
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
    truth = _truth(data, question.selection.names)
    if truth is not None:
        variables["target"] = ("sample", truth)
    if window is not None:
        coordinates["window"] = window_labels(subject.mask.shape[1], window)
    attributes: dict[str, Any] = {"time_name": data.time_name, "target_unit": data.target_unit}
    if data.labels:
        attributes["labels"] = json.dumps(data.labels)
    if data.known_ahead:
        attributes |= {"horizon": data.horizon, "known_ahead": json.dumps(data.known_ahead)}
    if (apart := window_step(data)) is not None:
        attributes["window_step"] = apart
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _truth(data: SequenceData, outputs: np.ndarray) -> np.ndarray | None:
    """Return what happened, (sample,); of several targets, of the one that is explained."""
    if data.target is None or not (data.target_names or data.class_names):
        return None if data.target is None else data.target * data.target_scale + data.target_center
    if not data.target_names:
        return np.array(data.class_names)[data.target]
    # A quantile, such as "+6 h, 90 %", is one of its target.
    known = [name if name in data.target_names else name.rpartition(", ")[0] for name in outputs]
    if not set(known) <= set(data.target_names):  # a contrast, which is none of them
        return None
    columns = [data.target_names.index(name) for name in known]
    values = data.target[np.arange(len(outputs)), columns]
    if not data.class_names:
        count = len(data.target_names)
        scale, center = (
            np.broadcast_to(each, count)[columns]
            for each in (data.target_scale, data.target_center)
        )
        return values * scale + center
    return np.where(values == 1, outputs, [f"not {name}" for name in outputs])


def _to_reopen(question: Question) -> dict[str, Any]:
    """Return what `question_of` needs to make the model's inputs and background rows again.

    The explanation has the data in original units: center and scale, which take less room than the
    inputs, turn them back.
    """
    data, background, row = question.data, question.background, "background_row"
    variables: dict[str, Any] = {"lengths": ("sample", data.lengths)}
    if data.tokens is not None:
        variables["tokens"] = (("sample", "time"), data.tokens)
    else:
        variables["center"] = ("feature", data.center)
        variables["scale"] = ("feature", data.scale)
        if data.limits is not None:
            variables["limits"] = (("limit", "feature"), data.limits)
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
    return json.dumps(
        {**facts, "weights_sha256": fingerprint(model), "versions": versions}, default=_plain
    )


def _plain(number: Any) -> Any:
    """Return a NumPy number, as a seed or a step may be, as one of Python's."""
    return number.item()


def fingerprint(model: Any) -> str:
    """Return 16 hexadecimal digits that change when any weight changes."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]


def question_of(model: Any, explanation: Explanation, batch_size: int | None = None) -> Question:
    """Return the question that an explanation answers: its samples, background and outputs.

    Raises
    ------
    ValueError
        Another model, or an explanation without the inputs and the background it was made from.
    """
    facts = explanation.check_one_output().provenance
    if "head" in facts and len(head_names(model)) > 1:
        model, _ = model_of(model, (facts["head"], None))
    if fingerprint(model) != facts.get("weights_sha256"):
        raise ValueError(
            "Expected the model that was explained; its weights differ from those that the "
            "explanation recorded. Give that model, or explain this one with lx.explain."
        )
    if explained_by(model) != {name: facts[name] for name in ("function", "head") if name in facts}:
        raise ValueError(
            "Expected the model whose output was explained, that of "
            f"{facts.get('function', explained_by(model))}; received one of another output. Give "
            "lx.models.with_output(model, function), with the function that was explained."
        )
    outputs = np.unique(explanation.output.values.astype(str))
    question = prepare(
        model,
        data_of(explanation),
        background_of(explanation),
        # Several names are each sample's predicted class, which is explained by default.
        str(outputs[0]) if len(outputs) == 1 else None,
        facts["step"],
        scale_of(explanation),
        batch_size,
        roles_of(model, explanation),
        attention=facts.get("attention"),
    )
    again, before = question.predictions, explanation.predictions.values
    same = np.array_equal(question.selection.names, explanation.output.values.astype(str))
    parts = np.abs(explanation.values.values).reshape(len(before), -1).sum(axis=1)
    size = np.abs(before) + np.abs(explanation.base_values.values) + parts
    if not same or (np.abs(again - before) > _TOLERANCE * size).any():
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
    """Return the input name of each role; None for a model without named inputs."""
    names = input_names(with_one_input(model))
    return dict(zip(explanation.provenance["roles"], names, strict=True)) if names else None


def data_of(explanation: Explanation) -> SequenceData:
    """Return the explained samples as the model reads them.

    They come from values in original units, which are rounded to the precision of float32: they
    are equal to a millionth of the feature's largest.
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
        recorded = dataset["data"].values
        if "limits" in dataset:
            fields["limits"], fields["recorded"] = dataset["limits"].values, recorded
        read = within_limits(recorded, fields.get("limits"))
        fields["values"] = scaled(read, fields["center"], fields["scale"], mask)
        fields["units"] = tuple(explanation.units)
    if "static_center" in dataset:
        center, scale = dataset["static_center"].values, dataset["static_scale"].values
        fields["static"] = scaled(dataset["static_data"].values, center, scale)
        fields |= {"static_center": center, "static_scale": scale}
        fields["static_names"] = tuple(str(name) for name in dataset["static_feature"].values)
        fields["labels"] = explanation.labels
        fields["static_units"] = tuple(str(unit) for unit in dataset["static_unit"].values)
    return SequenceData(
        mask=mask,
        feature_names=tuple(explanation.feature_names),
        class_names=tuple(facts["class_names"]),
        target_name=facts["target_name"],
        target_names=tuple(facts.get("target_names", ())),
        target_center=_number_or_numbers(facts.get("target_center", 0.0)),
        target_scale=_number_or_numbers(facts.get("target_scale", 1.0)),
        name=facts["data"],
        **{"units": (), **fields},
    )


def _number_or_numbers(recorded: float | list[float]) -> float | tuple[float, ...]:
    return tuple(recorded) if isinstance(recorded, list) else recorded


def background_of(explanation: Explanation) -> Background:
    """Return the rows that stood for "absent"."""
    dataset, facts = _complete(explanation), explanation.provenance

    def rows(name: str, kind: type) -> np.ndarray | None:
        array = dataset.get(f"background_{name}")
        return None if array is None else array.values.astype(kind)

    values, tokens = rows("values", np.float32), rows("tokens", np.int32)
    if values is None:  # a text: rows without features
        shape = (1, dataset.sizes["time"]) if tokens is None else tokens.shape
        values = np.zeros((*shape, 0), np.float32)
    return Background(
        values=values,
        static=rows("static", np.float32),
        description=facts["background"],
        seed=facts["background_seed"],
        tokens=tokens,
    )


def _complete(explanation: Explanation) -> xr.Dataset:
    """Return the dataset; raise if it lacks its inputs or its background."""
    dataset = explanation.to_dataset()
    numeric = "background_values" in dataset and "center" in dataset
    if "lengths" not in dataset or not (numeric or "tokens" in dataset):
        raise ValueError(
            "Expected an explanation that carries its inputs and its background; received one "
            "without, such as after over_variables(), or made elsewhere. Give the explanation "
            "that lx.explain or lx.shapley_values returned."
        )
    return dataset
