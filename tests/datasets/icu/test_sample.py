"""The simulated ICU stays: the planted rule is what it says, and the stays are plausible."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from make_icu_sample import CHART, STATIC, sample_stays
from sklearn.metrics import average_precision_score, roc_auc_score

from lstm_explain import SequenceData
from lstm_explain.datasets.icu.rule import TrueValues, true_cause, true_log_odds, true_shap

LACTATE, PRESSURE = list(CHART).index("lactate"), list(CHART).index("mean blood pressure")


@pytest.fixture(scope="module")
def stays() -> SequenceData:
    """Return the stays with their defaults."""
    return sample_stays()


@pytest.fixture(scope="module")
def caused(stays: SequenceData) -> SequenceData:
    """Return the test stays whose risk has a cause."""
    return stays.test[true_cause(stays.test).any(axis=(1, 2))]


@pytest.fixture(scope="module")
def ceiling(stays: SequenceData, caused: SequenceData) -> TrueValues:
    """Return the rule's own values against 100 training stays."""
    return true_shap(caused, stays.train[:100])


def changed(data: SequenceData, variable: int, value: object) -> SequenceData:
    """Set one variable wherever a stay is real."""
    values = data.values.copy()
    values[..., variable] = np.where(data.mask, value, 0)
    return replace(data, values=values)


def literal_rule(data: SequenceData, stay: int) -> tuple[float, set[tuple[int, int]]]:
    """Work out the log-odds and the cause cells of one stay, number by number."""
    lactate, pressure, total, cells = None, None, 0.0, set()
    for hour in range(int(data.lengths[stay])):
        if not math.isnan(data.values[stay, hour, LACTATE]):
            lactate = float(data.values[stay, hour, LACTATE])
        if not math.isnan(data.values[stay, hour, PRESSURE]):
            pressure = float(data.values[stay, hour, PRESSURE])
        if lactate is None or pressure is None:
            continue
        excess = min(max((lactate - 2) / 2, 0), 2)
        deficit = min(max((75 - pressure) / 10, 0), 2)
        total += excess * deficit
        if excess * deficit > 0.2:
            cells |= {(hour, LACTATE), (hour, PRESSURE)}
    age = float(data.static[stay, 0])
    factor = min(max(1 + (age - 60) / 40, 0.5), 1.5)
    risk = -3.4 + 0.02 * (age - 60) + factor * 0.35 * 15 * (1 - math.exp(-total / 15))
    return risk, cells


# -- the rule --------------------------------------------------------------------------------------
def test_rule_equals_the_literal_one(stays: SequenceData, caused: SequenceData) -> None:
    for data in (stays[:300], caused):
        log_odds, cause = true_log_odds(data), true_cause(data)
        for stay in range(len(data)):
            expected, cells = literal_rule(data, stay)
            assert log_odds[stay] == pytest.approx(expected, rel=1e-12)
            assert {(int(h), int(v)) for h, v in np.argwhere(cause[stay])} == cells


def test_rule_reads_standardised_stays_alike(caused: SequenceData, stays: SequenceData) -> None:
    standardised = stays.standardise()
    np.testing.assert_allclose(true_log_odds(standardised), true_log_odds(stays), atol=1e-3)


def test_normal_lactate_leaves_no_cause(stays: SequenceData) -> None:
    normal = changed(stays, LACTATE, 1.0)
    assert true_cause(stays).any()
    assert not true_cause(normal).any()
    np.testing.assert_allclose(true_log_odds(normal), -3.4 + 0.02 * (stays.static[:, 0] - 60.0))


def test_unrecorded_counts_as_normal(stays: SequenceData) -> None:
    for variable in (LACTATE, PRESSURE):
        assert not true_cause(changed(stays, variable, np.nan)).any()


def test_cause_cells_count_and_other_variables_do_not(caused: SequenceData) -> None:
    log_odds, cause = true_log_odds(caused), true_cause(caused)
    recorded = ~np.isnan(caused.values)
    for variable, worse in ((LACTATE, 0.3), (PRESSURE, -3.0)):
        chosen = cause[..., variable] & recorded[..., variable]
        before = caused.values[..., variable]
        # A value already at the rule's limit cannot get worse.
        limit = before < 5.7 if variable == LACTATE else before > 58
        some = (chosen & limit).any(axis=1)
        assert some.sum() > 50
        after = changed(caused, variable, np.where(chosen & limit, before + worse, before))
        assert (true_log_odds(after)[some] > log_odds[some]).all()
    for variable in set(range(len(CHART))) - {LACTATE, PRESSURE}:
        after = changed(caused, variable, caused.values[..., variable] * 1.5 + 3)
        np.testing.assert_array_equal(true_log_odds(after), log_odds)
        np.testing.assert_array_equal(true_cause(after), cause)


def test_padded_hours_do_not_count(stays: SequenceData) -> None:
    worst = stays.values.copy()
    worst[~stays.mask] = 8.0  # a lactate, and as a pressure dreadful
    spoilt = replace(stays, values=worst)
    np.testing.assert_array_equal(true_log_odds(spoilt), true_log_odds(stays))
    assert not true_cause(spoilt)[~stays.mask].any()


