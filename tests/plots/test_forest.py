"""The forest plot shows the numbers of the table of groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plots.figures import names_at_left, panel, title_and_note, written

import lstm_explain as lx
from lstm_explain import SequenceData


def groups() -> pd.DataFrame:
    """Score three groups, of which one has no event."""
    rng = np.random.default_rng(4)
    risk = rng.uniform(0.05, 0.6, 300)
    died = rng.random(300) < risk
    old, died[290:] = np.arange(300) < 150, False
    data = SequenceData.from_arrays(np.zeros((300, 2, 1)), died.astype(int))
    of = {"old $": old, "young": ~old, "none": np.arange(300) >= 290}
    return lx.models.score_by_group(data, risk, of, draws=50)


def test_points_and_lines_are_the_scores_and_intervals() -> None:
    table = groups()
    ax = lx.plot_forest(table)
    for label, score in (("auroc", "auroc"), ("calibration", "difference")):
        drawn = panel(ax, label)
        np.testing.assert_array_equal(drawn.lines[1].get_xdata(), table[score])
        known = table.dropna(subset=[f"{score}_low"])
        ends = [line[:, 0] for line in drawn.collections[0].get_segments()]  # type: ignore[attr-defined]
        np.testing.assert_array_equal(ends, known[[f"{score}_low", f"{score}_high"]])
    events = table["events"].tolist()
    assert names_at_left(ax) == [
        f"old $ ({events[0]} of 150)", f"young ({events[1]} of 150)", "none (0 of 10)",
    ]  # fmt: skip
    numbers = written(panel(ax, "auroc"))[:3]
    assert numbers == [*(f"{value:.3f}" for value in table["auroc"][:2]), "not known"]
    shares = [f"{value:+.3f}" for value in table["difference"]]
    assert written(panel(ax, "calibration")) == shares
    low, high = sorted(table["auroc"].dropna())
    assert title_and_note(ax)[0] == f"AUROC {low:.3f} to {high:.3f} in 2 groups"


@pytest.mark.parametrize("table", [None, pd.DataFrame({"auroc": [0.7]})], ids=["none", "other"])
def test_another_table_is_refused(table: object) -> None:
    with pytest.raises(ValueError, match=r"Expected what lx\.models\.score_by_group returned"):
        lx.plot_forest(table)  # type: ignore[arg-type]
