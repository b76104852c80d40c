"""Texts in notebooks: the same colours with numbers on hover, and no word is ever markup."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from plots.texts import NASTY, REVIEW, Reader, assert_harmless, explained

from lstm_explain import tokens_html
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.plots.style import SIGNED
from lstm_explain.plots.words import visible
from lstm_explain.wording import MINUS


def test_html_shows_both_rows_with_numbers_on_hover() -> None:
    e = explained(REVIEW)
    page = tokens_html(e)
    assert isinstance(page, str)
    assert page._repr_html_() == page
    reader = assert_harmless(page)
    assert reader.words == REVIEW * 2
    values, weights = e.values.values[0], e.attention.values[0]
    for title, value, weight in zip(reader.titles, values, weights, strict=False):
        value_text, weight_text = re.findall(rf"[{MINUS}\d.]+", title)
        assert float(value_text.replace(MINUS, "-")) == pytest.approx(value, abs=0.006)
        assert float(weight_text) == pytest.approx(100 * weight, abs=0.06)
    assert reader.titles[: len(REVIEW)] == reader.titles[len(REVIEW) :]


def test_html_has_the_colours_of_the_values() -> None:
    e = explained(REVIEW)
    styles = [str(a["style"]) for _, a in Reader(tokens_html(e)).elements if "title" in a]
    values = e.values.values[0]
    for style, value in zip(styles, values, strict=False):
        assert f"background:{to_hex(SIGNED(0.5 + 0.5 * value / np.abs(values).max()))};" in style


def test_strange_words_are_harmless() -> None:
    reader = assert_harmless(tokens_html(explained(NASTY)))
    assert reader.words == [visible(word) for word in NASTY] * 2
    assert "<script>alert(1)</script>" in reader.words
    assert "&lt;b&gt;" in reader.words
    assert "\u200fright" in reader.words
    assert max(map(len, reader.words)) == 200
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", "".join(reader.words))


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_no_text_is_markup(texts: list[str]) -> None:
    e = explained(texts)
    reader = assert_harmless(tokens_html(e))
    shown = [visible(str(word)) for word in e.data.values[0]]
    assert reader.words == shown * 2
    assert all(shown)


@given(st.text(alphabet="<>/&;\"'=! abscript-[]\x00\u202e", max_size=40))
def test_no_name_is_markup(name: str) -> None:
    dataset = (
        explained(REVIEW).to_dataset().assign(ids=("sample", [name]), target=("sample", [name]))
    )
    assert_harmless(tokens_html(Explanation(dataset.assign(output=("sample", [name])))))


def test_unescaped_markup_is_noticed() -> None:
    """Sabotage: the check above fails where a word is not escaped."""
    page = tokens_html(explained(["word"]))
    for word in ("<b>x</b>", "<script>", "<!-- x -->", "</bdi>"):
        with pytest.raises(AssertionError):
            assert_harmless(page.replace("word<", f"{word}<"))
