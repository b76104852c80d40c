"""Keys, names and texts for screen readers, which plain controls do not have: needs anywidget."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

# JupyterLab's shortcuts also act while a slider or a button has the focus ("x" would cut the cell),
# unless the element itself says not to.
_SCRIPT = """
function render({ model, el }) {
  el.style.display = "none";
  let root = null, observer = null, stopped = false;
  const mend = () => {
    if (!root) return;
    for (const one of root.querySelectorAll(".noUi-handle, select, button, input, textarea"))
      one.setAttribute("data-lm-suppress-shortcuts", "true");
    const readings = model.get("readings");
    for (const [own, name] of Object.entries(model.get("names")))
      for (const handle of root.querySelectorAll("." + own + " .noUi-handle")) {
        const text = readings[own] ?? handle.getAttribute("aria-valuetext");
        handle.setAttribute("aria-label", name);
        // Only where it differs: each change of it calls this again.
        if (handle.getAttribute("aria-valuetext") !== text)
          handle.setAttribute("aria-valuetext", text);
      }
    for (const box of root.querySelectorAll("input[type=number], textarea")) {
      const title = box.closest("[title]");
      if (title && title.title) box.setAttribute("aria-label", title.title);
    }
    root.querySelectorAll(".widget-play button").forEach((button, place) =>
      button.setAttribute("aria-label", ["Play or pause", "Back to the start", "Repeat"][place]));
    for (const image of root.querySelectorAll("img")) image.alt = model.get("words");
  };
  const find = () => {
    root = el.closest("." + model.get("scope"));
    if (!root) { if (!stopped) requestAnimationFrame(find); return; }
    observer = new MutationObserver(mend);
    observer.observe(root, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuetext"],
    });
    mend();
  };
  find();
  model.on("change:words change:readings", mend);
  return () => { stopped = true; observer?.disconnect(); };
}
export default { render };
"""


def is_available() -> bool:
    """Tell whether anywidget is installed."""
    return find_spec("anywidget") is not None


def make_live(scope: str, names: dict[str, str]) -> Any:
    """Return an invisible widget that looks after the box it is put into.

    Parameters
    ----------
    scope : str
        A class of that box and of no other.
    names : dict of str
        Accessible names of sliders, by a class of each.
    """
    return _live_class()(scope=scope, names=names)


@cache
def _live_class() -> Any:
    import anywidget
    import traitlets

    class Live(anywidget.AnyWidget):
        """Its `words` describe the picture, its `readings` the positions of sliders."""

        _esm = _SCRIPT
        scope = traitlets.Unicode("").tag(sync=True)
        names = traitlets.Dict().tag(sync=True)
        readings = traitlets.Dict().tag(sync=True)
        words = traitlets.Unicode("").tag(sync=True)

    return Live
