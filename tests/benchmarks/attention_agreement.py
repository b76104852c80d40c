"""Does attention agree with gradients? python tests/benchmarks/attention_agreement.py.

Kendall's tau between the attention of a bidirectional LSTM and the size of each word's gradient:
mean over 300 test sentences of rt-polarity and its standard deviation, as Jain and Wallace (2019)
measure it. They published 0.35 (0.21) for SST, sentences of the same reviews, and 0.44 (0.06) for
IMDB; shorter texts and another model move the number. Two models: with the path of naive Bayes of
`reviews_accuracy`, which attention does not see, and without. The argument is the number of seeds.
Needs the file: LSTM_EXPLAIN_DATA, or a download.
"""

from __future__ import annotations

import sys

import numpy as np
from reviews_accuracy import trained

import lstm_explain as lx
from lstm_explain.faithfulness.attention import agreement_evidence
from lstm_explain.faithfulness.case import open_case

EXPLAINED = 300


def main(seeds: int) -> None:
    data = lx.load_reviews("rt_polarity", progress=False)
    vectors = lx.models.learn_word_vectors(data)
    some = data.test[:EXPLAINED]
    for beside in (lx.models.WordRatios(), None):
        for seed in range(seeds):
            run = trained(data, "rt_polarity", seed, beside=beside, word_vectors=vectors)
            e = lx.explain(run.model, some, output=1, progress=False)
            found = agreement_evidence(open_case(run.model, e), seed)
            print(
                f"{'beside naive Bayes' if beside else 'LSTM alone'}, seed {seed}: "
                f"accuracy {run.metrics['accuracy']:.3f}",
                flush=True,
            )
            for part in found:
                mean, deviation = np.nanmean(part.values), np.nanstd(part.values)
                print(f"    {part.measure}, {part.of}: {mean:.2f} ({deviation:.2f})", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1)
