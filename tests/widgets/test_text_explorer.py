"""The explorer of texts: a state reached by hand equals the same text explained afresh."""

import numpy as np
import pytest
import tiny
from disk import contents, full_disk
from marks import slow_but
from widgets.explored import value_of

import lstm_explain as lx
from lstm_explain.backend import keras
from lstm_explain.widgets.state import State, pinned, reset, undone
from lstm_explain.widgets.text_explorer import TextExploration, Wording, text_sentence, worded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def core():
    return TextExploration(tiny.text_model(), tiny.texts().test, None, None, "margin", 0.05, None)


@pytest.fixture
def explorer():
    found = lx.explore(tiny.text_model(), tiny.texts().test)
    yield found
    found.close()


WORDINGS = [
    Wording(),
    Wording("not a good film, the plot is wonderful"),
    Wording(None, (0, 2)),
    Wording("good bad film", (1, 9)),
]


@pytest.mark.parametrize(
    "wording", slow_but(WORDINGS, WORDINGS[0]), ids=["recorded", "typed", "off", "both"]
)
def test_numbers_are_those_of_explain_and_compare(core, wording):
    """The room for more words adds nothing; what is beyond the end is not switched off."""
    recorded = core.data[2]
    changed = recorded if wording.typed is None else recorded.rewrite([wording.typed])
    off = [at for at in wording.off if at < changed.lengths[0]]
    changed = changed.switch_off(off) if off else changed
    state = worded(State(2), wording)
    found = core.pair(state)
    name = str(found.output.values[0])
    if wording == Wording():
        fresh = lx.explain(core.model, recorded, output=name, progress=False)
    else:
        fresh = lx.compare(core.model, recorded, changed, output=name, progress=False)
        assert found.ids.values.tolist() == ["as recorded", "now"]
    count = int(fresh.mask.sum("time").max())
    for part in ("values", "attention", "data"):
        ours = getattr(found, part).values[:, :count]
        theirs = getattr(fresh, part).values[:, :count]
        if part == "data":
            assert ours.tolist() == theirs.tolist()
        else:
            np.testing.assert_allclose(ours, theirs, atol=2e-6)  # float32, other shapes
    np.testing.assert_allclose(found.predictions, fresh.predictions, atol=2e-6)
    chance = f"{100 / (1 + np.exp(-float(fresh.predictions[-1]))):.1f}"
    assert f"{chance}\N{NO-BREAK SPACE}%" in text_sentence(found)


def test_a_pinned_text_is_compared_with_the_present_one(core):
    state = pinned(worded(State(1), Wording("a good film")))
    assert len(core.pair(state)) == 1  # they are the same still
    state = worded(state, Wording("a bad film"))
    found = core.pair(state)
    assert found.ids.values.tolist() == ["pinned", "now"]
    both = core.data[1].rewrite(["a good film"]), core.data[1].rewrite(["a bad film"])
    fresh = lx.compare(core.model, *both, output=str(found.output.values[0]), progress=False)
    np.testing.assert_allclose(found.values[:, :3], fresh.values, atol=2e-6)  # float32


def test_typing_on_is_one_action_and_switching_is_another():
    state = State(0)
    for typed in ("g", "go", "good"):
        state = worded(state, Wording(typed), joined=typed != "g")
    state = worded(state, Wording("good", (0,)))
    assert state.edits == (Wording("good", (0,)),)
    assert undone(state).edits == (Wording("good"),)
    assert undone(undone(state)).edits == ()
    assert undone(reset(state)).edits == state.edits
    assert worded(state, Wording("good", (0,))) is state
    assert worded(State(0), Wording()).edits == ()


def test_words_that_decide_are_those_that_flip_the_sign_one_by_one(core):
    """Against predictions of each text without one word, for texts with and without such words."""
    found = []
    for sample in range(len(core.data)):
        text = core.data[sample]
        versions = [text, *(text.switch_off([at]) for at in range(int(text.lengths[0])))]
        up = [
            float(core.model.predict(one.inputs_for(core.model), verbose=0)[0, 0]) > 0.5
            for one in versions
        ]
        deciding = [
            str(word) for word, one in zip(text.own_words[0], up[1:], strict=False) if one != up[0]
        ]
        assert core.deciding_words(State(sample)) == deciding
        found.append(len(deciding))
    assert 0 in found
    assert max(found) > 0


def test_warnings_name_new_words_and_great_length(core):
    assert core.warnings(State(0)) == []
    [text] = core.warnings(worded(State(0), Wording("a superb, superb film")))
    assert text == "words that the model never learned: superb"
    longest = int(core.data.lengths.max())
    [text] = core.warnings(worded(State(0), Wording("good " * (longest + 1))))
    assert text == f"{longest + 1} words, where the longest known text has {longest}"


def test_what_is_typed_beyond_the_room_is_not_read(core):
    state = worded(State(0), Wording("good " * 99))
    assert core.edited(state).lengths[0] == core.room(0)
    assert len(core.words(worded(State(0), Wording("wow " * 99)))) == core.room(0)
    cut = f"Only the first {core.room(0)} of 2,400 words are read."
    assert core.warning(worded(State(0), Wording("good " * 2400))).startswith(cut)
    assert "are read" not in core.warning(worded(State(0), Wording("good " * core.room(0))))


