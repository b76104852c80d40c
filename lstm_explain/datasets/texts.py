"""Texts with classes that travel with the package, one table for each data set."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ..sequences.data import SequenceData, check_data
from ..sequences.words import SPECIAL_WORDS
from .store import package_data


def read_texts(file: str, *, target_name: str, name: str) -> SequenceData:
    """Read a table of the columns split, class and text, whose words a space parts.

    Examples
    --------
    >>> read_texts("sentences.csv.gz", target_name="next word", name="sentences")
    SequenceData 'sentences': 6000 samples x 4-14 words, 24 classes, train 4200 / validation 900 / \
test 900
    """
    table = pd.read_csv(package_data() / file)
    texts = table["text"].str.split(" ").tolist()
    data = SequenceData.from_texts(
        texts,
        table["class"],
        vocabulary=[*SPECIAL_WORDS, *sorted({word for words in texts for word in words})],
        split=table["split"],
        ids=range(1, len(table) + 1),
        target_name=target_name,
        name=name,
    )
    return replace(data, unknown_words=None)  # the vocabulary has every word


def word_lists(data: SequenceData) -> list[list[str]]:
    """Return the words of each text, without padding.

    Examples
    --------
    >>> word_lists(SequenceData.from_texts(["Good film", "Good"], at_least=1))
    [['good', 'film'], ['good']]
    """
    check_data("Make it with SequenceData.from_texts.", data=data)
    return [words[real].tolist() for words, real in zip(data.words, data.mask, strict=True)]
