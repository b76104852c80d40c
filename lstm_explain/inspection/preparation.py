"""Everything that is checked and looked up before long work starts: the question, in arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .anatomy import Anatomy, inspect
from .background import Background
from .compiled import Compiled, raw_outputs
from .outputs import Scale, Selection, check_scale, choose
from .question import (
    background_in_model_space,
    background_outputs,
    check_depends_on_input,
    see,
    selected,
    warn_if_padding_is_read,
)
from .subject import Subject

# Rows per call of the model: large enough to keep a few cores busy.
DEFAULT_BATCH = 512


@dataclass(frozen=True)
class Question:
    """Which output of which samples is explained, and against what."""

    data: SequenceData
    anatomy: Anatomy
    compiled: Compiled
    subject: Subject
    background: Background
    rows: tuple[np.ndarray, np.ndarray]
    chosen: Selection
    predictions: np.ndarray
    row_outputs: np.ndarray
    batch_size: int

    @property
    def base_values(self) -> np.ndarray:
        """Mean explained output over the background, (sample,)."""
        return self.row_outputs.mean(axis=1)


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
    """Check what was asked for, look at the samples through the model, and choose the output."""
    check_scale(scale)
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"Expected a batch_size of at least 1; received {batch_size}. Try 512.")
    batch_size = batch_size or DEFAULT_BATCH
    sequences = as_sequences(data)
    sequences.check_complete()
    anatomy = inspect(model, sequences, inputs=inputs)
    reference = Background.resolve(background, sequences)
    anatomy, compiled, subject = see(anatomy, sequences, scale, batch_size)
    raw = raw_outputs(compiled, subject, batch_size)
    chosen = choose(
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
        chosen=chosen,
        predictions=selected(raw, chosen, anatomy),
        row_outputs=background_outputs(compiled, anatomy, subject, *rows, chosen, batch_size),
        batch_size=batch_size,
    )


def as_sequences(data: SequenceData | np.ndarray) -> SequenceData:
    """Read an array (sample, time, feature), or token ids (sample, time), as sequences."""
    if not isinstance(data, SequenceData):
        array = np.asarray(data)
        is_text = array.ndim == 2 and array.dtype.kind in "iu"
        data = SequenceData.from_tokens(array) if is_text else SequenceData.from_arrays(array)
    if len(data) == 0:
        raise ValueError("Expected at least one sample to explain; received none. Check the slice.")
    return data
