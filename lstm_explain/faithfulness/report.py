"""``check_faithfulness``: does an explanation tell the truth about the model?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..arguments import as_path, check_flag, check_model, check_type, check_whole, described
from ..attribution.cohorts import groups_alike
from ..attribution.explanation import Explanation
from ..files import atomic_path
from ..intervals import check_draws
from ..progress import progress_bar
from .case import ROWS, open_case, repeat_of
from .checks import CHECKS, CheckInputs
from .evidence import Evidence, summary
from .randomisation import NotDefined, Retrain
from .verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..models.training import TrainingRun


@dataclass(frozen=True, eq=False)
class FaithfulnessReport:
    """What checks measured of an explanation and of controls, and what may be claimed.

    Made by `check_faithfulness`.

    Attributes
    ----------
    explanation : Explanation
        What was checked.
    evidence : tuple of Evidence
        Every number per sample.
    skipped : tuple of str
        Which checks were left out, and why.
    seed : int
    draws : int
        Bootstrap samples behind each interval.
    """

    explanation: Explanation
    evidence: tuple[Evidence, ...] = field(repr=False)
    skipped: tuple[str, ...] = ()
    seed: int = 0
    draws: int = 1000

    def __repr__(self) -> str:
        return f"FaithfulnessReport of {len(self.explanation)} samples.\n{self.verdict()}"

    @cached_property
    def _table(self) -> pd.DataFrame:
        return summary(self.evidence, self.draws, self.seed)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per figure.

        Returns
        -------
        DataFrame
            `check`, `measure`, `level` (what was ranked: "cell", "time", ...), `of` (what was
            measured: the explanation, attention, a control, or by how much one is better than
            another), `share` (of cells removed or kept; NaN for means and areas over shares),
            `mean`, `low` and `high` (95 % bootstrap interval over samples, those of one id drawn
            together), `count` (samples).
        """
        return self._table.copy()

    def verdict(self) -> Verdict:
        """Return two or three sentences on what may and what must not be claimed, to be printed.

        Its `accepted` says whether the explanation may be shown as one of this model; `reasons`
        what speaks against it.
        """
        e = self.explanation
        unit = self._steps if e.level == "time" else f"{e.level}s"
        alike, whose = groups_alike(e)
        number = len(np.unique(alike))
        return verdict_of(self._table, CHECKS, e.background, number, unit, self._steps, whose)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw three questions with their numbers and answers; `to_frame` has every other check.

        Does what it ranks first matter? Do its numbers say what the model does? Is it of this
        model, or the same with random weights?

        Parameters
        ----------
        ax : Axes, optional
            Replaced by the panels. By default a new figure.
        """
        from ..plots.report import draw_report

        e = self.explanation
        notes = [
            f"{e.provenance['data']}, {len(e)} sample{'s' if len(e) != 1 else ''}",
            f"{e.provenance['method']} of the {e.scale}",
            f"absent = {e.background}",
        ]
        verdict = f"Verdict: {self.verdict().state}."
        return draw_report(self._table, CHECKS, notes, ax, self._steps, verdict)

    @property
    def _steps(self) -> str:
        """What the steps are called: those of a text are its words."""
        return "steps" if "feature" in self.explanation.data.dims else "words"

    def save(
        self, path: str | Path, title: str = "", scores: TrainingRun | pd.DataFrame | None = None
    ) -> Path:
        """Write one page of HTML that a reviewer can read, print to PDF and sign.

        It holds the data, predictions, explanation, checks, verdict and provenance; no script, and
        nothing is loaded from elsewhere. Text from the data is escaped.

        Parameters
        ----------
        path : path
            Such as ``"case.html"``.
        title : str
            What the page is about. By default the data's name.
        scores : TrainingRun or DataFrame, optional
            How well the model predicts: its run, or a table as `TrainingRun.to_frame` returns it,
            with the rows "this model" and "constant". The page says so, where the model is no
            better than a constant, and of a run whether it is better than its baseline.
        """
        from .page import page_of

        path = as_path(path)
        check_type(str, "Give a text.", title=title)
        comparison = str(getattr(scores, "against_baseline", None) or "")
        page = page_of(self, CHECKS, title, _scores_of(scores), comparison)
        with atomic_path(path) as beside:
            beside.write_text(page, encoding="utf-8")
        return path


def _scores_of(scores: Any) -> pd.DataFrame | None:
    """Return the table of scores of a run, or the table that was given."""
    if scores is None:
        return None
    table = scores if isinstance(scores, pd.DataFrame) else getattr(scores, "to_frame", dict)()
    if not isinstance(table, pd.DataFrame) or "this model" not in table.index:
        raise ValueError(
            'Expected scores with a row "this model"; received '
            f"{described(scores)}. Give scores=run, or run.to_frame()."
        )
    return table.astype(float)


def check_faithfulness(
    model: Any,
    explanation: Explanation,
    *,
    retrain: Retrain | None = None,
    retrainings: int = 3,
    background_rows: int = ROWS,
    draws: int = 1000,
    seed: int = 0,
    batch_size: int | None = None,
    progress: bool = True,
) -> FaithfulnessReport:
    """Check an explanation against the model: may I show this to someone?

    The explanation carries its data, mask and background, so that every check means by "absent"
    what it means. Checked are

    - completeness: what the values leave out of prediction minus base value;
    - removal: comprehensiveness and sufficiency at 1 to 75 %, deletion and insertion areas; of
      attention too, where the model has some;
    - infidelity, and maximum sensitivity to small noise (not for texts);
    - sanity: whether it is this model's, and changes when weights are made random, layer by layer;
    - attention: agreement with the sizes of SHAP values and gradients, what uniform or permuted
      attention changes;
    - with `retrain`: stability over seeds, and with permuted labels.

    Ranking scores stand beside a random and the inverted order. The model is not changed.

    Parameters
    ----------
    model : keras.Model
        The model that was explained.
    explanation : Explanation
        From `lstm_explain.explain`, `shapley_values` or `lime_values`, or summed from it by
        `over_time`, `over_features` or `over_windows`. A verdict needs
        samples of 8 ids, or 8 without ids.
    retrain : callable, optional
        ``retrain(seed, permuted)`` trains the model anew and returns it; where `permuted` is True,
        after shuffling the targets of the training part.
    retrainings : int
        How many models with other seeds, and as many with permuted labels.
    background_rows : int
        Background rows for removal, drawn at random where there are more; infidelity uses all.
    draws : int
        Bootstrap samples for the intervals.
    seed : int
        Of everything that is drawn at random: the same call gives the same report.
    batch_size : int, optional
        Rows per call of the model.
    progress : bool
        Show progress bars.

    Returns
    -------
    FaithfulnessReport

    Raises
    ------
    ValueError
        Another model than the one explained; an explanation without its inputs; numbers below 1.

    References
    ----------
    DeYoung et al. (2020), ERASER; Petsiuk et al. (2018), RISE; Yeh et al. (2019), infidelity and
    sensitivity; Adebayo et al. (2018), sanity checks; Jain and Wallace (2019), attention.

    Examples
    --------
    >>> report = check_faithfulness(run.model, explanation)     # doctest: +SKIP
    >>> print(report.verdict())                                  # doctest: +SKIP
    >>> report.save("case.html", scores=run)                     # doctest: +SKIP
    """
    check_whole(least=1, retrainings=retrainings, background_rows=background_rows)
    check_draws(draws, seed)
    check_flag(progress=progress)
    check_model(model)
    check_type(Explanation, "Pass what lx.explain returned.", explanation=explanation)
    check_type(Callable, "Give retrain(seed, permuted).", optional=True, retrain=retrain)
    case = open_case(model, explanation, batch_size)
    few_rows = case.against_few(background_rows, seed)
    repeat = repeat_of(case, seed)
    owners = {len(e): groups_alike(e)[0] for e in (repeat.explanation, explanation)}
    inputs = CheckInputs(model, case, few_rows, repeat, retrain, retrainings, seed, progress)
    evidence: list[Evidence] = []
    skipped = []
    with progress_bar(len(CHECKS), "checking", "check", progress) as bar:
        for check in CHECKS:
            try:
                measured = check.run(inputs)
            except NotDefined as reason:
                skipped.append(f"{check.name}: {reason}")
            else:
                # By the name of its row, under which figure and page look for it.
                evidence += [
                    replace(part, check=check.name, owners=owners.get(len(part.values)))
                    for part in measured
                ]
                if not measured:
                    skipped.append(f"{check.name}: not defined for this model or explanation")
            bar.update()
    return FaithfulnessReport(explanation, tuple(evidence), tuple(skipped), seed, draws)
