"""``cross_validate``: how far scores and explanations depend on which samples were held out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ..arguments import check_flag, check_type, check_whole
from ..models.architecture import LARGEST_SEED, build_model
from ..models.main_score import main_score
from ..models.training import TrainingRun, check_trainable, train
from ..progress import progress_bar
from ..sequences.data import SequenceData, check_data
from ..sequences.padding import last_true
from ..sequences.splitting import SPLITS, window_step
from .explanation import Explanation
from .model_comparison import evenly_spread, explain_alike


@dataclass(frozen=True, repr=False)
class CrossValidation:
    """What `cross_validate` found.

    Attributes
    ----------
    score : str
        The main score: "auroc", "accuracy", "rmse", ...
    table : DataFrame
        One row per fold: samples of each part, the test scores, `baseline` (its main score) and
        whether the model is better. `table[score].std()` is the spread over folds.
    importance : DataFrame
        One row per fold: mean size over its held-out samples of each feature's SHAP values, summed
        over the steps. Columns that change little from fold to fold are stable.
    explanation : Explanation or None
        Of the held-out samples of all folds, each by the model that had not seen it; `fold` in its
        dataset says which. It belongs to no single model, so no check can be run on it.
    runs : list of TrainingRun
    """

    score: str
    table: pd.DataFrame
    importance: pd.DataFrame
    explanation: Explanation | None
    runs: list[TrainingRun] = field(default_factory=list)

    def __repr__(self) -> str:
        each = self.table[self.score]
        return (
            f"CrossValidation: {len(each)} folds, test {self.score} {each.mean():.3f} (standard "
            f"deviation over folds {each.std():.3f}, {each.min():.3f} to {each.max():.3f})"
        )


def cross_validate(
    data: SequenceData,
    folds: int = 5,
    *,
    build: Callable[[SequenceData, int], Any] | None = None,
    gap: int | None = None,
    samples: int = 16,
    background: Any = None,
    seed: int = 0,
    progress: bool = True,
    **training: Any,
) -> CrossValidation:
    """Train, score and explain once per fold, each time on samples that were held out.

    People (`ids`) stay in one fold, which has its share of every class; the next fold is the
    validation part, the others train. Windows of a series go forward in time: of `folds` + 2 equal
    stretches fold k trains on the first k, stops early on the next and is tested on the one after.

    Parameters
    ----------
    data : SequenceData
        All samples take part, whatever their `split`; leave out a test part that is to stay unseen.
        Standardised data is standardised again by each fold's training part.
    folds : int
        At least 3.
    build : callable, optional
        ``build(data, seed)`` makes the model; by default `build_model`.
    gap : int, optional
        Of windows: steps that are left out before each boundary, as in `split_by_time`.
    samples : int
        Held-out samples to explain in each fold, evenly spread; 0 for none.
    background : optional
        Rows that stand for "absent", ``"zero"`` or ``"mean"``: by default the training part, for
        texts "[UNK]".
    seed : int
        Of the folds and of training.
    progress : bool
        Show a progress bar.
    **training
        Options of `train`, such as `epochs`.

    Returns
    -------
    CrossValidation

    Raises
    ------
    ValueError
        More folds than people, a class that a part of a fold lacks, a series too short for the gap;
        before any training.

    References
    ----------
    Bergmeir and Benítez (2012), "On the use of cross-validation for time series predictor
    evaluation", Information Sciences 191. López de Prado (2018), "Advances in Financial Machine
    Learning", chapter 7: gaps.

    Examples
    --------
    >>> validation = cross_validate(data, folds=5)               # doctest: +SKIP
    >>> validation.table["auroc"].std(), validation.importance    # doctest: +SKIP
    """
    check_whole(least=3, folds=folds)
    check_whole(samples=samples)
    check_whole(most=LARGEST_SEED, seed=seed)
    check_flag(progress=progress)
    check_type(Callable, "Give build(data, seed).", optional=True, build=build)
    check_data(data=data)
    build = build or (lambda part, seed: build_model(part, seed=seed))
    parts = [*split_into_folds(data, folds, gap, seed)]
    models = [build(part, seed) for part in parts]
    for model, part in zip(models, parts, strict=True):
        check_trainable(model, part)
    rows, runs, explanations = [], [], []
    with progress_bar(folds, "cross-validating", "fold", progress) as bar:
        for fold, (model, part) in enumerate(zip(models, parts, strict=True)):
            run = train(model, part, seed=seed, **{**training, "progress": False})
            if run.interrupted:
                raise KeyboardInterrupt  # some folds are no cross-validation
            runs.append(run)
            row: dict[str, Any] = dict(pd.Series(part.split).value_counts()[[*SPLITS]])
            row |= {name: value for name, value in run.metrics.items() if " of " not in name}
            if (beside := run.against_baseline) is not None:
                row |= {"baseline": beside.of_baseline, "against baseline": beside.verdict}
            rows.append(row)
            if samples:
                some = evenly_spread(part.test, samples)
                explanations.append(_of_fold(explain_alike(model, some, part, background), fold))
            bar.update()
    table = pd.DataFrame(rows).rename_axis("fold")
    return CrossValidation(
        main_score(data),
        table,
        _importance(explanations),
        Explanation.concat(explanations) if explanations else None,
        runs,
    )


def split_into_folds(
    data: SequenceData, folds: int, gap: int | None, seed: int
) -> Iterator[SequenceData]:
    """Yield the data split for each fold, standardised by its training part if it was before."""
    standardised = bool((data.center != 0).any() or (data.scale != 1).any())
    forward = data.horizon is not None or window_step(data) is not None
    if gap is not None and not forward:
        raise ValueError(
            f"Expected windows of a series for gap={gap!r}; received samples that are none. Leave "
            "gap out: people are kept apart by their ids."
        )
    for fold, part in enumerate((_forward if forward else _by_group)(data, folds, gap, seed)):
        _check_classes(part, fold)
        yield part.standardise() if standardised else part


def _forward(data: SequenceData, folds: int, gap: int | None, _seed: int) -> Iterator[SequenceData]:
    if data.times is None:
        raise ValueError(
            "Expected windows with times, to go forward in time; received none. Give times=... to "
            "SequenceData.from_arrays."
        )
    ends = data.times[np.arange(len(data)), last_true(data.mask)]
    stretches = np.array_split(np.unique(ends), folds + 2)
    for fold in range(folds):
        validation, test = stretches[fold + 1], stretches[fold + 2]
        try:
            known = data[ends <= test[-1]]
            yield known.split_by_time(validation=validation[0], test=test[0], gap=gap)
        except (IndexError, ValueError) as error:
            raise ValueError(
                f"Expected a series that is long enough for {folds} folds; received one of "
                f"{len(np.unique(ends))} ends of windows, too few for fold {fold}: {error} Use "
                "fewer folds, shorter windows or a smaller gap."
            ) from error


def _by_group(
    data: SequenceData, folds: int, _gap: int | None, seed: int
) -> Iterator[SequenceData]:
    from sklearn.model_selection import KFold, StratifiedGroupKFold

    ids = np.arange(len(data)) if data.ids is None else data.ids
    distinct, groups = np.unique(ids, return_inverse=True)
    if folds > len(distinct):
        raise ValueError(
            f"Expected at most as many folds as groups; received folds={folds} and "
            f"{len(distinct)} groups (ids). Use fewer folds."
        )
    number = np.zeros(len(data), int)
    options: dict[str, Any] = {"n_splits": folds, "shuffle": True, "random_state": seed}
    if data.task in ("binary", "multiclass"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a rare class, which is checked here
            pairs = [*StratifiedGroupKFold(**options).split(groups, data.target, groups)]
        for fold, (_, rows) in enumerate(pairs):
            number[rows] = fold
    else:
        for fold, (_, held_out) in enumerate(KFold(**options).split(distinct)):
            number[np.isin(groups, held_out)] = fold
    for fold in range(folds):
        split = np.full(len(data), "train", "<U10")
        split[number == (fold + 1) % folds] = "validation"
        split[number == fold] = "test"
        yield replace(data, split=split)


def _check_classes(part: SequenceData, fold: int) -> None:
    if part.task not in ("binary", "multiclass"):
        return
    for name in SPLITS:
        target: Any = part.target
        missing = set(range(len(part.class_names))) - set(target[part.split == name].tolist())
        if missing:
            raise ValueError(
                f"Expected every class in every part of every fold; received none of "
                f"{part.class_names[min(missing)]!r} in the {name} part of fold {fold}. Use fewer "
                "folds, or more samples of that class."
            )


def _of_fold(explanation: Explanation, fold: int) -> Explanation:
    """Return an explanation without what is of its fold alone, so that it can be joined."""
    dataset = explanation.to_dataset()
    of_this_fold = [
        name
        for name in map(str, dataset.data_vars)
        if "background" in name or name.endswith(("center", "scale"))
    ]
    facts = explanation.provenance | {
        "weights_sha256": "one model per fold",
        "background": "the training part of each fold",
    }
    facts.pop("background_rows", None)
    dataset = dataset.drop_vars(of_this_fold).assign(
        fold=("sample", np.full(len(explanation), fold))
    )
    dataset.attrs["provenance"] = json.dumps(facts)
    return Explanation(dataset)


def _importance(explanations: list[Explanation]) -> pd.DataFrame:
    """Return the mean size of each feature's values (fold, feature); none for texts."""
    rows = [
        dict(
            zip(e.feature_names, np.abs(e.over_features().values.values).mean(axis=0), strict=True)
        )
        for e in explanations
        if e.feature_names
    ]
    return pd.DataFrame(rows).rename_axis("fold")
