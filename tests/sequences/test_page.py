"""What a notebook shows of data: its own numbers, in original units, and nothing that runs."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from sequences.tables import WORDS

from lstm_explain import SequenceData

EVIL = "<script>alert('1')</script> $x$"


def rows(html):
    """The texts of each row of the tables, without tags."""
    return [
        [
            unescape(re.sub("<[^>]+>", "", cell))
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", html)
    ]


def stays(**more):
    """Three stays of 2, 7 and 4 hours with 4 of 26 cells missing; the first one in full below."""
    nan = np.nan
    first = [[70.0, nan], [80.5, 1200.0]]
    second = np.arange(14.0).reshape(7, 2)
    second[2:4, 1] = nan
    third = np.ones((4, 2))
    third[0, 0] = nan
    return SequenceData.from_arrays(
        [first, second, third],
        ["died", "survived", "survived"],
        class_names=["survived", "died"],
        feature_names=["pulse", "dose"],
        units={"pulse": "1/min"},
        static=np.array([[60.0], [70.0], [80.0]]),
        static_names=["age"],
        missing="keep",
        ids=["P1", "P2", "P3"],
        name="stays",
        **more,
    )


def test_page_counts_what_is_there_and_shows_the_first_sample():
    data = replace(stays(), split=np.array(["train", "train", "test"]))
    assert "<b>SequenceData</b> stays" in data._repr_html_()
    facts, table = dict(rows(data._repr_html_())[:6]), rows(data._repr_html_())[6:]
    assert facts == {
        "samples": "3: train 2, test 1",
        "steps": "2 to 7 (median 4)",
        "features": "2: pulse, dose",
        "missing": "15\N{NO-BREAK SPACE}% of the cells",
        "static facts": "1: age",
        "target": "target: survived 2, died 1",
    }
    assert table == [["step", "pulse [1/min]", "dose"], ["1", "70", ""], ["2", "80.5", "1200"]]
    assert "First sample (P1), in original units" in data._repr_html_()


def test_page_after_filling_and_scaling_shows_the_same_measurements():
    """A filled cell is still not measured, and numbers are in their units."""
    raw = replace(stays(), split=np.array(["train", "train", "test"]))
    done = raw.fill_missing(indicators=True).standardise()
    before, after = rows(raw._repr_html_()), rows(done._repr_html_())
    assert after[6:] == before[6:]
    assert after[2] == ["variables", "2: pulse, dose"]
    assert after[3] == ["not measured", "15\N{NO-BREAK SPACE}% of the cells"]


def test_page_of_many_steps_and_features_shows_a_few():
    values = np.arange(300.0).reshape(1, 20, 15)
    html = SequenceData.from_arrays(values)._repr_html_()
    assert "5 of 20 steps, 8 of 15 features" in html
    assert rows(html)[4:] == [
        ["step", *(f"feature {i}" for i in range(8))],
        *([str(i + 1), *(f"{15 * i + j}" for j in range(8))] for i in range(5)),
    ]


def test_page_of_texts_shows_the_words():
    data = SequenceData.from_tokens([[2, 4], [3]], ["good", "bad"], vocabulary=WORDS)
    html = data._repr_html_()
    assert "First text, 2 words:</p><p>good film</p>" in html
    assert ["vocabulary", "5 words"] in rows(html)


@pytest.mark.parametrize("count", [0, 2])
def test_text_from_data_is_no_markup(count):
    data = SequenceData.from_arrays(
        np.zeros((2, 3, 1)),
        [EVIL, "x"],
        feature_names=[EVIL],
        units={EVIL: EVIL},
        static=np.ones((2, 1)),
        static_names=[EVIL],
        ids=[EVIL, "b"],
        name=EVIL,
        target_name=EVIL,
    )
    text = SequenceData.from_tokens([[2], [2]], vocabulary=["", "[UNK]", EVIL], name=EVIL)
    for one in (data, replace(data, time_name=EVIL), text):
        html = one[:count]._repr_html_()
        assert "<script" not in html
        assert "&lt;script&gt;alert(" in html
