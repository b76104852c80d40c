"""The hooks of Matplotlib run on the main thread only."""

import threading
import types

from lstm_explain.widgets.page import guard_figures, release_figures


def test_matplotlib_hooks_run_on_the_main_thread_only():
    from IPython.core.events import EventManager

    calls = []

    def ours():
        calls.append("ours")

    def flush_figures():
        calls.append("matplotlib")

    flush_figures.__module__ = "matplotlib_inline.backend_inline"
    shell = types.SimpleNamespace()
    shell.events = EventManager(shell, {"post_execute": None})

    def in_thread():
        thread = threading.Thread(target=shell.events.trigger, args=("post_execute",))
        thread.start()
        thread.join()

    shell.events.register("post_execute", ours)
    shell.events.register("post_execute", flush_figures)
    in_thread()
    assert calls == ["ours", "matplotlib"]  # what goes wrong without the guard
    calls.clear()
    guard_figures(shell)
    guard_figures(shell)
    in_thread()
    assert calls == ["ours"]
    shell.events.trigger("post_execute")
    assert calls == ["ours", "ours", "matplotlib"]
    shell.events.unregister("post_execute", flush_figures)  # as matplotlib itself does
    release_figures(shell)
    in_thread()
    assert calls[3:] == ["ours"]
    guard_figures(None)
    release_figures(None)
