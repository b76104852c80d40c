"""``SequenceData``: the one object in which sequences enter this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

import numpy as np

from ..arguments import check_flag, check_model, check_type
from . import (
    building,
    editing,
    inputs,
    outliers,
    scalers,
    scaling,
    series,
    splitting,
    tables,
    targets,
    texts,
    validation,
    words,
)
from .splitting import SPLITS

_PER_SAMPLE = (
    *("values", "tokens", "mask", "static", "target"),
    *("times", "ids", "split", "unknown_words", "recorded"),
)


@dataclass(frozen=True, eq=False, repr=False)
class SequenceData:
    """Sequences of measurements, right-padded, with everything needed to read them.

    Make one with `from_arrays`, `from_frame`, `from_series` or `from_texts`; verbs such as
    `split_by_time` return a new object. Indexing selects samples, by position or by id, and always
    keeps the sample dimension.

    Attributes
    ----------
    values : float32 array (sample, time, feature)
        What the model reads; 0 on padded steps.
    feature_names, units : tuples of str
        Name and unit of each feature; "" where it has no unit.
    tokens : int32 array (sample, time) or None
        Token ids of a text; `values` then has no features.
    vocabulary : tuple of str
        The word of each token id.
    unknown_words : object array (sample,) or None
        The words of each text that the model reads as "[UNK]", in order, as they were written.
    mask : bool array (sample, time)
        True on real steps. Padding is always at the end.
    static : float32 array (sample, static feature) or None
        Facts that do not change over the sequence.
    static_names, static_units : tuples of str
        Name and unit of each static fact.
    labels : mapping of mappings
        What the codes of static facts stand for, by the fact's name.
    target : array (sample,) or (sample, target), or None
        float32 for regression; int32 class positions when `class_names` is not empty; with
        `target_names` several numbers, or labels 0 and 1, of each sample.
    target_name, target_unit : str
        What is to be predicted, and its unit.
    target_center, target_scale : float or tuple of float
        ``target * target_scale + target_center`` is in that unit: see `scaled_by`. Of several
        targets one number for all, or one for each.
    class_names : tuple of str
        The classes or labels in order; empty for regression.
    target_names : tuple of str
        Names of several targets; empty for one. Of labels they are `class_names` too.
    times : array (sample, time) or None
        Dates or numbers of the steps, for axes, and for the time since a measurement.
    time_name : str
        What the times count: "step", "hours in care".
    ids : array (sample,) or None
        Whose sequence it is.
    split : str array (sample,) or None
        "train", "validation" or "test".
    horizon : int or None
        Of windows cut from longer series: how many steps after its last one the target of a window
        reaches. None where a sample is a whole sequence.
    known_ahead : tuple of str
        Variables whose values are those of `horizon` steps later: see `from_series`.
    name : str
        What the data set is called.
    center, scale, static_center, static_scale : float64 arrays (feature,)
        ``display_values = values * scale + center`` undoes the standardising.
    variables, parts : tuples of str
        After `fill_missing(indicators=True)`: whose feature each is, and which part of it.
    unmeasured : float64 array (feature,) or None
        What a value counts as before its first measurement, in original units.
    limits : float64 array (2, feature) or None
        After `clip_outliers`: the least and the largest value that the model reads, in original
        units.
    recorded : float64 array (sample, time, feature) or None
        After `clip_outliers`: the values as they came, in original units.
    one_hot : tuple of str
        Features and static facts that stand for one category each; `standardise` leaves them alone.
    scale_known : bool
        False for a plain array that a model is to read: whether its numbers are standardised, and
        how, is then not compared with what the model and the background say, nor are names.
    """

    values: np.ndarray
    mask: np.ndarray
    feature_names: tuple[str, ...]
    units: tuple[str, ...]
    center: np.ndarray
    scale: np.ndarray
    tokens: np.ndarray | None = None
    vocabulary: tuple[str, ...] = ()
    unknown_words: np.ndarray | None = None
    static: np.ndarray | None = None
    static_names: tuple[str, ...] = ()
    static_units: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    static_center: np.ndarray | None = None
    static_scale: np.ndarray | None = None
    target: np.ndarray | None = None
    target_name: str = "target"
    target_unit: str = ""
    target_center: float | tuple[float, ...] = 0.0
    target_scale: float | tuple[float, ...] = 1.0
    class_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    times: np.ndarray | None = None
    time_name: str = "step"
    ids: np.ndarray | None = None
    split: np.ndarray | None = None
    horizon: int | None = None
    known_ahead: tuple[str, ...] = ()
    name: str = "data"
    variables: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    unmeasured: np.ndarray | None = None
    limits: np.ndarray | None = None
    recorded: np.ndarray | None = None
    one_hot: tuple[str, ...] = ()
    scale_known: bool = True

    from_arrays = classmethod(building.from_arrays)
    from_frame = classmethod(tables.from_frame)
    from_series = classmethod(series.from_series)
    from_tokens = classmethod(texts.from_tokens)
    from_texts = classmethod(texts.from_texts)
    fill_missing = scaling.fill_missing
    clip_outliers = outliers.clip_outliers
    for_target = targets.for_target
    scaled_by = scalers.scaled_by
    change = editing.change
    rewrite = editing.rewrite
    switch_off = editing.switch_off

    def __post_init__(self) -> None:
        validation.check_split(self.split, len(self))

    # -- selecting -------------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(
        self, key: int | str | date | slice | np.ndarray | Sequence[int] | Sequence[str]
    ) -> SequenceData:
        key = validation.read_rows(key, len(self), self.ids)
        arrays = {name: getattr(self, name) for name in _PER_SAMPLE}
        selected = {name: array[key] for name, array in arrays.items() if array is not None}
        return replace(self, **selected)

    def _part(self, label: str) -> SequenceData:
        if self.split is None:
            raise ValueError(
                f"Expected split data to take its {label} part; received data that is not split. "
                "Call data.split_by_time(...) or data.split_by_group(...) first."
            )
        return self[self.split == label]

    @property
    def train(self) -> SequenceData:
        """The samples that the model learns from."""
        return self._part("train")

    @property
    def validation(self) -> SequenceData:
        """The samples that decide when training stops and which model is kept."""
        return self._part("validation")

    @property
    def test(self) -> SequenceData:
        """The samples that no decision was based on."""
        return self._part("test")

    @property
    def lengths(self) -> np.ndarray:
        """Number of real steps of each sample, shape (sample,)."""
        return self.mask.sum(axis=1)

    # -- splitting and scaling ---------------------------------------------------------------
    def split_by_time(
        self, validation: object, test: object, gap: int | None = None
    ) -> SequenceData:
        """Split by the time of each sample's last step; earlier parts train, later ones test.

        Parameters
        ----------
        validation, test : date or number
            First time of each part.
        gap : int, optional
            Samples that end in the last `gap` steps before a boundary, of their own sequence or of
            all, are dropped. By default as many as it takes for no window and no target of one part
            to reach into a window of another: for windows, their length less one plus `horizon`.
            With ``gap=horizon`` windows may begin before their part, targets lie in it; less is
            refused. Without `ids` all samples count as one sequence.
        """
        if self.times is None:
            raise ValueError(
                "Expected data with times to split by time; received none. Give times=... or use "
                "split_by_group."
            )
        labels = splitting.labels_by_time(self, validation, test, gap)
        kept = labels != ""
        return replace(self[kept], split=labels[kept])

    def split_by_group(
        self, validation: float = 0.15, test: float = 0.15, seed: int = 0, stratify: bool = False
    ) -> SequenceData:
        """Split at random by `ids`, so that one patient or author is never in two parts.

        Parameters
        ----------
        validation, test : float
            Shares of the groups. Without `ids`, each sample is its own group.
        seed : int
            Seed of the shuffle.
        stratify : bool
            Give each part its share of the samples of every class, as near as whole groups allow:
            for rare classes.

        Raises
        ------
        ValueError
            Windows of one series: split them by time. Or there are no classes to stratify by.
        """
        splitting.check_not_one_series(self)
        check_flag(stratify=stratify)
        classes = splitting.need_classes(self) if stratify else None
        groups = np.arange(len(self)) if self.ids is None else self.ids
        labels = splitting.labels_by_group(groups, validation, test, seed, classes)
        return replace(self, split=labels)

    def standardise(self, robust: bool = False, like: SequenceData | None = None) -> SequenceData:
        """Give every feature mean 0 and standard deviation 1 over the training part's real steps.

        Only training samples are used; a constant feature is only centred, and those of categories
        stay 0 and 1. `display_values` has the original units.

        Parameters
        ----------
        robust : bool
            Take the median, and the interquartile range over 1.349, which it is in deviations of a
            normal distribution: outliers then move neither. A feature whose quartiles are equal,
            such as one that is mostly 0, has its standard deviation.
        like : SequenceData, optional
            Take the numbers of these data, standardised before: for new data in original units that
            a model is to predict.
        """
        check_flag(robust=robust)
        if like is not None:
            check_data(like=like)
            return scaling.scaled_like(self, like)
        train = splitting.need_training_part(self)
        center, scale = scaling.mean_and_deviation(
            train.values[train.mask], self.feature_names, self.parts, self.one_hot, robust
        )
        changes: dict[str, Any] = {
            "values": scaling.scaled(self.values, center, scale, self.mask),
            "center": self.center + center * self.scale,
            "scale": self.scale * scale,
        }
        if self.static is not None and train.static is not None:
            center, scale = scaling.mean_and_deviation(
                train.static, self.static_names, one_hot=self.one_hot, robust=robust
            )
            changes |= {
                "static": scaling.scaled(self.static, center, scale),
                "static_center": self.static_center + center * self.static_scale,
                "static_scale": self.static_scale * scale,
            }
        return replace(self, **changes)

    # -- reading ---------------------------------------------------------------------------------
    @property
    def display_values(self) -> np.ndarray:
        """Values in their original units, float64 (sample, time, feature); NaN on padded steps."""
        values = scaling.unscaled(self.values, self.center, self.scale)
        return np.where(self.mask[..., None], values, np.nan)

    @property
    def words(self) -> np.ndarray:
        """The words that the model reads, str (sample, time); "" on padded steps."""
        return words.words_read(self)

    @property
    def own_words(self) -> np.ndarray:
        """The words as they were written, str (sample, time); "" on padded steps.

        A word that the model does not see has brackets: it reads "[UNK]" in its place, because
        its vocabulary lacks the word or the word was switched off. No other word has brackets.
        """
        return words.written_words(self, unseen="[{}]")

    @property
    def display_static(self) -> np.ndarray | None:
        """Static facts in their original units, float64 (sample, static feature), or None."""
        if self.static is None or self.static_scale is None:
            return None
        return scaling.unscaled(self.static, self.static_center, self.static_scale)

    @property
    def task(self) -> Literal["regression", "binary", "multiclass", "multilabel"]:
        """Whether the target is numbers, one of two classes or of several, or labels of 0 and 1."""
        if not self.class_names:
            return "regression"
        if self.target_names:
            return "multilabel"
        return "binary" if len(self.class_names) == 2 else "multiclass"

    def check_complete(self) -> None:
        """Raise if a value is missing; the message names the first."""
        validation.check_finite(self.values, self.mask, self.feature_names)
        if self.static is not None:
            validation.check_finite(self.static, None, self.static_names)

    def inputs_for(self, model: Any) -> Any:
        """Return what `model` takes, in its own order: an array, or a list for several inputs.

        Inputs are told apart by rank, type and size: (sample, time, feature) is the sequence,
        bool (sample, time) the mask, (sample, static feature) the static facts.
        """
        self.check_complete()
        sequence = self.values_for(model) if self.tokens is None else self.tokens
        return inputs.arrange(model, self.roles_in(model), sequence, self.static, self.mask)

    def values_for(self, model: Any) -> np.ndarray:
        """Return the values with padded steps as the model's Masking layer expects them."""
        if self.mask.all():
            return self.values
        value = inputs.padding_value(model)
        return np.where(self.mask[..., None], self.values, np.float32(value))

    def roles_in(
        self, model: Any, named: Mapping[inputs.Role, str] | None = None
    ) -> tuple[inputs.Role, ...]:
        """Tell which of the model's inputs is the sequence, the static facts and the mask."""
        check_model(model, built=False)
        inputs.check_vocabulary(model, self.vocabulary)
        inputs.check_learned(model, self)
        if named is None and self.static is not None:
            inputs.check_is_no_mask(self.static, self.values.shape[1])
        return inputs.find_roles(
            model,
            named=named,
            tokens=self.tokens is not None,
            num_features=len(self.feature_names),
            num_steps=self.values.shape[1],
            num_static=len(self.static_names),
        )

    def __repr__(self) -> str:
        lengths = self.lengths if len(self) else np.array([self.values.shape[1]])
        steps = f"{lengths.min()}-{lengths.max()}" if np.ptp(lengths) else str(lengths[0])
        what = f"steps x {_count(len(self.feature_names), 'feature')}"
        if self.tokens is not None:
            what = "words"
        text = f"SequenceData {self.name!r}: {_count(len(self), 'sample')} x {steps} {what}"
        if self.variables:
            text += f" of {_count(len(set(self.variables)), 'variable')}"
        if self.static is not None:
            text += f" + {len(self.static_names)} static"
        if self.target_names:
            noun = "label" if self.class_names else "target"
            text += f", {_count(len(self.target_names), noun)}"
        elif self.class_names:
            text += f", {len(self.class_names)} classes"
        elif self.target is not None:
            text += f", target {self.target_name}"
        if self.split is None:
            return text + ", not split"
        sizes = [
            f"{label} {int((self.split == label).sum())}"
            for label in SPLITS
            if (self.split == label).any()
        ]
        return text + ", " + " / ".join(sizes)

    def _repr_html_(self) -> str:
        from .page import page_of

        return page_of(self)


def check_data(remedy: str = "", **named: Any) -> None:
    """Raise unless each is a `SequenceData`."""
    remedy = remedy or "Make one with SequenceData.from_arrays(values), or load one."
    check_type(SequenceData, remedy, **named)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
