"""Long work: pieces equal the whole, an interrupt loses nothing, other pieces are refused."""

import os
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain.attribution.pieces import _architecture
from lstm_explain.backend import keras
from lstm_explain.files import _unfolded

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def run(folder, **options):
    data = tiny.padded()
    settings = {"background": data.train, "samples_per_piece": 5, "progress": False} | options
    return lx.attribution.explain_in_pieces(tiny.model(), data.test, folder, **settings)


@pytest.mark.slow
def test_pieces_equal_the_whole(tmp_path):
    data = tiny.padded()
    whole = lx.explain(tiny.model(), data.test, background=data.train, progress=False)
    joined = run(tmp_path)
    np.testing.assert_allclose(joined.values, whole.values, atol=0.05 * np.abs(whole.values).max())
    np.testing.assert_allclose(joined.base_values, whole.base_values, rtol=1e-6)
    np.testing.assert_array_equal(joined.data, whole.data)
    assert list(joined.values["sample"].values) == list(range(len(data.test)))
    # The least exact piece speaks for all of them.
    facts = [lx.Explanation.load(path).provenance for path in tmp_path.iterdir()]
    for name in ("nodes_per_path", "estimated_error"):
        assert joined.provenance[name] == max(fact[name] for fact in facts)
    assert len({fact["estimated_error"] for fact in facts}) == len(facts) == 3


