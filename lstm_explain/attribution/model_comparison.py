"""``compare_models``: several networks trained, scored and explained under one protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations_with_replacement, product
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from ..arguments import check_flag, check_names, check_number, check_whole, described, is_whole
from ..models.architecture import LARGEST_SEED, build_model
from ..models.baselines import fit_baselines
from ..models.buckets import predict_by_length
from ..models.linear_paths import LinearPath
from ..models.main_score import LOWER_IS_BETTER, AgainstBaseline, main_interval, main_score
from ..models.quantiles import central, central_forecasts, quantiles_of
from ..models.stopping import LEAST_SECONDS
from ..models.training import TrainingRun, check_trainable, train
from ..progress import progress_bar
from ..sequences.data import SequenceData, check_data
from .agreement import rank_agreement
from .expected_gradients import explain
from .explanation import Explanation

# Of `build_model`, by the name that `compare_models` knows them by.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "lstm": {},
    "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"},
    "bidirectional": {"bidirectional": True},
    "stacked": {"units": (32, 32)},
    "cnn-lstm": {"cell": "cnn-lstm"},
    "tcn": {"cell": "tcn"},
    "transformer": {"cell": "transformer"},
    "echo state": {"cell": "echo state"},
}
Build: TypeAlias = Callable[[SequenceData, int], Any]


@dataclass(frozen=True, repr=False)
class ModelComparison:
    """What `compare_models` found.

    Attributes
    ----------
    score : str
        By which the models are told apart: "auroc", "accuracy", "rmse", ...
    table : DataFrame
        One row per model, the baseline last: `score` (mean over seeds), its 95 % interval `low` to
        `high`, and `seeds apart` (largest less smallest); `difference` to the baseline with its
        interval, `against baseline` in a word; `parameters` that training changes, `seconds` of
        one training, `microseconds` per prediction.
    agreement : DataFrame
        One row per pair of models: mean rank correlation of their SHAP values by `cell`, by
        `variable` and by `time`. A model beside itself is the noise floor: two of its seeds.
    runs : dict of name to list of TrainingRun
        One for each seed.
    explanations : dict of name to list of Explanation
        Of the same test samples, by the runs.
    """

    score: str
    table: pd.DataFrame
    agreement: pd.DataFrame
    runs: dict[str, list[TrainingRun]] = field(default_factory=dict)
    explanations: dict[str, list[Explanation]] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The name with the best score; whether it is surely so, the intervals say."""
        scores = self.table["score"].astype(float)
        return str(scores.idxmin() if self.score in LOWER_IS_BETTER else scores.idxmax())

    def __repr__(self) -> str:
        scores = self.table.round(3).to_string()
        return f"Test {self.score}:\n{scores}\nRank correlation:\n{self.agreement.round(2)}"


