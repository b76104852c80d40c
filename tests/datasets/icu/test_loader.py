"""The ICU loader: what a cell holds, what is refused, and what the real records say."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain import SequenceData, load_icu
from lstm_explain.datasets import UnverifiedDataWarning, icu_reference_ranges, store
from lstm_explain.datasets.icu import loader, records, simulation
from lstm_explain.datasets.icu.records import OUTCOME_COLUMNS, Record, hourly_arrays
from lstm_explain.datasets.icu.variables import DESCRIPTORS, SERIES

# Every file made here is another one than the official file; what that warns of is tested apart.
UNOFFICIAL = "ignore::lstm_explain.datasets.store.UnverifiedDataWarning"
pytestmark = pytest.mark.filterwarnings(UNOFFICIAL)

NAMES = [variable.name for variable in SERIES]
CODES = [variable.code for variable in SERIES]
FACTS = "00:00,RecordID,{stay}\n00:00,Age,{age}\n00:00,Gender,1\n00:00,Height,-1\n00:00,ICUType,3\n"
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


def facts(stay: int, age: int = 60) -> str:
    return FACTS.format(stay=stay, age=age) + "00:00,Weight,-1\n"


def record(stay: int, text: str) -> Record:
    return Record(stay, f"{stay}.txt", b"Time,Parameter,Value\n" + text.encode())


def tar(files: dict[str, bytes | str | tarfile.TarInfo]) -> bytes:
    """Return an uncompressed archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as records:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                records.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            data = content if isinstance(content, bytes) else content.encode()
            member.size = len(data)
            records.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def outcomes(stays: list[int]) -> str:
    lines = [",".join(OUTCOME_COLUMNS), *(f"{stay},6,1,5,-1,{stay % 2}" for stay in stays)]
    return "\n".join(lines) + "\n"


