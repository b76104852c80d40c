"""One value per variable, where a variable with gaps is several features to the model."""

from __future__ import annotations

import numpy as np
import xarray as xr


def over_variables(dataset: xr.Dataset) -> xr.Dataset:
    """Sum the values of an explanation's features by variable, and show what was measured."""
    _check(dataset)
    names, positions = _positions(dataset)
    values = dataset["values"]
    axis = values.dims.index("feature")
    sums = [values.values.take(columns, axis=axis).sum(axis=axis) for columns in positions]
    first = [columns[0] for columns in positions]
    measured = dataset["data"].values[..., [columns[1] for columns in positions]] > 0.5
    data = np.where(measured, dataset["data"].values[..., first], np.nan)
    rest = dataset.drop_dims("feature")
    return rest.assign(
        values=(values.dims, np.stack(sums, axis=axis), values.attrs),
        data=(dataset["data"].dims, data),
        unit=("feature", dataset["unit"].values[first]),
    ).assign_coords(feature=names)


def parts_of(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return the values of one variable's features, the last dimension named part."""
    _check(dataset)
    names, positions = _positions(dataset)
    if name not in names:
        raise ValueError(f"Expected a variable among {names}; received {name!r}.")
    columns = positions[names.index(name)]
    values = dataset["values"].isel(feature=columns).rename(feature="part")
    return values.assign_coords(part=dataset["part"].values[columns].astype(str)).rename(name)


def unmeasured_values(dataset: xr.Dataset) -> xr.DataArray:
    """Return what "not measured" contributed, (sample, time, variable); 0 where measured."""
    _check(dataset)
    values = dataset["values"]
    if values.dims != ("sample", "time", "feature"):
        raise ValueError(
            "Expected values per cell, to tell measured from unmeasured steps; received values "
            f"per {' and '.join(map(str, values.dims[1:]))}. Call it before summing."
        )
    names, positions = _positions(dataset)
    unmeasured = dataset["data"].values[..., [columns[1] for columns in positions]] < 0.5
    sums = np.stack([values.values[..., columns[1:]].sum(-1) for columns in positions], axis=-1)
    return xr.DataArray(
        np.where(unmeasured, sums, 0.0),
        dims=("sample", "time", "variable"),
        coords={"sample": dataset["sample"], "time": dataset["time"], "variable": names},
        name="unmeasured_values",
    )


def _positions(dataset: xr.Dataset) -> tuple[list[str], list[np.ndarray]]:
    """Return the variables and the positions of each one's features, its value first."""
    owners = dataset["variable"].values.astype(str)
    names = list(dict.fromkeys(owners.tolist()))
    return names, [np.flatnonzero(owners == name) for name in names]


def _check(dataset: xr.Dataset) -> None:
    if "variable" not in dataset or "feature" not in dataset["values"].dims:
        raise ValueError(
            "Expected values per feature of data with fill_missing(indicators=True); received "
            f"values per {' and '.join(map(str, dataset['values'].dims[1:]))} that were summed, or "
            "whose features are no parts. Call it on the explanation that lx.explain returned."
        )
