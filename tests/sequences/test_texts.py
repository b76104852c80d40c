"""Texts become token ids: what is learned from which part, what is cut, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain import SequenceData
from lstm_explain.sequences import make_vocabulary, tokenise

TEXTS = ["A good, good film.", "good film", "A bad joke. A bad joke."]
LABELS = ["train", "validation", "test"]
WORDS = ("[PAD]", "[UNK]", "good", "bad")


def test_words_ids_and_padding() -> None:
    data = SequenceData.from_texts(TEXTS, ["up", "up", "down"], vocabulary=WORDS, ids=[7, 8, 9])
    assert data.tokens is not None
    assert data.tokens.dtype == np.int32
    np.testing.assert_array_equal(
        data.tokens,
        [[1, 2, 1, 2, 1, 1, 0, 0], [2, 1, 0, 0, 0, 0, 0, 0], [1, 3, 1, 1, 1, 3, 1, 1]],
    )
    np.testing.assert_array_equal(data.lengths, [6, 2, 8])
    assert data[1].words.tolist() == [["good", "[UNK]", *[""] * 6]]
    assert data.vocabulary == WORDS
    assert data.class_names == ("down", "up")
    assert data.split is None
    assert repr(data) == "SequenceData 'text': 3 samples x 2-8 words, 2 classes, not split"


def test_vocabulary_is_learned_from_the_training_texts_only() -> None:
    assert SequenceData.from_texts(TEXTS, split=LABELS).vocabulary == ("[PAD]", "[UNK]", "good")
    everything = SequenceData.from_texts(TEXTS)
    assert set(everything.vocabulary[2:]) == {"good", "film", "bad", "joke", "a", "."}
    flags = SequenceData.from_texts(TEXTS, split=pd.Series([False, True, True]), at_least=1)
    assert set(flags.vocabulary[2:]) == {"good", "film", "a", "bad", "joke", "."}
    assert flags.split is not None
    assert flags.split.tolist() == ["test", "train", "train"]
    few = SequenceData.from_texts(TEXTS, vocabulary_size=3)
    assert few.vocabulary == ("[PAD]", "[UNK]", ".")  # as often as "a", and first by name


def test_parts_keep_the_vocabulary_and_new_texts_can_be_read_with_it() -> None:
    data = SequenceData.from_texts(TEXTS, split=pd.Series(LABELS, dtype=object))
    assert data.test.vocabulary == data.vocabulary
    # Nothing is learned, so nothing need be labelled for training.
    new = SequenceData.from_texts(["Good?"], vocabulary=data.vocabulary, split=["test"])
    assert new.words.tolist() == [["good", "[UNK]"]]


def test_either_end_is_cut() -> None:
    for truncate, words in (("end", ["a", "good"]), ("start", ["film", "."])):
        data = SequenceData.from_texts(TEXTS[:1], max_words=2, truncate=truncate, at_least=1)  # type: ignore[arg-type]
        assert data.words.tolist() == [words]
    assert SequenceData.from_texts(TEXTS, max_words=100).mask.shape == (3, 8)


def test_lists_of_words_are_taken_as_they_are() -> None:
    data = SequenceData.from_texts([["très", "Bon"], ("très", "isn't")], at_least=1)
    assert data.words.tolist() == [["très", "Bon"], ["très", "isn't"]]
    case = SequenceData.from_texts(["Good good"], lower=False, at_least=1)
    assert case.words.tolist() == [["Good", "good"]]


def test_only_unknown_words_or_marks_are_a_text() -> None:
    data = SequenceData.from_texts(["quux", "?!", "\u202egood"], vocabulary=WORDS)
    assert data.words.tolist() == [["[UNK]", ""], ["[UNK]", "[UNK]"], ["good", ""]]


def test_more_than_texts() -> None:
    data = SequenceData.from_texts(
        TEXTS, [0.5, 1, 2], static=[[3], [4], [5]], static_names=["year"], target_name="stars"
    )
    assert data.static_names == ("year",)
    assert data.task == "regression"


@given(st.lists(st.text(st.characters(codec="utf-8")).filter(tokenise), min_size=1, max_size=5))
def test_shown_words_are_those_of_the_reader(texts: list[str]) -> None:
    data = SequenceData.from_texts(texts)
    for row, mask, text in zip(data.words, data.mask, texts, strict=True):
        own = tokenise(text)
        assert row[mask].tolist() == [w if w in data.vocabulary else "[UNK]" for w in own]
    assert data.vocabulary == make_vocabulary(texts)


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (
            ["good", " \n", "\u200b"],
            {},
            r"at least one word in every text; received none in 2 of 3 texts, the first sample 1\.",
        ),
        (["good", ""], {"ids": ["a", "b"]}, r"the first sample 1 \(id b\)\. Drop texts that are"),
        ([["good"], []], {}, r"none in 1 of 2 texts"),
        ([], {}, r"at least one text; received none\. Check the filter"),
        (TEXTS, {"max_words": 0}, "max_words to be a whole number of at least 1; received 0"),
        (TEXTS, {"max_words": 2.5}, r"received 2\.5\. Leave it out"),
        (TEXTS, {"max_words": True}, "received True"),
        (TEXTS, {"truncate": "front"}, r"\['end', 'start'\]; received 'front'"),
        (TEXTS, {"split": ["train", "test"]}, r"each of 3 samples; received shape \(2,\)"),
        (
            TEXTS,
            {"split": ["train", "dev", "test"]},
            r"'validation', 'test'\] for .* with \['dev', ",
        ),
        (TEXTS, {"split": [1, 0, 0]}, r"with \['0', '1'\]\. Give one label per sample"),
        (TEXTS, {"split": [False] * 3}, r"to make a vocabulary from; received none, only \['test'"),
        (TEXTS, {"vocabulary": ["good", "bad"]}, r"received \['good', 'bad'\] in front"),
        (
            TEXTS,
            {"vocabulary": "words.json"},
            r"received 'words.json'\. Give data.vocabulary",
        ),
        (TEXTS, {"target": [1, 0]}, "target for 3 samples"),
        ([["good"], ["good", "[PAD]"]], {}, r"empty one or '\[PAD\]' in sample 1\. Leave them out"),
        ([["", "good"]], {"max_words": 1}, "an empty one or .* in sample 0"),
    ],
)
def test_refused(texts: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SequenceData.from_texts(texts, **options)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("good film", r"several texts; received str\. Give a list of them: for one text \[text\]"),
        (
            pd.DataFrame({"text": ["good"]}),
            r'received DataFrame.*of a table one column, table\["text"\]',
        ),
        ({"good film", "bad film"}, "received set"),
        (b"good film", "received bytes"),
        ({"good": 1}, "received dict"),
        (5, "received int"),
        (["good", b"bad"], r"text in sample 1; received bytes\. Decode"),
        (pd.Series(["good", np.nan]), r"in sample 1; received float \(nan\)\. Drop missing"),
        ([["good", 3]], r"in sample 0; received int \(3\)"),
    ],
)
def test_no_texts(texts: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        SequenceData.from_texts(texts)
