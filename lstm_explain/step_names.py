"""What a step is called: by its date or time where there is one, else by its number, from 1 on."""

from __future__ import annotations

import numpy as np

from .sequences import SequenceData


def named_times(times: np.ndarray) -> list[str]:
    """Return dates or numbers as text, dates without the hours where all are whole days.

    Examples
    --------
    >>> named_times(np.array(["2011-01-03", "2011-01-04"], "datetime64[ns]"))
    ['2011-01-03', '2011-01-04']
    >>> named_times(np.array([0.0, 0.5]))
    ['0', '0.5']
    """
    if not np.issubdtype(times.dtype, np.datetime64):
        return [f"{time:g}" for time in times]
    days = times.astype("datetime64[D]")
    shown = days if (days == times).all() else times.astype("datetime64[m]")
    return [str(time).replace("T", " ") for time in shown]


def step_names(sample: SequenceData) -> list[str]:
    """Return what the real steps of one sample are called, as the time axis of a figure does.

    Examples
    --------
    >>> step_names(SequenceData.from_arrays([[[4.0], [5.0]]]))
    ['1', '2']
    """
    real = sample.mask[0]
    if sample.times is not None:
        return named_times(sample.times[0][real])
    return named_times(np.flatnonzero(real) + 1.0)
