"""``plot_tokens``: the words of texts in lines, coloured by SHAP value and by attention."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from matplotlib.transforms import ScaledTranslation, Transform

from ..attribution.explanation import Explanation
from ..wording import ink_on
from . import words
from .style import STYLE, ink, open_panels, write_heading

# Inches: a line and the box of a word in it, between words, inside a box, the caption, the scale.
_LINE, _BOX, _SPACE, _INSET, _CAPTION, _SCALE = 0.265, 0.215, 0.045, 0.035, 0.3, 1.1
_HEADING, _BETWEEN = 0.9, 0.2  # inches above a text, and below the first of two
_WIDTH, _LONGEST = 8.5, 30  # of a new figure in inches, of a word in letters
_BUDGETS = (words.FOLDED_WORDS, 60, 40, 25, 15)
_MISSING = "\N{WHITE SQUARE}"


def plot_tokens(
    explanation: Explanation, *, ax: Axes | None = None, limit: float | None = None
) -> Axes:
    """Draw one or two texts, each word on the colour of its SHAP value, and where the model looked.

    Red words raise the prediction, blue words lower it. Below them are the same words on greys: the
    darker, the more attention. Texts of more than 120 words are folded to the passages that
    matter; "[… 83 words …]" stands for the others. In notebooks use `tokens_html`.

    Parameters
    ----------
    explanation : Explanation
        Of one or two texts, per word; two share their colours.
    ax : Axes, optional
        Replaced by the panels, in a figure with constrained layout. By default a new figure. Texts
        are folded further where it is too small.
    limit : float, optional
        SHAP value of the strongest colours. By default the largest one; give the same limit to
        calls whose colours are to be compared.

    Returns
    -------
    Axes
        The words on the colours of their SHAP values, those of the first text. The other panels
        are in ``figure.axes``, each with a label.

    Examples
    --------
    >>> plot_tokens(explanation[0])                      # doctest: +SKIP
    """
    explanation = words.need_texts(explanation, "plot_tokens", most=2)
    width, height = _room(ax)
    texts = words.texts_of(explanation, limit=limit)
    for budget in _BUDGETS:
        if sum(map(sum, (_heights(text, width) for text in texts))) <= height:
            break
        texts = words.texts_of(explanation, budget, limit)
    heights = [height for text in texts for height in _heights(text, width)]
    if len(texts) > 1:
        heights[len(heights) // 2 - 1] += _BETWEEN
    place = open_panels(ax, heights, (1.0,), _WIDTH)
    if ax is None:
        place.figure.set_size_inches(_WIDTH, sum(heights) + _HEADING * len(texts))  # type: ignore[union-attr]
    # There are no names of rows beside the words: the heading has the whole width.
    heading = replace(place, width=place.width + 1.6)
    panels: list[Axes] = []
    for position, text in enumerate(texts, start=1):
        number = f" {position}" if len(texts) > 1 else ""
        for block in words.blocks_of(text):
            panel = place.add(len(panels), 0, label=f"{block.name}{number}")
            _draw_block(panel, text, block, width)
            if block.name == "values":
                kind = "Words coloured by their values"
                write_heading(panel, text.title, text.notes, heading, kind, [text.largest])
            panels.append(panel)
    place.figure.sca(panels[0])
    return panels[0]


def _room(ax: Axes | None) -> tuple[float, float]:
    """Return width and height in inches that lines can take."""
    if ax is None:
        return _WIDTH - 0.2, np.inf
    box, root = ax.get_window_extent(), ax.figure.get_figure(root=True)
    return max(box.width / root.dpi - 0.2, 1.0), box.height / root.dpi


def _heights(text: words.Text, width: float) -> list[float]:
    lines = max((placed.line for placed in lay_out(text, width)), default=0) + 1
    return [_CAPTION + _LINE * lines] * (1 if text.attention is None else 2)


# -- blocks ----------------------------------------------------------------------------------------
def _draw_block(ax: Axes, text: words.Text, block: words.Block, width: float) -> None:
    """Draw caption, scale and words, in inches right of and above the top left corner."""
    ax.set_axis_off()
    corner = ScaledTranslation(0, 1, ax.transAxes)  # type: ignore[arg-type]
    inches = ax.get_figure(root=True).dpi_scale_trans + corner  # type: ignore[union-attr]
    style: dict[str, Any] = {"transform": inches, "parse_math": False, "in_layout": False}
    ax.text(0, -_CAPTION / 2, block.caption, fontsize=STYLE.small, alpha=0.75, va="center", **style)
    for placed in lay_out(text, width):
        middle = -_CAPTION - (placed.line + 0.5) * _LINE
        colour, alpha = ink(), 0.75
        if placed.at is not None:
            ground = block.colours[placed.at]
            corner_of_box = (placed.left, middle - _BOX / 2)
            box = Rectangle(corner_of_box, placed.size, _BOX, facecolor=ground, linewidth=0)
            box.set(transform=inches, in_layout=False)
            ax.add_patch(box)
            box.set_clip_on(False)
            colour, alpha = ink_on(ground), 1.0
        word: dict[str, Any] = {"color": colour, "alpha": alpha, "fontsize": STYLE.text}
        word |= {"ha": "center", "va": "center_baseline"}
        ax.text(placed.left + placed.size / 2, middle, placed.word, **word, **style)
    _draw_scale(ax, inches, width, block)


def _draw_scale(ax: Axes, inches: Transform, width: float, block: words.Block) -> None:
    """Draw which number each colour is, at the right above the words."""
    low, high = (_width_of(end, STYLE.small) + 0.08 for end in block.ends)
    right = width - high
    left = max(_width_of(block.caption, STYLE.small) + 0.2 + low, right - _SCALE)
    if right - left < 0.2:
        return  # no room beside the caption
    middle = -_CAPTION / 2
    edges = np.linspace(left, right, 65).tolist()
    bottom, top = middle - 0.055, middle + 0.055
    boxes = [[(a, bottom), (b, bottom), (b, top), (a, top)] for a, b in pairwise(edges)]
    colours = block.scale(np.linspace(0, 1, len(boxes)))
    bar = PolyCollection(boxes, facecolors=colours, edgecolors=colours, transform=inches)
    ax.add_collection(bar, autolim=False)
    # Nothing in inches takes part in the layout: it would be given room beyond the panel.
    bar.set(in_layout=False, clip_on=False)
    style: dict[str, Any] = {"fontsize": STYLE.small, "alpha": 0.75, "va": "center"}
    style |= {"transform": inches, "parse_math": False, "in_layout": False}
    ax.text(left - 0.06, middle, block.ends[0], ha="right", **style)
    ax.text(right + 0.06, middle, block.ends[1], ha="left", **style)


# -- lines -----------------------------------------------------------------------------------------
class Placed(NamedTuple):
    """A word as it is drawn, or the mark of folded words (``at`` is None); sizes in inches."""

    word: str
    at: int | None
    line: int
    left: float
    size: float


def lay_out(text: words.Text, width: float) -> list[Placed]:
    """Put the shown words of a text, and marks of the folded ones, on lines of `width` inches."""
    pieces: list[tuple[str, int | None]] = []
    for part in text.parts:
        if text.shown[part.start]:
            pieces += [(_fitting(text.words[at], width), at) for at in range(part.start, part.stop)]
        else:
            pieces.append((words.fold_mark(part), None))
    placed: list[Placed] = []
    line, left = 0, 0.0
    for word, at in pieces:
        size = _width_of(word, STYLE.text) + 2 * _INSET
        if left > 0 and left + size > width:
            line, left = line + 1, 0.0
        placed.append(Placed(word, at, line, left, size))
        left += size + _SPACE
    return placed


def _fitting(word: str, width: float) -> str:
    """Return a word that can be drawn and is not longer than a line."""
    drawn = _drawable(words.visible(word, _LONGEST))
    while len(drawn) > 1 and _width_of(drawn, STYLE.text) + 2 * _INSET > width:
        drawn = drawn[:-2] + "…"
    return drawn


def _drawable(word: str) -> str:
    """Replace what no font of the figure has, or what only joins or turns letters, by a square."""
    fonts = [get_font(findfont(FontProperties(family=[name]))) for name in rcParams["font.family"]]
    kept = [c for c in word if unicodedata.category(c) != "Cf" and not "\ufe00" <= c <= "\ufe0f"]
    letters = (c if any(font.get_char_index(ord(c)) for font in fonts) else _MISSING for c in kept)
    return "".join(letters) or words.BLANK


@lru_cache(maxsize=10_000)
def _measured(word: str, size: float, family: tuple[str, ...]) -> float:
    font = FontProperties(family=list(family), size=size)
    # By 70, not 72: on the screen letters are rounded to pixels and run a little wider.
    return text_to_path.get_text_width_height_descent(word, font, ismath=False)[0] / 70


def _width_of(word: str, size: float) -> float:
    """Return the width of a drawn word in inches."""
    return _measured(word, size, tuple(rcParams["font.family"]))
