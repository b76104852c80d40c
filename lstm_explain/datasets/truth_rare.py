"""Series of which a white box reads a few cells only: rare-time and rare-feature."""

from __future__ import annotations

from typing import Literal

import numpy as np

# x_t = e_t - 0.25 x_{t-1} - 0.1 x_{t-2} - 0.05 x_{t-3}, e_t standard normal
PAST = (-0.25, -0.1, -0.05)


NUM_FEATURES = 50


NUM_CHOSEN = 5


def draw_series(seed: int, rows: np.ndarray, num_steps: int) -> np.ndarray:
    """Draw the series of these numbers, (sample, step, feature); features are independent.

    Examples
    --------
    >>> draw_series(0, np.array([3, 1]), 4).shape
    (2, 4, 50)
    """
    shape = (num_steps, NUM_FEATURES)
    noise = [np.random.default_rng([seed, int(row)]).standard_normal(shape) for row in rows]
    values = np.array(noise).reshape(-1, *shape)
    for step in range(num_steps):
        for lag, weight in enumerate(PAST, start=1):
            if step >= lag:
                values[:, step] += weight * values[:, step - lag]
    return values


def chosen_cells(kind: Literal["time", "feature"], seed: int, num_steps: int) -> np.ndarray:
    """Return which cells the white box reads, bool (step, feature), the same for every series.

    Examples
    --------
    >>> int(chosen_cells("time", 0, 50).sum()), int(chosen_cells("feature", 0, 50).sum())
    (125, 125)
    """
    rng = np.random.default_rng(seed)
    cells = np.zeros((num_steps, NUM_FEATURES), bool)
    if kind == "time":
        start = int(rng.integers(num_steps - NUM_CHOSEN))
        cells[start : start + NUM_CHOSEN, _middle(NUM_FEATURES)] = True
    else:
        cells[_middle(num_steps), rng.permutation(NUM_FEATURES)[:NUM_CHOSEN]] = True
    return cells


def _middle(count: int) -> slice:
    return slice(count // 4, 3 * count // 4)
