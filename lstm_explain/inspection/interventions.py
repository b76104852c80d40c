"""Change what one layer of a model does while a block runs, and put it back whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def substituted(operation: Any, attribute: str, replacement: Any) -> Iterator[None]:
    """Give one Keras operation another attribute, such as ``call`` or ``activation``, for a block.

    A model that is called inside the block runs whole, with its masks, nested models and other
    layers as they are: nothing is cut out or copied. Compiled functions keep the substitution that
    they were traced with. The attribute is set behind Keras's bookkeeping, so that nothing about
    the model changes.
    """
    own = vars(operation)
    had, kept = attribute in own, own.get(attribute)
    own[attribute] = replacement
    try:
        yield
    finally:
        if had:
            own[attribute] = kept
        else:
            own.pop(attribute, None)
