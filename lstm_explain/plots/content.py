"""Titles, notes, rows and axes of an ``Explanation``, ready to draw."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..arguments import check_whole
from ..attribution.cohorts import groups_alike
from ..attribution.explanation import Explanation
from ..inspection.outputs import as_probability
from ..wording import decimals, fixed, percent, plain, told_apart, with_unit


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
def explained(explanation: Explanation) -> str:
    """Return what is explained: "log-odds of died", "probability of died", "price [EUR]".

    Of two classes contrasted, "difference of the probabilities died-survived".
    """
    names = sorted({str(name) for name in explanation.output.values})
    name = plain(names[0], 40) if len(names) == 1 else "each predicted class"
    if explanation.scale == "margin":
        return f"log-odds of {name}"
    if explanation.scale == "probability":
        facts = explanation.provenance | {"step": "last"}
        is_contrast = as_probability(np.zeros(0), np.array(names), facts) is None
        return f"{'difference of the probabilities' if is_contrast else 'probability of'} {name}"
    return with_unit(name, _attribute(explanation, "target_unit", ""), 50)


def read_prediction(shown: float, probability: bool, difference: float) -> str:
    """Write a prediction, 23 % or 1.25, with the digits that its difference to another one needs.

    Without a difference, with those that it needs itself; a probability also to differ from 100 %.

    Examples
    --------
    >>> read_prediction(1.2345, False, 0.1), read_prediction(0.01234, False, 0.0)
    ('1.23', '0.012')
    """
    if not probability:
        return fixed(shown, decimals(difference or shown, shown))
    if not difference:
        return percent(shown, max(decimals(100 * min(shown, 1 - shown)) - 1, 1))
    return percent(shown, max(decimals(100 * difference, 100 * shown) - 1, 0))


def differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Tell where data differ by more than two of the last digits of float32."""
    return ~np.isclose(first, second, rtol=2.0**-22, atol=0, equal_nan=True)


def equation(explanation: Explanation) -> list[str]:
    """Return how the prediction of one sample adds up, in parts that belong on one line."""
    prediction, base = explanation.predictions.item(), explanation.base_values.item()
    gap = explanation.gaps.item()
    total = prediction - base - gap
    # With one decimal more where that makes it add up as it is written; else its sum gives way.
    least = decimals(total, max(abs(prediction), abs(base)))
    for places in range(least, least + 2):
        rest = round(prediction, places) - round(base, places) - round(gap, places)
        if round(rest - round(total, places), places) == 0:
            break
    total = rest
    parts = [
        f"{explained(explanation)}:",
        f"prediction {fixed(prediction, places)}",
        f"= base value {fixed(base, places)}",
        f"+ SHAP values {fixed(total, places, sign=True)}",
    ]
    return [*parts, f"+ gap {fixed(gap, places, sign=True)}"] if round(gap, places) else parts


def circumstances(explanation: Explanation) -> list[str]:
    """Return the notes of one sample: its name, its true target, and what stood for "absent"."""
    parts = [_whose(explanation), _truth(explanation), absent(explanation)]
    if explanation.standard_errors is not None:
        parts.append("thin lines: ± 1 standard error")
    return [part for part in parts if part]


def absent(explanation: Explanation) -> str:
    """Return what stood for "absent", with its numbers grouped: 100 of 2,118 sequences."""
    text = re.sub(r"\bof (\d{4,})\b", lambda m: f"of {int(m[1]):,}", explanation.background)
    return f"absent = {plain(text, 90)}"


def summary_heading(explanation: Explanation) -> tuple[list[str], list[str]]:
    """Return title and notes of a figure of many samples, in parts that belong on one line."""
    count = len(explanation)
    samples = f"{count:,} sample{'s' * (count != 1)}"
    title = [f"{explained(explanation)}:", f"mean |SHAP value| over {samples}"]
    data = plain(explanation.provenance.get("data", ""), 30)
    alike, whose = groups_alike(explanation)
    groups = len(np.unique(alike))
    interval = "lines on bars: 95 % bootstrap interval" if count > 1 else ""
    if groups < count:
        interval += f" over {groups:,} {whose}s" if groups > 1 else f": none, of one {whose}"
    return title, [part for part in (data, absent(explanation), interval) if part]


def _whose(explanation: Explanation) -> str:
    data = plain(explanation.provenance.get("data", ""), 30)
    number = explanation.values["sample"].item()
    if explanation.ids is not None:
        return f"{data} {plain(explanation.ids.values[0], 30)}".strip()
    return f"{data} sample {number}".strip()


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
    """Return the steps of one sample from its first real one to its last."""
    real = np.flatnonzero(explanation.mask.values[0])
    return slice(int(real[0]), int(real[-1]) + 1)


def times_of(explanation: Explanation) -> tuple[np.ndarray, str]:
    """Return dates or numbers of the real steps of one sample, and what they are called."""
    name = plain(_attribute(explanation, "time_name", "step"), 30)
    steps = real_steps(explanation)
    if explanation.times is not None:
        return explanation.times.values[0][steps], name
    return np.arange(steps.start, steps.stop) + 1, name


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
    pairs = zip(explanation.feature_names, explanation.units, strict=True)
    return [with_unit(name, unit) for name, unit in pairs]


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
        return [with_unit(name, unit) for name, unit in zip(names, units, strict=True)]
    facts = explanation.static_data.values
    return fact_labels(names, units, facts[0], facts[-1])


def fact_labels(
    names: Iterable[object], units: Iterable[object], before: np.ndarray, now: np.ndarray
) -> list[str]:
    """Return static facts as text, before and after a change."""
    labels = []
    for name, unit, first, last in zip(names, units, before, now, strict=True):
        both = [first, last] if differ(first, last) else [first]
        change = " → ".join(told_apart(both, digits=4))
        labels.append(f"{plain(name, 18)} = {change} {plain(unit, 10)}".rstrip())
    return labels


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
