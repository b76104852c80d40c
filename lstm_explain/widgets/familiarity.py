"""Whether changed numbers are like anything in the training data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..inspection.counterfactual import training_range, values_read
from ..sequences.data import SequenceData
from ..sequences.scaling import PARTS
from ..sequences.step_names import phrase_of

# So many steps stand for the training data; farther than this share of them is unusual.
_ROWS, _USUAL = 2000, 0.99


@dataclass(frozen=True)
class Familiarity:
    """What training data look like, as far as a warning about changed inputs needs to know.

    Attributes
    ----------
    ranges : dict of (low, high)
        Of each variable and static fact, in its units, over what was measured.
    rows : float32 array (row, 2 * variable)
        Steps of the training data, drawn at random: their values, and how these differ from the
        step before, each in standard deviations.
    widths : array (2 * variable,)
        Those standard deviations.
    reach : float
        99 of 100 of these rows are nearer than this to one of another sequence.
    """

    ranges: dict[str, tuple[float, float]]
    rows: np.ndarray
    widths: np.ndarray
    reach: float

    @classmethod
    def with_data(cls, training: SequenceData, seed: int = 0) -> Familiarity:
        """Look at training data: the ranges of all, the distances of 2,000 steps.

        Parameters
        ----------
        training : SequenceData
        seed : int
            Seed of the choice of steps.
        """
        names = [*dict.fromkeys(training.variables or training.feature_names)]
        ranges = {}
        for name in [*names, *training.static_names]:
            try:
                ranges[name] = training_range(training, name)
            except ValueError:  # never measured: nothing is usual, and nothing is unusual
                ranges[name] = (-np.inf, np.inf)
        owners, steps = np.nonzero(training.mask)
        every = _moves(training, owners, steps)
        spread = every.std(axis=0)
        # What rounding to float32 moves is no spread.
        widths = np.where(spread > 1e-6 * np.abs(every).max(axis=0), spread, 1.0)
        chosen = np.random.default_rng(seed).permutation(len(owners))[:_ROWS]
        rows = every[chosen] / widths
        apart = _distances(rows, rows)
        apart[owners[chosen][:, None] == owners[chosen]] = np.inf
        nearest = apart.min(axis=1)
        nearest = nearest[np.isfinite(nearest)]
        reach = float(np.quantile(nearest, _USUAL)) if len(nearest) else np.inf
        return cls(ranges, rows, widths, reach)

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
            Variables beyond their ranges. If there are none: the step whose values, with their
            change from the step before, are the farthest from the training data, where 99 of 100
            training steps are nearer to those of other sequences.
        """
        found = []
        for name in dict.fromkeys(names):
            low, high = self.ranges[name]
            at = None if name in sample.static_names else np.flatnonzero(steps[sample.mask[0]])
            values = values_read(sample, name, at)
            room = 1e-6 * max(abs(low), abs(high), 1e-6)
            beyond = values[(values < low - room) | (values > high + room)]
            if len(beyond):
                worst = beyond[np.abs(beyond - np.clip(beyond, low, high)).argmax()]
                found.append(
                    f"{name} = {worst:.4g} lies outside the training data ({low:.4g} to {high:.4g})"
                )
        if found or not steps.any():
            return found
        # The step after a change is new too: it follows upon something else.
        late = steps | np.append(False, steps[:-1])
        late = np.flatnonzero(late & sample.mask[0])
        rows = _moves(sample, np.zeros(len(late), int), late) / self.widths
        far = _distances(rows, self.rows).min(axis=1)
        if far.max() > self.reach:
            where = phrase_of(sample, int(late[far.argmax()]))
            found.append(
                f"what was measured at {where}, with its change from the step before, is farther "
                "from the training data than 99 of 100 of their own steps"
            )
        return found


def _moves(data: SequenceData, owners: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the values of steps beside their change from the step before, (row, 2 * variable)."""
    own = [i for i, part in enumerate(data.parts) if part == PARTS[0]]
    values = data.values[..., own] if own else data.values
    now, before = values[owners, steps], values[owners, np.maximum(steps - 1, 0)]
    return np.concatenate([now, now - before], axis=1)


def _distances(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return Euclidean distances, (row, other row)."""
    squares = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * rows @ others.T
    return np.sqrt(np.maximum(squares, 0))
