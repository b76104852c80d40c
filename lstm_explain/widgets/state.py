"""The state of an explorer: a sample, its changes, and what can be undone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..sequences.data import SequenceData

# The most deeds that can be undone.
_MOST_PAST = 200


@dataclass(frozen=True)
class Edit:
    """One change of a recorded sample, in original units.

    Attributes
    ----------
    name : str
        A variable (without indicators: a feature) or a static fact.
    value : float or None
        None for "not measured".
    steps : tuple (first, last) or None
        Both included, counted from 0; None for a static fact.
    """

    name: str
    value: float | None
    steps: tuple[int, int] | None = None


Edits = tuple[Edit, ...]


@dataclass(frozen=True)
class State:
    """Everything that determines what an explorer shows; each deed makes a new one.

    Attributes
    ----------
    sample : int
    edits : tuple of Edit
        In the order in which they were made, without those that a later one replaces.
    pinned : tuple of Edit or None
        The changes that the present state is compared with; None for the sample as recorded.
    past : tuple of tuples of Edit
        The edits before each deed, the oldest first.
    future : tuple of tuples of Edit
        The edits that were undone and can be done again, the next one last.
    """

    sample: int
    edits: Edits = ()
    pinned: Edits | None = None
    past: tuple[Edits, ...] = ()
    future: tuple[Edits, ...] = ()


class Refused(ValueError):
    """What the user asked for cannot be done; the message says why in the user's words."""


def changed(state: State, edit: Edit, joined: bool = False) -> State:
    """Add a change; one that is `joined` to the last one, as in a drag, is undone with it.

    Examples
    --------
    >>> state = changed(State(0), Edit("lactate", 2.0, (3, 3)))
    >>> state = changed(state, Edit("lactate", 2.5, (3, 3)))
    >>> state.edits
    (Edit(name='lactate', value=2.5, steps=(3, 3)),)
    >>> undone(state).edits
    (Edit(name='lactate', value=2.0, steps=(3, 3)),)
    """
    last = state.edits[-1] if state.edits else None
    if edit == last:
        return state
    edits = (*(old for old in state.edits if not _covers(edit, old)), edit)
    return with_edits(state, edits, joined)


def with_edits(state: State, edits: Edits, joined: bool = False) -> State:
    """Return the state after a deed, which can be undone: alone, or `joined` to the last one."""
    past = state.past if joined else (*state.past, state.edits)[-_MOST_PAST:]
    return replace(state, edits=edits, past=past, future=())


def undone(state: State) -> State:
    """Undo the last deed, if there is one."""
    if not state.past:
        return state
    *past, edits = state.past
    return replace(state, edits=edits, past=tuple(past), future=(*state.future, state.edits))


def redone(state: State) -> State:
    """Do again what was undone last, if nothing else was done since."""
    if not state.future:
        return state
    *future, edits = state.future
    return replace(state, edits=edits, past=(*state.past, state.edits), future=tuple(future))


def reset(state: State) -> State:
    """Undo all changes; this can be undone too."""
    return with_edits(state, ()) if state.edits else state


def pinned(state: State) -> State:
    """Compare with the present state from now on."""
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


def pick(order: np.ndarray, present: int) -> int:
    """Return the sample after the present one in an order; the first after the last.

    Examples
    --------
    >>> pick(np.array([7, 2, 5]), 2), pick(np.array([7, 2, 5]), 5)
    (5, 7)
    """
    [place] = np.flatnonzero(order == present)
    return int(order[(place + 1) % len(order)])


def _covers(new: Edit, old: Edit) -> bool:
    """Return whether a new change replaces an old one entirely."""
    if new.name != old.name:
        return False
    if new.steps is None or old.steps is None:
        return True
    return new.steps[0] <= old.steps[0] and old.steps[1] <= new.steps[1]
