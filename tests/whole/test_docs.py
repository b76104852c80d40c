"""The documentation: its code runs, its links lead somewhere, and everybody can use its pages."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from inspect import ismodule
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import lstm_explain

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HOW_TO = sorted(set((DOCS / "how_to").glob("*.md")) - {DOCS / "how_to" / "index.md"})
PAGES = sorted(path for path in [*DOCS.glob("*.md"), *DOCS.glob("[!_n]*/*.md")])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FACES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in (ROOT / "lstm_explain").rglob("__init__.pyi")
)
FENCE = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KERAS_2 = ROOT / "tests" / "written_before" / "keras_2.zip"


def figures() -> Any:
    """Import what reads the gallery's figures; it needs no Sphinx."""
    path = DOCS / "_extensions" / "figures.py"
    spec = importlib.util.spec_from_file_location("figures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["figures"] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


# -- what the pages say ----------------------------------------------------------------------------
@pytest.mark.long
@pytest.mark.parametrize("page", HOW_TO, ids=lambda path: path.stem)
def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(KERAS_2) as archive:
        (tmp_path / "old_model.h5").write_bytes(archive.read("masked.h5"))
    names: dict[str, Any] = {}
    printed = ""
    blocks = FENCE.findall(page.read_text(encoding="utf-8"))
    assert "python" in dict(blocks)
    for language, text in blocks:
        if language == "python":
            exec(compile(text, str(page), "exec"), names)  # noqa: S102
            printed += capsys.readouterr().out
        elif language == "text":
            assert printed.split() == text.split()
            printed = ""


def test_each_how_to_page_is_a_question_of_one_or_two_screens_and_listed() -> None:
    index = (DOCS / "how_to" / "index.md").read_text(encoding="utf-8")
    for page in HOW_TO:
        text = page.read_text(encoding="utf-8")
        assert re.match(r"# .*\?\n", text), page
        assert len(text.splitlines()) <= 80, page
        assert f"\n{page.stem}\n" in index


def test_the_gallery_has_every_plot_and_widget() -> None:
    names = [*lstm_explain.plots.__all__, *lstm_explain.widgets.__all__]
    assert {name for name in dir(lstm_explain) if name.startswith("plot_")} < set(names)
    found = figures().saved_figures([*names, "plot_nothing"])
    assert list(found) == names
    for name, figure in found.items():
        assert f"lx.{name}(" in figure.code
        assert figure.image.startswith(b"\x89PNG") or figure.html.startswith("<div")
        assert (ROOT / "notebooks" / figure.notebook).is_file()


def test_the_glossary_has_one_sentence_for_each_term() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    [(_, entries)] = FENCE.findall(text.replace("```{glossary}", "```glossary"))
    defined = dict(re.findall(r"^(\S.*)\n((?:  .*\n)+)", entries, re.MULTILINE))
    wanted = (
        "absent, background, margin, gap, base value, attention contribution, attention weight, "
        "mask, padding, SHAP value, expected gradients, Shapley value, comprehensiveness, "
        "sufficiency, log-odds, window"
    )
    assert set(wanted.split(", ")) <= set(defined)
    assert list(defined) == sorted(defined, key=str.lower)
    for term, definition in defined.items():
        sentence = " ".join(definition.split())
        assert re.fullmatch(r"[A-Z][^.]*(\.\w[^.]*)*\.", sentence), term


# -- where the pages lead --------------------------------------------------------------------------
def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace(" ", "-"))


