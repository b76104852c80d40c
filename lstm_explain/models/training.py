"""Train a model, and keep what is needed to report on it and to use it again."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..arguments import as_path, check_flag, check_model, check_number, check_type, check_whole
from ..backend import Device, find_device, keras, retracing_expected
from ..files import atomic_path
from ..sequences.data import SequenceData, check_data
from ..sequences.inputs import record_learned
from ..sequences.splitting import SPLITS
from ..wording import score_text
from .architecture import LARGEST_SEED, num_outputs
from .baselines import fit_baselines
from .buckets import LengthBuckets, may_be_cut, predict_by_length
from .layers import ScaledSquaredError
from .main_score import AgainstBaseline, against
from .penalised import deviations
from .quantiles import PinballLoss, central_forecasts, quantiles_of, score_quantiles
from .saved_models import load_model
from .scores import constant_baseline, score
from .stopping import Recorder, Stopper


@dataclass(frozen=True, repr=False)
class TrainingRun:
    """A trained model with its history, its scores and what produced them.

    Attributes
    ----------
    model : keras.Model
        An ordinary Keras model, with the weights of the best epoch.
    history : DataFrame
        One row per epoch: ``loss`` and ``validation_loss``. For regression the loss is in units
        of the training target's variance, of several targets each in its own; that of quantiles is
        the pinball loss in deviations.
    metrics : dict
        Scores on the test part: see `lstm_explain.models.score`. Of quantiles those of the central
        one, ``pinball``, and ``coverage`` of the outer two, that on the validation part beside it.
    baselines : dict of name to scores
        The same scores of simpler predictions: a constant, a regression, and what was given.
    against_baseline : AgainstBaseline or None
        Whether the model is better, level or worse than the best of `fit_baselines` on the
        validation part, with the interval of the difference on the test part.
    device : Device
        Where it was trained, and why there.
    seed : int
        Seed of shuffling and dropout.
    seconds : float
        Wall time of training.
    interrupted : bool
        Whether training was stopped by hand.
    vocabulary : tuple of str
        Of texts: the words that the model knows, needed to read other texts.
    """

    model: keras.Model
    history: pd.DataFrame
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    device: Device = field(default_factory=find_device)
    seed: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    vocabulary: tuple[str, ...] = ()
    against_baseline: AgainstBaseline | None = None

    def __repr__(self) -> str:
        # Of several targets the means; those of each are in `metrics`.
        means = {name: value for name, value in self.metrics.items() if " of " not in name}
        scores = ", ".join(f"{name} {score_text(value)}" for name, value in means.items())
        return (
            f"TrainingRun: {len(self.history)} epochs{' (interrupted)' * self.interrupted}, "
            f"test {scores}{f'; {self.against_baseline}' * (self.against_baseline is not None)}; "
            f"trained on {self.device}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return test scores of the baselines and the model, one row each."""
        return pd.DataFrame({**self.baselines, "this model": self.metrics}).T

    def save(self, folder: str | Path) -> Path:
        """Write model and report into a folder, which is made if need be.

        Until all of it is written, the folder holds the run that was saved there before.
        """
        folder = as_path(folder, folder=True, name="folder")
        # Once run.json is there, it names these files, under this name or their final one: an end
        # of the process at any moment leaves one run or the other.
        prefix = f"new-{secrets.token_hex(8)}-"
        model, history = (folder / f"{prefix}{name}" for name in _FILES)
        report = {name: getattr(self, name) for name in _FACTS}
        report |= {"device": asdict(self.device), "prefix": prefix}
        if self.against_baseline is not None:
            report["against_baseline"] = asdict(self.against_baseline)
        # Beside the model too: one that has no layer of this package does not keep it itself.
        report["learned_from"] = getattr(self.model, "learned_from", "")
        try:
            with atomic_path(model) as beside:
                self.model.save(beside)
            with atomic_path(history) as beside:
                self.history.to_csv(beside, index_label="epoch")
            report["sha256"] = dict(zip(_FILES, map(_sha256, (model, history)), strict=True))
            with atomic_path(folder / "run.json") as beside:
                beside.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        except Exception:  # no interrupt, which may come when run.json is there already
            model.unlink(missing_ok=True)
            history.unlink(missing_ok=True)
            raise
        os.replace(history, folder / "history.csv")
        os.replace(model, folder / "model.keras")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> TrainingRun:
        """Read what `save` wrote; the model predicts the same numbers.

        Raises
        ------
        FileNotFoundError
            A file of the run is not there.
        ValueError
            A file is damaged, or belongs to another run.
        """
        folder = as_path(folder, folder=True, name="folder")
        report, prefix, sums = _read_report(folder / "run.json")
        model, history = (_file_of(folder, name, prefix, sums.get(name)) for name in _FILES)
        loaded, learned_from = load_model(model), report.pop("learned_from")
        if learned_from:
            loaded.learned_from = learned_from
        return cls(model=loaded, history=_read_history(history), **report)


