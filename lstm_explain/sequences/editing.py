"""What-if questions: samples with other measurements, other sentences or words switched off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..arguments import check_number
from .outliers import within_limits
from .padding import pad
from .scaling import PARTS, TIME_SINCE, chart_of, clock_of, with_parts
from .texts import from_texts
from .words import SPECIAL_WORDS, UNKNOWN, kept_unknown, written_words

if TYPE_CHECKING:
    from .data import SequenceData


def change(
    data: SequenceData,
    name: str,
    value: float | None,
    steps: int | slice | Sequence[int] | Literal["measured"] | None = None,
) -> SequenceData:
    """Return the data with a variable or static fact changed, in its original units.

    After ``fill_missing(indicators=True)`` a value that is set counts as measured, and one that is
    set to None as not measured; the values that are carried forward from it, up to the next
    measurement, and the steps since then follow.

    Parameters
    ----------
    name : str
        A variable (without indicators: a feature) or a static fact.
    value : float or None
        In original units; None for "was not measured".
    steps : int, slice, sequence of int, "measured" or None
        Steps of each sequence, from 0 on; negative ones from its own end. "measured": those at
        which it was measured, so that only the value changes, not how often it was measured.
        None: all steps. Not for static facts.

    Returns
    -------
    SequenceData

    Raises
    ------
    ValueError
        An unknown name, steps that a sequence does not have, or None where the data cannot say
        "not measured".

    Examples
    --------
    >>> import numpy as np
    >>> from lstm_explain import SequenceData
    >>> patient = SequenceData.from_arrays([[[4.0], [5.0]]], feature_names=["lactate"])
    >>> patient.change("lactate", 1.5, steps=1).display_values[0].ravel().tolist()
    [4.0, 1.5]
    """
    named: dict[str, Any] = {f"the value of {name!r}": value}
    remedy = "Give None for a value that was not measured."
    check_number(optional=True, remedy=remedy, **named)
    if name in data.static_names:
        return _change_static(data, name, value, steps)
    columns = columns_of(data, name)
    display = data.display_values[..., columns]
    chart = chart_of(display) if data.variables else display
    changed_steps = _step_mask(data, steps, ~np.isnan(chart[..., 0]), name)
    chart = np.where(changed_steps[..., None], np.nan if value is None else float(value), chart)
    if data.unmeasured is not None:
        counts_time = data.parts[columns[2]] == TIME_SINCE
        clock = clock_of(data, data.units[columns[2]]) if counts_time else None
        chart = with_parts(chart, data.mask, data.unmeasured[columns[:1]], clock)
    elif value is None and not np.isnan(data.values[data.mask]).any():
        raise ValueError(
            f"Expected a value for {name!r}; received None, and this data cannot say that a value "
            f"was not measured. Fill it with fill_missing(indicators=True), which adds {PARTS[1]!r}"
            f" and {PARTS[2]!r}."
        )
    values = data.values.copy()
    # Where nothing changed the numbers stay as they are, to the last digit.
    near = np.where(changed_steps[..., None], 0.0, 1e-6)
    same = np.isclose(chart, display, rtol=near, atol=0, equal_nan=True) | ~data.mask[..., None]
    limits = None if data.limits is None else data.limits[:, columns]
    scaled = (within_limits(chart, limits) - data.center[columns]) / data.scale[columns]
    values[..., columns] = np.where(same, values[..., columns], scaled)
    recorded = data.recorded
    if recorded is not None:
        recorded = recorded.copy()
        recorded[..., columns] = np.where(same, recorded[..., columns], chart)
    return replace(data, values=values, recorded=recorded)


def columns_of(data: SequenceData, name: str) -> list[int]:
    """Return the positions of a variable's features (its value first), or of a feature."""
    owners = data.variables or data.feature_names
    if name not in owners:
        names = [*dict.fromkeys(owners), *data.static_names]
        raise ValueError(f"Expected a name among {names}; received {name!r}. Check the spelling.")
    return [position for position, owner in enumerate(owners) if owner == name]


def _change_static(data: SequenceData, name: str, value: float | None, steps: Any) -> SequenceData:
    if steps is not None or value is None:
        raise ValueError(
            f"Expected a value and no steps for the static fact {name!r}; received {value} and "
            f"steps={steps}. A static fact does not change over the sequence."
        )
    column = data.static_names.index(name)
    static, center, scale = map(np.array, (data.static, data.static_center, data.static_scale))
    static[:, column] = (value - center[column]) / scale[column]
    return replace(data, static=static)


