"""Do explanations stay when the model is trained again, and change with permuted labels?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..progress import progress_bar
from .agreement import spearman
from .evidence import Evidence
from .faithfulness_repeat import Repeat

Retrain = Callable[[int, bool], Any]


_WAYS = {"other seeds": False, "permuted labels": True}


def stability_evidence(
    retrain: Retrain, repeat: Repeat, retrainings: int, seed: int, progress: bool = False
) -> list[Evidence]:
    """Explain the same samples by models that were trained again.

    Measured is Spearman's rank correlation of the given values with those of a new model: local,
    per sample, as a mean over the models; and global, per model, of the mean sizes per feature (in
    a text: per word).

    Parameters
    ----------
    retrain : callable
        ``retrain(seed, permuted)`` trains the model anew and returns it; where `permuted` is True,
        after shuffling the targets of the training part with that seed.
    retrainings : int
        Models with other seeds, and as many with permuted labels.

    References
    ----------
    Adebayo et al. (2018), section 4: the data randomisation test.
    """
    found = []
    with progress_bar(2 * retrainings, "training again", "model", progress) as bar:
        for way, permuted in _WAYS.items():
            local = np.zeros((retrainings, len(repeat.values)))
            overall = np.zeros(retrainings)
            for number in range(retrainings):
                values = repeat.values_of(retrain(seed + 1 + number, permuted))
                local[number] = np.nan_to_num(spearman(repeat.values, values, repeat.known))
                overall[number] = _global_agreement(repeat, values)
                bar.update()
            for measure, numbers in (
                ("local rank correlation", local.mean(axis=0)),
                ("global rank correlation", overall),
            ):
                found.append(Evidence("stability", measure, way, numbers, repeat.level))
    return found


def _global_agreement(repeat: Repeat, values: np.ndarray) -> float:
    owners = _owners(repeat)
    sizes = np.stack([_mean_sizes(part, owners, repeat.known) for part in (repeat.values, values)])
    return float(np.nan_to_num(spearman(sizes[:1], sizes[1:], ~np.isnan(sizes[:1])))[0])


def _owners(repeat: Repeat) -> np.ndarray:
    """Return whom each value is counted for: a feature, a word, or its place, (sample, player)."""
    count, num_features = repeat.known.shape[1], repeat.data.values.shape[2]
    num_static = 0 if repeat.data.static is None else repeat.data.static.shape[1]
    place = np.arange(count)
    if repeat.level == "cell":
        is_static = place >= count - num_static
        place = np.where(is_static, place + num_features, place % num_features)
    owners = np.tile(place, (len(repeat.known), 1))
    if repeat.data.tokens is not None and repeat.level == "time":
        tokens = repeat.data.tokens
        owners[:, : tokens.shape[1]] = tokens
        owners[:, tokens.shape[1] :] += int(tokens.max()) + 1
    return owners


def _mean_sizes(values: np.ndarray, owners: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean |value| of each owner, NaN where it owns nothing, (owner,)."""
    number = int(owners.max()) + 1
    sums = np.bincount(owners[known], np.abs(values)[known], minlength=number)
    counts = np.bincount(owners[known], minlength=number)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
