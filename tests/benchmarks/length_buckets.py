"""What length buckets save in training.

LSTM_EXPLAIN_DATA=... python tests/benchmarks/length_buckets.py: 2,000 reviews of IMDB, cut after
400 words. One epoch with `LengthBuckets`, as `lx.train` does, one with batches at random, each cut
to its own longest review, and one with all padded to the longest, in turns. Everything is compiled
before the clock starts.
"""

from __future__ import annotations

import time

import numpy as np

import lstm_explain as lx

REVIEWS, BATCH, REPEATS = 2000, 64, 5


class RandomBuckets(lx.models.LengthBuckets):
    """Batches at random, each cut to its own longest text."""

    def on_epoch_end(self) -> None:
        """Draw the batches without a look at the lengths."""
        order = np.random.default_rng(0).permutation(len(self._data))
        self.batches = np.split(order, range(self.batch_size, len(order), self.batch_size))


def main() -> None:
    data = lx.load_reviews("imdb", max_words=400, progress=False).train[:REVIEWS]
    model = lx.build_model(data, bidirectional=True, word_dropout=0.3, beside=None)
    model.compile("adam", "binary_crossentropy")
    feeds = {
        "length buckets": {"x": lx.models.LengthBuckets(model, data, BATCH, seed=0)},
        "at random, cut to the batch": {"x": RandomBuckets(model, data, BATCH)},
        "at random": {"x": data.inputs_for(model), "y": data.target, "batch_size": BATCH},
    }
    seconds: dict[str, list[float]] = {name: [] for name in feeds}
    for repeat in range(REPEATS + 1):
        for name, feed in feeds.items():
            start = time.perf_counter()
            model.fit(**feed, verbose=0)
            if repeat:
                seconds[name].append(time.perf_counter() - start)
    print(f"mean length {data.lengths.mean():.0f} of {data.mask.shape[1]} words")
    own = np.array(seconds.pop("length buckets"))
    print(f"length buckets: {np.median(own):.1f} s an epoch")
    for name, times in seconds.items():
        ratios = np.sort(np.array(times) / own)
        print(
            f"{name}: {np.median(ratios):.1f} times as long ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        )


if __name__ == "__main__":
    main()
