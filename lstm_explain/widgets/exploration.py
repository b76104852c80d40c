"""What an explorer computes, without the widget: numbers, warnings and pictures of a state."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..attribution.expected_gradients import explain_question
from ..attribution.explanation import Explanation
from ..inspection.background import Background
from ..inspection.confirmation import see
from ..inspection.counterfactual import is_measured
from ..inspection.outputs import Scale, as_probability, last_outputs
from ..inspection.question import DEFAULT_BATCH, Question, ask_again, prepare
from ..plots.content import read_prediction
from ..plots.style import limit_of
from ..sequences.data import SequenceData
from ..sequences.editing import columns_of
from ..sequences.inputs import Role
from ..sequences.splitting import window_step
from ..sequences.step_names import names_of_windows, unique_names
from ..wording import MINUS, number, told_apart
from .familiarity import Familiarity
from .samples import Samples, orders, samples_of
from .state import Edits, Refused, State, edited
from .view import View, from_to, view_of

# Predictions and explanations of so many states are kept: for undo, and for comparisons.
_KEPT = 16
# Path points per call: two nodes on each path, the rule that is enough for most samples at the
# tolerance of `explore`. Every finer rule is a multiple of it: no batch is filled up.
_NODES = 2
# The colours are those of the extremes among so many samples.
_MOST_LOOKED_AT = 500


class Answer(NamedTuple):
    """An explanation, the same with one value per variable, and how it misses its tolerance."""

    explanation: Explanation
    shown: Explanation
    caution: str


class Exploration:
    """A model and data, and what was computed for the last few states.

    One lock is held while something is computed: a model's functions are not made for two threads.

    Parameters
    ----------
    model, output, scale, tolerance, inputs : what `explain` takes
    data : SequenceData
        Samples to choose from.
    background : SequenceData, Background, array, "zero" or "mean"
    training : SequenceData, optional
        What changed samples are compared with; by default the background, else `data`.
    """

    # The warning for a changed input that differs from the training data.
    unlike = (
        "Unlike anything in the training data: {}. Trust neither the prediction nor its "
        "explanation."
    )

    def __init__(
        self,
        model: Any,
        data: SequenceData,
        background: Any,
        output: int | str | None = None,
        scale: Scale = "margin",
        tolerance: float = 0.05,
        training: SequenceData | None = None,
        inputs: Mapping[Role, str] | None = None,
    ) -> None:
        self.model, self.data, self.background, self.inputs = model, data, background, inputs
        self.output, self.scale, self.tolerance = output, scale, tolerance
        known = background if isinstance(background, SequenceData) else data
        self.training = known if training is None else training
        self.lock = threading.RLock()
        # These three are called with the lock held.
        self._question = lru_cache(3)(self._prepare)
        self._asked = lru_cache(_KEPT)(self._ask)
        self._explained = lru_cache(_KEPT)(self._explain)
        self._orders: dict[str, np.ndarray] = {}
        self._limit: float | None = None

    @cached_property
    def familiarity(self) -> Familiarity:
        """What the training data look like."""
        return Familiarity.with_data(self.training)

    @cached_property
    def names(self) -> list[str]:
        """What each sample is called: its id, the second of one id with a (2); of windows of one
        series their last time; else its number."""
        data = self.data
        if data.ids is None and data.times is not None and window_step(data) is not None:
            return names_of_windows(data.times, data.mask)
        ids = range(len(data)) if data.ids is None else data.ids
        return unique_names([str(one) for one in ids])

    @cached_property
    def samples(self) -> Samples:
        """What the model predicts of all samples."""
        with self.lock:
            return samples_of(self._question(0), self.data, self.names)

    def sample_called(self, name: str) -> int:
        """Return the number of the sample that has a name."""
        if name.strip() not in self.names:
            raise Refused(f"There is no sample “{name}”. Take one of the list: {self.names[0]} ...")
        return self.names.index(name.strip())

    def accept(self, name: str, text: str) -> float:
        """Return the number that was typed for a variable or fact, if it can be one of its values.

        Raises
        ------
        Refused
            It is no number, or far from all training data.
        """
        try:
            value = float(text.replace(MINUS, "-"))
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise Refused(f"“{text}” is no number: write one such as 2.5.")
        if not self.familiarity.is_plausible(name, value):
            low, high = told_apart(self.familiarity.ranges[name], digits=4)
            unit = self.unit(name)
            raise Refused(
                f"{name} = {number(value)} was not taken: in the training data it lies between "
                f"{low} and {high}{unit and ' '}{unit}."
            )
        return value

    def unit(self, name: str) -> str:
        """Return the unit of a variable or static fact."""
        if name in self.data.static_names:
            return str(self.data.static_units[self.data.static_names.index(name)])
        return str(self.data.units[columns_of(self.data, name)[0]])

    @property
    def variables(self) -> list[str]:
        """Names of what can be changed at single steps."""
        return list(dict.fromkeys(self.data.variables or self.data.feature_names))

    def recorded(self, sample: int) -> SequenceData:
        """Return a sample as it was recorded."""
        return self.data[sample]

    def changed(self, sample: int, edits: Edits) -> SequenceData:
        """Return a sample with these changes."""
        return edited(self.recorded(sample), edits)

    def edited(self, state: State) -> SequenceData:
        """Return the sample of a state with its changes."""
        return self.changed(state.sample, state.edits)

    def question(self, sample: int) -> Question:
        """Return the question about a recorded sample, whose output is explained in every state."""
        with self.lock:
            return self._question(sample)

    def _prepare(self, sample: int) -> Question:
        recorded = self.recorded(sample)
        background = Background.resolve(self.background, recorded)
        batch_size = _NODES * len(background)
        return prepare(
            self.model, recorded, background, self.output, "last", self.scale, batch_size,
            self.inputs,
        )  # fmt: skip

    def _ask(self, sample: int, edits: Edits) -> Question:
        return ask_again(self._question(sample), self.changed(sample, edits))

    def _explain(self, sample: int, edits: Edits) -> Answer:
        question = self._asked(sample, edits)
        explanation, caution = explain_question(question, "last", self.tolerance, progress=False)
        dataset = explanation.to_dataset().assign_coords(sample=[sample])
        explanation = Explanation(dataset)
        shown = explanation.over_variables() if explanation.level == "cell" else explanation
        ids, name = explanation.ids, self.names[sample]
        if ids is not None and str(ids.values[0]) != name:  # the picture has the controls' name
            shown = Explanation(shown.to_dataset().assign(ids=("sample", np.array([name]))))
        return Answer(explanation, shown, caution)

    def answer(self, state: State) -> Answer:
        """Return the explanation of a state."""
        with self.lock:
            return self._explained(state.sample, state.edits)

    def answer_before(self, state: State) -> Answer:
        """Return the explanation that a state is compared with: as recorded, or pinned."""
        with self.lock:
            return self._explained(state.sample, state.pinned or ())

    def explanation(self, state: State) -> Explanation:
        """Return the explanation of the sample as it is now."""
        return self.answer(state).explanation

    def predictions(self, state: State) -> np.ndarray:
        """Return the explained output before (as recorded, or pinned) and now, shape (2,)."""
        with self.lock:
            both = (self._asked(state.sample, edits) for edits in (state.pinned or (), state.edits))
            return np.array([question.predictions[0] for question in both])

    def glance(self, state: State) -> str:
        """Return the new prediction beside the old one, which SHAP values are not needed for."""
        with self.lock:
            question = self.question(state.sample)
            both = self.predictions(state)
        selection, classes = question.selection, question.data.class_names
        facts = {"scale": selection.scale, "step": "last", "class_names": classes}
        probabilities = as_probability(both, selection.names, facts)
        is_probability = probabilities is not None
        both = both if probabilities is None else probabilities
        difference = float(np.ptp(both))
        before, now = (read_prediction(float(one), is_probability, difference) for one in both)
        what = "probability of" if is_probability else "predicted"
        return f"{what} {selection.names[0]}: {from_to(before, now)}"

    def warnings(self, state: State) -> list[str]:
        """Return in what a changed sample is unlike the training data; nothing if unchanged."""
        if not state.edits:
            return []
        recorded, changed = self.recorded(state.sample), self.edited(state)
        moved = (recorded.values != changed.values).any(axis=(0, 2))
        return self.familiarity.warnings(changed, (edit.name for edit in state.edits), moved)

    def warning(self, state: State) -> str:
        """Say in what a changed sample is unlike the training data; "" if in nothing."""
        unlike = "; ".join(self.warnings(state))
        return self.unlike.format(unlike) if unlike else ""

    def view(self, state: State, variable: str) -> View:
        """Return everything that the picture shows of a state."""
        label = "as recorded" if state.pinned is None else "pinned"
        return view_of(self.answer_before(state).shown, self.answer(state).shown, variable, label)

    def striking(self, state: State) -> tuple[str, int]:
        """Return the variable that matters most for a sample, and the step where it does."""
        explanation = self.answer(state).shown
        values = explanation.values.values[0]
        column = int(np.abs(values.sum(axis=0)).argmax())
        name, real = explanation.feature_names[column], explanation.mask.values[0]
        is_known = is_measured(self.edited(state), name)
        sizes = np.where(is_known, np.abs(values[real, column]), -1.0)
        return str(name), int(sizes.argmax())

    def order(self, way: str, state: State) -> np.ndarray:
        """Return all samples in an order that `orders` names."""
        with self.lock:
            if not self._orders:
                self._orders = orders(self._question(state.sample), self.data, self.samples)
            return self._orders[way]

    def limit(self, sample: int) -> float:
        """Return the largest SHAP value in the samples with the highest and lowest prediction.

        The colours of all samples reach to it: else 2 % risk would look like 87 %.
        """
        if self._limit is None:
            few = np.unique(np.linspace(0, len(self.data) - 1, _MOST_LOOKED_AT).astype(int))
            with self.lock:
                question = self._question(sample)
                _, compiled, subject = see(
                    question.anatomy, self.data[few], question.scale, DEFAULT_BATCH
                )
                raw = last_outputs(compiled.outputs(subject, DEFAULT_BATCH), subject.mask)
                values = raw.astype(np.float64) @ question.selection.weights[0]
                extremes = few[[values.argmax(), values.argmin()]].tolist()
                answers = [self._explained(one, ()).shown for one in extremes]
                self._limit = max(limit_of(answer.values.values) for answer in answers)
        return self._limit
