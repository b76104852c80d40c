"""Read archives of public data sets safely: in memory, with limits, and with named errors."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Member(NamedTuple):
    """A file in an archive."""

    name: str  # the path in the archive, with /
    source: str  # for messages: the archive and the file in it
    content: bytes


def read_members(
    path: Path, wanted: Callable[[str], object], *, max_archive: int, max_member: int
) -> Iterator[Member]:
    """Yield the files of a .tar.gz archive that are wanted; nothing is written to disk.

    Parameters
    ----------
    wanted : function
        Is given a file's path in the archive; files for which it returns None are passed over.
    max_archive, max_member : int
        Most bytes of the unpacked archive and of a wanted file.

    Raises
    ------
    ValueError
        The archive is damaged or breaks off, is larger than such an archive can be, or holds a
        path that leads outside, a link or a device.
    """
    try:
        # All of it at once: gzip compares its checksum only at the end, and tarfile takes a
        # damaged header for the end of the archive.
        with gzip.open(path) as stream:
            unpacked = stream.read(max_archive + 1)
        if len(unpacked) > max_archive:
            raise ValueError(
                f"Expected an archive of at most {max_archive} bytes unpacked; received more in "
                f"{path}. {replace_it(path)}"
            )
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for member in archive:
                if _is_wanted(member, wanted, max_member, path):
                    content: Any = archive.extractfile(member)
                    yield Member(member.name, f"{member.name} in {path}", content.read())
    except (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise ValueError(
            f"Expected a complete .tar.gz archive; {path} is damaged or breaks off ({error}). "
            f"{replace_it(path)}"
        ) from error


def replace_it(path: Path) -> str:
    """Return the remedy for a file whose contents are not what they should be.

    Examples
    --------
    >>> replace_it(Path("imdb/aclImdb_v1.tar.gz"))
    'Replace aclImdb_v1.tar.gz by the official file, or delete it to download it again.'
    """
    return f"Replace {path.name} by the official file, or delete it to download it again."


def _is_wanted(
    member: tarfile.TarInfo, wanted: Callable[[str], object], max_member: int, path: Path
) -> bool:
    """Tell whether a member is to be read, or refuse the archive for it."""
    parts = re.split(r"[/\\]", member.name)
    # Nothing is unpacked to disk; whoever made such an archive meant no good all the same.
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        wrong = "a path that leads outside"
    elif not (member.isreg() or member.isdir()):
        wrong = "a link or device"
    elif not member.isreg() or wanted(member.name) is None:
        return False
    elif member.size > max_member:
        wrong = f"a file of {member.size} bytes"
    else:
        return True
    raise ValueError(
        f"Expected plain files of at most {max_member} bytes; received {wrong}, {member.name!r}, "
        f"in {path}. {replace_it(path)}"
    )
