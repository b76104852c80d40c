"""Values unlike those of the training data are named."""

import re

import numpy as np
import pytest

from lstm_explain import SequenceData
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.familiarity import Familiarity
from lstm_explain.widgets.state import Edit, State


def test_warnings_name_what_is_beyond_its_range(model_and_data):
    _, data = model_and_data
    core = Exploration(model_and_data[0], data.test, data.train)
    measured = data.train.display_values[..., 0][data.train.display_values[..., 2] > 0.5]
    low, high = measured.min(), measured.max()
    assert core.familiarity.ranges["lactate"] == pytest.approx((low, high))
    assert core.warnings(State(0)) == []
    [text] = core.warnings(State(0, (Edit("lactate", float(high) + 1, (2, 2)),)))
    assert text.startswith(f"lactate = {high + 1:.4g} lies outside the training data ({low:.4g}")
    [text] = core.warnings(State(0, (Edit("age", 200.0),)))
    assert "age = 200 lies outside" in text
    assert core.warnings(State(0, (Edit("sex", 1.0),))) == []
    few = Exploration(model_and_data[0], data.test, data.train[:3], training=data.train)
    assert few.familiarity.ranges == core.familiarity.ranges
    assert len(few.background) == 3


def test_a_jump_within_the_range_is_noticed_and_the_training_steps_are_not():
    """Slow curves: each value of the jump is usual, the jump itself is not."""
    rng = np.random.default_rng(2)
    steps = rng.normal(scale=0.02, size=(80, 20, 1))
    curves = rng.uniform(-1, 1, size=(80, 1, 1)) + steps.cumsum(axis=1)
    data = SequenceData.from_arrays(curves, feature_names=["slow"])
    usual = Familiarity.with_data(data)
    low = data[int(curves[:, 0, 0].argmin())]
    moved = np.zeros(20, bool)
    moved[10] = True
    nearby = low.change("slow", float(low.display_values[0, 10, 0]) + 0.005, 10)
    assert usual.warnings(nearby, ["slow"], moved) == []
    [text] = usual.warnings(low.change("slow", 1.0, 10), ["slow"], moved)
    assert re.match("what was measured at step 1[12], with its change", text)
    assert "farther from the training data" in text


def test_a_price_beyond_its_range_is_told_from_the_end_of_the_range():
    prices = np.array([20034.1, 20035.0, 20035.3, 20034.6]).reshape(2, 2, 1)
    usual = Familiarity.with_data(SequenceData.from_arrays(prices, feature_names=["price"]))
    sample = SequenceData.from_arrays([[[20035.4], [20035.0]]], feature_names=["price"])
    [text] = usual.warnings(sample, ["price"], np.array([True, False]))
    assert text == "price = 20035.4 lies outside the training data (20034.1 to 20035.3)"
