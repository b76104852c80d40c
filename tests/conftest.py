"""What every test shares: no window, no figure left open, one seed, repeatable examples."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import matplotlib
import numpy as np
import pytest

SEED = 20_240_229
WHOLE = Path(__file__).parent / "whole"
LONG_NOTEBOOKS = ("07_", "08_", "09_")

# Not the variable MPLBACKEND: notebooks that run in the same session would inherit it and show no
# figure.
matplotlib.use("Agg")

# The same examples in every run, and no time limit: a busy machine is not a defect.
hypothesis.settings.register_profile(
    "lstm_explain", deadline=None, derandomize=True, database=None, print_blob=True
)
hypothesis.settings.load_profile("lstm_explain")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what decides where a test runs and is not written beside it.

    Of the package from end to end `make test` runs the slow tests too; notebooks that train longer
    than the others are left to `make test-all`.
    """
    for item in items:
        if WHOLE in item.path.parents:
            item.add_marker("whole")
        if item.path.suffix == ".ipynb" and item.path.name.startswith(LONG_NOTEBOOKS):
            item.add_marker("long")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Seed every source of random numbers before a test's fixtures are made."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  (other packages draw from it)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(SEED)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with the suite's seed, for the numbers a test makes up."""
    return np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """Close the figures that a test leaves open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def data_home() -> Path:
    """Return the folder of the real data sets, or skip the test where there is none."""
    folder = os.environ.get("LSTM_EXPLAIN_DATA")
    if not folder:
        pytest.skip("real data: LSTM_EXPLAIN_DATA names no folder")
    if not Path(folder).is_dir():
        pytest.fail(f"LSTM_EXPLAIN_DATA names {folder}, which is not a folder")
    return Path(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One JupyterLab and one browser for the tests of a file, or skip them where one is missing."""
    import lab

    if what := lab.missing():
        pytest.skip(f"a real browser: {what}")
    running = lab.Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.close()
