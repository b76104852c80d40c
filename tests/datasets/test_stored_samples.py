"""The samples that travel with the package are what the scripts beside them make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import make_icu_sample
import make_reviews_sample
import make_sentences
import numpy as np
import pytest

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.datasets.store import package_data


def write_reviews(path: Path) -> None:
    make_reviews_sample.write_texts(make_reviews_sample.sample_reviews(), path)


def write_sentences(path: Path) -> None:
    make_reviews_sample.write_texts(make_sentences.sample_sentences(), path)


@pytest.mark.parametrize(
    ("load", "simulate"),
    [
        (lx.load_icu, make_icu_sample.sample_stays),
        (lx.load_reviews, make_reviews_sample.sample_reviews),
        (lx.datasets.load_sentences, make_sentences.sample_sentences),
    ],
)
def test_what_is_loaded_is_what_was_simulated(
    load: Callable[[], SequenceData], simulate: Callable[[], SequenceData]
) -> None:
    stored, simulated = load(), simulate()
    for field in fields(SequenceData):
        left, right = getattr(stored, field.name), getattr(simulated, field.name)
        if isinstance(right, np.ndarray):
            assert left.dtype == right.dtype, field.name
            np.testing.assert_array_equal(left, right, err_msg=field.name)
        else:
            assert left == right, field.name


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("icu_sample.npz", make_icu_sample.write),
        ("reviews_sample.csv.gz", write_reviews),
        ("sentences.csv.gz", write_sentences),
    ],
)
def test_a_script_writes_the_same_bytes_at_any_time(
    tmp_path: Path, name: str, write: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is written anew without a change shows none in the version history."""
    (tmp_path / "later").mkdir()
    first, later = tmp_path / name, tmp_path / "later" / name
    write(first)
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: 2e9)
        write(later)
    assert first.read_bytes() == later.read_bytes()
    # Another version of zlib may write other bytes for the same content, about as many.
    size = (package_data() / name).stat().st_size
    assert first.stat().st_size == pytest.approx(size, rel=0.1)


def test_stored_samples_are_small() -> None:
    limits = {"icu_sample.npz": 1.2e6, "reviews_sample.csv.gz": 2e5, "sentences.csv.gz": 1e5}
    for name, limit in limits.items():
        assert (package_data() / name).stat().st_size < limit
