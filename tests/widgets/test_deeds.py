"""Deeds in the explorer: what is refused or undone, what a sample is called, what is saved."""

from dataclasses import replace

import numpy as np
import pytest
from widgets.explored import pixels, value_of

import lstm_explain as lx
from lstm_explain.widgets.state import Edit, State

pytestmark = pytest.mark.slow


def test_what_cannot_be_a_value_is_refused_beside_the_box(explorer):
    controls = explorer.controls
    low, high = explorer.core.familiarity.ranges["lactate"]
    before = controls.number.value
    for typed, said in {
        "-5": "lactate = \N{MINUS SIGN}5 was not taken",
        "-0.5": "lactate = \N{MINUS SIGN}0.5 was not taken",
        "1e9": "lactate = 1000000000 was not taken",
        f"{high + 1.1 * (high - low)}": f"between {low:.4g} and {high:.4g}.",
        "nan": "“nan” is no number",
        "<b>": "“&lt;b&gt;” is no number: write one such as 2.5.",
    }.items():
        controls.number.value = typed
        assert said in value_of(controls.notes[controls.number])
        assert controls.number.value == before
        assert explorer.state.edits == ()
    _, age = controls.facts["age"]
    age.value = "-3"
    assert "age = \N{MINUS SIGN}3 was not taken" in value_of(
        controls.notes[controls.facts["age"][1]]
    )
    controls.number.value = f"{high + 0.9 * (high - low):.2f}"  # taken, and warned of
    assert len(explorer.state.edits) == 1
    assert controls.notes[controls.number].value == ""
    assert explorer.wait(60)
    assert "lies outside the training data" in value_of(explorer.warning)


def test_what_is_missing_has_no_number(explorer):
    controls = explorer.controls
    assert controls.number.value
    controls.missing.click()
    assert controls.number.value == ""
    assert controls.readings()["lstm-explain-slider-1"] == "missing"
    controls.number.value = "11"
    assert controls.number.value == controls.readings()["lstm-explain-slider-1"] == "11"
    controls.number.value = " "
    assert explorer.state.edits[-1].value is None
    assert controls.number.value == ""


def test_one_undo_takes_back_one_deed(explorer, monkeypatch):
    """Moves of one slider with short pauses are one; what was typed twice is two."""
    controls, clock = explorer.controls, [0.0]
    monkeypatch.setattr("lstm_explain.widgets.frame.monotonic", lambda: clock[0])
    for clock[0], position in ((0.0, 3), (0.1, 4), (0.2, 5), (9.0, 6)):
        controls.value.value = position
    for typed in ("11", "12"):
        controls.number.value = typed
    controls.missing.click()
    controls.value.value = 7
    clock[0] = 9.1
    controls.undo.click()
    controls.value.value = 8  # not joined to what was undone
    step, values = controls.selected_steps, controls.ladders[controls.value]
    said = [explorer.state.edits[-1].value]
    for _ in range(5):
        controls.undo.click()
        said.append(explorer.state.edits[-1].value)
    assert said == [values[8], None, 12.0, 11.0, values[6], values[5]]
    controls.undo.click()
    assert explorer.state.edits == ()
    controls.redo.click()
    assert explorer.state.edits == (Edit("lactate", values[5], step),)


def test_a_sample_has_one_name_everywhere(model_and_data, tmp_path):
    model, data = model_and_data
    ids = np.array([f"P{i // 2}/<b>" for i in range(len(data.test))])
    explorer = lx.explore(model, replace(data.test, ids=ids), data.train, sample="P1/<b> (2)")
    controls = explorer.controls
    assert explorer.state.sample == 3
    assert controls.sample.value == "P1/<b> (2)"
    assert "P1/<b> (2)" in explorer._picture.view.subject
    assert explorer.explanation.ids.values.tolist() == ["P1/<b>"]
    assert explorer.save(tmp_path)[0].name == "sample_P1_b_2_.png"
    controls.sample.value = "P2/<b>"
    assert explorer.state == State(4)
    controls.sample.value = "<i>"
    assert "There is no sample “&lt;i&gt;”" in value_of(controls.notes[controls.sample])
    assert (explorer.state, controls.sample.value) == (State(4), "P2/<b>")
    explorer.close()


def test_flip_and_save(explorer, tmp_path, monkeypatch):
    controls = explorer.controls
    controls.flip.click()
    assert "the range of the training data" in value_of(controls.notes[controls.flip])
    controls.number.value = "15"
    controls.folder.value = str(tmp_path / "kept")
    controls.save.click()
    first = tmp_path / "kept" / "sample_0_changed.png"
    assert value_of(controls.notes[controls.save]) == f"Saved {first} and sample_0_changed.nc"
    kept = first.read_bytes()
    controls.number.value = "14"
    assert controls.notes[controls.save].value == ""  # it told of another deed
    controls.save.click()
    assert value_of(controls.notes[controls.save]).endswith("sample_0_changed_2.nc")
    assert first.read_bytes() == kept
    saved = lx.Explanation.load(tmp_path / "kept" / "sample_0_changed_2.nc")
    np.testing.assert_array_equal(saved.values, explorer.explanation.values)
    assert pixels(first.read_bytes()).std() > 0.05
    controls.folder.value = str(first)
    controls.save.click()
    assert value_of(controls.notes[controls.save]).endswith("is a file. Give the name of a folder.")

    def refuse(*args, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(lx.Explanation, "save", refuse)
    controls.folder.value = str(tmp_path)
    controls.save.click()
    assert f"Nothing was saved in {tmp_path}: Read-only file system." in value_of(
        controls.notes[controls.save]
    )
