"""Titles, notes, rows and axes of an ``Explanation``, ready to draw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..arguments import check_whole
from ..attribution.cohorts import groups_alike
from ..attribution.explanation import Explanation
from ..attribution.reading import background_text, subject_and_scale
from ..attribution.reading import equation as equation
from ..attribution.reading import explained as explained
from ..attribution.reading import read_prediction as read_prediction
from ..attribution.reading import subject as subject
from ..sequences.step_names import names_of_windows
from ..wording import decimals, fact_text, fixed, plain, row_names


@dataclass(frozen=True)
class Rows:
    """Named rows of numbers, the most important first.

    ``values`` is (row, column); ``order`` has the position of each row in the input, -1 for the
    sum of the less important rows.
    """

    names: list[str]
    values: np.ndarray
    order: list[int]

    @property
    def named(self) -> np.ndarray:
        """Return the rows that stand for one feature each."""
        return self.values[[i >= 0 for i in self.order]]


# -- what the numbers are of -----------------------------------------------------------------------
def differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Tell where data differ by more than two of the last digits of float32."""
    return ~np.isclose(first, second, rtol=2.0**-22, atol=0, equal_nan=True)


def circumstances(explanation: Explanation) -> list[str]:
    """Return the notes of one sample: its name, its true target, and what stood for "absent"."""
    parts = [_whose(explanation), _truth(explanation), absent(explanation)]
    if explanation.standard_errors is not None:
        parts.append("thin lines: ± 1 standard error")
    return [part for part in parts if part]


def absent(explanation: Explanation) -> str:
    """Return what stood for "absent"."""
    return f"absent = {plain(background_text(explanation), 90)}"


def summary_heading(explanation: Explanation) -> tuple[list[str], list[str]]:
    """Return title and notes of a figure of many samples, in parts that belong on one line."""
    count = len(explanation)
    samples = f"{count:,} sample{'s' * (count != 1)}"
    title = [f"{subject_and_scale(explanation)}:", f"mean |SHAP value| over {samples}"]
    data = plain(explanation.provenance.get("data", ""), 30)
    alike, whose = groups_alike(explanation)
    groups = len(np.unique(alike))
    interval = "lines on bars: 95 % bootstrap interval" if count > 1 else ""
    if groups < count:
        interval += f" over {groups:,} {whose}s" if groups > 1 else f": none, of one {whose}"
    return title, [part for part in (data, absent(explanation), interval) if part]


def _whose(explanation: Explanation) -> str:
    data = plain(explanation.provenance.get("data", ""), 30)
    number, times = explanation.values["sample"].item(), explanation.times
    if explanation.ids is not None:
        return f"{data} {plain(explanation.ids.values[0], 30)}".strip()
    if times is not None and "window_step" in explanation.to_dataset().attrs:
        return f"{data} to {names_of_windows(times.values, explanation.mask.values)[0]}".strip()
    return f"{data.removesuffix('sample').strip()} sample {number}".strip()


def _truth(explanation: Explanation) -> str:
    if explanation.target is None:
        return ""
    target = explanation.target.values[0]
    if isinstance(target, str):
        return f"true class: {plain(target, 40)}"
    if not np.isfinite(target):
        return ""
    return f"true value {fixed(float(target), decimals(float(target), float(target)))}"


def _attribute(explanation: Explanation, name: str, default: str) -> str:
    return str(explanation.to_dataset().attrs.get(name, default))


# -- time ------------------------------------------------------------------------------------------
def real_steps(explanation: Explanation) -> slice:
    """Return the steps from the first one that is real in any sample to the last."""
    real = np.flatnonzero(explanation.mask.values.any(axis=0))
    return slice(int(real[0]), int(real[-1]) + 1)


def times_of(explanation: Explanation) -> tuple[np.ndarray, str]:
    """Return dates or numbers of the real steps, and what they are called.

    Where samples have different ones at the same step, as of two patients, no date is true of all:
    the steps are counted, and the name says why.
    """
    name = plain(_attribute(explanation, "time_name", "step"), 30)
    steps = real_steps(explanation)
    numbers = np.arange(steps.start, steps.stop) + 1
    if explanation.times is None:
        return numbers, name
    times, real = explanation.times.values[:, steps], explanation.mask.values[:, steps]
    shared = times[real.argmax(axis=0), np.arange(len(numbers))]
    if (real & (times != shared)).any():
        return numbers, f"step (the samples differ in {name})"
    return shared, name


