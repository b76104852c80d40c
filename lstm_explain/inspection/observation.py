"""``inspect``, and what a model itself does with samples: output, masks, embedded tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from ..backend import keras, ops
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .anatomy import Anatomy, read_anatomy
from .ids import find_id_call
from .interventions import Record, calls_recorded, masks_recorded, run
from .outputs import linked
from .written_attention import find_written_attention

# How exactly two runs of one model agree: relative to the spread of its outputs, and to their size,
# in units of the precision in which the model computes.
_OF_SPREAD, _OF_PRECISION = 1e-5, 32


def inspect(
    model: Any,
    data: SequenceData | None = None,
    *,
    inputs: Mapping[Role, str] | None = None,
) -> Anatomy:
    """Return the inputs, layers and output of a model, and what will be explained of it.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData, optional
        The data to explain: with them inputs are told apart, and must fit; and the model is run on
        the first samples, to see whether what its layers say of its output is so.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.

    Returns
    -------
    Anatomy
        Print it to read it.

    Raises
    ------
    TypeError
        Not a Keras model.
    ValueError
        The model's inputs do not fit the data, or it cannot be explained correctly: a stateful
        layer, an embedding of something computed from the token ids, several outputs.

    Examples
    --------
    >>> inspect(model)  # doctest: +SKIP
    Anatomy of 'lstm_with_attention'
      reads      values as sequence
      ...
    """
    anatomy = read_anatomy(model, data, inputs=inputs)
    if data is None or len(data) == 0:
        return anatomy
    few = inputs_of(anatomy, data[:64])
    observation = observe(anatomy, few)
    anatomy = with_calls(anatomy, few, observation, observe)
    margin = ops.convert_to_numpy(run(anatomy, [ops.convert_to_tensor(array) for array in few]))
    if not agree(anatomy, linked(margin, anatomy.link), observation.output):
        return replace(anatomy, link="identity", margin_operation=None)
    return replace(anatomy, margin_was_seen=True)


@dataclass(frozen=True)
class Observation:
    """What a model does with some samples.

    Attributes
    ----------
    output : array (sample, output) or (sample, step, output)
    masks : tuple of tuples of bool arrays (sample, time)
        What each call of each Masking layer and mask operation leaves unmasked.
    embedded : tuple of tuples of pairs of arrays
        The ids and the vectors of each call of each Embedding layer.
    attention : tuple of tuples of arrays
        An empty array for each call of each attention layer: how often it is called.
    output_mask : tuple of bool arrays (sample, time)
        The mask that the output carries, or nothing.
    """

    output: np.ndarray
    masks: tuple[tuple[np.ndarray, ...], ...]
    embedded: tuple[tuple[tuple[np.ndarray, np.ndarray], ...], ...]
    attention: tuple[tuple[np.ndarray, ...], ...]
    output_mask: tuple[np.ndarray, ...]

    def __getitem__(self, index: slice | np.ndarray) -> Observation:
        parts = keras.tree.map_structure(lambda array: array[index], tuple(vars(self).values()))
        return Observation(*parts)


def steps_read(anatomy: Anatomy, observation: Observation, num_steps: int) -> np.ndarray:
    """Return the steps that the model's masks leave, bool (sample, num_steps).

    Of several masks of the model, a step that one of them leaves is read; all are of a sample that
    is masked throughout, and where no mask is of the input's steps. Words are read whose id, as the
    Embedding gets it, is not 0 where it masks 0.
    """
    shape = (len(observation.output), num_steps)
    masks = [mask for calls in observation.masks for mask in calls]
    goes = anatomy.step_masks or (True,) * len(masks)
    masks = [m for m, of_steps in zip(masks, goes, strict=True) if of_steps and m.shape == shape]
    read = np.any(masks, axis=0) if masks else np.ones(shape, bool)
    read |= ~read.any(axis=1, keepdims=True)
    calls = zip(anatomy.embedding_layers, observation.embedded, strict=True)
    by_layer = {layer: pairs for layer, pairs in calls if layer.mask_zero}
    words = [
        by_layer[layer][number][0] != 0
        for layer, number in anatomy.embedding_calls
        if layer in by_layer
    ]
    return read & np.any(words, axis=0) if words else read


def observed(anatomy: Anatomy, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Run a model and return the fields of an `Observation`, as tensors."""
    record: Record = {}
    operations = anatomy.mask_operations + anatomy.embedding_layers + anatomy.attention_layers
    changes = [masks_recorded(layer, record) for layer in anatomy.masking_layers]
    changes += [calls_recorded(operation, record) for operation in operations]
    output = run(anatomy, inputs, changes, margin=False)
    # What has no axis of samples, such as the positions of the steps, is of no sample.
    none = inputs[1][:, :0]

    def of_samples(*arrays: Any) -> tuple[Any, ...]:
        by_sample = all(array.shape[0] == inputs[0].shape[0] for array in arrays)
        return arrays if by_sample else (none,) * len(arrays)

    masks = [tuple(of_samples(mask)[0] for mask in record[each]) for each in anatomy.masking_layers]
    masks += [
        tuple(of_samples(mask)[0] for _, mask in record[each]) for each in anatomy.mask_operations
    ]
    output_mask = getattr(output, "_keras_mask", None)
    return (
        output,
        tuple(masks),
        tuple(
            tuple(of_samples(*pair) for pair in record[layer]) for layer in anatomy.embedding_layers
        ),
        tuple((none,) * len(record[layer]) for layer in anatomy.attention_layers),
        () if output_mask is None else (output_mask,),
    )


