"""Batches of texts of similar length, which save the time spent on padding."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..arguments import check_flag, check_model, check_whole
from ..backend import keras, retracing_expected
from ..sequences.data import SequenceData, check_data
from ..sequences.inputs import arrange

# The steps of a batch are rounded up to a multiple of it: a new number of steps may be compiled.
MULTIPLE = 32
# Batches whose texts are sorted by length together. More batches need less padding, fewer batches
# mix the texts better.
BATCHES_PER_CHUNK = 50


class LengthBuckets(keras.utils.PyDataset):
    """Batches of texts of similar length, each cut to its longest text.

    A batch has as many steps as its longest text, rounded up to a multiple of 32. With a seed, each
    epoch puts the texts into a new random order, sorts chunks of 50 batches by length and shuffles
    the batches. Without one, all texts are sorted, always in the same way.

    Parameters
    ----------
    model : keras.Model
        That reads texts of any length and masks padding, as `build_model` makes them.
    data : SequenceData
        Texts.
    batch_size : int
        Texts per batch.
    seed : int, optional
        Of the order of each epoch, for training.
    targets : bool
        False leaves the targets out, for predicting.

    Attributes
    ----------
    batches : list of int arrays
        Positions in `data` of the texts of each batch, in this epoch's order.

    Raises
    ------
    ValueError
        The data holds no texts, or none that may be cut for this model, or no target; the batch
        size is below 1.

    Examples
    --------
    >>> buckets = LengthBuckets(model, data.train, batch_size=64, seed=0)  # doctest: +SKIP
    >>> model.fit(buckets, epochs=3)                                       # doctest: +SKIP
    """

    def __init__(
        self,
        model: keras.Model,
        data: SequenceData,
        batch_size: int,
        seed: int | None = None,
        targets: bool = True,
    ) -> None:
        super().__init__()
        _check(model, data, batch_size, targets)
        check_whole(optional=True, seed=seed)
        self.batch_size = batch_size
        self._data, self._targets = data, targets
        self._arrange = partial(arrange, model, data.roles_in(model))
        self._lengths = data.lengths
        self._random = None if seed is None else np.random.default_rng(seed)
        self._multiple = MULTIPLE
        self.on_epoch_end()
        steps = set(map(self.num_steps, self.batches))
        if len(steps) == 1:
            # Keras on TensorFlow then expects this number of steps in every batch of every epoch.
            self._multiple = steps.pop()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self.batches[index]
        steps = self.num_steps(rows)
        data = self._data[rows]
        tokens: Any = data.tokens
        inputs = self._arrange(tokens[:, :steps], data.static, data.mask[:, :steps])
        if isinstance(inputs, list):
            inputs = tuple(inputs)  # TensorFlow would take a list for one array
        return (inputs, data.target) if self._targets else (inputs,)

    def num_steps(self, rows: np.ndarray) -> int:
        """Return how many steps a batch of these texts has."""
        longest = int(self._lengths[rows].max())
        return min(-(-longest // self._multiple) * self._multiple, self._data.mask.shape[1])

    def on_epoch_end(self) -> None:
        """Put the texts into the batches of the next epoch. Keras calls it."""
        count = len(self._data)
        order, chunk = np.arange(count), count
        if self._random is not None:
            order, chunk = self._random.permutation(count), BATCHES_PER_CHUNK * self.batch_size
        self.batches = []
        for start in range(0, count, chunk):
            part = order[start : start + chunk]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            ends = range(self.batch_size, len(part), self.batch_size)
            self.batches += np.split(part, ends)
        if self._random is not None:
            self._random.shuffle(self.batches)
        # Keras on TensorFlow learns from the first two batches which dimensions vary.
        steps = np.array([self.num_steps(rows) for rows in self.batches])
        first, second = int(steps.argmax()), int(steps.argmin())
        if first != second:
            others = [b for i, b in enumerate(self.batches) if i not in (first, second)]
            self.batches = [self.batches[first], self.batches[second], *others]


def predict_by_length(model: keras.Model, data: SequenceData, batch_size: int = 256) -> np.ndarray:
    """Predict like ``model.predict``, in the order of the samples, but faster for texts.

    Texts are read in batches of similar length, with less padding. Where that could change a
    prediction or saves nothing (numbers, texts of one length, models that read their padding or
    have a fixed number of steps), this is ``model.predict``.

    Parameters
    ----------
    model : keras.Model
    data : SequenceData
        What to predict.
    batch_size : int
        Samples per batch; less needs less memory.

    Returns
    -------
    array (sample, output)

    Raises
    ------
    ValueError
        Data that does not fit the model, or a batch size below 1.

    Examples
    --------
    >>> probabilities = predict_by_length(run.model, data.test)  # doctest: +SKIP
    """
    _check_batch_size(batch_size)
    check_model(model)
    check_data(data=data)
    with retracing_expected():
        if not may_be_cut(model, data):
            return model.predict(data.inputs_for(model), batch_size=batch_size, verbose=0)
        buckets = LengthBuckets(model, data, batch_size, targets=False)
        predictions = model.predict(buckets, verbose=0)
    ordered = np.empty_like(predictions)
    ordered[np.concatenate(buckets.batches)] = predictions
    return ordered


def may_be_cut(model: keras.Model, data: SequenceData) -> bool:
    """Tell whether padding may be cut off: the data are texts and the model ignores padding."""
    roles = data.roles_in(model)
    tensors = list(getattr(model, "inputs", None) or [])
    if data.tokens is None or data.mask.all() or not tensors:
        return False
    timed = [tensor for role, tensor in zip(roles, tensors, strict=True) if role != "static"]
    masked = "mask" in roles or any(
        getattr(layer, "mask_zero", False) for layer in model._flatten_layers()
    )
    shape = model.output_shape  # a list for several outputs
    one_output = isinstance(shape, tuple) and len(shape) == 2
    return masked and one_output and all(tensor.shape[1] is None for tensor in timed)


def _check(model: keras.Model, data: SequenceData, batch_size: int, targets: bool) -> None:
    _check_batch_size(batch_size)
    check_model(model, built=False)
    check_data(data=data)
    check_flag(targets=targets)
    data.check_complete()
    if not may_be_cut(model, data):
        raise ValueError(
            "Expected texts of different lengths, and a model with one output per text that reads "
            f"any number of steps and masks padding; received {data!r} and {model.name!r}. Train "
            "with lx.train, which uses buckets only where they change nothing but the time."
        )
    if targets and data.target is None:
        raise ValueError(
            "Expected texts with a target; received none. Give targets=False to predict only."
        )


def _check_batch_size(batch_size: int) -> None:
    check_whole(least=1, remedy="Try 256.", batch_size=batch_size)
