"""Words of a text, vocabularies, and token ids as words again."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import as_path, check_flag, check_type, check_whole, described
from ..files import atomic_path
from .validation import check_characters

if TYPE_CHECKING:
    from .data import SequenceData

# A text cannot contain them: the rule below makes three words of "[PAD]".
PAD, UNKNOWN = "[PAD]", "[UNK]"
SPECIAL_WORDS = (PAD, UNKNOWN)
# The longest English word in use has 28 letters; what is longer is a web address or a stuck key.
MAX_LENGTH = 40
MAX_MARKS = 3
# Raise it whenever the rule splits a text in another way: split texts are kept in caches.
RULE_VERSION = 1
FORMAT = "lstm_explain vocabulary 1"
# Parts of "isn't" and "it's" that are words of their own.
ENDINGS = r"(?i:n't|'(?:s|re|ve|ll|d|m))"
APOSTROPHES = "[\u2018\u2019`\u00b4]"
JOINER = "\u200d"  # makes one emoji of several
PICTURES = "\u2190-\u2bff\U0001f000-\U0001faff"
STRAY_JOINER = re.compile(rf"{JOINER}(?![{PICTURES}])")


def tokenise(text: str, *, lower: bool = True) -> list[str]:
    """Split a text into words by a fixed rule.

    - The text is brought into one spelling (Unicode NFC) and into lower case. Inside a word,
      curly apostrophes and accents that stand for one become '.
    - A word is a run of letters and digits with their accents. An apostrophe between letters
      belongs to it ("o'clock"), and so does a mark between digits ("7.5", "10/10", "1,000"): a
      number is one word.
    - The endings n't, 's, 're, 've, 'll, 'd and 'm are words of their own: "isn't" becomes "is"
      and "n't", "can't" becomes "ca" and "n't". So the negation is always the same word, with a
      SHAP value of its own.
    - A hyphen separates: "heavy-handed" is "heavy", "-", "handed", so that the vocabulary may have
      the parts of a rare compound.
    - Every other mark is a word; a run of the same mark is one, of at most three: "....." becomes
      "...". An emoji is a word, also one that is composed of several.
    - A word longer than 40 characters is shortened to 39 and "…", and never enters a vocabulary.
    - Invisible characters (joiners, direction marks, soft hyphens) are removed; control characters,
      lone surrogates and unassigned ones count as a space.

    The rule is for languages that write spaces between words. For others, split the texts with a
    tool for that language and give lists of words to ``SequenceData.from_texts``.

    Parameters
    ----------
    text : str
    lower : bool
        False keeps capital letters.

    Returns
    -------
    list of str
        No word is empty or has a space in it. A text without any visible character gives [].

    Raises
    ------
    TypeError
        Bytes, or anything else that is no text.

    Examples
    --------
    >>> tokenise("It isn't bad... 7.5/10, over-long!")
    ['it', 'is', "n't", 'bad', '...', '7.5/10', ',', 'over', '-', 'long', '!']
    """
    check_text(text)
    check_flag(lower=lower)
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_CLEAN)
    text = STRAY_JOINER.sub("", text.lower() if lower else text)
    text = unicodedata.normalize("NFC", text)
    plain = text.isascii() or not any(map(_is_accent, set(text)))
    apostrophes, endings, word = _patterns(plain)
    text = endings.sub(r" \g<0>", apostrophes.sub("'", text))
    return [_short(match[0]) for match in word.finditer(text)]


def check_text(text: Any, where: str = "") -> None:
    """Raise unless `text` is a text."""
    if isinstance(text, bytes | bytearray | memoryview):
        raise TypeError(
            f"Expected text{where}; received {type(text).__name__}. Decode it with the encoding "
            'that it was written in: .decode("utf-8") or .decode("cp1252").'
        )
    if not isinstance(text, str):
        raise TypeError(
            f"Expected text{where}; received {type(text).__name__} ({text!r:.60}). Drop missing "
            "texts, and convert others with str(...)."
        )


def make_vocabulary(
    texts: Iterable[str | Sequence[str]], size: int = 20_000, at_least: int = 2
) -> tuple[str, ...]:
    """Return the words that a model learns, most frequent first; the position of a word is its id.

    Give it the training texts only: words taken from the test texts are a leak.

    Parameters
    ----------
    texts : iterable of str, or of lists of words
    size : int
        Largest number of ids, with those of "[PAD]" (0) and "[UNK]" (1).
    at_least : int
        Words that occur less often are left out. With 2, words seen once are read as "[UNK]", so
        that the model meets unknown words while it learns.

    Returns
    -------
    tuple of str
        Words that are equally frequent stand in alphabetical order.

    Examples
    --------
    >>> make_vocabulary(["good, good film", "not good", "film noir"])
    ('[PAD]', '[UNK]', 'good', 'film')
    """
    check_whole(
        least=3, remedy=f"{PAD} and {UNKNOWN} are two words; a usual choice is 20000.", size=size
    )
    check_whole(least=1, at_least=at_least)
    if isinstance(texts, str | bytes):
        raise TypeError(f"Expected several texts; received one, {texts!r:.60}. Give a list.")
    check_type(Iterable, "Give a list of texts.", texts=texts)
    counts: Counter[str] = Counter()
    for text in texts:
        words: Any = text
        if isinstance(words, bytes) or not isinstance(words, Iterable):
            check_text(words)
        counts.update(tokenise(text) if isinstance(text, str) else text)
    often = [word for word, count in counts.items() if count >= at_least and may_be_known(word)]
    often.sort(key=lambda word: (-counts[word], word))
    return (*SPECIAL_WORDS, *often[: size - len(SPECIAL_WORDS)])


def may_be_known(word: str) -> bool:
    """Tell whether a word may have an id: it was not shortened, and is no placeholder."""
    is_short = len(word) == MAX_LENGTH and word.endswith("…")
    return len(word) <= MAX_LENGTH and not is_short and word not in SPECIAL_WORDS


def special_ids(vocabulary: Sequence[str]) -> list[int]:
    """Return the ids of "[PAD]" and "[UNK]", as far as a vocabulary has them."""
    return [position for position, word in enumerate(vocabulary) if word in SPECIAL_WORDS]


def save_vocabulary(vocabulary: Sequence[str], path: str | Path) -> None:
    """Write a vocabulary as JSON, to be kept beside the model that learned it.

    Parameters
    ----------
    vocabulary : sequence of str
        The word of each token id.
    path : path

    Examples
    --------
    >>> save_vocabulary(data.vocabulary, "reviews.json")   # doctest: +SKIP
    """
    words, path = check_vocabulary(vocabulary, "the vocabulary"), as_path(path)
    text = json.dumps({"format": FORMAT, "words": words}, ensure_ascii=False, indent=0)
    with atomic_path(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def load_vocabulary(path: str | Path, num_words: int | None = None) -> tuple[str, ...]:
    """Read a vocabulary that `save_vocabulary` wrote.

    Parameters
    ----------
    path : path
    num_words : int, optional
        How many ids the model knows: the `input_dim` of its Embedding layer. A vocabulary of
        another length belongs to another model, and would show wrong words.

    Raises
    ------
    ValueError
        The file is no vocabulary, is damaged, or belongs to another model.

    Examples
    --------
    >>> load_vocabulary("reviews.json", model.get_layer("embedding").input_dim)  # doctest: +SKIP
    """
    path = as_path(path)
    check_whole(least=1, optional=True, num_words=num_words)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # damaged, or bytes that are no text
        raise ValueError(
            f"Expected a vocabulary in JSON; {path} cannot be read: {error}. Write it again with "
            "save_vocabulary."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(
            f"Expected a file with the format {FORMAT!r}; received another in {path}. Give the "
            "file that save_vocabulary wrote."
        )
    words = check_vocabulary(content.get("words"), str(path))
    if num_words is not None and len(words) != num_words:
        raise ValueError(
            f"Expected a vocabulary of {num_words} words, as many as the model knows; received "
            f"{len(words)} in {path}. Give the vocabulary that the model was trained with."
        )
    return words


def check_vocabulary(words: Any, where: str) -> tuple[str, ...]:
    """Validate a vocabulary and return it as a tuple."""
    wrong = ""
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        wrong = f"{described(words)}, which is no list of words"
    elif tuple(words[:2]) != SPECIAL_WORDS:
        wrong = f"{list(words[:2])} in front"
    elif len(set(words)) < len(words):
        wrong = f"{Counter(words).most_common(1)[0][0]!r} twice"
    if wrong:
        raise ValueError(
            f"Expected different words, the first two {PAD} and {UNKNOWN}, in {where}; received "
            f"{wrong}. Make it with make_vocabulary."
        )
    check_characters({where: words})
    return tuple(words)


def vocabulary_digest(vocabulary: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that change with any word of a vocabulary, or their order."""
    return hashlib.sha256(json.dumps(list(vocabulary)).encode()).hexdigest()[:16]


