"""``smallest_change``: the smallest change of one variable that changes the model's decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arguments import check_model, check_number
from ..sequences.data import SequenceData, check_data
from ..sequences.editing import columns_of
from ..sequences.scaling import chart_of, unscaled
from ..wording import label_of, number, told_apart
from .confirmation import see
from .observation import inspect
from .outputs import decisions, last_outputs

_GRID = 129
_BISECTIONS = 24


@dataclass(frozen=True)
class Flip:
    """The result of `smallest_change`.

    Attributes
    ----------
    name : str
        The variable or static fact.
    value : float or None
        The value that flips the decision, in original units; None if none in the range does.
    low, high : float
        The range that was searched: that of the training data.
    before, after : str
        The decisions, as class names or "above"/"not above" the threshold.
    distance : float or None
        Root mean square change over the steps, in original units; None for codes.
    labels : mapping of number to str
        Of a static fact that is a code: what the codes that were tried stand for.
    """

    name: str
    value: float | None
    low: float
    high: float
    before: str
    after: str
    distance: float | None
    labels: Mapping[float, str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether a value in the range flips the decision."""
        return self.value is not None

    def __repr__(self) -> str:
        if self.labels:
            if self.value is None:
                tried = ", ".join(self.labels.values())
                return f"No value of {self.name} ({tried}) changes the decision ({self.before})."
            text = self.labels[self.value]
            return f"{self.name}: {text} changes the decision from {self.before} to {self.after}."
        values = [] if self.value is None else [self.value]
        low, high, *value = told_apart([self.low, self.high, *values], digits=4)
        span = f"from {low} to {high} (the range of the training data)"
        if self.value is None:
            return f"No value of {self.name} {span} changes the decision ({self.before})."
        return (
            f"{self.name} = {value[0]} changes the decision from {self.before} to "
            f"{self.after}; no smaller change {span} does."
        )


def smallest_change(
    model: Any,
    sample: SequenceData,
    name: str,
    *,
    training: SequenceData,
    steps: Any = None,
    threshold: float | None = None,
) -> Flip:
    """Find the smallest change of a variable that flips the model's decision.

    The variable is set to one value at all `steps`; everything else stays. 129 values over the
    range of the training data are tried, and the edges of the intervals that flip the decision are
    refined by bisection. An interval narrower than the grid can be missed. The result is about the
    model's decision, not about what would have happened.

    Of a static fact whose codes have labels the codes of the training data are tried, and no number
    between them; of several that flip the decision the first is returned.

    Parameters
    ----------
    model : keras.Model
    sample : SequenceData
        One sample.
    name : str
        A variable (without indicators: a feature) or a static fact.
    training : SequenceData
        Gives the range of values; usually ``data.train``.
    steps : int, slice, sequence of int, "measured" or None
        Steps of the sequence, from 0 on; negative ones from its end. "measured": those at which it
        was measured. None: all steps. Not for static facts.
    threshold : float, optional
        Of a predicted value, in its own units: needed where the model predicts a value. Of two
        classes, in log-odds; by default 0, a probability of one half.

    Returns
    -------
    Flip

    Raises
    ------
    ValueError
        Not one sample, an unknown name, no threshold for a predicted value, or several values.

    References
    ----------
    Wachter, Mittelstadt and Russell (2018), "Counterfactual explanations without opening the black
    box", Harvard Journal of Law & Technology 31, equation 1, for one variable.

    Examples
    --------
    >>> smallest_change(model, patient, "lactate", training=data.train, steps=30)  # doctest: +SKIP
    lactate = 3.1 changes the decision from survived to died: ...
    """
    check_model(model)
    check_data(sample=sample, training=training)
    check_number(optional=True, threshold=threshold)
    if len(sample) != 1:
        raise ValueError(
            f"Expected one sample to change; received {len(sample)}. Take one: data.test[3]."
        )
    low, high = training_range(training, name)
    anatomy = inspect(model, sample)
    if anatomy.link == "identity" and anatomy.num_outputs > 1:
        raise ValueError(
            f"Expected a model with one value or with classes; received one with "
            f"{anatomy.num_outputs} values. Build a model on the value that you mean."
        )
    if anatomy.link in ("sigmoid", "binary logits") and anatomy.num_outputs > 1:
        raise ValueError(
            f"Expected classes of which one is decided for; received {anatomy.num_outputs} labels, "
            "each decided on its own. Build a model on the label that you mean: "
            "keras.Model(model.inputs, model.outputs[0][:, 0:1])."
        )
    if anatomy.link == "identity" and threshold is None:
        raise ValueError(
            "Expected a threshold, because the model predicts a value and decides nothing; "
            "received none. Give the value above which you would decide otherwise: threshold=0.5."
        )
    sample.change(name, low, steps)  # raises where the name or the steps do not fit
    current = values_read(sample, name, steps)
    middle = float(np.clip(current.mean(), low, high))
    grid = np.unique(np.append(np.linspace(low, high, _GRID - 1), middle))
    labels = _labels_of(training, name)

    def decide(values: np.ndarray) -> np.ndarray:
        # Always as many rows: other shapes would be traced anew.
        many = _with_values(sample, name, values, steps)[np.arange(_GRID) % len(values)]
        _, compiled, subject = see(anatomy, many, "margin", _GRID)
        raw = last_outputs(compiled.outputs(subject, _GRID), subject.mask)
        return decisions(raw, threshold)[: len(values)]

    def cost(values: np.ndarray) -> np.ndarray:
        return np.sqrt(((values[:, None] - current) ** 2).mean(axis=1))

    before = decision(anatomy, sample, threshold)
    names = _names(anatomy.num_outputs, anatomy.link == "identity", sample, threshold)
    if labels:
        parts = np.split(codes := np.array([*labels]), range(_GRID, len(labels), _GRID))
        decided = np.concatenate([decide(part) for part in parts])
        flips = np.flatnonzero(decided != before)
        value = float(codes[flips[0]]) if len(flips) else None
        after = int(decided[flips[0]]) if len(flips) else before
        return Flip(name, value, low, high, names[before], names[after], None, labels)
    candidates = _refine(grid, decide(grid), before, decide)
    if not len(candidates):
        return Flip(name, None, low, high, names[before], names[before], None)
    best = float(candidates[cost(candidates).argmin()])
    after = int(decide(np.array([best]))[0])
    distance = float(cost(np.array([best]))[0])
    return Flip(name, best, low, high, names[before], names[after], distance)


