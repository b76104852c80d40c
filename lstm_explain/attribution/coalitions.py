"""Coalitions: steps, features, windows or cells as players that are present or absent.

Shared by all methods that ask a model what groups of cells are worth: Shapley values, LIME, and the
removal of the faithfulness report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..inspection.compiled import Compiled, Subject, in_batches
from ..inspection.outputs import Selection
from ..inspection.question import Question
from ..progress import progress_bar

# Estimates the values of one game's players: the values and their standard errors, (player,), or
# of several outputs (player, output).
Estimate = Callable[["Game"], tuple[np.ndarray, np.ndarray]]


def check_window(level: str, window: int | None) -> None:
    """Raise unless the length of a window is given where players are windows, and only there."""
    if (level == "window") != (window is not None):
        raise ValueError(
            f'Expected window with level="window" and only there; received level={level!r}, '
            f'window={window}. For example level="window", window=6.'
        )


def games_of(question: Question, level: str, window: int | None) -> list[Game]:
    """Return the game of each sample of a question, whose players are what the level says.

    Several outputs of a sample are one game: they share the coalitions.

    Raises
    ------
    ValueError
        Features or cells of a text.
    """
    if question.data.tokens is not None and level in ("feature", "cell"):
        raise ValueError(
            f'Expected level "time" (words) or "window" for a text model; received {level!r}. The '
            "numbers inside an embedding are no features that a reader knows."
        )
    sizes = question.subject.values.shape[2], question.subject.static.shape[1]
    return [
        Game.of(question, sample, players_of(level, mask, sizes, window or 1))
        for sample, mask in enumerate(question.subject.mask[:: question.num_outputs])
    ]


def values_of(
    question: Question,
    games: list[Game],
    level: str,
    window: int | None,
    estimate: Estimate,
    progress: bool,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Estimate the values of each game's players, and put them where the players stand.

    Returns
    -------
    "values" and "standard_errors" by name, at the level; the values of static facts
    """
    count, num_steps, num_features = question.subject.values.shape
    shape = {
        "time": (count, num_steps),
        "feature": (count, num_features),
        "window": (count, -(-num_steps // (window or 1))),
        "cell": (count, num_steps, num_features),
    }[level]
    arrays = {"values": np.zeros(shape), "standard_errors": np.zeros(shape)}
    static_values = np.zeros(question.subject.static.shape)
    with progress_bar(len(games), "explaining", "sample", progress) as bar:
        for sample, game in enumerate(games):
            groups, several = game.players.groups, question.num_outputs
            rows = slice(sample * several, (sample + 1) * several)
            estimated = [np.reshape(numbers, (-1, several)).T for numbers in estimate(game)]
            for array, numbers in zip(arrays.values(), estimated, strict=True):
                array[rows].reshape(several, -1)[:, groups] = numbers[:, : len(groups)]
            static_values[rows] = estimated[0][:, len(groups) :]
            bar.update()
    return arrays, static_values


@dataclass(frozen=True)
class Players:
    """Who owns which cell of one sample.

    Attributes
    ----------
    cells : int array (time, feature)
        Player of each cell; the last player owns what is never absent.
    static : int array (static feature,)
        Player of each static fact.
    groups : int array (player,)
        Which step, feature, window or cell each player is, in order, without static facts.
    count : int
        Number of players, without the one that is always present.
    """

    cells: np.ndarray
    static: np.ndarray
    groups: np.ndarray
    count: int


def players_of(level: str, mask: np.ndarray, sizes: tuple[int, int], window: int) -> Players:
    """Group the cells of one sample into players; static facts are one player each.

    `sizes` are the numbers of features and of static facts. Padded steps belong to no player.
    """
    num_features, num_static = sizes
    step, feature = np.meshgrid(np.arange(len(mask)), np.arange(num_features), indexing="ij")
    group = {
        "time": step,
        "feature": feature,
        "window": step // max(window, 1),
        "cell": step * num_features + feature,
    }[level]
    real = np.broadcast_to(mask[:, None], group.shape)
    groups, player = np.unique(group[real], return_inverse=True)
    count = len(groups) + num_static
    cells = np.full(group.shape, count)
    cells[real] = player
    return Players(cells, len(groups) + np.arange(num_static), groups, count)


@dataclass(frozen=True)
class Game:
    """The worth of coalitions of one sample's players, evaluated in batches."""

    compiled: Compiled
    subject: Subject
    rows: tuple[np.ndarray, np.ndarray]
    players: Players
    selection: Selection
    batch_size: int

    @classmethod
    def of(cls, question: Question, sample: int, players: Players) -> Game:
        """Return the game of one sample of a question, for all of its outputs."""
        outputs = np.arange(question.num_outputs) + sample * question.num_outputs
        subject, selection = question.subject[outputs[:1]], question.selection[outputs]
        return cls(
            question.compiled, subject, question.rows, players, selection, question.batch_size
        )

    def outputs(self, row: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Explained outputs for each row (coalition,) and coalition, (coalition, output)."""
        always = np.ones((len(present), 1), np.float32)
        present = np.concatenate([present.astype(np.float32), always], axis=1)
        players = self.players.cells.astype(np.int32), self.players.static.astype(np.int32)

        def evaluate(row: np.ndarray, present: np.ndarray) -> tuple[np.ndarray]:
            arguments = (self.subject, self.rows, players, (row, present), self.selection)
            return (self.compiled.coalitions(*arguments),)

        outputs = in_batches(evaluate, self.batch_size, row.astype(np.int32), present)[0]
        return outputs.astype(np.float64)

    def worths(self, present: np.ndarray) -> np.ndarray:
        """Mean outputs over all background rows, (coalition, output)."""
        count = len(self.rows[0])
        row = np.tile(np.arange(count), len(present))
        outputs = self.outputs(row, np.repeat(present, count, axis=0))
        return outputs.reshape(len(present), count, -1).mean(axis=1)

    def worth(self, present: np.ndarray) -> np.ndarray:
        """Mean of the first output over all background rows, (coalition,)."""
        return self.worths(present)[:, 0]
