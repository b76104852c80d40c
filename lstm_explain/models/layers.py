"""Keras layers of this package, written in ``keras.ops`` so that they run on every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend import keras, ops


def steps_left(real: Any) -> Any:
    """Return how many real steps stand from here to the end, this one included, (sample, time)."""
    return ops.flip(ops.cumsum(ops.flip(real, axis=1), axis=1), axis=1)


@keras.saving.register_keras_serializable(package="lstm_explain")
class TrailingMeans(keras.layers.Layer):
    """Summarise a sequence by means over its last steps: the regressors of a linear path.

    For each span n and each chosen feature, the mean over the last n real steps; a sequence
    shorter than n gives the mean over all of it. Output (sample, span * feature), spans first.

    Parameters
    ----------
    features : sequence of int
        Positions of the features to summarise.
    spans : sequence of int
        Numbers of steps. (1, 5, 22) are the day, week and month of a daily series, as in Corsi
        (2009), "A simple approximate long-memory model of realized volatility".

    Examples
    --------
    >>> import numpy as np
    >>> layer = TrailingMeans(features=[0], spans=[1, 2])
    >>> np.asarray(layer(np.array([[[1.0], [2.0], [4.0]]]))).tolist()
    [[4.0, 3.0]]
    """

    def __init__(self, features: Sequence[int], spans: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(spans) == 0 or min(spans) < 1:
            raise ValueError(
                f"Expected spans of at least 1 step; received {list(spans)}. Try (1, 5, 22)."
            )
        self.features = [int(position) for position in features]
        self.spans = [int(span) for span in spans]
        self.supports_masking = True

    def call(self, values: Any, mask: Any = None) -> Any:
        """Return the means (sample, span * feature)."""
        chosen = ops.take(values, self.features, axis=-1)
        real = ops.ones_like(chosen[..., 0]) if mask is None else ops.cast(mask, chosen.dtype)
        left = steps_left(real)
        means = []
        for span in self.spans:
            weights = real * ops.cast(left <= span, chosen.dtype)
            weights = weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)
            means.append(ops.sum(weights[..., None] * chosen, axis=1))
        return ops.concatenate(means, axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return no mask: the time axis is gone."""
        return

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (sample, span * feature)."""
        return (input_shape[0], len(self.spans) * len(self.features))

    def get_config(self) -> dict[str, Any]:
        """Return what a saved model needs to build the layer again."""
        return {**super().get_config(), "features": self.features, "spans": self.spans}


@keras.saving.register_keras_serializable(package="lstm_explain")
class SumOfFirst(keras.layers.Layer):
    """Sum the first number of each step's vector over the real steps, (sample, 1).

    Parameters
    ----------
    dropped : float
        Share of the steps that count as 0 in training, because `WordDropout` hides them. Sums are
        divided by what is left, so that they are as large in training as in use.

    References
    ----------
    Srivastava et al. (2014), "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    section 10: scaling in training instead of in use.

    Examples
    --------
    >>> import numpy as np
    >>> vectors = np.array([[[1.0, 9.0], [2.0, 9.0]]])
    >>> np.asarray(SumOfFirst(dropped=0.25)(vectors)).tolist()
    [[3.0]]
    >>> np.asarray(SumOfFirst(dropped=0.25)(vectors, training=True)).tolist()
    [[4.0]]
    """

    def __init__(self, dropped: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropped = dropped
        self.supports_masking = True

    def call(self, vectors: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the sums (sample, 1)."""
        first = vectors[..., :1]
        if mask is not None:
            first = first * ops.cast(mask, first.dtype)[..., None]
        return ops.sum(first, axis=1) / (1 - self.dropped if training else 1)

    def get_config(self) -> dict[str, Any]:
        """Return what a saved model needs to build the layer again."""
        return {**super().get_config(), "dropped": self.dropped}

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return no mask: the time axis is gone."""
        return

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (sample, 1)."""
        return (input_shape[0], 1)


@keras.saving.register_keras_serializable(package="lstm_explain")
class AttentionPooling(keras.layers.Layer):
    """Pool a sequence of states into one context vector by additive attention.

    With states h_t (1 <= t <= T), the layer computes

    1. scores ``u_t = v . tanh(W h_t + b)``, shape (sample, time)
    2. attention weights ``a_t = exp(u_t) / sum over real steps of exp(u)``, shape (sample, time)
    3. the context ``c = sum_t a_t h_t``, shape (sample, state)

    Padded steps get weight exactly 0. The weights say where the model looked, not why it decided.

    Parameters
    ----------
    units : int
        Size of the hidden layer inside the score (rows of W).
    seed : int or None
        Seed of the initial weights.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), arXiv:1409.0473, equation 6; as pooling of one sequence:
    Yang et al. (2016), "Hierarchical Attention Networks", equations 5 to 7.

    Examples
    --------
    >>> import numpy as np
    >>> layer = AttentionPooling(4, seed=0)
    >>> context, weights = layer(np.ones((1, 5, 3), "float32"), return_attention_scores=True)
    >>> np.asarray(weights).round(2)[0, 0] == np.float32(0.2)
    np.True_
    """

    def __init__(self, units: int = 16, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"Expected at least 1 unit; received units={units}. Try units=16.")
        self.units = units
        self.seed = seed
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create W, b and v."""
        self.projection = self.add_weight(
            name="projection",
            shape=(input_shape[-1], self.units),
            initializer=keras.initializers.GlorotUniform(seed=self.seed),
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.score = self.add_weight(
            name="score",
            shape=(self.units, 1),
            initializer=keras.initializers.GlorotUniform(seed=self.seed),
        )

    def call(self, states: Any, mask: Any = None, return_attention_scores: bool = False) -> Any:
        """Return the context (sample, state); with the flag also the weights (sample, time)."""
        hidden = ops.tanh(ops.matmul(states, self.projection) + self.bias)
        # [sample, time, 1] -> [sample, time]; float32 keeps the softmax exact in mixed precision.
        scores = ops.cast(ops.squeeze(ops.matmul(hidden, self.score), axis=-1), "float32")
        if mask is None:
            weights = ops.softmax(scores, axis=-1)
        else:
            real = ops.cast(mask, "float32")
            weights = ops.softmax(scores - 1e9 * (1.0 - real), axis=-1) * real
        context = ops.sum(ops.cast(weights, states.dtype)[..., None] * states, axis=1)
        return (context, weights) if return_attention_scores else context

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return no mask: the time axis is gone."""
        return

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (sample, state)."""
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return what a saved model needs to build the layer again."""
        return {**super().get_config(), "units": self.units, "seed": self.seed}
