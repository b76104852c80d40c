"""What a widget is on its page beside the controls.

Keys, names and texts for screen readers (needs anywidget); the first picture as plain HTML where no
kernel runs; and figures of a running cell kept away from the threads that serve widgets. JupyterLab
4.4 and later hand a widget's messages to another thread, also while a cell runs. After each message
IPython calls matplotlib's hooks on that thread: they draw, show and close the figures that the cell
has half made.
"""

from __future__ import annotations

import copy
import threading
from base64 import b64encode
from functools import cache
from html import escape
from importlib.util import find_spec
from typing import Any

import IPython.display
import ipywidgets as w

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


# Pixels. Pictures in a narrower window keep this width and are scrolled, or nothing could be read.
_NARROWEST = 640
_LIVE = "(The controls need a running kernel: run the cell.)"


def show_both(widget: Any, scope: str, body: str, title: str, words: str) -> None:
    """Display a static picture, and a widget that hides it.

    A saved notebook keeps only the first: what is shown of a widget lives in the kernel.

    Parameters
    ----------
    widget : ipywidgets.Widget
        Holds a `hide` of the same scope.
    scope : str
        A class of the widget's box and of no other.
    body : str
        HTML: the picture.
    title, words : str
        Written above and below it; escaped here.
    """
    head, text = escape(title), escape(words)
    static = f'<div class="{scope}-static"><p><b>{head}</b></p>{body}<p>{text}</p></div>'
    IPython.display.display({"text/html": static, "text/plain": f"{title}. {words}"}, raw=True)
    shown = widget._repr_mimebundle_()
    shown = shown[0] if isinstance(shown, tuple) else shown
    # The list of its parts, which would be shown where there are no widgets, says nothing.
    IPython.display.display({**shown, "text/plain": _LIVE}, raw=True)


def picture_html(image: bytes, words: str) -> str:
    """Return a picture (PNG) with its alternative text as HTML."""
    source = f"data:image/png;base64,{b64encode(image).decode()}"
    return (
        f'<div style="overflow-x:auto"><img src="{source}" alt="{escape(words, quote=True)}" '
        f'style="width:100%;min-width:{_NARROWEST}px;max-width:960px"></div>'
    )


def hide(scope: str) -> Any:
    """Return a widget that hides the static picture of the same scope while it lives."""
    return w.HTML(f"<style>.{scope}-static {{display: none}}</style>")


def framed(image: Any) -> Any:
    """Return a box with a picture, which is scrolled where the window is narrow."""
    image.layout = {
        "width": "100%", "min_width": f"{_NARROWEST}px", "max_width": "960px", "height": "auto",
    }  # fmt: skip
    return w.Box([image], layout={"overflow": "auto hidden", "width": "100%"})


_MARK = "_lstm_explain_guard"


def guard_figures(shell: Any) -> None:
    """Let matplotlib's hooks run on the main thread only; all other hooks stay as they are.

    Parameters
    ----------
    shell : IPython shell or None
        What ``IPython.get_ipython()`` gives. None: there is nothing to guard.
    """
    events = getattr(shell, "events", None)
    if events is None or hasattr(events, _MARK):
        return

    def trigger(event: str, *args: Any, **kwargs: Any) -> None:
        shown = events
        if threading.current_thread() is not threading.main_thread():
            shown = copy.copy(events)
            shown.callbacks = {
                name: [hook for hook in hooks if not _of_matplotlib(hook)]
                for name, hooks in events.callbacks.items()
            }
        type(events).trigger(shown, event, *args, **kwargs)

    events.trigger = trigger
    setattr(events, _MARK, True)


def release_figures(shell: Any) -> None:
    """Undo `guard_figures`."""
    events = getattr(shell, "events", None)
    if events is not None and hasattr(events, _MARK):
        del events.trigger
        delattr(events, _MARK)


def _of_matplotlib(hook: Any) -> bool:
    return (getattr(hook, "__module__", None) or "").startswith("matplotlib")