class _Cleaning(dict[int, str]):
    """The replacement of each character that is not plain: itself, nothing or a space."""

    def __missing__(self, code: int) -> str:
        character, category = chr(code), unicodedata.category(chr(code))
        kept = character
        if category in ("Cc", "Cs", "Co", "Cn"):
            kept = " "
        elif (category == "Cf" and character != JOINER) or 0xFE00 <= code <= 0xFE0F:
            kept = ""
        self[code] = kept
        return kept


_CLEAN = _Cleaning()


@cache
def _patterns(plain: bool) -> tuple[re.Pattern[str], ...]:
    r"""Return the patterns of apostrophes inside words, of endings, and of words.

    Python's \w lacks the accents that are characters of their own, without which words of many
    scripts would be split; they are listed from the Unicode table. Plain text has none of them and
    is read several times faster without.
    """
    accents = "" if plain else "".join(filter(_is_accent, map(chr, range(0x20000))))
    letter, inner = r"[^\W_]", rf"[^\W_]|[{accents}]" if accents else r"[^\W_]"
    letters = rf"{letter}(?:{inner})*"
    picture = rf"[{PICTURES}][{accents}\U0001f3fb-\U0001f3ff]*"
    return (
        re.compile(rf"(?<={inner}){APOSTROPHES}(?={letter})"),
        re.compile(rf"(?<={inner}){ENDINGS}(?={ENDINGS}|(?!{inner}))"),
        re.compile(
            rf"{ENDINGS}(?!{inner})"
            rf"|{letters}(?:(?:'|(?<=\d)[.,:/](?=\d)){letters})*"
            rf"|[\U0001f1e6-\U0001f1ff]{{2}}"  # a flag
            rf"|{picture}(?:{JOINER}{picture})*"
            rf"|([^\w\s{accents}{JOINER}]|_)\1*"
        ),
    )


