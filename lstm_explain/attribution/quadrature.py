"""Where on the paths from background rows to a sample gradients are evaluated, with what weight."""

from __future__ import annotations

import numpy as np


def gauss_legendre(num_rows: int, num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same Gauss-Legendre positions and weights for every row, (row, node) each.

    Exact for polynomials of degree 2 n - 1 along each path: the rule for high accuracy.

    Examples
    --------
    >>> positions, weights = gauss_legendre(1, 2)
    >>> float(round((weights * positions**3).sum(), 12))
    0.25
    """
    positions, weights = np.polynomial.legendre.leggauss(num_nodes)
    rows = np.ones((num_rows, 1))
    return rows * (positions + 1) / 2, rows * weights / (2 * num_rows)


def shifted_midpoints(num_rows: int, num_nodes: int) -> np.ndarray:
    """Return midpoints that are shifted from row to row, (row, node).

    The mean over rows is wanted, not each path: with a shift of its own for every row, the errors
    of different rows cancel, and few nodes per path are enough. The shifts fill their range evenly
    in the order of van der Corput (1935), so that neighbouring rows differ most.

    Examples
    --------
    >>> shifted_midpoints(4, 1).ravel().tolist()
    [0.125, 0.625, 0.375, 0.875]
    """
    order = np.argsort(np.argsort(_van_der_corput(num_rows), kind="stable"))
    even = (order + 0.5) / num_rows
    # A shift over the whole cell is best for one or two nodes, a narrower one for more.
    shift = 0.5 + min(1.0, 2.0 / num_nodes) * (even - 0.5)
    return (np.arange(num_nodes) + shift[:, None]) / num_nodes


def alternating(num_nodes: int) -> np.ndarray:
    """Return the contrast of neighbouring nodes that constants and slopes do not move, (node,).

    Applied to values at a path's midpoints, it measures what a midpoint rule cannot see; its length
    is ``1 / sqrt(num_nodes)``, that of the rule's own weights.
    """
    contrast = (-1.0) ** np.arange(num_nodes)
    slope = np.arange(num_nodes) - (num_nodes - 1) / 2
    contrast = contrast - contrast.mean()
    contrast = contrast - slope * (contrast @ slope) / (slope @ slope)
    return contrast / np.linalg.norm(contrast) / np.sqrt(num_nodes)


def between(positions: np.ndarray) -> np.ndarray:
    """Return the positions that double a row's midpoints: half a cell on, around the end.

    Examples
    --------
    >>> between(np.array([[0.125, 0.625]])).tolist()
    [[0.375, 0.875]]
    """
    return (positions + 0.5 / positions.shape[1]) % 1.0


def _van_der_corput(count: int) -> np.ndarray:
    """Return 0, 1, 2, ... with their binary digits mirrored at the point."""
    numbers, result, digit = np.arange(count), np.zeros(count), 0.5
    while numbers.any():
        result += digit * (numbers & 1)
        numbers, digit = numbers >> 1, digit / 2
    return result
