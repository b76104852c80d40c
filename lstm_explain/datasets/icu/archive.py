"""Read the archives and outcomes of PhysioNet 2012 safely: in memory, with limits, named errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from ..archive import read_members, replace_it

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
    """Return the records of an archive, in order of their stays; nothing is written to disk.

    Raises
    ------
    ValueError
        The archive is damaged or breaks off, is larger than such an archive can be, or holds a
        path that leads outside, a link or a device, or a stay twice.
    """
    records: dict[int, Record] = {}
    for member in read_members(path, _stay_of, max_archive=MAX_ARCHIVE, max_member=MAX_RECORD):
        stay = _stay_of(member.name)
        if stay is None:
            continue
        if stay in records:
            raise ValueError(
                f"Expected each stay once; received {member.source} beside "
                f"{records[stay].source}. {replace_it(path)}"
            )
        records[stay] = Record(stay, member.source, member.content)
        bar.update(1)
    return [records[stay] for stay in sorted(records)]


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
        raise ValueError(
            f"Expected the columns {','.join(OUTCOME_COLUMNS)}; received {','.join(columns)!r} in "
            f"{path}, line 1. {replace_it(path)}"
        )
    outcomes: dict[int, tuple[int, int]] = {}
    for number, line in enumerate(lines[1:], 2):
        match = re.fullmatch(r"(\d+)(?:,-?\d+){4},([01])", line, re.ASCII)
        if match is None:
            raise ValueError(
                f"Expected six whole numbers, of which the last is 0 or 1; received {line!r} in "
                f"{path}, line {number}. {replace_it(path)}"
            )
        stay, died = map(int, match.groups())
        if stay in outcomes:
            raise ValueError(
                f"Expected each stay once; received {stay} in {path}, line {number}, and in line "
                f"{outcomes[stay][1]}. {replace_it(path)}"
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
        raise ValueError(
            f"Expected a record for every outcome; {archive} has none for {len(lost)} stays, the "
            f"first {lost[0]} in {path}, line {outcomes[lost[0]][1]}. {replace_it(archive)}"
        )
    return [outcomes[record.stay][0] for record in records]


def _stay_of(name: str) -> int | None:
    """Return which stay a file records, or None if it is no record."""
    match = re.fullmatch(r"(\d{1,9})\.txt", re.split(r"[/\\]", name)[-1], re.ASCII)
    return int(match[1]) if match else None
