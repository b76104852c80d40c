"""Calibration: do predicted probabilities happen as often as they say?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..arguments import check_whole
from ..intervals import share_interval
from ..sequences.data import SequenceData
from ..sequences.splitting import groups_alike
from .scores import binary_target


def reliability(data: SequenceData, probabilities: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Compare predicted probabilities with what happened, in bins of equally many samples.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted, with a target of two classes.
    probabilities : array (sample,) or (sample, 1)
        Of the second class.
    bins : int
        Equally many samples each, from the lowest probability to the highest: at a rare outcome,
        bins of equal width would leave most of them nearly empty. Equal probabilities stay in one
        bin, so there may be fewer.

    Returns
    -------
    DataFrame
        One row per bin: `predicted` (mean), `observed` (share of the second class), `count`, and
        `low` and `high`, the 95 % interval of `observed` (Wilson 1927; samples of one id count as
        fewer).

    Raises
    ------
    ValueError
        A target that is not two classes, more bins than samples, or no probabilities.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> reliability(data, np.array([0.1, 0.2, 0.3, 0.8]), bins=2)["observed"].tolist()
    [0.0, 0.5]
    """
    target, probabilities = binary_target(data, probabilities)
    check_whole(least=1, most=len(target), remedy="Samples are the most bins.", bins=bins)
    order, alike = np.argsort(probabilities, kind="stable"), groups_alike(data)
    ends = np.cumsum([len(part) for part in np.array_split(order, bins)])
    # Equal probabilities stay together: which of them come first says nothing.
    ends = np.unique(np.searchsorted(probabilities[order], probabilities[order][ends - 1], "right"))
    rows = []
    for part in np.split(order, ends[:-1]):
        low, high = share_interval(target[part], alike[part])
        predicted, observed = float(probabilities[part].mean()), float(target[part].mean())
        rows.append((predicted, observed, len(part), low, high))
    columns = ["predicted", "observed", "count", "low", "high"]
    return pd.DataFrame(rows, columns=columns).rename_axis("bin")


def calibration_error(data: SequenceData, probabilities: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error: mean ``|predicted - observed|`` over the bins.

    By chance alone it is above 0: with n samples per bin by about the mean of
    ``0.8 * sqrt(p (1 - p) / n)``.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning"; bins of equal counts as in Nguyen and O'Connor (2015), arXiv:1508.05154.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [0, 0, 0, 1])
    >>> calibration_error(data, np.array([0.25, 0.25, 0.25, 0.25]), bins=1)
    0.0
    """
    table = reliability(data, probabilities, bins)
    return float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["count"]))