def training_range(training: SequenceData, name: str) -> tuple[float, float]:
    """Return the smallest and the largest measured value of a variable or fact, in its units.

    Examples
    --------
    >>> data = SequenceData.from_arrays([[[4.0], [5.0]]], feature_names=["lactate"])
    >>> training_range(data, "lactate")
    (4.0, 5.0)
    """
    if name in training.static_names:
        numbers = values_read(training, name, None)
    else:
        columns = columns_of(training, name)
        real = training.values[training.mask][:, columns]
        chart = unscaled(real, training.center[columns], training.scale[columns])
        numbers = chart_of(chart)[:, 0] if training.variables else chart[:, 0]
        numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        raise ValueError(
            f"Expected {name!r} to be measured somewhere in the training data; it never is. "
            "Choose another variable."
        )
    return float(numbers.min()), float(numbers.max())


def _labels_of(training: SequenceData, name: str) -> dict[float, str]:
    """Return the codes of a static fact that training has, with labels; none where it has none."""
    texts = training.labels.get(name)
    if not texts:
        return {}
    codes = np.unique(np.round(values_read(training, name, None), 4))  # standardised and back
    return {float(code): label_of(code, texts) or number(code) for code in codes}


def values_read(data: SequenceData, name: str, steps: Any) -> np.ndarray:
    """Return the values of a variable at some steps of one sample, in its units, as a model reads.

    Where a variable was not measured, that is its last value. A static fact has no steps: its value
    of each sample is returned.
    """
    if name in data.static_names:
        facts = data.display_static
        return np.zeros(0) if facts is None else facts[:, data.static_names.index(name)]
    values = data.display_values[0, data.mask[0]][:, columns_of(data, name)]
    if isinstance(steps, str):
        return values[is_measured(data, name), 0]
    return values[:, 0] if steps is None else np.atleast_1d(values[steps, 0])


def is_measured(data: SequenceData, name: str) -> np.ndarray:
    """Return at which steps of one sample a variable was measured."""
    values = data.display_values[0, data.mask[0]][:, columns_of(data, name)]
    return ~np.isnan(chart_of(values)[:, 0] if data.variables else values[:, 0])


def _with_values(sample: SequenceData, name: str, values: np.ndarray, steps: Any) -> SequenceData:
    """Return one copy of the sample for each value."""
    versions = [sample.change(name, float(value), steps) for value in values]
    many = sample[np.zeros(len(values), int)]
    static = None if sample.static is None else np.concatenate([v.static for v in versions])
    return replace(many, values=np.concatenate([v.values for v in versions]), static=static)


def decision(anatomy: Any, sample: SequenceData, threshold: float | None) -> int:
    """Return which class a model decides for, or whether a value lies above the threshold."""
    _, compiled, subject = see(anatomy, sample, "margin", 1)
    raw = last_outputs(compiled.outputs(subject, 1), subject.mask)
    return int(decisions(raw, threshold)[0])


def _refine(grid: np.ndarray, decided: np.ndarray, before: int, decide: Any) -> np.ndarray:
    """Return the values that flip the decision: those of the grid, and the refined edges."""
    flipped = decided != before
    edges = np.flatnonzero(flipped[1:] != flipped[:-1])
    inside = np.where(flipped[edges], grid[edges], grid[edges + 1])
    outside = np.where(flipped[edges], grid[edges + 1], grid[edges])
    for _ in range(_BISECTIONS if len(edges) else 0):
        middle = (inside + outside) / 2
        flips = decide(middle) != before
        inside, outside = np.where(flips, middle, inside), np.where(flips, outside, middle)
    return np.concatenate([grid[flipped], inside])


def _names(
    outputs: int, is_value: bool, sample: SequenceData, threshold: float | None
) -> list[str]:
    if is_value:
        what = f"{sample.target_name} above {number(threshold or 0.0)}"
        return [f"not {what}", what]
    count = max(outputs, 2)
    if len(sample.class_names) == count and not sample.target_names:
        return list(sample.class_names)
    return [f"class {position}" for position in range(count)]
