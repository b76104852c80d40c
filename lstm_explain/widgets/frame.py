"""What all widgets have in common: box, static picture, worker, status line; and an explorer."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic, perf_counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import IPython
import ipywidgets as w

from ..arguments import as_path
from ..attribution.explanation import Explanation
from ..files import atomic_path
from ..sequences.data import SequenceData
from . import page
from .controls import SharedControls, as_html
from .exploration import Exploration
from .pictures import COLOURS
from .samples import ways
from .state import Refused, State, pick, pinned, redone, reset, undone, unpinned
from .worker import Newest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Seconds. If the last picture took longer, one that is already out of date is not computed.
_SLOW = 0.3
# Seconds. Moves of one slider, or letters, with shorter pauses between them are undone together.
_PAUSE = 0.7


class Frame:
    """A box of controls with a picture and a status line, shown beside a static picture.

    A subclass draws its first picture in its ``__init__``, on the thread of the cell, and sets
    `_static` to that picture as HTML, its title and the sentence about it.

    Parameters
    ----------
    beside, above : list of ipywidgets.Widget
        Groups of controls beside the picture, above it where the window is narrow; and rows above
        the sentence that describes the picture, which include it.
    names : dict of str
        Accessible names of the sliders, by a CSS class of each.
    notes : dict of ipywidgets.HTML
        Where the effect of a control is told; by default on the status line.
    guard : bool
        Whether Matplotlib's hooks are kept off the threads that serve widgets.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    _static: tuple[str, str, str]

    def __init__(
        self, beside: list[Any], above: list[Any], names: dict[str, str], notes: dict[Any, Any],
        guard: bool,
    ) -> None:  # fmt: skip
        if guard:
            page.guard_figures(IPython.get_ipython())
        self._worker, self._notes = Newest(), notes
        # Whether a thread is setting controls to a state; other threads may hear the user.
        self._thread = threading.local()
        self._scope = f"lstm-explain-{uuid4().hex[:12]}"
        self.words, self.status = w.HTML(), w.HTML()
        rows = [page.side_by_side(beside, [*above, self.words, self.status])]
        rows.append(page.hide(self._scope))
        self._live: Any = SimpleNamespace()
        if page.is_available():
            self._live = page.make_live(self._scope, names)
            rows.append(self._live)
        self.widget = w.VBox(rows)
        self.widget.add_class(self._scope)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the picture is up to date; return whether it is within the time (seconds)."""
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End the worker and close all controls."""
        self._worker.close()
        for widget in _with_children(self.widget):
            widget.close()

    def _ipython_display_(self) -> None:
        page.show_both(self.widget, self._scope, *self._static)

    def _on_change(self, actions: dict[Any, Callable[[Any], None]]) -> None:
        """Call the action of a control with each value that the user gives it."""

        def act(control: Any, action: Callable[[Any], None], event: Any) -> None:
            if not getattr(self._thread, "follows", False):
                self._do(control, partial(action, event.new))

        for control, action in actions.items():
            control.observe(partial(act, control, action), names="value")

    def _on_click(self, actions: dict[Any, Callable[[], None]]) -> None:
        """Call the action of a button when it is pressed."""
        for button, action in actions.items():
            button.on_click(lambda button, action=action: self._do(button, action))

    def _on_page(self, actions: dict[str, Callable[[Any], None]]) -> None:
        """Call an action with what the page tells of the picture, by a trait of the page's part."""

        def act(action: Callable[[Any], None], event: Any) -> None:
            self._try(partial(action, event.new), self.status)

        if page.is_available():
            for trait, action in actions.items():
                self._live.observe(partial(act, action), names=trait)

    def _in_worker(self, action: Callable[[int], None]) -> None:
        """Call an action with its version number in the worker, unless a newer one replaces it."""
        self._worker.submit(lambda version: self._try(partial(action, version), self.status))

    def _do(self, control: Any, action: Callable[[], None]) -> None:
        """Do what the user asked a control for, and tell beside it what was in the way."""
        for note in {*self._notes.values()}:
            note.value = ""
        self._try(action, self._notes.get(control, self.status))

    def _try(self, action: Callable[[], None], note: Any) -> None:
        """Do something; tell an error, which would else be lost, and put the controls back."""
        try:
            action()
        except Exception as error:
            words = str(error) if isinstance(error, Refused) else f"This did not work. {error}"
            note.value = as_html(words, "warning")
            self._show_state()

    def _note(self, control: Any, words: str) -> None:
        """Tell beside a control what it did."""
        self._notes[control].value = as_html(words, "status")

    def _show_state(self) -> None:
        """Set the controls to what is shown."""

    @contextmanager
    def _following(self) -> Iterator[None]:
        """Set controls to a state without taking that for the user's doing."""
        self._thread.follows = True
        try:
            yield
        finally:
            self._thread.follows = False

    def _say(self, words: str) -> None:
        """Write what the picture shows below it, and into its alternative text."""
        self._live.words = words
        self.words.value = as_html(words, "status")


