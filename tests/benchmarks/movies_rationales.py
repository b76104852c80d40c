"""Which scores agree with people, and with the model? python tests/benchmarks/movies_rationales.py.

ERASER movies: an LSTM with attention learns 1,600 long reviews; 100 test reviews, in which people
marked every passage that supports the class, are scored word by word. Every score is that of one
model and in favour of the class that it predicts; attention has no sign. Per review:

- AUPRC of the scores against the marked words, and of their sums over sentences against the
  sentences in which a word is marked, because people marked passages, not words;
- comprehensiveness and sufficiency: the log-odds lost when the best 1, 5, 10, 20, 50 % of the words
  become "[UNK]", and when all others do; their mean over the shares is compared.

The intervals are those of 5,000 bootstrap samples of the reviews, paired. LIME draws 1,000 versions
of a review, with [UNK] in the place of what it removes. Needs `lime`, which the package does not
depend on, and the files: LSTM_EXPLAIN_DATA, or a download.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import tensorflow as tf
from lime.lime_text import LimeTextExplainer
from removal import removal_outputs
from sklearn.metrics import average_precision_score

import lstm_explain as lx
from lstm_explain.backend import keras
from lstm_explain.faithfulness.removal import SHARES
from lstm_explain.sequences.words import UNKNOWN

MAX_WORDS = 800
EXPLAINED = 100
VERSIONS = 1000  # of a review, for LIME
RESAMPLES = 5000
SEED = 0
SENTENCE_ENDS = (".", "!", "?")


def trained(data: lx.SequenceData) -> keras.Model:
    model = lx.build_model(
        data, bidirectional=True, dropout=0.3, word_dropout=0.3, seed=SEED, beside=None
    )
    run = lx.train(
        model, data, epochs=25, patience=6, learning_rate=2e-3, seed=SEED, progress=False,
    )  # fmt: skip
    accuracy = run.to_frame()["accuracy"]
    print(
        f"accuracy on the test part {accuracy['this model']:.3f}, bag of words and pairs "
        f"{accuracy['logistic regression on words']:.3f}; trained in {run.seconds:.0f} s",
        flush=True,
    )
    return model


def gradient_times_input(model: keras.Model, data: lx.SequenceData) -> np.ndarray:
    """Return d log-odds / d vector . vector of each word."""
    vectors = model.get_layer("embedding").output
    upper = keras.Model([vectors, model.input[1]], model.get_layer("head").output)
    found = []
    for rows in np.array_split(np.arange(len(data)), 10):
        point = model.get_layer("embedding")(data.tokens[rows])
        with tf.GradientTape() as tape:
            tape.watch(point)
            total = tf.reduce_sum(upper([point, tf.constant(data.mask[rows])]))
        found.append(tf.reduce_sum(tape.gradient(total, point) * point, axis=-1).numpy())
    return np.concatenate(found)


def by_lime(model: keras.Model, data: lx.SequenceData) -> np.ndarray:
    number = {word: position for position, word in enumerate(data.vocabulary)}
    steps = data.mask.shape[1]

    def probabilities(texts: list[str]) -> np.ndarray:
        tokens = np.zeros((len(texts), steps), np.int32)
        for row, text in enumerate(texts):
            words = text.split(" ")
            tokens[row, : len(words)] = [number[word] for word in words]
        positive = model.predict([tokens, tokens != 0], batch_size=250, verbose=0)
        return np.hstack([1 - positive, positive])

    explainer = LimeTextExplainer(
        split_expression=lambda text: text.split(" "), bow=False, mask_string=UNKNOWN,
        feature_selection="none", random_state=SEED,
    )  # fmt: skip
    found = np.zeros(data.mask.shape)
    for row, length in enumerate(data.lengths):
        text = " ".join(data.words[row, :length])
        own = explainer.explain_instance(
            text, probabilities, num_features=int(length), num_samples=VERSIONS
        )
        for word, value in own.local_exp[1]:
            found[row, word] = value
        if row % 10 == 9:
            print(f"LIME: {row + 1} reviews", flush=True)
    return found


def agreement_with_people(
    data: lx.SequenceData, truth: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the average precision of each review's words, and of its sentences."""
    of_words, of_sentences = [], []
    for words, real, marks, own in zip(data.words, data.mask, truth, scores, strict=True):
        ends = np.isin(words[real], SENTENCE_ENDS)
        sentence = np.concatenate([[0], np.cumsum(ends)[:-1]])
        marked = np.bincount(sentence, marks[real]) > 0
        of_words.append(average_precision_score(marks[real], own[real]))
        of_sentences.append(average_precision_score(marked, np.bincount(sentence, own[real])))
    return np.array(of_words), np.array(of_sentences)


