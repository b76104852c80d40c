"""The course of the training, with its best epoch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from plots.figures import without_pyplot

from lstm_explain import plot_history
from lstm_explain.wording import MINUS

LOSSES = {"loss": [1.0, 0.7, 0.5, 0.4], "validation_loss": [1.1, 0.8, 0.75, 0.9]}


@pytest.mark.parametrize(
    "run",
    [
        SimpleNamespace(history=pd.DataFrame(LOSSES)),  # as TrainingRun has it
        pd.DataFrame(LOSSES),
        SimpleNamespace(history={"loss": LOSSES["loss"], "val_loss": LOSSES["validation_loss"]}),
    ],
)
def test_history_marks_the_best_epoch(run: Any) -> None:
    ax = plot_history(run)
    curves = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(curves["training"].get_ydata(), LOSSES["loss"])
    np.testing.assert_array_equal(curves["validation"].get_ydata(), LOSSES["validation_loss"])
    np.testing.assert_array_equal(curves["validation"].get_xdata(), [1, 2, 3, 4])
    assert [3, 0.75] in [line.get_xydata().tolist()[0] for line in ax.lines]  # type: ignore[union-attr]
    assert ax.get_title(loc="left") == "best epoch: 3 of 4, validation loss 0.750"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_history_without_validation_has_no_best_epoch() -> None:
    ax = plot_history({"loss": [1.0]})
    assert ax.get_title(loc="left") == "training loss over 1 epoch"
    assert [line.get_label() for line in ax.lines] == ["training"]


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (3, TypeError, r"received int\. Pass what lx\.train"),
        (pd.DataFrame({"mae": [1.0]}), ValueError, r"1 epochs with \['mae'\]\. Pass what"),
        (pd.DataFrame(LOSSES)[:0], ValueError, "received 0 epochs"),
    ],
)
def test_history_refuses(run: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_history(run)
    assert plt.get_fignums() == []


def test_history_draws_into_ax() -> None:
    figure, first, _ = without_pyplot()
    assert plot_history(pd.DataFrame(LOSSES), ax=first) is first
    assert first.figure is figure
    assert plt.get_fignums() == []


def test_history_writes_the_loss_of_a_target_in_small_units() -> None:
    table = pd.DataFrame(LOSSES) * 1e-9
    assert (
        plot_history(table).get_title(loc="left").endswith(f"of 4, validation loss 7.5e{MINUS}10")
    )


def test_epochs_are_whole_numbers_even_if_there_is_one() -> None:
    ax = plot_history({"loss": [0.5]})
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]
