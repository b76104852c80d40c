"""One row of the table of checks is all that report, verdict, figure and page need."""

import re
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

import numpy as np
import pytest
import tiny
from matplotlib import pyplot as plt
from plots.figures import explanation, names_at_left

import lstm_explain as lx
from lstm_explain import Explanation
from lstm_explain.attribution.agreement import kendall, spearman
from lstm_explain.faithfulness import report as report_module
from lstm_explain.faithfulness.attention import agreement_evidence
from lstm_explain.faithfulness.case import open_case
from lstm_explain.faithfulness.checks import CHECKS, Bound, Check, Panel
from lstm_explain.faithfulness.evidence import Evidence, summary
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
        Panel("how many of the {steps}", limit=20.0),
        bounds=(
            Bound("count", "explanation", "at least", 3, "only {number} of {limit} are there"),
            Bound("count", "double", "above", 100, "there are {interval} {unit}"),
        ),
    )


SIZES = {"explanation": 1.0, "double": 2.0}


@lru_cache
def explained():
    data = tiny.padded()
    return lx.explain(
        tiny.model(), data.test[:SAMPLES], background=data.train[:5], tolerance=0.5, progress=False
    )


@lru_cache
def reported():
    return lx.check_faithfulness(tiny.model(), explained(), progress=False, draws=50)


def checked_with(monkeypatch, *more):
    """Check with more rows; those of the package give again what they have given."""
    given = {check.name: [] for check in CHECKS}
    for part in reported().evidence:
        given[part.check].append(part)
    rows = [
        replace(check, run=lambda _, parts=given[check.name]: parts) if given[check.name] else check
        for check in CHECKS
    ]
    monkeypatch.setattr(report_module, "CHECKS", (*rows, *more))
    return lx.check_faithfulness(tiny.model(), explained(), progress=False, draws=50)


def test_every_row_has_what_report_figure_and_page_show():
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.question.endswith("?")
        assert check.reading.endswith(".")
        for bound in check.bounds:
            texts = dict.fromkeys(("number", "correlation", "interval", "limit", "unit"), "")
            assert bound.reason.format(**texts)


@pytest.mark.slow
def test_the_figure_answers_three_questions():
    axes = [ax for ax in reported().plot().figure.axes if ax.get_label() != "heading"]
    assert [ax.get_title(loc="left").split("?")[0] for ax in axes] == [
        "Does what is ranked first matter",
        "Do its numbers say what the model does",
        "Is it of this model",
    ]
    drawn = [name for ax in axes[1:] for name in names_at_left(ax)]
    assert drawn[:3] == ["completeness gap", "infidelity, explanation", "infidelity, random"]
    assert "same weights" in drawn
    assert not [name for name in drawn if "inverted" in name or "better than" in name]


@pytest.mark.parametrize(
    ("infidelity", "gap", "answer"), [(0.4, 0.01, "Yes."), (0.6, 0.01, "No."), (0.4, 0.06, "No.")]
)
def test_the_answer_is_no_where_a_bound_is_broken_and_the_limit_is_drawn(infidelity, gap, answer):
    numbers = np.ones(SAMPLES)
    evidence = (
        *removal_evidence(),
        Evidence("completeness", "gap", "explanation", gap * numbers, "cell"),
        Evidence("infidelity", "infidelity", "explanation", infidelity * numbers, "cell"),
        Evidence("infidelity", "infidelity", "random", 9 * numbers, "cell"),
    )
    ax = FaithfulnessReport(tiny.explanation(), evidence).plot()
    errors = ax.figure.axes[-1]
    assert errors.get_title(loc="left").endswith(f"  {answer}")
    texts = [text.get_text() for text in errors.texts]
    assert texts == [f"{gap:.2f}  (at most 0.05)", f"{infidelity:.2f}  (at most 0.5)", "9.00"]
    # Larger than what is drawn: an arrow at the edge.
    assert errors.lines[2].get_xdata().tolist() == [2.0]
    assert errors.lines[2].get_marker() == ">"


def test_intervals_of_two_samples_end_where_correlations_and_sizes_do():
    """Student's t of two samples would reach far beyond."""
    report = lx.check_faithfulness(tiny.model(), explained()[:2], progress=False, draws=50)
    rows = report.to_frame().dropna(subset=["low", "high"])
    ranks = rows["measure"].str.contains("rank correlation|Kendall")
    differences = rows["of"].str.contains("better than")
    ends = rows[["low", "high"]]
    assert ends[ranks & ~differences].max(axis=None) == 1
    assert ends[ranks].abs().max(axis=None) <= 2
    sizes = rows["measure"].isin(["gap", "infidelity", "maximum sensitivity", "prediction moved"])
    assert set(rows.loc[sizes, "check"]) >= {"completeness", "infidelity", "sensitivity"}
    assert rows.loc[sizes, "low"].min() == 0
    assert rows.loc[~(ranks | sizes), "low"].min() < 0


@pytest.mark.slow
def test_a_row_more_is_in_the_report_the_figure_and_the_page(monkeypatch, tmp_path):
    report = checked_with(monkeypatch, counted())
    rows = report.to_frame().query("check == 'counting'").set_index("of")
    assert rows["mean"].to_dict() == {"explanation": 5.0, "double": 10.0}
    ax = report.plot()
    panel = next(one for one in ax.figure.axes if one.get_label() == "how many of the {steps}")
    assert panel.get_title(loc="left") == "how many of the steps  No."
    assert [line.get_xdata()[0] for line in panel.lines[:2]] == [5.0, 10.0]
    assert names_at_left(panel) == ["count, explanation", "count, double"]
    plt.close("all")
    page = report.save(tmp_path / "case.html").read_text(encoding="utf-8")
    assert "<h3>How many are &lt;there&gt;?</h3>" in page
    assert "More than 100 are needed." in page
    assert "there are 10.0 (95" in " ".join(report.verdict().reasons)


@pytest.mark.slow
def test_the_first_bound_that_does_not_hold_is_the_reason(monkeypatch):
    report = checked_with(monkeypatch, counted(np.full(SAMPLES, 2.0)))
    assert [text for text in report.verdict().reasons if "there" in text] == [
        "only 2.00 of 3 are there"
    ]


@pytest.mark.slow
def test_a_check_that_is_not_defined_is_said_to_be_left_out(monkeypatch):
    def refuse(inputs):
        raise NotDefined("nothing to count")

    rows = replace(counted(), run=refuse), replace(counted(), name="empty", run=lambda inputs: [])
    report = checked_with(monkeypatch, *rows)
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
    evidence = removal_evidence()
    ax = FaithfulnessReport(tiny.explanation(), evidence).plot()
    question = next(check.question for check in CHECKS if check.name == "removal")
    assert [one.get_label() for one in ax.figure.axes] == ["heading", question]
    small = [replace(one, values=one.values * 1e-8) for one in evidence]
    small.append(Evidence("infidelity", "infidelity", "random", 1e-8 * np.ones(SAMPLES), "cell"))
    ax = FaithfulnessReport(tiny.explanation(), tuple(small)).plot()
    assert [text.get_text() for text in ax.figure.axes[-1].texts] == [f"1.0e{MINUS}8"]


def removal_evidence():
    """Make the least evidence that a report can draw: nothing is better than random."""
    return tuple(
        Evidence("removal", measure, of, np.ones(SAMPLES), "cell", share)
        for measure in ("comprehensiveness", "sufficiency", "deletion area", "insertion area")
        for of in ("explanation", "random")
        for share in (None, 0.1, 0.5)
    )
