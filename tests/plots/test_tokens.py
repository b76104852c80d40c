"""Texts on paper: the right colour for each word, and nothing that matters is folded away."""

from __future__ import annotations

import re
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from plots.texts import NASTY, REVIEW, Reader, assert_harmless, explained

import lstm_explain as lx
from lstm_explain import SequenceData, plot_tokens, tokens_html
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.plots.style import SIGNED
from lstm_explain.plots.words import (
    BLANK,
    LOOKED,
    blocks_of,
    describe_word,
    passages,
    texts_of,
)
from lstm_explain.widgets.text_explorer import text_sentence
from lstm_explain.wording import MINUS, NO_BREAK, ink_on


def long_text(length: int = 400) -> Explanation:
    """Make a text whose words at 100 and 300 matter."""
    values = np.full((1, length), 0.001)
    values[0, [100, 300]] = [2.0, -1.0]
    return explained([f"w{i}" for i in range(length)], values=values, attention=False)


def panel(figure: Any, label: str) -> Axes:
    """Return the only panel with a label."""
    (found,) = [axes for axes in figure.axes if axes.get_label() == label]
    return found


def drawn_words(ax: Axes) -> list[tuple[str, str | None]]:
    """Return the words of a panel with the colour of their box, None where there is none."""
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    found = []
    for text in ax.texts:
        x, y = text.get_position()
        colours = [
            to_hex(box.get_facecolor())
            for box in boxes
            if box.get_x() <= x <= box.get_x() + box.get_width()
            and box.get_y() <= y <= box.get_y() + box.get_height()
        ]
        if text.get_fontsize() == 10:
            found.append((text.get_text(), colours[0] if colours else None))
    return found


# -- on paper --------------------------------------------------------------------------------------
def test_each_word_has_the_colour_of_its_value() -> None:
    e = explained(REVIEW, errors=True)
    ax = plot_tokens(e)
    values, weights = e.values.values[0], e.attention.values[0]
    limit = np.abs(values).max()
    expected = [to_hex(SIGNED(0.5 + 0.5 * v / limit)) for v in values]
    assert drawn_words(ax) == list(zip(REVIEW, expected, strict=True))
    below = panel(ax.figure, "attention")
    expected = [to_hex(LOOKED(w / weights.max())) for w in weights]
    assert drawn_words(below) == list(zip(REVIEW, expected, strict=True))


def test_title_says_how_the_prediction_adds_up() -> None:
    e = explained(REVIEW, values=np.full((1, len(REVIEW)), -0.1), errors=True)
    ax = plot_tokens(e)
    title = ax.get_title(loc="left").replace("\n", " ")
    total = f"{MINUS}1.40"
    assert title == (
        f"probability of positive 24.0{NO_BREAK}%: log-odds {MINUS}1.15 = base value 0.25 "
        f"+ SHAP values {total}"
    )
    notes = [text.get_text() for text in ax.texts]
    assert "films sample 0  ·  absent = the word '[UNK]'" in notes
    page = Reader(tokens_html(e))
    assert title in page.other
    assert page.titles[0].startswith(f"SHAP value {MINUS}0.10 ± 0.1")


def test_without_attention_there_is_one_block() -> None:
    e = explained(REVIEW, attention=False)
    assert len(plot_tokens(e).figure.axes) == 1
    reader = assert_harmless(tokens_html(e))
    assert reader.words == REVIEW
    assert not any("attention" in text for text in [*reader.titles, *reader.other])


def test_two_texts_share_their_colours() -> None:
    values = np.zeros((2, 3))
    values[0, 0], values[1, 0] = 4.0, 2.0
    e = explained(["good", "film", "."], ["fine", "."], values=values)
    figure = plot_tokens(e).figure
    labels = [axes.get_label() for axes in figure.axes]
    assert labels == ["values 1", "attention 1", "values 2", "attention 2"]
    assert drawn_words(panel(figure, "values 1"))[0] == ("good", to_hex(SIGNED(1.0)))
    assert drawn_words(panel(figure, "values 2"))[0] == ("fine", to_hex(SIGNED(0.75)))
    # Padding is no word.
    assert [word for word, _ in drawn_words(panel(figure, "values 2"))] == ["fine", "."]


