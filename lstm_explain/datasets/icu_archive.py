"""Read the archives and outcomes of PhysioNet 2012 safely: in memory, with limits, named errors."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

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
    try:
        # All of it at once: gzip compares its checksum only at the end, and tarfile takes a
        # damaged header for the end of the archive.
        with gzip.open(path) as stream:
            unpacked = stream.read(MAX_ARCHIVE + 1)
        if len(unpacked) > MAX_ARCHIVE:
            raise ValueError(
                f"Expected an archive of at most {MAX_ARCHIVE} bytes unpacked; received more in "
                f"{path}. {_replace(path)}"
            )
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for member in archive:
                stay = _stay_of(member, path)
                if stay is None:
                    continue
                source = f"{member.name} in {path}"
                if stay in records:
                    raise ValueError(
                        f"Expected each stay once; received {source} beside "
                        f"{records[stay].source}. {_replace(path)}"
                    )
                stream_of_member: Any = archive.extractfile(member)
                records[stay] = Record(stay, source, stream_of_member.read())
                bar.update(1)
    except (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise ValueError(
            f"Expected a complete .tar.gz archive; {path} is damaged or breaks off ({error}). "
            f"{_replace(path)}"
        ) from error
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
            f"{path}, line 1. {_replace(path)}"
        )
    outcomes: dict[int, tuple[int, int]] = {}
    for number, line in enumerate(lines[1:], 2):
        match = re.fullmatch(r"(\d+)(?:,-?\d+){4},([01])", line, re.ASCII)
        if match is None:
            raise ValueError(
                f"Expected six whole numbers, of which the last is 0 or 1; received {line!r} in "
                f"{path}, line {number}. {_replace(path)}"
            )
        stay, died = map(int, match.groups())
        if stay in outcomes:
            raise ValueError(
                f"Expected each stay once; received {stay} in {path}, line {number}, and in line "
                f"{outcomes[stay][1]}. {_replace(path)}"
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
            f"first {lost[0]} in {path}, line {outcomes[lost[0]][1]}. {_replace(archive)}"
        )
    return [outcomes[record.stay][0] for record in records]


def _stay_of(member: tarfile.TarInfo, path: Path) -> int | None:
    """Return which stay a member records, None if it is no record, or refuse it."""
    parts = re.split(r"[/\\]", member.name)
    # Nothing is unpacked to disk; whoever made such an archive meant no good all the same.
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        wrong = "a path that leads outside"
    elif not (member.isreg() or member.isdir()):
        wrong = "a link or device"
    elif member.size > MAX_RECORD:
        wrong = f"a file of {member.size} bytes"
    else:
        name = re.fullmatch(r"(\d{1,9})\.txt", parts[-1], re.ASCII)
        return int(name[1]) if name and member.isreg() else None
    raise ValueError(
        f"Expected plain files of at most {MAX_RECORD} bytes; received {wrong}, {member.name!r}, "
        f"in {path}. {_replace(path)}"
    )


def _replace(path: Path) -> str:
    return f"Replace {path.name} by the official file, or delete it to download it again."
