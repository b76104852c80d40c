"""Texts for the models of words."""

import numpy as np

from lstm_explain import SequenceData

VOCABULARY = ["[PAD]", "[UNK]", *(f"w{i}" for i in range(10))]


def texts(num=60):
    rng = np.random.default_rng(0)
    tokens = [rng.integers(2, 12, rng.integers(3, 8)) for _ in range(num)]
    target = np.array([int(5 in ids) for ids in tokens])
    return SequenceData.from_tokens(tokens, target, vocabulary=VOCABULARY).split_by_group(0.2, 0.2)
