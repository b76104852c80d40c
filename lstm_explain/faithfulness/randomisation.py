"""Sanity and stability: does an explanation depend on what the model has learned?

It should change when weights become random or labels are permuted, and stay much the same when the
model is trained again with another seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..attribution.agreement import spearman
from ..backend import keras
from ..intervals import CORRELATION
from ..progress import progress_bar
from .case import Repeat
from .evidence import Evidence, difference

# A single random model may agree by chance: the correlations are means over several.
_CASCADES = 3


class NotDefined(Exception):
    """A check does not apply to this model; the message says why, for the report."""


def randomisation_evidence(
    model: Any, repeat: Repeat, seed: int, progress: bool = False
) -> list[Evidence]:
    """Explain again by copies of the model whose layers become random, one after the other.

    From the output down, one layer after the other gets random weights: normal numbers with the
    mean and deviation of the trained ones. Measured per sample, as the mean of three such cascades,
    is Spearman's rank correlation of the given values with those of the copy, and that of their
    sizes. Sizes fall less: they also follow the size of the input, whatever the weights. Before the
    first layer, "same weights" are those of the model: an explanation of this model agrees there.
    The model itself is not changed.

    Raises
    ------
    NotDefined
        The model cannot be copied.

    References
    ----------
    Adebayo et al. (2018), "Sanity checks for saliency maps", section 3: cascading randomisation.
    """
    rng = np.random.default_rng(seed)
    copy = copied(model)
    layers = trained_layers(copy)[::-1]
    steps = ["same weights", *(f"random down to {layer.name}" for layer in layers)]
    sums = np.zeros((len(steps), 2, len(repeat.values)))
    with progress_bar(1 + _CASCADES * len(layers), "randomising", "layer", progress) as bar:
        sums[0] = _CASCADES * _agreement(repeat, copy)
        bar.update()
        for _ in range(_CASCADES):
            copy.set_weights(model.get_weights())
            for at, layer in enumerate(layers, start=1):
                _randomise(layer, rng)
                sums[at] += _agreement(repeat, copy)
                bar.update()
    evidence = [
        Evidence(
            "sanity", measure, of, sums[at, kind] / _CASCADES, repeat.level, limits=CORRELATION
        )
        for kind, measure in enumerate(("rank correlation", "rank correlation of sizes"))
        for at, of in enumerate(steps)
    ]
    fall = difference(evidence[0], evidence[len(steps) - 1], True)
    return [*evidence, replace(fall, of="same weights better than all random")]


def _agreement(repeat: Repeat, model: Any) -> np.ndarray:
    """Correlate the given values, and their sizes, with those of a model, (2, sample)."""
    one, other = repeat.values, repeat.values_of(model)
    pairs = ((one, other), (np.abs(one), np.abs(other)))
    # A constant explanation agrees with nothing.
    return np.nan_to_num(np.stack([spearman(a, b, repeat.known) for a, b in pairs]))


def copied(model: Any) -> Any:
    """Return a copy of a model whose weights can be changed without changing the model's.

    Raises
    ------
    NotDefined
        Keras cannot build the model again from its configuration.
    """
    try:
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
    except (NotImplementedError, TypeError, ValueError, AttributeError) as error:
        raise NotDefined(
            f"Keras cannot copy {model.name!r} ({type(error).__name__}), and the model itself is "
            "never changed. A model made of layers, rather than by subclassing, can be copied."
        ) from error
    if getattr(model, "compiled", False):  # the loss may say that the output is a logit
        copy.compile(loss=model.loss)
    copy.trainable = True
    return copy


def trained_layers(model: Any) -> list[Any]:
    """Return the layers that hold trained weights, from input to output, those of models inside."""
    layers: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            layers += trained_layers(layer)
        elif layer.trainable_weights and layer not in layers:
            layers.append(layer)
    return layers


def _randomise(layer: Any, rng: np.random.Generator) -> None:
    """Replace a layer's weights by normal numbers of the same mean and deviation.

    A single number, and a constant such as a new bias, has no deviation and stays.
    """
    for weight in layer.trainable_weights:
        numbers = np.asarray(keras.ops.convert_to_numpy(weight), np.float64)
        weight.assign(rng.normal(numbers.mean(), numbers.std(), numbers.shape).astype(np.float32))


Retrain = Callable[[int, bool], Any]
_WAYS = {"other seeds": False, "permuted labels": True}


def stability_evidence(
    retrain: Retrain | None, repeat: Repeat, retrainings: int, seed: int, progress: bool = False
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

    Raises
    ------
    NotDefined
        No `retrain`.

    References
    ----------
    Adebayo et al. (2018), section 4: the data randomisation test.
    """
    if retrain is None:
        raise NotDefined("no retrain was given")
    evidence = []
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
                evidence.append(
                    Evidence("stability", measure, way, numbers, repeat.level, limits=CORRELATION)
                )
    return evidence


def _global_agreement(repeat: Repeat, values: np.ndarray) -> float:
    """Correlate the mean sizes by owner of the given values with those of other values."""
    known = repeat.known
    owners = _owners(repeat)[known]
    one, other = (
        pd.Series(np.abs(part[known])).groupby(owners).mean().to_numpy()[None]
        for part in (repeat.values, values)
    )
    return float(np.nan_to_num(spearman(one, other, np.ones(one.shape, bool)))[0])


def _owners(repeat: Repeat) -> np.ndarray:
    """Return the feature, the word or the place of each value, as a number, (sample, player)."""
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
