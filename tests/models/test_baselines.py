"""The plain models that every network is set beside: what they read, and what they cannot see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny
from make_icu_sample import sample_stays
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from lstm_explain import SequenceData
from lstm_explain.models import fit_baselines
from lstm_explain.models.baselines import _seasons, _summaries
from lstm_explain.models.penalised import PENALTIES
from lstm_explain.models.scores import score


def texts(pattern: tuple[list[str], list[str]], num: int = 120) -> SequenceData:
    """Return texts of two patterns in turn, with a neutral word at a random place."""
    rng = np.random.default_rng(0)
    samples = [[*pattern[row % 2], *["film"] * rng.integers(1, 4)] for row in range(num)]
    target = np.arange(num) % 2
    return SequenceData.from_texts(samples, target.tolist(), at_least=1).split_by_group(0.2, 0.2)


def best(data: SequenceData) -> np.ndarray:
    return fit_baselines(data)[0].predict(data.test)


def series(freq: str, count: int = 200, window: int = 30, horizon: int = 2) -> SequenceData:
    """Return windows of a series with a season of 7, whose target is its own later value."""
    rng = np.random.default_rng(1)
    values = np.sin(2 * np.pi * np.arange(count) / 7) + 0.01 * rng.normal(size=count)
    dates = pd.date_range("2020-01-01", periods=count, freq=freq)
    table = pd.DataFrame({"day": dates, "load": values, "noise": rng.normal(size=count)})
    table["later"] = table["load"].shift(-horizon)
    data = SequenceData.from_frame(
        table, time="day", features=["noise", "load"], target="later", window=window
    )
    return data.split_by_time(dates[110], dates[160], gap=horizon)


# -- what is read ----------------------------------------------------------------------------------
def test_summaries_are_those_of_the_measured_steps_alone() -> None:
    """Literally, sample by sample, from data with gaps and from the same with indicators."""
    raw = tiny.charts()
    filled = raw.fill_missing(indicators=True).standardise()
    for data in (raw, filled):
        found = _summaries(data)
        for row, (chart, length) in enumerate(zip(raw.display_values, raw.lengths, strict=True)):
            for column in range(2):
                values = chart[:length, column]
                steps = np.flatnonzero(~np.isnan(values))
                known = values[steps]
                expected = [np.nan] * 5
                if len(known):
                    trend = np.polyfit(steps, known, 1)[0] if len(known) > 1 else np.nan
                    expected = [known[-1], known.mean(), known.min(), known.max(), trend]
                expected.append(len(known) / length)
                np.testing.assert_allclose(found[row, column:12:2], expected, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(found[row, 12:], [length, raw.static[row, 0]], rtol=1e-6)


def test_it_ranks_stays_far_better_than_chance_and_reads_no_test_target() -> None:
    raw = sample_stays(num_stays=1500)
    found = best(raw)
    assert roc_auc_score(raw.test.target, found) > 0.75  # 225 stays: chance has sd 0.05
    other = np.where(raw.split == "test", 1 - raw.target, raw.target)
    np.testing.assert_array_equal(best(replace(raw, target=other)), found)
    prepared = raw.fill_missing(indicators=True).standardise()
    np.testing.assert_allclose(best(prepared), found, atol=2e-3)  # float32 of what was scaled


def test_words_and_pairs_are_read_but_no_order_across_them() -> None:
    def accuracy(data: SequenceData) -> float:
        return float(((best(data) > 0.5) == data.test.target).mean())

    assert accuracy(texts((["dull"], ["moving"]))) == 1
    # The same words, told apart by a pair alone.
    assert accuracy(texts((["not", "good", "bad"], ["not", "bad", "good"]))) == 1
    # The same words and pairs but one that both have twice: only a longer memory tells them apart.
    one, other = ["a", "b", "c", "b", "a", "b"], ["a", "b", "a", "b", "c", "b"]
    assert accuracy(texts((one, other))) < 0.8


def test_words_that_occur_once_count_where_no_other_does() -> None:
    words = [[f"word{row}", f"end{row}"] for row in range(80)]
    data = SequenceData.from_texts(words, np.arange(80) % 2, at_least=1).split_by_group(0.2, 0.2)
    tokens = np.where(data.mask, 2 + np.arange(160).reshape(80, 2), 0).astype(np.int32)
    assert np.isfinite(best(replace(data, tokens=tokens))).all()


def test_the_validation_part_chooses_the_penalty() -> None:
    """With its labels turned round, the strongest wins: that which says least."""
    data = texts((["dull"], ["moving"]))
    target = np.where(data.split == "validation", 1 - data.target, data.target)
    turned, plain = best(replace(data, target=target)), best(data)
    assert np.abs(turned - 0.5).max() < np.abs(plain - 0.5).min()


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_padding_is_not_read_and_shapes_are_those_of_scores(task: str) -> None:
    data = tiny.padded(task, static=True)
    noisy = replace(data, values=data.values + 50 * ~data.mask[..., None].astype(bool))
    found = best(data)
    np.testing.assert_array_equal(best(noisy), found)
    constant = {"regression": 0.0, "binary": 0.5, "multiclass": 1 / 3}[task]
    name = "r2" if task == "regression" else "accuracy"
    assert score(data.test, found)[name] > constant + 0.1


def test_several_targets_and_a_label_that_all_have() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4, 2))
    sums = values.sum(axis=1)
    numbers = SequenceData.from_arrays(values, sums, target_names=["a", "b"]).split_by_group()
    assert score(numbers.test, best(numbers))["r2"] > 0.95
    labels = np.column_stack([sums[:, 0] > 0, np.ones(60)]).astype(int)
    several = SequenceData.from_arrays(values, labels, target_names=["a", "b"]).split_by_group()
    found = best(several)
    assert score(several.test, found)["accuracy of a"] >= 7 / 9
    np.testing.assert_allclose(found[:, 1], 1.0, atol=1e-3)  # as good as sure


def test_a_class_that_no_training_sample_has_gets_next_to_no_probability() -> None:
    data = tiny.padded("multiclass")
    target = np.where(data.split == "train", np.minimum(data.target, 1), data.target)
    found = best(replace(data, target=target))
    assert (found[:, 2] < 1e-3).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


# -- a series' own past ----------------------------------------------------------------------------
def test_last_value_and_season_are_the_features_own() -> None:
    data = series("D")
    found = {one.name: one.predict(data.test) for one in fit_baselines(data)}
    assert list(found) == ["seasonal naive", "linear regression", "last value"]
    np.testing.assert_allclose(found["last value"], data.test.values[:, -1, 1], rtol=1e-6)
    # Two steps ahead and one season of 7 back: five steps before the last.
    np.testing.assert_allclose(found["seasonal naive"], data.test.values[:, -6, 1], rtol=1e-6)
    assert score(data.test, found["seasonal naive"])["r2"] > 0.99


def test_a_target_that_is_no_later_value_has_no_last_value() -> None:
    data = series("D")
    other = replace(data, target=data.target + np.float32(0.1))
    assert [one.name for one in fit_baselines(other)] == ["linear regression"]
    short = series("D", window=4)  # its windows do not hold a season
    assert {one.name for one in fit_baselines(short)} == {"linear regression", "last value"}


@pytest.mark.parametrize(
    ("freq", "seasons"),
    [("h", [24, 168]), ("30min", [48, 336]), ("D", [7]), ("MS", [12]), ("QS", [4]), ("7h", []),
     ("B", [])],
)  # fmt: skip
def test_the_seasons_are_read_off_the_dates(freq: str, seasons: list[int]) -> None:
    assert list(_seasons(series(freq)).values()) == seasons


def hourly(horizon: int) -> SequenceData:
    """Return windows of fifty days of hours with a daily season and a cause known in advance."""
    rng = np.random.default_rng(3)
    hours = np.arange(1200)
    frame = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=1200, freq="h")})
    frame["sun"] = rng.normal(size=1200)
    frame["load"] = 50 + 8 * np.sin(hours * np.pi / 12) + 4 * frame["sun"]
    frame["load"] += 0.1 * rng.normal(size=1200)
    data = SequenceData.from_series(
        frame, time="time", target="load", horizon=horizon, history=48, known_future=["sun"],
        stride=5,
    )  # fmt: skip
    return data.split_by_time("2024-02-05", "2024-02-12").standardise()


@pytest.mark.parametrize("horizon", [1, 3, 24])
def test_baselines_of_many_steps_are_literal(horizon: int) -> None:
    """Also with windows that end several steps apart, and in the target's unit."""
    data = hourly(horizon)
    found = {one.name: one.predict(data.test) for one in fit_baselines(data)}
    assert next(iter(found)) == "linear autoregression"  # it alone knows of the sun to come
    past = data.test.display_values[..., 0]
    last = np.repeat(past[:, -1:], horizon, axis=1)
    season = np.stack([past[:, -24 + k] for k in range(horizon)], axis=1)
    for name, expected in (("last value", last), ("seasonal naive", season)):
        # float32 holds seven digits of standardised values
        one = found[name].reshape(len(data.test), -1)
        np.testing.assert_allclose(one, expected, rtol=1e-5)
    assert "seasonal naive of a week" not in found  # two days do not hold one
    target = data.test.target.reshape(len(data.test), -1)
    errors = found["linear autoregression"].reshape(target.shape) - target
    assert np.sqrt(np.mean(errors**2)) < 2  # of the 4 that the sun leaves where it is not read


