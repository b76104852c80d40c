"""A small data home and a cache of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets.reviews.files import NUM_SENTENCES, Home

from lstm_explain.datasets import store
from lstm_explain.datasets.reviews import archives


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep what is parsed here out of the user's folder."""
    monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return a small data home without fault."""
    for name, count in (("RT_FILES", NUM_SENTENCES), ("IMDB_FOLDERS", 10)):
        counts = dict.fromkeys(getattr(archives, name), count)
        monkeypatch.setattr(archives, name, counts)
    return Home(tmp_path)
