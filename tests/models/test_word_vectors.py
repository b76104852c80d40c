"""Pretrained vectors: each word gets its own numbers, whatever else stands in the file."""

from __future__ import annotations

import gzip
import struct
from dataclasses import replace

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import ops
from lstm_explain.models import WordVectors
from lstm_explain.models.linear_paths import word_ratios

VOCABULARY = ("[PAD]", "[UNK]", "good", "bad", "n't", "never seen")
GLOVE = "the 1 2 3\ngood 0.5 -0.25 1e-3\nbad -1 0 2.5\n. . . 7 8 9\n"
GOOD, BAD = [0.5, -0.25, 1e-3], [-1, 0, 2.5]


def stored(folder, content, name="vectors.txt"):
    """Write a file of vectors."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def loaded(path, vocabulary=VOCABULARY, **options):
    return lx.models.load_word_vectors(path, vocabulary, **{"progress": False, **options})


# -- reading ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content",
    [
        GLOVE,
        "4 3\n" + GLOVE,
        GLOVE.replace("\n", "\r\n"),
        GLOVE.replace("\n", " \n"),  # as word2vec itself writes
        GLOVE.rstrip("\n"),
        GLOVE + "\n\n",
        GLOVE.encode() + b"\xff\xfe\x85 1 2 3\n",  # no valid text
        GLOVE + "good 9 9 9\ngood bad 9 9 9\nat name@domain.com 9 9 9\n",
        GLOVE + "\u2028 4 5 6\n\u00a0 4 5 6\n 4 5 6\n",  # words that look like spaces
        gzip.compress(GLOVE.encode(), mtime=0),
        "\ufeff" + "good 0.5 -0.25 1e-3\nbad -1 0 2.5\n",  # as some editors begin a file
        "\ufeff4 3\n" + GLOVE,
    ],
)
def test_each_word_gets_the_numbers_of_its_line(tmp_path, content):
    vectors = loaded(stored(tmp_path, content))
    assert vectors.values.dtype == np.float32
    assert vectors.vocabulary == VOCABULARY
    np.testing.assert_array_equal(vectors.values[2:4], np.array([GOOD, BAD], np.float32))
    assert vectors.found.tolist() == [False, False, True, True, False, False]
    assert repr(vectors) == "WordVectors: 2 of 4 words found, 3 numbers each"


def test_words_of_several_parts_are_read_from_the_right(tmp_path):
    path = stored(tmp_path, GLOVE + "never seen 4 5 6\nnever 1 1 1\n1 2 3 4\n")
    vectors = loaded(path, (*VOCABULARY, ". . .", "1"))
    np.testing.assert_array_equal(vectors.values[5:], [[4, 5, 6], [7, 8, 9], [2, 3, 4]])


def test_special_words_get_zeros_and_others_small_numbers_from_the_seed(tmp_path):
    path = stored(tmp_path, GLOVE + "[UNK] 4 5 6\n[PAD] 4 5 6\n")
    one, same, other = (loaded(path, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.values[:2], 0)
    assert not one.found[:2].any()
    np.testing.assert_array_equal(one.values, same.values)
    assert (one.values[4:] != other.values[4:]).all()
    assert 0 < np.abs(one.values[4:]).max() <= 0.05
    assert (one.values[4] != one.values[5]).all()


def test_it_says_how_many_were_found(tmp_path, capsys):
    loaded(stored(tmp_path, GLOVE), progress=True)
    captured = capsys.readouterr()
    assert captured.out == "WordVectors: 2 of 4 words found, 3 numbers each\n"
    assert "reading vectors.txt" in captured.err


# A word of a vocabulary has no line breaks; a number is no word here, because it could be either.
WORDS = st.text(
    st.characters(exclude_characters=" \n\r", exclude_categories=["Cs", "Cc"]), min_size=1
).filter(lambda word: not word[0].isdigit() and word not in ("[PAD]", "[UNK]"))


@given(
    words=st.lists(WORDS, min_size=3, max_size=20, unique=True),
    size=st.integers(2, 5),
    header=st.booleans(),
    compressed=st.booleans(),
    seed=st.integers(0, 99),
)
def test_what_was_written_is_read(tmp_path_factory, words, size, header, compressed, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(len(words), size)).astype(np.float32)
    lines = [f"{len(words)} {size}"] * header
    lines += [
        " ".join([word, *map(repr, row.tolist())]) for word, row in zip(words, numbers, strict=True)
    ]
    content = ("\n".join(lines) + "\n").encode()
    path = stored(
        tmp_path_factory.mktemp("vectors"), gzip.compress(content) if compressed else content
    )
    order = rng.permutation(len(words))[: len(words) - 1]
    vectors = loaded(path, ["[PAD]", "[UNK]", *(words[i] for i in order)])
    np.testing.assert_array_equal(vectors.values[2:], numbers[order])
    assert vectors.found.sum() == len(order)


# -- in a model ------------------------------------------------------------------------------------
def texts(vocabulary=VOCABULARY):
    return SequenceData.from_tokens([[2, 3], [3, 4, 5], [2]], [0, 1, 1], vocabulary=vocabulary)


def vector_of(model, data, word):
    """Return what the model's own embedding makes of a word, looked up by its id."""
    row = [list(ids[mask]) for ids, mask in zip(data.words, data.mask, strict=True)]
    sample = next(i for i, own in enumerate(row) if word in own)
    embedded = ops.convert_to_numpy(model.get_layer("embedding")(data.tokens[sample : sample + 1]))
    return embedded[0, row[sample].index(word)]


