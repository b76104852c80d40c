"""Whatever this package writes is whole, or what stood there before is as it was."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from disk import contents, full_disk
from faithfulness.test_probability import removed

import lstm_explain as lx
from lstm_explain.files import atomic_path
from lstm_explain.sequences import save_vocabulary

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


# -- the context manager ---------------------------------------------------------------------------
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupt_or_error_leaves_what_stood_there_and_nothing_else(tmp_path, error):
    path = tmp_path / "notes.txt"
    path.write_text("before")

    def write_half():
        with atomic_path(path) as beside:
            beside.write_text("half")
            raise error("stop")

    with pytest.raises(error, match="stop"):
        write_half()
    assert contents(tmp_path) == {"notes.txt": b"before"}


def test_what_is_written_takes_the_place_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "notes.txt"
    for text in ("one", "two"):
        with atomic_path(str(path)) as beside:
            assert beside.suffix == ".txt"
            beside.write_text(text)
            assert contents(tmp_path / "new").get("notes.txt") != text.encode()
        assert contents(tmp_path) == {"new/notes.txt": text.encode()}


def test_a_link_and_the_permissions_stay(tmp_path):
    """A file that only its owner may read stays so, and a link leads where it led."""
    path, link = tmp_path / "notes.txt", tmp_path / "link.txt"
    path.write_text("before")
    path.chmod(0o600)
    link.symlink_to(path)
    with atomic_path(link) as beside:
        beside.write_text("after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = tmp_path / "notes.txt"
    with atomic_path(path) as one, atomic_path(path) as two:
        one.write_text("one")
        two.write_text("two")
    assert contents(tmp_path) == {"notes.txt": b"one"}


def test_a_folder_is_refused_before_the_work(tmp_path):
    message = r"Expected to write a whole file; received the error 'Is a directory'. What stood"
    with pytest.raises(OSError, match=message), atomic_path(tmp_path):
        pytest.fail("the work began")


# -- a full disk -----------------------------------------------------------------------------------
def vocabulary(path):
    save_vocabulary(("[PAD]", "[UNK]", *map(str, range(1000))), path)


def page(path):
    explanation = tiny.explanation()
    lx.FaithfulnessReport(explanation, removed(explanation)).save(path)


WRITERS = {
    "run": lambda path: tiny.run().save(path),
    "words.json": vocabulary,
    "case.html": page,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_stood_there(name, tmp_path):
    write = WRITERS[name]
    write(tmp_path / name)
    before = contents(tmp_path)
    with full_disk(), pytest.raises(OSError, match="whole file; received the error 'File too larg"):
        write(tmp_path / name)
    assert contents(tmp_path) == before
    if name == "run":
        assert repr(lx.TrainingRun.load(tmp_path / name)) == repr(tiny.run())


# In a process of its own, which HDF5 ended when the disk was full.
SAVE = """
import resource, sys
sys.path.insert(0, "tests")
from attribution.explanations import made
from lstm_explain import Explanation
path, e = sys.argv[1], made()
e.save(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))
try:
    made(seed=1).save(path)
except OSError as error:
    print(error)
assert (Explanation.load(path).values == e.values).all()
"""


def test_a_full_disk_leaves_the_explanation_and_the_process(tmp_path):
    command = [sys.executable, "-c", SAVE, str(tmp_path / "e.nc")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "received the error 'File too large'. What stood there is as it was. Free" in ran.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["e.nc"]
