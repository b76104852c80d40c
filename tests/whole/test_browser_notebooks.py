"""The widget of the first notebook, opened in JupyterLab and moved in a real browser."""

from __future__ import annotations

from pathlib import Path

import lab
import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.long]

FIRST = Path(__file__).parents[2] / "notebooks" / "00_start_here.ipynb"
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


def test_the_widget_of_the_first_notebook_answers(server: lab.Lab) -> None:
    """The notebook is run up to its widget, as a reader sees it who has just installed this.

    nbval runs the cells of the others, and `test_browser.py` moves every kind of widget.
    """
    code = [c.source for c in nbformat.read(FIRST, as_version=4).cells if c.cell_type == "code"]
    at = next(i for i, source in enumerate(code) if "lx.explore(" in source)
    server.write(FIRST.name, *code[: at + 1])
    with server.page() as page:
        page.open(FIRST.name)
        page.it.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
        # Cells that are not in sight are not drawn: the last one is brought there.
        page.wait_for(
            f"""() => {{
              const panel = jupyterapp.shell.currentWidget.content;
              const last = panel.model.cells.length - 1;
              panel.activeCellIndex = last;
              panel.scrollToItem(last, "start");
              return Boolean(({SHOWN})());
            }}""",
            timeout=300,
        )
        move_a_slider(page)
        errors = [o for cell in page.outputs() for o in cell if o["output_type"] == "error"]
        assert errors == []
        assert page.errors == []
        page.command("kernelmenu:shutdown")
