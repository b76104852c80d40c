"""Explained texts, ready to draw: words that are safe to show, their colours, and folded words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex

from ..arguments import check_number
from ..attribution.explanation import Explanation
from ..attribution.reading import largest_text
from ..wording import decimals, fixed, percent
from . import content, validation
from .style import SIGNED, limit_of
from .time_axis import stretches

# Where the model looked: greys, which are no colours of SHAP values.
LOOKED = LinearSegmentedColormap.from_list("lstm_explain_looked", ["#ffffff", "#8c8c8c", "#2b2b2b"])
# A text of more words is folded, to passages of about so many words.
MOST_WORDS, FOLDED_WORDS = 120, 80
# Words shown on each side of one that matters; a shorter gap than this is not worth a fold.
_CONTEXT, _SHORTEST_GAP = 4, 5
# These also change the direction of the words that follow.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNSHOWN, BLANK = "\N{REPLACEMENT CHARACTER}", "\N{OPEN BOX}"


@dataclass(frozen=True)
class Text:
    """One explained text: its real words, with what belongs to each.

    ``shown`` is True for words that are shown; the others are folded. ``limit`` and ``most`` are
    the value and the attention of the strongest colours, ``largest`` names the words with the
    largest values.
    """

    words: list[str]
    values: np.ndarray
    attention: np.ndarray | None
    errors: np.ndarray | None
    shown: np.ndarray
    limit: float
    most: float
    title: list[str]
    notes: list[str]
    value_name: str
    largest: str

    @property
    def parts(self) -> list[slice]:
        """Return the runs of words that are shown or folded together, in order."""
        edges = np.flatnonzero(np.diff(self.shown.astype(int))) + 1
        bounds = [0, *edges.tolist(), len(self.words)]
        return [slice(a, b) for a, b in pairwise(bounds) if b > a]


def need_texts(explanation: object, caller: str, most: int) -> Explanation:
    """Return the explanation if it is one of a few texts, with one value per word."""
    explanation = validation.need_explanation(explanation, caller)
    if "feature" in explanation.data.dims or explanation.data.dtype.kind not in "UO":
        raise ValueError(
            f"Expected the explanation of a text in {caller}; received one of measurements. Use "
            "plot_heatmap or plot_timeline."
        )
    validation.need_level(explanation, ("time",), caller)
    if len(explanation) > most:
        raise ValueError(
            f"Expected at most {most} texts in {caller}; received {len(explanation)}. Take some: "
            f"{caller}(e[:{most}])."
        )
    return explanation


def texts_of(
    explanation: Explanation, budget: int | None = None, limit: float | None = None
) -> list[Text]:
    """Return each text of an explanation, all with the same scale of colours.

    About `budget` words are shown; by default a text of up to `MOST_WORDS` is shown whole. The
    strongest colours are at plus and minus `limit`, by default the largest value.
    """
    attention = explanation.attention
    check_number(above=0, optional=True, limit=limit)
    limit = limit or limit_of(explanation.values.values)
    most = 1.0 if attention is None else limit_of(attention.values)
    return [_text(explanation[[i]], limit, most, budget) for i in range(len(explanation))]


def _text(one: Explanation, limit: float, most: float, budget: int | None) -> Text:
    real = one.mask.values[0]
    values = one.values.values[0, real]
    attention = None if one.attention is None else one.attention.values[0, real]
    errors = None if one.standard_errors is None else one.standard_errors.values[0, real]
    weight = np.abs(values) / limit
    if attention is not None:
        weight = np.maximum(weight, attention / most)
    if budget is None:
        budget = len(values) if len(values) <= MOST_WORDS else FOLDED_WORDS
    shown = passages(weight, budget)
    notes = [note for note in content.circumstances(one) if not note.startswith("thin lines")]
    if one.static_values is not None:
        total = float(one.static_values.sum())
        notes.append(f"static facts {fixed(total, decimals(total, limit), sign=True)}")
    if not shown.all():
        total = float(values[~shown].sum())
        notes.append(
            f"{one.value_name}s of folded words {fixed(total, decimals(limit), sign=True)}"
        )
    words = [str(word) for word in one.data.values[0, real]]
    title = content.equation(one)
    return Text(
        words,
        values,
        attention,
        errors,
        shown,
        limit,
        most,
        title,
        notes,
        one.value_name,
        largest_text(one),
    )


def passages(weight: np.ndarray, budget: int) -> np.ndarray:
    """Choose about `budget` words, bool (word,): the weightiest with some words around each.

    Examples
    --------
    >>> weight = np.zeros(100)
    >>> weight[50] = 1
    >>> np.flatnonzero(passages(weight, budget=9)).tolist()
    [46, 47, 48, 49, 50, 51, 52, 53, 54]
    """
    if len(weight) <= budget:
        return np.ones(len(weight), bool)
    shown = np.zeros(len(weight), bool)
    for word in np.argsort(-weight, kind="stable"):
        around = slice(max(word - _CONTEXT, 0), word + _CONTEXT + 1)
        if shown.any() and shown.sum() + (~shown[around]).sum() > budget:
            break
        shown[around] = True
    for start, end in stretches(~shown):
        if end - start < _SHORTEST_GAP:
            shown[start:end] = True
    return shown


# -- words -----------------------------------------------------------------------------------------
def visible(word: str, longest: int = 200) -> str:
    r"""Return a word without characters that cannot be shown or that change its neighbours.

    Examples
    --------
    >>> visible("good"), visible("\n"), visible("a\x00b"), visible("long" * 9, longest=6)
    ('good', '␣', 'a�b', 'longl…')
    """
    line = " ".join(word.split())
    line = "".join(
        UNSHOWN if c in _DIRECTIONS or unicodedata.category(c) in ("Cc", "Cs", "Cn") else c
        for c in line[: longest + 1]
    )
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line if any(unicodedata.category(c) != "Cf" for c in line) else BLANK


def describe_word(text: Text, at: int) -> str:
    """Return value and attention of one word as text."""
    places = decimals(text.limit)
    parts = [f"{text.value_name} {fixed(text.values[at], places, sign=True)}"]
    if text.errors is not None:
        parts[0] += f" ± {fixed(text.errors[at], places)}"
    if text.attention is not None:
        parts.append(f"attention {_attention(text.attention[at], text)}")
    return ", ".join(parts)


def describe_fold(text: Text, part: slice) -> str:
    """Return the sums of values and attention of folded words as text."""
    total = float(text.values[part].sum())
    parts = [f"{text.value_name}s {fixed(total, decimals(text.limit), sign=True)}"]
    if text.attention is not None:
        parts.append(f"attention {_attention(text.attention[part].sum(), text)}")
    return ", ".join([*parts, "together"])


def _attention(share: float, text: Text) -> str:
    return percent(share, max(decimals(100 * text.most) - 1, 1))


def fold_mark(part: slice) -> str:
    """Return what stands for folded words."""
    return f"[… {part.stop - part.start:,} words …]"


# -- colours ---------------------------------------------------------------------------------------
class Block(NamedTuple):
    """The words of a text on one scale of colours, whose ends have numbers."""

    name: str
    caption: str
    colours: list[str]  # of each word
    scale: Colormap
    ends: tuple[str, str]


def blocks_of(text: Text) -> list[Block]:
    """Return the words by their value and, where the model has attention, by that."""
    places = decimals(text.limit)
    ends = (fixed(-text.limit, places), fixed(text.limit, places, sign=True))
    colours = _colours(SIGNED, 0.5 + 0.5 * text.values / text.limit)
    caption = f"{text.value_name}s: red raises, blue lowers"
    blocks = [Block("values", caption, colours, SIGNED, ends)]
    if text.attention is not None:
        caption, ends = "attention: where the model looked", ("0", _attention(text.most, text))
        colours = _colours(LOOKED, text.attention / text.most)
        blocks.append(Block("attention", caption, colours, LOOKED, ends))
    return blocks


def _colours(colours: Colormap, at: np.ndarray) -> list[str]:
    return [to_hex(colour) for colour in colours(np.asarray(at, float))]
