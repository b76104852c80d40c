"""What a model says about many samples, to find one that is worth looking at."""

from __future__ import annotations

import numpy as np

from ..inspection.compiled import raw_outputs
from ..inspection.decisions import chances, last_outputs
from ..inspection.preparation import DEFAULT_BATCH, Question
from ..inspection.question import see
from ..internals.attention import mean_weights, scores_of
from ..sequences.data import SequenceData


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
    raw = last_outputs(raw_outputs(compiled, subject, DEFAULT_BATCH), subject.mask)
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
    maps = scores_of(compiled, subject, DEFAULT_BATCH)
    if maps:
        weights = mean_weights(maps[-1], subject.mask)
        both = subject.mask[:, 1:] & subject.mask[:, :-1]
        moved = np.abs(np.diff(weights, axis=1)) * both
        sizes["largest change of attention"] = moved.max(axis=1, initial=0.0) * data.lengths
    ranked = {name: np.argsort(-size, kind="stable") for name, size in sizes.items()}
    return ranked | {"at random": np.random.default_rng(seed).permutation(len(data))}
