"""What the reader of a widget has done so far: a sample, its changes, what can be undone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..sequences.data import SequenceData

# How many states can be gone back to.
_MOST_PAST = 200


@dataclass(frozen=True)
class Edit:
    """One change of what was recorded, in original units.

    Attributes
    ----------
    name : str
        A variable (without indicators: a feature) or a static fact.
    value : float or None
        None for "was not measured".
    steps : tuple (first, last) or None
        Both included, counted from 0; None for a static fact.
    """

    name: str
    value: float | None
    steps: tuple[int, int] | None = None


Edits = tuple[Edit, ...]


@dataclass(frozen=True)
class State:
    """Everything that decides what a widget shows; made anew by each action, never changed.

    Attributes
    ----------
    sample : int
    edits : tuple of Edit
        In the order in which they were made, without those that later ones cover.
    pinned : tuple of Edit or None
        What the present is compared with; None for the sample as recorded.
    past : tuple of tuples of Edit
        The edits before each action, the oldest first.
    """

    sample: int
    edits: Edits = ()
    pinned: Edits | None = None
    past: tuple[Edits, ...] = ()


def changed(state: State, edit: Edit) -> State:
    """Add a change. Moving one slider is one action, to be undone at once.

    Examples
    --------
    >>> state = changed(State(0), Edit("lactate", 2.0, (3, 3)))
    >>> state = changed(state, Edit("lactate", 2.5, (3, 3)))
    >>> state.edits
    (Edit(name='lactate', value=2.5, steps=(3, 3)),)
    >>> undone(state).edits
    ()
    """
    if state.edits and edit == state.edits[-1]:
        return state
    edits = (*(old for old in state.edits if not _covers(edit, old)), edit)
    if state.edits and _same_place(edit, state.edits[-1]):
        return replace(state, edits=edits)
    return replace(state, edits=edits, past=_remember(state))


def undone(state: State) -> State:
    """Take the last action back; nothing happens where there is none."""
    if not state.past:
        return state
    return replace(state, edits=state.past[-1], past=state.past[:-1])


def reset(state: State) -> State:
    """Go back to the sample as it was recorded; this too can be undone."""
    return replace(state, edits=(), past=_remember(state)) if state.edits else state


def pinned(state: State) -> State:
    """Compare with the present from now on."""
    return replace(state, pinned=state.edits)


def unpinned(state: State) -> State:
    """Compare with the sample as it was recorded again."""
    return replace(state, pinned=None)


def edited(sample: SequenceData, edits: Edits) -> SequenceData:
    """Return one recorded sample with changes made to it."""
    for edit in edits:
        steps = None if edit.steps is None else range(edit.steps[0], edit.steps[1] + 1)
        sample = sample.change(edit.name, edit.value, steps)
    return sample


def pick(order: np.ndarray, present: int, forward: bool = True) -> int:
    """Return the sample after (or before) the present one in an order, round and round.

    A sample that is not in the order is followed by its first.

    Examples
    --------
    >>> pick(np.array([7, 2, 5]), 2), pick(np.array([7, 2, 5]), 5), pick(np.array([7, 2, 5]), 0)
    (5, 7, 7)
    """
    places = np.flatnonzero(order == present)
    if not len(places):
        return int(order[0])
    return int(order[(places[0] + (1 if forward else -1)) % len(order)])


def _remember(state: State) -> tuple[Edits, ...]:
    return (*state.past, state.edits)[-_MOST_PAST:]


def _same_place(one: Edit, other: Edit) -> bool:
    return one.name == other.name and one.steps == other.steps


def _covers(new: Edit, old: Edit) -> bool:
    """Tell whether nothing is left of an old change after a new one."""
    if new.name != old.name:
        return False
    if new.steps is None or old.steps is None:
        return True
    return new.steps[0] <= old.steps[0] and old.steps[1] <= new.steps[1]