def test_a_model_starts_from_the_vector_of_each_word(tmp_path):
    """Through the data's own ids; a vocabulary in another order gives other rows."""
    data = texts()
    path = stored(tmp_path, GLOVE)
    model = lx.build_model(
        data, units=(3,), word_vectors=loaded(path, data.vocabulary), beside=None
    )
    np.testing.assert_array_equal(vector_of(model, data, "good"), np.float32(GOOD))
    np.testing.assert_array_equal(vector_of(model, data, "bad"), np.float32(BAD))
    turned = (*VOCABULARY[:2], *VOCABULARY[:1:-1])
    other = texts(turned)
    model = lx.build_model(
        other, units=(3,), word_vectors=loaded(path, other.vocabulary), beside=None
    )
    np.testing.assert_array_equal(vector_of(model, other, "good"), np.float32(GOOD))
    shifted = replace(loaded(path), vocabulary=turned)  # what an error in the ids would give
    model = lx.build_model(other, units=(3,), word_vectors=shifted, beside=None)
    assert (vector_of(model, other, "good") != np.float32(GOOD)).any()


def test_naive_bayes_ratios_stand_in_front_of_the_vectors(tmp_path):
    data = replace(texts(), class_names=("down", "up"))
    vectors = loaded(stored(tmp_path, GLOVE))
    model = lx.build_model(data, units=(3,), word_vectors=vectors, beside=lx.models.WordRatios())
    start = model.get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(start[:, 1:], vectors.values)
    np.testing.assert_allclose(start[:, 0], word_ratios(data), rtol=1e-6)  # float32


def test_the_model_is_saved_with_its_vectors_and_trains_them(tmp_path):
    data = texts()
    model = lx.build_model(
        data, units=(3,), word_vectors=loaded(stored(tmp_path, GLOVE)), beside=None
    )
    model.save(tmp_path / "model.keras")
    again = lx.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(vector_of(again, data, "good"), np.float32(GOOD))
    assert any("embedding" in variable.path for variable in model.trainable_variables)


# -- refused ---------------------------------------------------------------------------------------
BINARY = b"2 3\ngood " + struct.pack("<3f", *GOOD) + b"\nbad " + struct.pack("<3f", *BAD)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BINARY, "received a binary one.*binary=False"),
        (b"PK\x03\x04 and so on", "received the archive .*Unpack it"),
        (b"", "a word and its numbers, .*received b'' in line 1. Give a file in GloVe"),
        ("good\t1\t2\n", r"separated by spaces, .*received b'good\\t1\\t2\\n' in line 1"),
        ("<html> <body>\n", "received b'<html> <body>"),
        ("5 0\n", "found none of them"),
        (
            GLOVE + "cut 1 2\n",
            "3 numbers in each line .* received 2 in line 5. The file is damaged",
        ),
        (GLOVE.replace("1e-3", "1e-3 4"), "3 numbers in each line .* received 4 in line 2"),
        ("9 3\n" + GLOVE, r"9 words, as the first line .* received 4. The file may have been cut"),
        (
            GLOVE.replace("1e-3", "O.1"),
            "finite numbers; received 'O.1' for the word 'good' in line 2",
        ),
        (GLOVE.replace("1e-3", "nan"), "received 'nan' for the word 'good' in line 2"),
        (GLOVE.replace("1e-3", "inf"), "received 'inf' for the word 'good' in line 2"),
        (GLOVE.replace("1e-3", "1e99"), "received '1e99' for the word 'good' in line 2"),
        ("le 1 2\nbon 3 4\n", r"such as \['good', 'bad'.*found none of them .*in lower case"),
        (
            gzip.compress(GLOVE.encode() * 99, mtime=0)[:-20],
            "a whole compressed file; .*Download it again",
        ),
    ],
)
def test_a_file_that_is_no_such_text_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        loaded(stored(tmp_path, content))


def test_a_line_number_counts_the_header(tmp_path):
    with pytest.raises(ValueError, match="in line 3"):
        loaded(stored(tmp_path, "4 3\n" + GLOVE.replace("1e-3", "nan")))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found none at .*none.txt.*Download one, such as"):
        loaded(tmp_path / "none.txt")


@pytest.mark.parametrize("vocabulary", [(), "good", ("good", "good")])
def test_no_vocabulary(tmp_path, vocabulary):
    with pytest.raises(ValueError, match=r"Expected a?\s?vocabulary .*Give data.vocabulary"):
        loaded(stored(tmp_path, GLOVE), vocabulary)


def test_vectors_of_other_words_are_refused(tmp_path):
    vectors = loaded(stored(tmp_path, GLOVE))
    with pytest.raises(
        ValueError, match=r"the order of this data's vocabulary of 6 words; .*Make th"
    ):
        lx.build_model(texts((*VOCABULARY[:-1], "other")), word_vectors=vectors, beside=None)
    with pytest.raises(
        TypeError, match=r"word_vectors as WordVectors; received ndarray.*learn_word"
    ):
        lx.build_model(texts(), word_vectors=vectors.values, beside=None)
    with pytest.raises(ValueError, match="texts for word_vectors; received numbers"):
        lx.build_model(tiny.padded(), word_vectors=vectors, beside=None)
    assert isinstance(vectors, WordVectors)


def test_a_vector_of_zeros_is_near_nothing(tmp_path):
    """It points nowhere."""
    path = stored(tmp_path, "good 0 0 0\nbad -1 0 2.5\nfilm -1 0 2\n")
    vectors = loaded(path, (*VOCABULARY[:4], "film"))
    assert vectors.nearest("bad") == ["film"]
    with pytest.raises(ValueError, match=r"a word that has a vector.*received 'good'"):
        vectors.nearest("good")
