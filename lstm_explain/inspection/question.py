"""``prepare``: validate what is asked of a model, and return it as a `Question` of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..arguments import check_model, check_whole, described
from ..backend import ops
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from ..sequences.padding import as_array
from .anatomy import Anatomy, inspect
from .background import Background, nearest_real
from .compiled import Compiled, Subject, compile_model
from .outputs import Scale, Selection, check_scale, choose, select

_MARGIN_TOLERANCE = 1e-5


class PaddingWarning(UserWarning):
    """The model reads its padding, so that predictions depend on it; the message says how much."""


def see(
    anatomy: Anatomy, data: SequenceData, scale: str, batch_size: int
) -> tuple[Anatomy, Compiled, Subject]:
    """Compile the model and run it on the samples: masks, embedded tokens, margin.

    Returns
    -------
    anatomy : Anatomy
        With its link corrected where an activation inside the model is not what makes its output.
    compiled : Compiled
    subject : Subject
    """
    static = np.zeros((len(data), 0), np.float32) if data.static is None else data.static
    tokens = np.zeros((len(data), 0), np.int32) if data.tokens is None else data.tokens
    _check_vocabulary(anatomy, tokens)
    numbers = data.values_for(anatomy.model)
    compiled = compile_model(anatomy, scale)
    inputs = (numbers, tokens, static, data.mask)
    output, *recorded = compiled.recorded(*inputs, batch_size=batch_size)
    if not np.isfinite(output).all():
        bad = int(np.argmin(np.isfinite(output.reshape(len(output), -1)).all(axis=1)))
        raise ValueError(
            f"Expected finite predictions; {anatomy.model.name!r} gives NaN or infinity, first for "
            f"sample {bad}. Check its weights (a diverged training) and the size of the inputs."
        )
    count = len(anatomy.masking_layers) + len(anatomy.mask_operations)
    layer_masks, embedded = tuple(recorded[:count]), recorded[count:]
    mask = data.mask
    for layer_mask in layer_masks:
        if layer_mask.shape == mask.shape:  # a sample that is masked throughout keeps its steps
            mask = np.where(layer_mask.any(axis=1, keepdims=True), mask & layer_mask, mask)
    if any(layer.mask_zero for layer in anatomy.embedding_layers):
        mask = mask & (tokens != 0)
    values = embedded[0].astype(np.float32) if embedded else numbers
    subject = Subject(values, tokens, static, mask, layer_masks)
    few = subject[:64]
    raw = compiled.outputs(few, batch_size)
    error = _margin_error(anatomy, raw, output[: len(few)])
    if not error < _margin_tolerance(anatomy):
        if not anatomy.margin_is_last:
            bare = replace(anatomy, link="identity", margin_operation=None)
            return bare, compile_model(bare, scale), subject
        raise ValueError(
            f"Expected the {anatomy.link} of the margin before {anatomy.margin_at!r} to be the "
            f"model's output; they differ by {error:.2g}. Rebuild the model so that one activation "
            "makes its output."
        )
    return anatomy, compiled, subject


def check_depends_on_input(
    anatomy: Anatomy, compiled: Compiled, subject: Subject, raw: np.ndarray, batch_size: int
) -> None:
    """Raise if the output is the same for every sample, and for samples with noise added."""
    if np.ptp(raw, axis=0).max() > 0:
        return
    few = subject[:4]
    rng = np.random.default_rng(0)
    # Noise of the size of each feature: beside a raw count of thousands, 1 would be lost.
    sizes = few.values.std(axis=(0, 1)) + np.abs(few.values).mean(axis=(0, 1))
    noise = rng.normal(size=few.values.shape) * np.where(sizes > 0, sizes, 1.0)
    moved = few.with_values(
        (few.values + noise).astype(np.float32),
        (few.static + rng.normal(size=few.static.shape) * (1 + np.abs(few.static))).astype(
            np.float32
        ),
    )
    if np.array_equal(raw[: len(few)], compiled.outputs(moved, batch_size)):
        raise ValueError(
            f"Expected an output that depends on the input; {anatomy.model.name!r} gives the same "
            "for all samples, and for samples with noise added. Check its weights and wiring, and "
            "whether unscaled numbers drive its units to their limits (data.standardise())."
        )


def _check_vocabulary(anatomy: Anatomy, tokens: np.ndarray) -> None:
    for layer in anatomy.embedding_layers:
        if tokens.size and tokens.max() >= layer.input_dim:
            raise ValueError(
                f"Expected token ids below {layer.input_dim}, the size of {layer.name!r}; received "
                f"{tokens.max()}. Use the vocabulary that the model was trained on."
            )


def selected(raw: np.ndarray, selection: Selection, anatomy: Anatomy) -> np.ndarray:
    """Return the explained number of each row, float64 (row,)."""
    numbers = select(
        ops.convert_to_tensor(raw),
        selection.weights,
        selection.steps,
        anatomy.link,
        selection.scale,
    )
    return np.asarray(ops.convert_to_numpy(numbers), np.float64)


def background_outputs(
    compiled: Compiled,
    anatomy: Anatomy,
    subject: Subject,
    rows: np.ndarray,
    row_static: np.ndarray,
    selection: Selection,
    batch_size: int,
) -> np.ndarray:
    """Explained output of each background row through each sample's own mask, (sample, row).

    Samples that share their mask and their padding share the evaluations.
    """
    padding = np.where(subject.mask[..., None], 0, subject.values).reshape(len(subject), -1)
    tokens = subject.tokens * ~subject.mask if subject.tokens.size else subject.tokens
    layer_masks = [mask.reshape(len(subject), -1) for mask in subject.layer_masks]
    keys = np.concatenate([subject.mask, padding, tokens, *layer_masks], axis=1, dtype=np.float32)
    groups: dict[bytes, list[int]] = {}
    for member, key in enumerate(keys):
        groups.setdefault(key.tobytes(), []).append(member)
    result = np.zeros((len(subject), len(rows)))
    for members in groups.values():
        many = subject[np.full(len(rows), members[0])]
        absent = many.with_values(
            np.where(many.mask[..., None], rows, many.values).astype(np.float32), row_static
        )
        raw = compiled.outputs(absent, batch_size)
        for member in members:
            one = selection[np.full(len(rows), member)]
            result[member] = selected(raw, one, anatomy)
    return result


def warn_if_padding_is_read(
    anatomy: Anatomy, compiled: Compiled, subject: Subject, batch_size: int
) -> None:
    """Warn if other numbers in the padding change the predictions; the message says how much."""
    padded = np.flatnonzero(~subject.mask.all(axis=1))[:16]
    if len(padded) == 0:
        return
    some = subject[padded]
    noise = np.random.default_rng(0).normal(size=some.values.shape)
    noisy = np.where(some.mask[..., None], some.values, some.values + noise).astype(np.float32)
    before = compiled.outputs(some, batch_size)
    after = compiled.outputs(some.with_values(noisy, some.static), batch_size)
    if before.ndim == 3 and before.shape[1] == some.mask.shape[1]:
        before, after = (margins * some.mask[..., None] for margins in (before, after))
    effect = float(np.abs(after - before).max())
    if effect > 1e-4 * (1 + float(np.abs(before).max())):
        warnings.warn(
            f"Expected a model that ignores padded steps; standard normal noise in the padding of "
            f"{len(padded)} samples moved the margin of {anatomy.model.name!r} by up to "
            f"{effect:.3g}. Predictions then depend on how long the padding is; padded steps are "
            "held at the samples' own values and get no attribution. Mask them with a Masking "
            "layer, mask_zero=True or a mask input, after any layer that drops the mask.",
            PaddingWarning,
            stacklevel=4,
        )


def _margin_error(anatomy: Anatomy, raw: np.ndarray, output: np.ndarray) -> float:
    if anatomy.link in ("identity", "logits"):
        return 0.0
    link = ops.sigmoid if anatomy.link == "sigmoid" else ops.softmax
    # In the margin's own precision: a network in float16 rounds its output too.
    linked = ops.convert_to_numpy(link(ops.convert_to_tensor(raw)))
    if linked.size != output.size:
        return np.inf
    difference = linked.reshape(output.shape).astype(np.float64) - output
    return float(np.abs(difference).max())


def _margin_tolerance(anatomy: Anatomy) -> float:
    narrow = getattr(anatomy.margin_operation, "compute_dtype", "float32") in (
        "float16",
        "bfloat16",
    )
    return 1e-2 if narrow else _MARGIN_TOLERANCE


def _without_padding(rows: np.ndarray, padding: float) -> np.ndarray:
    """Replace the padding of background rows by each row's nearest real step.

    On a path the model sees the sample's mask, so that padding of a row would be read as numbers.
    A row of padding alone is a reference, such as "zero", and stays.
    """
    mask = (rows != padding).any(axis=2)
    held = np.take_along_axis(rows, nearest_real(mask)[..., None], axis=1)
    return np.where(mask.any(axis=1)[:, None, None], held, rows)


def background_in_model_space(
    anatomy: Anatomy, background: Background, num_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the background as the model reads it: rows (row, time, feature) and static facts."""
    rows = background.rows_for(num_steps)
    if anatomy.embedding_layers:
        table = np.asarray(ops.convert_to_numpy(anatomy.embedding_layers[0].embeddings), np.float32)
        if background.tokens is None:
            rows = np.zeros((len(rows), num_steps, table.shape[1]), np.float32)
        else:
            rows = table[background.tokens_for(num_steps)]
    elif anatomy.masking_layers:
        rows = _without_padding(rows, anatomy.masking_layers[0].mask_value)
    static = background.static
    return rows, np.zeros((len(rows), 0), np.float32) if static is None else static


