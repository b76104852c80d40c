"""How the notebooks are saved. That every cell runs is tested by nbval: see `make test`."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import v4

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_CELL_LINES = 15
MAX_BYTES = 1_500_000
# Places of one machine. A path inside a web address is none of them.
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/~-])/(?:bin|etc|home|mnt|opt|private|root|srv|tmp|usr|var|work|Users|Volumes)/\w"
    r"|\b[A-Za-z]:\\{1,2}\w"
)

Notebook = dict[str, Any]


def read(path: Path) -> Notebook:
    return json.loads(path.read_text(encoding="utf-8"))


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def code_cells(notebook: Notebook) -> list[Notebook]:
    """Return the code cells that hold something."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [cell for cell in cells if joined(cell["source"]).strip()]


def outputs(notebook: Notebook) -> Iterator[Notebook]:
    for cell in code_cells(notebook):
        yield from cell["outputs"]


def texts(notebook: Notebook) -> Iterator[str]:
    """Yield all that a reader can read: sources, printed text, the textual forms of results."""
    for cell in notebook["cells"]:
        yield joined(cell["source"])
    for output in outputs(notebook):
        yield joined(output.get("text", ""))
        for kind, value in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield joined(value)


def python(cell: Notebook) -> str:
    """Return a cell's code without IPython's own lines (%matplotlib, !ls, name?)."""
    lines = joined(cell["source"]).splitlines()
    return "\n".join(line for line in lines if not re.match(r"\s*[%!]|.*\?\s*$", line))


def functions(notebook: Notebook) -> Iterator[str]:
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(python(cell))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name


def check_counts(notebook: Notebook) -> None:
    """Demand one run from top to bottom."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def check_outputs_saved(notebook: Notebook) -> None:
    assert any(True for _ in outputs(notebook)), "saved without outputs"


def check_no_error_or_stderr(notebook: Notebook) -> None:
    for output in outputs(notebook):
        assert output["output_type"] != "error", output.get("evalue")
        assert output.get("name") != "stderr", joined(output["text"])


def check_short_cells(notebook: Notebook) -> None:
    for cell in code_cells(notebook):
        source = joined(cell["source"])
        assert len(source.splitlines()) <= MAX_CELL_LINES, source


def check_no_absolute_path(notebook: Notebook) -> None:
    for text in texts(notebook):
        found = ABSOLUTE_PATH.search(text)
        assert found is None, text


def check_nothing_silenced_or_installed(notebook: Notebook) -> None:
    for cell in code_cells(notebook):
        source = joined(cell["source"])
        assert not re.search(r"(filterwarnings|simplefilter)\(\s*[\"']ignore", source), source
        assert not re.search(r"[!%]\s*(pip|conda|mamba)\b", source), source


def check_title(notebook: Notebook) -> None:
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    assert re.match(r"# \S", joined(first["source"]))


def check_kernel(notebook: Notebook) -> None:
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


def check_no_timing(notebook: Notebook) -> None:
    """Demand that running a notebook again changes only what it shows."""
    for cell in code_cells(notebook):
        assert "execution" not in cell["metadata"]
    assert "widgets" not in notebook["metadata"]


CHECKS = [
    check_counts,
    check_outputs_saved,
    check_no_error_or_stderr,
    check_short_cells,
    check_no_absolute_path,
    check_nothing_silenced_or_installed,
    check_title,
    check_kernel,
    check_no_timing,
]


def test_start_here_exists() -> None:
    """`make lab` opens it."""
    assert "00_start_here.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_saved_notebook(path: Path, check: Callable[[Notebook], None]) -> None:
    check(read(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_file(path: Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.stat().st_size < MAX_BYTES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_installing_what_is_missing(path: Path) -> None:
    first = next(iter(code_cells(read(path))))
    assert 'if find_spec("lstm_explain") is None:' in joined(first["source"])
    assert "install" in first["metadata"]["tags"]
    assert first["outputs"] == []


def test_no_function_is_defined_twice() -> None:
    """What two notebooks need belongs to the package."""
    defined = Counter(name for path in NOTEBOOKS for name in functions(read(path)))
    assert [name for name, times in defined.items() if times > 1] == []


@pytest.mark.long
def test_a_notebook_runs_on_real_data(data_home: Path, monkeypatch) -> None:
    """Changing its SOURCE line is all that it takes."""
    monkeypatch.setenv("LSTM_EXPLAIN_DATA", str(data_home))
    notebook = nbformat.read(ROOT / "notebooks" / "04_nlp_sentiment.ipynb", as_version=4)
    [cell] = [cell for cell in notebook.cells if cell.source.startswith("SOURCE =")]
    source, changes = re.subn('"sample"', '"rt_polarity"', cell.source, count=1)
    assert changes == 1
    cell.source = source
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    printed = [joined(output.get("text", "")) for output in outputs(notebook)]
    assert any("train 8530 / validation 1066 / test 1066" in text for text in printed)


def small_notebook() -> Notebook:
    """Return a notebook that passes every check."""
    printed = v4.new_output("stream", name="stdout", text="2\n")
    source = "%matplotlib inline\ndef double(x):\n    return 2 * x\nprint(double(1))"
    cells = [
        v4.new_markdown_cell("# What happened?\nSee https://example.org/home/a"),
        v4.new_code_cell(source, execution_count=1, outputs=[printed]),
        v4.new_code_cell(""),
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def changed(place: tuple[Any, ...], value: Any) -> Notebook:
    """Return the small notebook with one thing changed."""
    notebook = copy.deepcopy(small_notebook())
    inner: Any = notebook
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return notebook


@pytest.mark.parametrize("check", CHECKS)
def test_checks_accept_a_good_notebook(check: Callable[[Notebook], None]) -> None:
    check(small_notebook())
    assert list(functions(small_notebook())) == ["double"]


SOURCE, OUTPUTS = ("cells", 1, "source"), ("cells", 1, "outputs")


@pytest.mark.parametrize(
    ("check", "place", "value"),
    [
        (check_counts, ("cells", 1, "execution_count"), 2),
        (check_counts, ("cells", 1, "execution_count"), None),
        (check_outputs_saved, OUTPUTS, []),
        (check_no_error_or_stderr, OUTPUTS, [{"output_type": "error", "evalue": "no"}]),
        (check_no_error_or_stderr, (*OUTPUTS, 0, "name"), "stderr"),
        (check_short_cells, SOURCE, "x = 1\n" * 16),
        (check_no_absolute_path, SOURCE, "open('/home/someone/prices.csv')"),
        (check_no_absolute_path, SOURCE, "open(r'C:\\prices.csv')"),
        (check_no_absolute_path, (*OUTPUTS, 0, "text"), 'File "/usr/lib/x.py"'),
        (check_nothing_silenced_or_installed, SOURCE, "warnings.filterwarnings('ignore')"),
        (check_nothing_silenced_or_installed, SOURCE, "!pip install arch"),
        (check_title, ("cells", 0, "source"), "What happened?"),
        (check_kernel, ("metadata", "kernelspec", "name"), "my_env"),
        (check_no_timing, ("cells", 1, "metadata"), {"execution": {}}),
    ],
)
def test_checks_notice_a_bad_notebook(
    check: Callable[[Notebook], None], place: tuple[Any, ...], value: Any
) -> None:
    with pytest.raises(AssertionError):
        check(changed(place, value))
