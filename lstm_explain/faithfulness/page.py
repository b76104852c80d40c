"""The page of a faithfulness report that a reviewer can read, print and sign. No script."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..attribution.explanation import Explanation
from ..attribution.reading import subject_and_scale
from ..inspection.outputs import as_probability
from ..plots.heatmap import plot_heatmap
from ..plots.html import tokens_html
from ..plots.summary import plot_summary
from ..plots.timeline import plot_timeline
from ..sequences.step_names import named_times
from ..wording import as_read, decimals, fixed, label_of, score_text
from .checks import Check

if TYPE_CHECKING:
    from .report import FaithfulnessReport

_TEXTS, _UNKNOWN = 5, "not known"
_STYLE = """
body{font:15px/1.5 sans-serif;color:#1a1a1a;background:#fff;max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
h3{font-size:.95rem;margin:1.4rem 0 0}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ddd;
vertical-align:top;overflow-wrap:anywhere}
img{max-width:100%;height:auto}
.verdict{border-left:.4rem solid #54408c;padding:.4rem 1rem;background:#f5f3fa}
.verdict.no{border-color:#c13f2a;background:#fbf1ee}
.verdict.open{border-color:#b8860b;background:#fbf7ec}
.small{color:#444;font-size:.85rem}
.sign{display:flex;gap:2rem;margin-top:3rem}.sign div{flex:1;border-top:1px solid #1a1a1a;
padding-top:.3rem;font-size:.85rem}
@media print{body{margin:0;max-width:none;font-size:11pt}h2,h3{break-after:avoid}
tr,img,.verdict,.sign{break-inside:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
@page{margin:16mm}
"""
# pandas gives the cells of a column no class: the table has one for each column of numbers.
_STYLE += "".join(
    f".right{at} :is(td,th):nth-child({at}){{text-align:right;font-variant-numeric:tabular-nums;"
    "white-space:nowrap}\n"
    for at in range(1, 13)
)


def page_of(
    report: FaithfulnessReport,
    checks: Sequence[Check],
    title: str,
    scores: pd.DataFrame | None = None,
    against_baseline: str = "",
) -> str:
    """Return the page as HTML. Every text that comes from data is escaped."""
    e, verdict, table = report.explanation, report.verdict(), report.to_frame()
    weak, quality = model_quality(scores)
    quality += f" It is {against_baseline}." if against_baseline else ""
    title = title or f"{e.provenance['data']}: may this explanation be shown?"
    kind = {True: "verdict", False: "verdict no", None: "verdict open"}[verdict.accepted]
    # An explanation may be true to a model that knows nothing.
    kind = "verdict open" if weak and verdict.accepted else kind
    sections = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="small">{escape(_summary(e))}</p>',
        f'<div class="{kind}"><strong>Verdict on the explanation: {verdict.state}.</strong> '
        + "".join(f"<p>{escape(sentence)}</p>" for sentence in verdict.sentences)
        + f"<p><strong>The model:</strong> {escape(quality)}</p></div>",
        *([] if scores is None else ["<h2>Scores on test data</h2>", scores_table(scores)]),
        "<h2>Data and predictions</h2>",
        samples_table(e),
        "<h2>Explanation</h2>",
        _explained(e),
        "<h2>Checks</h2>",
        _picture(report.plot(), "The main checks with their controls and intervals"),
        check_tables(table, report.skipped, checks),
        "<h2>Provenance</h2>",
        _facts(report),
        '<div class="sign"><div>Reviewed by</div><div>Date</div><div>Signature</div></div>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _summary(e: Explanation) -> str:
    plural = "" if len(e) == 1 else "s"
    what = as_read(subject_and_scale(e))
    return (
        f"{len(e)} sample{plural}. Explained: the {what}, by "
        f"{e.provenance['method']}. Absent means replaced by {e.background}."
    )


_MODEL, _CONSTANT = "this model", "constant"
_LOSSES = ("log_loss", "rmse", "mae")


def model_quality(scores: pd.DataFrame | None) -> tuple[bool, str]:
    """Tell whether a model is no better than a constant, and say what is known of that.

    Parameters
    ----------
    scores : DataFrame or None
        A row for "this model" and one for "constant", a column for each score.
    """
    if scores is None:
        return False, "how well it predicts is not part of this page (save it with scores=run)."
    names = [name for name in _LOSSES if name in scores][:1] + [n for n in ["auroc"] if n in scores]
    if _CONSTANT not in scores.index or not names:
        return False, "its scores on test data stand below, without those of a constant."
    model, constant = scores.loc[_MODEL], scores.loc[_CONSTANT]
    figures = ", ".join(
        f"{name.replace('_', ' ')} {score_text(model[name])} (a constant: "
        f"{score_text(constant[name])})"
        for name in names
    )
    weak = any(
        model[name] <= constant[name] if name == "auroc" else model[name] >= constant[name]
        for name in names
    )
    if not weak:
        return False, f"on test data, {figures}."
    return True, (
        f"it predicts no better than a constant. On test data, {figures}. An explanation can be "
        "true to such a model; it then says nothing about the outcome."
    )


def scores_table(scores: pd.DataFrame) -> str:
    """Return the scores of the model and of what it is compared with as HTML."""
    named = scores.rename(columns=lambda name: str(name).replace("_", " "))
    return table_html(named.rename_axis("predictions of").reset_index())


def _explained(e: Explanation) -> str:
    """Draw the explanation as its kind is drawn; of one sample, list its largest values too."""
    parts = []
    drawn = e.over_variables() if e.level == "cell" else e
    if "feature" not in e.data.dims and e.level == "time":
        parts.append(str(tokens_html(e[:_TEXTS])))
        if len(e) > _TEXTS:
            parts.append(f'<p class="small">the first {_TEXTS} of {len(e)} texts</p>')
    elif len(e) > 1:
        parts.append(_picture(plot_summary(drawn), "Mean size of the values"))
    elif e.level == "cell":
        parts.append(_picture(plot_heatmap(drawn), "SHAP values, time by feature"))
    elif e.level == "time":
        parts.append(_picture(plot_timeline(e), f"{e.value_name}s per step"))
    if len(e) == 1:
        parts.append(values_tables(e))
    return "".join(parts)


def _facts(report: FaithfulnessReport) -> str:
    facts = {**report.explanation.provenance, "report_seed": report.seed, "draws": report.draws}
    rows = [(name, _written(value)) for name, value in facts.items() if value is not None]
    return table_html(pd.DataFrame(rows, columns=["fact", "value"]))


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)


def _picture(ax: Any, name: str) -> str:
    """Return a figure inside the page, and close it."""
    from matplotlib import pyplot

    figure = ax.figure.get_figure(root=True)
    file = io.BytesIO()
    name = getattr(figure, "alt", "") or name
    # White whatever the caller's style: the page is printed.
    figure.savefig(file, format="png", dpi=160, facecolor="white")
    pyplot.close(figure)
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<p><img alt="{escape(name)}" src="data:image/png;base64,{code}"></p>'


_SAMPLES, _VALUES = 20, 12
_LEVELS = {"cell": "cells", "time": "steps", "feature": "features", "window": "windows"}
_FIGURES = ["mean", "95 % from", "to"]
_COLUMNS = {"level": "ranked", "low": "95 % from", "high": "to", "count": "samples"}


def samples_table(e: Explanation) -> str:
    """Return the first samples with their predictions as HTML, and how many more there are.

    Beside the log-odds of a class stands its probability.
    """
    shown = e[:_SAMPLES]
    table = pd.DataFrame({"sample": shown.values["sample"].values})
    if shown.ids is not None:
        table["id"] = shown.ids.values
    table["steps"] = shown.mask.values.sum(axis=1)
    table["explained"] = shown.output.values
    table["base value"] = shown.base_values.values
    table["prediction"] = shown.predictions.values
    chances = as_probability(shown.predictions.values, shown.output.values, e.provenance)
    if e.scale == "margin" and chances is not None:
        table["as probability"] = chances
    if shown.target is not None:
        table["what happened"] = shown.target.values
    more = len(e) - len(shown)
    note = f'<p class="small">and {more} more samples</p>' if more > 0 else ""
    # With the digits of what the values add to the base.
    moved = np.abs(shown.predictions.values - shown.base_values.values).max()
    sizes = dict.fromkeys(["base value", "prediction", "what happened"], moved)
    return table_html(table, sizes) + note


def values_tables(e: Explanation) -> str:
    """Return the largest values of one sample as HTML, and those of its static facts."""
    values = e.to_frame().drop(columns="sample")
    largest = values["value"].abs().sort_values(ascending=False, kind="stable").index
    shown = values.loc[largest[:_VALUES]].rename(columns={"value": e.value_name})
    if "time" in shown:  # by the names of the figures, which count from 1
        times = np.arange(e.mask.shape[1]) + 1.0 if e.times is None else e.times.values[0]
        real = e.mask.values[0]
        names = dict(zip(np.flatnonzero(real), named_times(times[real]), strict=True))
        shown = shown.assign(time=shown["time"].map(names))
        shown = shown.rename(columns={"time": "step" if e.times is None else "time"})
    parts = [
        f'<p class="small">The {len(shown)} largest values of the sequence.</p>',
        table_html(shown, _own_size(shown)),
    ]
    if e.static_values is not None and e.static_data is not None:
        names, facts = e.static_data["static_feature"].values.tolist(), e.static_data.values[0]
        texts = [label_of(x, e.labels.get(n, {})) for n, x in zip(names, facts, strict=True)]
        named = [f"{n}: {text}" if text else n for n, text in zip(names, texts, strict=True)]
        static: dict[str, Any] = {"static fact": named}
        static |= {"data": facts, e.value_name: e.static_values.values[0]}
        table = pd.DataFrame(static)
        parts.append(table_html(table, _own_size(table)))
    return "".join(parts)


def _own_size(table: pd.DataFrame) -> dict[str, Any]:
    """Return the sizes for data of several features, each in its own unit."""
    return {"data": table["data"].abs()} if "data" in table else {}


def check_tables(table: pd.DataFrame, skipped: Sequence[str], checks: Sequence[Check]) -> str:
    """Return each check as HTML: its question, how its numbers are read, its rows.

    Parameters
    ----------
    table : DataFrame
        Of `FaithfulnessReport.to_frame`. Rows of single shares stand in the figure only.
    skipped : sequence of str
        What was not checked, and why.
    checks : sequence of Check
        In the order of the page.
    """
    parts = []
    for check in checks:
        rows = table[(table["check"] == check.name) & table["share"].isna()]
        if len(rows):
            rows = rows.drop(columns=["share", "check"]).rename(columns=_COLUMNS)
            rows["ranked"] = rows["ranked"].replace(_LEVELS)
            parts.append(f"<h3>{escape(check.question)}</h3>")
            parts.append(f'<p class="small">{escape(check.reading)}</p>')
            largest = rows[_FIGURES].abs().max(axis=1)
            parts.append(table_html(rows, dict.fromkeys(_FIGURES, largest)))
    parts.append('<p class="small">Means over samples with 95 % bootstrap intervals.</p>')
    if skipped:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in skipped)
        parts.append(f'<p class="small">Not checked:</p><ul class="small">{reasons}</ul>')
    return "".join(parts)


def table_html(table: pd.DataFrame, sizes: Mapping[str, Any] = {}) -> str:
    """Return a table as HTML: numbers stand right, every text is escaped.

    Parameters
    ----------
    table : DataFrame
    sizes : mapping of column to a number or to an array (row,)
        Numbers are written with three digits of this size, by default that of the largest of their
        column.
    """
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    texts = {
        name: _texts(column.to_numpy(), sizes.get(str(name), column.abs().max()))
        for name, column in table.select_dtypes("float").items()
    }
    table = table.assign(**texts)
    with pd.option_context("display.max_colwidth", None):  # no text is cut
        return table.to_html(
            index=False,
            border=0,
            classes=[f"right{at}" for at in np.flatnonzero(numeric) + 1],
            justify="unset",
            na_rep=_UNKNOWN,
        )


def _texts(numbers: np.ndarray, sizes: Any) -> list[str]:
    pairs = zip(numbers, np.broadcast_to(sizes, len(numbers)), strict=True)
    return [
        fixed(one, decimals(0.1 * size, one)) if np.isfinite(one) else _UNKNOWN
        for one, size in pairs
    ]
