"""The baseline that a recurrent model of reviews has to beat: words and pairs of words, counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...sequences.data import SequenceData, check_data
from ..texts import word_lists

# Inverse weights of the squared coefficients among which the validation part chooses.
PENALTIES = (1.0, 3.0, 10.0, 30.0)


def bag_of_words_forecast(
    data: SequenceData, penalties: tuple[float, ...] = PENALTIES
) -> np.ndarray:
    """Return the test part's probabilities of the second class by TF-IDF and logistic regression.

    Words and pairs of neighbours that occur twice in the training part, with the log of their
    counts; the penalty is the one with the lowest log loss on the validation part.

    Parameters
    ----------
    data : SequenceData
        Split texts with two classes.
    penalties : tuple of float
        As scikit-learn counts them: more is weaker.

    Returns
    -------
    float64 array (test sample,)

    References
    ----------
    Wang and Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification": linear models of words and pairs are hard to beat.

    Examples
    --------
    >>> from lstm_explain import load_reviews
    >>> bag_of_words_forecast(load_reviews("sample")).shape
    (900,)
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    check_data("Use what load_reviews() returns.", data=data)
    parts = data.train, data.validation, data.test
    vectorizer = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True, min_df=2)
    counts = [vectorizer.fit_transform(word_lists(parts[0]))]
    counts += [vectorizer.transform(word_lists(part)) for part in parts[1:]]
    fits = [
        LogisticRegression(C=penalty, max_iter=1000).fit(counts[0], parts[0].target)
        for penalty in penalties
    ]
    losses = [log_loss(parts[1].target, fit.predict_proba(counts[1])) for fit in fits]
    return fits[int(np.argmin(losses))].predict_proba(counts[2])[:, 1]


def _words_and_pairs(words: list[str]) -> list[str]:
    return [*words, *(f"{one} {next_one}" for one, next_one in pairwise(words))]