def test_baselines_of_a_series_with_holes_are_numbers() -> None:
    data = hourly(3)
    values = data.values.copy()
    values[:, 20:26] = np.nan
    values[::7, :, 0] = np.nan
    holed = replace(data, values=values)
    for one in fit_baselines(holed):
        assert np.isfinite(one.predict(holed.test)).all()


def test_what_cannot_be_fitted_to_is_refused() -> None:
    values = np.zeros((4, 3, 1))
    with pytest.raises(ValueError, match="Expected data with a target to fit baselines to"):
        fit_baselines(SequenceData.from_arrays(values))
    with pytest.raises(ValueError, match="Expected split data to take its train part"):
        fit_baselines(SequenceData.from_arrays(values, np.arange(4.0)))


def test_the_regression_is_scikit_learns() -> None:
    """Coefficients are counted, and the probabilities those of a regression on the same columns."""
    data = tiny.padded()
    [found] = fit_baselines(data)
    columns = _summaries(data)
    train = columns[data.split == "train"]
    low, high = np.quantile(train, [0.005, 0.995], axis=0)
    cut = np.clip(columns, low, high)
    mean, sd = np.clip(train, low, high).mean(axis=0), np.clip(train, low, high).std(axis=0)
    scaled = (cut - mean) / np.where(sd > 1e-9, sd, 1.0)
    expected = [
        LogisticRegression(C=1 / (penalty * len(data.train)), tol=1e-8, max_iter=1000)
        .fit(scaled[data.split == "train"], data.train.target)
        .predict_proba(scaled[data.split == "test"])[:, 1]
        for penalty in PENALTIES
    ]
    errors = [np.abs(one - found.predict(data.test)).max() for one in expected]
    assert min(errors) < 1e-3
    assert found.num_parameters == columns.shape[1] + 1
