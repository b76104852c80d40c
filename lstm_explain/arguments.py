"""Checks of arguments, alike in all public functions: what is expected, received, and the remedy.

Arguments are given by name, several at once: ``check_whole(least=1, epochs=epochs)``.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

_LARGEST = float(np.finfo(np.float32).max)


def described(value: object) -> str:
    """Return what was received, short enough for a message.

    Examples
    --------
    >>> described("low"), described(None), described(np.zeros(3))
    ("'low'", 'None', 'ndarray')
    """
    plain = value is None or isinstance(value, str | bytes | bool | int | float | np.generic)
    listed = isinstance(value, list | tuple | dict | set) and len(repr(value)) <= 60
    return f"{value!r:.60}" if plain or listed or isinstance(value, Path) else type(value).__name__


def what_is(value: object) -> str:
    """Return the type of what was received; of a table also its columns.

    Examples
    --------
    >>> what_is("low"), what_is(None)
    ('str', 'None')
    """
    if hasattr(value, "columns"):
        return f"a table with the columns {[str(column) for column in value.columns]}"
    return "None" if value is None else type(value).__name__


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value is a whole number; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _given(named: dict[str, Any], optional: bool) -> Iterator[tuple[str, Any]]:
    """Yield the arguments to check: those that are None where it is allowed are left out."""
    return ((name, value) for name, value in named.items() if not (optional and value is None))


def check_whole(
    *,
    least: int = 0,
    most: int | None = None,
    optional: bool = False,
    remedy: str = "",
    **named: Any,
) -> None:
    """Raise unless each is a whole number from `least` to `most`, or None where that is allowed."""
    for name, value in _given(named, optional):
        if not is_whole(value) or value < least or (most is not None and value > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise ValueError(
                f"Expected {name} to be a whole number {bounds}; received {described(value)}. "
                f"{remedy or f'Give for example {name}={least}.'}"
            )


def check_number(
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
    optional: bool = False,
    remedy: str = "",
    **named: Any,
) -> None:
    """Raise unless each is a finite number within the bounds, or None where that is allowed."""
    for name, value in _given(named, optional):
        is_number = is_whole(value) or isinstance(value, float | np.floating)
        finite = is_number and abs(value) <= _LARGEST  # models compute in float32; NaN is not
        if not finite or not (value > above and value >= least and value < below and value <= most):
            limits = {"above": above, "of at least": least, "below": below, "of at most": most}
            bounds = " and ".join(
                f"{word} {x:g}" for word, x in limits.items() if abs(x) < math.inf
            )
            raise ValueError(
                f"Expected {name} to be a finite number{f' {bounds}' if bounds else ''}; received "
                f"{described(value)}. {remedy or 'Leave it out for the default.'}"
            )


def check_one_of(
    options: Iterable[str], *, optional: bool = False, remedy: str = "", **named: Any
) -> None:
    """Raise unless each is one of the words, or None where that is allowed."""
    for name, value in _given(named, optional):
        if not (isinstance(value, str) and value in options):
            words = [*options]
            raise ValueError(
                f"Expected {name} to be one of {words}; received {described(value)}. "
                f"{remedy or f'Give for example {name}={words[0]!r}.'}"
            )


def check_flag(**named: Any) -> None:
    """Raise unless each is True or False."""
    for name, value in named.items():
        if not isinstance(value, bool | np.bool):
            raise ValueError(
                f"Expected {name} to be True or False; received {described(value)}. Give "
                f"{name}=True."
            )


def check_type(kind: Any, remedy: str, *, optional: bool = False, **named: Any) -> None:
    """Raise unless each is of a type, or None where that is allowed."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    for name, value in _given(named, optional):
        if not isinstance(value, kinds):
            raise TypeError(
                f"Expected {name} to be {' or '.join(one.__name__ for one in kinds)}; received "
                f"{what_is(value)}. {remedy}"
            )


def check_names(*, optional: bool = False, remedy: str = "", **named: Any) -> None:
    """Raise unless each is a list of names or the like; one text would be read letter by letter."""
    for name, value in _given(named, optional):
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            usual = f"Give [{value!r}]." if isinstance(value, str) else "Give them as a list."
            raise ValueError(
                f"Expected {name} to be a list; received {described(value)}. {remedy or usual}"
            )


def as_numbers(values: Any, name: str) -> np.ndarray:
    """Return an array of float64; text is refused, also text that looks like numbers."""
    try:
        array = np.asarray(values)
        if array.dtype.kind in "fiubO" and array.shape and not np.ma.is_masked(values):
            return array.astype(np.float64)
    except (TypeError, ValueError):  # rows of unequal lengths, or things that are no numbers
        pass
    raise ValueError(
        f"Expected {name} to be an array of numbers; received {described(values)}. Convert it with "
        "np.asarray(..., float), and fill what is masked."
    )


def as_path(path: Any, *, folder: bool = False, name: str = "path") -> Path:
    """Return the path of a file, or of a folder; raise where it is none or the other one."""
    what, other = ("folder", "file") if folder else ("file", "folder")
    remedy = f"Give the {what}'s path as text or pathlib.Path."
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise TypeError(
            f"Expected {name} to be the path of a {what}; received {described(path)}. {remedy}"
        )
    path = Path(path)
    if path.is_file() if folder else path.is_dir():
        raise ValueError(
            f"Expected {name} to be the path of a {what}; received the {other} {str(path)!r}. "
            f"{remedy}"
        )
    return path


def _where_is_it(model: object) -> str:
    """Say where the Keras model is that belongs to what was received."""
    if isinstance(model, str | Path):
        return f"Load it: lx.load_model({str(model)!r})."
    if isinstance(model, list | tuple) and model:
        return "Of several models pass the mean: lx.models.average(models)."
    if hasattr(model, "get_best_models"):  # of KerasTuner
        return "Pass its best model: tuner.get_best_models()[0]."
    if hasattr(model, "model_") or type(model).__module__.startswith("scikeras"):
        return "Pass the Keras model inside, which is there once it is fitted: wrapper.model_."
    return (
        "Pass run.model of run = lx.train(...), or a model from lx.build_model(data) or "
        "lx.load_model(path)."
    )


def check_model(model: Any, *, built: bool = True) -> None:
    """Raise unless this is a Keras model whose weights exist, which it has once it is built."""
    keras: Any = sys.modules.get("keras")  # loaded by whoever made a model
    if keras is None or not isinstance(model, keras.Model):
        raise TypeError(f"Expected a Keras model; received {what_is(model)}. {_where_is_it(model)}")
    if built and not model.built:
        raise ValueError(
            f"Expected a model that has weights; received {model.name!r}, which was never built "
            "and would get random ones. Begin it with keras.Input(shape), and train it or load its "
            "weights."
        )
