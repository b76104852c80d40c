"""Word vectors learned from the texts: the mutual information of neighbours, decomposed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import reference
import tiny
from scipy.sparse import csr_array

import lstm_explain as lx
from lstm_explain.models.learned_vectors import positive_information

TEXTS = [
    "the plot is dull and the cast is dull",
    "the film is slow and weak",
    "a dull film with a weak plot",
    "the cast is slow",
]


def made(texts=TEXTS, **options):
    return lx.SequenceData.from_texts(texts, at_least=1, **options)


def likeness(vectors):
    """Return what vectors say, whatever the signs and turns of a decomposition."""
    return vectors.values @ vectors.values.T


# -- against the papers ----------------------------------------------------------------------------
@pytest.mark.parametrize("window", [1, 2, 5])
def test_vectors_are_those_of_the_literal_decomposition(window):
    data = made()
    vectors = lx.models.learn_word_vectors(data, 4, window=window)
    texts = [row[real].tolist() for row, real in zip(data.tokens, data.mask, strict=True)]
    expected = reference.word_vectors(texts, len(data.vocabulary), 4, window)
    # float32 numbers of size 0.25, and a decomposition that is exact for so few words.
    np.testing.assert_allclose(likeness(vectors), expected @ expected.T, atol=1e-5)
    other = lx.models.learn_word_vectors(data, 4, window=window + 1)
    assert np.abs(likeness(other) - expected @ expected.T).max() > 0.01


def test_information_of_counts_by_hand():
    """Two words always together, three times as often as chance."""
    counts = csr_array([[0.0, 4.0, 0.0], [4.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    expected = [[0, np.log(3), 0], [np.log(3), 0, 0], [0, 0, np.log(3)]]
    # Of three words equally often, each neighbour has a chance of a third.
    np.testing.assert_allclose(positive_information(counts).toarray(), expected, atol=1e-12)


def test_information_is_never_negative():
    counts = csr_array([[1.0, 30.0], [30.0, 2.0]])
    assert positive_information(counts).toarray().min() == 0


# -- what must not matter --------------------------------------------------------------------------
def test_padding_adds_nothing():
    data = made()
    longer = made([*TEXTS, "the " * 30], vocabulary=data.vocabulary)[: len(TEXTS)]
    assert longer.mask.shape[1] > data.mask.shape[1]
    np.testing.assert_array_equal(
        likeness(lx.models.learn_word_vectors(longer, 4)),
        likeness(lx.models.learn_word_vectors(data, 4)),
    )


def test_only_the_training_part_is_read():
    """Other words in the test part change nothing; nor do labels."""
    split = ["train", "train", "train", "test"]
    one = made(split=split, target=[0, 1, 0, 1], class_names=("no", "yes"))
    other = made([*TEXTS[:3], "dull dull dull dull"], split=split)
    assert one.vocabulary == other.vocabulary
    alone = made(TEXTS[:3])
    expected = likeness(lx.models.learn_word_vectors(alone, 4))
    for data in (one, other):
        np.testing.assert_allclose(
            likeness(lx.models.learn_word_vectors(data, 4)), expected, atol=1e-6
        )


def test_words_without_neighbours_are_not_found():
    """A word of the vocabulary that no text holds, one that stands alone, and the special ones."""
    known = made().vocabulary
    data = made([*TEXTS, "alone"], vocabulary=[*known, "alone", "absent"])
    vectors = lx.models.learn_word_vectors(data, 4)
    missing = [known.index("[PAD]"), known.index("[UNK]"), len(known), len(known) + 1]
    assert np.flatnonzero(~vectors.found).tolist() == missing
    assert not vectors.values[missing[:2]].any()
    assert 0 < np.abs(vectors.values[missing[2:]]).max() <= 0.05
    # Unknown words in between part the words beside them, but count for nothing.
    apart = made([["good", "[UNK]", "film"]], vocabulary=("[PAD]", "[UNK]", "good", "film"))
    with pytest.raises(ValueError, match=r"stand within 1 words of each other; found none"):
        lx.models.learn_word_vectors(apart, 2, window=1)
    assert lx.models.learn_word_vectors(apart, 2, window=2).found.tolist() == [
        False,
        False,
        True,
        True,
    ]


def test_what_is_left_by_rounding_is_no_vector():
    """A rare pair of words stands in none of the components, which many others need."""
    rng = np.random.default_rng(0)
    topics = np.array([[f"word{topic}x{k}" for k in range(20)] for topic in range(10)])
    texts = [" ".join(rng.choice(topics[k % 10], 30)) for k in range(300)]
    vectors = lx.models.learn_word_vectors(made([*texts, "zig zag", "zig zag"]), 8)
    rare = [vectors.vocabulary.index(word) for word in ("zig", "zag")]
    assert not vectors.found[rare].any()
    assert 0 < np.abs(vectors.values[rare]).max() <= 0.05
    assert all(word.startswith("word3x") for word in vectors.nearest("word3x7", 5))


def test_the_same_seed_gives_the_same_vectors():
    data = lx.load_reviews("sample")
    one, again = (lx.models.learn_word_vectors(data, 8, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.values, again.values)
    size = np.sqrt((one.values[one.found] ** 2).mean(axis=1))
    np.testing.assert_allclose(size, 0.25, rtol=1e-5)  # float32


# -- what they are for -----------------------------------------------------------------------------
def test_words_of_one_role_are_near_each_other():
    """The simulated reviews put any noun of film-making into the same places."""
    vectors = lx.models.learn_word_vectors(lx.load_reviews("sample"), 16)
    assert set(vectors.nearest("plot", 3)) < {"camera", "script", "ending", "editing", "story"}
    assert "very" not in vectors.nearest("plot", 20)


def test_a_model_starts_from_them():
    data = made(target=[0, 0, 1, 1], class_names=("no", "yes"))
    vectors = lx.models.learn_word_vectors(data, 4)
    model = lx.build_model(data, units=(3,), word_vectors=vectors, beside=lx.models.WordRatios())
    start = model.get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(start[:, 1:], vectors.values)


# -- bad input -------------------------------------------------------------------------------------
def test_what_cannot_be_learned_is_refused():
    data = made()
    with pytest.raises(ValueError, match=r"texts with a vocabulary; received other data"):
        lx.models.learn_word_vectors(tiny.padded())
    with pytest.raises(ValueError, match=r"texts with a vocabulary"):
        lx.models.learn_word_vectors(replace(data, vocabulary=()))
    with pytest.raises(ValueError, match="window to be a whole number of at least 1; received 0"):
        lx.models.learn_word_vectors(data, 4, window=0)
    with pytest.raises(ValueError, match="size to be a whole number of at least 1; received 0"):
        lx.models.learn_word_vectors(data, 0)
    with pytest.raises(ValueError, match=r"vocabulary has words, 13; received size=64. Try size=3"):
        lx.models.learn_word_vectors(data)
    with pytest.raises(ValueError, match=r"a word that has a vector, such as .*; received 'great'"):
        lx.models.learn_word_vectors(data, 4).nearest("great")
    with pytest.raises(ValueError, match=r"received '\[UNK\]'"):
        lx.models.learn_word_vectors(data, 4).nearest("[UNK]")
