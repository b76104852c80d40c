"""Tables, ragged lists and padded data that the tests read."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_explain import SequenceData

NUMBERS = st.floats(-1e6, 1e6, width=32)
RAGGED = st.integers(1, 3).flatmap(
    lambda features: st.lists(
        st.integers(1, 5).flatmap(
            lambda steps: hnp.arrays(np.float32, (steps, features), elements=NUMBERS)
        ),
        min_size=1,
        max_size=6,
    )
)


def table(**columns):
    """Two patients with three and two visits, out of order; columns can be replaced or added."""
    frame = {
        "patient": ["b", "a", "b", "a", "b"],
        "day": [2, 1, 3, 0, 0],
        "pulse": [72.0, 61.0, 73.0, 60.0, 70.0],
        "dose": [7.0, 4.0, 8.0, 3.0, 6.0],
        "age": [50, 40, 50, 40, 50],
        "died": [1, 0, 1, 0, 1],
    }
    return pd.DataFrame(frame | columns)


def from_table(frame=None, **changes):
    """Read the table of patients with the usual arguments, some of them changed."""
    usual = {"id": "patient", "time": "day", "features": ["pulse", "dose"], "target": "died"}
    return SequenceData.from_frame(table() if frame is None else frame, **(usual | changes))


def panel(rows=24, owners=("a",), **columns):
    """One row per step and owner; the target of row i is i + 2, two steps ahead."""
    frames = [
        pd.DataFrame({"id": owner, "t": np.arange(rows), "x": 100.0 * k + np.arange(rows)})
        for k, owner in enumerate(owners)
    ]
    frame = pd.concat(frames, ignore_index=True).assign(**columns)
    position = frame.groupby("id").cumcount()
    return frame.assign(ahead=(position + 2.0).where(position < rows - 2))


def windows(frame, **options):
    usual = {"time": "t", "features": ["x"], "target": "ahead", "id": "id", "window": 4}
    return SequenceData.from_frame(frame, **(usual | options))


def split_with_gaps(missing_share=0.2, samples=30):
    """Padded data with NaN, static facts and a split by group."""
    rng = np.random.default_rng(5)
    sequences = [rng.normal(3, 2, size=(rng.integers(2, 7), 2)) for _ in range(samples)]
    for sequence in sequences:
        sequence[rng.random(sequence.shape) < missing_share] = np.nan
    static = rng.normal(size=(samples, 2))
    static[::7, 1] = np.nan
    return SequenceData.from_arrays(
        sequences, rng.normal(size=samples), static=static, missing="keep"
    ).split_by_group(0.2, 0.2)


WORDS = ["", "[UNK]", "good", "bad", "film"]