def compare_models(
    data: SequenceData,
    models: Iterable[str] | Mapping[str, Build] = tuple(ARCHITECTURES),
    *,
    beside: LinearPath | Literal["usual"] | None = None,
    seeds: Sequence[int] = (0, 1),
    minutes: float | None = None,
    samples: int = 16,
    background: Any = None,
    progress: bool = True,
    **training: Any,
) -> ModelComparison:
    """Train, score and explain several networks alike: which is best, and do they agree why?

    All of them learn from the same training part, stop early on the same validation part and are
    scored once on the test part. The plain baseline stands beside them. An interrupt (Ctrl-C, or
    the stop button) gives the models that are complete.

    Parameters
    ----------
    data : SequenceData
        Split and complete.
    models : names, or mapping of name to ``build(data, seed)``
        By default "lstm", "gru", "rnn", "bidirectional", "stacked", "cnn-lstm", "tcn",
        "transformer" and "echo state".
    beside : "usual", a linear path of `lx.models` or None
        What all named models have beside them: see `build_model`. By default nothing: explanations
        would agree by the path that they share.
    seeds : sequence of int
        Each model is trained once with each. Agreement of models is read beside that of two seeds.
    minutes : float, optional
        Time for all trainings together, each of which gets an equal share.
    samples : int
        Test samples to explain, evenly spread; 0 for none.
    background : optional
        Rows that stand for "absent", `"zero"` or `"mean"`: by default the training part, for texts
        "[UNK]".
    progress : bool
        Show a progress bar.
    **training
        Options of `train`, such as `epochs`.

    Returns
    -------
    ModelComparison
        Explained is one output for all models: the second of two classes, the class that is true of
        each sample, the first of several targets.

    Raises
    ------
    ValueError
        An unknown name, a budget too short for one gradient step of each training, or data that
        `train` refuses; before any training.

    Examples
    --------
    >>> comparison = compare_models(data, ["lstm", "tcn"], minutes=4)      # doctest: +SKIP
    >>> comparison.table, comparison.agreement                                   # doctest: +SKIP
    """
    builders = _builders(models, beside)
    seeds = _checked_seeds(seeds)
    check_whole(samples=samples)
    check_flag(progress=progress)
    check_data(data=data)
    count = len(builders) * len(seeds)
    least = count * LEAST_SECONDS / 60
    remedy = f"Give at least {least:.2g} minutes for {count} trainings, or compare fewer models."
    check_number(least=least, optional=True, remedy=remedy, minutes=minutes)
    made = {name: [build(data, seed) for seed in seeds] for name, build in builders.items()}
    for model in (model for each in made.values() for model in each):
        check_trainable(model, data)
    test, share = data.test, None if minutes is None else minutes / count
    some = evenly_spread(test, samples)
    plain, of_plain = _timed_baseline(data)
    rows: dict[str, dict[str, Any]] = {}
    runs: dict[str, list[TrainingRun]] = {}
    explanations: dict[str, list[Explanation]] = {}
    options = {"fit_baseline": False, **training, "progress": False}
    with progress_bar(count, "comparing", "model", progress) as bar:
        for name, each in made.items():
            trained, explained = [], []
            try:
                for model, seed in zip(each, seeds, strict=True):
                    run = train(model, data, minutes=share, seed=seed, **options)
                    if run.interrupted:
                        raise KeyboardInterrupt
                    trained.append(run)
                    if samples:
                        explained.append(explain_alike(model, some, data, background))
                    bar.set_postfix_str(name, refresh=False)
                    bar.update()
            except KeyboardInterrupt:
                if not rows:
                    raise
                break
            runs[name], explanations[name] = trained, explained
            rows[name] = _row(trained, test, plain, of_plain["predictions"])
    value, low, high = main_interval(test, [of_plain.pop("predictions")])
    rows[f"baseline: {plain}"] = {"score": value, "low": low, "high": high, **of_plain}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return ModelComparison(main_score(test), table, _agreement(explanations), runs, explanations)


def _builders(models: Any, beside: Any) -> dict[str, Build]:
    """Return what builds each model, or say which name is not known."""
    if isinstance(models, Mapping) and models and all(map(callable, models.values())):
        return dict(models)
    check_names(models=models)
    names = list(models)
    if not names or isinstance(models, Mapping) or not {*map(str, names)} <= {*ARCHITECTURES}:
        raise ValueError(
            f"Expected models among {list(ARCHITECTURES)}, or a mapping of name to a function "
            f"build(data, seed); received {described(models)}. Give for example ['lstm', 'tcn']."
        )
    return {name: partial(_build, name, beside) for name in names}


def _build(name: str, beside: Any, data: SequenceData, seed: int) -> Any:
    return build_model(data, seed=seed, beside=beside, **ARCHITECTURES[name])


