"""Engines that run to failure: windows of their sensors, and how many cycles remain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from ...arguments import check_one_of, check_whole
from ...sequences.data import SequenceData
from ..store import check_home, find_file, not_official
from .rule import NAME, SENSORS, simulate_engine

FOLDER = "cmapss"
FILES = ("train_FD001.txt", "test_FD001.txt", "RUL_FD001.txt")
# Columns of the files: engine, cycle, three settings, 21 sensors. FD001 is flown at one setting,
# and these 14 sensors are those that vary.
NUM_COLUMNS, FIRST_SENSOR = 26, 5
FD001_SENSORS = {
    "LPC outlet temperature": (2, "°R"),
    "HPC outlet temperature": (3, "°R"),
    "LPT outlet temperature": (4, "°R"),
    "HPC outlet pressure": (7, "psia"),
    "fan speed": (8, "rpm"),
    "core speed": (9, "rpm"),
    "HPC outlet static pressure": (11, "psia"),
    "fuel flow to static pressure": (12, "pps/psi"),
    "corrected fan speed": (13, "rpm"),
    "corrected core speed": (14, "rpm"),
    "bypass ratio": (15, ""),
    "bleed enthalpy": (17, ""),
    "HPT coolant bleed": (20, "lbm/s"),
    "LPT coolant bleed": (21, "lbm/s"),
}
# Before it is worn an engine shows nothing: more remaining cycles than these count as so many.
MOST_CYCLES = 125
VALIDATION_SHARE, SPLIT_SEED = 0.15, 0
# Engines of the sample: for training, validation and test.
SAMPLE_SIZES = (90, 30, 60)


class _Run(NamedTuple):
    """One engine as it was watched."""

    name: str
    readings: np.ndarray  # (cycle, sensor)
    remaining: int  # cycles after the last one
    part: str


def load_turbofan(
    source: Literal["sample", "fd001"] = "sample",
    *,
    window: int = 30,
    stride: int = 1,
    data_home: str | Path | None = None,
    progress: bool = True,
) -> SequenceData:
    """Load windows of engines' sensors, whose target is how many cycles remain until failure.

    Engines for training and validation run to failure, and give a window for each cycle. Those for
    testing are cut short, and give the last window alone, as published scores take it. An engine is
    in one part only. Values are standardised on the training part.

    Parameters
    ----------
    source : {"sample", "fd001"}
        "sample": simulated engines of which it is known what tells of their failure, see
        `datasets.turbofan.true_cause`. "fd001": the first set of NASA's C-MAPSS simulation (a work
        of the US government), 100 engines run to failure and 100 cut short, with the 14 sensors
        that vary. Of the former 15 validate, by a fixed draw.
    window : int
        Cycles in a sample; an engine that was watched for fewer gives all of them.
    stride : int
        Take every so many-th window of an engine for training and validation, from its last back.
    data_home : path, optional
        Folder that holds ``cmapss/train_FD001.txt`` and the other two files. Default: the
        environment variable LSTM_EXPLAIN_DATA. Not used for the sample.
    progress : bool
        Show the progress of a download.

    Returns
    -------
    SequenceData
        `times` are cycles, `ids` name the engines, the target is in cycles, of at most 125.

    Raises
    ------
    ValueError
        An unknown source, or a file that holds something else than expected.
    FileNotFoundError
        A file is not there: the message says how to place it by hand.

    Warns
    -----
    UnverifiedDataWarning
        A file in the data home is not the official one.

    References
    ----------
    Saxena, Goebel, Simon and Eklund (2008), "Damage propagation modeling for aircraft engine
    run-to-failure simulation", PHM. Heimes (2008), "Recurrent neural networks for remaining useful
    life estimation", PHM: the cap of the target.

    Examples
    --------
    >>> data = load_turbofan(stride=5)
    >>> data.feature_names[:2], data.target_unit, float(data.target.max())
    (('inlet temperature', 'exhaust temperature'), 'cycles', 125.0)
    >>> load_turbofan("fd001")                                          # doctest: +SKIP
    SequenceData 'C-MAPSS FD001': 17831 samples x 30 steps x 14 features, target remaining \
