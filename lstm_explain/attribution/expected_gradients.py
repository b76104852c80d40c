"""``explain``: expected gradients along all paths from background rows to a sample."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..arguments import check_flag, check_number
from ..inspection.outputs import Scale
from ..inspection.question import Question, prepare
from ..progress import progress_bar
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .explanation import Explanation
from .quadrature import (
    between,
    estimated_error,
    gauss_legendre,
    norm_of,
    shifted_midpoints,
    sum_nodes,
)
from .records import make_explanation
from .refinement import refine


def explain(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    output: int | str | None = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    tolerance: float = 0.05,
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by expected gradients: SHAP values per cell, and attention beside them.

    Every path from a background sequence to a sample is integrated by fixed quadrature rules,
    refined until the sample is exact enough: the same call gives the same numbers. On every point
    of a path the model sees the mask of the sample; values on padded steps are exactly 0.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to explain.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; for texts by default "[UNK]".
    output : int, str or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample.
    step : int, "last" or "sum"
        Which step's output, for models that give one per step.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    tolerance : float
        Bound on the gap, relative to the spread of predictions over samples and background, and
        on the estimated error of each sample's values (relative L2).
    batch_size : int, optional
        Path points per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        An option does not fit the model or the data; raised before the integration begins.

    Warns
    -----
    ToleranceWarning
        The finest quadrature did not reach the tolerance.

    References
    ----------
    Erion et al. (2021), Nature Machine Intelligence 3: expected gradients. Sundararajan, Taly and
    Yan (2017), arXiv:1703.01365: integrated gradients, which a single background row gives.

    Examples
    --------
    >>> explanation = explain(model, data.test[:16], background=data.train)  # doctest: +SKIP
    """
    check_number(above=0, remedy="Try 0.05.", tolerance=tolerance)
    check_flag(progress=progress)
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    explanation, message = explain_question(question, step, tolerance, progress)
    if message:
        warnings.warn(message, ToleranceWarning, stacklevel=2)
    return explanation


def explain_question(
    question: Question, step: int | Literal["last", "sum"], tolerance: float, progress: bool
) -> tuple[Explanation, str]:
    """Return the explanation, and a message if its values miss the tolerance, else ""."""
    integral = integrate(question, tolerance, progress)
    explanation = make_explanation(
        question,
        {"values": integral.values},
        integral.static_values,
        method="expected gradients",
        step=step,
        tolerance=tolerance,
        nodes_per_path=integral.num_nodes,
        estimated_error=integral.error,
    )
    if max(integral.error, integral.gap) <= tolerance:
        return explanation, ""
    return explanation, (
        f"Expected values within tolerance={tolerance}; with {integral.num_nodes} nodes per path "
        f"their estimated error is {integral.error:.3f} (relative L2) and the largest gap is "
        f"{integral.gap:.3f} of the predictions' spread. Read e.gaps before you trust a sample."
    )


# From this many rows on, the errors of shifted midpoints cancel well enough over the rows.
_MANY_ROWS = 8
# Nodes per path: midpoints, doubled while they miss the tolerance, every node used again; then, and
# for few rows, Gauss-Legendre rules, each of which measures the one before it. What few rows leave
# open then is refined sample by sample, where its paths are steep.
_MIDPOINTS = (1, 2, 4, 8, 16)
_GAUSS_AFTER, _GAUSS_ALONE = (32, 64), (4, 8, 16, 32)
# Samples that share one call of the compiled function, and the most numbers that it returns.
_MOST_SAMPLES, _MOST_NUMBERS = 32, 4_000_000


class ToleranceWarning(UserWarning):
    """The values are less exact than was asked for; the message says by how much."""


@dataclass(frozen=True)
class Integral:
    """SHAP values of samples, how exact they are, and the finest rule that was needed.

    Attributes
    ----------
    values : float64 array (sample, time, feature)
    static_values : float64 array (sample, static feature)
    num_nodes : int
        Most nodes per path.
    error : float
        Largest estimated relative L2 error of a sample's values.
    gap : float
        Largest gap of a sample, relative to the spread of predictions.
    """

    values: np.ndarray
    static_values: np.ndarray
    num_nodes: int
    error: float
    gap: float


