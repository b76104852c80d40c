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
from .controls import Controls
from .exploration import Exploration
from .flips import flip_of, flip_of_any
from .frame import BaseExplorer
from .page import framed, picture_html
from .pictures import MAPS, PICTURE_WIDTH, Picture
from .state import Edit, State, changed
from .text_explorer import TextExploration, TextExplorer
from .touch import Panel, panel_at
from .view import heading, reading, sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..inspection.counterfactual import Flip


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
        return framed(self.image, PICTURE_WIDTH)

    def _display_options(self) -> tuple[str, ...]:
        controls = self.controls
        return controls.variable.value, controls.lower.value, controls.colours.value

    def _draw(self, state: State, *options: str) -> None:
        variable, lower, colours = options
        view = self.core.view(state, variable)
        with self.core.lock:
            least = self._least(state, colours)
            if self._picture is None or not self._picture.fits(view, lower, least):
                self._picture = Picture(view, lower, False, least)
            else:
                self._picture.update(view)
            png = self._picture.png()
        width, height = self._picture.size
        with self.image.hold_sync():  # else the old picture would be stretched for a moment
            self.image.width, self.image.height = str(width), str(height)
            self.image.value = png
        self.controls.lower.layout.display = None if view.differs else "none"
        self._mark()
        self._say(sentence(view))

    def _figure(self) -> Figure:
        variable, lower, colours = self._display_options()
        least = self._least(self.state, colours)
        return Picture(self.core.view(self.state, variable), lower, least=least).figure

    # -- what is touched ---------------------------------------------------------------------------
    def _mark(self) -> None:
        """Frame the selected steps of the selected variable in the picture."""
        if self._picture is None:
            return
        (first, last), view = self.controls.selected_steps, self._picture.view
        last = min(last, len(view.times) - 1)
        names = [name for name, _ in view.rows]
        row = names.index(view.variable) if view.variable in names else None
        self._live.marks = [
            panel.box(row or 0, min(first, last), last)
            for panel in self._picture.panels
            if row is not None or len(panel.rows) == 2
        ]

    def _hover(self, places: list[list[float]]) -> None:
        """Say what stands where the picture is pointed at, and frame what a drag would select."""
        touched = self._touched(places)
        if touched is None or self._picture is None:
            self._live.tip = {}
            return
        panel, row, first, last = touched
        text = reading(self._picture.view, panel.name, row, last)
        self._live.tip = {"text": text, "box": panel.box(row, min(first, last), max(first, last))}

    def _select(self, places: list[list[float]]) -> None:
        """Select the variable and the steps between two places of the picture."""
        touched = self._touched(places)
        if touched is None or self._picture is None:
            return
        panel, row, *steps = touched
        name, _ = self._picture.view.rows[row] if panel.name in MAPS else ("", "")
        controls = self.controls
        with self._following():
            controls.variable.value = name or controls.variable.value
            controls.first.value, controls.last.value = min(steps), max(steps)
        self._update()

    def _touched(self, places: list[list[float]]) -> tuple[Panel, int, int, int] | None:
        """Return the panel, row and step where a drag began, and the step where it is now."""
        if self._picture is None or not places:
            return None
        panel = panel_at(self._picture.panels, *places[0])
        if panel is None:
            return None
        row, first = panel.at(*places[0])
        return panel, row, first, panel.at(*places[min(1, len(places) - 1)])[1]

    def _static_picture(self) -> tuple[str, str, str]:
        if self._picture is None:
            raise RuntimeError("Expected a picture to be drawn first; there is none.")
        view = self._picture.view
        words = sentence(view)
        return picture_html(self._picture.png(level=9), words, PICTURE_WIDTH), heading(view), words

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
                controls.value: self._slide,
                controls.number: self._type,
            }
        )
        for name, fact_controls in controls.facts.items():
            self._on_change({fact: partial(self._set_fact, name, fact) for fact in fact_controls})
        self._on_click(
            {
                controls.missing: lambda: self._set_value(None),
                controls.flip_any: self._flip_any,
            }
        )

        self._on_page({"hover": self._hover, "selection": self._select})

    def _show_state(self) -> None:
        super()._show_state()
        self._mark()

    def _set_value(self, value: float | None, mover: Any = None) -> None:
        edit = Edit(self.controls.variable.value, value, self.controls.selected_steps)
        self._move_to(changed(self.state, edit, self._continues(mover)), mover)

    def _slide(self, position: int) -> None:
        slider = self.controls.value
        self._set_value(float(self.controls.ladders[slider][position]), slider)

    def _type(self, text: str) -> None:
        if not text.strip() and not self.controls.missing.disabled:
            self._set_value(None)
        else:
            self._set_value(self.core.accept(self.controls.variable.value, text))

    def _set_fact(self, name: str, control: Any, value: Any) -> None:
        mover = control if control in self.controls.ladders else None
        if mover is not None:
            value = self.controls.ladders[control][value]
        elif isinstance(value, str):
            value = self.core.accept(name, value)
        edit = Edit(name, float(value))
        self._move_to(changed(self.state, edit, self._continues(mover)), mover)

    def _take_along(self, other: Any, limit: Callable[[int, int], int], step: int) -> None:
        """Move the other end of the steps along where it would be on the wrong side of this one."""
        with self._following():
            other.value = limit(step, other.value)
        self._show_state()

    def _flip(self) -> None:
        first, last = self.controls.selected_steps
        flip = flip_of(self.core, self.state, self.controls.variable.value, range(first, last + 1))
        self._apply(flip if flip.value is not None else None, self.controls.flip, str(flip))

    def _flip_any(self) -> None:
        first, last = self.controls.selected_steps
        self._note(self.controls.flip_any, "Every variable is being tried ...")
        flip, words = flip_of_any(self.core, self.state, range(first, last + 1))
        self._apply(flip, self.controls.flip_any, words)

    def _apply(self, flip: Flip | None, control: Any, words: str) -> None:
        """Make a change that flips the decision, and tell of it."""
        if flip is not None:
            with self._following():
                self.controls.variable.value = flip.name
            self._set_value(flip.value)
        self._note(control, words)


def explore(
    model: Any,
    data: SequenceData,
    background: Any = None,
    *,
    sample: int | str = 0,
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
    sample : int or str
        Position or id of the sample that is shown first.
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
    if not isinstance(sample, str):
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
