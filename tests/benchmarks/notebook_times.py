"""Wall time of every notebook, and of the import: python tests/benchmarks/notebook_times.py."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]


def seconds_of(notebook: Path) -> float:
    """Run one notebook in a fresh kernel and return the seconds it took."""
    client = NotebookClient(
        nbformat.read(notebook, as_version=4),
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    start = time.perf_counter()
    client.execute()
    return time.perf_counter() - start


def seconds_to_import() -> float:
    """Return the best of five imports of the package, each in a fresh interpreter."""
    code = (
        "import time; start = time.perf_counter(); import lstm_explain; "
        "print(time.perf_counter() - start)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    return min(float(run.stdout) for run in runs)


if __name__ == "__main__":
    print(f"import lstm_explain: {seconds_to_import():.3f} s")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        print(f"{path.name}: {seconds_of(path):.0f} s")
