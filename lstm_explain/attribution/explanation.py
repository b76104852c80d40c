"""``Explanation``: SHAP or LIME values as labelled arrays, with the data and how they were made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..arguments import as_path, check_type, check_whole, described
from ..sequences.step_names import window_labels
from ..sequences.validation import read_rows
from .joining import joined, of_output
from .members import stable_values
from .netcdf import load_dataset, save_dataset
from .tables import frame_of, shap_of

LEVELS = {
    ("sample", "time", "feature"): "cell",
    ("sample", "time"): "time",
    ("sample", "feature"): "feature",
    ("sample", "window", "feature"): "window and feature",
    ("sample", "window"): "window",
    ("sample",): "whole sequence",
}


class Explanation:
    """SHAP or LIME values of predictions with everything needed to read, check and keep them.

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
        """The values, (sample, time, feature) or coarser; exactly 0 on padded steps."""
        return self._dataset["values"]

    @property
    def static_values(self) -> xr.DataArray | None:
        """Values of the static facts, (sample, static_feature), or None."""
        return self._dataset.get("static_values")

    @property
    def standard_errors(self) -> xr.DataArray | None:
        """Standard error of each sampled value, or None where nothing was drawn at random."""
        return self._dataset.get("standard_errors")

    @property
    def member_values(self) -> xr.DataArray | None:
        """Of several models the values of each, (sample, time, feature, member), else None."""
        return self._dataset.get("member_values")

    @property
    def member_static_values(self) -> xr.DataArray | None:
        """Of several models the values of static facts, (sample, static_feature, member)."""
        return self._dataset.get("member_static_values")

    @property
    def member_predictions(self) -> xr.DataArray | None:
        """Of several models the explained output of each, (sample, member), else None."""
        return self._dataset.get("member_predictions")

    @property
    def spread(self) -> xr.DataArray | None:
        """Of several models the standard deviation of each value over them, else None."""
        members = self.member_values
        return None if members is None else members.std("member", ddof=1).rename("spread")

    def stable(self, share: float = 1.0) -> xr.DataArray:
        """Return which values another seed would have named too, bool in the values' dimensions.

        Those whose sign the models agree on, a `share` of them above 0.5, and that are at
        least twice ``spread / sqrt(number of models)``. By chance five models agree on the sign of
        one value in 16.
        """
        return stable_values(self.values, self.member_values, share)

    @property
    def r_squared(self) -> xr.DataArray | None:
        """How well the linear model of `lime_values` fits, (sample,), 1 at best; else None."""
        return self._dataset.get("r_squared")

    @property
    def base_values(self) -> xr.DataArray:
        """Mean explained output over the background, with each sample's own mask, (sample,).

        After `lime_values` the intercept of its linear model.
        """
        return self._dataset["base_values"]

    @property
    def predictions(self) -> xr.DataArray:
        """The explained output, on the explained scale, (sample,)."""
        return self._dataset["predictions"]

    @property
    def gaps(self) -> xr.DataArray:
        """``predictions - base_values - sum of all values``, (sample,): the part left out."""
        kept = self.base_values.dims
        explained = self.values.sum([d for d in self.values.dims if d not in kept])
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
        """What was to be predicted, (sample,), or None; of several targets the explained one."""
        return self._dataset.get("target")

    @property
    def labels(self) -> dict[str, dict[float, str]]:
        """What the codes of static facts stand for, by the fact's name."""
        labels = json.loads(self._dataset.attrs.get("labels", "{}"))
        return {n: {float(c): text for c, text in texts.items()} for n, texts in labels.items()}

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
        """Name of the explained output of each sample, (sample,); of several, their names."""
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
    def value_name(self) -> str:
        """What a value is called: "LIME value" after `lime_values`, else "SHAP value"."""
        return "LIME value" if self.provenance.get("method") == "LIME" else "SHAP value"

    @property
    def background(self) -> str:
        """What stood for "absent"."""
        return self.provenance["background"]

    @property
    def level(self) -> str:
        """What there is one value for: "cell", "time", "feature", "window", ..."""
        return LEVELS[tuple(str(d) for d in self.values.dims if d != "output")]

    # -- several outputs ---------------------------------------------------------------------------
    def for_output(self, output: str | int) -> Explanation:
        """Return one of several explained outputs, by name or position.

        Figures, tables and checks take one output. Explaining ``output="all"`` or a list gives
        values (sample, output, time, feature).
        """
        return Explanation(of_output(self._dataset, output))

    def check_one_output(self) -> Explanation:
        """Return the explanation; raise if it is of several outputs."""
        if "output" in self.values.dims:
            names = self.output.values.tolist()
            raise ValueError(
                f"Expected an explanation of one output; this one has {len(names)}: {names[:8]}. "
                f"Choose one: explanation.for_output({names[0]!r})."
            )
        return self

    # -- coarser views -----------------------------------------------------------------------------
    def over_time(self) -> Explanation:
        """One value per step (or window): the features are summed."""
        return self._summed("feature", "over_time")

    def over_features(self) -> Explanation:
        """One value per feature: the steps (or windows) are summed."""
        return self._summed("window" if "window" in self.values.dims else "time", "over_features")

    def over_variables(self) -> Explanation:
        """One value per variable: that of its value, and of whether and when it was measured.

        The data beside it is NaN where nothing was measured. `parts_of` has the three values.
        Where no feature is a part of a variable, each is one, and this explanation is returned.
        """
        if "variable" not in self._dataset and "feature" in self.values.dims:
            return self
        names, positions = self._variables()
        data, units = self.data, self._dataset["unit"].values

        def by_variable(values: xr.DataArray) -> Any:
            axis = values.dims.index("feature")
            sums = [values.values.take(columns, axis=axis).sum(axis=axis) for columns in positions]
            return values.dims, np.stack(sums, axis=axis), values.attrs

        first = [columns[0] for columns in positions]
        measured = data.values[..., [columns[1] for columns in positions]] > 0.5
        dataset = self._dataset.drop_dims("feature").assign(
            **{name: by_variable(values) for name, values in self._each()},
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
        sums = np.stack([self.values.values[..., c[1:]].sum(-1) for c in positions], axis=-1)
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
                f"values per {self.level}, of features that are no parts. Call it before summing."
            )
        owners = self._dataset["variable"].values.astype(str)
        names = list(dict.fromkeys(owners.tolist()))
        return names, [np.flatnonzero(owners == name) for name in names]

    def over_windows(self, length: int) -> Explanation:
        """Values summed over windows of `length` steps, from the first step on."""
        self._need("time", "over_windows")
        check_whole(least=1, length=length)
        num_steps = self.values.sizes["time"]
        labels = xr.DataArray(window_labels(num_steps, length), dims="window", name="window")

        def windows(values: xr.DataArray) -> xr.DataArray:
            starts = range(0, num_steps, length)
            sums = [values.isel(time=slice(a, a + length)).sum("time") for a in starts]
            order = [d if d != "time" else "window" for d in values.dims]
            return xr.concat(sums, dim=labels).transpose(*order)

        return self._with_values(windows)

    def _summed(self, dimension: str, verb: str) -> Explanation:
        self._need(dimension, verb)
        return self._with_values(lambda values: values.sum(dimension))

    def _need(self, dimension: str, verb: str) -> None:
        if dimension not in self.values.dims:
            raise ValueError(
                f"Expected values with a {dimension} dimension for {verb}(); received values per "
                f"{self.level}. Call it on the explanation that these values were summed from."
            )

    def _with_values(self, made_of: Callable[[xr.DataArray], xr.DataArray]) -> Explanation:
        dataset = self._dataset.drop_vars("standard_errors", errors="ignore")
        made = {name: made_of(values).assign_attrs(values.attrs) for name, values in self._each()}
        return Explanation(dataset.assign(made))

    def _each(self) -> list[tuple[str, xr.DataArray]]:
        """Return the values by name, and those of the members where there are several models."""
        both = "values", "member_values"
        return [(name, self._dataset[name]) for name in both if name in self._dataset]

    # -- selecting -------------------------------------------------------------------------------
    def __len__(self) -> int:
        return self.values.sizes["sample"]

    def __getitem__(
        self, key: int | str | date | slice | list[int] | list[str] | np.ndarray
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
        return cls(joined([part._dataset for part in parts]))

    def __repr__(self) -> str:
        sizes = " x ".join(
            f"{size} {'step' if name == 'time' else name}{'' if size == 1 else 's'}"
            for name, size in self.values.sizes.items()
        )
        gap = float(np.abs(self.gaps).max()) if len(self) else 0.0
        members = self.provenance.get("members", 1)
        return (
            f"Explanation of the {self.scale} by {self.provenance['method']}: {sizes}; "
            f"absent means {self.background}; largest gap {gap:.2g}"
            f"{f'; mean of {members} models' * (members > 1)}"
        )

    def _repr_html_(self) -> str:
        from .page import page_of

        return page_of(self)

    # -- taking it elsewhere -----------------------------------------------------------------------
    def to_dataset(self) -> xr.Dataset:
        """Return everything as one ``xarray.Dataset``."""
        return self._dataset

    def to_frame(self, *, static: bool = False) -> pd.DataFrame:
        """Return a long table: one row per value on a real step, with the data beside it.

        Parameters
        ----------
        static : bool
            Of the static facts instead, which have no steps: one row per fact. Codes that have
            labels are written by them, "female" in place of 1.
        """
        return frame_of(self, static)

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
        return shap_of(self)

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