_FILES = ("model.keras", "history.csv")
_FACTS = ("metrics", "baselines", "seed", "seconds", "interrupted", "vocabulary")


def _read_report(path: Path) -> tuple[dict[str, Any], str, dict[str, str]]:
    """Return what run.json says of a run, and the first names and checksums of its files."""
    if not path.exists():
        raise FileNotFoundError(
            f"Expected a folder written by TrainingRun.save; found no run.json in "
            f"{str(path.parent)!r}. Give the folder that run.save(...) returned."
        )
    try:
        content = {"vocabulary": (), **json.loads(path.read_text(encoding="utf-8"))}
        report = {name: content[name] for name in _FACTS}
        learned = content.get("learned_from", content.get("learned_scale", ""))  # its earlier name
        report["learned_from"] = str(learned)
        report |= {"metrics": {**content["metrics"]}, "baselines": {**content["baselines"]}}
        report |= {"vocabulary": tuple(report["vocabulary"]), "device": Device(**content["device"])}
        if "against_baseline" in content:  # earlier code did not compare
            report["against_baseline"] = AgainstBaseline(**content["against_baseline"])
        # Earlier code wrote neither prefix nor checksums.
        return report, str(content.get("prefix", "")), {**content.get("sha256", {})}
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise _not_as_saved(path, error) from error


def _file_of(folder: Path, name: str, prefix: str, sha256: str | None) -> Path:
    """Return where a file of a run is, after a comparison with the checksum in run.json."""
    path = folder / f"{prefix}{name}"
    if not path.exists():
        path = folder / name
    if not path.exists():
        raise FileNotFoundError(
            f"Expected {name} beside run.json; found none in {str(folder)!r}. Give the whole "
            "folder that run.save(...) returned."
        )
    if sha256 is not None and _sha256(path) != sha256:
        raise _not_as_saved(path, "it is damaged, or of another run")
    return path


def _read_history(path: Path) -> pd.DataFrame:
    # Read as text, because the number parser of pandas may miss the last digit.
    losses = {"loss": str, "validation_loss": str}
    try:
        return pd.read_csv(path, index_col="epoch", dtype=losses).astype(float)
    except ValueError as error:
        raise _not_as_saved(path, error) from error


