"""Scores, calibration, intervals and groups against closed forms and literal loops."""

from math import log, sqrt

import numpy as np
import pytest
import tiny
from sklearn.metrics import average_precision_score, roc_auc_score

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.models.scores import constant_baseline, score


def outcomes(probabilities, rng):
    target = (rng.random(len(probabilities)) < probabilities).astype(int)
    return SequenceData.from_arrays(
        np.zeros((len(target), 2, 1)), target, class_names=["no", "yes"]
    )


def test_bins_hold_equally_many_and_say_what_happened(rng):
    probabilities = rng.beta(1, 6, 1003)
    data = outcomes(probabilities, rng)
    table = lx.models.reliability(data, probabilities, bins=10)
    order = np.argsort(probabilities)
    start = 0
    for row in table.itertuples():
        part = order[start : start + row.count]
        np.testing.assert_allclose(row.predicted, probabilities[part].mean(), rtol=1e-12)
        np.testing.assert_allclose(row.observed, data.target[part].mean(), rtol=1e-12)
        assert row.low <= row.observed <= row.high
        start += row.count
    assert start == 1003
    assert np.ptp(table["count"]) <= 1
    error = np.abs(table["predicted"] - table["observed"]) @ table["count"] / 1003
    np.testing.assert_allclose(lx.models.calibration_error(data, probabilities), error, rtol=1e-12)


def test_the_interval_of_a_share_is_wilsons():
    """Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662, 0 of 20 gives 0 to 0.1611."""
    for events, count, low, high in ((81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611)):
        target = np.arange(count) < events
        data = SequenceData.from_arrays(
            np.zeros((count, 2, 1)), target.astype(int), class_names=["no", "yes"]
        )
        table = lx.models.reliability(data, np.full(count, 0.3), bins=1)
        np.testing.assert_allclose(table[["low", "high"]].values, [[low, high]], atol=5e-5)


def test_calibration_error_tells_true_probabilities_from_doubled_ones(rng):
    probabilities = rng.beta(1, 6, 20_000)
    data = outcomes(probabilities, rng)
    # By chance: 0.8 sqrt(p (1 - p) / 2000) in the mean, here below 0.006.
    assert lx.models.calibration_error(data, probabilities) < 0.01
    doubled = np.clip(2 * probabilities, 0, 1)
    expected = doubled.mean() - probabilities.mean()
    np.testing.assert_allclose(lx.models.calibration_error(data, doubled), expected, atol=0.01)


def test_scores_have_intervals_that_cover(rng):
    """Of 60 experiments about 57 intervals hold the true AUROC; fewer than 50 would be wrong."""
    true = 0.76025  # of two normals one deviation apart: Phi(1 / sqrt(2))
    covered = 0
    for seed in range(60):
        target = np.repeat([0, 1], [150, 50])
        scores = rng.normal(size=200) + target
        probabilities = 1 / (1 + np.exp(-scores))
        data = SequenceData.from_arrays(np.zeros((200, 2, 1)), target)
        table = lx.models.score_by_group(
            data, probabilities, {"all": np.ones(200, bool)}, draws=100, seed=seed
        )
        np.testing.assert_allclose(table.loc["all", "auroc"], roc_auc_score(target, scores))
        covered += table.loc["all", "auroc_low"] <= true <= table.loc["all", "auroc_high"]
    assert covered >= 50


