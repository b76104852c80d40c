"""Slow, literal re-implementations from the papers, in float64, that the package is compared with.

Nothing here imports the package: weights come in as plain arrays, one sequence and one path at a
time. Derivatives are taken by the complex step, ``d f / d x = Im f(x + i h) / h``, which is exact
to rounding because every function here is analytic.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations
from math import factorial, log

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def lstm(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """States h_t of one sequence (time, feature): Hochreiter and Schmidhuber (1997), Gers (2000).

    Keras keeps the four gates side by side in the order input, forget, candidate, output.
    """
    units = recurrent.shape[0]
    hidden = np.zeros(units, dtype=x.dtype)
    cell = np.zeros(units, dtype=x.dtype)
    states = []
    for step in x:
        gates = step @ kernel + hidden @ recurrent + bias
        into, forget, candidate, out = gates.reshape(4, units)
        cell = sigmoid(forget) * cell + sigmoid(into) * np.tanh(candidate)
        hidden = sigmoid(out) * np.tanh(cell)
        states.append(hidden)
    return np.array(states)


def attention(states: np.ndarray, projection: np.ndarray, bias: np.ndarray, score: np.ndarray):
    """Additive attention over one sequence: weights a_t and context sum_t a_t h_t (Yang 2016)."""
    scores = np.array([np.tanh(h @ projection + bias) @ score[:, 0] for h in states])
    exponentials = np.exp(scores)
    weights = exponentials / exponentials.sum()
    context = sum(a * h for a, h in zip(weights, states, strict=True))
    return weights, context


def attention_lstm(model) -> Callable[[np.ndarray], np.ndarray]:
    """Return the margin of a `build_model` network as a function of one unpadded sequence."""
    arrays = {
        name: [np.asarray(w, np.float64) for w in model.get_layer(name).get_weights()]
        for name in ("lstm_1", "attention", "head")
    }

    def margin(x: np.ndarray) -> np.ndarray:
        states = lstm(x, *arrays["lstm_1"])
        _, context = attention(states, *arrays["attention"])
        kernel, bias = arrays["head"]
        return context @ kernel + bias

    return margin


def gradient(function: Callable[[np.ndarray], complex], x: np.ndarray) -> np.ndarray:
    """Derivative of a scalar function by every cell of x, by the complex step."""
    result = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        result[index] = np.imag(function(moved)) / 1e-30
    return result


def expected_gradients(
    function: Callable[[np.ndarray], complex],
    x: np.ndarray,
    background: np.ndarray,
    num_nodes: int = 60,
) -> np.ndarray:
    """Erion et al. (2021), equation 3: one path at a time, midpoint rule with many nodes."""
    total = np.zeros(x.shape)
    for start in background:
        for node in range(num_nodes):
            position = (node + 0.5) / num_nodes
            total += (x - start) * gradient(function, start + position * (x - start)) / num_nodes
    return total / len(background)


def shapley_values(worth: Callable[[frozenset], float], players: int) -> np.ndarray:
    """Shapley (1953): the mean gain on arrival over all orders of the players, literally."""
    gains = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        arrived: frozenset = frozenset()
        for player in order:
            gains[player] += worth(arrived | {player}) - worth(arrived)
            arrived = arrived | {player}
    return gains / len(orders)


def interaction(worth: Callable[[frozenset], float], players: int, i: int, j: int) -> float:
    """Shapley interaction index of a pair: Grabisch and Roubens (1999), definition 3."""
    others = [k for k in range(players) if k not in (i, j)]
    total = 0.0
    for size in range(len(others) + 1):
        weight = factorial(players - size - 2) * factorial(size) / factorial(players - 1)
        for subset in combinations(others, size):
            s = frozenset(subset)
            total += weight * (worth(s | {i, j}) - worth(s | {i}) - worth(s | {j}) + worth(s))
    return total


def lime(present, worths, distance: Callable, width: float, ridge: float):
    """Ribeiro, Singh and Guestrin (2016), section 3.4, with the ridge penalty of their package.

    One coalition at a time, the first being the sample itself: values, intercept, weighted R
    squared; and standard errors, White (1980), equation 5, each residual of a drawn coalition
    divided by the root of 1 - its leverage (MacKinnon and White 1985, HC2).
    """
    players = len(present[0])
    rows = [np.array([1.0, *row]) for row in present]
    weights = [float(np.sqrt(np.exp(-(distance(row) ** 2) / width**2))) for row in present]
    left = np.diag([0.0] + players * [ridge])
    right = np.zeros(players + 1)
    for weight, row, worth in zip(weights, rows, worths, strict=True):
        left = left + weight * np.outer(row, row)
        right = right + weight * row * worth
    solution = np.linalg.solve(left, right)
    mean = sum(w * y for w, y in zip(weights, worths, strict=True)) / sum(weights)
    missed = all_of_it = 0.0
    middle = np.zeros(left.shape)
    for number, (weight, row, worth) in enumerate(zip(weights, rows, worths, strict=True)):
        residual = worth - solution @ row
        missed += weight * residual**2
        all_of_it += weight * (worth - mean) ** 2
        if number:
            leverage = weight * row @ np.linalg.solve(left, row)
            middle += (weight * residual) ** 2 / (1 - leverage) * np.outer(row, row)
    errors = np.sqrt(np.diag(np.linalg.inv(left) @ middle @ np.linalg.inv(left)))
    return solution[1:], solution[0], 1 - missed / all_of_it, errors[1:]


# -- words -----------------------------------------------------------------------------------------
def word_vectors(texts: list[list[int]], num_words: int, size: int, window: int) -> np.ndarray:
    """Levy, Goldberg and Dagan (2015), sections 2 and 3: PPMI with smoothing, U sqrt(S).

    Neighbours at distance d count (window + 1 - d) / window; ids 0 and 1 (padding, unknown) do not
    count. Each vector is brought to a root mean square of 0.25; words without neighbours have 0.
    """
    counts = np.zeros((num_words, num_words))
    for text in texts:
        for i, word in enumerate(text):
            for j, neighbour in enumerate(text):
                distance = abs(i - j)
                if 0 < distance <= window and word > 1 and neighbour > 1:
                    counts[word, neighbour] += (window + 1 - distance) / window
    information = np.zeros_like(counts)
    smoothed = [sum(counts[:, n]) ** 0.75 for n in range(num_words)]
    for w in range(num_words):
        for n in range(num_words):
            if counts[w, n] > 0:
                together = counts[w, n] / counts.sum()
                apart = sum(counts[w]) / counts.sum() * smoothed[n] / sum(smoothed)
                information[w, n] = max(0.0, log(together / apart))
    left, strengths, _ = np.linalg.svd(information)
    vectors = left[:, :size] * np.sqrt(strengths[:size])
    lengths = np.sqrt((vectors**2).mean(axis=1, keepdims=True))
    return np.where(lengths > 1e-9, 0.25 * vectors / np.maximum(lengths, 1e-9), 0.0)
