"""The records of the ICU: what a cell holds, and which damage is refused."""

from __future__ import annotations

import gzip
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from datasets.icu.files import ARCHIVE_A, CODES, FACTS, Home, facts, literal
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.datasets import store
from lstm_explain.datasets.icu import records
from lstm_explain.datasets.icu.records import Record, hourly_arrays

# Every file made here is another one than the official file; what that warns of is tested apart.
pytestmark = pytest.mark.filterwarnings("ignore::lstm_explain.datasets.store.UnverifiedDataWarning")
# Each line here decides a cell that the test below reads.
CAREFUL = """\
00:00,RecordID,7
00:00,Age,54
00:00,HR,70
00:00,Gender,0
00:00,Weight,-1
00:00,Height,1.8
00:00,Weight,80.5
00:00,ICUType,4
00:59,HR,71
01:00,HR,72
01:30,Lactate,2.5
01:40,Lactate,-1
02:10,Temp,36.5
02:20,Temp,-17.8
02:30,Urine,400
02:30,Urine,0
03:10,SysABP,0
01:50,pH,7.3
01:10,pH,7.2
48:00,GCS,15
"""


def record(stay: int, text: str) -> Record:
    return Record(stay, f"{stay}.txt", b"Time,Parameter,Value\n" + text.encode())


# -- what a cell holds -----------------------------------------------------------------------------
def test_each_rule_by_hand() -> None:
    arrays = hourly_arrays([record(7, CAREFUL), record(8, facts(8))])
    values = pd.DataFrame(arrays["values"][0], columns=CODES)
    assert values["HR"].dropna().to_dict() == {0: 71, 1: 72}  # 01:00 is in the second hour
    assert values["Lactate"].dropna().to_dict() == {1: 2.5}  # -1 is missing
    np.testing.assert_allclose(values["Temp"].dropna(), 36.5)  # the plausible one remains
    assert values["Urine"].dropna().to_dict() == {2: 0}  # of one minute, the last in the file
    assert values["SysABP"].isna().all()  # 0: the line was disconnected
    np.testing.assert_allclose(values["pH"].dropna(), 7.3)  # later, though it stands before
    assert values["GCS"].dropna().to_dict() == {47: 15}  # 48:00 is in the last hour
    assert values["Weight"].dropna().to_dict() == {0: 80.5}  # the first is of the admission
    np.testing.assert_array_equal(arrays["descriptors"][0], [54, 0, np.nan, np.nan, 4])
    assert arrays["lengths"].tolist() == [48, 1]
    assert np.isnan(arrays["values"][1]).all()  # nobody measured anything


def test_weight_of_the_admission_is_no_measurement() -> None:
    text = FACTS.format(stay=7, age=50) + "00:00,Weight,70\n03:00,Weight,71\n"
    arrays = hourly_arrays([record(7, text)])
    weights = arrays["values"][0, :, CODES.index("Weight")]
    assert np.flatnonzero(~np.isnan(weights)).tolist() == [3]
    assert arrays["descriptors"][0, 3] == 70


TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 47), st.integers(0, 59)) | st.just("48:00")
NUMBERS = st.sampled_from([-1.0, 0.0, 3.0, 7.4, 37.0, 70.0, 99.5, 1e6])
LINES = st.lists(st.tuples(TIMES, st.sampled_from(CODES), NUMBERS), max_size=30)


@given(stays=st.lists(LINES, min_size=1, max_size=4))
def test_fast_reading_equals_the_plain_one(stays: list[list[tuple[str, str, float]]]) -> None:
    """In whatever order the lines stand."""
    texts = [
        FACTS.format(stay=stay, age=40 + stay) + "".join(f"{t},{c},{v}\n" for t, c, v in lines)
        for stay, lines in enumerate(stays)
    ]
    arrays = hourly_arrays([record(stay, text) for stay, text in enumerate(texts)])
    for stay, text in enumerate(texts):
        values, length, known = literal(text)
        np.testing.assert_array_equal(arrays["values"][stay], values)
        assert arrays["lengths"][stay] == length
        np.testing.assert_array_equal(arrays["descriptors"][stay], known)


def test_line_ends_of_windows_and_a_missing_last_one_change_nothing() -> None:
    wanted = hourly_arrays([record(7, CAREFUL)])
    for content in (CAREFUL.replace("\n", "\r\n"), CAREFUL.removesuffix("\n")):
        header = "Time,Parameter,Value" + ("\r\n" if "\r" in content else "\n")
        arrays = hourly_arrays([Record(7, "7.txt", (header + content).encode())])
        for name, array in wanted.items():
            np.testing.assert_array_equal(arrays[name], array)


