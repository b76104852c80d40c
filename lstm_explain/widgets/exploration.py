"""What an explorer computes, without the widget: numbers, warnings and pictures of a state."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..attribution.expected_gradients import explain_question
from ..attribution.explanation import Explanation
from ..attribution.records import attention_by_step
from ..inspection.alignment import attended_axes
from ..inspection.background import Background
from ..inspection.confirmation import see
from ..inspection.counterfactual import Flip, smallest_change
from ..inspection.outputs import Scale, as_probability, chances, last_outputs
from ..inspection.question import DEFAULT_BATCH, Question, ask_again, prepare
from ..plots.content import read_prediction
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .familiarity import Familiarity
from .state import Edits, State, edited
from .view import View, from_to, view_of

# Predictions and explanations of so many states are kept: for undo, and for comparisons.
_KEPT = 16
# Path points per call: four nodes on each path, the rule that is enough for most samples. Every
# finer rule is a multiple of it, so that nothing is traced twice.
_NODES = 4


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
        self._question = lru_cache(maxsize=1)(self._prepare)
        self._asked = lru_cache(_KEPT)(self._ask)
        self._explained = lru_cache(_KEPT)(self._explain)
        self._orders: dict[str, np.ndarray] = {}

    @cached_property
    def familiarity(self) -> Familiarity:
        """What the training data look like."""
        return Familiarity.with_data(self.training)

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
        shown = explanation.over_variables() if "variable" in dataset else explanation
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

    def view(self, state: State, variable: str) -> View:
        """Return everything that the picture shows of a state."""
        label = "as recorded" if state.pinned is None else "pinned"
        return view_of(self.answer_before(state).shown, self.answer(state).shown, variable, label)

    def striking(self, state: State) -> tuple[str, int]:
        """Return the variable that matters most for a sample, and the step where it does."""
        explanation = self.answer(state).shown
        values = explanation.values.values[0]
        column = int(np.abs(values.sum(axis=0)).argmax())
        real = np.abs(values[explanation.mask.values[0], column])
        return str(explanation.feature_names[column]), int(real.argmax())

    def order(self, way: str, state: State) -> np.ndarray:
        """Return all samples in an order that `orders` names."""
        with self.lock:
            if not self._orders:
                self._orders = orders(self._question(state.sample), self.data)
            return self._orders[way]

    def flip(self, state: State, name: str, steps: range | None) -> Flip:
        """Return the smallest change of a variable that flips the decision of the present state.

        A model that predicts a value decides nothing: its decision is taken to be whether the
        prediction lies above the base value, the mean over the background.
        """
        with self.lock:
            question = self._question(state.sample)
            is_value = question.anatomy.link == "identity"
            return smallest_change(
                self.model, self.edited(state), name, training=self.training, steps=steps,
                threshold=float(question.base_values[0]) if is_value else None,
            )  # fmt: skip


def ways(question: Question, data: SequenceData) -> list[str]:
    """Return the names of `orders`, without computing any."""
    anatomy = question.anatomy
    if anatomy.link == "identity":
        names = ["highest prediction", "lowest prediction"]
        known = data.target is not None
    else:
        names = ["most certain", "least certain"]
        known = data.target is not None and len(data.class_names) == max(anatomy.num_outputs, 2)
    names += ["most wrong"] * known
    attends_to_steps = any(attended_axes(question.compiled, question.subject)[-1:])
    names += ["largest change of attention"] * attends_to_steps
    return [*names, "at random"]


def orders(question: Question, data: SequenceData) -> dict[str, np.ndarray]:
    """Return orders of all samples, in which a user can go through them.

    Parameters
    ----------
    question : Question
        About one of the samples; it says which model and which output.
    data : SequenceData

    Returns
    -------
    dict of int arrays (sample,)
        "most certain" and "least certain" (the probability of the likeliest class), or "highest"
        and "lowest prediction" of a value; "most wrong" (the probability of the true class, or the
        absolute error) where the truth is known; "largest change of attention" (from one real step
        to the next, in units of an even attention) where there is attention to steps; "at random".
    """
    anatomy, compiled, subject = see(question.anatomy, data, question.scale, DEFAULT_BATCH)
    raw = last_outputs(compiled.outputs(subject, DEFAULT_BATCH), subject.mask)
    sizes: dict[str, np.ndarray] = {}
    wrong = None
    if anatomy.link == "identity":
        values = raw.astype(np.float64) @ question.selection.weights[0]
        sizes |= {"highest prediction": values, "lowest prediction": -values}
        if data.target is not None:
            wrong = np.abs(values - data.target)
    else:
        probabilities = chances(raw, anatomy.link)
        likeliest = probabilities.max(axis=1)
        sizes |= {"most certain": likeliest, "least certain": -likeliest}
        if data.target is not None and len(data.class_names) == probabilities.shape[1]:
            wrong = -probabilities[np.arange(len(raw)), data.target]
    if wrong is not None:
        sizes["most wrong"] = np.where(np.isnan(wrong), -np.inf, wrong)
    weights = attention_by_step(compiled, subject, DEFAULT_BATCH)
    if weights is not None:
        both = subject.mask[:, 1:] & subject.mask[:, :-1]
        moved = np.abs(np.diff(weights, axis=1)) * both
        sizes["largest change of attention"] = moved.max(axis=1, initial=0.0) * data.lengths
    ranked = {name: np.argsort(-size, kind="stable") for name, size in sizes.items()}
    return ranked | {"at random": np.random.default_rng(0).permutation(len(data))}
