"""What all widgets have in common: box, static picture, worker, status line; and an explorer."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
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
from .controls import ROW, SharedControls, as_html
from .exploration import Exploration, ways
from .state import State, pick, pinned, reset, undone, unpinned
from .worker import Newest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Seconds. If the last picture took longer, one that is already out of date is not computed.
_SLOW = 0.3


class Frame:
    """A box of controls with a picture and a status line, shown beside a static picture.

    A subclass draws its first picture in its ``__init__``, on the thread of the cell, and sets
    `_static` to that picture as HTML, its title and the sentence about it.

    Parameters
    ----------
    above, below : list of ipywidgets.Widget
        Rows above and below the sentence that describes the picture.
    names : dict of str
        Accessible names of the sliders, by a CSS class of each.
    guard : bool
        Whether Matplotlib's hooks are kept off the threads that serve widgets.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    _static: tuple[str, str, str]

    def __init__(self, above: list[Any], below: list[Any], names: dict[str, str], guard: bool):
        if guard:
            page.guard_figures(IPython.get_ipython())
        self._worker = Newest()
        # Whether a thread is setting controls to a state; other threads may hear the user.
        self._thread = threading.local()
        self._scope = f"lstm-explain-{uuid4().hex[:12]}"
        self.words, self.status = w.HTML(), w.HTML()
        rows = [*above, self.words, *below, self.status, page.hide(self._scope)]
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

        def act(action: Callable[[Any], None], event: Any) -> None:
            if not getattr(self._thread, "follows", False):
                action(event.new)

        for control, action in actions.items():
            control.observe(self._reporting(partial(act, action)), names="value")

    def _on_click(self, actions: dict[Any, Callable[[], None]]) -> None:
        """Call the action of a button when it is pressed."""

        def act(action: Callable[[], None], _: Any) -> None:
            action()

        for button, action in actions.items():
            button.on_click(self._reporting(partial(act, action)))

    def _in_worker(self, action: Callable[[int], None]) -> None:
        """Call an action with its version number in the worker, unless a newer one replaces it."""
        self._worker.submit(self._reporting(action))

    def _reporting(self, action: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return the action with its errors on the status line; otherwise they would be lost."""

        def act(event: Any) -> None:
            try:
                action(event)
            except Exception as error:
                self.status.value = as_html(f"{type(error).__name__}: {error}", "warning")

        return act

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

    def __init__(self, core: Exploration, sample: int, guard: bool) -> None:
        self.core, self.state = core, State(sample)
        self._seconds = 0.0  # that the last picture took
        self.controls = self._make_controls(ways(core.question(sample), core.data))
        self.live, self.warning = w.HTML(), w.HTML()
        above = [*self.controls.box(), self.live, self.warning, self._make_canvas()]
        below = [w.HBox([self.controls.folder, self.controls.save], layout=ROW)]
        super().__init__(above, below, self.controls.names, guard)
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
        """Write the present picture as PNG, its `Explanation` as netCDF; return the paths."""
        folder = as_path(folder, folder=True, name="folder")
        name = f"{self._kind}_{self.state.sample}{'_changed' if self.state.edits else ''}"
        picture, file = folder / f"{name}.png", folder / f"{name}.nc"
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

    def _display_options(self) -> tuple[str, ...]:
        """Return what the controls say about the picture at this moment, for `_draw`."""
        return ()

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        controls = self.controls
        self._on_change({controls.way: self._next_sample, controls.sample: self._go_to})
        self._on_click(
            {
                controls.next: lambda: self._next_sample(controls.way.value),
                controls.undo: lambda: self._move_to(undone(self.state)),
                controls.reset: lambda: self._move_to(reset(self.state)),
                controls.pin: lambda: self._move_to(pinned(self.state)),
                controls.unpin: lambda: self._move_to(unpinned(self.state)),
                controls.flip: self._flip,
                controls.save: self._save,
            }
        )

    def _next_sample(self, way: str) -> None:
        self._go_to(pick(self.core.order(way, self.state), self.state.sample))

    def _go_to(self, sample: int) -> None:
        if sample != self.state.sample:
            self._move_to(State(int(sample)))

    def _move_to(self, state: State) -> None:
        self.core.edited(state)  # raises for an impossible change, before anything is shown of it
        self.state = state
        self._update()

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
        picture, file = self.save(self.controls.folder.value or ".")
        self.status.value = as_html(f"Saved {picture} and {file}", "status")

    # -- from states to what is seen ---------------------------------------------------------------
    def _show_state(self) -> None:
        with self._following():
            self.controls.follow(self.core, self.state)
        self._live.readings = self.controls.readings()

    def _show_numbers(self, state: State) -> None:
        self.live.value = as_html(self.core.glance(state), "live")
        unlike = "; ".join(self.core.warnings(state))
        self.warning.value = as_html(unlike and self.core.unlike.format(unlike), "warning")
