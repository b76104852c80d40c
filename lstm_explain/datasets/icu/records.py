"""Read the archives of PhysioNet 2012 safely, and turn their records into hourly arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd

from ..store import not_official, read_members
from .variables import DESCRIPTORS, RECORD_ID, SERIES, Variable

NUM_HOURS = 48
HEADER = "Time,Parameter,Value"
# 48:00 is written, and belongs to the last hour.
MINUTES = {f"{at // 60:02}:{at % 60:02}": at for at in range(60 * NUM_HOURS + 1)}
WEIGHT = "Weight"  # a fact of the admission first, a measurement afterwards
# A dict, because weight is in both tables.
_CODES = dict.fromkeys([RECORD_ID, *(variable.code for variable in (*DESCRIPTORS, *SERIES))])
CODES = {code: position for position, code in enumerate(_CODES)}
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
    rows = _read_rows(records)
    of_admission = _of_admission(rows)
    rows, facts = rows[~of_admission], rows[of_admission]
    _check_record_ids(records, facts)

    facts = facts[facts["code"] != RECORD_ID]
    column, plausible = _place(facts, DESCRIPTORS)
    descriptors = np.full((len(records), len(DESCRIPTORS)), np.nan, np.float32)
    descriptors[facts["stay"], column] = np.where(plausible, facts["value"], np.nan)

    hour = np.minimum(rows["minute"].to_numpy() // 60, NUM_HOURS - 1)
    lengths = np.ones(len(records), np.int32)
    np.maximum.at(lengths, rows["stay"].to_numpy(), hour + 1)

    column, plausible = _place(rows, SERIES)
    values = np.full((len(records), NUM_HOURS, len(SERIES)), np.nan, np.float32)
    # Where a cell is assigned more than once, NumPy leaves the last value in it.
    order = np.lexsort((rows["minute"], rows["stay"]))
    order = order[plausible[order]]
    stay, value = rows["stay"].to_numpy()[order], rows["value"].to_numpy()[order]
    values[stay, hour[order], column[order]] = value
    return {"values": values, "lengths": lengths, "descriptors": descriptors}


def _read_rows(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row per line: stay (a position), minute, code and value."""
    tables = []
    for position, record in enumerate(records):
        text = record.content.decode(errors="replace").replace("\r\n", "\n")
        header, *lines = text.removesuffix("\n").split("\n")
        if header != HEADER:
            _refuse(record, 1, f"the header {HEADER}", header)
        if not lines:
            _refuse(record, 2, f"a line such as 00:00,{RECORD_ID},{record.stay}", "")
        rows = [(position, *_fields(record, at, line)) for at, line in enumerate(lines, 2)]
        tables.append(np.array(rows))
    stay, minute, code, value = np.concatenate(tables).T
    codes = pd.Categorical.from_codes(code.astype(int), list(CODES))
    whole = {"stay": stay.astype(int), "minute": minute.astype(int)}
    return pd.DataFrame(whole | {"code": codes, "value": value})


def _fields(record: Record, number: int, line: str) -> tuple[int, int, float]:
    """Return the minute, the position of the code among `CODES`, and the value of a line."""
    time, code, value = [*line.split(","), "", ""][:3]
    if (
        line.count(",") != 2
        or time not in MINUTES
        or not (NUMBER.fullmatch(value) and math.isfinite(float(value)))
    ):
        _refuse(record, number, "a line such as 07:30,HR,73, up to 48:00", line)
    if code not in CODES:
        _refuse(record, number, f"one of the {len(CODES)} parameters", code)
    return MINUTES[time], CODES[code], float(value)


def _of_admission(rows: pd.DataFrame) -> np.ndarray:
    """Tell which rows are facts of the admission, bool (row,): descriptors, the first weight."""
    series = [variable.code for variable in SERIES]
    weights = (rows["code"] == WEIGHT) & (rows["minute"] == 0)
    first = weights & ~rows["stay"].where(weights).duplicated()
    return (first | ~rows["code"].isin(series)).to_numpy()


def _place(rows: pd.DataFrame, variables: Sequence[Variable]) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's column among the variables and whether its value is plausible."""
    position = {variable.code: column for column, variable in enumerate(variables)}
    of_category = np.array([position.get(code, -1) for code in rows["code"].cat.categories])
    column = of_category[rows["code"].cat.codes]
    low, high = np.array([(variable.low, variable.high) for variable in variables]).T
    value = rows["value"].to_numpy()
    return column, (low[column] <= value) & (value <= high[column])


def _check_record_ids(records: Sequence[Record], facts: pd.DataFrame) -> None:
    written = facts[facts["code"] == RECORD_ID].groupby("stay")["value"].last()
    for position, record in enumerate(records):
        if written.get(position) != record.stay:
            raise ValueError(
                f"Expected {RECORD_ID} {record.stay}; received {written.get(position)} in "
                f"{record.source}. Replace the archive by the official file."
            )


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
