"""``tune``: search the options of a network on the validation part, by Optuna.

Optuna rather than KerasTuner: after any epoch it stops a trial that is worse than most others were,
and it keeps a study in one text file from which it goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from ..arguments import as_path, check_flag, check_number, check_one_of, check_whole
from ..backend import keras, ops
from ..files import digest
from ..progress import progress_bar
from ..sequences.data import SequenceData, check_data
from ..sequences.splitting import SPLITS
from ..wording import score_text
from .architecture import LARGEST_SEED, build_model
from .penalised import deviations
from .search_space import (
    Space,
    check_fixed,
    checked_space,
    of_model,
    of_training,
    suggested,
)
from .stopping import LEAST_SECONDS
from .studies import keep_trials, kept_trials, make_study, need_optuna, quiet, sampler_for
from .training import TrainingRun, check_trainable, train

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

Search = Literal["bayesian", "grid"]
_JOURNAL = "journal.log"
# Options of `train` that make no difference to a search.
_LAST_ONLY = ("baselines", "fit_baseline")


@dataclass(frozen=True, repr=False)
class Tuning:
    """What `tune` found.

    Attributes
    ----------
    study : optuna.Study
        For Optuna's own plots, such as
        ``optuna.visualization.matplotlib.plot_optimization_history(tuning.study)``; likewise
        `plot_param_importances`, `plot_slice` and `plot_intermediate_values`.
    table : DataFrame
        One row per trial: the options, the `validation loss` (as in training, without the penalty
        of `l2`; of a pruned trial that of its last epoch), `epochs`, `seconds` and `state`:
        "complete", or "pruned" because it was worse than most others or diverged.
    best : dict
        The options of the complete trial with the lowest validation loss.
    run : TrainingRun
        A training with these options, scored once on the test part.
    """

    study: Study
    table: pd.DataFrame
    best: dict[str, Any]
    run: TrainingRun

    def __repr__(self) -> str:
        pruned = int((self.table["state"] == "pruned").sum())
        options = ", ".join(
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in self.best.items()
        )
        return (
            f"Tuning: {len(self.table)} trials, {pruned} of them pruned; lowest validation loss "
            f"{score_text(self.study.best_value)} with {options}\n{self.run!r}"
        )


class _TimeOver(Exception):
    """The budget ended within a trial."""


def tune(
    data: SequenceData,
    *,
    trials: int = 20,
    minutes: float | None = None,
    search: Search = "bayesian",
    space: Mapping[str, Sequence[Any]] | None = None,
    folder: str | Path | None = None,
    seed: int = 0,
    progress: bool = True,
    **options: Any,
) -> Tuning:
    """Search the options of `build_model` and `train` with the lowest validation loss.

    Each trial trains one network on the training part and stops early on the validation part.
    After five complete trials, one whose validation loss is above the median of the others at the
    same epoch is pruned, from its fifth epoch on. The best options are trained once more and scored
    on the test part, which the search never sees.

    Parameters
    ----------
    data : SequenceData
        Split and complete.
    trials : int
        Trials of the study, those of earlier calls with the same folder among them. Of a grid at
        most so many combinations, in random order.
    minutes : float, optional
        Time for the search. A trial that it cuts off does not count. The last training comes on
        top, and takes about as long as the best trial.
    search : {"bayesian", "grid"}
        A tree-structured Parzen estimator, after ten random trials; or all combinations.
    space : mapping of option to list of values or (low, high), optional
        What is searched; other options have their defaults. Of `build_model` these can be: `cell`,
        `units`, `bidirectional`, `attention_units`, `dropout`, `l2`, `beside`, and for texts
        `embedding_size` and `word_dropout`; of `train`: `batch_size`, `learning_rate`, `clip_norm`.
        A range whose end is at least ten times its start is searched on a logarithmic scale; a grid
        takes lists only. By default `units` of (16,), (32,), (64,) and (32, 32), `bidirectional`,
        `dropout` and for texts `word_dropout` from 0 to 0.5, `l2` of 0, 1e-5, 1e-4 and 1e-3, and
        `learning_rate` from 3e-4 to 1e-2; as a grid three sizes, two dropouts, three rates.
    folder : path, optional
        Keeps the study, in Optuna's journal file "journal.log". The same call goes on with it, to
        the same result as without a stop.
    seed : int
        Of the search, of initial weights and of training.
    progress : bool
        Show a progress bar.
    **options
        Of `build_model` and `train`: what stays fixed, such as ``epochs=20`` or ``cell="gru"``.

    Returns
    -------
    Tuning
        After an interrupt (Ctrl-C) of the trials that were complete by then.

    Raises
    ------
    ImportError
        The package `optuna` is not installed.
    ValueError
        An unknown option, a value out of range, a study of other data or another space, data that
        `train` refuses; before any training. Or no trial was complete when the time was over.

    References
    ----------
    Bergstra, Bardenet, Bengio and Kégl (2011), "Algorithms for hyper-parameter optimization",
    NeurIPS. Akiba et al. (2019), "Optuna", KDD.

    Examples
    --------
    >>> tuning = tune(data, trials=30, folder="study")                  # doctest: +SKIP
    >>> tuning = tune(data, space={"units": [(16,), (64,)], "dropout": (0, 0.5)})  # doctest: +SKIP
    >>> tuning.table, tuning.best, tuning.run                           # doctest: +SKIP
    """
    check_whole(least=1, trials=trials)
    least = f"Give at least {LEAST_SECONDS / 60:.2g} minutes, or trials= alone."
    check_number(least=LEAST_SECONDS / 60, optional=True, remedy=least, minutes=minutes)
    check_one_of(get_args(Search), search=search)
    check_whole(most=LARGEST_SEED, seed=seed)
    check_flag(progress=progress)
    path = None if folder is None else as_path(folder, folder=True, name="folder") / _JOURNAL
    check_data(data=data)
    check_fixed(options)
    space = checked_space(space, data, search == "grid", options)
    optuna = need_optuna()
    data.check_complete()
    check_trainable(_built(data, options, seed), data)
    seen = _without_test_part(data)
    searching = {name: value for name, value in options.items() if name not in _LAST_ONLY}
    made_of = {
        "data": digest(seen),
        "space": digest(space),
        "options": digest(*(one for pair in sorted(searching.items()) for one in pair)),
        "search": search,
        "seed": str(seed),
        "version": version("lstm_explain"),
    }
    finished = [] if path is None else kept_trials(optuna, path, made_of)
    if search == "grid":
        trials = min(trials, prod(len(values) for values in space.values()))
    end = time.perf_counter() + (np.inf if minutes is None else 60 * minutes)

    def objective(trial: Trial) -> float:
        used = searching | suggested(trial, space)
        model = _built(seen, used, seed)
        limits: dict[str, Any] = {"fit_baseline": False, "progress": False}
        if minutes is not None:
            limits["minutes"] = max(end - time.perf_counter(), 1e-3) / 60
        pruning = _Pruning(trial, optuna.TrialPruned, end)
        run = train(model, seen, seed=seed, callbacks=[pruning], **of_training(used), **limits)
        if run.interrupted:
            raise KeyboardInterrupt
        if time.perf_counter() > end:
            raise _TimeOver
        return _loss(run, seen)

    with quiet(optuna), progress_bar(trials, "tuning", "trial", progress) as bar:
        bar.update(len(finished))
        try:
            while len(finished) < trials and time.perf_counter() < end:
                sampler = sampler_for(optuna, space, search, seed, len(finished))
                study = make_study(optuna, finished, made_of, sampler)
                study.optimize(objective, n_trials=1)
                finished = study.trials
                if path is not None:
                    keep_trials(optuna, finished, made_of, path)
                bar.update()
        except _TimeOver:
            pass
        except KeyboardInterrupt:
            if not any(trial.state.name == "COMPLETE" for trial in finished):
                raise
            if progress:
                print(f"Search interrupted after {len(finished)} of {trials} trials.")
        study = make_study(optuna, finished, made_of)
    _check_found(finished, minutes)
    best = suggested(study.best_trial, space)
    used = options | best
    model = _built(data, used, seed)
    run = train(model, data, seed=seed, progress=progress, **of_training(used))
    return Tuning(study, _table(finished, space), best, run)


class _Pruning(keras.callbacks.Callback):
    """Tell the study the validation loss of each epoch, and end a trial that is poor."""

    def __init__(self, trial: Trial, pruned: type[Exception], end: float) -> None:
        super().__init__()
        self._trial, self._pruned, self._end = trial, pruned, end

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare with other trials, without the penalty of l2, which differs between them."""
        if time.perf_counter() > self._end:
            return  # the trial does not count
        loss = (logs or {})["val_loss"] - sum(
            float(ops.convert_to_numpy(penalty)) for penalty in self.model.losses
        )
        if not isfinite(loss):
            raise self._pruned
        self._trial.report(loss, epoch)
        if self._trial.should_prune():
            raise self._pruned


