"""Keep matplotlib's figures of a running cell away from the threads that serve widgets.

JupyterLab 4.4 and later hand a widget's messages to another thread, also while a cell runs. After
each message IPython calls matplotlib's hooks, on that thread: they draw, show and close the figures
that the cell has half made.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

_MARK = "_lstm_explain_guard"


def guard_figures(shell: Any) -> None:
    """Let matplotlib's hooks run on the main thread only; all other hooks stay as they are.

    Parameters
    ----------
    shell : IPython shell or None
        What ``IPython.get_ipython()`` gives. None: there is nothing to guard.
    """
    events = getattr(shell, "events", None)
    if events is None or hasattr(events, _MARK):
        return

    def trigger(event: str, *args: Any, **kwargs: Any) -> None:
        shown = events
        if threading.current_thread() is not threading.main_thread():
            shown = copy.copy(events)
            shown.callbacks = {
                name: [hook for hook in hooks if not _of_matplotlib(hook)]
                for name, hooks in events.callbacks.items()
            }
        type(events).trigger(shown, event, *args, **kwargs)

    events.trigger = trigger
    setattr(events, _MARK, True)


def release_figures(shell: Any) -> None:
    """Undo `guard_figures`."""
    events = getattr(shell, "events", None)
    if events is not None and hasattr(events, _MARK):
        del events.trigger
        delattr(events, _MARK)


def _of_matplotlib(hook: Any) -> bool:
    return (getattr(hook, "__module__", None) or "").startswith("matplotlib")
