"""The picture of steps ahead by observed steps."""

import numpy as np
import pytest
from models.series import HISTORY, HORIZON, series
from networks import randomised
from plots.figures import cells, panel, rows

import lstm_explain as lx

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def explanation():
    data = series()
    model = lx.build_forecaster(data, decoder="attention", units=(3,), beside=None)
    return lx.explain(
        randomised(model, 0.5), data.test[:2], background=data.train, output="all", progress=False
    )


def test_cells_are_the_means_and_what_is_known_stands_at_its_time(explanation):
    ax = lx.plot_leads(explanation)
    drawn, values = cells(ax), explanation.values.mean("sample").values
    assert drawn.shape == (HORIZON, HISTORY + HORIZON)
    assert ax.get_xlim() == (0.5 - HISTORY, HORIZON + 0.5)
    np.testing.assert_allclose(drawn[:, :HORIZON], values[:, :HORIZON, :2].sum(-1))
    np.testing.assert_allclose(drawn[:, HISTORY:], values[:, -HORIZON:, 2])
    np.testing.assert_allclose(drawn.sum(axis=1), values.sum(axis=(1, 2)))
    assert rows(ax) == ["+1 h", "+2 h", "+3 h"]
    beside = panel(ax, "attention")
    np.testing.assert_allclose(cells(beside), explanation.attention.mean("sample"))
    alt = ax.figure.alt
    assert "mean over 2 samples" in alt
    assert "known in advance" in alt


def test_one_feature_alone_has_its_own_steps(explanation):
    ax = lx.plot_leads(explanation[0], feature="wind", limit=2.0)
    np.testing.assert_allclose(cells(ax), explanation.values.values[0, ..., 1])
    assert ax.collections[0].get_clim() == (-2.0, 2.0)
    assert "wind" in ax.get_title(loc="left")


def test_values_per_step_are_drawn_as_they_are(explanation):
    summed = explanation.over_time()
    np.testing.assert_allclose(cells(lx.plot_leads(summed)), summed.values.mean("sample"))


def test_what_is_known_one_step_ahead_stands_at_that_step():
    data = series(1)
    model = lx.build_forecaster(data, quantiles=(0.1, 0.9), units=(2,), beside=None)
    together = lx.explain(
        randomised(model, 0.5), data.test[:1], background=data.train, output="all", progress=False
    )
    drawn, values = cells(lx.plot_leads(together)), together.values.values[0]
    assert drawn.shape == (2, HISTORY + 1)
    np.testing.assert_allclose(drawn[:, 0], values[:, 0, :2].sum(-1))
    np.testing.assert_allclose(drawn[:, -1], values[:, -1, 2])


def test_what_cannot_be_drawn_is_said(explanation):
    with pytest.raises(ValueError, match="several outputs in plot_leads; received one of one"):
        lx.plot_leads(explanation.for_output(0))
    with pytest.raises(ValueError, match="per cell or per time in plot_leads"):
        lx.plot_leads(explanation.over_features())
    with pytest.raises(ValueError, match="Expected feature"):
        lx.plot_leads(explanation, feature="rain")
    with pytest.raises(TypeError, match="Expected an Explanation in plot_leads"):
        lx.plot_leads("values")
