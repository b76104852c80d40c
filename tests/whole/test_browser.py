"""The explorer in JupyterLab, moved in a real browser: what a page shows, and what it leaves alone.

`make browser-test` runs these alone and installs what is missing where it can.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import lab
import nbformat
import numpy as np
import pytest
from whole.explored_page import (
    ARROW,
    IMAGE,
    LIVE,
    NO_ARROW,
    in_kernel,
    inside,
    live_text,
    number_box,
    picture,
    put_back,
    shown,
    slider,
    slider_of,
    track_of,
    wait_for_change,
)

pytestmark = [pytest.mark.browser, pytest.mark.long]

TEXTS = """\
import tiny
texts = lx.explore(tiny.text_model(), tiny.texts().test)
texts"""
GATES = "lx.play_gates(tiny.text_model(), tiny.texts(), 'the film is not bad')"

STATIC = "[class*=lstm-explain-][class$=-static]"


@pytest.fixture(scope="module")
def opened(server: lab.Lab) -> Any:
    """A notebook whose explorer was shown."""
    with shown(server, "explore.ipynb", "explorer.state", "text = 'kept'", TEXTS, GATES) as page:
        yield page


@pytest.fixture
def page(opened: lab.Page) -> Any:
    """The explorer as it was first shown; afterwards there is no error in the console."""
    put_back(opened)
    yield opened
    assert opened.errors == []


# -- what is shown ---------------------------------------------------------------------------------
def test_opening_changes_nothing(page):
    """Pages round sliders to their steps and report it: that is no change of the sample."""
    time.sleep(1)
    assert "→" not in live_text(page)
    assert in_kernel(page, "print(explorer.state.edits)") == "()\n"


def test_keys_on_the_slider_change_the_prediction(page):
    before, handle = picture(page), slider(page, "Value")
    handle.focus()
    old = float(handle.get_attribute("aria-valuetext"))
    for _ in range(5):
        page.it.keyboard.press("ArrowRight")
    wait_for_change(page, before)
    page.wait_for(ARROW)
    code = (
        "assert explorer.wait(60); import numpy as np\n"
        "both = 1 / (1 + np.exp(-explorer.core.predictions(explorer.state)))\n"
        "print(*both, explorer.state.edits[-1].value)"
    )
    first, second, value = map(float, in_kernel(page, code).split())
    shown = [float(found) / 100 for found in re.findall(r"([\d.]+) %", live_text(page))]
    np.testing.assert_allclose(shown, [first, second], atol=6e-3)  # as many digits as are shown
    box = number_box(page)
    assert float(box.input_value()) == pytest.approx(value, rel=1e-5)
    assert float(handle.get_attribute("aria-valuetext")) == pytest.approx(value, rel=1e-5)
    assert value > old


def test_the_mouse_moves_the_slider_and_undo_takes_it_back(page):
    first, before = live_text(page), picture(page)
    box = track_of(page, "Value")
    page.it.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    wait_for_change(page, before)
    page.wait_for(ARROW)
    assert in_kernel(page, "print(len(explorer.state.edits))") == "1\n"
    inside(page).get_by_role("button", name="Undo").click()
    page.wait_for(NO_ARROW)
    assert live_text(page) == first


def test_another_variable_and_sample_are_no_change(page):
    inside(page).get_by_label("Variable", exact=True).select_option("pulse")
    page.wait_for("() => document.querySelector('.jupyter-widgets img').alt.length > 0")
    inside(page).get_by_label("Sample", exact=True).fill("2")
    page.it.keyboard.press("Enter")
    time.sleep(1.5)
    assert in_kernel(page, "print(explorer.state)").startswith("State(sample=2, edits=()")
    inside(page).get_by_label("Sample", exact=True).fill("0")
    page.it.keyboard.press("Enter")
    inside(page).get_by_label("Variable", exact=True).select_option("lactate")
    time.sleep(1)
    assert in_kernel(page, "print(explorer.state)").startswith("State(sample=0, edits=()")


def test_controls_have_names_and_the_picture_says_what_it_shows(page):
    unnamed = page.it.evaluate(
        """() => Array.from(document.querySelectorAll(
             '.jupyter-widgets [role=slider], .jupyter-widgets input, .jupyter-widgets select, '
             + '.jupyter-widgets button'))
           .filter(one => !one.getAttribute('aria-label') && !one.labels?.length
                          && !one.textContent.trim() && !one.title)
           .filter(one => !one.labels?.[0]?.textContent.trim())
           .map(one => one.outerHTML)"""
    )
    assert unnamed == []
    words = page.it.locator(IMAGE).first.get_attribute("alt")
    assert words.startswith("The predicted probability of yes is")


def test_no_key_on_a_control_changes_the_cells(page):
    """JupyterLab's own shortcuts: b inserts a cell, x cuts one, dd deletes one."""
    cells = page.sources()
    handle, names = slider(page, "Value"), ["a", "b", "x", "d", "d", "c", "v", "z", "m", "y", "0"]
    controls = [
        handle,
        inside(page).get_by_label("to", exact=True),
        inside(page).get_by_role("button", name="Pin", exact=True),
        inside(page).get_by_label("Variable", exact=True),
        page.it.locator(f"{LIVE} input[type=checkbox]").first,
        number_box(page),
    ]
    for control in controls:
        control.focus()
        for key in [*names, "ArrowLeft", "Home", "End", "PageUp", "Delete", "Shift+M"]:
            page.it.keyboard.press(key)
    assert page.sources() == cells
    inside(page).get_by_label("Variable", exact=True).select_option("lactate")
    inside(page).get_by_label("Sample", exact=True).fill("0")
    page.it.keyboard.press("Enter")
    inside(page).get_by_label("Sample", exact=True).blur()
    assert in_kernel(page, "assert explorer.wait(60); print(explorer.status.value)") == "\n"


