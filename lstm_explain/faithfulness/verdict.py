"""What may be claimed of an explanation, and what not, in sentences that rest on figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from ..wording import NO_BREAK, decimals, fixed
from .checks import STRONG_CORRELATION, Check
from .evidence import above_zero
from .removal import SHARES

# From fewer samples (of different ids) nothing general is claimed, however narrow their intervals.
FEWEST_SAMPLES = 8


@dataclass(frozen=True)
class Verdict:
    """Two or three sentences, and whether the explanation may be shown as one of this model.

    Attributes
    ----------
    accepted : bool or None
        None where too few samples were checked to say.
    sentences : tuple of str
        What may be claimed; what attention may be called; what must not be claimed.
    reasons : tuple of str
        Why it is not accepted; empty where it is.
    """

    accepted: bool | None
    sentences: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """In words: accepted, not accepted, or too few samples to say."""
        if self.accepted is None:
            return "too few samples to say"
        return "accepted" if self.accepted else "not accepted"

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = [f"<strong>Verdict: {self.state}.</strong>", *map(escape, self.sentences)]
        return "".join(f"<p>{line}</p>" for line in lines)


def verdict_of(
    table: pd.DataFrame,
    checks: Sequence[Check],
    background: str,
    num_samples: int,
    unit: str = "cells",
    steps: str = "steps",
    whose: str = "sample",
) -> Verdict:
    """Judge the figures of a report.

    Accepted is an explanation that adds up, that ranks cells better than chance, that tells what
    removals do, that the model's own weights give again and that other weights do not.

    Parameters
    ----------
    table : DataFrame
        From `evidence.summary`.
    checks : sequence of Check
        Their bounds must hold.
    background : str
        What stood for "absent".
    num_samples : int
        How many samples there are, those of one id or of one period of a series counted once.
    unit : str
        What the explanation ranks, for the sentences: "cells", "words", "steps", ...
    steps : str
        What attention ranks: "steps", or "words" in texts.
    whose : str
        What was counted: "sample", "id" where some ids have several samples, "separate period".
    """
    look = _Table(table)
    reasons = _reasons(look, checks, unit)
    if num_samples < FEWEST_SAMPLES:
        accepted: bool | None = None
    else:
        accepted = not reasons
    sentences = [
        _claim(look, accepted, reasons, f"{num_samples} {whose}", unit),
        *_attention(look, steps),
    ]
    return Verdict(accepted, (*sentences, _limits(look, background, unit)), tuple(reasons))


def _reasons(look: _Table, checks: Sequence[Check], unit: str) -> list[str]:
    """Return what speaks against an explanation, each with its figure: at most one per check."""
    reasons = []
    for check in checks:
        for bound in check.bounds:
            row = look.row(bound.measure, bound.of)
            if bound.is_broken_by(row):
                texts = {
                    "number": _number(row["mean"]),
                    "correlation": _correlation(row["mean"]),
                    "interval": _interval(row),
                }
                reasons.append(bound.reason.format(**texts, limit=bound.limit, unit=unit))
                break
    return reasons


def _claim(look: _Table, accepted: bool | None, reasons: list[str], number: str, unit: str) -> str:
    first = look.row("comprehensiveness", "explanation")
    random = look.row("comprehensiveness", "random")
    shares = f"{100 * SHARES[0]:g} to {100 * SHARES[-1]:g} %"
    figures = (
        f"without the {unit} that it ranks first ({shares} of them), the output moves on average "
        f"by {_interval(first)}, without random ones by {_interval(random)}"
    )
    if accepted is None:
        plural = "" if number.startswith("1 ") else "s"
        against = f" Against it speaks that {'; that '.join(reasons)}." if reasons else ""
        return (
            f"Nothing general may be claimed from {number}{plural}, of at least "
            f"{FEWEST_SAMPLES} that are needed; of these alone: {figures}.{against}"
        )
    if accepted:
        return (
            "You may say that this explanation shows what moves this model's predictions: "
            f"{figures}, and it tells what random removals do with an error of "
            f"{_number(look.mean('infidelity', 'explanation'))} (infidelity; 1 is saying nothing)."
        )
    return f"Do not show this as an explanation of this model: {'; '.join(reasons)}."


def _attention(look: _Table, steps: str) -> list[str]:
    """Return a sentence on attention, where the model has some."""
    if not look.has("comprehensiveness", "attention better than random", "time"):
        return []
    gain = look.row("comprehensiveness", "attention better than random", "time")
    share = look.row("comprehensiveness", "attention", "time")["mean"]
    whole = look.row("comprehensiveness", "explanation", "time")["mean"]
    kind = "LIME" if look.has("Kendall tau with |LIME|", "attention") else "SHAP"
    tau = look.mean(f"Kendall tau with |{kind}|", "attention")
    figures = (
        f"they carry {_number(share)} where the first {steps} of the explanation carry "
        f"{_number(whole)}, and their order agrees with {kind} values by {_correlation(tau)} "
        "(Kendall's tau)"
    )
    if look.has("prediction moved", "uniform attention"):
        moved = look.mean("prediction moved", "uniform attention")
        figures += f"; with uniform attention predictions move by {_number(moved)} of their spread"
    better = above_zero(gain)
    fact = (
        f"the {steps} with most attention matter {'more' if better else 'no more'} than random "
        f"ones (difference {_interval(gain)})"
    )
    if not better:
        begin = "Attention must not be shown as a reason"
    elif tau >= STRONG_CORRELATION:
        begin = "Attention may be shown beside it as where the model found its reasons"
    else:
        begin = "Attention may be shown as where the model looked, not as the reason"
    return [f"{begin}: {fact}; {figures}."]


def _limits(look: _Table, background: str, unit: str) -> str:
    return (
        "Not claimed is what causes the outcome, or what an intervention would do: all figures are "
        f"of this model, with absent {unit} replaced by {background}.{_trained_again(look)}"
    )


def _trained_again(look: _Table) -> str:
    if not look.has("local rank correlation", "other seeds"):
        return ""
    seeds = look.mean("local rank correlation", "other seeds")
    permuted = look.mean("local rank correlation", "permuted labels")
    figures = f"Spearman {_correlation(seeds)}, with permuted labels {_correlation(permuted)}"
    if seeds >= STRONG_CORRELATION:
        return f" It holds for models trained again with other seeds ({figures})."
    return f" It is of this one model, not of others trained with other seeds ({figures})."


class _Table:
    """A report's rows, by measure and what was measured; areas and means without a share."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._rows = table[table["share"].isna()]

    def row(self, measure: str, of: str, level: str | None = None) -> pd.Series:
        rows = self._rows
        rows = rows[(rows["measure"] == measure) & (rows["of"] == of)]
        if level is not None:
            rows = rows[rows["level"] == level]
        numbers = ["mean", "low", "high"]
        return rows[numbers].iloc[0] if len(rows) else pd.Series(np.nan, numbers)

    def mean(self, measure: str, of: str) -> float:
        return float(self.row(measure, of)["mean"])

    def has(self, measure: str, of: str, level: str | None = None) -> bool:
        return bool(np.isfinite(self.row(measure, of, level)["mean"]))


def _number(value: float) -> str:
    return fixed(value, decimals(value)) if np.isfinite(value) else "an unknown number"


def _correlation(value: float) -> str:
    return fixed(value, 2) if np.isfinite(value) else "an unknown number"


def _interval(row: pd.Series) -> str:
    """Write a mean and its interval."""
    text = _number(float(row["mean"]))
    if not np.isfinite(float(row["low"])):
        return text
    places = decimals(float(row["mean"]))
    low, high = (fixed(float(row[end]), places) for end in ("low", "high"))
    return f"{text} (95{NO_BREAK}% {low} to {high})"
