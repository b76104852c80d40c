"""What is installed: the lists of dependencies agree, and the built wheel works on its own."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Sequence
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import lstm_explain

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Imported only by the function that needs it, which says what to install where it is missing.
LAZY_EXTRAS = ("notebooks", "lime", "tune", "jax", "torch")


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


# What the package may import, and which installed distributions each importable name comes from.
DECLARED = names(PROJECT["dependencies"]).union(*(names(EXTRAS[extra]) for extra in LAZY_EXTRAS))
INSTALLED = packages_distributions()


def constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_constraints_are_plain_pins() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == sorted(lines, key=str.lower)
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line), line


def test_constraints_pin_every_dependency_within_its_range() -> None:
    pins = constraints()
    pinned = [line for extra in ("notebooks", "dev", "docs") for line in EXTRAS[extra]]
    for line in [*PROJECT["dependencies"], *pinned]:
        wanted = Requirement(line)
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier, line


def test_constraints_fit_any_3_11() -> None:
    """Also the 3.11.2 of Debian 12: pip does not even see a version that asks for a later one."""
    asked, pins = {}, constraints()
    for one in distributions():
        name = canonicalize_name(one.name)
        if pins.get(name) == Version(one.version):
            asked[name] = one.metadata.get("Requires-Python") or ""
    assert {"keras", "numpy", "nbconvert"} <= set(asked)
    assert [name for name, python in asked.items() if "3.11.0" not in SpecifierSet(python)] == []


def test_constraints_leave_the_optional_backends_free() -> None:
    """Which build of these fits depends on the machine: CPU or GPU, and which CUDA."""
    others = [name for name in constraints() if re.match(r"torch|jax|nvidia|triton", name)]
    assert others == []


def test_environment_agrees_with_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"]
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    [pip] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]

    # What conda installs itself: Python in the same range, pip, and nothing that could drift.
    python = Requirement(next(entry for entry in conda if entry.startswith("python")))
    assert python.specifier == Requirement(f"python{PROJECT['requires-python']}").specifier
    assert {Requirement(entry).name for entry in conda} == {"python", "pip"}

    # What pip installs: this project with extras that exist, at the versions that passed.
    assert "-c constraints.txt" in pip
    [project] = [line for line in pip if line.startswith("-e ")]
    extras = re.fullmatch(r"-e \.\[([a-z,]+)\]", project)
    assert extras is not None
    assert set(extras[1].split(",")) <= set(EXTRAS)


def test_supported_pythons_agree() -> None:
    listed = {
        line.rsplit(" ", 1)[1]
        for line in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    }
    wanted = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert listed == {f"3.{minor}" for minor in range(30) if f"3.{minor}" in wanted}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lstm_explain").rglob("*.py")), ids=lambda path: path.stem
)
def test_every_imported_package_is_declared(path: Path) -> None:
    """What happens to be installed by something else may be gone tomorrow."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        else:
            continue
        for module in {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names):
            owners = {canonicalize_name(owner) for owner in INSTALLED.get(module, [module])}
            assert owners & DECLARED or module == "lstm_explain", f"{module} is not declared"


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command in a folder; where it fails, the test shows what it wrote."""
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source archive, and from it the wheel, as a release does."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation, so that no build backend is downloaded: hatchling is one of the dev tools.
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], folder)
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_wheel_holds_the_package_and_its_data_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    dist_info = f"lstm_explain-{lstm_explain.__version__}.dist-info"
    assert {name.split("/")[0] for name in held} == {"lstm_explain", dist_info}
    assert {"lstm_explain/py.typed", f"{dist_info}/licenses/LICENSE"} <= held

    listed = run(["git", "ls-files", "-co", "--exclude-standard", "lstm_explain", "data"], ROOT)
    sources = {name for name in listed.split() if not re.fullmatch(r"data/.*\.py", name)}
    carried = {re.sub(r"^data/", "lstm_explain/_data/", name) for name in sources}
    assert {name for name in held if not name.startswith(dist_info)} == carried


@pytest.mark.slow
def test_wheel_works_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    """Every public name of the installed wheel can be imported, and its data files are there.

    Installing TensorFlow a second time would take minutes and a network. The new environment
    therefore holds nothing but the wheel, and finds the other packages in this one through a path
    file. Such a line adds one folder to the search path and does not read the path files *in* that
    folder, so the link of an editable install, and with it the repository, stays out of sight.
    """
    venv.create(tmp_path / "env", with_pip=False, symlinks=sys.platform != "win32")
    scheme: dict[str, Any] = {"base": str(tmp_path / "env"), "platbase": str(tmp_path / "env")}
    python = Path(sysconfig.get_path("scripts", "venv", scheme)) / "python"
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python]
    run([*pip, "install", "--no-deps", "--no-index", wheel], tmp_path)
    others = sysconfig.get_path("purelib")
    (site / "others.pth").write_text(others, encoding="utf-8")

    script = """
import json, sys
from importlib import metadata, resources
import lstm_explain
missing = [name for name in lstm_explain.__all__ if getattr(lstm_explain, name, None) is None]
samples = [
    lstm_explain.load_icu(), lstm_explain.load_reviews(), lstm_explain.datasets.load_sentences()
]
data = sorted(path.name for path in (resources.files("lstm_explain") / "_data").iterdir())
print(json.dumps({
    "file": lstm_explain.__file__, "path": sys.path, "missing": missing, "data": data,
    "samples": [len(sample) for sample in samples],
    "versions": [lstm_explain.__version__, metadata.version("lstm_explain")],
}))
"""
    found = json.loads(run([python, "-I", "-c", script], tmp_path))
    assert Path(found["file"]).is_relative_to(site)
    elsewhere = [Path(folder) for folder in found["path"] if folder != others]
    assert not [folder for folder in elsewhere if folder.is_relative_to(ROOT)]
    assert found["missing"] == []
    assert found["versions"] == [lstm_explain.__version__] * 2
    assert found["samples"] == [4000, 6000, 6000]
    assert {"README.md", "registry.txt"} <= set(found["data"])
