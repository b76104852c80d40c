"""The state of an explorer: a sample, its changes, and what can be undone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..sequences.data import SequenceData

# The most actions that can be undone.
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
    """Everything that determines what an explorer shows; each action makes a new one.

    Attributes
    ----------
    sample : int
    edits : tuple of Edit
        In the order in which they were made, without those that a later one replaces.
    pinned : tuple of Edit or None
        The changes that the present state is compared with; None for the sample as recorded.
    past : tuple of tuples of Edit
        The edits before each action, the oldest first.
    """

    sample: int
    edits: Edits = ()
    pinned: Edits | None = None
    past: tuple[Edits, ...] = ()


def changed(state: State, edit: Edit) -> State:
    """Add a change. All moves of one slider in a row are one action, undone together.

    Examples
    --------
    >>> state = changed(State(0), Edit("lactate", 2.0, (3, 3)))
    >>> state = changed(state, Edit("lactate", 2.5, (3, 3)))
    >>> state.edits
    (Edit(name='lactate', value=2.5, steps=(3, 3)),)
    >>> undone(state).edits
    ()
    """
    last = state.edits[-1] if state.edits else None
    if edit == last:
        return state
    edits = (*(old for old in state.edits if not _covers(edit, old)), edit)
    if last is not None and (edit.name, edit.steps) == (last.name, last.steps):
        return replace(state, edits=edits)
    return replace(state, edits=edits, past=_remember(state))


def undone(state: State) -> State:
    """Undo the last action, if there is one."""
    if not state.past:
        return state
    return replace(state, edits=state.past[-1], past=state.past[:-1])


def reset(state: State) -> State:
    """Undo all changes; this can be undone too."""
    return replace(state, edits=(), past=_remember(state)) if state.edits else state


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


def _remember(state: State) -> tuple[Edits, ...]:
    return (*state.past, state.edits)[-_MOST_PAST:]


def _covers(new: Edit, old: Edit) -> bool:
    """Return whether a new change replaces an old one entirely."""
    if new.name != old.name:
        return False
    if new.steps is None or old.steps is None:
        return True
    return new.steps[0] <= old.steps[0] and old.steps[1] <= new.steps[1]
