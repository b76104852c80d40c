"""What a model decides: the class it predicts, or on which side of a threshold its value lies."""

from __future__ import annotations

import numpy as np

from .anatomy import Link


def last_outputs(raw: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the margins or values (sample, output) of each sample's last real step."""
    if raw.ndim == 2:
        return raw
    steps = raw.shape[1]
    real = mask if mask.shape[1] == steps else np.ones((len(raw), steps), bool)
    return raw[np.arange(len(raw)), steps - 1 - real[:, ::-1].argmax(axis=1)]


def chances(raw: np.ndarray, link: Link) -> np.ndarray:
    """Turn margins (sample, output) into the probabilities of all classes, (sample, class).

    Examples
    --------
    >>> chances(np.array([[0.0]]), "sigmoid").tolist()
    [[0.5, 0.5]]
    """
    raw = raw.astype(np.float64)
    if link == "sigmoid" and raw.shape[1] > 1:  # several questions with an answer each
        return 1 / (1 + np.exp(-raw))
    if raw.shape[1] == 1:
        raw = np.concatenate([np.zeros_like(raw), raw], axis=1)
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return raw / raw.sum(axis=1, keepdims=True)


def decisions(raw: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the decision of each row as a number: the likeliest class, or 1 above the threshold.

    Parameters
    ----------
    raw : array (sample, output)
    threshold : float or None
        Of the margin of two classes (by default 0, a probability of one half), or of a value.
    """
    if raw.shape[1] > 1:
        return raw.argmax(axis=1)
    return (raw[:, 0] > (threshold or 0.0)).astype(int)
