"""Do explanations find what decides the next word? python tests/benchmarks/next_word.py.

For each seed: 6,000 simulated sentences, an LSTM with attention that learns which word follows, and
its explanation of 100 test sentences. The words are ranked by the size of each score; the truth is
the subject and the last verb. Mean and lowest to highest AUPRC over the seeds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from planted_rationale import auprc_of, print_over_seeds
from samples import sample_sentences

import lstm_explain as lx

EXPLAINED = 100


def scores_of_one(seed: int) -> pd.Series:
    data = sample_sentences(seed)
    model = lx.build_model(data, seed=seed, beside=None)
    run = lx.train(model, data, epochs=8, learning_rate=5e-3, seed=seed, progress=False)
    accuracy = run.to_frame().loc["this model", "accuracy"]
    print(f"seed {seed}: accuracy {accuracy:.3f}, trained in {run.seconds:.0f} s", flush=True)
    some = data.test[:EXPLAINED]
    truth = lx.datasets.deciding_words(some)[..., None]
    e = lx.explain(model, some, tolerance=0.1, progress=False)
    found = {
        "lx.explain": e.values.values,
        "attention contribution": e.attention_contribution.values,
        "attention": e.attention.values,
        "random": np.random.default_rng(seed).random(some.mask.shape),
    }
    return auprc_of(found, truth, some.mask)


if __name__ == "__main__":
    print_over_seeds(scores_of_one)
