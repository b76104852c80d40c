"""Networks that forecast several steps ahead: at once, by attention, or step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..arguments import check_one_of
from ..backend import keras, ops
from ..sequences.data import SequenceData
from ..sequences.series import known_ahead
from ..sequences.splitting import training_part
from .architecture import check_options, context_of, head, inputs_for, num_outputs, output_layer
from .buckets import predict_by_length
from .encoders import ENCODERS, Reader, recurrent_layer
from .layers import Configured
from .linear_paths import Autoregression, LinearPath
from .penalised import deviations
from .quantiles import OrderedQuantiles, central, central_forecasts, check_quantiles

Decoder = Literal["direct", "attention", "recursive"]
# The layer whose queries are the steps ahead, one after the other.
DECODER_ATTENTION = "decoder_attention"
_FED_BACK = ("lstm", "gru", "rnn")


def build_forecaster(
    data: SequenceData,
    *,
    decoder: Decoder = "direct",
    quantiles: Sequence[float] | None = None,
    cell: str = "lstm",
    units: Sequence[int] = (32,),
    bidirectional: bool = False,
    attention_units: int = 16,
    dropout: float = 0.1,
    l2: float = 0.0,
    beside: LinearPath | Literal["usual"] | None = "usual",
    seed: int = 0,
) -> keras.Model:
    """Build a network that forecasts all targets of the data, each so many steps ahead.

    Parameters
    ----------
    data : SequenceData
        From `SequenceData.from_series`: the targets are the next values of the first feature.
        Where they come from elsewhere, nothing is taken to be known in advance.
    decoder : {"direct", "attention", "recursive"}
        - "direct": all targets at once from one context, as `build_model` has it.
        - "attention": an encoder reads the past, a decoder LSTM the future that is known, step by
          step. Each of its states asks which states of the past matter: the layer
          "decoder_attention" has a map (target step, past step). Its query is one future step.
        - "recursive": a network of one step, whose forecast is read as the next value, and so on.
          What is known in advance is read at each step, other features keep their last value. All
          of it is one model: explained are the observed inputs, through the whole recursion.
    quantiles : sequence of float, optional
        Such as (0.1, 0.5, 0.9): forecast these of each target, in order, target by target. They do
        not cross. `train` then minimises the pinball loss; scores are of the one nearest to 50 %.
    cell, units, bidirectional, attention_units, dropout, l2, seed : optional
        As in `build_model`. "recursive" takes a recurrent cell that reads forward, and drops states
        only.
    beside : "usual", a linear path or None
        Fitted here and part of the model, as in `build_model`, usually `Autoregression`; of
        quantiles it moves all of a target. "recursive" has none: it starts at the last value.

    Returns
    -------
    keras.Model
        Not compiled; outputs (sample, target), or (sample, target * quantile).

    Raises
    ------
    ValueError
        The data has no numbers as targets, or options and data do not fit together.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), arXiv:1409.0473: the decoder with attention. Wen et al. (2017),
    "A Multi-Horizon Quantile Recurrent Forecaster", arXiv:1711.11053: quantiles of all steps at
    once. Taieb et al. (2012), Expert Systems with Applications 39: direct and recursive forecasts.

    Examples
    --------
    >>> past, future = np.zeros((4, 12, 1)), np.zeros((4, 3)) + 0.5
    >>> data = SequenceData.from_arrays(past, future, target_names=["+1 h", "+2 h", "+3 h"])
    >>> build_forecaster(data, quantiles=(0.1, 0.5, 0.9), units=(3,)).output_shape
    (None, 9)
    """
    check_one_of(("direct", "attention", "recursive"), decoder=decoder)
    shares = () if quantiles is None else check_quantiles(quantiles)
    path: Any = beside
    if isinstance(beside, str) and beside == "usual":
        path = None if decoder == "recursive" else Autoregression()
    check_options(
        data, cell=cell, units=units, bidirectional=bidirectional, attention_units=attention_units,
        dropout=dropout, l2=l2, beside=path, seed=seed,
    )  # fmt: skip
    known = known_ahead(data)
    _check_data(data, decoder, known)
    _check_decoder(decoder, cell, bidirectional, path)
    data.check_complete()
    inputs, horizon, each = inputs_for(data), num_outputs(data), len(shares) or 1
    sequence, mask, static = inputs["sequence"], inputs.get("mask"), inputs.get("static")
    reader = Reader(units, bidirectional, dropout, l2, keras.DTypePolicy("float32"), seed)
    if decoder == "recursive":
        margin = _recursion(data, reader, cell, known, shares)(sequence, static)
    else:
        states = ENCODERS[cell](reader, sequence, mask)
        if decoder == "direct":
            context = context_of(reader, states, inputs, attention_units)
            margin = head(reader, horizon * each, path)(context)
        else:
            future = sequence[:, -horizon:] if known else None
            if known:
                future = ops.take(future, known, axis=-1)
            contexts = _decoded(reader, states, future, static, horizon, attention_units)
            margin = keras.layers.Reshape((-1,), name="leads")(head(reader, each, path)(contexts))
    if shares:
        margin = OrderedQuantiles(shares, name="quantiles")(margin)
    if path is not None:
        linear = path.margin(data, sequence, mask, static, 0.0)
        margin = keras.layers.Add(name="margin")([margin, ops.repeat(linear, each, axis=-1)])
    last = (_level_output if decoder == "recursive" else output_layer)(data, each)
    model = keras.Model(list(inputs.values()), last(margin), name=f"{cell}_{decoder}_forecaster")
    if shares:
        _spread_as_errors(model, data, shares)
    return model


def _spread_as_errors(model: keras.Model, data: SequenceData, shares: tuple[float, ...]) -> None:
    """Start with quantiles as far apart as those of the errors, on the validation part if any."""
    part = data.validation if data.split is not None and len(data.validation) else data
    central_ones = central_forecasts(predict_by_length(model, part), shares)
    errors = (np.asarray(part.target) - central_ones).reshape(len(part), -1)
    scale = np.asarray(model.get_layer("output").scale).reshape(-1, len(shares))[:, 0]
    apart = np.diff(np.quantile(errors / scale, shares, axis=0), axis=0).T  # (target, gap)
    gaps = np.insert(np.log(np.expm1(np.maximum(apart, 1e-3))), central(shares), 0.0, axis=1)
    layers = [layer for layer in model._flatten_layers() if layer.name == "head"]
    [bias] = [layer.bias for layer in layers]
    bias.assign(gaps.ravel() if bias.shape[0] == gaps.size else gaps.mean(axis=0))


def _decoded(
    reader: Reader, states: Any, future: Any, static: Any, horizon: int, attention_units: int
) -> Any:
    """Return what is known of each step ahead, (sample, target, number)."""
    repeated = keras.layers.RepeatVector(horizon, name="last_state")(states[:, -1])
    steps = [repeated] if future is None else [repeated, future]
    if static is not None:
        steps.append(keras.layers.RepeatVector(horizon, name="static_facts")(static))
    read = keras.layers.Concatenate(name="known_future")(steps) if len(steps) > 1 else repeated
    last = len(reader.units) + 1
    queries = recurrent_layer(reader, "lstm", reader.units[-1], last, name="decoder")(read)
    asked, keys = (
        keras.layers.Dense(attention_units, name=name, **reader.weights(last + number))
        for number, name in enumerate(("attention_query", "attention_key"), start=1)
    )
    attention = keras.layers.AdditiveAttention(name=DECODER_ATTENTION)
    context = attention([asked(queries), states, keys(states)])
    both = keras.layers.Concatenate(name="contexts")([context, queries])
    return reader.dropped(both, last)


def _recursion(
    data: SequenceData, reader: Reader, cell: str, known: list[int], shares: tuple[float, ...]
) -> Recursion:
    return Recursion(
        cell,
        list(reader.units),
        num_outputs(data),
        known=known,
        deviation=_deviation(data),
        outputs=len(shares) or 1,
        fed_back=central(shares) if shares else 0,
        dropout=reader.dropout,
        l2=reader.l2,
        seed=reader.seed,
        name="recursion",
    )


def _deviation(data: SequenceData) -> float:
    """Return the deviation of the first feature, whose next values are the targets."""
    return float(deviations(training_part(data).values[..., 0].ravel()))


def _level_output(data: SequenceData, repeats: int) -> keras.layers.Layer:
    """Return the layer from values of the first feature, in deviations, to the targets' units."""
    size = np.full(num_outputs(data), _deviation(data) * data.scale[0]) / data.target_scale
    offset = (data.center[0] - np.full(len(size), data.target_center)) / data.target_scale
    scale, offset = np.repeat(size, repeats), np.repeat(offset, repeats)
    return keras.layers.Rescaling(scale.tolist(), offset=offset.tolist(), name="output")


