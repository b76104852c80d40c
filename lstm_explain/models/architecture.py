"""Build and load attention-augmented recurrent models whose parts have names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import keras
from ..sequences.data import SequenceData
from ..sequences.splitting import training_part
from ..sequences.words import UNKNOWN, vocabulary_digest
from .layers import AttentionPooling, WordDropout
from .linear_paths import summaries_path, trailing_means_path, word_ratios, word_ratios_path
from .word_vectors import WordVectors


def build_model(
    data: SequenceData,
    *,
    units: Sequence[int] = (32,),
    bidirectional: bool = False,
    attention_units: int = 16,
    dropout: float = 0.1,
    l2: float = 0.0,
    linear_features: Sequence[str] = (),
    linear_spans: Sequence[int] = (1, 5, 22),
    summaries: bool = False,
    summaries_times: str | None = None,
    embedding_size: int = 64,
    word_dropout: float = 0.1,
    word_vectors: WordVectors | None = None,
    naive_bayes: bool = False,
    mixed_precision: bool = False,
    seed: int = 0,
) -> keras.Model:
    """Build an LSTM with additive attention that fits the data's shapes and target.

    ``values (sample, time, feature) -> LSTM -> states (sample, time, unit) -> attention ->
    context (sample, unit) -> head -> margin (sample, output) -> output``. Static facts, where
    the data has some, join the context before the head. Sequences of different lengths add a
    bool input for the mask.

    Parameters
    ----------
    data : SequenceData
        Its features, static facts, padding, target and training part shape the model.
    units : sequence of int
        Units of each LSTM layer, first to last.
    bidirectional : bool
        Read each sequence in both directions.
    attention_units : int
        Hidden size of the attention score.
    dropout : float
        Share of inputs and context entries dropped in training, 0 to 1.
    l2 : float
        Weight of the squared kernels in the loss.
    linear_features, linear_spans : sequences of str and int
        With features named here, a linear path runs beside the LSTM: a least-squares fit of the
        training target to the features' means over the last 1, 5, 22 steps. It is part of the
        model and stays fixed, the head starts at 0: training starts at the linear model, and the
        LSTM learns what that misses. For regression.
    summaries : bool
        The same for two classes and data with ``fill_missing(indicators=True)``: a logistic
        regression on `MeasuredSummaries` of the sequence and on the static facts runs beside the
        LSTM, is fixed, and the LSTM learns what it misses.
    summaries_times : str, optional
        A static fact: what a variable's mean says may depend on it.
    embedding_size, word_dropout : int and float
        For texts: size of a word's vector, and the share of words that become "[UNK]" in training,
        so that the model has seen what "absent" means in an explanation.
    word_vectors : WordVectors, optional
        From `load_word_vectors` or `learn_word_vectors`: what the words' vectors start from, in
        their size. They are trained like the rest.
    naive_bayes : bool
        For texts of two classes: the sum of the words' naive Bayes ratios joins the margin. The
        ratios are the first number of each word's vector: the LSTM reads them too, and training
        changes them.
    mixed_precision : bool
        Compute the LSTM in float16; worth it on a GPU only.
    seed : int
        Seed of initial weights and dropout.

    Returns
    -------
    keras.Model
        Not compiled; layers are named "lstm_1", ..., "attention", "head", "output".

    Raises
    ------
    ValueError
        The data has no target, or a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> data = SequenceData.from_arrays(np.zeros((4, 5, 2)), [0.1, 0.2, 0.3, 0.4])
    >>> build_model(data, units=(3,)).output_shape
    (None, 1)
    """
    _check(data, units, dropout, linear_features)
    _check_summaries(data, summaries, summaries_times)
    _check_naive_bayes(data, naive_bayes)
    policy = keras.DTypePolicy("mixed_float16" if mixed_precision else "float32")
    num_steps = data.values.shape[1]
    if data.tokens is None and word_vectors is not None:
        raise ValueError("Expected texts for word_vectors; received numbers. Leave them out.")
    if data.tokens is not None:  # texts to come may have another length
        num_steps = None
        ratios = word_ratios(training_part(data)) if naive_bayes else None
        values, states = embedded(data, embedding_size, word_dropout, seed, ratios, word_vectors)
        vectors = states
    else:
        values = states = keras.Input((num_steps, len(data.feature_names)), name="values")
    inputs = [values]
    mask = None
    if not data.mask.all():
        mask = keras.Input((num_steps,), dtype="bool", name="mask")
        inputs.append(mask)
    for position, size in enumerate(units, start=1):
        states = _recurrent_layer(size, position, bidirectional, dropout, l2, policy, seed)(
            states, mask=mask
        )
    context = AttentionPooling(attention_units, seed=seed, dtype="float32", name="attention")(
        states, mask=mask
    )
    context = keras.layers.Dropout(dropout, seed=seed, name="context_dropout")(context)
    static = None
    if data.static is not None:
        static = keras.Input((data.static.shape[1],), name="static")
        inputs.append(static)
        context = keras.layers.Concatenate(name="context_and_static")([context, static])
    num_outputs = len(data.class_names) if data.task == "multiclass" else 1
    starts_linear = linear_features or summaries or naive_bayes
    kernel_initializer = keras.initializers.GlorotUniform(seed=seed)
    margin = keras.layers.Dense(
        num_outputs,
        kernel_initializer="zeros" if starts_linear else kernel_initializer,
        kernel_regularizer=keras.regularizers.L2(l2),
        name="head",
    )(context)
    linear = None
    if linear_features:
        linear = trailing_means_path(data, linear_features, linear_spans, values, mask)
    elif summaries:
        linear = summaries_path(data, summaries_times, values, mask, static)
    elif naive_bayes:
        linear = word_ratios_path(data, vectors, mask, word_dropout)
    if linear is not None:
        margin = keras.layers.Add(name="margin")([margin, linear])
    return keras.Model(inputs, _output_layer(data)(margin), name="lstm_with_attention")


def load_model(path: str | Path) -> keras.Model:
    """Load a ``.keras`` file, with this package's layers known to Keras.

    Raises
    ------
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> model = load_model("run/model.keras")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"Expected a saved Keras model; found no file {str(path)!r}. Save one with "
            'model.save("model.keras") or run.save("run").'
        )
    return keras.saving.load_model(path)


