"""Networks side by side: one protocol, scores beside the baseline, agreement beside its floor."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import tiny
from attribution.explanations import made
from scipy.stats import spearmanr

import lstm_explain as lx
from lstm_explain import Explanation
from lstm_explain.attribution import model_comparison
from lstm_explain.attribution.agreement import rank_agreement
from lstm_explain.backend import keras
from lstm_explain.models import fit_baselines, score


def flat(units):
    """Return a builder of a network without recurrence, which is quick to compile."""

    def build(data, seed):
        values = keras.Input(data.values.shape[1:], name="values")
        mask = keras.Input(data.mask.shape[1:], dtype="bool", name="mask")
        real = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)
        flat = keras.layers.Flatten()(values * real)
        glorot = keras.initializers.GlorotUniform(seed=seed)
        hidden = keras.layers.Dense(units, "tanh", kernel_initializer=glorot)(flat)
        size = 3 if data.task == "multiclass" else 1
        kind = "softmax" if size == 3 else "sigmoid"
        return keras.Model([values, mask], keras.layers.Dense(size, kind)(hidden))

    return build


@lru_cache
def compared(task="binary"):
    models = {"narrow": flat(2), "wide": flat(8)}
    options = {"epochs": 8, "learning_rate": 0.05, "batch_size": 8}
    return lx.compare_models(
        tiny.padded(task, samples=120), models, samples=5, progress=False, **options
    )


@pytest.mark.slow
def test_the_table_has_the_scores_of_every_run_and_of_the_baseline():
    found, data = compared(), tiny.padded(samples=120)
    assert list(found.table.index) == ["narrow", "wide", "baseline: logistic regression"]
    assert found.score == "auroc"
    for name, size in (("narrow", 18 * 2 + 2 + 3), ("wide", 18 * 8 + 8 + 9)):
        row, each = found.table.loc[name], [run.metrics["auroc"] for run in found.runs[name]]
        np.testing.assert_allclose(row["score"], np.mean(each), rtol=1e-6)
        np.testing.assert_allclose(row["seeds apart"], max(each) - min(each), atol=1e-9)
        assert row["parameters"] == size
        assert min(row[["seconds", "microseconds"]]) > 0
        assert [run.seed for run in found.runs[name]] == [0, 1]
    plain = fit_baselines(data)[0]
    expected = score(data.test, plain.predict(data.test))["auroc"]
    np.testing.assert_allclose(found.table["score"].iloc[-1], expected)
    difference = found.table["difference"] - (found.table["score"] - expected)
    np.testing.assert_allclose(difference[:2].astype(float), 0, atol=1e-9)
    assert found.best in found.table.index
    assert "Rank correlation" in repr(found)


@pytest.mark.slow
def test_agreement_is_the_mean_over_pairs_of_runs_and_a_model_beside_itself_over_seeds():
    found = compared()
    assert list(found.agreement.index) == [
        ("narrow", "narrow"), ("narrow", "wide"), ("wide", "wide"),
    ]  # fmt: skip
    one, other = found.explanations["narrow"], found.explanations["wide"]
    assert [len(e) for e in (*one, *other)] == [5] * 4
    each = [rank_agreement(a, b)["cell"] for a in one for b in other]
    np.testing.assert_allclose(found.agreement.loc[("narrow", "wide"), "cell"], np.mean(each))
    floor = rank_agreement(*one)["time"]
    np.testing.assert_allclose(found.agreement.loc[("narrow", "narrow"), "time"], floor)


@pytest.mark.slow
def test_an_interrupt_gives_the_models_that_are_complete(monkeypatch):
    """An interrupt in training, which `train` itself survives, and before any is complete."""
    train, count = model_comparison.train, iter(range(9))

    def interrupted(*given, **options):
        return replace(train(*given, **options), interrupted=next(count) == 1)

    monkeypatch.setattr(model_comparison, "train", interrupted)
    options = {"seeds": (0,), "samples": 0, "epochs": 1, "progress": False}
    models = {"narrow": flat(2), "wide": flat(8), "third": flat(3)}
    found = lx.compare_models(tiny.padded(), models, **options)
    assert list(found.table.index) == ["narrow", "baseline: logistic regression"]
    assert list(found.runs) == ["narrow"]
    assert len(found.agreement) == 0
    count = iter([1])
    with pytest.raises(KeyboardInterrupt):
        lx.compare_models(tiny.padded(), models, **options)


@pytest.mark.slow
def test_of_several_classes_the_true_one_is_explained_whatever_a_model_predicts():
    found = compared("multiclass")
    table = found.table[:2]  # of the few that the baseline gets wrong there may be no interval
    assert (table["low"] < table["score"]).all()
    assert (table["score"] < table["high"]).all()
    for each in found.explanations.values():
        for e in each:
            assert e.output.values.tolist() == e.target.values.tolist()


def test_rank_correlation_is_spearmans_of_real_steps():
    """Literally, sample by sample; 1 with itself, and with what has the same order."""
    one, other = made(lengths=(3, 5, 4), seed=0), made(lengths=(3, 5, 4), seed=1)
    found = rank_agreement(one, other)
    first, second, real = one.values.values, other.values.values, one.mask.values
    expected = {
        "cell": [
            spearmanr(a[m].ravel(), b[m].ravel())[0]
            for a, b, m in zip(first, second, real, strict=True)
        ],
        "variable": [spearmanr(a.sum(0), b.sum(0))[0] for a, b in zip(first, second, strict=True)],
        "time": [
            spearmanr(a[m].sum(1), b[m].sum(1))[0]
            for a, b, m in zip(first, second, real, strict=True)
        ],
    }
    for name, each in expected.items():
        np.testing.assert_allclose(found[name], np.mean(each), rtol=1e-9)
    assert rank_agreement(one, one) == {"cell": 1.0, "variable": 1.0, "time": 1.0}
    cubes = one.to_dataset().assign(values=one.values**3)
    np.testing.assert_allclose(rank_agreement(one, Explanation(cubes))["cell"], 1)
    turned = one.to_dataset().assign(values=-one.values)
    np.testing.assert_allclose(list(rank_agreement(one, Explanation(turned)).values()), -1)


def test_two_numbers_have_no_rank_correlation():
    one = made(lengths=(2,), features=1)
    assert np.isnan(list(rank_agreement(one, one).values())).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["lstm", "lstn"]}, r"models among \['lstm', .*received \['lstm', 'lstn'\]"),
        ({"minutes": 0.01}, r"minutes to be .* of at least 0\.0333333; .* for 2 trainings, or"),
        ({"seeds": ()}, r"seeds to be whole numbers from 0 to 4000000; received \(\)\. Give"),
        ({"models": {"other": lambda data, seed: tiny.model("multiclass")}}, r"outputs of shape"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_training(options, message, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("training began"))
    with pytest.raises(ValueError, match=message):
        lx.compare_models(tiny.padded(), **{"models": ["lstm"], **options})


@pytest.mark.slow
def test_a_training_ends_when_its_time_is_over():
    data = tiny.padded()
    options = {"epochs": 50, "batch_size": 1, "fit_baseline": False, "progress": False}
    short = lx.train(flat(2)(data, 0), data, minutes=1e-9, **options)
    assert len(short.history) == 1
    assert int(short.model.optimizer.iterations) == 1  # step of 36 in an epoch
