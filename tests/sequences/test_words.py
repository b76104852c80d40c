"""The tokeniser's rule, what a vocabulary holds, and that a file of words belongs to its model."""

from __future__ import annotations

import json
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstm_explain.sequences import (
    load_vocabulary,
    make_vocabulary,
    save_vocabulary,
    tokenise,
    words,
)

# Every second draw is from what the rule speaks of; plain st.text() seldom meets it.
PIECES = st.sampled_from(
    [
        *[
            "n't",
            "N'T",
            "'s",
            "'",
            "\u2019",
            "can't",
            "o'clock",
            "-",
            "7.5",
            "10/10",
            ".",
            "....",
            "_",
        ],
        *[
            "é",
            "e\u0301",
            "\u0301",
            "İ",
            "ΑΣ",
            "👍🏽",
            "👩\u200d💻",
            "\u200d",
            "\u202e",
            "\ufe0f",
            "🇩🇪",
        ],
        *["x" * 60, " ", "\n", "\x00", "\ud800", "\u00a0", "[PAD]", "<b>", "&amp;", "हिन्दी"],
    ]
)
TEXTS = st.text() | st.lists(PIECES | st.text(max_size=2), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It isn't BAD.", ["it", "is", "n't", "bad", "."]),
        ("can't won\u2019t don`t", ["ca", "n't", "wo", "n't", "do", "n't"]),
        ("couldn't've", ["could", "n't", "'ve"]),
        # As texts that were cut before write it, so that both read alike.
        ("does n't , it 's", ["does", "n't", ",", "it", "'s"]),
        ("the film's 80's o'clock", ["the", "film", "'s", "80", "'s", "o'clock"]),
        ("'so good'", ["'", "so", "good", "'"]),
        ("a heavy-handed plot", ["a", "heavy", "-", "handed", "plot"]),
        ("7.5/10 at 7:30pm, 1,000.", ["7.5/10", "at", "7:30pm", ",", "1,000", "."]),
        ("wait..... what?!!", ["wait", "...", "what", "?", "!!"]),
        ("_very_ bad", ["_", "very", "_", "bad"]),
        ("cafe\u0301 = café", ["café", "=", "café"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("👍🏽👍🏽 🇩🇪🇫🇷 👩\u200d💻", ["👍🏽", "👍🏽", "🇩🇪", "🇫🇷", "👩\u200d💻"]),
        ("❤\ufe0f ❤", ["❤", "❤"]),
        ("<b>&amp;", ["<", "b", ">", "&", "amp", ";"]),
        ("[PAD] [UNK]", ["[", "pad", "]", "[", "unk", "]"]),
        # What hides a word from the reader is taken out, and what is no text separates.
        ("b\u200bad b\u00adad \u202ebad\u202c b\u200dad", ["bad"] * 4),
        ("one\x00two\x96three\ud800four\uf0b7", ["one", "two", "three", "four"]),
        ("a\r\nb\u2028c\u00a0d", ["a", "b", "c", "d"]),
        ("", []),
        (" \u200b\u200d\u0301\n", []),
    ],
)
def test_the_rule(text: str, expected: list[str]) -> None:
    assert tokenise(text) == expected


def test_capital_letters_on_demand() -> None:
    assert tokenise("DON'T Stop", lower=False) == ["DO", "N'T", "Stop"]


@pytest.mark.parametrize("stuck", ["x", "x1'", "é", "7.", "👩\u200d💻\u200d"])
def test_what_has_no_end_is_shortened_and_unknown(stuck: str) -> None:
    text = stuck * (10_000 // len(stuck))
    first = tokenise(text)[0]
    assert len(first) == 40
    assert first == (text + " ")[:39] + "…"
    assert make_vocabulary([[first] * 5]) == words.SPECIAL_WORDS


def test_a_wall_of_one_mark_is_one_word() -> None:
    assert tokenise("!" * 10_000) == ["!!!"]


@given(TEXTS, st.booleans())
@example("a\u0345", True)
@example("ß\u1e9e", True)
def test_words_can_be_shown_and_looked_up(text: str, lower: bool) -> None:
    """No word is empty, too long, unseen or a placeholder, and cutting again changes nothing."""
    cut = tokenise(text, lower=lower)
    for word in cut:
        assert 1 <= len(word) <= words.MAX_LENGTH
        assert not any(character.isspace() for character in word)
        categories = {unicodedata.category(c) for c in word if c != words.JOINER}
        assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn"}
        assert word.encode()
        assert word not in words.SPECIAL_WORDS
    whole = [word for word in cut if words.may_be_known(word)]
    assert tokenise(" ".join(whole), lower=lower) == whole


@given(TEXTS)
def test_no_letter_or_digit_is_lost(text: str) -> None:
    """Read one character at a time: what is left are the letters, in their order."""
    kept = "".join(tokenise(text, lower=False))
    if "…" not in kept:
        whole = unicodedata.normalize("NFC", "".join(filter(visible, text)))
        assert [c for c in kept if c.isalnum()] == [c for c in whole if c.isalnum()]


def visible(character: str) -> bool:
    return unicodedata.category(character) != "Cf"


@given(TEXTS)
def test_plain_text_is_read_as_any_other(text: str) -> None:
    """The faster patterns, for text without accents apart from their letter, find the same."""
    assert [*tokenise(text), "x\u0331"] == tokenise(text + " x\u0331")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"good", r'Expected text; received bytes\. Decode it .*\.decode\("cp1252"\)'),
        (bytearray(b"good"), "received bytearray. Decode"),
        (float("nan"), r"received float \(nan\)\. Drop missing texts"),
        (None, r"received NoneType \(None\)\."),
    ],
)
def test_no_text(text: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tokenise(text)  # type: ignore[arg-type]


# -- the vocabulary --------------------------------------------------------------------------------
def test_frequent_words_in_order_and_no_more_than_asked() -> None:
    texts = ["b a a", ["b", "c", "C", "c"], "d"]
    assert make_vocabulary(texts) == ("[PAD]", "[UNK]", "a", "b", "c")
    assert make_vocabulary(texts, size=4) == ("[PAD]", "[UNK]", "a", "b")
    assert make_vocabulary(texts, at_least=1)[5:] == ("C", "d")
    assert make_vocabulary([["[UNK]", "[PAD]"] * 2]) == words.SPECIAL_WORDS


@given(st.lists(TEXTS, max_size=5), st.integers(3, 30), st.integers(1, 3))
def test_ids_lead_back_to_the_words(texts: list[str], size: int, at_least: int) -> None:
    vocabulary = make_vocabulary(texts, size, at_least)
    assert len(vocabulary) == len(set(vocabulary)) <= size
    counts = {word: 0 for text in texts for word in tokenise(text)}
    for word in (word for text in texts for word in tokenise(text)):
        counts[word] += 1
    known = vocabulary[2:]
    assert all(counts[word] >= at_least for word in known)
    left_out = [n for word, n in counts.items() if word not in known and words.may_be_known(word)]
    if len(vocabulary) < size:
        assert max(left_out, default=0) < at_least
    elif known:
        assert max(left_out, default=0) <= counts[known[-1]]


def test_bad_requests() -> None:
    with pytest.raises(ValueError, match=r"at least 3; received 2\..*two words; a usual choice"):
        make_vocabulary(["a"], size=2)
    with pytest.raises(TypeError, match=r"several texts; received one, 'good film'\. Give a list"):
        make_vocabulary("good film")


# -- its file --------------------------------------------------------------------------------------
@given(st.lists(TEXTS, max_size=4))
def test_a_saved_vocabulary_comes_back(texts: list[str]) -> None:
    vocabulary = make_vocabulary(texts, at_least=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.json"
        save_vocabulary(vocabulary, path)
        assert load_vocabulary(path) == vocabulary
        assert load_vocabulary(path, len(vocabulary)) == vocabulary


def file_of(content: object) -> str:
    return json.dumps({"format": words.FORMAT, "words": content})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"in JSON; .*words\.json cannot be read: .*\. Write it again with save_vocabulary"),
        (file_of(["[PAD]", "[UNK]", "a"])[:-4], "cannot be read"),
        (b"\xff\xfe", "cannot be read: .*utf-8"),
        ("[" * 100_000, "cannot be read"),
        ('["[PAD]", "[UNK]"]', r"format 'lstm_explain vocabulary 1'; received another in .*words"),
        ('{"format": "bpe"}', r"received another in .*\. Give the file that save_vocabulary wrote"),
        (file_of(None), r"in .*words\.json; received None, which is no list of words\. Make"),
        (file_of(["[PAD]", "[UNK]", 3]), "3\\], which is no list of words"),
        (file_of(["a", "b", "c"]), r"the first two \[PAD\] and \[UNK\], .*; received \['a', 'b'\]"),
        (file_of(["[PAD]", "[UNK]", "a", "b", "a"]), "received 'a' twice"),
    ],
)
def test_a_file_that_is_no_vocabulary(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "words.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        load_vocabulary(path)


def test_the_vocabulary_of_another_model(tmp_path: Path) -> None:
    save_vocabulary(["[PAD]", "[UNK]", "a"], tmp_path / "words.json")
    message = r"of 7 words, as many as the model knows; received 3 in .*words\.json\. Give the voc"
    with pytest.raises(ValueError, match=message):
        load_vocabulary(tmp_path / "words.json", num_words=7)
    with pytest.raises(FileNotFoundError):
        load_vocabulary(tmp_path / "other.json")
    with pytest.raises(ValueError, match="received 'words', which is no list"):
        save_vocabulary("words", tmp_path / "other.json")
    assert not (tmp_path / "other.json").exists()
