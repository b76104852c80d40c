"""The smallest changes of an explored sample that flip the model's decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..inspection.counterfactual import Flip, decision, smallest_change, values_read
from ..wording import percent
from .exploration import Exploration
from .samples import SEVERAL
from .state import Refused, State


def flip_of(core: Exploration, state: State, name: str, steps: range) -> Flip:
    """Return the smallest change of a variable that flips the decision of the present state.

    The change holds as it is written, with few digits. A model that predicts a value decides
    nothing: its decision is taken to be whether the prediction lies above the base value, the mean
    over the background.
    """
    with core.lock:
        question, present = core.question(state.sample), core.edited(state)
        anatomy = question.anatomy
        is_value = anatomy.link == "identity"
        if anatomy.num_outputs > 1 and anatomy.link in SEVERAL:
            raise Refused("The model gives several answers at once: none of them decides.")
        threshold = float(question.base_values[0]) if is_value else None
        flip = smallest_change(
            core.model, present, name, training=core.training, steps=steps, threshold=threshold
        )
        if flip.value is None or flip.labels:
            return flip
        before = decision(anatomy, present, threshold)
        for value in beyond(flip.value, float(values_read(present, name, steps).mean())):
            if flip.low <= value <= flip.high:
                moved = present.change(name, value, steps)
                if decision(anatomy, moved, threshold) != before:
                    return replace(flip, value=value)
        return replace(flip, value=None, distance=None, after=flip.before)


def flip_of_any(core: Exploration, state: State, steps: range) -> tuple[Flip | None, str]:
    """Return the change of one variable that flips the decision and is the smallest for its range.

    Returns
    -------
    flip : Flip or None
    words : str
        What was found, or that nothing was.
    """
    flips: list[tuple[float, Flip]] = []
    for name in core.variables:
        low, high = core.familiarity.ranges[name]
        if np.isfinite(high - low) and high > low:
            flip = flip_of(core, state, name, steps)
            if flip.distance is not None:
                flips.append((flip.distance / (high - low), flip))
    if not flips:
        return None, "No single variable, within its training data, changes the decision here."
    share, flip = min(flips, key=lambda pair: pair[0])
    moves = (
        f"It moves by {percent(share)} of its range, the least of {len(core.variables)} variables"
    )
    return flip, f"{flip} {moves}."


def beyond(value: float, start: float) -> list[float]:
    """Return a value rounded away from the start to 4 and 5 digits, and as it is.

    Examples
    --------
    >>> beyond(3.14159, start=2.0)
    [3.142, 3.1416, 3.14159]
    """
    if not value:
        return [value]
    steps = [10.0 ** (int(np.floor(np.log10(abs(value)))) - digits) for digits in (3, 4)]
    away = np.ceil if value > start else np.floor
    return [*(float(f"{away(value / step) * step:.8g}") for step in steps), value]
