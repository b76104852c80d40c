"""What a notebook shows of a ``SequenceData``: its sizes, and the first sample as a table.

Plain tables: they take the colours of the notebook's theme, and can be read where styles are
removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from ..wording import number, percent, shortened
from .data import SequenceData
from .scaling import PARTS, chart_of
from .splitting import SPLITS
from .step_names import step_names

# So many steps, columns, words and classes of a sample are shown, and so many letters of a name.
_STEPS, _COLUMNS, _WORDS, _CLASSES, _LETTERS = 5, 8, 40, 6, 30
_LEFT = '<td style="text-align:left">'


def page_of(data: SequenceData) -> str:
    """Return the data in short as HTML. Every text that comes from data is escaped."""
    facts = [("samples", _samples(data)), ("steps", _steps(data)), *_inputs(data), *_target(data)]
    parts = [f"<p><b>SequenceData</b> {escape(shortened(data.name, 60))}</p>", rows_html(facts)]
    if len(data) and data.mask[0].any():
        parts.append(_first(data[0]))
    return f"<div>{''.join(parts)}</div>"


def rows_html(rows: Iterable[tuple[str, str]]) -> str:
    """Return names and texts as a table; both are escaped."""
    cells = (f"<tr><th>{escape(name)}</th>{_LEFT}{escape(text)}</td></tr>" for name, text in rows)
    return f"<table><tbody>{''.join(cells)}</tbody></table>"


def columns_html(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a row of names; all is escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _samples(data: SequenceData) -> str:
    if data.split is None:
        return f"{len(data):,}, not split"
    counts = [(label, int((data.split == label).sum())) for label in SPLITS]
    return f"{len(data):,}: {', '.join(f'{label} {count:,}' for label, count in counts if count)}"


def _steps(data: SequenceData) -> str:
    lengths = data.lengths if len(data) else np.array([data.values.shape[1]])
    low, high = int(lengths.min()), int(lengths.max())
    steps = f"{low:,}" if low == high else f"{low:,} to {high:,} (median {np.median(lengths):,.0f})"
    return steps if data.time_name == "step" else f"{steps}; time: {shortened(data.time_name, 40)}"


def _inputs(data: SequenceData) -> list[tuple[str, str]]:
    rows = []
    if data.tokens is not None:
        rows.append(("vocabulary", f"{len(data.vocabulary):,} words"))
    else:
        missing = _missing_share(data)
        what = "variables" if data.variables else "features"
        rows.append((what, _listed(_variables(data))))
        name = "not measured" if data.variables else "missing"
        rows.append((name, f"{percent(missing, int(0 < missing < 0.1))} of the cells"))
    if data.static is not None:
        rows.append(("static facts", _listed(data.static_names)))
    return rows


def _missing_share(data: SequenceData) -> float:
    """Return the share of the cells of real steps that were not measured; padding has no NaN."""
    cells = max(int(data.mask.sum()) * len(_variables(data)), 1)
    if not data.variables:
        return int(np.isnan(data.values).sum()) / cells
    # Column by column: large data are not copied.
    at = np.flatnonzero(np.array(data.parts) == PARTS[1])
    flags = (data.values[..., i] * data.scale[i] + data.center[i] < 0.5 for i in at)
    return sum(int((flag & data.mask).sum()) for flag in flags) / cells


def _target(data: SequenceData) -> list[tuple[str, str]]:
    if data.target is None:
        return []
    if data.target_names:
        return [("labels" if data.class_names else "targets", _listed(data.target_names))]
    if not data.class_names:
        unit = f" [{shortened(data.target_unit, 20)}]" if data.target_unit else ""
        return [("target", f"{shortened(data.target_name, _LETTERS)}{unit}")]
    counts = np.bincount(data.target, minlength=len(data.class_names))
    pairs = list(zip(data.class_names, counts, strict=True))
    classes = [f"{shortened(name, _LETTERS)} {count:,}" for name, count in pairs[:_CLASSES]]
    more = f" and {len(pairs) - _CLASSES} more classes" if len(pairs) > _CLASSES else ""
    return [("target", f"{shortened(data.target_name, _LETTERS)}: {', '.join(classes)}{more}")]


def _first(sample: SequenceData) -> str:
    """Return the first steps of a sample in original units, or the first words of a text."""
    whose = "" if sample.ids is None else f" ({shortened(sample.ids[0], _LETTERS)})"
    steps = int(sample.lengths[0])
    if sample.tokens is not None:
        words = [str(word) for word in sample.own_words[0, sample.mask[0]]]
        text = " ".join(shortened(word, _LETTERS) for word in words[:_WORDS])
        more = " …" if steps > _WORDS else ""
        return f"<p>First text{escape(whose)}, {steps:,} words:</p><p>{escape(text)}{more}</p>"
    cells, names = _cells(sample)
    rows = zip(step_names(sample), cells[0, sample.mask[0], :_COLUMNS], strict=True)
    texts = [
        [step, *("" if np.isnan(cell) else number(cell) for cell in row)]
        for step, row in list(rows)[:_STEPS]
    ]
    shown = f", {min(steps, _STEPS)} of {steps:,} steps" if steps > _STEPS else ""
    if len(names) > _COLUMNS:
        shown += f", {_COLUMNS} of {len(names):,} {'variables' if sample.variables else 'features'}"
    head = f"<p>First sample{escape(whose)}{shown}, in original units:</p>"
    return head + columns_html([shortened(sample.time_name, _LETTERS), *names[:_COLUMNS]], texts)


def _cells(data: SequenceData) -> tuple[np.ndarray, list[str]]:
    """Return the measurements (sample, time, variable), NaN where there is none, and their names.

    After `fill_missing(indicators=True)` a variable is three features; here it is one again.
    """
    display, names = data.display_values, _variables(data)
    positions = list(range(len(names)))
    if data.variables:
        columns = [np.flatnonzero(np.array(data.variables) == name) for name in names]
        display = np.concatenate([chart_of(display[..., parts]) for parts in columns], axis=-1)
        positions = [int(parts[0]) for parts in columns]
    short = [shortened(name, _LETTERS) for name in names]
    units = [shortened(data.units[at], 14) for at in positions]
    titles = zip(short, units, strict=True)
    return display, [f"{name} [{unit}]" if unit else name for name, unit in titles]


def _variables(data: SequenceData) -> list[str]:
    return list(dict.fromkeys(data.variables)) or list(data.feature_names)


def _listed(names: Sequence[str]) -> str:
    """Return how many there are, and the first of them."""
    shown = ", ".join(shortened(name, _LETTERS) for name in names[:_COLUMNS])
    return f"{len(names):,}: {shown}{', …' if len(names) > _COLUMNS else ''}"