def integrate(question: Question, tolerance: float, progress: bool) -> Integral:
    """Integrate d output / d input along every path from a background row to a sample.

    ``value_i = mean over rows b of (x_i - b_i) * integral over a in [0, 1] of
    d output / d x_i (b + a (x - b))``. Each sample is refined until its gap, relative to the
    spread of predictions, and its estimated error are within tolerance.

    References
    ----------
    Erion et al. (2021), "Improving performance of deep learning models with axiomatic attribution
    priors and expected gradients", Nature Machine Intelligence 3, equation 3.
    """
    subject = question.subject
    count, num_cells = len(subject), int(np.prod(subject.values.shape[1:]))
    size = max(1, min(_MOST_SAMPLES, _MOST_NUMBERS // (_MIDPOINTS[-1] * max(num_cells, 1))))
    # Filled block by block: joining blocks at the end would hold every value twice.
    values = np.zeros(subject.values.shape)
    static_values = np.zeros(subject.static.shape)
    num_nodes, error, gap = 0, 0.0, 0.0
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for start in range(0, count, size):
            block = np.arange(start, min(start + size, count))
            inputs, errors, nodes = _integrate_block(question, block, tolerance)
            values[block] = inputs[:, :num_cells].reshape(len(block), *values.shape[1:])
            static_values[block] = inputs[:, num_cells:]
            num_nodes, error = max(num_nodes, nodes), max(error, float(errors.max()))
            gap = max(gap, float(_gaps(question, block, inputs).max()))
            bar.update(len(block))
    return Integral(values, static_values, num_nodes, error, gap)


def _integrate_block(
    question: Question, block: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Refine a few samples together, each until it is exact enough.

    Returns
    -------
    values : array (sample, input)
        Of all cells, step by step, then of the static facts.
    errors : array (sample,)
        Estimated relative L2 error; of a Gauss-Legendre rule, the change from the rule before it.
    nodes : int
        Most nodes per path.
    """
    num_rows, num_bins = question.row_outputs.shape[1], _MIDPOINTS[-1]
    subject, spread = question.subject, _spread(question)
    num_inputs = int(np.prod(subject.values.shape[1:])) + subject.static.shape[1]
    values, errors = np.zeros((len(block), num_inputs)), np.full(len(block), np.inf)

    def unfinished(todo: np.ndarray) -> np.ndarray:
        gaps = _gaps(question, block[todo], values[todo])
        return todo[np.maximum(errors[todo], gaps) > tolerance]

    todo, nodes = np.arange(len(block)), 0
    gauss_rules: tuple[int, ...] = _GAUSS_ALONE
    if num_rows >= _MANY_ROWS:
        gauss_rules = _GAUSS_AFTER
        sums = np.zeros((len(block), num_bins, num_inputs))
        slopes = np.zeros((len(block), num_rows, num_bins))
        first = _first_midpoints(tolerance)
        positions = added = shifted_midpoints(num_rows, first)
        for nodes in _MIDPOINTS[_MIDPOINTS.index(first) :]:
            if nodes > first:
                added = between(positions)
                positions = np.concatenate([positions, added], axis=1)
            # Which sixteenth of its path a node stands in: later rules take the sums apart by it.
            bins = (added * num_bins).astype(int)
            weights = np.full(added.shape, 1.0 / num_rows)
            new_sums, new_slopes, _ = sum_nodes(
                question, block[todo], added, weights, bins, num_bins
            )
            sums[todo] += new_sums
            slopes[todo[:, None, None], np.arange(num_rows)[:, None], bins] = new_slopes
            values[todo] = sums[todo].sum(axis=1) / nodes
            path_ends = question.predictions[block[todo], None] - question.row_outputs[block[todo]]
            errors[todo] = estimated_error(sums[todo], slopes[todo], path_ends, nodes)
            todo = unfinished(todo)
            if len(todo) == 0:
                break
    for gauss_nodes in gauss_rules:
        if len(todo) == 0:
            break
        positions, weights = gauss_legendre(num_rows, gauss_nodes)
        bins = np.zeros(positions.shape, int)
        new = sum_nodes(question, block[todo], positions, weights, bins, 1)[0][:, 0]
        if nodes:
            length = norm_of(new)
            errors[todo] = norm_of(new - values[todo]) / np.where(length > 0, length, 1.0)
        values[todo], nodes = new, gauss_nodes
        todo = unfinished(todo)
    if num_rows < _MANY_ROWS:
        for position in todo:
            sample = int(block[position])
            fine = refine(question, sample, values[position], tolerance, spread)
            values[position], errors[position], needed = fine
            nodes = max(nodes, needed)
    return values, errors, nodes


def _first_midpoints(tolerance: float) -> int:
    """Return the coarsest rule worth trying: on trained models fewer nodes miss the tolerance."""
    if tolerance >= 0.25:
        return 1
    return 2 if tolerance >= 0.1 else 4


def _gaps(question: Question, samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the absolute gap of each sample, relative to the spread of predictions, (sample,)."""
    difference = (question.predictions - question.base_values)[samples]
    return np.abs(difference - values.sum(axis=1)) / _spread(question)


def _spread(question: Question) -> float:
    """Standard deviation of all predictions, of samples and background rows."""
    predictions = np.concatenate([question.row_outputs.ravel(), question.predictions])
    return float(predictions.std()) or 1.0
