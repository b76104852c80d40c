"""``SequenceData`` from time series: windows of the past, and the values of the steps ahead."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from ..arguments import check_flag, check_names, check_type, check_whole
from .building import Missing, from_padded
from .columns import as_clock, columns_as_features, columns_as_ids, columns_as_numbers, one_column
from .leads import Step, lead_names, names_later, read_step, span_text, steps_of
from .padding import Padded
from .tables import check_constant, check_frame, in_order
from .validation import as_float32, check_digits

if TYPE_CHECKING:
    from .data import SequenceData

# What is the target of later steps correlates with it this much; nothing that is measured does.
_SAME = 1 - 1e-9
# So many rows tell whether a column is the target of later steps; fewer than the second do not.
_MOST_COMPARED, _LEAST_COMPARED = 2000, 20


class _Series(NamedTuple):
    """One series at equal steps, NaN where it has no row."""

    key: Any
    times: np.ndarray
    values: np.ndarray  # (step, feature): the target first, what is known of later steps last
    static: np.ndarray

    @property
    def target(self) -> np.ndarray:
        return self.values[:, 0]

    @property
    def end(self) -> int:
        """How many steps there are up to the last one with a target."""
        known = np.flatnonzero(~np.isnan(self.target))
        return int(known[-1]) + 1 if len(known) else 0


def from_series(
    cls: type[SequenceData],
    frame: pd.DataFrame,
    *,
    time: str,
    target: str,
    horizon: int,
    history: int,
    features: Sequence[str] = (),
    known_future: Sequence[str] = (),
    static: Sequence[str] = (),
    group: str | None = None,
    step: str | float | None = None,
    stride: int = 1,
    newest: bool = False,
    units: Mapping[str, str] | None = None,
    labels: Mapping[str, Mapping[float, str]] | None = None,
    missing: Missing = "error",
    name: str = "data",
) -> SequenceData:
    """Make windows of one or several time series, with the next values of one column as targets.

    Each sample holds `history` steps up to one moment, the first feature being the target's past.
    Its targets are the values of the `horizon` steps after that moment, named by how far ahead they
    are: "+1 h", "+2 h". A horizon of 1 is a single target. `split_by_time` leaves out the samples
    whose targets or windows would reach into another part.

    Parameters
    ----------
    frame : DataFrame
        One row per series and step, in any order.
    time, target : str
        Column of dates without a time zone or numbers; column of numbers to forecast.
    horizon, history : int
        Steps to forecast, and steps that the model sees.
    features : sequence of str
        Columns that are known up to the present only. Text and categories become a feature for each
        category, as in `from_frame`.
    known_future : sequence of str
        Columns whose later values are known too: the calendar, holidays, a weather forecast. Each
        becomes a feature of the values `horizon` steps later, named so: of "temperature" and a
        horizon of 24 hours "temperature, 24 h later". Its last `horizon` steps are thus the time
        that is forecast, in order, and the steps before them what had come by then; so `history`
        is at least `horizon`. List a column in `features` as well for its values in the window.
        Rows after the last target may hold such columns alone.
    static : sequence of str
        Columns that are constant for a series.
    group : str, optional
        Column that tells several series apart.
    step : str or number, optional
        The step from row to row: an offset of pandas such as "30min", "D", "B" or "MS" for dates, a
        number for numbers. By default the most common one; of days none of which is a weekend's,
        business days. Steps without a row are missing.
    stride : int
        Steps between the ends of two windows; the last one ends as late as there are targets.
    newest : bool
        Only the newest window of each series, which ends at its last target and has none itself:
        ``lx.predict(model, newest.standardise(like=data))`` forecasts what comes.
    units, labels, name : optional
        Units by column, what the codes of static columns stand for, and the name of the data.
    missing : {"error", "keep"}
        NaN in a window, also where the series has no row, is an error, or is kept until
        `fill_missing`.

    Returns
    -------
    SequenceData
        Not split. `horizon` is that of the call; `ids` are the groups.

    Raises
    ------
    ValueError
        Repeated or irregular times; too few rows; a target that is text, constant or never known; a
        feature that is the target of later steps; a known-future column that ends too early.

    Warns
    -----
    UserWarning
        Windows were left out: a target of theirs is missing, or all of the target's past. How many
        is said.

    Examples
    --------
    >>> hours = pd.date_range("2024-01-01", periods=200, freq="h")
    >>> table = pd.DataFrame({"hour": hours, "load": np.random.default_rng(0).normal(size=200),
    ...                       "holiday": hours.day == 1})
    >>> from lstm_explain import SequenceData
    >>> data = SequenceData.from_series(table, time="hour", target="load", horizon=24, history=48,
    ...                                 known_future=["holiday"])
    >>> data.feature_names, data.target_names[-1], data.target.shape
    (('load', 'holiday, 24 h later'), '+24 h', (129, 24))
    """
    check_frame(frame)
    _check_request(horizon, history, stride, known_future)
    check_flag(newest=newest)
    check_type(Mapping, 'Give for example {"load": "MW"}.', optional=True, units=units)
    check_names(features=features, known_future=known_future, static=static)
    others = [column for column in features if column != target]
    if target in [*known_future, *static]:
        raise ValueError(
            f"Expected a target that is not known in advance; received {target!r} also in "
            "known_future or static. Leave it out there: its past is the first feature."
        )
    _check_target(frame, target)
    clock = as_clock(
        one_column(frame, time, "a time column", "Name the right one with time=..."),
        f"column {time!r}",
    )
    keys = np.zeros(len(frame)) if group is None else columns_as_ids(frame, group)
    remedy = (
        "A clock that goes back when summer time ends repeats an hour: convert it first with "
        '.dt.tz_localize("Europe/Paris", ambiguous="infer").dt.tz_convert("UTC").dt.tz_localize('
        "None), with the zone of your data. Of several series name the column that tells them "
        "apart with group=...; else keep one row per time"
    )
    rows = in_order(clock, keys, group, "series", remedy)
    size = read_step(step, [clock[one] for one in rows], time)
    past = columns_as_features(frame, [target, *others])
    ahead = columns_as_features(frame, known_future)
    facts = columns_as_features(frame, static)
    for values, fact in zip(facts.values.T, facts.names, strict=True):
        check_constant(values, rows, f"static column {fact!r}", "or list it in features=")
    series = [
        _on_steps(
            clock[one], past.values[one], ahead.values[one], facts.values[one[0]],
            key=keys[one[0]], step=size, horizon=horizon, time=time,
        )
        for one in rows
    ]  # fmt: skip
    span = span_text(horizon, size)
    later = names_later(ahead.names, span)
    names = [*past.names, *later]
    for one in series:
        _check_known_ahead(one, len(past.names), horizon, newest, ahead.columns, target)
    _check_leaks(max(series, key=lambda one: one.end), names, horizon + history, target, size)
    ends = _ends(series, horizon, history, stride, newest, target)
    starts = np.cumsum([0, *(len(one.times) for one in series[:-1])])
    at = np.concatenate([start + one for start, one in zip(starts, ends, strict=True)])[:, None]
    rows_of = at + np.arange(1 - history, 1)
    steps = np.concatenate([one.values for one in series])
    times = np.concatenate([one.times for one in series])
    if missing == "error":
        _check_complete(steps, times, rows_of, names)
    rounded = as_float32(steps)
    check_digits(steps, rounded, names)
    owners = np.repeat(np.arange(len(series)), [len(one) for one in ends])
    given = dict(units or {})
    of_later = {
        new: given[old] for new, old in zip(later, ahead.names, strict=True) if old in given
    }
    only_later = {*ahead.names} - {*past.names, *facts.names}
    data = from_padded(
        cls,
        Padded(
            values=rounded[rows_of],
            mask=np.ones(rows_of.shape, bool),
            times=times[rows_of],
            ids=None if group is None else np.array([one.key for one in series])[owners],
            static=np.stack([one.static for one in series])[owners] if len(static) else None,
            target=None if newest else steps[at + np.arange(1, horizon + 1), 0],
            horizon=horizon,
        ),
        feature_names=names,
        static_names=facts.names,
        one_hot=past.one_hot + names_later(ahead.one_hot, span) + facts.one_hot,
        units={key: unit for key, unit in given.items() if key not in only_later} | of_later,
        labels=labels,
        target_name=target,
        class_names=None,
        target_names=lead_names(horizon, size) if horizon > 1 else None,
        task="regression",
        known_ahead=later,
        time_name=str(time),
        missing=missing,
        name=name,
    )
    return replace(data, target_unit=given.get(target, ""))


def known_ahead(data: SequenceData) -> list[int]:
    """Return the positions of the features that hold what is known of the steps ahead.

    Examples
    --------
    >>> from lstm_explain import SequenceData
    >>> table = pd.DataFrame({"day": range(30), "sold": np.arange(30) % 7.0, "open": 1})
    >>> data = SequenceData.from_series(table, time="day", target="sold", horizon=2, history=5,
    ...                                 features=["open"], known_future=["open"])
    >>> data.feature_names, known_ahead(data)
    (('sold', 'open', 'open, 2 steps later'), [2])
    """
    owners = data.variables or data.feature_names
    return [at for at, owner in enumerate(owners) if owner in data.known_ahead]


def _check_request(horizon: Any, history: Any, stride: Any, known_future: Any) -> None:
    usual = "One day ahead in hours, from a week: horizon=24, history=168."
    check_whole(least=1, remedy=usual, horizon=horizon, history=history, stride=stride)
    if known_future and history < horizon:
        raise ValueError(
            f"Expected a history of at least the horizon of {horizon} steps, whose last steps hold "
            f"what is known of the time ahead; received history={history}. Give "
            f"history={horizon} or more, or leave known_future out."
        )


def _check_target(frame: pd.DataFrame, target: str) -> None:
    column = one_column(frame, target, "a target column", "Name the right one with target=...")
    if isinstance(column.dtype, pd.CategoricalDtype) or (
        types.infer_dtype(column, skipna=True) == "string"
    ):
        raise ValueError(
            f"Expected numbers to forecast in column {target!r}; received type {column.dtype}. "
            "Convert it with pandas.to_numeric; to predict classes use from_frame(window=..., "
            "target=...)."
        )
    numbers = columns_as_numbers(frame, [target])
    known = numbers[~np.isnan(numbers)]
    if len(np.unique(known)) < 2:
        received = f"{known[0]:g} in every row" if len(known) else "no value"
        raise ValueError(
            f"Expected a target {target!r} that changes; received {received}. Check the column."
        )


def _on_steps(
    clock: np.ndarray,
    past: np.ndarray,
    ahead: np.ndarray,
    static: np.ndarray,
    *,
    key: Any,
    step: Step,
    horizon: int,
    time: str,
) -> _Series:
    """Put the rows of one series at equal steps, and beside each what is known of later ones."""
    times, at = steps_of(clock, step, time)
    values = np.full((len(times), past.shape[1] + ahead.shape[1]), np.nan)
    values[at, : past.shape[1]] = past
    known = np.full((len(times) + horizon, ahead.shape[1]), np.nan)
    known[at] = ahead
    values[:, past.shape[1] :] = known[horizon:]
    return _Series(key, times, values, static)


def _check_known_ahead(
    series: _Series, first: int, horizon: int, newest: bool, columns: list[str], target: str
) -> None:
    """Raise where what is known of the steps ahead ends before the steps that are forecast."""
    last = series.end - 1 if newest else series.end - 1 - horizon
    for at, column in enumerate(columns, start=first):
        known = np.flatnonzero(~np.isnan(series.values[:, at]))
        if last >= 0 and known.max(initial=-1) < last:
            until = f"{horizon} steps after the last target" if newest else "the last target"
            raise ValueError(
                f"Expected the known-future column {column!r} up to {until}, whose row is at "
                f"{series.times[series.end - 1]}; received it up to {last - known.max(initial=-1)} "
                f"steps less. Add its later rows, with {target!r} left empty, or list it in "
                "features instead."
            )


def _check_leaks(series: _Series, names: list[str], reach: int, target: str, step: Step) -> None:
    """Raise if a feature is the target of later steps: a window would hold what it forecasts."""
    values = series.values[: min(series.end, _MOST_COMPARED + reach)]
    for at, name in enumerate(names[1:], start=1):
        lead = next((k for k in range(1, reach) if _is_same(values[:, at], values[:, 0], k)), None)
        # In a series that repeats itself exactly, the past is the target of later steps too.
        if lead is None or any(_is_same(values[:, 0], values[:, at], k) for k in range(reach)):
            continue
        raise ValueError(
            f"Expected features that do not tell the target; received {name!r}, which in every row "
            f"is {target!r} {span_text(lead, step)} later, or moves exactly with it. Leave it "
            "out, or shift it back to when it is known."
        )


def _is_same(early: np.ndarray, late: np.ndarray, steps: int) -> bool:
    """Tell whether one series says exactly what the other one is so many steps later."""
    x, y = early[: len(early) - steps], late[steps:]
    known = ~(np.isnan(x) | np.isnan(y))
    if known.sum() < _LEAST_COMPARED:
        return False
    x, y = x[known] - x[known].mean(), y[known] - y[known].mean()
    sizes = np.sqrt((x @ x) * (y @ y))
    return bool(sizes > 0 and abs(x @ y) > _SAME * sizes)


def _ends(
    series: list[_Series], horizon: int, history: int, stride: int, newest: bool, target: str
) -> list[np.ndarray]:
    """Return at which steps of each series the windows end; say how many were left out."""
    ahead = 0 if newest else horizon
    # Counted from the end: the newest data is never lost.
    ends = [np.arange(one.end - 1 - ahead, history - 2, -stride)[::-1] for one in series]
    if newest:
        ends = [each[-1:] for each in ends]
    if not sum(map(len, ends)):
        longest = max(one.end for one in series)
        raise ValueError(
            f"Expected at least {history + ahead} steps in one series, history={history} and "
            f"horizon={horizon}; received at most {longest} up to the last target. Use a shorter "
            "history or horizon, or more rows."
        )
    kept, no_target, no_past = [], 0, 0
    for one, last in zip(series, ends, strict=True):
        is_missing = np.isnan(one.target)
        lacks = is_missing[last[:, None] + np.arange(1, ahead + 1)].any(axis=1)
        empty = is_missing[last[:, None] - np.arange(history)].all(axis=1) & ~lacks
        kept.append(last[~lacks & ~empty])
        no_target, no_past = no_target + int(lacks.sum()), no_past + int(empty.sum())
    total = sum(map(len, ends))
    if no_target + no_past == total:
        raise ValueError(
            f"Expected a window with all its targets; received {no_target} in which {target!r} is "
            f"missing at one of the {horizon} steps ahead, and {no_past} without any value of it. "
            "Fill short gaps of the column, or forecast fewer steps."
        )
    if no_target + no_past:
        warnings.warn(
            f"{no_target + no_past} of {total} windows were left out: in {no_target} {target!r} is "
            f"missing at one of the {horizon} steps ahead, in {no_past} at every step of the past.",
            stacklevel=3,
        )
    return kept


def _check_complete(
    steps: np.ndarray, times: np.ndarray, rows: np.ndarray, names: list[str]
) -> None:
    """Raise if a step of a window is missing, by its time."""
    used = np.zeros(len(steps), bool)
    used[rows] = True
    lacking = np.isnan(steps) & used[:, None]
    if lacking.any():
        first, feature = np.argwhere(lacking)[0]
        raise ValueError(
            f"Expected a value of every feature at each step of the series; received none of "
            f"{names[feature]!r} at {times[first]}, one of {int(lacking.any(axis=1).sum())} steps "
            'that lack some. Give missing="keep", split the data and call data.fill_missing(); or '
            "mend the table."
        )
