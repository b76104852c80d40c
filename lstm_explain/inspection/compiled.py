"""``Compiled``: the functions of one model that explaining it needs, and the arrays they take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..backend import keras, ops
from ..models.keeping import forget, kept_with
from .anatomy import Anatomy
from .gradients import compile_gradient
from .ids import between
from .interventions import (
    Change,
    Record,
    attended_recorded,
    attention_recorded,
    context_moved,
    mask_fixed,
    run,
    tensors_recorded,
    vectors_replaced,
)
from .observation import Observation, observed
from .outputs import Selection, select
from .written_attention import Place, over_one_axis


@dataclass(frozen=True)
class Subject:
    """Samples in the form in which paths and coalitions change them.

    Attributes
    ----------
    values : float32 array (sample, time, feature)
        What is interpolated: measurements, or the embedded tokens.
    tokens : int32 array (sample, time)
        Token ids; width 0 where the sequence is numeric.
    static : float32 array (sample, static feature)
        Width 0 where there is none.
    mask : bool array (sample, time)
        Real steps: the data's own mask, less what the model masks of itself.
    layer_masks : tuple of tuples of bool arrays (sample, time)
        What each call of each Masking layer and mask operation leaves unmasked for the sample.
    """

    values: np.ndarray
    tokens: np.ndarray
    static: np.ndarray
    mask: np.ndarray
    layer_masks: tuple[tuple[np.ndarray, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: np.ndarray | slice) -> Subject:
        return Subject(*keras.tree.map_structure(lambda array: array[index], self.arrays))

    @property
    def feature_sizes(self) -> np.ndarray:
        """Size of each feature, for noise: beside a raw count of thousands, 1 would be lost."""
        sizes = self.values.std(axis=(0, 1)) + np.abs(self.values).mean(axis=(0, 1))
        return np.where(sizes > 0, sizes, 1.0)

    def with_noise(self, size: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return the values and the static facts with normal noise added, `size` for each feature.

        Whole numbers, which may be ids of an Embedding, become others up to the feature's largest.
        """
        rng = np.random.default_rng(0)
        return _noisy(self.values, size, rng), _noisy(self.static, 1 + np.abs(self.static), rng)

    def with_values(self, values: np.ndarray, static: np.ndarray) -> Subject:
        """Return the same samples with other values and static facts behind the same masks."""
        return replace(self, values=values, static=static)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The fields as a nested tuple, for a compiled function."""
        return (self.values, self.tokens, self.static, self.mask, self.layer_masks)


def _noisy(values: np.ndarray, size: np.ndarray | float, rng: np.random.Generator) -> np.ndarray:
    axes = tuple(range(values.ndim - 1))
    largest = np.maximum(np.abs(values).max(axis=axes, initial=0.0), 1.0)
    other = np.abs(values) + 1 + np.floor(rng.uniform(size=values.shape) * largest)
    other = np.where(values < 0, -1, 1) * (other % (largest + 1))
    noisy = values + rng.normal(size=values.shape) * size
    return np.where((values % 1 == 0).all(axis=axes), other, noisy).astype(np.float32)


class Nodes(NamedTuple):
    """Points on paths from background rows to samples, one entry each.

    Attributes
    ----------
    group : int32 array (node,)
        The sum that the node is counted in.
    sample, row : int32 arrays (node,)
        Whose path it stands on, from which background row.
    weight, position : float32 arrays (node,)
        Its weight in the quadrature, and where it stands: 0 at the row, 1 at the sample.
    """

    group: np.ndarray
    sample: np.ndarray
    row: np.ndarray
    weight: np.ndarray
    position: np.ndarray


def compile_model(anatomy: Anatomy, scale: str, *, anew: bool = False) -> Compiled:
    """Return the functions of a model, kept with the model so that a second call is fast.

    What is not a weight, such as the mean of a Normalization layer, is compiled into them as it is:
    after a change they are compiled `anew`.
    """
    if anew:
        forget(anatomy.model)
    return kept_with(anatomy.model, (anatomy, scale), lambda: Compiled(anatomy, scale))


class Compiled:
    """What explaining a model asks of it, each compiled at first use, once per shape of its inputs.

    Weights are read at every call. "Margin" is the model's value where it has no link.
    """

    def __init__(self, anatomy: Anatomy, scale: str) -> None:
        self.anatomy, self.scale = anatomy, scale
        self._functions: dict[str, Callable[..., Any]] = {}

    def observe(self, inputs: Sequence[np.ndarray], batch_size: int) -> Observation:
        """Return what the model does with samples, by a function that was compiled earlier."""
        structure: list[Any] = []

        def evaluate(*batch: np.ndarray) -> list[Any]:
            fields = self._call(self._observed, (), *batch)[2]
            structure[:] = [fields]
            return keras.tree.flatten(fields)

        arrays = in_batches(evaluate, batch_size, *inputs)
        return Observation(*keras.tree.pack_sequence_as(structure[0], arrays))

    def outputs(self, subject: Subject, batch_size: int) -> np.ndarray:
        """Return the margins, (sample, output) or (sample, step, output)."""
        return self._in_batches(self._outputs, batch_size, *subject.arrays)[0]

    def gradients(self, subject: Subject, selection: Selection, batch_size: int) -> np.ndarray:
        """Return d explained output / d values, (sample, time, feature); 0 on padded steps."""

        def evaluate(values: np.ndarray, *arguments: Any) -> tuple[Any]:
            return (self._call(self._explained, (values,), *arguments)[1][0],)

        arrays = (*subject.arrays, selection.weights, selection.steps)
        gradients = in_batches(evaluate, batch_size, *arrays)[0]
        return np.where(subject.mask[..., None], gradients.astype(np.float64), 0.0)

    def attention(self, subject: Subject, batch_size: int) -> list[np.ndarray]:
        """Return the weights of each call of an attention layer, as in `attention_calls`."""
        if not self.anatomy.attention_calls:
            return []
        return self._in_batches(self._attention, batch_size, *subject.arrays)

    def attended(self, subject: Subject) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return who asks each call of attention and what it weighs, (sample, position, state)."""
        record: Record = {}
        layers = self.anatomy.attention_layers
        tensors = keras.tree.map_structure(ops.convert_to_tensor, subject.arrays)
        places = [each.states for each in self.anatomy.written_attention]
        changes = [attended_recorded(layer, record) for layer in layers]
        self._margin(*tensors, changes=[*changes, *_recorded(places, record)])
        attended = [each for layer in layers for each in record[layer]]
        for place in places:
            states = record[place.operation][place.number]
            shape = (*ops.shape(states)[:2], -1)  # scores of a named layer have no axis of states
            attended.append((ops.reshape(states, shape),) * 2)
        return [(ops.convert_to_numpy(one), ops.convert_to_numpy(two)) for one, two in attended]

    def pooling(
        self, subject: Subject, selection: Selection, batch_size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return weights and signed contributions of the last `AttentionPooling`, (sample, time).

        The contribution of step t is ``a_t (g . h_t)``, with the attention weight a_t, the state
        h_t and g the gradient of the explained output by the context. With a linear head they sum
        over time to exactly what the context adds to the output.
        """

        def evaluate(move: np.ndarray, *arguments: Any) -> tuple[np.ndarray, np.ndarray]:
            _, gradients, recorded = self._call(self._pooling, (move,), *arguments)
            weights, states, gradient = map(ops.convert_to_numpy, (*recorded, gradients[0]))
            return weights, weights * (states * gradient[:, None, :]).sum(axis=-1)

        moves = np.zeros((len(subject), self.anatomy.context_size), np.float32)
        arrays = (moves, *subject.arrays, selection.weights, selection.steps)
        weights, contributions = in_batches(evaluate, batch_size, *arrays)
        return weights.astype(np.float64), contributions.astype(np.float64)

    def path(
        self,
        subject: Subject,
        rows: tuple[np.ndarray, np.ndarray],
        nodes: Nodes,
        selection: Selection,
        num_groups: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Sum gradients times (sample - row) over nodes on the paths from rows to samples.

        The selection may hold several outputs of each sample, one after the other: those of all
        samples, then the next of all samples. The model runs once for all of them.

        Returns
        -------
        values (output, group, time, feature), static values (output, group, static feature)
            Weighted sums over the nodes of each group; 0 on padded steps.
        slopes (output, node)
            Weighted slope of the explained output along the path.
        outputs (output, node)
            The explained output.
        """
        moves = np.zeros((num_groups, *subject.values.shape[1:]), np.float32)
        static_moves = np.zeros((num_groups, subject.static.shape[1]), np.float32)
        several = len(selection.names) > len(subject)
        _, gradients, (outputs,) = self._call(
            self._paths if several else self._path,
            (moves, static_moves, nodes.position),
            subject.arrays,
            rows,
            (nodes.group, nodes.sample, nodes.row, nodes.weight),
            (selection.weights, selection.steps),
        )
        arrays = [ops.convert_to_numpy(array) for array in (*gradients, outputs)]
        values, static_values, slopes, explained = arrays if several else [a[None] for a in arrays]
        return values, static_values, slopes, explained

    def coalitions(
        self,
        subject: Subject,
        rows: tuple[np.ndarray, np.ndarray],
        players: tuple[np.ndarray, np.ndarray],
        coalitions: tuple[np.ndarray, np.ndarray],
        selection: Selection,
    ) -> np.ndarray:
        """Return the explained outputs of one sample where only some players are present.

        Parameters
        ----------
        subject : Subject
            Of one sample.
        selection : Selection
            Of each output of the sample that is asked for: the model runs once for all of them.
        rows : arrays (row, time, feature) and (row, static feature)
            What stands in place of absent players.
        players : int32 arrays (time, feature) and (static feature,)
            The player of each cell and static fact.
        coalitions : int32 array (coalition,) and float32 array (coalition, player)
            The background row of each coalition, and who is present.

        Returns
        -------
        array (coalition, output)
        """
        explained = (selection.weights, selection.steps)
        arguments = (subject.arrays, rows, players, coalitions, explained)
        return ops.convert_to_numpy(self._call(self._coalitions, (), *arguments)[0])

    # -- calling ---------------------------------------------------------------------------------
    def _call(self, function: Callable[..., Any], point: Any, *arguments: Any) -> Any:
        """Return outputs, gradients by `point` and extras of a function, compiled at first use."""
        name = function.__name__
        if name not in self._functions:
            each = function == self._paths
            self._functions[name] = compile_gradient(function, self.anatomy.model, each=each)
        return self._functions[name](point, *arguments)

    def _in_batches(
        self, function: Callable[..., Any], batch_size: int, *arrays: Any
    ) -> list[np.ndarray]:
        """Return the extras of a function that is not differentiated."""
        return in_batches(lambda *rows: self._call(function, (), *rows)[2], batch_size, *arrays)

    # -- what is compiled: (point, *arguments) -> outputs, extras --------------------------------
    def _margin(
        self,
        values: Any,
        tokens: Any,
        static: Any,
        mask: Any,
        layer_masks: Any,
        *,
        changes: Iterable[Change] = (),
        id_vectors: Mapping[Any, Mapping[int, Any]] = MappingProxyType({}),
    ) -> Any:
        """Run the whole model with its masks held at those of the sample."""
        anatomy = self.anatomy
        masking = (*anatomy.masking_layers, *anatomy.mask_operations)
        held = [mask_fixed(*pair) for pair in zip(masking, layer_masks, strict=True)]
        vectors = {layer: dict(calls) for layer, calls in id_vectors.items()}
        start = 0
        for layer, number in anatomy.embedding_calls:
            end = start + layer.output_dim
            vectors.setdefault(layer, {})[number] = values[..., start:end]
            start = end
        moved = [vectors_replaced(layer, calls) for layer, calls in vectors.items()]
        return run(anatomy, (values, tokens, static, mask), [*held, *moved, *changes])

    def _select(self, margin: Any, weights: Any, steps: Any) -> Any:
        return select(margin, weights, steps, self.anatomy.link, self.scale)

    def _observed(self, _: Any, *inputs: Any) -> Any:
        fields = observed(self.anatomy, inputs)
        return fields[0], fields

    def _outputs(self, _: Any, *subject: Any) -> Any:
        margin = self._margin(*subject)
        return margin, (margin,)

    def _explained(self, point: Any, *arguments: Any) -> Any:
        *subject, weights, steps = arguments
        output = self._select(self._margin(*point, *subject), weights, steps)
        return output, (output,)

    def _attention(self, _: Any, *subject: Any) -> Any:
        record: Record = {}
        layers = self.anatomy.attention_layers
        places = [each.weights for each in self.anatomy.written_attention]
        changes = [attention_recorded(layer, record) for layer in layers]
        margin = self._margin(*subject, changes=[*changes, *_recorded(places, record)])
        weights = [each for layer in layers for each in record[layer]]
        written = [record[place.operation][place.number] for place in places]
        flat = [
            ops.reshape(each, (ops.shape(each)[0], -1)) if over_one_axis(each.shape) else each
            for each in written
        ]
        return margin, (*weights, *flat)

    def _pooling(self, point: Any, *arguments: Any) -> Any:
        *subject, weights, steps = arguments
        record: Record = {}
        layer = self.anatomy.pooling_layers[-1]
        margin = self._margin(*subject, changes=[context_moved(layer, point[0], record)])
        return self._select(margin, weights, steps), tuple(record[layer])

    def _path(self, point: Any, subject: Any, rows: Any, nodes: Any, selection: Any) -> Any:
        """Return `_paths` of one output of each sample, (node,)."""
        weighted, (outputs,) = self._paths(point, subject, rows, nodes, selection)
        return weighted[0], (outputs[0],)

    def _paths(self, point: Any, subject: Any, rows: Any, nodes: Any, selection: Any) -> Any:
        """Weighted outputs (output, node) at ``row + (position + move) * (sample - row)``.

        The moves, one per cell of each group of nodes and all 0, are what is differentiated by: the
        gradient by a move is the nodes' gradient times (sample - row), weighted and summed.
        """
        moves, static_moves, position = point
        group, sample, row, weight = nodes
        values, tokens, static, mask, layer_masks = keras.tree.map_structure(
            lambda array: _rows(array, sample), subject
        )
        start = ops.take(rows[0], row, axis=0)
        # A padded step is not absent: it stays as the sample has it.
        start = ops.where(mask[..., None], start, values)
        share = (
            position[:, None, None] + ops.take(moves, group, axis=0),
            position[:, None] + ops.take(static_moves, group, axis=0),
        )
        begin = start, ops.take(rows[1], row, axis=0)
        values, static, vectors = between(self.anatomy.id_calls, begin, (values, static), share)
        margin = self._margin(values, tokens, static, mask, layer_masks, id_vectors=vectors)
        count = ops.shape(subject[0])[0]
        several = ops.shape(selection[0])[0] // count
        asked = ops.reshape(count * ops.arange(several)[:, None] + sample, (-1,))
        weights, steps = (ops.take(part, asked, axis=0) for part in selection)
        margins = ops.tile(margin, (several, *[1] * (len(margin.shape) - 1)))
        outputs = ops.reshape(self._select(margins, weights, steps), (several, -1))
        return weight * outputs, (outputs,)

    def _coalitions(
        self, _: Any, subject: Any, rows: Any, players: Any, coalitions: Any, selection: Any
    ) -> Any:
        row, present = coalitions
        count = ops.shape(row)[0]
        values, tokens, static, mask, layer_masks = keras.tree.map_structure(
            lambda array: ops.repeat(array, count, axis=0), subject
        )
        start = ops.where(mask[..., None], ops.take(rows[0], row, axis=0), values)
        values = start + ops.take(present, players[0], axis=1) * (values - start)
        start = ops.take(rows[1], row, axis=0)
        static = start + ops.take(present, players[1], axis=1) * (static - start)
        margin = self._margin(values, tokens, static, mask, layer_masks)
        several = ops.shape(selection[0])[0]
        weights, steps = (ops.tile(part, (count, 1)) for part in selection)
        margin = ops.repeat(margin, several, axis=0)
        outputs = ops.reshape(self._select(margin, weights, steps), (count, several))
        return outputs, (outputs,)


def _recorded(places: Iterable[Place], record: Record) -> list[Change]:
    return [tensors_recorded(each, record) for each in {place.operation for place in places}]


def _rows(array: Any, index: Any) -> Any:
    """Gather rows; bools go as integers, which some processors need to gather them."""
    if keras.backend.standardize_dtype(array.dtype) != "bool":
        return ops.take(array, index, axis=0)
    return ops.cast(ops.take(ops.cast(array, "int32"), index, axis=0), "bool")


def even_size(total: int, most: int) -> int:
    """Return the size of batches that are about even, at most `most`, and of few sizes.

    Each size is compiled anew by some backends.

    Examples
    --------
    >>> even_size(6400, 2048), even_size(6400, 10_000), even_size(9, 512)
    (1600, 6400, 16)
    """
    return min(most, rounded_up(-(-total // -(-total // most))))


def rounded_up(count: int) -> int:
    """Return the next power of two, beyond 64 the next multiple of 64."""
    return 1 << (count - 1).bit_length() if count <= 64 else -(-count // 64) * 64


def in_batches(function: Callable[..., Any], batch_size: int, *arrays: Any) -> list[np.ndarray]:
    """Call `function` on rows in batches of one size and join what it returns.

    The last batch is filled up with copies of its last row, so that nothing is traced twice.
    Arrays may stand in nested tuples.
    """
    total = len(keras.tree.flatten(arrays)[0])
    size = min(even_size(total, batch_size), total)
    pieces = []
    for start in range(0, total, size):
        real = min(size, total - start)
        index = start + np.minimum(np.arange(size), real - 1)
        batch = keras.tree.map_structure(lambda array, at=index: array[at], arrays)
        result = function(*batch)
        pieces.append([np.asarray(ops.convert_to_numpy(part))[:real] for part in result])
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
