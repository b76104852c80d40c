"""``Case``: an explanation beside the question that it answered, in that question's players."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..attribution.explanation import Explanation
from ..attribution.recorded_question import question_of
from ..attribution.shapley_part import Players
from ..inspection.preparation import Question
from .removal import all_players, outputs_by_share, real_players, with_few_rows

_LEVELS = ("cell", "time", "feature", "window")


@dataclass(frozen=True)
class Case:
    """What every check works on.

    Attributes
    ----------
    question : Question
    explanation : Explanation
    level : str
        "cell", "time", "feature" or "window": what one value of the explanation belongs to.
    players : Players
        Who owns which cell, the same for all samples; static facts come last.
    real : bool array (sample, player)
        Players that own a real step; no static fact.
    values : float64 array (sample, player)
        The explanation's values, those of static facts last.
    """

    question: Question
    explanation: Explanation
    level: str
    window: int
    players: Players
    real: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> np.ndarray:
        """Players that have a value: real ones and static facts, bool (sample, player)."""
        known = self.real.copy()
        known[:, known.shape[1] - self.question.subject.static.shape[1] :] = True
        return known

    @property
    def spread(self) -> float:
        """Standard deviation of the predictions over samples and background."""
        both = [self.question.row_outputs.ravel(), self.question.predictions]
        return float(np.concatenate(both).std()) or 1.0

    def against_few(self, rows: int, seed: int) -> Case:
        """Return the case against at most so many background rows."""
        return replace(self, question=with_few_rows(self.question, rows, seed))

    def directions(self) -> np.ndarray:
        """Return 1 where a prediction stands above what is left without the sequence, else -1.

        Shape (sample,). What supports a prediction pushes it in its direction.
        """
        places = np.where(self.real, 0, self.real.shape[1])[None]
        empty = outputs_by_share(self.question, self.players, places, (1.0,), (False,))[0, 0, :, 0]
        return np.where(self.question.predictions >= empty, 1.0, -1.0)


def open_case(model: Any, explanation: Explanation, batch_size: int | None = None) -> Case:
    """Put an explanation beside its question.

    Raises
    ------
    ValueError
        Values at a level that no cells can be removed at, values that are not finite, another
        model, or an explanation that does not carry its inputs.
    """
    level = explanation.level
    if level not in _LEVELS:
        raise ValueError(
            f"Expected values per cell, step, feature or window; received values per {level}. "
            "Check the explanation that these values were summed from."
        )
    check_finite(explanation)
    question = question_of(model, explanation, batch_size)
    window = 1
    if level == "window":
        first = str(explanation.values["window"].values[0])
        window = int(first.split("-")[1]) + 1
    return case_of(question, explanation, level, window)


def case_of(question: Question, explanation: Explanation, level: str, window: int = 1) -> Case:
    """Put values at one level beside a question."""
    players = all_players(question, level, window)
    values = explanation.values.values.reshape(len(explanation), -1)
    static = explanation.static_values
    if static is not None:
        values = np.concatenate([values, static.values], axis=1)
    real = real_players(players, question.subject.mask)
    return Case(question, explanation, level, window, players, real, values.astype(np.float64))


def over_time(case: Case) -> Case:
    """Return the same case with one value per step."""
    return case_of(case.question, case.explanation.over_time(), "time")


def check_finite(explanation: Explanation) -> None:
    """Raise where there is nothing to check, or values that are no numbers."""
    if len(explanation) == 0 or not np.isfinite(explanation.values.values).all():
        raise ValueError(
            "Expected finite values of at least one sample; received NaN, infinity or no samples. "
            "Explain the samples again with lx.explain."
        )
