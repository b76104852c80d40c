"""Every metric is scikit-learn's, on ties, on chances of 0 and 1, and on rare events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as of_sklearn

from lstm_explain.models import metrics

# Few values, so that most chances are tied.
CHANCES = st.sampled_from([0.0, 1e-12, 0.2, 0.5, 0.7, 0.7000001, 1.0])
ONES_AND_CHANCES = st.lists(st.tuples(st.integers(0, 1), CHANCES), min_size=2, max_size=40)
NUMBERS = st.integers(-1000, 1000)


@given(ONES_AND_CHANCES)
def test_scores_of_two_classes(pairs):
    target, chances = np.array([one for one, _ in pairs]), np.array([p for _, p in pairs])
    np.testing.assert_allclose(
        [metrics.accuracy(target, chances), metrics.log_loss(target, chances)],
        [
            of_sklearn.accuracy_score(target, chances >= 0.5),
            of_sklearn.log_loss(target, chances, labels=[0, 1]),
        ],
        rtol=1e-9,
        atol=1e-12,
    )
    if 0 < target.sum() < len(target):
        np.testing.assert_allclose(
            [metrics.auroc(target, chances), metrics.auprc(target, chances)],
            [
                of_sklearn.roc_auc_score(target, chances),
                of_sklearn.average_precision_score(target, chances),
            ],
            rtol=1e-9,
        )
    else:
        assert np.isnan(metrics.auroc(target, chances))
        assert np.isnan(metrics.auprc(target, chances)) == (not target.any())


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40))
def test_errors_of_numbers(pairs):
    target, predictions = np.array(pairs, float).T / 7
    np.testing.assert_allclose(
        [metrics.rmse(target, predictions), metrics.mae(target, predictions)],
        [
            of_sklearn.root_mean_squared_error(target, predictions),
            of_sklearn.mean_absolute_error(target, predictions),
        ],
        rtol=1e-9,
    )
    if np.ptp(target) > 0:
        expected = of_sklearn.r2_score(target, predictions)
        np.testing.assert_allclose(metrics.r2(target, predictions), expected, rtol=1e-9, atol=1e-9)
    else:
        assert np.isnan(metrics.r2(target, predictions))


def test_scores_of_several_classes_labels_and_targets(rng):
    target, chances = rng.integers(0, 3, 50), rng.dirichlet([1, 1, 1], 50)
    chances[0] = np.eye(3)[(target[0] + 1) % 3]  # certain, and wrong
    expected = of_sklearn.log_loss(target, chances, labels=[0, 1, 2])
    np.testing.assert_allclose(metrics.log_loss(target, chances), expected, rtol=1e-9)
    assert metrics.accuracy(target, chances) == np.mean(target == chances.argmax(axis=1))
    labels, answers = rng.integers(0, 2, (50, 4)), rng.random((50, 4))
    each = [
        of_sklearn.log_loss(a, b, labels=[0, 1]) for a, b in zip(labels.T, answers.T, strict=True)
    ]
    np.testing.assert_allclose(metrics.log_loss(labels, answers), np.mean(each), rtol=1e-9)
    numbers, predictions = rng.normal(size=(2, 50, 3))
    expected = of_sklearn.r2_score(numbers, predictions)
    np.testing.assert_allclose(metrics.r2(numbers, predictions), expected, rtol=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e9, -3.3])
def test_a_constant_has_no_r2_however_its_mean_is_rounded(value):
    assert np.isnan(metrics.r2(np.full(7, value), np.arange(7.0)))
