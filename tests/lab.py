"""JupyterLab on a free loopback port and a headless Chromium: what the browser tests drive."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
from nbformat import v4

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"),
    *("--no-first-run", "--disable-component-update", "--disable-dev-shm-usage"),
)
_TOKEN = "only-for-the-tests"
# No question whether to fetch news, and no search for updates: neither the widget's doing.
_NOTIFICATIONS = {"fetchNews": "false", "checkForUpdates": False}
# What JupyterLab itself writes into the console, with a fresh workspace and no network.
_LABS_OWN = re.compile(
    r"api/workspaces|favicon|extensions-manager|fonts?\.g|ERR_INTERNET|ERR_NAME_NOT|api/news"
)

# JupyterLab asks a new kernel for its widgets. One that a cell closes before it has answered
# is waited for without end, and no widget is drawn: so no cell runs before this is done.
_WIDGETS_ARE_READY = """\
() => {
  if (!window.widgetManager) {
    const { rendermime } = window.jupyterapp.shell.currentWidget.content;
    const renderer = rendermime.createRenderer("application/vnd.jupyter.widget-view+json");
    renderer._manager.promise.then(manager => { window.widgetManager = manager; });
  }
  return window.widgetManager?.restoredStatus;
}"""

# Plots for some seconds; each figure must have its own number of lines. Widgets move meanwhile.
PLOT = """\
import io, time
import matplotlib.pyplot as plt
end, wrong, done = time.time() + {seconds}, [], 0
while time.time() < end:
    figure, ax = plt.subplots()
    for line in range(5):
        ax.plot([0, 1], [0, line])
        time.sleep(0.02)
    if plt.gcf() is not figure or len(figure.axes[0].lines) != 5:
        wrong.append(done)
    figure.savefig(io.BytesIO(), format="png")
    plt.close(figure)
    done += 1
plt.plot([0, 1])
print("done", done, "wrong", len(wrong))"""


def chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def missing() -> str | None:
    """Return what the browser tests lack here, or None."""
    for package in ("playwright", "jupyterlab", "anywidget", "ipykernel"):
        if find_spec(package) is None:
            return f"no {package}: pip install -e '.[notebooks,dev]'"
    return None if chromium() else "no Chromium: make browser-test"


class Lab:
    """A JupyterLab of its own, with its own settings, and one browser.

    Parameters
    ----------
    folder : Path
        Everything that the server writes goes there; its notebooks are in ``folder / "notebooks"``.
    """

    def __init__(self, folder: Path) -> None:
        from playwright.sync_api import sync_playwright

        self.root = folder / "notebooks"
        self.root.mkdir(parents=True)
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(_NOTIFICATIONS))
        self._environment = os.environ | {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        self._environment.pop("MPLBACKEND", None)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1",
            f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={_TOKEN}",
            f"--ServerApp.root_dir={self.root}", "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        self._log = (folder / "lab.log").open("w")
        self._server = subprocess.Popen(
            command, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._playwright: Any = None
        try:
            self._await()
            self._playwright = sync_playwright().start()
            self.browser = self._playwright.chromium.launch(
                executable_path=chromium(), args=list(_FLAGS)
            )
        except BaseException:
            self.close()
            raise

    def _await(self) -> None:
        for _ in range(240):
            try:
                urlopen(f"{self.address}/api/status?token={_TOKEN}", timeout=5).close()
                return
            except URLError:
                if self._server.poll() is not None:
                    break
                time.sleep(0.25)
        raise RuntimeError(f"JupyterLab did not start: {Path(self._log.name).read_text()[-2000:]}")

    def close(self) -> None:
        """End browser, kernels and server."""
        if self._playwright is not None:
            if hasattr(self, "browser"):
                self.browser.close()
            self._playwright.stop()
        self._server.terminate()
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()

    def run(self, *arguments: str) -> None:
        """Run a Jupyter command with the settings of this server."""
        command = [sys.executable, "-m", *arguments]
        subprocess.run(command, env=self._environment, check=True, capture_output=True)

    def write(self, name: str, *cells: str, kernel: str = "python3") -> Path:
        """Write a notebook that has not run."""
        kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
        notebook = v4.new_notebook(
            cells=[v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernelspec}
        )
        path = self.root / name
        nbformat.write(notebook, path)
        return path

    @contextmanager
    def page(self, width: int = 1280, height: int = 1000) -> Iterator[Page]:
        """Open an empty page with a memory of its own."""
        context = self.browser.new_context(viewport={"width": width, "height": height})
        try:
            yield Page(context.new_page(), self.address)
        finally:
            context.close()


class Page:
    """A page of the browser with one notebook, and the errors in its console."""

    def __init__(self, page: Any, address: str) -> None:
        self.it, self._address = page, address
        self._errors: list[str] = []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self._errors.append(f"{message.text} ({message.location.get('url', '')})")

    @property
    def errors(self) -> list[str]:
        """Errors in the console that are not JupyterLab's own."""
        return [error for error in self._errors if not _LABS_OWN.search(error)]

    def open(self, name: str, *, kernel: bool = True) -> None:
        """Open a notebook; wait for its kernel, or for the question which kernel to take.

        With the kernel, also for JupyterLab's widgets.
        """
        self.it.goto(f"{self._address}/lab/tree/{name}?token={_TOKEN}&reset")
        self.it.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        if kernel:
            self.it.wait_for_function(
                "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
                "?.status === 'idle'"
            )
            self.wait_for(_WIDGETS_ARE_READY)

    def command(self, name: str) -> Any:
        """Execute one of JupyterLab's commands and wait for its end."""
        return self.it.evaluate(f"() => window.jupyterapp.commands.execute('{name}').then(() => 0)")

    def run_all(self) -> None:
        """Run all cells."""
        self.command("notebook:run-all-cells")

    def sources(self) -> list[str]:
        """Return the text of every cell as the page has it."""
        return self.it.evaluate(
            "() => Array.from(window.jupyterapp.shell.currentWidget.content.model.cells)"
            ".map(cell => cell.sharedModel.getSource())"
        )

    def outputs(self) -> list[list[dict[str, Any]]]:
        """Return the outputs of every cell."""
        return self.it.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON()"
            ".cells.map(cell => cell.outputs ?? [])"
        )

    def widget_text(self) -> str:
        """Return the widget's line with the prediction, before and now."""
        return self.it.locator(".lstm-explain-live").first.text_content()

    def wait_for(self, script: str, argument: Any = None, timeout: float = 30.0) -> None:
        """Wait until an expression of the page is true."""
        self.it.wait_for_function(script, arg=argument, timeout=1000 * timeout)


if __name__ == "__main__":  # for `make browser-test`
    sys.exit(chromium() is None)
