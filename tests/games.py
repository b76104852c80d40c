"""Cooperative games whose answers are known: of random worth, and of a tiny network."""

from types import SimpleNamespace

import numpy as np
import reference
import tiny

import lstm_explain as lx
from lstm_explain.attribution.shapley import exact, sampled


class RandomGame:
    """A small random network of who is present and of the background row, in place of a model."""

    batch_size = 4096

    def __init__(self, players, rows, gain, rng):
        self.players, self.rows = SimpleNamespace(count=players), (np.zeros(rows),)
        self.presence, self.row = (rng.normal(scale=gain, size=(n, 4)) for n in (players, rows))
        self.head = rng.normal(size=4)

    def outputs(self, row, present):
        return np.tanh(present @ self.presence + self.row[row]) @ self.head[:, None]

    def worths(self, present):
        rows = range(len(self.rows[0]))
        return np.mean([self.outputs(np.full(len(present), r), present) for r in rows], axis=0)

    def worth(self, present):
        return self.worths(present)[:, 0]


def standardised_errors(rows, count, repeats, seed, pairs=None):
    """Return (estimate - exact) / standard error of the players of `count` games.

    By default as many pairs of orders are drawn as `shapley_values` draws.
    """
    rng = np.random.default_rng(seed)
    result = []
    for _ in range(count):
        game = RandomGame(int(rng.integers(6, 11)), rows, rng.choice([0.3, 1, 3]), rng)
        players = game.players.count
        truth = exact(game.worths, players)
        budget = None if pairs is None else pairs * 2 * players * rows
        for _ in range(repeats):
            estimates, errors, _ = sampled(game, budget, rng)
            result.append((estimates - truth)[errors > 0] / errors[errors > 0])
    return np.concatenate(result)


def worth_of(groups, sample=0, task="binary"):
    """Worth of a coalition of groups of cells, one sequence at a time by the reference network."""
    data, model = tiny.padded(task), tiny.model(task)
    margin = reference.attention_lstm(model)
    mask = data.test.mask[sample]
    x = data.test.values[sample][mask].astype(float)
    rows = lx.Background.from_data(data.train[:6]).values[:, : len(x)].astype(float)

    def worth(coalition):
        outputs = []
        for row in rows:
            mixed = row.copy()
            for player in coalition:
                mixed[groups[player]] = x[groups[player]]
            outputs.append(margin(mixed)[0])
        return float(np.mean(outputs))

    return worth, len(x)
