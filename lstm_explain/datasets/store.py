"""Find, download and check the files of public data sets, and read archives safely.

Archives are read in memory, with limits and with errors that name the file. What was parsed is kept
for the next call.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import re
import tarfile
import warnings
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..arguments import as_path, check_flag
from ..files import atomic_path
from ..progress import progress_bar

DATA_VARIABLE = "LSTM_EXPLAIN_DATA"
CACHE_VARIABLE = "LSTM_EXPLAIN_CACHE"
Key = TypeVar("Key", int, str)


class UnverifiedDataWarning(UserWarning):
    """A file in the data home is not the official one, so its contents were not verified."""


class Entry(NamedTuple):
    """What the registry says about a public file."""

    sha256: str
    url: str


class StoredFile(NamedTuple):
    """A file that was found or downloaded."""

    path: Path
    sha256: str


def registry() -> dict[str, Entry]:
    """Read the checksum and address of every public file that a loader may ask for.

    Examples
    --------
    >>> registry()["physionet2012/Outcomes-a.txt"].url
    'https://physionet.org/files/challenge-2012/1.0.0/Outcomes-a.txt'
    """
    text = (package_data() / "registry.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: Entry(sha256, url) for name, sha256, url in rows}


def package_data() -> Path:
    """Return the folder of the data that travel with the package."""
    package = Path(__file__).parents[1]
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz file, never running what a pickle in it may hold."""
    # Opened here, because NumPy leaves a damaged file open.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return dict(arrays)


def data_home(folder: str | Path | None = None) -> Path:
    """Return the folder of the public data sets.

    `folder` itself, else what the environment variable LSTM_EXPLAIN_DATA names, else a folder of
    this user's cache.
    """
    if folder is not None:
        return as_path(folder, folder=True, name="data_home").expanduser()
    named = os.environ.get(DATA_VARIABLE)
    return Path(named).expanduser() if named else _user_cache()


def check_home(folder: Any, progress: Any) -> None:
    """Raise unless these are a folder or None, and whether to show progress."""
    check_flag(progress=progress)
    data_home(folder)


def find_file(name: str, home: str | Path | None = None, *, progress: bool = True) -> StoredFile:
    """Return a file of the registry from the data home, downloading it if it is not there yet.

    A file that lies there under its official name is used. If it is not the official one, a
    warning says so.

    Parameters
    ----------
    name : str
        Name in the registry, such as "physionet2012/set-a.tar.gz".
    home : path, optional
        See `data_home`.
    progress : bool
        Show the progress of a download.

    Raises
    ------
    FileNotFoundError
        The file is nowhere and could not be downloaded, or arrived with a wrong checksum.
    """
    import pooch

    entry = registry()[name]
    path = data_home(home) / name
    if not path.is_file():
        # A file that was downloaded before serves every home.
        downloaded = _user_cache() / name
        if downloaded.is_file():
            path = downloaded
        else:
            _download(entry, path, name, progress)
    sha256 = pooch.file_hash(str(path), alg="sha256")
    if sha256 != entry.sha256:
        warnings.warn(
            f"{path} is not the official file: its sha256 is {sha256}, that of {entry.url} is "
            f"{entry.sha256}. It is read all the same; its contents were not verified.",
            UnverifiedDataWarning,
            stacklevel=3,
        )
    return StoredFile(path, sha256)


def digest(*parts: object) -> str:
    """Return a short text that changes with any of the parts, to be a key of `cached_arrays`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def cached_arrays(
    name: str, key: str, make: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the arrays that `make` gives, from the cache after the first time.

    The cache is the folder that LSTM_EXPLAIN_CACHE names, else one of this user's. A file appears
    there complete or not at all, and one that is damaged is made again.

    Parameters
    ----------
    name, key : str
        What was parsed, and a text that changes whenever the result would.
    make : function
        Called when nothing is kept for this key.
    """
    path = _cache_folder() / f"{name}-{key}.npz"
    try:
        kept = load_arrays(path)
        # The archive has a checksum of each array, but not of their names.
        if sorted(kept.pop("")) == sorted(kept):
            return kept
        raise ValueError("Expected the names that were written.")
    except Exception:  # absent, or damaged in whatever way: it is only a copy
        arrays = dict(make())
    try:
        with atomic_path(path) as beside, beside.open("wb") as stream:
            kept = {**arrays, "": np.array(list(arrays))}
            np.savez_compressed(stream, **kept)  # type: ignore[arg-type]  # no array is a flag
    except OSError as error:
        warnings.warn(
            f"What was parsed could not be kept: {error}. Set {CACHE_VARIABLE} to "
            "a folder that can be written to, or it is parsed again every time.",
            stacklevel=3,
        )
    return arrays


