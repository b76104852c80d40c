"""Read the archives of public review data sets: texts, classes and what people marked in them."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ...sequences.words import tokenise
from ..store import Member, not_official, read_members

# The largest official archive, IMDB with its unlabelled reviews, unpacks to about 500 MB; the
# longest file of all holds half of rt-polarity, 0.6 MB, or the training lines of ERASER, 4 MB.
MAX_ARCHIVE = 2**30
MAX_FILE = 2**24
# What each archive holds, counted in the official ones.
RT_FILES = {"rt-polarity.neg": 5331, "rt-polarity.pos": 5331}
IMDB_FOLDERS = {f"{part}/{sign}": 12_500 for part in ("train", "test") for sign in ("neg", "pos")}
# The list of their films, which the validation part must not share with the training part.
IMDB_FILMS = {"train/neg": "train/urls_neg", "train/pos": "train/urls_pos"}
MOVIE_PARTS = {"train": "train", "val": "validation", "test": "test"}
SIGNS = ("neg", "pos")


class Review(NamedTuple):
    """One text, as it stands in its file."""

    id: str
    part: str  # "" where the data set has no parts
    target: int  # 0 negative, 1 positive
    words: list[str]
    marks: list[bool] | None = None  # which words people called decisive
    film: str = ""  # where the files tell it of reviews that are yet to be split


def read_rt_polarity(path: Path, bar: Any) -> list[Review]:
    """Return the sentences of rt-polarity; an id is file and line.

    Raises
    ------
    ValueError
        A file that is missing, has another number of lines, is not in cp1252, or an empty line.
    """
    reviews = []
    files = _read(path, r"(rt-polarity\.(?:neg|pos))")
    for target, (name, count) in enumerate(RT_FILES.items()):
        if name not in files:
            raise not_official(path, f"Expected the file {name}; {path} holds {sorted(files)}")
        # Not splitlines(), which would also end a line at an ellipsis (byte 0x85).
        lines = _decode(files[name], "cp1252", path).removesuffix("\n").split("\n")
        if len(lines) != count:
            raise not_official(
                path, f"Expected {count} lines; received {len(lines)} in {files[name].source}"
            )
        for number, line in enumerate(lines, 1):
            words = tokenise(line)
            if not words:
                raise not_official(
                    path,
                    f"Expected a sentence; received {line!r} in {files[name].source}, line "
                    f"{number}",
                )
            reviews.append(Review(f"{name}:{number}", "", target, words))
            bar.update(1)
    return reviews


def read_imdb(path: Path, bar: Any) -> list[Review]:
    """Return the labelled reviews of IMDB; an id is folder and file, such as "train/neg/0_3".

    Raises
    ------
    ValueError
        A review that is not in UTF-8 or has no words, a folder with another number of reviews, or a
        training part whose list of films does not fit.
    """
    reviews = []
    files = _read(path, r"((?:train|test)/(?:neg|pos)/\d+_\d+|train/urls_(?:neg|pos))\.txt")
    films = {folder: _films(files.pop(listed, None), listed, path)
             for folder, listed in IMDB_FILMS.items()}  # fmt: skip
    for name, file in files.items():
        folder, _, numbers = name.rpartition("/")
        # Line breaks of the web page, of which nothing can be learned.
        text = _decode(file, "utf-8", path).replace("<br />", " ")
        # One copy of each word: 14 million of them would fill a gigabyte.
        words = list(map(sys.intern, tokenise(text)))
        if not words:
            raise not_official(path, f"Expected a review; {file.source} has no words")
        part, sign = folder.split("/")
        # The first number of a review's name is its line in the list of films.
        film = films[folder][int(numbers.partition("_")[0])] if folder in films else ""
        reviews.append(Review(name, part, SIGNS.index(sign), words, film=film))
        bar.update(1)
    counts = Counter(review.id.rpartition("/")[0] for review in reviews)
    for folder, count in IMDB_FOLDERS.items():
        if counts[folder] != count:
            raise not_official(
                path, f"Expected {count} reviews in {folder}; received {counts[folder]} in {path}"
            )
    return reviews


def _films(file: Member | None, name: str, path: Path) -> list[str]:
    """Return the film of each review of a folder, by the number of the review."""
    films = [] if file is None else _decode(file, "utf-8", path).split()
    expected = IMDB_FOLDERS[name.replace("urls_", "")]
    if len(films) != expected:
        raise not_official(
            path,
            f"Expected the films of {expected} reviews in {name}.txt; received {len(films)} in "
            f"{path}",
        )
    return films


def read_movies(path: Path, bar: Any) -> list[Review]:
    """Return the reviews of ERASER movies with the words that people marked; an id is the file.

    Raises
    ------
    ValueError
        A line that cannot be read, a review that is missing, or a marked passage that is not where
        the line says.
    """
    files = _read(path, r"((?:train|val|test)\.jsonl|docs/(?:neg|pos)R_\d+\.txt)")
    split = cache(tokenise)  # words come again and again
    reviews = []
    for part, label in MOVIE_PARTS.items():
        file = files.get(f"{part}.jsonl")
        if file is None:
            raise not_official(path, f"Expected the file {part}.jsonl; {path} has none")
        for number, line in enumerate(_decode(file, "utf-8", path).splitlines(), 1):
            try:
                row = json.loads(line)
                name = row["annotation_id"]
                target = ("NEG", "POS").index(row["classification"])
                text = _decode(files[f"docs/{name}"], "utf-8", path).split()
                marked = _marked(row, text)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise not_official(
                    path,
                    "Expected a review, its class and its marked passages; received "
                    f"{line!r:.60} in {file.source}, line {number} ({type(error).__name__}: "
                    f"{error})",
                ) from error
            # Offsets count over text.split(), whose items may each become several words.
            words = [split(item) for item in text]
            marks = [mark for mark, pieces in zip(marked, words, strict=True) for _ in pieces]
            reviews.append(Review(name, label, target, list(chain.from_iterable(words)), marks))
            bar.update(1)
    return reviews


def _marked(row: dict[str, Any], text: list[str]) -> list[bool]:
    """Tell which words of a text are inside a marked passage."""
    marked = [False] * len(text)
    for passage in chain.from_iterable(row["evidences"]):
        start, end = passage["start_token"], passage["end_token"]
        if passage["docid"] != row["annotation_id"] or start < 0:
            raise ValueError(f"a passage of {passage['docid']} from word {start}")
        if text[start:end] != passage["text"].split():
            raise ValueError(f"words {start} to {end} are not {passage['text']!r:.60}")
        marked[start:end] = [True] * (end - start)
    return marked


def _read(path: Path, pattern: str) -> dict[str, Member]:
    """Return the files that match a pattern in order of their names, the pattern's group."""
    # The official archives hold one folder; what it is called does not matter.
    inside = re.compile(rf"(?:\./)?[^/]*/{pattern}", re.ASCII)

    def name_of(file: str) -> str | None:
        match = inside.fullmatch(file)
        return match[1] if match else None

    return read_members(path, name_of, max_archive=MAX_ARCHIVE, max_member=MAX_FILE)


def _decode(file: Member, encoding: str, path: Path) -> str:
    try:
        return file.content.decode(encoding)
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        raise not_official(
            path,
            f"Expected text in {encoding}; received byte {file.content[error.start]:#04x} in "
            f"{file.source}, line {line}",
        ) from error
