"""The simulated reviews: the planted rule is what it says, and words alone do not give it away."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import factorial

import numpy as np
import pytest
from make_reviews_sample import sample_reviews
from marks import slow_but
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from lstm_explain import SequenceData
from lstm_explain.datasets.reviews.rule import true_log_odds, true_rationale, true_shapley

pytestmark = pytest.mark.slow

GOOD = "good moving funny clever charming gripping fresh tender witty lovely"
BAD = "bad boring slow dull silly clumsy shallow predictable stale noisy"
VERY_GOOD = "superb brilliant wonderful thrilling"
VERY_BAD = "awful dreadful tedious lifeless"
STRENGTH = {
    **dict.fromkeys(GOOD.split(), 1.0),
    **dict.fromkeys(BAD.split(), -1.0),
    **dict.fromkeys(VERY_GOOD.split(), 1.5),
    **dict.fromkeys(VERY_BAD.split(), -1.5),
}
FACTOR = {"very": 1.6, "really": 1.6, "truly": 1.6, "slightly": 0.5, "somewhat": 0.5}


@pytest.fixture(scope="module")
def reviews() -> SequenceData:
    """Return the reviews with their defaults."""
    return sample_reviews()


@pytest.fixture(scope="module")
def rationale(reviews: SequenceData) -> np.ndarray:
    """Return which words decide."""
    return true_rationale(reviews)


def texts_of(data: SequenceData) -> list[list[str]]:
    """Return the words of each text without padding."""
    return [row[mask].tolist() for row, mask in zip(data.words, data.mask, strict=True)]


def from_words(*texts: list[str]) -> SequenceData:
    """Make data of texts that are given word by word."""
    vocabulary = ["[PAD]", "[UNK]", *sorted({w for text in texts for w in text} - {"[UNK]"})]
    ids = [[vocabulary.index(word) for word in text] for text in texts]
    return SequenceData.from_tokens(ids, vocabulary=vocabulary)


def literal_rule(words: list[str]) -> float:
    """Work out the log-odds of one review, word by word."""
    total = 0.0
    for i, word in enumerate(words):
        if word not in STRENGTH:
            continue
        if any(later in ("but", "yet") for later in words[i + 1 : i + 6]):
            continue
        factor = FACTOR.get(words[i - 1], 1.0) if i else 1.0
        negated = False
        for j in (i - 1, i - 2, i - 3):
            if j < 0 or words[j] in STRENGTH or words[j] in ("but", "yet"):
                break
            if words[j] in ("not", "never", "hardly"):
                negated = True
                break
        total += -0.8 * STRENGTH[word] / factor if negated else STRENGTH[word] * factor
    return 2.8 * total


def without(words: list[str], *absent: int) -> list[str]:
    """Return words of which some are unknown."""
    return ["[UNK]" if i in absent else word for i, word in enumerate(words)]


# -- the rule --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "score", "decisive"),
    [
        ("good", 1, "good"),
        ("it is awful .", -1.5, "awful"),
        ("very good", 1.6, "very good"),
        ("slightly boring", -0.5, "slightly boring"),
        ("not good", -0.8, "not good"),
        ("not very good", -0.5, "not very good"),
        ("never even slightly boring", 1.6, "never slightly boring"),
        ("hardly ever so moving", -0.8, "hardly moving"),
        ("hardly ever that way moving", 1, "moving"),
        ("slow but moving", 1, "but moving"),
        ("slow , yet not moving", -0.8, "yet not moving"),
        ("slow and silly but not moving", -0.8, "but not moving"),
        ("not good but boring", -1, "but boring"),
        ("slow for the first half hour but moving", 0, "slow moving"),
        ("he calls but she does not answer very soon", 0, ""),
        ("not dull and slow", -0.2, "not dull slow"),
        ("[UNK] , and . the", 0, ""),
    ],
)
def test_rule_by_hand(text: str, score: float, decisive: str) -> None:
    data = from_words(text.split())
    assert true_log_odds(data)[0] == pytest.approx(2.8 * score)
    assert data.words[0][true_rationale(data)[0]].tolist() == decisive.split()


def test_rule_equals_the_literal_one(reviews: SequenceData) -> None:
    expected = [literal_rule(words) for words in texts_of(reviews)]
    np.testing.assert_allclose(true_log_odds(reviews), expected, atol=1e-12)


def test_rationale_is_what_changes_the_log_odds(
    reviews: SequenceData, rationale: np.ndarray
) -> None:
    for words, decisive in zip(texts_of(reviews)[:1500], rationale, strict=False):
        whole = literal_rule(words)
        changing = {i for i in range(len(words)) if literal_rule(without(words, i)) != whole}
        assert set(np.flatnonzero(decisive).tolist()) == changing


def test_only_the_words_of_the_rule_are_in_the_rationale(
    reviews: SequenceData, rationale: np.ndarray
) -> None:
    assert not rationale[~reviews.mask].any()
    roles = {*STRENGTH, *FACTOR, "not", "never", "hardly", "but", "yet"}
    assert set(reviews.words[rationale].tolist()) == roles
    # The same words also stand where they decide nothing: a list of words is not the rationale.
    for word in ("not", "never", "hardly", "but", "yet", "very", "slightly", "really", "slow"):
        deciding = rationale[reviews.words == word].mean()
        assert 0.3 < deciding < 0.97, word
    assert rationale.any(axis=1).all()


def test_rule_reads_any_vocabulary(reviews: SequenceData) -> None:
    few = reviews[:50]
    own = from_words(*texts_of(few))
    assert own.vocabulary != few.vocabulary
    np.testing.assert_array_equal(true_log_odds(own), true_log_odds(few))


# -- its true values -------------------------------------------------------------------------------
def enumerated(words: list[str], players: list[int]) -> np.ndarray:
    """Work out the Shapley values by the definition, over all coalitions of the players."""
    values = np.zeros(len(words))
    for player in players:
        others = [p for p in players if p != player]
        for size in range(len(others) + 1):
            share = factorial(size) * factorial(len(others) - size) / factorial(len(players))
            for present in combinations(others, size):
                absent = set(others) - set(present)
                gain = literal_rule(without(words, *absent)) - literal_rule(
                    without(words, *absent, player)
                )
                values[player] += share * gain
    return values


def test_true_values_equal_enumeration(reviews: SequenceData) -> None:
    values = true_shapley(reviews)
    roles = {*STRENGTH, *FACTOR, "not", "never", "hardly", "but", "yet"}
    checked = 0
    for words, row in zip(texts_of(reviews)[:120], values, strict=False):
        players = [i for i, word in enumerate(words) if word in roles]
        if len(players) <= 8:
            np.testing.assert_allclose(row[: len(words)], enumerated(words, players), atol=1e-9)
            checked += 1
    assert checked > 80


def test_words_without_a_role_are_no_players() -> None:
    """The enumeration over every word gives the same as that over the words with a role."""
    text = "the plot , not so good but very slow"
    words = text.split()
    expected = enumerated(words, list(range(len(words))))
    np.testing.assert_allclose(true_shapley(from_words(words))[0], expected, atol=1e-12)


def test_true_values_add_up(reviews: SequenceData) -> None:
    values = true_shapley(reviews)
    np.testing.assert_allclose(values.sum(axis=1), true_log_odds(reviews), atol=1e-9)
    assert not values[~reviews.mask].any()


def test_true_values_find_the_rationale(reviews: SequenceData, rationale: np.ndarray) -> None:
    size = np.abs(true_shapley(reviews))[reviews.mask]
    decisive = rationale[reviews.mask]
    assert average_precision_score(decisive, size) > 0.93
    shuffled = np.random.default_rng(0).permutation(decisive)
    assert average_precision_score(shuffled, size) < 1.2 * decisive.mean()


# -- the reviews -----------------------------------------------------------------------------------
def test_same_seed_same_reviews(reviews: SequenceData) -> None:
    again = sample_reviews()
    for field in ("tokens", "mask", "target", "split", "ids"):
        np.testing.assert_array_equal(getattr(again, field), getattr(reviews, field))
    other = sample_reviews(seed=1)
    assert other.vocabulary == again.vocabulary == reviews.vocabulary
    assert texts_of(other) != texts_of(reviews)
    assert not np.array_equal(other.split, reviews.split)


def test_generator_is_frozen(reviews: SequenceData, rationale: np.ndarray) -> None:
    """Models are scored on these reviews: a generator changed to suit one would show here."""
    position = np.arange(reviews.tokens.shape[1])
    checksum = int((reviews.tokens.astype(np.int64) * (position + 1)).sum())
    assert (reviews.target.sum(), rationale.sum(), checksum) == (3001, 19524, 221176020)


def test_reviews_are_as_described(reviews: SequenceData) -> None:
    assert (reviews.name, reviews.class_names) == ("review sample", ("negative", "positive"))
    assert reviews.vocabulary[:2] == ("[PAD]", "[UNK]")
    assert reviews.lengths.min() >= 8
    assert reviews.lengths.max() <= 40
    assert (reviews.tokens[reviews.mask] >= 2).all()
    sizes = [len(reviews.train), len(reviews.validation), len(reviews.test)]
    assert sizes == [4200, 900, 900]
    # All of the vocabulary occurs in what a model learns from.
    assert set(np.unique(reviews.train.tokens[reviews.train.mask])) == set(
        range(2, len(reviews.vocabulary))
    )


def test_sentences_are_well_formed(reviews: SequenceData) -> None:
    for words in texts_of(reviews):
        assert words[-1] == "."
        for word, following in pairwise(words):
            assert word != following, words
            assert (word == "an") == (word in ("a", "an") and following[0] in "aeio"), words
            assert not (word in (".", ",") and following in (".", ",")), words
            # "very superb" is not said.
            assert not (word in FACTOR and abs(STRENGTH.get(following, 1)) > 1), words


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_as_planned(seed: int) -> None:
    reviews = sample_reviews(seed)
    log_odds = true_log_odds(reviews)
    chance = 1 / (1 + np.exp(-log_odds))
    error = np.sqrt((chance * (1 - chance)).sum()) / len(reviews)
    assert abs(reviews.target.mean() - chance.mean()) < 4 * error
    assert 0.47 < reviews.target.mean() < 0.53
    assert 0.93 < np.maximum(chance, 1 - chance).mean() < 0.97
    assert 0.1 < true_rationale(reviews)[reviews.mask].mean() < 0.2


@pytest.mark.parametrize("vectorizer", [CountVectorizer, TfidfVectorizer])
@pytest.mark.parametrize("seed", slow_but(range(3), 1))
def test_bag_of_words_does_not_solve_it(vectorizer: type, seed: int) -> None:
    reviews = sample_reviews(seed)
    counts = vectorizer(analyzer=list)
    learnt = counts.fit_transform(texts_of(reviews.train))
    for penalty in (0.1, 1.0, 10.0):
        model = LogisticRegression(C=penalty, max_iter=1000).fit(learnt, reviews.train.target)
        accuracy = model.score(counts.transform(texts_of(reviews.test)), reviews.test.target)
        assert 0.5 < accuracy <= 0.75


def test_bag_of_words_solves_it_where_nothing_is_turned_round() -> None:
    """The test above would also pass if the model could not learn."""
    reviews = sample_reviews(num_reviews=4000)
    turning = ("not", "never", "hardly", "but", "yet")
    words = reviews.words
    plain = reviews[~np.isin(words, turning).any(axis=1)]
    counts = CountVectorizer(analyzer=list)
    learnt = counts.fit_transform(texts_of(plain[:400]))
    model = LogisticRegression().fit(learnt, plain.target[:400])
    assert model.score(counts.transform(texts_of(plain[400:])), plain.target[400:]) > 0.85


def test_a_swapped_word_order_is_another_review(reviews: SequenceData) -> None:
    """Sabotage: with the words of each review shuffled, the rule says nearly nothing about it."""
    rng = np.random.default_rng(0)
    shuffled = from_words(*[rng.permutation(words).tolist() for words in texts_of(reviews)])
    right = (true_log_odds(reviews) > 0) == reviews.target
    wrong = (true_log_odds(shuffled) > 0) == reviews.target
    assert right.mean() > 0.93
    assert wrong.mean() < 0.8


def test_too_few_reviews_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected at least 10 reviews.*num_reviews=9\. Make"):
        sample_reviews(num_reviews=9)
    assert len(sample_reviews(num_reviews=10).test) == 2
