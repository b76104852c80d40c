"""What a model answers when the cells, steps or words that a ranking puts first are absent.

"Absent" means the same as in the explanation: cells take the numbers of a background row, the
sample keeps its mask, and the answers are averaged over the background rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..attribution.shapley import Game, Players, players_of
from ..inspection.outputs import Scale
from ..inspection.question import Question, prepare
from ..progress import progress_bar
from ..sequences.data import SequenceData
from ..sequences.inputs import Role

# The shares of ERASER (DeYoung et al. 2020, section 4.2).
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)


def removal_outputs(
    model: Any,
    data: SequenceData | np.ndarray,
    scores: np.ndarray | xr.DataArray,
    *,
    background: Any = None,
    output: int | str | None = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    shares: Sequence[float] = SHARES,
    keep: bool = False,
    seed: int = 0,
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Return what a model answers without the top share of each sample's cells, steps or words.

    The scores may come from anywhere: SHAP values, attention, another package, random numbers. With
    p the prediction, ``p - removal_outputs(...)`` is the comprehensiveness of a ranking, and
    ``p - removal_outputs(..., keep=True)`` its sufficiency.

    Parameters
    ----------
    model : keras.Model
    data : SequenceData or array (sample, time, feature)
    scores : array (sample, time) or (sample, time, feature)
        The highest are removed first; scores on padded steps are ignored. For a text (sample,
        time). Give ``abs(...)`` where the size decides, not the sign.
    background : SequenceData, Background, array, "zero" or "mean"
        What replaces absent cells.
    output : int or str, optional
        Position or name of the explained output. By default each sample's predicted class.
    step : int, "last" or "sum"
        Which step's output, for a model with one output per step.
    scale : {"margin", "probability"}
    shares : sequence of float
        Of the real cells or steps, each above 0 and up to 1, rounded to whole ones, at least one.
    keep : bool
        Keep the top share and remove all others. Static facts always stay.
    seed : int
        Of the random order in which equal scores are removed.
    batch_size : int, optional
        Rows per call of the model.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray (sample, share)
        The explained output, a mean over the background rows.

    Raises
    ------
    ValueError
        Scores of another shape or with NaN, shares out of range, or what `explain` refuses.

    References
    ----------
    DeYoung et al. (2020), "ERASER: A benchmark to evaluate rationalized NLP models", equations 1
    and 2.

    Examples
    --------
    >>> without = removal_outputs(model, data.test, e.attention, background=data.train,
    ...                           shares=[0.2])                          # doctest: +SKIP
    >>> float((e.predictions - without[:, 0]).mean())                    # doctest: +SKIP
    """
    _check_shares(shares)
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    array = np.asarray(scores, np.float64)
    level = "cell" if array.ndim == 3 else "time"
    _check_scores(array, question, level)
    players = all_players(question, level)
    real = real_players(players, question.subject.mask)
    flat = np.zeros(real.shape)
    flat[:, : array[0].size] = array.reshape(len(array), -1)
    places = places_of(flat, real, np.random.default_rng(seed))
    outputs = outputs_by_share(question, players, places[None], shares, (keep,), progress)
    return xr.DataArray(
        outputs[0, 0],
        dims=("sample", "share"),
        coords={"sample": np.arange(len(flat)), "share": list(shares)},
        name="only" if keep else "without",
    )


def all_players(question: Question, level: str, window: int = 1) -> Players:
    """Group cells into players, padded steps included, so that samples share compiled functions."""
    _, num_steps, num_features = question.subject.values.shape
    sizes = (num_features, question.subject.static.shape[1])
    return players_of(level, np.ones(num_steps, bool), sizes, window)


def real_players(players: Players, mask: np.ndarray) -> np.ndarray:
    """Return which players have a cell on a real step, bool (sample, player); not static facts.

    Parameters
    ----------
    mask : bool array (sample, time)
    """
    real = np.zeros((len(mask), players.count), bool)
    for step, owners in enumerate(players.cells):
        real[:, owners] |= mask[:, step, None]
    return real


