"""What is made for a model once, and lives on the model, so that it goes with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def forget(model: Any) -> None:
    """Drop what is kept with a model, which has changed."""
    vars(model).pop("_lstm_explain_compiled", None)


def kept_with(model: Any, key: Any, make: Callable[[], Any]) -> Any:
    """Return what an earlier call made under this key; it is gone when the model is."""
    kept = _kept(model)
    if key not in kept:
        kept[key] = make()
    return kept[key]


def keep(model: Any, key: Any, value: Any) -> None:
    """Replace what is kept with a model under this key."""
    _kept(model)[key] = value


def _kept(model: Any) -> dict[Any, Any]:
    kept: dict[Any, Any] = vars(model).setdefault("_lstm_explain_compiled", {})
    return kept
