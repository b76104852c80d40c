"""Datasets of explanations: joined sample by sample, and folded by output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

# What differs between explanations of one kind: the worst of all holds for the whole.
_WORST = "nodes_per_path", "estimated_error"
# What there is for each output of a sample; all else is of the sample.
_OF_OUTPUT = (
    *("values", "static_values", "standard_errors", "base_values", "predictions"),
    "attention_contribution",
)


def joined(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join datasets of explanations of one kind, by one model and against one background.

    Raises
    ------
    ValueError
        They differ in what was asked: method, background, scale, tolerance, features, steps.
    """
    facts = [{**json.loads(part.attrs["provenance"]), **_kind(part)} for part in parts]
    asked = [{k: v for k, v in fact.items() if k not in _WORST} for fact in facts]
    for number, other in enumerate(asked):
        if names := sorted(k for k in asked[0] | other if asked[0].get(k) != other.get(k)):
            raise ValueError(
                f"Expected explanations of one kind; number {number} differs from the first in "
                f"{', '.join(names)}. Explain all samples in the same way, or keep them apart."
            )
    dataset = xr.concat(
        parts,
        dim="sample",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
    )
    dataset = dataset.assign_coords(sample=range(dataset.sizes["sample"]))
    largest = {name: max(fact[name] for fact in facts) for name in _WORST if name in facts[0]}
    provenance = json.loads(parts[0].attrs["provenance"]) | largest
    dataset.attrs = parts[0].attrs | {"provenance": json.dumps(provenance)}
    return dataset


def _kind(part: xr.Dataset) -> dict[str, Any]:
    """Return what must agree between explanations that are joined."""
    sizes = {str(name): size for name, size in part.sizes.items() if name != "sample"}
    shared = part.drop_dims("sample").data_vars.items()
    labels = {name: part[name].values.tolist() for name in ("feature", "output") if name in part}
    return {
        "dimensions": [part["values"].dims, sizes, sorted(map(str, part.data_vars))],
        "features": [labels.get("feature"), part["unit"].values.tolist() if "unit" in part else []],
        "outputs": labels.get("output") if "output" in part.dims else None,
        # As text NaN is equal to NaN.
        "background rows": str([(name, array.values.tolist()) for name, array in shared]),
    }


def by_output(dataset: xr.Dataset, count: int, of_output: Sequence[str] = ()) -> xr.Dataset:
    """Fold a dataset that has a row for each sample and output, sample by sample, of `count`.

    Returns
    -------
    Dataset
        Values and what belongs to them with a dimension ``output`` behind ``sample``.
    """
    names = dataset["output"].values[:count]
    folded: dict[str, Any] = {}
    for name, array in dataset.drop_vars("output").data_vars.items():
        if "sample" not in array.dims:
            folded[str(name)] = array
        elif name in (*_OF_OUTPUT, *of_output):
            values = array.values.reshape(-1, count, *array.shape[1:])
            folded[str(name)] = (("sample", "output", *array.dims[1:]), values, array.attrs)
        else:
            folded[str(name)] = (array.dims, array.values[::count], array.attrs)
    shared = {name: index for name, index in dataset.coords.items() if name != "sample"}
    samples = np.arange(dataset.sizes["sample"] // count)
    coordinates = {**shared, "sample": samples, "output": names}
    return xr.Dataset(folded, coords=coordinates, attrs=dataset.attrs)


def of_output(dataset: xr.Dataset, output: str | int) -> xr.Dataset:
    """Return one output of a dataset that has several, as if it alone had been explained."""
    if "output" not in dataset.dims:
        raise ValueError(
            "Expected an explanation of several outputs; this one has one per sample. Use it as it "
            'is, or explain several: output="all".'
        )
    names = dataset["output"].values.tolist()
    if output not in names and output not in range(len(names)):
        raise ValueError(
            f"Expected one of the outputs {names}, or its position; received {output!r}."
        )
    position = names.index(output) if output in names else output
    dataset = dataset.isel(output=position).drop_vars("output")
    name = np.full(dataset.sizes["sample"], names[position])
    return dataset.assign(output=("sample", name))
