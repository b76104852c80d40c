"""``scaled_by``: numbers that were scaled before they came here are shown in their real units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import described, is_whole

if TYPE_CHECKING:
    from .data import SequenceData


def scaled_by(
    data: SequenceData, features: Any = None, target: Any = None, static: Any = None
) -> SequenceData:
    """Say by which fitted scalers numbers were scaled, so that all is shown in real units.

    The model goes on reading the scaled numbers. Explanations have features in real units beside
    the values; with `target` the values, base values and predictions of a regression are in the
    target's unit, to the rounding of float32, and so are figures, reports and what-ifs.

    Parameters
    ----------
    features, target, static : fitted scaler, optional
        What has an `inverse_transform` that shifts and stretches each column by itself, such as
        scikit-learn's MinMaxScaler, StandardScaler or RobustScaler; or a Keras Normalization layer
        that was applied before the model. One that was fitted to a table is read by its columns'
        names; without names it has a column for each feature. A target that is one of several
        columns is given as ``(scaler, "close")`` or ``(scaler, 3)``. Of several targets these are
        the columns, ``(scaler, ["close", "volume"])``, or the one that all of them are of, such as
        the same price on several days.

    Returns
    -------
    SequenceData

    Raises
    ------
    ValueError, TypeError
        No fitted scaler, one that mixes or bends columns, or one of other columns.

    Examples
    --------
    >>> data = SequenceData.from_arrays(scaled, target=scaled_price)      # doctest: +SKIP
    >>> data = data.scaled_by(features=scaler, target=(scaler, "close"))  # doctest: +SKIP
    """
    changes: dict[str, Any] = {}
    if features is not None:
        if data.limits is not None:
            raise ValueError(
                "Expected data that are not cut yet, whose limits would be in other units; "
                "received some after clip_outliers(). Call scaled_by first."
            )
        center, scale = _shift_and_stretch(features, data.feature_names, "features")
        changes |= {"center": data.center * scale + center, "scale": data.scale * scale}
    if static is not None:
        if data.static_center is None or data.static_scale is None:
            raise ValueError("Expected data with static facts for static=; these have none.")
        center, scale = _shift_and_stretch(static, data.static_names, "static")
        changes["static_center"] = data.static_center * scale + center
        changes["static_scale"] = data.static_scale * scale
    if target is not None:
        if data.class_names:
            raise ValueError(
                f"Expected a target of numbers for target=; these data have classes "
                f"{list(data.class_names)}. Leave it out."
            )
        names = data.target_names or (data.target_name,)
        scaler, columns = target if isinstance(target, tuple) else (target, list(names))
        columns = list(columns) if isinstance(columns, list | tuple) else [columns] * len(names)
        if len(columns) != len(names):
            raise ValueError(
                f"Expected one column for all targets, or one for each of {list(names)}; received "
                f"{columns}. Give target=(scaler, columns) in the order of the targets."
            )
        different = list(dict.fromkeys(columns))
        shifts = _shift_and_stretch(scaler, different, "target")
        center, scale = (array[[different.index(each) for each in columns]] for array in shifts)
        changes["target_center"] = _one_or_each(np.multiply(data.target_center, scale) + center)
        changes["target_scale"] = _one_or_each(np.multiply(data.target_scale, scale))
    return replace(data, **changes)


def _one_or_each(numbers: np.ndarray) -> float | tuple[float, ...]:
    """Return one number for all targets, or one for each where they differ."""
    each = tuple(numbers.tolist())
    return each[0] if len(set(each)) == 1 else each


def _shift_and_stretch(
    scaler: Any, names: Sequence[Any], what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return center and scale of the named columns: ``scaled * scale + center`` is real."""
    if hasattr(scaler, "adapt"):  # a Normalization layer
        if getattr(scaler, "variance", None) is None or getattr(scaler, "invert", False):
            raise ValueError(
                f"Expected a Normalization layer that was adapted for {what}=; received one "
                "without mean and variance, or with invert=True. Give the one that scaled the "
                "numbers."
            )
        center = np.ravel(np.asarray(scaler.mean, np.float64))
        scale = np.ravel(np.sqrt(np.asarray(scaler.variance, np.float64)))
        return _columns(center, scale, None, names, what)
    if not callable(getattr(scaler, "inverse_transform", None)):
        raise TypeError(
            f"Expected a fitted scaler for {what}=; received {described(scaler)}. Give what has an "
            "inverse_transform, such as the MinMaxScaler that scaled the numbers."
        )
    fitted = getattr(scaler, "n_features_in_", None)
    if fitted is None:
        raise ValueError(
            f"Expected a fitted scaler for {what}=; {type(scaler).__name__} was not fitted. Give "
            "the one that scaled the numbers, not a new one."
        )
    # One column at a time is moved, by 1 and by 3, so that mixing and bending show.
    identity = np.eye(fitted)
    zero, one, three = (
        np.asarray(scaler.inverse_transform(size * identity), np.float64) for size in (0, 1, 3)
    )
    center, moved = zero[0], one - zero[0]
    scale = np.diag(moved)
    size = np.abs(center) + np.abs(scale)
    is_affine = np.abs(three - zero[0] - 3 * moved) <= 1e-6 * size
    if (np.abs(moved - np.diag(scale)) > 1e-6 * size).any() or not is_affine.all():
        raise ValueError(
            f"Expected a scaler that shifts and stretches each column by itself for {what}=; "
            f"{type(scaler).__name__} does more. Explain in the numbers that the model reads: "
            "leave it out."
        )
    return _columns(center, scale, getattr(scaler, "feature_names_in_", None), names, what)


def _columns(
    center: np.ndarray, scale: np.ndarray, known: Any, names: Sequence[Any], what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of these names or positions; of as many without names, all."""
    known = [] if known is None else [str(name) for name in known]
    if all(str(name) in known for name in names):
        positions = [known.index(str(name)) for name in names]
    elif all(is_whole(name) and 0 <= name < len(center) for name in names):
        positions = list(names)
    elif len(center) == len(names):
        positions = list(range(len(names)))
    else:
        raise ValueError(
            f"Expected a scaler of {what} {list(names)}; received one of "
            f"{known or f'{len(center)} columns'}. Name the target's column, or the columns of "
            "several: target=(scaler, column); for features, give one fitted to these alone."
        )
    return center[positions], scale[positions]
