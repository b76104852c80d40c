"""Does the explanation change when the model's weights are replaced by random ones?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import keras
from ..progress import progress_bar
from .agreement import spearman
from .evidence import Evidence, difference
from .faithfulness_repeat import Repeat

# One random model may agree by chance, with a sign or a feature: each step is a mean of several.
_CASCADES = 3


class NotDefined(Exception):
    """A check does not apply to this model; the message says why, for the report."""


def randomisation_evidence(
    model: Any, repeat: Repeat, seed: int, progress: bool = False
) -> list[Evidence]:
    """Explain again by copies of the model whose layers become random, one after the other.

    From the output down, each layer's weights are replaced by normal numbers of the same mean and
    deviation, and stay so. Measured is Spearman's rank correlation of the given values with those
    of the copy, per sample, and that of their sizes; the mean of three such cascades. Sizes also
    follow the input, whatever the weights: large numbers get large values. The first step replaces
    nothing: there an explanation that is this model's agrees. The model itself is not touched.

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
    found = [
        Evidence("sanity", measure, of, sums[at, kind] / _CASCADES, repeat.level)
        for kind, measure in enumerate(("rank correlation", "rank correlation of sizes"))
        for at, of in enumerate(steps)
    ]
    return [*found, difference(found[0], found[len(steps) - 1], True)]


def _agreement(repeat: Repeat, model: Any) -> np.ndarray:
    """Correlate the given values, and their sizes, with those of a model, (2, sample)."""
    one, other = repeat.values, repeat.values_of(model)
    pairs = ((one, other), (np.abs(one), np.abs(other)))
    # A constant explanation agrees with nothing.
    return np.nan_to_num(np.stack([spearman(a, b, repeat.known) for a, b in pairs]))


def copied(model: Any) -> Any:
    """Return a copy of a model, with weights of its own that are the same numbers.

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
    found: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += trained_layers(layer)
        elif layer.trainable_weights and layer not in found:
            found.append(layer)
    return found


def _randomise(layer: Any, rng: np.random.Generator) -> None:
    """Replace a layer's weights by normal numbers of the same mean and deviation.

    A single number, and a constant such as a new bias, has no deviation and stays.
    """
    for weight in layer.trainable_weights:
        numbers = np.asarray(keras.ops.convert_to_numpy(weight), np.float64)
        weight.assign(rng.normal(numbers.mean(), numbers.std(), numbers.shape).astype(np.float32))
