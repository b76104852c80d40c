"""``clip_outliers``: what the model reads stays within limits from the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import check_number, described
from ..wording import number, shortened
from .splitting import need_training_part

if TYPE_CHECKING:
    from .data import SequenceData


def clip_outliers(data: SequenceData, quantiles: Sequence[float] = (0.001, 0.999)) -> SequenceData:
    """Cut values of features beyond two quantiles of the training part, and say how many.

    Call it on complete data. The model reads the cut values; explanations show those that came,
    which stay in `recorded`. A model that `train` trains notes the limits, and refuses data that
    are cut otherwise. Of a variable with indicators the quantiles are over what was measured;
    flags, times and static facts are not cut.

    Parameters
    ----------
    quantiles : pair of float
        From 0 to 1, the lower one first.

    Raises
    ------
    ValueError
        Texts, data with gaps or without a training part, data that are cut already.

    Examples
    --------
    >>> data = data.fill_missing().clip_outliers().standardise()  # doctest: +SKIP
    Cut 14 of 60,000 values: pulse 9 beyond 22 and 201, dose 5 beyond 0 and 80.
    """
    pair: Any = tuple(quantiles) if isinstance(quantiles, Sequence | np.ndarray) else ()
    remedy = "Give for example quantiles=(0.001, 0.999)."
    if len(pair) != 2:
        raise ValueError(f"Expected two quantiles; received {described(quantiles)}. {remedy}")
    lower, upper = pair
    check_number(least=0, below=1, remedy=remedy, lower=lower)
    check_number(above=lower, most=1, remedy=remedy, upper=upper)
    if data.tokens is not None or data.limits is not None:
        received = "texts" if data.limits is None else "data that are cut already"
        raise ValueError(f"Expected numbers to cut; received {received}. Leave it out.")
    data.check_complete()
    train = need_training_part(data)
    rows, names = train.values[train.mask], data.feature_names
    low, high = np.full((2, len(names)), [[-np.inf], [np.inf]], np.float32)
    count = len(data.variables) // 3
    for column, name in enumerate(names):
        if name not in data.one_hot and (not count or column < count):
            measured = rows[:, count + column] > 0.5 if count else slice(None)
            # Values that are there, not numbers between them: a whole number stays one.
            low[column] = np.quantile(rows[measured, column], lower, method="lower")
            high[column] = np.quantile(rows[measured, column], upper, method="higher")
    cut = ((data.values < low) | (data.values > high)) & data.mask[..., None]
    limits = np.stack([low, high]) * data.scale + data.center
    counts = [
        f"{shortened(names[i], 40)} {n:,} beyond {number(limits[0, i])} and {number(limits[1, i])}"
        for i, n in enumerate(cut.sum(axis=(0, 1)))
        if n
    ]
    total = int(data.mask.sum()) * len(names)
    print(f"Cut {cut.sum():,} of {total:,} values{': ' if counts else ''}{', '.join(counts)}.")
    values = np.where(cut, np.clip(data.values, low, high), data.values)
    return replace(data, values=values, limits=limits, recorded=data.display_values)


def within_limits(values: np.ndarray, limits: np.ndarray | None) -> np.ndarray:
    """Return values (..., feature) in original units, cut to limits (2, feature) if there are."""
    return values if limits is None else np.clip(values, *limits)
