"""The reliability diagram draws bins, intervals and counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from plots.figures import NAN, bins, lines, panel, title_and_note, words

from lstm_explain import plot_reliability


def test_reliability_draws_bins_intervals_and_counts() -> None:
    table = bins(0.04)
    ax = plot_reliability(table.sample(frac=1, random_state=0))
    drawn = lines(ax)
    np.testing.assert_allclose(drawn["_bins"], table[["predicted", "observed"]])
    np.testing.assert_allclose(drawn["_even"][:, 0], drawn["_even"][:, 1])
    segments = np.array(ax.collections[0].get_segments())  # type: ignore[attr-defined]
    np.testing.assert_allclose(segments[:, :, 1], table[["low", "high"]])
    np.testing.assert_allclose(segments[:, 0, 0], table["predicted"])
    sticks = np.array(panel(ax, "count 0").collections[0].get_segments())  # type: ignore[attr-defined]
    np.testing.assert_allclose(sticks[:, 1], table[["predicted", "count"]])
    assert panel(ax, "count 0").get_xlim() == ax.get_xlim()
    mean = np.average(table["predicted"], weights=table["count"])
    assert title_and_note(ax)[
        0
    ] == f"mean predicted {mean:.1%}, observed {mean + 0.04:.1%}".replace("%", " %")


@pytest.mark.parametrize(
    ("top", "least", "most"), [(0.3, 0.3, 0.45), (0.03, 0.07, 0.12), (0.95, 0.95, 1.05)]
)
def test_reliability_axes_end_near_the_data(top: float, least: float, most: float) -> None:
    ax = plot_reliability(bins(top=top))
    assert ax.get_xlim() == ax.get_ylim()  # the diagonal is one
    assert -0.02 <= ax.get_xlim()[0] <= 0
    assert least <= ax.get_xlim()[1] <= most
    ax.figure.canvas.draw()
    ticks = [words(tick.get_text()) for tick in ax.get_yticklabels()]
    assert len(set(ticks)) == len(ticks)
    for text, place in zip(ticks, ax.get_yticks(), strict=True):
        assert text.endswith(" %")
        assert float(text[:-2]) == pytest.approx(100 * place, abs=0.06)


def test_reliability_of_two_models_from_a_mapping_or_a_joined_table() -> None:
    tables = {"LSTM": bins(), "logistic regression": bins(0.1)}
    for given in (tables, pd.concat(tables)):
        ax = plot_reliability(given)
        drawn = lines(ax)
        for name, table in tables.items():
            np.testing.assert_allclose(drawn[name], table[["predicted", "observed"]])
        marks = {str(line.get_label()): line for line in ax.lines}
        first, second = (marks[name] for name in tables)
        assert first.get_marker() != second.get_marker()
        assert to_hex(first.get_color()) != to_hex(second.get_color())  # type: ignore[arg-type]
        legend = ax.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == list(tables)
        assert "LSTM: mean predicted" in title_and_note(ax)[0]
        assert "logistic regression" in panel(ax, "count 1").get_ylabel()


def test_reliability_leaves_empty_bins_out() -> None:
    table = bins()
    table.loc[5] = [NAN, NAN, 0, NAN, NAN]
    np.testing.assert_allclose(
        lines(plot_reliability(table))["_bins"], bins()[["predicted", "observed"]]
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (bins().drop(columns="low"), r"columns \['predicted'.*received the columns \['pred"),
        (3, "received int. Pass what lx.models.reliability"),
        ({}, r"at least one table in plot_reliability; received none\. Pass"),
        ({"LSTM": bins()[:0]}, "table 'LSTM' with at least one bin .* received none"),
        (bins() * 100, r"shares from 0 to 1 in the table; received .* Divide percentages by 100"),
    ],
)
def test_reliability_refuses(table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_reliability(table)
    assert plt.get_fignums() == []


def test_rare_events_have_a_mean_and_ticks_that_differ() -> None:
    table = bins(top=0.3).assign(low=0.0, high=4e-4)
    table[["predicted", "observed"]] *= 1e-3
    ax = plot_reliability(table)
    assert title_and_note(ax)[0] == "mean predicted 0.01 %, observed 0.01 %"
    ax.figure.canvas.draw()
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(ticks) == len(set(ticks))
