"""Explained texts, and a reader of the pages that show them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import xarray as xr

from lstm_explain.attribution.explanation import Explanation

TEXT = "the plot is slow , but the ending is not at all boring ."
REVIEW = TEXT.split()
NASTY = [
    "<script>alert(1)</script>", "</span></div>", "<img src=x onerror=alert(1)>", "&lt;b&gt;",
    '"quoted" onclick="x"', "'single'", "שלום", "\u200fright", "\u202eevil", "\u2069", "😀",
    "👩\u200d👩\u200d👧", "x" * 10_000, "$a_b$", r"\frac{1}{2}", "", " ", "\n", "a\x00b", "\ud800",
    "日本", "e\u0301", "{}", "%s", "<!--", "]]>", "normal",
]  # fmt: skip


def explained(*texts: list[str], **more: Any) -> Explanation:
    """Make an explanation of texts, padded at the right, with values of our own."""
    rng = np.random.default_rng(5)
    count, steps = len(texts), max(map(len, texts))
    mask = np.array([[i < len(text) for i in range(steps)] for text in texts])
    words = np.array([[*text, *[""] * (steps - len(text))] for text in texts], dtype=object)
    values = np.asarray(more.get("values", rng.normal(size=(count, steps)))) * mask
    step = ("sample", "time")
    arrays: dict[str, Any] = {
        "values": (step, values),
        "base_values": ("sample", np.full(count, 0.25)),
        "predictions": ("sample", 0.25 + values.sum(axis=1)),
        "data": (step, words.astype(str)),
        "mask": (step, mask),
        "output": ("sample", np.full(count, "positive")),
    }
    if more.get("attention", True):
        weights = rng.random((count, steps)) * mask
        arrays["attention"] = (step, weights / weights.sum(axis=1, keepdims=True))
    if more.get("errors"):
        arrays["standard_errors"] = (step, np.full((count, steps), 0.125) * mask)
    record = {"method": "m", "scale": "margin", "background": "the word '[UNK]'", "data": "films"}
    attributes = {"time_name": "word", "provenance": json.dumps(record)}
    coordinates = {"sample": np.arange(count), "time": np.arange(steps)}
    return Explanation(xr.Dataset(arrays, coords=coordinates, attrs=attributes))


class Reader(HTMLParser):
    """Collects the elements of a page, and the words with their style and title."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "bdi":
            self.words.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "bdi":
            self.words[-1] += data
        else:
            self.other.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    @property
    def titles(self) -> list[str]:
        """The numbers on hover, in order."""
        return [str(attrs["title"]) for _, attrs in self.elements if "title" in attrs]


def assert_harmless(page: str) -> Reader:
    """Check that a page consists of this package's own elements and attributes only."""
    reader = Reader(page)
    assert reader.open == []
    for tag, attributes in reader.elements:
        assert tag in ("div", "span", "bdi")
        assert set(attributes) <= {"style", "title", "dir"}
        assert not re.search("url|expression|[<>\"']", str(attributes.get("style")))
    page.encode()
    return reader
