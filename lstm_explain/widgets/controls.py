"""The controls of the explorers: sliders, boxes, lists and buttons, without their actions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as w
import numpy as np
from matplotlib.ticker import MaxNLocator

from ..inspection.counterfactual import is_measured, values_read
from ..sequences.step_names import step_names
from ..wording import label_of, told_apart
from .exploration import Exploration
from .pictures import COLOURS, LOWER
from .state import State

# A fact with at most this many different values in the training data is chosen from a list.
_MOST_OPTIONS = 6


# What stands for the number of a variable that was not measured.
_MISSING = "missing"
# The browser's list of samples to choose from is no longer than this.
_MOST_SUGGESTED = 1000

# Layouts and styles. A row breaks where the window is narrow.
ROW = {"flex_flow": "row wrap", "align_items": "center"}
WIDE_LABEL = {"description_width": "initial"}
_FIT = {"width": "auto", "max_width": "100%"}
_SPACED = {**_FIT, "margin": "2px 14px 2px 2px"}


class SharedControls(ABC):
    """The controls of every explorer, for a data set; `follow` sets what they show of a sample.

    `names` holds what a screen reader says for each slider, by a CSS class of the slider; `notes`
    the line beside each control in which its effect is told.
    """

    def __init__(self, core: Exploration, sample: int, ways: list[str]) -> None:
        self.names: dict[str, str] = {}
        self.notes: dict[Any, Any] = {}
        self.way = _list("or the", ways)
        self.next = _button("Next", "The next sample in this order")
        self.sample = w.Combobox(
            value=core.names[sample], options=core.names[:_MOST_SUGGESTED], description="Sample",
            continuous_update=False, style=WIDE_LABEL, layout={"width": "150px"},
        )  # fmt: skip
        self.undo = _button("Undo", "Take the last change back")
        self.redo = _button("Redo", "Make again the change that was taken back")
        self.reset = _button("Reset", "Back to the sample as it was recorded")
        self.pin = _button("Pin", "Compare with the present state from now on")
        self.unpin = _button("Unpin", "Compare with the sample as recorded again")
        self.flip = _button(
            "Smallest change that flips", "Of the chosen variable, at the chosen steps"
        )
        self.colours = _list("Colours", COLOURS)
        self.warning = w.HTML()
        self.folder = w.Text(
            value="exploration", description="Folder", style=WIDE_LABEL, layout={"width": "200px"}
        )
        self.save = _button("Save", "Write the picture as PNG and the explanation as netCDF")

    def group(
        self, title: str, *rows: Sequence[Any], width: int = 200, below: Sequence[Any] = ()
    ) -> Any:
        """Put rows of controls, which break where there is no room, above their note."""
        note = w.HTML()
        self.notes |= {control: note for row in rows for control in row}
        head = [w.HTML(f'<b style="line-height:1.4">{title}</b>')] if title else []
        boxes = [w.HBox(list(row), layout=ROW) for row in rows]
        layout = {"flex": f"1 1 {width}px", "max_width": "100%", "margin": "0 8px 0 0"}
        return w.VBox([*head, *boxes, note, *below], layout=layout)

    @abstractmethod
    def box(self) -> list[Any]:
        """Return the rows of controls, each of which breaks where the window is narrow."""

    def readings(self) -> dict[str, str]:
        """Return what a screen reader says for the position of each slider, by its class."""
        return {}

    def follow(self, core: Any, state: State) -> None:
        """Set every control to what a state says."""
        self.sample.value = core.names[state.sample]
        self.undo.disabled = not state.past
        self.redo.disabled = not state.future
        self.reset.disabled = not state.edits
        self.unpin.disabled = state.pinned is None


class Controls(SharedControls):
    """The controls of the explorer of numbers.

    Sliders count; `ladders` holds the value at each of their positions. A slider of numbers would
    be rounded by the page in its own way, and the rounded value reported as the user's. Numbers are
    typed as text, so that a box can be empty, and what is no number can be answered.
    """

    def __init__(self, core: Exploration, sample: int, ways: list[str]) -> None:
        super().__init__(core, sample, ways)
        self.ladders: dict[Any, np.ndarray] = {}
        self.facts: dict[str, list[Any]] = {}
        training = core.training.display_static
        for position, name in enumerate(core.data.static_names):
            unit = core.data.static_units[position]
            label = f"{name} [{unit}]" if unit else name
            values = np.unique(training[:, position]) if training is not None else np.zeros(0)
            codes = core.data.labels.get(name, {})
            if not codes and set(values.tolist()) <= {0.0, 1.0}:
                self.facts[name] = [w.Checkbox(description=label, indent=False, layout=_SPACED)]
            elif len(values) <= _MOST_OPTIONS:
                numbers = zip(told_apart(values, digits=4), values.tolist(), strict=True)
                options = [(label_of(value, codes) or text, value) for text, value in numbers]
                self.facts[name] = [_list(label, options)]
            else:
                # The label names the slider; the box beside it says so to those who do not see it.
                self.facts[name] = [
                    self._slider(label, ladder(*core.familiarity.ranges[name])),
                    _number_box(f"{label}, number"),
                ]
        end = int(core.data.lengths[sample]) - 1
        steps = [(text, step) for step, text in enumerate(step_names(core.data[sample]))]
        self.variable = _list("Variable", core.variables)
        self.first, self.last = _list("from", steps, value=end), _list("to", steps, value=end)
        self.unit = w.Label(core.data.time_name)
        self.value = self._slider("Value", np.zeros(1))
        self.number = _number_box("Value, number")
        self.value_unit = w.Label()
        self.missing = _button("Make it missing", "As if it had not been measured at these steps")
        self.flip_any = _button(
            "... of any variable", "Of all variables, each alone, at the chosen steps"
        )
        self.lower = _list("Second map", LOWER)

    def _slider(self, label: str, values: np.ndarray) -> Any:
        """Make a slider with a class by which its handle is found, and its accessible name."""
        slider = w.IntSlider(
            min=0, max=max(len(values) - 1, 1), description=label, style=WIDE_LABEL,
            readout=False, layout={"flex": "1 1 140px", "width": "auto"},
        )  # fmt: skip
        css_class = f"lstm-explain-slider-{len(self.names)}"
        slider.add_class(css_class)
        self.names[css_class], self.ladders[slider] = label, values
        return slider

    def box(self) -> list[Any]:
        """Return the groups of controls."""
        facts = [many for many in self.facts.values() if len(many) > 1]
        facts.append([one for one, *more in self.facts.values() if not more])
        steps = [self.first, self.last, self.unit]
        value = [self.value, self.number, self.value_unit]
        change = [[self.variable], steps, value, [self.missing]]
        undo = [self.undo, self.redo, self.reset, self.pin, self.unpin]
        return [
            self.group("Sample", [self.sample, self.next, self.way]),
            self.group("Change", *change, width=280),
            self.group("", [self.flip, self.flip_any], width=280, below=[self.warning]),
            *([self.group("Facts", *facts)] if self.facts else []),
            self.group("Compare", undo, [self.lower, self.colours]),
            self.group("Save", [self.folder, self.save]),
        ]

    @property
    def selected_steps(self) -> tuple[int, int]:
        """First and last of the steps that a change is made to."""
        return int(self.first.value), int(self.last.value)

    def readings(self) -> dict[str, str]:
        """Return what a screen reader says for the position of each slider, by its class."""
        return {
            name: told_apart(self.ladders[slider])[slider.value]
            if slider is not self.value or self.number.value
            else _MISSING
            for name, slider in zip(self.names, self.ladders, strict=True)
        }

    def follow(self, core: Exploration, state: State) -> None:
        """Set every control to what a state says."""
        super().follow(core, state)
        name, sample = self.variable.value, core.edited(state)
        end = int(sample.lengths[0]) - 1
        first, last = (min(step, end) for step in self.selected_steps)
        options = tuple((text, step) for step, text in enumerate(step_names(sample)))
        for control, step in ((self.first, first), (self.last, last)):
            with control.hold_sync():
                if options != control.options:
                    control.options = options
                control.value = step
        values = values_read(sample, name, range(first, last + 1))
        value = float(np.mean(values))
        self.ladders[self.value] = ladder(*core.familiarity.ranges[name])
        self._set(self.value, value)
        self._set(self.number, value)
        if not is_measured(sample, name)[first : last + 1].any():
            self.number.value = ""  # the model reads another number there, which is not this one's
        is_mean = self.number.value and np.ptp(values) > 1e-6 * np.abs(values).max()
        self.value_unit.value = f"{core.unit(name)}{' (mean)' * bool(is_mean)}"
        for fact, controls in self.facts.items():
            for control in controls:
                self._set(control, float(values_read(sample, fact, None)[0]))
        self.missing.disabled = not core.data.variables

    def _set(self, control: Any, value: float) -> None:
        """Set a slider, list or check box to its value nearest to this one, a box to any value."""
        if isinstance(control.value, bool):
            control.value = value > 0.5
        elif hasattr(control, "options"):
            options = [option for _, option in control.options]
            control.value = min(options, key=lambda option: abs(option - value))
        elif control in self.ladders:
            values = self.ladders[control]
            # In one message: told the end alone, a page would move the slider and report that.
            with control.hold_sync():
                control.max = max(len(values) - 1, 1)
                control.value = int(np.abs(values - value).argmin())
                control.disabled = len(values) < 2
        else:
            control.value = f"{np.float32(value):.7g}"  # without the digits that float32 lacks


def _button(text: str, tooltip: str) -> Any:
    return w.Button(description=text, tooltip=tooltip, layout=_FIT)


def _number_box(name: str) -> Any:
    return w.Text(
        tooltip=name, placeholder=_MISSING, continuous_update=False, layout={"width": "80px"}
    )


def _list(label: str, options: Sequence[Any], **settings: Any) -> Any:
    return w.Dropdown(options=options, description=label, style=WIDE_LABEL, layout=_FIT, **settings)


def ladder(low: float, high: float) -> np.ndarray:
    """Return round values from low to high, both included, for the positions of a slider.

    Examples
    --------
    >>> ladder(0.53, 12.6)[[0, 1, 2, -2, -1]].tolist()
    [0.53, 0.6, 0.7, 12.5, 12.6]
    """
    if not np.isfinite([low, high]).all():  # never measured: there is nothing to choose among
        return np.zeros(1)
    # About a hundred of them.
    ticks = MaxNLocator(133, steps=[1, 2, 5, 10]).tick_values(low, high)
    rounded = np.array([float(f"{tick:.10g}") for tick in ticks])
    return np.unique([low, *rounded[(rounded > low) & (rounded < high)], high])


def as_html(text: str, kind: str) -> str:
    """Return text from data as a line of HTML, escaped: "live", "warning" or "status".

    Examples
    --------
    >>> as_html("a < b", "status")
    '<div role="status" class="lstm-explain-status" style="line-height:1.4">a &lt; b</div>'
    """
    looks = {
        "live": "font-weight:bold;font-size:115%;line-height:1.4",
        "warning": "line-height:1.4;border-left:4px solid #b0309a;padding-left:8px",
        "status": "line-height:1.4",
    }
    if not text:
        return ""
    head = f'<div role="status" class="lstm-explain-{kind}" style="{looks[kind]}">'
    return f"{head}{escape(text)}</div>"
