"""Read the archives of public review data sets: texts, classes and what people marked in them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ...sequences.words import tokenise
from ..store import Member, read_members, replace_it

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
    files = _files_by_name(path, lambda name: name if name in RT_FILES else None)
    for target, (name, count) in enumerate(RT_FILES.items()):
        if name not in files:
            raise ValueError(
                f"Expected the file {name}; {path} holds {sorted(files)}. {replace_it(path)}"
            )
        # Not splitlines(), which would also end a line at an ellipsis (byte 0x85).
        lines = _decode(files[name], "cp1252", path).removesuffix("\n").split("\n")
        if len(lines) != count:
            raise ValueError(
                f"Expected {count} lines; received {len(lines)} in {files[name].source}. "
                f"{replace_it(path)}"
            )
        for number, line in enumerate(lines, 1):
            words = tokenise(line)
            if not words:
                raise ValueError(
                    f"Expected a sentence; received {line!r} in {files[name].source}, line "
                    f"{number}. {replace_it(path)}"
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
    reviews, counts = [], dict.fromkeys(IMDB_FOLDERS, 0)
    files = _files_by_name(path, _imdb_name)
    films = {folder: _films(files.pop(listed, None), listed, path)
             for folder, listed in IMDB_FILMS.items()}  # fmt: skip
    for name, file in files.items():
        folder, _, numbers = name.rpartition("/")
        # Line breaks of the web page, of which nothing can be learned.
        text = _decode(file, "utf-8", path).replace("<br />", " ")
        # One copy of each word: 14 million of them would fill a gigabyte.
        words = list(map(sys.intern, tokenise(text)))
        if not words:
            raise ValueError(f"Expected a review; {file.source} has no words. {replace_it(path)}")
        part, sign = folder.split("/")
        # The first number of a review's name is its line in the list of films.
        film = films[folder][int(numbers.partition("_")[0])] if folder in films else ""
        reviews.append(Review(name, part, SIGNS.index(sign), words, film=film))
        counts[folder] += 1
        bar.update(1)
    for folder, count in IMDB_FOLDERS.items():
        if counts[folder] != count:
            raise ValueError(
                f"Expected {count} reviews in {folder}; received {counts[folder]} in {path}. "
                f"{replace_it(path)}"
            )
    return reviews


def _films(file: Member | None, name: str, path: Path) -> list[str]:
    """Return the film of each review of a folder, by the number of the review."""
    films = [] if file is None else _decode(file, "utf-8", path).split()
    expected = IMDB_FOLDERS[name.replace("urls_", "")]
    if len(films) != expected:
        raise ValueError(
            f"Expected the films of {expected} reviews in {name}.txt; received {len(films)} in "
            f"{path}. {replace_it(path)}"
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
    files = _files_by_name(path, _movies_name)
    split = cache(tokenise)  # words come again and again
    reviews = []
    for part, label in MOVIE_PARTS.items():
        file = files.get(f"{part}.jsonl")
        if file is None:
            raise ValueError(f"Expected the file {part}.jsonl; {path} has none. {replace_it(path)}")
        for number, line in enumerate(_decode(file, "utf-8", path).splitlines(), 1):
            try:
                row = json.loads(line)
                name = row["annotation_id"]
                target = ("NEG", "POS").index(row["classification"])
                text = _decode(files[f"docs/{name}"], "utf-8", path).split()
                marked = _marked(row, text)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ValueError(
                    f"Expected a review, its class and its marked passages; received {line!r:.60} "
                    f"in {file.source}, line {number} ({type(error).__name__}: {error}). "
                    f"{replace_it(path)}"
                ) from error
            # Offsets count over text.split(). A mark is of all the words that one of those becomes.
            words = [split(word) for word in text]
            marks = [mark for mark, own in zip(marked, words, strict=True) for _ in own]
            reviews.append(
                Review(name, label, target, [word for own in words for word in own], marks)
            )
            bar.update(1)
    return reviews


def _marked(row: dict[str, Any], text: list[str]) -> list[bool]:
    """Tell which words of a text are inside a marked passage."""
    marked = [False] * len(text)
    for passage in (passage for group in row["evidences"] for passage in group):
        start, end = passage["start_token"], passage["end_token"]
        if passage["docid"] != row["annotation_id"] or start < 0:
            raise ValueError(f"a passage of {passage['docid']} from word {start}")
        if text[start:end] != passage["text"].split():
            raise ValueError(f"words {start} to {end} are not {passage['text']!r:.60}")
        marked[start:end] = [True] * (end - start)
    return marked


def _files_by_name(path: Path, name_of: Callable[[str], str | None]) -> dict[str, Member]:
    """Return the wanted files in order of their names, each of which may occur once."""
    files: dict[str, Member] = {}
    for name, member in _named(path, name_of):
        if name in files:
            raise ValueError(
                f"Expected each file once; received {member.source} beside {files[name].source}. "
                f"{replace_it(path)}"
            )
        files[name] = member
    return {name: files[name] for name in sorted(files)}


def _named(path: Path, name_of: Callable[[str], str | None]) -> Iterator[tuple[str, Member]]:
    def short(name: str) -> str | None:
        # The official archives hold one folder; what it is called does not matter.
        return name_of(name.removeprefix("./").partition("/")[2])

    for member in read_members(path, short, max_archive=MAX_ARCHIVE, max_member=MAX_FILE):
        yield short(member.name) or "", member


def _imdb_name(name: str) -> str | None:
    wanted = r"((?:train|test)/(?:neg|pos)/\d+_\d+|train/urls_(?:neg|pos))\.txt"
    match = re.fullmatch(wanted, name, re.ASCII)
    return match[1] if match else None


def _movies_name(name: str) -> str | None:
    is_wanted = re.fullmatch(r"(train|val|test)\.jsonl|docs/(neg|pos)R_\d+\.txt", name, re.ASCII)
    return name if is_wanted else None


def _decode(file: Member, encoding: str, path: Path) -> str:
    try:
        return file.content.decode(encoding)
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"Expected text in {encoding}; received byte {file.content[error.start]:#04x} in "
            f"{file.source}, line {line}. {replace_it(path)}"
        ) from error