def edges_of(explanation: Explanation) -> tuple[slice, np.ndarray]:
    """Return which columns of the values hold real steps, and where each begins and ends.

    Edges count steps from the first real one; step 0 lies between -0.5 and 0.5.
    """
    steps = real_steps(explanation)
    if "time" in explanation.values.dims:
        return steps, np.arange(steps.stop - steps.start + 1) - 0.5
    starts = np.array([int(re.split("-", str(w))[0]) for w in explanation.values["window"].values])
    ends = np.append(starts[1:], explanation.mask.sizes["time"])
    real = np.flatnonzero((ends > steps.start) & (starts < steps.stop))
    columns = slice(int(real[0]), int(real[-1]) + 1)
    edges = np.clip(np.append(starts[columns], ends[real[-1]]), steps.start, steps.stop)
    return columns, edges - steps.start - 0.5


# -- rows ------------------------------------------------------------------------------------------
def feature_labels(explanation: Explanation) -> list[str]:
    """Return names of the features with their units."""
    return row_names(explanation.feature_names, explanation.units)


def static_labels(explanation: Explanation, with_data: bool) -> list[str]:
    """Return names of the static facts with units, or with the facts of the first sample.

    Where those of the last sample are others, they follow: "age = 64 → 70 years".
    """
    if explanation.static_values is None:
        return []
    names = explanation.static_values["static_feature"].values
    dataset = explanation.to_dataset()
    units = dataset["static_unit"].values if "static_unit" in dataset else [""] * len(names)
    if not with_data or explanation.static_data is None:
        return row_names(list(names), list(units))
    facts = explanation.static_data.values
    return fact_labels(names, units, facts[0], facts[-1], explanation.labels)


def fact_labels(
    names: Iterable[object],
    units: Iterable[object],
    before: np.ndarray,
    now: np.ndarray,
    labels: Mapping[str, Mapping[float, str]] = {},
) -> list[str]:
    """Return static facts as text, before and after a change."""
    return [
        fact_text(name, [first, last] if differ(first, last) else [first], unit, labels.get(name))
        for name, unit, first, last in zip(map(str, names), units, before, now, strict=True)
    ]


def most_important(
    names: list[str], values: np.ndarray, most: int, importance: np.ndarray | None = None
) -> Rows:
    """Order rows by importance; sum all but the first `most` into one.

    Parameters
    ----------
    names : list of str
    values : array (row, column)
    most : int
        One row more is drawn as it is: "other (1)" would need the same space.
    importance : array (row,), optional
        By default the sum of absolute values.
    """
    check_whole(least=1, max_features=most)
    importance = np.abs(values).sum(axis=1) if importance is None else importance
    order = np.argsort(-importance, kind="stable")
    if len(order) <= most + 1:
        return Rows([names[i] for i in order], values[order], order.tolist())
    first, others = order[:most], order[most:]
    return Rows(
        [*(names[i] for i in first), f"other ({len(others)})"],
        np.vstack([values[first], values[others].sum(axis=0)]),
        [*first.tolist(), -1],
    )


def grouped(numbers: np.ndarray, order: list[int]) -> np.ndarray:
    """Sum columns as `most_important` summed rows: (sample, feature) to (sample, row)."""
    others = np.setdiff1d(np.arange(numbers.shape[1]), order)
    columns = [numbers[:, others].sum(axis=1) if i < 0 else numbers[:, i] for i in order]
    return np.stack(columns, axis=1)


def without_padding(explanation: Explanation, columns: slice, rows: Rows) -> Rows:
    """Return the rows with NaN where a step between real ones is padding."""
    if "time" not in explanation.values.dims:
        return rows
    real = explanation.mask.values[0, columns]
    return replace(rows, values=np.where(real, rows.values, np.nan))


def static_rows(explanation: Explanation, values: np.ndarray | None, most: int = 8) -> Rows:
    """Return a row per static fact, most important first, of `values` (static feature,) or None."""
    if values is None or values.size == 0:
        return Rows([], np.zeros((0, 1)), [])
    names = static_labels(explanation, with_data=len(explanation) == 1)
    return most_important(names, values[:, None], most)
