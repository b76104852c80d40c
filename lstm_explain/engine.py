"""``explain``: check, choose, integrate, and assemble an ``Explanation``."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from .anatomy import Anatomy, inspect
from .attention import attention_and_contribution
from .backend import keras, ops
from .background import Background
from .explanation import Explanation
from .forward import Compiled, compile_model, in_batches
from .integration import expected_gradients, static_or_empty
from .outputs import Scale, Selection, choose, select
from .progress import progress_bar
from .sequences import SequenceData

# Samples that share one call of the compiled function.
_BLOCK = 32
# Nodes per path, first try to last: each refinement also measures the error of the one before.
_LADDER = (4, 8, 16, 32, 64)
_MARGIN_TOLERANCE = 1e-5


class ToleranceWarning(UserWarning):
    """The values are less exact than was asked for; the message says by how much."""


def explain(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    output: int | str | None = None,
    scale: Scale = "margin",
    tolerance: float = 0.05,
    batch_size: int | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by expected gradients: SHAP values per cell, and attention beside them.

    Every path from a background sequence to a sample is integrated by a fixed quadrature, so that
    the same call gives the same numbers. On every point of a path the model sees the explained
    sample's own mask; values on padded steps are exactly 0.

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
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    tolerance : float
        Bound on the gap relative to the spread of predictions, and on the change of the values
        (relative L2) when the quadrature is refined.
    batch_size : int, optional
        Path points per call of the model; less needs less memory.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        What was asked for does not fit the model or the data; nothing has been computed then.

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
    data = _as_sequences(data)
    data.check_complete()
    anatomy = inspect(model, data)
    reference = Background.resolve(background, data)
    compiled = compile_model(anatomy, scale)
    batch_size = batch_size or 512
    static = static_or_empty(data.static, len(data))
    raw = _raw(compiled, batch_size, data.values, static, data.mask)
    _check_margin(anatomy, compiled, data, static, raw)
    chosen = choose(anatomy, raw, data.class_names, data.target_name, output, scale)
    predictions = _select(raw, chosen, anatomy)
    base_values = _base_values(compiled, anatomy, data, reference, chosen, batch_size)
    values, static_values, change, nodes = _integrate(
        compiled, data, reference, chosen.weights, predictions, base_values, tolerance,
        batch_size, progress,
    )  # fmt: skip
    dataset = _dataset(data, values, static_values, predictions, base_values, chosen)
    layer = anatomy.attention_layer()
    if layer is not None:
        weights, contribution = attention_and_contribution(
            compiled, data, static, chosen.weights, layer.projection.shape[0], batch_size
        )
        dataset["attention"] = (("sample", "time"), weights.astype(np.float64))
        dataset["attention_contribution"] = (("sample", "time"), contribution.astype(np.float64))
    dataset.attrs = {
        "time_name": data.time_name,
        "target_unit": data.target_unit,
        "provenance": json.dumps(
            {
                "method": "expected gradients",
                "scale": chosen.scale,
                "background": reference.description,
                "background_rows": len(reference),
                "background_seed": reference.seed,
                "tolerance": tolerance,
                "nodes_per_path": nodes,
                "change_on_refinement": change,
                "data": data.name,
                "weights_sha256": _fingerprint(model),
                "versions": {
                    "lstm_explain": version("lstm_explain"),
                    "keras": keras.__version__,
                    "backend": keras.backend.backend(),
                    "numpy": np.__version__,
                },
            }
        ),
    }
    return Explanation(dataset)


def _as_sequences(data: SequenceData | np.ndarray) -> SequenceData:
    if isinstance(data, SequenceData):
        if len(data) == 0:
            raise ValueError(
                "Expected at least one sample to explain; received none. Check the slice."
            )
        return data
    return SequenceData.from_arrays(np.asarray(data))


def _raw(compiled: Compiled, batch_size: int, *inputs: np.ndarray) -> np.ndarray:
    """Return the model's margins or values, (row, output)."""
    return in_batches(lambda *batch: compiled.raw((), *batch)[:1], batch_size, *inputs)[0]


def _select(raw: np.ndarray, chosen: Selection, anatomy: Anatomy) -> np.ndarray:
    numbers = select(ops.convert_to_tensor(raw), chosen.weights, anatomy.link, chosen.scale)
    return np.asarray(ops.convert_to_numpy(numbers), np.float64)


