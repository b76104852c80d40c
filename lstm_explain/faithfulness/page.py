"""A faithfulness report as one page that a reviewer can read, print and sign. No script."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..attribution.explanation import Explanation
from ..plots.html import tokens_html
from ..plots.timeline import plot_heatmap, plot_summary, plot_timeline
from .report_tables import (
    check_tables,
    safe,
    samples_table,
    table_html,
    values_tables,
    what_is_explained,
)
from .verdict import Verdict

_TEXTS = 5


_STYLE = """
body{font:15px/1.5 sans-serif;color:#1a1a1a;background:#fff;max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
h3{font-size:.95rem;margin:1.4rem 0 0}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ddd;
vertical-align:top;overflow-wrap:anywhere}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
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
    kind = {True: "verdict", False: "verdict no", None: "verdict open"}[verdict.accepted]
    sections = [
        f"<h1>{safe(title)}</h1>",
        f'<p class="small">{safe(_summary(e))}</p>',
        f'<div class="{kind}"><strong>Verdict: {verdict.state}.</strong> '
        + "".join(f"<p>{safe(sentence)}</p>" for sentence in verdict.sentences)
        + "</div>",
        "<h2>Data and predictions</h2>",
        samples_table(e),
        "<h2>Explanation</h2>",
        _explained(e),
        "<h2>Checks</h2>",
        _picture(figure, "All checks with their controls and intervals"),
        check_tables(content.table, content.skipped),
        "<h2>Provenance</h2>",
        _facts(content),
        '<div class="sign"><div>Reviewed by</div><div>Date</div><div>Signature</div></div>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{safe(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _summary(e: Explanation) -> str:
    plural = "" if len(e) == 1 else "s"
    return (
        f"{len(e)} sample{plural}. Explained: the {what_is_explained(e)}, by "
        f"{e.provenance['method']}. Absent means replaced by {e.background}."
    )


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
        parts.append(values_tables(e))
    return "".join(parts)


def _facts(content: PageContent) -> str:
    facts = {**content.explanation.provenance, "report_seed": content.seed, "draws": content.draws}
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
    # White whatever the caller's style: the page is printed.
    figure.savefig(file, format="png", dpi=160, facecolor="white")
    pyplot.close(figure)
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<p><img alt="{safe(name)}" src="data:image/png;base64,{code}"></p>'