def test_score_with_interval_is_the_score_and_repeats_with_its_seed(rng):
    probabilities = rng.beta(1, 4, 300)
    data = outcomes(probabilities, rng)
    first, again = (
        lx.models.score_with_interval(data, probabilities, draws=50, seed=3) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    expected = average_precision_score(data.target, probabilities)
    np.testing.assert_allclose(first.loc["auprc", "value"], expected)
    assert (first["low"] < first["value"]).all()
    assert (first["value"] < first["high"]).all()
    other = lx.models.score_with_interval(data, probabilities, draws=50, seed=4)
    assert (other["low"] != first["low"]).any()


def test_a_difference_is_resampled_in_pairs(rng):
    """Two forecasts that nearly agree: their difference is far surer than either score."""
    probabilities = rng.beta(1, 4, 400)
    data = outcomes(probabilities, rng)
    close = np.clip(probabilities + rng.normal(0, 0.01, 400), 0, 1)
    table = lx.models.score_difference(data, close, probabilities, draws=60)
    alone = lx.models.score_with_interval(data, close, draws=60)
    expected = roc_auc_score(data.target, close) - roc_auc_score(data.target, probabilities)
    np.testing.assert_allclose(table.loc["auroc", "value"], expected)
    width = (table["high"] - table["low"]) / (alone["high"] - alone["low"])
    assert width["auroc"] < 0.3
    assert table.loc["auroc", "low"] <= expected <= table.loc["auroc", "high"]


def test_groups_are_scored_on_their_own_members(rng):
    """Miscalibrated for one group only: its interval leaves zero out, the other's does not."""
    probabilities = rng.beta(2, 6, 2000)
    old = rng.random(2000) < 0.5
    data = outcomes(np.where(old, np.clip(probabilities + 0.2, 0, 1), probabilities), rng)
    table = lx.models.score_by_group(data, probabilities, {"old": old, "young": ~old}, draws=100)
    assert table.loc["old", "difference_high"] < 0
    assert table.loc["young", "difference_low"] < 0 < table.loc["young", "difference_high"]
    np.testing.assert_allclose(
        table.loc["old", "auroc"], roc_auc_score(data.target[old], probabilities[old])
    )
    assert table.loc["young", "events"] == data.target[~old].sum()


def test_a_group_of_one_class_has_no_auroc():
    data = SequenceData.from_arrays(np.zeros((6, 2, 1)), [0, 0, 0, 1, 1, 1])
    groups = {"low": np.arange(6) < 3}
    row = lx.models.score_by_group(data, np.linspace(0.1, 0.9, 6), groups, draws=20).loc["low"]
    assert np.isnan(row[["auroc", "auroc_low", "auroc_high"]].astype(float)).all()
    assert row["observed"] == 0
    # None of three: Wilson's interval of the share reaches 0.56.
    np.testing.assert_allclose(row["difference_low"], row["predicted"] - 0.5615, atol=1e-3)


def test_equal_probabilities_stay_in_one_bin(rng):
    """Their order in the data says nothing: a constant is right on average, whatever the order."""
    data = SequenceData.from_arrays(
        np.zeros((100, 2, 1)), np.repeat([1, 0], [20, 80]), class_names=["no", "yes"]
    )
    assert lx.models.calibration_error(data, np.full(100, 0.2)) == pytest.approx(0, abs=1e-12)
    coarse = np.round(rng.random(100), 1)
    table = lx.models.reliability(data, coarse)
    assert len(table) <= 11
    assert table["count"].sum() == 100
    shuffled = rng.permutation(100)
    np.testing.assert_allclose(lx.models.reliability(data[shuffled], coarse[shuffled]), table)


def test_what_cannot_be_assessed():
    data = SequenceData.from_arrays(np.zeros((4, 2, 1)), [0, 1, 0, 1])
    values = SequenceData.from_arrays(np.zeros((4, 2, 1)), [0.5, 1.5, 2.5, 3.5])
    with pytest.raises(
        ValueError, match=r"Expected data with a target of two classes; .*regression"
    ):
        lx.models.reliability(values, np.full(4, 0.5))
    with pytest.raises(ValueError, match="bins to be a whole number from 1 to 4; received 10"):
        lx.models.reliability(data, np.full(4, 0.5))
    with pytest.raises(ValueError, match="Expected probabilities from 0 to 1"):
        lx.models.calibration_error(data, np.array([0.1, 0.2, 0.3, 1.4]), bins=2)
    for wrong in (np.ones(3, bool), np.array([0, 1, 1, 0])):
        with pytest.raises(ValueError, match="Expected a bool array of 4 samples for the group"):
            lx.models.score_by_group(data, np.full(4, 0.5), {"some": wrong})
    with pytest.raises(ValueError, match="Expected some of the 4 samples in the group 'none'"):
        lx.models.score_by_group(data, np.full(4, 0.5), {"none": np.zeros(4, bool)})
    for nothing in ({}, [np.ones(4, bool)]):
        with pytest.raises(ValueError, match="Expected at least one group, as a mapping"):
            lx.models.score_by_group(data, np.full(4, 0.5), nothing)
    with pytest.raises(ValueError, match="draws to be a whole number of at least 2; received 1"):
        lx.models.score_with_interval(data, np.full(4, 0.5), draws=1)
    untold = SequenceData.from_arrays(np.zeros((4, 2, 1)))
    with pytest.raises(ValueError, match="Expected data with a target to compare with"):
        lx.models.reliability(untold, np.full(4, 0.5))


TASKS = ["regression", "binary", "multiclass"]


# -- scores, by hand -------------------------------------------------------------------------------
def part(target, **options):
    return SequenceData.from_arrays(np.zeros((len(target), 1, 1)), target, **options)


def test_regression_scores_by_hand():
    """Errors 1, -1, 2, 0 about targets 1, 2, 3, 6 with mean 3: 6 of 14 squared units remain."""
    scores = score(part([1.0, 2, 3, 6]), np.array([2.0, 1, 5, 6]))
    np.testing.assert_allclose(list(scores.values()), [sqrt(6 / 4), 1, 1 - 6 / 14])
    assert list(scores) == ["rmse", "mae", "r2"]


def test_a_constant_target_has_no_r2():
    assert "r2" not in score(part(np.full(3, 2.0)), np.array([1.0, 2.0, 3.0]))


def test_the_test_mean_scores_zero_r2():
    target = np.array([1.0, 2, 6])
    np.testing.assert_allclose(score(part(target), np.full((3, 1), 3.0))["r2"], 0, atol=1e-12)


def test_binary_scores_by_hand():
    """Probabilities 0.9, 0.6, 0.4, 0.5 of "up" for up, down, up, up; 0.5 counts as up.

    Of 3 pairs (up, down) the first is in order; ranked, the ups stand at places 1, 3 and 4.
    """
    data = part(["up", "down", "up", "up"])
    scores = score(data, np.array([0.9, 0.6, 0.4, 0.5]))
    assert scores["accuracy"] == 2 / 4
    by_hand = -(log(0.9) + log(0.4) + log(0.4) + log(0.5)) / 4
    np.testing.assert_allclose(scores["log_loss"], by_hand)
    np.testing.assert_allclose(scores["auroc"], 1 / 3)
    np.testing.assert_allclose(scores["auprc"], (1 / 1 + 2 / 3 + 3 / 4) / 3)


def test_ranking_scores_against_their_definitions(rng):
    """Pairs in order, ties counting half; precision at each threshold that finds more."""
    truth = rng.integers(0, 2, 60)
    chance = np.round(0.3 * truth + 0.7 * rng.random(60), 1)
    scores = score(part(truth), chance)
    higher = np.subtract.outer(chance[truth == 1], chance[truth == 0])
    np.testing.assert_allclose(scores["auroc"], ((higher > 0) + (higher == 0) / 2).mean())
    precision, found = 0.0, 0
    for threshold in sorted(set(chance), reverse=True):
        now = truth[chance >= threshold]
        precision += (now.sum() - found) * now.mean()
        found = now.sum()
    np.testing.assert_allclose(scores["auprc"], precision / truth.sum())


def test_multiclass_scores_by_hand():
    data = part([0, 2, 1], class_names=["a", "b", "c"])
    chances = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.6, 0.1, 0.3]])
    scores = score(data, chances)
    assert scores["accuracy"] == 2 / 3
    np.testing.assert_allclose(scores["log_loss"], -(log(0.5) + log(0.7) + log(0.1)) / 3)
    assert list(scores) == ["accuracy", "log_loss"]


