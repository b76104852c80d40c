"""What a ``SequenceData`` says about itself in one line."""

from __future__ import annotations

from typing import Any

import numpy as np

from .splitting import SPLITS


def describe(data: Any) -> str:
    """Return name, sizes, target and split of a ``SequenceData``."""
    lengths = data.lengths if len(data) else np.array([data.values.shape[1]])
    steps = f"{lengths.min()}-{lengths.max()}" if np.ptp(lengths) else str(lengths[0])
    what = f"steps x {_count(len(data.feature_names), 'feature')}"
    if data.tokens is not None:
        what = "words"
    text = f"SequenceData {data.name!r}: {_count(len(data), 'sample')} x {steps} {what}"
    if data.variables:
        text += f" of {_count(len(set(data.variables)), 'variable')}"
    if data.static is not None:
        text += f" + {len(data.static_names)} static"
    if data.class_names:
        text += f", {len(data.class_names)} classes"
    elif data.target is not None:
        text += f", target {data.target_name}"
    if data.split is None:
        return text + ", not split"
    sizes = [
        f"{label} {int((data.split == label).sum())}"
        for label in SPLITS
        if (data.split == label).any()
    ]
    return text + ", " + " / ".join(sizes)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