class Home:
    """A small data home: ten stays in set A and four in set B."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "physionet2012"
        self.folder.mkdir()
        self.files: dict[str, dict[str, Any]] = {}
        for label, stays in (("a", range(1, 11)), ("b", range(20, 24))):
            self.write(f"Outcomes-{label}.txt", outcomes(list(stays)))
            self.files[label] = {
                f"set-{label}/{stay}.txt": "Time,Parameter,Value\n" + facts(stay) + "05:00,HR,80\n"
                for stay in stays
            }
            self.pack(label)

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file of the data home."""
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / name).write_bytes(data)

    def pack(self, label: str = "a") -> None:
        """Write the archive of a set."""
        self.write(f"set-{label}.tar.gz", gzip.compress(tar(self.files[label]), 1))

    def load(self) -> SequenceData:
        """Load it."""
        return load_icu("physionet2012", data_home=self.folder.parent, progress=False)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep what is parsed here out of the user's folder."""
    monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a small data home without fault."""
    return Home(tmp_path)


@pytest.fixture(scope="module")
def real(
    data_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SequenceData, Path]]:
    """Return the real stays, parsed anew, and their folder."""
    with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedDataWarning)
        monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield load_icu("physionet2012", data_home=data_home), data_home / "physionet2012"


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


def literal(text: str) -> tuple[np.ndarray, int, list[float]]:
    """Read one record line by line, as slowly and plainly as can be."""
    rows = []
    for number, line in enumerate(text.splitlines()):
        time, code, value = line.split(",")
        hours, minutes = time.split(":")
        rows.append((60 * int(hours) + int(minutes), number, code, float(value)))
    values, last, known = np.full((48, 37), np.nan, np.float32), 0, dict.fromkeys(range(5), np.nan)
    weighed = False
    for minute, _, code, value in sorted(rows):
        names = [descriptor.code for descriptor in DESCRIPTORS]
        of_admission = code not in CODES or (code == "Weight" and minute == 0 and not weighed)
        weighed |= code == "Weight"
        if code == "RecordID":
            continue
        where = names.index(code) if of_admission else CODES.index(code)
        variable = (DESCRIPTORS if of_admission else SERIES)[where]
        plausible = variable.low <= value <= variable.high
        if of_admission:
            known[where] = value if plausible else np.nan
            continue
        hour = min(minute // 60, 47)
        last = max(last, hour)
        if plausible:
            values[hour, where] = value
    return values, last + 1, [known[column] for column in range(5)]


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


# -- a small data home -----------------------------------------------------------------------------
def test_parts_names_units_and_order(home: Home) -> None:
    home.files["a"] = dict(reversed(home.files["a"].items()))
    home.pack()
    data = home.load()
    assert data.values.shape == (14, 48, 37)
    assert data.ids is not None
    assert data.ids.tolist() == [*range(1, 11), *range(20, 24)]
    assert data.test.ids is not None
    assert data.test.ids.tolist() == [20, 21, 22, 23]
    assert [len(data.train), len(data.validation)] == [8, 2]
    assert data.target is not None
    assert data.target.tolist() == [stay % 2 for stay in data.ids]
    assert data.class_names == ("survived", "died")
    assert set(data.lengths) == {6}
    assert data.times is not None
    assert data.times[0, :6].tolist() == [0, 1, 2, 3, 4, 5]
    assert dict(zip(data.feature_names, data.units, strict=True))["lactate"] == "mmol/L"
    assert data.static is not None
    known = dict(zip(data.static_names, data.static[0].tolist(), strict=True))
    assert np.isnan([known.pop("height"), known.pop("weight at admission")]).all()
    assert known == {
        "age": 60, "sex": 1, "coronary care": 0, "cardiac surgery recovery": 0, "medical ICU": 1,
        "surgical ICU": 0,
    }  # fmt: skip


def test_unknown_type_of_unit_is_missing(home: Home) -> None:
    home.files["a"]["set-a/1.txt"] = home.files["a"]["set-a/1.txt"].replace(
        "ICUType,3", "ICUType,-1"
    )
    home.pack()
    static = home.load()[0].static
    assert static is not None
    assert np.isnan(static[0, -4:]).all()


def test_second_time_comes_from_the_cache(
    home: Home, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = home.load()
    [kept] = cache.iterdir()

    def fail(*arguments: object) -> None:
        raise AssertionError("parsed again")

    with monkeypatch.context() as patched:
        patched.setattr(loader, "read_records", fail)
        second = home.load()
    for name in ("values", "mask", "static", "target", "ids", "split", "times"):
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))
    # Another file, another table of variables or another parser: another entry.
    kept.write_bytes(b"damaged")
    np.testing.assert_array_equal(home.load().values, first.values)
    home.files["a"]["set-a/1.txt"] += "06:00,HR,90\n"
    home.pack()
    assert home.load().lengths[0] == 7
    monkeypatch.setattr(loader, "PARSER_VERSION", loader.PARSER_VERSION + 1)
    home.load()
    assert len(list(cache.iterdir())) == 3


def test_progress_is_shown_and_can_be_silenced(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.load()
    assert capsys.readouterr().err == ""
    home.files["a"]["set-a/1.txt"] += "06:00,HR,90\n"
    home.pack()
    load_icu("physionet2012", data_home=home.folder.parent)
    assert "reading PhysioNet 2012" in capsys.readouterr().err


def test_archive_that_is_not_the_official_one_is_named(home: Home) -> None:
    with pytest.warns(UnverifiedDataWarning) as caught:
        home.load()
    assert len(caught) == 4
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}


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
ARCHIVE_A = "set-a.tar.gz"


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


@pytest.mark.parametrize("name", ["Outcomes-b.txt", "set-b.tar.gz"])
def test_missing_file_without_a_network(
    home: Home, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = {
        key: entry._replace(url=f"http://127.0.0.1:9/{key}")
        for key, entry in store.registry().items()
    }
    monkeypatch.setattr(store, "registry", lambda: nowhere)
    monkeypatch.setattr(store, "_user_cache", lambda: tmp_path / "user")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (home.folder / name).unlink()
    message = (
        rf"Expected the file .*{name}; it is not there.*put it into a folder as physionet2012/"
    )
    with pytest.raises(FileNotFoundError, match=re.compile(message, re.DOTALL)):
        home.load()
    assert not (home.folder / name).exists()


def test_unknown_source() -> None:
    with pytest.raises(ValueError, match=r"among \['sample', 'physionet2012'\]; received 'mimic'"):
        load_icu("mimic")  # type: ignore[arg-type]


# -- the table of variables ------------------------------------------------------------------------
def test_reference_ranges() -> None:
    ranges = icu_reference_ranges()
    assert ranges.index.is_unique
    assert ranges["code"].is_unique
    assert len(ranges) == 37
    assert (ranges["plausible_low"] >= 0).all(), "-1, written for missing, is never plausible"
    assert (ranges["plausible_low"] < ranges["plausible_high"]).all()
    given = ranges["reference_low"].notna()
    assert (given == ranges["reference_high"].notna()).all()
    assert (ranges["source"] != "")[given].all()
    inside = ranges[given]
    assert (inside["reference_low"] <= inside["reference_high"]).all()
    assert (inside["reference_high"] <= inside["plausible_high"]).all()
    assert list(ranges.index) == NAMES
    assert not set(ranges.index) & {variable.name for variable in DESCRIPTORS}


def test_sample_and_real_stays_speak_alike() -> None:
    """One notebook reads both: same names, units, classes and clock."""
    sample = load_icu("sample")
    units = icu_reference_ranges()["unit"]
    for name, unit in zip(sample.feature_names, sample.units, strict=True):
        assert units[name] == unit
    assert sample.class_names == ("survived", "died")
    assert {"age", "sex"} <= set(sample.static_names)
    np.testing.assert_array_equal(sample.values, simulation.sample_stays(seed=0).values)


def test_sample_and_real_stays_have_one_clock_and_target(home: Home) -> None:
    real, sample = home.load(), load_icu()
    assert real.time_name == sample.time_name
    assert real.target_name == sample.target_name
    assert real.class_names == sample.class_names


# -- the real records ------------------------------------------------------------------------------
def test_real_counts(real: tuple[SequenceData, Path]) -> None:
    data, _ = real
    assert data.values.shape == (8000, 48, 37)
    assert [len(data.train), len(data.validation), len(data.test)] == [3400, 600, 4000]
    deaths = [int(part.target.sum()) for part in (data.train, data.validation, data.test)]
    assert deaths == [466, 88, 568]
    assert data.ids is not None
    assert len(set(data.ids.tolist())) == 8000
    assert data.static is not None
    type_of_unit = data.static[:, -4:]
    np.testing.assert_array_equal(type_of_unit.sum(axis=1), 1)
    assert type_of_unit.sum(axis=0).tolist() == [1167, 1656, 2917, 2260]


def test_real_stays_without_a_measurement_are_kept(real: tuple[SequenceData, Path]) -> None:
    data, _ = real
    empty = np.isnan(data.values).all(axis=-1) | ~data.mask
    assert data.ids is not None
    assert data.ids[empty.all(axis=1)].tolist() == [
        140501, 140936, 141264, 142731, 142998, 143656, 145611, 147514, 150309, 150649,
    ]  # fmt: skip
    assert set(data.lengths[empty.all(axis=1)]) == {1}
    data[empty.all(axis=1) | (data.split == "train")].fill_missing().check_complete()


def test_real_records_read_line_by_line(real: tuple[SequenceData, Path]) -> None:
    """Every hundredth stay, and those known to be special."""
    data, folder = real
    assert data.ids is not None
    assert data.static is not None
    special = {132539, 140501, 142731, 149509}  # the last is weighed twice at 00:00
    seen = 0
    for label in ("a", "b"):
        with tarfile.open(folder / f"set-{label}.tar.gz") as records:
            for member in records:
                stay = Path(member.name).stem
                if not member.isfile() or (int(stay) not in special and int(stay) % 100):
                    continue
                text = records.extractfile(member).read().decode()  # type: ignore[union-attr]
                values, length, known = literal(text.partition("\n")[2])
                [position] = np.flatnonzero(data.ids == int(stay))
                np.testing.assert_array_equal(
                    data.values[position, :length], values[:length], err_msg=stay
                )
                assert data.lengths[position] == length
                static = data.static[position]
                np.testing.assert_array_equal(static[:4], np.float32(known[:4]))
                assert static[4:].argmax() + 1 == known[4]
                assert data.split is not None
                assert (data.split[position] == "test") == (label == "b")
                seen += 1
    assert seen >= 80


def test_real_values_are_in_the_units_that_the_table_says(
    real: tuple[SequenceData, Path],
) -> None:
    """The middle half of the patients' values meets the reference range, wherever there is one."""
    data, _ = real
    ranges = icu_reference_ranges()
    values = data.values[data.mask]
    low, high = np.nanpercentile(values, [25, 75], axis=0)
    # Patients that are ventilated, stressed and not fasting, and bled.
    other = {"albumin", "inspired oxygen fraction", "hematocrit", "glucose"}
    for name, lower, upper in zip(NAMES, low, high, strict=True):
        row = ranges.loc[name]
        assert row["plausible_low"] <= lower <= upper <= row["plausible_high"]
        if name not in other and not np.isnan(row["reference_low"]):
            assert lower <= row["reference_high"], name
            assert upper >= row["reference_low"], name


def test_real_values_are_rarely_implausible(data_home: Path) -> None:
    """The plausible ranges take away mistakes, not patients: at most 1 % of any variable."""
    bodies = []
    with tarfile.open(data_home / "physionet2012" / ARCHIVE_A) as records:
        for member in records:
            if member.isfile():
                content = records.extractfile(member).read()  # type: ignore[union-attr]
                bodies.append(content.partition(b"\n")[2])
    rows = pd.read_csv(io.BytesIO(b"".join(bodies)), names=["time", "code", "value"])
    rows = rows[rows["value"] != -1]
    ranges = icu_reference_ranges().set_index("code")
    for code, value in rows.groupby("code")["value"]:
        if code in ranges.index:
            low, high = ranges.loc[code, ["plausible_low", "plausible_high"]]
            assert value.between(low, high).mean() > 0.99, code
