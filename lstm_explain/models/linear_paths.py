"""Linear paths for ``build_model(beside=...)``: fitted before training, corrected by the LSTM."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from ..arguments import check_whole
from ..backend import keras
from ..sequences.data import SequenceData
from ..sequences.splitting import training_part
from ..sequences.words import UNKNOWN, special_ids
from . import layers

# Inverse weight of the squared coefficients, as scikit-learn counts it. On PhysioNet 2012, set A,
# five-fold cross-validation is flat around it.
PENALTY = 0.005


@dataclass(frozen=True)
class TrailingMeans:
    """Beside the LSTM: a linear forecast from the means of features over the last steps.

    For measurements and a target of numbers. A least-squares fit to the training target, which
    training does not change: the LSTM learns what it misses.

    Parameters
    ----------
    features : sequence of str
        Names of the features whose means the forecast is made of.
    spans : sequence of int
        Numbers of last steps to take the means over. (1, 5, 22) are the day, week and month of a
        daily series: the HAR forecast.

    References
    ----------
    Corsi (2009), "A Simple Approximate Long-Memory Model of Realized Volatility".

    Examples
    --------
    >>> import lstm_explain as lx
    >>> data = lx.load_market()  # doctest: +SKIP
    >>> path = TrailingMeans(["log variance"], spans=(1, 5, 22))
    >>> model = lx.build_model(data, beside=path)  # doctest: +SKIP
    """

    features: Sequence[str]
    spans: Sequence[int] = (1, 5, 22)

    def check(self, data: SequenceData) -> None:
        """Raise if the path does not fit the data."""
        if data.tokens is not None or data.task != "regression":
            raise ValueError(
                "Expected measurements and a regression target for TrailingMeans; received "
                f"{_kind(data)}. Leave beside out, or take MeasuredSummaries() or WordRatios() for "
                "two classes."
            )
        spans = self.spans if isinstance(self.spans, Sequence) else [self.spans]
        for span in spans:
            check_whole(least=1, remedy="Try spans=(1, 5, 22).", spans=span)
        listed = isinstance(self.features, Sequence) and not isinstance(self.features, str)
        names = list(self.features) if listed else []
        if not names or not set(names) <= set(data.feature_names):
            raise ValueError(
                f"Expected a list of features among {list(data.feature_names)} for TrailingMeans; "
                f"received {self.features!r}. Give for example [{data.feature_names[0]!r}]."
            )

    def margin(
        self, data: SequenceData, sequence: Any, mask: Any, static: Any, word_dropout: float
    ) -> Any:
        """Fit the path to the training part and return its output (sample, 1)."""
        positions = [data.feature_names.index(name) for name in self.features]
        means = layers.TrailingMeans(positions, self.spans, name="trailing_means")
        train = training_part(data)
        columns = keras.ops.convert_to_numpy(means(train.values, mask=train.mask))
        columns = np.column_stack([columns.astype(np.float64), np.ones(len(train))])
        target = np.asarray(train.target, np.float64)
        target = (target - target.mean()) / (target.std() or 1.0)
        solution = np.linalg.lstsq(columns, target, rcond=None)[0]
        return _weighted_sum(means(sequence, mask=mask), solution[:-1], solution[-1])


@dataclass(frozen=True)
class MeasuredSummaries:
    """Beside the LSTM: a logistic regression on summaries of what was measured.

    For two classes and data with ``fill_missing(indicators=True)``. The summaries of a variable are
    its last value, means of what was measured, and how often it was measured; static facts join
    them. Training does not change the regression: the LSTM learns what it misses.

    Parameters
    ----------
    times : str, optional
        A static fact, such as "age", that the variables' means are also multiplied by: what a mean
        says may depend on it.

    Examples
    --------
    >>> import lstm_explain as lx
    >>> data = lx.load_icu().fill_missing(indicators=True).standardise()    # doctest: +SKIP
    >>> model = lx.build_model(data, beside=MeasuredSummaries(times="age"))  # doctest: +SKIP
    """

    times: str | None = None

    def check(self, data: SequenceData) -> None:
        """Raise if the path does not fit the data."""
        if data.task != "binary" or not data.variables:
            raise ValueError(
                "Expected two classes and data with indicators for MeasuredSummaries; received a "
                f"{data.task} target and {'' if data.variables else 'no '}indicators. Call "
                "data.fill_missing(indicators=True) first, or leave beside out."
            )
        if self.times is not None and self.times not in data.static_names:
            raise ValueError(
                f"Expected times among the static facts {list(data.static_names)} for "
                f"MeasuredSummaries; received {self.times!r}. Leave times out to multiply by none."
            )

    def margin(
        self, data: SequenceData, sequence: Any, mask: Any, static: Any, word_dropout: float
    ) -> Any:
        """Fit the path to the training part and return its log-odds (sample, 1)."""
        from sklearn.linear_model import LogisticRegression

        position = None if self.times is None else data.static_names.index(self.times)
        summaries = layers.MeasuredSummaries(times_static=position, name="summaries")
        train = training_part(data)
        summaries.adapt(train.values, train.mask)
        columns = [
            keras.ops.convert_to_numpy(summaries(part.values, mask=part.mask, static=part.static))
            for part in (train[start : start + 512] for start in range(0, len(train), 512))
        ]
        regression = LogisticRegression(C=PENALTY, max_iter=1000)
        regression.fit(np.concatenate(columns), train.target)
        output = summaries(sequence, mask=mask, static=static)
        return _weighted_sum(output, regression.coef_, regression.intercept_)


@dataclass(frozen=True)
class WordRatios:
    """Beside the LSTM: a naive Bayes classifier of the words.

    For texts of two classes. The words' log ratios between the classes are added up. The ratio is
    the first number of each word's vector: the LSTM reads it too, and training changes it.

    References
    ----------
    Wang and Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification".

    Examples
    --------
    >>> import lstm_explain as lx
    >>> data = lx.load_reviews()
    >>> model = lx.build_model(data, beside=WordRatios())
    >>> [layer.name for layer in model.layers][-3:]
    ['linear_path', 'margin', 'output']
    """

    def check(self, data: SequenceData) -> None:
        """Raise if the path does not fit the data."""
        if data.task != "binary" or UNKNOWN not in data.vocabulary:
            raise ValueError(
                "Expected texts with a vocabulary and two classes for WordRatios; received "
                f"{_kind(data)}. Make them with SequenceData.from_texts, or leave beside out."
            )

    def margin(
        self, data: SequenceData, sequence: Any, mask: Any, static: Any, word_dropout: float
    ) -> Any:
        """Fit the path to the training part and return its log-odds (sample, 1).

        The weight of the ratios' sum is the one that best separates texts of one half of the
        training part by ratios counted in the other half: in the texts that they were counted in,
        ratios promise too much.
        """
        from sklearn.linear_model import LogisticRegression

        train = training_part(data)
        half = _stratified_halves(np.asarray(train.target))
        sums = np.zeros(len(train))
        for part in (0, 1):
            ratios = word_ratios(train[half != part])
            texts = train[half == part]
            sums[half == part] = (ratios[texts.tokens] * texts.mask).sum(axis=1)
        regression = LogisticRegression(C=np.inf).fit(sums[:, None], train.target)
        output = layers.SumOfFirst(word_dropout, name="sum_of_ratios")(sequence, mask=mask)
        return _weighted_sum(output, regression.coef_, regression.intercept_, trainable=True)


LinearPath = TrailingMeans | MeasuredSummaries | WordRatios


def word_ratios(data: SequenceData) -> np.ndarray:
    """Return how much each word speaks for the second class in these texts: (word,).

    The log of the word's share among the words of positive texts over its share among those of
    negative ones; a word counts once per text, and each count starts at 1. 0 for "[PAD]" and
    "[UNK]".

    References
    ----------
    Wang and Manning (2012), equation 2 and section 3.3 (presence instead of counts).
    """
    counts = np.ones((2, len(data.vocabulary)))
    texts: Any = zip(data.tokens, data.mask, data.target, strict=True)  # type: ignore[arg-type]
    for tokens, real, positive in texts:
        counts[positive, np.unique(tokens[real])] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    ratios = np.log(shares[1] / shares[0])
    ratios[special_ids(data.vocabulary)] = 0
    return ratios


def _stratified_halves(target: np.ndarray) -> np.ndarray:
    """Return 0 or 1 for each sample, at random, so that each half has as much of every class."""
    half = np.zeros(len(target), int)
    random = np.random.default_rng(0)
    for label in np.unique(target):
        rows = random.permutation(np.flatnonzero(target == label))
        half[rows] = np.arange(len(rows)) % 2
    return half


def _weighted_sum(columns: Any, weights: Any, bias: Any, trainable: bool = False) -> Any:
    layer = keras.layers.Dense(1, trainable=trainable, name="linear_path")
    output = layer(columns)
    layer.set_weights([np.reshape(weights, (-1, 1)), np.reshape(bias, (1,))])
    return output


def _kind(data: SequenceData) -> str:
    if data.tokens is None:
        return f"measurements and a {data.task} target"
    return f"texts {'' if data.vocabulary else 'without a vocabulary '}and a {data.task} target"


class OldKeywords(TypedDict, total=False):
    """Keywords of `build_model` that ``beside`` replaces; they work for one more release."""

    linear_features: Sequence[str]
    linear_spans: Sequence[int]
    summaries: bool
    summaries_times: str | None
    naive_bayes: bool


def path_of_old_keywords(old: OldKeywords, beside: LinearPath | None) -> LinearPath | None:
    """Return the linear path that the old keywords ask for, with a warning that shows the new."""
    if unknown := set(old) - set(OldKeywords.__annotations__):
        raise TypeError(f"build_model() got an unexpected keyword argument {min(unknown)!r}")
    if beside is not None:
        raise TypeError(f"Expected beside alone; received also {', '.join(old)}. Leave them out.")
    times, summaries = old.get("summaries_times"), bool(old.get("summaries"))
    if times is not None and not summaries:
        raise ValueError(
            f"Expected summaries_times with summaries=True; received {times!r} and "
            f"summaries={summaries}. Use beside=lx.models.MeasuredSummaries(times={times!r})."
        )
    path: LinearPath | None = None
    if len(features := old.get("linear_features", ())) > 0:
        path = TrailingMeans(list(features), old.get("linear_spans", (1, 5, 22)))
    elif summaries:
        path = MeasuredSummaries(times)
    elif old.get("naive_bayes"):
        path = WordRatios()
    warnings.warn(
        f"build_model({', '.join(f'{name}=' for name in old)}) goes in the next release; use "
        f"build_model(data, beside={f'lx.models.{path!r}' if path else None}).",
        FutureWarning,
        stacklevel=3,
    )
    return path
