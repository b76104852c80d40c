"""The table of checks: what each asks, how it is read, what must hold, where it is drawn.

To add one, write a function that returns `Evidence`, in a file of its own, and one row of `CHECKS`:
the report, its verdict, its figure and its page read everything from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from .attention import agreement_evidence, replacement_evidence
from .case import Case, Repeat
from .evidence import Evidence, above_zero
from .randomisation import Retrain, randomisation_evidence, stability_evidence
from .ranking import BETTER, ranking_evidence
from .sensitivity import gap_evidence, infidelity_evidence, sensitivity_evidence

# The bound that `lx.explain` sets itself by default, on the same number: gap / spread.
LARGEST_GAP = 0.05
# Half of what random removals do to the output, as for a share of variance. Yeh et al. (2019)
# publish no threshold: this is a convention, the one below which more is known than not known.
LARGEST_INFIDELITY = 0.5
# Maximum sensitivity: an explanation that turns by more than its own half is not one of the case.
LARGEST_SENSITIVITY = 0.5
# "Strong" by Cohen (1988), "Statistical power analysis", section 3.2: a correlation of 0.5.
STRONG_CORRELATION = 0.5


@dataclass(frozen=True)
class CheckInputs:
    """What a check is given.

    Attributes
    ----------
    model : keras.Model
    case : Case
        The explanation and its question.
    few_rows : Case
        The same against few background rows, for checks that ask the model often.
    repeat : Repeat
        How some of the samples are explained again.
    retrain, retrainings, seed, progress
        Parameters of `check_faithfulness`.
    """

    model: Any
    case: Case
    few_rows: Case
    repeat: Repeat
    retrain: Retrain | None
    retrainings: int
    seed: int
    progress: bool


@dataclass(frozen=True)
class Panel:
    """A group of points in the report's figure.

    Attributes
    ----------
    title : str
        The question that they answer. ``{steps}`` in it becomes what the steps are called: "words"
        in texts.
    limit : float, optional
        Larger numbers are drawn there, as arrows.
    """

    title: str
    limit: float | None = None


@dataclass(frozen=True)
class Bound:
    """What one number of a check must be, else the explanation is not accepted.

    Attributes
    ----------
    measure, of : str
        Which number: its columns in the report's table.
    demand : {"at most", "at least", "below", "above"}
        "above" looks at the lower end of the interval, the others at the mean.
    limit : float
    reason : str
        What is said where it does not hold. ``{number}``, ``{correlation}`` and ``{interval}`` in
        it become the number as text, ``{limit}`` the limit, ``{unit}`` what is ranked.
    needed : bool
        Whether a missing number counts as one that does not hold.
    """

    measure: str
    of: str
    demand: Literal["at most", "at least", "below", "above"]
    limit: float
    reason: str
    needed: bool = False

    def is_broken_by(self, row: pd.Series) -> bool:
        """Tell whether a row of the report's table does not hold."""
        mean = float(row["mean"])
        if not np.isfinite(mean):
            return self.needed
        if self.demand == "above":
            return not above_zero(row - self.limit)
        if self.demand == "at least":
            return mean < self.limit
        return mean > self.limit or (self.demand == "below" and mean == self.limit)


@dataclass(frozen=True)
class Check:
    """One row of the table of checks.

    Attributes
    ----------
    name : str
        As it stands in the report's table.
    question, reading : str
        What it asks, and how its numbers are read, for the page.
    run : callable
        Takes `CheckInputs` and returns a list of `Evidence`: an empty one, or `NotDefined` raised,
        where there is nothing to measure.
    panel : Panel, optional
        Where the figure shows its numbers; several checks may share one. Without, they stand in
        the table alone.
    measures : tuple of str
        Which of them the panel shows, by default all.
    label : callable
        Makes the name of a point of its measure and what was measured.
    better : mapping of str to bool
        Whether more is better, by measure, where a curve says so.
    bounds : tuple of Bound
        The first one that does not hold speaks against the explanation.
    """

    name: str
    question: str
    reading: str
    run: Callable[[CheckInputs], list[Evidence]]
    panel: Panel | None = None
    measures: tuple[str, ...] = ()
    label: Callable[[str, str], str] = "{}, {}".format
    better: Mapping[str, bool] = field(default_factory=dict)
    bounds: tuple[Bound, ...] = ()


_ERRORS = Panel("Do its numbers say what the model does? (errors: 0 is best)", limit=2.0)