def test_an_interrupt_keeps_whole_pieces_and_the_next_call_goes_on(tmp_path, monkeypatch):
    calls = []

    def interrupted(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return lx.explain(*args, **kwargs)

    monkeypatch.setattr("lstm_explain.attribution.pieces.explain", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["samples_00000000_00000005.nc"]
    joined = run(tmp_path)
    assert len(calls) == 4  # the first piece was not explained again
    monkeypatch.undo()
    np.testing.assert_array_equal(joined.values, run(tmp_path / "fresh").values)


def test_the_work_goes_on_with_another_batch_size(tmp_path):
    """As after a stop for want of memory: the piece that is there stays, and joins the others."""
    whole = run(tmp_path, batch_size=64)
    first, *others = sorted(tmp_path.iterdir())
    before = first.read_bytes()
    for path in others:
        path.unlink()
    joined = run(tmp_path, batch_size=7)
    assert first.read_bytes() == before
    np.testing.assert_allclose(joined.values, whole.values, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"batch_size to be a whole number.*received 0\. Try 512"):
        run(tmp_path, batch_size=0)


# -- pieces of other work --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with the first piece of the work; data with all that data can have; the model."""
    folder = tmp_path_factory.mktemp("kept")
    data = tiny.padded("binary", True).test[:3]
    data = replace(data, ids=np.array(["a", "b", "c"]), times=np.cumsum(data.mask, axis=1))
    model = tiny.model("binary", True)
    result = resume((folder, data, model))
    return folder, data, model, result


def resume(kept, data=None, model=None, **options):
    folder, before, old = kept[:3]
    settings = {"background": lx.Background.from_data(before), "progress": False} | options
    return lx.attribution.explain_in_pieces(model or old, data or before, folder, **settings)


OTHERS = {
    "feature_names": ("pulse", "dose", "noise"),
    "units": ("g", "1/min", ""),
    "center": np.ones(3),
    "scale": np.full(3, 2.0),
    "static_names": ("age", "sex"),
    "static_units": ("years", ""),
    "static_center": np.ones(2),
    "static_scale": np.full(2, 2.0),
    "target": np.array([1, 1, 1], np.int32),
    "target_name": "state",
    "target_unit": "mg",
    "class_names": ("up", "down"),
    "times": np.full((3, 6), 2.0),
    "time_name": "hour",
    "ids": np.array(["a", "b", "d"]),
    "name": "another",
}


@pytest.mark.parametrize("field", OTHERS)
def test_pieces_of_data_that_are_read_in_another_way_are_refused(kept, field):
    assert not np.array_equal(getattr(kept[1], field), OTHERS[field])
    # Other features or units than those of the background are refused before the pieces are read.
    refusals = "received a piece of other samples. Give another|Expected a background"
    with pytest.raises(ValueError, match=refusals):
        resume(kept, replace(kept[1], **{field: OTHERS[field]}))


def test_every_field_of_the_data_is_compared(kept):
    """A field that is added to SequenceData later is compared without being listed."""
    assert len([*_unfolded([kept[1]])]) == len(fields(kept[1]))


def with_activation(kept, activation):
    """The model with the same weights and other cells."""
    config = kept[2].get_config()
    text = keras.saving.serialize_keras_object(config)
    for layer in text["layers"]:
        if layer["class_name"] == "LSTM":
            layer["config"]["activation"] = activation
    model = keras.Model.from_config(text)
    model.set_weights(kept[2].get_weights())
    return model


def other_weights(kept):
    model = with_activation(kept, "tanh")
    model.set_weights([weight + 0.1 for weight in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (lambda kept: {"model": with_activation(kept, "softsign")}, "model"),
        (lambda kept: {"model": other_weights(kept)}, "model"),
        (lambda kept: {"scale": "probability"}, "options"),
        (lambda kept: {"output": 0}, "options"),
        (lambda kept: {"tolerance": 0.01}, "options"),
        (lambda kept: {"background": kept[1][:2]}, "background"),
        (lambda kept: {"background": "zero", "output": 0}, "background, options"),
    ],
)
def test_pieces_of_another_question_are_refused(kept, other, what):
    message = (
        "to be made of the same model, background, options, version, samples; received a piece of "
        rf"other {what}\. Give another folder, or remove this one to start again"
    )
    with pytest.raises(ValueError, match=message):
        resume(kept, **other(kept))


def test_the_same_question_asked_in_another_way_resumes(kept):
    """Defaults that are written out, and the same network made again, under other layer names."""
    files = {path: path.stat().st_mtime_ns for path in kept[0].iterdir()}
    again = resume(kept, scale="margin", tolerance=0.05, model=with_activation(kept, "tanh"))
    assert len(again) == 3
    assert {path: path.stat().st_mtime_ns for path in kept[0].iterdir()} == files


def test_layers_are_numbered_and_nothing_else_of_a_configuration_is_lost():
    def network(*names, activation="tanh"):
        inputs = keras.Input((4, 2))
        states = keras.layers.LSTM(3, activation=activation, name=names[0])(inputs)
        return keras.Model(inputs, keras.layers.Dense(1, name=names[1])(states))

    text = _architecture(network("lstm_7", "dense_3"))
    assert text == _architecture(network("lstm_9", "dense_12"))
    assert text != _architecture(network("lstm_9", "dense_12", activation="relu"))
    assert _architecture(network("tanh", "a", activation="tanh")) != _architecture(
        network("relu", "a", activation="relu")
    )


def test_no_sample_per_piece_is_refused(kept):
    with pytest.raises(ValueError, match="a whole number of at least 1; received 0"):
        resume(kept, samples_per_piece=0)


# -- damaged pieces, and several processes ---------------------------------------------------------
@pytest.mark.parametrize("damage", ["an early end", "zeros", "empty"])
def test_a_damaged_piece_is_explained_again_with_a_warning(kept, tmp_path, damage):
    path = Path(shutil.copy(next(kept[0].iterdir()), tmp_path))
    whole = path.read_bytes()
    path.write_bytes(
        {
            "an early end": whole[: len(whole) // 2],
            "zeros": whole[:5000] + bytes(200) + whole[5200:],
            "empty": b"",
        }[damage]
    )
    with pytest.warns(UserWarning, match=f"^{path.name} is explained again. Expected a file writt"):
        joined = resume((tmp_path, *kept[1:3]))
    np.testing.assert_array_equal(joined.values, kept[3].values)
    again = resume((tmp_path, *kept[1:3]))  # without a warning: the piece is whole
    np.testing.assert_array_equal(again.values, kept[3].values)


PROCESS = """
import sys
sys.path.insert(0, "tests")
import numpy as np, tiny, lstm_explain as lx
data = tiny.padded()
e = lx.attribution.explain_in_pieces(
    tiny.model(), data.test, sys.argv[1], background=data.train, samples_per_piece=1, progress=False
)
np.save(sys.argv[2], e.values)
"""


@pytest.mark.slow
def test_two_processes_share_a_folder(tmp_path):
    """They start together, so that they write the same pieces at once; both are right."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    results = [tmp_path / "one.npy", tmp_path / "two.npy"]
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error::UserWarning", "-c", PROCESS, tmp_path / "pieces", path],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
        )
        for path in results
    ]
    for process in running:
        errors = process.communicate()[1].decode()
        assert process.returncode == 0, errors
    one, two = map(np.load, results)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, run(tmp_path / "pieces", samples_per_piece=1).values)
    assert {path.suffix for path in (tmp_path / "pieces").iterdir()} == {".nc"}
