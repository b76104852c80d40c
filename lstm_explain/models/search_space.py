"""The options that `tune` searches, and the values that each of them may have."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from ..arguments import check_number, check_whole, described, is_whole
from ..sequences.data import SequenceData
from .architecture import build_model, check_options
from .encoders import RECURRENT
from .training import train

# By the name of an option: a list of values, or the ends of a range.
Space: TypeAlias = dict[str, "list[Any] | tuple[float, float]"]
_OF_TEXTS = ("embedding_size", "word_dropout")
_OF_MODEL = ("cell", "units", "bidirectional", "attention_units", "dropout", "l2", "beside")
_OF_TRAINING = ("batch_size", "learning_rate", "clip_norm")
_WHOLE = ("attention_units", "embedding_size", "batch_size")
_USUAL: Space = {
    "units": [(16,), (32,), (64,), (32, 32)],
    "bidirectional": [False, True],
    "dropout": (0.0, 0.5),
    "word_dropout": (0.0, 0.5),
    "l2": [0.0, 1e-5, 1e-4, 1e-3],
    "learning_rate": (3e-4, 1e-2),
}
_USUAL_GRID: Space = {
    "units": [(16,), (32,), (64,)],
    "dropout": [0.1, 0.3],
    "learning_rate": [3e-4, 1e-3, 3e-3],
}
# A range of at least so many times its start is searched on a logarithmic scale.
_WIDE = 10
_DEFAULTS = {
    name: parameter.default
    for name, parameter in signature(build_model).parameters.items()
    if name != "data"
}
_ALL = {*_DEFAULTS, *signature(train).parameters}
# Of `tune` itself, or made by it.
_TAKEN = {"data", "model", "minutes", "seed", "progress", "callbacks"}


def check_fixed(options: Mapping[str, Any]) -> None:
    """Raise unless all are options of `build_model` or `train` that a search leaves alone."""
    known = sorted(_ALL - _TAKEN)
    if unknown := sorted({*options} - {*known}):
        raise ValueError(
            f"Expected further options to be among {known}; received {unknown}. Leave them out."
        )


def of_model(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `build_model`."""
    return {name: value for name, value in options.items() if name in _DEFAULTS}


def of_training(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `train`."""
    return {name: value for name, value in options.items() if name not in _DEFAULTS}


def checked_space(space: Any, data: SequenceData, is_grid: bool, fixed: Mapping[str, Any]) -> Space:
    """Return what is searched, or say which option or value cannot be."""
    of_texts = _OF_TEXTS if data.tokens is not None else ()
    names = [name for name in (*_OF_MODEL, *of_texts, *_OF_TRAINING) if name not in fixed]
    base = _DEFAULTS | of_model(fixed)
    if space is None:
        space = {n: v for n, v in (_USUAL_GRID if is_grid else _USUAL).items() if n in names}
        if base["cell"] not in RECURRENT:
            space.pop("bidirectional", None)
    if not isinstance(space, Mapping) or not space or not {*map(str, space)} <= {*names}:
        what = [*space] if isinstance(space, Mapping) else space
        raise ValueError(
            f"Expected space to map options among {names} to their values; received "
            f"{described(what)}. Give for example {{'dropout': [0.1, 0.3]}}; what has one value "
            "is an option of its own, dropout=0.1."
        )
    checked = {name: _checked_values(name, values, is_grid) for name, values in space.items()}
    for name, value in ((name, value) for name, values in checked.items() for value in values):
        given: dict[str, Any] = {name: value}
        if name == "batch_size":
            check_whole(least=1, **given)
        elif name in _OF_TRAINING:
            check_number(above=0, **given)
        elif name not in ("cell", "bidirectional"):
            check_options(data, **base | given)
    pair = ("cell", "bidirectional")  # of which not all go together
    for values in product(*(checked.get(name, [base[name]]) for name in pair)):
        check_options(data, **base | dict(zip(pair, values, strict=True)))
    return checked


def _checked_values(name: str, values: Any, is_grid: bool) -> list[Any] | tuple[float, float]:
    if isinstance(values, list) and values:
        plain = [value.item() if isinstance(value, np.generic) else value for value in values]
        plain = [tuple(value) if isinstance(value, list) else value for value in plain]
        kinds = bool | int | float | str | tuple | None
        if all(isinstance(v, kinds) for v in plain) and len(labelled(plain)) == len(plain):
            return plain
    numbers = isinstance(values, tuple) and len(values) == 2
    if numbers and not is_grid and all(is_whole(n) or isinstance(n, float) for n in values):
        low, high = (n.item() if isinstance(n, np.generic) else n for n in values)
        if -np.inf < low < high < np.inf:
            return low, high
    raise ValueError(
        f"Expected {name} in space to be a list of distinct values"
        f"{'' if is_grid else ', or a range (low, high)'}; received {described(values)}. Give for "
        f"example 'units': [(16,), (32,)] or 'dropout': [0.1, 0.3]."
    )


def labelled(values: list[Any]) -> dict[Any, Any]:
    """Return values by what a file can keep of them: of a tuple its text."""
    return {repr(value) if isinstance(value, tuple) else value: value for value in values}


def suggested(trial: Any, space: Space) -> dict[str, Any]:
    """Return the options of one of Optuna's trials, of which those that are missing are drawn."""
    suggestions = {}
    for name, values in space.items():
        if isinstance(values, list):
            labels = labelled(values)
            suggestions[name] = labels[trial.suggest_categorical(name, [*labels])]
        else:
            low, high = values
            suggest = trial.suggest_int if name in _WHOLE else trial.suggest_float
            suggestions[name] = suggest(name, low, high, log=0 < low <= high / _WIDE)
    return suggestions
