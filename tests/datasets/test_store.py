"""Where files come from, that only the official ones pass unnoticed, and what the cache keeps."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.datasets import UnverifiedDataWarning, store
from lstm_explain.datasets.store import Entry, cached_arrays, data_home, find_file, registry

ROOT = Path(__file__).parents[2]
CONTENT = b"the official content"
NAME = "set/file.txt"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without writing a log."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def user_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep these tests out of the user's folders."""
    monkeypatch.delenv(store.DATA_VARIABLE, raising=False)
    monkeypatch.delenv(store.CACHE_VARIABLE, raising=False)
    monkeypatch.setattr(store, "_user_cache", lambda: tmp_path / "user")
    return tmp_path / "user"


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Entry:
    """Register one file, at an address where nothing answers."""
    entry = Entry(hashlib.sha256(CONTENT).hexdigest(), "http://127.0.0.1:9/file.txt")
    monkeypatch.setattr(store, "registry", lambda: {NAME: entry})
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return entry


@pytest.fixture
def server(
    monkeypatch: pytest.MonkeyPatch, entry: Entry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Serve a folder in which the registered file is to be found."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "file.txt").write_bytes(CONTENT)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = Thread(target=served.serve_forever)
        thread.start()
        here = entry._replace(url=f"http://127.0.0.1:{served.server_port}/file.txt")
        monkeypatch.setattr(store, "registry", lambda: {NAME: here})
        yield folder
        served.shutdown()
        thread.join()


def put(home: Path, content: bytes = CONTENT) -> Path:
    path = home / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


# -- finding ---------------------------------------------------------------------------------------
def test_registry_pins_every_file() -> None:
    entries = registry()
    assert {f"physionet2012/{name}" for name in ("set-a.tar.gz", "Outcomes-b.txt")} <= set(entries)
    for name, entry in entries.items():
        assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256), name
        is_packed = entry.url.endswith(".zip")  # then it is taken out of it by hand
        assert is_packed or entry.url.rsplit("/", 1)[1] == name.rsplit("/", 1)[1]


def test_home_is_the_argument_then_the_variable_then_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user_cache: Path
) -> None:
    assert data_home() == user_cache
    monkeypatch.setenv(store.DATA_VARIABLE, str(tmp_path / "named"))
    assert data_home() == tmp_path / "named"
    assert data_home(tmp_path / "given") == tmp_path / "given"


def test_official_file_in_the_home_is_used(tmp_path: Path, entry: Entry) -> None:
    path = put(tmp_path)
    assert find_file(NAME, tmp_path) == (path, entry.sha256)


def test_other_file_in_the_home_is_used_with_a_warning(tmp_path: Path, entry: Entry) -> None:
    path = put(tmp_path, b"packed again")
    message = f"{path} is not the official file.*{entry.sha256}.*contents were not verified"
    with pytest.warns(UnverifiedDataWarning, match=message):
        found = find_file(NAME, tmp_path)
    assert found == (path, hashlib.sha256(b"packed again").hexdigest())


def test_what_was_downloaded_before_serves_every_home(
    tmp_path: Path, user_cache: Path, entry: Entry
) -> None:
    path = put(user_cache)
    assert find_file(NAME, tmp_path / "another").path == path
    assert not (tmp_path / "another").exists()


# -- downloading -----------------------------------------------------------------------------------
@pytest.mark.parametrize("progress", [True, False])
def test_absent_file_is_downloaded_once(
    server: Path, tmp_path: Path, progress: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_file(NAME, tmp_path / "home", progress=progress)
    assert found.path == tmp_path / "home" / NAME
    assert found.path.read_bytes() == CONTENT
    assert ("downloading file.txt" in capsys.readouterr().err) == progress
    (server / "file.txt").unlink()
    assert find_file(NAME, tmp_path / "home") == found


def test_wrong_download_is_refused_and_not_kept(server: Path, tmp_path: Path) -> None:
    (server / "file.txt").write_bytes(b"a login page")
    with pytest.raises(FileNotFoundError, match=r"downloading http.*file\.txt failed.*hash"):
        find_file(NAME, tmp_path / "home", progress=False)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_offline_the_error_says_how_to_place_the_file(tmp_path: Path, entry: Entry) -> None:
    message = (
        rf"Expected the file .*file\.txt; it is not there, and downloading {entry.url} failed: "
        rf"(.|\n)* Download it by hand, put it into a folder as {NAME}, and give that folder as "
        r"data_home=... or in the environment variable LSTM_EXPLAIN_DATA\."
    )
    with pytest.raises(FileNotFoundError, match=message):
        find_file(NAME, tmp_path / "home", progress=False)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_home_that_cannot_be_written_to_is_named(server: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder is expected")
    with pytest.raises(FileNotFoundError, match=r"downloading http.* failed: .*home"):
        find_file(NAME, tmp_path / "home" / "data", progress=False)
    with pytest.raises(ValueError, match=r"Expected data_home .* received the file '.*home'"):
        find_file(NAME, tmp_path / "home", progress=False)


class BreakingOff(QuietHandler):
    """Sends half of the file, whose length it told, and goes away."""

    def do_GET(self) -> None:
        """Send half of it."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2])


def test_a_download_that_breaks_off_is_refused_and_the_next_call_gets_it(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with monkeypatch.context() as patched:
        patched.setattr(QuietHandler, "do_GET", BreakingOff.do_GET)
        with pytest.raises(FileNotFoundError, match=r"downloading http.* failed: (.|\n)*by hand"):
            find_file(NAME, home, progress=False)
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert find_file(NAME, home, progress=False).path.read_bytes() == CONTENT


def test_an_interrupted_download_leaves_nothing_and_the_next_call_gets_it(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    def half(self: requests.Response, chunk_size: int = 1) -> Iterator[bytes]:
        yield CONTENT[:5]
        raise KeyboardInterrupt

    home = tmp_path / "home"
    with monkeypatch.context() as patched:
        patched.setattr(requests.Response, "iter_content", half)
        with pytest.raises(KeyboardInterrupt):
            find_file(NAME, home, progress=False)
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert find_file(NAME, home, progress=False).path.read_bytes() == CONTENT


# -- the cache of what was parsed ------------------------------------------------------------------
class Maker:
    """Makes two arrays, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        """Make them."""
        self.calls += 1
        return {"numbers": np.linspace(0, 1, 50).reshape(10, 5), "labels": np.array(["a", "bc"])}


def check(arrays: dict[str, np.ndarray]) -> None:
    for name, array in Maker()().items():
        np.testing.assert_array_equal(arrays.pop(name), array)
    assert arrays == {}


def test_made_once_for_each_key(user_cache: Path) -> None:
    make = Maker()
    for _ in range(3):
        check(cached_arrays("name", "1", make))
    assert make.calls == 1
    check(cached_arrays("name", "2", make))
    assert make.calls == 2
    assert sorted(path.name for path in (user_cache / "parsed").iterdir()) == [
        "name-1.npz", "name-2.npz",
    ]  # fmt: skip


def test_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path / "mine"))
    cached_arrays("name", "1", Maker())
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["name-1.npz"]