# -- what is refused -------------------------------------------------------------------------------
def replace_in(name: str, old: str, new: str) -> Callable[[Home], None]:
    """Return a damage to one record of set A."""

    def damage(home: Home) -> None:
        text = home.files["a"][f"set-a/{name}"]
        assert old in text
        home.files["a"][f"set-a/{name}"] = text.replace(old, new)
        home.pack()

    return damage


def add(name: str, content: Any) -> Callable[[Home], None]:
    """Return a damage that adds a member to the archive of set A."""

    def damage(home: Home) -> None:
        home.files["a"][name] = content
        home.pack()

    return damage


def rewrite(name: str, change: Callable[[bytes], bytes]) -> Callable[[Home], None]:
    """Return a damage to a whole file of the data home."""

    def damage(home: Home) -> None:
        home.write(name, change((home.folder / name).read_bytes()))

    return damage


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


IN_3 = r"set-a/3\.txt in .*set-a\.tar\.gz"
OUTCOMES_A = "Outcomes-a.txt"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        # A record.
        (
            replace_in("3.txt", "05:00,HR,80", "05:00,HR"),
            rf"a line such as 07:30,HR,73, up to 48:00; received '05:00,HR' in {IN_3}, line 8\. R",
        ),
        (
            replace_in("3.txt", "HR,80", "HR,eighty"),
            rf"received '05:00,HR,eighty' in {IN_3}, line 8",
        ),
        (
            replace_in("3.txt", "HR,80", "HR,80,bpm"),
            rf"received '05:00,HR,80,bpm' in {IN_3}, line 8",
        ),
        (replace_in("3.txt", "HR,80", "HR,"), rf"received '05:00,HR,' in {IN_3}, line 8"),
        (replace_in("3.txt", "HR,80", "HR,nan"), rf"received '05:00,HR,nan' in {IN_3}, line 8"),
        (replace_in("3.txt", "HR,80", "HR,1e999"), rf"received '05:00,HR,1e999' in {IN_3}, line 8"),
        (replace_in("3.txt", "HR,80", 'HR,"80'), rf"""received '05:00,HR,"80' in {IN_3}, line 8"""),
        (replace_in("3.txt", "HR,80", "HR,80\0"), rf"received '05:00,HR,80.x00' in {IN_3}, line 8"),
        (replace_in("3.txt", "05:00", "48:01"), rf"received '48:01,HR,80' in {IN_3}, line 8"),
        (replace_in("3.txt", "05:00", "05:60"), rf"received '05:60,HR,80' in {IN_3}, line 8"),
        (replace_in("3.txt", "05:00", "\n05:00"), rf"received '' in {IN_3}, line 8"),
        (
            replace_in("3.txt", "00:00,Age,60\n00:00,Gender,1", "00:00,Age,60,1\n00:00,Gender"),
            rf"received '00:00,Age,60,1' in {IN_3}, line 3",
        ),
        (
            replace_in("3.txt", ",HR,", ",Pulse,"),
            rf"Expected one of the 42 parameters; received 'Pulse' in {IN_3}, line 8",
        ),
        (
            replace_in("3.txt", "Time,Parameter,Value", "Time,Parameter,Value,Unit"),
            rf"the header Time,Parameter,Value; received 'Time.*,Unit' in {IN_3}, line 1\. Replace",
        ),
        (
            add("set-a/3.txt", ""),
            rf"the header Time,Parameter,Value; received '' in {IN_3}, line 1",
        ),
        (
            add("set-a/3.txt", "Time,Parameter,Value\n"),
            rf"Expected a line such as 00:00,RecordID,3; received '' in {IN_3}, line 2",
        ),
        (
            replace_in("3.txt", "RecordID,3", "RecordID,4"),
            rf"Expected RecordID 3; received 4\.0 in {IN_3}\. Replace",
        ),
        (replace_in("3.txt", "RecordID,3", "Age,3"), rf"RecordID 3; received None in {IN_3}\."),
        # An archive.
        (
            rewrite(ARCHIVE_A, lambda content: content[:-20]),
            r"complete \.tar\.gz archive; .*set-a\.tar\.gz is damaged or breaks off .*Replace set",
        ),
        (rewrite(ARCHIVE_A, lambda content: content[:300]), "damaged or breaks off"),
        (rewrite(ARCHIVE_A, lambda content: b""), "damaged or breaks off"),
        (rewrite(ARCHIVE_A, lambda content: b"<html>404"), "damaged or breaks off .*gzipped"),
        (
            rewrite(ARCHIVE_A, lambda content: content[:-8] + b"\0\0\0\0" + content[-4:]),
            "damaged or breaks off .*CRC",
        ),
        (
            rewrite(ARCHIVE_A, lambda content: gzip.compress(b"no archive" * 99)),
            "damaged or breaks",
        ),
        (
            # Cut between two members before compressing: a whole gzip file of half an archive.
            rewrite(ARCHIVE_A, lambda content: gzip.compress(gzip.decompress(content)[:3072])),
            r"every outcome; .*set-a\.tar\.gz has none for 7 stays, the first 4 in .*, line 5\. ",
        ),
        (
            rewrite(ARCHIVE_A, lambda content: gzip.compress(gzip.decompress(content)[:3700])),
            "damaged or breaks off",
        ),
        (
            add("other/3.txt", "x"),
            r"each stay once; received other/3\.txt in .* beside set-a/3\.txt",
        ),
        (add("/etc/3.txt", "x"), r"received a path that leads outside, '/etc/3.txt', in .*set-a"),
        (add("set-a/../../3.txt", "x"), r"received a path that leads outside, 'set-a/\.\./"),
        (add("C:\\3.txt", "x"), "received a path that leads outside"),
        (add("\\3.txt", "x"), "received a path that leads outside"),
        (
            add("3", link("set-a/11.txt", tarfile.SYMTYPE)),
            "received a link or device, 'set-a/11.txt'",
        ),
        (
            add("3", link("set-a/11.txt", tarfile.LNKTYPE)),
            "received a link or device, 'set-a/11.txt'",
        ),
        (add("3", link("set-a/11.txt", tarfile.FIFOTYPE)), "received a link or device"),
        (
            add("set-a/11.txt", b"0" * 2**20 + b"0"),
            r"files of at most 1048576 .*file of 1048577 bytes",
        ),
        # The outcomes.
        (
            rewrite(OUTCOMES_A, lambda text: text.replace(b"SOFA", b"SOFA2")),
            r"the columns RecordID,.*_death; received 'RecordID,SAPS-I,SOFA2,.*, line 1\. Rep",
        ),
        (rewrite(OUTCOMES_A, lambda text: b""), r"received '' in .*Outcomes-a\.txt, line 1"),
        (
            rewrite(OUTCOMES_A, lambda text: text.replace(b"3,6,1,5,-1,1", b"3,6,1,5,-1,2")),
            r"the last is 0 or 1; received '3,6,1,5,-1,2' in .*Outcomes-a\.txt, line 4\.",
        ),
        (
            rewrite(OUTCOMES_A, lambda text: text.replace(b"4,6,1,5,-1,0", b"3,6,1,5,-1,0")),
            r"each stay once; received 3 in .*Outcomes-a\.txt, line 5, and in line 4\.",
        ),
        (
            rewrite(OUTCOMES_A, lambda text: text.replace(b"3,6,1,5,-1,1\n", b"")),
            rf"an outcome for every stay; .*Outcomes-a\.txt has none for {IN_3}\. Use the archive",
        ),
        (
            rewrite(OUTCOMES_A, lambda text: text + b"99,6,1,5,-1,0\n"),
            r"set-a\.tar\.gz has none for 1 stays, the first 99 in .*Outcomes-a\.txt, line 12\.",
        ),
    ],
)
def test_damage_is_refused_and_nothing_kept(
    home: Home, cache: Path, damage: Callable[[Home], None], message: str
) -> None:
    damage(home)
    with pytest.raises(ValueError, match=message):
        home.load()
    assert not cache.exists()
    assert {path.name for path in home.folder.parent.iterdir()} == {"physionet2012"}


