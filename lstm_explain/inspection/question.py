"""``prepare``: validate what is asked of a model, and return it as a `Question` of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..arguments import check_model, check_whole, described
from ..backend import keras, ops
from ..models.forms import as_sequences
from ..models.keeping import kept_with
from ..models.one_input import with_one_input
from ..models.one_output import explained_by, head_names, in_target_units, with_output
from ..models.quantiles import quantiles_of
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .alignment import attended_axes, output_axis
from .anatomy import Anatomy, read_anatomy, walk
from .background import Background, nearest_real
from .compiled import Compiled, Subject, compile_model
from .confirmation import confirm, observe_now, see, subject_of, vectors_of
from .model_checks import check_depends_on_input, warn_if_mask_is_hidden, warn_if_padding_is_read
from .observation import (
    Observation,
    check_vocabulary_size,
    inputs_of,
    other_words,
    steps_read,
    with_calls,
)
from .outputs import Output, Scale, Selection, answers_of, check_scale, choose, select


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
    layer_masks = [
        mask.reshape(len(subject), -1) for calls in subject.layer_masks for mask in calls
    ]
    keys = np.concatenate([subject.mask, padding, tokens, *layer_masks], axis=1, dtype=np.float32)
    groups: dict[bytes, list[int]] = {}
    for member, key in enumerate(keys):
        groups.setdefault(key.tobytes(), []).append(member)
    alike, count = list(groups.values()), len(rows)
    together = max(1, batch_size // count)
    result = np.zeros((len(subject), count))
    for start in range(0, len(alike), together):
        some = alike[start : start + together]
        many = subject[np.repeat([members[0] for members in some], count)]
        row = np.tile(np.arange(count), len(some))
        absent = np.where(many.mask[..., None], rows[row], many.values).astype(np.float32)
        raw = compiled.outputs(many.with_values(absent, row_static[row]), batch_size)
        for members, outputs in zip(some, np.split(raw, len(some)), strict=True):
            for begin in range(0, len(members), together):
                part = members[begin : begin + together]
                asked = selection[np.repeat(part, count)]
                again = np.tile(outputs, (len(part), *[1] * (outputs.ndim - 1)))
                result[part] = selected(again, asked, anatomy).reshape(len(part), count)
    return result


def read_background(
    background: Any, data: SequenceData, model: Any, inputs: Mapping[Role, str] | None
) -> Background:
    """Return a background from any form that data may have, or that `Background.resolve` reads."""
    known = SequenceData | Background | str | int | np.integer | None
    is_array = (
        isinstance(background, np.ndarray)
        and background.ndim < 4  # of images, which are read as the samples are
        and (data.tokens is None or background.dtype.kind in "iu")
    )
    if not isinstance(background, known) and not is_array:
        read = as_sequences(background, model, inputs, "background")
        background = read.values
        if read.tokens is not None or read.static is not None or not read.mask.all():
            background = Background.from_data(read, rows=len(read))
    return Background.resolve(background, data)


def _rows_in_model_space(
    background: Background, inputs: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Return the background rows as inputs beside those of the samples: values, tokens, ..."""
    num_steps = inputs[3].shape[1]
    rows = background.rows_for(num_steps)
    tokens = np.zeros((len(rows), 0), np.int32)
    if background.tokens is not None:
        tokens = background.tokens_for(num_steps)
    elif inputs[1].shape[1]:
        tokens = np.zeros((len(rows), num_steps), np.int32)
    static = background.static
    if static is None:
        static = np.zeros((len(rows), 0), np.float32)
    return rows, tokens, static, np.ones((len(rows), num_steps), bool)


def _held(anatomy: Anatomy, rows: np.ndarray, observation: Observation) -> np.ndarray:
    """Replace the steps of background rows that the model masks by each row's nearest real step.

    On a path the model sees the sample's mask, so that padding of a row would be read as numbers.
    A row of padding alone is a reference, such as "zero", and stays.
    """
    mask = steps_read(anatomy, observation, rows.shape[1])
    return np.take_along_axis(rows, nearest_real(mask)[..., None], axis=1)


# Rows per call of the model: enough to keep a few cores busy, however wide the model is; of narrow
# ones more, up to a number of values that are kept for the gradient (a quarter of a gigabyte).
DEFAULT_BATCH, _MOST_ROWS, _MOST_KEPT = 512, 4096, 1 << 26


