"""One row of the table of checks is all that report, verdict, figure and page need."""

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import tiny
from matplotlib import pyplot as plt
from plots.figures import explanation

import lstm_explain as lx
from lstm_explain import Explanation
from lstm_explain.faithfulness import report as report_module
from lstm_explain.faithfulness.attention import agreement_evidence
from lstm_explain.faithfulness.case import open_case
from lstm_explain.faithfulness.checks import CHECKS, Bound, Check, Panel
from lstm_explain.faithfulness.evidence import Evidence, kendall, spearman, summary
from lstm_explain.faithfulness.page import samples_table, table_html, values_tables
from lstm_explain.faithfulness.randomisation import NotDefined
from lstm_explain.faithfulness.report import FaithfulnessReport
from lstm_explain.faithfulness.verdict import verdict_of
from lstm_explain.wording import MINUS, fixed

pytestmark = pytest.mark.slow

SAMPLES = 9


def counted(values=None):
    """A check that counts something and takes the explanation at its word."""
    numbers = np.arange(1.0, SAMPLES + 1) if values is None else values

    def run(inputs):
        assert len(inputs.case) == SAMPLES
        assert inputs.model is tiny.model()
        return [Evidence("", "count", of, size * numbers, "") for of, size in SIZES.items()]

    return Check(
        "counting",
        "How many are <there>?",
        "More than 100 are needed.",
        run,
        Panel("how many of the {steps}", 1, limit=20.0),
        bounds=(
            Bound("count", "explanation", "at least", 3, "only {number} of {limit} are there"),
            Bound("count", "double", "above", 100, "there are {interval} {unit}"),
        ),
    )


SIZES = {"explanation": 1.0, "double": 2.0}


@pytest.fixture
def explained():
    data = tiny.padded()
    return lx.explain(
        tiny.model(), data.test[:SAMPLES], background=data.train[:5], tolerance=0.5, progress=False
    )


def checked(explanation, monkeypatch, *checks):
    monkeypatch.setattr(report_module, "CHECKS", checks)
    return lx.check_faithfulness(tiny.model(), explanation, progress=False, draws=50)


def test_every_row_has_what_report_figure_and_page_show():
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.question.endswith("?")
        assert check.reading.endswith(".")
        assert check.panel.title
        assert check.panel.column in (0, 1)
        for bound in check.bounds:
            texts = dict.fromkeys(("number", "correlation", "interval", "limit", "unit"), "")
            assert bound.reason.format(**texts)


@pytest.mark.slow
def test_every_check_that_measured_has_a_place_in_the_figure(explained):
    report = lx.check_faithfulness(tiny.model(), explained, progress=False, draws=50)
    drawn = {ax.get_label() for ax in report.plot().figure.axes}
    measured = set(report.to_frame()["check"])
    for check in CHECKS:
        assert (check.panel.title.format(steps="steps") in drawn) == (check.name in measured)


@pytest.mark.slow
def test_a_row_more_is_in_the_report_the_figure_and_the_page(explained, monkeypatch, tmp_path):
    report = checked(explained, monkeypatch, *CHECKS, counted())
    rows = report.to_frame().query("check == 'counting'").set_index("of")
    assert rows["mean"].to_dict() == {"explanation": 5.0, "double": 10.0}
    ax = report.plot()
    panel = next(one for one in ax.figure.axes if one.get_label() == "how many of the steps")
    assert [line.get_xdata()[0] for line in panel.lines[:2]] == [5.0, 10.0]
    names = [text.get_text() for text in panel.texts]
    assert {"count, explanation", "count, double", "how many of the steps"} <= set(names)
    plt.close("all")
    page = report.save(tmp_path / "case.html").read_text(encoding="utf-8")
    assert "<h3>How many are &lt;there&gt;?</h3>" in page
    assert "More than 100 are needed." in page
    assert "there are 10.0 (95" in " ".join(report.verdict().reasons)


@pytest.mark.slow
def test_the_first_bound_that_does_not_hold_is_the_reason(explained, monkeypatch):
    report = checked(explained, monkeypatch, *CHECKS, counted(np.full(SAMPLES, 2.0)))
    assert [text for text in report.verdict().reasons if "there" in text] == [
        "only 2.00 of 3 are there"
    ]


@pytest.mark.slow
def test_a_check_that_is_not_defined_is_said_to_be_left_out(explained, monkeypatch):
    def refuse(inputs):
        raise NotDefined("nothing to count")

    rows = replace(counted(), run=refuse), replace(counted(), name="empty", run=lambda inputs: [])
    report = checked(explained, monkeypatch, *CHECKS, *rows)
    assert {
        "counting: nothing to count",
        "empty: not defined for this model or explanation",
        "stability: no retrain was given",
    } <= set(report.skipped)


def test_an_explanation_that_was_not_checked_is_not_accepted():
    """Completeness, removal and infidelity are needed: without a number they speak against it."""
    table = summary([Evidence("other", "m", "explanation", np.ones(SAMPLES))], 10, 0)
    verdict = verdict_of(table, CHECKS, "the mean", SAMPLES)
    assert verdict.accepted is False
    assert len(verdict.reasons) == 3


