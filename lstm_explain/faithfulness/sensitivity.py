"""Completeness, infidelity and sensitivity of the values.

Do they add up, do they predict what removals do, and are they steady under small noise?
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..attribution.coalitions import Game
from ..attribution.explanation import Explanation
from ..intervals import SIZE
from .case import Case, Repeat
from .evidence import Evidence

# Random sets of absent players per sample.
_SETS = 20
# Perturbed copies per sample (Captum's default is 10), and how far each cell may move, in standard
# deviations of its feature.
_COPIES, RADIUS = 10, 0.05


def infidelity_evidence(case: Case, seed: int) -> list[Evidence]:
    """Compare the summed values of random sets of cells with what removing them does.

    ``mean over sets S of (sum of the values in S - (f(x) - f(x without S)))^2``, where absent cells
    are replaced as in the explanation. Each set leaves out a share of cells drawn between 0 and 1.
    The mean is divided by that of ``(f(x) - f(x without S))^2`` over all samples: 0 is exact, and
    an explanation of zeros has 1.

    Controls: the sample's values permuted among its cells ("random"), and their negatives.

    References
    ----------
    Yeh et al. (2019), "On the (in)fidelity and sensitivity of explanations", equation 1.
    """
    rng = np.random.default_rng(seed)
    known, count = case.known, case.known.shape[1]
    claims = {
        "explanation": case.values,
        "random": permuted(case.values, known, rng),
        "inverted": -case.values,
    }
    errors = {name: np.zeros(len(case)) for name in claims}
    moved = np.zeros(len(case))
    for sample in range(len(case)):
        share = rng.uniform(size=(_SETS, 1))
        absent = (rng.random((_SETS, count)) < share) & known[sample]
        worth = Game.of(case.question, sample, case.players).worth(~absent)
        changes = case.question.predictions[sample] - worth
        moved[sample] = (changes**2).mean()
        for name, values in claims.items():
            errors[name][sample] = ((absent @ values[sample] - changes) ** 2).mean()
    scale = float(moved.mean()) or 1.0
    return [
        Evidence("infidelity", "infidelity", name, error / scale, case.level, limits=SIZE)
        for name, error in errors.items()
    ]


def sensitivity_evidence(model: Any, repeat: Repeat, seed: int) -> list[Evidence]:
    """Explain samples again after small noise, and measure how far the values move at most.

    ``max over y near x of ||values(y) - values(x)|| / ||values(x)||``, estimated from ten y whose
    cells are up to 0.05 standard deviations of their feature away. 0 is steady. Words have no small
    changes: nothing is measured for texts.

    The control "random" permutes the values of every copy. There is no control "inverted": it
    moves exactly as much as the explanation.

    References
    ----------
    Yeh et al. (2019), definition 3 (maximum sensitivity, by sampling).
    """
    data = repeat.data
    if data.tokens is not None:
        return []
    rng = np.random.default_rng(seed)
    real = data.values[data.mask]
    deviation = real.std(axis=0)
    values = np.repeat(data.values, _COPIES + 1, axis=0)
    noise = rng.uniform(-RADIUS, RADIUS, values.shape) * deviation
    noise[:: _COPIES + 1] = 0  # the first copy is the sample itself
    index = np.repeat(np.arange(len(data)), _COPIES + 1)
    copies = data[index]
    moved = np.where(copies.mask[..., None], values + noise, 0).astype(np.float32)
    explained = repeat.values_of(model, replace(copies, values=moved), repeat.outputs[index])
    known = np.repeat(repeat.known, _COPIES + 1, axis=0)
    claims = {"explanation": explained, "random": permuted(explained, known, rng)}
    return [
        Evidence(
            "sensitivity",
            "maximum sensitivity",
            name,
            _largest_move(part),
            repeat.level,
            limits=SIZE,
        )
        for name, part in claims.items()
    ]


def gap_evidence(case: Case) -> list[Evidence]:
    """Return |prediction - base value - sum of the values|, in spreads of the predictions."""
    e: Explanation = case.explanation
    gaps = np.abs(e.gaps.values) / case.spread
    return [Evidence("completeness", "gap", "explanation", gaps, case.level, limits=SIZE)]


def _largest_move(values: np.ndarray) -> np.ndarray:
    """Return how far the values of copies move from the sample's, relative to their size."""
    groups = values.reshape(-1, _COPIES + 1, values.shape[1])
    moves = np.linalg.norm(groups[:, 1:] - groups[:, :1], axis=2).max(axis=1)
    size = np.linalg.norm(groups[:, 0], axis=1)
    return np.where(size > 0, moves / np.where(size > 0, size, 1), np.nan)


def permuted(values: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Permute each sample's values among its known players, or its weights among its real steps."""
    result = values.copy()
    for row, players in zip(result, known, strict=True):
        row[players] = rng.permutation(row[players])
    return result