def test_a_fast_drag_ends_with_the_picture_of_its_last_value(page):
    track = track_of(page, "Value")
    middle = track["y"] + track["height"] / 2
    page.it.evaluate(
        """() => {
          window.pictures = [];
          const image = document.querySelector('.jupyter-widgets img');
          new MutationObserver(() => window.pictures.push([performance.now(), image.src]))
            .observe(image, { attributes: true, attributeFilter: ["src"] });
        }"""
    )
    handle = slider(page, "Value").bounding_box()
    page.it.mouse.move(handle["x"] + handle["width"] / 2, middle)
    page.it.mouse.down()
    for step in range(60):
        share = 0.1 + 0.8 * abs(np.sin(step / 7))
        page.it.mouse.move(track["x"] + share * track["width"], middle)
    last = page.it.evaluate("() => performance.now()")
    page.it.mouse.up()
    assert in_kernel(page, "print(explorer.wait(60))") == "True\n"
    time.sleep(0.5)
    pictures = page.it.evaluate("() => window.pictures")
    assert sum(when > last for when, _ in pictures) <= 3
    value = float(slider(page, "Value").get_attribute("aria-valuetext"))
    code = (
        "edit = explorer.state.edits[-1]\n"
        "print(edit.value, explorer._picture._data._lines[1].get_ydata()[edit.steps[0]])"
    )
    state, drawn = map(float, in_kernel(page, code).split())
    assert state == pytest.approx(value, abs=1e-6)
    assert drawn == pytest.approx(value, rel=1e-5)


def test_texts_change_by_typing_and_by_switching_words_off(page):
    cells, box = page.sources(), page.it.locator(".widget-textarea textarea")
    box.fill("a good film")
    word = page.it.get_by_role("button", name="good", exact=True)
    word.click()
    off = page.it.get_by_role("button", name="[good]", exact=True)
    off.wait_for()
    for key in ("b", "x", "d", "d", "m"):
        off.press(key)
    code = (
        "assert texts.wait(60); import numpy as np\n"
        "print(texts.state.edits, *(100 / (1 + np.exp(-texts.core.predictions(texts.state)))))"
    )
    *state, before, now = in_kernel(page, code).split()
    assert " ".join(state) == "(Wording(typed='a good film', off=(1,)),)"
    found = page.it.get_by_text(re.compile("probability of up goes from")).last.inner_text()
    shown = [float(number) for number in re.findall(r"([\d.]+)\s%", found)]
    np.testing.assert_allclose(shown, [float(before), float(now)], atol=0.051)  # one digit
    assert page.it.locator("bdi", has_text="[good]").first.is_visible()
    assert page.sources() == cells
    assert box.get_attribute("aria-label") == "The text, to be changed"
    page.it.get_by_role("button", name="Reset").last.click()


def test_the_slider_of_the_gates_follows_shorter_and_longer_texts(page):
    box = page.it.locator(".widget-text input[type=text]").last
    handle = slider_of(page.it, "Words read")
    for text in ("the film", "a good film indeed", "good film", "a bad film is not so good"):
        count = len(text.split())
        box.fill(text)
        page.it.get_by_text(f"After {count} words the model answers").last.wait_for()
        handle.press("ArrowLeft")
        page.it.get_by_text(f"After {count - 1} word").last.wait_for()


def test_the_gates_follow_what_is_typed_and_played(page):
    cells = page.sources()
    page.it.locator(".widget-text input[type=text]").last.fill("a good film , not bad")
    page.it.get_by_text("After 6 words the model answers").last.wait_for()
    handle = slider_of(page.it, "Words read")
    # In the page, whether or not JupyterLab has scrolled it out of sight.
    handle.press("ArrowLeft")
    page.it.get_by_text("After 5 words the model answers").last.wait_for(state="attached")
    handle.press("Home")
    page.it.get_by_text("After 1 word the model answers").last.wait_for(state="attached")
    for key in ("b", "x", "d", "d"):
        handle.press(key)
    page.it.get_by_role("button", name="Play or pause").click()
    page.it.get_by_text("After 6 words the model answers").last.wait_for()
    assert page.sources() == cells


