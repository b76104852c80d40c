"""The explorer: controls bound to the pure functions that compute what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

from . import widget_live
from .explanation import Explanation
from .figure_explore import Picture
from .sequences import SequenceData
from .widget_controls import as_html, make_controls
from .widget_core import Exploration
from .widget_ranking import ways
from .widget_state import Edit, State, changed, pick, pinned, reset, undone, unpinned
from .widget_static import framed, hide, show_both
from .widget_view import View, heading, sentence
from .widget_worker import Newest

# Seconds. Above this, pictures that are out of date already are not computed.
_SLOW = 0.3


class Explorer:
    """A widget that shows one sample of a data set and what its changes do. See `explore`.

    Attributes
    ----------
    state : State
        The sample and its changes: plain, frozen data.
    widget : ipywidgets.VBox
    """

    def __init__(self, core: Exploration, sample: int) -> None:
        import ipywidgets

        self.core, self.state = core, State(sample)
        self._quiet = False
        self._worker = Newest()
        self._seconds = 0.0
        self._picture: Picture | None = None
        question = core.inquiry(self.state).question
        self.controls = make_controls(core, sample, ways(question, core.data))
        self._scope = f"lstm-explain-{uuid4().hex[:12]}"
        self.live = ipywidgets.HTML()
        self.warning = ipywidgets.HTML()
        self.words = ipywidgets.HTML()
        self.status = ipywidgets.HTML()
        self.image = ipywidgets.Image(format="png")
        rows = [
            *self.controls.box(), self.live, self.warning, framed(self.image), self.words,
            ipywidgets.HBox(
                [self.controls.folder, self.controls.save],
                layout=ipywidgets.Layout(flex_flow="row wrap"),
            ),
            self.status, hide(self._scope),
        ]  # fmt: skip
        self._live: Any = None
        if widget_live.is_available():
            self._live = widget_live.make_live(self._scope, self.controls.names)
            rows.append(self._live)
        self.widget = ipywidgets.VBox(rows)
        self.widget.add_class(self._scope)
        # Where the first move of the slider is sure to matter.
        self.controls.variable.value, step = core.striking(self.state)
        self.controls.first.value = self.controls.last.value = step
        self._show_state()
        self._bind()
        # The first picture is drawn here, on the thread of the cell.
        self._show_numbers(self.state)
        view = core.view(self.state, self.controls.variable.value)
        drawn = self._show_picture(view, self.controls.lower.value)
        self._first = (drawn.png(level=9), heading(view), sentence(view))
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
        name = f"sample_{self.state.sample}{'_changed' if self.state.edits else ''}"
        picture, file = folder / f"{name}.png", folder / f"{name}.nc"
        with self.core.lock:
            view = self.core.view(self.state, self.controls.variable.value)
            drawing = Picture(view, self.controls.lower.value)
            drawing.figure.savefig(picture, dpi=160)
            self.explanation.save(file)
        return picture, file

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the picture shows the present state; tell whether it came to that in time."""
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End the worker and close all controls."""
        self._worker.close()
        for control in (*self.controls.every(), self.image, *self.widget.children, self.widget):
            control.close()

    def _ipython_display_(self) -> None:
        show_both(self.widget, self._scope, *self._first)

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        own = self.controls
        changes: dict[Any, Callable[[Any], None]] = {
            own.way: self._choose,
            own.sample: self._go_to,
            own.variable: self._look,
            own.lower: self._look,
            own.first: self._begin,
            own.last: self._end,
            own.value: lambda position: self._set(own.read(own.value, position)),
            own.number: self._set,
        }
        for name, controls in own.facts.items():
            changes |= {control: partial(self._set_fact, name, control) for control in controls}
        clicks: dict[Any, Callable[[], None]] = {
            own.next: lambda: self._choose(own.way.value),
            own.missing: lambda: self._set(None),
            own.undo: lambda: self._move_to(undone(self.state)),
            own.reset: lambda: self._move_to(reset(self.state)),
            own.pin: lambda: self._move_to(pinned(self.state)),
            own.unpin: lambda: self._move_to(unpinned(self.state)),
            own.flip: self._flip,
            own.save: self._save,
        }
        for control, change in changes.items():
            control.observe(self._heard(change), names="value")
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

    def _set(self, value: float | None) -> None:
        name = self.controls.variable.value
        self._move_to(changed(self.state, Edit(name, value, self.controls.chosen_steps)))

    def _set_fact(self, name: str, control: Any, value: Any) -> None:
        value = float(self.controls.read(control, value))
        self._move_to(changed(self.state, Edit(name, value)))

    def _begin(self, step: int) -> None:
        """Take another first step; the last one gives way."""
        with self._silently():
            self.controls.last.value = max(step, self.controls.last.value)
        self._show_state()

    def _end(self, step: int) -> None:
        """Take another last step; the first one gives way."""
        with self._silently():
            self.controls.first.value = min(step, self.controls.first.value)
        self._show_state()

    def _move_to(self, state: State) -> None:
        self.core.edited(state)  # raises before anything is shown of a change that cannot be made
        self.state = state
        self._look()

    def _look(self, _: Any = None) -> None:
        """Let controls and picture follow the state; what is computed comes from the worker."""
        self._show_state()
        state, variable, lower = self.state, self.controls.variable.value, self.controls.lower.value

        def work(version: int) -> None:
            try:
                self._show_numbers(state)
                if self._seconds > _SLOW:
                    if not self._worker.is_newest(version):
                        return
                    self.status.value = as_html("SHAP values are being computed ...", "status")
                start = perf_counter()
                self._show_picture(self.core.view(state, variable), lower)
                self._seconds = perf_counter() - start
                self.status.value = as_html(self.core.caution(state), "warning")
            except Exception as error:  # elsewhere it would be lost
                self._complain(error)

        self._worker.submit(work)

    def _flip(self) -> None:
        name = self.controls.variable.value
        first, last = self.controls.chosen_steps
        found = self.core.flip(self.state, name, range(first, last + 1))
        if found.value is not None:
            self._move_to(changed(self.state, Edit(name, found.value, self.controls.chosen_steps)))
            self.wait()
        self.status.value = as_html(str(found), "status")

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
        self.warning.value = as_html(
            f"Unlike anything in the training data: {unlike}. Trust neither the prediction nor its "
            "explanation." if unlike else "", "warning",
        )  # fmt: skip

    def _show_picture(self, view: View, lower: str) -> Picture:
        with self.core.lock:
            if self._picture is None or not self._picture.fits(view, lower):
                self._picture = Picture(view, lower, headed=False)
            else:
                self._picture.update(view)
            png = self._picture.png()
        words = sentence(view)
        if self._live is not None:
            self._live.words = words
        width, height = self._picture.size
        self.image.width, self.image.height = str(width), str(height)
        self.image.value = png
        self.words.value = as_html(words, "status")
        return self._picture

    def _complain(self, error: Exception) -> None:
        self.status.value = as_html(f"{type(error).__name__}: {error}", "warning")
