"""``shapley_values`` and ``interactions``: what groups of cells are worth, apart and together.

In the game of one sample, a coalition of players is worth the mean explained output over the
background rows when the players' cells are the sample's and all others are the row's. Values are
exact for few players, and sampled from orders of the players for many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import factorial
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from scipy import stats

from ..arguments import check_flag, check_names, check_one_of, check_whole
from ..inspection.outputs import Output, Scale
from ..inspection.question import prepare
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .coalitions import Game, Players, check_window, games_of, values_of
from .explanation import Explanation
from .records import make_explanation

Level = Literal["time", "feature", "window", "cell"]
# Up to this many players, all coalitions are evaluated.
EXACT_PLAYERS = 12
# Antithetic pairs of orders without a budget: for each background row, and at least in all.
_PAIRS_PER_ROW, _LEAST_PAIRS = 2, 32


def shapley_values(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    level: Level = "time",
    window: int | None = None,
    budget: int | None = None,
    seed: int = 0,
    output: Output | Callable[..., Any] = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by Shapley values of steps, features, windows or cells.

    A player is present when its cells are the sample's, absent when they are those of a background
    row; a coalition is worth the mean over all rows. Up to 12 players every coalition is
    evaluated; beyond that, orders of the players are drawn in antithetic pairs, every background
    row equally often, so that base value plus values is the prediction exactly. Static facts are
    one player each.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to explain.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; for texts by default "[UNK]".
    level : {"time", "feature", "window", "cell"}
        What a player is.
    window : int, optional
        Steps per window, needed for ``level="window"``.
    budget : int, optional
        Model evaluations per sample, where orders are drawn. By default two pairs per row, or 32.
    seed : int
        Seed of the orders.
    output : int, str, list, callable or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample. A list or "all" gives an
        `output` dimension. Of a model with several heads the name of one, or (head, output). A
        function of the outputs, and inputs, is explained as `models.with_output` says.
    step : int, "last" or "sum"
        Which step's output, for models that give one per step.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Explanation
        With `standard_errors`: 0 where every coalition was evaluated; widened after few pairs, so
        that 1.96 of them cover 95 % there too; upper bounds where each row has one pair only.

    Raises
    ------
    ValueError
        An unknown level, a missing window, or what `explain` refuses.

    References
    ----------
    Shapley (1953); Strumbelj and Kononenko (2014), Knowledge and Information Systems 41;
    Mitchell et al. (2022), JMLR 23: antithetic orders.

    Examples
    --------
    >>> shapley_values(model, data.test[:4], background=data.train, level="time")  # doctest: +SKIP
    """
    check_one_of(get_args(Level), level=level)
    check_whole(least=1, optional=True, window=window, budget=budget)
    check_whole(seed=seed)
    check_flag(progress=progress)
    check_window(level, window)
    question = prepare(
        model, data, background, output, step, scale, batch_size, inputs, several=True
    )
    games = games_of(question, level, window)
    rng, evaluations = np.random.default_rng(seed), 0

    def estimate(game: Game) -> tuple[np.ndarray, np.ndarray]:
        nonlocal evaluations
        count = game.players.count
        if count <= EXACT_PLAYERS:
            evaluations += 2**count * len(game.rows[0])
            values = exact(game.worths, count)
            return values, np.zeros(values.shape)
        estimates, deviations, spent = sampled(game, budget, rng)
        evaluations += spent
        return estimates, deviations

    arrays, static_values = values_of(question, games, level, window, estimate, progress)
    return make_explanation(
        question,
        arrays,
        static_values,
        level=level,
        window=window,
        method="Shapley values",
        step=step,
        seed=seed,
        model_evaluations=evaluations,
    )