def overlapping(ax: Axes) -> list[tuple[str, str]]:
    """Return pairs of drawn words whose letters overlap by more than a pixel."""
    boxes = [(t.get_text(), t.get_window_extent()) for t in ax.texts if t.get_fontsize() == 10]
    return [
        (one, other)
        for i, (one, a) in enumerate(boxes)
        for other, b in boxes[i + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 4
    ]


@pytest.mark.parametrize(
    "texts", [[REVIEW], [REVIEW * 8], [NASTY], [REVIEW, REVIEW * 7], [["one"]], [REVIEW * 40]]
)
def test_words_stay_in_the_figure_and_apart(texts: list[list[str]]) -> None:
    ax = plot_tokens(explained(*texts))
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    whole = figure.bbox
    lowest = np.inf
    for axes in figure.axes:
        assert overlapping(axes) == []
        extents = [text.get_window_extent() for text in axes.texts]
        for box in extents:
            assert whole.x0 - 1 <= box.x0 < box.x1 <= whole.x1 + 1
            assert whole.y0 - 1 <= box.y0 < box.y1 <= whole.y1 + 1
        # Each panel ends above the next one.
        assert max(box.y1 for box in extents) <= lowest + 3
        lowest = min(box.y0 for box in extents)


def test_words_fit_into_given_axes() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(8, 4))
    ax = plot_tokens(explained(REVIEW * 12), ax=axes[0])
    figure.canvas.draw()
    edge = axes[1].get_window_extent().x0
    assert axes[0] not in figure.axes
    assert any("words …]" in word for word, _ in drawn_words(ax))
    for block in (panel(figure, "values"), panel(figure, "attention")):
        assert overlapping(block) == []
        assert all(text.get_window_extent().x1 < edge for text in block.texts)


def test_strange_words_are_drawn_without_a_warning_or_a_formula(tmp_path: Any) -> None:
    """Warnings are errors here: of a missing letter, matplotlib warns."""
    ax = plot_tokens(explained(NASTY))
    for kind in ("png", "pdf", "svg"):
        ax.figure.savefig(tmp_path / f"figure.{kind}")  # type: ignore[union-attr]
    shown = [word for word, _ in drawn_words(ax)]
    assert len(shown) == len(NASTY)
    assert "$a_b$" in shown
    assert shown.count(BLANK) >= 3
    assert max(map(len, shown)) <= 30
    assert not any(text.get_parse_math() for text in ax.texts if text.get_text() in shown)


def test_words_are_readable_on_their_colour() -> None:
    def luminance(colour: str) -> float:
        channels = np.array(mpl.colors.to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for scale in (SIGNED, LOOKED):
        for colour in map(to_hex, scale(np.linspace(0, 1, 101))):
            low, high = sorted([luminance(colour), luminance(ink_on(colour))])
            assert (high + 0.05) / (low + 0.05) >= 4.5, colour


# -- folding ---------------------------------------------------------------------------------------
def test_long_texts_are_folded_to_what_matters() -> None:
    e = long_text()
    words = [word for word, _ in drawn_words(plot_tokens(e))]
    reader = assert_harmless(tokens_html(e))
    assert {f"w{i}" for i in range(96, 105)} | {f"w{i}" for i in range(296, 305)} <= set(words)
    assert reader.words == [word for word in words if word.startswith("w")]
    folds = [int(re.findall(r"\d+", word)[0]) for word in words if "words …]" in word]
    assert len(reader.words) + sum(folds) == 400
    assert len(reader.words) <= 80 + 3 * 4
    marks = [text for text in reader.other if "words …]" in text]
    assert marks == [word for word in words if "words …]" in word]
    together = [title for title in reader.titles if title.endswith("together")]
    assert len(together) == len(folds)


def test_what_is_folded_is_said() -> None:
    e = long_text()
    shown = [int(word[1:]) for word in Reader(tokens_html(e)).words]
    rest = e.values.values[0].sum() - e.values.values[0, shown].sum()
    notes = next(t for t in Reader(tokens_html(e)).other if "folded" in t)
    assert notes.endswith(f"SHAP values of folded words +{rest:.2f}")


def test_short_texts_are_not_folded() -> None:
    assert len(Reader(tokens_html(explained(["w"] * 120, attention=False))).words) == 120
    assert len(Reader(tokens_html(explained(["w"] * 121, attention=False))).words) < 100


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=300),
    st.integers(9, 120),
)
def test_passages_hold_the_weightiest_word(weight: list[float], budget: int) -> None:
    shown = passages(np.array(weight), budget)
    assert shown.shape == (len(weight),)
    assert shown[int(np.argmax(weight))]
    folds = [len(run) for run in "".join("s" if s else "-" for s in shown).split("s") if run]
    assert all(length >= 5 for length in folds)


