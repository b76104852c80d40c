"""The lines of docs/models_and_data.md lead from a raw file to an explanation, as they stand."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

DOCS = Path(__file__).parents[2] / "docs" / "models_and_data.md"

pytestmark = pytest.mark.long


@pytest.fixture
def run_lines(data_home, monkeypatch):
    """Run the block that reads a file, in the folder of the real data; return its names."""
    monkeypatch.chdir(data_home)
    page = DOCS.read_text(encoding="utf-8")

    def run(file):
        [block] = [b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if file in b]
        lines = [line for line in block.splitlines() if line.strip()]
        count = f"| {len(lines)} lines, below |"
        rows = [line for line in page.splitlines() if count in line]
        names = {}
        *before, last = lines
        exec("\n".join(before), names)  # noqa: S102  (the page's own lines)
        assert isinstance(eval(last, names), Axes)  # noqa: S307
        explanation, scale = names["e"], np.ptp(names["e"].predictions.values)
        assert np.abs(explanation.gaps.values).max() < 0.1 * scale
        return names, rows

    return run


def test_a_long_csv_with_categories_and_holes(run_lines):
    """Categories, hours and targets are those of the file, each found by its time."""
    names, rows = run_lines("weather.csv.gz")
    assert any("long CSV" in row for row in rows)
    data, raw = names["data"], pd.read_csv("nyc_weather/weather.csv.gz")
    raw["time"] = pd.to_datetime(raw["time_hour"]).dt.tz_localize(None)
    assert data.static_names == ("origin: EWR", "origin: JFK", "origin: LGA")
    assert [data.static_names[at][-3:] for at in data.static.argmax(axis=1)] == data.ids.tolist()
    assert data.feature_names[3:7] == ("wind: NE", "wind: SE", "wind: SW", "wind: NW")
    assert (np.diff(data.times, axis=1) == np.timedelta64(1, "h")).all()
    by_hour = raw.set_index(["origin", "time"])
    ends = pd.MultiIndex.from_arrays([data.ids, data.times[:, -1]])
    later = pd.MultiIndex.from_arrays([data.ids, data.times[:, -1] + np.timedelta64(6, "h")])
    np.testing.assert_allclose(data.target, by_hour["temp"].reindex(later), rtol=1e-6)
    measured = data.values[..., data.feature_names.index("temp: measured")] == 1
    last = by_hour["temp"].reindex(ends)
    np.testing.assert_array_equal(measured[:, -1], last.notna())
    shown = data.display_values[:, -1, 0]
    np.testing.assert_allclose(shown[measured[:, -1]], last[last.notna()], rtol=1e-5)
    # As many steps without a measurement as the file lacks hours or temperatures.
    steps = pd.MultiIndex.from_arrays([np.repeat(data.ids, 24), data.times.ravel()])
    assert (~measured).sum() == by_hour["temp"].reindex(steps).isna().sum() > 0


def test_a_wide_table(run_lines):
    """Each recording is its row of the file, each activity its own line."""
    names, rows = run_lines("body_acc_x_train")
    assert any("wide table" in row for row in rows)
    data = names["data"]
    wide = np.loadtxt("har_subset/body_acc_x_train.txt.gz")
    np.testing.assert_allclose(data.display_values[..., 0], wide, rtol=1e-4, atol=1e-6)
    assert data.ids.tolist() == list(range(len(wide)))
    activities = np.loadtxt("har_subset/y_train.txt", dtype=int)
    assert [int(data.class_names[at]) for at in data.target] == activities.tolist()


def test_json_of_sequences(run_lines):
    """The chords before the last one, of pieces of any length, and the bass of the last one."""
    names, rows = run_lines("Jsb16thSeparated.json")
    assert any("JSON" in row for row in rows)
    data = names["data"]
    parts = json.loads(Path("jsb_chorales/Jsb16thSeparated.json").read_text())
    pieces = [piece for part in parts.values() for piece in part]
    assert data.target.tolist() == [piece[-1][3] for piece in pieces]
    for piece, shown, real in zip(pieces, data.display_values, data.mask, strict=True):
        chords = np.array(piece[-65:-1], float)
        assert real.sum() == len(chords) == 64
        np.testing.assert_allclose(shown[real][chords >= 0], chords[chords >= 0], rtol=1e-5)