def _rows_per_call(anatomy: Anatomy, inputs: Sequence[np.ndarray]) -> int:
    """Return how many rows a call of the model takes if nobody says so."""
    # Units count twice, in the layer and in its cell: about an eighth of what an LSTM keeps.
    widths = [
        getattr(layer, name, 0) or 0
        for layer in walk(anatomy.model)
        for name in ("units", "filters", "output_dim")
    ]
    num_steps, num_features = inputs[3].shape[1], inputs[0].shape[-1]
    kept = 4 * num_steps * (num_features + sum(widths) + 1)
    return min(_MOST_ROWS, max(DEFAULT_BATCH, _MOST_KEPT // kept))


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
    num_outputs : int
        Of several outputs of a sample each has a row in all of these, next to one another.
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
    num_outputs: int = 1

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
    output: Output | Callable[..., Any],
    step: int | Literal["last", "sum"],
    scale: Scale,
    batch_size: int | None,
    inputs: Mapping[Role, str] | None,
    *,
    several: bool = False,
    attention: str | None = None,
) -> Question:
    """Validate what was asked for, run the model on the samples, and choose the output.

    With `several`, a list of outputs or "all" may be asked for. The name of the layer that attends
    may be given.
    """
    check_scale(scale)
    check_asked(model, batch_size)
    check_choice(output, step, several)
    model, choice = model_of(model, output)
    model = with_one_input(model)
    sequences = as_sequences(data, model, inputs)
    if facts := explained_by(model):  # the data's target is not of it
        name = facts.get("head") or facts["function"]["name"]
        if "head" not in facts:
            sequences = replace(sequences, class_names=(), target_names=())
        sequences = replace(
            sequences, target=None, target_name=name, target_unit="", target_center=0.0,
            target_scale=1.0,
        )  # fmt: skip
    shares = quantiles_of(model)
    unit: tuple[Any, ...] = sequences.target_center, sequences.target_scale
    if any(isinstance(part, tuple) for part in unit):
        num_outputs = read_anatomy(model, sequences, inputs=inputs).num_outputs
        each = len(shares) or 1
        unit = tuple(
            tuple(np.repeat(part, each).tolist()) if isinstance(part, tuple) else part
            for part in unit
        )
        if num_outputs != each * len(sequences.target_names):
            raise ValueError(
                f"Expected a model with an output for each of the targets "
                f"{list(sequences.target_names)}, whose units differ; {model.name!r} has "
                f"{num_outputs}. Take one: data.for_target({sequences.target_names[0]!r})."
            )
    if unit != (0.0, 1.0):
        model = kept_with(model, ("target units", unit), lambda: in_target_units(model, *unit))
    sequences.check_complete()
    anatomy = read_anatomy(model, sequences, inputs=inputs, attention=attention)
    reference = read_background(background, sequences, model, inputs)
    if reference.tokens is not None:
        check_vocabulary_size(anatomy, reference.tokens)
    samples = inputs_of(anatomy, sequences)
    batch_size = batch_size or _rows_per_call(anatomy, samples)
    references = _rows_in_model_space(reference, samples)
    count = len(sequences)
    both = [np.concatenate(pair) for pair in zip(samples, references, strict=True)]
    observation = observe_now(anatomy, both, batch_size)
    anatomy = with_calls(anatomy, both, observation, observe_now)
    subject = subject_of(anatomy, samples, observation[:count])
    rows = references[0]
    if samples[1].shape[1]:
        rows = vectors_of(anatomy, observation[count:])
        if reference.tokens is None:
            rows = np.zeros_like(rows)
    rows = _held(anatomy, rows, observation[count:])
    # A row that is masked throughout may have no output.
    outputs = observation.output.reshape(len(both[0]), -1)
    some = np.flatnonzero(np.isfinite(outputs[count:]).all(axis=1))[:_CHECKED_ROWS]
    few = _background_subject(anatomy, references, observation[count:], some, both[1])
    subjects = _joined(subject, few)
    expected = observation.output[np.append(np.arange(count), count + some)]
    anatomy, compiled, raw = confirm(anatomy, scale, subjects, expected, batch_size)
    raw, all_raw = raw[:count], raw
    is_probability = expected.min() >= 0 and expected.max() <= 1
    if scale == "probability" and anatomy.link == "identity" and is_probability:
        anatomy = replace(anatomy, link="probability")
        compiled = compile_model(anatomy, scale)
    if attention is not None and not all(attended_axes(compiled, subject)):
        raise ValueError(
            f"Expected weights over the steps of the input; those of {attention!r} do not go with "
            "them, but with something else, such as features or the steps of a decoder. "
            f"lx.attention_maps(model, data, attention={attention!r}) gives them as they are."
        )
    output_mask = subject.mask
    if raw.ndim == 3:
        output_mask = _output_mask(compiled, subject, observation, raw.shape[1], step)
    names = answers_of(sequences, shares, raw.shape[-1])
    selection = choose(anatomy, raw, output_mask, names, sequences.target_name, choice, step, scale)
    check_depends_on_input(anatomy, compiled, subject, raw, batch_size)
    warn_if_padding_is_read(anatomy, compiled, subject, batch_size)
    warn_if_mask_is_hidden(anatomy, compiled, subjects, all_raw, batch_size)
    num_outputs = len(selection.names) // count
    if num_outputs > 1 and not several:
        raise ValueError(
            f'Expected one output; received output="all" of {num_outputs}. Choose one: '
            f"output={str(selection.names[0])!r}."
        )
    if num_outputs > 1:
        again = np.repeat(np.arange(count), num_outputs)
        sequences, subject, raw = sequences[again], subject[again], raw[again]
    model_rows = (rows, references[2])
    return Question(
        data=sequences,
        anatomy=anatomy,
        compiled=compiled,
        subject=subject,
        background=reference,
        rows=model_rows,
        selection=selection,
        predictions=selected(raw, selection, anatomy),
        row_outputs=background_outputs(
            compiled, anatomy, subject, *model_rows, selection, batch_size
        ),
        batch_size=batch_size,
        num_outputs=num_outputs,
    )


def model_of(model: Any, output: Any) -> tuple[Any, Output]:
    """Return the model that gives what is asked for, and which of its outputs that is.

    Of a function and of a head it is made once, and kept with the model.
    """
    head, choice = output, None
    if isinstance(output, tuple):
        head, choice = output
    elif not callable(output) and (len(head_names(model)) < 2 or not isinstance(output, str)):
        return model, output
    kept = kept_with(model, "with output", list)
    if not kept or kept[0] != head:
        kept[:] = head, with_output(model, head)
    return kept[1], choice


def _output_mask(
    compiled: Compiled, subject: Subject, observation: Observation, num_steps: int, step: Any
) -> np.ndarray:
    """Return which steps of the output are real: those of the input, or all of a forecast.

    Raises
    ------
    ValueError
        "last" may be the last real step of a padded input, or that of a forecast.
    """
    mask = subject.mask
    if mask.all() or mask.shape[1] != num_steps or observation.output_mask:
        return mask
    if output_axis(compiled, subject) == 1:
        return mask
    if isinstance(step, str):
        raise ValueError(
            f"Expected step to be a number, because step={step!r} has two readings: the model "
            f"gives {num_steps} outputs that do not go with the {num_steps} steps of its input, "
            "as those of a forecast, and some samples are padded. Name the output by its number: "
            f"step={num_steps - 1} is the last."
        )
    return np.ones_like(mask)


# Background rows on which the explained function is held against the model.
_CHECKED_ROWS = 8


def _background_subject(
    anatomy: Anatomy,
    references: Sequence[np.ndarray],
    observation: Observation,
    some: np.ndarray,
    pool: np.ndarray,
) -> Subject:
    """Return some background rows as samples, but with other words behind their vectors.

    Where the model gives the vectors their own words' output, it reads words through the
    embeddings alone.
    """
    numbers, tokens, static, mask = (array[some] for array in references)
    observation = observation[some]
    values = numbers
    if tokens.shape[1]:
        values = vectors_of(anatomy, observation)
        tokens = other_words(tokens, pool)
    return Subject(values, tokens, static, mask, observation.masks)


def _joined(*subjects: Subject) -> Subject:
    arrays = keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), *(subject.arrays for subject in subjects)
    )
    return Subject(*arrays)


