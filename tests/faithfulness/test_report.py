"""The checks tell a true explanation from a false one, and the page they make is harmless."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser

import numpy as np
import pytest
import tiny
from marks import slow_but

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.backend import keras
from lstm_explain.faithfulness.attention import replacement_evidence
from lstm_explain.faithfulness.case import open_case
from lstm_explain.faithfulness.checks import CHECKS
from lstm_explain.faithfulness.page import samples_table, values_tables
from lstm_explain.faithfulness.randomisation import NotDefined, copied
from lstm_explain.faithfulness.ranking import BETTER, ranking_evidence
from lstm_explain.faithfulness.sensitivity import gap_evidence, infidelity_evidence
from lstm_explain.faithfulness.verdict import Verdict
from lstm_explain.internals.responses import gradient_sizes

pytestmark = pytest.mark.slow

QUIET = {"progress": False, "draws": 200}


@lru_cache
def linear(samples: int = 12):
    """A linear model of sequences of 4 steps: every SHAP value is known in closed form."""
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(4, 3))
    values = rng.normal(size=(samples + 20, 4, 3))
    data = SequenceData.from_arrays(values, values[:, -1, 0], target_name="dose")
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.layers[-1].set_weights([weights.reshape(-1, 1), np.array([0.3])])
    e = lx.explain(model, data[:samples], background=data[samples:], progress=False)
    return model, e, weights, data


@lru_cache
def reported(task: str = "binary", static: bool = False):
    data = tiny.padded(task, static)
    e = lx.explain(
        tiny.model(task, static), data.test, background=data.train, tolerance=0.02, progress=False
    )
    return lx.check_faithfulness(tiny.model(task, static), e, **QUIET)


def with_values(explanation, values):
    return Explanation(
        explanation.to_dataset().assign(values=(explanation.values.dims, np.asarray(values)))
    )


def figure(report, measure, of, **more):
    table = report.to_frame()
    chosen = (table["measure"] == measure) & (table["of"] == of) & table["share"].isna()
    for name, value in more.items():
        chosen &= table[name] == value
    assert chosen.sum() == 1
    return table[chosen].iloc[0]


def test_linear_model_by_hand():
    """Removing a set of cells takes exactly the sum of its values: every score is a sum of them."""
    model, e, weights, data = linear()
    rows = data.values[12:]
    values = weights * (data.values[:12] - rows.mean(axis=0))
    np.testing.assert_allclose(e.values, values, atol=1e-5)
    case = open_case(model, e)
    assert infidelity_evidence(case, 0)[0].values.max() < 1e-9
    assert gap_evidence(case)[0].values.max() < 1e-5
    found = {(p.measure, p.of, p.share): p.values for p in ranking_evidence(case, 0)}
    flat = values.reshape(12, -1)
    total = flat.sum(axis=1)
    support = np.sort(np.sign(total)[:, None] * flat, axis=1)[:, ::-1]
    for share, count in ((0.01, 1), (0.2, 2), (0.5, 6)):
        top = support[:, :count].sum(axis=1)
        np.testing.assert_allclose(found["comprehensiveness", "explanation", share], top, atol=1e-5)
        np.testing.assert_allclose(
            found["sufficiency", "explanation", share], np.abs(total) - top, atol=1e-5
        )
        bottom = support[:, -count:].sum(axis=1)
        np.testing.assert_allclose(found["comprehensiveness", "inverted", share], bottom, atol=1e-5)
    np.testing.assert_allclose(
        gradient_sizes(case.question), np.tile(np.abs(weights).sum(axis=1), (12, 1)), rtol=1e-4
    )


@pytest.mark.parametrize("measure", BETTER)
def test_the_oracle_beats_random_beats_inverted(measure):
    """In a linear model the values are the truth, so that no other order can win."""
    model, e, _, _ = linear()
    found = {
        part.of: part.values.mean()
        for part in ranking_evidence(open_case(model, e), 0)
        if part.measure == measure and part.share is None and "better" not in part.of
    }
    best, middle, worst = (found[name] for name in ("explanation", "random", "inverted"))
    sign = 1 if BETTER[measure] else -1
    assert sign * best > sign * middle > sign * worst


def test_infidelity_of_silence_and_of_a_scaled_explanation_by_hand():
    """On a linear model, values times c err by (1 - c)^2 of what removals do."""
    model, e, _, _ = linear()
    for factor in (0.0, 0.5, 3.0):
        case = open_case(model, with_values(e, factor * e.values))
        infidelity = infidelity_evidence(case, 1)[0].values.mean()
        np.testing.assert_allclose(infidelity, (1 - factor) ** 2, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize(
    ("task", "static"), slow_but([("binary", False), ("multiclass", True)], ("binary", False))
)
def test_report_has_every_check_with_its_controls(task, static):
    table = reported(task, static).to_frame()
    assert set(table["check"]) == {
        "completeness", "removal", "infidelity", "sensitivity", "sanity", "agreement",
        "replacement",
    }  # fmt: skip
    removal = table[table["check"] == "removal"]
    for level, of in (("cell", "random"), ("cell", "inverted"), ("time", "attention")):
        rows = removal[(removal["level"] == level) & (removal["of"] == of)]
        assert {0.01, 0.05, 0.1, 0.2, 0.5} <= set(rows["share"].dropna())
        assert (rows["low"] <= rows["mean"]).all()
        assert (rows["mean"] <= rows["high"]).all()
    assert np.isfinite(table["mean"]).all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report_and_the_model_is_untouched():
    data, model, e = tiny.padded(), tiny.model(), reported().explanation
    before = [np.array(weight) for weight in model.get_weights()]
    again = lx.check_faithfulness(model, e, **QUIET)
    assert all(map(np.array_equal, before, model.get_weights()))
    one, other = reported().to_frame(), again.to_frame()
    assert one["of"].tolist() == other["of"].tolist()
    np.testing.assert_allclose(one["mean"], other["mean"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(e.values, lx.explain(
        model, data.test, background=data.train, tolerance=0.02, progress=False
    ).values)  # fmt: skip


@pytest.mark.slow
def test_an_interrupt_leaves_the_model_as_it_was(monkeypatch):
    report, model = reported(), tiny.model()
    before = [np.array(weight) for weight in model.get_weights()]

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("lstm_explain.faithfulness.randomisation._randomise", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lx.check_faithfulness(model, report.explanation, **QUIET)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_uniform_attention_by_hand():
    """Replacing the weights by equal ones gives what the layers give with a plain mean."""
    data, model, e = tiny.padded(), tiny.model(), tiny.explanation()
    case = open_case(model, e)
    found = {part.of: part.values for part in replacement_evidence(case, 0)}
    states = keras.Model(model.inputs, model.get_layer("lstm_1").output)
    some = data.test[:5]
    h = np.asarray(states(some.inputs_for(model)))
    real = some.mask[..., None]
    context = (h * real).sum(axis=1) / real.sum(axis=1)
    kernel, bias = model.get_layer("head").get_weights()
    expected = np.abs((context @ kernel + bias)[:, 0] - e.predictions.values) / case.spread
    np.testing.assert_allclose(found["uniform attention"], expected, rtol=1e-3, atol=1e-5)
    assert found["permuted attention"].max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("level", ["time", "feature", "window"])
def test_coarser_explanations_are_checked_at_their_level(level):
    e = reported().explanation
    coarse = {
        "time": e.over_time,
        "feature": e.over_features,
        "window": lambda: e.over_time().over_windows(2),
    }[level]()
    report = lx.check_faithfulness(tiny.model(), coarse, **QUIET)
    assert set(report.to_frame().query("check == 'removal'")["level"]) == {level}
    gain = figure(report, "comprehensiveness", "explanation better than random")
    assert gain["mean"] > 0


@pytest.mark.slow
def test_stability_needs_retrain_and_tells_seeds_from_permuted_labels():
    data, e = tiny.padded(), reported().explanation
    assert any("stability" in reason for reason in reported().skipped)
    asked = []

    def retrain(seed, permuted):
        asked.append((seed, permuted))
        other = keras.models.clone_model(tiny.model())
        rng = np.random.default_rng(seed)
        noise = 2.0 if permuted else 0.01
        weights = tiny.model().get_weights()
        other.set_weights([w + noise * rng.normal(size=w.shape) for w in weights])
        return other

    assert len(data.test) == len(e)
    report = lx.check_faithfulness(tiny.model(), e, retrain=retrain, retrainings=2, **QUIET)
    assert asked == [(1, False), (2, False), (1, True), (2, True)]
    for kind in ("local", "global"):
        seeds = figure(report, f"{kind} rank correlation", "other seeds")
        permuted = figure(report, f"{kind} rank correlation", "permuted labels")
        assert seeds["mean"] > 0.9
        assert permuted["mean"] < seeds["mean"]
    assert "trained again with other seeds" in str(report.verdict())


@pytest.mark.slow
def test_few_samples_get_no_verdict_and_one_sample_no_interval():
    report = lx.check_faithfulness(tiny.model(), reported().explanation[0], **QUIET)
    assert report.verdict().accepted is None
    assert "Nothing general may be claimed from 1 sample," in str(report.verdict())
    table = report.to_frame()
    assert table["low"].isna().all()
    # Without an interval the number itself speaks: what is above a control is not called below it.
    gains = table[table["of"].str.contains("better than random")].set_index(["measure", "of"])
    assert (gains.loc[("comprehensiveness", "explanation better than random"), "mean"] > 0).all()
    assert not [reason for reason in report.verdict().reasons if "drawn at random" in reason]


def test_verdict_is_shown_sentence_by_sentence_and_escaped():
    verdict = Verdict(False, ("Not <b>.", "Second."), ("x",))
    assert str(verdict) == "Not <b>.\nSecond."
    assert "<p>Not &lt;b&gt;.</p><p>Second.</p>" in verdict._repr_html_()
    assert "not accepted" in verdict._repr_html_()


@pytest.mark.slow
def test_figure_shows_the_numbers_of_the_report():
    report = reported()
    ax = report.plot()
    curves = {line.get_label(): line for line in ax.get_lines()}
    table = report.to_frame()
    rows = table[
        (table["measure"] == "comprehensiveness") & (table["level"] == "time")
        & (table["of"] == "explanation") & table["share"].notna()
    ]  # fmt: skip
    np.testing.assert_array_equal(curves["explanation"].get_ydata(), rows["mean"])
    # Of steps, because attention ranks steps: all in one panel.
    assert {"explanation", "attention", "random", "inverted"} <= set(curves)
    assert "share of steps removed" in ax.get_xlabel()


class Page(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.mark.slow
def test_page_holds_everything_and_no_script(tmp_path):
    evil = '<script>alert("1")</script>'
    e = reported().explanation
    names = [evil, *e.feature_names[1:]]
    dataset = e.to_dataset().assign_coords(feature=names)
    dataset = dataset.assign(ids=("sample", np.array([evil] * len(e))))
    report = lx.FaithfulnessReport(Explanation(dataset), reported().evidence, (evil,))
    single = lx.FaithfulnessReport(Explanation(dataset)[0], reported().evidence)
    for name, one in (("cohort.html", report), ("case.html", single)):
        source = one.save(tmp_path / name, title=evil).read_text(encoding="utf-8")
        page = Page(source)
        assert "script" not in page.tags
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        links = [value for name, value in page.attributes if name in ("src", "href")]
        assert links
        assert all(str(link).startswith("data:image/png;base64,") for link in links)
        assert evil in page.text
        assert not re.search(r"url\(|@import|https?://", source)
        for part in ("Verdict", "Provenance", "weights_sha256", "Signature", "comprehensiveness"):
            assert part in page.text
        assert all(sentence in page.text for sentence in one.verdict().sentences)


def test_page_says_how_each_check_is_read_and_counts_steps_as_its_figures_do(tmp_path):
    report = reported()
    e = report.explanation
    text = Page(report.save(tmp_path / "cohort.html").read_text(encoding="utf-8")).text
    checks = report.to_frame()["check"].unique()
    rows = {check.name: check for check in CHECKS}
    assert set(rows) == {*checks, "stability"}
    assert all(rows[name].question in text and rows[name].reading in text for name in checks)
    assert "Explained: the probability of up, in log-odds, by expected gradients." in text
    chance = 1 / (1 + np.exp(-e.predictions.values[0]))
    assert f"{chance:.3f}" in samples_table(e)
    # The first row holds the largest value, by the number of its step from 1 on.
    sizes = np.abs(e[0].values.values[0]).max(axis=1)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", values_tables(e[0]))
    assert cells[0] == str(int(sizes.argmax()) + 1)


def test_samples_of_one_person_are_drawn_together_and_counted_once():
    """Twelve samples of three people: nothing general may be claimed, and intervals are wider."""
    model, e, _, _ = linear()
    people = np.arange(12) // 4
    of_three = Explanation(e.to_dataset().assign(ids=("sample", people.astype(str))))
    report = lx.check_faithfulness(model, of_three, **QUIET)
    assert report.verdict().accepted is None
    assert "Nothing general may be claimed from 3 ids, of at least 8" in str(report.verdict())
    assert lx.check_faithfulness(model, e, **QUIET).verdict().accepted is not None
    part = next(p for p in report.evidence if p.measure == "gap")
    np.testing.assert_array_equal(part.owners, people)
    # Student's t of three means: 4.303 deviations over the root of 3, up to the draws.
    means = part.values.reshape(3, 4).mean(axis=1)
    row = figure(report, "gap", "explanation")
    expected = 4.3027 * means.std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose((row["high"] - row["low"]) / 2, expected, rtol=0.15)


def test_what_cannot_be_checked_is_refused():
    e = reported().explanation
    for name in ("retrainings", "background_rows", "draws"):
        least = 2 if name == "draws" else 1
        message = f"Expected {name} to be a whole number of at least {least}"
        with pytest.raises(ValueError, match=message):
            lx.check_faithfulness(tiny.model(), e, **{name: least - 1})
    with pytest.raises(ValueError, match="Expected the model that was explained"):
        lx.check_faithfulness(tiny.model("multiclass"), e)
    with pytest.raises(ValueError, match="Expected finite values"):
        lx.check_faithfulness(tiny.model(), with_values(e, e.values * np.nan))
    with pytest.raises(ValueError, match="values per cell, step, feature or window"):
        lx.check_faithfulness(tiny.model(), e.over_windows(2))


def test_a_model_that_cannot_be_copied_is_said_to_be_one():
    class Own(keras.Model):
        def __init__(self, part):
            super().__init__(name="own")
            self.part = part

    with pytest.raises(NotDefined, match="cannot copy 'own'"):
        copied(Own(object()))


@pytest.mark.slow
def test_a_text_has_no_small_noise():
    words = ["[PAD]", "[UNK]", *"abcdefgh"]
    rng = np.random.default_rng(3)
    tokens = [rng.integers(2, 10, rng.integers(3, 7)) for _ in range(12)]
    data = SequenceData.from_tokens(tokens, rng.integers(0, 2, 12), vocabulary=words)
    model = lx.build_model(data, units=(4,), attention_units=3, seed=1, beside=None)
    e = lx.explain(model, data, output=1, tolerance=0.1, progress=False)
    report = lx.check_faithfulness(model, e, **QUIET)
    assert any(reason.startswith("sensitivity: not defined") for reason in report.skipped)
    gain = figure(report, "comprehensiveness", "attention better than random", level="time")
    assert np.isfinite(gain["mean"])
    assert "with absent words replaced by the word '[UNK]'" in str(report.verdict())
