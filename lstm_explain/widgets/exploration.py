"""What a widget computes, without the widget: from a state to numbers, warnings and pictures."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..attribution.expected_gradients import integrate, shortfall
from ..attribution.explanation import Explanation
from ..attribution.records import assemble
from ..inspection.background import Background
from ..inspection.compiled import Subject
from ..inspection.counterfactual import Flip, smallest_change
from ..inspection.outputs import Scale, as_probability, chances, last_outputs
from ..inspection.question import DEFAULT_BATCH, Question, prepare, see, selected
from ..internals.attention import mean_weights
from ..sequences.data import SequenceData
from .familiarity import Familiarity
from .state import Edits, State, edited
from .view import View, by_variable, read_prediction, view_of

# Predictions and explanations of the last few versions are kept: for undo, and for the one that is
# compared with.
_KEPT = 16


@dataclass(frozen=True)
class Glance:
    """What can be said at once, before SHAP values are there.

    Attributes
    ----------
    text : str
        The prediction before and now.
    warnings : tuple of str
        In what the changed input is unlike the training data.
    """

    text: str
    warnings: tuple[str, ...]


class Answer(NamedTuple):
    """An explanation, the same with one value per variable, and what to say of its exactness."""

    explanation: Explanation
    shown: Explanation
    caution: str


class Exploration:
    """A model and data, and what is known of the sample that is looked at.

    One lock is held while something is computed: a model's functions are not made for two threads.

    Parameters
    ----------
    model, output, scale, tolerance : as in `explain`
    data : SequenceData
        Samples to choose from.
    background : SequenceData, Background, array, "zero" or "mean"
    training : SequenceData, optional
        Where it is learned what is usual; by default the background, else `data`.
    """

    # What is said of a changed input that differs from the training data.
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
    ) -> None:
        self.model, self.data = model, data
        self._options: dict[str, Any] = {"output": output, "scale": scale, "tolerance": tolerance}
        self.background = Background.resolve(background, data)
        known = background if isinstance(background, SequenceData) else data
        self.training = known if training is None else training
        self._learn()
        self.lock = threading.RLock()
        self._inquiry: Inquiry | None = None
        self._asked: dict[tuple[int, Edits], Question] = {}
        self._explained: dict[tuple[int, Edits], Answer] = {}
        self._orders: dict[str, np.ndarray] = {}

    def _learn(self) -> None:
        """Learn what is usual."""
        self.familiarity = Familiarity.with_data(self.training)

    @property
    def variables(self) -> list[str]:
        """Names of what can be changed at single steps."""
        return list(dict.fromkeys(self.data.variables or self.data.feature_names))

    def recorded(self, state: State) -> SequenceData:
        """Return the sample as it was recorded."""
        return self.data[state.sample]

    def edited(self, state: State) -> SequenceData:
        """Return the sample with its changes."""
        return self.changed(state, state.edits)

    def changed(self, state: State, edits: Edits) -> SequenceData:
        """Return the sample of a state with these changes."""
        return edited(self.recorded(state), edits)

    def inquiry(self, state: State) -> Inquiry:
        """Return what can be asked about the sample of a state."""
        with self.lock:
            if self._inquiry is None or self._inquiry.position != state.sample:
                self._inquiry = Inquiry.about(
                    self.model, self.recorded(state), self.background,
                    position=state.sample, **self._options,
                )  # fmt: skip
            return self._inquiry

    def predictions(self, state: State) -> np.ndarray:
        """Return the explained output before (as recorded, or pinned) and now, shape (2,)."""
        with self.lock:
            both = (self._ask(state, edits) for edits in (state.pinned or (), state.edits))
            return np.array([question.predictions[0] for question in both])

    def glance(self, state: State) -> Glance:
        """Return the new prediction beside the old one, and warnings."""
        with self.lock:
            question = self.inquiry(state).question
            both = self.predictions(state)
        selection, classes = question.chosen, question.data.class_names
        facts = {"scale": selection.scale, "step": "last", "class_names": classes}
        probabilities = as_probability(both, selection.names, facts)
        is_probability = probabilities is not None
        both = both if probabilities is None else probabilities
        difference = float(np.ptp(both))
        first, second = (read_prediction(float(one), is_probability, difference) for one in both)
        name = str(selection.names[0])
        what = f"probability of {name}" if is_probability else f"predicted {name}"
        text = f"{what}: {second}" if first == second else f"{what}: {first} → {second}"
        return Glance(text, tuple(self.warnings(state)))

    def warnings(self, state: State) -> list[str]:
        """Return in what the changed sample is unlike the training data; nothing if unchanged."""
        if not state.edits:
            return []
        recorded, changed = self.recorded(state), self.edited(state)
        moved = (recorded.values != changed.values).any(axis=(0, 2))
        return self.familiarity.warnings(changed, (edit.name for edit in state.edits), moved)

    def explanation(self, state: State) -> Explanation:
        """Return the explanation of the sample as it is now."""
        return self._explain(state, state.edits).explanation

    def caution(self, state: State) -> str:
        """Return in words how far the explanation is from its tolerance; nothing if within."""
        return self._explain(state, state.edits).caution

    def _explain(self, state: State, edits: Edits) -> Answer:
        key = (state.sample, edits)
        with self.lock:
            if key not in self._explained:
                found, caution = self.inquiry(state).explain(self._ask(state, edits))
                _keep(self._explained, key, Answer(found, by_variable(found), caution))
            return _keep(self._explained, key, self._explained[key])

    def _ask(self, state: State, edits: Edits) -> Question:
        key = (state.sample, edits)
        with self.lock:
            if key not in self._asked:
                question = self.inquiry(state).asked_of(self.changed(state, edits))
                _keep(self._asked, key, question)
            return _keep(self._asked, key, self._asked[key])

    def view(self, state: State, variable: str) -> View:
        """Return everything that the picture shows of a state."""
        label = "as recorded" if state.pinned is None else "pinned"
        before, now = (self._explain(state, edits) for edits in (state.pinned or (), state.edits))
        return view_of(before.shown, now.shown, variable, label)

    def striking(self, state: State) -> tuple[str, int]:
        """Return the variable that matters most for a sample, and the step where it does."""
        explanation = self._explain(state, state.edits).shown
        values = explanation.values.values[0]
        column = int(np.abs(values.sum(axis=0)).argmax())
        real = np.abs(values[explanation.mask.values[0], column])
        return str(explanation.feature_names[column]), int(real.argmax())

    def order(self, way: str, state: State) -> np.ndarray:
        """Return all samples in an order that `widget_ranking.orders` names."""
        with self.lock:
            if not self._orders:
                self._orders = orders(self.inquiry(state).question, self.data)
            return self._orders[way]

    def flip(self, state: State, name: str, steps: range | None) -> Flip:
        """Return the smallest change of a variable that flips the decision of the present state.

        A model that predicts a value decides nothing: asked is when its prediction crosses the
        base value, the mean over the background.
        """
        with self.lock:
            question = self.inquiry(state).question
            is_value = question.anatomy.link == "identity"
            return smallest_change(
                self.model, self.edited(state), name, training=self.training, steps=steps,
                threshold=float(question.base_values[0]) if is_value else None,
            )  # fmt: skip


def _keep(known: dict[Any, Any], key: Any, value: Any) -> Any:
    """Remember a value as the one that was used last, forget the oldest; return it."""
    known.pop(key, None)
    while len(known) >= _KEPT:
        known.pop(next(iter(known)))
    known[key] = value
    return value


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
        raw = compiled.outputs(subject, old.batch_size)
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


def ways(question: Question, data: SequenceData) -> list[str]:
    """Return the names of the orders that `orders` gives, before anything is computed."""
    anatomy = question.anatomy
    if anatomy.link == "identity":
        names = ["highest prediction", "lowest prediction"]
        known = data.target is not None
    else:
        names = ["most certain", "least certain"]
        known = data.target is not None and len(data.class_names) == max(anatomy.num_outputs, 2)
    names += ["most wrong"] * known
    names += ["largest change of attention"] * bool(anatomy.attention_layers)
    return [*names, "at random"]


def orders(question: Question, data: SequenceData, seed: int = 0) -> dict[str, np.ndarray]:
    """Return ways to choose a sample, each an order of all samples.

    Parameters
    ----------
    question : Question
        About one of the samples: names the model and the output.
    data : SequenceData
    seed : int
        Seed of the order "at random".

    Returns
    -------
    dict of int arrays (sample,)
        "most certain" and "least certain" (the probability of the likeliest class), or "highest"
        and "lowest prediction" of a value; "most wrong" (the probability of the true class, or the
        absolute error) where the truth is known; "largest change of attention" (from one real step
        to the next, in units of an even attention) where there is attention; "at random".
    """
    scale = "margin" if question.chosen.scale == "value" else question.chosen.scale
    anatomy, compiled, subject = see(question.anatomy, data, scale, DEFAULT_BATCH)
    raw = last_outputs(compiled.outputs(subject, DEFAULT_BATCH), subject.mask)
    sizes: dict[str, np.ndarray] = {}
    wrong = None
    if anatomy.link == "identity":
        values = raw.astype(np.float64) @ question.chosen.weights[0]
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
    maps = compiled.attention(subject, DEFAULT_BATCH)
    if maps:
        weights = mean_weights(maps[-1], subject.mask)
        both = subject.mask[:, 1:] & subject.mask[:, :-1]
        moved = np.abs(np.diff(weights, axis=1)) * both
        sizes["largest change of attention"] = moved.max(axis=1, initial=0.0) * data.lengths
    ranked = {name: np.argsort(-size, kind="stable") for name, size in sizes.items()}
    return ranked | {"at random": np.random.default_rng(seed).permutation(len(data))}