@pytest.mark.parametrize(
    ("demand", "numbers", "is_broken"),
    [
        ("at most", (0.5, 0.1, 0.9), False),
        ("at most", (0.6, 0.1, 0.9), True),
        ("at least", (0.5, 0.1, 0.9), False),
        ("at least", (0.4, 0.1, 0.9), True),
        ("below", (0.5, 0.1, 0.9), True),
        ("below", (0.4, 0.1, 0.9), False),
        ("above", (0.8, 0.6, 0.9), False),
        ("above", (0.8, 0.4, 0.9), True),
        ("above", (0.8, np.nan, np.nan), False),
        ("above", (0.4, np.nan, np.nan), True),
    ],
)
def test_bounds_by_hand(demand, numbers, is_broken):
    import pandas as pd

    row = pd.Series(dict(zip(("mean", "low", "high"), numbers, strict=True)))
    assert Bound("m", "of", demand, 0.5, "").is_broken_by(row) is is_broken
    missing = row * np.nan
    assert Bound("m", "of", demand, 0.5, "").is_broken_by(missing) is False
    assert Bound("m", "of", demand, 0.5, "", needed=True).is_broken_by(missing) is True


@pytest.mark.parametrize("size", [1.0, 1e8])
def test_agreement_with_gradients_of_huge_features_is_that_of_the_closed_form(size, rng):
    """The gradient of a linear model is its weights, whatever the size of what it reads."""
    from lstm_explain.backend import keras

    weights = rng.normal(size=(8, 2)) / size
    values = size * (1 + rng.random((12, 8, 2)))
    model = keras.Sequential([keras.Input((8, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.layers[-1].set_weights([weights.reshape(-1, 1), np.zeros(1)])
    e = lx.explain(model, values[:4], background=values[4:], progress=False)
    attention = rng.random((4, 8))
    forged = Explanation(e.to_dataset().assign(attention=(("sample", "time"), attention)))
    evidence = agreement_evidence(open_case(model, forged), 0)
    measured = {(part.measure, part.of): part.values for part in evidence}
    sizes = np.tile(np.abs(weights).sum(axis=1), (4, 1))
    expected = kendall(attention, sizes, np.ones((4, 8), bool))
    np.testing.assert_allclose(measured["Kendall tau with gradients", "attention"], expected)


def test_rank_correlations_of_constant_and_of_single_items_are_unknown_without_a_warning():
    one = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    other = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
    known = np.array([[True] * 3, [True] * 3, [True, False, False], [True, True, False]])
    for correlation in (kendall, spearman):
        result = correlation(one, other, known)
        assert np.isnan(result[:3]).all()
        np.testing.assert_allclose(result[3], 1)


def test_texts_of_the_page_are_whole_and_escaped_and_numbers_stand_right():
    import pandas as pd

    long = "<b>&" + "word " * 40
    table = pd.DataFrame({"text": [long, "x"], "number": [1234.5, np.nan], "more": [-0.5, 1e-9]})
    page = table_html(table)
    assert "&lt;b&gt;&amp;" + "word " * 39 + "word</td>" in page
    assert "<b>" not in page
    assert "<td>1234.5</td>" in page
    assert "<td>not known</td>" in page
    assert f"<td>{MINUS}0.500</td>" in page
    assert 'class="dataframe right2 right3"' in page


@pytest.mark.parametrize("size", [1e-8, 40.0])
def test_the_page_writes_digits_by_what_is_large_in_it(size):
    """Values of a small unit are not zero; values in the tens add up with a base of 20,000."""
    base = 20000.04 if size > 1 else 0.0
    e = explanation(np.linspace(-0.4, 1, 6).reshape(1, 3, 2) * size, scale="value", base=base)
    shown = values_tables(e)
    for value in e.values.values.ravel():
        assert f"<td>{fixed(value, 2 if size > 1 else 10)}</td>" in shown
    assert ("<td>1.00e\N{MINUS SIGN}8</td>" in shown) == (size < 1)
    numbers = re.findall(r"<td>([\d.e\N{MINUS SIGN}]+)</td>", samples_table(e))
    numbers = [Decimal(number.replace(MINUS, "-")) for number in numbers[-2:]]
    expected = ["0.00", "1.80e-8"] if size < 1 else ["20000.04", "20072.04"]
    assert numbers == [Decimal(number) for number in expected]


def test_report_reads_the_table_of_checks():
    """A report that was made before a check was added is shown without it."""
    numbers = np.ones(SAMPLES)
    evidence = tuple(
        Evidence("removal", measure, of, numbers, "cell", share)
        for measure in ("comprehensiveness", "sufficiency", "deletion area", "insertion area")
        for of in ("explanation", "random")
        for share in (None, 0.1, 0.5)
    )
    ax = FaithfulnessReport(tiny.explanation(), evidence).plot()
    labels = [one.get_label() for one in ax.figure.axes]
    assert [check.panel.title for check in CHECKS if check.name == "removal"] == labels[2:]
    small = [replace(one, values=one.values * 1e-8) for one in evidence]
    ax = FaithfulnessReport(tiny.explanation(), tuple(small)).plot()
    numbers = [text.get_text() for text in ax.figure.axes[-1].texts]
    assert numbers.count(f"1.0e{MINUS}8") == 4
