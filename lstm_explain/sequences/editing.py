"""Change what was recorded: the questions that begin with "what if"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import numpy as np

from .missingness import PARTS, chart_of, with_parts

Data = TypeVar("Data", bound=Any)


_NUMBERS: Any = (int, float, np.integer, np.floating)


def change(
    data: Data,
    name: str,
    value: float | None,
    steps: int | slice | Sequence[int] | Literal["measured"] | None = None,
) -> Data:
    """Return the data with a variable or static fact changed, in its original units.

    With ``fill_missing(indicators=True)`` a model reads which values were measured, and how long
    ago. A value that is set then counts as measured, one that is set to None as not measured, and
    what is carried forward from it follows, up to the next measurement.

    Parameters
    ----------
    name : str
        A variable (without indicators: a feature) or a static fact.
    value : float or None
        In original units; None for "was not measured".
    steps : int, slice, sequence of int, "measured" or None
        Steps of each sequence, from 0 on; negative ones from its own end. "measured": those at
        which it was measured, so that only the value changes and not how often one looked. None:
        all of them. Not for static facts.

    Returns
    -------
    SequenceData

    Raises
    ------
    ValueError
        An unknown name, steps that a sequence does not have, or None where the data cannot say
        "not measured".

    Examples
    --------
    >>> import numpy as np
    >>> from lstm_explain import SequenceData
    >>> patient = SequenceData.from_arrays([[[4.0], [5.0]]], feature_names=["lactate"])
    >>> patient.change("lactate", 1.5, steps=1).display_values[0].ravel().tolist()
    [4.0, 1.5]
    """
    if value is not None and not (isinstance(value, _NUMBERS) and np.isfinite(value)):
        raise ValueError(
            f"Expected a finite number for {name!r}; received {value!r}. Give None for a value "
            "that was not measured."
        )
    if name in data.static_names:
        return _change_static(data, name, value, steps)
    known = tuple(dict.fromkeys(data.variables)) or data.feature_names
    if name not in known:
        raise ValueError(
            f"Expected a name among {[*known, *data.static_names]}; received {name!r}. Check the "
            "spelling."
        )
    columns = [i for i, own in enumerate(data.variables or data.feature_names) if own == name]
    display = data.display_values[..., columns]
    chart = chart_of(display) if data.variables else display
    chosen = chosen_steps(data, steps, ~np.isnan(chart[..., 0]), name)
    chart = np.where(chosen[..., None], np.nan if value is None else float(value), chart)
    if data.variables:
        chart = with_parts(chart, data.mask, data.unmeasured[columns[:1]])
    elif value is None and not np.isnan(data.values[data.mask]).any():
        raise ValueError(
            f"Expected a value for {name!r}; received None, and this data cannot say that a value "
            f"was not measured. Fill it with fill_missing(indicators=True), which adds {PARTS[1]!r}"
            f" and {PARTS[2]!r}."
        )
    moved = (chart - data.center[columns]) / data.scale[columns]
    changed = data.values.copy()
    # Where nothing changed the numbers stay as they are, to the last digit.
    same = np.isclose(chart, display, rtol=1e-6, atol=0, equal_nan=True)
    same |= ~data.mask[..., None]
    changed[..., columns] = np.where(same, changed[..., columns], moved)
    return replace(data, values=changed)


def _change_static(data: Data, name: str, value: float | None, steps: Any) -> Data:
    if steps is not None or value is None:
        raise ValueError(
            f"Expected a value and no steps for the static fact {name!r}; received {value} and "
            f"steps={steps}. A static fact does not change over the sequence."
        )
    column = data.static_names.index(name)
    static = data.static.copy()
    static[:, column] = (value - data.static_center[column]) / data.static_scale[column]
    return replace(data, static=static)


def chosen_steps(data: Any, steps: Any, measured: np.ndarray, name: str) -> np.ndarray:
    """Return which steps are meant, bool (sample, time): at least one of every sample."""
    if steps is None:
        return data.mask
    if isinstance(steps, str):
        chosen = measured & data.mask
        if steps != "measured" or not chosen.any(axis=1).all():
            raise ValueError(
                f'Expected steps to be numbers, a slice or "measured", with {name!r} measured in '
                f"every sample; received {steps!r}. Change one sample at a time: data[3]."
            )
        return chosen
    index = steps if isinstance(steps, slice) else np.atleast_1d(np.asarray(steps))
    whole = isinstance(index, slice) or index.dtype.kind in "iu"
    chosen = np.zeros(data.mask.shape, bool)
    for row, length in enumerate(data.lengths):
        inside = isinstance(index, slice) or (
            whole and index.size > 0 and -length <= index.min() and index.max() < length
        )
        if inside:
            chosen[row, np.arange(length)[index]] = True
        if not chosen[row].any():
            raise ValueError(
                f"Expected whole numbers of steps that every sample has: sample {row} has the "
                f"steps 0 to {length - 1}; received {steps}. Choose among them, or change one "
                "sample at a time: data[3]."
            )
    return chosen
