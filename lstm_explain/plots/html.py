"""``tokens_html``: texts in notebooks, on the colours of SHAP values and attention.

Each word is escaped and isolated, so that none can be markup or change the direction of its
neighbours.
"""

from __future__ import annotations

from html import escape

import numpy as np
from matplotlib.colors import to_hex

from ..attribution.explanation import Explanation
from ..wording import as_read, ink_on
from . import words

_MOST = 20  # texts
# Only attributes: notebooks that are not trusted drop <style> elements.
_BOX = "font-family:sans-serif;margin:0.5em 0 1.2em 0"
_SIDES = "display:flex;flex-wrap:wrap;gap:0.4em 2em"
_BLOCK = "flex:1 1 20em;min-width:0;line-height:1.9;overflow-wrap:anywhere"
_SMALL, _PALE = "font-size:85%;line-height:1.5", "opacity:0.75"
_WORD = "display:inline-block;max-width:100%;padding:0 0.2em;border-radius:0.2em;line-height:1.4"
_SCALE = "display:inline-block;width:6em;height:0.7em;margin:0 0.4em;vertical-align:middle"


class Html(str):
    """A ``str`` of HTML that a notebook renders."""

    def _repr_html_(self) -> str:
        return str(self)


def tokens_html(explanation: Explanation, *, limit: float | None = None) -> Html:
    """Show texts in a notebook: SHAP values beside attention, with the numbers on hover.

    Red words raise the prediction, blue words lower it; the darker the grey, the more attention.
    Texts of more than 120 words are folded to the passages that matter. `plot_tokens` draws the
    same figure.

    Parameters
    ----------
    explanation : Explanation
        Of up to 20 texts, per word; all share their colours.
    limit : float, optional
        SHAP value of the strongest colours. By default the largest one; give the same limit to
        calls whose colours are to be compared.

    Returns
    -------
    str
        HTML, which a notebook renders. Every word is escaped.

    Examples
    --------
    >>> tokens_html(explanation[:3])                     # doctest: +SKIP
    """
    explanation = words.need_texts(explanation, "tokens_html", most=_MOST)
    return Html("".join(_text(text) for text in words.texts_of(explanation, limit=limit)))


def _text(text: words.Text) -> str:
    blocks = [_block(text, block) for block in words.blocks_of(text)]
    title, notes = (
        escape(as_read(between.join(parts)))
        for between, parts in ((" ", text.title), ("  ·  ", text.notes))
    )
    return (
        f'<div style="{_BOX}"><div style="font-weight:bold">{title}</div>'
        f'<div style="{_SMALL};{_PALE}">{notes}</div>'
        f'<div style="{_SIDES}">{"".join(blocks)}</div></div>'
    )


def _block(text: words.Text, block: words.Block) -> str:
    stops = ",".join(to_hex(colour) for colour in block.scale(np.linspace(0, 1, 9)))
    legend = (
        f'<span style="white-space:nowrap">{escape(block.ends[0])}'
        f'<span style="{_SCALE};background:linear-gradient(to right,{stops})"></span>'
        f"{escape(block.ends[1])}</span>"
    )
    head = f'<span style="{_PALE};margin-right:1em">{escape(block.caption)}</span>'
    parts = []
    for part in text.parts:
        if text.shown[part.start]:
            parts += [_word(text, at, block.colours[at]) for at in range(part.start, part.stop)]
        else:
            hover = escape(words.describe_fold(text, part))
            mark = escape(words.fold_mark(part))
            parts.append(f'<span style="{_PALE}" title="{hover}">{mark}</span>')
    return (
        f'<div style="{_BLOCK}"><div style="{_SMALL}">{head}{legend}</div>'
        f'<div dir="auto">{" ".join(parts)}</div></div>'
    )


def _word(text: words.Text, at: int, ground: str) -> str:
    style = f"{_WORD};background:{ground};color:{ink_on(ground)}"
    hover = escape(words.describe_word(text, at))
    word = escape(words.visible(text.words[at]))
    return f'<span style="{style}" title="{hover}"><bdi>{word}</bdi></span>'
