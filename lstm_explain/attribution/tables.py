"""An explanation as a long table, and as one of shap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ..arguments import check_flag
from ..sequences.step_names import named_times
from ..wording import label_of

if TYPE_CHECKING:
    from .explanation import Explanation


def frame_of(explanation: Explanation, static: bool) -> pd.DataFrame:
    """Return one row per value on a real step, or per static fact: see `Explanation.to_frame`."""
    check_flag(static=static)
    if static:
        return _facts(explanation)
    values = explanation.values
    columns = {"value": values.rename("value")}
    if set(explanation.data.dims) == set(values.dims) - {"output"}:
        columns["data"] = explanation.data
    if explanation.spread is not None:
        columns["spread"] = explanation.spread
    if "time" in values.dims:
        columns["real"] = explanation.mask
    table = _long(columns, values)
    if "real" in table:
        table = table[table.pop("real")].reset_index(drop=True)
    return table


def _facts(explanation: Explanation) -> pd.DataFrame:
    values, data, labels = explanation.static_values, explanation.static_data, explanation.labels
    if values is None or data is None:
        raise ValueError(
            "Expected an explanation with static facts for static=True; received one without. Call "
            "to_frame() for the values of the sequence."
        )
    if labels:
        written = data.values.astype(object)
        for column, name in enumerate(map(str, data["static_feature"].values)):
            texts = labels.get(name, {})
            written[:, column] = [label_of(each, texts) or each for each in data.values[:, column]]
        data = data.copy(data=written)
    return _long({"value": values.rename("value"), "data": data}, values)


def _long(columns: dict[str, xr.DataArray], values: xr.DataArray) -> pd.DataFrame:
    dimensions = [str(name) for name in values.dims]
    return xr.Dataset(columns).to_dataframe(dim_order=dimensions).reset_index()


def shap_of(explanation: Explanation) -> Any:
    """Return a ``shap.Explanation``: see `Explanation.to_shap`."""
    if explanation.check_one_output().values.ndim != 2:
        raise ValueError(
            "Expected values per time, feature or window for shap's plots; received values "
            f"per {explanation.level}. Call explanation.over_features().to_shap() or "
            "explanation.over_time().to_shap()."
        )
    import shap

    dimension, of = str(explanation.values.dims[1]), explanation.data
    values, names, data = [explanation.values.values], _names_along(explanation, dimension), []
    if dimension == "feature":
        data.append(of.mean("time").values)
    elif dimension == "time" and of.ndim == 2:
        data.append(np.char.add(of.values, " "))  # shap's plot of texts joins them
    facts = explanation.static_data
    if explanation.static_values is not None and facts is not None:
        values.append(explanation.static_values.values)
        data += [facts.values.astype(data[0].dtype.kind)] if data else []
        names += [str(name) for name in facts["static_feature"].values]
    return shap.Explanation(
        values=np.concatenate(values, axis=1),
        base_values=explanation.base_values.values,
        data=np.concatenate(data, axis=1) if data else None,
        feature_names=names,
    )


def _names_along(explanation: Explanation, dimension: str) -> list[str]:
    if dimension != "time":
        return [str(label) for label in explanation.values[dimension].values]
    if explanation.times is None or len(explanation) != 1:
        # Samples differ in their dates, but all of them have a first, second, ... step.
        count = explanation.values.sizes["time"]
        return [f"step {step + 1} of {count}" for step in range(count)]
    times, real = explanation.times.values[0], explanation.mask.values[0]
    is_date = np.issubdtype(times.dtype, np.datetime64)
    before = "" if is_date else f"{explanation.to_dataset().attrs['time_name']} "
    names = iter(named_times(times[real]))
    return [f"{before}{next(names)}" if flag else "padding" for flag in real]
