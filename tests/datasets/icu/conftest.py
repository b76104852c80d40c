"""A small data home and a cache of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets.icu.files import Home

from lstm_explain.datasets import store


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep what is parsed here out of the user's folder."""
    monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a small data home without fault."""
    return Home(tmp_path)
