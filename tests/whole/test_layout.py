"""The shape of the package: what imports what, what loads when, and what each name is called."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

import lstm_explain

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lstm_explain"
TESTS = ROOT / "tests"
# Folders of tests that mirror no folder of the package.
OTHER_TESTS = {"whole", "benchmarks", "written_before"}

# The folders in the order of the data's path. A file imports from its folder and those above;
# data sets and models do not know each other.
ORDER = (
    ("arguments",),
    ("backend", "files", "progress", "wording", "intervals"),
    ("sequences",),
    ("datasets", "models"),
    ("inspection",),
    ("internals",),
    ("attribution",),
    ("plots",),
    ("faithfulness",),
    ("widgets",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
BACKENDS = {"tensorflow", "jax", "torch"}
# Methods whose meaning Keras defines: their docstring is Keras' own.
KERAS_METHODS = {
    "build",
    "call",
    "compute_mask",
    "compute_output_shape",
    "compute_output_spec",
    "from_config",
    "get_config",
}
MAX_LINES = 450
MAX_FACE_LINES = 40
MAX_TEST_LINES = 400

MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
each_module = pytest.mark.parametrize(
    "path", MODULES, ids=[path.relative_to(PACKAGE).as_posix() for path in MODULES]
)


def imported(path: Path, source: str) -> Iterator[tuple[str, ...]]:
    """Yield the dotted parts of everything that a module imports, wherever the import stands."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                yield (*base, *module, alias.name)


def wrong_imports(path: Path, source: str) -> list[str]:
    """Return the imports of a file that break the order: upward, sideways, or by a public face."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts[0]
    wrong = []
    for dotted in imported(path, source):
        if dotted[0] != "lstm_explain":
            continue
        room = dotted[1] if len(dotted) > 1 else ""
        if room != inside and RANK.get(room, len(ORDER)) >= RANK[inside]:
            wrong.append(".".join(dotted))
    return wrong


FILES = [path for path in MODULES if path.name != "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=[p.relative_to(PACKAGE).as_posix() for p in FILES])
def test_file_imports_only_from_its_folder_and_those_above(path: Path) -> None:
    assert wrong_imports(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sequences/data.py", "from ..models.training import train"),
        ("sequences/data.py", "def f():\n    from ..attribution import explanation"),
        ("sequences/data.py", "import lstm_explain as lx"),
        ("sequences/data.py", "from lstm_explain import explain"),
        ("datasets/market/loader.py", "from ...models.training import train"),
        ("models/training.py", "from ..datasets.store import find_file"),
        ("plots/heatmap.py", "from ..faithfulness.report import FaithfulnessReport"),
        ("backend.py", "from .sequences.data import SequenceData"),
    ],
)
def test_wrong_import_is_noticed(module: str, source: str) -> None:
    assert wrong_imports(PACKAGE / module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models/architecture.py", "import keras\nfrom .layers import AttentionPooling"),
        ("datasets/market/loader.py", "from ...sequences.data import SequenceData"),
        ("datasets/market/loader.py", "from ..store import find_file"),
        ("widgets/explorer.py", "from ..wording import plain"),
    ],
)
def test_right_import_is_accepted(module: str, source: str) -> None:
    assert wrong_imports(PACKAGE / module, source) == []


def test_no_two_files_import_each_other() -> None:
    """Follow the imports that run when a file is loaded; those for type checkers do not count."""
    arrows: dict[str, set[str]] = {}
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found = {".".join(dotted) for dotted in imported(path, ast.unparse(tree))}
        arrows[name] = found | {dotted.rpartition(".")[0] for dotted in found}
    order = TopologicalSorter({name: found & set(arrows) for name, found in arrows.items()})
    order.prepare()  # raises CycleError


@each_module
def test_no_backend_is_imported_with_a_module(path: Path) -> None:
    """TensorFlow, JAX and PyTorch are imported inside the function that needs them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    in_functions = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in in_functions:
            names = [alias.name for alias in node.names]
            names = names if isinstance(node, ast.Import) else [node.module or ""]
            assert not BACKENDS & {name.split(".")[0] for name in names}


