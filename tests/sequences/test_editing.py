"""What if the sentence had been another one: rewritten, words switched off, two side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.sequences.words import written_words

TEXTS = ["A good, dull film", "film noir", "Not good"]
VOCABULARY = ("[PAD]", "[UNK]", "a", "good", "film", "not", ",")


def sentences(**options: Any) -> SequenceData:
    return SequenceData.from_texts(TEXTS, ["up", "down", "down"], vocabulary=VOCABULARY, **options)


def test_unknown_words_are_shown_as_written_in_brackets() -> None:
    data = sentences()
    assert data.own_words[0].tolist() == ["a", "good", ",", "[dull]", "film"]
    assert data.words[0].tolist() == ["a", "good", ",", "[UNK]", "film"]
    # They stay with their text when samples are chosen, and are cut with it.
    assert data[[1, 0]].own_words[0].tolist() == ["film", "[noir]", "", "", ""]
    assert sentences(max_words=1, truncate="start").own_words.ravel().tolist() == [
        *("film", "[noir]", "good")
    ]


def test_rewritten_texts_are_read_as_the_data_was() -> None:
    data = sentences(name="films", target_name="praise")
    new = data[0].rewrite(["Film, GOOD film", "superb"])
    known = {word: position for position, word in enumerate(VOCABULARY)}
    assert new.tokens[0].tolist() == [known[w] for w in ("film", ",", "good", "film")]
    assert new.own_words[1].tolist() == ["[superb]", "", "", ""]
    assert (new.name, new.target_name, new.class_names) == ("films", "praise", ("down", "up"))
    assert new.target is None
    assert new.split is None


def test_rewriting_keeps_capitals_where_the_vocabulary_has_them() -> None:
    data = SequenceData.from_texts(["Good good"], lower=False, at_least=1)
    assert data.rewrite(["good Good GOOD"]).own_words.tolist() == [["good", "Good", "[GOOD]"]]


def test_rewriting_keeps_static_facts() -> None:
    data = sentences(static=[[1.0], [2.0], [3.0]], static_names=["year"])
    assert data[1].rewrite(["good"]).static.tolist() == [[2.0]]
    with pytest.raises(ValueError, match=r"Expected 3 texts, .* received 1\. Take one sample"):
        data.rewrite(["good"])


def test_words_switched_off_are_read_as_unknown_and_shown_in_brackets() -> None:
    data = sentences()
    off = data[0].switch_off([1, -1])
    assert off.tokens.tolist() == [[2, 1, 6, 1, 1]]
    assert off.own_words.tolist() == [["a", "[good]", ",", "[dull]", "[film]"]]
    assert written_words(off).tolist() == [["a", "good", ",", "dull", "film"]]
    assert data.tokens[0].tolist() == [2, 3, 6, 1, 4]  # the data itself stays
    # In steps or at once is the same.
    twice = data[0].switch_off(1).switch_off([-1])
    np.testing.assert_array_equal(twice.tokens, off.tokens)
    assert twice.own_words.tolist() == off.own_words.tolist()
    np.testing.assert_array_equal(data.switch_off(slice(0, 2)).tokens[1], [1, 1, 0, 0, 0])


@given(st.lists(st.sampled_from(["good", "film", "x", "y", "Not"]), min_size=1), st.data())
def test_own_words_are_the_words_of_the_text(words: list[str], data: st.DataObject) -> None:
    one = sentences()[0].rewrite([" ".join(words)])
    steps = data.draw(st.lists(st.integers(0, len(words) - 1), min_size=1))
    off = one.switch_off(steps)
    assert written_words(off)[0].tolist() == [word.lower() for word in words]
    unread = set("xy")
    expected = [
        f"[{word.lower()}]" if at in steps or word in unread else word.lower()
        for at, word in enumerate(words)
    ]
    assert off.own_words[0].tolist() == expected


def test_two_texts_of_different_length_side_by_side() -> None:
    data, model = tiny.texts(), tiny.text_model()
    one = data[0].rewrite(["good film"])
    other = one.rewrite(["not good , a dull film"])
    e = lx.compare(model, one, other, progress=False)
    assert e.ids.values.tolist() == ["as recorded", "changed"]
    assert e.data.values[0].tolist()[:3] == ["good", "film", ""]
    for row, text in enumerate((one, other)):
        alone = lx.explain(model, text, output=str(e.output.values[0]), progress=False)
        length = int(text.lengths[0])
        # Padding beside a longer text adds nothing but the last bits of float32 sums.
        np.testing.assert_allclose(e.values.values[row, :length], alone.values.values[0], atol=2e-5)
        np.testing.assert_allclose(e.predictions[row], alone.predictions[0], atol=1e-5)
        assert not e.values.values[row, length:].any()


@pytest.mark.slow
def test_switching_off_every_word_leaves_the_base_value() -> None:
    data, model = tiny.texts(), tiny.text_model()
    text = data[0].rewrite(["not good film"])
    e = lx.compare(model, text, text.switch_off(slice(None)), progress=False)
    np.testing.assert_allclose(e.predictions[1], e.base_values[0], atol=1e-5)
    np.testing.assert_allclose(e.values[1], 0, atol=1e-6)


def test_what_cannot_be_compared_or_changed() -> None:
    data, model = tiny.texts(), tiny.text_model()
    with pytest.raises(ValueError, match=r"the same words twice\. Change it: text\.rewrite"):
        lx.compare(model, data[0], data[0])
    with pytest.raises(ValueError, match=r"one vocabulary; received others, of \d+ and 7 words"):
        lx.compare(model, data[0], sentences()[0])
    numbers = SequenceData.from_arrays(np.zeros((1, 2, 1)))
    for verb in (lambda: numbers.rewrite(["a"]), lambda: numbers.switch_off(0)):
        with pytest.raises(ValueError, match=r"received numeric sequences\. Make them with"):
            verb()
    with pytest.raises(ValueError, match=r"sample 1 has the steps 0 to 1; received 3"):
        sentences().switch_off(3)
    with pytest.raises(ValueError, match=r"token ids without a vocabulary"):
        replace(sentences(), vocabulary=(), unknown_words=None).switch_off(0)
    with pytest.raises(ValueError, match=r"Expected at least one word in every text"):
        sentences()[0].rewrite(["  "])