def _download(entry: Entry, path: Path, name: str, progress: bool) -> None:
    import pooch

    by_hand = (
        f"put it into a folder as {name}, and give that folder as data_home=... or in the "
        f"environment variable {DATA_VARIABLE}."
    )
    if entry.url.endswith(".zip") and not name.endswith(".zip"):
        raise FileNotFoundError(
            f"Expected the file {path}; it is not there, and is published inside of an archive. "
            f"Download {entry.url} by hand, take {path.name} out of it, {by_hand}"
        )
    try:
        with progress_bar(0, f"downloading {path.name}", "B", visible=progress) as bar:
            pooch.retrieve(
                entry.url,
                known_hash=f"sha256:{entry.sha256}",
                path=path.parent,
                fname=path.name,
                downloader=pooch.HTTPDownloader(progressbar=bar if progress else False),
            )
    # No network, an error of the server, a folder that cannot be written to, a wrong checksum.
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"Expected the file {path}; it is not there, and downloading {entry.url} failed: "
            f"{error} Download it by hand, {by_hand}"
        ) from error


def _cache_folder() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else _user_cache() / "parsed"


def _user_cache() -> Path:
    import pooch

    return Path(pooch.os_cache("lstm_explain"))


class Member(NamedTuple):
    """A file in an archive."""

    source: str  # for messages: the archive and the file in it
    content: bytes


def read_members(
    path: Path,
    key_of: Callable[[str], Key | None],
    *,
    what: str = "file",
    max_archive: int,
    max_member: int,
) -> dict[Key, Member]:
    """Read files of a .tar.gz archive, in order of their keys; nothing is written to disk.

    Parameters
    ----------
    key_of : function
        Given a file's path in the archive, returns its key, or None for a file to leave out.
    what : str
        For messages: what a key stands for.
    max_archive, max_member : int
        Most bytes of the unpacked archive and of a file with a key.

    Raises
    ------
    ValueError
        The archive is damaged or breaks off, is larger than such an archive can be, or holds a
        path that leads outside, a link or a device, or a key twice.
    """
    members: dict[Key, Member] = {}
    try:
        # All of it at once: gzip compares its checksum only at the end, and tarfile takes a
        # damaged header for the end of the archive.
        with gzip.open(path) as stream:
            unpacked = stream.read(max_archive + 1)
        if len(unpacked) > max_archive:
            raise not_official(
                path,
                f"Expected an archive of at most {max_archive} bytes unpacked; received more in "
                f"{path}",
            )
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for member in archive:
                key = key_of(member.name) if member.isreg() else None
                if wrong := _wrong_with(member, math.inf if key is None else max_member):
                    raise not_official(
                        path,
                        f"Expected plain files of at most {max_member} bytes; received {wrong}, "
                        f"{member.name!r}, in {path}",
                    )
                if key is None:
                    continue
                source = f"{member.name} in {path}"
                if key in members:
                    beside = members[key].source
                    raise not_official(
                        path, f"Expected each {what} once; received {source} beside {beside}"
                    )
                content: Any = archive.extractfile(member)
                members[key] = Member(source, content.read())
    except (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise not_official(
            path, f"Expected a complete .tar.gz archive; {path} is damaged or breaks off ({error})"
        ) from error
    return {key: members[key] for key in sorted(members)}


def not_official(path: Path, message: str) -> ValueError:
    """Return an error about a file's contents, with the remedy.

    Examples
    --------
    >>> not_official(Path("imdb/aclImdb_v1.tar.gz"), "Expected text; received none")
    ValueError('Expected text; received none. Replace aclImdb_v1.tar.gz by the official file, or \
delete it to download it again.')
    """
    return ValueError(
        f"{message}. Replace {path.name} by the official file, or delete it to download it again."
    )


def _wrong_with(member: tarfile.TarInfo, max_size: float) -> str:
    """Say what no member of an official archive is, or nothing."""
    parts = re.split(r"[/\\]", member.name)
    # Nothing is unpacked to disk; whoever made such an archive meant no good all the same.
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        return "a path that leads outside"
    if not (member.isreg() or member.isdir()):
        return "a link or device"
    return f"a file of {member.size} bytes" if member.size > max_size else ""
