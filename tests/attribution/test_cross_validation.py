"""Folds keep people and time apart; what was held out is scored and explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny
from attribution.test_model_comparison import flat

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.attribution.cross_validation import split_into_folds
from lstm_explain.backend import keras


def people(rows: int = 3, count: int = 40) -> SequenceData:
    """Return several samples of each person, one in four of whom has the event."""
    rng = np.random.default_rng(0)
    ids = np.repeat([f"P{i}" for i in range(count)], rows)
    target = np.repeat(np.arange(count) % 4 == 0, rows).astype(int)
    return SequenceData.from_arrays(rng.normal(5, 2, (rows * count, 4, 2)), target, ids=ids)


def series(count: int = 160, window: int = 6, horizon: int = 3) -> SequenceData:
    """Return windows of one series whose target looks ahead; times count the steps."""
    values = np.random.default_rng(0).normal(size=count)
    table = pd.DataFrame({"t": np.arange(count), "v": values})
    table["later"] = table["v"].shift(-horizon)
    return SequenceData.from_frame(table, time="t", features=["v"], target="later", window=window)


# -- folds -----------------------------------------------------------------------------------------
def test_a_person_is_in_one_part_and_tested_once_and_classes_are_shared() -> None:
    data = people()
    tested: list[str] = []
    for part in split_into_folds(data, 5, None, 0):
        owners = {name: set(part.ids[part.split == name]) for name in np.unique(part.split)}
        assert not owners["train"] & owners["test"]
        assert not owners["train"] & owners["validation"]
        assert not owners["validation"] & owners["test"]
        assert [len(owners[name]) for name in ("train", "validation", "test")] == [24, 8, 8]
        np.testing.assert_allclose(part.test.target.mean(), 0.25)  # two of eight people
        tested += owners["test"]
    assert sorted(tested) == sorted(set(data.ids))


def test_without_classes_people_are_kept_apart_too() -> None:
    data = people()
    numbers = SequenceData.from_arrays(data.values, data.values[:, -1, 0], ids=data.ids)
    parts = [*split_into_folds(numbers, 4, None, 1)]
    for part in parts:
        assert not set(part.train.ids) & set(part.test.ids)
    assert sorted(np.concatenate([np.unique(part.test.ids) for part in parts])) == sorted(
        set(data.ids)
    )


@pytest.mark.parametrize("gap", [None, 12])
def test_windows_go_forward_and_no_target_reaches_the_next_part(gap: int | None) -> None:
    """What a training window saw, its target included, ends before a later window begins."""
    data, horizon = series(), 3
    assert data.horizon == horizon
    last = -1
    for fold, part in enumerate(split_into_folds(data, 3, gap, 0)):
        train, validation, test = (
            part.times[part.split == name] for name in ("train", "validation", "test")
        )
        for before, after in ((train, validation), (validation, test)):
            assert before[:, -1].max() + horizon < after[:, 0].min()
            if gap is not None:
                assert after[:, -1].min() - before[:, -1].max() > gap
        assert test[:, -1].min() > last
        last = test[:, -1].max()
        assert len(train) > 30 * fold
    assert last == data.times[:, -1].max()


def test_standardised_data_is_standardised_by_each_training_part() -> None:
    data = people()
    once = data.split_by_group(0.2, 0.2).standardise()
    for part in split_into_folds(once, 4, None, 0):
        np.testing.assert_allclose(part.train.values.mean(axis=(0, 1)), 0, atol=1e-5)
        np.testing.assert_allclose(part.train.values.std(axis=(0, 1)), 1, atol=1e-5)
        np.testing.assert_allclose(part.display_values, data.display_values, atol=1e-5)
    for part in split_into_folds(data, 4, None, 0):
        np.testing.assert_array_equal(part.values, data.values)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (people(count=4), {"folds": 5}, r"as many folds as groups; received folds=5 and 4 groups"),
        (people(count=9), {"folds": 4}, r"received none of '1' in the \w+ part of fold \d\. Use"),
        (people(), {"gap": 2}, "Expected windows of a series for gap=2; received samples that are"),
        (series(), {"gap": 150}, r"long enough for 5 folds; received .* 152 ends of windows, too"),
        (series(20), {"folds": 11}, r"received one of 12 ends of windows, too few for fold"),
        (series(), {"gap": 1}, r"gap of at least the 3 steps"),
        (people(), {"folds": 2}, "folds to be a whole number of at least 3; received 2"),
    ],
)
def test_what_cannot_be_divided_is_refused_before_training(data, options, message, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("training began"))
    with pytest.raises(ValueError, match=message):
        lx.cross_validate(data, **options)


def test_windows_of_a_series_need_times() -> None:
    with pytest.raises(ValueError, match="Expected windows with times, to go forward in time"):
        lx.cross_validate(replace(series(), times=None))


# -- scores and explanations -----------------------------------------------------------------------
@pytest.mark.slow
def test_scores_and_explanations_are_of_what_each_model_had_not_seen(tmp_path) -> None:
    data = tiny.padded(samples=120)
    options = {"build": flat(4), "epochs": 3, "samples": 4, "learning_rate": 0.05}
    found = lx.cross_validate(data, 3, progress=False, **options)
    parts = [*split_into_folds(data, 3, None, 0)]
    assert found.score == "auroc"
    assert found.table[["train", "validation", "test"]].to_numpy().tolist() == [[40] * 3] * 3
    e = found.explanation
    assert e.to_dataset()["fold"].values.tolist() == np.repeat(range(3), 4).tolist()
    for fold, (run, part) in enumerate(zip(found.runs, parts, strict=True)):
        predictions = lx.predict(run.model, part.test)
        np.testing.assert_allclose(
            found.table.loc[fold, "auroc"], lx.models.score(part.test, predictions)["auroc"]
        )
        assert found.table.loc[fold, "baseline"] == run.against_baseline.of_baseline
        rows = np.linspace(0, len(part.test) - 1, 4).astype(int)
        again = lx.explain(run.model, part.test[rows], background=part.train, progress=False)
        held_out = e[4 * fold : 4 * fold + 4]
        np.testing.assert_allclose(held_out.values.values, again.values.values, atol=1e-6)
        sizes = np.abs(again.over_features().values.values).mean(axis=0)
        np.testing.assert_allclose(found.importance.loc[fold], sizes, atol=1e-6)
    mean, spread = found.table["auroc"].mean(), found.table["auroc"].std()
    assert f"test auroc {mean:.3f} (standard deviation over folds {spread:.3f}" in repr(found)
    again = Explanation.load(e.save(tmp_path / "folds.nc"))
    assert again.provenance["weights_sha256"] == "one model per fold"
    with pytest.raises(ValueError, match="Expected the model that was explained"):
        lx.check_faithfulness(found.runs[0].model, e, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1, 2])
def test_forecasts_of_quantiles_go_forward_and_their_central_one_is_explained(horizon) -> None:
    """Training parts grow from fold to fold, and so do the backgrounds."""
    hours = pd.DataFrame({"t": np.arange(90), "v": np.random.default_rng(0).normal(size=90)})
    data = SequenceData.from_series(hours, time="t", target="v", horizon=horizon, history=3)

    def build(part, seed):
        return lx.build_forecaster(part, units=(2,), quantiles=(0.1, 0.5, 0.9), seed=seed)

    validation = lx.cross_validate(data, 3, build=build, samples=2, epochs=1, progress=False)
    assert len({*validation.table["train"]}) == 3
    name = "+1 step, 50 %" if horizon > 1 else "v, 50 %"
    assert set(validation.explanation.output.values) == {name}

    data = data.split_by_time(50, 70)
    comparison = lx.compare_models(
        data, {"quantiles": build}, seeds=(0,), samples=2, epochs=1, progress=False
    )
    [run] = comparison.runs["quantiles"]
    np.testing.assert_allclose(
        comparison.table.loc["quantiles", "score"], run.metrics[comparison.score]
    )
    [e] = comparison.explanations["quantiles"]
    assert set(e.output.values) == {name}
