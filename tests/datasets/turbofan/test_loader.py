"""Windows of engines: what remains, that no engine is in two parts, and what files are refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from lstm_explain import load_turbofan
from lstm_explain.datasets import UnverifiedDataWarning
from lstm_explain.datasets.turbofan import loader, true_cause
from lstm_explain.datasets.turbofan.rule import simulate_engine

pytestmark = pytest.mark.filterwarnings("ignore::lstm_explain.datasets.store.UnverifiedDataWarning")
LENGTHS = {"train": [6] * 10, "test": [3, 7]}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Write a small FD001: reading = 1000 * engine + 100 * cycle + sensor."""
    folder = tmp_path / "cmapss"
    folder.mkdir()
    for part, lengths in LENGTHS.items():
        rows = [
            [engine, cycle, 0, 0, 100, *(1000 * engine + 100 * cycle + s for s in range(1, 22))]
            for engine, length in enumerate(lengths, 1)
            for cycle in range(1, length + 1)
        ]
        text = "".join(" ".join(map(str, row)) + "  \n" for row in rows)
        (folder / f"{part}_FD001.txt").write_text(text)
    (folder / "RUL_FD001.txt").write_text("130 \n4 \n")
    return tmp_path


def test_windows_of_a_small_set(home: Path) -> None:
    data = load_turbofan("fd001", window=4, data_home=home)
    assert data.feature_names[:2] == ("LPC outlet temperature", "HPC outlet temperature")
    assert [len(data.train), len(data.validation), len(data.test)] == [8 * 3, 2 * 3, 2]
    assert data.ids is not None
    assert data.times is not None
    for row, (name, end) in enumerate(zip(data.ids, data.times.max(axis=1), strict=True)):
        engine, is_test = int(str(name).split()[-1]), str(name).startswith("test")
        cycles = np.arange(max(1, int(end) - 3), int(end) + 1)
        expected = 1000 * engine + 100 * cycles[:, None] + [number for number, _ in sensors()]
        shown = data.display_values[row][data.mask[row]]
        np.testing.assert_allclose(shown, expected, rtol=1e-5)  # float32 of the model's numbers
        assert data.target is not None
        # The test engines end with 130 and 4 remaining cycles, of which at most 125 count.
        assert data.target[row] == ([125, 4][engine - 1] if is_test else 6 - end)
    assert data.test.lengths.tolist() == [3, 4]


def sensors() -> list[tuple[int, str]]:
    return list(loader.FD001_SENSORS.values())


def test_a_stride_keeps_the_last_window_of_each_engine(home: Path) -> None:
    data = load_turbofan("fd001", window=3, stride=3, data_home=home)
    assert sorted(set(data.train.target.tolist())) == [0, 3]  # type: ignore[union-attr]


@pytest.mark.parametrize("source", ["sample", "fd001"])
def test_no_engine_is_in_two_parts(source: str, home: Path) -> None:
    data = load_turbofan(source, stride=5, data_home=home)  # type: ignore[arg-type]
    parts = [set(part.ids.tolist()) for part in (data.train, data.validation, data.test)]  # type: ignore[union-attr]
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert len(parts[2]) == len(data.test), "a test engine has its last window alone"
    values = data.train.values[data.train.mask]
    # Of float32 numbers of thousands.
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-2)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-2)


def test_the_sample_says_what_remains_and_how_it_was_cut() -> None:
    data = load_turbofan()
    assert data.target is not None
    assert data.times is not None
    assert (data.target_unit, data.time_name, data.target.max()) == ("cycles", "cycle", 125)
    assert data.values.nbytes < 20e6
    for row in (0, 5000, len(data) - 1):
        engine = simulate_engine(int(str(data.ids[row]).split()[1]))  # type: ignore[index]
        assert data.target[row] == min(125, len(engine.readings) - data.times[row, -1])
    again = load_turbofan()
    np.testing.assert_array_equal(again.values, data.values)


# -- what is refused -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "train",
            lambda text: text.replace("1 2 0", "1 9 0", 1),
            "engine 1 with the cycles",
        ),
        ("test", lambda text: text.replace("2 1 0", "5 1 0", 1), "engine 2 with the cycles"),
        ("train", lambda text: text.replace("100 1101", "100 high", 1), "a table of numbers"),
        ("train", lambda text: text.replace("100 1101", "100 nan", 1), "1 numbers missing"),
        ("test", lambda text: "1 2 3\n", "26 finite numbers a line; received 3 columns"),
        ("test", lambda text: "", "a table of numbers"),
        ("RUL", lambda text: "130\n", "remaining cycles of 2 engines; received 1 numbers"),
        ("RUL", lambda text: "130\n-4\n", "received 2 numbers from -4 on"),
        ("RUL", lambda text: "130\nfew\n", "one whole number a line"),
    ],
)
def test_a_file_that_holds_something_else(home: Path, name: str, change, message: str) -> None:
    path = home / "cmapss" / f"{name}_FD001.txt"
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=rf"Expected .*{message}.*Replace {path.name} by"):
        load_turbofan("fd001", data_home=home)


def test_a_file_that_is_not_the_official_one_is_named(home: Path) -> None:
    with pytest.warns(UnverifiedDataWarning) as caught:
        load_turbofan("fd001", data_home=home)
    assert len(caught) == 3


def test_without_the_files(tmp_path: Path) -> None:
    message = re.compile(r"train_FD001\.txt; it is not there.*by hand.* as cmapss/train_FD001")
    with pytest.raises(FileNotFoundError, match=message):
        load_turbofan("fd001", data_home=tmp_path)


# -- the real engines ------------------------------------------------------------------------------
@pytest.mark.filterwarnings("error")  # they are the official files
def test_real_counts(data_home: Path) -> None:
    data = load_turbofan("fd001", stride=10, data_home=data_home)
    assert data.test.target is not None
    assert data.test.target.sum() == np.minimum(real_lives(data_home), 125).sum()
    assert len(set(data.ids.tolist())) == 200  # type: ignore[union-attr]
    assert (data.scale > 0).all()
    assert data.mask.all()
    with pytest.raises(ValueError, match="Expected simulated engines"):
        true_cause(data)


def real_lives(data_home: Path) -> np.ndarray:
    return np.loadtxt(data_home / "cmapss" / "RUL_FD001.txt")
