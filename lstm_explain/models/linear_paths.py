"""The linear part of a model, fitted before training and fixed: the LSTM learns the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import keras, ops
from ..sequences.data import SequenceData
from ..sequences.scaling import PARTS
from ..sequences.splitting import training_part
from ..sequences.words import special_ids


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


# Inverse weight of the squared coefficients, as scikit-learn counts it. On PhysioNet 2012, set A,
# five-fold cross-validation is flat around it.
PENALTY = 0.005


def trailing_means_path(
    data: SequenceData, features: Sequence[str], spans: Sequence[int], values: Any, mask: Any
) -> Any:
    """Return a least-squares forecast from means over the last steps, (sample, 1)."""
    positions = [data.feature_names.index(name) for name in features]
    summary = TrailingMeans(positions, spans, name="trailing_means")
    linear = keras.layers.Dense(1, trainable=False, name="linear_path")
    margin = linear(summary(values, mask=mask))
    train = training_part(data)
    means = np.asarray(keras.ops.convert_to_numpy(summary(train.values, mask=train.mask)))
    target = np.asarray(train.target, np.float64)
    target = (target - target.mean()) / (target.std() or 1.0)
    columns = np.column_stack([means.astype(np.float64), np.ones(len(means))])
    solution = np.linalg.lstsq(columns, target, rcond=None)[0]
    linear.set_weights([solution[:-1, None], solution[-1:]])
    return margin


def summaries_path(
    data: SequenceData, times_static: str | None, values: Any, mask: Any, static: Any
) -> Any:
    """Return the log-odds of a logistic regression on `MeasuredSummaries`, (sample, 1)."""
    from sklearn.linear_model import LogisticRegression

    position = None if times_static is None else data.static_names.index(times_static)
    train = training_part(data)
    summary = MeasuredSummaries(times_static=position, name="summaries")
    summary.adapt(train.values, train.mask)
    linear = keras.layers.Dense(1, trainable=False, name="linear_path")
    margin = linear(summary(values, mask=mask, static=static))
    parts = [
        keras.ops.convert_to_numpy(summary(part.values, mask=part.mask, static=part.static))
        for part in (train[start : start + 512] for start in range(0, len(train), 512))
    ]
    fitted = LogisticRegression(C=PENALTY, max_iter=1000).fit(np.concatenate(parts), train.target)
    linear.set_weights([fitted.coef_.T, fitted.intercept_])
    return margin


def word_ratios(data: SequenceData) -> np.ndarray:
    """Return how much each word speaks for the second class, in training texts: (word,).

    The log of the word's share among the words of positive texts over its share among those of
    negative ones; a word counts once per text, and each count starts at 1. 0 for "[PAD]" and
    "[UNK]".

    References
    ----------
    Wang and Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", equation 2 and section 3.3 (presence instead of counts).
    """
    counts = np.ones((2, len(data.vocabulary)))
    texts: Any = zip(data.tokens, data.mask, data.target, strict=True)  # type: ignore[arg-type]
    for tokens, real, positive in texts:
        counts[positive, np.unique(tokens[real])] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    ratios = np.log(shares[1] / shares[0])
    ratios[special_ids(data.vocabulary)] = 0
    return ratios


def word_ratios_path(data: SequenceData, vectors: Any, mask: Any, word_dropout: float) -> Any:
    """Return the log-odds of a naive Bayes classifier whose ratios stand first in the vectors.

    Both the ratios and their weight are learned on. The weight begins where texts of one half,
    judged by ratios counted in the other, are best told apart: in its own half a ratio promises
    too much.
    """
    from sklearn.linear_model import LogisticRegression

    train = training_part(data)
    half = _halves(np.asarray(train.target))
    sums = np.zeros(len(train))
    for part in (0, 1):
        ratios = word_ratios(train[half != part])
        judged = train[half == part]
        sums[half == part] = (ratios[judged.tokens] * judged.mask).sum(axis=1)
    fitted = LogisticRegression(C=np.inf).fit(sums[:, None], train.target)
    linear = keras.layers.Dense(1, name="linear_path")
    total = SumOfFirst(word_dropout, name="sum_of_ratios")
    margin = linear(total(vectors, mask=mask))
    linear.set_weights([fitted.coef_, fitted.intercept_])
    return margin


def _halves(target: np.ndarray) -> np.ndarray:
    """Return 0 or 1 for each sample, at random, so that each half has as much of every class."""
    half = np.zeros(len(target), int)
    random = np.random.default_rng(0)
    for label in np.unique(target):
        rows = random.permutation(np.flatnonzero(target == label))
        half[rows] = np.arange(len(rows)) % 2
    return half


# What lies above the upper knot and below the lower one is summarised beside the value itself:
# quantiles of what was measured in training. Too high and too low may both be bad.
_KNOTS = (0.2, 0.8)
# The last value; three means over all steps and three over the last; ever measured, how often.
_PER_VARIABLE = 9


@keras.saving.register_keras_serializable(package="lstm_explain")
class MeasuredSummaries(keras.layers.Layer):
    """Summarise each variable over the steps at which it was measured.

    Takes the three parts of ``fill_missing(indicators=True)``, standardised (which leaves the 0 and
    1 of "measured" alone). Of each variable: the
    last value; the means of the value, of its excess over an upper knot and of its deficit below a
    lower one, over all steps and over the last few; whether it was ever measured, and at which
    share of the steps. Then the static facts, and the mean of each variable times one of them.
    Summaries have mean 0 and deviation 1 over the training samples where they exist, and are 0
    where they do not. Output (sample, column).

    Values first pass through ``asinh``, which is linear near 0 and a logarithm beyond: laboratory
    values are skewed, and one implausible value must not rule a mean. Knots, means and deviations
    are weights that `adapt` sets and that training leaves alone.

    Parameters
    ----------
    recent : int
        How many steps the last ones are.
    times_static : int, optional
        Position of the static fact that the means are multiplied by.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[[2.0, 1.0, 0.0], [2.0, 0.0, 1.0]]], "float32")  # measured once of twice
    >>> layer = MeasuredSummaries(recent=1)
    >>> np.asarray(layer(values)).shape
    (1, 9)
    """

    def __init__(self, recent: int = 12, times_static: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if recent < 1:
            raise ValueError(f"Expected at least 1 recent step; received {recent}. Try 12.")
        self.recent = recent
        self.times_static = times_static
        self.supports_masking = True

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
        chart = np.arcsinh(values[..., : self.num_variables])
        measured = values[..., self.num_variables : 2 * self.num_variables] > 0.5
        chart = np.where(measured & mask[..., None], chart, np.nan)
        chart[0, 0] = np.where(np.isnan(chart).all(axis=(0, 1)), 0.0, chart[0, 0])
        self.knots.assign(np.nanquantile(chart, _KNOTS, axis=(0, 1)))
        numbers = [ops.convert_to_numpy(part) for part in self._summarise(values, mask)]
        exists = numbers[1] > 0
        # A summary that no training sample has stays 0: it is given one value to take means of.
        exists[0] |= ~exists.any(axis=0)
        summaries = np.where(exists, numbers[0], np.nan).astype(np.float64)
        deviation = np.nanstd(summaries, axis=0)
        self.center.assign(np.nanmean(summaries, axis=0))
        self.deviation.assign(np.where(deviation > 1e-3, deviation, 1.0))

    def _summarise(self, values: Any, mask: Any) -> tuple[Any, Any]:
        """Return the summaries in their own units, and 1 where they exist."""
        values = ops.convert_to_tensor(values)
        chart, measured, _ = ops.split(values, len(PARTS), axis=-1)
        real = ops.ones_like(chart[..., 0]) if mask is None else ops.cast(mask, chart.dtype)
        measured = measured * real[..., None]
        left = steps_left(real)
        recent = measured * ops.cast(left <= self.recent, chart.dtype)[..., None]
        last = (real * ops.cast(left == 1, chart.dtype))[..., None]
        chart = ops.arcsinh(chart)
        low, high = self.knots[0], self.knots[1]
        channels = [chart, ops.relu(chart - high), ops.relu(low - chart)]
        count, late = ops.sum(measured, axis=1), ops.sum(recent, axis=1)
        # Not "count > 0", which has no slope: "never measured" must get its share of a SHAP value.
        ever, lately = ops.minimum(count, 1.0), ops.minimum(late, 1.0)
        of_all = [ops.sum(c * measured, axis=1) / ops.maximum(count, 1.0) for c in channels]
        of_last = [ops.sum(c * recent, axis=1) / ops.maximum(late, 1.0) for c in channels]
        share = count / ops.maximum(ops.sum(real, axis=1, keepdims=True), 1.0)
        summaries = [ops.sum(chart * last, axis=1), *of_all, *of_last, ever, share]
        always = ops.ones_like(ever)
        exists = [ever, *[ever] * 3, *[lately] * 3, always, always]
        return ops.concatenate(summaries, axis=-1), ops.concatenate(exists, axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return no mask: the time axis is gone."""
        return

    def get_config(self) -> dict[str, Any]:
        """Return what a saved model needs to build the layer again."""
        return {
            **super().get_config(),
            "recent": self.recent,
            "times_static": self.times_static,
        }
