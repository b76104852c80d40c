"""``explore``: change a model's inputs and see prediction, attention and SHAP values follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from ..arguments import check_flag, check_number, check_type, check_whole
from ..inspection.outputs import Scale
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from ..sequences.words import UNKNOWN
from .controls import Controls, as_html
from .exploration import Exploration
from .frame import BaseExplorer
from .page import framed, picture_html
from .pictures import Picture
from .state import Edit, State, changed
from .text_explorer import TextExploration, TextExplorer
from .view import heading, sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Explorer(BaseExplorer):
    """A widget that shows one sample of numbers and the effect of changes to it. See `explore`.

    Attributes
    ----------
    state : State
        The sample and its changes, as immutable data.
    widget : ipywidgets.VBox
    """

    core: Exploration
    controls: Controls
    _picture: Picture | None = None
    _kind = "sample"

    # -- the picture -------------------------------------------------------------------------------
    def _make_controls(self, names: list[str]) -> Controls:
        controls = Controls(self.core, self.state.sample, names)
        # So that the first move of the slider has an effect.
        controls.variable.value, step = self.core.striking(self.state)
        controls.first.value = controls.last.value = step
        return controls

    def _make_canvas(self) -> Any:
        self.image = w.Image(format="png")
        return framed(self.image)

    def _display_options(self) -> tuple[str, ...]:
        return self.controls.variable.value, self.controls.lower.value

    def _draw(self, state: State, *options: str) -> None:
        variable, lower = options
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
        variable, lower = self._display_options()
        return Picture(self.core.view(self.state, variable), lower).figure

    def _static_picture(self) -> tuple[str, str, str]:
        if self._picture is None:
            raise RuntimeError("Expected a picture to be drawn first; there is none.")
        view = self._picture.view
        words = sentence(view)
        return picture_html(self._picture.png(level=9), words), heading(view), words

    # -- from controls to states -------------------------------------------------------------------
    def _bind(self) -> None:
        super()._bind()
        controls = self.controls
        self._on_change(
            {
                controls.variable: self._update,
                controls.lower: self._update,
                controls.first: partial(self._take_along, controls.last, max),
                controls.last: partial(self._take_along, controls.first, min),
                controls.value: lambda at: self._set_value(controls.read(controls.value, at)),
                controls.number: self._set_value,
            }
        )
        for name, fact_controls in controls.facts.items():
            self._on_change({fact: partial(self._set_fact, name, fact) for fact in fact_controls})
        self._on_click({controls.missing: lambda: self._set_value(None)})

    def _set_value(self, value: float | None) -> None:
        name = self.controls.variable.value
        self._move_to(changed(self.state, Edit(name, value, self.controls.chosen_steps)))

    def _set_fact(self, name: str, control: Any, value: Any) -> None:
        value = float(self.controls.read(control, value))
        self._move_to(changed(self.state, Edit(name, value)))

    def _take_along(self, other: Any, limit: Callable[[int, int], int], step: int) -> None:
        """Move the other end of the steps along where it would be on the wrong side of this one."""
        with self._following():
            other.value = limit(step, other.value)
        self._show_state()

    def _flip(self) -> None:
        first, last = self.controls.chosen_steps
        name = self.controls.variable.value
        flip = self.core.flip(self.state, name, range(first, last + 1))
        if flip.value is not None:
            self._set_value(flip.value)
            self.wait()
        self.status.value = as_html(str(flip), "status")


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
    inputs: Mapping[Role, str] | None = None,
    guard: bool = True,
) -> Explorer | TextExplorer:
    """Show a widget in which the user changes a sample and sees what the model makes of it.

    Choose a sample, a variable and steps; move the slider or type a number. The picture shows data,
    attention and SHAP values before (grey) and now (dark) on one time axis. Of a text: type another
    sentence, or switch single words off. A line warns where the changed input is unlike anything in
    the training data. What the model would have said is not what would have happened.

    Where no kernel runs, a static picture of the first view is shown instead. No other cell should
    depend on what was done here: `Explorer.save` keeps it.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData
        Samples to choose from, usually ``data.test``: numbers without missing values, or texts.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; not needed for texts.
    sample : int
        The sample that is shown first.
    output : int, str or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    tolerance : float
        Bound on the gap, relative to the spread of predictions, and on the estimated error of the
        values. Coarser than that of `explain`, so that the picture keeps up with the slider.
    training : SequenceData, optional
        The ranges of the sliders and the warnings are those of these data; by default the
        background where it is a SequenceData, else `data`.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    guard : bool
        Let Matplotlib's IPython hooks run on the main thread only. Without it, JupyterLab 4.4 and
        later can spoil the figures of a cell that plots while a slider is moved. It stays on until
        the kernel ends, or ``lstm_explain.widgets.page.release_figures`` is called.

    Returns
    -------
    Explorer or TextExplorer
        The last expression of a cell shows it.

    Raises
    ------
    TypeError, ValueError
        `data` is not a SequenceData, or has no such sample or no vocabulary, or `explain`
        refuses an option.

    Examples
    --------
    >>> explore(run.model, data.test, background=data.train)  # doctest: +SKIP
    """
    if not isinstance(data, SequenceData):
        raise TypeError(
            f"Expected SequenceData, whose names and units the widget shows; received "
            f"{type(data).__name__}. Make it with SequenceData.from_arrays(values)."
        )
    check_whole(most=len(data) - 1, remedy="Counting begins at 0.", sample=sample)
    check_number(above=0, remedy="Try 0.1.", tolerance=tolerance)
    check_flag(guard=guard)
    check_type(SequenceData, "Pass data.train.", optional=True, training=training)
    if data.tokens is not None and UNKNOWN not in data.vocabulary:
        raise ValueError(
            "Expected texts with a vocabulary; received token ids without one. Make them with "
            "SequenceData.from_texts, so that their words can be shown and changed."
        )
    options = (background, output, scale, tolerance, training, inputs)
    if data.tokens is not None:
        return TextExplorer(TextExploration(model, data, *options), sample, guard)
    return Explorer(Exploration(model, data, *options), sample, guard)
