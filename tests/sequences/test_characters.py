"""Names that no file keeps are refused; all others come back from a file as they were."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain import Background, Explanation, SequenceData
from lstm_explain.attribution import records
from lstm_explain.sequences import save_vocabulary

LOST = ["a\0", "\0", "a\0b", "a\ud800", "\udfff"]
VALUES = np.ones((2, 3, 2))
TOKENS, WORDS = [[2, 3], [3]], ["[PAD]", "[UNK]", "good", "bad"]


def numbers(**changed):
    SequenceData.from_arrays(VALUES, **changed)


def texts(**changed):
    SequenceData.from_tokens(TOKENS, **({"vocabulary": WORDS} | changed))


def table(who="b", label="y"):
    frame = pd.DataFrame({"day": 0, "x": 1.0, "who": ["a", who], "label": ["x", label]})
    SequenceData.from_frame(frame, time="day", features=["x"], id="who", target="label")


CASES = {
    "feature_names": lambda lost: numbers(feature_names=["x", lost]),
    "static_names": lambda lost: numbers(static=np.ones((2, 1)), static_names=[lost]),
    "units": lambda lost: numbers(units={"feature 1": lost}),
    "target_name": lambda lost: numbers(target_name=lost),
    "time_name": lambda lost: numbers(time_name=lost),
    "name": lambda lost: numbers(name=lost),
    "class_names": lambda lost: numbers(target=[0, 1], class_names=["x", lost]),
    "target": lambda lost: numbers(target=["x", lost]),
    "ids": lambda lost: numbers(ids=["x", lost]),
    "vocabulary": lambda lost: texts(vocabulary=[*WORDS, lost]),
    "sample 1": lambda lost: SequenceData.from_texts([["x"], ["y", lost]], at_least=1),
    "words.json": lambda lost: save_vocabulary([*WORDS, lost], "words.json"),
    "ids of a table": lambda lost: table(who=lost),
    "target of a table": lambda lost: table(label=lost),
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("where", CASES)
def test_a_character_that_no_file_keeps_is_refused(where, lost, monkeypatch, tmp_path):
    """NumPy cuts the NUL off at the end of a text, so that "a" and "a\\0" would be one patient."""
    monkeypatch.chdir(tmp_path)
    name = {"words.json": "the vocabulary"}.get(where, where.partition(" of ")[0])
    message = (
        rf"Expected text without NUL and without lone surrogates in {name}, since no file keeps "
        r"them; received '.*'\. Remove them: text\.encode\(\"utf-8\", \"ignore\"\)\.decode\(\)"
    )
    with pytest.raises(ValueError, match=message):
        CASES[where](lost)
    assert list(tmp_path.iterdir()) == []


def test_the_remedy_mends_it():
    mended = "a\0\ud800b".encode("utf-8", "ignore").decode().replace("\0", "")
    assert mended == "ab"
    numbers(name=mended)


def test_a_text_may_have_them_since_they_count_as_spaces():
    data = SequenceData.from_texts(["good\0film \ud800", "bad film"], at_least=1)
    assert data.own_words[0].tolist() == ["good", "film"]


def held(data):
    """The explanation of some data, its numbers made up."""
    names = data.class_names or (data.target_name,)
    question = SimpleNamespace(
        data=data,
        subject=SimpleNamespace(mask=data.mask),
        base_values=np.zeros(len(data)),
        predictions=np.zeros(len(data)),
        selection=SimpleNamespace(names=np.resize(np.array(names), len(data))),
        background=Background.from_data(data),
    )
    values = np.zeros(data.values.shape if data.tokens is None else data.mask.shape)
    static = np.zeros((len(data), len(data.static_names)))
    level = "cell" if data.tokens is None else "time"
    dataset = records._labelled(question, {"values": values}, static, level, None)
    provenance = {"class_names": list(data.class_names), "target_name": data.target_name}
    provenance |= {"data": data.name, "background": "rows", "background_seed": None}
    dataset.attrs["provenance"] = records.json.dumps(provenance)
    return Explanation(dataset.assign(records._to_reopen(question)))


NAME = st.text(max_size=6)
NAMES = st.lists(NAME, min_size=2, max_size=2, unique=True)


@pytest.mark.slow
@settings(max_examples=50)
@given(
    arguments=st.fixed_dictionaries(
        {"target": st.sampled_from([[0.5, 1.5], [0, 1]]) | NAMES},
        optional={
            **dict.fromkeys(("target_name", "name", "time_name"), NAME),
            **dict.fromkeys(("ids", "feature_names", "static_names"), NAMES),
        },
    ),
    units=NAMES,
    words=st.none() | NAMES,
)
def test_whatever_can_be_made_comes_back_with_equal_names(
    arguments, units, words, tmp_path_factory
):
    """Every text that is not refused: empty, blank, of any script, with line ends or slashes."""
    names = arguments.get("feature_names", ["feature 0", "feature 1"])
    if words is None:
        make = SequenceData.from_arrays
        arguments |= {"values": VALUES, "static": np.ones((2, 2))}
        arguments["units"] = dict(zip(names, units, strict=True))
    else:
        make = SequenceData.from_tokens
        arguments |= {"tokens": TOKENS, "vocabulary": ["[PAD]", "[UNK]", *words]}
        for name in ("feature_names", "static_names", "time_name"):
            arguments.pop(name, None)
    try:
        data = make(**arguments)
    except ValueError:
        return
    path = held(data).save(tmp_path_factory.mktemp("names") / "e.nc")
    loaded = Explanation.load(path)
    again = records.data_of(loaded)
    for name in ("feature_names", "static_names", "class_names", "target_name", "name"):
        assert getattr(again, name) == getattr(data, name), name
    if words is None:
        assert (again.units, again.static_units) == (data.units, data.static_units)
    else:
        assert loaded.data.values.tolist() == data.own_words.tolist()
    assert loaded.to_dataset().attrs["time_name"] == data.time_name
    if data.ids is not None:
        assert loaded.ids.values.tolist() == data.ids.tolist()
    if data.class_names:
        assert loaded.target.values.tolist() == [data.class_names[t] for t in data.target]
