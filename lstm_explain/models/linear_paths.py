"""Linear paths for ``build_model(beside=...)``: fitted before training, corrected by the LSTM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import check_number, check_whole
from ..backend import keras
from ..sequences.data import SequenceData
from ..sequences.splitting import training_part
from ..sequences.words import UNKNOWN, special_ids
from . import layers
from .penalised import PENALTIES, Regression, choose_regression, fit_regression

# Without a validation part to choose by. On PhysioNet 2012, set A, five-fold cross-validation is
# flat around it.
USUAL_PENALTY = 0.05


@dataclass(frozen=True)
class TrailingMeans:
    """Beside the LSTM: a penalised regression on the means of features over the last steps.

    For measurements and any target: a linear regression of numbers, a logistic one of classes.
    Training does not change the regression: the LSTM learns what it misses.

    Parameters
    ----------
    features : sequence of str, optional
        Names of the features whose means are taken; all by default.
    spans : sequence of int, optional
        Numbers of last steps to take the means over. (1, 5, 22) are the day, week and month of a
        daily series: the HAR forecast. By default the last step, a sixteenth and a quarter of the
        steps, and all of them.
    penalty : float, optional
        Weight of half of the squared coefficients beside the mean loss of a sample (half of the
        squared error); 0 gives least squares.
        By default the one with the lowest loss on the validation part.

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

    features: Sequence[str] | None = None
    spans: Sequence[int] | None = None
    penalty: float | None = None

    def check(self, data: SequenceData) -> None:
        """Raise if the path does not fit the data."""
        if data.tokens is not None:
            raise ValueError(
                f"Expected measurements for TrailingMeans; received {_kind(data)}. Leave beside "
                "out, or take WordRatios() for texts of two classes."
            )
        spans = self.spans if isinstance(self.spans, Sequence) else [self.spans]
        for span in spans:
            check_whole(least=1, optional=True, remedy="Try spans=(1, 5, 22).", spans=span)
        if self.penalty is not None:
            check_number(least=0, remedy="Leave it out for the default.", penalty=self.penalty)
        if self.features is None:
            return
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
        """Fit the path to the training part and return its output (sample, output)."""
        steps = data.values.shape[1]
        names = data.feature_names if self.features is None else self.features
        positions = [data.feature_names.index(name) for name in names]
        spans = self.spans
        if spans is None:
            spans = sorted({1, max(steps // 16, 1), max(steps // 4, 1), steps})
        means = layers.TrailingMeans(positions, spans, name="trailing_means")
        fitted = _fitted(
            data,
            lambda part: keras.ops.convert_to_numpy(means(part.values, mask=part.mask)),
            self.penalty,
        )
        return _weighted_sum(means(sequence, mask=mask), *fitted)


@dataclass(frozen=True)
class Autoregression:
    """Beside the LSTM: a penalised regression on every feature at every step.

    For sequences of one length and any target: a linear autoregression, with as many coefficients
    as there are steps, features and targets. Training does not change it: the LSTM learns what it
    misses.

    Parameters
    ----------
    penalty : float, optional
        As in `TrailingMeans`.

    References
    ----------
    Zeng et al. (2023), "Are Transformers Effective for Time Series Forecasting?",
    arXiv:2205.13504: linear forecasts are hard to beat.

    Examples
    --------
    >>> model = lx.build_model(data, beside=Autoregression())  # doctest: +SKIP
    """

    penalty: float | None = None

    def check(self, data: SequenceData) -> None:
        """Raise if the path does not fit the data."""
        if data.tokens is not None or not data.mask.all():
            kind = _kind(data) if data.tokens is not None else "sequences of several lengths"
            raise ValueError(
                f"Expected measurements of one length for Autoregression; received {kind}. Leave "
                "beside out in lx.build_model, or give beside=None."
            )
        if self.penalty is not None:
            check_number(least=0, remedy="Leave it out for the default.", penalty=self.penalty)

    def margin(
        self, data: SequenceData, sequence: Any, mask: Any, static: Any, word_dropout: float
    ) -> Any:
        """Fit the path to the training part and return its output (sample, output)."""
        fitted = _fitted(data, lambda part: part.values.reshape(len(part), -1), self.penalty)
        return _weighted_sum(keras.layers.Flatten(name="every_step")(sequence), *fitted)


@dataclass(frozen=True)
class MeasuredSummaries:
    """Beside the LSTM: a penalised regression on summaries of what was measured.

    For data with ``fill_missing(indicators=True)`` and any target. The summaries of a variable are
    its last value, means of what was measured, and how often it was measured; static facts join
    them. The penalty is chosen on the validation part. Training does not change the regression: the
    LSTM learns what it misses.

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
        if not data.variables:
            raise ValueError(
                f"Expected data with indicators for MeasuredSummaries; received {_kind(data)} "
                "without. Call data.fill_missing(indicators=True) first, or take TrailingMeans()."
            )
        if self.times is not None and self.times not in data.static_names:
            raise ValueError(
                f"Expected times among the static facts {list(data.static_names)} for "
                f"MeasuredSummaries; received {self.times!r}. Leave times out to multiply by none."
            )

    def margin(
        self, data: SequenceData, sequence: Any, mask: Any, static: Any, word_dropout: float
    ) -> Any:
        """Fit the path to the training part and return its output (sample, output)."""
        position = None if self.times is None else data.static_names.index(self.times)
        summaries = layers.MeasuredSummaries(times_static=position, name="summaries")
        train = training_part(data)
        summaries.adapt(train.values, train.mask)

        def columns(part: SequenceData) -> np.ndarray:
            pieces = (part[start : start + 512] for start in range(0, len(part), 512))
            return np.concatenate(
                [
                    keras.ops.convert_to_numpy(
                        summaries(piece.values, mask=piece.mask, static=piece.static)
                    )
                    for piece in pieces
                ]
            )

        output = summaries(sequence, mask=mask, static=static)
        return _weighted_sum(output, *_fitted(data, columns))


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


LinearPath = TrailingMeans | Autoregression | MeasuredSummaries | WordRatios


def usual_path(data: SequenceData) -> LinearPath | None:
    """Return the linear path that `build_model` takes by default, None for other texts."""
    if data.tokens is None:
        return MeasuredSummaries() if data.variables else TrailingMeans()
    is_rated = data.task == "binary" and UNKNOWN in data.vocabulary
    return WordRatios() if is_rated else None


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


def _fitted(
    data: SequenceData,
    columns_of: Callable[[SequenceData], np.ndarray],
    penalty: float | None = None,
) -> Regression:
    """Return a regression whose penalty is given, or the best on the validation part."""
    columns = columns_of(training_part(data))
    if penalty is None and data.split is not None and len(data.validation):
        return choose_regression(data, columns, columns_of(data.validation), PENALTIES)
    return fit_regression(data, columns, USUAL_PENALTY if penalty is None else penalty)


def _weighted_sum(
    columns: Any, kernel: np.ndarray, bias: np.ndarray, trainable: bool = False
) -> Any:
    layer = keras.layers.Dense(len(kernel), trainable=trainable, name="linear_path")
    output = layer(columns)
    layer.set_weights([kernel.T, bias])
    return output


def _kind(data: SequenceData) -> str:
    if data.tokens is None:
        return f"measurements and a {data.task} target"
    return f"texts {'' if data.vocabulary else 'without a vocabulary '}and a {data.task} target"