def _recurrent_layer(
    size: int,
    position: int,
    bidirectional: bool,
    dropout: float,
    l2: float,
    policy: keras.DTypePolicy,
    seed: int,
) -> keras.layers.Layer:
    layer_seed = 1000 * seed + position
    layer = keras.layers.LSTM(
        size,
        return_sequences=True,
        dropout=dropout,
        kernel_initializer=keras.initializers.GlorotUniform(seed=layer_seed),
        recurrent_initializer=keras.initializers.Orthogonal(seed=layer_seed),
        kernel_regularizer=keras.regularizers.L2(l2),
        recurrent_regularizer=keras.regularizers.L2(l2),
        seed=layer_seed,
        dtype=policy,
        name=f"lstm_{position}",
    )
    if not bidirectional:
        return layer
    return keras.layers.Bidirectional(layer, dtype=policy, name=f"bidirectional_{position}")


def _output_layer(data: SequenceData) -> keras.layers.Layer:
    if data.task == "binary":
        return keras.layers.Activation("sigmoid", name="output")
    if data.task == "multiclass":
        return keras.layers.Activation("softmax", name="output")
    target: Any = training_part(data).target
    # The network works in units of the target's spread; the output is in the target's own.
    deviation = float(np.std(target)) or 1.0
    return keras.layers.Rescaling(deviation, offset=float(np.mean(target)), name="output")


def _check(
    data: SequenceData, units: Sequence[int], dropout: float, linear_features: Sequence[str]
) -> None:
    unknown = [name for name in linear_features if name not in data.feature_names]
    if unknown or (linear_features and data.task != "regression"):
        raise ValueError(
            f"Expected linear_features among {list(data.feature_names)} and a regression target; "
            f"received {list(linear_features)} and a {data.task} target. Leave linear_features out "
            "for classes."
        )
    if data.target is None:
        raise ValueError(
            "Expected data with a target to shape the output; received none. Give target=... when "
            "making the data."
        )
    if len(units) == 0 or min(units) < 1:
        raise ValueError(
            f"Expected at least one LSTM layer with at least 1 unit; received units={units}. "
            "Try units=(32,)."
        )
    if not 0 <= dropout < 1:
        raise ValueError(f"Expected dropout from 0 to below 1; received {dropout}. Try 0.1.")


def _check_summaries(data: SequenceData, summaries: bool, summaries_times: str | None) -> None:
    if summaries and (data.task != "binary" or not data.variables):
        raise ValueError(
            f"Expected two classes and data with indicators for summaries=True; received a "
            f"{data.task} target and {'' if data.variables else 'no '}indicators. Call "
            "data.fill_missing(indicators=True) first, or leave summaries out."
        )
    if summaries_times is not None and (not summaries or summaries_times not in data.static_names):
        raise ValueError(
            f"Expected summaries_times among the static facts {list(data.static_names)}, with "
            f"summaries=True; received {summaries_times!r} and summaries={summaries}."
        )


def _check_naive_bayes(data: SequenceData, naive_bayes: bool) -> None:
    if naive_bayes and (data.task != "binary" or UNKNOWN not in data.vocabulary):
        received = "measurements" if data.tokens is None else f"texts and a {data.task} target"
        raise ValueError(
            f"Expected texts with a vocabulary and two classes for naive_bayes=True; received "
            f"{received}. Make them with SequenceData.from_texts, or leave naive_bayes out."
        )


def embedded(
    data: SequenceData,
    size: int,
    word_dropout: float,
    seed: int,
    ratios: np.ndarray | None = None,
    word_vectors: WordVectors | None = None,
) -> tuple[Any, Any]:
    """Return an input for token ids of any length, and their vectors (sample, time, size).

    The vectors start from small random numbers, or from `word_vectors` in their size. With `ratios`
    (word,), those are the first number of each vector, in front of a word's pretrained ones.
    """
    if word_vectors is not None:
        _check_vectors(word_vectors, data)
        size = word_vectors.values.shape[1] + (ratios is not None)
    if size < 1:
        raise ValueError(f"Expected an embedding_size of at least 1; received {size}. Try 64.")
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    ids = tokens
    if UNKNOWN in data.vocabulary:
        ids = WordDropout(
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
    vectors = embedding(ids)
    # Not as an initializer, which a saved model would spell out.
    start = embedding.get_weights()[0]
    if word_vectors is not None:
        start[:, size - word_vectors.values.shape[1] :] = word_vectors.values
    if ratios is not None:
        start[:, 0] = ratios
    embedding.set_weights([start])
    return tokens, vectors


def _check_vectors(word_vectors: Any, data: SequenceData) -> None:
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