def observe(anatomy: Anatomy, inputs: Sequence[np.ndarray], batch_size: int = 512) -> Observation:
    """Run a model as it is now, layer by layer: no function that was compiled earlier is used."""
    batches = []
    for start in range(0, len(inputs[0]), batch_size):
        batch = [ops.convert_to_tensor(array[start : start + batch_size]) for array in inputs]
        try:
            fields = keras.tree.map_structure(ops.convert_to_numpy, observed(anatomy, batch))
        except Exception as error:
            # The words of TensorFlow and of PyTorch.
            if "is not in [0," in str(error) or isinstance(error, IndexError):
                raise ValueError(
                    f"Expected ids that a table of {anatomy.model.name!r} has a row for; received "
                    "another one. Give ids from 0 to input_dim - 1 of the Embedding that reads it."
                ) from error
            if not _is_symbolic(error):
                raise
            raise ValueError(
                f"Expected masks and embeddings outside of loops over steps; those of "
                f"{anatomy.model.name!r} are made inside one. Put Masking and Embedding layers "
                "before TimeDistributed and layers like it."
            ) from error
        batches.append(fields)
    joined = keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *batches)
    return Observation(*joined)


def _is_symbolic(error: Exception) -> bool:
    return "symbolic" in str(error).lower() or "tracer" in type(error).__name__.lower()


def inputs_of(anatomy: Anatomy, data: SequenceData) -> tuple[np.ndarray, ...]:
    """Return values, token ids, static facts and mask; of width 0 where there are none."""
    static = np.zeros((len(data), 0), np.float32) if data.static is None else data.static
    tokens = np.zeros((len(data), 0), np.int32) if data.tokens is None else data.tokens
    check_vocabulary_size(anatomy, tokens)
    return data.values_for(anatomy.model), tokens, static, data.mask


def check_vocabulary_size(anatomy: Anatomy, tokens: np.ndarray) -> None:
    """Raise if a token id is in no table; of several tables, one may be of something else."""
    tables = [layer for layer in anatomy.embedding_layers if _reads_input(layer)]
    table = max(tables, key=lambda layer: layer.input_dim, default=None)
    if table is not None and tokens.size and tokens.max() >= table.input_dim:
        raise ValueError(
            f"Expected token ids below {table.input_dim}, the size of {table.name!r}; received "
            f"{tokens.max()}. Use the vocabulary that the model was trained on."
        )