def _built(data: SequenceData, options: Mapping[str, Any], seed: int) -> keras.Model:
    return build_model(data, seed=seed, **of_model(options))


def _without_test_part(data: SequenceData) -> SequenceData:
    """Return the training and the validation part; in place of the test part validation again."""
    sizes = [len(data.train), *2 * [len(data.validation)]]
    rows = [np.flatnonzero(data.split == part) for part in ("train", "validation", "validation")]
    return replace(data[np.concatenate(rows)], split=np.repeat([*SPLITS], sizes))


def _loss(run: TrainingRun, data: SequenceData) -> float:
    """Return the validation loss of the weights that are kept, without the penalty of l2."""
    if data.task != "regression":
        return run.metrics["log_loss"]
    names = [f"rmse of {name}" for name in data.target_names] or ["rmse"]
    errors = np.array([run.metrics[name] for name in names])
    return float(np.mean((errors / deviations(np.asarray(data.train.target))) ** 2))


def _table(trials: Sequence[FrozenTrial], space: Space) -> pd.DataFrame:
    rows = [
        {
            **suggested(trial, space),
            "validation loss": np.nan if trial.value is None else trial.value,
            "epochs": len(trial.intermediate_values),
            "seconds": pd.Timedelta(trial.duration).total_seconds(),
            "state": trial.state.name.lower(),
        }
        for trial in trials
    ]
    return pd.DataFrame(rows).rename_axis("trial")


def _check_found(trials: Sequence[FrozenTrial], minutes: float | None) -> None:
    """Raise where no trial is complete."""
    if any(trial.state.name == "COMPLETE" for trial in trials):
        return
    if not trials:
        raise ValueError(
            f"Expected minutes in which a trial is complete; received minutes={minutes:g}, in which"
            " none was. Give more minutes, or fewer epochs."
        )
    raise ValueError(
        f"Expected a trial whose validation loss is a finite number; received none in "
        f"{len(trials)} trials. Training diverged: give lower learning rates in space."
    )
