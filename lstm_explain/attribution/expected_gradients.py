"""``explain``: expected gradients along all paths from background rows to a sample."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..arguments import check_flag, check_number, check_type
from ..inspection.outputs import Output, Scale
from ..inspection.question import Question, prepare
from ..models.averaging import average, check_members
from ..models.forms import as_sequences
from ..models.one_input import with_one_input
from ..progress import progress_bar
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .explanation import Explanation
from .members import with_members
from .quadrature import (
    between,
    estimated_error,
    gauss_legendre,
    norm_of,
    proportion,
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
    output: Output | Callable[..., Any] = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    tolerance: float = 0.05,
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    attention: str | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by expected gradients: SHAP values per cell, and attention beside them.

    Every path from a background sequence to a sample is integrated by fixed quadrature rules,
    refined until the sample is exact enough: the same call gives the same numbers. On every point
    of a path the model sees the mask of the sample; values on padded steps are exactly 0.

    Parameters
    ----------
    model : keras.Model, or list of them
        With one sequence input, and optionally static facts and a mask. Several, such as of several
        seeds, are explained as `models.average` of them, and each by itself: `spread` and `stable`
        of the explanation say what another seed would have named too. It takes twice the time of
        all of them.
    data : SequenceData or array (sample, time, feature)
        The samples to explain.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; for texts by default "[UNK]".
    output : int, str, list, callable or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample. A list or "all" gives an
        `output` dimension. The width of an interval is "+6 h, 90 %-+6 h, 10 %". Of a model with
        several heads the name of one, or (head, output). A function of the outputs, and inputs, is
        explained as `models.with_output` says.
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
    attention : str, optional
        Name of the layer whose weights are shown as attention. By default it is found by what it
        does, the last one where there are several.
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
    check_type(str, 'Give attention="attention_1".', optional=True, attention=attention)
    if isinstance(model, list | tuple):
        return _explain_several(
            check_members(model), data, output, progress, background=background, step=step,
            scale=scale, tolerance=tolerance, batch_size=batch_size, inputs=inputs,
            attention=attention,
        )  # fmt: skip
    question = prepare(
        model, data, background, output, step, scale, batch_size, inputs, several=True,
        attention=attention,
    )  # fmt: skip
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
        estimated_error=float(integral.errors.max()),
    )
    error, gap = integral.errors.max(), integral.gaps.max()
    if max(error, gap) <= tolerance:
        return explanation, ""
    return explanation, (
        f"Expected values within tolerance={tolerance}; with {integral.num_nodes} nodes per path "
        f"their estimated error is {error:.2g} (relative L2) and the largest gap is {gap:.2g} of "
        f"the predictions' spread. {_cause(integral, tolerance)} Read e.gaps before you trust a "
        "sample; lx.shapley_values(...) needs no gradients."
    )


def _explain_several(
    models: list[Any],
    data: SequenceData | np.ndarray,
    output: Any,
    progress: bool,
    **options: Any,
) -> Explanation:
    """Explain the mean of several models, and the same outputs of each of them."""
    options["progress"] = False
    with progress_bar(1 + len(models), "explaining", "model", progress) as bar:
        # Not from the members: the log-odds of a class among several are no mean of theirs.
        mean, each = explain(average(models), data, output=output, **options), []
        for model in models:
            bar.update()
            each.append(_of_outputs(mean.output.values, model, data, output, options).to_dataset())
        bar.update()
    return Explanation(with_members(mean.to_dataset(), each))


def _of_outputs(
    names: np.ndarray, model: Any, data: Any, output: Any, options: dict[str, Any]
) -> Explanation:
    """Explain the output that is asked for, by default that of each sample's name."""
    if output is not None:
        return explain(model, data, output=output, **options)
    samples = as_sequences(data, with_one_input(model), options["inputs"])
    rows = [np.flatnonzero(names == name) for name in np.unique(names)]
    parts = (explain(model, samples[of], output=str(names[of[0]]), **options) for of in rows)
    return Explanation.concat(parts)[np.argsort(np.concatenate(rows))]


