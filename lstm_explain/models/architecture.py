"""Build networks with attention whose layers have documented names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..arguments import (
    check_flag,
    check_number,
    check_one_of,
    check_whole,
    described,
    is_whole,
)
from ..backend import keras
from ..sequences.data import SequenceData, check_data
from ..sequences.splitting import training_part
from ..sequences.words import UNKNOWN, vocabulary_digest
from .encoders import ENCODERS, RECURRENT, Reader
from .layers import AttentionPooling, WordDropout
from .linear_paths import LinearPath, WordRatios, usual_path, word_ratios
from .penalised import deviations
from .word_vectors import WordVectors

# Keras takes seeds of 32 bits, and each layer has its own, made from a thousand times the model's.
LARGEST_SEED = 4_000_000


def build_model(
    data: SequenceData,
    *,
    cell: str = "lstm",
    units: Sequence[int] = (32,),
    bidirectional: bool = False,
    attention_units: int = 16,
    dropout: float = 0.1,
    l2: float = 0.0,
    beside: LinearPath | Literal["usual"] | None = "usual",
    embedding_size: int = 64,
    word_dropout: float = 0.1,
    word_vectors: WordVectors | None = None,
    mixed_precision: bool = False,
    seed: int = 0,
) -> keras.Model:
    """Build an LSTM, or another network, with additive attention that fits data and target.

    ``values (sample, time, feature) -> LSTM -> states (sample, time, unit) -> attention ->
    context (sample, unit) -> head -> margin (sample, output) -> output``. Static facts, where
    the data has some, join the context before the head. Sequences of different lengths add a
    bool input for the mask.

    Parameters
    ----------
    data : SequenceData
        Its features, static facts, padding, target and training part shape the model.
    cell : {"lstm", "gru", "rnn", "cnn-lstm", "tcn", "transformer", "echo state"}
        What reads the sequence: a recurrent cell, a convolution before an LSTM, dilated causal
        convolutions, or self-attention. An echo state network has fixed random states, ten for
        each unit, and a linear head on the last of them, without attention.
    units : sequence of int
        Units of each layer, first to last.
    bidirectional : bool
        Read each sequence in both directions, with a recurrent cell.
    attention_units : int
        Hidden size of the attention score.
    dropout : float
        Share of inputs and context entries dropped in training, from 0 to below 1.
    l2 : float
        Weight of the squared kernels in the loss.
    beside : "usual", TrailingMeans, MeasuredSummaries, WordRatios or None
        A linear path that runs beside the LSTM and is part of the model, from `lx.models`. It is
        fitted to the training part here, and the head starts at 0: training starts at the linear
        model, and the LSTM learns what that misses. Usual are `MeasuredSummaries` of data with
        indicators, `TrailingMeans` of other measurements, and `WordRatios` of texts of two classes.
        None leaves an LSTM alone.
    embedding_size, word_dropout : int and float
        For texts: size of a word's vector, and the share of words that become "[UNK]" in training,
        so that the model has seen what "absent" means in an explanation.
    word_vectors : WordVectors, optional
        From `load_word_vectors` or `learn_word_vectors`: the initial vectors of the words, which
        set their size. Training changes them like any other weights.
    mixed_precision : bool
        Compute the LSTM in float16, which is faster on a GPU only.
    seed : int
        Seed of initial weights and dropout.

    Returns
    -------
    keras.Model
        Not compiled; layers are named "lstm_1" (or "gru_1", ...), "attention", "head", "output".

    Raises
    ------
    TypeError
        `beside` is no linear path, or `word_vectors` are no `WordVectors`.
    ValueError
        The data has no target, a parameter is out of range, or `beside` does not fit the data.

    Examples
    --------
    >>> import numpy as np
    >>> data = SequenceData.from_arrays(np.zeros((4, 5, 2)), [0.1, 0.2, 0.3, 0.4])
    >>> build_model(data, units=(3,)).output_shape
    (None, 1)
    """
    check_options(
        data,
        cell=cell,
        units=units,
        bidirectional=bidirectional,
        attention_units=attention_units,
        dropout=dropout,
        l2=l2,
        beside=beside,
        embedding_size=embedding_size,
        word_dropout=word_dropout,
        word_vectors=word_vectors,
        mixed_precision=mixed_precision,
        seed=seed,
    )
    path = usual_path(data) if isinstance(beside, str) else beside
    if path is not None:
        data.check_complete()  # a regression takes no gaps
    inputs = inputs_for(data)
    sequence, mask, static = (inputs.get(role) for role in ("sequence", "mask", "static"))
    if data.tokens is not None:
        ratios = word_ratios(training_part(data)) if isinstance(path, WordRatios) else None
        sequence = _embedded(
            sequence, data, embedding_size, word_dropout, seed, ratios, word_vectors
        )
    policy = keras.DTypePolicy("mixed_float16" if mixed_precision else "float32")
    reader = Reader(units, bidirectional, dropout, l2, policy, seed)
    context = context_of(reader, ENCODERS[cell](reader, sequence, mask), inputs, attention_units)
    margin = head(reader, num_outputs(data), path)(context)
    if path is not None:
        linear = path.margin(data, sequence, mask, static, word_dropout)
        margin = keras.layers.Add(name="margin")([margin, linear])
    outputs = output_layer(data)(margin)
    name = "echo_state_network" if cell == "echo state" else f"{cell}_with_attention"
    model = keras.Model(list(inputs.values()), outputs, name=name)
    if cell == "echo state" and data.tokens is not None:
        model.get_layer("embedding").trainable = False  # random as the states are
    return model


def inputs_for(data: SequenceData) -> dict[str, Any]:
    """Return a model's inputs by role, in the order in which the model takes them."""
    if data.tokens is None:
        num_steps = data.values.shape[1]
        sequence = keras.Input((num_steps, len(data.feature_names)), name="values")
    else:
        num_steps = None  # other texts may be longer
        sequence = keras.Input((num_steps,), dtype="int32", name="tokens")
    inputs = {"sequence": sequence}
    if not data.mask.all():
        inputs["mask"] = keras.Input((num_steps,), dtype="bool", name="mask")
    if data.static is not None:
        inputs["static"] = keras.Input((data.static.shape[1],), name="static")
    return inputs


