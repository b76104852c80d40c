"""Time to explain a sentence of 30 words, against shap's: python tests/benchmarks/text_speed.py.

`shap.PartitionExplainer` with shap's text masker and its default budget, on the same sentence and
model, in turns, each called once before. shap asks the model 500 times, ten sentences per call: how
it is called decides, so that both ways are timed, `model.predict` and the faster
`model.predict_on_batch`. The two explanations answer different questions: Owen values over a tree
of neighbouring words, and a path integral; how well they agree is printed too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import shap

import lstm_explain as lx
from lstm_explain.attribution.agreement import spearman
from lstm_explain.backend import keras
from lstm_explain.sequences.words import UNKNOWN

WORDS = 30
REPEATS = 5


def main() -> None:
    data = lx.load_reviews("sample")
    model = lx.build_model(data, bidirectional=True, word_dropout=0.3, beside=None)
    lx.train(model, data, epochs=5, learning_rate=3e-3, progress=False)
    long = data.test[data.test.lengths >= WORDS].words[0, :WORDS].tolist()
    sentence = data[:1].rewrite([long])
    number = {word: position for position, word in enumerate(data.vocabulary)}

    def margins(texts: list[str], chances: Callable[[list[np.ndarray]], np.ndarray]) -> np.ndarray:
        tokens = np.array([[number[word] for word in text.split()] for text in texts], np.int32)
        chance = chances([tokens, tokens > 0])[:, 0]
        return np.log(chance) - np.log1p(-chance)

    def spans(text: str, return_offsets_mapping: bool = True) -> dict[str, list]:
        found = [match.span() for match in re.finditer(r"\S+", text)]
        return {"input_ids": [text[a:b] for a, b in found], "offset_mapping": found}

    # Not collapsed: an absent word keeps its place, as in our explanation.
    masker = shap.maskers.Text(spans, mask_token=f"{UNKNOWN} ", collapse_mask_token=False)
    text = " ".join(long)
    ways = {
        "model.predict": partial(model.predict, verbose=0),
        "model.predict_on_batch": model.predict_on_batch,
    }
    methods = {"lx.explain": lambda: explained(model, sentence)}
    for name, way in ways.items():
        partition = shap.PartitionExplainer(partial(margins, chances=way), masker)
        methods[name] = partial(by_shap, partition, text)
    seconds, values = {name: [] for name in methods}, {}
    for repeat in range(REPEATS + 1):
        for name, method in methods.items():
            start = time.perf_counter()
            values[name] = method()
            if repeat:
                seconds[name].append(time.perf_counter() - start)
    own = np.array(seconds["lx.explain"])
    print(f"{WORDS} words, lx.explain: {1000 * np.median(own):.0f} ms")
    for name in ways:
        ratios = np.sort(np.array(seconds[name]) / own)
        print(
            f"shap.PartitionExplainer by {name}: {1000 * np.median(seconds[name]):.0f} ms, "
            f"{np.median(ratios):.0f} times as long ({ratios[0]:.0f} to {ratios[-1]:.0f}, "
            f"{REPEATS} rounds)"
        )
    both = [values[name][None] for name in ("lx.explain", "model.predict_on_batch")]
    agreement = spearman(*both, np.ones((1, WORDS), bool))[0]
    print(f"Spearman correlation of the two explanations: {agreement:.2f}")


def explained(model: keras.Model, sentence: lx.SequenceData) -> np.ndarray:
    return lx.explain(model, sentence, output=1, progress=False).values.values[0]


def by_shap(partition: shap.PartitionExplainer, text: str) -> np.ndarray:
    return np.ravel(partition([text], silent=True).values[0])


if __name__ == "__main__":
    main()
