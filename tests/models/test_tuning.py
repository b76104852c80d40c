"""A search repeats itself after any stop, never sees the test part, and tells what it found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.models import tuning
from lstm_explain.models.search_space import checked_space
from lstm_explain.models.training import TrainingRun
from lstm_explain.models.tuning import Tuning

RATES = {"learning_rate": (1e-4, 1.0), "clip_norm": [0.5, 1.0, 2.0], "batch_size": (4, 32)}
EPOCHS = 8


def data() -> SequenceData:
    """Return 40 sequences of 4 steps whose target depends on their sum."""
    values = np.random.default_rng(2).normal(size=(40, 4, 2))
    sums = values.sum(axis=(1, 2))
    return SequenceData.from_arrays(values, np.where(sums > 0, "up", "down")).split_by_group(
        0.2, 0.2
    )


# -- with a training that takes no time ------------------------------------------------------------
class Trainings:
    """In place of `train`: losses of a formula, and what happens in each call of it."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.happens: dict[int, Callable[[], None]] = {}
        self.loss = self.usual

    def usual(self, epoch: int, options: dict[str, Any]) -> float:
        """Return a loss that is lowest at a learning rate of 0.01, and falls with each epoch."""
        off = abs(np.log10(options["learning_rate"]) + 2) + 0.1 * options["clip_norm"]
        return off + options["batch_size"] / 1000 + 1 / (epoch + 1)

    def __call__(
        self, model: Any, data: SequenceData, *, callbacks: Any = (), **options: Any
    ) -> TrainingRun:
        self.calls.append({**options, "data": data})
        self.happens.get(len(self.calls), lambda: None)()
        losses = [self.loss(epoch, options) for epoch in range(EPOCHS)]
        for callback, (epoch, loss) in product(callbacks, enumerate(losses)):
            callback.set_model(model)
            callback.on_epoch_end(epoch, {"val_loss": loss})
        history = pd.DataFrame({"loss": losses, "validation_loss": losses})
        return TrainingRun(model, history, {"log_loss": min(losses)})


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    one = keras.Sequential([keras.Input((4, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    monkeypatch.setattr(tuning, "_built", lambda *_: one)
    trainings = Trainings()
    monkeypatch.setattr(tuning, "train", trainings)
    return trainings


def tune(**options: Any) -> Tuning:
    return lx.tune(data(), **{"space": RATES, "progress": False, **options})


def same(one: Tuning, other: Tuning) -> bool:
    """Tell whether all trials of two studies are equal but for their seconds."""
    tables = [found.table.drop(columns="seconds") for found in (one, other)]
    epochs = [[t.intermediate_values for t in found.study.trials] for found in (one, other)]
    return tables[0].equals(tables[1]) and epochs[0] == epochs[1] and one.best == other.best


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("stops", [(4, 5, 14), (1,), (17,)])
@pytest.mark.parametrize("search", ["bayesian", "grid"])
def test_after_interrupts_a_study_is_as_without(
    trainings: Trainings, tmp_path: Path, stops: tuple[int, ...], search: str
) -> None:
    """Past the ten random trials, with pruned ones between; the stopped trial is begun again."""
    space = {"learning_rate": [1e-4, 1e-3, 1e-2, 1e-1, 1.0], "clip_norm": [0.5, 1.0, 2.0],
             "batch_size": [8, 16]}  # fmt: skip
    options = {"trials": 18, "search": search, "space": space if search == "grid" else RATES}
    whole = tune(**options)
    assert {"complete", "pruned"} == set(whole.table["state"])
    assert len(trainings.calls) == 19
    for stop in stops:
        begun = len(trainings.calls)
        kept = len(tune_kept(tmp_path))
        trainings.happens[begun + stop - kept] = interrupt
        if stop == 1:
            with pytest.raises(KeyboardInterrupt):
                tune(folder=tmp_path, **options)
        else:
            assert len(tune(folder=tmp_path, **options).table) == stop - 1
    resumed = tune(folder=tmp_path, **options)
    assert same(whole, resumed)
    assert not same(whole, tune(**options | {"seed": 1}))
    # Nothing is trained again but the best, and more trials go on from these.
    begun = len(trainings.calls)
    assert same(tune(folder=tmp_path, **options), whole)
    assert len(trainings.calls) == begun + 1
    assert same(tune(folder=tmp_path, **options | {"trials": 20}), tune(**options | {"trials": 20}))


def tune_kept(folder: Path) -> list[Any]:
    """Return what stands in the file of a study, which is text and nothing else."""
    path = folder / "journal.log"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    assert [*folder.iterdir()] == ([path] if lines else [])
    return [log for log in map(json.loads, lines) if log["op_code"] == 4]


def test_pruned_is_what_is_above_the_median_of_the_complete_trials(trainings: Trainings) -> None:
    """Literally: from the fifth epoch on, after five complete trials."""
    found = tune(trials=30, seed=3)
    complete: list[list[float]] = []
    for number, row in found.table.iterrows():
        options = row[[*RATES]].to_dict()
        losses = [trainings.loss(epoch, options) for epoch in range(EPOCHS)]
        end = EPOCHS
        if len(complete) >= 5:
            poor = [min(losses[: e + 1]) > np.median([c[e] for c in complete]) for e in range(8)]
            end = next((e + 1 for e in range(4, EPOCHS) if poor[e]), EPOCHS)
        pruned = len(complete) >= 5 and any(poor[4:])
        assert row["state"] == ("pruned" if pruned else "complete"), number
        assert row["epochs"] == end
        assert row["validation loss"] == losses[end - 1]
        if not pruned:
            complete.append(losses)
    assert 0 < len(complete) < 30
    best = found.table.query("state == 'complete'")["validation loss"].idxmin()
    assert found.best == found.table.loc[best, [*RATES]].to_dict()
    last = trainings.calls[-1]
    assert {name: last[name] for name in RATES} == found.best
    assert repr(found).startswith(f"Tuning: 30 trials, {30 - len(complete)} of them pruned; lowest")


def test_a_search_finds_more_than_chance(trainings: Trainings) -> None:
    """After its random trials the learning rate is near the best one, 0.01."""
    rates = np.array([tune(trials=30, seed=seed).table["learning_rate"] for seed in range(4)])
    off = np.abs(np.log10(rates) + 2)
    assert off[:, 20:].mean() < 0.8 * off[:, :10].mean()
    assert ((rates >= 1e-4) & (rates <= 1)).all()
    assert 0.25 < (rates[:, :10] < 0.01).mean() < 0.75  # a logarithmic scale


def test_a_grid_has_every_combination_once(trainings: Trainings) -> None:
    space = {"learning_rate": [1e-3, 1e-2], "clip_norm": [0.5, 2.0], "batch_size": [8, 16]}
    found = tune(search="grid", space=space, trials=50).table
    assert {*found[[*space]].itertuples(index=False, name=None)} == {*product(*space.values())}
    assert len(found) == 8


def test_the_default_spaces_are_those_of_the_docstring(trainings: Trainings) -> None:
    assert [*checked_space(None, data(), False, {})] == [
        "units", "bidirectional", "dropout", "l2", "learning_rate",
    ]  # fmt: skip
    assert [*checked_space(None, data(), False, {"cell": "tcn", "l2": 0.0})] == [
        "units", "dropout", "learning_rate",
    ]  # fmt: skip
    texts = SequenceData.from_texts(["good film", "bad film"] * 8, [1, 0] * 8, at_least=1)
    assert "word_dropout" in checked_space(None, texts, False, {})
    trainings.loss = lambda epoch, options: options["learning_rate"]
    found = tune(search="grid", space=None)
    assert len(found.table) == 3 * 2 * 3
    assert found.best["learning_rate"] == 3e-4
    assert found.best["units"] in [(16,), (32,), (64,)]


def test_the_search_is_given_no_test_part(trainings: Trainings) -> None:
    whole = data()
    lx.tune(whole, space=RATES, trials=3, progress=False)
    assert len(trainings.calls) == 4
    for call in trainings.calls[:3]:
        for part, own in (("train", "train"), ("validation", "validation"), ("test", "validation")):
            np.testing.assert_array_equal(
                getattr(call["data"], part).values, getattr(whole, own).values
            )
    assert trainings.calls[3]["data"] is whole


# -- budgets and trials that fail ------------------------------------------------------------------
def test_a_trial_that_the_time_cuts_off_does_not_count(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(tuning, "time", SimpleNamespace(perf_counter=lambda: clock.now))

    def passes() -> None:
        clock.now += 25.0

    trainings.happens = dict.fromkeys(range(1, 100), passes)
    found = tune(minutes=1, folder=tmp_path)
    assert [call.get("minutes") for call in trainings.calls] == [1, 35 / 60, 10 / 60, None]
    assert len(found.table) == 2
    # A later call goes on, to what one without a limit finds.
    assert same(tune(trials=6, minutes=60, folder=tmp_path), tune(trials=6))
    with pytest.raises(ValueError, match=r"received minutes=0\.2, in which none was\. Give more"):
        tune(minutes=0.2)


def test_a_trial_that_diverges_is_pruned(trainings: Trainings) -> None:
    usual = trainings.loss
    trainings.loss = lambda epoch, options: (
        np.nan if options["learning_rate"] > 0.1 else usual(epoch, options)
    )
    found = tune(trials=12)
    diverged = found.table["learning_rate"] > 0.1
    assert diverged.any()
    assert (found.table.loc[diverged, "state"] == "pruned").all()
    assert found.table.loc[diverged, "validation loss"].isna().all()
    trainings.loss = lambda epoch, options: np.inf
    with pytest.raises(ValueError, match=r"received none in 3 trials\. Training diverged: give"):
        tune(trials=3)


def test_an_interrupt_gives_what_is_complete(
    trainings: Trainings, capsys: pytest.CaptureFixture[str]
) -> None:
    trainings.happens = {4: interrupt}
    found = lx.tune(data(), space=RATES, trials=6)
    assert capsys.readouterr().out == "Search interrupted after 3 of 6 trials.\n"
    assert len(found.table) == len(found.study.trials) == 3
    assert len(trainings.calls) == 5


# -- what is refused -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": {"unit": [(2,)]}}, r"map options among \['cell', .*received \['unit'\]"),
        ({"space": {"word_dropout": [0.1]}}, r"received \['word_dropout'\]"),
        ({"space": {"epochs": [2, 3]}}, r"received \['epochs'\]"),
        ({"dropout": 0.1, "space": {"dropout": [0.1]}}, r"among \['cell', 'units', 'bidir.*'l2'"),
        ({"epoch": 3}, r"Expected further options to be among \['attention_units.*\['epoch'\]"),
        ({"space": {"dropout": [0.1, 0.1]}}, r"Expected dropout in space to be a list of distinct"),
        ({"space": {"dropout": (0.5, 0.1)}}, r"or a range \(low, high\); received \(0.5, 0.1\)"),
        ({"space": {"dropout": (0, 0.5)}, "search": "grid"}, r"distinct values; received \(0, "),
        ({"space": {"dropout": (0, 1)}}, r"dropout to be a finite number of at least 0 and below"),
        ({"space": {"units": (2, 8)}}, r"at least one layer .*received units=2"),
        ({"space": {"learning_rate": [0.1, 0]}}, r"learning_rate to be a finite number above 0"),
        ({"space": {"batch_size": (0.5, 8)}}, r"batch_size to be a whole number of at least 1"),
        ({"space": {"cell": ["lstm", "lstn"]}}, r"cell to be one of .*received 'lstn'"),
        ({"space": {"cell": ["lstm", "tcn"], "bidirectional": [False, True]}},
         r"bidirectional=True with one of the cells .*received cell='tcn'"),
        ({"cell": "tcn", "space": {"bidirectional": [True]}}, r"received cell='tcn'"),
        ({"units": "32"}, r"received units='32'"),
        ({"minutes": 0.01}, r"minutes to be a finite number of at least 0\.0166.*Give at least"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(
    trainings: Trainings, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        tune(**options)
    assert not trainings.calls


def test_another_study_or_a_damaged_file_is_refused(trainings: Trainings, tmp_path: Path) -> None:
    tune(trials=2, folder=tmp_path, epochs=3, fit_baseline=False)
    other = data()
    changed = other.values + (other.split == "validation")[:, None, None]
    for what, options in {
        "data": {"data": replace(other, values=changed.astype(np.float32))},
        "space": {"space": {"learning_rate": (1e-4, 1.0)}},
        "options": {"epochs": 4},
        "search": {"search": "grid", "space": {name: [1.0, 2.0] for name in ("clip_norm",)}},
        "seed": {"seed": 1},
    }.items():
        given = {"data": other, "space": RATES, "epochs": 3, "progress": False, **options}
        of_other = "space, search" if what == "search" else what
        with pytest.raises(ValueError, match=rf"received one of other {of_other}\. Give another"):
            lx.tune(folder=tmp_path, **given)
    # What only the last training needs may be another.
    assert len(tune(trials=2, folder=tmp_path, epochs=3).table) == 2
    path = tmp_path / "journal.log"
    for content in ("", "trials\nof something\n", '{"a": 1}\n'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=r"as lx\.tune wrote it; received another file, or a"):
            tune(trials=2, folder=tmp_path, epochs=3)


def test_optuna_is_asked_for_where_it_is_missing(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r'package optuna, .* Run: pip install "optuna>=4,<6"\.'):
        tune()


def test_optuna_keeps_its_verbosity_and_draws_its_plots(
    trainings: Trainings, capsys: pytest.CaptureFixture[str]
) -> None:
    import optuna

    before = optuna.logging.get_verbosity()
    study = tune(trials=12).study
    assert optuna.logging.get_verbosity() == before
    assert capsys.readouterr() == ("", "")
    plots = optuna.visualization.matplotlib
    for draw in (plots.plot_optimization_history, plots.plot_param_importances,
                 plots.plot_slice, plots.plot_intermediate_values):  # fmt: skip
        with pytest.warns(optuna.exceptions.ExperimentalWarning):
            assert draw(study) is not None