# -- of a model ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def of_model() -> Explanation:
    """Explain two short texts of a small model without attention."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(8, 3, mask_zero=True),
            keras.layers.LSTM(4),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    vocabulary = ["[PAD]", "[UNK]", "not", "good", "bad", "<b>", "film", "."]
    data = SequenceData.from_tokens([[6, 2, 3, 7], [4, 5]], [0, 1], vocabulary=vocabulary)
    return lx.explain(model, data, background=1, progress=False)


def test_of_a_model(of_model: Explanation) -> None:
    first = drawn_words(panel(plot_tokens(of_model).figure, "values 1"))
    assert [word for word, _ in first] == ["film", "not", "good", "."]
    reader = assert_harmless(tokens_html(of_model))
    assert reader.words == ["film", "not", "good", ".", "bad", "<b>"]


def test_saved_and_loaded_it_looks_the_same(of_model: Explanation, tmp_path: Any) -> None:
    loaded = Explanation.load(of_model.save(tmp_path / "e.nc"))
    assert tokens_html(loaded) == tokens_html(of_model)


# -- refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("show", [plot_tokens, tokens_html])
def test_what_is_no_text_is_refused(show: Any) -> None:
    name = show.__name__
    with pytest.raises(TypeError, match=rf"Expected an Explanation in {name}; received str\. Make"):
        show("a text")
    e = explained(REVIEW)
    with pytest.raises(ValueError, match=rf"Expected at least one sample in {name}.*slice"):
        show(e[:0])
    with pytest.raises(ValueError, match=rf"Expected values per time in {name}.*Give an expl"):
        show(e.over_windows(3))
    numbers = e.to_dataset()
    numbers["data"] = ("sample", "time"), np.ones(e.values.shape)
    with pytest.raises(ValueError, match=rf"text in {name}; received one of meas.*plot_heatmap"):
        show(Explanation(numbers))


def test_too_many_texts_are_refused() -> None:
    e = explained(*[REVIEW] * 21)
    with pytest.raises(ValueError, match=r"at most 2 texts in plot_tokens; received 21\. Take"):
        plot_tokens(e)
    with pytest.raises(ValueError, match=r"at most 20 texts.*tokens_html\(e\[:20\]\)"):
        tokens_html(e)


def test_small_values_and_thin_attention_are_written() -> None:
    """Of a target in small units, and of a text so long that no word has a thousandth."""
    values = np.full((1, 4000), 1e-11)
    values[0, :2] = [2.5e-8, -1e-8]
    e = explained([f"w{i}" for i in range(4000)], values=values)
    (text,) = texts_of(e)
    assert describe_word(text, 1).startswith(f"SHAP value {MINUS}1.0e{MINUS}8, attention 0.0")
    share = describe_word(text, 1).removesuffix(f"{NO_BREAK}%").rpartition(" ")[2]
    assert float(share) == pytest.approx(100 * e.attention.values[0, 1], abs=0.0051)
    assert text.most < 0.001
    assert [block.ends for block in blocks_of(text)] == [
        (f"{MINUS}2.5e{MINUS}8", f"+2.5e{MINUS}8"),
        ("0", f"0.05{NO_BREAK}%"),
    ]
    assert f"“w0” +2.5e{MINUS}8, “w1” {MINUS}1.0e{MINUS}8" in text_sentence(e)
