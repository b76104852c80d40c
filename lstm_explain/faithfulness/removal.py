"""What a model answers when the cells, steps or words that a ranking puts first are absent.

"Absent" means the same as in the explanation: cells take the numbers of a background row, the
sample keeps its mask, and the answers are averaged over the background rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..attribution.coalitions import Game, Players, players_of
from ..inspection.question import Question
from ..progress import progress_bar

# The shares of ERASER (DeYoung et al. 2020, section 4.2).
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)


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
