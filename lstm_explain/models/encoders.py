"""What reads a sequence in ``build_model(cell=...)``: from (sample, time, column) to states.

Every reader leaves out padded steps: convolutions look backwards only, and padding stands behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import keras, ops

_KERNEL, _WIDE_KERNEL, _MOST_DILATIONS = 3, 5, 8
_RANDOM_STATES = 10  # of an echo state network, for each unit
_KINDS = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}  # of cells: Keras's layers
_MEMORY = 0.9  # largest singular value of its recurrent weights: below 1 old steps fade


@dataclass(frozen=True)
class Reader:
    """The options of `build_model` that the readers share.

    Attributes
    ----------
    units : sequence of int
        One layer for each.
    bidirectional : bool
    dropout, l2 : float
    policy : keras.DTypePolicy
    seed : int
    """

    units: Sequence[int]
    bidirectional: bool
    dropout: float
    l2: float
    policy: Any
    seed: int

    def weights(self, position: int) -> dict[str, Any]:
        """Return initial weights and penalty of the kernels of a layer."""
        seed = 1000 * self.seed + position
        return {
            "kernel_initializer": keras.initializers.GlorotUniform(seed=seed),
            "kernel_regularizer": keras.regularizers.L2(self.l2),
        }

    def dropped(self, states: Any, position: int) -> Any:
        """Return states, a share of which is dropped in training."""
        return keras.layers.Dropout(self.dropout, seed=1000 * self.seed + position)(states)


def recurrent_layer(
    reader: Reader, cell: str, size: int, position: int, **options: Any
) -> keras.layers.Layer:
    """Return the layer of a recurrent cell that stands at a position, the first at 1."""
    seed = 1000 * reader.seed + position
    usual = {
        "return_sequences": True,
        "dropout": reader.dropout,
        "recurrent_initializer": keras.initializers.Orthogonal(seed=seed),
        "recurrent_regularizer": keras.regularizers.L2(reader.l2),
        "seed": seed,
        "dtype": reader.policy,
        "name": f"{cell}_{position}",
    }
    return getattr(keras.layers, _KINDS[cell])(size, **usual | reader.weights(position) | options)


def _recurrent(cell: str) -> Callable[..., Any]:
    def states(reader: Reader, sequence: Any, mask: Any) -> Any:
        for position, size in enumerate(reader.units, start=1):
            layer = recurrent_layer(reader, cell, size, position)
            if reader.bidirectional:
                layer = keras.layers.Bidirectional(
                    layer, dtype=reader.policy, name=f"bidirectional_{position}"
                )
            sequence = layer(sequence, mask=mask)
        return sequence

    return states


def _convolution_then_lstm(reader: Reader, sequence: Any, mask: Any) -> Any:
    states = keras.layers.Conv1D(
        reader.units[0], _WIDE_KERNEL, padding="causal", activation="relu", name="convolution",
        **reader.weights(0),
    )(sequence)  # fmt: skip
    return _recurrent("lstm")(reader, states, mask)


def _temporal_convolution(reader: Reader, sequence: Any, _mask: Any) -> Any:
    """Convolve with holes of 1, 2, 4, ... steps, until a state reads the whole sequence.

    Bai, Kolter and Koltun (2018), "An Empirical Evaluation of Generic Convolutional and Recurrent
    Networks for Sequence Modeling", arXiv:1803.01271.
    """
    steps = sequence.shape[1] or 2**_MOST_DILATIONS
    depth = int(np.clip(np.ceil(np.log2(steps / (_KERNEL - 1) + 1)), 1, _MOST_DILATIONS))
    for layer, size in enumerate(reader.units):
        for level in range(depth):
            position = layer * depth + level + 1
            new = keras.layers.Conv1D(
                size, _KERNEL, padding="causal", dilation_rate=2**level, activation="relu",
                name=f"convolution_{position}", **reader.weights(position),
            )(sequence)  # fmt: skip
            if sequence.shape[-1] != size:
                sequence = keras.layers.Dense(size, **reader.weights(position))(sequence)
            sequence = keras.layers.Add()([sequence, reader.dropped(new, position)])
    return sequence


def _transformer(reader: Reader, sequence: Any, mask: Any) -> Any:
    """Attend from every step to every real step.

    Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762; norms before each part.
    """
    states = keras.layers.Dense(reader.units[0], **reader.weights(0))(sequence)
    states = StepPositions(name="positions")(states)
    for position, size in enumerate(reader.units, start=1):
        heads = 4 if size % 4 == 0 else 1
        if states.shape[-1] != size:
            states = keras.layers.Dense(size, **reader.weights(position))(states)
        normed = keras.layers.LayerNormalization()(states)
        attended = keras.layers.MultiHeadAttention(
            heads, size // heads, seed=reader.seed, name=f"self_attention_{position}",
            **reader.weights(position),
        )(normed, normed, value_mask=mask)  # fmt: skip
        states = keras.layers.Add()([states, reader.dropped(attended, position)])
        hidden = keras.layers.LayerNormalization()(states)
        hidden = keras.layers.Dense(2 * size, "gelu", **reader.weights(position))(hidden)
        hidden = keras.layers.Dense(size, **reader.weights(position))(hidden)
        states = keras.layers.Add()([states, reader.dropped(hidden, position)])
    return states


def _echo_state(reader: Reader, sequence: Any, mask: Any) -> Any:
    """Return the last of random states that training does not change, (sample, state).

    Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks",
    GMD report 148.
    """
    return keras.layers.SimpleRNN(
        _RANDOM_STATES * reader.units[0],
        kernel_initializer=keras.initializers.GlorotUniform(seed=reader.seed),
        recurrent_initializer=keras.initializers.Orthogonal(gain=_MEMORY, seed=reader.seed),
        trainable=False,
        name="random_states",
    )(sequence, mask=mask)


# By the name that `build_model` knows it by: reader, sequence and mask to states.
ENCODERS: dict[str, Callable[[Reader, Any, Any], Any]] = {
    **{cell: _recurrent(cell) for cell in _KINDS},
    "cnn-lstm": _convolution_then_lstm,
    "tcn": _temporal_convolution,
    "transformer": _transformer,
    "echo state": _echo_state,
}
RECURRENT = ("lstm", "gru", "rnn", "cnn-lstm")


@keras.saving.register_keras_serializable(package="lstm_explain")
class StepPositions(keras.layers.Layer):
    """Add sines and cosines of the step's number, so that attention can tell steps apart.

    Examples
    --------
    >>> layer = StepPositions()
    >>> np.asarray(layer(np.zeros((1, 2, 2), "float32"))).round(2).tolist()
    [[[0.0, 1.0], [0.8399999737739563, 0.5400000214576721]]]
    """

    def call(self, states: Any) -> Any:
        """Return the states plus positions, of the same shape."""
        columns = np.arange(states.shape[-1])
        rates = 1e4 ** -(2 * (columns // 2) / states.shape[-1])
        steps = ops.cast(ops.arange(ops.shape(states)[1]), states.dtype)
        angles = steps[:, None] * ops.cast(rates, states.dtype)
        return states + ops.where(columns % 2 == 0, ops.sin(angles), ops.cos(angles))
