"""The bag of words: what it learns from, and what it cannot see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm_explain import SequenceData
from lstm_explain.datasets.reviews.baseline import bag_of_words_forecast


def texts(pattern: tuple[list[str], list[str]], num: int = 120) -> SequenceData:
    """Return texts of two patterns in turn, with a neutral word at a random place."""
    rng = np.random.default_rng(0)
    samples = []
    for row in range(num):
        words = list(pattern[row % 2])
        samples.append([*words, *["film"] * rng.integers(1, 4)])
    target = np.arange(num) % 2
    return SequenceData.from_texts(samples, target.tolist(), at_least=1).split_by_group(0.2, 0.2)


def accuracy(data: SequenceData) -> float:
    return float(((bag_of_words_forecast(data) > 0.5) == data.test.target).mean())


def test_it_reads_words_and_pairs_but_no_order_across_them() -> None:
    assert accuracy(texts((["dull"], ["moving"]))) == 1
    # The same words, told apart by a pair alone.
    assert accuracy(texts((["not", "good", "bad"], ["not", "bad", "good"]))) == 1
    # The same words and pairs but one that both have twice: only a longer memory tells them apart.
    one = ["a", "b", "c", "b", "a", "b"]
    other = ["a", "b", "a", "b", "c", "b"]
    assert accuracy(texts((one, other))) < 0.8


def test_neither_the_test_targets_nor_the_test_words_are_learned_from() -> None:
    data = texts((["dull"], ["moving"]))
    before = bag_of_words_forecast(data)
    target = np.where(data.split == "test", 1 - data.target, data.target)
    np.testing.assert_array_equal(bag_of_words_forecast(replace(data, target=target)), before)
    # The validation part chooses the penalty: with its labels turned round, the strongest wins.
    target = np.where(data.split == "validation", 1 - data.target, data.target)
    turned = bag_of_words_forecast(replace(data, target=target))
    strongest = bag_of_words_forecast(data, penalties=(1.0,))
    np.testing.assert_allclose(turned, strongest)
