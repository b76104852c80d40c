"""The widgets of the notebooks, opened in JupyterLab and moved in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import lab
import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.long]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
SHOWN = "() => document.querySelector('.jupyter-widgets img')?.naturalWidth > 0"


def move_a_slider(page: lab.Page) -> None:
    """Set a number to its lowest value, or highest; the sentence, picture and words follow."""
    image = page.it.locator(".jupyter-widgets img").first
    before, first, words = (
        image.get_attribute("src"),
        page.widget_text(),
        image.get_attribute("alt"),
    )
    handle = page.it.get_by_role("slider", name="Value")
    is_lowest = float(handle.get_attribute("aria-valuenow")) == 0  # a place among the values
    handle.press("End" if is_lowest else "Home")
    line = "document.querySelector('.lstm-explain-live').textContent"
    page.wait_for(f"first => {line} !== first", first)
    page.wait_for("old => document.querySelector('.jupyter-widgets img').src !== old", before)
    assert "→" in page.widget_text()
    page.wait_for("old => document.querySelector('.jupyter-widgets img').alt !== old", words)


def switch_a_word_off(page: lab.Page) -> None:
    """Type a sentence and switch one of its words off."""
    page.it.locator(".widget-textarea textarea").fill("the plot is moving")
    page.it.get_by_role("button", name="moving", exact=True).click()
    page.it.get_by_role("button", name="[moving]", exact=True).wait_for()
    page.it.get_by_text(re.compile("goes from")).last.wait_for()


def type_for_the_gates(page: lab.Page) -> None:
    """Type six letters or words."""
    box = page.it.locator(".widget-text input[type=text]").last
    length = len(box.input_value())
    box.fill("a b a b a b" if " " in box.input_value() else "ababab")
    assert length != 6
    page.it.get_by_text("After 6 words the model answers").last.wait_for()


def the_widget_of(path: Path) -> tuple[int, str, Callable[[lab.Page], None]] | None:
    """Return which cell shows a widget, what is there once it is shown, and what to do with it."""
    for at, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type == "code" and "lx.play_gates(" in cell.source:
            return at, SHOWN, type_for_the_gates
        if cell.cell_type == "code" and "lx.explore(" in cell.source:
            if "background" in cell.source:
                return at, SHOWN, move_a_slider
            return (
                at,
                "() => document.querySelector('.widget-textarea textarea')",
                switch_a_word_off,
            )
    return None


# The first notebook with each kind of widget: nbval runs every cell of all of them.
ONE_OF_EACH = {
    widget[2]: path for path in reversed(NOTEBOOKS) if (widget := the_widget_of(path)) is not None
}


@pytest.mark.parametrize("path", ONE_OF_EACH.values(), ids=lambda path: path.stem)
def test_the_widget_of_a_notebook_answers(server: lab.Lab, path: Path) -> None:
    """The notebook is run up to its first widget."""
    found = the_widget_of(path)
    assert found is not None
    at, shown, move = found
    cells = [c for c in nbformat.read(path, as_version=4).cells[: at + 1] if c.cell_type == "code"]
    server.write(path.name, *(cell.source for cell in cells))
    with server.page() as page:
        page.open(path.name)
        page.it.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
        # Cells that are not in sight are not drawn: the last one is brought there.
        page.wait_for(
            f"""() => {{
              const panel = jupyterapp.shell.currentWidget.content;
              const last = panel.model.cells.length - 1;
              panel.activeCellIndex = last;
              panel.scrollToItem(last, "start");
              return Boolean(({shown})());
            }}""",
            timeout=300,
        )
        move(page)
        errors = [o for cell in page.outputs() for o in cell if o["output_type"] == "error"]
        assert errors == []
        assert page.errors == []
        page.command("kernelmenu:shutdown")
