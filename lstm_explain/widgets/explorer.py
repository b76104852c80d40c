"""``explore``: change a model's inputs by hand and watch prediction, attention and SHAP values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..inspection.outputs import Scale
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN
from .controls import as_html, make_controls
from .exploration import Exploration
from .frame import BaseExplorer
from .page import framed, guard_figures, picture_html
from .pictures import Picture
from .state import Edit, State, changed
from .text_explorer import TextExploration, TextExplorer
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


def explore(
    model: Any,
    data: SequenceData,
    background: Any = None,
    *,
    sample: int = 0,
    output: int | str | None = None,
    scale: Scale = "margin",
    tolerance: float = 0.1,
    training: SequenceData | None = None,
    guard: bool = True,
) -> Explorer | TextExplorer:
    """Show a widget in which inputs are changed by hand, beside what that does to the prediction.

    Choose a sample, a variable and steps; move the slider or type a number. The picture shows data,
    attention and SHAP values before (grey) and now (dark) on one time axis. Of a text: type another
    sentence, or switch single words off. A line warns where the changed input is unlike anything in
    the training data. What the model would have said is not what would have happened.

    Where no kernel runs, a static picture of the first view stands in the widget's place. No other
    cell should depend on what was done here: `Explorer.save` keeps it.

    Parameters
    ----------
    model : keras.Model
        As in `explain`.
    data : SequenceData
        Samples to choose from, usually ``data.test``: numbers without missing values, or texts.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; not needed for texts.
    sample : int
        The sample that is shown first.
    output, scale : as in `explain`
    tolerance : float
        As in `explain`, but coarser by default, so that the picture follows the hand.
    training : SequenceData, optional
        What the ranges of the sliders and the warnings are learned from; by default the background
        where it is a SequenceData, else `data`.
    guard : bool
        Let matplotlib's IPython hooks run on the main thread only. Without it, JupyterLab 4.4 and
        later can spoil the figures of a cell that plots while a slider is moved. Stays on for the
        kernel's life; `widget_guard.release_figures` takes it off.

    Returns
    -------
    Explorer or TextExplorer
        The last expression of a cell shows it.

    Raises
    ------
    TypeError, ValueError
        `data` is no SequenceData, or has no such sample or no vocabulary; what `explain` raises.

    Examples
    --------
    >>> explore(run.model, data.test, background=data.train)  # doctest: +SKIP
    """
    if not isinstance(data, SequenceData):
        raise TypeError(
            f"Expected SequenceData, whose names and units the widget shows; received "
            f"{type(data).__name__}. Make it with SequenceData.from_arrays(values)."
        )
    if not 0 <= sample < len(data):
        raise ValueError(
            f"Expected a sample from 0 to {len(data) - 1}; received {sample}. Counting begins at 0."
        )
    if data.tokens is not None and UNKNOWN not in data.vocabulary:
        raise ValueError(
            "Expected texts with a vocabulary; received token ids without one. Make them with "
            "SequenceData.from_texts, so that their words can be shown and changed."
        )
    if guard:
        from IPython import get_ipython

        guard_figures(get_ipython())
    options = (background, output, scale, tolerance, training)
    if data.tokens is not None:
        return TextExplorer(TextExploration(model, data, *options), sample)
    return Explorer(Exploration(model, data, *options), sample)
