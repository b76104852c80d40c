"""All samples in JupyterLab: a click on a point, a line of the list, and the threshold by keys."""

from __future__ import annotations

import re
from typing import Any

import lab
import pytest
from whole.explored_page import LIVE, SETUP, in_kernel, slider_of, wait_for_kernel

pytestmark = [pytest.mark.browser, pytest.mark.long]

SAMPLES = "shown = lx.explore_samples(model, data.test, background=data.train)\nshown"
WIDE = f"""() => Array.from(document.querySelectorAll('{LIVE} *'))
    .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth
            && getComputedStyle(one).overflowX !== 'visible' && one.tagName !== 'SELECT')
    .map(one => one.outerHTML.slice(0, 200))"""


def test_a_sample_is_reached_by_mouse_and_keys(server: lab.Lab) -> None:
    server.write("samples.ipynb", SETUP, SAMPLES)
    with server.page(width=1200) as page:
        page.open("samples.ipynb")
        page.command("application:toggle-left-area")
        page.run_all()
        both = page.it.locator(f"{LIVE} img")
        page.wait_for(f"() => document.querySelectorAll('{LIVE} img').length === 2")
        page.wait_for(f"() => document.querySelector('{LIVE} img').alt.startsWith('8 samples')")
        overview = page.it.locator(LIVE).first
        image = both.first
        image.scroll_into_view_if_needed()
        at = image.bounding_box()
        code = "print(*shown._picture.places[2], shown.samples.text(2), sep='|')"
        x, y, text = in_kernel(page, code).strip().split("|")
        place = at["x"] + float(x) * at["width"], at["y"] + float(y) * at["height"]
        page.it.mouse.move(*place)
        page.it.get_by_text(re.compile("^" + re.escape(text) + "; size of the error")).wait_for()
        page.it.mouse.click(*place)
        wait_for_kernel(page, "shown.explorer.state.sample == 2 and shown.wait(60)")
        sample = page.it.get_by_label("Sample", exact=True)
        page.wait_for("box => box.value === '2'", sample.element_handle())

        listed: Any = overview.get_by_label("Samples of the list")
        listed.focus()
        page.it.keyboard.press("Home")
        first = "shown.explorer.state.sample == shown.list.options[0][1]"
        wait_for_kernel(page, f"{first} and shown.list.index == 0")

        handle = slider_of(overview, "Threshold")
        assert handle.get_attribute("aria-valuetext").replace("\xa0", " ") == "50 %"
        cells = page.sources()
        handle.press("Home")
        for key in ("x", "b"):
            page.it.keyboard.press(key)
        assert page.sources() == cells
        overview.get_by_text(re.compile(r"^sensitivity 100\s%")).wait_for()
        overview.get_by_text(re.compile(r"^yes from 1\s% on")).wait_for()
        assert overview.bounding_box()["height"] <= 480
        page.it.set_viewport_size({"width": 600, "height": 900})
        page.wait_for(f"() => document.querySelector('{LIVE}').offsetWidth < 560")
        assert page.it.evaluate(WIDE) == []
        assert page.errors == []