def _not_as_saved(path: Path, why: object) -> ValueError:
    return ValueError(
        f"Expected {path.name} as TrainingRun.save wrote it; received another in "
        f"{str(path.parent)!r} ({why}). Copy the folder again from where it is whole; "
        "lx.load_model reads a model without its run."
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def train(
    model: keras.Model,
    data: SequenceData,
    *,
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    clip_norm: float = 1.0,
    patience: int = 5,
    minutes: float | None = None,
    seed: int = 0,
    baselines: Mapping[str, np.ndarray] | None = None,
    fit_baseline: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> TrainingRun:
    """Train on the training part, stop early on the validation part, score on the test part.

    Runs on a GPU when the backend sees one, else on the CPU, and says in one line which. The
    weights of the best epoch are kept, or those at the start where no epoch is better; an interrupt
    (Ctrl-C, or the stop button) ends training and keeps the best weights so far. Texts of different
    lengths come in `LengthBuckets`.

    Parameters
    ----------
    model : keras.Model
        From `build_model`, or any Keras model with outputs as `build_model` makes them.
    data : SequenceData
        Split and complete.
    epochs : int
        Largest number of passes over the training part.
    batch_size : int
        Samples per gradient step.
    learning_rate, clip_norm : float
        Step size of Adam, and the largest norm of a gradient.
    patience : int
        Stop after so many epochs without a lower validation loss.
    minutes : float, optional
        Stop after so much time, within an epoch if need be.
    seed : int
        Sets Keras's, NumPy's and Python's global seeds, so that the same seed gives the same
        metrics on the same machine.
    baselines : mapping of name to predictions of the test part, optional
        Scored beside the model, and beside a constant that is always there.
    fit_baseline : bool
        Fit what `lstm_explain.models.fit_baselines` says too, score it on the test part and say
        whether the model is better. False saves its seconds.
    callbacks : sequence of keras.callbacks.Callback
        Called behind the package's own, with ``val_loss`` of each epoch in their logs.
    progress : bool
        Show a progress bar.

    Returns
    -------
    TrainingRun

    Raises
    ------
    ValueError
        The data has no target, is not split, is incomplete, or does not fit the model; or training
        diverged.
    """
    usual = "Leave it out for the default."
    check_whole(least=1, remedy=usual, epochs=epochs, batch_size=batch_size)
    check_number(above=0, learning_rate=learning_rate, clip_norm=clip_norm)
    check_whole(remedy=usual, patience=patience)
    check_number(above=0, optional=True, minutes=minutes)
    check_whole(most=LARGEST_SEED, seed=seed)
    check_flag(progress=progress, fit_baseline=fit_baseline)
    check_type(Mapping, 'Give for example {"mean": ...}.', optional=True, baselines=baselines)
    check_type(Sequence, "Give a list.", callbacks=callbacks)
    for one in callbacks:
        check_type(keras.callbacks.Callback, "Leave out what is none.", callbacks=one)
    check_trainable(model, data)
    # Data in other units or of other classes than before are no mistake: the model learns these.
    data = replace(data, scale_known=False)
    feeds = _feeds(model, data.train, data.validation, batch_size, seed)
    test = data.test
    test.inputs_for(model)  # raises before training, not after it
    quantiles = quantiles_of(model)
    plain = {one.name: one.predict(test) for one in fit_baselines(data)} if fit_baseline else {}
    forecasts = {"constant": constant_baseline(data), **plain, **(baselines or {})}
    baseline_scores = {name: score(test, values) for name, values in forecasts.items()}
    device = find_device()
    if progress:
        print(f"Training on {device}.")
    record_learned(model, data)
    keras.utils.set_random_seed(seed)
    _reset_dropout(model, seed)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate, clipnorm=clip_norm),
        loss=_loss(data, quantiles),
        # Regression losses in units of the target's variance: clipping and L2 then mean the same
        # for every target.
        loss_weights=1.0 if quantiles else 1.0 / _spread(data),
    )
    stopper = Stopper(feeds["validation_data"], patience)
    recorder = Recorder(epochs, progress, np.inf if minutes is None else 60 * minutes)
    start = time.perf_counter()
    try:
        with retracing_expected():
            model.fit(**feeds, epochs=epochs, callbacks=[stopper, recorder, *callbacks], verbose=0)
        interrupted = False
    except KeyboardInterrupt:
        if not recorder.rows:
            raise
        model.set_weights(stopper.best_weights)
        interrupted = True
    finally:
        recorder.bar.close()
    seconds = time.perf_counter() - start
    losses = np.array([row["validation_loss"] for row in recorder.rows])
    if not np.isfinite(losses).any():
        raise ValueError(
            "Expected a validation loss that is a finite number after some epoch; received NaN or "
            f"infinity after all {len(losses)}. Training diverged: use a lower learning_rate than "
            f"{learning_rate:g}."
        )
    predictions = predict_by_length(model, test)
    of_quantiles: dict[str, float] = {}
    if quantiles:
        of_quantiles = score_quantiles(test, predictions, quantiles)
        validated = predict_by_length(model, data.validation), quantiles
        coverage = score_quantiles(data.validation, *validated)["coverage"]
        of_quantiles["coverage_on_validation"] = coverage
        predictions = central_forecasts(predictions, quantiles)
    run = TrainingRun(
        model=model,
        history=pd.DataFrame(recorder.rows).rename_axis("epoch"),
        metrics=score(test, predictions) | of_quantiles,
        baselines=baseline_scores,
        device=device,
        seed=seed,
        seconds=seconds,
        interrupted=interrupted,
        vocabulary=data.vocabulary,
        against_baseline=next(
            (against(test, predictions, name, values) for name, values in plain.items()), None
        ),
    )
    if progress:
        best = f"best {stopper.best_epoch + 1}" if stopper.best_epoch >= 0 else "none improved it"
        print(f"{len(run.history)} epochs in {seconds:.0f} s, {best}.")
        if run.against_baseline is not None:
            print(f"This model is {run.against_baseline}.")
    return run


