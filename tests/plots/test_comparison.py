"""A sample before and after a change: both predictions, and what changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from plots.figures import lines, names_at_left, pair, panel, title_and_note, words, written

from lstm_explain import plot_comparison
from lstm_explain.attribution.explanation import Explanation
from lstm_explain.plots.style import STYLE


def test_comparison_shows_both_predictions_as_a_probability() -> None:
    e = pair()
    ax = plot_comparison(e)
    drawn, margins = lines(panel(ax, "prediction")), e.predictions.values
    chances = 1 / (1 + np.exp(-margins))
    np.testing.assert_allclose(drawn["as recorded"], [[chances[0], 0]])
    np.testing.assert_allclose(drawn["changed"], [[chances[1], 1]])
    assert names_at_left(panel(ax, "prediction")) == ["as recorded", "changed"]
    first, second = written(panel(ax, "prediction"))[:2]
    assert first == f"{100 * chances[0]:.0f} % (log-odds {margins[0]:.2f})"
    assert second == f"{100 * chances[1]:.0f} % (log-odds {margins[1]:.2f})"
    assert title_and_note(ax)[0] == (
        "after the change, the predicted probability of died falls from "
        f"{100 * chances[0]:.0f} % to {100 * chances[1]:.0f} %"
    )


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ({"record": {"scale": "value"}}, "died [log %²] falls from"),
        ({"record": {"step": "sum"}}, "log-odds of died falls from"),
        ({"output": ["a-b", "a-b"]}, "log-odds of a-b falls from"),
        ({"ids": ["11", "12"]}, "11 against 12: the predicted probability of died falls"),
        ({"ids": ["7", "7"]}, "sample 0 against sample 1: the predicted probability of died"),
    ],
)
def test_comparison_says_what_it_compares(facts: dict[str, Any], title: str) -> None:
    e = pair(**facts)
    ax = plot_comparison(e)
    assert title in title_and_note(ax)[0]
    if "probability" not in title:
        drawn = np.concatenate(list(lines(panel(ax, "prediction")).values()))
        np.testing.assert_allclose(drawn[:, 0], e.predictions)


def test_comparison_of_equal_predictions_says_so() -> None:
    e = pair()[[0, 0]]
    chance = 1 / (1 + np.exp(-e.predictions.values[0]))
    title = title_and_note(plot_comparison(e))[0]
    assert title.endswith(
        f"the predicted probability of died stays at {chance:.1%}".replace("%", " %")
    )


def test_comparison_draws_sums_in_the_order_of_their_change() -> None:
    e = pair()
    ax = plot_comparison(e)
    assert names_at_left(ax) == [
        "lactate [mmol/L]", "heart rate [bpm]", "urine", "age = 67 years", "male = 1",
    ]  # fmt: skip
    sums = e.values.values.sum(axis=1)
    expected = np.concatenate([sums[:, [1, 0, 2]], e.static_values.values], axis=1)  # type: ignore[union-attr]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    for line, one in zip(dots, expected, strict=True):
        np.testing.assert_allclose(line.get_xdata(), one)
    bars = np.array(ax.collections[0].get_segments())  # type: ignore[attr-defined]
    np.testing.assert_allclose(bars[:, :, 0], expected.T)
    assert written(ax) == ["-1.60", "+0.08", "0.00", "0.00", "0.00"]
    blue, red = (to_hex(colour) for colour in ax.collections[0].get_color()[:2])  # type: ignore[attr-defined]
    assert (blue, red) == (STYLE.lowers, STYLE.raises)


def test_comparison_sums_the_others_so_that_changes_add_up() -> None:
    e = pair(older=0.05)
    ax = plot_comparison(e, max_features=1)
    assert names_at_left(ax) == ["lactate [mmol/L]", "other (4)"]
    dots = [np.asarray(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"]
    change = float(np.diff(e.predictions.values)[0])
    assert (dots[1] - dots[0]).sum() == pytest.approx(change)
    older = plot_comparison(e)
    assert "age = 67 → 87 years" in names_at_left(older)
    assert "facts that differ: age" in title_and_note(older)[1]


def test_comparison_marks_where_the_data_differ() -> None:
    e = pair()
    ax = panel(plot_comparison(e), "time")
    (band,) = ax.patches  # steps 3 and 4, one of them now without a measurement; 6 has none in both
    corners = band.get_extents().transformed(ax.transData.inverted())
    assert (corners.x0, corners.x1) == pytest.approx((2.5, 4.5))
    drawn = lines(ax)
    assert e.attention is not None
    np.testing.assert_allclose(drawn["as recorded"][:, 1], e.attention.values[0])
    np.testing.assert_allclose(drawn["changed"][:, 1], e.attention.values[1])
    assert "shaded: other data in lactate" in title_and_note(plot_comparison(e))[1]


def test_comparison_without_attention_shows_values_per_step() -> None:
    e = Explanation(pair().to_dataset().drop_vars("attention"))
    ax = panel(plot_comparison(e), "time")
    np.testing.assert_allclose(lines(ax)["changed"][:, 1], e.values.values[1].sum(axis=1))
    assert words(ax.get_ylabel()) == "SHAP value per step"


DATES, COUNTED = "date: 2024-03-01 to 2024-03-08", "step (the samples differ in date)"
DAYS = np.arange("2024-03-01", "2024-03-09", dtype="datetime64[D]").astype("datetime64[ns]")


@pytest.mark.parametrize(
    ("second", "lengths", "name"),
    [
        (DAYS, (8, 8), DATES),
        # The dates of a shorter sample's padding say nothing.
        (np.append(DAYS[:1], DAYS[:7]), (8, 1), DATES),
        (DAYS, (5, 8), DATES),
        (DAYS + np.timedelta64(366, "D"), (8, 8), COUNTED),
        # One step at another time is enough.
        (np.append(DAYS[:-1], DAYS[-1:] + 1), (8, 8), COUNTED),
    ],
)
def test_comparison_names_steps_only_as_both_samples_do(
    second: Any, lengths: Any, name: str
) -> None:
    dataset = pair().to_dataset().assign_attrs(time_name="date")
    dataset["mask"].values[:] = np.arange(8) < np.array(lengths)[:, None]
    dataset["times"] = (("sample", "time"), np.stack([DAYS, second]))
    ax = panel(plot_comparison(Explanation(dataset)), "time")
    assert ax.get_xlabel() == name
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert (labels[0], labels[-1]) == (("1", "8") if name == COUNTED else ("1 Mar\n2024", "8 Mar"))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (lambda e: e[:1], ValueError, r"two samples in plot_comparison.*received 1\. Take two"),
        (lambda _: 3, TypeError, "Expected an Explanation in plot_comparison; received int"),
        (lambda e: e.over_time(), ValueError, "received values per time. Give an explanation"),
        (
            lambda _: pair(output=["died", "survived"]),
            ValueError,
            r"one output in plot_comparison; received \['died', 'survived'\]\. Name it: .*'died'",
        ),
    ],
)
def test_comparison_refuses(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_comparison(given(pair()))
    assert plt.get_fignums() == []


def test_small_predictions_and_changes_are_written() -> None:
    dataset = pair(record={"scale": "value"}).to_dataset()
    small = {name: dataset[name] * 1e-8 for name in ("values", "static_values", "base_values")}
    e = Explanation(dataset.assign(predictions=dataset.predictions * 1e-8, **small))
    ax = plot_comparison(e)
    assert title_and_note(ax)[0].endswith("falls from -3e-9 to -1.8e-8")
    assert [text for text in written(ax) if text != "0"] == ["-1.6e-8", "+8e-10"]
