"""Accuracy on real reviews: python tests/benchmarks/reviews_accuracy.py rt_polarity 3 (or imdb 1).

The number is that of seeds. Beside the LSTM stands a logistic regression on the TF-IDF of words and
pairs of words, its penalty chosen on the validation part. Needs the files: LSTM_EXPLAIN_DATA, or a
download.
"""

from __future__ import annotations

import sys

import numpy as np

import lstm_explain as lx
from lstm_explain.datasets.reviews_baseline import bag_of_words_forecast

# Fewer and longer texts need fewer epochs and less time for each.
OPTIONS = {
    "rt_polarity": {"epochs": 15, "patience": 3},
    "imdb": {"epochs": 4, "patience": 2},
}
MAX_WORDS = {"rt_polarity": None, "imdb": 400}


def trained(
    data: lx.SequenceData,
    source: str,
    seed: int,
    naive_bayes: bool = True,
    baselines: dict[str, np.ndarray] | None = None,
) -> lx.TrainingRun:
    model = lx.build_model(
        data,
        bidirectional=True,
        dropout=0.5,
        word_dropout=0.3,
        naive_bayes=naive_bayes,
        seed=seed,
    )
    return lx.train(
        model,
        data,
        learning_rate=2e-3,
        seed=seed,
        baselines=baselines,
        progress=False,
        **OPTIONS[source],
    )


def main(source: str, seeds: int) -> None:
    data = lx.load_reviews(source, max_words=MAX_WORDS[source], progress=False)  # type: ignore[arg-type]
    print(data, flush=True)
    baselines = {"words": bag_of_words_forecast(data)}
    for seed in range(seeds):
        run = trained(data, source, seed, baselines=baselines)
        accuracy = run.to_frame()["accuracy"]
        print(
            f"seed {seed}: accuracy {accuracy['this model']:.3f}, bag of words and pairs "
            f"{accuracy['words']:.3f}; {len(run.history)} epochs in {run.seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
