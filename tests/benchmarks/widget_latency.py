"""Time from a key press on the explorer's slider to the new picture in the page, in Chromium.

``python tests/benchmarks/widget_latency.py`` prints it beside what redrawing the same picture alone
takes, in the same page and the same kernel: read the ratios, the machine may be busy.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
import lab

MOVES = 30
MODEL = """\
import lstm_explain as lx
raw = lx.load_icu("sample")
data = raw.fill_missing(indicators=True).standardise()
model = lx.build_model(data, units=(32,), dropout=0.3, seed=0)
run = lx.train(model, data, epochs=30, patience=4, learning_rate=2e-3, seed=0, progress=False)
print(data.train.values.shape)"""
EXPLORE = """\
explorer = lx.explore(model, data.test, background=data.train[:100], sample=3)
explorer.controls.variable.value = "lactate"
explorer"""
# The same picture with the same changes, everything else computed before.
REDRAW = """\
import ipywidgets
from lstm_explain.widgets.pictures import Picture
from lstm_explain.widgets.state import Edit, State
from lstm_explain.widgets.page import framed
first, last = explorer.controls.selected_steps
views = [explorer.core.view(State(3, (Edit("lactate", 1 + 0.1 * i, (first, last)),)), "lactate")
         for i in range({moves} + 1)]
picture = Picture(views[0], headed=False)
for view in views:
    picture.update(view)
move = ipywidgets.IntSlider(min=0, max={moves}, description="Redraw", readout=False)
size = dict(zip(("width", "height"), map(str, picture.size)))
image = ipywidgets.Image(value=picture.png(), format="png", **size)
def redraw(event):
    picture.update(views[event.new])
    image.value = picture.png()
move.observe(redraw, names="value")
move.add_class("redraw")
ipywidgets.VBox([move, framed(image, picture.size[0])])"""
WATCH = """
selector => {
  const image = document.querySelector(selector);
  window.times = [];
  window.pressed = null;
  document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
  image.addEventListener("load", () => requestAnimationFrame(() => {
    if (window.pressed !== null) window.times.push(performance.now() - window.pressed);
    window.pressed = null;
  }));
}"""


def milliseconds(page: lab.Page, image: str, handle: Any) -> np.ndarray:
    """Press a key, wait for the picture, press the next."""
    page.it.evaluate(WATCH, image)
    handle.scroll_into_view_if_needed()
    for done in range(MOVES):
        handle.press("ArrowRight")
        page.wait_for("done => window.times.length > done", done)
        page.it.wait_for_timeout(150)
    return np.array(page.it.evaluate("() => window.times"))


def run_cell(page: lab.Page, cell: int, selector: str) -> float:
    """Run one cell; return the seconds until something is there."""
    return page.it.evaluate(
        """([cell, selector]) => new Promise(resolve => {
          const panel = jupyterapp.shell.currentWidget, start = performance.now();
          panel.content.activeCellIndex = cell;
          panel.content.deselectAll();
          jupyterapp.commands.execute("notebook:run-cell");
          const look = () => {
            const found = document.querySelector(selector);
            if (found && (found.naturalWidth ?? 1)) resolve((performance.now() - start) / 1000);
            else requestAnimationFrame(look);
          };
          look();
        })""",
        [cell, selector],
    )


def main() -> None:
    """Print the table."""
    if what := lab.missing():
        sys.exit(f"The page cannot be driven here: {what}")
    with tempfile.TemporaryDirectory() as folder:
        server = lab.Lab(Path(folder) / "lab")
        try:
            server.write("latency.ipynb", MODEL, EXPLORE, REDRAW.replace("{moves}", str(MOVES)))
            with server.page(height=1600) as page:
                page.it.set_default_timeout(600_000)
                page.open("latency.ipynb")
                page.command("application:toggle-left-area")
                run_cell(page, 0, ".jp-OutputArea-output pre")
                own = ".jp-Cell:nth-of-type(2) .jupyter-widgets img, .jupyter-widgets img"
                shown = run_cell(page, 1, own)
                page.it.wait_for_timeout(2000)
                handle = page.it.get_by_role("slider", name="Value")
                handle.press("Home")
                page.it.wait_for_timeout(2000)
                explored = milliseconds(page, ".jupyter-widgets img", handle)
                run_cell(page, 2, ".redraw .noUi-handle")
                page.it.wait_for_timeout(1000)
                page.it.evaluate(
                    "() => document.querySelectorAll('.jupyter-widgets img')[1].id = 'again'"
                )
                alone = milliseconds(page, "#again", page.it.locator(".redraw .noUi-handle"))
        finally:
            server.close()
    print(f"first display after {shown:.2f} s; {MOVES} key presses, milliseconds to the picture:")
    for name, times in (("redrawing alone", alone), ("the explorer", explored)):
        print(f"  {name:16s} median {np.median(times):4.0f}, 95 % {np.quantile(times, 0.95):4.0f}")
    for name, share in (("median", 0.5), ("95th percentile", 0.95)):
        print(f"  {name}: {np.quantile(explored, share) / np.quantile(alone, share):.2f} times")


if __name__ == "__main__":
    main()
