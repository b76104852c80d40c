"""The figures that the notebooks have saved, by the function that drew them."""

from __future__ import annotations

import ast
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@dataclass(frozen=True)
class Figure:
    """A saved figure, the call that drew it, and where in which notebook it stands.

    Attributes
    ----------
    name, code : str
        The function, and the statement that calls it.
    notebook, title, heading : str
        File name and first heading of the notebook, and the heading above the figure.
    image : bytes
        A PNG; empty where the figure is HTML.
    html : str
        HTML; empty where the figure is an image.
    """

    name: str
    code: str
    notebook: str
    title: str
    heading: str
    image: bytes = b""
    html: str = ""


def saved_figures(names: list[str], folder: Path = NOTEBOOKS) -> dict[str, Figure]:
    """Return the first saved figure of each function, in the order of the names."""
    found: dict[str, Figure] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for figure in _figures_of(path, names):
            found.setdefault(figure.name, figure)
    return {name: found[name] for name in names if name in found}


def _figures_of(path: Path, names: list[str]) -> Iterator[Figure]:
    title = heading = ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            headings = re.findall(r"^#+ (.*)$", source, re.MULTILINE)
            title, heading = title or next(iter(headings), ""), [heading, *headings][-1]
            continue
        for name, code in _calls(source, names):
            for output in reversed(cell["outputs"]):
                image, html = _shown(output.get("data", {}))
                if image or html:
                    yield Figure(name, code, path.name, title, heading, image, html)
                    break


def _calls(source: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each function that a cell calls, with the innermost statement that calls it."""
    source = re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)  # IPython's own lines
    for statement in ast.walk(ast.parse(source)):
        if not isinstance(statement, ast.Expr | ast.Assign):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                if called.startswith("lx.") and node.func.attr in names:
                    yield node.func.attr, ast.get_source_segment(source, statement) or ""


def _shown(data: dict[str, Any]) -> tuple[bytes, str]:
    """Return the image of an output, or its HTML where that has none inside."""
    html = "".join(data.get("text/html", ""))
    inside = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    encoded = inside[1] if inside else "".join(data.get("image/png", ""))
    return (b64decode(encoded), "") if encoded else (b"", html)
