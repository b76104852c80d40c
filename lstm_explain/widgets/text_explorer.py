"""The explorer of texts: type another sentence, or switch single words off."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import numpy as np

from ..attribution.explanation import Explanation
from ..inspection.anatomy import read_anatomy
from ..inspection.confirmation import see
from ..inspection.outputs import as_probability, decisions, last_outputs
from ..plots.content import explained, read_prediction
from ..plots.html import tokens_html
from ..plots.style import limit_of
from ..plots.tokens import plot_tokens
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN, written_words
from ..wording import decimals, fixed
from .controls import ROW, SharedControls
from .exploration import Exploration
from .frame import BaseExplorer
from .state import Refused, State, with_edits
from .view import cut_note

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Only the first words of a longer text have a button.
_MOST_BUTTONS = 80


class TextControls(SharedControls):
    """The controls of the explorer of texts; the buttons of the words stand in `words`."""

    def __init__(self, core: Exploration, sample: int, ways: list[str]) -> None:
        super().__init__(core, sample, ways)
        self.typed = w.Textarea(
            layout={"flex": "1 1 auto", "width": "auto", "height": "80px"},
            tooltip="The text, to be changed",
        )
        self.words, self.more = w.HBox(layout=ROW), w.Label()
        self.flip.description = "Which single word decides?"
        self.flip.tooltip = "Words that flip the decision when they alone are switched off"

    def box(self) -> list[Any]:
        """Return the rows of controls, each of which breaks where the window is narrow."""
        return [
            self.group("Sample", [self.sample, self.next, self.way]),
            self.group("Text", [self.typed], width=280, below=[self.warning]),
            self.group("Words", [self.words], [self.more]),
            self.group(
                "Compare",
                [self.undo, self.redo, self.reset, self.pin, self.unpin],
                [self.flip, self.colours],
            ),
            self.group("Save", [self.folder, self.save]),
        ]

    def follow(self, core: TextExploration, state: State) -> None:
        """Set every control to what a state says, but for the buttons of the words."""
        super().follow(core, state)
        typed = wording_of(state).typed
        self.typed.value = core.recorded_text(state.sample) if typed is None else typed


class TextExplorer(BaseExplorer):
    """A widget that shows one text and the effect of changes to it. See `explore`.

    Attributes
    ----------
    state : State
        The text and its wording, as immutable data.
    widget : ipywidgets.VBox
    """

    core: TextExploration
    controls: TextControls
    _kind = "text"

    # -- the picture -------------------------------------------------------------------------------
    def _make_controls(self, names: list[str]) -> TextControls:
        return TextControls(self.core, self.state.sample, names)

    def _make_canvas(self) -> Any:
        self._canvas = w.HTML()
        return self._canvas

    def _draw(self, state: State, *options: str) -> None:
        pair = self.core.pair(state)
        self._canvas.value = tokens_html(pair, limit=self._limit(state, pair, *options))
        self._say(text_sentence(pair))

    def _display_options(self) -> tuple[str, ...]:
        return (self.controls.colours.value,)

    def _limit(self, state: State, pair: Explanation, colours: str) -> float:
        """Return the SHAP value of the strongest colours: no word is beyond it."""
        return max(limit_of(pair.values.values), self._least(state, colours))

    def _figure(self) -> Figure:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        pair = self.core.pair(self.state)
        figure = Figure((8.5, 3.5 * len(pair)), layout="constrained")
        FigureCanvasAgg(figure)  # not pyplot: this may run while a cell draws
        limit = self._limit(self.state, pair, *self._display_options())
        plot_tokens(pair, ax=figure.add_subplot(), limit=limit)
        return figure

    def _static_picture(self) -> tuple[str, str, str]:
        pair = self.core.pair(self.state)
        return str(self._canvas.value), self.core.glance(self.state), text_sentence(pair)

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        super()._bind()
        self._on_change({self.controls.typed: self._type})

    def _type(self, text: str) -> None:
        if not text.strip():
            raise Refused("Type at least one word.")
        is_recorded = text == self.core.recorded_text(self.state.sample)
        wording, box = Wording(None if is_recorded else text), self.controls.typed
        self._move_to(worded(self.state, wording, self._continues(box)), box)

    def _switch(self, position: int, is_on: bool) -> None:
        wording = wording_of(self.state)
        off = {*wording.off} - {position} if is_on else {*wording.off, position}
        self._move_to(worded(self.state, Wording(wording.typed, tuple(sorted(off)))))

    def _flip(self) -> None:
        words = ", ".join(f"“{word}”" for word in self.core.deciding_words(self.state))
        text = "No single word, switched off, changes the decision."
        if words:
            text = f"Switched off alone, each of these changes the decision: {words}."
        self._note(self.controls.flip, text)

    def _show_state(self) -> None:
        super()._show_state()
        words, off = self.core.words(self.state), wording_of(self.state).off
        more = self.controls.more
        more.layout.display = None if len(words) > _MOST_BUTTONS else "none"
        more.value = f"The first {_MOST_BUTTONS} of {len(words):,} words"
        words = words[:_MOST_BUTTONS]
        box = self.controls.words
        with self._following():
            if [button.tooltip for button in box.children] != words:
                for button in box.children:
                    button.close()
                box.children = [self._button(word, at) for at, word in enumerate(words)]
            for at, button in enumerate(box.children):
                button.value = at not in off
                button.description = f"[{words[at]}]" if at in off else words[at]

    def _button(self, word: str, position: int) -> Any:
        button = w.ToggleButton(value=True, tooltip=word, layout={"width": "auto"})
        self._on_change({button: partial(self._switch, position)})
        return button


# Texts are padded to at least so many words, and so many more than the recorded text has, or up to
# twice as many, so that nothing is compiled while somebody types.
_LEAST_ROOM, _MORE = 32, 16


@dataclass(frozen=True)
class Wording:
    """What replaces a recorded text.

    Attributes
    ----------
    typed : str or None
        None for the recorded text.
    off : tuple of int
        Positions of words that are switched off, in order.
    """

    typed: str | None = None
    off: tuple[int, ...] = ()


def worded(state: State, wording: Wording, joined: bool = False) -> State:
    """Return the state with another wording; one that is `joined` is undone with the last one.

    Examples
    --------
    >>> state = worded(worded(State(0), Wording("go")), Wording("good"), joined=True)
    >>> state.edits, state.past
    ((Wording(typed='good', off=()),), ((),))
    """
    if wording == wording_of(state):
        return state
    edits: Any = () if wording == Wording() else (wording,)
    return with_edits(state, edits, joined)


def wording_of(state: State) -> Wording:
    """Return the wording of a state; an empty one if nothing was changed."""
    edits: Any = state.edits
    return edits[-1] if edits else Wording()


class TextExploration(Exploration):
    """A model of texts, and what was computed for the last few states. See `Exploration`."""

    unlike = "Unlike the texts that the model was trained on: {}."

    @cached_property
    def _padded_length(self) -> int | None:
        """The length of the data, for a model that reads its padding; otherwise None."""
        anatomy = read_anatomy(self.model, self.data, inputs=self.inputs)
        masked = "mask" in anatomy.roles or anatomy.masks_zero
        return None if masked else self.data.mask.shape[1]

    def room(self, sample: int) -> int:
        """Return how many words are read of what is typed in place of a text."""
        length = int(self.data.lengths[sample])
        # In few sizes: each one is compiled.
        return self._padded_length or max(_MORE * (length // _MORE + 2), _LEAST_ROOM)

    def recorded(self, sample: int) -> SequenceData:
        """Return a text as it was recorded, with room for more words."""
        return _with_room(self.data[sample], self.room(sample))

    def changed(self, sample: int, edits: Any) -> SequenceData:
        """Return a text in another wording."""
        text = self.data[sample]
        wording = edits[-1] if edits else Wording()
        if wording.typed is not None:
            text = text.rewrite([wording.typed])
        text = _with_room(text, self.room(sample))
        off = [at for at in wording.off if at < text.lengths[0]]
        return text.switch_off(off) if off else text

    def recorded_text(self, sample: int) -> str:
        """Return a recorded text as one would type it."""
        return typed_words(self.words(State(sample)))

    def words(self, state: State) -> list[str]:
        """Return the words of the text as it is now, as they were written."""
        text = self.edited(state)
        return written_words(text)[0][text.mask[0]].tolist()

    def warnings(self, state: State) -> list[str]:
        """Return in what a changed text is unlike the training data; nothing if unchanged."""
        if not state.edits:
            return []
        known = set(self.data.vocabulary) - {UNKNOWN}
        words = self.words(state)
        new = list(dict.fromkeys(word for word in words if word not in known))
        warnings = [f"words that the model never learned: {', '.join(new[:8])}"] if new else []
        longest = int(self.training.lengths.max())
        if len(words) > longest:
            warnings.append(f"{len(words)} words, where the longest known text has {longest}")
        return warnings

    def warning(self, state: State) -> str:
        """Say what is not read of a changed text, and in what it is unlike the training data."""
        typed = wording_of(state).typed
        words = 0 if typed is None else int(self.data[state.sample].rewrite([typed]).lengths[0])
        parts = [cut_note(self.room(state.sample), words), super().warning(state)]
        return " ".join(part for part in parts if part)

    def pair(self, state: State) -> Explanation:
        """Return the explanation of the text now, preceded by the one that it is compared with.

        The ids of two texts are "as recorded" or "pinned", and "now".
        """
        import xarray as xr

        now = self.answer(state).explanation
        if (state.pinned or ()) == state.edits:
            return now
        both = [
            explanation.to_dataset().drop_vars(["target", "ids"], errors="ignore")
            for explanation in (self.answer_before(state).explanation, now)
        ]
        per_sample = [name for name, part in both[0].items() if "sample" in part.dims]
        joined = xr.concat([one[per_sample] for one in both], "sample", combine_attrs="override")
        joined = joined.merge(both[1].drop_vars([*per_sample, "sample"]))
        ids = ["as recorded" if state.pinned is None else "pinned", "now"]
        joined = joined.assign_coords(sample=[0, 1]).assign(ids=("sample", np.array(ids)))
        return Explanation(joined.assign_attrs(both[1].attrs))

    def deciding_words(self, state: State) -> list[str]:
        """Return the words that flip the decision when they alone are switched off."""
        with self.lock:
            question = self._question(state.sample)
            if question.anatomy.link == "identity":
                raise Refused(
                    "The model predicts a value and decides nothing. Switch words off and watch it."
                )
            text = self.edited(state)
            count, room = int(text.lengths[0]), text.mask.shape[1]
            # As many versions as there is room for words: the shapes stay the same.
            versions = text[np.zeros(room + 1, int)]
            tokens = np.array(versions.tokens)
            positions = np.arange(count)
            tokens[positions, positions] = versions.vocabulary.index(UNKNOWN)
            versions = replace(versions, tokens=tokens, unknown_words=None)
            _, compiled, subject = see(question.anatomy, versions, question.scale, room + 1)
            raw = last_outputs(compiled.outputs(subject, room + 1), subject.mask)
            classes = decisions(raw, None)
        words = self.words(state)
        return [words[at] for at in positions if classes[at] != classes[-1]]


def text_sentence(pair: Explanation) -> str:
    """Say in words what the picture of one or two texts shows."""
    name = str(pair.output.values[-1])
    chances = as_probability(pair.predictions.values, pair.output.values, pair.provenance)
    what = f"The {explained(pair) if chances is None else f'predicted probability of {name}'}"
    shown = pair.predictions.values if chances is None else chances
    numbers = [read_prediction(one, chances is not None, float(np.ptp(shown))) for one in shown]
    verb = f"goes from {numbers[0]} to" if len(numbers) > 1 else "is"
    values = pair.values.values[-1]
    words = pair.data.values[-1]
    largest = [at for at in np.argsort(-np.abs(values), kind="stable")[:3] if values[at]]
    places = decimals(limit_of(values))
    parts = ", ".join(f"“{words[at]}” {fixed(values[at], places, sign=True)}" for at in largest)
    text = f"{what} {verb} {numbers[-1]}. Largest SHAP values now: {parts or 'none'}."
    if pair.attention is not None:
        text += f" Attention is highest at “{words[int(pair.attention.values[-1].argmax())]}”."
    return text


def _with_room(text: SequenceData, room: int) -> SequenceData:
    """Return one text, padded or cut to a number of words."""
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
    return re.sub(r" ([.,;:!?)])", r"\1", " ".join(words)).replace("( ", "(")
