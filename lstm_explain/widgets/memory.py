"""What a recurrent layer writes, forgets and remembers at each word of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arguments import check_type, check_whole
from ..inspection.anatomy import read_anatomy
from ..inspection.outputs import as_probability
from ..internals.cells import cell_of
from ..internals.gates import need_layer, trace_gates
from ..internals.responses import answers_by_step
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN, tokenise
from ..wording import decimals, fixed, number, percent
from .view import cut_note

Cut = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Memory:
    """What one layer does with one text; arrays are (word,) and (unit, word).

    Attributes
    ----------
    words : tuple of str
        As they were typed.
    unknown : tuple of str
        Words that the model's vocabulary lacks.
    answers : array (word,)
        What the model answers if the text ends there.
    answer_name : str
    is_probability : bool
    written, forgotten, remembered : arrays (unit, word)
        ``remembered = remembered before + written - forgotten``.
    layer : str
        Its name, and whether it reads backwards.
    kind : str
        What `remembered` is: "cell", or "hidden state" of a GRU.
    cut : str
        Says that only the first words are read; empty where all are.
    """

    words: tuple[str, ...]
    unknown: tuple[str, ...]
    answers: np.ndarray
    answer_name: str
    is_probability: bool
    written: np.ndarray
    forgotten: np.ndarray
    remembered: np.ndarray
    layer: str
    kind: str
    cut: str

    def until(self, count: int) -> Memory:
        """Return the first words only."""
        cut = {
            name: getattr(self, name)[..., :count]
            for name in ("answers", "written", "forgotten", "remembered")
        }
        read = self.words[:count]
        unknown = tuple(word for word in self.unknown if word in read)
        return replace(self, words=read, unknown=unknown, **cut)


class Reader:
    """A model that reads texts, one of its layers, and how a typed text is split into words.

    Texts are padded to `max_words`, so that nothing is compiled anew while somebody types.
    """

    def __init__(
        self, model: Any, data: SequenceData, layer: str | None, cut: Cut | None, max_words: int
    ) -> None:
        if not isinstance(data, SequenceData) or not data.vocabulary:
            raise ValueError(
                "Expected the texts that the model was trained on, with their vocabulary; received "
                f"{data!r:.80}. Of numbers, draw "
                "lx.plot_gates(lx.trace_gates(model, data.test[:1]))."
            )
        check_whole(least=2, remedy="Try 40.", max_words=max_words)
        check_type(Callable, "Give a function that splits a text.", optional=True, cut=cut)
        anatomy = read_anatomy(model, data)
        if "mask" not in anatomy.roles and not anatomy.masks_zero:
            raise ValueError(
                f"Expected a model that masks its padding; {anatomy.model.name!r} reads it. Build "
                "it with Embedding(mask_zero=True), or by lx.build_model from texts of several "
                "lengths."
            )
        self.model, self.data, self.layer, self.max_words = model, data, layer, max_words
        self.cut = cut or tokenise

    def read(self, text: str) -> Memory:
        """Return what the layer does with a text; words beyond `max_words` are left out."""
        every = [word for word in self.cut(text) if word.strip()]
        typed = every[: self.max_words]
        if not typed:
            raise ValueError("Expected at least one word; received none. Type some.")
        padding = [typed[0]] * self.max_words  # a second text that sets the length
        pair = SequenceData.from_texts([typed, padding], vocabulary=self.data.vocabulary)
        classes = self.data.class_names
        data = replace(
            pair[[0]],
            class_names=classes,
            target_name=self.data.target_name,
            target_names=self.data.target_names,
        )
        trace = need_layer(trace_gates(self.model, data).isel(sample=0), self.layer)
        response = answers_by_step(self.model, data)
        names, facts = response["output"].values, {"scale": response.name, "class_names": classes}
        chances = as_probability(response.values, names, facts)
        answers = response.values if chances is None else chances
        read = slice(0, len(typed))
        cell = cell_of(trace)
        layer, direction = trace["layer"].values[0], trace["direction"].values[0]
        known = set(self.data.vocabulary) - {UNKNOWN}
        return Memory(
            words=tuple(typed),
            unknown=tuple(dict.fromkeys(word for word in typed if word not in known)),
            answers=answers[0, read],
            answer_name=str(names[0]),
            is_probability=chances is not None,
            written=trace["written"].values[read].T,
            forgotten=trace["forgotten"].values[read].T,
            remembered=trace[cell.memory].values[read].T,
            layer=f"{layer}{', reading backwards' * (direction == 'backward')}",
            kind=cell.memory_name,
            cut=cut_note(len(typed), len(every)),
        )


def describe(memory: Memory) -> str:
    """Return one sentence on the last word: the answer, and the units that changed most."""
    count = len(memory.words)
    answer = f"{number(memory.answers[-1])} ({memory.answer_name})"
    if memory.is_probability:
        answer = f"{memory.answer_name} with {percent(memory.answers[-1], 1)}"
    text = f"After {count} word{'s' * (count != 1)} the model answers {answer}."
    parts = []
    for name, values in (("writes", memory.written), ("forgets", memory.forgotten)):
        unit = int(np.abs(values[:, -1]).argmax())
        size = float(values[unit, -1])
        parts.append(f"{name} most in unit {unit} ({fixed(size, decimals(size), sign=True)})")
    text += f" The last word, “{memory.words[-1]}”, {' and '.join(parts)}."
    if memory.cut:
        text += f" {memory.cut}"
    if memory.unknown:
        text += f" Not in the model's vocabulary, read as {UNKNOWN}: {', '.join(memory.unknown)}."
    return text
