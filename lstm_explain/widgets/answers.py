"""One sample asked again and again with changed numbers: what stays the same is looked up once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..attribution.explanation import Explanation
from ..attribution.integration import integrate, shortfall
from ..attribution.records import assemble
from ..inspection.compiled import raw_outputs
from ..inspection.outputs import Scale
from ..inspection.preparation import Question, prepare
from ..inspection.question import see, selected
from ..inspection.subject import Subject
from ..sequences.data import SequenceData

# Path points per call: four nodes on each path, the rule that most samples are content with. Every
# finer rule is a multiple of it, so that nothing is traced twice.
_NODES = 4


@dataclass(frozen=True)
class Inquiry:
    """A question about one sample that can be asked about changed versions of it.

    All versions are explained for the output that was chosen for the recorded sample, and against
    the same background.

    Attributes
    ----------
    question : Question
        About the sample as recorded.
    tolerance : float
    position : int
        Which sample of the data it is.
    """

    question: Question
    tolerance: float
    position: int = 0

    @classmethod
    def about(
        cls,
        model: Any,
        sample: SequenceData,
        background: Any,
        output: int | str | None = None,
        scale: Scale = "margin",
        tolerance: float = 0.05,
        position: int = 0,
    ) -> Inquiry:
        """Check the sample and the model, and choose the output, as `explain` does."""
        size = _NODES * len(background)
        question = prepare(model, sample, background, output, "last", scale, size, None)
        return cls(question, tolerance, position)

    def asked_of(self, sample: SequenceData) -> Question:
        """Return the question about a changed version, with its prediction."""
        old = self.question
        anatomy, compiled, subject = see(old.anatomy, sample, _scale(old), old.batch_size)
        if not _same_steps(subject, old.subject):  # the base value depends on the steps
            name = str(old.chosen.names[0])
            return prepare(
                anatomy.model, sample, old.background, name, "last", _scale(old), old.batch_size,
                None,
            )  # fmt: skip
        raw = raw_outputs(compiled, subject, old.batch_size)
        return replace(
            old, data=sample, subject=subject, predictions=selected(raw, old.chosen, anatomy)
        )

    def explain(self, question: Question) -> tuple[Explanation, str]:
        """Return SHAP values and attention, as `explain` does, and its warning as a text."""
        integral = integrate(question, self.tolerance, progress=False)
        explanation = assemble(
            question,
            {"values": integral.values},
            integral.static_values,
            method="expected gradients",
            step="last",
            tolerance=self.tolerance,
            nodes_per_path=integral.num_nodes,
            estimated_error=integral.error,
        )
        own = Explanation(explanation.to_dataset().assign_coords(sample=[self.position]))
        return own, shortfall(integral, self.tolerance)


def _scale(question: Question) -> Scale:
    return "probability" if question.chosen.scale == "probability" else "margin"


def _same_steps(one: Subject, other: Subject) -> bool:
    pairs = zip((one.mask, *one.layer_masks), (other.mask, *other.layer_masks), strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)
