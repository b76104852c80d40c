"""Texts of which only the first letter matters."""

import numpy as np
import pytest

import lstm_explain as lx


def test_the_class_is_the_first_letter_and_nothing_else_tells_it():
    data = lx.datasets.load_recall(12, count=4000)
    first, second = data.words[:, 0], data.words[:, 1]
    np.testing.assert_array_equal(np.array(["a", "b"])[data.target], first)
    assert data.class_names == ("a first", "b first")
    long = data.lengths >= 8
    assert long.sum() > 1000
    for letter in "abcd":
        # One standard error of the difference of two such shares is below 0.025.
        shares = [(second[long & (data.target == k)] == letter).mean() for k in (0, 1)]
        assert abs(shares[0] - shares[1]) < 0.1
        assert abs(np.mean(shares) - 0.25) < 0.07
    assert 0.45 < data.target.mean() < 0.55


def test_no_text_stands_in_two_parts():
    data = lx.datasets.load_recall(8, count=2000)
    texts = [" ".join(words).strip() for words in data.words.tolist()]
    assert len(set(texts)) == len(texts)
    shares = {part: (data.split == part).mean() for part in ("train", "validation", "test")}
    np.testing.assert_allclose(list(shares.values()), [0.7, 0.15, 0.15], atol=0.05)


def test_lengths_and_seeds_are_as_asked():
    data = lx.datasets.load_recall(9, shortest=3, count=500)
    assert set(data.lengths.tolist()) == set(range(3, 10))
    same, other = (
        lx.datasets.load_recall(9, shortest=3, count=500),
        lx.datasets.load_recall(9, count=500, seed=1),
    )
    np.testing.assert_array_equal(data.tokens, same.tokens)
    np.testing.assert_array_equal(data.split, same.split)
    assert not np.array_equal(data.tokens[:100], other.tokens[:100])
    assert lx.datasets.load_recall(40, shortest=40, count=50).vocabulary == data.vocabulary


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"longest": 1}, "1 <= shortest <= longest; received shortest=2, longest=1. Give both"),
        ({"longest": 3, "shortest": 0}, "shortest to be a whole number of at least 1; received 0"),
        ({"longest": 2}, "at least 40 different texts; received 8 of 4000 drawn. Make"),
    ],
)
def test_errors_say_the_remedy(options, message):
    with pytest.raises(ValueError, match=message):
        lx.datasets.load_recall(**options)
