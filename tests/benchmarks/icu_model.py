"""The model of the speed benchmarks: LSTM(64) with attention on PhysioNet 2012, full 48-hour stays.

Needs LSTM_EXPLAIN_DATA to name a folder that holds ``physionet2012/set-a.tar.gz`` and
``Outcomes-a.txt``. Parsed and trained once, then kept in a temporary folder.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path

import numpy as np

import lstm_explain as lx
from lstm_explain import SequenceData

DESCRIPTORS = ("RecordID", "Age", "Gender", "Height", "ICUType")
KEPT = Path(tempfile.gettempdir()) / "lstm_explain_benchmark"


def stays() -> SequenceData:
    """Read hourly values of the stays that last all 48 hours, filled forward and standardised."""
    folder = Path(os.environ["LSTM_EXPLAIN_DATA"]) / "physionet2012"
    died = {
        int(line.split(",")[0]): int(line.split(",")[5])
        for line in (folder / "Outcomes-a.txt").read_text().splitlines()[1:]
    }
    records, names = {}, set()
    with tarfile.open(folder / "set-a.tar.gz") as archive:
        for member in archive:
            if not member.name.endswith(".txt"):
                continue
            lines = archive.extractfile(member).read().decode().splitlines()[1:]
            rows = [line.split(",") for line in lines]
            kept = [(min(int(t[:2]), 47), p, float(v)) for t, p, v in rows if float(v) != -1 and p]
            kept = [row for row in kept if row[1] not in DESCRIPTORS]
            if kept and max(row[0] for row in kept) == 47:
                records[int(Path(member.name).stem)] = kept
                names.update(row[1] for row in kept)
    position = {name: index for index, name in enumerate(sorted(names))}
    values = np.full((len(records), 48, len(position)), np.nan)
    for index, rows in enumerate(records.values()):
        for hour, name, value in rows:
            values[index, hour, position[name]] = value
    low, high = np.nanpercentile(values, [0.5, 99.5], axis=(0, 1))
    data = SequenceData.from_arrays(
        np.clip(values, low, high),
        np.array([died[identity] for identity in records]),
        feature_names=sorted(names),
        ids=np.array(list(records)),
        missing="keep",
        name="PhysioNet 2012",
    )
    return data.split_by_group(0.15, 0.2, seed=0).fill_missing().standardise()


def trained() -> tuple[object, SequenceData]:
    """Return the trained model, whose output is the logit, and the data."""
    data = stays()
    if not (KEPT / "run.json").exists():
        model = lx.build_model(data, units=(64,), attention_units=64, seed=0, beside=None)
        lx.train(model, data, epochs=12, seed=0).save(KEPT)
    run = lx.TrainingRun.load(KEPT)
    print(f"test AUROC {run.metrics['auroc']:.3f}")
    from lstm_explain.backend import keras

    return keras.Model(run.model.input, run.model.get_layer("head").output, name="icu"), data
