"""A small data home with ICU records."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from lstm_explain import SequenceData, load_icu
from lstm_explain.datasets.icu.records import OUTCOME_COLUMNS
from lstm_explain.datasets.icu.variables import DESCRIPTORS, SERIES

CODES = [variable.code for variable in SERIES]
FACTS = "00:00,RecordID,{stay}\n00:00,Age,{age}\n00:00,Gender,1\n00:00,Height,-1\n00:00,ICUType,3\n"


def facts(stay: int, age: int = 60) -> str:
    return FACTS.format(stay=stay, age=age) + "00:00,Weight,-1\n"


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


ARCHIVE_A = "set-a.tar.gz"
