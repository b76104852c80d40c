"""``Repeat``: the same explanation made again, of other inputs or by another model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..attribution.expected_gradients import explain
from ..attribution.explanation import Explanation
from ..attribution.integration import ToleranceWarning
from ..attribution.recorded_question import background_of, data_of, roles_of, scale_of
from ..attribution.shapley import shapley_values
from ..inspection.background import Background
from ..inspection.question import PaddingWarning
from ..sequences.data import SequenceData
from .case import Case

# Some samples and rows are enough to see whether an explanation follows the model.
SAMPLES, ROWS = 16, 20
# Exact enough for ranks, and several times faster than the default.
_TOLERANCE = 0.2


@dataclass(frozen=True)
class Repeat:
    """How an explanation was made, for some of its samples and background rows.

    Attributes
    ----------
    explanation : Explanation
        Of the samples that are explained again.
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
            level: Any = self.level
            made = shapley_values(
                model, data, level=level, window=window, seed=facts["seed"], **options
            )
            return _flat(made)

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
    chosen = np.sort(rng.permutation(len(case))[:samples])
    few = case.explanation[chosen]
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
        few, data_of(few), background, few.output.values.astype(str), case.known[chosen],
        case.level, case.window,
    )  # fmt: skip


def _flat(explanation: Explanation) -> np.ndarray:
    """Values (sample, player), those of static facts last."""
    values = explanation.values.values.reshape(len(explanation), -1)
    if explanation.static_values is None:
        return values
    return np.concatenate([values, explanation.static_values.values], axis=1)
