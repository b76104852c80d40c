"""``shapley_values`` and ``interactions``: what groups of cells are worth, apart and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..inspection.outputs import Scale
from ..inspection.preparation import Question, prepare
from ..progress import progress_bar
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .explanation import Explanation
from .records import assemble
from .shapley_part import (
    EXACT_PLAYERS,
    Game,
    Players,
    exact,
    exact_interactions,
    players_of,
    sampled,
)

Level = Literal["time", "feature", "window", "cell"]


def shapley_values(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    level: Level = "time",
    window: int | None = None,
    budget: int | None = None,
    seed: int = 0,
    output: int | str | None = None,
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
    model, data, background, output, step, scale, batch_size, inputs, progress
        As in `explain`.
    level : {"time", "feature", "window", "cell"}
        What a player is.
    window : int, optional
        Steps per window, needed for ``level="window"``.
    budget : int, optional
        Model evaluations per sample, where orders are drawn. By default two pairs per row.
    seed : int
        Seed of the orders.

    Returns
    -------
    Explanation
        With `standard_errors`: 0 where every coalition was evaluated.

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
    if level not in ("time", "feature", "window", "cell"):
        raise ValueError(
            f'Expected level "time", "feature", "window" or "cell"; received {level!r}.'
        )
    if (level == "window") != (window is not None) or (window is not None and window < 1):
        raise ValueError(
            f'Expected window, of at least 1 step, with level="window" and only there; received '
            f'level={level!r}, window={window}. For example level="window", window=6.'
        )
    if budget is not None and budget < 1:
        raise ValueError(f"Expected a budget of at least 1 evaluation; received {budget}.")
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    count, num_steps, num_features = question.subject.values.shape
    num_static = question.subject.static.shape[1]
    if question.anatomy.embedding_layers and level in ("feature", "cell"):
        raise ValueError(
            f'Expected level "time" (words) or "window" for a text model; received {level!r}: '
            "the numbers inside an embedding are not features that a reader knows."
        )
    shape = {
        "time": (count, num_steps),
        "feature": (count, num_features),
        "window": (count, -(-num_steps // (window or 1))),
        "cell": (count, num_steps, num_features),
    }[level]
    values, errors = np.zeros(shape), np.zeros(shape)
    static_values = np.zeros((count, num_static))
    rng = np.random.default_rng(seed)
    evaluations = 0
    with progress_bar(count, "explaining", "sample", progress) as bar:
        for sample in range(count):
            mask = question.subject.mask[sample]
            players = players_of(level, mask, (num_features, num_static), window or 1)
            game = _game(question, sample, players)
            if players.count <= EXACT_PLAYERS:
                found = exact(game.worth, players.count)
                spread = np.zeros(players.count)
                evaluations += 2**players.count * len(question.rows[0])
            else:
                found, spread, spent = sampled(game, budget, rng)
                evaluations += spent
            place = _places(level, mask, num_features, window or 1)
            values[sample].flat[place] = found[: len(place)]
            errors[sample].flat[place] = spread[: len(place)]
            static_values[sample] = found[len(place) :]
            bar.update()
    return assemble(
        question,
        {"values": values, "standard_errors": errors},
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
    """Say how much more pairs of steps (in text: words) are worth together than apart.

    The Shapley interaction index among the chosen steps of one sample, by evaluating every
    coalition of them; all other steps stay as they are.

    Parameters
    ----------
    data : SequenceData or array
        One sample.
    players : sequence of int
        2 to 12 real steps of the sample.
    model, background, output, step, scale, batch_size, inputs
        As in `explain`.

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
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    if len(question.subject) != 1:
        raise ValueError(
            f"Expected one sample; received {len(question.subject)}. Choose one: data[0]."
        )
    steps = [int(player) for player in players]
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
    game = _game(question, 0, Players(cells, static, len(steps)))
    return xr.DataArray(
        exact_interactions(game.worth, len(steps)),
        dims=("step", "other_step"),
        coords={"step": steps, "other_step": steps},
        name="interaction",
    )


def _game(question: Question, sample: int, players: Players) -> Game:
    one = np.array([sample])
    return Game(
        question.compiled,
        question.subject[one],
        question.rows,
        players,
        question.chosen[one],
        question.batch_size,
    )


def _places(level: Level, mask: np.ndarray, num_features: int, window: int) -> np.ndarray:
    """Where the players of one sample, in order, stand in its flattened array of values."""
    steps = np.flatnonzero(mask)
    if level == "feature":
        return np.arange(num_features)
    if level == "window":
        return np.unique(steps // window)
    if level == "time":
        return steps
    return (steps[:, None] * num_features + np.arange(num_features)).ravel()
