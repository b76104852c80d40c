"""Quantiles of a forecast: the layer that keeps them in order, their loss and their coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import check_type
from ..backend import keras, ops
from ..sequences.data import SequenceData
from .layers import Configured


@keras.saving.register_keras_serializable(package="lstm_explain")
class OrderedQuantiles(Configured):
    """Turn numbers (sample, target * quantile) into quantiles that do not cross.

    Of each target, the number of the central quantile stands as it is. Each quantile above adds the
    softplus of its number to its neighbour, each one below subtracts it.

    Parameters
    ----------
    quantiles : sequence of float
        Ascending, from above 0 to below 1.

    References
    ----------
    Park et al. (2022), "Learning Quantile Functions without Quantile Crossing for
    Distribution-free Time Series Forecasting", AISTATS.

    Examples
    --------
    >>> layer = OrderedQuantiles((0.1, 0.5, 0.9))
    >>> np.asarray(layer(np.zeros((1, 3), "float32"))).round(2).tolist()
    [[-0.6899999976158142, 0.0, 0.6899999976158142]]
    """

    _options = ("quantiles",)

    def __init__(self, quantiles: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.quantiles = [float(one) for one in check_quantiles(quantiles)]

    def call(self, numbers: Any) -> Any:
        """Return quantiles of the shape of the numbers."""
        center = central(self.quantiles)
        width, size = numbers.shape[-1], len(self.quantiles)
        each = ops.reshape(numbers, (-1, width // size, size))
        middle, steps = each[..., center : center + 1], ops.softplus(each)
        below = ops.flip(ops.cumsum(ops.flip(steps[..., :center], axis=-1), axis=-1), axis=-1)
        above = ops.cumsum(steps[..., center + 1 :], axis=-1)
        ordered = ops.concatenate([middle - below, middle, middle + above], axis=-1)
        return ops.reshape(ordered, (-1, width))


@keras.saving.register_keras_serializable(package="lstm_explain")
class PinballLoss(keras.losses.Loss):
    """Mean over targets and quantiles of the pinball loss, in units of each target's deviation.

    With the error ``e = target - quantile``, that of the quantile q is ``max(q e, (q - 1) e)``: it
    is lowest, on average, where a share q of the targets lies below.

    References
    ----------
    Koenker and Bassett (1978), "Regression Quantiles", Econometrica 46.

    Examples
    --------
    >>> loss = PinballLoss(quantiles=[0.1, 0.9], deviations=[1.0])
    >>> round(float(loss(np.array([[1.0]]), np.array([[0.0, 3.0]]))), 6)  # (0.1 + 0.2) / 2
    0.15
    """

    def __init__(
        self,
        quantiles: Sequence[float],
        deviations: Sequence[float],
        name: str = "pinball",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.quantiles, self.deviations = [*quantiles], [*deviations]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        size, each = len(self.deviations), len(self.quantiles)
        errors = ops.reshape(y_true, (-1, size, 1)) - ops.reshape(y_pred, (-1, size, each))
        errors = errors / ops.convert_to_tensor(self.deviations, y_pred.dtype)[:, None]
        shares = ops.convert_to_tensor(self.quantiles, y_pred.dtype)
        return ops.mean(ops.maximum(shares * errors, (shares - 1) * errors), axis=(1, 2))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"quantiles": self.quantiles, "deviations": self.deviations}


def check_quantiles(quantiles: Any) -> tuple[float, ...]:
    """Return quantiles as a tuple, or raise unless they ascend between 0 and 1."""
    remedy = "Give for example quantiles=(0.1, 0.5, 0.9)."
    check_type(Sequence, remedy, quantiles=quantiles)
    are_numbers = all(isinstance(one, float | np.floating) for one in quantiles)
    if not (len(quantiles) and are_numbers and (np.diff([0, *quantiles, 1]) > 0).all()):
        raise ValueError(
            f"Expected quantiles above 0 and below 1 in ascending order; received {quantiles!r}. "
            f"{remedy}"
        )
    return tuple(quantiles)


def central(quantiles: Sequence[float]) -> int:
    """Return the position of the quantile nearest to the median."""
    return int(np.abs(np.asarray(quantiles) - 0.5).argmin())


def quantiles_of(model: Any) -> tuple[float, ...]:
    """Return the quantiles that a model gives of each target; none where it gives one number."""
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else ()
    quantiles = [layer.quantiles for layer in layers if isinstance(layer, OrderedQuantiles)]
    return tuple(quantiles[-1]) if quantiles else ()


def quantile_names(names: Sequence[str], quantiles: Sequence[float]) -> list[str]:
    """Return the name of each output, such as "+6 h, 90 %".

    Examples
    --------
    >>> quantile_names(["+6 h"], (0.025, 0.5))
    ['+6 h, 2.5 %', '+6 h, 50 %']
    """
    return [f"{name}, {100 * one:.4g} %" for name in names for one in quantiles]


def central_forecasts(predictions: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """Return the central quantile of each target, (sample, target), or (sample,) of one target.

    Without quantiles predictions are returned as they are.
    """
    if not quantiles:
        return predictions
    columns = predictions[:, central(quantiles) :: len(quantiles)]
    return columns if columns.shape[1] > 1 else columns[:, 0]


def score_quantiles(
    data: SequenceData, predictions: np.ndarray, quantiles: Sequence[float]
) -> dict[str, float]:
    """Score quantiles (sample, target * quantile): pinball loss, and coverage of the outer two.

    Returns
    -------
    dict
        ``pinball``, the mean loss in units of the target, and ``coverage``, the share of targets
        from the lowest quantile to the highest: 0.8 is right for 10 % and 90 %.

    Examples
    --------
    >>> data = SequenceData.from_arrays(np.zeros((2, 3, 1)), [1.0, 5.0])
    >>> scores = score_quantiles(data, np.array([[0.0, 2.0], [0.0, 2.0]]), (0.1, 0.9))
    >>> {name: round(value, 6) for name, value in scores.items()}
    {'pinball': 0.85, 'coverage': 0.5}
    """
    true = np.asarray(data.target, np.float64).reshape(len(data), -1, 1)
    each = predictions.reshape(*true.shape[:2], len(quantiles)).astype(np.float64)
    errors, shares = true - each, np.asarray(quantiles)
    inside = (each[..., :1] <= true) & (true <= each[..., -1:])
    return {
        "pinball": float(np.maximum(shares * errors, (shares - 1) * errors).mean()),
        "coverage": float(inside.mean()),
    }
