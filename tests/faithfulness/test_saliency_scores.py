"""The example of the scores that the benchmarks use is true."""

import doctest

from benchmarks import saliency_scores


def test_example_of_the_saliency_scores_is_true():
    failed, tried = doctest.testmod(saliency_scores)
    assert failed == 0
    assert tried > 0
