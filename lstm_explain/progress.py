"""One line of progress: a tqdm bar that a notebook keeps as plain text, not as a dead widget."""

from __future__ import annotations

import sys
from typing import Any


def progress_bar(total: int, description: str, unit: str, visible: bool = True) -> Any:
    """Return a ``tqdm`` bar for notebooks and terminals.

    In a notebook the bar is one line of text that updates in place and is empty when the work is
    done: tqdm's own notebook bar would be saved as a widget that nobody can read without a kernel.
    """
    from tqdm import tqdm

    return tqdm(
        total=total,
        desc=description,
        unit=unit,
        disable=not visible,
        file=_DisplayLine() if _in_notebook() else sys.stderr,
        ncols=88 if _in_notebook() else None,
        leave=False,
    )


def _in_notebook() -> bool:
    """Tell whether output goes to a notebook front end, without importing IPython."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class _DisplayLine:
    """A file whose last line is shown in one notebook display."""

    def __init__(self) -> None:
        self._handle: Any = None

    def write(self, text: str) -> int:
        from IPython.display import DisplayHandle

        line = text.strip("\r\n")
        if self._handle is None and line.strip():
            self._handle = DisplayHandle()
            self._handle.display({"text/plain": line}, raw=True)
        elif self._handle is not None:
            self._handle.update({"text/plain": line.strip()}, raw=True)
        return len(text)

    def flush(self) -> None:
        """Do nothing: each write is shown at once."""