CHECKS: tuple[Check, ...] = (
    Check(
        "completeness",
        "Do the values add up?",
        "What they leave out of prediction minus base value, in spreads of the predictions: 0 is "
        f"best, at most {LARGEST_GAP}.",
        lambda inputs: gap_evidence(inputs.case),
        _ERRORS,
        label=lambda measure, of: f"completeness {measure}",
        bounds=(
            Bound(
                "gap", "explanation", "at most", LARGEST_GAP,
                "it leaves out {number} of the spread of predictions (at most {limit})",
                needed=True,
            ),
        ),
    ),
    Check(
        "removal",
        "Does what is ranked first matter?",
        "Comprehensiveness: what the output loses without it (more is better). Sufficiency: what "
        "it lacks with nothing else (less is better). Areas below the support that is left: "
        "deletion less, insertion more is better. The explanation should be better than random, "
        "and random better than inverted.",
        lambda inputs: ranking_evidence(inputs.few_rows, inputs.seed, inputs.progress),
        better=BETTER,
        bounds=(
            Bound(
                "comprehensiveness", "explanation better than random", "above", 0,
                "what it ranks first matters no more than {unit} drawn at random (difference "
                "{interval})",
                needed=True,
            ),
        ),
    ),
    Check(
        "infidelity",
        "Do the values say what random removals do?",
        "0 is exact, 1 no better than saying that nothing matters; at most "
        f"{LARGEST_INFIDELITY} for the explanation.",
        lambda inputs: infidelity_evidence(inputs.case, inputs.seed),
        _ERRORS,
        bounds=(
            Bound(
                "infidelity", "explanation", "at most", LARGEST_INFIDELITY,
                "its infidelity is {number} (at most {limit}; 1 is saying nothing)",
                needed=True,
            ),
        ),
    ),
    Check(
        "sensitivity",
        "Do the values hold still when the input hardly moves?",
        "How far noise of a twentieth of a deviation moves them, in their size: at most "
        f"{LARGEST_SENSITIVITY} for the explanation.",
        lambda inputs: sensitivity_evidence(inputs.model, inputs.repeat, inputs.seed),
        _ERRORS,
        bounds=(
            Bound(
                "maximum sensitivity", "explanation", "at most", LARGEST_SENSITIVITY,
                "noise of a twentieth of a deviation moves it by up to {number} of its size (at "
                "most {limit})",
            ),
        ),
    ),
    Check(
        "sanity",
        "Is it an explanation of this model?",
        "Rank correlation with the explanation made again: by the same weights (at least "
        f"{STRONG_CORRELATION}), and after layers were made random, from the output down (it "
        "should fall). Sizes follow the size of the input too, whatever the weights: they fall "
        "less.",
        lambda inputs: randomisation_evidence(
            inputs.model, inputs.repeat, inputs.seed, inputs.progress
        ),
        Panel("Is it of this model? (Spearman with the explanation made again)"),
        measures=("rank correlation",),
        label=lambda measure, of: of,
        bounds=(
            Bound(
                "rank correlation", "same weights", "at least", STRONG_CORRELATION,
                "made again from this model it agrees by {correlation} only (Spearman, at least "
                "{limit})",
            ),
            Bound(
                "rank correlation", "same weights better than all random", "above", 0,
                "with random weights it comes out as with the model's own (Spearman falls by "
                "{interval})",
            ),
        ),
    ),
    Check(
        "agreement",
        "Does attention agree?",
        "Kendall's tau over steps: 1 is the same order, 0 none. Low agreement alone proves neither "
        "side wrong.",
        lambda inputs: agreement_evidence(inputs.case, inputs.seed),
    ),
    Check(
        "replacement",
        "Does the prediction need this attention?",
        "How far predictions move when it is made uniform, or permuted, in their spread. Where "
        "they hardly move, its weights are not the reason.",
        lambda inputs: replacement_evidence(inputs.case, inputs.seed),
    ),
    Check(
        "stability",
        "Does it hold when the model is trained again?",
        "Rank correlation with models of other seeds (more is better) and of permuted labels "
        f"(below {STRONG_CORRELATION}): per sample, and of the mean sizes.",
        lambda inputs: stability_evidence(
            inputs.retrain, inputs.repeat, inputs.retrainings, inputs.seed, inputs.progress
        ),
        bounds=(
            Bound(
                "local rank correlation", "permuted labels", "below", STRONG_CORRELATION,
                "models trained on permuted labels give much the same (Spearman {correlation}, "
                "below {limit})",
            ),
        ),
    ),
)  # fmt: skip