def test_moving_while_a_cell_plots_spoils_neither(page, server):
    """That the guard guards is tested in test_widgets.py: here all goes well without it too."""
    result = stress(page, seconds=5)
    assert re.search(r"done [1-9]\d* wrong 0", result["printed"])
    assert result["errors"] == []
    assert result["figures"] == 1
    assert result["moved"] >= 2  # how many it draws meanwhile depends on the machine
    assert in_kernel(page, "print('alive')") == "alive\n"


def stress(page: lab.Page, seconds: float) -> dict[str, Any]:
    """Run a cell that plots, and move the slider eight times a second; return what came of it."""
    plot = json.dumps(lab.PLOT.format(seconds=seconds))
    page.it.evaluate(
        f"""() => {{
          const panel = jupyterapp.shell.currentWidget;
          const cells = panel.content.model.sharedModel.cells;
          cells[3].setSource({plot});
          panel.content.activeCellIndex = 3;
          panel.content.deselectAll();
          window.finished = false;
          jupyterapp.commands.execute("notebook:run-cell")
            .then(() => {{ window.finished = true; }});
        }}"""
    )
    handle, moved = slider(page, "Value"), set()
    for move in range(round(8 * seconds)):
        handle.press("ArrowRight" if move % 20 < 10 else "ArrowLeft")
        moved.add(picture(page))
        page.it.wait_for_timeout(125)
    page.wait_for("() => window.finished")
    outputs = page.outputs()[3]
    return {
        "printed": "".join(str(one.get("text", "")) for one in outputs),
        "errors": [one for one in outputs if one["output_type"] == "error"],
        "figures": sum("image/png" in one.get("data", {}) for one in outputs),
        "moved": len(moved),
    }


# -- what is saved ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(server: lab.Lab, opened: lab.Page) -> Path:
    """The notebook as it was saved, its explorer included."""
    opened.command("docmanager:save")
    return server.root / "explore.ipynb"


def check_static(page: lab.Page) -> None:
    """The picture is there, is seen, and has its words."""
    image = page.it.locator("img[alt^='The predicted probability of yes']").first
    image.wait_for(state="visible")
    page.wait_for("() => document.querySelector('img[alt^=\"The pred\"]').naturalWidth > 700")
    for words in ["Largest sums of SHAP values", "SHAP values: red raises"]:
        page.it.get_by_text(words).first.wait_for(state="visible")
    assert "VBox(" not in page.it.locator("body").inner_text()


@pytest.mark.parametrize("case", ["trusted", "untrusted", "without a kernel"])
def test_a_saved_notebook_shows_the_static_picture(server, saved, case):
    """Trusted and untrusted with a fresh kernel, which knows nothing of the widget."""
    name = f"{case.split()[0]}.ipynb"
    notebook = nbformat.read(saved, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(f"# {case}"))  # else its signature is known
    if case == "without a kernel":
        spec = {"name": "none-such", "display_name": "None such", "language": "none-such"}
        notebook.metadata = nbformat.from_dict({"kernelspec": spec})
    nbformat.write(notebook, server.root / name)
    if case != "untrusted":
        server.run("jupyter", "trust", str(server.root / name))
    with server.page() as page:
        page.open(name, kernel=case != "without a kernel")
        if case == "without a kernel":
            page.it.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
        check_static(page)
        trusted = page.it.evaluate(
            "() => Array.from(jupyterapp.shell.currentWidget.content.model.cells)"
            ".every(cell => cell.type !== 'code' || cell.trusted)"
        )
        assert trusted == (case != "untrusted")
        if case != "without a kernel":
            page.command("kernelmenu:shutdown")


def test_an_exported_page_shows_the_static_picture(server, saved, tmp_path):
    server.run("nbconvert", "--to", "html", "--output-dir", str(tmp_path), str(saved))
    with server.page() as page:
        page.it.goto(f"file://{tmp_path}/explore.html", wait_until="domcontentloaded")
        check_static(page)


def test_a_reload_brings_the_widget_back_and_a_restart_the_static_picture(opened, saved):
    opened.open(saved.name)
    opened.it.wait_for_selector(IMAGE)
    opened.it.locator(STATIC).first.wait_for(state="hidden")
    opened.it.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    # In the page that stays open a sentence and the first picture replace the controls.
    opened.wait_for(
        "() => getComputedStyle(document.querySelector('.jupyter-widgets-disconnected'),"
        " '::before').content.includes('The kernel was restarted')"
    )
    assert opened.it.get_by_role("slider", name="Value").is_hidden()
    check_static(opened)
    opened.open(saved.name)
    check_static(opened)
