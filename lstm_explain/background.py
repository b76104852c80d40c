"""``Background``: what "absent" means, once, for SHAP values and for faithfulness tests alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sequences import SequenceData

DEFAULT_ROWS = 100


@dataclass(frozen=True, eq=False)
class Background:
    """Reference sequences that stand for "this was not known".

    An absent value is replaced by the same step of these rows, one row after the other, and the
    results are averaged. On data with hidden states this choice decides more than the method does,
    so every report and plot names it.

    Attributes
    ----------
    values : float32 array (row, time, feature)
        In the units that the model reads. Rows that end early hold their last real value.
    static : float32 array (row, static feature) or None
    description : str
        What these rows are, for plots and reports.
    seed : int or None
        Seed of the choice of rows; None where nothing was chosen at random.
    """

    values: np.ndarray
    static: np.ndarray | None
    description: str
    seed: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def from_data(cls, data: SequenceData, rows: int = DEFAULT_ROWS, seed: int = 0) -> Background:
        """Use sequences of a data set, at random where it has more than `rows`.

        Parameters
        ----------
        data : SequenceData
            Usually ``data.train``.
        rows : int
            How many sequences to use at most.
        seed : int
            Seed of the choice.
        """
        data.check_complete()
        if len(data) == 0:
            raise ValueError(
                "Expected at least one background sequence; received none. Use "
                "background=data.train."
            )
        parts = set() if data.split is None else set(data.split.tolist())
        origin = f"{parts.pop()} sequences" if len(parts) == 1 else "sequences"
        if len(data) > rows:
            chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:rows])
            description = f"{rows} of {len(data)} {origin}"
            return cls(_held(data[chosen]), _static(data[chosen]), description, seed)
        return cls(_held(data), _static(data), f"{len(data)} {origin}")

    @classmethod
    def mean(cls, data: SequenceData) -> Background:
        """Use the mean of a data set at each step, as one row."""
        data.check_complete()
        values = np.where(data.mask[..., None], data.values, np.nan)
        # Every step has at least one real value: the longest sequence reaches the end of the array
        # unless the data was sliced, and then the last known mean is held.
        counts = data.mask.sum(axis=0)
        means = np.nansum(values, axis=0) / np.maximum(counts, 1)[:, None]
        means[counts == 0] = means[counts > 0][-1]
        static = None if data.static is None else data.static.mean(axis=0, keepdims=True)
        return cls(means[None].astype(np.float32), static, f"mean of {len(data)} sequences")

    @classmethod
    def resolve(cls, background: object, data: SequenceData) -> Background:
        """Read what a caller may pass as ``background=`` for explaining `data`.

        Parameters
        ----------
        background : Background, SequenceData, array (row, time, feature), "zero" or "mean"
            "mean" is the training mean of standardised data, which is 0 in the model's units.

        Raises
        ------
        ValueError
            None, an unknown word, or rows with other features than `data`.
        """
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
                f"received {type(background).__name__}. Pass background=data.train."
            )
        background._check_against(data)
        return background

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
        if array.ndim != 3 or len(array) == 0:
            raise ValueError(
                f"Expected background rows of shape (row, time, feature); received {array.shape}. "
                "Pass background=data.train."
            )
        if data.static is not None:
            raise ValueError(
                "Expected a background with static facts, as the data has them; received an array. "
                "Pass SequenceData, for instance background=data.train."
            )
        if not np.isfinite(array).all():
            raise ValueError(
                "Expected finite background values; received NaN or infinity. Fill or remove them."
            )
        plural = "s" if len(array) > 1 else ""
        return cls(array.astype(np.float32), None, f"{len(array)} given sequence{plural}")

    def _check_against(self, data: SequenceData) -> None:
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
        have = self.values.shape[1]
        if have >= num_steps:
            return self.values[:, :num_steps]
        held = np.repeat(self.values[:, -1:], num_steps - have, axis=1)
        return np.concatenate([self.values, held], axis=1)


def _held(data: SequenceData) -> np.ndarray:
    """Replace padded steps by the sequence's last real step."""
    steps = np.minimum(np.arange(data.values.shape[1]), data.lengths[:, None] - 1)
    return np.take_along_axis(data.values, steps[..., None], axis=1)


def _static(data: SequenceData) -> np.ndarray | None:
    return data.static