def _step_mask(data: SequenceData, steps: Any, measured: np.ndarray, name: str) -> np.ndarray:
    """Return which steps are to be changed, bool (sample, time): at least one of every sample."""
    if steps is None:
        return data.mask
    if isinstance(steps, str):
        selected = measured & data.mask
        if steps != "measured" or not selected.any(axis=1).all():
            raise ValueError(
                f'Expected steps to be numbers, a slice or "measured", with {name!r} measured in '
                f"every sample; received {steps!r}. Change one sample at a time: data[3]."
            )
        return selected
    index = steps if isinstance(steps, slice) else np.atleast_1d(np.asarray(steps))
    whole = isinstance(index, slice) or index.dtype.kind in "iu"
    selected = np.zeros(data.mask.shape, bool)
    for row, length in enumerate(data.lengths):
        inside = isinstance(index, slice) or (
            whole and index.size > 0 and -length <= index.min() and index.max() < length
        )
        if inside:
            selected[row, np.arange(length)[index]] = True
        if not selected[row].any():
            raise ValueError(
                f"Expected whole numbers of steps that every sample has: sample {row} has the "
                f"steps 0 to {length - 1}; received {steps}. Choose among them, or change one "
                "sample at a time: data[3]."
            )
    return selected


# The fields that a rewritten text takes over.
_KEPT = (
    *("static", "static_names", "static_units", "static_center", "static_scale", "labels"),
    *("name", "target_name", "target_names", "class_names"),
)


def rewrite(data: SequenceData, texts: Iterable[str | Sequence[str]]) -> SequenceData:
    """Return other texts with the same vocabulary: what would the model say of a new sentence?

    Parameters
    ----------
    texts : iterable of str, or of lists of words
        Any number of texts; where the data has static facts, which stay, one text per sample.
        Capital letters are kept if the vocabulary has words with capitals.

    Returns
    -------
    SequenceData
        With the same vocabulary and classes, and without a target, which is not known.

    Raises
    ------
    ValueError
        The data is no text, or a text has no word.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_texts(["A good film", "A bad film"], ["up", "down"], at_least=1)
    >>> data.rewrite(["Not a good film!"]).own_words.tolist()
    [['[not]', 'a', 'good', 'film', '[!]']]
    """
    _need_text(data, "rewrite")
    capitals = any(word != word.lower() for word in data.vocabulary[len(SPECIAL_WORDS) :])
    new = from_texts(type(data), texts, vocabulary=data.vocabulary, lower=not capitals)
    if data.static is not None and len(new) != len(data):
        raise ValueError(
            f"Expected {len(data)} texts, one for each sample's static facts; received {len(new)}. "
            "Take one sample: data.test[3].rewrite([text])."
        )
    return replace(new, **{name: getattr(data, name) for name in _KEPT})


def switch_off(data: SequenceData, steps: int | slice | Sequence[int]) -> SequenceData:
    """Return texts in which the model reads "[UNK]" instead of the words at some steps.

    Parameters
    ----------
    steps : int, slice or sequence of int
        Positions of the words, from 0 on; negative ones from the end of each text.

    Returns
    -------
    SequenceData
        `own_words` shows the words that were switched off in brackets.

    Raises
    ------
    ValueError
        The data is no text, or has no word at such a step.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_texts(["A good film"], at_least=1)
    >>> data.switch_off([1]).own_words.tolist()
    [['a', '[good]', 'film']]
    """
    _need_text(data, "switch_off")
    unknown = data.vocabulary.index(UNKNOWN)
    switched_off = _step_mask(data, steps, data.mask, "the text")
    tokens = np.where(switched_off, np.int32(unknown), np.array(data.tokens))
    written = _unknown_words(written_words(data), tokens, data.mask, data)
    return replace(data, tokens=tokens, unknown_words=written)


def side_by_side(recorded: SequenceData, changed: SequenceData) -> SequenceData:
    """Return two texts as one data set without a target; the shorter one is padded."""
    _need_text(recorded, "compare")
    if recorded.vocabulary != changed.vocabulary:
        raise ValueError(
            f"Expected two texts with one vocabulary; received others, of "
            f"{len(recorded.vocabulary)} and {len(changed.vocabulary)} words. Make the second text "
            "from the first: sentence.rewrite([text])."
        )
    pair = (recorded, changed)
    mask, _ = pad([text.mask[0] for text in pair])
    tokens, _ = pad([np.array(text.tokens)[0] for text in pair])
    written = [written_words(text)[0] for text in pair]
    return replace(
        recorded[np.array([0, 0])],
        values=np.zeros((*mask.shape, 0), np.float32),
        tokens=tokens,
        mask=mask,
        times=None,
        target=None,
        unknown_words=_unknown_words(written, tokens, mask, recorded),
    )


def _unknown_words(written: Any, tokens: np.ndarray, mask: np.ndarray, data: SequenceData) -> Any:
    """Return `SequenceData.unknown_words` of these texts; padding is no word, whatever its id."""
    unknown = data.vocabulary.index(UNKNOWN)
    return kept_unknown(written, np.where(mask, tokens, unknown - 1), unknown)


def _need_text(data: SequenceData, verb: str) -> None:
    if data.tokens is None or UNKNOWN not in data.vocabulary:
        received = "numeric sequences" if data.tokens is None else "token ids without a vocabulary"
        raise ValueError(
            f"Expected texts with a vocabulary in {verb}; received {received}. Make them with "
            "SequenceData.from_texts, or change numbers with data.change(...)."
        )
