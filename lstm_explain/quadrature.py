"""Where to evaluate gradients between a background row and a sample."""

from __future__ import annotations

import numpy as np


def gauss_legendre(num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and weights on [0, 1], exact for polynomials of degree 2 n - 1.

    Examples
    --------
    >>> positions, weights = gauss_legendre(2)
    >>> float(round((weights * positions**3).sum(), 12))
    0.25
    """
    positions, weights = np.polynomial.legendre.leggauss(num_nodes)
    return (positions + 1) / 2, weights / 2