def _cause(integral: Integral, tolerance: float) -> str:
    """Say why finer rules did not help: a gap that no rule changes is no matter of nodes."""
    worst = int(np.argmax(integral.gaps))
    gap, before = integral.gaps[worst], integral.coarser_gaps[worst]
    if gap > tolerance and abs(gap - before) < 0.2 * gap:
        return (
            "More nodes left that gap as it was: the output jumps where its gradient shows "
            "nothing (rounding, argmax, a comparison, facts read as whole numbers), or it differs "
            "from call to call (randomness)."
        )
    return "More nodes still moved the values: the output is very steep, or has many kinks."


# From this many rows on, the errors of shifted midpoints cancel well enough over the rows.
_MANY_ROWS = 8
# Nodes per path: midpoints, doubled while they miss the tolerance, every node used again; then, and
# for few rows, Gauss-Legendre rules. What few rows leave open then is refined sample by sample,
# where its paths are steep.
_GAUSS_AFTER, _GAUSS_ALONE = (8, 16, 32, 64), (4, 8, 16, 32)
# Parts of the path that the gradients at midpoints are summed in, to see how they change along it.
_BINS = 32
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
    errors : array (sample,)
        Estimated relative L2 error of each sample's values.
    gaps, coarser_gaps : arrays (sample,)
        Absolute gap of each sample, and of the rule before, relative to the spread of predictions.
    """

    values: np.ndarray
    static_values: np.ndarray
    num_nodes: int
    errors: np.ndarray
    gaps: np.ndarray
    coarser_gaps: np.ndarray


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
    outputs = question.num_outputs
    size = max(1, min(_MOST_SAMPLES * outputs, _MOST_NUMBERS // (_BINS * max(num_cells, 1))))
    size -= size % outputs if size > outputs else 0  # outputs of one sample share its nodes
    # Filled block by block: joining blocks at the end would hold every value twice.
    values = np.zeros(subject.values.shape)
    static_values = np.zeros(subject.static.shape)
    errors, gaps, coarser_gaps = np.zeros((3, count))
    num_nodes = 0
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for start in range(0, count, size):
            block = np.arange(start, min(start + size, count))
            inputs, errors[block], coarser_gaps[block], nodes = _integrate_block(
                question, block, tolerance
            )
            values[block] = inputs[:, :num_cells].reshape(len(block), *values.shape[1:])
            static_values[block] = inputs[:, num_cells:]
            gaps[block] = _gaps(question, block, inputs)
            num_nodes = max(num_nodes, nodes)
            bar.update(len(block))
    return Integral(values, static_values, num_nodes, errors, gaps, coarser_gaps)


def _integrate_block(
    question: Question, block: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Refine a few samples together, each until it is exact enough.

    Returns
    -------
    values : array (sample, input)
        Of all cells, step by step, then of the static facts.
    errors, coarser_gaps : arrays (sample,)
        Estimated relative L2 error, and the gap of the rule before, relative to the spread.
    nodes : int
        Most nodes per path.
    """
    num_rows, subject = question.row_outputs.shape[1], question.subject
    num_inputs = int(np.prod(subject.values.shape[1:])) + subject.static.shape[1]
    values, errors = np.zeros((len(block), num_inputs)), np.full(len(block), np.inf)
    gaps, coarser_gaps = np.full((2, len(block)), np.inf)
    path_ends = question.predictions[block, None] - question.row_outputs[block]
    proportions = np.ones(len(block))

    def settle(todo: np.ndarray, new: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Take over the values of a finer rule, and return the samples that miss the tolerance."""
        if num_rows >= _MANY_ROWS:
            missed = path_ends[todo] - slopes
            errors[todo] = estimated_error(new, missed, proportions[todo])
        elif np.isfinite(gaps[todo]).all():  # not the first rule
            length = norm_of(new)
            errors[todo] = norm_of(new - values[todo]) / np.where(length > 0, length, 1.0)
        values[todo], coarser_gaps[todo] = new, gaps[todo]
        gaps[todo] = _gaps(question, block[todo], new)
        return todo[np.maximum(errors[todo], gaps[todo]) > tolerance]

    todo, nodes = np.arange(len(block)), 0
    if num_rows >= _MANY_ROWS:
        sums, counts = np.zeros((len(block), _BINS, num_inputs)), np.zeros(_BINS)
        slopes = np.zeros((len(block), num_rows))
        positions = added = shifted_midpoints(num_rows, _first_midpoints(tolerance))
        most = _most_midpoints(num_rows, tolerance)
        while len(todo) and nodes < most:
            if nodes:
                added = between(positions)
                positions = np.concatenate([positions, added], axis=1)
            nodes = positions.shape[1]
            bins, weights = (added * _BINS).astype(int), np.full(added.shape, 1.0 / num_rows)
            new_sums, new_slopes, _ = sum_nodes(question, block[todo], added, weights, bins, _BINS)
            sums[todo] += new_sums
            counts += np.bincount(bins.ravel(), minlength=_BINS)
            slopes[todo] += new_slopes.sum(axis=2) * num_rows
            proportions[todo] = proportion(sums[todo], counts)
            todo = settle(todo, sums[todo].sum(axis=1) / nodes, slopes[todo] / nodes)
    for gauss_nodes in _GAUSS_AFTER if num_rows >= _MANY_ROWS else _GAUSS_ALONE:
        if len(todo) == 0 or gauss_nodes <= nodes:
            continue
        nodes = gauss_nodes
        rule = gauss_legendre(num_rows, nodes)
        bins = np.zeros(rule[0].shape, int)
        new_sums, new_slopes, _ = sum_nodes(question, block[todo], *rule, bins, 1)
        todo = settle(todo, new_sums[:, 0], new_slopes.sum(axis=2) * num_rows)
    if num_rows < _MANY_ROWS:
        coarser_gaps[todo], spread = gaps[todo], _spread(question)
        for position in todo:
            sample = int(block[position])
            fine = refine(question, sample, values[position], tolerance, spread[sample])
            values[position], errors[position], needed = fine
            nodes = max(nodes, needed)
    return values, errors, coarser_gaps, nodes


def _first_midpoints(tolerance: float) -> int:
    """Return the coarsest rule worth trying: on trained models fewer nodes miss the tolerance."""
    if tolerance >= 0.25:
        return 1
    return 2 if tolerance >= 0.1 else 4


def _most_midpoints(num_rows: int, tolerance: float) -> int:
    """Return up to how many midpoints beat as many Gauss-Legendre nodes.

    Their errors cancel over 32 rows or more; for thousandths, Gauss-Legendre converges faster.
    """
    if num_rows < 32:
        return 4
    return 32 if tolerance >= 0.01 else 8


def _gaps(question: Question, samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the absolute gap of each sample, relative to the spread of predictions, (sample,)."""
    difference = (question.predictions - question.base_values)[samples]
    return np.abs(difference - values.sum(axis=1)) / _spread(question)[samples]


def _spread(question: Question) -> np.ndarray:
    """Standard deviation of all predictions of one output, of samples and background rows.

    Returns
    -------
    array (sample,)
        Several outputs of a sample, which may be in several units, have each its own.
    """
    count = question.num_outputs
    predictions = np.column_stack([question.row_outputs, question.predictions])
    predictions = predictions.reshape(-1, count, predictions.shape[1])
    spread, size = predictions.std(axis=(0, 2)), np.abs(predictions).max(axis=(0, 2))
    # Below that it is rounding, as where the samples are the background.
    spread = np.where(spread > 1e-6 * size, spread, np.where(size > 0, size, 1.0))
    return np.tile(spread, len(question.predictions) // count)