def _check_margin(
    anatomy: Anatomy, compiled: Compiled, data: SequenceData, static: np.ndarray, raw: np.ndarray
) -> None:
    """Accept the margin only if the link turns it into what the model really outputs."""
    if anatomy.link == "identity":
        return
    few = slice(0, 64)
    _, _, (plain,) = compiled.plain((), data.values[few], static[few], data.mask[few])
    link = ops.sigmoid if anatomy.link == "sigmoid" else ops.softmax
    error = np.abs(ops.convert_to_numpy(link(raw[few])) - ops.convert_to_numpy(plain)).max()
    if not error < _MARGIN_TOLERANCE:
        raise ValueError(
            f"Expected the {anatomy.link} of the margin before {anatomy.margin_at!r} to be the "
            f'model\'s output; they differ by {error:.2g}. Use scale="probability".'
        )


def _base_values(
    compiled: Compiled,
    anatomy: Anatomy,
    data: SequenceData,
    reference: Background,
    chosen: Selection,
    batch_size: int,
) -> np.ndarray:
    """Mean explained output over the background, seen through each sample's own mask."""
    rows = reference.rows_for(data.values.shape[1])
    row_static = static_or_empty(reference.static, len(rows))
    result = np.zeros(len(data))
    masks, which = np.unique(data.mask, axis=0, return_inverse=True)
    for position, mask in enumerate(masks):
        masked = np.where(mask[:, None], rows, 0)
        raw = _raw(compiled, batch_size, masked, row_static, np.tile(mask, (len(rows), 1)))
        members = np.flatnonzero(which.ravel() == position)
        distinct, selection = np.unique(chosen.weights[members], axis=0, return_inverse=True)
        for index, weights in enumerate(distinct):
            one = replace(chosen, weights=np.tile(weights, (len(raw), 1)))
            result[members[selection.ravel() == index]] = _select(raw, one, anatomy).mean()
    return result


def _integrate(
    compiled: Compiled,
    data: SequenceData,
    reference: Background,
    selection: np.ndarray,
    predictions: np.ndarray,
    base_values: np.ndarray,
    tolerance: float,
    batch_size: int,
    progress: bool,
) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Integrate block by block, refining the samples whose values are not yet within tolerance."""
    count = len(data)
    values = np.zeros(data.values.shape)
    static_values = np.zeros((count, len(data.static_names)))
    spread = float(np.std(predictions - base_values)) or float(np.abs(predictions).max()) or 1.0
    worst, finest = 0.0, _LADDER[0]
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for start in range(0, count, _BLOCK):
            block = np.arange(start, min(start + _BLOCK, count))
            todo, change = block, np.full(count, np.inf)
            for nodes in _LADDER:
                new, new_static = expected_gradients(
                    compiled, data[todo], reference, selection[todo], nodes, batch_size
                )
                if nodes > _LADDER[0]:
                    moved = ((new - values[todo]) ** 2).sum(axis=(1, 2))
                    moved += ((new_static - static_values[todo]) ** 2).sum(axis=1)
                    size = (new**2).sum(axis=(1, 2)) + (new_static**2).sum(axis=1)
                    change[todo] = np.sqrt(moved / np.maximum(size, 1e-30))
                values[todo], static_values[todo] = new, new_static
                gaps = predictions - base_values - values.sum((1, 2)) - static_values.sum(1)
                done = (change[todo] <= tolerance) & (np.abs(gaps[todo]) <= tolerance * spread)
                finest = max(finest, nodes)
                todo = todo[~done]
                if len(todo) == 0:
                    break
            worst = max(worst, float(change[block].max()))
            bar.update(len(block))
    gap = float(np.abs(gaps).max()) / spread
    if worst > tolerance or gap > tolerance:
        warnings.warn(
            f"Expected values within tolerance={tolerance}; with {finest} nodes per path the last "
            f"refinement still moved them by {worst:.3f} (relative L2) and the largest gap is "
            f"{gap:.3f} of the predictions' spread. Read e.gaps before you trust a sample.",
            ToleranceWarning,
            stacklevel=3,
        )
    return values, static_values, worst, finest


def _dataset(
    data: SequenceData,
    values: np.ndarray,
    static_values: np.ndarray,
    predictions: np.ndarray,
    base_values: np.ndarray,
    chosen: Selection,
) -> xr.Dataset:
    cell, step = ("sample", "time", "feature"), ("sample", "time")
    variables: dict[str, Any] = {
        "values": (cell, values),
        "base_values": ("sample", base_values),
        "predictions": ("sample", predictions),
        "data": (cell, data.display_values),
        "mask": (step, data.mask),
        "output": ("sample", chosen.names),
        "unit": ("feature", np.array(data.units, dtype=str)),
    }
    if data.static is not None:
        variables["static_values"] = (("sample", "static_feature"), static_values)
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
    return xr.Dataset(variables, coords=coordinates)


def _fingerprint(model: Any) -> str:
    """Return 16 hexadecimal digits that change when any weight changes."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]
