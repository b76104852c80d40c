"""``atomic_path``: what is written appears complete, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path`; the file written there takes the place of `path` when complete.

    An error, an interrupt, a full disk or a kill leaves what stood at `path`. The unfinished file
    is removed, except after a kill. Folders are made if need be.

    Parameters
    ----------
    path : path
        Of a file. Of a link, the file that it leads to is replaced.

    Raises
    ------
    OSError
        The file could not be written; the message says why, and what to do.

    Examples
    --------
    >>> with atomic_path("notes.txt") as beside:  # doctest: +SKIP
    ...     beside.write_text("all of it", encoding="utf-8")
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another name in each process and call; with the suffix, from which writers take the format.
    beside = path.with_name(f".unfinished-{secrets.token_hex(8)}{path.suffix}")
    exists = path.exists()
    try:
        if exists:
            path.open("rb+").close()  # a folder or a protected file is refused before the work
        yield beside
        if exists:
            shutil.copymode(path, beside)
        flush_to_disk(beside)
        os.replace(beside, path)
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"Expected to write a whole file; received the error {error.strerror or str(error)!r}. "
            "What stood there is as it was. Free space there, or give another place",
            str(path),
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Return when the file is on the disk, so that it outlives a loss of power."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
