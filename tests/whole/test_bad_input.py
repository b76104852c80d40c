"""Wrong arguments of every public function: refused at once, in the package's own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from whole.wrong_values import (
    AXES,
    BACKGROUND,
    COUNT,
    DATA,
    EXPLANATION,
    FILE,
    FLAG,
    FOLDER,
    INF,
    INPUTS,
    MODEL,
    NAMES,
    NAN,
    NUMBERS,
    ONLY_DATA,
    OUTPUT,
    PENALTY,
    POSITIVE,
    QUANTILES,
    SHARE,
    STEP,
    TABLE,
    UNITS,
    WHOLE,
    WORD,
    refusal,
)  # fmt: skip

import lstm_explain as lx
from lstm_explain import SequenceData, datasets, internals, models, sequences
from lstm_explain.attribution import expected_gradients, shapley
from lstm_explain.attribution.joining import by_output
from lstm_explain.backend import keras
from lstm_explain.datasets import energy, icu, market, reviews
from lstm_explain.plots.models import plot_models


def data() -> SequenceData:
    return tiny.padded()


def frame() -> pd.DataFrame:
    return pd.DataFrame({"t": range(6), "v": 1.0, "y": 2.0})


def hours() -> pd.DataFrame:
    return pd.DataFrame({"t": range(9), "v": np.arange(9) % 4.0, "w": 1.0})


def windows() -> SequenceData:
    return SequenceData.from_series(hours(), time="t", target="v", horizon=2, history=3)


def leads() -> dict[str, Any]:
    """Return an explanation of two outputs of each sample."""
    one = tiny.explanation().to_dataset()
    return {"explanation": lx.Explanation(by_output(one.isel(sample=[0, 0, 1, 1]), 2))}


def chances() -> np.ndarray:
    return np.full(len(data().test), 0.5)


def one_text() -> SequenceData:
    return tiny.texts().test[0]


def asked() -> dict[str, Any]:
    return {"model": tiny.model(), "data": data().test[:2]}


def with_means(**given: Any) -> Any:
    return lx.build_model(tiny.padded("regression"), beside=models.TrailingMeans(**given))


def parts_of(variable: Any) -> Any:
    return tiny.explained_charts()[2].parts_of(variable)


def explained() -> dict[str, Any]:
    return {"explanation": tiny.explanation()}


def scored() -> dict[str, Any]:
    return {"data": data().test, "predictions": chances()}


QUESTION = {
    "model": MODEL, "data": DATA, "background": BACKGROUND, "output": OUTPUT, "step": STEP,
    "scale": WORD, "batch_size": (*WHOLE, 0), "inputs": INPUTS,
}  # fmt: skip
TARGETLESS = {key: QUESTION[key] for key in ("model", "data", "batch_size", "inputs")}
DRAWN = {"draws": COUNT, "seed": (*WHOLE, None)}
PLOTTED = {"explanation": EXPLANATION, "ax": AXES}
STAYS: dict[str, Any] = {"data": ONLY_DATA}
NOTHING: Callable[[], dict[str, Any]] = dict

# A function, a good call of it, and what each argument must not be.
TABLE_OF_CALLS: list[tuple[Callable[..., Any], Callable[[], dict[str, Any]], dict[str, Any]]] = [
    (lx.explain, lambda: asked() | {"background": "zero"},
     QUESTION | {"tolerance": (*POSITIVE, 0), "progress": FLAG}),
    (lx.shapley_values, lambda: asked() | {"background": "zero"},
     QUESTION | {"level": WORD, "budget": (*WHOLE, 0), "seed": WHOLE, "progress": FLAG}),
    (lx.shapley_values, lambda: asked() | {"background": "zero", "level": "window", "window": 2},
     {"window": COUNT}),
    (lx.lime_values, lambda: asked() | {"background": "zero"},
     QUESTION | {"level": WORD, "samples": (*WHOLE, 0), "ridge": ("a", True, NAN, INF, -1, None),
                 "seed": WHOLE, "progress": FLAG}),
    (lx.lime_values, lambda: asked() | {"background": "zero", "level": "window", "window": 2},
     {"window": COUNT}),
    (lx.interactions, lambda: asked() | {"background": "zero", "players": [0, 1]},
     QUESTION | {"players": (None, 3, "01", [0.7, 1.2], [True, 2], [0, None])}),
    (lx.compare, lambda: {"model": tiny.model(), "recorded": data().test[0],
                          "changed": data().test[0].change("dose", 1.0), "background": "zero"},
     {"model": MODEL, "recorded": ONLY_DATA, "changed": ONLY_DATA}),
    (lx.attribution.explain_in_pieces, lambda: asked() | {"folder": "pieces", "background": "zero"},
     {"model": MODEL, "data": ONLY_DATA, "folder": FOLDER, "samples_per_piece": COUNT,
      "progress": FLAG}),
    (lx.attribution.drivers_by_group, lambda: explained() | {"groups": {"all": np.ones(5, bool)}},
     {"explanation": EXPLANATION, "groups": (None, [], {"a": None}, {"a": [1, 2]}), **DRAWN}),
    (lambda **given: tiny.explanation().over_windows(**given), lambda: {"length": 2},
     {"length": COUNT}),
    (parts_of, lambda: {"variable": "lactate"}, {"variable": (None, "lactat", 3)}),
    (lambda **given: tiny.explanation().save(**given), lambda: {"path": "run.nc"}, {"path": FILE}),
    (lx.Explanation.load, lambda: {"path": "run.nc"}, {"path": FILE}),
    (lx.Explanation, NOTHING, {"dataset": (None, "run.nc", 3)}),
    (lx.compare_cohorts, lambda: {"before": tiny.explanation(), "after": tiny.explanation()},
     {"before": EXPLANATION, "after": EXPLANATION, "permutations": (*COUNT, 50),
      "seed": (*WHOLE, None)}),
    (lx.Monitor, lambda: {"model": tiny.model(), "background": data().train},
     {"model": MODEL, "background": ONLY_DATA, "static": (3, {"age": 60}, ["age"])}),
    (lambda **given: lx.Monitor(tiny.model(), data().train).update(**given),
     lambda: {"row": [1.0, 2.0, 3.0]},
     {"row": (None, "1", 3, [1.0], [NAN, 1.0, 2.0], {"dose": 1.0}, [[1.0, 2.0, 3.0]], ["a"] * 3),
      "time": ("noon", NAN, [1], "2020-01-01")}),
    (lx.check_faithfulness, lambda: explained() | {"model": tiny.model()},
     {"model": MODEL, "explanation": EXPLANATION, "retrain": ("again", 3), "retrainings": COUNT,
      "background_rows": COUNT, **DRAWN, "batch_size": (*WHOLE, 0), "progress": FLAG}),
    (lx.inspect, lambda: {"model": tiny.model()}, {"model": MODEL}),
    (lx.inspection.smallest_change,
     lambda: {"model": tiny.model(), "sample": data().test[0], "name": "dose",
              "training": data().train},
     {"model": MODEL, "sample": ONLY_DATA, "name": (None, "dos", 3), "training": ONLY_DATA,
      "threshold": ("high", True, NAN, INF)}),
    (lx.Background.from_data, lambda: {"data": data().train},
     {"data": ONLY_DATA, "rows": COUNT, "seed": (*WHOLE, None)}),
    (lx.Background.mean, lambda: {"data": data().train}, {"data": ONLY_DATA}),
    (lx.attention_maps, asked, TARGETLESS),
    (lx.trace_gates, asked, TARGETLESS | {"layer": (3, "lstm_9", True)}),
    (internals.gradient_norms, asked, {k: v for k, v in QUESTION.items() if k != "background"}),
    (internals.answers_by_step, asked,
     {k: v for k, v in QUESTION.items() if k not in ("background", "step", "scale")}),
    (lx.build_model, lambda: {"data": data()},
     {"data": ONLY_DATA, "cell": WORD, "units": UNITS,
      "bidirectional": FLAG, "attention_units": COUNT, "dropout": SHARE,
      "l2": PENALTY, "embedding_size": COUNT, "beside": ("means", 3),
      "word_dropout": SHARE, "word_vectors": ("glove", 3),
      "mixed_precision": FLAG, "seed": (*WHOLE, None, 10**10)}),
    (lx.build_forecaster, lambda: {"data": windows()},
     {"data": (*ONLY_DATA, tiny.texts(), tiny.padded()), "decoder": WORD, "quantiles": QUANTILES,
      "cell": WORD, "units": UNITS, "bidirectional": FLAG, "attention_units": COUNT,
      "dropout": SHARE, "l2": PENALTY, "beside": ("means", 3), "seed": (*WHOLE, None, 10**10)}),
    (lx.load_model, lambda: {"path": "model.keras"},
     {"path": FILE, "custom_objects": (3, "Attention", ["Attention"])}),
    (models.stateless, lambda: {"model": tiny.model()}, {"model": MODEL}),
    (lx.train, lambda: {"model": tiny.model(), "data": data()},
     {"model": MODEL, "data": ONLY_DATA, "epochs": COUNT, "batch_size": COUNT,
      "learning_rate": (*POSITIVE, 0), "clip_norm": (*POSITIVE, 0), "patience": (*WHOLE, None),
      "minutes": ("long", True, NAN, INF, -1.0, 0),
      "seed": (*WHOLE, None, 10**10), "baselines": ("mean", 3, [1]), "fit_baseline": FLAG,
      "callbacks": (None, 3, "stop", [3]), "progress": FLAG}),
    (lx.tune, lambda: {"data": data()},
     {"data": ONLY_DATA, "trials": COUNT, "minutes": ("long", True, NAN, INF, 0, 0.001),
      "search": WORD, "folder": FOLDER[1:], "seed": (*WHOLE, None, 10**10), "progress": FLAG,
      "space": ("units", 3, {}, ["units"], {"units": 3}, {"unit": [(2,)]}, {"units": [2]},
                {"dropout": (0.5, 0.1)}, {"dropout": [None]}, {"l2": [NAN]}, {"units": [{}]})}),
    (lx.compare_models, lambda: {"data": data(), "models": ["lstm"]},
     {"data": ONLY_DATA, "models": ("lstm", 3, [], ["lstn"], {"lstm": 3}),
      "beside": ("means", 3),
      "seeds": (3, (), (0.5,), (-1,), ("a",)), "minutes": ("long", NAN, 0, 0.001),
      "samples": (*WHOLE, None), "progress": FLAG}),
    (lx.cross_validate, lambda: {"data": data()},
     {"data": ONLY_DATA, "folds": (*COUNT, 2, 61), "build": ("lstm", 3), "gap": (*WHOLE, 5),
      "samples": (*WHOLE, None), "seed": (*WHOLE, None, 10**10), "progress": FLAG}),
    (plot_models, NOTHING, {"comparison": (None, "table", pd.DataFrame())}),
    (lambda **given: tiny.run().save(**given), lambda: {"folder": "run"}, {"folder": FOLDER}),
    (lx.TrainingRun.load, lambda: {"folder": "run"}, {"folder": FOLDER}),
    (models.predict_by_length, asked, {"model": MODEL, "data": ONLY_DATA, "batch_size": COUNT}),
    (models.LengthBuckets,
     lambda: {"model": tiny.text_model(), "data": tiny.texts().train, "batch_size": 8},
     {"model": MODEL, "data": ONLY_DATA, "batch_size": COUNT, "seed": WHOLE, "targets": FLAG}),
    (models.AttentionPooling, lambda: {"units": 4}, {"units": COUNT, "seed": WHOLE}),
    (with_means,
     lambda: {"features": ["dose"]},
     {"features": (3, [], ["dos"]), "spans": ("5", (0,), (2.5,), (True,)), "penalty": ("0", -1)}),
    (models.learn_word_vectors, lambda: {"data": tiny.texts(), "size": 2},
     {"data": ONLY_DATA, "size": COUNT, "window": COUNT, "seed": (*WHOLE, None)}),
    (models.load_word_vectors, lambda: {"path": "glove.txt", "vocabulary": ["good"]},
     {"path": FILE, "vocabulary": (None, "good", 3, []), "seed": (*WHOLE, None),
      "progress": FLAG}),
    (models.score, scored, {"data": ONLY_DATA, "predictions": NUMBERS}),
    (models.score_with_interval, scored, {"data": ONLY_DATA, "predictions": NUMBERS, **DRAWN}),
    (models.score_difference, lambda: scored() | {"baseline": chances()},
     {"data": ONLY_DATA, "predictions": NUMBERS, "baseline": NUMBERS, **DRAWN}),
    (models.reliability, lambda: {"data": data().test, "probabilities": chances()},
     {"data": ONLY_DATA, "probabilities": NUMBERS, "bins": (*COUNT, 10**6)}),
    (models.calibration_error, lambda: {"data": data().test, "probabilities": chances()},
     {"data": ONLY_DATA, "probabilities": NUMBERS, "bins": COUNT}),
    (models.score_by_group,
     lambda: {"data": data().test, "probabilities": chances(),
              "groups": {"all": np.ones(len(data().test), bool)}},
     {"data": ONLY_DATA, "probabilities": NUMBERS, "groups": (None, [], {"a": None}), **DRAWN}),
    (lx.faithfulness.score_cells,
     lambda: {"values": np.ones((1, 2, 1)), "truth": np.array([[[0], [1]]]),
              "mask": np.ones((1, 2), bool)},
     {"values": NUMBERS, "truth": NUMBERS, "mask": NUMBERS}),
    (lx.plot_heatmap, lambda: {"explanation": tiny.explanation()[0]},
     PLOTTED | {"max_features": COUNT, "feature": (3, "dos", ["dose"]),
                "limit": ("a", True, NAN, INF, 0), "marked": (3, "a", [[True]]),
                "hatch_unstable": FLAG}),
    (lx.plot_cell, dict, {"ax": AXES}),
    (lx.plot_leads, leads,
     PLOTTED | {"feature": (3, "dos", ["dose"]), "limit": ("a", True, NAN, INF, 0)}),
    (lx.plot_timeline, lambda: {"explanation": tiny.explanation()[0]}, PLOTTED),
    (lx.plot_dependence, lambda: explained() | {"name": "dose"},
     PLOTTED | {"name": (None, 3, "dos"), "color_by": (3, "dos")}),
    (lx.plot_summary, explained, PLOTTED | {"max_features": COUNT}),
    (lx.plot_comparison, lambda: {"explanation": tiny.explanation()[:2]},
     {"explanation": EXPLANATION, "max_features": COUNT}),
    (lx.plot_tokens, explained, {"explanation": EXPLANATION}),
    (lx.tokens_html, explained, {"explanation": EXPLANATION}),
    (lx.plot_chart, lambda: {"data": data().test[0]},
     {"data": ONLY_DATA, "ranges": ("normal", 3), "names": NAMES, "at": (*WHOLE, 99), "ax": AXES}),
    (lx.plot_gates, lambda: {"trace": lx.trace_gates(tiny.model(), data().test[:1])},
     {"trace": (None, "trace", 3), "parts": ("cell", 3, [], ["sell"]), "layer": (3, "lstm_9"),
      "order": WORD, "ax": AXES}),
    (lx.plot_history, lambda: {"run": tiny.run()}, {"run": (None, "run", 3), "ax": AXES}),
    (lx.plot_reliability, lambda: {"table": models.reliability(data().test, chances(), 2)},
     {"table": (None, "table", 3, {}), "ax": AXES}),
    (lx.explore, lambda: asked() | {"background": "zero"},
     {"model": MODEL, "data": ONLY_DATA, "background": BACKGROUND, "sample": (*WHOLE, 99),
      "output": OUTPUT, "scale": WORD, "tolerance": (*POSITIVE, 0), "training": ("data", 3),
      "guard": FLAG}),
    (lx.explore_samples, lambda: asked() | {"background": "zero"},
     {"model": MODEL, "data": ONLY_DATA, "background": BACKGROUND, "guard": FLAG,
      "columns": (3, "ward", {"ward": [1]})}),
    (lx.play_gates,
     lambda: {"model": tiny.text_model(), "data": tiny.texts(), "text": "good film"},
     {"model": MODEL, "data": ONLY_DATA, "text": (None, 3, ["good"]), "layer": (3, "lstm_9"),
      "cut": ("words", 3), "max_words": (*COUNT, 1), "guard": FLAG}),
    (SequenceData.from_arrays, lambda: {"values": np.ones((2, 3, 1))},
     {"values": (None, "a", 3, {}, np.ones(3), np.ma.masked_equal(np.ones((2, 3, 1)), 1.0),
                 np.full((2, 3, 1), 1e300)),
      "lengths": ("3", 3, [2.5, 3], [True, True]), "mask": ("1", [[2]]), "static": (3, ["a"]),
      "feature_names": NAMES, "static_names": NAMES, "units": ("mg", 3, {"dos": "mg"}),
      "target_name": (None, 3), "class_names": ("ab", 3), "time_name": (None, 3), "ids": (3, [1]),
      "missing": WORD, "name": (None, 3), "times": (3, "now"), "target": (3, [1.0, 1e300]),
      "target_names": NAMES, "positive": ("up", 3), "task": ("sideways", 3, ["classes"], True),
      "split": ("train", 3, [1, 0]), "labels": ("sex", 3, {"dose": {0: "low"}})}),
    (SequenceData.from_frame, lambda: {"frame": frame(), "time": "t", "features": ["v"]},
     {"frame": TABLE, "time": (None, "s", ["t"]), "features": (None, "v", 3, [], ["w"]),
      "id": (3, ["t", "v"]), "target": (3, ["v", "y"]), "static": (None, "v", 3),
      "window": (*WHOLE, 0), "stride": COUNT, "units": ("mg", 3), "missing": WORD,
      "resample": ("1h", True, NAN, INF, -1, 0), "how": (*WORD, {"v": "sum"}), "name": (None, 3),
      "split": (3, "s", ["t"]), "labels": ("sex", 3), "positive": ("up", 3)}),
    (SequenceData.from_series,
     lambda: {"frame": hours(), "time": "t", "target": "v", "horizon": 2, "history": 3},
     {"frame": TABLE, "time": (None, "s", ["t"]), "target": (None, "w", "x", ["v"]),
      "horizon": COUNT, "history": COUNT, "features": (None, "w", 3, ["x"]),
      "known_future": (None, "w", 3, ["x"], ["v"]), "static": (None, "v", 3, ["v"]),
      "group": (3, ["t"], "t"), "step": ("1h", True, NAN, -1, 0), "stride": COUNT,
      "newest": FLAG, "units": ("mg", 3, {"x": "mg"}), "labels": ("sex", 3), "missing": WORD,
      "name": (None, 3)}),
    (SequenceData.from_tokens, lambda: {"tokens": [[1, 2]]},
     {"tokens": (None, "ab", 3, [[1.5]], [[-1]], [["a"]]), "vocabulary": (None, "ab", 3, ["a"]),
      "lengths": ("3", 3), "name": (None, 3)}),
    (SequenceData.from_texts, lambda: {"texts": ["good film", "bad film"]},
     {"texts": (None, "good", 3, [None], []), "vocabulary": ("good", 3, ["good"]),
      "split": ("train", 3, [1, 0]), "max_words": (*WHOLE, 0), "truncate": WORD,
      "vocabulary_size": COUNT, "at_least": COUNT, "lower": FLAG, "name": (None, 3)}),
    (lambda **given: data().split_by_group(**given), NOTHING,
     {"validation": (*POSITIVE, 0, 1), "test": (*POSITIVE, 0, 1), "seed": (*WHOLE, None),
      "stratify": FLAG}),
    (lambda **given: data().for_target(**given), lambda: {"name": "dose"}, {"name": (None, 3)}),
    (lambda **given: data().fill_missing(**given), NOTHING, {"indicators": FLAG}),
    (lambda **given: data().standardise(**given), NOTHING,
     {"robust": FLAG, "like": ("data", 3, tiny.texts())}),
    (lambda **given: data().clip_outliers(**given), NOTHING,
     {"quantiles": (None, 0.99, (0.1,), (0.9, 0.1), (0.5, 0.5), (-0.1, 1), (0, 1.5), ("a", 1),
                    (NAN, 1), (0, None))}),
    (lambda **given: data().change(**given), lambda: {"name": "dose", "value": 1.0},
     {"name": (None, 3, "dos"), "value": ("a", True, NAN, INF, 1e300),
      "steps": ("first", 2.5, [True], 99)}),
    (lambda **given: tiny.texts().rewrite(**given), NOTHING, {"texts": (None, "a", 3, [None])}),
    (lambda **given: one_text().switch_off(**given), NOTHING,
     {"steps": ("first", 2.5, [True], 99)}),
    (lambda **given: data().inputs_for(**given), NOTHING, {"model": MODEL}),
    (sequences.tokenise, lambda: {"text": "good"}, {"text": (None, 3, b"a", ["a"]), "lower": FLAG}),
    (sequences.make_vocabulary, lambda: {"texts": ["good film"]},
     {"texts": (None, "good", 3, [None], [3]), "size": COUNT, "at_least": COUNT}),
    (sequences.save_vocabulary, lambda: {"vocabulary": tiny.texts().vocabulary, "path": "v.json"},
     {"vocabulary": (None, "good", 3, ["good"]), "path": FILE}),
    (sequences.load_vocabulary, lambda: {"path": __file__},
     {"path": FILE, "num_words": (*WHOLE, 0)}),
    (lx.load_market, NOTHING,
     {"symbol": (None, 3, "dax", ["sp500"]), "window": COUNT, "horizon": COUNT,
      "validation": (3, "2008-01-01")}),
    (lx.load_demand, NOTHING,
     {"source": WORD, "horizon": (*WHOLE, 0), "history": (*WHOLE, 0), "data_home": FOLDER[1:],
      "progress": FLAG}),
    (lx.load_weather, NOTHING,
     {"source": WORD, "horizon": COUNT, "history": COUNT, "data_home": FOLDER[1:]}),
    (lx.load_icu, NOTHING, {"source": WORD, "data_home": FOLDER[1:], "progress": FLAG}),
    (lx.load_reviews, NOTHING,
     {"source": WORD, "data_home": FOLDER[1:], "max_words": (*WHOLE, 0), "truncate": WORD,
      "vocabulary_size": COUNT, "progress": FLAG}),
    (lx.load_turbofan, NOTHING,
     {"source": WORD, "window": (*COUNT, 1), "stride": COUNT, "data_home": FOLDER[1:],
      "progress": FLAG}),
    (datasets.load_recall, lambda: {"longest": 5},
     {"longest": COUNT, "shortest": COUNT, "count": COUNT, "seed": (*WHOLE, None)}),
    (datasets.load_truth, lambda: {"recipe": "state", "samples": 10, "steps": 8},
     {"recipe": WORD, "samples": WHOLE, "steps": WHOLE, "seed": (*WHOLE, None)}),
    (datasets.review_rationales, lambda: {"data": tiny.texts()},
     {"data": ONLY_DATA, "progress": FLAG}),
    *((function, NOTHING, STAYS) for function in (
        datasets.deciding_words, datasets.planted_truth, energy.demand_truth, icu.true_cause,
        icu.true_log_odds, market.gjr_garch, market.har, market.persistence,
        models.fit_baselines, reviews.true_log_odds, reviews.true_rationale,
        reviews.true_shapley)),
    (icu.true_shap, lambda: {"background": None}, STAYS),
    (market.compare_forecasts, lambda: {"data": data(), "forecasts": {"HAR": np.zeros(60)}},
     {"data": ONLY_DATA, "forecasts": (None, [], "HAR"), "part": WORD, "horizon": COUNT}),
    (market.qlike_losses, lambda: {"target": [1.0, 2.0], "prediction": [1.0, 2.0]},
     {"target": NUMBERS, "prediction": NUMBERS, "correction": ("a", NAN, None)}),
]  # fmt: skip

CALLS = [
    pytest.param(function, good, argument, value, id=f"{number}-{argument}-{value!r:.20}")
    for number, (function, good, bad) in enumerate(TABLE_OF_CALLS)
    for argument, values in bad.items()
    for value in values
]


@pytest.fixture(scope="module", autouse=True)
def _made() -> None:
    """Make what the good calls need, before the work is forbidden."""
    tiny.explanation(), tiny.explained_charts(), tiny.run(), tiny.text_model()


@pytest.fixture(autouse=True)
def _no_work(monkeypatch: pytest.MonkeyPatch, _made: None) -> None:
    """Fail where training, integration or sampling begins."""

    def begun(*_: object, **__: object) -> None:
        pytest.fail("the work began")

    for owner, name in (
        *((keras.Model, "fit"), (expected_gradients, "integrate")),
        *((shapley.Game, "outputs"), (shapley.Game, "of")),
    ):
        monkeypatch.setattr(owner, name, begun)


@pytest.mark.parametrize(("function", "good", "argument", "value"), CALLS)
def test_a_wrong_argument_is_refused(
    function: Callable[..., Any], good: Callable[[], dict[str, Any]], argument: str, value: Any
) -> None:
    message = refusal(function, **(good() | {argument: value}))
    assert re.match(r"Expected .*[;,] ?.*(received|found)", message, re.DOTALL), message
    assert message.rstrip().endswith((".", ")", "?")), "a remedy ends the message"


def test_there_are_many_calls() -> None:
    print(f"{len(CALLS)} wrong calls of {len(TABLE_OF_CALLS)} functions")
    assert len(CALLS) >= 250