def _with_children(widget: Any) -> Iterator[Any]:
    for child in getattr(widget, "children", ()):
        yield from _with_children(child)
    yield widget


class BaseExplorer(Frame, ABC):
    """A widget that shows one sample of a data set and the effect of changes to it.

    Attributes
    ----------
    state : State
        The sample and its changes, as immutable data.
    widget : ipywidgets.VBox
    """

    core: Any
    controls: Any
    _kind: str  # the names of saved files begin with it

    def __init__(self, core: Exploration, sample: int | str, guard: bool) -> None:
        if isinstance(sample, str):
            if sample not in core.names:
                raise ValueError(
                    f"Expected sample to be the name of a sample, such as {core.names[0]!r}; "
                    f"received {sample!r}. Take one of data.ids, or a position."
                )
            sample = core.names.index(sample)
        self.core, self.state = core, State(sample)
        self._seconds = 0.0  # that the last picture took
        self._last: tuple[Any, float] = None, 0.0  # the control of the last deed, and when it was
        self.controls = self._make_controls(ways(core.question(sample), core.data))
        self.live, self.warning = w.HTML(), self.controls.warning
        above = [self.live, self._make_canvas()]
        super().__init__(
            self.controls.box(), above, self.controls.names, self.controls.notes, guard
        )
        self._show_state()
        self._bind()
        self._show_numbers(self.state)
        self._draw(self.state, *self._display_options())
        self._static = self._static_picture()
        self.status.value = as_html(core.answer(self.state).caution, "warning")

    # -- for the analyst ---------------------------------------------------------------------------
    @property
    def data(self) -> SequenceData:
        """The sample as it is now, changes included."""
        return self.core.edited(self.state)

    @property
    def explanation(self) -> Explanation:
        """The explanation of the sample as it is now."""
        return self.core.explanation(self.state)

    def save(self, folder: str | Path) -> tuple[Path, Path]:
        """Write the present picture as PNG, its `Explanation` as netCDF; return the paths.

        Nothing is overwritten: where the files exist, the new ones have a number in their names.
        """
        folder = as_path(folder, folder=True, name="folder")
        sample = re.sub(r"[^\w.-]+", "_", self.core.names[self.state.sample])
        name = f"{self._kind}_{sample}{'_changed' if self.state.edits else ''}"
        tries = (f"{name}{f'_{again}' if again > 1 else ''}" for again in count(1))
        pairs = ((folder / f"{name}.png", folder / f"{name}.nc") for name in tries)
        picture, file = next(both for both in pairs if not any(path.exists() for path in both))
        with self.core.lock:
            with atomic_path(picture) as beside:
                self._figure().savefig(beside, dpi=160)
            self.explanation.save(file)
        return picture, file

    # -- what differs between numbers and texts ----------------------------------------------------
    @abstractmethod
    def _make_controls(self, names: list[str]) -> SharedControls: ...

    @abstractmethod
    def _make_canvas(self) -> Any:
        """Return the widget that shows the picture."""

    @abstractmethod
    def _draw(self, state: State, *options: str) -> None: ...

    @abstractmethod
    def _figure(self) -> Figure:
        """Return the present picture as a new figure, made without pyplot."""

    @abstractmethod
    def _static_picture(self) -> tuple[str, str, str]:
        """Return the first picture as HTML, its title and the sentence about it."""

    @abstractmethod
    def _flip(self) -> None: ...

    @abstractmethod
    def _display_options(self) -> tuple[str, ...]:
        """Return what the controls say about the picture at this moment, colours last."""

    def _least(self, state: State, colours: str) -> float:
        """Return the SHAP value that the strongest colours reach to at least."""
        return self.core.limit(state.sample) if colours == COLOURS[0] else 0.0

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        controls = self.controls
        self._on_change(
            {
                controls.way: self._next_sample,
                controls.sample: self._go_to_name,
                controls.colours: self._update,
            }
        )
        self._on_click(
            {
                controls.next: lambda: self._next_sample(controls.way.value),
                controls.undo: lambda: self._move_to(undone(self.state)),
                controls.redo: lambda: self._move_to(redone(self.state)),
                controls.reset: lambda: self._move_to(reset(self.state)),
                controls.pin: lambda: self._move_to(pinned(self.state)),
                controls.unpin: lambda: self._move_to(unpinned(self.state)),
                controls.flip: self._flip,
                controls.save: self._save,
            }
        )

    def _next_sample(self, way: str) -> None:
        self.go_to(pick(self.core.order(way, self.state), self.state.sample))

    def _go_to_name(self, name: str) -> None:
        self.go_to(self.core.sample_called(name))

    def go_to(self, sample: int) -> None:
        """Show another sample, by its position, as it was recorded."""
        if sample != self.state.sample:
            self._move_to(State(int(sample)))

    def _move_to(self, state: State, mover: Any = None) -> None:
        """Show another state; `mover` is the slider or text whose moves in a row are one deed."""
        self.core.edited(state)  # raises for an impossible change, before anything is shown of it
        self.state, self._last = state, (mover, monotonic())
        self._update()

    def _continues(self, mover: Any) -> bool:
        """Return whether a move belongs to the last deed: the same drag, or word that is typed."""
        last, when = self._last
        return mover is not None and last is mover and monotonic() - when < _PAUSE

    def _update(self, _: Any = None) -> None:
        """Set the controls to the state at once; let the worker compute numbers and picture."""
        self._show_state()
        state, options = self.state, self._display_options()

        def work(version: int) -> None:
            self._show_numbers(state)
            if self._seconds > _SLOW:
                if not self._worker.is_newest(version):
                    return
                self.status.value = as_html("SHAP values are being computed ...", "status")
            start = perf_counter()
            self._draw(state, *options)
            self._seconds = perf_counter() - start
            self.status.value = as_html(self.core.answer(state).caution, "warning")

        self._in_worker(work)

    def _save(self) -> None:
        folder = self.controls.folder.value or "."
        if Path(folder).is_file():
            raise Refused(f"Nothing was saved: {folder} is a file. Give the name of a folder.")
        try:
            picture, file = self.save(folder)
        except OSError as error:
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            raise Refused(f"Nothing was saved in {folder}: {cause.strerror}.") from error
        self._note(self.controls.save, f"Saved {picture} and {file.name}")

    # -- from states to what is seen ---------------------------------------------------------------
    def _show_state(self) -> None:
        with self._following():
            self.controls.follow(self.core, self.state)
        self._live.readings = self.controls.readings()

    def _show_numbers(self, state: State) -> None:
        self.live.value = as_html(self.core.glance(state), "live")
        self.warning.value = as_html(self.core.warning(state), "warning")