def test_archive_that_unpacks_to_too_much_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_ARCHIVE", 5000)
    with pytest.raises(ValueError, match=r"at most 5000 bytes unpacked; received more in .*set-a"):
        home.load()


def test_other_members_are_passed_over(home: Home) -> None:
    wanted = home.load()
    home.files["a"] |= {"set-a/._3.txt": b"\0Mac", "set-a/index.html": "<html>"}
    home.files["a"]["set-a"] = link("set-a", tarfile.DIRTYPE)
    home.pack()
    np.testing.assert_array_equal(home.load().values, wanted.values)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, bytes]:
    """Return a home and the unpacked archive of its set A."""
    home = Home(tmp_path_factory.mktemp("home"))
    return home, gzip.decompress((home.folder / ARCHIVE_A).read_bytes())


@given(position=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255) | st.none())
def test_any_damage_inside_an_archive_is_a_clear_error_or_none(
    whole: tuple[Home, bytes], position: float, byte: int | None
) -> None:
    """Checksums set aside: cut off anywhere, or with any byte changed."""
    home, content = whole
    at = int(position * len(content))
    rest = b"" if byte is None else bytes([byte]) + content[at + 1 :]
    home.write(ARCHIVE_A, gzip.compress(content[:at] + rest, 1))
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as folder:
        patched.setenv(store.CACHE_VARIABLE, folder)
        message = ""
        try:
            assert len(home.load()) == 14
        except ValueError as error:
            message = str(error)
    assert re.fullmatch(r"|Expected .*; .*set-a.*\.", message, re.DOTALL)
