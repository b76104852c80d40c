"""What `help` shows: every parameter of a function and every field of a class, written out."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import lstm_explain
from lstm_explain.inspection.compiled import Subject
from lstm_explain.inspection.question import Question

PACKAGE = Path(lstm_explain.__file__).parent
FACES = [".".join(path.parent.relative_to(PACKAGE.parent).parts)
         for path in sorted(PACKAGE.rglob("__init__.py"))]  # fmt: skip


def public_objects() -> dict[str, Any]:
    """Return the functions and classes that the faces of the package and its folders offer."""
    objects = {}
    for name in FACES:
        face = importlib.import_module(name)
        for public in face.__all__:
            value = getattr(face, public)
            if inspect.isfunction(value) or inspect.isclass(value):
                objects[f"{value.__module__}.{value.__qualname__}"] = value
    return objects


OBJECTS = public_objects()
FUNCTIONS = {name: value for name, value in OBJECTS.items() if inspect.isfunction(value)}
RECORDS = {
    name: value
    for name, value in OBJECTS.items()
    if inspect.isclass(value) and (is_dataclass(value) or hasattr(value, "_fields"))
} | {"Question": Question, "Subject": Subject}


def described(docstring: str | None) -> set[str]:
    """Return the names that stand in front of a line of a docstring's numpydoc sections.

    Such a line is ``name``, ``one, other`` or either with `` : type`` behind it.
    """
    lines = inspect.cleandoc(docstring or "").splitlines()
    names: set[str] = set()
    for line in lines:
        match = re.match(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: : .*)?$", line)
        if match:
            names |= {name.lstrip("*") for name in match[1].split(", ")}
    return names


def undocumented_fields(record: type) -> set[str]:
    """Return the public fields of a dataclass or named tuple without a line in its docstring."""
    names = [f.name for f in fields(record)] if is_dataclass(record) else record._fields
    return {name for name in names if not name.startswith("_")} - described(record.__doc__)


def undocumented_parameters(function: Any) -> set[str]:
    """Return the parameters without a line in a docstring that has a section for them.

    Keywords of an earlier release, ``**old``, are not shown.
    """
    if "Parameters\n" not in (function.__doc__ or ""):
        return set()
    return set(inspect.signature(function).parameters) - described(function.__doc__) - {"old"}


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_field_of_a_public_record_has_a_line(name: str) -> None:
    assert undocumented_fields(RECORDS[name]) == set()


def test_the_records_include_those_that_a_reader_meets() -> None:
    found = {record.__name__ for record in RECORDS.values()}
    assert {"SequenceData", "Anatomy", "Background", "TrainingRun", "Question", "Subject"} <= found


def test_an_undocumented_field_is_noticed() -> None:
    @dataclass
    class Measured:
        """A measurement, which mentions the unit in passing.

        Attributes
        ----------
        value, error : float
        """

        value: float
        error: float
        unit: str = ""
        _cache: int = 0

    class Pair(NamedTuple):
        """Two numbers.

        Attributes
        ----------
        first : int
        """

        first: int
        second: int

    assert undocumented_fields(Measured) == {"unit"}
    assert undocumented_fields(Pair) == {"second"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_parameter_of_a_public_function_has_a_line(name: str) -> None:
    assert undocumented_parameters(FUNCTIONS[name]) == set()


@pytest.mark.parametrize(
    "factory", ["from_arrays", "from_frame", "from_series", "from_tokens", "from_texts"]
)
def test_every_parameter_of_a_factory_has_a_line(factory: str) -> None:
    assert undocumented_parameters(getattr(lstm_explain.SequenceData, factory)) == set()


def test_an_undocumented_parameter_is_noticed() -> None:
    def scaled(values: float, *, factor: float = 1.0, **options: object) -> float:
        """Multiply values by a factor.

        Parameters
        ----------
        values : float
        """
        return values * factor * len(options)

    assert undocumented_parameters(scaled) == {"factor", "options"}


REFERENCE = re.compile(r"\bas in `(lstm_explain\.|lx\.)?(explain|explore)`", re.IGNORECASE)


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_no_docstring_sends_the_reader_to_explain(name: str) -> None:
    """`help` of one function shows its parameters, not where else to look."""
    assert not REFERENCE.search(OBJECTS[name].__doc__ or "")


@pytest.mark.parametrize("text", ["As in `explain`.", "model, data : as in `lstm_explain.explain`"])
def test_such_a_reference_is_noticed(text: str) -> None:
    assert REFERENCE.search(text)