def places_of(scores: np.ndarray, ranked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return each player's place in the order of removal, int (sample, player).

    The highest score has place 0. Equal scores are put in an order drawn by `rng`. Players that
    are not ranked are never removed: their place is the number of all players.

    Examples
    --------
    >>> ranked = np.array([[True, True, True, False]])
    >>> places_of(np.array([[0.1, 0.7, -2.0, 9.0]]), ranked, np.random.default_rng(0)).tolist()
    [[1, 0, 2, 4]]
    """
    keys = np.where(ranked, -scores, np.inf)
    order = np.lexsort((rng.random(scores.shape), keys), axis=-1)
    places = np.argsort(order, axis=-1)
    return np.where(ranked, places, scores.shape[1])


def counts_of(num_ranked: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Return how many players each share is: rounded, halves up, at least one, (sample, share).

    Examples
    --------
    >>> counts_of(np.array([10, 3]), [0.01, 0.25, 0.5]).tolist()
    [[1, 3, 5], [1, 1, 2]]
    """
    counts = np.floor(num_ranked[:, None] * np.asarray(shares) + 0.5 + 1e-9)
    return np.maximum(counts, 1).astype(int)


def outputs_by_share(
    question: Question,
    players: Players,
    places: np.ndarray,
    shares: Sequence[float],
    keep: Sequence[bool] = (False, True),
    progress: bool = False,
) -> np.ndarray:
    """Remove, or keep, the first players of several rankings of the same samples.

    Parameters
    ----------
    places : int array (ranking, sample, player)
        From `places_of`.
    keep : sequence of bool
        False removes the first players, True removes all ranked others.

    Returns
    -------
    float64 array (keep, ranking, sample, share)
    """
    num_rankings, num_samples, count = places.shape
    ranked = places < count
    counts = counts_of(ranked[0].sum(axis=1), shares)
    result = np.zeros((len(keep), num_rankings, num_samples, len(shares)))
    with progress_bar(num_samples, "removing", "sample", progress) as bar:
        for sample in range(num_samples):
            first = places[:, sample, None] < counts[sample, None, :, None]
            kept = ~ranked[:, sample, None] | first
            present = np.stack([kept if only else ~first for only in keep])
            worth = Game.of(question, sample, players).worth(present.reshape(-1, count))
            result[:, :, sample] = worth.reshape(result.shape[0], num_rankings, -1)
            bar.update()
    return result


def with_few_rows(question: Question, most: int, seed: int) -> Question:
    """Return the question against at most so many of its background rows, drawn at random."""
    count = len(question.rows[0])
    if count <= most:
        return question
    kept = np.sort(np.random.default_rng(seed).permutation(count)[:most])
    values, static = question.rows
    return replace(
        question,
        rows=(values[kept], static[kept]),
        row_outputs=question.row_outputs[:, kept],
    )


def _check_shares(shares: Sequence[float]) -> None:
    if len(shares) == 0 or not all(0 < share <= 1 for share in shares):
        raise ValueError(
            f"Expected shares above 0 and up to 1; received {list(shares)}. Try (0.05, 0.2)."
        )


def _check_scores(scores: np.ndarray, question: Question, level: str) -> None:
    shape = question.subject.values.shape
    if question.anatomy.embedding_layers and level == "cell":
        raise ValueError(
            f"Expected scores of words, of shape {shape[:2]}, for a text; received {scores.shape}. "
            "Sum them over the embedding."
        )
    if scores.shape != shape[: scores.ndim] or scores.ndim < 2:
        raise ValueError(
            f"Expected scores of shape {shape[:2]} (sample, time) or {shape} (sample, time, "
            f"feature); received {scores.shape}. Give one score per step or per cell of the data."
        )
    if np.isnan(scores[question.subject.mask]).any():
        raise ValueError(
            "Expected scores without NaN on real steps; received some. Say where they stand in the "
            "ranking: fill them with 0, or with the lowest score."
        )
