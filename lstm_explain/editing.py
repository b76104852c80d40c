"""Change what was recorded: the questions that begin with "what if"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .missingness import PARTS, chart_of, with_parts

Data = TypeVar("Data", bound=Any)


def change(
    data: Data, name: str, value: float | None, steps: int | slice | Sequence[int] | None = None
) -> Data:
    """Return the data with a variable or static fact changed, in its original units.

    A model that reads which values were measured and how long ago reads those of the changed
    sequence: a value that is set counts as measured, one that is set to None as not measured, and
    the values that are carried forward from it follow.

    Parameters
    ----------
    name : str
        A variable, a feature or a static fact.
    value : float or None
        In original units; None for "was not measured".
    steps : int, slice or sequence of int, optional
        Steps of the sequence, from 0 on; all of them by default. Not for static facts.

    Returns
    -------
    SequenceData

    Raises
    ------
    ValueError
        An unknown name, steps that are padding, or None where the data cannot say "not measured".

    Examples
    --------
    >>> import numpy as np
    >>> from lstm_explain import SequenceData
    >>> patient = SequenceData.from_arrays([[[4.0], [5.0]]], feature_names=["lactate"])
    >>> patient.change("lactate", 1.5, steps=1).display_values[0].ravel().tolist()
    [4.0, 1.5]
    """
    if value is not None and not np.isfinite(value):
        raise ValueError(
            f"Expected a finite value for {name!r}; received {value}. Give None for a value that "
            "was not measured."
        )
    if name in data.static_names:
        return _change_static(data, name, value, steps)
    known = tuple(dict.fromkeys(data.variables)) or data.feature_names
    if name not in known:
        raise ValueError(
            f"Expected a name among {[*known, *data.static_names]}; received {name!r}. Check the "
            "spelling."
        )
    index = _steps(data, steps)
    display = np.nan_to_num(data.display_values)
    if not data.variables:
        return _change_feature(data, name, value, index, display)
    columns = [position for position, own in enumerate(data.variables) if own == name]
    chart = np.where(data.mask[..., None], chart_of(display[..., columns]), np.nan)
    chart[:, index] = np.nan if value is None else value
    before = data.unmeasured[columns[0]]
    changed = data.values.copy()
    changed[..., columns] = _in_model_units(
        data, with_parts(chart, data.mask, np.array([before])), columns
    )
    return replace(data, values=changed)


def _change_feature(
    data: Data, name: str, value: float | None, index: np.ndarray, display: np.ndarray
) -> Data:
    column = data.feature_names.index(name)
    if value is None and not np.isnan(data.values[data.mask]).any():
        raise ValueError(
            f"Expected a value for {name!r}; received None, and this data cannot say that a value "
            f"was not measured. Fill it with fill_missing(indicators=True), which adds {PARTS[1]!r}"
            f" and {PARTS[2]!r}."
        )
    display[:, index, column] = np.nan if value is None else value
    changed = data.values.copy()
    moved = _in_model_units(data, display[:, index][..., [column]], [column])
    changed[:, index, column] = moved[..., 0]
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


def _in_model_units(data: Any, display: np.ndarray, columns: list[int]) -> np.ndarray:
    values = (display - data.center[columns]) / data.scale[columns]
    if values.shape[1] == data.mask.shape[1]:
        values = np.where(data.mask[..., None], values, 0.0)
    return values.astype(np.float32)


def _steps(data: Any, steps: int | slice | Sequence[int] | None) -> np.ndarray:
    """Return the steps as positions, all of them real in every sample."""
    shortest = int(data.lengths.min()) if len(data) else 0
    if steps is None or isinstance(steps, slice):
        return np.arange(shortest)[steps or slice(None)]
    index = np.atleast_1d(np.asarray(steps))
    if (
        index.dtype.kind not in "iu"
        or index.size == 0
        or index.min() < 0
        or index.max() >= shortest
    ):
        raise ValueError(
            f"Expected steps from 0 to {shortest - 1}, the last step of the shortest of "
            f"{len(data)} samples; received {steps}. Change one sample at a time: data[3:4]."
        )
    return index
