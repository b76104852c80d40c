"""Read the archives of PhysioNet 2012 safely, and turn their records into hourly arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..store import not_official, read_members
from .variables import DESCRIPTORS, RECORD_ID, SERIES

NUM_HOURS = 48
HEADER = "Time,Parameter,Value"
# 48:00 is written, and belongs to the last hour.
MINUTES = {f"{at // 60:02}:{at % 60:02}": at for at in range(60 * NUM_HOURS + 1)}
WEIGHT = "Weight"  # a fact of the admission first, a measurement afterwards
# The column of each code among the facts of the admission, and in the series.
FACTS, COLUMNS = (
    {variable.code: column for column, variable in enumerate(table)}
    for table in (DESCRIPTORS, SERIES)
)
CODES = {RECORD_ID, *FACTS, *COLUMNS}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def hourly_arrays(records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Put the records on a grid of 48 hours, with NaN where nothing was measured.

    Of several values in an hour the last plausible one counts; of several in a minute, the one
    that stands last in the file.

    Returns
    -------
    dict
        ``values`` float32 (stay, hour, variable) in the order of `SERIES`; ``lengths`` int32
        (stay,), the hours up to the last line of a variable, at least 1; ``descriptors`` float32
        (stay, descriptor) in the order of `DESCRIPTORS`.

    Raises
    ------
    ValueError
        A record has another header or a line that cannot be read: file and line are named.
    """
    count = len(records)
    values = np.full((count, NUM_HOURS, len(SERIES)), np.nan, np.float32)
    lengths = np.ones(count, np.int32)
    descriptors = np.full((count, len(DESCRIPTORS)), np.nan, np.float32)
    for stay, record in enumerate(records):
        written, is_weighed, measured = None, False, []
        for minute, code, value in _lines(record):
            is_weight = code == WEIGHT
            if code == RECORD_ID:
                written = value
            elif code in FACTS and not (is_weight and (is_weighed or minute)):
                is_weighed |= is_weight
                column = FACTS[code]
                is_plausible = DESCRIPTORS[column].low <= value <= DESCRIPTORS[column].high
                descriptors[stay, column] = value if is_plausible else np.nan
            else:
                measured.append((minute, COLUMNS[code], value))
        if written != record.stay:
            raise ValueError(
                f"Expected {RECORD_ID} {record.stay}; received {written} in {record.source}. "
                "Replace the archive by the official file."
            )
        # Sorting keeps the order of the file where several are of one minute.
        for minute, column, value in sorted(measured, key=itemgetter(0)):
            hour = min(minute // 60, NUM_HOURS - 1)
            lengths[stay] = max(lengths[stay], hour + 1)
            if SERIES[column].low <= value <= SERIES[column].high:
                values[stay, hour, column] = value
    return {"values": values, "lengths": lengths, "descriptors": descriptors}


def _lines(record: Record) -> Iterator[tuple[int, str, float]]:
    """Yield the minute, the code and the value of each line."""
    text = record.content.decode(errors="replace").replace("\r\n", "\n")
    header, *lines = text.removesuffix("\n").split("\n")
    if header != HEADER:
        _refuse(record, 1, f"the header {HEADER}", header)
    if not lines:
        _refuse(record, 2, f"a line such as 00:00,{RECORD_ID},{record.stay}", "")
    for number, line in enumerate(lines, 2):
        time, code, value = [*line.split(","), "", ""][:3]
        if (
            line.count(",") != 2
            or time not in MINUTES
            or not (NUMBER.fullmatch(value) and math.isfinite(float(value)))
        ):
            _refuse(record, number, "a line such as 07:30,HR,73, up to 48:00", line)
        if code not in CODES:
            _refuse(record, number, f"one of the {len(CODES)} parameters", code)
        yield MINUTES[time], code, float(value)


def _refuse(record: Record, number: int, expected: str, received: str) -> NoReturn:
    raise ValueError(
        f"Expected {expected}; received {received[:80]!r} in {record.source}, line {number}. "
        "Replace the archive by the official file."
    )


# Each official archive unpacks to about 30 MB, its longest record to 24 kB.
MAX_ARCHIVE = 256 * 2**20
MAX_RECORD = 2**20
OUTCOME_COLUMNS = ("RecordID", "SAPS-I", "SOFA", "Length_of_stay", "Survival", "In-hospital_death")


class Record(NamedTuple):
    """The text of one stay."""

    stay: int
    source: str  # for messages: the archive and the file in it
    content: bytes


def read_records(path: Path, bar: Any) -> list[Record]:
    """Return the records of an archive, in order of their stays; raises as `read_members`."""
    members = read_members(
        path, _stay_of, what="stay", max_archive=MAX_ARCHIVE, max_member=MAX_RECORD
    )
    bar.update(len(members))
    return [Record(stay, member.source, member.content) for stay, member in members.items()]


def read_outcomes(path: Path) -> dict[int, tuple[int, int]]:
    """Return who died in hospital: stay to (0 or 1, line of the file).

    Raises
    ------
    ValueError
        Other columns than the official ones, a line that cannot be read, or a stay twice.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    columns = tuple(lines[0].split(",")) if lines else ()
    if columns != OUTCOME_COLUMNS:
        raise not_official(
            path,
            f"Expected the columns {','.join(OUTCOME_COLUMNS)}; received {','.join(columns)!r} "
            f"in {path}, line 1",
        )
    outcomes: dict[int, tuple[int, int]] = {}
    for number, line in enumerate(lines[1:], 2):
        match = re.fullmatch(r"(\d+)(?:,-?\d+){4},([01])", line, re.ASCII)
        if match is None:
            raise not_official(
                path,
                f"Expected six whole numbers, of which the last is 0 or 1; received {line!r} "
                f"in {path}, line {number}",
            )
        stay, died = map(int, match.groups())
        if stay in outcomes:
            raise not_official(
                path,
                f"Expected each stay once; received {stay} in {path}, line {number}, and in "
                f"line {outcomes[stay][1]}",
            )
        outcomes[stay] = died, number
    return outcomes


def match_outcomes(
    records: list[Record], outcomes: dict[int, tuple[int, int]], archive: Path, path: Path
) -> list[int]:
    """Return the outcome of each record, or name the first stay that has none or no record."""
    for record in records:
        if record.stay not in outcomes:
            raise ValueError(
                f"Expected an outcome for every stay; {path} has none for {record.source}. Use the "
                "archive and the outcomes of the same set."
            )
    lost = sorted(set(outcomes) - {record.stay for record in records})
    if lost:
        raise not_official(
            archive,
            f"Expected a record for every outcome; {archive} has none for {len(lost)} stays, "
            f"the first {lost[0]} in {path}, line {outcomes[lost[0]][1]}",
        )
    return [outcomes[record.stay][0] for record in records]


def _stay_of(name: str) -> int | None:
    """Return which stay a file records, or None if it is no record."""
    match = re.fullmatch(r"(\d{1,9})\.txt", re.split(r"[/\\]", name)[-1], re.ASCII)
    return int(match[1]) if match else None
