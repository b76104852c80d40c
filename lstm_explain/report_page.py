"""A faithfulness report as one page that a reviewer can read, print and sign. No script."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from .explanation import Explanation
from .figure_html import tokens_html
from .figure_text import fixed, number
from .plots import plot_heatmap, plot_summary, plot_timeline
from .verdicts import Verdict

# Rows of the tables of samples and of values.
_SAMPLES, _VALUES, _TEXTS = 20, 12, 5
_STYLE = """
body{font:15px/1.5 sans-serif;color:#1a1a1a;background:#fff;max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #ddd;
vertical-align:top;overflow-wrap:anywhere}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
img{max-width:100%;height:auto}
.verdict{border-left:.4rem solid #54408c;padding:.4rem 1rem;background:#f5f3fa}
.verdict.no{border-color:#c13f2a;background:#fbf1ee}
.small{color:#444;font-size:.85rem}
.sign{display:flex;gap:2rem;margin-top:3rem}.sign div{flex:1;border-top:1px solid #1a1a1a;
padding-top:.3rem;font-size:.85rem}
@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}
tr,img,.verdict,.sign{break-inside:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
@page{margin:16mm}
"""


@dataclass(frozen=True)
class PageContent:
    """What stands on the page, beside the figure of the checks."""

    title: str
    explanation: Explanation
    verdict: Verdict
    table: pd.DataFrame
    skipped: tuple[str, ...]
    seed: int
    draws: int


def page_of(content: PageContent, figure: Any) -> str:
    """Return the page as HTML. Every text that comes from data is escaped.

    Parameters
    ----------
    figure : Axes
        The figure of the checks; it is closed.
    """
    e, verdict = content.explanation, content.verdict
    title = content.title or f"{e.provenance['data']}: may this explanation be shown?"
    state = {True: "accepted", False: "not accepted", None: "too few samples to say"}
    kind = "verdict" if verdict.accepted else "verdict no"
    sections = [
        f"<h1>{_safe(title)}</h1>",
        f'<p class="small">{_safe(_summary(e))}</p>',
        f'<div class="{kind}"><strong>Verdict: {state[verdict.accepted]}.</strong> '
        + "".join(f"<p>{_safe(sentence)}</p>" for sentence in verdict.sentences)
        + "</div>",
        "<h2>Data and predictions</h2>",
        _samples(e),
        "<h2>Explanation</h2>",
        _explained(e),
        "<h2>Checks</h2>",
        _picture(figure, "All checks with their controls and intervals"),
        _checks(content),
        "<h2>Provenance</h2>",
        _facts(content),
        '<div class="sign"><div>Reviewed by</div><div>Date</div><div>Signature</div></div>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _summary(e: Explanation) -> str:
    plural = "" if len(e) == 1 else "s"
    return (
        f"{len(e)} sample{plural}. Explained is the {e.scale} of "
        f"{', '.join(sorted(set(e.output.values.astype(str).tolist())))}, by "
        f"{e.provenance['method']}; absent means {e.background}."
    )


def _samples(e: Explanation) -> str:
    shown = e[:_SAMPLES]
    table = pd.DataFrame({"sample": np.arange(len(shown))})
    if shown.ids is not None:
        table["id"] = shown.ids.values
    table["real steps"] = shown.mask.values.sum(axis=1)
    table["output"] = shown.output.values
    for name in ("predictions", "base_values"):
        table[name.replace("_", " ")] = getattr(shown, name).values
    if shown.target is not None:
        table["target"] = shown.target.values
    more = len(e) - len(shown)
    note = f'<p class="small">and {more} more samples</p>' if more > 0 else ""
    return _table(table) + note


def _explained(e: Explanation) -> str:
    """Draw the explanation as its kind is drawn; of one sample, list its largest values too."""
    parts = []
    if "feature" not in e.data.dims and e.level == "time":
        parts.append(str(tokens_html(e[:_TEXTS])))
        if len(e) > _TEXTS:
            parts.append(f'<p class="small">the first {_TEXTS} of {len(e)} texts</p>')
    elif len(e) > 1:
        parts.append(_picture(plot_summary(e), "Mean size of the values"))
    elif e.level == "cell":
        parts.append(_picture(plot_heatmap(e), "SHAP values, time by feature"))
    elif e.level == "time":
        parts.append(_picture(plot_timeline(e), "SHAP values per step"))
    if len(e) == 1:
        values = e.to_frame().drop(columns="sample")
        largest = values["value"].abs().sort_values(ascending=False, kind="stable").index
        parts.append(f'<p class="small">The {_VALUES} largest values of the sequence.</p>')
        parts.append(_table(values.loc[largest[:_VALUES]]))
        if e.static_values is not None and e.static_data is not None:
            static = {"static fact": e.static_values["static_feature"].values}
            static |= {"data": e.static_data.values[0], "value": e.static_values.values[0]}
            parts.append(_table(pd.DataFrame(static)))
    return "".join(parts)


def _checks(content: PageContent) -> str:
    table = content.table
    table = table[table["share"].isna()].drop(columns=["share", "check"])
    skipped = "".join(f"<li>{_safe(reason)}</li>" for reason in content.skipped)
    left_out = f'<p class="small">Not checked:</p><ul class="small">{skipped}</ul>'
    return (
        _table(table)
        + '<p class="small">Mean over samples with its 95 % bootstrap interval.</p>'
        + (left_out if skipped else "")
    )


def _facts(content: PageContent) -> str:
    facts = {**content.explanation.provenance, "report_seed": content.seed, "draws": content.draws}
    rows = {name: value if isinstance(value, str) else json.dumps(value)
            for name, value in facts.items()}  # fmt: skip
    return _table(pd.DataFrame({"fact": list(rows), "value": list(rows.values())}))


def _picture(ax: Any, name: str) -> str:
    """Return a figure inside the page, and close it."""
    from matplotlib import pyplot

    figure = ax.figure.get_figure(root=True)
    file = io.BytesIO()
    # White whatever the caller's style: the page is printed.
    figure.savefig(file, format="png", dpi=160, facecolor="white")
    pyplot.close(figure)
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<p><img alt="{_safe(name)}" src="data:image/png;base64,{code}"></p>'


def _table(table: pd.DataFrame) -> str:
    numeric = [pd.api.types.is_float_dtype(kind) for kind in table.dtypes]
    kinds = [' class="number"' if flag else "" for flag in numeric]
    head = "".join(
        f"<th{kind}>{_safe(str(name))}</th>" for name, kind in zip(table, kinds, strict=True)
    )
    rows = []
    for row in table.itertuples(index=False):
        cells = "".join(
            f"<td{kind}>{_safe(_written(value))}</td>"
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


def _safe(text: str) -> str:
    return escape(text, quote=True)
