"""Searches that train: what is minimised, no look at the test part, the same after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras
from lstm_explain.models import tuning
from lstm_explain.models.scores import score
from lstm_explain.models.tuning import Tuning

pytestmark = pytest.mark.slow

SPACE = {"units": [(2,), (3,)], "l2": [0.0, 0.1], "learning_rate": (0.001, 0.1)}


def tune(data: SequenceData, **options: Any) -> Tuning:
    fixed = {"cell": "rnn", "attention_units": 2, "epochs": 2, "beside": None}
    given = {"space": SPACE, "trials": 3, "fit_baseline": False, "progress": False}
    return lx.tune(data, **fixed | given | options)


@pytest.fixture(scope="module")
def found() -> Tuning:
    return tune(tiny.padded())


def same(one: Tuning, other: Tuning) -> bool:
    """Tell whether two studies, and the losses of the last training, are equal."""
    tables = [tuning.table.drop(columns="seconds") for tuning in (one, other)]
    histories = [tuning.run.history for tuning in (one, other)]
    return tables[0].equals(tables[1]) and histories[0].equals(histories[1])


def test_the_loss_is_that_of_the_run_without_its_penalty(found: Tuning) -> None:
    data, run = tiny.padded(), found.run
    assert found.table.shape == (3, 7)
    assert found.study.best_value == found.table["validation loss"].min()
    assert found.best == found.table.loc[found.study.best_trial.number, [*SPACE]].to_dict()
    chances = run.model.predict(data.validation.inputs_for(run.model), verbose=0)
    by_hand = score(data.validation, chances)["log_loss"]
    np.testing.assert_allclose(found.study.best_value, by_hand, rtol=1e-5)
    # Each trial's lowest loss over epochs, of which the penalty would be most for l2=0.1.
    for trial in found.study.trials:
        np.testing.assert_allclose(trial.value, min(trial.intermediate_values.values()), rtol=1e-4)
    test = run.model.predict(data.test.inputs_for(run.model), verbose=0)
    assert run.metrics == score(data.test, test)


def test_of_several_targets_the_loss_is_in_their_variances() -> None:
    values = np.random.default_rng(2).normal(size=(40, 4, 2))
    target = np.column_stack([values.sum(axis=(1, 2)), 100 * values[:, 0, 0] + 3])
    data = SequenceData.from_arrays(values, target, target_names=["sum", "first"])
    data = data.split_by_group(0.2, 0.2)
    found = tune(data, trials=1, space={"l2": [0.1]})
    predicted = found.run.model.predict(data.validation.values, verbose=0)
    errors = ((predicted - data.validation.target) ** 2).mean(axis=0)
    by_hand = (errors / data.train.target.var(axis=0)).mean()
    np.testing.assert_allclose(found.table["validation loss"], by_hand, rtol=1e-4)


def test_another_test_part_changes_nothing_but_the_last_scores(found: Tuning) -> None:
    data = tiny.padded()
    values, target = np.array(data.values), np.array(data.target)
    rows = data.split == "test"
    values[rows] *= np.where(data.mask[rows], -1e3, 0)[..., None]
    target[rows] = 1 - target[rows]
    poisoned = tune(replace(data, values=values, target=target))
    assert same(poisoned, found)
    assert poisoned.best == found.best
    assert poisoned.run.metrics != found.run.metrics
    # Of the validation part, the same is seen.
    rows = data.split == "validation"
    target = np.where(rows, 1 - np.asarray(data.target), data.target)
    assert not same(tune(replace(data, target=target)), found)


def test_after_an_interrupt_within_a_trial_a_study_is_as_without(
    found: Tuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:  # after an epoch, where `train` keeps what it has
                raise KeyboardInterrupt

    usual, calls = tuning.train, []

    def interrupted(*given: Any, callbacks: Any = (), **options: Any) -> Any:
        calls.append(options)
        own = [Interrupt()] if len(calls) == 3 else []
        return usual(*given, callbacks=[*callbacks, *own], **options)

    monkeypatch.setattr(tuning, "train", interrupted)
    first = tune(tiny.padded(), folder=tmp_path)
    assert len(calls) == 4
    pd.testing.assert_frame_equal(
        first.table.drop(columns="seconds"), found.table[:2].drop(columns="seconds")
    )
    assert same(tune(tiny.padded(), folder=tmp_path), found)
    assert len(calls) == 6
    assert not same(first, found)