def test_float32_probabilities_are_scored_without_a_warning(rng):
    """They add up to 1 to seven digits only, which scikit-learn remarks on."""
    logits = rng.normal(size=(200, 3)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert (chances.astype(float).sum(axis=1) != 1).any()
    data = part(rng.integers(0, 3, 200), class_names=["a", "b", "c"])
    by_hand = -np.log(chances[np.arange(200), data.target].astype(float)).mean()
    np.testing.assert_allclose(score(data, chances)["log_loss"], by_hand, rtol=1e-6)


def test_rare_events_are_scored_by_what_finds_them():
    """5 % die: a constant is right 95 % of the time and finds nobody."""
    target = np.where(np.arange(200) % 20 == 0, "died", "left")
    data = part(target, class_names=["left", "died"]).split_by_group(0.2, 0.3, seed=1)
    scores = score(data.test, constant_baseline(data))
    prevalence = data.test.target.mean()
    assert 0 < prevalence < 0.1
    np.testing.assert_allclose(scores["accuracy"], 1 - prevalence)
    np.testing.assert_allclose([scores["auroc"], scores["auprc"]], [0.5, prevalence])


def test_without_both_classes_there_is_no_ranking_to_score():
    """And one sample has no variance to explain: such scores are absent, not NaN with a warning."""
    scores = score(part([0, 0], class_names=["no", "yes"]), np.array([0.2, 0.6]))
    assert list(scores) == ["accuracy", "log_loss"]
    assert list(score(part([1.0]), np.array([2.0]))) == ["rmse", "mae"]


@pytest.mark.parametrize("task", TASKS)
def test_the_constant_is_the_training_mean_or_shares(task):
    data = tiny.padded(task)
    target = data.train.target
    expected = target.astype(float).mean()
    if task == "multiclass":
        expected = [(target == k).mean() for k in range(3)]
    predicted = constant_baseline(data)
    np.testing.assert_allclose(predicted, np.broadcast_to(expected, predicted.shape), rtol=1e-6)
    assert len(predicted) == len(data.test)


@pytest.mark.parametrize(
    ("target", "predictions", "message"),
    [
        (None, [1.0], "a target to score; received none. Give target="),
        ([1.0, 2.0], [1.0], r"shape \(2,\); received \(1,\). Give one number per sample"),
        ([1.0, 2.0], [[1.0, 2.0]] * 2, r"shape \(2,\); received \(2, 2\)"),
        ([1.0, 2.0], [1.0, np.nan], "finite predictions; received 1 that are NaN"),
        (["a", "b"], [[0.5, 0.5]] * 2, "one probability per sample, of the second class"),
        (["a", "b"], [-0.1, 3.0], "probabilities from 0 to 1; received -0.1 to 3. End the model"),
        (["a", "b"], [0.1, 1.002], "probabilities from 0 to 1; received 0.1 to 1.002. End the"),
        (["a", "b", "c"], [0.1, 0.2, 0.3], r"shape \(3, 3\); .*one probability per sample and"),
        (["a", "b", "c"], np.full((3, 3), 0.5), "add up to 1 for each sample; .*from 1.5 to 1.5"),
    ],
)
def test_predictions_that_are_none_are_refused(target, predictions, message):
    """Log-odds scored as probabilities, or one class's for another's, would look like a score."""
    data = SequenceData.from_arrays(np.zeros((len(target or [0]), 1, 1)), target)
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        score(data, np.array(predictions))


def test_no_samples_are_no_score():
    with pytest.raises(ValueError, match=r"at least one sample to score; received none. Check the"):
        score(part([1.0])[:0], np.zeros(0))
