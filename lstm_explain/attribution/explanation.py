"""``Explanation``: labelled arrays that say what moved a prediction, and against what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..sequences.validation import read_rows

LEVELS = {
    ("sample", "time", "feature"): "cell",
    ("sample", "time"): "time",
    ("sample", "feature"): "feature",
    ("sample", "window", "feature"): "window and feature",
    ("sample", "window"): "window",
    ("sample",): "whole sequence",
}


def window_labels(num_steps: int, length: int) -> list[str]:
    """Name windows by their first and last step.

    Examples
    --------
    >>> window_labels(5, 2)
    ['0-1', '2-3', '4-4']
    """
    return [
        f"{start}-{min(start + length, num_steps) - 1}" for start in range(0, num_steps, length)
    ]


class Explanation:
    """SHAP values of predictions with everything needed to read, check and keep them.

    ``base_values + sum of all values = predictions`` up to ``gaps``. Dimensions are always named;
    indexing selects samples and keeps the sample dimension.

    Examples
    --------
    >>> explanation[0].over_time().values.dims       # doctest: +SKIP
    ('sample', 'time')
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    # -- what was explained ------------------------------------------------------------------------
    @property
    def values(self) -> xr.DataArray:
        """SHAP values, (sample, time, feature) or coarser; exactly 0 on padded steps."""
        return self._dataset["values"]

    @property
    def static_values(self) -> xr.DataArray | None:
        """SHAP values of the static facts, (sample, static_feature), or None."""
        return self._dataset.get("static_values")

    @property
    def standard_errors(self) -> xr.DataArray | None:
        """Standard error of each sampled value, or None where nothing was drawn at random."""
        return self._dataset.get("standard_errors")

    @property
    def base_values(self) -> xr.DataArray:
        """Mean explained output over the background, with each sample's own mask, (sample,)."""
        return self._dataset["base_values"]

    @property
    def predictions(self) -> xr.DataArray:
        """The explained output, on the explained scale, (sample,)."""
        return self._dataset["predictions"]

    @property
    def gaps(self) -> xr.DataArray:
        """``predictions - base_values - sum of all values``, (sample,): the part left out."""
        explained = self.values.sum([d for d in self.values.dims if d != "sample"])
        if self.static_values is not None:
            explained = explained + self.static_values.sum("static_feature")
        return (self.predictions - self.base_values - explained).rename("gaps")

    @property
    def data(self) -> xr.DataArray:
        """The explained input in its original units, (sample, time, feature), NaN on padding.

        For a text the words, (sample, time), "" on padding.
        """
        return self._dataset["data"]

    @property
    def static_data(self) -> xr.DataArray | None:
        """The static facts in their original units, (sample, static_feature), or None."""
        return self._dataset.get("static_data")

    @property
    def mask(self) -> xr.DataArray:
        """True on real steps, (sample, time)."""
        return self._dataset["mask"]

    @property
    def times(self) -> xr.DataArray | None:
        """Dates or numbers of the steps, (sample, time), or None."""
        return self._dataset.get("times")

    @property
    def ids(self) -> xr.DataArray | None:
        """Whose sequences they are, (sample,), or None."""
        return self._dataset.get("ids")

    @property
    def target(self) -> xr.DataArray | None:
        """What was to be predicted, (sample,), or None."""
        return self._dataset.get("target")

    @property
    def attention(self) -> xr.DataArray | None:
        """Attention weights, (sample, time), summing to 1: where the model looked. None without.

        Averaged over the heads and the real queries of the model's last attention layer;
        `lstm_explain.attention_maps` has them all.
        """
        return self._dataset.get("attention")

    @property
    def attention_contribution(self) -> xr.DataArray | None:
        """Attention weight times the output's response to the state, (sample, time), or None.

        With a linear head on the context this is an exact signed split, over time, of what the
        context adds to the output.
        """
        return self._dataset.get("attention_contribution")

    @property
    def output(self) -> xr.DataArray:
        """Name of the explained output of each sample, (sample,)."""
        return self._dataset["output"]

    @property
    def feature_names(self) -> list[str]:
        """Names of the features; none for a text."""
        if "feature" not in self.data.dims:
            return []
        return [str(name) for name in self.data["feature"].values]

    @property
    def units(self) -> list[str]:
        """Units of the features."""
        return [str(unit) for unit in self._dataset["unit"].values]

    @property
    def provenance(self) -> dict[str, Any]:
        """Method, parameters, sizes and versions that produced the numbers."""
        return json.loads(self._dataset.attrs["provenance"])

    @property
    def scale(self) -> str:
        """What the numbers are of: "margin", "probability" or "value"."""
        return self.provenance["scale"]

    @property
    def background(self) -> str:
        """What stood for "absent"."""
        return self.provenance["background"]

    @property
    def level(self) -> str:
        """At which level the values stand: "cell", "time", "feature", "window", ..."""
        return LEVELS[tuple(str(d) for d in self.values.dims)]

    # -- coarser views -----------------------------------------------------------------------------
    def over_time(self) -> Explanation:
        """One value per step (or window): the features are summed."""
        return self._summed("feature", "over_time")

    def over_features(self) -> Explanation:
        """One value per feature: the steps (or windows) are summed."""
        over = "window" if "window" in self.values.dims else "time"
        return self._summed(over, "over_features")

    def over_variables(self) -> Explanation:
        """One value per variable, where value, "measured" and "steps since" are its features.

        The data beside it is NaN where nothing was measured. `parts_of` opens a variable again.
        """
        return Explanation(over_variables(self._dataset))

    def parts_of(self, variable: str) -> xr.DataArray:
        """Return the values of one variable's parts, (sample, time, part)."""
        return parts_of(self._dataset, variable)

    def unmeasured_values(self) -> xr.DataArray:
        """Return what a variable's not being measured contributed, (sample, time, variable).

        The sum of "measured" and "steps since measured" at steps without a measurement; the value
        that is carried forward to them is not part of it. 0 where the variable was measured.
        """
        return unmeasured_values(self._dataset)

    def over_windows(self, length: int) -> Explanation:
        """Values summed over windows of `length` steps, from the first step on."""
        self._need("time", "over_windows")
        if not isinstance(length, int | np.integer) or length < 1:
            raise ValueError(
                f"Expected windows of at least 1 step, in whole steps; received length={length!r}."
            )
        num_steps = self.values.sizes["time"]
        starts = np.arange(0, num_steps, length)
        pieces = [
            self.values.isel(time=slice(start, start + length)).sum("time") for start in starts
        ]
        labels = xr.DataArray(window_labels(num_steps, length), dims="window", name="window")
        values = xr.concat(pieces, dim=labels)
        order = [d if d != "time" else "window" for d in self.values.dims]
        return self._with_values(values.transpose(*order))

    def _summed(self, dimension: str, verb: str) -> Explanation:
        self._need(dimension, verb)
        return self._with_values(self.values.sum(dimension))

    def _need(self, dimension: str, verb: str) -> None:
        if dimension not in self.values.dims:
            raise ValueError(
                f"Expected values with a {dimension} dimension for {verb}(); received values per "
                f"{self.level}. Call it on the explanation that these values were summed from."
            )

    def _with_values(self, values: xr.DataArray) -> Explanation:
        rest = self._dataset.drop_vars(["values", "standard_errors"], errors="ignore")
        return Explanation(rest.assign(values=values.assign_attrs(self.values.attrs)))

    # -- selecting -------------------------------------------------------------------------------
    def __len__(self) -> int:
        return self.values.sizes["sample"]

    def __getitem__(self, key: int | slice | list[int] | np.ndarray) -> Explanation:
        return Explanation(self._dataset.isel(sample=read_rows(key, len(self))))

    def __repr__(self) -> str:
        sizes = " x ".join(
            f"{size} {'step' if name == 'time' else name}{'' if size == 1 else 's'}"
            for name, size in self.values.sizes.items()
        )
        gap = float(np.abs(self.gaps).max()) if len(self) else 0.0
        return (
            f"Explanation of the {self.scale} by {self.provenance['method']}: {sizes}; "
            f"absent means {self.background}; largest gap {gap:.2g}"
        )

    # -- taking it elsewhere -----------------------------------------------------------------------
    def to_dataset(self) -> xr.Dataset:
        """Return everything as one ``xarray.Dataset``."""
        return self._dataset

    def to_frame(self) -> pd.DataFrame:
        """Return a long table: one row per value on a real step, with the data beside it.

        Static facts are not sequences: ``static_values.to_dataframe()`` gives theirs.
        """
        return as_table(self._dataset)

    def to_shap(self) -> Any:
        """Return a ``shap.Explanation`` for shap's own waterfall, bar and beeswarm plots.

        Needs one dimension beside the samples: call it on ``over_time()`` or ``over_features()``.
        Static facts are appended as further columns. Features carry their mean over the real
        steps as data; at the time level there is one number for all features and no data.

        Raises
        ------
        ValueError
            The values are still per cell, which no shap plot can take.
        """
        if self.values.ndim != 2:
            raise ValueError(
                "Expected values per time, feature or window for shap's plots; received values "
                f"per {self.level}. Call explanation.over_features().to_shap() or "
                "explanation.over_time().to_shap()."
            )
        return as_shap(self._dataset)

    def save(self, path: str | Path) -> Path:
        """Write a netCDF file that `load`, xarray and other tools can read."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._dataset.to_netcdf(path, engine="h5netcdf")
        return path

    @classmethod
    def load(cls, path: str | Path) -> Explanation:
        """Read what `save` wrote."""
        return cls(read_file(path))


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
