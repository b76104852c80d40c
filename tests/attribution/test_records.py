"""An explanation carries its question: inputs, background and output come back from a file."""

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.attribution.records import background_of, data_of, question_of
from lstm_explain.inspection.background import Background
from lstm_explain.inspection.question import prepare


def saved(explanation, folder):
    return Explanation.load(explanation.save(folder / "explanation.nc"))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("static", [False, True])
def test_the_question_is_the_one_that_was_asked(task, static, tmp_path):
    data, model = tiny.padded(task, static), tiny.model(task, static)
    before = prepare(model, data.test[:5], data.train, None, "last", "margin", None, None)
    again = question_of(model, saved(tiny.explanation(task, static), tmp_path))
    for name in ("values", "static", "mask"):
        one, other = getattr(before.subject, name), getattr(again.subject, name)
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)  # float32
    for one, other in zip(before.rows, again.rows, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(before.chosen.weights, again.chosen.weights)
    np.testing.assert_array_equal(before.chosen.names, again.chosen.names)
    np.testing.assert_allclose(before.row_outputs, again.row_outputs, rtol=1e-5, atol=1e-6)


def test_standardised_data_come_back_in_the_units_that_the_model_reads(rng):
    values = rng.normal(size=(30, 5, 2)) * [1e-3, 40] + [0.01, 1e5]
    data = SequenceData.from_arrays(values, values[:, -1, 0], static=values[:, 0])
    data = data.split_by_group(0.2, 0.2).standardise()
    model = lx.build_model(data, units=(3,), attention_units=2, seed=1)
    e = lx.explain(model, data.test, background=data.train, tolerance=0.5, progress=False)
    again = data_of(e)
    # Original units are rounded to whole decimal places where float32 ends.
    largest = np.abs(data.test.values).max()
    np.testing.assert_allclose(again.values, data.test.values, atol=1e-6 * largest)
    np.testing.assert_allclose(again.static, data.test.static, atol=1e-6 * largest)
    assert np.abs(again.display_values - data.test.display_values).max() < 0.02
    assert question_of(model, e[1:3]).subject.values.shape == (2, 5, 2)


def test_a_contrast_of_classes_a_probability_and_short_rows_come_back():
    data, model = tiny.padded("multiclass"), tiny.model("multiclass")
    short = data.train[data.train.lengths < 5][:3]
    for output in ("high-low", 1):
        e = lx.explain(
            model, data.test[:4], background=short, output=output, scale="probability",
            tolerance=0.5, progress=False,
        )  # fmt: skip
        again = question_of(model, e)
        assert set(again.chosen.names) == {"high-low" if output == "high-low" else "middle"}
        np.testing.assert_allclose(again.base_values, e.base_values, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(background_of(e).values, Background.from_data(short).values)


@pytest.mark.parametrize("background", [None, "b", "zero"])
def test_a_text_comes_back_with_its_absent_word(background, tmp_path):
    words = ["[PAD]", "[UNK]", *"abcdef"]
    data = SequenceData.from_tokens([[2, 3, 4], [5, 1], [6, 7, 2, 2]], [0, 1, 1], vocabulary=words)
    model = lx.build_model(data, units=(3,), attention_units=2, seed=1)
    e = lx.explain(model, data, background=background, tolerance=0.5, progress=False)
    again = question_of(model, saved(e, tmp_path))
    np.testing.assert_array_equal(again.subject.tokens, data.tokens)
    np.testing.assert_array_equal(again.subject.mask, data.mask)
    np.testing.assert_allclose(again.base_values, e.base_values, rtol=1e-6)


def test_another_model_and_an_explanation_without_its_inputs_are_refused():
    e = tiny.explanation()
    with pytest.raises(ValueError, match="Expected the model that was explained"):
        question_of(tiny.model("multiclass"), e)
    bare = Explanation(e.to_dataset().drop_vars("background_values"))
    with pytest.raises(ValueError, match="carries its inputs and its background"):
        question_of(tiny.model(), bare)
    other = Explanation(e.to_dataset().assign(data=e.data + 1))
    with pytest.raises(ValueError, match="to give its predictions again"):
        question_of(tiny.model(), other)