def main() -> None:
    data = lx.load_reviews("movies", max_words=MAX_WORDS, progress=False)
    model = trained(data)
    drawn = np.random.default_rng(SEED).permutation(len(data.test))[:EXPLAINED]
    some = data.test[np.sort(drawn)]
    truth = lx.datasets.review_rationales(some, progress=False)
    some, truth = some[truth.any(axis=1)], truth[truth.any(axis=1)]
    start = time.perf_counter()
    e = lx.explain(model, some, output=1, progress=False)
    sign = np.sign(e.predictions.values)[:, None]
    scores = {"lx.explain": e.values.values * sign}
    seconds = {"lx.explain": time.perf_counter() - start}
    largest = np.abs(e.gaps.values).max()
    print(
        f"largest gap {largest:.2f} log-odds, spread {e.predictions.values.std():.2f}", flush=True
    )
    for name, score in {
        "attention contribution": lambda: e.attention_contribution.values,
        "attention": lambda: e.attention.values * sign,
        "gradient times input": lambda: gradient_times_input(model, some),
        "LIME": lambda: by_lime(model, some),
        "random": lambda: np.random.default_rng(SEED).random(some.mask.shape) * sign,
    }.items():
        start = time.perf_counter()
        scores[name] = score() * sign
        seconds[name] = time.perf_counter() - start
    print(f"{len(some)} reviews, {truth[some.mask].mean():.2f} of the words marked", flush=True)
    print("seconds:", {name: round(value, 1) for name, value in seconds.items()}, flush=True)
    auprc, of_sentences, lost, kept = {}, {}, {}, {}
    for name, score in scores.items():
        auprc[name], of_sentences[name] = agreement_with_people(some, truth, score)
        for keep, result in ((False, lost), (True, kept)):
            left = removal_outputs(model, some, score, output=1, keep=keep, progress=False)
            result[name] = (e.predictions.values[:, None] - left.values) * sign
    for title, result in (("comprehensiveness", lost), ("sufficiency", kept)):
        table = {name: found.mean(axis=0) for name, found in result.items()}
        print(f"\n{title}\n", pd.DataFrame(table, [f"{s:.0%}" for s in SHARES]).T.round(2))
    compared = {
        "AUPRC of words": auprc,
        "AUPRC of sentences": of_sentences,
        "comprehensiveness": {name: found.mean(axis=1) for name, found in lost.items()},
        "sufficiency": {name: found.mean(axis=1) for name, found in kept.items()},
    }
    rng = np.random.default_rng(SEED)
    resampled = rng.integers(len(some), size=(RESAMPLES, len(some)))
    for title, result in compared.items():
        print(f"\n{title}: mean, and lx.explain less it (95 % interval)")
        for name, found in result.items():
            difference = result["lx.explain"] - found
            low, high = np.quantile(difference[resampled].mean(axis=1), [0.025, 0.975])
            print(
                f"| {name} | {found.mean():.3f} | {difference.mean():.3f} ({low:.3f} to "
                f"{high:.3f}) |"
            )


if __name__ == "__main__":
    main()
