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
    network = lx.build_model(padded(task, static), units=(4,), attention_units=3, seed=1)
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


@lru_cache
def run(task: str = "binary", static: bool = False):
    """A short training that goes past its best epoch, because the steps are large."""
    data = padded(task, static)
    network = lx.build_model(data, units=(4,), attention_units=3, seed=1)
    return lx.train(
        network, data, epochs=8, patience=2, learning_rate=0.3, batch_size=16, progress=False
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
    network = lx.build_model(texts(), units=(4,), attention_units=3, embedding_size=5, seed=1)
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
