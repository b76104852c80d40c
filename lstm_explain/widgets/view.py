"""What the picture of the explorer of numbers shows, in arrays and sentences: before and now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..attribution.explanation import Explanation
from ..inspection.outputs import as_probability
from ..plots import content
from ..plots.style import limit_of
from ..sequences.step_names import phrase
from ..wording import decimals, fixed, number, plain

_MOST_ROWS, _MOST_FACTS = 8, 4


@dataclass(frozen=True)
class View:
    """One sample before and after changes, ready to draw. Pairs are (before, now).

    Attributes
    ----------
    label : str
        What "before" is: "as recorded" or "pinned".
    subject : str
        Whose prediction it is, and what was true.
    explained : str
        What is explained, such as "log-odds of died".
    output : str
        Name of the explained class or value.
    times, time_name
        Of the steps, for the axis.
    names, values : list of str, array (2, row, step)
        SHAP values of the variables, the most important before on top; NaN on padding.
    rows, cells : list of (name, unit), array (2, row, step)
        The variables of the rows and their data; NaN where not measured. ("", "") and NaN for the
        row that sums the others.
    measured : bool array (2, row, step)
        Where a variable was measured; all False where the data has no gaps.
    facts, fact_values : list of str, array (2, fact)
        Static facts that matter most, with what they were and are, and their SHAP values.
    variable, unit, data : str, str, array (2, step)
        The variable that the reader is looking at, in its units; NaN where not measured.
    moved, moved_variable : bool arrays (step,)
        Steps at which any variable was changed, and at which this one was.
    attention : array (2, step) or None
    shown : array (2,)
        The predictions as they are read: probabilities where they are some.
    probability : bool
        Whether `shown` is a probability.
    """

    label: str
    subject: str
    explained: str
    output: str
    times: np.ndarray
    time_name: str
    names: list[str]
    values: np.ndarray
    rows: list[tuple[str, str]]
    cells: np.ndarray
    measured: np.ndarray
    facts: list[str]
    fact_values: np.ndarray
    variable: str
    unit: str
    data: np.ndarray
    moved: np.ndarray
    moved_variable: np.ndarray
    attention: np.ndarray | None
    shown: np.ndarray
    probability: bool

    @property
    def differs(self) -> bool:
        """Whether anything is other now than before."""
        pairs = (self.data, self.values, self.fact_values, self.shown)
        return bool(self.moved.any()) or any(content.differ(*pair).any() for pair in pairs)

    @property
    def change(self) -> np.ndarray:
        """SHAP values now less those before, (row, step)."""
        return self.values[1] - self.values[0]

    def when(self, step: int) -> str:
        """Return what stands after "at" in a sentence on a step."""
        return phrase(self.times, self.time_name, step)

    def text(self, which: int) -> str:
        """Return a prediction as it is read: 23 % or 1.25."""
        difference = float(np.ptp(self.shown))
        return content.read_prediction(float(self.shown[which]), self.probability, difference)


def view_of(before: Explanation, now: Explanation, variable: str, label: str) -> View:
    """Return what the picture shows of two explanations of one sample.

    Parameters
    ----------
    before, now : Explanation
        One sample each, with the same steps and the same output, and one value per variable.
    variable, label : str
        Which variable's data to show, and what "before" is.
    """
    first, pair = before, (before, now)
    steps = content.real_steps(first)
    data = np.stack([one.data.values[0, steps] for one in pair])
    names = content.feature_labels(first)
    values = [one.values.values[0, steps] for one in pair]
    rows = content.most_important(names, values[0].T, _MOST_ROWS)
    known = ~np.isnan(data).transpose(0, 2, 1)
    gaps = not known.all()
    units = [("", ""), *zip(first.feature_names, map(str, first.units), strict=True)]
    cells = np.stack(
        [data[..., i] if i >= 0 else np.full(data.shape[:2], np.nan) for i in rows.order], 1
    )
    dots = np.stack([known[:, i] if i >= 0 and gaps else 0 * known[:, 0] for i in rows.order], 1)
    shown = first.feature_names.index(variable)
    looks = [one.attention.values[0, steps] for one in pair if one.attention is not None]
    predictions = np.array([one.predictions.item() for one in pair])
    chances = as_probability(predictions, first.output.values, first.provenance)
    times, time_name = content.times_of(first)
    facts, fact_values = _facts(before, now)
    differ = content.differ(*data)
    return View(
        label=label,
        subject="  ·  ".join(content.circumstances(first)),
        explained=content.explained(first),
        output=plain(first.output.values[0], 40),
        times=times,
        time_name=time_name,
        names=rows.names,
        values=np.stack([content.grouped(one, rows.order).T for one in values]),
        rows=[units[i + 1] for i in rows.order],
        cells=cells,
        measured=dots.astype(bool),
        facts=facts,
        fact_values=fact_values,
        variable=variable,
        unit=str(first.units[shown]),
        data=data[:, :, shown],
        moved=np.any(differ, axis=1),
        moved_variable=differ[:, shown],
        attention=np.stack(looks) if len(looks) == 2 else None,
        shown=predictions if chances is None else chances,
        probability=chances is not None,
    )


def from_to(before: str, now: str) -> str:
    """Write a prediction before and after changes, once where it stays.

    Examples
    --------
    >>> from_to("23 %", "31 %"), from_to("23 %", "23 %")
    ('23 % → 31 %', '23 %')
    """
    return now if before == now else f"{before} → {now}"


def cut_note(read: int, typed: int) -> str:
    """Say that the end of a text is not read; nothing where all of it is.

    Examples
    --------
    >>> cut_note(40, 2400), cut_note(3, 3)
    ('Only the first 40 of 2,400 words are read.', '')
    """
    return f"Only the first {read:,} of {typed:,} words are read." if read < typed else ""


def heading(view: View) -> str:
    """Say in one line what the changes did to the prediction."""
    what = f"probability of {view.output}" if view.probability else f"predicted {view.explained}"
    return f"{what}: {from_to(view.text(0), view.text(1))}"


def sentence(view: View) -> str:
    """Say in words what the picture shows, for readers who do not see it."""
    what = f"The predicted probability of {view.output}" if view.probability else "The prediction"
    sums = np.nansum(view.values, axis=2)
    if not view.moved.any() and np.array_equal(view.shown[0], view.shown[1]):
        largest = np.argsort(-np.abs(sums[1]))[:3]
        parts = ", ".join(_signed(view.names[i], sums[1, i], sums) for i in largest)
        return f"{what} is {view.text(1)}. Largest sums of SHAP values: {parts}.{_attention(view)}"
    moves = np.concatenate([sums[1] - sums[0], view.fact_values[1] - view.fact_values[0]])
    names = [*view.names, *view.facts]
    top = [i for i in np.argsort(-np.abs(moves), kind="stable")[:3] if abs(moves[i]) > 0]
    parts = ", ".join(_signed(names[i], moves[i], sums) for i in top) or "none"
    verb = "stays at" if view.text(0) == view.text(1) else f"goes from {view.text(0)} to"
    return (
        f"{what} {verb} {view.text(1)} ({view.label} against now). SHAP values that changed most: "
        f"{parts}.{_attention(view)}"
    )


def reading(view: View, panel: str, row: int, step: int) -> str:
    """Say what stands at a step of a panel: "lactate at step 3: 2.1 mmol/L; SHAP value +0.12"."""
    when = view.when(step)
    if panel == "attention":
        weights = np.nansum(view.values, axis=1) if view.attention is None else view.attention
        what = "SHAP values" if view.attention is None else "attention"
        return f"{what} at {when}: {number(weights[1, step], 3)}"
    if panel == "data":
        return f"{view.variable} at {when}: {_measured(view.data[:, step], view.unit)}"
    name, unit = view.rows[row]
    values = view.values[1, row] if panel == "now" else view.change[row]
    what = "SHAP value" if panel == "now" else "change of the SHAP value"
    shap = f"{what} {fixed(values[step], decimals(values[step], limit_of(view.values)), sign=True)}"
    if not name:
        return f"{view.names[row]} at {when}: {shap}"
    return f"{name} at {when}: {_measured(view.cells[:, row, step], unit)}; {shap}"


def _measured(pair: np.ndarray, unit: str) -> str:
    """Write a number before and after a change, with its unit."""
    texts = ["not measured" if np.isnan(one) else f"{number(one)} {unit}".strip() for one in pair]
    return from_to(*texts)


def _attention(view: View) -> str:
    if view.attention is None:
        return ""
    before, now = (int(weights.argmax()) for weights in view.attention)
    if before == now:
        return f" Attention is highest at {view.when(now)}."
    return f" Attention is highest at {view.when(now)}; before, at {view.when(before)}."


def _signed(name: str, value: float, beside: np.ndarray) -> str:
    return f"{name} {fixed(value, decimals(value, limit_of(beside)), sign=True)}"


def _facts(first: Explanation, second: Explanation) -> tuple[list[str], np.ndarray]:
    """Return the static facts that matter most, "age = 64 → 70", and their values (2, fact)."""
    pair = [one.static_values for one in (first, second) if one.static_values is not None]
    data = [one.static_data for one in (first, second) if one.static_data is not None]
    if len(pair) < 2 or len(data) < 2:
        return [], np.zeros((2, 0))
    values = np.concatenate([one.values for one in pair])
    names, units = data[0]["static_feature"].values, first.to_dataset()["static_unit"].values
    facts = data[0].values[0], data[1].values[0]
    labels = content.fact_labels(names, units, *facts, first.labels)
    # Without an order of their own: a fact keeps its place while it is changed.
    kept = np.sort(np.argsort(-np.abs(values[0]), kind="stable")[:_MOST_FACTS])
    return [labels[i] for i in kept], values[:, kept]
