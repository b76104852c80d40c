"""Draw the pictures of the front page by its own code: python docs/make_pictures.py.

Each block of Python under a heading "### The ...:" of README.md runs as it stands; the figure that
it leaves is its picture. The explorer is shown by JupyterLab in Chromium.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
EXPLORE = """\
sample = int(lx.predict(run.model, data.test)[:, 0].argmax())
lx.explore(run.model, data.test, background=data.train[:100], sample=sample)"""


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name, code in blocks().items():
        draw(name, code)
        # As a notebook shows it: with what stands beyond the edge.
        plt.savefig(PICTURES / f"{name}.png", dpi=110, bbox_inches="tight")
        plt.close("all")
    with tempfile.TemporaryDirectory() as folder:
        show_explorer(Path(folder))


def blocks() -> dict[str, str]:
    """Return the code of each way in, by the first word of its heading."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pattern = r"### The (\w+):.*?```python\n(.*?)```"
    return dict(re.findall(pattern, text, re.DOTALL))


def draw(name: str, code: str) -> None:
    """Run a block of the front page, which leaves a figure."""
    exec(compile(code, f"README.md, {name}", "exec"), {})  # noqa: S102 (it is our own text)


def show_explorer(folder: Path) -> None:
    """Take a picture of the explorer with the model of the first block."""
    sys.path.insert(0, str(ROOT / "tests"))
    import lab

    made = blocks()["hospital"].partition("sickest")[0]
    server = lab.Lab(folder)
    try:
        server.write("explorer.ipynb", made, EXPLORE)
        with server.page(width=1500, height=1400) as page:
            page.open("explorer.ipynb")
            page.run_all()
            shown = page.it.locator(".jp-OutputArea-output .jupyter-widgets img").last
            shown.wait_for(timeout=240_000)
            page.it.wait_for_timeout(3000)
            widget = page.it.locator(".jp-OutputArea-output > .jupyter-widgets").last
            widget.screenshot(path=PICTURES / "explorer.png")
    finally:
        server.close()


if __name__ == "__main__":
    main()
