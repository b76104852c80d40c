"""A small data home with reviews."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from lstm_explain import SequenceData, load_reviews
from lstm_explain.datasets.reviews import loader

NUM_SENTENCES = 20
# A curly apostrophe, and an ellipsis: byte 0x85, at which str.splitlines() ends a line too early.
TRAPS = "it isn\u2019t good\u2026 or is it "


def sentences(sign: str) -> list[str]:
    """Return the lines of one file of the small rt-polarity."""
    return [*(f"a {sign} film of {number}" for number in range(NUM_SENTENCES - 1)), TRAPS + sign]


def evidence(review: str, text: str, start: int, end: int) -> dict[str, Any]:
    words = " ".join(text.split()[start:end])
    return {"docid": review, "start_token": start, "end_token": end, "text": words}


# Words that become several, so that offsets over text.split() are not offsets over words.
MOVIE = "it's a film ,\nbut well-made ! \u200b not bad ."


def movie_line(name: str, **changes: Any) -> str:
    passages = [[(0, 1), (4, 6)], [(7, 9), (9, 9)]]  # an empty passage occurs in the real file
    row = {
        "annotation_id": name,
        "classification": name[:3].upper(),
        "evidences": [[evidence(name, MOVIE, *p) for p in group] for group in passages],
        "query": "What is the sentiment of this review?",
    }
    return json.dumps(row | changes) + "\n"


class Home:
    """A small data home: twenty sentences of each class, and a few reviews."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        page = "Good.<br /><br />It isn't {}"
        self.files: dict[str, dict[str, Any]] = {
            "rt_polarity": {
                f"rt-polaritydata/rt-polarity.{sign}": "".join(
                    line + "\n" for line in sentences(sign)
                ).encode("cp1252")
                for sign in ("pos", "neg")
            },
            "imdb": {
                f"aclImdb/{part}/{sign}/{number}_3.txt": page.format(f"{part}{sign}{number}")
                for part in ("train", "test") for sign in ("neg", "pos") for number in range(10)
            }
            | {
                f"aclImdb/train/urls_{sign}.txt": "".join(
                    f"http://film/{number}\n" for number in range(10)
                )
                for sign in ("neg", "pos")
            },
            "eraser_movies": {
                **{f"movies/docs/{sign}R_{n}.txt": MOVIE for sign in ("neg", "pos") for n in "123"},
                "movies/train.jsonl": movie_line("negR_1.txt") + movie_line("posR_1.txt"),
                "movies/val.jsonl": movie_line("negR_2.txt") + movie_line("posR_2.txt"),
                "movies/test.jsonl": movie_line("negR_3.txt", docids=None)
                + movie_line("posR_3.txt", evidences=[]),
            },
        }  # fmt: skip
        for name in self.files:
            self.pack(name)

    def path(self, name: str) -> Path:
        """Return the archive of a data set."""
        [path] = [self.folder / c.file for c in loader.CORPORA.values() if c.file.startswith(name)]
        return path

    def pack(self, name: str) -> None:
        """Write the archive of a data set."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path, content in self.files[name].items():
                member = tarfile.TarInfo(path)
                if isinstance(content, tarfile.TarInfo):
                    archive.addfile(content)
                    continue
                data = content if isinstance(content, bytes) else content.encode()
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        self.path(name).parent.mkdir(exist_ok=True)
        self.path(name).write_bytes(gzip.compress(stream.getvalue(), 1))

    def load(self, source: Any, **options: Any) -> SequenceData:
        """Load it."""
        return load_reviews(source, data_home=self.folder, progress=False, **options)
