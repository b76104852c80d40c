"""The directive ``{gallery} plots``: a card for each public function of a folder that draws."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from docutils.nodes import Node
from figures import Figure, saved_figures
from myst_parser.slugs import github_slugify
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import lstm_explain

PICTURES = "_gallery"

GRID = """\
:::::{grid} 1 1 2 2
:gutter: 4
:class-container: gallery
"""
CARD = """\
::::{{grid-item-card}} {{py:obj}}`{name} <lstm_explain.{name}>`
{image}
{summary}

```python
{code}
```

{html}
:::{{card-footer}}
[{title}](/notebooks/{notebook}#{anchor})
:::
::::
"""


def summary_of(name: str) -> str:
    """Return the first sentence of a function's docstring, which may take several lines."""
    docstring = getattr(lstm_explain, name).__doc__ or ""
    return " ".join(docstring.strip().split("\n\n")[0].split())


def card_of(figure: Figure) -> str:
    """Return the card of a figure as MyST."""
    summary = summary_of(figure.name)
    picture = f":img-top: /{PICTURES}/{figure.name}.png\n:img-alt: {summary}\n"
    return CARD.format(
        name=figure.name,
        image=picture if figure.image else "",
        summary=summary,
        code=figure.code.rstrip(";"),
        html=f"```{{raw}} html\n{figure.html}\n```\n" if figure.html else "",
        title=figure.title,
        notebook=figure.notebook,
        anchor=github_slugify(figure.heading),
    )


class Gallery(SphinxDirective):
    """Cards of all functions of a folder of the package that have a saved figure."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Read the figures anew: they are as current as the notebooks."""
        for path in Path(self.env.srcdir).glob("notebooks/*.ipynb"):
            self.env.note_dependency(str(path))
        cards = "\n".join(map(card_of, figures_of(self.arguments[0]).values()))
        return self.parse_text_to_nodes(f"{GRID}\n{cards}\n:::::")


def figures_of(folder: str) -> dict[str, Figure]:
    """Return the saved figures of a folder's public functions."""
    return saved_figures(list(import_module(f"lstm_explain.{folder}").__all__))


def write_pictures(app: Sphinx) -> None:
    """Write the figures as files, before pages refer to them."""
    folder = Path(app.srcdir) / PICTURES
    folder.mkdir(exist_ok=True)
    for figure in (figures_of("plots") | figures_of("widgets")).values():
        if figure.image:
            (folder / f"{figure.name}.png").write_bytes(figure.image)


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the directive."""
    app.connect("builder-inited", write_pictures)
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
