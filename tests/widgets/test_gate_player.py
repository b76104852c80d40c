"""The gate player: what is typed equals the same text made afresh, beside the trace itself."""

import types
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from marks import slow_but

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.widgets.memory import Reader, describe
from lstm_explain.widgets.pictures import MemoryPicture
from lstm_explain.wording import MINUS

pytestmark = pytest.mark.slow

L = keras.layers


def drawn(model):
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(scale=0.7, size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def letters():
    """A model that reads letters, in both directions, with two layers."""
    texts = [list("abcab"), list("bca"), list("cc")]
    data = SequenceData.from_texts(texts, ["yes", "no", "yes"], at_least=1)
    tokens = keras.Input((None,), dtype="int32")
    vectors = L.Embedding(len(data.vocabulary), 3, mask_zero=True)(tokens)
    states = L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")(vectors)
    outputs = L.Dense(1, activation="sigmoid")(L.GRU(3, name="last")(states))
    return drawn(keras.Model(tokens, outputs)), data


@pytest.fixture
def player(letters):
    model, data = letters
    found = lx.play_gates(model, data, "abc", layer="last", cut=list, max_words=6)
    yield found
    found.close()


@pytest.mark.parametrize("layer", slow_but(["both, forward", "both, backward", "last"], "last"))
def test_what_is_read_is_the_trace(letters, layer):
    """Without the padding that keeps the shapes the same while somebody types."""
    model, data = letters
    memory = Reader(model, data, layer, list, 9).read("bcab")
    text = SequenceData.from_texts([list("bcab"), list("ab")], vocabulary=data.vocabulary)
    trace = lx.trace_gates(model, text, layer=layer.split(",")[0]).isel(sample=0)
    if "," in layer:
        trace = trace.isel(unit=(trace.direction == layer.split(", ")[1]).values)
    kept = "hidden" if layer == "last" else "cell"
    for name, part in (("written",) * 2, ("forgotten",) * 2, ("remembered", kept)):
        np.testing.assert_allclose(getattr(memory, name), trace[part].values.T, atol=1e-6)
    answers = lx.internals.answers_by_step(model, replace(text, class_names=data.class_names))
    np.testing.assert_allclose(memory.answers, answers[0], atol=1e-6)
    assert memory.answer_name == "yes"
    assert memory.kind == ("hidden state" if layer == "last" else "cell")


def test_the_sentence_says_what_the_numbers_are(letters):
    model, data = letters
    memory = Reader(model, data, "last", list, 9).read("abx")
    text = describe(memory)
    unit = int(np.abs(memory.written[:, 2]).argmax())
    assert (
        f"writes most in unit {unit} ({memory.written[unit, 2]:+.2f})".replace("-", MINUS) in text
    )
    assert f"yes with {100 * memory.answers[-1]:.1f}" in text
    assert text.endswith("Not in the model's vocabulary, read as [UNK]: x.")
    assert describe(memory.until(1)).startswith("After 1 word the model answers yes")
    assert "[UNK]" not in describe(memory.until(2))  # not read yet


def test_a_typed_text_equals_one_made_afresh(letters, player):
    model, data = letters
    for text in ("abcabc", "c", "ca", "caab"):
        player.text.value = text
        assert player.wait(60)
    fresh = lx.play_gates(model, data, "caab", layer="last", cut=list, max_words=6)
    assert player.words.value == fresh.words.value
    np.testing.assert_array_equal(player.memory.remembered, fresh.memory.remembered)
    assert (player.word.max, player.word.value) == (4, 4)
    fresh.close()


def test_the_slider_reads_word_by_word(letters, player):
    before = player.image.value
    player.word.value = 2
    assert player.wait(60)
    assert "After 2 words" in player.words.value
    assert player.image.value != before
    cells = np.ma.filled(player._picture._maps["written"].mesh.get_array(), np.nan)
    np.testing.assert_array_equal(cells[:, :2], player.memory.written[:, :2])
    assert np.isnan(cells[:, 2:]).all()
    player.word.value = 3
    assert player.wait(60)
    assert player.image.value == before


def test_errors_go_to_the_status_line_and_away_again(player):
    player.text.value = "  "
    assert player.wait(60)
    assert ">Type at least one word.<" in player.status.value
    assert "After 3 words" in player.words.value  # what was there stays
    player.text.value = "ab"
    assert player.wait(60)
    assert player.status.value == ""


def test_text_is_escaped(player):
    player.text.value = "a<b>$"
    assert player.wait(60)
    assert "&lt;" in player.words.value
    assert "<b>" not in player.words.value


def test_more_than_there_is_room_for_is_left_out(player):
    player.text.value = "abcabcabc"
    assert player.wait(60)
    assert player.memory.words == tuple("abcabc")


def test_the_static_picture_is_hidden_by_the_live_one(player, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.extend(args))
    player._ipython_display_()
    static, live = shown
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == player.widget.model_id
    [scope] = [name for name in player.widget._dom_classes if name.startswith("lstm-explain-")]
    assert f'class="{scope}-static"' in static["text/html"]
    assert "data:image/png;base64," in static["text/html"]
    hidden = [
        child.value
        for child in player.widget.children
        if "<style>" in str(getattr(child, "value", 0))
    ]
    assert len(hidden) == 1
    assert hidden[0].startswith(f"<style>.{scope}-static {{display: none}}")
    assert "After 3 words" in static["text/plain"]


def test_no_figure_is_opened(player):
    assert plt.get_fignums() == []


def test_units_and_words_have_names(letters):
    model, data = letters
    memory = Reader(model, data, "last", list, 9).read("abc")
    picture = MemoryPicture(memory, 9)
    shown = {ax.get_label(): ax for ax in picture.figure.axes}
    assert [text.get_text() for text in shown["remembered"].get_yticklabels()] == ["0", "1", "2"]
    words = [text.get_text() for text in shown["remembered"].texts]
    assert words == ["a", "b", "c"] + 6 * [""]
    assert "hidden state" in shown["remembered"].get_ylabel()
    assert picture.png() == MemoryPicture(memory, 9).png()


def test_a_model_of_values_and_words_of_any_length():
    data = SequenceData.from_texts(["a wonderful film", "awful"], [1.5, -0.5], at_least=1)
    model = drawn(lx.build_model(data, units=(20,), embedding_size=3, beside=None))
    player = lx.play_gates(model, data, "a wonderful , awful film")
    assert "words the model answers" in player.words.value
    assert "(target)" in player.words.value
    player.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_words": 1}, "max_words to be a whole number of at least 2; received 1"),
        ({"layer": "first"}, "layer to be one of .*'both, forward'"),
        ({"layer": None}, "one direction at a time"),
        ({"text": ""}, "Expected at least one word; received none"),
    ],
)
def test_errors_say_the_remedy(letters, change, message):
    model, data = letters
    options = {"text": "abc", "layer": "last", "cut": list, **change}
    with pytest.raises(ValueError, match=message):
        lx.play_gates(model, data, **options)


def test_models_that_read_padding_and_numbers_are_refused(letters, rng):
    _, data = letters
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            L.Embedding(len(data.vocabulary), 3),
            L.LSTM(2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    with pytest.raises(ValueError, match=r"reads it. Build it with Embedding\(mask_zero=True\)"):
        lx.play_gates(model, data, "abc", cut=list)
    numbers = SequenceData.from_arrays(rng.normal(size=(2, 3, 1)))
    with pytest.raises(ValueError, match="Of numbers, draw lx"):
        lx.play_gates(model, numbers, "abc")


def test_the_figures_of_a_running_cell_are_guarded(letters, monkeypatch):
    model, data = letters
    events = types.SimpleNamespace(callbacks={})
    shell = types.SimpleNamespace(events=events)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    lx.play_gates(model, data, "a", layer="last", cut=list, max_words=6, guard=False).close()
    assert not hasattr(events, "trigger")
    lx.play_gates(model, data, "a", layer="last", cut=list, max_words=6).close()
    assert hasattr(events, "trigger")
