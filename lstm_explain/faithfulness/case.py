"""``Case``: an explanation beside its question. ``Repeat``: how it is computed once more."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..attribution.coalitions import Players
from ..attribution.expected_gradients import ToleranceWarning, explain
from ..attribution.explanation import Explanation
from ..attribution.lime import METHOD, lime_values
from ..attribution.records import background_of, data_of, question_of, roles_of, scale_of
from ..attribution.shapley import shapley_values
from ..inspection.background import Background
from ..inspection.model_checks import PaddingWarning
from ..inspection.question import Question
from ..sequences.data import SequenceData
from .removal import all_players, outputs_by_share, real_players, with_few_rows

_LEVELS = ("cell", "time", "feature", "window")


@dataclass(frozen=True)
class Case:
    """An explanation, the question that it answered, and who owns which value.

    Attributes
    ----------
    question : Question
    explanation : Explanation
    level : str
        What has one value each: "cell", "time", "feature" or "window".
    players : Players
        What is present or absent as one: the player of each cell, the same for all samples.
        Static facts come last.
    real : bool array (sample, player)
        Whether a player has a cell on a real step; False for static facts.
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
        """Return 1 where a prediction is above the output without the sequence, else -1, (sample,).

        A cell supports a prediction if it pushes the output in this direction.
        """
        places = np.where(self.real, 0, self.real.shape[1])[None]
        empty = outputs_by_share(self.question, self.players, places, (1.0,), (False,))[0, 0, :, 0]
        return np.where(self.question.predictions >= empty, 1.0, -1.0)


def open_case(model: Any, explanation: Explanation, batch_size: int | None = None) -> Case:
    """Make the question of an explanation again, and return both.

    Raises
    ------
    ValueError
        Values per window and feature or per whole sequence; values that are not finite; another
        model; an explanation that does not carry its inputs.
    """
    level = explanation.level
    if level not in _LEVELS:
        raise ValueError(
            f"Expected values per cell, step, feature or window; received values per {level}. "
            "Check the explanation that these values were summed from."
        )
    if len(explanation) == 0 or not np.isfinite(explanation.values.values).all():
        raise ValueError(
            "Expected finite values of at least one sample; received NaN, infinity or no samples. "
            "Explain the samples again with lx.explain."
        )
    question = question_of(model, explanation, batch_size)
    window = 1
    if level == "window":
        first = str(explanation.values["window"].values[0])
        window = int(first.split("-")[1]) + 1
    return case_of(question, explanation, level, window)


def case_of(question: Question, explanation: Explanation, level: str, window: int = 1) -> Case:
    """Put values at one level beside a question."""
    players = all_players(question, level, window)
    real = real_players(players, question.subject.mask)
    values = _flat(explanation).astype(np.float64)
    return Case(question, explanation, level, window, players, real, values)


def over_time(case: Case) -> Case:
    """Return the same case with one value per step."""
    return case_of(case.question, case.explanation.over_time(), "time")


# Some samples and rows are enough to see whether an explanation follows the model.
SAMPLES, ROWS = 16, 20
# Exact enough for ranks, and several times faster than the default.
_TOLERANCE = 0.2


@dataclass(frozen=True)
class Repeat:
    """Some samples and background rows of an explanation, and how to explain them again.

    Attributes
    ----------
    explanation : Explanation
        Of these samples, as it was given.
    data : SequenceData
    background : Background
    outputs : str array (sample,)
        Which output of each sample is explained.
    known : bool array (sample, player)
    """

    explanation: Explanation
    data: SequenceData
    background: Background
    outputs: np.ndarray
    known: np.ndarray
    level: str
    window: int

    @property
    def values(self) -> np.ndarray:
        """The values as they were given, (sample, player)."""
        return _flat(self.explanation)

    def values_of(
        self, model: Any, data: SequenceData | None = None, outputs: np.ndarray | None = None
    ) -> np.ndarray:
        """Explain data, by default the same samples, with a model: (sample, player)."""
        data = self.data if data is None else data
        outputs = self.outputs if outputs is None else outputs
        parts: list[np.ndarray] = [np.zeros(0)] * len(data)
        for output in np.unique(outputs):
            rows = np.flatnonzero(outputs == output)
            for row, values in zip(rows, self._explained(model, data[rows], output), strict=True):
                parts[row] = values
        return np.stack(parts)

    def _explained(self, model: Any, data: SequenceData, output: str) -> np.ndarray:
        facts = self.explanation.provenance
        options: dict[str, Any] = {
            "background": self.background,
            "output": str(output),
            "step": facts["step"],
            "scale": scale_of(self.explanation),
            "inputs": roles_of(model, self.explanation),
            "progress": False,
        }
        with warnings.catch_warnings():
            # Both were said when the samples were explained for the first time.
            warnings.simplefilter("ignore", PaddingWarning)
            warnings.simplefilter("ignore", ToleranceWarning)
            if "tolerance" in facts:
                tolerance = max(facts["tolerance"], _TOLERANCE)
                made = explain(model, data, tolerance=tolerance, **options)
                return _flat(self._at_level(made))
            window = self.window if self.level == "window" else None
            options |= {"level": self.level, "window": window, "seed": facts["seed"]}
            if facts["method"] == METHOD:
                options |= {"samples": facts["samples"], "ridge": facts["ridge"]}
                return _flat(lime_values(model, data, **options))
            return _flat(shapley_values(model, data, **options))

    def _at_level(self, made: Explanation) -> Explanation:
        if self.level == "time" and made.level == "cell":
            return made.over_time()
        if self.level == "feature":
            return made.over_features()
        if self.level == "window":
            return (made.over_time() if made.level == "cell" else made).over_windows(self.window)
        return made


def repeat_of(case: Case, seed: int, samples: int = SAMPLES, rows: int = ROWS) -> Repeat:
    """Choose samples and background rows at random, all where there are no more."""
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.permutation(len(case))[:samples])
    few = case.explanation[sample]
    background = background_of(few)
    if len(background) > rows:
        kept = np.sort(rng.permutation(len(background))[:rows])
        parts = {
            name: getattr(background, name)[kept]
            for name in ("values", "static", "tokens")
            if getattr(background, name) is not None
        }
        background = replace(background, **parts)
    return Repeat(
        few, data_of(few), background, few.output.values.astype(str), case.known[sample],
        case.level, case.window,
    )  # fmt: skip


def _flat(explanation: Explanation) -> np.ndarray:
    """Values (sample, player), those of static facts last."""
    values = explanation.values.values.reshape(len(explanation), -1)
    if explanation.static_values is None:
        return values
    return np.concatenate([values, explanation.static_values.values], axis=1)