def _checked_seeds(seeds: Any) -> list[int]:
    check_names(seeds=seeds, remedy="Give for example seeds=(0, 1).")
    listed = list(seeds)
    if not listed or not all(is_whole(seed) and 0 <= seed <= LARGEST_SEED for seed in listed):
        raise ValueError(
            f"Expected seeds to be whole numbers from 0 to {LARGEST_SEED}; received "
            f"{described(seeds)}. Give for example seeds=(0, 1)."
        )
    return listed


def _row(
    runs: list[TrainingRun], test: SequenceData, plain: str, of_plain: np.ndarray
) -> dict[str, Any]:
    """Return the row of a model in the table."""
    predictions, seconds = zip(*(_timed(run.model, test) for run in runs), strict=True)
    each = [main_interval(test, [one], draws=2)[0] for one in predictions]
    value, low, high = main_interval(test, list(predictions))
    gain, least, most = main_interval(test, list(predictions), of_plain)
    beside = AgainstBaseline(plain, main_score(test), value, value - gain, least, most)
    return {
        "score": value, "low": low, "high": high,
        "seeds apart": max(each) - min(each) if len(each) > 1 else np.nan,
        "difference": gain, "difference low": least, "difference high": most,
        "against baseline": beside.verdict,
        "parameters": sum(int(np.prod(w.shape)) for w in runs[0].model.trainable_weights),
        "seconds": float(np.mean([run.seconds for run in runs])),
        "microseconds": 1e6 * min(seconds) / len(test),
    }  # fmt: skip


def _timed(model: Any, test: SequenceData) -> tuple[np.ndarray, float]:
    """Return predictions, as they are scored, and the seconds they take of a compiled model."""
    predict_by_length(model, test)
    start = time.perf_counter()
    predictions = predict_by_length(model, test)
    seconds = time.perf_counter() - start
    return central_forecasts(predictions, quantiles_of(model)), seconds


def _timed_baseline(data: SequenceData) -> tuple[str, dict[str, Any]]:
    start = time.perf_counter()
    plain = fit_baselines(data)[0]
    fitted = time.perf_counter()
    predictions = plain.predict(data.test)
    return plain.name, {
        "predictions": predictions,
        "parameters": plain.num_parameters,
        "seconds": fitted - start,
        "microseconds": 1e6 * (time.perf_counter() - fitted) / len(data.test),
    }


# -- do they agree? --------------------------------------------------------------------------------
def evenly_spread(part: SequenceData, samples: int) -> SequenceData:
    """Return so many samples of a part, those of one class behind each other."""
    some = part[np.unique(np.linspace(0, len(part) - 1, samples).astype(int))]
    classes = np.asarray(some.target) if some.task == "multiclass" else np.zeros(len(some))
    return some[np.argsort(classes, kind="stable")]


def explain_alike(
    model: Any, some: SequenceData, data: SequenceData, background: Any
) -> Explanation:
    """Explain the same output whatever the model predicts: of classes the one that is true.

    Of several targets it is the first, of quantiles the central one of it.
    """
    if background is None and data.tokens is None:
        background = data.train
    options: dict[str, Any] = {"background": background, "progress": False}
    if shares := quantiles_of(model):
        return explain(model, some, output=central(shares), **options)
    if some.task != "multiclass":
        return explain(model, some, output=0 if some.target_names else None, **options)
    target: Any = some.target
    return Explanation.concat(
        explain(model, some[target == label], output=int(label), **options)
        for label in np.unique(target)
    )


def _agreement(explanations: Mapping[str, list[Explanation]]) -> pd.DataFrame:
    """Return the mean rank correlation of each pair of models, of one model over its seeds."""
    rows = []
    for one, other in combinations_with_replacement(explanations, 2):
        pairs = product(explanations[one], explanations[other])
        correlations = [rank_agreement(a, b) for a, b in pairs if a is not b]
        if correlations:
            rows.append(
                {"model": one, "beside": other, **pd.DataFrame(correlations).mean().to_dict()}
            )
    return pd.DataFrame(rows, columns=None if rows else ["model", "beside"]).set_index(
        ["model", "beside"]
    )
