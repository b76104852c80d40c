"""What an explanation says, in words: what is explained, how it adds up, what matters most."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..inspection.outputs import as_probability
from ..sequences.step_names import named_times
from ..wording import adding_up, decimals, fixed, percent, plain, shortened, with_unit
from .explanation import Explanation


def explained(explanation: Explanation) -> str:
    """Return what is explained: "log-odds of died", "probability of died", "price [EUR]".

    Of two classes contrasted, "difference of the probabilities died-survived".
    """
    name = output_name(explanation)
    if explanation.scale == "margin":
        return f"log-odds of {name}"
    if explanation.scale == "probability":
        is_contrast = _probabilities(explanation, step="last") is None
        return f"{'difference of the probabilities' if is_contrast else 'probability of'} {name}"
    return with_unit(name, explanation.to_dataset().attrs.get("target_unit", ""), 50)


def output_name(explanation: Explanation) -> str:
    """Return what the explained output is called; a class that is a code has its target's name."""
    names = sorted({str(name) for name in explanation.output.values})
    if len(names) != 1:
        return "each predicted class"
    target = explanation.provenance.get("target_name")
    is_code = re.fullmatch(r"-?\d+(\.\d+)?|True|False", names[0]) and target
    if is_code and explanation.scale != "value":
        return f"{plain(target, 30)} = {names[0]}"
    return plain(names[0], 40)


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


def equation(explanation: Explanation) -> list[str]:
    """Return how the prediction of one sample adds up, in parts that belong on one line.

    Of log-odds, which few readers can weigh, the probability comes first.
    """
    prediction, base = explanation.predictions.item(), explanation.base_values.item()
    gap = explanation.gaps.item()
    terms = [base, prediction - base - gap, gap]
    # With one decimal more where each term can then be rounded to the nearest.
    least = decimals(terms[1], max(abs(prediction), abs(base)))
    for places in (least, least + 1):
        shown = adding_up(prediction, terms if round(gap, places) else terms[:2], places)
        if all(round(a, places) == b for a, b in zip(terms, shown, strict=False)):
            break
    about, name = subject(explanation), "prediction"
    chances = _probabilities(explanation)
    if explanation.scale == "margin" and chances is not None:
        about, name = f"{about} {read_prediction(float(chances[0]), True, 0.0)}", "log-odds"
    parts = [
        f"{about}:",
        f"{name} {fixed(prediction, places)}",
        f"= base value {fixed(shown[0], places)}",
        f"+ {explanation.value_name}s {fixed(shown[1], places, sign=True)}",
    ]
    return [*parts, *(f"+ gap {fixed(term, places, sign=True)}" for term in shown[2:])]


def subject(explanation: Explanation) -> str:
    """Return what a title is about: `explained`, but of log-odds of a class its probability."""
    if explanation.scale == "margin" and _probabilities(explanation) is not None:
        return f"probability of {output_name(explanation)}"
    return explained(explanation)


def background_text(explanation: Explanation) -> str:
    """Return what stood for "absent", with its numbers grouped: 100 of 2,118 sequences."""
    return re.sub(r"\bof (\d{4,})\b", lambda m: f"of {int(m[1]):,}", explanation.background)


def subject_and_scale(explanation: Explanation) -> str:
    """Return `subject`, and that it is explained in log-odds where it is a probability of these."""
    about = subject(explanation)
    return about if about == explained(explanation) else f"{about}, in log-odds"


def _probabilities(explanation: Explanation, **facts: str) -> np.ndarray | None:
    numbers, names = explanation.predictions.values, explanation.output.values
    return as_probability(numbers, names, explanation.provenance | facts)


def largest_drivers(explanation: Explanation, count: int = 3) -> list[tuple[str, float]]:
    """Return what has the largest values, static facts included: name and value.

    Of one sample, sums over time; of several, means of the absolute values that `plot_summary`
    shows. Of steps and windows, these of the one sample; of texts, single words.
    """
    values, names = explanation.values, explanation.feature_names
    many = len(explanation) > 1
    if "feature" in values.dims:
        sums = (abs(values) if many else values).sum(values.dims[1:-1]).values
    elif not names and "time" in values.dims and explanation.data.dtype.kind in "UO":
        real = explanation.mask.values
        words, sums = explanation.data.values[real], values.values[real][None]
        names, many = [str(word) for word in words], False
    elif not many and values.ndim == 2:
        steps: Any = explanation.mask.values[0] if "time" in values.dims else slice(None)
        sums, names = values.values[:, steps], step_names(explanation)[steps].tolist()
        times = explanation.times
        if "time" in values.dims and (times is None or times.dtype.kind != "M"):
            name = explanation.to_dataset().attrs.get("time_name", "step")
            names = [f"{name} {step}" for step in names]
    else:
        return []
    facts = explanation.static_values
    if facts is not None and len(facts) == len(sums):
        names = [*names, *(str(name) for name in facts["static_feature"].values)]
        sums = np.concatenate([sums, np.abs(facts.values) if many else facts.values], axis=1)
    means = sums.mean(axis=0)
    order = np.argsort(-np.abs(means), kind="stable")[:count]
    return [(shortened(names[i], 40), float(means[i])) for i in order]


def largest_text(explanation: Explanation) -> str:
    """Return `largest_drivers` as text: "largest SHAP values: age +0.52; dose -0.30"."""
    drivers = largest_drivers(explanation)
    if not drivers:
        return ""
    signed = len(explanation) == 1 or "feature" not in explanation.values.dims
    places = decimals(drivers[0][1])
    texts = [f"{name} {fixed(value, places, sign=signed)}" for name, value in drivers]
    name = explanation.value_name
    return f"largest {f'{name}s' if signed else f'mean |{name}|'}: {'; '.join(texts)}"


def read_chances(explanation: Explanation) -> str:
    """Return the range of log-odds as probabilities in brackets, or nothing of other numbers."""
    chances = _probabilities(explanation)
    if explanation.scale != "margin" or chances is None:
        return ""
    ends = [percent(float(end), 1) for end in (chances.min(), chances.max())]
    return f" (probability {' to '.join(ends)})"


def step_names(explanation: Explanation) -> np.ndarray:
    """Return the names of all steps of one sample, or of its windows."""
    if "window" in explanation.values.dims:
        return np.array([f"steps {w}" for w in explanation.values["window"].values])
    if explanation.times is None:
        return np.arange(1, explanation.mask.shape[1] + 1).astype(str)
    times, real = explanation.times.values[0], explanation.mask.values[0]
    names = np.full(len(times), "", object)
    names[real] = named_times(times[real])
    return names
