"""``SequenceData`` from a long table: one row per id and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..arguments import check_names, check_whole, is_whole
from .building import Missing, from_padded
from .columns import as_clock, column_as_target, columns_as_features, columns_as_ids, one_column
from .padding import Padded, at_mask, pad
from .resampling import How, on_grid, warn_if_uneven
from .targets import Task

if TYPE_CHECKING:
    from .data import SequenceData


def from_frame(
    cls: type[SequenceData],
    frame: pd.DataFrame,
    *,
    time: str,
    features: Sequence[str],
    id: str | None = None,
    target: str | Sequence[str] | None = None,
    static: Sequence[str] = (),
    window: int | None = None,
    stride: int = 1,
    horizon: int | None = None,
    resample: str | float | None = None,
    how: How | Mapping[str, How] = "last",
    units: Mapping[str, str] | None = None,
    class_names: Sequence[str] | None = None,
    positive: Any = None,
    task: Task | None = None,
    split: str | None = None,
    labels: Mapping[str, Mapping[float, str]] | None = None,
    missing: Missing = "error",
    name: str = "data",
) -> SequenceData:
    """Make sequences from a long table with one row per id and time.

    Without `window`, each id is one sample and its target must be constant. With `window`,
    each run of `window` consecutive rows of one id is a sample, and its target is the one in
    its last row: put there only what is to be predicted from that row's time on. Rows are put
    in order of time. Windows whose last row has no target are left out, and so are ids with
    fewer rows than a window. To forecast a column itself, one step or many ahead, `from_series`
    makes the windows and the targets.

    Parameters
    ----------
    frame : DataFrame
    time, id : str
        Column names. Times are numbers, or dates without a time zone; text is refused. `id` tells
        the sequences apart; without it all rows are one sequence.
    target : str or sequence of str, optional
        Column of floats for a regression, of anything else for classes. Several columns are
        several targets of each sample: floats, or labels of 0 and 1.
    features, static : sequence of str
        Columns that change over time; columns that are constant for a sequence. Text and pandas'
        categories become a feature of 0 and 1 for each category, such as "ward: surgery": of text
        the values that occur, in order; of the type ``category`` all that it lists, so that a later
        table gives the same features. True and False are 1 and 0. A missing category is missing in
        all its features. For a model with an Embedding give whole numbers, ``.cat.codes``.
    window, stride : int, optional
        Rows per sample and rows between the ends of two samples.
    horizon : int, optional
        How many rows after the last one of a window its target reaches, which `split_by_time` keeps
        apart. By default as many as there are without a target at the end of every sequence.
    resample : str or number, optional
        Put the rows at equal steps first: an offset of pandas such as "1h" for dates, a number in
        the unit of `time` for numbers. A step is named by its end and holds the rows since the step
        before, that at its end included: none knows of a later row. A step without rows is missing;
        `static`, and without `window` the target, keep their last value, and of several targets
        in one step the last one counts.
    how : {"last", "mean", "sum", "min", "max"}, or dict of them by feature
        What becomes of several rows in one step; "last" for features that the dict leaves out.
    units, class_names, name : optional
        Units by feature name, names of the classes in their order, and of the data set.
    positive, task : optional
        Of two classes the one that is explained; "regression" or "classes": see `from_arrays`.
    split : str, optional
        Column of "train", "validation" and "test", or True for training and False for test; of a
        window its last row counts.
    labels : mapping, optional
        What the codes of static columns stand for: ``{"sex": {0: "female", 1: "male"}}``.
    missing : {"error", "keep"}
        NaN is an error, or is kept until `fill_missing`.

    Warns
    -----
    UnevenStepsWarning
        With `window`, where more than 1 in 100 steps between rows are longer than 5 times the
        median of their sequence: rows are not hours.

    Examples
    --------
    >>> table = pd.DataFrame({"day": range(5), "price": [1.0, 2, 3, 4, 5],
    ...                       "next": [2.0, 3, 4, 5, None]})
    >>> from lstm_explain import SequenceData
    >>> SequenceData.from_frame(table, time="day", features=["price"], target="next", window=2)
    SequenceData 'data': 3 samples x 2 steps x 1 feature, target next, not split
    >>> visits = pd.DataFrame({"hour": [0.2, 0.9, 2.5], "pulse": [60, 70, 80], "bed": list("aba")})
    >>> data = SequenceData.from_frame(visits, time="hour", features=["pulse", "bed"], resample=1,
    ...                                how={"pulse": "mean"}, missing="keep")
    >>> data.feature_names, data.values[0, :, 0].tolist()
    (('pulse', 'bed: a', 'bed: b'), [65.0, nan, 80.0])
    """
    _check_request(frame, features, static, window, stride, horizon)
    when = one_column(
        frame, time, "a time column", "Name it with time=...; an index needs frame.reset_index()."
    )
    clock = as_clock(when, f"column {time!r}")
    keys = np.zeros(len(frame)) if id is None else columns_as_ids(frame, id)
    numbers = columns_as_features(frame, features)
    if not len(features):
        raise ValueError("Expected at least one feature; received none. Name some in features=...")
    if resample is not None:
        grid = on_grid(clock, keys, numbers, resample, how, str(time))
        clock, keys, numbers = grid.times, keys[grid.rows], numbers._replace(values=grid.values)
        known = [*static, *([] if split is None else [split])]
        frame = grid.take(frame, known=None if window is None else known)
    elif not isinstance(how, str) or how != "last":
        raise ValueError(
            f"Expected how only with resample; received how={how!r} without it. Give resample=..., "
            'such as "1h", or leave how out.'
        )
    facts = columns_as_features(frame, static)
    targets, has_target = _targets(frame, target, [*features, *static])
    parts = None
    if split is not None:
        parts = one_column(frame, split, "a split column", "Name it with split=...").to_numpy()
    sequences = in_order(clock, keys, id)
    pieces = [rows for sequence in sequences for rows in _windows(sequence, window, stride)]
    if not pieces:
        raise ValueError(
            f"Expected at least window={window} rows in one sequence; received "
            f"{len(frame)} rows in all. Use a shorter window or more rows."
        )
    for values, fact in zip(facts.values.T, facts.names, strict=True):
        check_constant(values, pieces, f"static column {fact!r}", "or list it in features=")
    if window is None:
        remedy = "or ask for windows with window=..."
        for title, column in targets.items():
            check_constant(column, pieces, f"target {title!r}", remedy)
        if parts is not None:
            check_constant(parts, pieces, f"split {split!r}", "one part for each sequence")
    else:
        warn_if_uneven([np.diff(clock[rows]) for rows in sequences], str(time))
        if horizon is None:
            horizon = _rows_without_target(sequences, has_target)
    pieces = _with_target(pieces, has_target, target, window)
    last = np.array([rows[-1] for rows in pieces])
    padded_values, mask = pad([numbers.values[rows] for rows in pieces])
    columns = [column[last] for column in targets.values()]
    padded = Padded(
        values=padded_values,
        mask=mask,
        times=at_mask(np.concatenate([clock[rows] for rows in pieces]), mask),
        ids=None if id is None else keys[last],
        static=facts.values[last] if len(static) else None,
        target=np.column_stack(columns) if len(columns) > 1 else next(iter(columns), None),
        horizon=horizon,
    )
    return from_padded(
        cls,
        padded,
        feature_names=numbers.names,
        static_names=facts.names,
        one_hot=numbers.one_hot + facts.one_hot,
        units=units or {},
        labels=labels,
        target_name="target" if len(targets) != 1 else str(*targets),
        class_names=class_names,
        target_names=[*targets] if len(targets) > 1 else None,
        positive=positive,
        task=task,
        split=None if parts is None else parts[last],
        time_name=str(time),
        missing=missing,
        name=name,
    )


def check_frame(frame: Any) -> None:
    """Raise unless this is a table with rows."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(
            f"Expected a pandas DataFrame; received {type(frame).__name__}. Read a file with "
            "pandas.read_csv first."
        )
    if len(frame) == 0:
        raise ValueError("Expected a table with rows; received an empty one. Check the filter.")


