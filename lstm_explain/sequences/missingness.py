"""What was not measured, as something that a model can read and an explanation can name."""

from __future__ import annotations

import numpy as np

from .scaling import fill_forward

# A variable with gaps is three features to a model: its last value, whether that was measured at
# this step, and for how many steps it has not been.
PARTS = ("value", "measured", "steps since measured")


def part_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Name the features of each part, all values first.

    Examples
    --------
    >>> part_names(("lactate",))
    ('lactate', 'lactate: measured', 'lactate: steps since measured')
    """
    return tuple(name if part == "value" else f"{name}: {part}" for part in PARTS for name in names)


def check_gaps(values: np.ndarray, variables: tuple[str, ...]) -> None:
    """Raise where nothing is missing, or where the features are parts of variables already."""
    if variables:
        raise ValueError(
            "Expected data whose features are variables; received data that "
            "fill_missing(indicators=True) has split into parts. Call it once."
        )
    if not np.isnan(values).any():
        raise ValueError(
            "Expected data with missing values kept as NaN, to tell what was measured; received "
            'none. Make it with missing="keep", and call fill_missing(indicators=True) first.'
        )


def part_units(units: tuple[str, ...]) -> tuple[str, ...]:
    """Return the units of the features of `part_names`."""
    return (*units, *("" for _ in units), *("steps" for _ in units))


def with_parts(chart: np.ndarray, mask: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Turn a chart with gaps into its three parts.

    Parameters
    ----------
    chart : array (sample, time, variable)
        NaN where nothing was measured.
    mask : bool array (sample, time)
    before : array (variable,)
        What a value counts as before its first measurement.

    Returns
    -------
    array (sample, time, 3 * variable)
        The last value measured; 1 where measured, else 0; steps since the last measurement, 0 where
        measured, counted from before the first step where there was none yet. 0 on padding.

    Examples
    --------
    >>> chart = np.array([[[np.nan], [4.0], [np.nan]]])
    >>> with_parts(chart, np.ones((1, 3), bool), np.array([2.0]))[0].tolist()
    [[2.0, 0.0, 1.0], [4.0, 1.0, 0.0], [4.0, 0.0, 1.0]]
    """
    measured = ~np.isnan(chart)
    filled = fill_forward(chart)
    filled = np.where(np.isnan(filled), before, filled)
    steps = np.arange(chart.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(measured, steps, -1), axis=1)
    return np.concatenate([filled, measured, steps - last], axis=-1) * mask[..., None]


def chart_of(parts: np.ndarray) -> np.ndarray:
    """Return the chart with its gaps, NaN where nothing was measured: the way back.

    Examples
    --------
    >>> chart_of(np.array([[[2.0, 0.0, 1.0], [4.0, 1.0, 0.0]]]))[0].tolist()
    [[nan], [4.0]]
    """
    value, measured, _ = np.split(parts, 3, axis=-1)
    return np.where(measured > 0.5, value, np.nan)