def context_of(reader: Reader, states: Any, inputs: dict[str, Any], attention_units: int) -> Any:
    """Return one vector per sample: states pooled by attention, with the static facts behind."""
    seed = reader.seed
    if len(states.shape) == 3:
        attention = AttentionPooling(attention_units, seed=seed, dtype="float32", name="attention")
        states = attention(states, mask=inputs.get("mask"))
    context = keras.layers.Dropout(reader.dropout, seed=seed, name="context_dropout")(states)
    if "static" in inputs:
        context = keras.layers.Concatenate(name="context_and_static")([context, inputs["static"]])
    return context


def head(reader: Reader, size: int, path: LinearPath | None) -> keras.layers.Layer:
    """Return the layer from a context to the margin, of zeros where a linear path is beside it."""
    initializer = "zeros" if path else keras.initializers.GlorotUniform(seed=reader.seed)
    return keras.layers.Dense(
        size,
        kernel_initializer=initializer,
        kernel_regularizer=keras.regularizers.L2(reader.l2),
        name="head",
    )


def _embedded(
    tokens: Any,
    data: SequenceData,
    size: int,
    word_dropout: float,
    seed: int,
    ratios: np.ndarray | None,
    word_vectors: WordVectors | None,
) -> Any:
    """Return the vectors of token ids, (sample, time, size).

    They start from small random numbers, or from `word_vectors` in their size. `ratios` (word,)
    become the first number of each vector, in front of pretrained ones.
    """
    if word_vectors is not None:
        size = word_vectors.values.shape[1] + (ratios is not None)
    if UNKNOWN in data.vocabulary:
        tokens = WordDropout(
            word_dropout,
            data.vocabulary.index(UNKNOWN),
            seed=seed,
            vocabulary_digest=vocabulary_digest(data.vocabulary),
            name="word_dropout",
        )(tokens)
    num_words = len(data.vocabulary) or 1 + int(np.max(np.asarray(data.tokens, int), initial=0))
    initializer = keras.initializers.RandomUniform(-0.05, 0.05, seed=seed)
    embedding = keras.layers.Embedding(
        num_words, size, embeddings_initializer=initializer, name="embedding"
    )
    vectors = embedding(tokens)
    # Not as an initializer: its numbers would be written into the configuration of a saved model.
    weights = embedding.get_weights()[0]
    if word_vectors is not None:
        weights[:, size - word_vectors.values.shape[1] :] = word_vectors.values
    if ratios is not None:
        weights[:, 0] = ratios
    embedding.set_weights([weights])
    return vectors


