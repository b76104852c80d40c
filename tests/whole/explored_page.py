"""The explorer in a page of JupyterLab, as the browser tests find it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lab

# Charts with gaps, three static facts, a model that reads what was measured.
SETUP = f"""\
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import lstm_explain as lx
from tiny import gappy
model, data = gappy()"""
EXPLORE = "explorer = lx.explore(model, data.test, background=data.train)\nexplorer"

LIVE = ".jp-OutputArea .jupyter-widgets"
IMAGE = f"{LIVE} img"
# The line with the prediction says what it was and what it is.
ARROW = "() => document.querySelector('.lstm-explain-live').textContent.includes('→')"
NO_ARROW = ARROW.replace("() => ", "() => !")


@contextmanager
def shown(server: lab.Lab, name: str, *cells: str) -> Iterator[lab.Page]:
    """Open a notebook of these cells whose explorer was shown."""
    server.write(name, SETUP, EXPLORE, *cells)
    with server.page() as page:
        page.open(name)
        page.run_all()
        page.it.wait_for_selector(IMAGE)
        yield page


def put_back(page: lab.Page) -> None:
    """Show the explorer as it was first shown."""
    reset = inside(page).get_by_role("button", name="Reset")
    if reset.is_enabled():
        reset.click()
        assert in_kernel(page, "print(explorer.wait(60))") == "True\n"
    page.wait_for(NO_ARROW)


def inside(page: lab.Page) -> Any:
    """Return the box of the widget."""
    return page.it.locator(LIVE).first


def live_text(page: lab.Page) -> str:
    """Return the line with the prediction, "probability of yes: 35 % → 47 %"."""
    return page.it.locator(".lstm-explain-live").first.inner_text().replace("\xa0", " ")


def slider(page: lab.Page, name: str) -> Any:
    return slider_of(inside(page), name)


def slider_of(place: Any, name: str) -> Any:
    return place.get_by_role("slider", name=name)


def number_box(page: lab.Page) -> Any:
    return inside(page).get_by_label("Value, number", exact=True)


def track_of(page: lab.Page, name: str) -> dict[str, float]:
    """Return where a slider lies on the page."""
    holder = slider(page, name).locator("xpath=ancestor::*[contains(@class, 'noUi-target')]")
    return holder.bounding_box()


def wait_for_change(page: lab.Page, before: str) -> None:
    page.wait_for("before => document.querySelector('.jupyter-widgets img').src !== before", before)


def picture(page: lab.Page) -> str:
    return page.it.locator(IMAGE).first.get_attribute("src")


def wait_for_kernel(page: lab.Page, expression: str, timeout: float = 30.0) -> None:
    """Wait until an expression is true in the notebook's kernel."""
    end = time.monotonic() + timeout
    while in_kernel(page, f"print(bool({expression}))") != "True\n":
        assert time.monotonic() < end, f"never true within {timeout:g} s: {expression}"


def in_kernel(page: lab.Page, code: str) -> str:
    """Return what a line of code prints in the notebook's kernel, without a cell."""
    return page.it.evaluate(
        """async code => {
          const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          let text = "";
          const future = kernel.requestExecute({ code, store_history: false });
          future.onIOPub = message => {
            if (message.header.msg_type === "stream") text += message.content.text;
            if (message.header.msg_type === "error") text += message.content.traceback.join("\\n");
          };
          await future.done;
          return text;
        }""",
        code,
    )
