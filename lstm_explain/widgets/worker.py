"""One thread for the slow part of a widget, where new work replaces what is waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable

Work = Callable[[int], None]


class Newest:
    """Do the newest work; work that is still waiting when newer work is submitted is dropped.

    Work is called with its number, counted from 1, so that it can ask whether it `is_newest`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Work | None = None
        self._version = 0
        self._busy = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, work: Work) -> int:
        """Submit work and return its number; after `close` nothing is done."""
        with self._changed:
            if self._closed:
                return self._version
            self._version += 1
            self._waiting = work
            if self._thread is None:
                # A daemon: a kernel that is told to end does not wait for it.
                self._thread = threading.Thread(target=self._run, name="explore", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return self._version

    def is_newest(self, version: int) -> bool:
        """Return whether no newer work was submitted."""
        return version == self._version

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all work is done; return whether it is within the time (seconds)."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting is None and not self._busy, timeout)

    def close(self) -> None:
        """Drop waiting work and end the thread after its present work."""
        with self._changed:
            self._closed, self._waiting = True, None
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting is not None or self._closed)
                if self._waiting is None:
                    return
                work, version = self._waiting, self._version
                self._waiting, self._busy = None, True
            work(version)