def _reads_input(layer: Any) -> bool:
    """Whether a layer may read an input itself; what is computed from it may have other ids."""
    tensors = [tensor for node in layer._inbound_nodes for tensor in node.input_tensors]
    origins = [tensor._keras_history.operation for tensor in tensors]
    return not tensors or any(isinstance(each, keras.layers.InputLayer) for each in origins)


def with_calls(
    anatomy: Anatomy,
    inputs: Sequence[np.ndarray],
    observation: Observation,
    observe_again: Callable[[Anatomy, Sequence[np.ndarray]], Observation],
) -> Anatomy:
    """Fill in which calls of attention and embedding layers there are, and which read the words.

    Where that is open, the model is observed again, with other words.

    Raises
    ------
    ValueError
        An Embedding reads facts as ids that are not whole, or ids that are computed from words at
        other steps.
    """
    _, tokens, static, _ = inputs
    reads_words, id_calls = [], []
    other, words = None, tokens
    if tokens.shape[1] and not anatomy.embedding_layers:
        raise ValueError(
            f"Expected an Embedding layer that reads the token ids; {anatomy.model.name!r} has "
            "none. Give the numbers that it makes of them, such as np.eye(size)[ids], to a model "
            "that begins behind it, or put an Embedding with these numbers as weights."
        )
    for position, layer in enumerate(anatomy.embedding_layers):
        for number, (ids, vectors) in enumerate(observation.embedded[position]):
            is_word = ids.shape == tokens.shape and np.array_equal(ids, tokens)
            read = partial(_ids_read, anatomy, observe_again, position, number)
            if not is_word and (call := find_id_call(layer, number, ids, inputs, read)):
                id_calls.append(call)
                continue
            if not tokens.shape[1]:  # positions, say: they stay as the sample has them
                continue
            if vectors.size and vectors.shape[-1] != layer.output_dim:
                raise ValueError(
                    f"Expected vectors of output_dim={layer.output_dim} numbers; {layer.name!r} "
                    f"gives {vectors.shape[-1]}. Give what it adds a layer of its own behind it."
                )
            if is_word:
                reads_words.append((layer, number))
                continue
            if other is None:  # the same padding, other words
                words = other_words(tokens[:8], tokens)
                other = observe_again(anatomy, [inputs[0][:8], words, static[:8], inputs[3][:8]])
            moved = other.embedded[position][number][0]
            if np.array_equal(moved, ids[:8]):
                continue  # positions, say: they stay as the sample has them
            if ids.shape != tokens.shape or not _is_word_by_word(
                np.concatenate([tokens[:8], words]), np.concatenate([ids[:8], moved])
            ):
                raise ValueError(
                    f"Expected each Embedding to read the token ids step by step; {layer.name!r} "
                    "reads ids that are computed from several steps. Compute them beforehand and "
                    "explain a model that reads them as its tokens."
                )
            reads_words.append((layer, number))
    if tokens.shape[1] and not reads_words:
        raise ValueError(
            f"Expected an Embedding layer that reads the token ids; of {anatomy.model.name!r} none "
            "was seen to read them, as after model.quantize(...). Explain the model before that."
        )
    attention = tuple(
        (layer, number)
        for layer, calls in zip(anatomy.attention_layers, observation.attention, strict=True)
        for number in range(len(calls))
    )
    written = find_written_attention(anatomy, inputs)
    anatomy = replace(
        anatomy,
        embedding_calls=tuple(reads_words),
        id_calls=tuple(id_calls),
        attention_calls=(*attention, *((each, 0) for each in written)),
        written_attention=written,
    )
    return replace(anatomy, step_masks=_step_masks(anatomy, inputs, observation, observe_again))


