"""A number is called a probability where it is the probability of one class, and nowhere else."""

import re

import numpy as np
import pytest
import tiny
from scipy.special import expit, logit

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.backend import keras
from lstm_explain.inspection.outputs import as_probability
from lstm_explain.plots.comparison import Pair
from lstm_explain.widgets.exploration import Exploration
from lstm_explain.widgets.state import State
from lstm_explain.widgets.text_explorer import text_sentence
from lstm_explain.widgets.view import view_of

CLASSES = ["low", "middle", "long-term"]


def explained(output, scale="margin"):
    data, model = tiny.padded("multiclass"), tiny.model("multiclass")
    return lx.explain(
        model, data.test[:4], background=data.train[:5], output=output, scale=scale,
        tolerance=0.5, progress=False,
    )  # fmt: skip


def saved(explanation, tmp_path):
    report = lx.FaithfulnessReport(explanation, removed(explanation))
    return report.save(tmp_path / "case.html").read_text(encoding="utf-8")


def removed(explanation):
    """The least evidence that a report can draw: removals of one level."""
    from lstm_explain.faithfulness.evidence import Evidence

    numbers = np.ones(len(explanation))
    return tuple(
        Evidence("removal", measure, of, numbers, "cell", share)
        for measure in ("comprehensiveness", "sufficiency", "deletion area", "insertion area")
        for of in ("explanation", "random", "inverted")
        for share in (None, 0.1, 0.5)
    )


def columns(page):
    """The columns of the first table that has them: name to texts."""
    table = re.search(r"<table.*?</table>", page, re.DOTALL).group()
    head = re.findall(r"<th[^>]*>([^<]*)</th>", table)
    cells = np.reshape(re.findall(r"<td[^>]*>([^<]*)</td>", table), (-1, len(head)))
    return dict(zip(head, cells.T, strict=True))


@pytest.mark.slow
def test_page_of_one_class_has_the_probability_of_the_model(tmp_path):
    table = columns(saved(explained("middle"), tmp_path))
    data = tiny.padded("multiclass").test[:4]
    model = tiny.model("multiclass")
    chances = model.predict(data.inputs_for(model), verbose=0)[:, 1]
    np.testing.assert_allclose(table["as probability"].astype(float), chances, atol=5.1e-4)


@pytest.mark.slow
def test_page_of_a_contrast_of_three_classes_has_no_probability(tmp_path):
    e = explained("high-low")
    page = saved(e, tmp_path)
    assert "as probability" not in page
    data = tiny.padded("multiclass").test[:4]
    model = tiny.model("multiclass")
    chances = model.predict(data.inputs_for(model), verbose=0)
    # What the page used to print: the chance of one class where the other is left alone with it.
    false = expit(e.predictions.values)
    assert (np.abs(false - chances[:, 2]) > 0.01).any()


@pytest.mark.parametrize(
    ("facts", "is_probability"),
    [
        ({"scale": "margin", "step": "last", "class_names": CLASSES}, True),
        ({"scale": "margin", "class_names": ["a", "b"]}, False),  # "long-term" is then a contrast
        ({"scale": "margin", "step": "sum", "class_names": CLASSES}, False),
        ({"scale": "probability", "step": 3, "class_names": CLASSES}, True),
        ({"scale": "probability", "step": "sum", "class_names": CLASSES}, False),
        ({"scale": "value", "step": "last", "class_names": []}, False),
    ],
)
def test_the_rule(facts, is_probability):
    names = np.array(["low", "long-term"])
    chances = np.array([0.2, 0.9])
    numbers = logit(chances) if facts["scale"] == "margin" else chances
    found = as_probability(numbers, names, facts)
    if is_probability:
        np.testing.assert_allclose(found, chances)
    else:
        assert found is None


def test_a_margin_of_any_size_is_turned_into_a_probability_without_overflow():
    numbers = np.array([-1e4, 1e4], np.float32)
    names = np.array(["low", "low"])
    found = as_probability(numbers, names, {"scale": "margin", "class_names": CLASSES})
    assert found.tolist() == [0.0, 1.0]


def two(explanation, class_names):
    """The same explanation of two samples, of classes by these names."""
    import json

    dataset = explanation[[0, 1]].to_dataset()
    record = explanation.provenance | {"class_names": class_names}
    names = np.array([class_names[-1]] * 2)
    dataset = dataset.assign(output=("sample", names))
    return Explanation(dataset.assign_attrs(provenance=json.dumps(record)))


@pytest.mark.parametrize("class_names", [["short", "long-term"], ["short", "long", "short-long"]])
def test_a_class_with_a_hyphen_is_a_class_everywhere(class_names):
    e = two(tiny.explanation(), class_names)
    chances = expit(e.predictions.values)
    pair = Pair.of(e)
    assert pair.probability
    np.testing.assert_allclose(pair.shown, chances)
    view = view_of(e[0], e[1], "dose", "before")
    assert view.probability
    np.testing.assert_allclose(view.shown, chances)
    text = tiny.texts().test[:2]
    words = lx.explain(
        tiny.text_model(), text, background=tiny.texts().train[:5], tolerance=0.5, progress=False
    )
    assert f"probability of {class_names[-1]}" in text_sentence(two(words, class_names))


def test_a_glance_at_a_class_with_a_hyphen_says_its_probability():
    rng = np.random.default_rng(2)
    data = SequenceData.from_arrays(
        rng.normal(size=(12, 4, 2)), rng.integers(0, 2, 12), class_names=["short", "long-term"]
    )
    model = lx.build_model(data, units=(3,), attention_units=2, seed=1, beside=None)
    chance = model.predict(data[:1].inputs_for(model), verbose=0).item()
    for output, what in (("long-term", "probability of"), ("long-term-short", "predicted")):
        exploration = Exploration(model, data, background=data, output=output)
        text = exploration.glance(State(sample=0))
        assert text.startswith(f"{what} {output}: ")
        if what == "probability of":
            assert float(text.split()[-2]) / 100 == pytest.approx(chance, abs=1e-3)


def test_two_independent_questions_have_no_probability_of_their_contrast():
    """Of two sigmoids, the difference of their logits is no log-odds of either."""
    rng = np.random.default_rng(2)
    data = SequenceData.from_arrays(
        rng.normal(size=(12, 4, 2)), rng.integers(0, 2, 12), class_names=["a", "b"]
    )
    model = keras.Sequential(
        [keras.Input((4, 2)), keras.layers.Flatten(), keras.layers.Dense(2, "sigmoid")]
    )
    chances = model.predict(data.values, verbose=0)
    for output, expected in (("a", chances[:, 0]), ("b", chances[:, 1]), ("a-b", None)):
        e = lx.explain(model, data, output=output, background="zero", progress=False)
        found = as_probability(e.predictions.values, e.output.values, e.provenance)
        if expected is None:
            assert found is None
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-5)
