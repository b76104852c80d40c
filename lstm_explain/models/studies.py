"""What `tune` asks of Optuna: the package, what draws a trial's options, a study and its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import atomic_path
from .search_space import Space, labelled

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

# Epochs before a trial can be pruned: small steps are slow at first.
_EPOCHS_SPARED = 4
_NAME = "lx.tune"


def need_optuna() -> Any:
    """Return the package, or say how it is installed."""
    try:
        import optuna
        import optuna.storages.journal
    except ImportError as error:
        raise ImportError(
            "Expected the package optuna, which draws the options; it is not installed. Run: "
            'pip install "optuna>=4,<6". Or compare a few options with lx.compare_models.'
        ) from error
    return optuna


@contextmanager
def quiet(optuna: Any) -> Iterator[None]:
    """Hide what Optuna writes of each trial: the bar shows how far the search is."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def sampler_for(optuna: Any, space: Space, search: str, seed: int, count: int) -> Any:
    """Return what draws the next trial: from the seed and the trials so far, whatever stopped."""
    if search == "grid":
        return optuna.samplers.GridSampler(
            {name: [*labelled([*values])] for name, values in space.items()}, seed=seed
        )
    drawn = np.random.SeedSequence((seed, count)).generate_state(1)
    return optuna.samplers.TPESampler(seed=int(drawn[0]))


def make_study(
    optuna: Any,
    trials: Sequence[FrozenTrial],
    made_of: dict[str, str],
    sampler: Any = None,
    path: Path | None = None,
) -> Study:
    """Return a study of these trials, in memory or in a file."""
    pruner = optuna.pruners.MedianPruner(n_warmup_steps=_EPOCHS_SPARED)
    storage = None if path is None else _storage(optuna, path)
    study = optuna.create_study(study_name=_NAME, storage=storage, sampler=sampler, pruner=pruner)
    study.set_user_attr("made_of", made_of)
    study.add_trials(trials)
    return study


def _storage(optuna: Any, path: Path) -> Any:
    journal = optuna.storages.journal
    lock = journal.JournalFileOpenLock(str(path))
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))


def keep_trials(
    optuna: Any, trials: Sequence[FrozenTrial], made_of: dict[str, str], path: Path
) -> None:
    """Write all trials anew: an end of the process leaves the file with or without the last."""
    with atomic_path(path) as beside:
        make_study(optuna, trials, made_of, path=beside)


def kept_trials(optuna: Any, path: Path, made_of: dict[str, str]) -> list[FrozenTrial]:
    """Return the trials in a study's file, or say that it is another one's."""
    if not path.exists():
        return []
    try:
        study = optuna.load_study(study_name=_NAME, storage=_storage(optuna, path))
        kept, trials = dict(study.user_attrs["made_of"]), study.trials
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"Expected {str(path)!r} as lx.tune wrote it; received another file, or a damaged one "
            f"({error}). Remove it to start again, or give another folder."
        ) from error
    if others := [name for name, value in made_of.items() if kept.get(name) != value]:
        raise ValueError(
            f"Expected {str(path)!r} to be a study of the same {', '.join(made_of)}; received one "
            f"of other {', '.join(others)}. Give another folder, or remove this file to start "
            "again."
        )
    return trials
