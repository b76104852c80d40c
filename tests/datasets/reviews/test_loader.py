"""The review loaders: the traps of each file, the cache, and what the real files hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets.reviews.files import MOVIE, NUM_SENTENCES, TRAPS, Home, sentences
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain import SequenceData, load_reviews
from lstm_explain.datasets import UnverifiedDataWarning, review_rationales, store
from lstm_explain.datasets.reviews import loader, rule
from lstm_explain.datasets.reviews.archives import Review
from lstm_explain.sequences import make_vocabulary, tokenise

# Every file made here is another one than the official file; what that warns of is tested apart.
pytestmark = pytest.mark.filterwarnings("ignore::lstm_explain.datasets.store.UnverifiedDataWarning")
MOVIE_WORDS = ["it", "'s", "a", "film", ",", "but", "well", "-", "made", "!", "not", "bad", "."]
MARKED = ["it", "'s", "but", "well", "-", "made", "not"]


@pytest.fixture(scope="module")
def real(
    data_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., SequenceData]]:
    """Load the real reviews, parsed anew once."""
    with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedDataWarning)
        folder = str(tmp_path_factory.mktemp("cache"))

        def load(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            monkeypatch.setenv(store.CACHE_VARIABLE, folder)
            return function(*arguments, data_home=data_home, progress=False, **options)

        yield load


def own_words(data: SequenceData, row: int) -> list[str]:
    return data.words[row][data.mask[row]].tolist()


# -- a small data home -----------------------------------------------------------------------------
def test_sentences_with_the_traps_of_their_encoding(home: Home) -> None:
    data = home.load("rt_polarity", vocabulary_size=1000)
    assert data.class_names == ("negative", "positive")
    assert data.target_name == "sentiment"
    assert data.target is not None
    assert data.ids is not None
    assert data.split is not None
    assert np.bincount(data.target).tolist() == [20, 20]
    assert [len(data.train), len(data.validation), len(data.test)] == [32, 4, 4]
    for sign, target in (("neg", 0), ("pos", 1)):
        row = data.ids.tolist().index(f"rt-polarity.{sign}:{NUM_SENTENCES}")
        assert data.target[row] == target
        own = tokenise(TRAPS + sign)
        assert own[:5] == ["it", "is", "n't", "good", "…"]
        assert own_words(data, row) == [w if w in data.vocabulary else "[UNK]" for w in own]
    lines = [line for sign in ("neg", "pos") for line in sentences(sign)]
    train = [lines[row] for row in np.flatnonzero(data.split == "train")]
    assert data.vocabulary == make_vocabulary(train)


def test_pages_lose_their_line_breaks_and_repetitions(home: Home) -> None:
    files = home.files["imdb"]
    files["aclImdb/train/neg/1_3.txt"] = files["aclImdb/test/neg/2_3.txt"]  # leaves train
    files["aclImdb/train/pos/3_3.txt"] = "The  SAME words"
    files["aclImdb/train/pos/4_3.txt"] = "the same<br />words"
    files["aclImdb/test/neg/5_3.txt"] = files["aclImdb/test/neg/6_3.txt"]
    files["aclImdb/train/unsup/7_0.txt"] = "not labelled"
    files["aclImdb/train/urls_unsup.txt"] = "http://"
    home.pack("imdb")
    data = home.load("imdb")
    assert data.ids is not None
    assert data.test.ids is not None
    gone = {"train/neg/1_3", "train/pos/4_3", "test/neg/6_3"}
    expected = {
        f"{p}/{s}/{n}_3" for p in ("train", "test") for s in ("neg", "pos") for n in range(10)
    }
    assert set(data.ids) == expected - gone
    assert {review.split("/")[0] for review in data.test.ids} == {"test"}
    assert [len(data.train), len(data.validation), len(data.test)] == [16, 2, 19]
    assert data.target is not None
    assert data.target.tolist() == [int("/pos/" in review) for review in data.ids]
    assert own_words(data, 0)[:5] == ["good", ".", "it", "is", "n't"]


def test_a_film_is_not_in_the_training_part_and_in_validation(home: Home) -> None:
    """The reviews of a folder of one number are of one film, and so are those of the other sign."""
    data = home.load("imdb")
    films = {
        part: {review.split("/")[2] for review in getattr(data, part).ids}
        for part in ("train", "validation")
    }
    assert len(films["validation"]) == 1
    assert not films["train"] & films["validation"]
    assert len(data.validation) == 2


def test_marks_of_people_stay_on_their_words(home: Home) -> None:
    data = home.load("movies", vocabulary_size=1000)
    assert data.ids is not None
    assert data.split is not None
    assert dict(zip(data.ids.tolist(), data.split.tolist(), strict=True)) == {
        f"{sign}R_{number}.txt": part
        for sign in ("neg", "pos")
        for number, part in (("1", "train"), ("2", "validation"), ("3", "test"))
    }
    assert own_words(data, 0) == MOVIE_WORDS
    marked = rationales(home, data)
    for row, review in enumerate(data.ids):
        words = data.words[row][marked[row]].tolist()
        assert words == ([] if review == "posR_3.txt" else MARKED)
    chosen = data[[3, 0]]
    np.testing.assert_array_equal(rationales(home, chosen), marked[[3, 0]])


@pytest.mark.parametrize("max_words", [1, 5, 13, 50])
@pytest.mark.parametrize("truncate", ["end", "start"])
def test_marks_of_shortened_reviews(home: Home, max_words: int, truncate: str) -> None:
    part = slice(max_words) if truncate == "end" else slice(-max_words, None)
    # A second review, shorter than the first: its padding has no marks.
    home.files["eraser_movies"]["movies/docs/posR_1.txt"] = MOVIE + " and longer than the others"
    home.pack("eraser_movies")
    whole = home.load("movies")
    data = home.load("movies", max_words=max_words, truncate=truncate)
    every, cut = rationales(home, whole), rationales(home, data)
    assert data.mask.shape[1] <= max_words
    for row in range(len(data)):
        assert cut[row][data.mask[row]].tolist() == every[row][whole.mask[row]][part].tolist()
    assert not cut[~data.mask].any()


def rationales(home: Home, data: SequenceData) -> np.ndarray:
    return review_rationales(data, data_home=home.folder, progress=False)


@given(st.text())
def test_cutting_word_by_word_is_cutting_the_text(text: str) -> None:
    """On this rests that a mark over text.split() reaches exactly the words it becomes."""
    assert tokenise(text) == [word for part in text.split() for word in tokenise(part)]


def test_rationales_of_other_data(home: Home) -> None:
    message = r'from load_reviews\("movies"\) or "sample"; received \'rt-polarity\'\. Load one'
    with pytest.raises(ValueError, match=message):
        rationales(home, home.load("rt_polarity"))
    with pytest.raises(ValueError, match="received 'text'"):
        review_rationales(SequenceData.from_texts(["good"]))
    data = home.load("movies")
    assert data.tokens is not None
    data.tokens[1, 4] = 1
    with pytest.raises(ValueError, match=r"others in sample 1 \(id '\w+R_\d\.txt'\)\. Give the"):
        rationales(home, data)


def test_the_sample_is_a_source() -> None:
    data = load_reviews()
    assert data.name == loader.SAMPLE_NAME
    assert data.class_names == ("negative", "positive")
    np.testing.assert_array_equal(review_rationales(data.test), rule.true_rationale(data.test))
    with pytest.raises(ValueError, match=r"the sample whole; received max_words=5, truncate='end'"):
        load_reviews(max_words=5)


def test_unknown_source() -> None:
    with pytest.raises(ValueError, match=r"\['sample', 'rt_.*; received 'yelp'\. For texts of"):
        load_reviews("yelp")  # type: ignore[arg-type]


# -- the cache -------------------------------------------------------------------------------------
@pytest.mark.parametrize("source", list(loader.CORPORA))
def test_second_time_comes_from_the_cache(
    home: Home, source: Any, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    first = home.load(source)

    def fail(*arguments: object) -> None:
        raise AssertionError("parsed again")

    with monkeypatch.context() as patched:
        patched.setattr(loader, "_parse", fail)
        second = home.load(source)
        cut = home.load(source, max_words=2, vocabulary_size=4)
    for name in ("tokens", "mask", "target", "ids", "split"):
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))
    assert second.vocabulary == first.vocabulary
    assert (cut.mask.shape[1], len(cut.vocabulary)) == (2, 4)
    # Another rule for words, or another parser: another entry.
    for name in ("RULE_VERSION", "PARSER_VERSION"):
        monkeypatch.setattr(loader, name, 99)
        home.load(source)
    assert len(list(cache.iterdir())) == 3


def test_progress_is_shown_and_can_be_silenced(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.load("rt_polarity")
    assert capsys.readouterr().err == ""
    load_reviews("imdb", data_home=home.folder)
    assert "reading IMDB" in capsys.readouterr().err


def test_archive_that_is_not_the_official_one_is_named(home: Home) -> None:
    with pytest.warns(UnverifiedDataWarning, match=r"movies\.tar\.gz is not the official") as found:
        data = load_reviews("movies", data_home=home.folder, progress=False)
    assert [Path(warning.filename) for warning in found] == [Path(__file__)]
    with pytest.warns(UnverifiedDataWarning) as found:
        rationales(home, data)
    assert [Path(warning.filename) for warning in found] == [Path(__file__)]


# -- what is refused -------------------------------------------------------------------------------
def test_missing_file_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {
        name: entry._replace(url=f"http://127.0.0.1:9/{name}")
        for name, entry in store.registry().items()
    }
    monkeypatch.setattr(store, "registry", lambda: nowhere)
    monkeypatch.setattr(store, "_user_cache", lambda: tmp_path / "user")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    message = r"Expected the file .*aclImdb_v1\.tar\.gz; it is not there(.|\n)*put it into a folder"
    with pytest.raises(FileNotFoundError, match=message):
        load_reviews("imdb", data_home=tmp_path, progress=False)


# -- splits ----------------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["train", "test"]))))
def test_no_text_stays_twice(drawn: list[tuple[str, str]]) -> None:
    given = [Review(str(n), part, 0, [word]) for n, (word, part) in enumerate(drawn)]
    kept = loader._without_repetitions(given)
    assert sorted(review.words[0] for review in kept) == sorted({word for word, _ in drawn})
    in_test = {word for word, part in drawn if part == "test"}
    assert {r.words[0] for r in kept if r.part == "test"} == in_test
    assert [int(review.id) for review in kept] == sorted(int(review.id) for review in kept)


# -- the real files --------------------------------------------------------------------------------
def ids_and_counts(data: SequenceData) -> dict[str, int]:
    assert data.ids is not None
    assert len(set(data.ids.tolist())) == len(data)
    return {part: len(getattr(data, part)) for part in ("train", "validation", "test")}


def test_real_sentences(real: Callable[..., Any]) -> None:
    data = real(load_reviews, "rt_polarity")
    assert ids_and_counts(data) == {"train": 8530, "validation": 1066, "test": 1066}
    assert np.bincount(data.target).tolist() == [5331, 5331]
    assert data.ids.tolist()[0] == "rt-polarity.neg:1"
    assert data.ids.tolist()[-1] == "rt-polarity.pos:5331"
    row = data.ids.tolist().index("rt-polarity.pos:3")
    assert own_words(data, row)[:3] == ["effective", "but", "too"]
    assert len({tuple(row) for row in data.tokens.tolist()}) > 10_600  # hardly any alike
    assert (data.test.tokens[data.test.mask] == 1).mean() < 0.08
    assert "n't" in data.vocabulary[:100]
    assert not any("\x85" in word or "\ufffd" in word for word in data.vocabulary)


@pytest.mark.long
def test_real_pages(real: Callable[..., Any]) -> None:
    data = real(load_reviews, "imdb", max_words=400)
    # 50,000 less 123 + 95 of the training part and 201 of the test part.
    assert ids_and_counts(data) == {"train": 22_317, "validation": 2_461, "test": 24_799}
    assert abs(data.target.mean() - 0.5) < 0.005
    assert data.mask.shape[1] == 400
    rows = {part: getattr(data, part) for part in ("train", "validation", "test")}
    texts = {part: {row.tobytes() for row in own.tokens} for part, own in rows.items()}
    # Cut after 400 words and with unknown ones alike; whole, none are.
    assert len(texts["test"] & (texts["train"] | texts["validation"])) == 0
    assert all(("test/" in review) == (part == "test") for review, part in
               zip(data.ids.tolist(), data.split.tolist(), strict=True))  # fmt: skip
    assert "br" not in data.vocabulary[:2000]


@pytest.mark.slow
def test_real_marks(real: Callable[..., Any]) -> None:
    data = real(load_reviews, "movies", max_words=1000)
    assert ids_and_counts(data) == {"train": 1600, "validation": 200, "test": 199}
    assert np.bincount(data.target).tolist() == [1000, 999]
    whole = real(load_reviews, "movies")
    marked = real(review_rationales, whole)
    for part, share in (("train", 0.09), ("validation", 0.07), ("test", 0.30)):
        chosen = whole.split == part
        assert round(marked[chosen].sum() / whole.mask[chosen].sum(), 2) == share
    unmarked = whole.ids[~marked.any(axis=1)]
    assert unmarked.tolist() == ["posR_161.txt"]
    np.testing.assert_array_equal(real(review_rationales, data), marked[:, :1000])
    # The first passage of the first line of test.jsonl: words 40 to 43 of the text.
    [row] = np.flatnonzero(whole.ids == "negR_900.txt")
    passages = " ".join(whole.words[row][marked[row]])  # "giggled" is too rare for the vocabulary
    assert passages.startswith("i even [UNK] something about these films causes me to lower my")
    assert "does n't quite pass the test . sure enough" in passages
