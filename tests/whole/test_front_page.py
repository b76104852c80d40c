"""README.md: short, every block runs as it stands, every picture and link is there."""

import importlib.util
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import yaml

import lstm_explain as lx

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("make_pictures", ROOT / "docs" / "make_pictures.py")
make_pictures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_pictures)
BLOCKS = make_pictures.blocks()


def test_the_page_is_short_and_shows_what_it_says():
    words = re.sub(r"```.*?```", " ", README, flags=re.DOTALL).split()
    assert len(words) <= 900
    pictures = re.findall(r"!\[([^\]]+)\]\((docs/pictures/[^)]+)\)", README)
    assert len(pictures) >= 4
    assert all(len(alternative.split()) >= 4 for alternative, _ in pictures)
    assert {f"docs/pictures/{name}.png" for name in BLOCKS} <= {path for _, path in pictures}


def test_every_link_of_the_page_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    assert len(links) > 15
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_figures_of_the_page_are_those_of_the_results():
    """What the front page repeats stands in docs/results.md, beside the command that gave it."""
    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    trust = README.partition("## How far to trust it")[2].partition("## The notebooks")[0]
    numbers = set(re.findall(r"\d+\.\d{2,3}", trust))
    assert len(numbers) >= 8
    assert {number for number in numbers if number not in results} == set()


@pytest.mark.long
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_of_the_page_runs_as_it_stands(name):
    assert BLOCKS[name].startswith("import lstm_explain as lx\n")
    make_pictures.draw(name, BLOCKS[name])
    figure = plt.gcf()
    assert figure.axes
    assert any(ax.has_data() or ax.texts for ax in figure.axes)
    plt.close("all")


def test_it_can_be_cited_as_the_version_that_it_is():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == lx.__version__
    assert citation["cff-version"] == "1.2.0"
