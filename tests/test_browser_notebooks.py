"""The widgets of the notebooks, opened in JupyterLab and moved in a real browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import lab
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def holds_a_widget(path: Path) -> bool:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return any("lx.explore(" in "".join(cell["source"]) for cell in cells)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One JupyterLab and one browser for all notebooks."""
    if what := lab.missing():
        pytest.skip(what)
    running = lab.Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.close()


@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if holds_a_widget(path)], ids=lambda path: path.stem
)
def test_the_widget_of_a_notebook_answers(server: lab.Lab, path: Path) -> None:
    shutil.copy(path, server.root / path.name)
    with server.page() as page:
        page.open(path.name)
        page.command("notebook:clear-all-cell-outputs")
        page.it.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
        # Cells that are not in sight are not drawn: the last outputs are brought there.
        page.wait_for(
            """() => {
              const panel = jupyterapp.shell.currentWidget.content;
              const cells = Array.from(panel.model.cells);
              const at = cells.findIndex(
                cell => cell.sharedModel.getSource().includes("lx.explore("));
              panel.activeCellIndex = at;
              panel.scrollToItem(at, "start");
              return document.querySelector(".jupyter-widgets img")?.naturalWidth > 0;
            }""",
            timeout=300,
        )
        image = page.it.locator(".jupyter-widgets img").first
        before, first = image.get_attribute("src"), page.widget_text()
        words = image.get_attribute("alt")
        page.it.get_by_role("slider", name="Value").press("Home")
        page.wait_for(
            "first => document.querySelector('[role=status]').textContent !== first", first
        )
        page.wait_for(
            "before => document.querySelector('.jupyter-widgets img').src !== before", before
        )
        assert "→" in page.widget_text()
        page.wait_for(
            "words => document.querySelector('.jupyter-widgets img').alt !== words", words
        )
        errors = [o for cell in page.outputs() for o in cell if o["output_type"] == "error"]
        assert errors == []
        assert page.errors == []
        page.command("kernelmenu:shutdown")