def interactions(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    players: Sequence[int],
    background: Any = None,
    output: int | str | None = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
) -> xr.DataArray:
    """Return how much more pairs of steps (in text: words) are worth together than apart.

    This is the Shapley interaction index of some steps of one sample, from every coalition of them;
    all other steps stay as they are.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (1, time, feature)
        One sample.
    players : sequence of int
        2 to 12 real steps of the sample.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; for texts by default "[UNK]".
    output : int, str or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample.
    step : int, "last" or "sum"
        Which step's output, for models that give one per step.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.

    Returns
    -------
    DataArray (step, other_step)
        Symmetric; 0 on the diagonal.

    References
    ----------
    Grabisch and Roubens (1999), International Journal of Game Theory 28, definition 3.

    Examples
    --------
    >>> interactions(model, data.test[0], players=[3, 4], background="zero")  # doctest: +SKIP
    """
    check_names(players=players)
    steps = list(players)
    for player in steps:
        check_whole(remedy="Give the numbers of steps, from 0 on.", players=player)
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    if len(question.subject) != 1:
        raise ValueError(
            f"Expected one sample; received {len(question.subject)}. Choose one: data[0]."
        )
    real = set(np.flatnonzero(question.subject.mask[0]).tolist())
    if not 2 <= len(set(steps)) == len(steps) <= EXACT_PLAYERS or not set(steps) <= real:
        raise ValueError(
            f"Expected 2 to {EXACT_PLAYERS} different real steps out of {sorted(real)}; received "
            f"{steps}. Choose the steps or words that you suspect."
        )
    num_steps, num_features = question.subject.values.shape[1:]
    owner = np.full(num_steps, len(steps))
    owner[steps] = np.arange(len(steps))
    cells = np.repeat(owner[:, None], num_features, axis=1)
    static = np.full(question.subject.static.shape[1], len(steps))
    game = Game.of(question, 0, Players(cells, static, np.array(steps), len(steps)))
    return xr.DataArray(
        exact_interactions(game.worth, len(steps)),
        dims=("step", "other_step"),
        coords={"step": steps, "other_step": steps},
        name="interaction",
    )


def exact(worth: Callable[[np.ndarray], np.ndarray], count: int) -> np.ndarray:
    """Return the Shapley values of all players by enumerating every coalition.

    A coalition is worth a number, or one for each of several outputs.

    ``phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))``.

    References
    ----------
    Shapley (1953), "A value for n-person games", equation 13.

    Examples
    --------
    >>> exact(lambda present: 2.0 * present[:, 0] + present[:, 0] * present[:, 1], 2)
    array([2.5, 0.5])
    """
    coalitions, sizes, values = _all_worths(worth, count)
    weights = np.array([factorial(s) * factorial(count - s - 1) for s in range(count)])
    weights = weights / factorial(count)
    result = np.zeros((count, *values.shape[1:]))
    for player in range(count):
        without = np.flatnonzero(coalitions[:, player] == 0)
        gains = values[without + (1 << player)] - values[without]
        result[player] = np.tensordot(weights[sizes[without]], gains, axes=1)
    return result


def exact_interactions(worth: Callable[[np.ndarray], np.ndarray], count: int) -> np.ndarray:
    """Return the Shapley interaction index of each pair of players, (player, player).

    ``I_ij = sum over S without i, j of |S|! (n - |S| - 2)! / (n - 1)!
    (v(S + i + j) - v(S + i) - v(S + j) + v(S))``: how much more the two are worth together than
    apart. The diagonal is 0.

    References
    ----------
    Grabisch and Roubens (1999), "An axiomatic approach to the concept of interaction among
    players in cooperative games", definition 3.

    Examples
    --------
    >>> exact_interactions(lambda present: present[:, 0] * present[:, 1], 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    coalitions, sizes, values = _all_worths(worth, count)
    weights = np.array([factorial(s) * factorial(count - s - 2) for s in range(count - 1)])
    weights = weights / factorial(count - 1)
    result = np.zeros((count, count))
    for one in range(count):
        for other in range(one):
            neither = (coalitions[:, one] == 0) & (coalitions[:, other] == 0)
            without = np.flatnonzero(neither)
            i, j = 1 << one, 1 << other
            together = values[without + i + j] + values[without]
            apart = values[without + i] + values[without + j]
            result[one, other] = (weights[sizes[without]] * (together - apart)).sum()
            result[other, one] = result[one, other]
    return result


def _all_worths(
    worth: Callable[[np.ndarray], np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All coalitions, their sizes and worths; number k has the players whose bit is set in k."""
    coalitions = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    return coalitions, coalitions.sum(axis=1), worth(coalitions)


