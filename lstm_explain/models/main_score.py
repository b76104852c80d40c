"""The one score by which models of a task are told apart, and a model beside its plain baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..sequences.data import SequenceData
from ..sequences.splitting import groups_alike
from ..wording import fixed, score_text
from . import metrics
from .scores import DIFFERENCES, SCALES, as_predictions, with_intervals

LOWER_IS_BETTER = ("rmse", "log_loss")


@dataclass(frozen=True)
class AgainstBaseline:
    """How a model scores beside a baseline on the same test samples.

    Attributes
    ----------
    baseline : str
        What the model is set against.
    score : str
        By which score.
    of_model, of_baseline : float
        The scores.
    low, high : float
        95 % interval of model minus baseline; NaN where the test part cannot tell.
    """

    baseline: str
    score: str
    of_model: float
    of_baseline: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return "better", "level" or "worse"; "not told apart" where there is no interval."""
        if not np.isfinite(self.low):
            return "not told apart"
        if self.low <= 0 <= self.high:
            return "level"
        return "better" if (self.low > 0) != (self.score in LOWER_IS_BETTER) else "worse"

    def __str__(self) -> str:
        """Return one sentence."""
        linked = {"better": "than", "worse": "than", "level": "with", "not told apart": "from"}
        name = self.score.replace("_", " ")
        text = (
            f"{self.verdict} {linked[self.verdict]} the baseline ({self.baseline}): test {name} "
            f"{score_text(self.of_model)} against {score_text(self.of_baseline)}"
        )
        if self.verdict == "not told apart":
            return f"{text}; too few test samples for an interval"
        digits = max(len(score_text(abs(end)).partition(".")[2]) for end in (self.low, self.high))
        numbers = self.of_model - self.of_baseline, self.low, self.high
        sides = [fixed(number, digits, sign=True) for number in numbers]
        return f"{text}, a difference of {sides[0]} (95 % interval {sides[1]} to {sides[2]})"


def against(
    data: SequenceData, predictions: np.ndarray, name: str, baseline: np.ndarray
) -> AgainstBaseline:
    """Compare a model with a baseline by the main score of a test part.

    Parameters
    ----------
    data : SequenceData
        The part that was predicted.
    predictions, baseline : arrays
        Of the model and of the baseline, as `score` takes them.
    name : str
        Of the baseline.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((4, 3, 1)), [1.0, 2.0, 3.0, 4.0])
    >>> worse, exact = np.array([1.2, 2.5, 3.1, 5.0]), np.array([1.1, 2.1, 2.9, 4.1])
    >>> against(data, worse, "regression", exact).verdict
    'level'
    """
    low, high = main_interval(data, [predictions], baseline)[1:]
    own, other = (main_interval(data, [one], draws=2)[0] for one in (predictions, baseline))
    return AgainstBaseline(name, main_score(data), own, other, low, high)


def main_score(data: SequenceData) -> str:
    """Return the name of the score: AUROC, accuracy, log loss of labels, or an error of numbers."""
    target: Any = data.target
    if data.task == "binary":
        return "auroc" if len(np.unique(target)) == 2 else "log_loss"
    if data.task == "regression":
        return "r2" if data.target_names and (np.ptp(target, axis=0) > 0).all() else "rmse"
    return {"multiclass": "accuracy", "multilabel": "log_loss"}[data.task]


def main_interval(
    data: SequenceData,
    predictions: Sequence[np.ndarray],
    baseline: np.ndarray | None = None,
    draws: int = 500,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return the main score with the ends of its 95 % interval, by resampling ids.

    Of several predictions, such as those of several seeds, the mean score; with a baseline how far
    it is above the baseline's, of which all are resampled together.
    """
    name, target = main_score(data), np.asarray(data.target)
    one = getattr(metrics, name)
    each = [as_predictions(data, array) for array in predictions]
    other = None if baseline is None else as_predictions(data, baseline)

    def value(rows: np.ndarray | slice) -> dict[str, float]:
        mean = float(np.mean([one(target[rows], array[rows]) for array in each]))
        return {name: mean if other is None else mean - one(target[rows], other[rows])}

    scales = SCALES if baseline is None else DIFFERENCES
    labels = target.reshape(len(data), -1)[:, 0]  # of two classes, which alone are ranked
    table = with_intervals(value, labels, groups_alike(data), draws, seed, scales)
    mean, low, high = table.loc[name, ["value", "low", "high"]]
    return float(mean), float(low), float(high)
