"""Means and deviations that ignore what was not measured."""

from __future__ import annotations

import numpy as np


def mean_and_deviation(
    rows: np.ndarray, names: tuple[str, ...], parts: tuple[str, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (feature,) over rows; a constant feature has 1.

    What says whether a variable was measured keeps its 0 and 1: a rare 1 would become very large.
    """
    mean = mean_or_fail(rows, names)
    # Not by the size of the deviation: a feature may be small, and rounding large.
    constant = np.nanmax(rows, axis=0) == np.nanmin(rows, axis=0)
    deviation = np.where(constant, 1.0, np.nanstd(rows.astype(np.float64), axis=0))
    if parts:
        flags = np.array(parts) == "measured"
        mean, deviation = np.where(flags, 0.0, mean), np.where(flags, 1.0, deviation)
    return mean, deviation


def mean_or_fail(rows: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the mean (feature,) over rows, or name the features that were never measured."""
    never = np.isnan(rows).all(axis=0)
    if never.any():
        raise ValueError(
            f"Expected each feature to be measured somewhere in training; received no value of "
            f"{[name for name, no in zip(names, never, strict=True) if no]}. Drop those columns."
        )
    return np.nanmean(rows.astype(np.float64), axis=0)


def unscaled(values: np.ndarray, center: np.ndarray | None, scale: np.ndarray | None) -> np.ndarray:
    """Return values in their original units, as exact as float32 holds them: 1 is 1 again.

    Standardised and back, a 1 would be 0.99999998, and no comparison with 1 would find it.
    """
    if center is None or scale is None or (np.all(center == 0) and np.all(scale == 1)):
        return values.astype(np.float64)
    exact = values.astype(np.float64) * scale + center
    # What rounding values to float32 may have moved: half a unit in the last of 24 binary digits.
    unit = np.abs(np.nan_to_num(values)).max(initial=1.0, axis=tuple(range(values.ndim - 1)))
    places = np.floor(-np.log10(np.maximum(unit * scale * 2.0**-23, 1e-300))).astype(int)
    columns = [
        np.round(exact[..., column], min(int(digits), 300)) for column, digits in enumerate(places)
    ]
    return np.stack(columns, axis=-1) if columns else exact


def fill_forward(values: np.ndarray) -> np.ndarray:
    """Fill NaN in (sample, time, feature) by the last value measured before it, if any."""
    filled = values.copy()
    for step in range(1, filled.shape[1]):
        now = filled[:, step]
        filled[:, step] = np.where(np.isnan(now), filled[:, step - 1], now)
    return filled