def _step_masks(
    anatomy: Anatomy,
    inputs: Sequence[np.ndarray],
    observation: Observation,
    observe_again: Callable[[Anatomy, Sequence[np.ndarray]], Observation],
) -> tuple[bool, ...]:
    """Tell which masks go with the input's steps: if two of those change places, so does the mask.

    A mask of a reversed, shifted or transposed sequence does not. It is held all the same, but
    no step of the input is padding because of it.
    """
    shape = inputs[3].shape
    masks = [mask for calls in observation.masks for mask in calls]
    orders: dict[int, np.ndarray] = {}
    for mask in (mask for mask in masks if mask.shape == shape):
        for sample in np.flatnonzero(~mask.all(axis=1) & mask.any(axis=1))[:4]:
            real, padding = np.flatnonzero(mask[sample]), np.flatnonzero(~mask[sample])
            # Not two that a reversed sequence would have change places too.
            pairs = (pair for pair in product(real, padding) if sum(pair) != shape[1] - 1)
            if pair := next(pairs, None):
                orders[sample] = np.arange(shape[1])
                orders[sample][[*pair]] = pair[::-1]
    if not orders:
        return ()
    samples, order = np.array([*orders]), np.stack([*orders.values()])

    def swapped(array: np.ndarray) -> np.ndarray:
        index = order.reshape(*order.shape, *[1] * (array.ndim - 2))
        return (
            np.take_along_axis(array[samples], index, axis=1) if array.shape[1] else array[samples]
        )

    values, tokens, static, mask = inputs
    again = observe_again(
        anatomy, [swapped(values), swapped(tokens), static[samples], swapped(mask)]
    )
    moved = [mask for calls in again.masks for mask in calls]
    return tuple(
        before.shape == shape and np.array_equal(after, swapped(before))
        for before, after in zip(masks, moved, strict=True)
    )


def other_words(tokens: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Return token ids with words drawn from a pool in place of all that are not padding."""
    words = pool[pool != 0]
    if not len(words):
        return tokens
    drawn = np.random.default_rng(0).choice(words, tokens.shape)
    return np.where(tokens == 0, 0, drawn).astype(tokens.dtype)


def _is_word_by_word(tokens: np.ndarray, ids: np.ndarray) -> bool:
    """Whether the same token always comes with the same id."""
    pairs = np.unique(np.stack([tokens.ravel(), ids.ravel().astype(tokens.dtype)]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1]


def _ids_read(
    anatomy: Anatomy,
    observe_again: Callable[[Anatomy, Sequence[np.ndarray]], Observation],
    position: int,
    number: int,
    inputs: Sequence[np.ndarray],
) -> np.ndarray:
    """Return what one call of an Embedding layer reads of some inputs."""
    return observe_again(anatomy, inputs).embedded[position][number][0]


def agree(anatomy: Anatomy, outputs: np.ndarray, expected: np.ndarray) -> bool:
    """Whether outputs are those that the model gives, but for rounding."""
    if outputs.size != expected.size:
        return False
    return bool((differences(outputs, expected) <= _tolerance(anatomy, expected)).all())


def differences(outputs: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the largest absolute difference of each output; infinite where one is no number."""
    difference = np.abs(outputs.reshape(expected.shape).astype(np.float64) - expected)
    return np.nan_to_num(difference, nan=np.inf).reshape(-1, expected.shape[-1]).max(axis=0)


def _tolerance(anatomy: Anatomy, outputs: np.ndarray) -> np.ndarray:
    """Return by how much two runs may differ, for outputs of this spread and size, (output,)."""
    types = {layer.compute_dtype for layer in anatomy.model._flatten_layers()}
    of_spread = _OF_SPREAD * (1000 if {"float16", "bfloat16"} & types else 1)
    precision = 1e-3 if outputs.dtype.itemsize == 2 else float(np.finfo(np.float32).eps)
    outputs = outputs.reshape(-1, outputs.shape[-1]).astype(np.float64)
    size = np.abs(outputs).max(axis=0, initial=0.0)
    return of_spread * outputs.std(axis=0) + _OF_PRECISION * precision * size
