"""``play_gates``: type a text and watch what a recurrent layer writes, forgets and remembers."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from ..arguments import check_flag, check_type
from ..sequences.data import SequenceData
from .controls import ROW, WIDE_LABEL
from .frame import Frame
from .memory import Cut, Reader, describe
from .page import framed, picture_html
from .pictures import MemoryPicture
from .state import Refused

_SLIDER = "lstm-explain-slider-words"


def play_gates(
    model: Any,
    data: SequenceData,
    text: str,
    *,
    layer: str | None = None,
    cut: Cut | None = None,
    max_words: int = 40,
    guard: bool = True,
) -> GatePlayer:
    """Show a widget that follows a typed text through an LSTM or GRU layer, word by word.

    For each word the picture shows what the model would answer if the text ended there, and what
    each unit of the layer writes, forgets and then remembers. The slider and the play button step
    through the words.

    Where no kernel runs, a static picture of the first text is shown instead. No other cell should
    depend on what was typed.

    Parameters
    ----------
    model : keras.Model
        A model that reads texts and masks its padding.
    data : SequenceData
        The texts that it was trained on: their vocabulary and classes are used.
    text : str
        The text that is shown first.
    layer : str, optional
        The name of the layer, or "name, backward" of a bidirectional one; needed if there are
        several.
    cut : callable, optional
        Splits a text into words; by default `tokenise`. ``cut=list`` makes each letter a word.
    max_words : int
        Further words are ignored.
    guard : bool
        Let matplotlib's IPython hooks run on the main thread only, as `explore` does.

    Returns
    -------
    GatePlayer
        The last expression of a cell shows it.

    Raises
    ------
    ValueError
        The data are not texts, the model reads its padding, or it has no such layer.

    Examples
    --------
    >>> play_gates(run.model, data, "a film that is not bad")  # doctest: +SKIP
    """
    check_type(str, "Type some words.", text=text)
    check_flag(guard=guard)
    return GatePlayer(Reader(model, data, layer, cut, max_words), text, guard)


class GatePlayer(Frame):
    """A text box, a slider over its words, and the picture of them. See `play_gates`.

    Attributes
    ----------
    memory : Memory
        What the layer writes, forgets and remembers over the typed text.
    widget : ipywidgets.VBox
    """

    def __init__(self, reader: Reader, text: str, guard: bool) -> None:
        self._reader, self._text, self.memory = reader, text, reader.read(text)
        self._picture = MemoryPicture(self.memory, reader.max_words)
        count = len(self.memory.words)
        self.text = w.Text(
            value=text, description="Type here", style=WIDE_LABEL,
            layout={"width": "640px", "max_width": "100%"},
        )  # fmt: skip
        self.word = w.IntSlider(
            min=1, max=count, value=count, description="Words read", style=WIDE_LABEL,
            layout={"width": "400px", "max_width": "100%"},
        )  # fmt: skip
        self.word.add_class(_SLIDER)
        self.player = w.Play(min=1, max=count, value=count, interval=700, show_repeat=False)
        self.player.layout.margin = "0 16px 0 0"
        w.jslink((self.player, "value"), (self.word, "value"))
        width, height = map(str, self._picture.size)
        self.image = w.Image(format="png", width=width, height=height)
        controls = w.HBox([self.player, self.word], layout=ROW)
        above = [self.text, controls, framed(self.image, self._picture.size[0])]
        super().__init__([], above, {_SLIDER: self.word.description}, {}, guard)
        self._show(count)
        words = describe(self.memory)
        picture = picture_html(self._picture.png(level=9), words, self._picture.size[0])
        self._static = picture, " ".join(self.memory.words), words
        self._on_change({self.text: self._update, self.word: self._update})

    def _update(self, _: Any) -> None:
        """Let the worker read the typed text if it is new, and show it up to the word."""
        # Both at once: work that waits is replaced by newer work, whichever control asks for it.
        text, count = self.text.value, self.word.value

        def work(_: int) -> None:
            if text == self._text:
                self._show(count)
            else:
                self._text = text
                self._read(text)

        self._in_worker(work)

    def _read(self, text: str) -> None:
        if not any(map(str.strip, self._reader.cut(text))):
            raise Refused("Type at least one word.")
        self.memory = self._reader.read(text)
        count = len(self.memory.words)
        with self._following():
            # Both ends first: the page sets the value of one to that of the other, and would clip
            # it to the old end and report that.
            for control in (self.word, self.player):
                control.max = count
            for control in (self.word, self.player):
                control.value = count
        self._show(count)

    def _show(self, count: int) -> None:
        """Show the text up to a word."""
        shown = self.memory.until(count)
        self._picture.update(shown)
        self.image.value = self._picture.png()
        self._say(describe(shown))
        self.status.value = ""
