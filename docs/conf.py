"""How the documentation is built, by `make docs`; nothing is fetched to build or to read it."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import ismodule
from pathlib import Path

from sphinx.util import inspect

import lstm_explain

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

# Copies beside the pages, where links find them; not a part of the repository.
(HERE / "notebooks").mkdir(exist_ok=True)
for old in (HERE / "notebooks").glob("*.ipynb"):
    if not (HERE.parent / "notebooks" / old.name).exists():
        old.unlink()
for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
    text = notebook.read_text(encoding="utf-8").replace("](../docs/", "](../")
    copy = HERE / "notebooks" / notebook.name
    if not copy.exists() or copy.read_text(encoding="utf-8") != text:  # else it is read anew
        copy.write_text(text, encoding="utf-8")

project = "lstm_explain"
author = copyright = "The lstm_explain authors"  # noqa: A001 (the name that Sphinx reads)
release = version = lstm_explain.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "gallery",
    "mathml",
]
exclude_patterns = ["_build", "_extensions", "_templates"]
templates_path = ["_templates"]
nitpicky = True
# What stands in single backticks of a docstring is linked where it is a public name.
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*")]

# -- pages and notebooks ---------------------------------------------------------------------------
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # as saved: make notebooks runs them
# Without a kernel a widget shows its picture, and a line that says so.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
html_math_renderer = "mathml"

# -- reference -------------------------------------------------------------------------------------
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say the types
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_use_plots = False


def pages_by_folder() -> dict[str, list[str]]:
    """Return the public names of each folder, each as the shortest name that a user can write."""
    faces = [lstm_explain.__name__]
    faces += sorted(
        ".".join(path.parent.relative_to(HERE.parent).parts)
        for path in Path(lstm_explain.__file__).parent.glob("*/**/__init__.pyi")
    )
    shortest: dict[int, str] = {}
    pages: dict[str, list[str]] = {}
    for face in sorted(faces, key=lambda name: name.count(".")):
        module = import_module(face)
        public = {name: getattr(module, name) for name in module.__all__}
        public = {name: value for name, value in public.items() if not ismodule(value)}
        pages[face] = [
            shortest.setdefault(id(value), f"{face}.{name}") for name, value in public.items()
        ]
    return pages


PAGES = pages_by_folder()
IN_FOLDERS = {name for folder, names in PAGES.items() if "." in folder for name in names}
autosummary_context = {
    "pages": PAGES,
    "top_only": [name for name in PAGES["lstm_explain"] if name not in IN_FOLDERS],
}

# -- looks -----------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "lstm_explain"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    "how_to/*": ["sidebar-collapse", "section-nav"],
    "reference/**": ["sidebar-collapse", "section-nav"],
    "*": [],  # code and tables need the width
    "notebooks/*": [],
}
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": [], "gallery": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "primary_sidebar_end": [],
}


def own_signature(app, what, name, value, options, signature, returns):  # noqa: ARG001
    """Give a layer the arguments of its own ``__init__``, where Keras says (*args, **kwargs)."""
    if what == "class" and signature == "(*args, **kwargs)":
        found = inspect.signature(value.__init__, bound_method=True)
        return inspect.stringify_signature(found, show_annotation=False), returns
    return None


def setup(app):
    """Connect what the settings above cannot say."""
    app.connect("autodoc-process-signature", own_signature)
