"""The ICU loader: parts, names, units, the cache, and what the real records say."""

from __future__ import annotations

import io
import re
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets.icu.files import ARCHIVE_A, Home, literal
from make_icu_sample import sample_stays

from lstm_explain import SequenceData, load_icu
from lstm_explain.datasets import UnverifiedDataWarning, icu_reference_ranges, store
from lstm_explain.datasets.icu import loader
from lstm_explain.datasets.icu.variables import DESCRIPTORS, SERIES

# Every file made here is another one than the official file; what that warns of is tested apart.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::lstm_explain.datasets.store.UnverifiedDataWarning"),
]
NAMES = [variable.name for variable in SERIES]


@pytest.fixture(scope="module")
def real(
    data_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SequenceData, Path]]:
    """Return the real stays, parsed anew, and their folder."""
    with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedDataWarning)
        monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield load_icu("physionet2012", data_home=data_home), data_home / "physionet2012"


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
        load_icu("physionet2012", data_home=home.folder.parent, progress=False)
    assert len(caught) == 4
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}


# -- what is refused -------------------------------------------------------------------------------
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
    with pytest.raises(ValueError, match=r"one of \['sample', 'physionet2012'\]; received 'mimic'"):
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
    np.testing.assert_array_equal(sample.values, sample_stays(seed=0).values)


def test_sample_and_real_stays_have_one_clock_and_target(home: Home) -> None:
    real, sample = home.load(), load_icu()
    assert real.time_name == sample.time_name
    assert real.target_name == sample.target_name
    assert real.class_names == sample.class_names


# -- the real records ------------------------------------------------------------------------------
@pytest.mark.slow
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


@pytest.mark.slow
def test_real_stays_without_a_measurement_are_kept(real: tuple[SequenceData, Path]) -> None:
    data, _ = real
    empty = np.isnan(data.values).all(axis=-1) | ~data.mask
    assert data.ids is not None
    assert data.ids[empty.all(axis=1)].tolist() == [
        140501, 140936, 141264, 142731, 142998, 143656, 145611, 147514, 150309, 150649,
    ]  # fmt: skip
    assert set(data.lengths[empty.all(axis=1)]) == {1}
    data[empty.all(axis=1) | (data.split == "train")].fill_missing().check_complete()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
