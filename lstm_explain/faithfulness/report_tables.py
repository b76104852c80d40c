"""The tables of a faithfulness report's page: samples, largest values, and every check in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from ..attribution.explanation import Explanation
from ..plots.content import explained
from ..sequences.step_names import named_times
from ..wording import fixed, number
from .verdict import LARGEST_GAP, LARGEST_INFIDELITY, LARGEST_SENSITIVITY, STRONG_CORRELATION

_SAMPLES, _VALUES = 20, 12


_LEVELS = {"cell": "cells", "time": "steps", "feature": "features", "window": "windows"}


_COLUMNS = {"level": "ranked", "low": "95 % from", "high": "to", "count": "samples"}
# What a check asks, by its name in the report's table, and how its numbers are read.
_QUESTIONS = {
    "completeness": "Do the values add up?",
    "removal": "Does what is ranked first matter?",
    "infidelity": "Do the values say what random removals do?",
    "sensitivity": "Do the values hold still when the input hardly moves?",
    "sanity": "Is it an explanation of this model?",
    "agreement": "Does attention agree?",
    "replacement": "Does the prediction need this attention?",
    "stability": "Does it hold when the model is trained again?",
}


_READINGS = {
    "completeness": "What they leave out of prediction minus base value, in spreads of the "
    f"predictions: 0 is best, at most {LARGEST_GAP}.",
    "removal": "Comprehensiveness: what the output loses without it (more is better). "
    "Sufficiency: what it lacks with nothing else (less is better). Areas below the support that "
    "is left: deletion less, insertion more is better. The explanation should be better than "
    "random, and random better than inverted.",
    "infidelity": "0 is exact, 1 no better than saying that nothing matters; at most "
    f"{LARGEST_INFIDELITY} for the explanation.",
    "sensitivity": "How far noise of a twentieth of a deviation moves them, in their size: at "
    f"most {LARGEST_SENSITIVITY} for the explanation.",
    "sanity": "Rank correlation with the explanation made again: by the same weights (at least "
    f"{STRONG_CORRELATION}), and after layers were made random, from the output down (it should "
    "fall). Sizes follow the size of the input too, whatever the weights: they fall less.",
    "agreement": "Kendall's tau over steps: 1 is the same order, 0 none. Low agreement alone "
    "proves neither side wrong.",
    "replacement": "How far predictions move when it is made uniform, or permuted, in their "
    "spread. Where they hardly move, its weights are not the reason.",
    "stability": "Rank correlation with models of other seeds (more is better) and of permuted "
    f"labels (below {STRONG_CORRELATION}): per sample, and of the mean sizes.",
}


def safe(text: str) -> str:
    """Return text as it may stand in HTML, also within quotes."""
    return escape(text, quote=True)


def what_is_explained(e: Explanation) -> str:
    """Return what is explained, not yet safe for HTML: "log-odds of died"."""
    return explained(e).replace(r"\$", "$")  # without what matplotlib needs


def samples_table(e: Explanation) -> str:
    """Return the first samples with their predictions as HTML, and how many more there are.

    Of log-odds the probability stands beside them.
    """
    shown = e[:_SAMPLES]
    table = pd.DataFrame({"sample": np.arange(len(shown))})
    if shown.ids is not None:
        table["id"] = shown.ids.values
    table["steps"] = shown.mask.values.sum(axis=1)
    table["explained"] = shown.output.values
    table["base value"] = shown.base_values.values
    table["prediction"] = shown.predictions.values
    if e.scale == "margin":
        table["as probability"] = 1 / (1 + np.exp(-shown.predictions.values))
    if shown.target is not None:
        table["what happened"] = shown.target.values
    more = len(e) - len(shown)
    note = f'<p class="small">and {more} more samples</p>' if more > 0 else ""
    return table_html(table) + note


def values_tables(e: Explanation) -> str:
    """Return the largest values of one sample as HTML, and those of its static facts."""
    values = e.to_frame().drop(columns="sample")
    largest = values["value"].abs().sort_values(ascending=False, kind="stable").index
    shown = values.loc[largest[:_VALUES]].rename(columns={"value": "SHAP value"})
    if "time" in shown:  # by the names of the figures, which count from 1
        times = np.arange(e.mask.shape[1]) + 1.0 if e.times is None else e.times.values[0]
        names = np.array(named_times(times))
        shown = shown.assign(time=names[shown["time"].to_numpy(int)])
        shown = shown.rename(columns={"time": "step" if e.times is None else "time"})
    parts = [
        f'<p class="small">The {len(shown)} largest values of the sequence.</p>',
        table_html(shown),
    ]
    if e.static_values is not None and e.static_data is not None:
        static = {"static fact": e.static_values["static_feature"].values}
        static |= {"data": e.static_data.values[0], "SHAP value": e.static_values.values[0]}
        parts.append(table_html(pd.DataFrame(static)))
    return "".join(parts)


def check_tables(table: pd.DataFrame, skipped: Sequence[str]) -> str:
    """Return each check as HTML: its question, how its numbers are read, its rows.

    Parameters
    ----------
    table : DataFrame
        Of `FaithfulnessReport.to_frame`. Rows of single shares stand in the figure only.
    skipped : sequence of str
        What was not checked, and why.
    """
    parts = []
    for check, rows in table[table["share"].isna()].groupby("check", sort=False):
        shown = rows.drop(columns=["share", "check"]).rename(columns=_COLUMNS)
        shown["ranked"] = [_LEVELS.get(level, level) for level in shown["ranked"]]
        parts.append(f"<h3>{safe(_QUESTIONS[str(check)])}</h3>")
        parts.append(f'<p class="small">{safe(_READINGS[str(check)])}</p>')
        parts.append(table_html(shown))
    parts.append('<p class="small">Means over samples with 95 % bootstrap intervals.</p>')
    if skipped:
        reasons = "".join(f"<li>{safe(reason)}</li>" for reason in skipped)
        parts.append(f'<p class="small">Not checked:</p><ul class="small">{reasons}</ul>')
    return "".join(parts)


def table_html(table: pd.DataFrame) -> str:
    """Return a table as HTML: numbers stand right, every text is escaped."""
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    kinds = [' class="number"' if flag else "" for flag in numeric]
    head = "".join(
        f"<th{kind}>{safe(str(name))}</th>" for name, kind in zip(table, kinds, strict=True)
    )
    rows = []
    for row in table.itertuples(index=False):
        cells = "".join(
            f"<td{kind}>{safe(_written(value))}</td>"
            for value, kind in zip(row, kinds, strict=True)
        )
        rows.append(f"<tr>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _written(value: Any) -> str:
    if not isinstance(value, float | np.floating):
        return str(value)
    size = float(value)
    if not np.isfinite(size):
        return "not known"
    return fixed(size, 3) if abs(size) < 100 else number(size)
