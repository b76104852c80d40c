"""Datasets as netCDF files with a checksum, which is compared before anything is parsed.

HDF5 may read a damaged file for minutes, or give other numbers. The checksum stands behind the end
of the netCDF data, where HDF5 does not look: other tools read the file as any other.
"""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import xarray as xr

from ..files import atomic_path

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_TRAILER = re.compile(rb"\nsha256 of all before: ([0-9a-f]{64})\n")
_TRAILER_LENGTH = 88


def save_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset whole or not at all.

    It is made in memory first, which takes as much as the file: HDF5 may end the process when a
    disk is full.
    """
    content = dataset.to_netcdf(engine="h5netcdf")
    with atomic_path(path) as beside, beside.open("wb") as stream:
        stream.write(content)
        stream.write(f"\nsha256 of all before: {_sha256(content)}\n".encode())


def load_dataset(path: Path) -> xr.Dataset:
    """Read what `save_dataset` wrote, or a netCDF file of earlier code, which has no checksum.

    Raises
    ------
    ValueError
        The file is damaged, or no netCDF file.
    """
    expected = f"Expected a file written by Explanation.save; {str(path)!r}"
    content = b"" if path.is_dir() else path.read_bytes()
    if trailer := _TRAILER.fullmatch(content[-_TRAILER_LENGTH:]):
        whole = _sha256(memoryview(content)[:-_TRAILER_LENGTH]) == trailer[1].decode()
    elif content.startswith(_SIGNATURE):
        # Without a checksum: earlier code wrote it, or the checksum itself is lost. HDF5 knows
        # where its data end.
        start = 28 if content[8:9] > b"\x01" else 40
        whole = int.from_bytes(content[start : start + 8], "little") == len(content)
    else:
        raise ValueError(f"{expected} is no netCDF file. Give the right file.")
    if not whole:
        raise ValueError(
            f"{expected} is damaged: it is not what was written there. Copy it again from where it "
            "is whole, or explain the samples again."
        )
    # xarray's default of nanoseconds ends in the year 2262.
    dates = xr.coders.CFDatetimeCoder(time_unit="s")
    try:
        with xr.open_dataset(io.BytesIO(content), engine="h5netcdf", decode_times=dates) as opened:
            return opened.load()
    except Exception as error:  # whatever HDF5 makes of a damaged file of earlier code
        raise ValueError(
            f"{expected} is damaged, or no netCDF file ({error}). Give the right file."
        ) from error


def _sha256(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