# Rows per call of the model: large enough to keep a few cores busy.
DEFAULT_BATCH = 512


@dataclass(frozen=True)
class Question:
    """Which output of which samples is explained, and against what.

    Attributes
    ----------
    data : SequenceData
        The samples, as the caller gave them.
    anatomy : Anatomy
    compiled : Compiled
        The model's functions, on the scale that was asked for.
    subject : Subject
        The samples as the compiled functions take them.
    background : Background
    rows : arrays (row, time, feature) and (row, static feature)
        The background as the model reads it.
    selection : Selection
        The explained output of each sample.
    predictions : float64 array (sample,)
        The explained output.
    row_outputs : float64 array (sample, row)
        The explained output of each background row, with each sample's own mask.
    batch_size : int
        Rows per call of the model.
    """

    data: SequenceData
    anatomy: Anatomy
    compiled: Compiled
    subject: Subject
    background: Background
    rows: tuple[np.ndarray, np.ndarray]
    selection: Selection
    predictions: np.ndarray
    row_outputs: np.ndarray
    batch_size: int

    @property
    def base_values(self) -> np.ndarray:
        """Mean explained output over the background, (sample,)."""
        return self.row_outputs.mean(axis=1)

    @property
    def scale(self) -> Scale:
        """The scale that was asked for; of a model of values, which has one only, the default."""
        return "probability" if self.selection.scale == "probability" else "margin"


