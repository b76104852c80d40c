"""The explorer: controls bound to the pure functions that compute what they show."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .controls import as_html, make_controls
from .frame import BaseExplorer
from .pictures import Picture
from .state import Edit, State, changed
from .static import framed, picture_html
from .view import heading, sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Explorer(BaseExplorer):
    """A widget that shows one sample of numbers and what its changes do. See `explore`.

    Attributes
    ----------
    state : State
        The sample and its changes: plain, frozen data.
    widget : ipywidgets.VBox
    """

    _picture: Picture | None = None
    _kind = "sample"

    # -- the picture -------------------------------------------------------------------------------
    def _make_controls(self, names: list[str]) -> Any:
        return make_controls(self.core, self.state.sample, names)

    def _make_canvas(self) -> Any:
        import ipywidgets

        self.image = self._canvas = ipywidgets.Image(format="png")
        return framed(self.image)

    def _begin_with(self) -> None:
        """Choose what is sure to matter when the slider is moved first."""
        self.controls.variable.value, step = self.core.striking(self.state)
        self.controls.first.value = self.controls.last.value = step

    def _wishes(self) -> Any:
        """Return what the controls say about the picture; later they may say something else."""
        return self.controls.variable.value, self.controls.lower.value

    def _draw(self, state: State, wishes: Any) -> None:
        variable, lower = wishes
        view = self.core.view(state, variable)
        with self.core.lock:
            if self._picture is None or not self._picture.fits(view, lower):
                self._picture = Picture(view, lower, headed=False)
            else:
                self._picture.update(view)
            png = self._picture.png()
        width, height = self._picture.size
        self.image.width, self.image.height = str(width), str(height)
        self.image.value = png
        self._say(sentence(view))

    def _figure(self) -> Figure:
        view = self.core.view(self.state, self.controls.variable.value)
        return Picture(view, self.controls.lower.value).figure

    def _static(self) -> tuple[str, str, str]:
        """Return the first picture as HTML, its title and its words."""
        if self._picture is None:
            raise RuntimeError("Expected a picture to be drawn first; there is none.")
        view = self._picture.view
        words = sentence(view)
        return picture_html(self._picture.png(level=9), words), heading(view), words

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        super()._bind()
        own = self.controls
        self._hear(
            {
                own.variable: self._look,
                own.lower: self._look,
                own.first: self._begin,
                own.last: self._end,
                own.value: lambda position: self._set(own.read(own.value, position)),
                own.number: self._set,
            }
        )
        for name, controls in own.facts.items():
            self._hear({control: partial(self._set_fact, name, control) for control in controls})
        self._click({own.missing: lambda: self._set(None)})

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

    def _flip(self) -> None:
        name = self.controls.variable.value
        first, last = self.controls.chosen_steps
        found = self.core.flip(self.state, name, range(first, last + 1))
        if found.value is not None:
            self._move_to(changed(self.state, Edit(name, found.value, self.controls.chosen_steps)))
            self.wait()
        self.status.value = as_html(str(found), "status")
