"""The explorer of texts: type another sentence, switch words off, and watch what that does."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..plots.html import tokens_html
from ..plots.tokens import plot_tokens
from .controls import as_html, in_row, shared_controls
from .frame import BaseExplorer
from .state import State
from .wording import TextExploration, Wording, text_sentence, typed_words, worded, wording_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of a longer text only the first words have a button.
_MOST_BUTTONS = 80


@dataclass
class TextControls:
    """Every control by its name; the buttons of the words stand in `words`."""

    way: Any
    next: Any
    sample: Any
    typed: Any
    words: Any
    undo: Any
    reset: Any
    pin: Any
    unpin: Any
    flip: Any
    folder: Any
    save: Any
    names: dict[str, str] = field(default_factory=dict)

    def box(self) -> list[Any]:
        """Return the rows of controls, each of which breaks where the window is narrow."""
        return [
            in_row("Sample", [self.sample], [self.way, self.next]),
            in_row("Type", [self.typed]),
            in_row("Words", [self.words]),
            in_row("Compare", [self.undo, self.reset], [self.pin, self.unpin], [self.flip]),
        ]

    def every(self) -> list[Any]:
        """Return all controls."""
        own = [getattr(self, name) for name in self.__dataclass_fields__ if name != "names"]
        return [*own, *self.words.children]

    def readings(self) -> dict[str, str]:
        """Return nothing: there is no slider."""
        return {}

    def follow(self, core: TextExploration, state: State) -> None:
        """Set every control to what a state says, but for the buttons of the words."""
        wording = wording_of(state)
        self.sample.value = state.sample
        recorded = core.words(State(state.sample))
        self.typed.value = typed_words(recorded) if wording.typed is None else wording.typed
        self.undo.disabled = not state.past
        self.reset.disabled = not state.edits
        self.unpin.disabled = state.pinned is None


class TextExplorer(BaseExplorer):
    """A widget that shows one text and what its changes do. See `explore`.

    Attributes
    ----------
    state : State
        The text and its wording: plain, frozen data.
    widget : ipywidgets.VBox
    """

    core: TextExploration

    _kind = "text"

    # -- the picture -------------------------------------------------------------------------------
    def _make_controls(self, names: list[str]) -> Any:
        import ipywidgets as w

        wide = w.Layout(width="720px", max_width="100%", height="64px")
        controls = TextControls(
            **shared_controls(self.core, self.state.sample, names),
            typed=w.Textarea(layout=wide, tooltip="The text, to be changed"),
            words=w.HBox(layout=w.Layout(flex_flow="row wrap")),
        )
        controls.flip.description = "Which single word decides?"
        controls.flip.tooltip = "Words that flip the decision when they alone are switched off"
        return controls

    def _make_canvas(self) -> Any:
        import ipywidgets

        self._canvas = ipywidgets.HTML()
        return self._canvas

    def _draw(self, state: State, wishes: Any) -> None:
        pair = self.core.pair(state)
        self._canvas.value = tokens_html(pair)
        self._say(text_sentence(pair))

    def _figure(self) -> Figure:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        pair = self.core.pair(self.state)
        figure = Figure((8.5, 3.5 * len(pair)), layout="constrained")
        FigureCanvasAgg(figure)  # not pyplot: this may run while a cell draws
        plot_tokens(pair, ax=figure.add_subplot())
        return figure

    def _static(self) -> tuple[str, str, str]:
        pair = self.core.pair(self.state)
        return str(self._canvas.value), self.core.glance(self.state).text, text_sentence(pair)

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        super()._bind()
        self._hear({self.controls.typed: self._type})

    def _type(self, text: str) -> None:
        recorded = typed_words(self.core.words(State(self.state.sample)))
        typed = None if text == recorded else text
        self._move_to(worded(self.state, Wording(typed)))

    def _switch(self, at: int, is_on: bool) -> None:
        wording = wording_of(self.state)
        off = {*wording.off} - {at} if is_on else {*wording.off, at}
        self._move_to(worded(self.state, Wording(wording.typed, tuple(sorted(off)))))

    def _flip(self) -> None:
        found = [f"“{word}”" for word in self.core.deciding_words(self.state)]
        text = "No single word, switched off, changes the decision."
        if found:
            text = f"Switched off alone, each of these changes the decision: {', '.join(found)}."
        self.status.value = as_html(text, "status")

    def _show_state(self) -> None:
        super()._show_state()
        words, off = self.core.words(self.state)[:_MOST_BUTTONS], wording_of(self.state).off
        box = self.controls.words
        with self._silently():
            if [button.tooltip for button in box.children] != words:
                for button in box.children:
                    button.close()
                box.children = [self._button(word, at) for at, word in enumerate(words)]
            for at, button in enumerate(box.children):
                button.value = at not in off
                button.description = f"[{words[at]}]" if at in off else words[at]

    def _button(self, word: str, at: int) -> Any:
        import ipywidgets

        made = ipywidgets.ToggleButton(value=True, tooltip=word)
        made.layout = ipywidgets.Layout(width="auto")
        self._hear({made: partial(self._switch, at)})
        return made