@keras.saving.register_keras_serializable(package="lstm_explain")
class Recursion(Configured):
    """Forecast one step, read it as the next value of the first feature, and go on.

    From values (sample, time, feature) to (sample, target * output), in deviations of the first
    feature. The network adds to the last value of that feature what its state says.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
    sizes : sequence of int
        Units of each layer.
    horizon : int
        Steps to forecast.
    known : sequence of int
        Features that hold the value of `horizon` steps later. The network reads, at each step, that
        of the next step. Steps before the first one that is known read the first.
    deviation : float
        Of the first feature.
    outputs, fed_back : int
        Numbers of each step, and the one that is read as the next value; the others are passed on
        as they are.
    dropout, l2 : float
    seed : int
    learned_from : str
        See `AttentionPooling`.
    """

    _options = (
        *("cell", "sizes", "horizon", "known", "deviation", "outputs", "fed_back"),
        *("dropout", "l2", "seed", "learned_from"),
    )

    def __init__(
        self,
        cell: str,
        sizes: Sequence[int],
        horizon: int,
        *,
        known: Sequence[int] = (),
        deviation: float = 1.0,
        outputs: int = 1,
        fed_back: int = 0,
        dropout: float = 0.0,
        l2: float = 0.0,
        seed: int = 0,
        learned_from: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cell, self.sizes, self.horizon, self.known = cell, [*sizes], horizon, [*known]
        self.deviation, self.outputs, self.fed_back = deviation, outputs, fed_back
        self.dropout, self.l2, self.seed, self.learned_from = dropout, l2, seed, learned_from
        # Cells drop nothing: a mask that one call draws would be kept for the next.
        reader = Reader(sizes, False, 0.0, l2, self.dtype_policy, seed)
        self.recurrent = [
            recurrent_layer(reader, cell, width, position, return_state=True)
            for position, width in enumerate(sizes, start=1)
        ]
        self.dropped = keras.layers.Dropout(dropout, seed=seed, name="context_dropout")
        self.head = keras.layers.Dense(outputs, kernel_initializer="zeros", name="head")

    def build(self, values_shape: Any, static_shape: Any = None) -> None:
        """Create the weights of the cells and of the head."""
        shape = values_shape
        for layer in self.recurrent:
            layer.build(shape)
            shape = (*values_shape[:2], layer.units)
        facts = 0 if static_shape is None else static_shape[-1]
        self.head.build((values_shape[0], shape[-1] + facts))

    def call(self, values: Any, static: Any = None, training: bool = False) -> Any:
        """Return the numbers of each step ahead, (sample, target * output)."""
        columns, future = self._aligned(values)
        state, states = columns, []
        for layer in self.recurrent:
            state, *carried = layer(state)
            states.append(carried)
        state, level, last = state[:, -1], values[:, -1, :1], columns[:, -1]
        forecasts: list[Any] = []
        for step in range(self.horizon):
            if step:
                state = self._read_next(level, last, future, step - 1, states)
            context = self.dropped(state, training=training)
            if static is not None:
                context = ops.concatenate([context, static], axis=-1)
            numbers = self.head(context)
            begin, end = self.fed_back, self.fed_back + 1
            level = level + self.deviation * numbers[:, begin:end]
            forecasts += [numbers[:, :begin], level / self.deviation, numbers[:, end:]]
        return ops.concatenate(forecasts, axis=-1)

    def _aligned(self, values: Any) -> tuple[Any, Any]:
        """Return the past with what is known of each next step, and that of the steps ahead."""
        if not self.known:
            return values, values[:, :0]
        wait = self.horizon - 1
        known = ops.take(values, self.known, axis=-1)
        past = values.shape[1] - wait
        aligned = ops.concatenate([ops.repeat(known[:, :1], wait, axis=1), known[:, :past]], axis=1)
        return self._with_known(values, aligned), known[:, past:]

    def _with_known(self, columns: Any, known: Any) -> Any:
        """Return columns with others in place of those that are known in advance."""
        place = {feature: number for number, feature in enumerate(self.known)}
        parts = [
            known[..., place[at] : place[at] + 1] if at in place else columns[..., at : at + 1]
            for at in range(columns.shape[-1])
        ]
        return ops.concatenate(parts, axis=-1)

    def _read_next(self, level: Any, last: Any, future: Any, step: int, states: list[Any]) -> Any:
        """Move the states on by one step and return the last one."""
        state = ops.concatenate([level, last[:, 1:]], axis=-1)
        if self.known:
            state = self._with_known(state, future[:, step])
        for number, layer in enumerate(self.recurrent):
            state, states[number] = layer.cell(state, states[number])
        return state

    def compute_output_shape(self, values_shape: Any, static_shape: Any = None) -> Any:
        """Return (sample, target * output)."""
        return (values_shape[0], self.horizon * self.outputs)


def _check_data(data: SequenceData, decoder: Decoder, known: list[int]) -> None:
    if data.tokens is not None or data.task != "regression":
        raise ValueError(
            f"Expected measurements with numbers as targets; received {data!r}. lx.build_model "
            "makes networks for texts and classes."
        )
    horizon, steps = num_outputs(data), data.values.shape[1]
    if decoder == "direct":
        return
    if not data.mask.all():
        raise ValueError(
            f'Expected sequences of one length for decoder="{decoder}", whose steps ahead follow '
            'the last step; received padded ones. Use decoder="direct".'
        )
    if known and data.horizon != horizon:
        raise ValueError(
            f"Expected all {data.horizon} steps ahead as targets for decoder={decoder!r}, which "
            f"reads what is known in advance step by step; received {horizon}. Forecast all and "
            'explain one, output="+2 h", or use decoder="direct".'
        )
    if known and steps < horizon:
        raise ValueError(
            f"Expected a history of at least {horizon} steps, as many as are forecast, to hold "
            f"what is known in advance; received {steps}. Give a longer history, or use "
            'decoder="direct".'
        )
    if decoder == "recursive" and 0 in known:
        raise ValueError(
            "Expected the past of the target as the first feature, to feed forecasts back; "
            f'received {data.feature_names[0]!r}. Use decoder="direct".'
        )


def _check_decoder(decoder: Decoder, cell: str, bidirectional: bool, path: Any) -> None:
    if decoder == "attention" and cell == "echo state":
        raise ValueError(
            'Expected a cell with a state for each step for decoder="attention"; received '
            '"echo state". Use decoder="direct".'
        )
    if decoder == "recursive" and (cell not in _FED_BACK or bidirectional or path is not None):
        raise ValueError(
            f"Expected one of the cells {list(_FED_BACK)}, reading forward, with nothing beside "
            f'it for decoder="recursive"; received cell={cell!r}, bidirectional={bidirectional}, '
            f'beside={path!r}. Leave them out, or use decoder="direct".'
        )