def dead_links(path: Path, text: str) -> Iterator[str]:
    """Yield the links of a page to files or headings that do not exist."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if Path(os.path.normpath(target)).parent == DOCS / "notebooks":  # copied by conf.py
            target = ROOT / "notebooks" / target.name
        if not target.exists():
            yield link
        elif anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            if anchor not in map(slug, headings):
                yield link


@pytest.mark.parametrize(
    "path", [ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    assert list(dead_links(path, path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_to_files_and_headings_that_exist(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert list(dead_links(path, text)) == []


def test_dead_links_are_noticed() -> None:
    text = "[a](glossary.md) [b](no.md) [c](models_and_data.md#files) [d](glossary.md#no)"
    assert list(dead_links(DOCS / "index.md", text)) == ["no.md", "glossary.md#no"]


def test_the_reference_has_every_folder() -> None:
    index = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^   (lstm_explain[\w.]*)$", index, re.MULTILINE)) == FACES


# -- the site --------------------------------------------------------------------------------------
SHOWN = [
    *("index", "overview", "gallery", "glossary", "how_far_to_trust_it", "models_and_data"),
    *(
        "notebooks",
        "results",
        "how_to/index",
        "how_to/several_outputs",
        "reference/index",
        "search",
    ),
    *(f"reference/generated/lstm_explain.{name}" for name in ("plots", "explain", "Explanation")),
    *("notebooks/01_inside_an_lstm", "notebooks/02_healthcare_icu", "notebooks/04_nlp_sentiment"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as ``make docs`` does; a warning is an error."""
    for package in ("sphinx", "myst_nb", "numpydoc", "pydata_sphinx_theme", "sphinx_design"):
        if find_spec(package) is None:
            pytest.skip(f"no {package}: pip install -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    shutil.rmtree(DOCS / "reference" / "generated", ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    command += ["-d", str(folder / "doctrees"), str(DOCS), str(folder / "html")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder / "html"


@pytest.mark.long
def test_the_site_has_every_public_name(site: Path) -> None:
    from sphinx.util.inventory import InventoryFile

    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    described = {name for domain in inventory.data.values() for name in domain}
    for face in FACES:
        module = importlib.import_module(face)
        for name in module.__all__:
            value = getattr(module, name)
            at_top = getattr(lstm_explain, name, None) if name in lstm_explain.__all__ else None
            shortest = f"lstm_explain.{name}" if at_top is value else f"{face}.{name}"
            if not ismodule(value) and face.count(".") < 2:
                assert shortest in described


@pytest.mark.long
def test_links_and_images_of_the_site_lead_to_what_exists(site: Path) -> None:
    from bs4 import BeautifulSoup  # the theme needs it too

    pages = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }
    anchors = {path: {tag["id"] for tag in page.select("[id]")} for path, page in pages.items()}
    dead, checked = [], 0
    for path, page in pages.items():
        for tag in page.select("a[href], img[src], link[href], script[src]"):
            link = unquote(tag.get("href") or tag.get("src"))
            if re.match(r"[a-z]+:", link):
                continue
            checked += 1
            file, _, anchor = link.partition("#")
            file = file.partition("?")[0]
            target = Path(os.path.normpath(path.parent / file)) if file else path
            if not target.exists() or (anchor and anchor not in anchors.get(target, {anchor})):
                dead.append((path.name, link))
    assert dead == []
    assert checked > 1000


@pytest.mark.long
def test_pages_can_be_used_by_all_and_load_nothing_from_elsewhere(site: Path) -> None:
    """No serious finding of axe, in light and in dark; no script, style or font of others."""
    import lab

    if lab.chromium() is None or find_spec("axe_playwright_python") is None:
        pytest.skip("no Chromium, or no axe-playwright-python: make browser-test")
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    found, elsewhere = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=lab.chromium(), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
            page.on("request", lambda request: elsewhere.append(request.url))
            for name in SHOWN:
                page.goto((site / f"{name}.html").as_uri())
                for finding in Axe().run(page).response["violations"]:
                    if finding["impact"] in ("serious", "critical"):
                        where = finding["nodes"][0]["html"][:200]
                        found.append((scheme, name, finding["id"], where))
        browser.close()
    assert found == []
    assert [url for url in elsewhere if not url.startswith(("file:", "data:"))] == []
