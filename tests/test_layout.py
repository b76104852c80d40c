"""The shape of the package: what imports what, what loads when, and what each name is called."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lstm_explain

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lstm_explain"

# A module imports only from those above it. Helper modules stand just above the module they serve.
ORDER = (
    "progress",
    "columns",
    "assembly",
    "checks",
    "building",
    "splitting",
    "words",
    "word_vectors",
    "word_vector_file",
    "spelling",
    "texts",
    "scaling",
    "missingness",
    "filling",
    "editing",
    "text_editing",
    "description",
    "inputs",
    "sequences",
    "datasets",
    "backend",
    "buckets",
    "layers",
    "embedding",
    "summaries",
    "linear_paths",
    "cooccurrence",
    "models",
    "metrics",
    "assessment",
    "subgroups",
    "training",
    "background",
    "exports",
    "grouping",
    "explanation",
    "drivers",
    "ranking",
    "substitution",
    "anatomy",
    "outputs",
    "gradients",
    "quadrature",
    "subject",
    "forward",
    "prediction",
    "preparation",
    "estimation",
    "path_sums",
    "refinement",
    "integration",
    "attention",
    "records",
    "shapley",
    "recurrence",
    "gates",
    "vanishing",
    "prefix_answers",
    "engine",
    "comparison",
    "step_names",
    "decisions",
    "counterfactual",
    "familiarity",
    "coalitions",
    "pieces",
    "recorded_question",
    "removal",
    "faithfulness_case",
    "agreement",
    "faithfulness_evidence",
    "ranking_checks",
    "faithfulness_repeat",
    "sensitivity",
    "randomisation",
    "attention_checks",
    "stability",
    "figure_text",
    "verdicts",
    "figure_style",
    "figure_checks",
    "figure_content",
    "figure_time",
    "figure_sides",
    "figure_summary",
    "figure_panels",
    "figure_heatmap",
    "figure_overview",
    "figure_chart",
    "figure_reliability",
    "figure_comparison",
    "figure_words",
    "figure_tokens",
    "figure_html",
    "figure_gates",
    "figure_report",
    "plots",
    "report_tables",
    "report_page",
    "faithfulness",
    "widget_state",
    "widget_answers",
    "widget_ranking",
    "widget_view",
    "figure_canvas",
    "figure_moving",
    "figure_explore",
    "widget_core",
    "widget_guard",
    "widget_worker",
    "widget_live",
    "widget_static",
    "widget_controls",
    "widget_base",
    "widget_explorer",
    "widget_wording",
    "widget_text",
    "memory",
    "figure_memory",
    "gate_player",
    "widgets",
    "__init__",
)
# Within datasets/, a loader may import these three and the helpers that begin with its own name
# (icu: icu_archive), and no other loader. Helpers of one loader may import each other, but not it.
SHARED_BY_DATASETS = {"archive", "store", "truth"}
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
MAX_LINES = 300

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


def room(dotted: tuple[str, ...]) -> str:
    """Return the module of this package that an import names, `__init__` for a public name."""
    return dotted[1] if len(dotted) > 1 and dotted[1] in ORDER else "__init__"


def wrong_imports(path: Path, source: str) -> list[str]:
    """Return the imports of a module that break the order."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    wrong = []
    for dotted in imported(path, source):
        if dotted[0] != "lstm_explain":
            continue
        if inside[0] == "datasets" and room(dotted) == "datasets":
            sibling = dotted[2] if len(dotted) > 2 else "__init__"
            loader = inside[1].split("_")[0]
            allowed = (
                inside[1] == "__init__"
                or (sibling in SHARED_BY_DATASETS and inside[1] not in SHARED_BY_DATASETS)
                or sibling.startswith(f"{loader}_")
            )
        else:
            allowed = ORDER.index(room(dotted)) < ORDER.index(inside[0])
        if not allowed:
            wrong.append(".".join(dotted))
    return wrong


@each_module
def test_module_imports_only_from_above(path: Path) -> None:
    name = path.relative_to(PACKAGE).with_suffix("").parts[0]
    assert name in ORDER, f"give {name} a place in ORDER"
    assert wrong_imports(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sequences.py", "from .models import build_model"),
        ("sequences.py", "def f():\n    from . import engine"),
        ("sequences.py", "import lstm_explain as lx"),
        ("sequences.py", "from lstm_explain import explain"),
        ("datasets/market.py", "from ..training import train"),
        ("datasets/market.py", "from .icu import load_icu"),
        ("datasets/store.py", "from .truth import make"),
        ("datasets/icu_archive.py", "from .icu import load_icu"),
        ("datasets/market.py", "from .icu_archive import read_records"),
    ],
)
def test_wrong_import_is_noticed(module: str, source: str) -> None:
    assert wrong_imports(PACKAGE / module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models.py", "import keras\nfrom .layers import AttentionPooling"),
        ("datasets/market.py", "from ..sequences import SequenceData\nfrom .store import find"),
        ("datasets/__init__.py", "from .market import load_market"),
        ("datasets/icu.py", "from .icu_archive import read_records"),
        ("datasets/icu_archive.py", "from .icu_variables import SERIES"),
        ("__init__.py", "from .engine import explain"),
    ],
)
def test_right_import_is_accepted(module: str, source: str) -> None:
    assert wrong_imports(PACKAGE / module, source) == []


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


def test_public_names() -> None:
    assert lstm_explain.__all__ == sorted(set(lstm_explain.__all__))
    assert set(lstm_explain.__all__) <= set(dir(lstm_explain))
    for name in lstm_explain.__all__:
        assert getattr(lstm_explain, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(lstm_explain, "no_such_name")  # noqa: B009


def test_star_import() -> None:
    names: dict[str, object] = {}
    exec("from lstm_explain import *", names)  # noqa: S102
    assert set(lstm_explain.__all__) <= set(names)


def test_no_public_name_is_a_module() -> None:
    """With lazy imports lx.name would turn from the function into the module of that name."""
    modules = {path.stem for path in MODULES} | {
        path.parent.name for path in MODULES if path.name == "__init__.py"
    }
    assert not modules & set(lstm_explain.__all__)


def test_public_objects_have_docstrings() -> None:
    for name in lstm_explain.__all__:
        value = getattr(lstm_explain, name)
        if inspect.isroutine(value) or inspect.isclass(value):
            assert (value.__doc__ or "").strip(), f"{name} has no docstring"


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


@each_module
def test_module_is_short_and_documented(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(source)), "the module itself needs a docstring"
    assert undocumented(source) == []


def test_missing_docstring_is_noticed() -> None:
    source = "class A:\n    '''A.'''\n    def b(self): ...\ndef c(): ...\ndef _d(): ..."
    assert undocumented(source) == ["A.b", "c"]


def test_skips_are_listed() -> None:
    """tests/SKIPS.md names exactly the test files that may skip or expect a failure."""
    skip = re.compile(r"pytest\.(skip|importorskip|xfail)\(|pytest\.mark\.(skip|skipif|xfail)\b")
    skipping = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__) and skip.search(path.read_text(encoding="utf-8"))
    }
    table = (ROOT / "tests" / "SKIPS.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(tests/[^`]+\.py)`", table, re.MULTILINE)) == skipping
