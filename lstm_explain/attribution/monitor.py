"""``Monitor``: one new row at a time, with the prediction, and the explanation when asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import as_numbers, check_model, described
from ..backend import ops
from ..inspection.background import Background
from ..inspection.outputs import Output
from ..inspection.question import check_choice
from ..models.one_input import with_one_input
from ..models.one_output import with_output
from ..sequences.columns import as_clock
from ..sequences.data import SequenceData, check_data
from ..sequences.outliers import within_limits
from ..sequences.scaling import mean_or_fail, scaled
from .expected_gradients import explain
from .explanation import Explanation


class Monitor:
    """Watch one machine, patient or market: rows come one by one, as they are measured.

    The last rows are kept, as many as a training window has, so that memory does not grow. What is
    predicted and explained equals that of the same window in a `SequenceData`.

    Parameters
    ----------
    model : keras.Model
    background : SequenceData
        Usually ``data.train``: its windows stand for "absent", and its features, scaling, limits
        and length of a window are those that rows are read with. Rows are in original units.
    output : int, str, callable or None
        What is explained, as `lx.explain` takes it. Of a function of the outputs, such as the error
        of a reconstruction, the score is that function.
    static : mapping of name to number, optional
        The facts of this machine or person, in original units, where the model reads some.
    name : str
        What is watched: the id of the window.

    Raises
    ------
    ValueError, TypeError
        Texts, data with gaps, features or facts that do not fit the model, or data standardised in
        another way than those that it was trained on.

    Examples
    --------
    >>> monitor = Monitor(run.model, data.train)              # doctest: +SKIP
    >>> for time, row in table.iterrows():                    # doctest: +SKIP
    ...     score = monitor.update(row, time=time)
    >>> lx.plot_heatmap(monitor.explain())                    # doctest: +SKIP
    """

    def __init__(
        self,
        model: Any,
        background: SequenceData,
        *,
        output: Output | Callable[..., Any] = None,
        static: Mapping[str, float] | None = None,
        name: str = "now",
    ) -> None:
        check_model(model)
        check_data("Pass data.train.", background=background)
        if background.tokens is not None or background.variables or not len(background):
            what = "texts" if background.tokens is not None else "samples"
            what = "data with gaps, in parts" if background.variables else what
            raise ValueError(
                f"Expected complete measurements as background of a monitor; received {what} of "
                f"{len(background)} samples. Fill gaps by data.fill_missing(), and explain texts "
                "one by one with lx.explain."
            )
        mean_or_fail(background.values[background.mask], background.feature_names)
        self.model, self.output, self.name = with_one_input(model), output, str(name)
        check_choice(output, "last", several=True)
        self._scored = with_output(self.model, output) if callable(output) else self.model
        background.roles_in(self._scored)  # data of another kind or scale are refused here
        self.background = Background.from_data(background)
        self._may_be_short = not background.mask.all()
        self._like = replace(
            background[:1], target=None, split=None, recorded=None, ids=np.array([self.name])
        )
        if background.static is not None or static is not None:
            self._like = replace(self._like, static=_facts(background, static))
        length = background.values.shape[1]
        self._rows: deque[np.ndarray] = deque(maxlen=length)
        self._times: deque[Any] = deque(maxlen=length)
        self._counts = False

    def __len__(self) -> int:
        """Return how many rows are kept, at most a window's."""
        return len(self._rows)

    def __repr__(self) -> str:
        last = f", the last at {self._times[-1]}" if len(self) else ""
        return (
            f"Monitor of {self.name!r}: {len(self)} of {self._rows.maxlen} rows{last}; "
            f"absent means {self.background.description}"
        )

    def reset(self) -> None:
        """Forget all rows, for another machine or after a repair."""
        self._rows.clear()
        self._times.clear()
        self._counts = False

    def update(self, row: Any, *, time: Any = None) -> np.ndarray | None:
        """Take one new row, and return what the model says of the window that it ends.

        Parameters
        ----------
        row : mapping of name to number, pandas Series, or array (feature,)
            All features in original units; an array in the order of the training data.
        time : date or number, optional
            Later than that of the row before. Without it rows are counted, from 0 on.

        Returns
        -------
        float64 array (output,) or (step, output), or None
            As `lx.predict` gives it for the window; None until a window is full, where the model
            has learned from full ones only.

        Raises
        ------
        ValueError, TypeError
            Other columns, a value that is missing or no number, or a time that is not later. The
            row is then left out, and what was kept is as before.
        """
        values, when = self._read(row), self._time(time)
        self._rows.append(values)
        self._times.append(when)
        if not (self._may_be_short or len(self) == self._rows.maxlen):
            return None
        inputs = self.window.inputs_for(self._scored)
        return ops.convert_to_numpy(self._scored.predict_on_batch(inputs))[0].astype(np.float64)

    @property
    def window(self) -> SequenceData:
        """The rows that are kept, as one sample; it raises until there is a window."""
        count, length = len(self), self._rows.maxlen or 0
        if count == 0 or not (self._may_be_short or count == length):
            raise ValueError(
                f"Expected {length if not self._may_be_short else 1} rows for a window; received "
                f"{count}. Call monitor.update(row) for each new row first."
            )
        shown, like = np.zeros((1, length, len(self._like.feature_names))), self._like
        shown[0, :count] = self._rows
        # As training data were read: rounded to float32, cut to the limits, then standardised.
        cut = within_limits(shown.astype(np.float32), like.limits)
        mask = np.arange(length)[None] < count
        times = np.zeros((1, length), np.asarray(self._times).dtype)
        times[0, :count] = self._times
        return replace(
            like,
            values=scaled(cut, like.center, like.scale, mask),
            mask=mask,
            times=times,
            recorded=None if like.limits is None else shown,
        )

    def explain(self, **options: Any) -> Explanation:
        """Explain the current window by `lx.explain`, which takes the further options."""
        given = {"background": self.background, "output": self.output, "progress": False, **options}
        return explain(self.model, self.window, **given)

    def _read(self, row: Any) -> np.ndarray:
        """Return the numbers of a row, in the order of the features."""
        names = list(self._like.feature_names)
        if hasattr(row, "to_dict"):
            row = row.to_dict()
        if isinstance(row, Mapping):
            missing, other = [n for n in names if n not in row], [n for n in row if n not in names]
            if missing or other:
                raise ValueError(
                    f"Expected a row with the columns {names}; received one without {missing} and "
                    f"with {other} besides. Select them: row[features]."
                )
            row = [row[name] for name in names]
        values = as_numbers(row, "row")
        if values.shape != (len(names),):
            raise ValueError(
                f"Expected a row of {len(names)} numbers, {names}; received the shape "
                f"{values.shape}. Give one row, in this order, or a mapping by name."
            )
        if not np.isfinite(values).all():
            wrong = {n: v for n, v in zip(names, values.tolist(), strict=True) if v - v != 0}
            raise ValueError(
                f"Expected a row of finite numbers; received {wrong}. Fill it as the training data "
                "were filled, such as by the last value, or leave the row out."
            )
        return values

    def _time(self, time: Any) -> Any:
        """Return the time of a row, of the type that the rows before have."""
        if time is None and (not self._times or self._counts):
            self._counts = True
            return np.int64(self._times[-1] + 1 if self._times else 0)
        if time is None or (self._times and self._counts):
            raise ValueError(
                "Expected a time for all rows or for none; received both. Call monitor.reset() to "
                "begin anew."
            )
        if np.ndim(time):
            raise ValueError(
                f"Expected one time; received {described(time)}. Give rows one by one."
            )
        when = as_clock(np.array([time]), "time")[0]
        known = self._times[-1] if self._times else None
        if known is None and self._like.times is not None:
            known = self._like.times[0, 0]
        if known is not None and (np.asarray(when).dtype.kind == "M") != (
            np.asarray(known).dtype.kind == "M"
        ):
            raise ValueError(
                f"Expected a time like {known}; received {described(time)}. Give dates where the "
                "rows before, or the training data, have dates, else numbers."
            )
        if self._times and not when > self._times[-1]:
            raise ValueError(
                f"Expected a time later than {self._times[-1]}; received {described(time)}. Give "
                "rows in the order of their times, each once, or call monitor.reset()."
            )
        return when


def _facts(background: SequenceData, static: Mapping[str, float] | None) -> np.ndarray:
    """Return static facts (1, static feature) as the model reads them."""
    names = list(background.static_names)
    if not isinstance(static, Mapping) or set(static) != set(names):
        example = ", ".join(f"{name!r}: ..." for name in names)
        raise ValueError(
            f"Expected static facts with the names {names}; received {described(static)}. "
            f"{f'Give static={{{example}}}.' if names else 'Leave static out.'}"
        )
    numbers = as_numbers([static[name] for name in names], "static")[None]
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"Expected finite static facts; received {dict(static)}. Fill them as the training "
            "data were filled."
        )
    return scaled(numbers.astype(np.float32), background.static_center, background.static_scale)
