"""What may be claimed of an explanation, and what not, in sentences that rest on figures."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from ..wording import NO_BREAK, decimals, fixed
from .removal import SHARES

# The bound that `lx.explain` sets itself by default, on the same number: gap / spread.
LARGEST_GAP = 0.05
# Half of what random removals do to the output, as for a share of variance. Yeh et al. (2019)
# publish no threshold: this is a convention, the one below which more is known than not known.
LARGEST_INFIDELITY = 0.5
# "Strong" by Cohen (1988), "Statistical power analysis", section 3.2: a correlation of 0.5.
STRONG_CORRELATION = 0.5
# Below it a 95 % bootstrap interval of a mean is too narrow to be one (Efron and Tibshirani 1993,
# "An introduction to the bootstrap", section 13.3: small samples).
FEWEST_SAMPLES = 8
# Maximum sensitivity: an explanation that turns by more than its own half is not one of the case.
LARGEST_SENSITIVITY = 0.5


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
    background: str,
    num_samples: int,
    unit: str = "cells",
    steps: str = "steps",
) -> Verdict:
    """Judge the figures of a report.

    Accepted is an explanation that adds up, that ranks cells better than chance, that tells what
    removals do, that the model's own weights give again and that other weights do not.

    Parameters
    ----------
    table : DataFrame
        From `faithfulness_evidence.summary`.
    background : str
        What stood for "absent".
    unit : str
        What the explanation ranks, for the sentences: "cells", "words", "steps", ...
    steps : str
        What attention ranks: "steps", or "words" in texts.
    """
    look = _Table(table)
    reasons = _reasons(look, unit)
    if num_samples < FEWEST_SAMPLES:
        accepted: bool | None = None
    else:
        accepted = not reasons
    sentences = [_claim(look, accepted, reasons, num_samples, unit), *_attention(look, steps)]
    return Verdict(accepted, (*sentences, _limits(look, background, unit)), tuple(reasons))


def _reasons(look: _Table, unit: str) -> list[str]:
    """Return what speaks against an explanation, each with its figure."""
    reasons = []
    gap = look.mean("gap", "explanation")
    if not gap <= LARGEST_GAP:
        reasons.append(
            f"it leaves out {_number(gap)} of the spread of predictions (at most {LARGEST_GAP})"
        )
    gain = look.row("comprehensiveness", "explanation better than random")
    if not _above_zero(gain):
        reasons.append(
            f"what it ranks first matters no more than {unit} drawn at random "
            f"(difference {_interval(gain)})"
        )
    infidelity = look.mean("infidelity", "explanation")
    if not infidelity <= LARGEST_INFIDELITY:
        reasons.append(
            f"its infidelity is {_number(infidelity)} (at most {LARGEST_INFIDELITY}; 1 is saying "
            "nothing)"
        )
    if look.has("rank correlation", "same weights"):
        same = look.mean("rank correlation", "same weights")
        if not same >= STRONG_CORRELATION:
            reasons.append(
                f"made again from this model it agrees by {_correlation(same)} only (Spearman, at "
                f"least {STRONG_CORRELATION})"
            )
        change = look.row("rank correlation", look.last_random())
        if same >= STRONG_CORRELATION and not _above_zero(change):
            reasons.append(
                "with random weights it comes out as with the model's own (Spearman falls by "
                f"{_interval(change)})"
            )
    if look.mean("local rank correlation", "permuted labels") >= STRONG_CORRELATION:
        permuted = look.mean("local rank correlation", "permuted labels")
        reasons.append(
            "models trained on permuted labels give much the same (Spearman "
            f"{_correlation(permuted)}, below {STRONG_CORRELATION})"
        )
    moved = look.mean("maximum sensitivity", "explanation")
    if moved > LARGEST_SENSITIVITY:
        reasons.append(
            f"noise of a twentieth of a deviation moves it by up to {_number(moved)} of its size "
            f"(at most {LARGEST_SENSITIVITY})"
        )
    return reasons


def _claim(
    look: _Table, accepted: bool | None, reasons: list[str], num_samples: int, unit: str
) -> str:
    own = look.row("comprehensiveness", "explanation")
    random = look.row("comprehensiveness", "random")
    shares = f"{100 * SHARES[0]:g} to {100 * SHARES[-1]:g} %"
    figures = (
        f"without the {unit} that it ranks first ({shares} of them), the output moves on average "
        f"by {_interval(own)}, without random ones by {_interval(random)}"
    )
    if accepted is None:
        plural = "s" if num_samples > 1 else ""
        against = f" Against it speaks that {'; that '.join(reasons)}." if reasons else ""
        return (
            f"Nothing general may be claimed from {num_samples} sample{plural}, of at least "
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
    tau = look.mean("Kendall tau with |SHAP|", "attention")
    figures = (
        f"they carry {_number(share)} where the first {steps} of the explanation carry "
        f"{_number(whole)}, and their order agrees with SHAP values by {_correlation(tau)} "
        "(Kendall's tau)"
    )
    if look.has("prediction moved", "uniform attention"):
        moved = look.mean("prediction moved", "uniform attention")
        figures += f"; with uniform attention predictions move by {_number(moved)} of their spread"
    better = _above_zero(gain)
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
        chosen = rows[(rows["measure"] == measure) & (rows["of"] == of)]
        if level is not None:
            chosen = chosen[chosen["level"] == level]
        if len(chosen) == 0:
            return pd.Series({"mean": np.nan, "low": np.nan, "high": np.nan})
        return chosen.iloc[0]

    def mean(self, measure: str, of: str) -> float:
        return float(self.row(measure, of)["mean"])

    def has(self, measure: str, of: str, level: str | None = None) -> bool:
        return bool(np.isfinite(self.row(measure, of, level)["mean"]))

    def last_random(self) -> str:
        rows = self._rows[self._rows["check"] == "sanity"]
        return str(rows["of"].iloc[-1])


def _above_zero(row: pd.Series) -> bool:
    """Tell whether an interval lies above 0; of one sample, which has none, its number."""
    return bool((row["low"] if np.isfinite(row["low"]) else row["mean"]) > 0)


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