@given(position=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255) | st.none())
def test_damaged_cache_is_made_again(
    tmp_path_factory: pytest.TempPathFactory, position: float, byte: int | None
) -> None:
    """Cut off anywhere, or with any byte changed: never an error, never other numbers."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("cache")
        monkeypatch.setenv(store.CACHE_VARIABLE, str(folder))
        check(cached_arrays("name", "1", Maker()))
        path = folder / "name-1.npz"
        content = bytearray(path.read_bytes())
        at = int(position * len(content))
        if byte is None:
            del content[at:]
        else:
            content[at] = byte
        path.write_bytes(content)
        check(cached_arrays("name", "1", Maker()))
        make = Maker()
        check(cached_arrays("name", "1", make))
        if byte is None:
            assert make.calls == 0, "the damaged file was replaced by a good one"


def test_pickled_cache_is_never_loaded(user_cache: Path) -> None:
    path = user_cache / "parsed" / "name-1.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, numbers=np.array([{"code": "that a pickle may run"}], dtype=object))
    make = Maker()
    check(cached_arrays("name", "1", make))
    assert make.calls == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_interrupted_write_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, user_cache: Path, error: type[BaseException]
) -> None:
    def write_half(stream, **arrays):
        stream.write(b"PK half of it")
        raise error("full")

    monkeypatch.setattr(np, "savez_compressed", write_half)
    if error is OSError:
        with pytest.warns(UserWarning, match=r"could not be kept: .*'full'.* Set LSTM_EXPLAIN_CA"):
            check(cached_arrays("name", "1", Maker()))
    else:
        with pytest.raises(KeyboardInterrupt):
            cached_arrays("name", "1", Maker())
    assert list((user_cache / "parsed").iterdir()) == []


def test_cache_that_cannot_be_written_to_costs_only_time(user_cache: Path) -> None:
    user_cache.write_text("a file where a folder is expected")
    with pytest.warns(UserWarning, match=r"could not be kept.*folder that can be written to"):
        check(cached_arrays("name", "1", Maker()))


def test_error_while_making_is_passed_on_and_nothing_kept(user_cache: Path) -> None:
    def fail() -> dict[str, np.ndarray]:
        raise ValueError("line 7")

    with pytest.raises(ValueError, match="line 7"):
        cached_arrays("name", "1", fail)
    assert not (user_cache / "parsed").exists()


FILL = """
import sys
sys.path.insert(0, "tests")
from datasets.test_store import CONTENT, Entry, Maker, NAME, cached_arrays, check, find_file, store
url, sha256, home = sys.argv[1:]
store.registry = lambda: {NAME: Entry(sha256, url)}
print("ready", flush=True)
sys.stdin.readline()
for place in range(20):
    assert find_file(NAME, f"{home}/{place}", progress=False).path.read_bytes() == CONTENT
    check(cached_arrays("name", str(place), Maker()))
"""


def test_two_processes_fill_one_cache(server: Path, tmp_path: Path) -> None:
    """They download and parse the same files at the same moments, and none harms the other."""
    entry = store.registry()[NAME]
    environment = {
        **os.environ,
        store.CACHE_VARIABLE: str(tmp_path / "parsed"),
        "XDG_CACHE_HOME": str(tmp_path / "user"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", FILL, entry.url, entry.sha256, str(tmp_path / "home")]
    running = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
    names = sorted(path.name for path in (tmp_path / "parsed").iterdir())
    assert names == sorted(f"name-{place}.npz" for place in range(20))


def test_a_file_inside_of_an_archive_is_to_be_taken_out_by_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packed = Entry("0" * 64, "http://127.0.0.1:9/all.zip")
    monkeypatch.setattr(store, "registry", lambda: {NAME: packed})
    message = r"inside of an archive\. Download .*all\.zip by hand, take file\.txt out of it"
    with pytest.raises(FileNotFoundError, match=message):
        find_file(NAME, tmp_path)
