"""What is written appears complete, or not at all, and says what it was made of."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np


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


def digest(*parts: Any) -> str:
    """Return 16 hexadecimal digits that change with any part, its type or its shape.

    Of a record each field is a part. A file that goes on later keeps them, so that it is not
    continued with other data.

    Examples
    --------
    >>> digest(np.zeros(2)) == digest(np.zeros((2, 1)))
    False
    """
    whole = hashlib.sha256()
    for part in _unfolded(parts):
        if isinstance(part, np.ndarray) and part.dtype != object:
            whole.update(f"{part.dtype} {part.shape} ".encode())
            whole.update(np.ascontiguousarray(part).tobytes())
        else:
            text = repr(part.tolist() if isinstance(part, np.ndarray) else part)
            whole.update(f"{text} ".encode())
    return whole.hexdigest()[:16]


def _unfolded(parts: Iterable[Any]) -> Iterator[Any]:
    """Yield parts, of a record its fields."""
    for part in parts:
        if is_dataclass(part) and not isinstance(part, type):
            yield from _unfolded(getattr(part, field.name) for field in fields(part))
        else:
            yield part
