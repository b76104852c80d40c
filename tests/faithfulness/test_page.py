"""The page to sign says how good the model is, and shows one patient by variable."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from faithfulness.test_probability import removed
from plots.figures import cohort, explanation

import lstm_explain as lx
from lstm_explain import Explanation
from lstm_explain.faithfulness.page import model_quality
from lstm_explain.models import AgainstBaseline, TrainingRun
from lstm_explain.plots import heatmap

CONSTANT = {"accuracy": 0.85, "log_loss": 0.42, "auroc": 0.5}
GOOD = {"accuracy": 0.84, "log_loss": 0.31, "auroc": 0.81}


def text_of(e, tmp_path, **options):
    report = lx.FaithfulnessReport(e, removed(e))
    page = report.save(tmp_path / "case.html", **options).read_text(encoding="utf-8")
    return page, " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def table(model, **rows):
    return pd.DataFrame({**rows, "this model": model}).T


@pytest.mark.parametrize(
    ("model", "constant", "weak"),
    [
        (GOOD, CONSTANT, False),  # its accuracy is lower: of rare classes that says little
        ({**GOOD, "log_loss": 0.43}, CONSTANT, True),
        ({**GOOD, "auroc": 0.49}, CONSTANT, True),
        (CONSTANT, CONSTANT, True),
        ({"rmse": 1.0, "r2": 0.5}, {"rmse": 1.4, "r2": 0.0}, False),
        ({"rmse": 1.5, "r2": -0.1}, {"rmse": 1.4, "r2": 0.0}, True),
        ({"log_loss": 0.9, "accuracy": 0.6}, {"log_loss": 1.1, "accuracy": 0.4}, False),
    ],
)
def test_a_model_is_no_better_than_a_constant_by_its_loss_or_its_ranking(model, constant, weak):
    found, text = model_quality(table(model, constant=constant))
    assert found is weak
    assert text.startswith("it predicts no better than a constant.") is weak
    name = "rmse" if "rmse" in model else "log_loss"
    shown = f"{name.replace('_', ' ')} {model[name]:.3f} (a constant: {constant[name]:.3f})"
    assert shown in text


def test_the_page_of_a_run_states_its_scores_beside_the_baselines(tmp_path):
    run = TrainingRun(None, None, GOOD, {"constant": CONSTANT, "<b>ward</b>": GOOD}, None)
    page, text = text_of(cohort([12] * 9), tmp_path, scores=run)
    assert "Verdict on the explanation:" in text
    assert "The model: on test data, log loss 0.310 (a constant: 0.420), auroc 0.810" in text
    assert "Scores on test data predictions of accuracy log loss auroc" in text
    assert "constant 0.850 0.420 0.500" in text
    assert "<b>ward</b> 0.840 0.310 0.810" in text
    assert "<b>ward" not in page
    assert "the baseline" not in text
    said = AgainstBaseline("<b>regression</b>", "auroc", 0.81, 0.86, -0.07, -0.03)
    page, text = text_of(cohort([12] * 9), tmp_path, scores=replace(run, against_baseline=said))
    assert f"auroc 0.810 (a constant: 0.500). It is {said}." in text
    assert "<b>regression" not in page


def test_the_page_of_a_model_without_skill_says_so_and_is_not_green(tmp_path, monkeypatch):
    from lstm_explain.faithfulness import report
    from lstm_explain.faithfulness.verdict import Verdict

    monkeypatch.setattr(report, "verdict_of", lambda *_: Verdict(True, ("Yes.",)))
    e = cohort([12] * 9)
    page, text = text_of(e, tmp_path, scores=table(CONSTANT, constant=CONSTANT))
    assert "Verdict on the explanation: accepted. Yes. The model: it predicts no better" in text
    assert '<div class="verdict open">' in page
    page, text = text_of(e, tmp_path, scores=table(GOOD, constant=CONSTANT))
    assert '<div class="verdict">' in page
    page, text = text_of(e, tmp_path)
    assert "The model: how well it predicts is not part of this page" in text
    assert "Scores on test data" not in text


@pytest.mark.parametrize("scores", [3, {"auroc": 0.8}, pd.DataFrame({"auroc": [0.8]})], ids=str)
def test_scores_of_no_model_are_refused(scores, tmp_path):
    with pytest.raises(ValueError, match=r'Expected scores with a row "this model"; received'):
        text_of(cohort([12] * 9), tmp_path, scores=scores)


def test_one_patient_is_drawn_by_variable_with_whole_names(tmp_path, monkeypatch):
    """After filling with indicators a variable is three features, whose long names were cut."""
    names = ["oxygen saturation", "urine output"]
    kinds = ["value", "measured", "steps since measured"]
    features = [n if kind == "value" else f"{n}: {kind}" for kind in kinds for n in names]
    e = explanation(np.ones((1, 4, 6)), names=features)
    dataset = e.to_dataset().assign(
        variable=("feature", names * 3), part=("feature", np.repeat(kinds, 2))
    )
    drawn = []
    draw = heatmap.plot_heatmap
    monkeypatch.setattr(
        "lstm_explain.faithfulness.page.plot_heatmap",
        lambda e: drawn.append(e) or draw(e),
    )
    page, _ = text_of(Explanation(dataset), tmp_path)
    assert drawn[0].feature_names == names
    np.testing.assert_allclose(drawn[0].values, 3.0)
    [alt] = re.findall(r'<img alt="(Map[^"]*)"', page)
    assert "oxygen saturation +12.0; urine output +12.0" in alt
    assert json.loads(dataset.attrs["provenance"])["data"] in alt