def ask_again(question: Question, sample: SequenceData) -> Question:
    """Ask the question about one sample of a changed version: same output, same background."""
    size, selection = question.batch_size, question.selection
    anatomy, compiled, subject = see(question.anatomy, sample, question.scale, size)
    before, now = (
        keras.tree.flatten((one.mask, one.layer_masks)) for one in (question.subject, subject)
    )
    if not all(map(np.array_equal, now, before)):
        # The base value depends on the steps.
        background, output = question.background, str(selection.names[0])
        return prepare(
            anatomy.model, sample, background, output, "last", question.scale, size, None,
            attention=anatomy.attention,
        )  # fmt: skip
    predictions = selected(compiled.outputs(subject, size), selection, anatomy)
    return replace(question, data=sample, subject=subject, predictions=predictions)


def check_asked(model: Any, batch_size: int | None) -> None:
    """Raise unless this is a model with weights and, where it is given, a number of rows."""
    check_model(model)
    check_whole(least=1, optional=True, remedy="Try 512.", batch_size=batch_size)


def check_choice(output: object, step: object, several: bool = False) -> None:
    """Raise unless output and step are of the right types; the model decides which there are."""
    choice = output[1] if isinstance(output, tuple) and len(output) == 2 else output
    outputs = choice if several and isinstance(choice, list) and choice else [choice]
    is_choice = all(isinstance(each, int | np.integer | str) for each in outputs)
    if any(isinstance(each, bool) for each in outputs) or not (
        is_choice or choice is None or callable(output)
    ):
        raise ValueError(
            f"Expected output to be a name, a position or None; received {described(output)}. Name "
            'a class: output="died".'
        )
    if not isinstance(step, str) or step not in ("last", "sum"):
        check_whole(remedy='Or give "last" or "sum".', step=step)
