"""All samples in one picture: the numbers are the model's own, and what is chosen is shown."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tiny
from scipy.spatial.distance import cdist
from widgets.explored import pixels

import lstm_explain as lx
from lstm_explain.sequences.scaling import PARTS
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.samples import Samples

pytestmark = pytest.mark.slow


@pytest.fixture
def shown(model_and_data):
    model, data = model_and_data
    made = lx.explore_samples(model, data.test, background=data.train)
    yield made
    made.close()


def test_the_samples_are_predicted_as_by_the_model(shown, model_and_data):
    model, data = model_and_data
    risk = lx.predict(model, data.test)[:, 0]
    np.testing.assert_allclose(shown.samples.shown, risk, atol=1e-6)
    np.testing.assert_array_equal(shown.samples.truth, data.test.target)
    expected = np.where(data.test.target == 1, 1 - risk, risk)
    np.testing.assert_allclose(shown.samples.errors, expected, atol=1e-6)


def test_the_list_and_the_picture_lead_to_a_sample(shown):
    assert shown.kind.options == ("certain but wrong", "wrong by little", "unusual", "most certain")
    risk, truth = shown.samples.shown, shown.samples.truth
    wrong = [at for at in range(len(risk)) if (risk[at] >= 0.5) != truth[at]]
    wrong.sort(key=lambda at: -abs(risk[at] - 0.5))
    assert [at for _, at in shown.list.options] == wrong
    shown.kind.value = "wrong by little"
    assert [at for _, at in shown.list.options] == wrong[::-1]
    shown.list.value = wrong[-1]
    assert shown.wait(60)
    assert shown.explorer.state.sample == wrong[-1]
    assert shown._live.marks == [shown._picture.box(wrong[-1])]
    place = shown._picture.places[wrong[0]].tolist()
    shown._live.hover = [place]
    assert shown._live.tip["text"].startswith(shown.samples.text(wrong[0]) + "; size of the error")
    shown._live.selection = [place, place]
    assert shown.wait(60)
    assert shown.explorer.state.sample == shown.list.value == wrong[0]
    shown._live.selection = [[0.02, 0.02]]  # near no point
    assert shown.explorer.state.sample == wrong[0]
    other = next(at for at in range(len(risk)) if at not in wrong)
    shown.explorer.controls.sample.value = shown.samples.names[other]
    assert shown.list.value is None
    assert shown._live.marks == [shown._picture.box(other)]
    assert shown.status.value == ""


@pytest.mark.parametrize("percent", [1, 30, 50, 99])
def test_the_matrix_counts_as_by_hand(shown, percent):
    shown.threshold.value = percent
    assert shown.wait(60)
    pairs = list(zip(shown.samples.truth, shown.samples.shown >= percent / 100, strict=True))
    counts = [pairs.count((truth, decided)) for truth in (0, 1) for decided in (False, True)]
    html = shown.matrix.value
    assert [int(one) for one in re.findall(r">(\d+)</td>", html)] == counts
    (_, false_1, false_0, right_1), right_0 = counts, counts[0]
    for name, part, whole in (
        ("sensitivity", right_1, right_1 + false_0),
        ("specificity", right_0, right_0 + false_1),
        ("precision", right_1, right_1 + false_1),
    ):
        share = f"{100 * part / whole:.0f}\xa0% ({part} of {whole} " if whole else "not known (0 of"
        assert f"<div>{name} {share}" in html
    assert f"{false_0 + false_1} of them are predicted wrong" in shown.words.value
    line = shown._picture._line.get_xdata()
    assert list(line) == [percent / 100] * 2


def test_the_points_stand_where_the_picture_shows_them(shown):
    """The pixel at each place has a colour; the middle between two rows has none."""
    picture = pixels(shown._picture.png())
    shape = np.array(picture.shape[1::-1])
    for place in shown._picture.places:
        x, y = (place * shape).astype(int)
        assert picture[y - 2 : y + 3, x - 2 : x + 3, :3].min() < 0.95
    again = lx.explore_samples(shown.explorer.core.model, shown.explorer.core.data, "zero")
    np.testing.assert_allclose(again._picture.places, shown._picture.places)
    again.close()


def test_the_farthest_from_the_training_data_come_first(model_and_data):
    model, data = model_and_data
    core = Exploration(model, data.test, data.train)
    usual = core.familiarity
    columns = [i for i, part in enumerate(data.parts) if part == PARTS[0]]
    expected = []
    for sample in data.test.values[..., columns]:
        moves = np.diff(sample, axis=0, prepend=sample[:1])
        rows = np.concatenate([sample, moves], axis=1) / usual.widths
        expected.append(cdist(rows, usual.rows).min(axis=1).max() / usual.reach)
    np.testing.assert_allclose(usual.distances(data.test), expected, rtol=1e-5)
    shown = lx.explore_samples(model, data.test, background=data.train)
    shown.kind.value = "unusual"
    order = [at for _, at in shown.list.options]
    assert order == np.argsort(-np.array(expected), kind="stable").tolist()
    shown.close()


def test_points_are_coloured_by_what_is_chosen(model_and_data):
    model, data = model_and_data
    ages = data.display_static[:, 0]
    own = {"<b>old</b>": np.where(ages > np.median(ages), "old $x$", "young")}
    shown = lx.explore_samples(model, data, background=data.train, columns=own)
    options = ["size of the error", "age", "sex", "ward", "split", "<b>old</b>", "unlike training"]
    assert list(shown.colour.options) == options
    for name in options[1:]:
        shown.colour.value = name
        assert shown.wait(60)
        assert shown.status.value == ""
        assert shown._picture.name == name
    shown.colour.value = "<b>old</b>"
    assert shown.wait(60)
    assert shown._picture.colour_text(int(ages.argmax())) == "old $x$"
    shown.close()


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_values_and_several_classes(task):
    data, model = tiny.padded(task), tiny.model(task)
    shown = lx.explore_samples(model, data.test, background=data.train)
    found, samples = lx.predict(model, data.test), shown.samples
    worst = shown.list.options[0][1]
    assert shown.matrix.value == ""
    if task == "regression":
        np.testing.assert_allclose(samples.shown, found[:, 0], atol=1e-5)
        assert worst == np.abs(found[:, 0] - data.test.target).argmax()
        assert "Median absolute error" in shown.words.value
    else:
        np.testing.assert_allclose(samples.shown, found.max(axis=1), atol=1e-6)
        wrong = found.argmax(axis=1) != data.test.target
        assert len(shown.list.options) == wrong.sum()
        assert wrong[worst]
    shown.close()


def test_scaled_targets_are_compared_in_their_unit():
    """The model answers in units of the scaled target, the errors are in those of the user."""
    from dataclasses import replace

    data = tiny.padded("regression")
    scaled = replace(data, target_center=100.0, target_scale=10.0)
    shown = lx.explore_samples(tiny.model("regression"), scaled.test, background=scaled.train)
    predicted = lx.predict(tiny.model("regression"), data.test)[:, 0]
    np.testing.assert_allclose(shown.samples.shown, 100 + 10 * predicted, rtol=1e-5)
    expected = 10 * np.abs(predicted - data.test.target)
    np.testing.assert_allclose(shown.samples.errors, expected, rtol=1e-3, atol=1e-3)
    order = shown.explorer.core.order("most wrong", shown.explorer.state)
    assert order[0] == expected.argmax()
    shown.close()


def test_a_sample_without_truth_is_not_drawn_but_can_be_listed():
    from dataclasses import replace

    data = tiny.padded("regression").test
    target = np.where(np.arange(len(data)) == 0, np.nan, data.target)
    data = replace(data, target=target.astype(np.float32))
    shown = lx.explore_samples(tiny.model("regression"), data, "zero", sample=0)
    assert shown._live.marks == []
    shown._live.hover = [[0.5, 0.5]]
    assert "nan" not in str(shown._live.tip)
    assert shown.list.options[-1][1] == 0
    assert "truly" not in shown.list.options[-1][0]
    assert "nan" not in shown.words.value
    shown.close()


def test_texts_with_unknown_words_are_unusual():
    data = tiny.texts().test
    shown = lx.explore_samples(tiny.text_model(), data)
    assert shown.colour.options[-1] == "share of unknown words"
    shown.list.value = shown.list.options[0][1]
    assert shown.wait(60)
    assert shown.explorer.state.sample == shown.list.value
    shown.close()


def test_names_are_escaped():
    from lstm_explain.widgets.overview import matrix_html

    both = np.array([[0.2, 0.8]])
    names = ("<i>no</i>", "<b>yes</b>")
    samples = Samples(["0"], names[1], both[:, 1], names, both, np.array([1]))
    html = matrix_html(samples, 0.5)
    assert "<b>" not in html
    assert "&lt;b&gt;yes&lt;/b&gt;" in html


def test_a_column_of_another_length_is_refused(model_and_data):
    model, data = model_and_data
    with pytest.raises(ValueError, match=r"Expected one value per sample, shape \(8,\), in the co"):
        lx.explore_samples(model, data.test, data.train, columns={"ward": np.zeros(3)})
