"""The scores of published saliency benchmarks, to stand beside their figures."""

from __future__ import annotations

import numpy as np
from sklearn import metrics

from lstm_explain.faithfulness import score_cells

# Inside the logarithms, as in the published code: a score of exactly 1 gives 16.6 bits.
_EPSILON = 1e-5


def score_saliency(values: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Score values against known causes: AUROC, AUPRC, AUP, AUR, information and entropy.

    For the last four, the sizes of each sample are first scaled to 0 to 1, its smallest to its
    largest. With m the scaled sizes, and A the cells that are causes,

    - AUP and AUR: the areas below precision and recall of ``m >= threshold``, over the thresholds;
    - information: the sum over A of ``-log2(1 - m)``, in bits. More is better;
    - entropy: the sum over A of ``-m log2 m - (1 - m) log2(1 - m)``, in bits. Less is better.

    Parameters
    ----------
    values, truth, mask
        As in `lstm_explain.faithfulness.score_cells`.

    Returns
    -------
    dict
        ``auroc``, ``auprc``, ``prevalence`` as in `score_cells`, and ``aup``, ``aur``,
        ``information``, ``entropy``.

    Raises
    ------
    ValueError
        Shapes that do not fit, or a truth without both causes and others.

    Notes
    -----
    Read AUROC and AUPRC first: they depend on the order of the cells alone. The others are here
    to stand beside published figures.

    **AUP is free on a white box.** A model that does not read a cell gives it a gradient of exactly
    0. So every method that multiplies by gradients, or compares with and without a cell, has
    precision 1 above every threshold but the lowest, and an area of about 1, however it spreads its
    values over the cells that count. Yet a perfect mask of zeros and ones has two thresholds, and
    by the trapezoid rule an AUP of (1 + prevalence) / 2.

    **AUR mostly measures the scale.** Recall above a threshold is the share of causes with a larger
    m, so its area is the mean of m over the causes, up to the trapezoid rule. Squaring all values
    leaves every rank where it was and lowers AUR; a method that says only yes or no has AUR 1.

    References
    ----------
    Crabbé and van der Schaar (2021), "Explaining time series predictions with dynamic masks", ICML,
    sections 3.3 (information, entropy) and 4.1 (AUP, AUR). Logarithms to base 2 and 1e-5 inside
    them are those of the authors' code.

    Examples
    --------
    >>> truth = np.array([[[False, True, True]]])
    >>> scores = score_saliency(np.array([[[0.0, 0.5, -1.0]]]), truth, np.ones((1, 1), bool))
    >>> round(scores["aup"], 3), round(scores["aur"], 3)
    (0.917, 0.875)
    """
    scores = score_cells(values, truth, mask)
    sizes = np.abs(np.asarray(values, float))
    if sizes.ndim == 2:
        sizes = np.repeat(sizes[..., None], np.shape(truth)[-1], axis=-1)
    scaled = _scaled(sizes, mask)[mask].ravel()
    causes = np.asarray(truth, bool)[mask].ravel()
    precision, recall, thresholds = metrics.precision_recall_curve(causes, scaled)
    scores |= {"aup": 0.0, "aur": 0.0}
    if len(thresholds) > 1:
        scores["aup"] = float(metrics.auc(thresholds, precision[:-1]))
        scores["aur"] = float(metrics.auc(thresholds, recall[:-1]))
    inside = scaled[causes]
    scores["information"] = float(_bits(1 - inside).sum())
    scores["entropy"] = float((inside * _bits(inside) + (1 - inside) * _bits(1 - inside)).sum())
    return scores


def _scaled(sizes: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Scale each sample's real cells to 0 to 1; a sample without differences becomes 0."""
    real = np.broadcast_to(mask[..., None], sizes.shape)
    low = np.where(real, sizes, np.inf).min(axis=(1, 2), keepdims=True)
    spread = np.where(real, sizes, -np.inf).max(axis=(1, 2), keepdims=True) - low
    known = np.isfinite(spread) & (spread > 0)
    return np.where(known, sizes - np.where(known, low, 0), 0) / np.where(known, spread, 1)


def _bits(share: np.ndarray) -> np.ndarray:
    return np.abs(np.log2(share + _EPSILON))
