"""What a notebook shows of an explanation: sums that hold, sizes in order, nothing that runs."""

import json
import re
from html import unescape

import numpy as np
import pytest
from attribution.explanations import VERBS, made

from lstm_explain import Explanation
from lstm_explain.wording import MINUS, NO_BREAK

EVIL = "<script>alert('1')</script>$"


def rows(html):
    """The texts of each row of the tables, without tags, with the signs of a keyboard."""
    lines = re.findall(r"<tr>(.*?)</tr>", html)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]
    return [[unescape(c).replace(MINUS, "-").replace(NO_BREAK, " ") for c in row] for row in cells]


def one(values, **facts):
    """One sample of values (step, feature), base value -2, without gap, static facts and times."""
    e = made((len(values),), len(values[0]), static=False, times=None)
    values = np.asarray(values, float)[None]
    provenance = json.dumps({**e.provenance, **facts})
    return Explanation(
        e.to_dataset()
        .assign(
            values=(e.values.dims, values),
            base_values=("sample", [-2.0]),
            predictions=("sample", [values.sum() - 2.0]),
        )
        .assign_attrs(provenance=provenance)
    )


def test_page_of_one_sample_by_hand():
    """Log-odds of 0 are one half; drivers are sums over time, the map has each step."""
    facts = {"background": "100 of 2118 dice"}
    html = one([[0.5, -0.25], [1.0, 0.0], [0.75, 0.0]], **facts)._repr_html_()
    assert "<b>Explanation</b> 1 sample x 3 steps x 2 features" in html
    assert rows(html) == [
        ["explained", "probability of died, in log-odds, by dice"],
        ["absent means", "100 of 2,118 dice"],
        ["probability of died 50.0 %", "log-odds 0.00 = base value -2.00 + SHAP values +2.00"],
        ["largest gap", "0"],
        ["largest SHAP values", "dose +2.25; pulse -0.25"],
        ["hour", "1", "2", "3"],
        ["dose", "+0.50", "+1.00", "+0.75"],
        ["pulse", "-0.25", "0.00", "0.00"],
    ]
    colours = re.findall(r'<td style="background:(#\w+);color:(#\w+)">([^<]*)<', html)
    assert ("#c13f2a", "#ffffff", "+1.00") in colours  # the largest has the strongest red
    assert ("#ffffff", "#000000", "0.00") in colours
    assert [c for c in colours if c[0][1:3] < c[0][5:7]] == [("#c8d9e9", "#000000", f"{MINUS}0.25")]


def test_page_of_many_samples_by_hand():
    """Sizes, not sums: what raises one prediction and lowers another does not cancel out."""
    e = made((2, 1), 2, static=True, times=None)
    values = np.array([[[1.0, 0.1], [2.0, 0.1]], [[-4.0, 0.0], [0.0, 0.0]]])
    e = Explanation(e.to_dataset().assign(values=(e.values.dims, values)))
    e.static_values[:] = [[0.0, -1.0], [0.0, 0.5]]
    e.predictions[:] = [-1.0, 1.0]
    table = dict(row for row in rows(e._repr_html_()) if len(row) == 2)
    assert table["largest mean |SHAP value|"] == "dose 3.50; bmi 0.75; pulse 0.10"
    assert table["predictions"] == "-1.00 to 1.00 (probability 26.9 % to 73.1 %)"
    # Both have a last step, only one has a step before it.
    assert rows(e._repr_html_())[-3:] == [
        ["step", "-1", "0"],
        ["dose", "1.00", "3.00"],
        ["pulse", "0.10", "0.05"],
    ]


def test_columns_of_the_map_sum_the_steps_up_to_the_next_one():
    values = np.arange(1.0, 41.0).reshape(40, 1)
    head, row = rows(one(values)._repr_html_())[-2:]
    assert head == ["hour", *(str(4 * i + 1) for i in range(10))]
    assert [float(text) for text in row[1:]] == [4 * (4 * i + 1) + 6 for i in range(10)]


@pytest.mark.parametrize("count", [0, 1, 4])
@pytest.mark.parametrize("verb", ["", *VERBS])
def test_text_from_data_is_no_markup_at_any_level(verb, count):
    e = made()
    names = {
        name: [EVIL, *e.to_dataset()[name].values[1:]] for name in ("feature", "static_feature")
    }
    dataset = e.to_dataset().assign_coords(names).assign_attrs(time_name=EVIL)
    dataset = dataset.assign(
        ids=("sample", [EVIL] * 4), output=("sample", [EVIL] * 4), target=("sample", [EVIL] * 4)
    )
    facts = json.dumps({**e.provenance, "background": EVIL, "method": EVIL})
    e = Explanation(dataset.assign_attrs(provenance=facts))
    e = (VERBS[verb](e) if verb else e)[:count]
    html = e._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(") >= (3 if count else 0)
    assert "\\$" not in html
    assert len(html) < 30_000


def test_words_of_a_text_are_isolated_and_escaped():
    e = made((3,), 1, static=False, times=None).over_time()
    dataset = e.to_dataset().drop_vars("data").drop_dims("feature")
    values = [[0.5, -1.0, 0.0]]
    e = Explanation(
        dataset.assign(
            data=(("sample", "time"), [["good", EVIL, "film"]]),
            values=(("sample", "time"), values),
            predictions=e.base_values - 0.5,
        )
    )
    html = e._repr_html_()
    assert "<script" not in html
    spans = re.findall(r'<span style="background:(#\w+);\S+ title="(.*?)"><bdi>(.*?)</bdi>', html)
    assert [span[1:] for span in spans] == [
        ("+0.50", "good"),
        (f"{MINUS}1.00", "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;$"),
        ("0.00", "film"),
    ]
    assert spans[1][0] == "#2468a8"
    table = dict(row for row in rows(html) if len(row) == 2)
    assert table["largest SHAP values"].endswith("; good +0.50; film 0.00")


def test_of_several_outputs_the_first_is_shown_by_name():
    parts = [one([[1.0]]), one([[3.0]])]
    from lstm_explain.attribution.joining import by_output

    joined = Explanation.concat(parts).to_dataset().assign(output=("sample", ["died", "left"]))
    e = Explanation(by_output(joined.drop_vars(["ids", "target"]), 2, []))
    html = e._repr_html_()
    assert "Of 2 outputs: died, left." in html
    assert "SHAP values +1.00" in html
    assert "+3.00" not in html
