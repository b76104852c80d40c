"""What a notebook shows of an ``Explanation``: what was explained, what matters, a small map.

Tables without a style take the colours of the notebook's theme. The cells of the map have a colour
and its number, which is left where styles are removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from ..sequences.page import rows_html
from ..wording import MINUS, as_read, decimals, fixed, ink_on, shortened
from .cohorts import overview
from .explanation import Explanation
from .reading import (
    background_text,
    equation,
    largest_text,
    read_chances,
    step_names,
    subject_and_scale,
)

# The map has at most so many rows and columns; of a text so many words are shown.
_ROWS, _COLUMNS, _WORDS = 6, 10, 60
# The strongest colours of figures: raises, lowers, and sizes without a sign.
_RAISES, _LOWERS, _SIZE = (193, 63, 42), (36, 104, 168), (84, 64, 140)


def page_of(explanation: Explanation) -> str:
    """Return the explanation in short as HTML. Every text that comes from data is escaped."""
    head = f"<p><b>Explanation</b> {escape(_sizes(explanation))}</p>"
    if "output" in explanation.values.dims:
        names = [str(name) for name in explanation.output.values]
        head += f"<p>Of {len(names)} outputs: {escape(shortened(', '.join(names), 200))}. "
        head += "Below, the first; <code>for_output(name)</code> gives each.</p>"
        explanation = explanation.for_output(0)
    body = rows_html(_facts(explanation)) + _map(explanation) if len(explanation) else ""
    return f"<div>{head}{body}</div>"


def _sizes(explanation: Explanation) -> str:
    sizes = explanation.values.sizes.items()
    counts = (
        f"{size:,} {'step' if name == 'time' else name}{'s' * (size != 1)}" for name, size in sizes
    )
    return " x ".join(counts)


def _facts(e: Explanation) -> list[tuple[str, str]]:
    what = f"{subject_and_scale(e)}, by {e.provenance['method']}"
    rows = [("explained", what), ("absent means", background_text(e))]
    largest = float(np.abs(e.predictions.values).max())
    if len(e) == 1:
        about, *sums = equation(e)
        rows.append((about.rstrip(":"), " ".join(sums)))
    else:
        ends = float(e.predictions.values.min()), float(e.predictions.values.max())
        text = " to ".join(fixed(end, decimals(ends[1] - ends[0], largest)) for end in ends)
        rows.append(("predictions", f"{text}{read_chances(e)}"))
    gap = float(np.abs(e.gaps.values).max())
    # What is beyond the digits of the predictions is rounding.
    rows.append(("largest gap", fixed(gap, decimals(gap)) if gap > 1e-6 * largest else "0"))
    name, _, drivers = largest_text(e).partition(": ")
    rows += [(name, drivers)] if drivers else []
    return [(as_read(name), as_read(text)) for name, text in rows]


def _map(e: Explanation) -> str:
    dims, real, names = e.values.dims, e.mask.values[0], e.feature_names
    if len(e) > 1 and dims == ("sample", "time", "feature"):
        summary = overview(e)
        before = range(len(summary.counts) - 1, -1, -1)
        steps = [f"{MINUS}{count}" if count else "0" for count in before]
        note = f"Mean |{e.value_name}| by steps before the end, each column the sum up to the next"
        return _table(note, names, np.nan_to_num(summary.cells), steps, "step", sizes=True)
    if len(e) > 1 or dims[1:2] != ("time",):
        return ""
    values = e.values.values[0, real]
    if names:
        note = f"{e.value_name}s, each column the sum of the steps up to the next"
        rows = names if values.ndim == 2 else ["all features"]
        name = str(e.to_dataset().attrs.get("time_name", "step"))
        return _table(note, rows, np.atleast_2d(values.T), step_names(e)[real].tolist(), name)
    limit, words = float(np.abs(values).max()) or 1.0, e.data.values[0, real]
    spans = [_word(w, v, limit) for w, v in zip(words[:_WORDS], values[:_WORDS], strict=True)]
    return f"<p>{' '.join(spans)}{' …' if len(words) > _WORDS else ''}</p>"


def _word(word: object, value: float, limit: float) -> str:
    text, number = escape(shortened(word, 30)), fixed(value, decimals(limit), sign=True)
    return f'<span style="{_colours(value / limit)}" title="{number}"><bdi>{text}</bdi></span>'


def _table(
    note: str,
    names: Sequence[str],
    cells: np.ndarray,
    steps: Sequence[str],
    time_name: str,
    sizes: bool = False,
) -> str:
    """Return the rows that matter most as a table whose cells have colours and numbers."""
    order = np.argsort(-np.abs(cells).sum(axis=1), kind="stable")[:_ROWS]
    most = _COLUMNS if max(map(len, steps)) <= 8 else _COLUMNS // 2
    groups = np.array_split(np.arange(len(steps)), min(most, len(steps)))
    sums = np.stack([cells[order][:, group].sum(axis=1) for group in groups], axis=1)
    limit = float(np.abs(sums).max()) or 1.0
    places = decimals(limit)
    head = "".join(f"<th>{escape(steps[group[0]])}</th>" for group in groups)
    rows, corner = [], escape(shortened(time_name, 30))
    for name, row in zip((names[i] for i in order), sums, strict=True):
        texts = (fixed(value, places, sign=not sizes) for value in row)
        looks = (_colours(value / limit, sizes) for value in row)
        line = "".join(f'<td style="{c}">{t}</td>' for c, t in zip(looks, texts, strict=True))
        rows.append(f"<tr><th>{escape(shortened(name, 30))}</th>{line}</tr>")
    return (
        f"<p>{escape(note)}:</p><table><thead><tr><th>{corner}</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _colours(strength: float, sizes: bool = False) -> str:
    """Return the style of a cell: from white to the strongest colour, with letters that show."""
    strongest = np.array(_SIZE if sizes else _RAISES if strength > 0 else _LOWERS)
    red, green, blue = (255 + abs(strength) * (strongest - 255)).astype(int)
    ground = f"#{red:02x}{green:02x}{blue:02x}"
    return f"background:{ground};color:{ink_on(ground)}"
