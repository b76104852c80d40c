"""Accuracy on real reviews: python tests/benchmarks/reviews_accuracy.py rt_polarity 3 (or imdb 1).

The number is that of seeds. Each trains an LSTM that starts from word vectors of the training
texts (`learn_word_vectors`) and one that does not. Beside them stands a logistic regression on the
TF-IDF of words and pairs of words, its penalty chosen on the validation part. Needs the files:
LSTM_EXPLAIN_DATA, or a download.
"""

from __future__ import annotations

import sys
import time

import lstm_explain as lx

# Fewer and longer texts need fewer epochs and less time for each.
OPTIONS = {
    "rt_polarity": {"epochs": 15, "patience": 3},
    "imdb": {"epochs": 6, "patience": 2},
}
# Chosen on the validation part, as are the epochs: in long reviews of known films naive Bayes
# remembers the films.
BESIDE = {"rt_polarity": lx.models.WordRatios(), "imdb": None}
# Of long reviews the end is read, where the verdict stands.
CUT = {"rt_polarity": {}, "imdb": {"max_words": 800, "truncate": "start"}}


def trained(
    data: lx.SequenceData,
    source: str,
    seed: int,
    *,
    beside: lx.models.WordRatios | None,
    word_vectors: lx.models.WordVectors | None = None,
) -> lx.TrainingRun:
    model = lx.build_model(
        data,
        bidirectional=True,
        dropout=0.5,
        word_dropout=0.2,
        beside=beside,
        word_vectors=word_vectors,
        seed=seed,
    )
    return lx.train(
        model,
        data,
        learning_rate=2e-3,
        seed=seed,
        progress=False,
        **OPTIONS[source],
    )


def main(source: str, seeds: int) -> None:
    data = lx.load_reviews(source, progress=False, **CUT[source])  # type: ignore[arg-type]
    print(data, flush=True)
    start = time.perf_counter()
    vectors = lx.models.learn_word_vectors(data)
    print(f"{vectors}, learned in {time.perf_counter() - start:.0f} s", flush=True)
    for seed in range(seeds):
        for name, found in {"learned": vectors, "random": None}.items():
            run = trained(
                data,
                source,
                seed,
                beside=BESIDE[source],
                word_vectors=found,
            )
            accuracy = run.to_frame()["accuracy"]
            print(
                f"seed {seed}, {name} word vectors: accuracy {accuracy['this model']:.3f}, "
                f"regression {accuracy['logistic regression on words']:.3f}; "
                f"{len(run.history)} epochs in "
                f"{run.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
