"""The diagram of a cell: every box has the name and the colours of its panel in plot_gates."""

from typing import Any

import numpy as np
import pytest
import tiny
from matplotlib import pyplot as plt
from matplotlib.text import Annotation

import lstm_explain as lx
from lstm_explain.plots.style import SIGNED, SIZES

TIMES = "\N{MULTIPLICATION SIGN}"
PARTS = ("forget_gate", "input_gate", "candidate", "output_gate", "cell", "hidden")


def boxes(ax: Any) -> dict[str, Any]:
    """Return the boxes by their part; of cell and hidden state the later one."""
    return {box.get_label(): box for box in ax.patches if box.get_label() in PARTS}


def inside(box: Any, x: float, y: float) -> bool:
    bounds = box.get_bbox()
    return bounds.x0 <= x <= bounds.x1 and bounds.y0 <= y <= bounds.y1


def test_boxes_have_the_names_and_colours_of_the_panels_of_plot_gates() -> None:
    diagram = lx.plot_cell()
    gates = lx.plot_gates(lx.trace_gates(tiny.model(), tiny.padded().test[:1]))
    panels = {ax.get_label(): ax for ax in gates.figure.axes}
    assert set(boxes(diagram)) == set(PARTS) == set(panels)
    for part, box in boxes(diagram).items():
        [name] = [
            text.get_text() for text in diagram.texts
            if inside(box, *text.get_position()) and "\n" in text.get_text()
        ]  # fmt: skip
        assert name.replace("_{t}", "") == panels[part].get_ylabel()
        [strip] = [
            mesh for mesh in diagram.collections
            if inside(box, *np.asarray(mesh.get_coordinates()).reshape(-1, 2).mean(axis=0))  # type: ignore[attr-defined]
        ]  # fmt: skip
        assert strip.get_cmap() is (SIZES if part.endswith("gate") else SIGNED)
        [map_of_part] = [c for c in panels[part].collections if c.get_array() is not None]
        assert strip.get_cmap() == map_of_part.get_cmap()


def test_all_is_inside_and_no_text_leaves_its_box() -> None:
    ax = lx.plot_cell()
    ax.figure.canvas.draw()
    outer = ax.get_window_extent()
    for box in boxes(ax).values():
        frame = box.get_window_extent()
        assert outer.x0 <= frame.x0
        assert frame.x1 <= outer.x1
        assert outer.y0 <= frame.y0
        assert frame.y1 <= outer.y1
        texts = [t for t in ax.texts if t.get_text() and inside(box, *t.get_position())]
        assert len(texts) == 3  # the name, and the two ends of the colours
        for text in texts:
            extent = text.get_window_extent()
            assert frame.x0 < extent.x0
            assert extent.x1 < frame.x1
    signs = [text.get_text() for text in ax.texts if text.get_text() in (TIMES, "+")]
    assert signs.count(TIMES) == 3
    assert f"forget gate {TIMES} cell before + input gate {TIMES} candidate" in ax.figure.alt


def test_arrows_bring_two_factors_or_terms_to_each_circle_and_inputs_to_each_layer() -> None:
    ax = lx.plot_cell()
    tips = np.array(
        [text.xy for text in ax.texts if isinstance(text, Annotation) and text.arrowprops]
    )

    def arrive(x: float, y: float, near: float) -> int:
        return int((np.hypot(*(tips - (x, y)).T) < near).sum())

    parts = [box for box in ax.patches if box.get_label() in PARTS]
    signs = [
        text for text in ax.texts
        if text.get_text() in (TIMES, "+")
        and not any(inside(box, *text.get_position()) for box in parts)
    ]  # fmt: skip
    assert [arrive(*sign.get_position(), near=0.2) for sign in signs] == [2, 2, 2, 2]
    edges = {part: box.get_bbox() for part, box in boxes(ax).items()}
    for part in ("forget_gate", "input_gate", "candidate", "output_gate"):
        assert arrive((edges[part].x0 + edges[part].x1) / 2, edges[part].y0, near=0.01) == 1
    for part in ("cell", "hidden"):
        assert arrive(edges[part].x0, (edges[part].y0 + edges[part].y1) / 2, near=0.01) == 1
    assert len(tips) == 8 + 4 + 2


def test_it_takes_the_place_of_axes() -> None:
    figure, (left, _) = plt.subplots(1, 2, layout="constrained", figsize=(20, 4))
    ax = lx.plot_cell(ax=left)
    assert ax.figure is figure
    with pytest.raises(TypeError, match="Expected ax to be"):
        lx.plot_cell(ax=3)  # type: ignore[arg-type]
