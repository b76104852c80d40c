"""The explorer of texts: type another sentence, switch words off, and watch what that does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..attribution.explanation import Explanation
from ..inspection.anatomy import inspect
from ..inspection.background import Background
from ..inspection.outputs import as_probability, decisions, last_outputs
from ..inspection.question import see
from ..plots.content import explained
from ..plots.html import tokens_html
from ..plots.tokens import plot_tokens
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN, written_words
from ..wording import fixed, percent
from .controls import as_html, in_row, shared_controls
from .exploration import Exploration, Inquiry
from .frame import BaseExplorer
from .state import State

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


# Room for more words than a text has, so that nothing is compiled anew while somebody types.
_LEAST_ROOM, _MORE = 32, 16


@dataclass(frozen=True)
class Wording:
    """A text in place of the recorded one.

    Attributes
    ----------
    typed : str or None
        None for the text as it was recorded.
    off : tuple of int
        Positions of words that are switched off, in order.
    """

    typed: str | None = None
    off: tuple[int, ...] = ()


def worded(state: State, wording: Wording) -> State:
    """Return the state with another wording. Typing on is one action, to be undone at once.

    Examples
    --------
    >>> state = worded(worded(State(0), Wording("go")), Wording("good"))
    >>> state.edits, state.past
    ((Wording(typed='good', off=()),), ((),))
    """
    if wording == wording_of(state):
        return state
    edits: Any = () if wording == Wording() else (wording,)
    before = wording_of(state)
    goes_on = None not in (before.typed, wording.typed) and before.off == wording.off == ()
    past = state.past if goes_on else (*state.past, state.edits)
    return replace(state, edits=edits, past=past)


def wording_of(state: State) -> Wording:
    """Return the wording of a state; that of the record where nothing was changed."""
    edits: Any = state.edits
    return edits[-1] if edits else Wording()


class TextExploration(Exploration):
    """A model of texts, and what is known of the text that is looked at. See `Exploration`."""

    unlike = "Unlike the texts that the model was trained on: {}."

    def __init__(
        self,
        model: Any,
        data: SequenceData,
        background: Any,
        output: int | str | None,
        scale: Any,
        tolerance: float,
        training: SequenceData | None,
    ) -> None:
        self._stands_for_absent = background
        super().__init__(model, data, background, output, scale, tolerance, training)
        anatomy = inspect(model, data)
        masked = "mask" in anatomy.roles or any(e.mask_zero for e in anatomy.embedding_layers)
        # A model that reads its padding is asked with as much of it as the data has.
        self._room = None if masked else data.mask.shape[1]

    def room(self, state: State) -> int:
        """Return how many words are read of what is typed."""
        return self._room or max(int(self.data.lengths[state.sample]) + _MORE, _LEAST_ROOM)

    def recorded(self, state: State) -> SequenceData:
        """Return the text as it was recorded, with room for more words."""
        return _with_room(self.data[state.sample], self.room(state))

    def changed(self, state: State, edits: Any) -> SequenceData:
        """Return the text in another wording."""
        text = self.data[state.sample]
        wording = edits[-1] if edits else Wording()
        if wording.typed is not None:
            text = text.rewrite([wording.typed])
        text = _with_room(text, self.room(state))
        off = [at for at in wording.off if at < text.lengths[0]]
        return text.switch_off(off) if off else text

    def inquiry(self, state: State) -> Inquiry:
        """Return what can be asked about the text of a state."""
        with self.lock:
            if self._inquiry is None or self._inquiry.position != state.sample:
                text = self.recorded(state)
                background = Background.resolve(self._stands_for_absent, text)
                self._inquiry = Inquiry.about(
                    self.model, text, background, position=state.sample, **self._options
                )
            return self._inquiry

    def words(self, state: State) -> list[str]:
        """Return the words of the text as it is now, as they were written."""
        text = self.edited(state)
        return written_words(text)[0][text.mask[0]].tolist()

    def warnings(self, state: State) -> list[str]:
        """Return in what the text is unlike the training data; nothing if unchanged."""
        if not state.edits:
            return []
        known = set(self.data.vocabulary) - {UNKNOWN}
        words = self.words(state)
        new = list(dict.fromkeys(word for word in words if word not in known))
        found = [f"words that the model never learned: {', '.join(new[:8])}"] if new else []
        longest = int(self.training.lengths.max())
        if len(words) > longest:
            found.append(f"{len(words)} words, where the longest known text has {longest}")
        return found

    def pair(self, state: State) -> Explanation:
        """Return the explanation of the text now, after the one that it is compared with if any.

        Two texts have the ids "as recorded" or "pinned", and "now".
        """
        import xarray as xr

        before = state.pinned or ()
        now = self._explain(state, state.edits).explanation
        if before == state.edits:
            return now
        both = [
            one.to_dataset().drop_vars(["target", "ids"], errors="ignore")
            for one in (self._explain(state, before).explanation, now)
        ]
        own = [name for name, part in both[0].items() if "sample" in part.dims]
        joined = xr.concat([one[own] for one in both], "sample", combine_attrs="override")
        rest = both[1].drop_vars([*own, "sample"])
        names = ["as recorded" if state.pinned is None else "pinned", "now"]
        joined = joined.merge(rest).assign_coords(sample=[0, 1])
        joined = joined.assign(ids=("sample", np.array(names)))
        return Explanation(joined.assign_attrs(both[1].attrs))

    def deciding_words(self, state: State) -> list[str]:
        """Return the words that, one at a time switched off, flip the decision."""
        with self.lock:
            question = self.inquiry(state).question
            if question.anatomy.link == "identity":
                raise ValueError(
                    "Expected a model with classes, whose decision can flip; received one that "
                    "predicts a value. Switch words off and watch it."
                )
            text = self.edited(state)
            count, room = int(text.lengths[0]), text.mask.shape[1]
            # As many versions as there is room for words: the shapes stay the same.
            many = text[np.zeros(room + 1, int)]
            tokens = np.array(many.tokens)
            off = np.arange(count)
            tokens[off, off] = many.vocabulary.index(UNKNOWN)
            many = replace(many, tokens=tokens, unknown_words=None)
            scale = "probability" if question.chosen.scale == "probability" else "margin"
            _, compiled, subject = see(question.anatomy, many, scale, room + 1)
            raw = last_outputs(compiled.outputs(subject, room + 1), subject.mask)
            found = decisions(raw, None)
        words = self.words(state)
        return [words[at] for at in off if found[at] != found[-1]]

    def _learn(self) -> None:
        """Nothing is measured of texts: their vocabulary says what is usual."""


def text_sentence(pair: Explanation) -> str:
    """Say in words what the picture of one or two texts shows."""
    name = str(pair.output.values[-1])
    chances = as_probability(pair.predictions.values, pair.output.values, pair.provenance)
    if chances is None:
        what = f"The {explained(pair)}"
        numbers = [fixed(one, 3) for one in pair.predictions.values]
    else:
        what = f"The predicted probability of {name}"
        numbers = [percent(one, 1) for one in chances]
    verb = f"goes from {numbers[0]} to" if len(numbers) > 1 else "is"
    values = pair.values.values[-1]
    words = pair.data.values[-1]
    largest = [at for at in np.argsort(-np.abs(values), kind="stable")[:3] if values[at]]
    parts = ", ".join(f"“{words[at]}” {fixed(values[at], 2, sign=True)}" for at in largest)
    text = f"{what} {verb} {numbers[-1]}. Largest SHAP values now: {parts or 'none'}."
    if pair.attention is not None:
        text += f" Attention is highest at “{words[int(pair.attention.values[-1].argmax())]}”."
    return text


def _with_room(text: SequenceData, room: int) -> SequenceData:
    """Return one text padded, or cut, to so many words."""
    length = int(text.lengths[0])
    more = max(room - text.mask.shape[1], 0)
    kept = min(length, room)
    unknown = text.unknown_words
    if unknown is not None and kept < length:
        read = np.asarray(text.tokens)[0, :kept] == text.vocabulary.index(UNKNOWN)
        known, unknown = unknown, np.empty(1, object)
        unknown[0] = tuple(known[0][: int(read.sum())])
    return replace(
        text,
        values=np.zeros((1, room, 0), np.float32),
        tokens=_fit(text.tokens, more, room),
        mask=_fit(text.mask, more, room),
        times=None if text.times is None else _fit(text.times, more, room),
        unknown_words=unknown,
    )


def _fit(array: Any, more: int, room: int) -> np.ndarray:
    return np.pad(array, ((0, 0), (0, more)))[:, :room]


def typed_words(words: Iterable[str]) -> str:
    """Return words as one would type them.

    Examples
    --------
    >>> typed_words(["not", "bad", ",", "good", "!"])
    'not bad, good!'
    """
    text = " ".join(words)
    for mark in ".,;:!?)":
        text = text.replace(f" {mark}", mark)
    return text.replace("( ", "(")