def _check_request(
    frame: Any, features: Any, static: Any, window: Any, stride: Any, horizon: Any
) -> None:
    check_frame(frame)
    usual = "A usual choice is window=60, stride=1."
    check_whole(least=1, optional=True, remedy=usual, window=window)
    check_whole(least=1, remedy=usual, stride=stride)
    check_names(features=features, static=static)
    if horizon is not None and (window is None or not is_whole(horizon) or horizon < 0):
        raise ValueError(
            f"Expected the horizon of windows in whole rows, 0 or more; received {horizon!r} with "
            f"window={window!r}. Give how many rows ahead the target looks, or leave it out."
        )


def _targets(
    frame: pd.DataFrame, target: str | Sequence[str] | None, read: list[str]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the target columns by name, and which rows have all of them."""
    names: list[Any] = [*target] if isinstance(target, list | tuple) else [target]
    columns = {name: column_as_target(frame, name) for name in names if target is not None}
    if both := [name for name in columns if name in read]:
        raise ValueError(
            f"Expected a target that is not among what the model reads; received {both[0]!r} as "
            "both, which would give the answer away. Leave it out of features and static."
        )
    has_target = np.ones(len(frame), bool)
    for column in columns.values():
        has_target &= ~pd.isna(column)
    return columns, has_target


_REPEATED = (
    "Aggregate the rows of one time with resample=..., or name the column that tells the sequences "
    "apart with id=..."
)


def in_order(
    clock: np.ndarray,
    keys: np.ndarray,
    id: str | None,
    what: str = "sequence",
    remedy: str = _REPEATED,
) -> list[np.ndarray]:
    """Return the rows of each sequence in order of time, or say which time occurs twice."""
    sequences = []
    for key, rows in pd.Series(np.arange(len(clock))).groupby(keys, sort=False):
        order = rows.to_numpy()
        order = order[np.argsort(clock[order], kind="stable")]
        repeated = clock[order][1:] == clock[order][:-1]
        if repeated.any():
            when = clock[order][1:][repeated][0]
            raise ValueError(
                f"Expected each time once per {what}; received {when} twice"
                f"{'' if id is None else f' for {id}={key}'}. {remedy}"
            )
        sequences.append(order)
    return sequences


def _rows_without_target(sequences: list[np.ndarray], has_target: np.ndarray) -> int:
    """Return how many rows have no target at the end of every sequence that has one."""
    ends = [np.flatnonzero(has_target[rows][::-1])[:1] for rows in sequences]
    return int(min(np.concatenate(ends), default=0))


def _with_target(
    pieces: list[np.ndarray], has_target: np.ndarray, target: Any, window: int | None
) -> list[np.ndarray]:
    """Return the sequences or windows whose last row has a target."""
    known = has_target[[rows[-1] for rows in pieces]]
    if not known.any():
        raise ValueError(
            f"Expected a target in column {target!r} for at least one sequence; received none "
            "that is not missing. The target of a sequence stands in its last row."
        )
    if window is None and not known.all():
        raise ValueError(
            f"Expected a target in the last row of each sequence; received none for "
            f"{int((~known).sum())} of {len(known)} in column {target!r}. Drop those sequences."
        )
    return [rows for rows, keep in zip(pieces, known, strict=True) if keep]


def _windows(rows: np.ndarray, window: int | None, stride: int) -> list[np.ndarray]:
    if window is None:
        return [rows]
    # The last window ends at the last row, whatever the stride: the newest data is never lost.
    ends = np.arange(len(rows), window - 1, -stride)[::-1]
    return [rows[end - window : end] for end in ends]


def check_constant(column: np.ndarray, pieces: list[np.ndarray], what: str, remedy: str) -> None:
    """Raise if a column has several values in the rows of one sequence."""
    for rows in pieces:
        distinct = pd.unique(column[rows]).tolist()
        if len(distinct) > 1:
            raise ValueError(
                f"Expected one value of {what} per sequence; received {distinct[0]!r} and "
                f"{distinct[1]!r} in one. Make it constant, {remedy}."
            )
