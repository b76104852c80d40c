"""The explorer in JupyterLab is touched: its picture, its keys, and the room that it takes."""

from __future__ import annotations

import re
from typing import Any

import lab
import numpy as np
import pytest
from whole.explored_page import (
    EXPLORE,
    IMAGE,
    LIVE,
    in_kernel,
    inside,
    number_box,
    picture,
    put_back,
    shown,
    slider,
    wait_for_change,
    wait_for_kernel,
)

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def opened(server: lab.Lab) -> Any:
    """A notebook whose explorer was shown."""
    with shown(server, "touched.ipynb") as page:
        yield page


@pytest.fixture
def page(opened: lab.Page) -> Any:
    """The explorer as it was first shown; afterwards there is no error in the console."""
    put_back(opened)
    yield opened
    assert opened.errors == []


def test_end_and_home_reach_the_ends_of_the_chosen_variable(page):
    """The slider itself knows only the ends that it was made with."""
    handle = slider(page, "Value")
    holder = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-target')]").element_handle()
    for name in ("pulse", "lactate"):
        inside(page).get_by_label("Variable", exact=True).select_option(name)
        chosen = f"explorer.controls.variable.value == {name!r} and explorer.wait(60)"
        wait_for_kernel(page, chosen)
        code = (
            f"print(*explorer.core.familiarity.ranges[{name!r}],"
            " len(explorer.controls.ladders[explorer.controls.value]) - 1)"
        )
        low, high, last = map(float, in_kernel(page, code).split())
        # The kernel has the ends of the new variable before the page has them.
        page.wait_for(f"holder => holder.noUiSlider.options.range.max === {last}", holder)
        for key, end in (("Home", low), ("End", high)):
            handle.press(key)
            # The page sends a value only after the kernel has answered the one before.
            is_there = f"abs(explorer.state.edits[-1].value - {end}) < 1e-6 * {high - low}"
            wait_for_kernel(page, f"explorer.state.edits and {is_there}")


def test_the_picture_is_touched(page):
    """A drag over the map selects the variable and the steps; the pointer is told what is there."""
    inside(page).get_by_label("Variable", exact=True).select_option("lactate")
    code = (
        "assert explorer.wait(60); panel = explorer._picture.panels[-1]\n"
        "row = [name for name, _ in explorer._picture.view.rows].index('pulse')\n"
        "print(*panel.box(row, 1, 1), *panel.box(row, 3, 3))"
    )
    boxes = np.reshape([float(one) for one in in_kernel(page, code).split()], (2, 4))
    image = page.it.locator(IMAGE).first
    image.scroll_into_view_if_needed()
    at = image.bounding_box()
    corner, size = np.array([at["x"], at["y"]]), np.array([at["width"], at["height"]])
    start, end = (corner + size * (box[:2] + box[2:] / 2) for box in boxes)
    page.it.mouse.move(*start)
    tip = page.it.get_by_text(re.compile(r"^pulse at step 2: .*; SHAP value"))
    tip.wait_for()
    page.it.mouse.down()
    page.it.mouse.move(*end, steps=4)
    page.it.get_by_text(re.compile("^pulse at step 4: ")).wait_for()
    page.it.mouse.up()
    box = inside(page).get_by_label("from", exact=True).element_handle()
    page.wait_for("box => box.selectedOptions[0].textContent === '2'", box)
    assert in_kernel(page, "assert explorer.wait(60); print(explorer.controls.selected_steps)") == (
        "(1, 3)\n"
    )
    assert inside(page).get_by_label("Variable", exact=True).input_value() == "pulse"
    assert inside(page).get_by_label("from", exact=True).input_value() == "2"
    assert inside(page).get_by_label("to", exact=True).input_value() == "4"
    frames = image.locator("xpath=..").locator("[aria-hidden] > div")
    widths = [frame.bounding_box()["width"] for frame in frames.all()]
    assert widths.count(pytest.approx(3 * boxes[0, 2] * at["width"], abs=2)) >= 3
    page.it.mouse.move(1, 1)
    tip.wait_for(state="hidden")
    assert in_kernel(page, "print(explorer.state.edits)") == "()\n"
    inside(page).get_by_label("Variable", exact=True).select_option("lactate")


def test_what_a_button_did_stands_beside_it(page):
    inside(page).get_by_role("button", name="Smallest change").click()
    said = inside(page).get_by_text("the range of the training data")
    said.wait_for()
    button = inside(page).get_by_role("button", name="Smallest change").bounding_box()
    assert 0 < said.bounding_box()["y"] - button["y"] < 3 * button["height"]
    number_box(page).fill("-5")
    page.it.keyboard.press("Enter")
    said = inside(page).get_by_text("was not taken: in the training data it lies between")
    said.wait_for()
    assert 0 < said.bounding_box()["y"] - number_box(page).bounding_box()["y"] < 120
    assert number_box(page).input_value() != "-5"


def test_all_of_it_fits_into_the_window(server):
    """Nine variables and four facts: at most 700 pixels high, before and after a change."""
    made = (
        "import lstm_explain as lx; data = lx.load_icu('sample').fill_missing(indicators=True)\n"
        "data = data.standardise(); model = lx.build_model(data, units=(2,), seed=0)"
    )
    server.write("large.ipynb", made, EXPLORE.replace("data.train", "data.train[:50]"))
    with server.page(width=1200) as page:
        page.open("large.ipynb")
        page.command("application:toggle-left-area")
        page.run_all()
        page.it.wait_for_selector(IMAGE)
        page.wait_for("() => document.querySelector('.jupyter-widgets img').naturalWidth > 0")
        assert inside(page).bounding_box()["height"] <= 700
        before = picture(page)
        slider(page, "Value").press("End")
        wait_for_change(page, before)
        assert in_kernel(page, "print(explorer.wait(60))") == "True\n"
        assert inside(page).bounding_box()["height"] <= 700
        page.it.set_viewport_size({"width": 600, "height": 900})
        page.wait_for(f"() => document.querySelector('{LIVE}').offsetWidth < 520")
        wide = page.it.evaluate(
            f"""() => Array.from(document.querySelector('{LIVE}').querySelectorAll('*'))
                 .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth
                         && getComputedStyle(one).overflowX !== 'visible')
                 .map(one => one.outerHTML.slice(0, 200))"""
        )
        assert wide == []
        assert page.errors == []
