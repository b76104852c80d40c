"""5,000 words and 5,000 steps are explained, exactly enough, in bounded memory."""

import resource
import sys

import numpy as np
import pytest

import lstm_explain as lx
from lstm_explain import SequenceData

LENGTH = 5000
MOST_MEMORY = 2e9  # bytes beside what was in use; 0.6e9 were measured


def words(rng):
    vocabulary = ["[PAD]", "[UNK]", *map(str, range(50))]
    return SequenceData.from_tokens(rng.integers(2, 52, (2, LENGTH)), [0, 1], vocabulary=vocabulary)


def steps(rng):
    return SequenceData.from_arrays(rng.normal(size=(8, LENGTH, 2)), [0, 1] * 4)


def peak():
    """Most memory that this process had in use so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


@pytest.mark.long
@pytest.mark.parametrize("make", [words, steps])
def test_a_long_sequence_is_explained_in_bounded_memory(make, rng):
    data = make(rng)
    model = lx.build_model(
        data, units=(4,), attention_units=3, embedding_size=4, seed=1, beside=None
    )
    for layer in model.layers:
        if layer.name not in ("word_dropout", "context_dropout"):
            weights = [rng.normal(scale=0.5, size=weight.shape) for weight in layer.get_weights()]
            layer.set_weights(weights)
    background, before = data if data.tokens is None else None, peak()
    e = lx.explain(model, data[:1], background=background, progress=False)
    assert peak() - before < MOST_MEMORY
    probability = model.predict(data.inputs_for(model), verbose=0)[:1, 0]
    # float32 sums over 5,000 steps
    np.testing.assert_allclose(1 / (1 + np.exp(-e.predictions.values)), probability, rtol=1e-4)
    moved = np.abs(e.predictions.values - e.base_values.values)
    assert moved > 1e-4, "or else the sum of the values would prove nothing"
    assert e.values.shape[1] == LENGTH
    assert np.abs(e.gaps.values) < 0.05 * moved
    assert e.provenance["estimated_error"] < 0.05
