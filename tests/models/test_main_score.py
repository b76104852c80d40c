"""A model beside its baseline: one score, one interval in pairs, one word."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from sklearn.metrics import log_loss, roc_auc_score

from lstm_explain import SequenceData
from lstm_explain.models import AgainstBaseline, score, score_difference
from lstm_explain.models.main_score import against, main_interval, main_score


def outcomes(rng: np.random.Generator, count: int = 300, ids: object = None) -> SequenceData:
    target = rng.random(count) < 0.4
    return SequenceData.from_arrays(np.zeros((count, 2, 1)), target.astype(int), ids=ids)


@pytest.mark.parametrize(
    ("name", "low", "high", "verdict"),
    [
        ("auroc", 0.01, 0.1, "better"),
        ("auroc", -0.1, -0.01, "worse"),
        ("rmse", -0.1, -0.01, "better"),
        ("log_loss", 0.01, 0.1, "worse"),
        ("r2", -0.1, 0.1, "level"),
        ("auroc", np.nan, np.nan, "not told apart"),
    ],
)
def test_the_word_is_that_of_the_interval(name, low, high, verdict) -> None:
    found = AgainstBaseline("linear regression", name, 0.5, 0.4, low, high)
    assert found.verdict == verdict
    assert str(found).startswith(f"{verdict} ")


def test_the_sentence_has_scores_difference_and_interval() -> None:
    found = AgainstBaseline("logistic regression", "auroc", 0.8121, 0.8652, -0.0712, -0.0352)
    assert str(found) == (
        "worse than the baseline (logistic regression): test auroc 0.812 against 0.865, a "
        "difference of \N{MINUS SIGN}0.053 (95 % interval \N{MINUS SIGN}0.071 to "
        "\N{MINUS SIGN}0.035)"
    )


def test_scores_are_those_of_score_and_the_interval_that_of_the_difference(rng) -> None:
    data = outcomes(rng)
    good = np.clip(0.5 * data.target + 0.5 * rng.random(300), 0, 1)
    poor = rng.random(300)
    found = against(data, good, "regression", poor)
    assert found.score == "auroc"
    np.testing.assert_allclose(found.of_model, roc_auc_score(data.target, good))
    np.testing.assert_allclose(found.of_baseline, roc_auc_score(data.target, poor))
    table = score_difference(data, good, poor).loc["auroc"]
    np.testing.assert_allclose([found.low, found.high], table[["low", "high"]], rtol=1e-9)
    assert found.verdict == "better"
    assert against(data, poor, "regression", good).verdict == "worse"
    assert against(data, poor, "regression", poor).verdict == "level"


def test_people_are_drawn_together(rng) -> None:
    """Ten copies of each sample tell no more than one, once they are of one person."""
    once = outcomes(rng, 60)
    good, poor = np.clip(0.3 * once.target + 0.7 * rng.random(60), 0, 1), rng.random(60)
    target = np.repeat(once.target, 10)
    widths = []
    for ids in (np.repeat(np.arange(60), 10), None):
        data = SequenceData.from_arrays(np.zeros((600, 2, 1)), target, ids=ids)
        found = against(data, np.repeat(good, 10), "r", np.repeat(poor, 10))
        widths.append(found.high - found.low)
    alone = against(once, good, "r", poor)
    np.testing.assert_allclose(widths[0], alone.high - alone.low, rtol=1e-6)
    assert widths[1] < 0.5 * widths[0]


def test_the_main_score_of_each_task_is_that_of_score(rng) -> None:
    numbers = tiny.padded("regression").test
    values = numbers.target + rng.normal(size=len(numbers))
    classes = tiny.padded("multiclass").test
    chances = rng.dirichlet(np.ones(3), len(classes))
    labels = SequenceData.from_arrays(
        np.zeros((30, 2, 1)), rng.integers(0, 2, (30, 2)), target_names=["a", "b"]
    )
    several = SequenceData.from_arrays(
        np.zeros((30, 2, 1)), rng.normal(size=(30, 2)), target_names=["a", "b"]
    )
    alone = SequenceData.from_arrays(np.zeros((9, 2, 1)), [1] * 9, class_names=["no", "yes"])
    for data, found, name in (
        (numbers, values, "rmse"),
        (classes, chances, "accuracy"),
        (labels, rng.random((30, 2)), "log_loss"),
        (several, np.asarray(several.target) + 0.1, "r2"),
        (alone, rng.random(9), "log_loss"),
    ):
        assert main_score(data) == name
        np.testing.assert_allclose(
            main_interval(data, [found], draws=2)[0], score(data, found)[name], rtol=1e-6
        )


def test_of_several_seeds_it_is_the_mean(rng) -> None:
    data = tiny.padded("regression").test
    each = [data.target + rng.normal(size=len(data)) for _ in range(3)]
    mean, low, high = main_interval(data, each)
    np.testing.assert_allclose(mean, np.mean([score(data, one)["rmse"] for one in each]))
    assert low < mean < high


def test_one_class_alone_has_a_log_loss_but_few_events_no_interval(rng) -> None:
    target = np.zeros(40, int)
    target[0] = 1
    data = SequenceData.from_arrays(np.zeros((40, 2, 1)), target)
    found = against(data, rng.random(40), "constant", np.full(40, 0.5))
    assert found.verdict == "not told apart"
    assert "too few test samples for an interval" in str(found)
    assert log_loss(target, np.full(40, 0.5)) > 0
