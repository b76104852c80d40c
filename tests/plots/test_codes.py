"""Codes of static facts are shown as what they stand for, wherever a fact is written."""

import numpy as np
import pytest
from plots.figures import title_and_note
from sequences.tables import from_table

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.attribution.records import data_of
from lstm_explain.backend import keras
from lstm_explain.faithfulness.page import values_tables
from lstm_explain.plots.content import fact_labels, static_labels
from lstm_explain.widgets.controls import Controls
from lstm_explain.widgets.exploration import Exploration

CODES = {"sex": {0: "female", 1: "male"}, "ward": {2: "surgery"}}


@pytest.fixture(scope="module")
def model():
    values, facts = keras.Input((3, 1)), keras.Input((3,))
    both = keras.layers.Concatenate()([keras.layers.Flatten()(values), facts])
    model = keras.Model([values, facts], keras.layers.Dense(1)(both))
    model.set_weights([np.arange(1.0, 7.0)[:, None], np.zeros(1)])
    return model


@pytest.fixture(scope="module")
def data():
    """Standardised, so that the codes are not what the model reads."""
    rng = np.random.default_rng(0)
    ages = rng.integers(20, 90, 30).astype(float)
    facts = np.column_stack([np.arange(30) % 2, ages, 1 + np.arange(30) % 3])
    names = {"static_names": ["sex", "age", "ward"], "units": {"age": "years"}}
    values, target = rng.normal(size=(30, 3, 1)), rng.normal(size=30)
    made = SequenceData.from_arrays(values, target, static=facts, labels=CODES, **names)
    return made.split_by_group(0.2, 0.2).standardise()


def written(sex, age, ward):
    ward = "ward: surgery" if ward == 2 else f"ward = {ward:g}"
    return [f"sex: {['female', 'male'][int(sex)]}", f"age = {age:g} years", ward]


def test_figures_and_reports_write_what_a_code_stands_for(model, data, tmp_path):
    e = lx.explain(model, data, background=data.train, progress=False)
    again = lx.Explanation.load(e.save(tmp_path / "codes.nc"))
    assert again.labels == data_of(again).labels == CODES
    for at in range(6):
        facts = np.round(data.display_static[at], 3)
        expected = written(*facts)
        assert static_labels(again[at], with_data=True) == expected
        assert values_tables(again[at]).count(expected[0]) == 1
        notes = title_and_note(lx.plot_chart(data[at]))[1]
        assert notes.startswith(" · ".join(expected))


def test_a_table_has_labels_too():
    assert from_table(static=["age"], labels={"age": {40: "young"}}).labels == {
        "age": {40.0: "young"}
    }


def test_a_change_of_a_code_is_written_in_words():
    before, now = np.array([0.0, 2.0]), np.array([1.0, 3.0])
    labels = fact_labels(["sex", "ward"], ["", ""], before, now, CODES)
    assert labels == ["sex: female → male", "ward = 2 → 3"]


def test_the_explorer_lists_what_codes_stand_for(model, data):
    core = Exploration(model, data, data.train)
    [sex], [ward] = (Controls(core, 0, []).facts[name] for name in CODES)
    options = [(text, round(value, 3)) for text, value in (*sex.options, *ward.options)]
    assert options == [("female", 0), ("male", 1), ("1", 1), ("surgery", 2), ("3", 3)]


def test_the_table_of_facts_has_what_codes_stand_for(model, data):
    e = lx.explain(model, data[:7], background=data.train, progress=False)
    table = e.to_frame(static=True)
    assert table.columns.tolist() == ["sample", "static_feature", "value", "data"]
    by_name = dict(list(table.groupby("static_feature")))
    assert by_name["sex"]["data"].tolist() == ["female", "male"] * 3 + ["female"]
    assert by_name["ward"]["data"].tolist()[1::3] == ["surgery"] * 2
    np.testing.assert_allclose(by_name["ward"]["data"].tolist()[::3], [1, 1, 1], atol=1e-4)
    np.testing.assert_allclose(by_name["age"]["data"].astype(float), data.display_static[:7, 1])
    for column, name in enumerate(("sex", "age", "ward")):
        np.testing.assert_array_equal(by_name[name]["value"], e.static_values[:, column])
    without = lx.Explanation(e.to_dataset().drop_dims("static_feature"))
    with pytest.raises(ValueError, match="with static facts for static=True"):
        without.to_frame(static=True)


def test_the_smallest_change_of_a_code_is_another_code(model, data):
    """By hand: the output is linear in the facts; only those of the training data are tried."""
    predicted = model.predict(data.inputs_for(model), verbose=0)[:, 0]
    scale = data.static_scale
    change = {"sex": 4 / scale[0] * (1 - 2 * (np.arange(30) % 2)), "ward": 6 / scale[2]}
    ask, found = {"training": data.train, "threshold": 0.0}, 0
    for at in range(8):
        flip = lx.inspection.smallest_change(model, data[at], "sex", **ask)
        flips = (predicted[at] + change["sex"][at] > 0) != (predicted[at] > 0)
        other = ["male", "female"][at % 2]
        assert flip.value == ([1.0, 0.0][at % 2] if flips else None)
        text = f"sex: {other} changes" if flips else "No value of sex (female, male) changes"
        assert repr(flip).startswith(text)
        ward = 1 + at % 3
        outputs = {code: predicted[at] + change["ward"] * (code - ward) for code in (1, 2, 3)}
        others = [code for code in outputs if (outputs[code] > 0) != (predicted[at] > 0)]
        flip = lx.inspection.smallest_change(model, data[at], "ward", **ask)
        assert flip.value == (others[0] if others else None)
        if not others:
            assert "No value of ward (1, surgery, 3)" in repr(flip)
        found += flips + bool(others)
    assert 0 < found < 16
    assert "age from 21 to 87" in repr(lx.inspection.smallest_change(model, data[0], "age", **ask))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ({"dose": {0: "low"}}, ValueError, r"static facts \['sex'\]; received some for \['dose'\]"),
        ({"sex": ["female", "male"]}, TypeError, r"labels\['sex'\] to be Mapping; received list"),
        ({"sex": {"0": "female"}}, ValueError, "a code of 'sex' to be a finite number; received"),
        ("sex", TypeError, 'labels to be Mapping; received str. Give {"sex": {0: "female"'),
    ],
)
def test_labels_that_fit_no_code_are_refused(labels, error, message):
    with pytest.raises(error, match=f"Expected.*{message}"):
        SequenceData.from_arrays(
            np.zeros((2, 3, 1)), static=np.zeros((2, 1)), static_names=["sex"], labels=labels
        )
