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
from pathlib import Path
from typing import Any

import IPython.display
import ipywidgets as w


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
        """The part in the page.

        `words` are the alternative text of pictures, `readings` the values of sliders, `marks` the
        boxes that are framed in the picture, `tip` what is pointed at. The page tells in `hover`
        and `selection` the places between which the pointer was drawn, in shares of the picture.
        """

        _esm = Path(__file__).with_name("live.js").read_text(encoding="utf-8")
        scope = traitlets.Unicode("").tag(sync=True)
        names = traitlets.Dict().tag(sync=True)
        readings = traitlets.Dict().tag(sync=True)
        words = traitlets.Unicode("").tag(sync=True)
        marks: Any = traitlets.List().tag(sync=True)
        tip = traitlets.Dict().tag(sync=True)
        hover: Any = traitlets.List().tag(sync=True)
        selection: Any = traitlets.List().tag(sync=True)

    return Live


# Pixels. In a narrower window, pictures keep this width and are scrolled, to stay legible.
_NARROWEST = 480
_RESTARTED = "The kernel was restarted: these controls work again when the cell is run again."
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


def picture_html(image: bytes, words: str, width: int) -> str:
    """Return a picture (PNG) with its alternative text as HTML, so many pixels wide at most."""
    source = f"data:image/png;base64,{b64encode(image).decode()}"
    return (
        f'<div style="overflow-x:auto"><img src="{source}" alt="{escape(words, quote=True)}" '
        f'style="width:100%;min-width:{_NARROWEST}px;max-width:{width}px"></div>'
    )


def hide(scope: str) -> Any:
    """Return a widget that hides the static picture of this scope while the controls work.

    After a restart of the kernel JupyterLab marks each control with a broken chain: instead, a
    sentence stands there, and the static picture.
    """
    dead = f".{scope}.jupyter-widgets-disconnected"
    look = "display: block; padding: 0; color: inherit; font: inherit"
    return w.HTML(
        f"<style>.{scope}-static {{display: none}}\n"
        f"body:has({dead}) .{scope}-static {{display: block}}\n"
        f"{dead} > * {{display: none !important}}\n"
        f'{dead}::before {{content: "{_RESTARTED}"; {look}}}</style>'
    )


def side_by_side(left: list[Any], right: list[Any]) -> Any:
    """Return a box of controls beside a column, above it where the window is narrow."""
    rows = w.VBox(right, layout={"flex": "3 1 480px", "max_width": "100%"})
    flow = {"flex_flow": "row wrap", "align_items": "flex-start", "align_content": "flex-start"}
    controls = w.HBox(left, layout={**flow, "flex": "1 1 300px", "max_width": "100%"})
    return w.HBox([controls, rows] if left else [rows], layout=flow)


def framed(image: Any, width: int) -> Any:
    """Return a box with a picture that can be touched, and is scrolled where the window is narrow.

    Parameters
    ----------
    image : ipywidgets.Image
    width : int
        Pixels; it is not drawn wider than that.
    """
    size = {"width": "100%", "min_width": f"{_NARROWEST}px", "max_width": f"{width}px"}
    image.layout = {"width": "100%", "height": "auto", "margin": "0"}
    # The page's part finds the picture in it, and puts frames over it.
    inner = w.Box([image], layout=size)
    inner.add_class("lstm-explain-touched")
    return w.Box([inner], layout={"overflow": "auto hidden", "width": "100%"})


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