def test_each_control_leads_to_the_state_that_it_names(explorer):
    own = explorer.controls
    assert own.typed.value == ", a,,,"
    own.words.children[1].value = False
    assert explorer.state.edits == (Wording(None, (1,)),)
    assert own.words.children[1].description == "[a]"
    own.words.children[1].value = True
    assert explorer.state.edits == ()
    own.typed.value = "a bad film"
    assert [button.description for button in own.words.children] == ["a", "bad", "film"]
    own.words.children[2].value = False
    own.words.children[0].value = False
    assert explorer.state.edits == (Wording("a bad film", (0, 2)),)
    own.undo.click()
    assert explorer.state.edits == (Wording("a bad film", (2,)),)
    own.pin.click()
    own.reset.click()
    assert explorer.state.pinned == (Wording("a bad film", (2,)),)
    assert own.typed.value == ", a,,,"
    own.unpin.click()
    own.sample.value = "3"
    assert explorer.state == State(3)
    own.flip.click()
    assert "changes the decision" in value_of(own.notes[own.flip])
    own.typed.value = "not a good film"
    assert explorer.wait(60)
    assert value_of(explorer.status) == ""
    fresh = lx.explain(
        explorer.core.model, explorer.data, output=str(explorer.explanation.output.values[0]),
        progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(explorer.explanation.values, fresh.values, atol=1e-6)


def test_a_refused_text_is_told_beside_the_box_and_put_back(explorer):
    explorer.controls.typed.value = "  "
    own = explorer.controls
    assert value_of(own.notes[own.typed]) == "Type at least one word."
    assert own.typed.value == explorer.core.recorded_text(0)
    assert explorer.state == State(0)
    own.typed.value = "good"
    assert explorer.wait(60)
    assert own.notes[own.typed].value == explorer.status.value == ""


def test_words_are_data_and_no_markup(explorer):
    explorer.controls.typed.value = "<script>alert(1)</script> good & bad"
    assert explorer.wait(60)
    for html in (explorer._canvas.value, explorer.words.value, explorer.warning.value):
        assert "<script" not in html
    assert "&lt;" in explorer._canvas.value


def test_the_static_picture_is_that_of_the_live_one(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **options: shown.append(thing))
    explorer._ipython_display_()
    static, live = shown
    pair = explorer.core.pair(State(0))
    limit = max(explorer.core.limit(0), float(np.abs(pair.values.values).max()))
    picture = lx.tokens_html(pair, limit=limit)
    assert picture in static["text/html"]
    assert explorer._canvas.value == picture
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id
    assert explorer.widget.children[-1].words == text_sentence(explorer.core.pair(State(0)))


def test_save_writes_picture_and_explanation(explorer, tmp_path):
    from matplotlib import pyplot
    from matplotlib.image import imread

    explorer.controls.typed.value = "not a good film"
    picture, file = explorer.save(tmp_path / "kept")
    assert picture.name == "text_0_changed.png"
    assert imread(picture).std() > 0.05
    saved = lx.Explanation.load(file)
    np.testing.assert_array_equal(saved.values, explorer.explanation.values)
    assert pyplot.get_fignums() == []


def test_a_full_disk_leaves_what_was_saved(explorer, tmp_path):
    explorer.save(tmp_path)
    before = contents(tmp_path)
    with full_disk(), pytest.raises(OSError, match="a whole file; received the error 'File too la"):
        explorer.save(tmp_path)
    assert contents(tmp_path) == before


def test_a_model_of_values_decides_nothing_and_padding_that_is_read_is_kept():
    data = lx.SequenceData.from_texts(["a good film", "a bad film indeed"], [1.5, -0.5], at_least=1)
    tokens = keras.Input((4,), dtype="int32")
    vectors = keras.layers.Embedding(len(data.vocabulary), 3)(tokens)
    model = keras.Model(tokens, keras.layers.Dense(1)(keras.layers.LSTM(2)(vectors)))
    with pytest.warns(lx.inspection.PaddingWarning):
        explorer = lx.explore(model, data)
    assert explorer.core.room(0) == 4
    assert "predicted" in value_of(explorer.live)
    explorer.controls.flip.click()
    own = explorer.controls
    assert "predicts a value and decides nothing" in value_of(own.notes[own.flip])
    explorer.close()


def test_colours_of_all_texts_are_comparable():
    """The strongest colours are at the same SHAP value in every text, or at the text's largest."""
    data = tiny.texts().test
    explorer = lx.explore(tiny.text_model(), data)
    limit = explorer.core.limit(0)
    for sample in (0, 3):
        explorer.go_to(sample)
        for colours in explorer.controls.colours.options:
            explorer.controls.colours.value = colours
            assert explorer.wait(60)
            pair = explorer.core.pair(explorer.state)
            largest = float(np.abs(pair.values.values).max())
            end = max(limit, largest) if colours == "of all samples" else largest
            assert explorer._canvas.value == str(lx.tokens_html(pair, limit=end))
    assert lx.tokens_html(pair, limit=10 * largest) != lx.tokens_html(pair)
    with pytest.raises(ValueError, match="Expected limit to be a finite number above 0"):
        lx.tokens_html(pair, limit=0)
    explorer.close()
