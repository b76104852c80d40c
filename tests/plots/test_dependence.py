"""The dependence plot shows each measured step, or each sample, once, at its own place."""

from __future__ import annotations

import numpy as np
import pytest
from plots.figures import title_and_note
from scipy.stats import spearmanr
from tiny import explanation, gappy

import lstm_explain as lx

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def charts() -> lx.Explanation:
    model, data = gappy()
    return lx.explain(model, data.test, background=data.train, progress=False)


def test_each_measured_step_has_a_point_with_the_sum_of_its_parts(charts: lx.Explanation) -> None:
    ax = lx.plot_dependence(charts, "lactate", color_by="age")
    expected, ages = [], []
    parts = charts.parts_of("lactate").sum("part").values
    columns = charts.feature_names
    measured = charts.data.values[..., 2]  # whether lactate was
    for sample in range(len(charts)):
        for step in np.flatnonzero(charts.mask.values[sample]):
            if measured[sample, step] > 0.5:
                value = charts.data.values[sample, step, columns.index("lactate")]
                expected.append((value, parts[sample, step]))
                ages.append(charts.static_data.sel(static_feature="age").values[sample])
    [points] = ax.collections[:1]
    np.testing.assert_allclose(points.get_offsets(), expected, rtol=1e-6)
    np.testing.assert_allclose(points.get_array(), ages, rtol=1e-6)
    rank = spearmanr(*np.transpose(expected)).statistic
    title, note = title_and_note(ax)
    assert title == "lactate: SHAP value against value"
    assert f"{len(expected)} points: one per measured step of {len(charts)} samples" in note
    assert f"rank correlation {rank:+.2f}" in note
    assert "coloured by age" in ax.figure.alt  # type: ignore[union-attr]


def test_a_fact_has_a_point_for_each_sample(charts: lx.Explanation) -> None:
    ax = lx.plot_dependence(charts, "age", color_by="sex")
    facts, values = charts.static_data, charts.static_values
    expected = np.stack([one.sel(static_feature="age").values for one in (facts, values)], axis=1)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "color_by", "message"),
    [
        ("weight", None, r"Expected the name of a variable or static fact, one of \['dose'.*'weig"),
        ("dose", "weight", r"Expected the name of a variable or static fact"),
    ],
)
def test_an_unknown_name_is_refused(name: str, color_by: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lx.plot_dependence(explanation(), name, color_by=color_by)


def test_what_has_no_place_in_the_figure_is_refused(charts: lx.Explanation) -> None:
    with pytest.raises(ValueError, match="Expected color_by to be a static fact, as 'age' is"):
        lx.plot_dependence(charts, "age", color_by="pulse")
    with pytest.raises(ValueError, match="Expected values per cell in plot_dependence"):
        lx.plot_dependence(charts.over_time(), "lactate")
    missing = charts.to_dataset().copy(deep=True)
    at = 2  # whether lactate was measured
    missing["data"][..., at] = 0.0
    with pytest.raises(ValueError, match="Expected 'lactate' to be measured in some sample"):
        lx.plot_dependence(lx.Explanation(missing), "lactate")