def sampled(
    game: Game, budget: int | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """Estimate Shapley values from random orders of the players, in antithetic pairs.

    Each order adds the players to one background row, one by one, a second in reverse (Mitchell et
    al. 2022, "Sampling permutations for Shapley value estimation", section 3.2). All rows are used
    equally often, so that the values sum to exactly the prediction minus the base value. `budget`
    is the largest number of evaluations, but every row gets at least one pair of orders.

    Returns
    -------
    values, standard_errors (player, output), number of model evaluations
    """
    count, num_rows = game.players.count, len(game.rows[0])
    # The two ends of an order are shared by its reverse: 2 n evaluations make a pair.
    pairs = max(_PAIRS_PER_ROW, -(-_LEAST_PAIRS // num_rows))
    if budget is not None:
        pairs = max(1, budget // (2 * count * num_rows))
    orders = rng.permuted(np.tile(np.arange(count), (num_rows * pairs, 1)), axis=1)
    row = np.repeat(np.arange(num_rows), pairs)
    blocks = []
    arrivals = np.arange(1, count)
    per_block = max(1, game.batch_size * 8 // (2 * count))
    for start in range(0, len(row), per_block):
        block = slice(start, start + per_block)
        rank = np.argsort(orders[block], axis=1)
        # Present after k arrivals: rank < k; in the reverse order: rank >= n - k.
        forward = rank[:, None, :] < arrivals[None, :, None]
        backward = rank[:, None, :] >= (count - arrivals)[None, :, None]
        empty = np.zeros((len(rank), 1, count), bool)
        present = np.concatenate([empty, forward, ~empty, backward], axis=1)
        outputs = game.outputs(
            np.repeat(row[block], 2 * count), present.reshape(-1, count)
        ).reshape(len(rank), 2 * count, -1)
        rank = rank[..., None]
        first = np.diff(outputs[:, : count + 1], axis=1)
        closed = np.concatenate([outputs[:, :1], outputs[:, count + 1 :], outputs[:, [count]]], 1)
        second = np.diff(closed, axis=1)
        gains = np.take_along_axis(first, rank, axis=1)
        gains += np.take_along_axis(second, count - 1 - rank, axis=1)
        blocks.append(gains / 2)
    estimates = np.concatenate(blocks)
    by_row = estimates.reshape(num_rows, pairs, *estimates.shape[1:])
    freedom = np.full(estimates.shape[1:], max(num_rows - 1, 1))
    if pairs > 1:  # every row is used, so that only the orders are random
        spreads = by_row.var(axis=1, ddof=1)
        variance = spreads.mean(axis=0) / (num_rows * pairs)
        # Satterthwaite (1946): few rows of large spread tell less than many of equal spread.
        freedom = (pairs + 1) * spreads.sum(axis=0) ** 2 / ((spreads**2).sum(axis=0) + 1e-300)
        freedom = np.clip(freedom, 1, num_rows * (pairs - 1))
    elif num_rows > 1:
        variance = by_row[:, 0].var(axis=0, ddof=1) / num_rows
    else:
        variance = np.full(estimates.shape[1:], np.nan)  # one pair shows no spread
    widened = stats.t.ppf(0.975, freedom) / stats.norm.ppf(0.975)
    return estimates.mean(axis=0), widened * np.sqrt(variance), 2 * count * len(row)
