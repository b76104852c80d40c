"""``plot_cell``: one step of an LSTM as a diagram, in the words and colours of ``plot_gates``."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ..wording import MINUS
from .gates import NAMES
from .style import SIGNED, SIZES, STYLE, ink, open_panels, write_heading

# In inches: middles of the four small layers, heights of the memory, the products and the inputs.
_MIDDLES = {"forget_gate": 2.6, "input_gate": 4.4, "candidate": 6.2, "output_gate": 8.0}
_MEMORY, _PRODUCTS, _LAYERS, _INPUTS = 4.2, 3.05, 1.65, 0.6
_LEFT, _RIGHT, _SUM = 0.78, 9.82, 5.3
# Half the height of a box, radius of a sum or product.
_HALF, _ROUND = 0.5, 0.16
_WIDTH, _STATE = 1.66, 1.46
_TIMES = "\N{MULTIPLICATION SIGN}"
_FRAME: dict[str, Any] = {"color": STYLE.padding, "linewidth": 0.7}


def plot_cell(*, ax: Axes | None = None) -> Axes:
    """Draw one step of an LSTM: what the gates let through, and how the new memory is made of it.

    Boxes have the names of the panels of `plot_gates`, and below each the colours that its numbers
    have there: gates from white (0) to dark (1), candidate, cell and hidden state from blue through
    white (0) to red. A circle multiplies or adds unit by unit.

    Parameters
    ----------
    ax : Axes, optional
        Replaced by the diagram, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        The diagram, in inches of a new figure.

    References
    ----------
    Hochreiter and Schmidhuber (1997); Gers, Schmidhuber and Cummins (2000): the forget gate.

    Examples
    --------
    >>> plot_cell()                                      # doctest: +SKIP
    """
    place = open_panels(ax, [3.85], (1.0,))
    main = place.add(0, 0, label="cell")
    main.set_axis_off()
    main.set(xlim=(0, _LEFT + _RIGHT), ylim=(0, _MEMORY + _HALF + 0.03), aspect="equal")
    for part, x in _MIDDLES.items():
        _draw_box(main, x, _LAYERS, _WIDTH, part)
        _draw_line(main, (x, _INPUTS), (x, _LAYERS - _HALF))
    for x, when in ((_LEFT, "t-1"), (_RIGHT, "t")):
        _draw_box(main, x, _MEMORY, _STATE, "cell", when)
        _draw_box(main, x, _LAYERS if x == _LEFT else _PRODUCTS, _STATE, "hidden", when)
    _draw_box(main, _LEFT, 0.3, _STATE, "", "t")

    forget, write, candidate, output = _MIDDLES.values()
    joined, start, end = 1.6, _LEFT + _STATE / 2, _RIGHT - _STATE / 2
    _draw_line(main, (start, _LAYERS), (joined, _LAYERS), (joined, _INPUTS), tip=False)
    _draw_line(main, (start, 0.3), (joined, 0.3), (joined, _INPUTS), tip=False)
    _draw_line(main, (joined, _INPUTS), (output, _INPUTS), tip=False)
    top = _LAYERS + _HALF
    _draw_line(main, (start, _MEMORY), (forget - _ROUND, _MEMORY))
    _draw_line(main, (forget, top), (forget, _MEMORY - _ROUND))
    _draw_line(main, (forget + _ROUND, _MEMORY), (_SUM - _ROUND, _MEMORY))
    for x, side in ((write, -1), (candidate, 1)):
        _draw_line(main, (x, top), (x, _PRODUCTS), (_SUM + side * _ROUND, _PRODUCTS))
    _draw_line(main, (_SUM, _PRODUCTS + _ROUND), (_SUM, _MEMORY - _ROUND))
    _draw_line(main, (_SUM + _ROUND, _MEMORY), (end, _MEMORY))
    _draw_line(main, (output, _MEMORY), (output, _PRODUCTS + _ROUND))
    _draw_line(main, (output, top), (output, _PRODUCTS - _ROUND))
    _draw_line(main, (output + _ROUND, _PRODUCTS), (end, _PRODUCTS))
    products = [(forget, _MEMORY), (_SUM, _PRODUCTS), (output, _PRODUCTS)]
    for (x, y), sign in (*((at, _TIMES) for at in products), ((_SUM, _MEMORY), "+")):
        look: dict[str, Any] = {"boxstyle": f"circle,pad={_ROUND}", "fill": False}
        main.add_patch(FancyBboxPatch((x, y), 0, 0, edgecolor=ink(), **look))
        main.text(x, y - 0.01, sign, ha="center", va="center", fontsize=13)
    words: dict[str, Any] = {"fontstyle": "italic", "fontsize": STYLE.text}
    main.text((forget + _SUM) / 2, _MEMORY + 0.08, "kept", ha="center", **words)
    main.text(_SUM + 0.12, (_MEMORY + _PRODUCTS) / 2, "written", **words)
    main.text(output + 0.12, (_MEMORY + _PRODUCTS) / 2, "tanh", **words)
    title = ["One step of an LSTM:", "new memory = what is kept + what is written"]
    notes = [f"{_TIMES} and +: unit by unit", "names and colours as in plot_gates"]
    notes.append("each gate, and the candidate, reads hidden state and input by weights of its own")
    product = f" {_TIMES} "
    shown = [f"cell = forget gate{product}cell before + input gate{product}candidate"]
    shown.append(f"hidden state = output gate{product}tanh(cell)")
    write_heading(main, title, notes, place, "Diagram of an LSTM cell", shown)
    return main


def _draw_line(ax: Axes, *points: tuple[float, float], tip: bool = True) -> None:
    """Draw a line through points, with an arrow at its end."""
    ax.plot(*zip(*points[: -1 if tip else None], strict=True), color=ink(), linewidth=1.1)
    if tip:
        look: dict[str, Any] = {"arrowstyle": "-|>", "color": ink(), "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", points[-1], points[-2], arrowprops=look | {"linewidth": 1.1})


def _draw_box(ax: Axes, x: float, y: float, width: float, part: str, when: str = "") -> None:
    """Draw a named box, with the colours of its numbers at its lower edge; the input has none."""
    half = _HALF if part else _INPUTS / 2 - 0.05
    shape: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.08", "fill": False}
    corner = (x - width / 2, y - half)
    ax.add_patch(FancyBboxPatch(corner, width, 2 * half, edgecolor=ink(), label=part, **shape))
    name = NAMES.get(part, "input $x$\n").replace("$\n", f"_{{{when}}}$\n" if when else "$\n")
    look: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.35}
    ax.text(x, y + 0.13 * bool(part), name.strip(), fontsize=STYLE.small, **look)
    if not part:
        return
    is_gate, reach = part.endswith("gate"), width / 2 - 0.34
    edges = np.linspace(x - reach, x + reach, 41)
    shades = np.linspace(0, 1, 40)[None]
    heights = [y - 0.37, y - 0.25]
    ax.pcolormesh(edges, heights, shades, cmap=SIZES if is_gate else SIGNED, vmin=0, vmax=1)
    ends = ("0", "1") if is_gate else (MINUS, "+") if part == "cell" else (f"{MINUS}1", "1")
    ax.plot(edges[[0, -1, -1, 0, 0]], [heights[i] for i in (0, 0, 1, 1, 0)], **_FRAME)
    for side, text in zip((-1, 1), ends, strict=True):
        beside: dict[str, Any] = {
            "ha": "right" if side < 0 else "left",
            "va": "center",
            "fontsize": STYLE.small,
        }
        ax.text(x + side * (reach + 0.06), y - 0.31, text, **beside)