def test_import_loads_nothing_heavy_and_changes_nothing() -> None:
    script = """
import json, logging, os, random, sys, warnings
state = lambda: [dict(os.environ), list(map(str, warnings.filters)), logging.root.level,
                 len(logging.root.handlers), hash(random.getstate())]
before = state()
import lstm_explain
heavy = ["keras", "tensorflow", "jax", "torch", "shap", "matplotlib"]
print(json.dumps([[name for name in heavy if name in sys.modules], before == state()]))
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert json.loads(result.stdout) == [[], True]


FACES = [path.parent for path in MODULES if path.name == "__init__.py"]
each_face = pytest.mark.parametrize(
    "folder", FACES, ids=[path.relative_to(ROOT).as_posix() for path in FACES]
)


def face_of(folder: Path) -> ModuleType:
    return importlib.import_module(".".join(folder.relative_to(ROOT).parts))


def test_names_at_the_top() -> None:
    """The names of the main path and the folders, nothing else: what completion shows."""
    folders = [name for names in ORDER[2:] for name in names]
    assert set(dir(lstm_explain)) == {*lstm_explain.__all__}
    assert set(folders) < set(dir(lstm_explain))
    assert len(dir(lstm_explain)) == len(folders) + 49


@each_face
def test_every_public_name_resolves_and_is_documented(folder: Path) -> None:
    face = face_of(folder)
    assert set(dir(face)) == set(face.__all__)
    for name in face.__all__:
        value = getattr(face, name)
        if inspect.isroutine(value) or inspect.isclass(value):
            assert (value.__doc__ or "").strip(), f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(face, "no_such_name")  # noqa: B009


@each_face
def test_no_public_name_is_a_file_or_folder_beside_it(folder: Path) -> None:
    """With lazy imports lx.name would turn from the function into the module of that name."""
    beside = {path.stem for path in folder.glob("*.py")}
    assert not beside & set(face_of(folder).__all__)


@each_face
def test_a_face_is_short(folder: Path) -> None:
    for name in ("__init__.py", "__init__.pyi"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= (MAX_FACE_LINES if folder != PACKAGE else 60)


def moved_names() -> list[tuple[str, str]]:
    moved = lstm_explain._MOVED.items()
    return [(folder, name) for folder, names in moved for name in names.split()]


@pytest.mark.parametrize(("folder", "name"), moved_names())
def test_a_moved_name_still_works_and_says_where_it_is_now(folder: str, name: str) -> None:
    with pytest.warns(FutureWarning, match=rf"moved to lstm_explain\.{folder}\.{name}; use it"):
        old = getattr(lstm_explain, name)
    assert old is getattr(getattr(lstm_explain, folder), name)
    assert name not in dir(lstm_explain)


def test_star_import() -> None:
    names: dict[str, object] = {}
    exec("from lstm_explain import *", names)  # noqa: S102
    assert set(lstm_explain.__all__) <= set(names)


def undocumented(source: str) -> list[str]:
    """Return the public functions, classes and methods of a module that have no docstring."""
    names = []

    def look(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for child in node.body:
            if not isinstance(child, ast.FunctionDef | ast.ClassDef) or child.name.startswith("_"):
                continue
            if prefix and child.name in KERAS_METHODS:
                continue
            if ast.get_docstring(child) is None and not is_overload(child):
                names.append(prefix + child.name)
            if isinstance(child, ast.ClassDef):
                look(child, f"{prefix}{child.name}.")

    look(ast.parse(source), "")
    return names


def is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Tell whether a definition only adds a type signature."""
    return any(ast.unparse(decorator).endswith("overload") for decorator in node.decorator_list)


TEST_FILES = sorted(TESTS.rglob("*.py"))


@each_module
def test_module_is_short_and_documented(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(source)), "the module itself needs a docstring"
    assert undocumented(source) == []


def test_missing_docstring_is_noticed() -> None:
    source = "class A:\n    '''A.'''\n    def b(self): ...\ndef c(): ...\ndef _d(): ..."
    assert undocumented(source) == ["A.b", "c"]


@pytest.mark.parametrize(
    "path", TEST_FILES, ids=[p.relative_to(TESTS).as_posix() for p in TEST_FILES]
)
def test_a_test_file_is_short_and_lies_in_the_folder_of_what_it_tests(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_TEST_LINES
    folder = path.relative_to(TESTS).parent
    if path.name.startswith("test_"):
        assert folder.parts, "a test belongs into the folder of what it tests, or into whole/"
    if folder.parts and folder.parts[0] not in OTHER_TESTS:
        assert (PACKAGE / folder).is_dir(), f"the package has no folder {folder}"


def test_every_folder_has_tests() -> None:
    folders = [path for path in FACES if path != PACKAGE]
    without = [f for f in folders if not [*(TESTS / f.relative_to(PACKAGE)).rglob("test_*.py")]]
    assert without == []


def test_a_type_checker_refuses_a_wrong_keyword(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "from lstm_explain import SequenceData\n\nSequenceData.from_arrays(1, 2, nonsense=3)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(snippet)]
    result = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'snippet.py:3: error: Unexpected keyword argument "nonsense"' in result.stdout


def test_skips_are_listed() -> None:
    """tests/SKIPS.md names exactly the test files that may skip or expect a failure."""
    skip = re.compile(r"pytest\.(skip|importorskip|xfail)\(|pytest\.mark\.(skip|skipif|xfail)\b")
    skipping = {
        path.relative_to(ROOT).as_posix()
        for path in TESTS.rglob("*.py")
        if path != Path(__file__) and skip.search(path.read_text(encoding="utf-8"))
    }
    table = (TESTS / "SKIPS.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(tests/[^`]+\.py)`", table, re.MULTILINE)) == skipping


def test_every_row_of_the_table_of_models_has_its_test() -> None:
    """docs/models_and_data.md names a test that exists for each thing that it says."""
    table = (ROOT / "docs" / "models_and_data.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    rows = [line for line in rows if not line.startswith("| what you have")]
    named = [re.search(r"`([\w/]+\.py)::(test_\w+)` \|$", line) for line in rows]
    assert len(rows) >= 60
    assert all(named), [line for line, name in zip(rows, named, strict=True) if not name]
    for path, name in {match.groups() for match in named if match}:
        source = (TESTS / path).read_text(encoding="utf-8")
        assert f"\ndef {name}(" in source, f"{path} has no {name}"