def num_outputs(data: SequenceData) -> int:
    """Return how many numbers a model gives for each sample of the data."""
    several = data.class_names if data.task == "multiclass" else data.target_names
    return len(several) or 1


def output_layer(data: SequenceData, repeats: int = 1) -> keras.layers.Layer:
    """Return the layer from margins to what is predicted; numbers with `repeats` of each target."""
    if data.task in ("binary", "multilabel"):
        return keras.layers.Activation("sigmoid", name="output")
    if data.task == "multiclass":
        return keras.layers.Activation("softmax", name="output")
    target: Any = training_part(data).target
    # The network predicts in standard deviations from the mean; the output has the target's units.
    scale, offset = deviations(target), np.mean(target, axis=0)
    if repeats > 1:
        scale, offset = np.repeat(scale, repeats), np.repeat(offset, repeats)
    return keras.layers.Rescaling(scale.tolist(), offset=offset.tolist(), name="output")


def check_options(
    data: SequenceData,
    *,
    cell: Any,
    units: Any,
    bidirectional: Any,
    attention_units: Any,
    dropout: Any,
    l2: Any,
    beside: Any,
    seed: Any,
    embedding_size: Any = 64,
    word_dropout: Any = 0.0,
    word_vectors: Any = None,
    mixed_precision: Any = False,
) -> None:
    """Raise on options that cannot be built; those of words may be left out."""
    check_whole(least=1, attention_units=attention_units, embedding_size=embedding_size)
    check_number(least=0, below=1, remedy="Try 0.1.", dropout=dropout, word_dropout=word_dropout)
    check_number(least=0, remedy="0 is the default.", l2=l2)
    check_flag(bidirectional=bidirectional, mixed_precision=mixed_precision)
    check_one_of(ENCODERS, cell=cell)
    if bidirectional and cell not in RECURRENT:
        raise ValueError(
            f"Expected bidirectional=True with one of the cells {list(RECURRENT)}; received "
            f"cell={cell!r}. Leave bidirectional out."
        )
    check_whole(most=LARGEST_SEED, seed=seed)
    check_data(data=data)
    if data.target is None:
        raise ValueError(
            "Expected data with a target to shape the output; received none. Give target=... when "
            "making the data."
        )
    sizes = units if isinstance(units, Sequence | np.ndarray) else ()
    if len(sizes) == 0 or not all(is_whole(size) and size > 0 for size in sizes):
        raise ValueError(
            f"Expected at least one layer with at least 1 unit; received units="
            f"{described(units)}. Try units=(32,)."
        )
    if word_vectors is not None:
        _check_vectors(word_vectors, data)
    if isinstance(beside, LinearPath):
        beside.check(data)
    elif beside is not None and beside != "usual":
        raise TypeError(
            "Expected beside as lx.models.TrailingMeans(), lx.models.MeasuredSummaries() or "
            f"lx.models.WordRatios(); received {beside!r:.80}. Leave it out for the usual one, or "
            "give None for an LSTM alone."
        )


def _check_vectors(word_vectors: Any, data: SequenceData) -> None:
    if data.tokens is None:
        raise ValueError("Expected texts for word_vectors; received numbers. Leave them out.")
    if not isinstance(word_vectors, WordVectors):
        raise TypeError(
            f"Expected word_vectors as WordVectors; received {type(word_vectors).__name__}. Make "
            "them with lx.models.load_word_vectors(path, data.vocabulary) or "
            "lx.models.learn_word_vectors(data)."
        )
    if word_vectors.vocabulary != data.vocabulary:
        raise ValueError(
            f"Expected word vectors in the order of this data's vocabulary of "
            f"{len(data.vocabulary)} words; received those of another one, {word_vectors!r}. Make "
            "them with lx.models.load_word_vectors(path, data.vocabulary) or "
            "lx.models.learn_word_vectors(data)."
        )
