"""From token ids to vectors, with words that are left out in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import keras, ops
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN, vocabulary_digest
from .word_vectors import WordVectors


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
            "them with lx.load_word_vectors(path, data.vocabulary) or lx.learn_word_vectors(data)."
        )
    if word_vectors.vocabulary != data.vocabulary:
        raise ValueError(
            f"Expected word vectors in the order of this data's vocabulary of "
            f"{len(data.vocabulary)} words; received those of another one, {word_vectors!r}. Make "
            "them with lx.load_word_vectors(path, data.vocabulary) or lx.learn_word_vectors(data)."
        )
