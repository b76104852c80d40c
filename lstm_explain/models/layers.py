"""Keras layers of this package, written in ``keras.ops`` so that they run on every backend.

A saved model finds a layer by its registered name and the layer's weights by the name of its class:
a class that is renamed here can no longer be loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import check_number, check_whole
from ..backend import keras, ops
from ..sequences.scaling import PARTS


class Configured(keras.layers.Layer):
    """A layer that a saved model makes again from the attributes that `_options` names."""

    _options: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {name: getattr(self, name) for name in self._options}


class _TimePooling(Configured):
    """What the layers share that turn (sample, time, column) into (sample, column)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return no mask: the time axis is gone."""
        return


@keras.saving.register_keras_serializable(package="lstm_explain")
class AttentionPooling(_TimePooling):
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
    learned_from : str
        Features, classes, means and deviations of the data that the model was trained on, as JSON:
        `train` notes them, so that data in other units or another order are refused.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), arXiv:1409.0473, equation 6; as pooling of one sequence:
    Yang et al. (2016), "Hierarchical Attention Networks", equations 5 to 7.

    Examples
    --------
    >>> layer = AttentionPooling(4, seed=0)
    >>> context, weights = layer(np.ones((1, 5, 3), "float32"), return_attention_scores=True)
    >>> np.asarray(weights).round(2)[0, 0] == np.float32(0.2)
    np.True_
    """

    _options = ("units", "seed", "learned_from")

    def __init__(
        self, units: int = 16, seed: int | None = None, learned_from: str = "", **kwargs: Any
    ) -> None:
        learned_from = kwargs.pop("learned_scale", learned_from)  # what earlier files call it
        super().__init__(**kwargs)
        check_whole(least=1, remedy="Try units=16.", units=units)
        check_whole(optional=True, seed=seed)
        self.units, self.seed, self.learned_from = units, seed, learned_from

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

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (sample, state)."""
        return (input_shape[0], input_shape[-1])


@keras.saving.register_keras_serializable(package="lstm_explain")
class WordDropout(Configured):
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
    >>> layer = WordDropout(0.5, unknown=1, seed=0)
    >>> ops.convert_to_numpy(layer(np.array([[5, 6, 7]]))).tolist()  # not in training
    [[5, 6, 7]]
    """

    _options = ("rate", "unknown", "seed", "vocabulary_digest")

    def __init__(
        self,
        rate: float,
        unknown: int = 1,
        seed: int | None = None,
        vocabulary_digest: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_number(least=0, below=1, remedy="Try 0.1.", rate=rate)
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


@keras.saving.register_keras_serializable(package="lstm_explain")
class TrailingMeans(_TimePooling):
    """Compute the means over the last steps on which `linear_paths.TrailingMeans` regresses.

    For each span n and each feature, the mean over the last n real steps; a sequence shorter than n
    gives the mean over all of it. Output (sample, span * feature), spans first.

    Parameters
    ----------
    features : sequence of int
        Positions of the features.
    spans : sequence of int
        Numbers of steps.

    Examples
    --------
    >>> layer = TrailingMeans(features=[0], spans=[1, 2])
    >>> np.asarray(layer(np.array([[[1.0], [2.0], [4.0]]]))).tolist()
    [[4.0, 3.0]]
    """

    _options = ("features", "spans")

    def __init__(self, features: Sequence[int], spans: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(spans) == 0 or min(spans) < 1:
            raise ValueError(
                f"Expected spans of at least 1 step; received {list(spans)}. Try (1, 5, 22)."
            )
        self.features = [int(position) for position in features]
        self.spans = [int(span) for span in spans]

    def call(self, values: Any, mask: Any = None) -> Any:
        """Return the means (sample, span * feature)."""
        columns = ops.take(values, self.features, axis=-1)
        real = ops.ones_like(columns[..., 0]) if mask is None else ops.cast(mask, columns.dtype)
        left = _steps_left(real)
        means = []
        for span in self.spans:
            weights = real * ops.cast(left <= span, columns.dtype)
            weights = weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)
            means.append(ops.sum(weights[..., None] * columns, axis=1))
        return ops.concatenate(means, axis=-1)


@keras.saving.register_keras_serializable(package="lstm_explain")
class SumOfFirst(_TimePooling):
    """Sum the first number of each step's vector over the real steps: (sample, 1).

    Parameters
    ----------
    dropped : float
        Share of the steps that count as 0 in training, because `WordDropout` replaces them. In
        training, sums are divided by the other steps' share, so that they are as large as in use.

    References
    ----------
    Srivastava et al. (2014), "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    section 10: scaling in training instead of in use.

    Examples
    --------
    >>> vectors = np.array([[[1.0, 9.0], [2.0, 9.0]]])
    >>> np.asarray(SumOfFirst(dropped=0.25)(vectors)).tolist()
    [[3.0]]
    >>> np.asarray(SumOfFirst(dropped=0.25)(vectors, training=True)).tolist()
    [[4.0]]
    """

    _options = ("dropped",)

    def __init__(self, dropped: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropped = dropped

    def call(self, vectors: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the sums (sample, 1)."""
        first = vectors[..., :1]
        if mask is not None:
            first = first * ops.cast(mask, first.dtype)[..., None]
        return ops.sum(first, axis=1) / (1 - self.dropped if training else 1)


# Training quantiles of a variable's measurements. Its excess over the upper one and its deficit
# below the lower one are summarised beside the value itself: too high and too low may both be bad.
_KNOTS = (0.2, 0.8)
# Last value; three means over all steps and three over the last; measured at all, at which share.
_PER_VARIABLE = 9


@keras.saving.register_keras_serializable(package="lstm_explain")
class MeasuredSummaries(_TimePooling):
    """Compute the summaries on which `linear_paths.MeasuredSummaries` regresses.

    The values are the three parts of ``fill_missing(indicators=True)``, standardised (which leaves
    the 0 and 1 of "measured" as they are). Nine columns per variable:

    - the last value
    - the mean of the value, of its excess over an upper knot and of its deficit below a lower knot,
      over all steps at which the variable was measured
    - the same three means over the last few steps
    - whether the variable was measured at all, and at which share of the steps

    Then the static facts, and the mean of each variable times one of the facts. Summaries have mean
    0 and deviation 1 over the training samples where they exist, and are 0 where they do not.
    Output (sample, column).

    Values first pass through ``asinh``, which is linear near 0 and a logarithm beyond: laboratory
    values are skewed, and one implausible value must not decide a mean. Knots, means and deviations
    are weights that `adapt` sets and training does not change.

    Parameters
    ----------
    recent : int
        Number of steps that count as the last few.
    times_static : int, optional
        Position of the static fact that the means are multiplied by.

    Examples
    --------
    >>> values = np.array([[[2.0, 1.0, 0.0], [2.0, 0.0, 1.0]]], "float32")  # measured once of twice
    >>> layer = MeasuredSummaries(recent=1)
    >>> np.asarray(layer(values)).shape
    (1, 9)
    """

    _options = ("recent", "times_static")

    def __init__(self, recent: int = 12, times_static: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_whole(least=1, remedy="Try 12.", recent=recent)
        self.recent = recent
        self.times_static = times_static

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create knots, means and deviations."""
        self.num_variables = int(input_shape[-1] or 0) // len(PARTS)
        columns = _PER_VARIABLE * self.num_variables
        self.knots = self.add_weight(
            name="knots", shape=(2, self.num_variables), initializer="zeros", trainable=False
        )
        self.center = self.add_weight(
            name="center", shape=(columns,), initializer="zeros", trainable=False
        )
        self.deviation = self.add_weight(
            name="deviation", shape=(columns,), initializer="ones", trainable=False
        )

    def call(self, values: Any, mask: Any = None, static: Any = None) -> Any:
        """Return the summaries (sample, column)."""
        summaries, exists = self._summarise(values, mask)
        summaries = exists * (summaries - self.center) / self.deviation
        if static is None:
            return summaries
        columns = [summaries, static]
        if self.times_static is not None:
            means = summaries[:, self.num_variables : 2 * self.num_variables]
            columns.append(means * static[:, self.times_static : self.times_static + 1])
        return ops.concatenate(columns, axis=-1)

    def adapt(self, values: np.ndarray, mask: np.ndarray) -> None:
        """Set knots, means and deviations from the training samples' values and mask."""
        if not self.built:
            self.build(values.shape)
        measured = values[..., self.num_variables : 2 * self.num_variables] > 0.5
        measurements = np.where(
            measured & mask[..., None], np.arcsinh(values[..., : self.num_variables]), np.nan
        )
        # A variable that was never measured gets one value to take quantiles of.
        never = np.isnan(measurements).all(axis=(0, 1))
        measurements[0, 0] = np.where(never, 0.0, measurements[0, 0])
        self.knots.assign(np.nanquantile(measurements, _KNOTS, axis=(0, 1)))
        summaries, exists = map(ops.convert_to_numpy, self._summarise(values, mask))
        exists = exists > 0
        # A summary that no training sample has stays 0: it is given one value to take means of.
        exists[0] |= ~exists.any(axis=0)
        summaries = np.where(exists, summaries, np.nan).astype(np.float64)
        deviation = np.nanstd(summaries, axis=0)
        self.center.assign(np.nanmean(summaries, axis=0))
        self.deviation.assign(np.where(deviation > 1e-3, deviation, 1.0))

    def _summarise(self, values: Any, mask: Any) -> tuple[Any, Any]:
        """Return the summaries before they are standardised, and 1 where they exist."""
        values = ops.convert_to_tensor(values)
        value, measured, _ = ops.split(values, len(PARTS), axis=-1)
        value = ops.arcsinh(value)
        real = ops.ones_like(value[..., 0]) if mask is None else ops.cast(mask, value.dtype)
        measured = measured * real[..., None]
        left = _steps_left(real)
        recent = measured * ops.cast(left <= self.recent, value.dtype)[..., None]
        last = (real * ops.cast(left == 1, value.dtype))[..., None]
        low, high = self.knots[0], self.knots[1]
        channels = [value, ops.relu(value - high), ops.relu(low - value)]
        count, late = ops.sum(measured, axis=1), ops.sum(recent, axis=1)
        # Not "count > 0", which has no slope: "never measured" must get its share of a SHAP value.
        ever, lately = ops.minimum(count, 1.0), ops.minimum(late, 1.0)
        means = [ops.sum(c * measured, axis=1) / ops.maximum(count, 1.0) for c in channels]
        late_means = [ops.sum(c * recent, axis=1) / ops.maximum(late, 1.0) for c in channels]
        share = count / ops.maximum(ops.sum(real, axis=1, keepdims=True), 1.0)
        summaries = [ops.sum(value * last, axis=1), *means, *late_means, ever, share]
        always = ops.ones_like(ever)
        exists = [ever, *[ever] * 3, *[lately] * 3, always, always]
        return ops.concatenate(summaries, axis=-1), ops.concatenate(exists, axis=-1)


def _steps_left(real: Any) -> Any:
    """Count the real steps from each step to the end, itself included: (sample, time)."""
    return ops.flip(ops.cumsum(ops.flip(real, axis=1), axis=1), axis=1)


@keras.saving.register_keras_serializable(package="lstm_explain")
class ScaledSquaredError(keras.losses.Loss):
    """Mean over several targets of the squared error in units of each target's deviation.

    So that a target in large numbers does not outweigh the others.
    """

    def __init__(
        self, deviations: Sequence[float], name: str = "scaled_squared_error", **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.deviations = [*deviations]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        errors = (y_true - y_pred) / ops.convert_to_tensor(self.deviations, y_pred.dtype)
        return ops.mean(ops.square(errors), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"deviations": self.deviations}
