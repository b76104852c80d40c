"""Score attributions against known causes: the cells that decide, and rankings of them."""

from __future__ import annotations

import numpy as np


def score_cells(values: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Score how well the size of values finds the cells that are known to be causes.

    Parameters
    ----------
    values : array (sample, time, feature)
        Any attribution: its size counts, not its sign. Also (sample, time), for one value per step
        such as attention: every feature of a step then has it.
    truth : bool array (sample, time, feature)
        The causes, as data with a planted cause knows them.
    mask : bool array (sample, time)
        Only real steps count.

    Returns
    -------
    dict
        ``auroc``; ``auprc`` (average precision); ``prevalence``, the share of causes, which is the
        AUPRC of a guess.

    Raises
    ------
    ValueError
        Shapes that do not fit, or a truth without both causes and others.

    Examples
    --------
    >>> truth = np.array([[[True, False], [False, False]]])
    >>> score_cells(np.array([[[-2.0, 1.0], [0.5, 0.1]]]), truth, np.ones((1, 2), bool))["auprc"]
    1.0
    """
    from sklearn import metrics

    values, truth = np.asarray(values), np.asarray(truth)
    if values.ndim == 2:
        values = np.repeat(values[..., None], truth.shape[-1], axis=-1)
    if not values.shape == truth.shape or mask.shape != truth.shape[:2]:
        raise ValueError(
            f"Expected values, truth and mask of the same samples, steps and features; received "
            f"{values.shape}, {truth.shape} and {mask.shape}. For data with indicators take "
            "explanation.over_variables().values."
        )
    sizes, causes = np.abs(values[mask]).ravel(), truth[mask].ravel().astype(bool)
    if causes.all() or not causes.any():
        raise ValueError(
            "Expected cells that are causes and cells that are not; received one kind only. Choose "
            "samples with a cause: truth.any(axis=(1, 2))."
        )
    return {
        "auroc": float(metrics.roc_auc_score(causes, sizes)),
        "auprc": float(metrics.average_precision_score(causes, sizes)),
        "prevalence": float(causes.mean()),
    }


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
        As in `score_cells`.

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
    >>> found = score_saliency(np.array([[[0.0, 0.5, -1.0]]]), truth, np.ones((1, 1), bool))
    >>> round(found["aup"], 3), round(found["aur"], 3)
    (0.917, 0.875)
    """
    scores = score_cells(values, truth, mask)
    from sklearn import metrics

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
