"""Standardising values, and filling missing ones with or without a record of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import check_flag
from ..wording import told_apart
from .splitting import need_training_part

if TYPE_CHECKING:
    from .data import SequenceData


# A variable with gaps is three features to a model: its last value, whether that was measured at
# this step, and for how many steps it has not been; where steps are uneven, for how long.
PARTS = ("value", "measured", "steps since measured")
TIME_SINCE = "time since measured"

# How far apart the quartiles of a normal distribution are, in standard deviations.
_QUARTILES = 1.3489795003921634


def fill_missing(data: SequenceData, indicators: bool = False) -> SequenceData:
    """Fill NaN by the last value measured in the same sequence, else by the training mean.

    Static facts take the training mean. Split first, so that no test sample is used.

    Parameters
    ----------
    indicators : bool
        Add features that say whether each variable was measured, and how many steps ago. Where the
        times of training steps are not equally far apart, "time since measured" is counted instead:
        in days for dates without a clock, else in hours, and for numbers in what they count.
    """
    check_flag(indicators=indicators)
    if data.limits is not None:
        raise ValueError(
            "Expected data that are not cut yet; received some after clip_outliers(). Fill first: "
            "data.fill_missing().clip_outliers()."
        )
    reference = need_training_part(data)
    means = mean_or_fail(reference.values[reference.mask], data.feature_names)
    unit = _unit_of_steps(reference)
    clock = None if unit is None else clock_of(data, unit)
    parts = with_parts(data.values, data.mask, means, clock).astype(np.float32)
    changes: dict[str, Any] = {"values": parts[..., : len(data.feature_names)]}
    if indicators:
        if data.variables:
            raise ValueError(
                "Expected data whose features are variables; received data that "
                "fill_missing(indicators=True) has split into parts. Call it once."
            )
        if not np.isnan(data.values).any():
            raise ValueError(
                "Expected data with missing values; received none that is missing. Leave "
                'fill_missing out; of a table with gaps make data with missing="keep", and call it '
                "before standardise()."
            )
        kinds = (*PARTS[:2], PARTS[2] if clock is None else TIME_SINCE)
        zeros, ones = np.zeros(2 * len(means)), np.ones(2 * len(means))
        changes = {
            "values": parts,
            "feature_names": part_names(data.feature_names, kinds),
            "units": (*data.units, *[""] * len(means), *[unit or "steps"] * len(means)),
            "center": np.concatenate([data.center, zeros]),
            "scale": np.concatenate([data.scale, ones]),
            "variables": data.feature_names * len(PARTS),
            "parts": tuple(np.repeat(kinds, len(means)).tolist()),
            "unmeasured": np.tile(means * data.scale + data.center, len(PARTS)),
        }
    if data.static is not None and reference.static is not None:
        means = mean_or_fail(reference.static, data.static_names)
        changes["static"] = np.where(np.isnan(data.static), means, data.static).astype(np.float32)
    return replace(data, **changes)


def _unit_of_steps(data: SequenceData) -> str | None:
    """Return the unit in which the time of uneven steps is counted; None where all are alike."""
    if data.times is None:
        return None
    steps = np.diff(data.times, axis=1)[data.mask[:, 1:]].astype(float)
    if not len(steps) or np.allclose(steps, steps[0], rtol=1e-6, atol=0):
        return None
    times = data.times[data.mask]
    if times.dtype.kind != "M":
        return data.time_name
    return "days" if (times.astype("M8[D]") == times).all() else "hours"


def clock_of(data: SequenceData, unit: str) -> np.ndarray:
    """Return the time of each step since the first of its sequence, float64 (sample, time)."""
    times = np.asarray(data.times)
    since = times - times[:, :1]
    if since.dtype.kind == "m":
        since = since / np.timedelta64(1, "D" if unit == "days" else "h")
    return np.where(data.mask, since, 0.0)


def mean_and_deviation(
    rows: np.ndarray,
    names: tuple[str, ...],
    parts: tuple[str, ...] = (),
    one_hot: tuple[str, ...] = (),
    robust: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (feature,) over rows; a constant feature has 1.

    With `robust` they are the median and the interquartile range in a normal's deviations.

    A feature that says whether a variable was measured, or whether a category is the one, keeps its
    0 and 1: standardised, a rare 1 would become very large.
    """
    mean = mean_or_fail(rows, names)
    # Not by the size of the deviation: a feature may be small, and rounding large.
    constant = np.nanmax(rows, axis=0) == np.nanmin(rows, axis=0)
    deviation = np.where(constant, 1.0, np.nanstd(rows.astype(np.float64), axis=0))
    if robust:
        first, mean, third = np.nanquantile(rows.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
        deviation = np.where(third > first, (third - first) / _QUARTILES, deviation)
    flags = np.array([name in one_hot for name in names])
    if parts:
        flags |= np.array(parts) == "measured"
    return np.where(flags, 0.0, mean), np.where(flags, 1.0, deviation)


def scaled_like(data: SequenceData, other: SequenceData) -> SequenceData:
    """Return data in original units standardised by the numbers of others with these features."""
    scales, names = scale_of(data), [*data.feature_names, *data.static_names]
    wanted = [*other.feature_names, *other.static_names]
    if names != wanted or any(scales["center"]) or set(scales["scale"]) != {1.0}:
        received = names if names != wanted else "some that are standardised already"
        raise ValueError(
            f"Expected data in original units with the features {wanted}, as in like=...; received "
            f"{received}. Make them as those were made, and call standardise(like=...) once."
        )
    static = data.static
    if static is not None:
        static = scaled(static, other.static_center, other.static_scale)
    return replace(
        data,
        values=scaled(data.values, other.center, other.scale, data.mask),
        center=other.center,
        scale=other.scale,
        static=static,
        static_center=other.static_center,
        static_scale=other.static_scale,
    )


def mean_or_fail(rows: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the mean (feature,) over rows; raise if a feature was never measured."""
    never = np.isnan(rows).all(axis=0)
    if never.any():
        raise ValueError(
            f"Expected each feature to be measured somewhere in training; received no value of "
            f"{[name for name, no in zip(names, never, strict=True) if no]}. Drop those columns."
        )
    return np.nanmean(rows.astype(np.float64), axis=0)


def scaled(values: np.ndarray, center: Any, scale: Any, mask: np.ndarray | None = None) -> Any:
    """Return values as a model reads them, float32; 0 on padded steps."""
    moved = (values - center) / scale
    return (moved if mask is None else np.where(mask[..., None], moved, 0.0)).astype(np.float32)


def unscaled(values: np.ndarray, center: np.ndarray | None, scale: np.ndarray | None) -> np.ndarray:
    """Return values in their original units, each rounded to its own precision of float32.

    Standardised and back, a 1 would else be 0.99999998, which is not equal to 1.
    """
    if center is None or scale is None or (np.all(center == 0) and np.all(scale == 1)):
        return values.astype(np.float64)
    exact = values.astype(np.float64) * scale + center
    # The rounding error is half a unit in the last of 24 binary digits of float32, for a value near
    # the mean that of the mean in float64.
    unit = np.maximum(np.abs(values) * scale * 2.0**-23, np.abs(center) * 2.0**-50)
    tens = 10.0 ** np.clip(np.floor(-np.log10(np.maximum(unit, 1e-300))), 0, 300)
    return np.round(exact * tens) / tens


# Means of the same samples on another machine agree far better, those of other samples do not.
_SAME_SCALE = 1e-4


def scale_of(data: SequenceData) -> dict[str, list[float]]:
    """Return means and deviations of features, then static facts: 0 and 1 in original units."""
    parts = {"center": (data.center, data.static_center), "scale": (data.scale, data.static_scale)}
    return {
        name: np.concatenate([one for one in both if one is not None]).astype(float).tolist()
        for name, both in parts.items()
    }


def other_scale(data: SequenceData, expected: Mapping[str, Sequence[float]]) -> str:
    """Say which feature has another mean or deviation than expected, and which; "" if none has."""
    scale_of_data = scale_of(data)
    (center, wanted_center), (scale, wanted_scale) = (
        (np.array(scale_of_data[name]), np.array(expected[name])) for name in ("center", "scale")
    )
    if center.shape != wanted_center.shape:
        return ""  # other features are refused where they are read
    apart = np.maximum(np.abs(center - wanted_center), np.abs(scale - wanted_scale))
    if not (apart > _SAME_SCALE * np.minimum(scale, wanted_scale)).any():
        return ""
    worst = int(np.argmax(apart / wanted_scale))
    mean, wanted_mean = told_apart([center[worst], wanted_center[worst]], digits=4)
    deviation, wanted_deviation = told_apart([scale[worst], wanted_scale[worst]], digits=4)
    return (
        f"{[*data.feature_names, *data.static_names][worst]!r} with mean {mean} and deviation "
        f"{deviation} instead of {wanted_mean} and {wanted_deviation} (0 and 1: original units)"
    )


def fill_forward(values: np.ndarray) -> np.ndarray:
    """Fill NaN in (sample, time, feature) by the last value measured before it, if any."""
    filled = values.copy()
    for step in range(1, filled.shape[1]):
        now = filled[:, step]
        filled[:, step] = np.where(np.isnan(now), filled[:, step - 1], now)
    return filled


def part_names(names: tuple[str, ...], parts: tuple[str, ...] = PARTS) -> tuple[str, ...]:
    """Name the features of each part, all values first.

    Examples
    --------
    >>> part_names(("lactate",))
    ('lactate', 'lactate: measured', 'lactate: steps since measured')
    """
    return tuple(name if part == "value" else f"{name}: {part}" for part in parts for name in names)


def with_parts(
    chart: np.ndarray, mask: np.ndarray, before: np.ndarray, clock: np.ndarray | None = None
) -> np.ndarray:
    """Return a chart with gaps as its three `PARTS`.

    Parameters
    ----------
    chart : array (sample, time, variable)
        NaN where nothing was measured.
    mask : bool array (sample, time)
    before : array (variable,)
        What a value counts as before its first measurement.
    clock : array (sample, time), optional
        The time of each step, where the third part is to be the time since the last measurement,
        counted from the first step where there was none yet.

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
    since = steps - last
    if clock is not None:
        samples = np.arange(len(chart))[:, None, None]
        since = clock[..., None] - clock[samples, np.maximum(last, 0)]
    return np.concatenate([filled, measured, since], axis=-1) * mask[..., None]


def chart_of(parts: np.ndarray) -> np.ndarray:
    """Return the chart with gaps that `with_parts` was given, NaN where nothing was measured.

    Examples
    --------
    >>> chart_of(np.array([[[2.0, 0.0, 1.0], [4.0, 1.0, 0.0]]]))[0].tolist()
    [[nan], [4.0]]
    """
    value, measured, _ = np.split(parts, 3, axis=-1)
    return np.where(measured > 0.5, value, np.nan)
