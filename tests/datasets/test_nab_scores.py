"""The rules of the Numenta benchmark: closed forms, a literal count, and a published row."""

from math import exp
from pathlib import Path

import numpy as np
import pytest
from benchmarks.nab_scores import FALSE_POSITIVE, Series, nab_score, read_nab, windowed_gaussian

ONE = Series("one", np.zeros(100), [(50, 59)])  # its first 15 steps are not scored


def sigmoid(position):
    return 2 / (1 + exp(5 * position)) - 1


def detected(*steps, series=ONE):
    scores = np.zeros(len(series.values))
    scores[list(steps)] = 1
    return nab_score([series], [scores])[0]


@pytest.mark.parametrize(
    ("steps", "gain"),
    [
        ((50,), 1),
        ((59,), sigmoid(-1 / 10) / sigmoid(-1)),
        ((52, 55, 58), sigmoid(-8 / 10) / sigmoid(-1)),  # the first is the best
        ((5, 50), 1),  # while it learns, a detection counts for nothing
        ((30, 50), 1 - FALSE_POSITIVE),
        ((50, 63), 1 + FALSE_POSITIVE * sigmoid(4 / 9)),  # soon after a window costs less
        ((50, 99), 1 - FALSE_POSITIVE),
    ],
)
def test_a_detection_is_worth_what_the_paper_says(steps, gain):
    np.testing.assert_allclose(detected(*steps), 100 * (gain + 1) / 2, rtol=1e-12)


def test_who_never_speaks_has_zero_even_where_speaking_is_worse():
    assert nab_score([ONE], [np.zeros(100)])[0] == 0
    assert detected(20, 21, 22, 99, *range(24, 40)) == 0


def literal(corpus, scores, threshold):
    """Count at one threshold, step by step."""
    total = 0.0
    for series, of_steps in zip(corpus, scores, strict=True):
        best = dict.fromkeys(series.windows, -1.0)
        for step in range(series.num_probation, len(of_steps)):
            if of_steps[step] < threshold:
                continue
            inside = [(a, b) for a, b in series.windows if a <= step <= b]
            before = [(a, b) for a, b in series.windows if b < step]
            if inside:
                [(a, b)] = inside
                gain = sigmoid(-(b - step + 1) / (b - a + 1)) / sigmoid(-1)
                best[a, b] = max(best[a, b], gain)
            elif before:
                a, b = max(before)
                position = (step - b) / (b - a)
                total += FALSE_POSITIVE * (-1 if position > 3 else sigmoid(position))
            else:
                total -= FALSE_POSITIVE
        total += sum(best.values())
    windows = sum(len(series.windows) for series in corpus)
    return 100 * (total + windows) / (2 * windows)


def test_one_threshold_for_all_series_is_the_best_of_a_literal_count(rng):
    corpus = [
        Series("a", np.zeros(120), [(40, 52), (70, 90)]),
        Series("b", np.zeros(80), []),
        Series("c", np.zeros(200), [(100, 119)]),
    ]
    scores = [rng.integers(0, 40, len(series.values)) / 7 for series in corpus]
    for series, of_steps in zip(corpus, scores, strict=True):
        for first, _ in series.windows:
            of_steps[first + 2] += 4  # found, among others that are tied
    each = {level: literal(corpus, scores, level) for level in np.unique(np.concatenate(scores))}
    score, threshold = nab_score(corpus, scores)
    np.testing.assert_allclose(score, max(each.values()), rtol=1e-12)
    np.testing.assert_allclose(each[threshold], score, rtol=1e-12)
    assert score > 20, "or else the best would be not to speak"


@pytest.mark.slow
def test_the_published_row_of_the_windowed_gaussian(data_home: Path):
    """39.6 of the standard profile is published; the threshold here is the best of all."""
    corpus = read_nab(data_home / "nab" / "nab.tar.gz")
    assert (len(corpus), sum(len(series.windows) for series in corpus)) == (58, 116)
    score, _ = nab_score(corpus, [windowed_gaussian(series) for series in corpus])
    assert 39.6 <= score < 40.6
