"""What every explorer has: a state, controls that follow it, a picture drawn by a worker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..attribution.explanation import Explanation
from ..sequences.data import SequenceData
from . import page
from .controls import as_html
from .exploration import Exploration, ways
from .page import hide, show_both
from .state import State, pick, pinned, reset, undone, unpinned
from .worker import Newest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Seconds. Above this, pictures that are out of date already are not computed.
_SLOW = 0.3


class BaseExplorer(ABC):
    """A widget that shows one sample of a data set and what its changes do.

    Attributes
    ----------
    state : State
        The sample and its changes: plain, frozen data.
    widget : ipywidgets.VBox
    """

    core: Any
    _canvas: Any
    _kind: str  # what the names of saved files begin with

    def __init__(self, core: Exploration, sample: int) -> None:
        import ipywidgets

        self.core, self.state = core, State(sample)
        self._quiet = False
        self._worker = Newest()
        self._seconds = 0.0
        question = core.inquiry(self.state).question
        self.controls = self._make_controls(ways(question, core.data))
        self._scope = f"lstm-explain-{uuid4().hex[:12]}"
        self.live = ipywidgets.HTML()
        self.warning = ipywidgets.HTML()
        self.words = ipywidgets.HTML()
        self.status = ipywidgets.HTML()
        rows = [
            *self.controls.box(), self.live, self.warning, self._make_canvas(), self.words,
            ipywidgets.HBox(
                [self.controls.folder, self.controls.save],
                layout=ipywidgets.Layout(flex_flow="row wrap"),
            ),
            self.status, hide(self._scope),
        ]  # fmt: skip
        self._live: Any = None
        if page.is_available():
            self._live = page.make_live(self._scope, self.controls.names)
            rows.append(self._live)
        self.widget = ipywidgets.VBox(rows)
        self.widget.add_class(self._scope)
        self._begin_with()
        self._show_state()
        self._bind()
        # The first picture is drawn here, on the thread of the cell.
        self._show_numbers(self.state)
        self._draw(self.state, self._wishes())
        self._first = self._static()
        self.status.value = as_html(core.caution(self.state), "warning")

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
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._kind}_{self.state.sample}{'_changed' if self.state.edits else ''}"
        picture, file = folder / f"{name}.png", folder / f"{name}.nc"
        with self.core.lock:
            self._figure().savefig(picture, dpi=160)
            self.explanation.save(file)
        return picture, file

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the picture shows the present state; tell whether it came to that in time."""
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End the worker and close all controls."""
        self._worker.close()
        for control in (*self.controls.every(), self._canvas, *self.widget.children, self.widget):
            control.close()

    def _ipython_display_(self) -> None:
        show_both(self.widget, self._scope, *self._first)

    # -- what each kind of data does in its own way ------------------------------------------------
    @abstractmethod
    def _make_controls(self, names: list[str]) -> Any: ...

    @abstractmethod
    def _make_canvas(self) -> Any: ...

    @abstractmethod
    def _draw(self, state: State, wishes: Any) -> None: ...

    @abstractmethod
    def _figure(self) -> Figure:
        """Return the present picture as a figure of its own, without pyplot."""

    @abstractmethod
    def _static(self) -> tuple[str, str, str]:
        """Return the first picture as HTML, its title and its words."""

    @abstractmethod
    def _flip(self) -> None: ...

    def _begin_with(self) -> None:  # noqa: B027  (nothing to do is a choice)
        """Set the controls to what is worth looking at first."""

    def _wishes(self) -> Any:
        """Return what the controls say about the picture; later they may say something else."""
        return None

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        own = self.controls
        self._hear({own.way: self._choose, own.sample: self._go_to})
        self._click(
            {
                own.next: lambda: self._choose(own.way.value),
                own.undo: lambda: self._move_to(undone(self.state)),
                own.reset: lambda: self._move_to(reset(self.state)),
                own.pin: lambda: self._move_to(pinned(self.state)),
                own.unpin: lambda: self._move_to(unpinned(self.state)),
                own.flip: self._flip,
                own.save: self._save,
            }
        )

    def _hear(self, changes: dict[Any, Callable[[Any], None]]) -> None:
        """Act on new values."""
        for control, change in changes.items():
            control.observe(self._heard(change), names="value")

    def _click(self, clicks: dict[Any, Callable[[], None]]) -> None:
        """Act on pressed buttons."""
        for control, press in clicks.items():
            control.on_click(self._pressed(press))

    def _heard(self, action: Callable[[Any], None]) -> Callable[[Any], None]:
        """Hear a new value: not while the controls follow a state; errors go to the status line."""

        def hear(event: Any) -> None:
            if self._quiet:
                return
            try:
                action(event.new)
            except Exception as error:  # elsewhere it would be lost
                self._complain(error)

        return hear

    def _pressed(self, action: Callable[[], None]) -> Callable[[Any], None]:
        """Hear a button; errors go to the status line."""

        def hear(_: Any) -> None:
            try:
                action()
            except Exception as error:  # elsewhere it would be lost
                self._complain(error)

        return hear

    @contextmanager
    def _silently(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _choose(self, way: str) -> None:
        order = self.core.order(way, self.state)
        self._go_to(pick(order, self.state.sample))

    def _go_to(self, sample: int) -> None:
        if sample != self.state.sample:
            self._move_to(State(int(sample)))

    def _move_to(self, state: State) -> None:
        self.core.edited(state)  # raises before anything is shown of a change that cannot be made
        self.state = state
        self._look()

    def _look(self, _: Any = None) -> None:
        """Let controls and picture follow the state; what is computed comes from the worker."""
        self._show_state()
        state, wishes = self.state, self._wishes()

        def work(version: int) -> None:
            try:
                self._show_numbers(state)
                if self._seconds > _SLOW:
                    if not self._worker.is_newest(version):
                        return
                    self.status.value = as_html("SHAP values are being computed ...", "status")
                start = perf_counter()
                self._draw(state, wishes)
                self._seconds = perf_counter() - start
                self.status.value = as_html(self.core.caution(state), "warning")
            except Exception as error:  # elsewhere it would be lost
                self._complain(error)

        self._worker.submit(work)

    def _save(self) -> None:
        picture, file = self.save(self.controls.folder.value or ".")
        self.status.value = as_html(f"Saved {picture} and {file}", "status")

    # -- from states to what is seen ---------------------------------------------------------------
    def _show_state(self) -> None:
        with self._silently():
            self.controls.follow(self.core, self.state)
        if self._live is not None:
            self._live.readings = self.controls.readings()

    def _show_numbers(self, state: State) -> None:
        glance = self.core.glance(state)
        self.live.value = as_html(glance.text, "live")
        unlike = "; ".join(glance.warnings)
        self.warning.value = as_html(unlike and self.core.unlike.format(unlike), "warning")

    def _say(self, words: str) -> None:
        """Write what the picture shows below it, and into its alternative text."""
        if self._live is not None:
            self._live.words = words
        self.words.value = as_html(words, "status")

    def _complain(self, error: Exception) -> None:
        self.status.value = as_html(f"{type(error).__name__}: {error}", "warning")
