"""``play_gates``: type a text and watch what a recurrent layer writes, forgets and remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from ..sequences.data import SequenceData
from . import page
from .controls import as_html
from .memory import Cut, Memory, describe, reader_of
from .page import framed, guard_figures, hide, picture_html, show_both
from .pictures import MemoryPicture
from .worker import Newest


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
    """Show a widget in which a text is typed and its way through an LSTM or GRU layer is watched.

    The picture shows, word by word, what the model would answer if the text ended there, and what
    each unit of the layer writes into its memory, forgets, and then remembers. The slider and the
    play button take the text word by word.

    Where no kernel runs, a static picture of the first text stands in the widget's place. No other
    cell should depend on what was typed.

    Parameters
    ----------
    model : keras.Model
        That reads texts and masks its padding.
    data : SequenceData
        The texts that it was trained on: their vocabulary and classes are used.
    text : str
        What is shown first.
    layer : str, optional
        Of several, which: its name, or "name, backward" where it reads in both directions.
    cut : callable, optional
        How a text becomes words; by default `tokenise`. ``cut=list`` makes each letter a word.
    max_words : int
        What is typed beyond is not read.
    guard : as in `explore`

    Returns
    -------
    GatePlayer
        The last expression of a cell shows it.

    Raises
    ------
    ValueError
        The data are no texts, the model reads its padding, or there is no such layer.

    Examples
    --------
    >>> play_gates(run.model, data, "a film that is not bad")  # doctest: +SKIP
    """
    reader = reader_of(model, data, layer, cut, max_words)
    if guard:
        from IPython import get_ipython

        guard_figures(get_ipython())
    return GatePlayer(reader.read, text, max_words)


class GatePlayer:
    """A text box, a slider over its words, and the picture of them. See `play_gates`.

    Attributes
    ----------
    memory : Memory
        What the typed text does.
    widget : ipywidgets.VBox
    """

    def __init__(self, read: Callable[[str], Memory], text: str, max_words: int) -> None:
        import ipywidgets as w

        self._read, self._worker, self._quiet = read, Newest(), False
        self.memory = read(text)
        self._picture = MemoryPicture(self.memory, max_words)
        self._scope = f"lstm-explain-{uuid4().hex[:12]}"
        wide = {"description_width": "initial"}
        self.text = w.Text(
            value=text, description="Type here", style=wide,
            layout=w.Layout(width="640px", max_width="100%"),
            continuous_update=True,
        )  # fmt: skip
        count = len(self.memory.words)
        self.word = w.IntSlider(
            min=1, max=count, value=count, description="Words read", style=wide,
            layout=w.Layout(width="400px", max_width="100%"),
        )  # fmt: skip
        self.word.add_class("lstm-explain-slider-words")
        self.player = w.Play(min=1, max=count, value=count, interval=700, show_repeat=False)
        w.jslink((self.player, "value"), (self.word, "value"))
        width, height = map(str, self._picture.size)
        self.image = w.Image(format="png", width=width, height=height)
        self.words, self.status = w.HTML(), w.HTML()
        self.player.layout.margin = "0 16px 0 0"
        controls = w.HBox([self.player, self.word], layout=w.Layout(flex_flow="row wrap"))
        rows = [self.text, controls, framed(self.image), self.words, self.status]
        rows.append(hide(self._scope))
        self._live: Any = None
        if page.is_available():
            names = {"lstm-explain-slider-words": "Words read"}
            self._live = page.make_live(self._scope, names)
            rows.append(self._live)
        self.widget = w.VBox(rows)
        self.widget.add_class(self._scope)
        # The first picture is drawn here, on the thread of the cell.
        self._show(count)
        words = describe(self.memory)
        body = picture_html(self._picture.png(level=9), words)
        self._first = (body, " ".join(self.memory.words), words)
        self.text.observe(self._type, names="value")
        self.word.observe(self._step, names="value")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the picture shows what was typed; tell whether it came to that in time."""
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End the worker and close all controls."""
        self._worker.close()
        for control in (self.player, self.word, self.image, *self.widget.children, self.widget):
            control.close()

    def _ipython_display_(self) -> None:
        show_both(self.widget, self._scope, *self._first)

    def _type(self, event: Any) -> None:
        text = event.new
        self._submit(lambda: self._follow(text))

    def _step(self, event: Any) -> None:
        if not self._quiet:
            count = event.new
            self._submit(lambda: self._show(count))

    def _submit(self, action: Callable[[], None]) -> None:
        def work(_: int) -> None:
            try:
                action()
                self.status.value = ""
            except Exception as error:  # elsewhere it would be lost
                self.status.value = as_html(f"{type(error).__name__}: {error}", "warning")

        self._worker.submit(work)

    def _follow(self, text: str) -> None:
        self.memory = self._read(text)
        count = len(self.memory.words)
        self._quiet = True
        try:
            for control in (self.player, self.word):
                control.max = count
                control.value = count
        finally:
            self._quiet = False
        self._show(count)

    def _show(self, count: int) -> None:
        shown = self.memory.until(min(count, len(self.memory.words)))
        self._picture.update(shown)
        words = describe(shown)
        self.image.value = self._picture.png()
        self.words.value = as_html(words, "status")
        if self._live is not None:
            self._live.words = words
