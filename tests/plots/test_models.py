"""The picture of compared models shows the numbers of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plots.figures import names_at_left, panel, title_and_note, written

from lstm_explain.attribution.model_comparison import ModelComparison
from lstm_explain.plots.models import plot_models


def comparison(score: str = "auroc") -> ModelComparison:
    table = pd.DataFrame(
        {
            "score": [0.8, 0.85, 0.82],
            "low": [0.7, np.nan, 0.75],
            "high": [0.9, np.nan, 0.88],
        },
        index=["lstm", "a $ tcn", "logistic regression"],
    )
    pairs = pd.MultiIndex.from_tuples(
        [("lstm", "lstm"), ("lstm", "a $ tcn"), ("a $ tcn", "a $ tcn")], names=["model", "beside"]
    )
    agreement = pd.DataFrame({"cell": [0.9, 0.4, 0.7], "time": [0.95, -0.2, 0.8]}, index=pairs)
    return ModelComparison(score, table, agreement)


def test_points_lines_and_correlations_are_those_of_the_tables() -> None:
    found = comparison()
    ax = plot_models(found)
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), found.table["score"])
    ends = [line[:, 0] for line in ax.collections[0].get_segments()]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(ends, [[0.7, 0.9], [0.75, 0.88]])
    assert names_at_left(ax) == ["lstm", "a $ tcn", "logistic regression"]
    assert written(ax)[:3] == ["0.800", "0.850", "0.820"]
    assert ax.lines[0].get_xdata()[0] == 0.82  # the baseline
    assert written(panel(ax, "agreement")) == ["0.90", "0.40", "0.40", "0.70"]
    title, notes = title_and_note(ax)
    assert title == "Best: a $ tcn, test auroc 0.850"
    assert "rank correlation of SHAP values by cell, on the diagonal of two seeds" in notes


def test_another_view_and_an_error_of_which_the_lowest_is_best() -> None:
    ax = plot_models(comparison("rmse"), by="time")
    assert written(panel(ax, "agreement"))[1] == "-0.20"
    assert title_and_note(ax)[0] == "Best: lstm, test rmse 0.800"
    with pytest.raises(ValueError, match=r"by to be one of \['cell', 'time'\]; received 'word'"):
        plot_models(comparison(), by="word")
