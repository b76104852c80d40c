"""Warnings where changed numbers are unlike the training data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from ..inspection.counterfactual import training_range, values_read
from ..sequences.data import SequenceData
from ..sequences.scaling import PARTS
from ..sequences.step_names import phrase_of
from ..wording import told_apart

# The most training steps that are compared with; a step farther away than this share of them is
# unusual. The most steps of all samples together that are compared with them.
_MOST_ROWS, _USUAL = 2000, 0.99
_MOST_COMPARED = 10_000


@dataclass(frozen=True)
class Familiarity:
    """The ranges of training data, and how far their steps are from each other.

    Attributes
    ----------
    ranges : dict of (low, high)
        Of the measured values of each variable and static fact, in its units.
    rows : float32 array (row, 2 * variable)
        Steps of the training data, drawn at random: their values, and the change of each from the
        step before, in standard deviations.
    widths : array (2 * variable,)
        These standard deviations.
    reach : float
        The 99th percentile of the distance from a row to the nearest one of another sequence.
    """

    ranges: dict[str, tuple[float, float]]
    rows: np.ndarray
    widths: np.ndarray
    reach: float

    @classmethod
    def with_data(cls, training: SequenceData) -> Familiarity:
        """Compute the ranges of training data, and the distances between 2,000 of their steps."""
        names = [*dict.fromkeys(training.variables or training.feature_names)]
        ranges = {}
        for name in [*names, *training.static_names]:
            try:
                ranges[name] = training_range(training, name)
            except ValueError:  # never measured: nothing is usual, and nothing is unusual
                ranges[name] = (-np.inf, np.inf)
        owners, steps = np.nonzero(training.mask)
        every = _moves(training, owners, steps)
        deviations = every.std(axis=0)
        # A constant deviates by the rounding to float32.
        widths = np.where(deviations > 1e-6 * np.abs(every).max(axis=0), deviations, 1.0)
        drawn = np.random.default_rng(0).permutation(len(owners))[:_MOST_ROWS]
        rows = every[drawn] / widths
        distances = cdist(rows, rows)
        distances[owners[drawn][:, None] == owners[drawn]] = np.inf
        nearest = distances.min(axis=1)
        nearest = nearest[np.isfinite(nearest)]
        reach = float(np.quantile(nearest, _USUAL)) if len(nearest) else np.inf
        return cls(ranges, rows, widths, reach)

    def is_plausible(self, name: str, value: float) -> bool:
        """Tell whether a value may be tried: no farther outside the range than the range is wide.

        Where all training values have one sign, one of the other sign may not: no lactate is -5.
        """
        low, high = self.ranges[name]
        width = high - low or abs(low) or 1.0
        is_other_sign = value < 0 <= low or high <= 0 < value
        return low - width <= value <= high + width and not is_other_sign

    def distances(self, data: SequenceData) -> np.ndarray:
        """Return how far each sample is from the training data, (sample,): above 1 is unusual.

        The largest distance of its steps to the nearest training step, in units of `reach`. Of many
        long sequences evenly spread steps are compared.
        """
        owners, steps = np.nonzero(data.mask)
        some = steps % (1 + len(owners) // _MOST_COMPARED) == 0
        rows = _moves(data, owners[some], steps[some]) / self.widths
        farthest = np.zeros(len(data))
        np.maximum.at(farthest, owners[some], cdist(rows, self.rows).min(axis=1))
        return farthest / (self.reach or 1.0)

    def warnings(self, sample: SequenceData, names: Iterable[str], steps: np.ndarray) -> list[str]:
        """Return in words what is unlike the training data in a changed sample.

        Parameters
        ----------
        sample : SequenceData
            One sample.
        names : variables and facts that were changed
        steps : bool array (time,)
            The steps at which something was changed.

        Returns
        -------
        list of str
            The variables outside their ranges. If there are none: the step whose values, with their
            change from the step before, are the farthest from the training data, if they are
            farther than 99 of 100 training steps are from those of other sequences.
        """
        outside = []
        for name in dict.fromkeys(names):
            low, high = self.ranges[name]
            at = None if name in sample.static_names else np.flatnonzero(steps[sample.mask[0]])
            values = values_read(sample, name, at)
            room = 1e-6 * max(abs(low), abs(high))
            beyond = values[(values < low - room) | (values > high + room)]
            if len(beyond):
                worst = beyond[np.abs(beyond - np.clip(beyond, low, high)).argmax()]
                value, *ends = told_apart([worst, low, high], digits=4)
                outside.append(
                    f"{name} = {value} lies outside the training data ({' to '.join(ends)})"
                )
        if outside or not steps.any():
            return outside
        # The step after a changed one counts too: its change from the step before is another.
        affected = steps | np.append(False, steps[:-1])
        affected = np.flatnonzero(affected & sample.mask[0])
        rows = _moves(sample, np.zeros(len(affected), int), affected) / self.widths
        distances = cdist(rows, self.rows).min(axis=1)
        if distances.max() <= self.reach:
            return []
        where = phrase_of(sample, int(affected[distances.argmax()]))
        text = (
            f"what was measured at {where}, with its change from the step before, is farther from "
            "the training data than 99 of 100 of their own steps"
        )
        return [text]


def _moves(data: SequenceData, owners: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the values of steps beside their change from the step before, (row, 2 * variable)."""
    columns = [i for i, part in enumerate(data.parts) if part == PARTS[0]]
    values = data.values[..., columns] if columns else data.values
    now, before = values[owners, steps], values[owners, np.maximum(steps - 1, 0)]
    return np.concatenate([now, now - before], axis=1)