def test_more_recordings_of_the_same_values_change_nothing(stays: SequenceData) -> None:
    """A value that is written down again each hour until the next one is the same chart."""
    values = stays.values.copy()
    for hour in range(1, values.shape[1]):
        again = np.isnan(values[:, hour]) & stays.mask[:, hour, None]
        values[:, hour] = np.where(again, values[:, hour - 1], values[:, hour])
    often = replace(stays, values=values)
    assert np.isnan(values).sum() < np.isnan(stays.values).sum() / 3
    np.testing.assert_array_equal(true_log_odds(often), true_log_odds(stays))
    np.testing.assert_array_equal(true_cause(often), true_cause(stays))


@pytest.mark.parametrize(
    ("feature_names", "static_names", "message"),
    [
        (["lactate", "pressure"], ["age"], r"Expected the variable 'mean blood pressure'.*Use the"),
        (["lactate", "mean blood pressure"], ["years"], r"the static fact 'age'.*\['years'\]"),
    ],
)
def test_rule_names_what_is_missing(
    feature_names: list[str], static_names: list[str], message: str
) -> None:
    data = SequenceData.from_arrays(
        np.ones((2, 6, 2)),
        static=np.ones((2, 1)),
        feature_names=feature_names,
        static_names=static_names,
    )
    with pytest.raises(ValueError, match=message):
        true_log_odds(data)


# -- its true values -------------------------------------------------------------------------------
def test_true_values_add_up(caused: SequenceData, ceiling: TrueValues) -> None:
    total = ceiling.base + ceiling.values.sum(axis=(1, 2)) + ceiling.static.sum(axis=1)
    log_odds = true_log_odds(caused)
    np.testing.assert_allclose(total, log_odds, atol=0.01 * log_odds.std())


def test_true_values_of_one_hour_by_hand() -> None:
    """From (2, 75) to (4, 65) excess and deficit rise together: each has half of the effect."""

    def stay(lactate: float, pressure: float) -> SequenceData:
        return SequenceData.from_arrays(
            np.array([[[pressure, lactate]]]),
            static=np.array([[70.0]]),
            feature_names=["mean blood pressure", "lactate"],
            static_names=["age"],
        )

    true = true_shap(stay(4, 65), stay(2, 75))
    effect = 1.25 * 0.35 * 15 * (1 - math.exp(-1 / 15))
    np.testing.assert_allclose(true.values[0, 0], [effect / 2, effect / 2], rtol=1e-3)
    np.testing.assert_allclose([true.base[0], true.static[0, 0]], [-3.2, 0], atol=1e-12)


def test_true_values_find_the_cause(caused: SequenceData, ceiling: TrueValues) -> None:
    real = caused.mask
    cause = true_cause(caused)[real].ravel()
    found = np.abs(ceiling.values[real]).ravel()
    assert roc_auc_score(cause, found) > 0.97
    assert average_precision_score(cause, found) > 0.88
    shuffled = np.random.default_rng(0).permutation(cause)
    assert abs(roc_auc_score(shuffled, found) - 0.5) < 0.02
    assert average_precision_score(shuffled, found) < 1.2 * cause.mean()


def test_true_values_are_nothing_where_the_rule_does_not_look(
    caused: SequenceData, ceiling: TrueValues
) -> None:
    others = [v for v in range(len(CHART)) if v not in (LACTATE, PRESSURE)]
    assert not ceiling.values[..., others].any()
    assert not ceiling.static[:, 1:].any()
    assert not ceiling.values[~caused.mask].any()


def test_background_of_another_length_is_held_or_cut(stays: SequenceData) -> None:
    """Twelve hours that end early are the same as those whose last values stay to the end."""
    short = stays[stays.lengths >= 12][:20]
    cut = replace(
        short, values=short.values[:, :12], mask=short.mask[:, :12], times=short.times[:, :12]
    )
    held = np.concatenate([cut.values, np.full((20, 36, 9), np.nan, np.float32)], axis=1)
    longer = replace(short, values=held, mask=np.ones_like(short.mask))
    explained = stays.test[:10]
    for one, other in zip(true_shap(explained, cut), true_shap(explained, longer), strict=True):
        np.testing.assert_array_equal(one, other)
    assert true_shap(cut, stays.train[:5]).values.shape == (20, 12, 9)


# -- the stays -------------------------------------------------------------------------------------
def test_same_seed_same_stays(stays: SequenceData) -> None:
    again = sample_stays()
    for field in ("values", "mask", "static", "target", "split", "ids", "times"):
        np.testing.assert_array_equal(getattr(again, field), getattr(stays, field))
    other = sample_stays(seed=1)
    assert not np.array_equal(other.values, stays.values, equal_nan=True)
    assert not np.array_equal(other.split, stays.split)


def test_simulator_is_frozen(stays: SequenceData) -> None:
    """Models are scored on these stays: a simulator that is changed to suit one would show here."""
    assert (stays.target.sum(), true_cause(stays).sum()) == (615, 28414)