def _is_accent(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _short(word: str) -> str:
    if not (word[0].isalnum() or len(word) <= MAX_MARKS or word[0] != word[1]):
        return word[:MAX_MARKS]
    return word if len(word) <= MAX_LENGTH else word[: MAX_LENGTH - 1] + "…"


def words_read(data: SequenceData) -> np.ndarray:
    """Return the words that the model reads, str (sample, time); "" on padded steps."""
    if data.tokens is None:
        raise ValueError(
            "Expected a text to read words from; received numeric sequences. Use display_values."
        )
    vocabulary = np.array(data.vocabulary)
    read = vocabulary[data.tokens] if data.vocabulary else data.tokens.astype(str)
    return np.where(data.mask, read, "")


def written_words(data: SequenceData, unseen: str = "{}") -> np.ndarray:
    """Return the words as they were written, (sample, time); `unseen` formats unknown words."""
    words = words_read(data)
    if data.unknown_words is None:
        return words
    written = words.astype(object)
    written[words == UNKNOWN] = [unseen.format(w) for text in data.unknown_words for w in text]
    return written.astype(str)


def kept_unknown(samples: Any, tokens: Any, unknown: int) -> np.ndarray:
    """Return the words of each sample whose id is `unknown`, object (sample,) of tuples."""
    kept = np.empty(len(samples), object)
    for row, (sample, ids) in enumerate(zip(samples, tokens, strict=True)):
        kept[row] = tuple(sample[position] for position in np.flatnonzero(ids == unknown))
    return kept
