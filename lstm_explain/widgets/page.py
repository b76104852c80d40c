"""Widgets in the page of a notebook: accessibility, a static picture, and a guard for figures.

With anywidget, controls get accessible names and JupyterLab's shortcuts leave them alone. Where no
kernel runs, the first picture is shown as plain HTML. And JupyterLab 4.4 and later hand a widget's
messages to another thread, also while a cell runs; after each message IPython calls Matplotlib's
hooks on that thread, which draw, show and close the figures that the cell has not finished. The
guard prevents that.
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
  const label = () => {
    if (!root) return;
    for (const control of root.querySelectorAll(".noUi-handle, select, button, input, textarea"))
      control.setAttribute("data-lm-suppress-shortcuts", "true");
    const readings = model.get("readings");
    for (const [cssClass, name] of Object.entries(model.get("names")))
      for (const handle of root.querySelectorAll("." + cssClass + " .noUi-handle")) {
        const text = readings[cssClass] ?? handle.getAttribute("aria-valuetext");
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
    observer = new MutationObserver(label);
    observer.observe(root, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuetext"],
    });
    label();
  };
  find();
  model.on("change:words change:readings", label);
  return () => { stopped = true; observer?.disconnect(); };
}
export default { render };
"""


def is_available() -> bool:
    """Return whether anywidget is installed."""
    return find_spec("anywidget") is not None


def make_live(scope: str, names: dict[str, str]) -> Any:
    """Return an invisible widget that labels the controls of the box it is put into.

    Parameters
    ----------
    scope : str
        A CSS class that only this box has.
    names : dict of str
        Accessible names of sliders, by a CSS class of each.
    """
    return _live_class()(scope=scope, names=names)


@cache
def _live_class() -> Any:
    import anywidget
    import traitlets

    class Live(anywidget.AnyWidget):
        """`words` are the alternative text of pictures, `readings` the values of sliders."""

        _esm = _SCRIPT
        scope = traitlets.Unicode("").tag(sync=True)
        names = traitlets.Dict().tag(sync=True)
        readings = traitlets.Dict().tag(sync=True)
        words = traitlets.Unicode("").tag(sync=True)

    return Live


# Pixels. In a narrower window, pictures keep this width and are scrolled, to stay legible.
_NARROWEST = 640
_WITHOUT_KERNEL = "(The controls need a running kernel: run the cell.)"


def show_both(widget: Any, scope: str, body: str, title: str, words: str) -> None:
    """Display a static picture, and a widget that hides it.

    A saved notebook keeps only the picture: a widget needs its kernel.

    Parameters
    ----------
    widget : ipywidgets.Widget
        Contains the `hide` of the same scope.
    scope : str
        A CSS class that only this widget has.
    body : str
        HTML: the picture.
    title, words : str
        Written above and below it; escaped here.
    """
    head, text = escape(title), escape(words)
    static = f'<div class="{scope}-static"><p><b>{head}</b></p>{body}<p>{text}</p></div>'
    IPython.display.display({"text/html": static, "text/plain": f"{title}. {words}"}, raw=True)
    bundle = widget._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    # By default a list of its parts, which is useless where there are no widgets.
    IPython.display.display({**bundle, "text/plain": _WITHOUT_KERNEL}, raw=True)


def picture_html(image: bytes, words: str) -> str:
    """Return a picture (PNG) with its alternative text as HTML."""
    source = f"data:image/png;base64,{b64encode(image).decode()}"
    return (
        f'<div style="overflow-x:auto"><img src="{source}" alt="{escape(words, quote=True)}" '
        f'style="width:100%;min-width:{_NARROWEST}px;max-width:960px"></div>'
    )


def hide(scope: str) -> Any:
    """Return a widget that hides the static picture of this scope while it is displayed."""
    return w.HTML(f"<style>.{scope}-static {{display: none}}</style>")


def framed(image: Any) -> Any:
    """Return a box with a picture, which is scrolled where the window is narrow."""
    image.layout = {
        "width": "100%", "min_width": f"{_NARROWEST}px", "max_width": "960px", "height": "auto",
    }  # fmt: skip
    return w.Box([image], layout={"overflow": "auto hidden", "width": "100%"})


_MARK = "_lstm_explain_guard"


def guard_figures(shell: Any) -> None:
    """Let Matplotlib's hooks run on the main thread only; all other hooks stay as they are.

    Parameters
    ----------
    shell : IPython shell or None
        As ``IPython.get_ipython()`` returns it. None: there is nothing to guard.
    """
    events = getattr(shell, "events", None)
    if events is None or hasattr(events, _MARK):
        return

    def trigger(event: str, *args: Any, **kwargs: Any) -> None:
        allowed = events
        if threading.current_thread() is not threading.main_thread():
            allowed = copy.copy(events)
            allowed.callbacks = {
                name: [hook for hook in hooks if not _of_matplotlib(hook)]
                for name, hooks in events.callbacks.items()
            }
        type(events).trigger(allowed, event, *args, **kwargs)

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
