"""The archives of reviews: which damage is refused."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets.reviews.files import MOVIE, Home, evidence, movie_line

from lstm_explain.datasets.reviews import archives, loader

# Every file made here is another one than the official file; what that warns of is tested apart.
pytestmark = pytest.mark.filterwarnings("ignore::lstm_explain.datasets.store.UnverifiedDataWarning")


def change(source: str, path: str, content: Any) -> tuple[str, Callable[[Home], None]]:
    """Return a source and a damage: a file in its archive that is replaced, None for removed."""
    folder = loader.CORPORA[source].file.partition("/")[0]

    def damage(home: Home) -> None:
        files = home.files[folder]
        if content is None:
            del files[path]
        else:
            files[path] = content(files[path]) if callable(content) else content
        home.pack(folder)

    return source, damage


def link(path: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


RT = "rt-polaritydata/rt-polarity.neg"
IN_RT = r"rt-polaritydata/rt-polarity\.neg in .*rt-polaritydata\.tar\.gz"
TRAIN = "movies/train.jsonl"
IN_TRAIN = r"movies/train\.jsonl in .*movies\.tar\.gz, line 2"


def second_line(**changes: Any) -> tuple[str, Callable[[Home], None]]:
    """Return a damage to the second line of the training reviews with marks."""
    return change("movies", TRAIN, movie_line("negR_1.txt") + movie_line("posR_1.txt", **changes))


def passage(**changes: Any) -> tuple[str, Callable[[Home], None]]:
    return second_line(evidences=[[evidence("posR_1.txt", MOVIE, 0, 2) | changes]])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change("rt_polarity", RT, None), r"the file rt-polarity\.neg; .* holds \['rt-pol"),
        (
            change("rt_polarity", RT, lambda content: content + b"more\n"),
            rf"Expected 20 lines; received 21 in {IN_RT}\. Replace rt-polaritydata",
        ),
        (
            change("rt_polarity", RT, lambda content: content.replace(b"of 3", b"of \x81")),
            rf"text in cp1252; received byte 0x81 in {IN_RT}, line 4\. Replace",
        ),
        (
            change("rt_polarity", RT, lambda content: content.replace(b"a neg film of 3", b" ")),
            rf"Expected a sentence; received ' ' in {IN_RT}, line 4",
        ),
        (
            change("rt_polarity", "copy/rt-polarity.neg", "again"),
            rf"each file once; received copy/rt-polarity\.neg in .* beside {IN_RT}",
        ),
        (change("rt_polarity", "a", link("a/b")), r"received a link or device, 'a/b', in .*rt-pol"),
        (change("rt_polarity", "/etc/a", "x"), "received a path that leads outside, '/etc/a'"),
        (
            change("imdb", "aclImdb/train/neg/1_3.txt", None),
            r"Expected 10 reviews in train/neg; received 9 in .*aclImdb_v1\.tar\.gz\. Replace",
        ),
        (
            change("imdb", "aclImdb/train/urls_neg.txt", None),
            r"Expected the films of 10 reviews in train/urls_neg\.txt; received 0 in .*\. Replace",
        ),
        (
            change("imdb", "aclImdb/train/urls_pos.txt", "http://film/1\n"),
            r"films of 10 reviews in train/urls_pos\.txt; received 1 in",
        ),
        (
            change("imdb", "aclImdb/test/pos/1_3.txt", b"good\n\xff"),
            r"in utf-8; received byte 0xff in aclImdb/test/pos/1_3\.txt in .*, line 2",
        ),
        (
            change("imdb", "aclImdb/test/pos/1_3.txt", "<br /> "),
            r"aclImdb/test/pos/1_3\.txt in .*gz has no words\. Replace",
        ),
        (change("movies", TRAIN, None), r"Expected the file train\.jsonl; .*movies\.tar\.gz has"),
        (
            change("movies", "movies/docs/posR_1.txt", None),
            rf"""marked passages; received '{{"annotation_id.* in {IN_TRAIN} \(KeyError: 'docs""",
        ),
        (change("movies", TRAIN, movie_line("negR_1.txt") + "{"), rf"{IN_TRAIN} \(JSONDecodeError"),
        (change("movies", TRAIN, movie_line("negR_1.txt") + "[]"), rf"{IN_TRAIN} \(TypeError"),
        (second_line(classification="GOOD"), rf"{IN_TRAIN} \(ValueError"),
        (second_line(evidences=[3]), rf"{IN_TRAIN} \(TypeError"),
        (passage(docid="negR_1.txt"), rf"{IN_TRAIN} \(ValueError: a passage of negR_1.txt from wo"),
        (passage(start_token=-8, end_token=-6), rf"{IN_TRAIN} .* a passage of posR_1.txt from w"),
        (passage(start_token=1), rf"{IN_TRAIN} \(ValueError: words 1 to 2 are not \"it's a\"\)"),
        (passage(end_token=99), rf"{IN_TRAIN} \(ValueError: words 0 to 99 are not"),
        (passage(end_token=None), rf"{IN_TRAIN} "),
    ],
)  # fmt: skip
def test_damage_is_refused_and_nothing_kept(
    home: Home, cache: Path, damage: tuple[str, Callable[[Home], None]], message: str
) -> None:
    source, change_files = damage
    change_files(home)
    with pytest.raises(ValueError, match=message):
        home.load(source)
    assert not cache.exists()


@pytest.mark.parametrize("source", list(loader.CORPORA))
def test_broken_archive(home: Home, source: Any) -> None:
    path = home.folder / loader.CORPORA[source].file
    path.write_bytes(path.read_bytes()[:-20])
    message = rf"complete \.tar\.gz archive; .*{path.name} is damaged or breaks off .*Replace"
    with pytest.raises(ValueError, match=message):
        home.load(source)


def test_archive_or_file_that_is_too_large(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILE", 50)
    with pytest.raises(ValueError, match=r"at most 50 bytes; received a file of \d+ bytes, 'rt-"):
        home.load("rt_polarity")
    monkeypatch.setattr(archives, "MAX_ARCHIVE", 5000)
    with pytest.raises(ValueError, match=r"at most 5000 bytes unpacked; received more in .*acl"):
        home.load("imdb")