life, train 14935 / validation 2796 / test 100
    """
    remedy = "For machines of your own use SequenceData.from_frame."
    check_one_of(("sample", "fd001"), remedy=remedy, source=source)
    check_whole(least=2, remedy="A usual choice is window=30.", window=window)
    check_whole(least=1, stride=stride)
    check_home(data_home, progress)
    if source == "sample":
        units = {name: sensor.unit for name, sensor in SENSORS.items()}
        return _windows(list(_sample()), window, stride, units, NAME)
    paths = [find_file(f"{FOLDER}/{name}", data_home, progress=progress).path for name in FILES]
    units = {name: unit for name, (_, unit) in FD001_SENSORS.items()}
    return _windows(_read_fd001(*paths), window, stride, units, "C-MAPSS FD001")


def _windows(
    runs: list[_Run], window: int, stride: int, units: dict[str, str], name: str
) -> SequenceData:
    """Cut the engines into windows, each with what remains after its last cycle."""
    values, target, ids, split = [], [], [], []
    cycles: Any = []
    for run in runs:
        count = len(run.readings)
        last = [count] if run.part == "test" else range(count, min(window, count) - 1, -stride)
        for end in reversed(last):
            start = max(0, end - window)
            values.append(run.readings[start:end])
            cycles.append(np.arange(start + 1, end + 1))
            target.append(float(min(run.remaining + count - end, MOST_CYCLES)))
            ids.append(run.name)
            split.append(run.part)
    data = SequenceData.from_arrays(
        values,
        target,
        feature_names=list(units),
        units=units,
        target_name="remaining life",
        times=cycles,
        time_name="cycle",
        ids=ids,
        split=split,
        name=name,
    )
    return replace(data.standardise(), target_unit="cycles")


def _sample() -> Iterator[_Run]:
    ends = np.cumsum(SAMPLE_SIZES)
    for number in range(1, int(ends[-1]) + 1):
        readings, remaining = simulate_engine(number).readings, 0
        part = ("train", "validation", "test")[int(np.searchsorted(ends, number))]
        if part == "test":
            remaining = int(np.random.default_rng([1, number]).integers(5, 90))
            readings = readings[:-remaining]
        yield _Run(f"engine {number}", readings, remaining, part)


def _read_fd001(train: Path, test: Path, remaining: Path) -> list[_Run]:
    to_failure, cut_short = _read_engines(train), _read_engines(test)
    try:
        left = [int(line) for line in remaining.read_text(encoding="ascii").split()]
    except ValueError as error:
        raise not_official(
            remaining, f"Expected one whole number a line; received other text in {remaining}"
        ) from error
    if len(left) != len(cut_short) or min(left, default=-1) < 0:
        raise not_official(
            remaining,
            f"Expected the remaining cycles of {len(cut_short)} engines; received {len(left)} "
            f"numbers from {min(left, default=0)} on in {remaining}",
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(len(to_failure))
    held_out = set(order[: round(VALIDATION_SHARE * len(to_failure))].tolist())
    return [
        *(
            _Run(f"engine {n}", readings, 0, "validation" if n - 1 in held_out else "train")
            for n, readings in enumerate(to_failure, 1)
        ),
        *(
            _Run(f"test engine {n}", readings, cycles, "test")
            for n, (readings, cycles) in enumerate(zip(cut_short, left, strict=True), 1)
        ),
    ]


def _read_engines(path: Path) -> list[np.ndarray]:
    """Return the readings (cycle, sensor) of each engine, in order of their numbers."""
    try:
        table = pd.read_csv(path, sep=r"\s+", header=None).to_numpy(float)
    except ValueError as error:  # text, no rows, or rows of several lengths
        raise not_official(path, f"Expected a table of numbers in {path} ({error})") from error
    if table.shape[1] != NUM_COLUMNS or not np.isfinite(table).all():
        raise not_official(
            path,
            f"Expected {NUM_COLUMNS} finite numbers a line; received {table.shape[1]} columns with "
            f"{int((~np.isfinite(table)).sum())} numbers missing in {path}",
        )
    columns = [FIRST_SENSOR - 1 + number for number, _ in FD001_SENSORS.values()]
    starts = np.flatnonzero(np.diff(table[:, 0], prepend=0))
    engines = np.split(table, starts[1:])
    for number, engine in enumerate(engines, 1):
        counted = np.arange(1, len(engine) + 1)
        if (engine[:, 0] != number).any() or not np.array_equal(engine[:, 1], counted):
            raise not_official(
                path, f"Expected engine {number} with the cycles 1 to {len(engine)} in {path}"
            )
    return [engine[:, columns] for engine in engines]
