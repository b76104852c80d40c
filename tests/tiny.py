"""Tiny models and data that the unit tests share; made once per test run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

import lstm_explain as lx
from lstm_explain import SequenceData

NUM_FEATURES = 3


@lru_cache
def padded(task: str = "binary", static: bool = False, samples: int = 60) -> SequenceData:
    """Sequences of 3 to 6 steps whose target depends on the first feature."""
    rng = np.random.default_rng(7)
    sequences = [rng.normal(size=(rng.integers(3, 7), NUM_FEATURES)) for _ in range(samples)]
    sums = np.array([s[:, 0].sum() for s in sequences])
    target = {
        "regression": sums.astype(float),
        "binary": np.where(sums > 0, "up", "down"),
        "multiclass": np.array(["low", "middle", "high"])[np.digitize(sums, [-1, 1])],
    }[task]
    return SequenceData.from_arrays(
        sequences,
        target,
        static=rng.normal(size=(samples, 2)) if static else None,
        feature_names=["dose", "pulse", "noise"],
        units={"dose": "mg", "pulse": "1/min"},
        class_names=["low", "middle", "high"] if task == "multiclass" else None,
        name="tiny",
    ).split_by_group(0.2, 0.2)


@lru_cache
def model(task: str = "binary", static: bool = False):
    """An untrained network with weights large enough to be far from linear."""
    network = lx.build_model(
        padded(task, static), units=(4,), attention_units=3, seed=1, beside=None
    )
    rng = np.random.default_rng(3)
    network.set_weights([rng.normal(scale=0.8, size=w.shape) for w in network.get_weights()])
    return network


@lru_cache
def explanation(task: str = "binary", static: bool = False):
    """Five test samples explained against the whole training part."""
    data = padded(task, static)
    return lx.explain(
        model(task, static), data.test[:5], background=data.train, tolerance=1e-4, progress=False
    )


def untrained(task: str, static: bool):
    """Return the network as it is before `run` trains it."""
    return lx.build_model(padded(task, static), units=(4,), attention_units=3, seed=1, beside=None)


@lru_cache
def run(task: str = "binary", static: bool = False):
    """A short training that goes past its best epoch, because the steps are large."""
    data = padded(task, static)
    return lx.train(
        untrained(task, static),
        data,
        epochs=8,
        patience=2,
        learning_rate=0.3,
        batch_size=16,
        progress=False,
    )


@lru_cache
def texts() -> SequenceData:
    """Sentences of 3 to 9 words, positive where good ones outnumber bad ones."""
    rng = np.random.default_rng(5)
    words = ["good", "bad", "film", "a", "not", ",", "plot", "the"]
    sentences = [rng.choice(words, size=rng.integers(3, 10)).tolist() for _ in range(80)]
    praise = [s.count("good") > s.count("bad") for s in sentences]
    return SequenceData.from_texts(
        sentences, np.where(praise, "up", "down"), at_least=1, name="tiny texts"
    ).split_by_group(0.2, 0.2)


@lru_cache
def text_model():
    """An untrained network for texts, with weights large enough to be far from linear."""
    network = lx.build_model(
        texts(), units=(4,), attention_units=3, embedding_size=5, seed=1, beside=None
    )
    rng = np.random.default_rng(3)
    for layer in network.layers:
        if layer.name not in ("word_dropout", "context_dropout"):
            layer.set_weights(
                [
                    w if w.dtype != np.float32 else rng.normal(scale=0.8, size=w.shape)
                    for w in layer.get_weights()
                ]
            )
    return network


def charts(num_samples=40, seed=0):
    """Two variables over 5 to 9 hours, half of them not measured; age; who died."""
    rng = np.random.default_rng(seed)
    sequences = []
    for _ in range(num_samples):
        chart = rng.normal([3.0, 70.0], [1.0, 9.0], (rng.integers(5, 10), 2))
        chart[rng.random(chart.shape) < 0.5] = np.nan
        sequences.append(chart)
    data = SequenceData.from_arrays(
        sequences,
        rng.integers(0, 2, num_samples),
        static=rng.normal(60, 10, (num_samples, 1)),
        static_names=["age"],
        feature_names=["lactate", "pressure"],
        units={"lactate": "mmol/L", "pressure": "mmHg"},
        missing="keep",
    )
    return data.split_by_group(0.2, 0.2)


@lru_cache
def explained_charts():
    """Data, a network with weights large enough to tell the features apart, what explains it."""
    data = charts().fill_missing(indicators=True).standardise()
    model = lx.build_model(data, units=(6,), attention_units=4, seed=1, beside=None)
    model.set_weights(
        [
            np.random.default_rng(i).normal(0, 0.5, w.shape)
            for i, w in enumerate(model.get_weights())
        ]
    )
    options = {"background": data.train, "progress": False}
    return data, model, lx.explain(model, data.test, **options)


@lru_cache
def gappy():
    """Charts with gaps, and a model that reads what was measured; static facts of three kinds."""
    rng = np.random.default_rng(5)
    values = rng.normal(10, 2, size=(40, 6, 2))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 0] = 10.0
    static = np.column_stack(
        [rng.normal(60, 9, 40), rng.integers(0, 2, 40), rng.integers(1, 4, 40)]
    )
    data = SequenceData.from_arrays(
        values,
        np.where(rng.random(40) < 0.5, "yes", "no"),
        static=static,
        static_names=["age", "sex", "ward"],
        feature_names=["lactate", "pulse"],
        missing="keep",
        name="gappy",
    )
    data = data.split_by_group(0.2, 0.2).fill_missing(indicators=True).standardise()
    network = lx.build_model(data, units=(4,), attention_units=3, seed=1, beside=None)
    weights = np.random.default_rng(3)
    network.set_weights([weights.normal(scale=0.8, size=w.shape) for w in network.get_weights()])
    return network, data
