"""Summaries of charts with gaps, as a Keras layer: what a linear score would read of a stay."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import keras, ops
from ..sequences.missingness import PARTS
from .layers import steps_left

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
