"""All samples of a data set: what is predicted of each beside the truth, and orders of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..attribution.records import attention_by_step
from ..inspection.alignment import attended_axes
from ..inspection.confirmation import see
from ..inspection.outputs import chances, last_outputs
from ..inspection.question import DEFAULT_BATCH, Question
from ..plots.content import read_prediction
from ..sequences.data import SequenceData
from ..wording import percent

# Links of models each of whose several outputs answers a question of its own.
SEVERAL = ("identity", "sigmoid", "binary logits")
# Of the threshold between two classes.
HALF = 0.5


@dataclass(frozen=True)
class Samples:
    """What a model predicts of all samples, beside the truth.

    Attributes
    ----------
    names : sequence of str
        What each sample is called.
    output : str
        What is predicted.
    shown : float64 array (sample,)
        A value in its unit; the probability of the second of two classes, or of the predicted one
        of several.
    classes : tuple of str
        Empty for a value.
    probabilities : float64 array (sample, class)
        Of a value without columns.
    truth : array (sample,) or None
        True values in their unit, or positions of the true classes; None where not known.
    """

    names: Sequence[str]
    output: str
    shown: np.ndarray
    classes: tuple[str, ...]
    probabilities: np.ndarray
    truth: np.ndarray | None

    @property
    def is_probability(self) -> bool:
        """Whether `shown` is one."""
        return bool(self.probabilities.shape[1])

    @cached_property
    def errors(self) -> np.ndarray:
        """Absolute error of a value, or 1 less the probability of the true class; NaN unknown."""
        if self.truth is None:
            return np.full(len(self.shown), np.nan)
        if not self.is_probability:
            return np.abs(self.shown - self.truth)
        return 1 - self.probabilities[np.arange(len(self.shown)), self.truth]

    def decided(self, threshold: float = HALF) -> np.ndarray:
        """Return the position of each sample's predicted class; a threshold is of two classes."""
        if self.probabilities.shape[1] == 2:
            return (self.shown >= threshold).astype(int)
        return self.probabilities.argmax(axis=1)

    def certainty(self, threshold: float = HALF) -> np.ndarray:
        """Return how far each decision is from being another one, as a probability."""
        if self.probabilities.shape[1] == 2:
            return np.abs(self.shown - threshold)
        largest = np.sort(self.probabilities, axis=1)
        return largest[:, -1] - largest[:, -2]

    def text(self, at: int) -> str:
        """Say what is predicted of a sample: "P003: probability of died 87 %, truly survived"."""
        name, shown = self.names[at], float(self.shown[at])
        truth = np.nan if self.truth is None else float(self.truth[at])
        if self.is_probability:
            several = self.probabilities.shape[1] > 2
            what = self.classes[int(self.decided()[at])] if several else self.output
            text = f"{what} {percent(shown)}"
            true = self.classes[int(truth)] if np.isfinite(truth) else ""
        else:
            difference = float(np.ptp(self.shown)) / 100
            numbers = (read_prediction(x, False, difference) for x in (shown, np.nan_to_num(truth)))
            text, true = numbers
        return f"{name}: {text}, truly {true}" if np.isfinite(truth) else f"{name}: {text}"


def knows_truth(question: Question, data: SequenceData) -> bool:
    """Return whether the target of the data is what the model predicts."""
    anatomy = question.anatomy
    known = data.target is not None and not data.target_names
    if anatomy.link == "identity":
        return known
    return known and len(data.class_names) == max(anatomy.num_outputs, 2)


def samples_of(question: Question, data: SequenceData, names: Sequence[str]) -> Samples:
    """Run the model on all samples.

    Parameters
    ----------
    question : Question
        About one of the samples; it says which model and which output.
    data : SequenceData
    names : sequence of str
        What each sample is called.
    """
    anatomy, compiled, subject = see(question.anatomy, data, question.scale, DEFAULT_BATCH)
    raw = last_outputs(compiled.outputs(subject, DEFAULT_BATCH), subject.mask)
    known, weights = knows_truth(question, data), question.selection.weights[0]
    output, truth = str(question.selection.names[0]), data.target if known else None
    if anatomy.link == "identity":
        if truth is not None:
            truth = truth.astype(np.float64) * data.target_scale + data.target_center
        values = raw.astype(np.float64) @ weights
        return Samples(names, output, values, (), np.zeros((len(data), 0)), truth)
    probabilities = chances(raw, anatomy.link)
    if raw.shape[1] > 1 and anatomy.link in SEVERAL:  # one question of several
        shown = probabilities[:, int(weights.argmax())]
        both = np.stack([1 - shown, shown], axis=1)
        return Samples(names, output, shown, (f"not {output}", output), both, None)
    count = probabilities.shape[1]
    classes = data.class_names
    if len(classes) != count:
        classes = tuple(f"output {position}" for position in range(count))
    if count > 2:
        shown = probabilities.max(axis=1)
        return Samples(names, "the predicted class", shown, classes, probabilities, truth)
    return Samples(names, classes[1], probabilities[:, 1], classes, probabilities, truth)


def ways(question: Question, data: SequenceData) -> list[str]:
    """Return the names of `orders`, without computing any."""
    is_value = question.anatomy.link == "identity"
    names = ["highest prediction", "lowest prediction"]
    names = names if is_value else ["most certain", "least certain"]
    names += ["most wrong"] * knows_truth(question, data)
    attends_to_steps = any(attended_axes(question.compiled, question.subject)[-1:])
    names += ["largest change of attention"] * attends_to_steps
    return [*names, "at random"]


def orders(question: Question, data: SequenceData, samples: Samples) -> dict[str, np.ndarray]:
    """Return orders of all samples, in which a user can go through them.

    Returns
    -------
    dict of int arrays (sample,)
        "most certain" and "least certain" (the probability of the likeliest class), or "highest"
        and "lowest prediction" of a value; "most wrong" (the probability of the true class, or the
        absolute error) where the truth is known; "largest change of attention" (from one real step
        to the next, in units of an even attention) where there is attention to steps; "at random".
    """
    sizes: dict[str, np.ndarray] = {}
    if samples.is_probability:
        likeliest = samples.probabilities.max(axis=1)
        sizes |= {"most certain": likeliest, "least certain": -likeliest}
    else:
        sizes |= {"highest prediction": samples.shown, "lowest prediction": -samples.shown}
    if samples.truth is not None:
        sizes["most wrong"] = np.nan_to_num(samples.errors, nan=-np.inf)
    _, compiled, subject = see(question.anatomy, data, question.scale, DEFAULT_BATCH)
    weights = attention_by_step(compiled, subject, DEFAULT_BATCH)
    if weights is not None:
        both = subject.mask[:, 1:] & subject.mask[:, :-1]
        moved = np.abs(np.diff(weights, axis=1)) * both
        sizes["largest change of attention"] = moved.max(axis=1, initial=0.0) * data.lengths
    ranked = {name: np.argsort(-size, kind="stable") for name, size in sizes.items()}
    return ranked | {"at random": np.random.default_rng(0).permutation(len(data))}