def prepare(
    model: Any,
    data: SequenceData | np.ndarray,
    background: Any,
    output: int | str | None,
    step: int | Literal["last", "sum"],
    scale: Scale,
    batch_size: int | None,
    inputs: Mapping[Role, str] | None,
) -> Question:
    """Validate what was asked for, run the model on the samples, and choose the output."""
    check_scale(scale)
    check_asked(model, batch_size)
    check_choice(output, step)
    batch_size = batch_size or DEFAULT_BATCH
    sequences = as_sequences(data)
    sequences.check_complete()
    anatomy = inspect(model, sequences, inputs=inputs)
    reference = Background.resolve(background, sequences)
    if reference.tokens is not None:
        _check_vocabulary(anatomy, reference.tokens)
    anatomy, compiled, subject = see(anatomy, sequences, scale, batch_size)
    raw = compiled.outputs(subject, batch_size)
    selection = choose(
        anatomy, raw, subject.mask, sequences.class_names, sequences.target_name, output, step,
        scale,
    )  # fmt: skip
    check_depends_on_input(anatomy, compiled, subject, raw, batch_size)
    warn_if_padding_is_read(anatomy, compiled, subject, batch_size)
    rows = background_in_model_space(anatomy, reference, subject.values.shape[1])
    return Question(
        data=sequences,
        anatomy=anatomy,
        compiled=compiled,
        subject=subject,
        background=reference,
        rows=rows,
        selection=selection,
        predictions=selected(raw, selection, anatomy),
        row_outputs=background_outputs(compiled, anatomy, subject, *rows, selection, batch_size),
        batch_size=batch_size,
    )


def ask_again(question: Question, sample: SequenceData) -> Question:
    """Ask the question about one sample of a changed version: same output, same background."""
    size, selection = question.batch_size, question.selection
    anatomy, compiled, subject = see(question.anatomy, sample, question.scale, size)
    masks = (question.subject.mask, *question.subject.layer_masks)
    if not all(map(np.array_equal, (subject.mask, *subject.layer_masks), masks)):
        # The base value depends on the steps.
        background, output = question.background, str(selection.names[0])
        return prepare(
            anatomy.model, sample, background, output, "last", question.scale, size, None
        )
    predictions = selected(compiled.outputs(subject, size), selection, anatomy)
    return replace(question, data=sample, subject=subject, predictions=predictions)


def check_asked(model: Any, batch_size: int | None) -> None:
    """Raise unless this is a model with weights and, where it is given, a number of rows."""
    check_model(model)
    check_whole(least=1, optional=True, remedy="Try 512.", batch_size=batch_size)


def check_choice(output: object, step: object) -> None:
    """Raise unless output and step are of the right types; the model decides which there are."""
    if isinstance(output, bool) or not isinstance(output, int | np.integer | str | None):
        raise ValueError(
            f"Expected output to be a name, a position or None; received {described(output)}. Name "
            'a class: output="died".'
        )
    if step not in ("last", "sum"):
        check_whole(remedy='Or give "last" or "sum".', step=step)


def as_sequences(data: SequenceData | np.ndarray) -> SequenceData:
    """Read an array (sample, time, feature), or token ids (sample, time), as sequences."""
    if not isinstance(data, SequenceData):
        array = as_array(data, "data")
        if array.dtype == object or array.ndim not in (2, 3):
            raise TypeError(
                "Expected data as SequenceData or an array (sample, time, feature); received "
                f"{described(data)} of shape {array.shape}. Make one with "
                "SequenceData.from_arrays(values)."
            )
        is_text = array.ndim == 2 and array.dtype.kind in "iu"
        data = SequenceData.from_tokens(array) if is_text else SequenceData.from_arrays(array)
        data = replace(data, scale_known=False)
    if len(data) == 0:
        raise ValueError("Expected at least one sample to explain; received none. Check the slice.")
    return data
