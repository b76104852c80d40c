"""An explanation in other tools' forms: a long table, a ``shap.Explanation``, a netCDF file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr


def as_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row per value on a real step, with the data beside it where there is one each."""
    values = dataset["values"]
    columns = {"value": values.rename("value")}
    if set(dataset["data"].dims) == set(values.dims):
        columns["data"] = dataset["data"]
    if "time" in values.dims:
        columns["real"] = dataset["mask"]
    dimensions = [str(name) for name in values.dims]
    table = xr.Dataset(columns).to_dataframe(dim_order=dimensions).reset_index()
    if "real" in table:
        table = table[table.pop("real")].reset_index(drop=True)
    return table


def as_shap(dataset: xr.Dataset) -> Any:
    """Return values (sample, time or feature or window) and static facts as a shap.Explanation."""
    import shap

    array = dataset["values"]
    dimension = str(array.dims[1])
    values, names, columns = [array.values], _labels(dataset, dimension), []
    if dimension == "feature":
        columns.append(dataset["data"].mean("time").values)
    if "static_values" in dataset:
        values.append(dataset["static_values"].values)
        columns.append(dataset["static_data"].values)
        names += [str(name) for name in dataset["static_feature"].values]
    return shap.Explanation(
        values=np.concatenate(values, axis=1),
        base_values=dataset["base_values"].values,
        data=np.concatenate(columns, axis=1).round(4) if dimension == "feature" else None,
        feature_names=names,
    )


def _labels(dataset: xr.Dataset, dimension: str) -> list[str]:
    if dimension != "time":
        return [str(label) for label in dataset[dimension].values]
    num_steps = dataset.sizes["time"]
    if "times" not in dataset or dataset.sizes["sample"] != 1:
        # Samples differ in their dates, but all of them have a first, second, ... step.
        return [f"step {step + 1} of {num_steps}" for step in range(num_steps)]
    times, real = dataset["times"].values[0], dataset["mask"].values[0]
    if np.issubdtype(times.dtype, np.datetime64):
        whole_days = (times[real] == times[real].astype("datetime64[D]")).all()
        texts = np.datetime_as_string(times, unit="D" if whole_days else "s").tolist()
    else:
        texts = [f"{dataset.attrs['time_name']} {time:.10g}" for time in times]
    return [text if flag else "padding" for text, flag in zip(texts, real, strict=True)]


def read_file(path: str | Path) -> xr.Dataset:
    """Read a netCDF file that holds an explanation, or say what it is instead."""
    if not Path(path).exists():
        raise FileNotFoundError(
            f"Expected a file written by Explanation.save; found none at {str(path)!r}. Give the "
            "path that explanation.save(...) returned."
        )
    # By itself xarray reads nanoseconds, which end in the year 2262: here as fine as need be.
    dates = xr.coders.CFDatetimeCoder(time_unit="s")
    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=dates) as opened:
            dataset = opened.load()
    except OSError as error:
        raise ValueError(
            f"Expected a file written by Explanation.save; {str(path)!r} is no netCDF file. Give "
            "the right file."
        ) from error
    if "provenance" not in dataset.attrs or "values" not in dataset:
        raise ValueError(
            f"Expected a file written by Explanation.save; {str(path)!r} holds "
            f"{sorted(map(str, dataset.data_vars))}. Give the right file."
        )
    return dataset
