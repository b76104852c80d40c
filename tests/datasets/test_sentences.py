"""The simulated sentences: their next word follows from two words, and not from which words."""

from __future__ import annotations

import numpy as np
import pytest
from make_sentences import SURPRISE, sample_sentences
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

import lstm_explain as lx
from lstm_explain import SequenceData

FOOD, HOME, THING = "ate tasted chewed", "left entered liked", "dropped carried hid"
CAT = dict(zip((FOOD, HOME, THING), ("fish", "basket", "ball"), strict=True))


@pytest.fixture(scope="module")
def sentences() -> SequenceData:
    """Return the sentences with their defaults."""
    return lx.datasets.load_sentences()


def texts_of(data: SequenceData) -> list[str]:
    """Return the words of each sentence in one string."""
    return [" ".join(row[:length]) for row, length in zip(data.words, data.lengths, strict=True)]


def of(sentence: str, data: SequenceData) -> np.ndarray:
    """Return the deciding words of one sentence."""
    text = data[:1].rewrite([sentence])
    return text.words[lx.datasets.deciding_words(text)]


@pytest.mark.parametrize(
    ("sentence", "subject", "verb"),
    [
        ("the cat ate the", "cat", "ate"),
        ("last night , the old cat that saw the brown dog left the", "cat", "left"),
        ("the cat that the hungry dog chased hid the", "cat", "hid"),
        ("suddenly behind the bear the cow carried the", "cow", "carried"),
        ("the bear without the cow liked the", "bear", "liked"),
        ("on monday , while the bird slept the small mouse chewed the", "mouse", "chewed"),
    ],
)
def test_the_subject_and_the_last_verb_decide(sentences, sentence, subject, verb):
    assert of(sentence, sentences).tolist() == [subject, verb]


def test_next_words_follow_the_two_but_for_surprises(sentences):
    """Of a cat and each verb, the word in the table comes in nine sentences of ten."""
    decide = sentences.words[lx.datasets.deciding_words(sentences)].reshape(-1, 2)
    following = np.array(sentences.class_names)[sentences.target]
    for verbs, word in CAT.items():
        chosen = (decide[:, 0] == "cat") & np.isin(decide[:, 1], verbs.split())
        share = (following[chosen] == word).mean()
        # About 250 sentences: 3.5 standard errors of a share of 0.9 are 0.07.
        assert abs(share - (1 - SURPRISE)) < 0.07


def test_word_counts_do_not_give_the_next_word_away(sentences):
    """Which animal is the subject is told by the order alone."""
    counts = CountVectorizer(token_pattern=r"\S+")
    train, test = sentences.train, sentences.test
    model = LogisticRegression(max_iter=300).fit(
        counts.fit_transform(texts_of(train)), train.target
    )
    accuracy = model.score(counts.transform(texts_of(test)), test.target)
    assert accuracy < 0.75  # the rule: 0.9


def test_same_seed_same_sentences(sentences):
    again, other = sample_sentences(), sample_sentences(seed=1)
    np.testing.assert_array_equal(again.tokens, sentences.tokens)
    np.testing.assert_array_equal(again.target, sentences.target)
    np.testing.assert_array_equal(again.split, sentences.split)
    assert texts_of(other) != texts_of(sentences)


def test_other_texts_and_too_few_sentences_are_refused(sentences):
    with pytest.raises(ValueError, match=r"Expected sentences of load_sentences.*'review sample'"):
        lx.datasets.deciding_words(lx.load_reviews()[:2])
    with pytest.raises(ValueError, match=r"such as 'the cat left the'; received 'the cat'"):
        lx.datasets.deciding_words(sentences[:1].rewrite(["the cat"]))
    for other in ("the dog saw the cat left the", "if the bird slept the mouse chewed the"):
        with pytest.raises(ValueError, match=r"Give its data unchanged"):
            lx.datasets.deciding_words(sentences[:1].rewrite([other]))
    while_ = sentences[:1].rewrite(["while the bird slept the mouse chewed the"])
    with pytest.raises(ValueError, match=r"received '\[UNK\] the bird slept"):
        lx.datasets.deciding_words(while_.switch_off(0))
    with pytest.raises(ValueError, match="at least 100 sentences; received num_sentences=3"):
        sample_sentences(num_sentences=3)