def _feeds(
    model: keras.Model, train: SequenceData, validation: SequenceData, batch_size: int, seed: int
) -> dict[str, Any]:
    """Return what ``fit`` trains and validates on: arrays, or buckets where texts may be cut."""
    if may_be_cut(model, train) and may_be_cut(model, validation):
        return {
            "x": LengthBuckets(model, train, batch_size, seed),
            "validation_data": LengthBuckets(model, validation, batch_size),
        }
    return {
        "x": train.inputs_for(model),
        "y": train.target,
        "validation_data": (validation.inputs_for(model), validation.target),
        "batch_size": batch_size,
    }


def _reset_dropout(model: keras.Model, seed: int) -> None:
    """Start dropout from the seed: Keras keeps a count of draws, which ``predict`` moves too."""
    states = [v for v in model.variables if v.path.endswith("seed_generator_state")]
    for position, state in enumerate(states):
        state.assign(np.array([1000 * seed + position, 0]))


def _loss(data: SequenceData, quantiles: tuple[float, ...]) -> str | keras.losses.Loss:
    if quantiles:
        spread = np.atleast_1d(deviations(np.asarray(data.train.target)))
        return PinballLoss(quantiles, spread.tolist())
    if data.task == "regression" and data.target_names:
        return ScaledSquaredError(deviations(np.asarray(data.train.target)).tolist())
    return {
        "regression": "mean_squared_error",
        "binary": "binary_crossentropy",
        "multilabel": "binary_crossentropy",
        "multiclass": "sparse_categorical_crossentropy",
    }[data.task]


def _spread(data: SequenceData) -> float:
    target = data.train.target
    if data.task != "regression" or data.target_names or target is None:
        return 1.0
    return float(np.var(target)) or 1.0


def check_trainable(model: Any, data: SequenceData) -> None:
    """Raise on what cannot be trained, before any time is spent on it."""
    check_model(model, built=False)
    check_data(data=data)
    if data.target is None:
        raise ValueError(
            "Expected data with a target to train on; received none. Give target=... when making "
            "the data."
        )
    if data.task == "multiclass" and len(data.class_names) == 1:
        raise ValueError(
            f"Expected a target with at least two classes; received only {data.class_names[0]!r}. "
            "Check how the target was made; numbers to predict must be floats."
        )
    if data.split is not None:
        sizes = {part: int((data.split == part).sum()) for part in SPLITS}
        if min(sizes.values()) == 0:
            raise ValueError(
                f"Expected samples in train, validation and test; received {sizes}. Validation "
                "decides when training stops: split by data.split_by_group(), or take it from the "
                "training part."
            )
    size = num_outputs(data) * (len(quantiles_of(model)) or 1)
    shape = getattr(model, "output_shape", (None, size))  # a subclassed model does not know
    if shape != (None, size):
        raise ValueError(
            f"Expected a model with outputs of shape (sample, {size}) for this {data.task} target; "
            f"received {shape}. Make one with lx.build_model(data)."
        )
