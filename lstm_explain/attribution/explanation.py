"""``Explanation``: SHAP values as labelled arrays, with the data and a record of the method."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..arguments import as_path, check_type, check_whole, described
from ..sequences.step_names import named_times
from ..sequences.validation import read_rows
from .netcdf import load_dataset, save_dataset

LEVELS = {
    ("sample", "time", "feature"): "cell",
    ("sample", "time"): "time",
    ("sample", "feature"): "feature",
    ("sample", "window", "feature"): "window and feature",
    ("sample", "window"): "window",
    ("sample",): "whole sequence",
}


class Explanation:
    """SHAP values of predictions with everything needed to read, check and keep them.

    ``base_values + sum of all values = predictions`` up to ``gaps``. Dimensions are always named;
    indexing selects samples, by position or by id, and keeps the sample dimension.

    Examples
    --------
    >>> explanation[0].over_time().values.dims       # doctest: +SKIP
    ('sample', 'time')
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        check_type(xr.Dataset, "Use lx.Explanation.load(path) for a file.", dataset=dataset)
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
        """Name of the explained output of each sample: a class or the target, (sample,)."""
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
        """The scale of the numbers: "margin", "probability" or "value"."""
        return self.provenance["scale"]

    @property
    def background(self) -> str:
        """What stood for "absent"."""
        return self.provenance["background"]

    @property
    def level(self) -> str:
        """What there is one value for: "cell", "time", "feature", "window", ..."""
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
        """One value per variable: that of its "value", "measured" and "steps since measured".

        The data beside it is NaN where nothing was measured. `parts_of` has the three values.
        """
        names, positions = self._variables()
        values, data, units = self.values, self.data, self._dataset["unit"].values
        axis = values.dims.index("feature")
        sums = [values.values.take(columns, axis=axis).sum(axis=axis) for columns in positions]
        first = [columns[0] for columns in positions]
        measured = data.values[..., [columns[1] for columns in positions]] > 0.5
        dataset = self._dataset.drop_dims("feature").assign(
            values=(values.dims, np.stack(sums, axis=axis), values.attrs),
            data=(data.dims, np.where(measured, data.values[..., first], np.nan)),
            unit=("feature", units[first]),
        )
        return Explanation(dataset.assign_coords(feature=names))

    def parts_of(self, variable: str) -> xr.DataArray:
        """Return the values of one variable's parts, (sample, time, part)."""
        names, positions = self._variables()
        if variable not in names:
            raise ValueError(f"Expected a variable among {names}; received {variable!r}.")
        columns = positions[names.index(variable)]
        values = self.values.isel(feature=columns).rename(feature="part").rename(variable)
        return values.assign_coords(part=self._dataset["part"].values[columns].astype(str))

    def unmeasured_values(self) -> xr.DataArray:
        """Return what a variable's not being measured contributed, (sample, time, variable).

        The sum of "measured" and "steps since measured" at steps without a measurement; the value
        that is carried forward to them is not part of it. 0 where the variable was measured.
        """
        names, positions = self._variables()
        if self.level != "cell":
            raise ValueError(
                "Expected values per cell, to tell measured from unmeasured steps; received values "
                f"per {self.level}. Call it before summing."
            )
        unmeasured = self.data.values[..., [columns[1] for columns in positions]] < 0.5
        values = self.values.values
        sums = np.stack([values[..., columns[1:]].sum(-1) for columns in positions], axis=-1)
        return xr.DataArray(
            np.where(unmeasured, sums, 0.0),
            dims=("sample", "time", "variable"),
            coords={"sample": self.values["sample"], "time": self.data["time"], "variable": names},
            name="unmeasured_values",
        )

    def _variables(self) -> tuple[list[str], list[np.ndarray]]:
        """Return the variables and the positions of each one's features, its value first."""
        if "variable" not in self._dataset or "feature" not in self.values.dims:
            raise ValueError(
                "Expected values per feature of data with fill_missing(indicators=True); received "
                f"values per {self.level} that were summed, or whose features are no parts. Call "
                "it on the explanation that lx.explain returned."
            )
        owners = self._dataset["variable"].values.astype(str)
        names = list(dict.fromkeys(owners.tolist()))
        return names, [np.flatnonzero(owners == name) for name in names]

    def over_windows(self, length: int) -> Explanation:
        """Values summed over windows of `length` steps, from the first step on."""
        self._need("time", "over_windows")
        check_whole(least=1, length=length)
        num_steps = self.values.sizes["time"]
        starts = np.arange(0, num_steps, length)
        sums = [self.values.isel(time=slice(a, a + length)).sum("time") for a in starts]
        labels = xr.DataArray(window_labels(num_steps, length), dims="window", name="window")
        values = xr.concat(sums, dim=labels)
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
        dataset = self._dataset.drop_vars(["values", "standard_errors"], errors="ignore")
        return Explanation(dataset.assign(values=values.assign_attrs(self.values.attrs)))

    # -- selecting -------------------------------------------------------------------------------
    def __len__(self) -> int:
        return self.values.sizes["sample"]

    def __getitem__(
        self, key: int | str | slice | list[int] | list[str] | np.ndarray
    ) -> Explanation:
        ids = self._dataset["ids"].values if "ids" in self._dataset else None
        return Explanation(self._dataset.isel(sample=read_rows(key, len(self), ids)))

    @classmethod
    def concat(cls, explanations: Iterable[Explanation]) -> Explanation:
        """Join explanations of samples of one kind, by one model and against one background.

        Raises
        ------
        ValueError
            They differ in what was asked: method, background, scale, tolerance, features, steps.
        """
        parts = list(explanations)
        if not parts or not all(isinstance(part, Explanation) for part in parts):
            raise ValueError(
                f"Expected explanations to join; received {described(parts)}. Give a list of what "
                "lx.explain returned."
            )
        worst = "nodes_per_path", "estimated_error"
        facts = [{**part.provenance, **part._kind()} for part in parts]
        asked = [{k: v for k, v in fact.items() if k not in worst} for fact in facts]
        for number, other in enumerate(asked):
            if names := sorted(k for k in asked[0] | other if asked[0].get(k) != other.get(k)):
                raise ValueError(
                    f"Expected explanations of one kind; number {number} differs from the first in "
                    f"{', '.join(names)}. Explain all samples in the same way, or keep them apart."
                )
        joined = xr.concat(
            [part._dataset for part in parts],
            dim="sample",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="override",
        )
        joined = joined.assign_coords(sample=range(joined.sizes["sample"]))
        largest = {name: max(fact[name] for fact in facts) for name in worst if name in facts[0]}
        provenance = json.dumps(parts[0].provenance | largest)
        joined.attrs = parts[0]._dataset.attrs | {"provenance": provenance}
        return cls(joined)

    def _kind(self) -> dict[str, Any]:
        """Return what must agree between explanations that are joined."""
        sizes = {str(name): size for name, size in self._dataset.sizes.items() if name != "sample"}
        shared = self._dataset.drop_dims("sample").data_vars.items()
        return {
            "dimensions": [self.level, sizes, sorted(map(str, self._dataset.data_vars))],
            "features": [self.feature_names, self.units],
            # As text NaN is equal to NaN.
            "background rows": str([(name, array.values.tolist()) for name, array in shared]),
        }

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
        values = self.values
        columns = {"value": values.rename("value")}
        if set(self.data.dims) == set(values.dims):
            columns["data"] = self.data
        if "time" in values.dims:
            columns["real"] = self.mask
        dimensions = [str(name) for name in values.dims]
        table = xr.Dataset(columns).to_dataframe(dim_order=dimensions).reset_index()
        if "real" in table:
            table = table[table.pop("real")].reset_index(drop=True)
        return table

    def to_shap(self) -> Any:
        """Return a ``shap.Explanation`` for shap's own waterfall, bar and beeswarm plots.

        Needs one dimension beside the samples: call it on ``over_time()`` or ``over_features()``.
        Static facts are appended as further columns. The data are a feature's mean over the real
        steps, or the words of a text, for ``shap.plots.text(e.to_shap()[0])``; else there are none.

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
        import shap

        dimension = str(self.values.dims[1])
        values, names, data = [self.values.values], self._names_along(dimension), []
        if dimension == "feature":
            data.append(self.data.mean("time").values)
        elif dimension == "time" and self.data.ndim == 2:
            data.append(np.char.add(self.data.values, " "))  # shap's plot of texts joins them
        if self.static_values is not None and self.static_data is not None:
            values.append(self.static_values.values)
            data += [self.static_data.values.astype(data[0].dtype.kind)] if data else []
            names += [str(name) for name in self.static_data["static_feature"].values]
        return shap.Explanation(
            values=np.concatenate(values, axis=1),
            base_values=self.base_values.values,
            data=np.concatenate(data, axis=1) if data else None,
            feature_names=names,
        )

    def _names_along(self, dimension: str) -> list[str]:
        if dimension != "time":
            return [str(label) for label in self.values[dimension].values]
        if self.times is None or len(self) != 1:
            # Samples differ in their dates, but all of them have a first, second, ... step.
            count = self.values.sizes["time"]
            return [f"step {step + 1} of {count}" for step in range(count)]
        times, real = self.times.values[0], self.mask.values[0]
        is_date = np.issubdtype(times.dtype, np.datetime64)
        before = "" if is_date else f"{self._dataset.attrs['time_name']} "
        names = iter(named_times(times[real]))
        return [f"{before}{next(names)}" if flag else "padding" for flag in real]

    def save(self, path: str | Path) -> Path:
        """Write a netCDF file that `load`, xarray and other tools can read.

        The file is complete, or what stood there is as it was. It ends in a checksum.
        """
        path = as_path(path)
        save_dataset(self._dataset, path)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Explanation:
        """Read what `save` wrote; a damaged file is refused."""
        path = as_path(path)
        if not path.exists():
            raise FileNotFoundError(
                f"Expected a file written by Explanation.save; found none at {str(path)!r}. Give "
                "the path that explanation.save(...) returned."
            )
        dataset = load_dataset(Path(path))
        if "provenance" not in dataset.attrs or "values" not in dataset:
            raise ValueError(
                f"Expected a file written by Explanation.save; {str(path)!r} holds "
                f"{sorted(map(str, dataset.data_vars))}. Give the right file."
            )
        return cls(dataset)


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
