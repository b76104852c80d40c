"""The folder of a training run: killed at any moment, mixed up or damaged, it never tells lies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstm_explain as lx
from lstm_explain import TrainingRun
from lstm_explain.backend import keras
from lstm_explain.models import training

ROOT = Path(__file__).parents[2]


class Written:
    """Stands for a model: it is saved as its name, many times over."""

    def __init__(self, name):
        self.name = name

    def save(self, path):
        Path(path).write_text(self.name * 100_000)


def run_of(name, seed):
    history = pd.DataFrame({"loss": [seed / 10], "validation_loss": [seed / 3]}).rename_axis(
        "epoch"
    )
    return TrainingRun(Written(name), history, {"r2": 0.1 * seed}, seed=seed)


@pytest.fixture
def fake_models(monkeypatch):
    """Read a model's name where Keras would read the model."""
    monkeypatch.setattr(training, "load_model", lambda path: path.read_text()[:3])


def assert_is_one_of(folder, *runs):
    """All parts of a loaded run are of the same one."""
    loaded = TrainingRun.load(folder)
    run = {run.seed: run for run in runs}[loaded.seed]
    assert loaded.model == run.model.name
    assert loaded.metrics == run.metrics
    pd.testing.assert_frame_equal(loaded.history, run.history, check_exact=True)


def states_of_the_disk(monkeypatch, folder, copies):
    """Copy the folder before and after everything that gets its final name."""
    replace, count = os.replace, iter(range(100))

    def recorded(one, other):
        shutil.copytree(folder, copies / f"{next(count):02d}")
        replace(one, other)
        shutil.copytree(folder, copies / f"{next(count):02d}")

    monkeypatch.setattr(os, "replace", recorded)


def test_killed_at_any_moment_the_folder_holds_one_run_or_the_other(
    fake_models, monkeypatch, tmp_path
):
    """What the disk holds at each moment is what a kill leaves. The next save mends all."""
    folder, copies = tmp_path / "run", tmp_path / "copies"
    one, two, three = run_of("one", 1), run_of("two", 2), run_of("six", 3)
    one.save(folder)
    with monkeypatch.context() as patched:
        states_of_the_disk(patched, folder, copies)
        two.save(folder)
    states = sorted(copies.iterdir())
    assert len(states) == 10
    seeds = []
    for state in states:
        assert_is_one_of(state, one, two)
        seeds.append(TrainingRun.load(state).seed)
        three.save(state)
        assert_is_one_of(state, three)
    assert seeds == sorted(seeds), "first the old run, then the new one"
    assert set(seeds) == {1, 2}
    assert {path.name for path in folder.iterdir()} == {"model.keras", "history.csv", "run.json"}


KILLED = """
import os, random, signal, sys, time
sys.path.insert(0, "tests")
from models.test_run_folder import run_of, training, TrainingRun, assert_is_one_of
training.load_model = lambda path: path.read_text()[:3]
runs = [run_of("one", 1), run_of("two", 2)]
runs[0].save(sys.argv[1])
for trial in range(15):
    child = os.fork()
    if child == 0:
        while True:
            for run in runs:
                run.save(sys.argv[1])
    time.sleep(random.Random(trial).uniform(0.005, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert_is_one_of(sys.argv[1], *runs)
print("whole")
"""


@pytest.mark.slow
def test_a_real_kill_leaves_one_run_or_the_other(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "run")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("whole\n")


def test_an_error_leaves_the_earlier_run_alone(fake_models, tmp_path):
    one, wrong = run_of("one", 1), run_of("two", 2)
    one.save(tmp_path)
    wrong.metrics["r2"] = object()
    with pytest.raises(TypeError, match="not JSON serializable"):
        wrong.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.keras", "history.csv", "run.json"}
    assert_is_one_of(tmp_path, one)


# -- mixed up or damaged ---------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["model.keras", "history.csv"])
def test_a_file_of_another_run_is_refused(fake_models, name, tmp_path):
    one, two = run_of("one", 1).save(tmp_path / "one"), run_of("two", 2).save(tmp_path / "two")
    shutil.copy(two / name, one / name)
    message = (
        rf"Expected {name} as TrainingRun.save wrote it; received another in .*one' \(it is "
        r"damaged, or of another run\). Copy the folder again .*lx.load_model reads a model"
    )
    with pytest.raises(ValueError, match=message):
        TrainingRun.load(one)


def as_before(folder):
    """Turn a folder into what earlier code wrote: no checksums, and once no vocabulary."""
    content = json.loads((folder / "run.json").read_text())
    for name in ("sha256", "prefix", "vocabulary"):
        content.pop(name)
    (folder / "run.json").write_text(json.dumps(content))


def test_a_folder_of_earlier_code_loads(fake_models, tmp_path):
    one = run_of("one", 1)
    as_before(one.save(tmp_path))
    assert_is_one_of(tmp_path, one)


JUNK = [
    ("run.json", "", r"run.json as TrainingRun.save wrote it; .*Expecting value"),
    ("run.json", '{"metrics": {"r2"', r"run.json as TrainingRun.save wrote it; .*\(Expecting ':'"),
    ("run.json", "[1, 2]", "run.json as TrainingRun.save wrote it"),
    ("run.json", "[" * 100_000, "run.json as TrainingRun.save wrote it"),
    ("run.json", b"\xff\xfe\x00", "run.json as TrainingRun.save wrote it"),
    ("run.json", '{"metrics": 3}', "run.json as TrainingRun.save wrote it"),
    ("history.csv", "", r"history.csv as TrainingRun.save wrote it; .*No columns to parse"),
    ("history.csv", "a,b\n1,2\n", "history.csv as TrainingRun.save wrote it; .*epoch"),
    ("history.csv", "epoch,loss\n0,abc\n", "history.csv as TrainingRun.save wrote it"),
    ("history.csv", b"\xff\xfe\x00", "history.csv as TrainingRun.save wrote it"),
]


@pytest.mark.parametrize(("name", "junk", "message"), JUNK)
def test_junk_is_named_with_its_remedy(fake_models, name, junk, message, tmp_path):
    """Also in a folder without checksums."""
    folder = run_of("one", 1).save(tmp_path)
    as_before(folder)
    (folder / name).write_bytes(junk if isinstance(junk, bytes) else junk.encode())
    with pytest.raises(ValueError, match=rf"Expected {message}.*Copy the folder again from where"):
        TrainingRun.load(folder)


@pytest.mark.parametrize("name", ["model.keras", "history.csv"])
def test_a_missing_file_is_named(fake_models, name, tmp_path):
    folder = run_of("one", 1).save(tmp_path)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"Expected {name} beside run.json; found none in"):
        TrainingRun.load(folder)


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.98])
@pytest.mark.parametrize("damage", ["other bytes", "an early end"])
def test_a_damaged_model_is_refused_before_it_is_read(damage, place, tmp_path):
    path = tmp_path / "model.keras"
    inputs = keras.Input((4, 2))
    keras.Model(inputs, keras.layers.Dense(9)(inputs)).save(path)
    assert lx.load_model(path).output_shape == (None, 4, 9)
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    at = int(place * len(content))
    if damage == "other bytes":
        content[at : at + 200] ^= 255
    else:
        content = content[:at]
    path.write_bytes(content.tobytes())
    with pytest.raises(ValueError, match=r"a saved Keras model; .* is damaged, or was not written"):
        lx.load_model(path)
