"""What all widgets share: errors reach the status line, nothing typed is lost, all is closed."""

import threading

import pytest
from ipywidgets import Widget

import lstm_explain as lx
from lstm_explain import SequenceData

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reader():
    """A model of texts, and what it reads."""
    data = SequenceData.from_texts(["a good film", "bad", "not good"], ["y", "n", "n"], at_least=1)
    return lx.build_model(data, units=(2,), seed=0, beside=None), data


@pytest.fixture
def player(reader):
    player = lx.play_gates(*reader, "not a film")
    yield player
    player.close()


def test_an_error_while_the_player_computes_stands_on_its_status_line(player, monkeypatch):
    def broken(shown):
        raise RuntimeError("no <memory> left")

    picture = player.image.value
    monkeypatch.setattr(player._picture, "update", broken)
    player.text.value = "bad film"
    assert player.wait(60)
    assert "This did not work. no &lt;memory&gt; left" in player.status.value
    assert player.image.value == picture
    monkeypatch.undo()
    player.word.value = 1
    assert player.wait(60)
    assert player.status.value == ""
    assert "“bad”" in player.words.value
    assert player.image.value != picture


def busy(player):
    """Let the worker wait until the event that is returned is set."""
    begun, go = threading.Event(), threading.Event()

    def work(_):
        begun.set()
        go.wait(60)

    player._worker.submit(work)
    assert begun.wait(60)
    return go


def test_a_text_is_read_though_the_slider_moves_before_the_worker_begins(player):
    """As it does while the words are played: newer work replaces what waits."""
    go = busy(player)
    player.text.value = "bad"
    player.word.value = 2
    go.set()
    assert player.wait(60)
    assert player.memory.words == ("bad",)
    assert (player.word.max, player.word.value) == (1, 1)


def test_typing_is_heard_while_the_worker_sets_the_slider(player):
    def type_more(_):
        if player.text.value == "bad":
            thread = threading.Thread(target=player.text.set_trait, args=("value", "bad film"))
            thread.start()
            thread.join()

    player.word.observe(type_more, names="max")
    player.text.value = "bad"
    assert player.wait(60)
    assert player.memory.words == ("bad", "film")


def test_a_longer_text_sets_both_ends_before_any_value(player, monkeypatch):
    """The page links the values: it would clip one to the old end of the other and report that."""
    sent = []
    for control in (player.word, player.player):
        monkeypatch.setattr(control, "send_state", lambda key=None: sent.append(key))
    player.text.value = "not a good film"
    assert player.wait(60)
    assert sent == ["max", "max", "value", "value"]


@pytest.mark.parametrize("kind", ["player", "numbers", "text"])
def test_close_closes_every_control(kind, reader, model_and_data):
    if kind == "player":
        widget = lx.play_gates(*reader, "not a film")
    elif kind == "numbers":
        model, data = model_and_data
        widget = lx.explore(model, data.test, background=data.train)
    else:
        widget = lx.explore(*reader)
    boxes, controls = [widget.widget], []
    while boxes:
        controls.append(boxes.pop())
        boxes += getattr(controls[-1], "children", ())
    assert len(controls) > 8
    assert all(isinstance(control, Widget) and control.comm is not None for control in controls)
    widget.close()
    assert [control for control in controls if control.comm is not None] == []