@pytest.mark.parametrize("seed", range(4))
def test_deaths_and_causes_are_as_planned(seed: int) -> None:
    stays = sample_stays(seed)
    log_odds, cause = true_log_odds(stays), true_cause(stays)
    risk = 1 / (1 + np.exp(-log_odds))
    error = np.sqrt((risk * (1 - risk)).sum()) / len(stays)
    assert abs(stays.target.mean() - risk.mean()) < 4 * error
    assert 0.12 < stays.target.mean() < 0.18
    assert 0.85 < roc_auc_score(stays.target, log_odds) < 0.92
    assert 0.2 < cause.any(axis=(1, 2)).mean() < 0.3
    assert 0.02 < cause[stays.mask].mean() < 0.06
    for part in (stays.train, stays.validation, stays.test):
        assert 0.11 < part.target.mean() < 0.2
    sizes = [len(stays.train), len(stays.validation), len(stays.test)]
    assert sizes == [2800, 600, 600]


def test_deaths_do_not_depend_on_how_much_was_measured(stays: SequenceData) -> None:
    """Beyond the risk, the number of recordings says nothing; without it, it does."""
    risk = 1 / (1 + np.exp(-true_log_odds(stays)))
    counts = (~np.isnan(stays.values[..., LACTATE]) & stays.mask).sum(axis=1) / stays.lengths
    counts = (counts - counts.mean()) / counts.std()
    surprise = stays.target - risk
    error = np.sqrt((risk * (1 - risk) * counts**2).sum())
    assert abs((surprise * counts).sum()) < 4 * error
    assert ((stays.target - risk.mean()) * counts).sum() > 8 * error


def test_lactate_and_pressure_go_apart_often_enough(stays: SequenceData) -> None:
    """Each is seen abnormal without the other, so that their product can be told from a sum."""
    filled = stays.fill_missing()
    high = (filled.values[..., LACTATE] > 3) & stays.mask
    low = (filled.values[..., PRESSURE] < 70) & stays.mask
    assert ((high & ~low).sum(axis=1) >= 6).mean() > 0.15
    assert ((low & ~high).sum(axis=1) >= 6).mean() > 0.15
    unstrained = ~true_cause(stays).any(axis=(1, 2))
    assert (unstrained & (high.sum(axis=1) >= 6)).mean() > 0.05
    assert (unstrained & (low.sum(axis=1) >= 6)).mean() > 0.05


def test_chart_holds_physical_values_only(stays: SequenceData) -> None:
    assert (stays.feature_names, stays.static_names) == (tuple(CHART), tuple(STATIC))
    assert stays.class_names == ("survived", "died")
    for column, name in enumerate(stays.feature_names):
        low, high, step = CHART[name]
        values = stays.values[..., column][stays.mask].astype(float)
        values = values[~np.isnan(values)]
        assert low - 1e-5 <= values.min()
        assert values.max() <= high + 1e-5
        np.testing.assert_allclose(values / step, (values / step).round(), atol=1e-4)
        # Only a saturation and a coma score are often at their best value; no limit cuts others.
        at_best = 0 if name in ("oxygen saturation", "Glasgow coma score") else (values >= high)
        assert np.mean((values <= low) | at_best) < 0.03, name
    saturation, coma = stays.values[..., 2][stays.mask], stays.values[..., 8][stays.mask]
    assert np.nanmax(saturation) == 100
    assert set(np.unique(coma[~np.isnan(coma)])) == set(range(3, 16))
    assert stays.lengths.min() == 6
    assert stays.lengths.max() == 48
    age, *flags = stays.static.T
    assert age.min() >= 18
    assert age.max() <= 95
    assert set(np.unique(flags)) == {0, 1}
    assert not (stays.static[:, 2] * stays.static[:, 3]).any()


def test_shares_of_missing_values(stays: SequenceData) -> None:
    shares = dict(zip(stays.feature_names, np.isnan(stays.values)[stays.mask].mean(0), strict=True))
    for name in ("heart rate", "mean blood pressure", "oxygen saturation", "breathing rate"):
        assert 0.05 < shares[name] < 0.2
    for name in ("temperature", "Glasgow coma score"):
        assert 0.5 < shares[name] < 0.8
    for name in ("lactate", "creatinine"):
        assert 0.78 < shares[name] < 0.9
    recorded = ~np.isnan(stays.values[..., LACTATE]) & stays.mask
    waits = np.concatenate([np.diff(np.flatnonzero(row)) for row in recorded])
    assert waits.min() >= 4
    assert waits.max() <= 12


def test_who_looks_unwell_is_measured_more_often(stays: SequenceData) -> None:
    recorded = (~np.isnan(stays.values[..., LACTATE]) & stays.mask).sum(axis=1) / stays.lengths
    strained = true_cause(stays).any(axis=(1, 2))
    long = stays.lengths > 24
    assert recorded[long & strained].mean() > 1.15 * recorded[long & ~strained].mean()


def test_too_few_stays_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected at least 10 stays.*num_stays=9\. Simulate"):
        sample_stays(num_stays=9)
    assert len(sample_stays(num_stays=10).test) == 2
