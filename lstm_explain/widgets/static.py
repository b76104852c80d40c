"""What stands in a widget's place where no kernel runs: its first picture, as plain HTML."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Any

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
    from IPython.display import display

    head, text = escape(title), escape(words)
    static = f'<div class="{scope}-static"><p><b>{head}</b></p>{body}<p>{text}</p></div>'
    display({"text/html": static, "text/plain": f"{title}. {words}"}, raw=True)
    shown = widget._repr_mimebundle_()
    shown = shown[0] if isinstance(shown, tuple) else shown
    # The list of its parts, which would be shown where there are no widgets, says nothing.
    display({**shown, "text/plain": _LIVE}, raw=True)


def picture_html(image: bytes, words: str) -> str:
    """Return a picture (PNG) with its alternative text as HTML."""
    source = f"data:image/png;base64,{b64encode(image).decode()}"
    return (
        f'<div style="overflow-x:auto"><img src="{source}" alt="{escape(words, quote=True)}" '
        f'style="width:100%;min-width:{_NARROWEST}px;max-width:960px"></div>'
    )


def hide(scope: str) -> Any:
    """Return a widget that hides the static picture of the same scope while it lives."""
    import ipywidgets

    return ipywidgets.HTML(f"<style>.{scope}-static {{display: none}}</style>")


def framed(image: Any) -> Any:
    """Return a box with a picture, which is scrolled where the window is narrow."""
    import ipywidgets

    image.layout = ipywidgets.Layout(
        width="100%", min_width=f"{_NARROWEST}px", max_width="960px", height="auto"
    )
    return ipywidgets.Box([image], layout=ipywidgets.Layout(overflow="auto hidden", width="100%"))
