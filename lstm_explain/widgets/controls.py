"""The controls of the explorer: sliders, boxes, lists and buttons, bound to nothing yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from ..inspection.counterfactual import values_read
from ..sequences.step_names import step_names
from .exploration import Exploration
from .pictures import LOWER
from .state import State

# A fact with at most so many different values in the training data is chosen from a list.
_FEW = 6


@dataclass
class Controls:
    """Every control by its name.

    `names` holds what a screen reader says for each slider, by a class of the slider. Sliders
    count; `ladders` holds the value at each of their positions. A slider of numbers would be
    rounded by the page in its own way, and the rounded value reported as if a hand had moved it.
    """

    way: Any
    next: Any
    sample: Any
    variable: Any
    first: Any
    last: Any
    unit: Any
    value: Any
    number: Any
    missing: Any
    facts: dict[str, list[Any]]
    undo: Any
    reset: Any
    pin: Any
    unpin: Any
    lower: Any
    flip: Any
    folder: Any
    save: Any
    names: dict[str, str] = field(default_factory=dict)
    ladders: dict[Any, np.ndarray] = field(default_factory=dict)

    def box(self) -> list[Any]:
        """Return the rows of controls, each of which breaks where the window is narrow."""
        rows = [
            in_row("Sample", [self.sample], [self.way, self.next]),
            in_row("Change", [self.variable], [self.first, self.last, self.unit]),
            in_row("", [self.value, self.number], [self.missing], [self.flip]),
        ]
        if self.facts:
            rows.append(in_row("Facts", *self.facts.values()))
        rows.append(
            in_row("Compare", [self.undo, self.reset], [self.pin, self.unpin], [self.lower])
        )
        return rows

    def every(self) -> list[Any]:
        """Return all controls."""
        own = [getattr(self, name) for name in self.__dataclass_fields__]
        facts = [control for controls in self.facts.values() for control in controls]
        return [*(control for control in own if not isinstance(control, dict)), *facts]

    @property
    def chosen_steps(self) -> tuple[int, int]:
        """First and last of the steps that a change is made to."""
        return int(self.first.value), int(self.last.value)

    def read(self, control: Any, value: Any) -> Any:
        """Return what a control says: of a slider, the value at its position."""
        return float(self.ladders[control][value]) if control in self.ladders else value

    def readings(self) -> dict[str, str]:
        """Return what a screen reader says for the position of each slider, by its class."""
        return {
            own: f"{self.read(slider, slider.value):g}"
            for own in self.names
            for slider in self.ladders
            if own in slider._dom_classes
        }

    def follow(self, core: Exploration, state: State) -> None:
        """Set every control to what a state says."""
        name, sample = self.variable.value, core.edited(state)
        end = int(sample.lengths[0]) - 1
        self.sample.value = state.sample
        first, last = (min(step, end) for step in self.chosen_steps)
        options = [(called, step) for step, called in enumerate(step_names(sample))]
        for control, step in ((self.first, first), (self.last, last)):
            with control.hold_sync():
                if tuple(options) != control.options:
                    control.options = options
                control.value = step
        value = float(np.mean(values_read(sample, name, range(first, last + 1))))
        self.ladders[self.value] = ladder(*core.familiarity.ranges[name])
        self._set(self.value, value)
        self._set(self.number, value)
        for fact, controls in self.facts.items():
            for control in controls:
                self._set(control, float(values_read(sample, fact, None)[0]))
        self.missing.disabled = not core.data.variables
        self.undo.disabled = not state.past
        self.reset.disabled = not state.edits
        self.unpin.disabled = state.pinned is None

    def _set(self, control: Any, value: float) -> None:
        """Set a slider, a list or a tick to the nearest value that it has, a box to any value."""
        if isinstance(control.value, bool):
            control.value = value > 0.5
        elif hasattr(control, "options"):
            known = [number for _, number in control.options]
            control.value = min(known, key=lambda number: abs(number - value))
        elif control in self.ladders:
            values = self.ladders[control]
            # In one message: told the end alone, a page would move the slider and report that.
            with control.hold_sync():
                control.max = max(len(values) - 1, 1)
                control.value = int(np.abs(values - value).argmin())
                control.disabled = len(values) < 2
        else:
            control.value = float(f"{value:.6g}")


def in_row(title: str, *groups: Sequence[Any]) -> Any:
    """Put groups of controls into a row with a title, which breaks between groups."""
    import ipywidgets

    head = ipywidgets.HTML(f"<b>{title}</b>", layout=ipywidgets.Layout(min_width="66px"))
    layout = ipywidgets.Layout(flex_flow="row wrap", align_items="center", width="100%")
    kept = ipywidgets.Layout(margin="0 16px 0 0", max_width="100%", align_items="center")
    boxes = [ipywidgets.HBox(list(group), layout=kept) for group in groups]
    return ipywidgets.HBox(
        [head, ipywidgets.HBox(boxes, layout=layout)],
        layout=ipywidgets.Layout(align_items="flex-start"),
    )


def shared_controls(core: Exploration, sample: int, ways: list[str]) -> dict[str, Any]:
    """Return the controls that every kind of data has, by their names."""
    import ipywidgets as w

    wide = {"description_width": "initial"}
    fit = w.Layout(width="auto", max_width="100%")

    def button(text: str, tooltip: str) -> Any:
        return w.Button(description=text, tooltip=tooltip, layout=fit)

    return {
        "way": w.Dropdown(options=ways, description="or the", style=wide, layout=fit),
        "next": button("Next", "The next sample in this order"),
        "sample": w.BoundedIntText(
            min=0, max=len(core.data) - 1, value=sample, description="Number", style=wide,
            layout=w.Layout(width="150px"),
        ),
        "undo": button("Undo", "Take the last change back"),
        "reset": button("Reset", "Back to the sample as it was recorded"),
        "pin": button("Pin", "Compare with the present state from now on"),
        "unpin": button("Unpin", "Compare with the sample as recorded again"),
        "flip": button(
            "Smallest change that flips it", "Of the chosen variable, at the chosen steps"
        ),
        "folder": w.Text(value="exploration", description="Folder", style=wide,
                         layout=w.Layout(width="220px")),
        "save": button("Save", "Write the picture as PNG and the explanation as netCDF"),
    }  # fmt: skip


def make_controls(core: Exploration, sample: int, ways: list[str]) -> Controls:
    """Make the controls for a data set, set to nothing in particular."""
    import ipywidgets as w

    names: dict[str, str] = {}
    ladders: dict[Any, np.ndarray] = {}
    wide = {"description_width": "initial"}
    slider = w.Layout(width="340px", max_width="100%")
    small = w.Layout(width="110px")
    fit = w.Layout(width="auto", max_width="100%")

    def slide(label: str, values: np.ndarray) -> Any:
        """Make a slider with a class by which its handle is found, and its accessible name."""
        made = w.IntSlider(
            min=0, max=max(len(values) - 1, 1), description=label, style=wide, readout=False,
            layout=slider,
        )  # fmt: skip
        own = f"lstm-explain-slider-{len(names)}"
        made.add_class(own)
        names[own], ladders[made] = label, values
        return made

    facts: dict[str, list[Any]] = {}
    training = core.training.display_static
    for position, name in enumerate(core.data.static_names):
        unit = core.data.static_units[position]
        label = f"{name} [{unit}]" if unit else name
        known = np.unique(training[:, position]) if training is not None else np.zeros(0)
        if set(known.tolist()) <= {0.0, 1.0}:
            facts[name] = [w.Checkbox(description=label, indent=False, layout=fit)]
        elif len(known) <= _FEW:
            options = [(f"{value:.4g}", float(value)) for value in known]
            facts[name] = [w.Dropdown(options=options, description=label, style=wide, layout=fit)]
        else:
            # The label names the slider; the box beside it says so to those who do not see it.
            facts[name] = [
                slide(label, ladder(*core.familiarity.ranges[name])),
                w.FloatText(tooltip=f"{label}, number", layout=small),
            ]
    end = int(core.data.lengths[sample]) - 1
    ends = [(called, step) for step, called in enumerate(step_names(core.data[sample]))]
    return Controls(
        **shared_controls(core, sample, ways),
        variable=w.Dropdown(
            options=core.variables, description="Variable", style=wide, layout=fit
        ),
        first=w.Dropdown(options=ends, value=end, description="from", style=wide,
                         layout=fit),
        last=w.Dropdown(options=ends, value=end, description="to", style=wide, layout=fit),
        unit=w.Label(core.data.time_name),
        value=slide("Value", np.zeros(1)),
        number=w.FloatText(tooltip="Value, number", layout=small),
        missing=w.Button(
            description="Make it missing", layout=fit,
            tooltip="As if it had not been measured at these steps",
        ),
        facts=facts,
        lower=w.Dropdown(
            options=LOWER, description="Lower map", style=wide, layout=fit
        ),
        names=names,
        ladders=ladders,
    )  # fmt: skip


def ladder(low: float, high: float) -> np.ndarray:
    """Return round values from low to high, both included, for the positions of a slider.

    Examples
    --------
    >>> ladder(0.53, 12.6)[[0, 1, 2, -2, -1]].tolist()
    [0.53, 0.6, 0.7, 12.5, 12.6]
    """
    if not np.isfinite([low, high]).all():  # never measured: there is nothing to choose among
        return np.zeros(1)
    step = step_of(low, high)
    inner = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    rounded = np.array([float(f"{value:.10g}") for value in inner])
    return np.unique([low, *rounded[(rounded > low) & (rounded < high)], high])


def step_of(low: float, high: float) -> float:
    """Return a round step of a slider, about a hundredth of its range.

    Examples
    --------
    >>> step_of(0.5, 12.6), step_of(0, 450), step_of(2, 2)
    (0.1, 5.0, 1.0)
    """
    if not high > low:
        return 1.0
    raw = (high - low) / 100
    power = 10.0 ** np.floor(np.log10(raw))
    return float(f"{power * next(m for m in (1, 2, 5, 10) if m * power >= raw * 0.75):.3g}")


def as_html(text: str, kind: str) -> str:
    """Return text from data as a line of HTML, escaped: "live", "warning" or "status".

    Examples
    --------
    >>> as_html("a < b", "status")
    '<div role="status" style="line-height:1.4">a &lt; b</div>'
    """
    looks = {
        "live": "font-weight:bold;font-size:115%;line-height:1.4",
        "warning": "line-height:1.4;border-left:4px solid #b0309a;padding-left:8px",
        "status": "line-height:1.4",
    }
    if not text:
        return ""
    return f'<div role="status" style="{looks[kind]}">{escape(text)}</div>'
