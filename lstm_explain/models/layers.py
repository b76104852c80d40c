"""Keras layers of this package, written in ``keras.ops`` so that they run on every backend."""

from __future__ import annotations

from typing import Any

from ..backend import keras, ops


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


@keras.saving.register_keras_serializable(package="lstm_explain")
class WordDropout(keras.layers.Layer):
    """Replace words by the unknown word in training, so that a model has seen absent words.

    An explanation asks what a prediction would have been without a word. A model that never saw a
    text with a gap answers that question at random.

    Parameters
    ----------
    rate : float
        Share of the words that are replaced, 0 to below 1.
    unknown : int
        Token id of the unknown word.
    seed : int or None
        Seed of the choice.
    vocabulary_digest : str
        Which vocabulary the ids belong to, so that texts read with another one are refused.

    References
    ----------
    Iyyer et al. (2015), "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification", section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> layer = WordDropout(0.5, unknown=1, seed=0)
    >>> ops.convert_to_numpy(layer(np.array([[5, 6, 7]]))).tolist()  # not in training
    [[5, 6, 7]]
    """

    def __init__(
        self,
        rate: float,
        unknown: int = 1,
        seed: int | None = None,
        vocabulary_digest: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"Expected a rate from 0 to below 1; received {rate}. Try 0.1.")
        self.rate, self.unknown, self.seed = rate, unknown, seed
        self.vocabulary_digest = vocabulary_digest
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, tokens: Any, training: bool = False) -> Any:
        """Return the token ids, some of them replaced in training."""
        tokens = ops.cast(tokens, "int32")
        if not training or self.rate == 0:
            return tokens
        drawn = keras.random.uniform(ops.shape(tokens), seed=self.seed_generator)
        return ops.where(drawn < self.rate, ops.full_like(tokens, self.unknown), tokens)

    def compute_output_spec(self, tokens: Any, training: bool = False) -> Any:
        """Return ids of the same shape."""
        return keras.KerasTensor(tokens.shape, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        """Return what a saved model needs to build the layer again."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "unknown": self.unknown,
            "seed": self.seed,
            "vocabulary_digest": self.vocabulary_digest,
        }
