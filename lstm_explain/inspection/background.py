"""``Background``: sequences that stand for "absent", for SHAP values and faithfulness checks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..arguments import check_whole, described, is_whole, what_is
from ..sequences.data import SequenceData, check_data
from ..sequences.padding import as_array
from ..sequences.scaling import other_scale, scale_of
from ..sequences.words import PAD

DEFAULT_ROWS = 100


@dataclass(frozen=True, eq=False)
class Background:
    """Reference sequences that stand for "absent".

    An absent value is replaced by the same step of each of these rows in turn, and the results are
    averaged. On data with hidden states this choice changes the values more than the method does,
    so every report and plot names it.

    Attributes
    ----------
    values : float32 array (row, time, feature)
        In the units that the model reads. Rows that end early hold their last real value, and
        rows that a model masks in front begin with their first.
    static : float32 array (row, static feature) or None
    description : str
        What these rows are, for plots and reports.
    seed : int or None
        Seed of the choice of rows; None where they were not chosen at random.
    tokens : int32 array (row, time) or None
        Token ids of a text's background; `values` then has no features.
    source : SequenceData or None
        What the rows were taken from, which knows their units or vocabulary.
    """

    values: np.ndarray
    static: np.ndarray | None
    description: str
    seed: int | None = None
    tokens: np.ndarray | None = None
    source: SequenceData | None = field(default=None, repr=False)

    def tokens_for(self, num_steps: int) -> np.ndarray:
        """Return the token ids (row, num_steps): longer rows cut, shorter ones held."""
        if self.tokens is None:
            raise ValueError(
                "Expected a background of token ids; received numbers. Explain the model with "
                "tokens, or use a numeric background for a numeric model."
            )
        return _to_length(self.tokens, num_steps)

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def from_data(cls, data: SequenceData, rows: int = DEFAULT_ROWS, seed: int = 0) -> Background:
        """Use sequences of a data set, drawn at random if it has more than `rows`.

        A random draw has no bias: on average, base value and SHAP values are those of all
        sequences, which is not so for the centres of clusters.

        Parameters
        ----------
        data : SequenceData
            Usually ``data.train``.
        rows : int
            How many sequences to use at most.
        seed : int
            Seed of the choice.
        """
        _check_some(data, rows, seed)
        parts = set() if data.split is None else set(data.split.tolist())
        noun = "sequence" if len(data) == 1 else "sequences"
        origin = f"{parts.pop()} {noun}" if len(parts) == 1 else noun
        if len(data) > rows:
            drawn = np.sort(np.random.default_rng(seed).permutation(len(data))[:rows])
            description = f"{rows} of {len(data)} {origin}"
            values, static, tokens = _held(data[drawn])
            return cls(values, static, description, seed, tokens, data)
        values, static, tokens = _held(data)
        return cls(values, static, f"{len(data)} {origin}", None, tokens, data)

    @classmethod
    def mean(cls, data: SequenceData) -> Background:
        """Use the mean of a data set at each step, as one row."""
        _check_some(data)
        if data.tokens is not None:
            raise ValueError(
                "Expected numbers to take the mean of; received token ids. Use "
                "Background.from_data(data)."
            )
        values = np.where(data.mask[..., None], data.values, np.nan)
        # Every step has at least one real value: the longest sequence reaches the end of the array
        # unless the data was sliced, and then the last known mean is held.
        counts = data.mask.sum(axis=0)
        means = np.nansum(values, axis=0) / np.maximum(counts, 1)[:, None]
        means[counts == 0] = means[counts > 0][-1]
        static = None if data.static is None else data.static.mean(axis=0, keepdims=True)
        noun = "sequence" if len(data) == 1 else "sequences"
        description = f"mean of {len(data)} {noun}"
        return cls(means[None].astype(np.float32), static, description, source=data)

    @classmethod
    def resolve(cls, background: object, data: SequenceData) -> Background:
        """Return what a caller passed as ``background=`` as a `Background` for `data`.

        Parameters
        ----------
        background : Background, SequenceData, array (row, time, feature), "zero" or "mean"
            "mean" is the training mean of standardised data, which is 0 in the model's units. For
            token ids also a word, an id, or an array of ids (row, time).

        Raises
        ------
        ValueError
            None, an unknown word, or rows with other features or another scale than `data`.
        """
        if data.tokens is not None:
            background = cls._for_text(background, data)
        if background is None:
            raise ValueError(
                "Expected a background to compare with; received None. Pass background=data.train, "
                'a reference such as "zero", or an array of reference sequences.'
            )
        if isinstance(background, str):
            return cls._from_word(background, data)
        if isinstance(background, SequenceData):
            background = cls.from_data(background)
        if isinstance(background, np.ndarray):
            background = cls._from_array(background, data)
        if not isinstance(background, Background):
            raise TypeError(
                "Expected background to be SequenceData, a Background, an array or a word; "
                f"received {what_is(background)}. Pass background=data.train."
            )
        background._check_against(data)
        return background

    @classmethod
    def _for_text(cls, background: object, data: SequenceData) -> object:
        """Return a background for token ids: "[UNK]" by default, a word, an id, or other texts."""
        if background is None:
            background = "[UNK]"
        if isinstance(background, Background | SequenceData):
            return background
        if isinstance(background, np.ndarray) and data.static is None and background.ndim == 2:
            texts = SequenceData.from_tokens(background, vocabulary=data.vocabulary)
            given = cls.from_data(texts, rows=len(texts))
            return replace(given, description=f"{len(texts)} given text{'s' * (len(texts) > 1)}")
        if isinstance(background, str) and background == "zero":
            return background
        size = len(data.vocabulary)
        if isinstance(background, str) and background in data.vocabulary:
            token, what = data.vocabulary.index(background), f"the word {background!r}"
        elif is_whole(background) and 0 <= background < (size or np.iinfo(np.int32).max):
            token = int(background)
            what = f"the token {data.vocabulary[token] if data.vocabulary else token!r}"
        else:
            ids = f"from 0 to {size - 1}" if size else "of 0 or more"
            raise ValueError(
                f"Expected a word of the vocabulary ({size} words), a token id {ids}, an array of "
                f'ids (row, time), "zero" or texts as background; received {described(background)}.'
                " Give the id that stands for unknown words: background=1."
            )
        tokens = np.full((1, data.mask.shape[1]), token, np.int32)
        static = None if data.static is None else np.zeros((1, data.static.shape[1]), np.float32)
        return cls(np.zeros((*tokens.shape, 0), np.float32), static, what, None, tokens)

    @classmethod
    def _from_word(cls, word: str, data: SequenceData) -> Background:
        standardised = bool(np.any(data.center != 0) or np.any(data.scale != 1))
        if word not in ("zero", "mean") or (word == "mean" and not standardised):
            raise ValueError(
                f'Expected "zero", or "mean" for standardised data; received {word!r}. Pass '
                "background=data.train, or Background.mean(data.train)."
            )
        values = np.zeros((1, *data.values.shape[1:]), np.float32)
        static = None if data.static is None else np.zeros((1, data.static.shape[1]), np.float32)
        return cls(values, static, "the training mean" if word == "mean" else "zero")

    @classmethod
    def _from_array(cls, array: np.ndarray, data: SequenceData) -> Background:
        if array.ndim == 2:
            array = array[None]
        if array.ndim != 3 or 0 in array.shape[:2]:
            raise ValueError(
                f"Expected background rows of shape (row, time, feature), with at least one row "
                f"and step; received {array.shape}. Pass background=data.train."
            )
        if data.static is not None:
            raise ValueError(
                "Expected a background with static facts, as the data has them; received an array. "
                "Pass SequenceData, for instance background=data.train."
            )
        array = as_array(array, "background")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity
            rows = array.astype(np.float32) if array.dtype.kind in "fiub" else np.array(np.nan)
        if not np.isfinite(rows).all():
            raise ValueError(
                "Expected finite background values, within float32; received NaN, infinity or "
                f"text, type {array.dtype}. Fill or remove them."
            )
        plural = "s" if len(array) > 1 else ""
        return cls(rows, None, f"{len(array)} given sequence{plural}")

    def _check_against(self, data: SequenceData) -> None:
        if self.source is not None:
            _check_same_units(self.source, data)
        if self.values.shape[2] != data.values.shape[2]:
            raise ValueError(
                f"Expected a background with {data.values.shape[2]} features "
                f"({list(data.feature_names)}); received {self.values.shape[2]}. Use sequences "
                "with the same features as the data."
            )
        sizes = [0 if s is None else s.shape[1] for s in (self.static, data.static)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"Expected a background with {sizes[1]} static facts; received {sizes[0]}. Use "
                "sequences with the same static facts as the data."
            )

    def rows_for(self, num_steps: int) -> np.ndarray:
        """Return the rows (row, num_steps, feature): longer ones cut, shorter ones held.

        A row that ends before `num_steps` keeps its last real value to the end.
        """
        return _to_length(self.values, num_steps)


def _check_some(data: SequenceData, rows: int = 1, seed: int = 0) -> None:
    check_data("Pass data.train.", data=data)
    check_whole(least=1, remedy=f"{DEFAULT_ROWS} is the default.", rows=rows)
    check_whole(seed=seed)
    data.check_complete()
    if len(data) == 0 or data.mask.shape[1] == 0:
        raise ValueError(
            "Expected at least one background sequence with at least one step; received "
            f"{'0 steps' if len(data) else 'none'}. Use background=data.train."
        )


def _check_same_units(background: SequenceData, data: SequenceData) -> None:
    """Raise if features, units or vocabulary of the background differ from those of the data."""
    if data.vocabulary and background.vocabulary not in ((), data.vocabulary):
        raise ValueError(
            f"Expected a background with the data's vocabulary, of {len(data.vocabulary)} words; "
            f"received one of {len(background.vocabulary)} words, in which the same ids are other "
            "words. Read both with one: SequenceData.from_texts(texts, vocabulary=run.vocabulary)."
        )
    names = background.feature_names
    if names != data.feature_names and set(names) == set(data.feature_names):
        raise ValueError(
            f"Expected a background with the features in the order {list(data.feature_names)}; "
            f"received {list(names)}. Make it with features in the same order."
        )
    # A plain array may be in the model's own units.
    if not (data.scale_known and background.scale_known):
        return
    if wrong := other_scale(background, scale_of(data)):
        raise ValueError(
            f"Expected a background that was standardised like the data; received {wrong}. Take "
            "both from one object: data.test and background=data.train."
        )


def _held(data: SequenceData) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Values, static facts and tokens, with padded steps replaced by the last real step."""
    mask = data.mask
    if data.tokens is not None and data.vocabulary[:1] == (PAD,):
        padded = mask & (data.tokens != 0)  # ids that were padded before they came here
        mask = np.where(padded.any(axis=1, keepdims=True), padded, mask)
    steps = nearest_real(mask)
    values = np.take_along_axis(data.values, steps[..., None], axis=1)
    tokens = None if data.tokens is None else np.take_along_axis(data.tokens, steps, axis=1)
    return values, data.static, tokens


def nearest_real(mask: np.ndarray) -> np.ndarray:
    """Return the last real step up to each step, or else the first real one, (row, time).

    Examples
    --------
    >>> nearest_real(np.array([[False, True, True, False]])).tolist()
    [[1, 1, 2, 2]]
    """
    steps = np.where(mask, np.arange(mask.shape[1]), -1)
    steps = np.maximum.accumulate(steps, axis=1)
    return np.where(steps < 0, mask.argmax(axis=1)[:, None], steps)


def _to_length(rows: np.ndarray, num_steps: int) -> np.ndarray:
    missing = max(num_steps - rows.shape[1], 0)
    return np.concatenate([rows, np.repeat(rows[:, -1:], missing, axis=1)], axis=1)[:, :num_steps]
