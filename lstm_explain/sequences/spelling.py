"""The words of texts as the model reads them, and as they were written."""

from __future__ import annotations

from typing import Any

import numpy as np

from .words import UNKNOWN


def words(data: Any) -> np.ndarray:
    """Return the words that the model reads, str (sample, time); "" on padded steps."""
    if data.tokens is None:
        raise ValueError(
            "Expected a text to read words from; received numeric sequences. Use display_values."
        )
    known = np.array(data.vocabulary)
    read = known[data.tokens] if data.vocabulary else data.tokens.astype(str)
    return np.where(data.mask, read, "")


def own_words(data: Any) -> np.ndarray:
    """Return the words as they were written, str (sample, time); "" on padded steps.

    In brackets stand those that the model does not see: it reads "[UNK]" in their place, because
    its vocabulary lacks them or because they were switched off. No word of a text has brackets.
    """
    read = words(data)
    if data.unknown_words is None:
        return read
    written = written_words(data, read)
    shown = [f"[{word}]" for word in written[read == UNKNOWN]]
    return _filled(read, shown)


def written_words(data: Any, read: np.ndarray | None = None) -> np.ndarray:
    """Return the words as they were written, without brackets, (sample, time)."""
    read = words(data) if read is None else read
    if data.unknown_words is None:
        return read
    return _filled(read, [word for sample in data.unknown_words for word in sample])


def kept_unknown(samples: Any, tokens: Any, unknown: int) -> np.ndarray:
    """Return the words of each sample whose id is `unknown`, object (sample,) of tuples."""
    kept = np.empty(len(samples), object)
    for row, (sample, ids) in enumerate(zip(samples, tokens, strict=True)):
        kept[row] = tuple(sample[at] for at in np.flatnonzero(ids == unknown))
    return kept


def _filled(read: np.ndarray, unknown: list[str]) -> np.ndarray:
    """Put words, row by row, where "[UNK]" stands."""
    filled = read.astype(object)
    filled[read == UNKNOWN] = unknown
    return filled.astype(str)
