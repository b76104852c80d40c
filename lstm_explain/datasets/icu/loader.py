"""Stays in intensive care: two days of measurements, and who died in hospital."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...arguments import check_one_of
from ...progress import progress_bar
from ...sequences.data import SequenceData
from ..store import (
    StoredFile,
    cached_arrays,
    check_home,
    digest,
    find_file,
    load_arrays,
    package_data,
)
from .records import NUM_HOURS, hourly_arrays, match_outcomes, read_outcomes, read_records
from .variables import DESCRIPTORS, ICU_TYPES, SERIES

SAMPLE_FILE = "icu_sample.npz"
FOLDER = "physionet2012"
# Archive and outcomes of each set; the official training and test sets of the challenge.
SETS = {"a": ("set-a.tar.gz", "Outcomes-a.txt"), "b": ("set-b.tar.gz", "Outcomes-b.txt")}
STAYS_PER_SET = 4000
VALIDATION_SHARE = 0.15
SPLIT_SEED = 0
# Raise it whenever the same files give other arrays than before.
PARSER_VERSION = 1


def load_icu(
    source: Literal["sample", "physionet2012"] = "sample",
    *,
    data_home: str | Path | None = None,
    progress: bool = True,
) -> SequenceData:
    """Load stays in intensive care, hour by hour, and who died in hospital.

    Missing values are kept as NaN, nothing is standardised, and all numbers are in clinical units;
    see ``icu_reference_ranges``.

    Parameters
    ----------
    source : {"sample", "physionet2012"}
        "sample": simulated stays whose cause of death is known, without a download.
        "physionet2012": 8,000 real stays of the PhysioNet/Computing in Cardiology Challenge 2012
        (Open Data Commons Attribution License v1.0). Set A trains and, by a fixed draw of 15 % of
        its stays, validates; set B tests.
    data_home : path, optional
        Folder that holds ``physionet2012/set-a.tar.gz`` and the other three files, or into which
        they are downloaded (together less than 20 MB). Default: the environment variable
        LSTM_EXPLAIN_DATA, else a folder of this user's cache. Not used for the sample.
    progress : bool
        Show the progress of downloading and reading.

    Returns
    -------
    SequenceData
        Split into training, validation and test; classes survived and died; `times` are hours
        since admission, `ids` tell the stays apart. For "physionet2012": 37 variables over up to
        48 hours; age in years, sex (0 female, 1 male), height in cm, weight in kg and the type of
        unit as four columns of which one is 1.

    Raises
    ------
    ValueError
        An unknown source, or a file that is damaged or holds something else than expected: the
        message names file and line.
    FileNotFoundError
        A file is not there and cannot be downloaded: the message says how to place it by hand.

    Warns
    -----
    UnverifiedDataWarning
        A file in the data home is not the official one.

    Notes
    -----
    In "physionet2012" a cell is the last plausible value of its hour, and the time 48:00 belongs
    to the last hour. -1 and values that no living adult has count as not measured, facts of the
    admission included. The first weight, at 00:00, is such a fact; later ones are measurements. A
    stay lasts up to its last line.

    Ten stays have facts of the admission and not one measurement. They are kept, as one hour in
    which nothing was measured: they have an outcome, published scores count them, and a model in
    use would meet them too. The type of unit is four columns because its numbers have no order, and
    so that each can be explained by its name.

    What was parsed is kept, in the folder that the environment variable LSTM_EXPLAIN_CACHE names
    or in this user's cache.

    References
    ----------
    Silva, Moody, Scott, Celi and Mark (2012), "Predicting In-Hospital Mortality of ICU Patients:
    The PhysioNet/Computing in Cardiology Challenge 2012", Computing in Cardiology 39.

    Examples
    --------
    >>> data = load_icu("sample")
    >>> data.class_names, len(data.feature_names)
    (('survived', 'died'), 9)
    >>> load_icu("physionet2012")                               # doctest: +SKIP
    SequenceData 'PhysioNet 2012': 8000 samples x 1-48 steps x 37 features + 8 static, 2 classes, \
train 3400 / validation 600 / test 4000
    """
    remedy = "For stays of your own use SequenceData.from_frame."
    check_one_of(("sample", FOLDER), remedy=remedy, source=source)
    check_home(data_home, progress)
    if source == "sample":
        return _sample()
    files = {}
    for name in chain.from_iterable(SETS.values()):
        files[name] = find_file(f"{FOLDER}/{name}", data_home, progress=progress)
    key = digest(PARSER_VERSION, SERIES, DESCRIPTORS, *(file.sha256 for file in files.values()))
    return _physionet(cached_arrays(FOLDER, key, lambda: _parse(files, progress)))


def _parse(files: dict[str, StoredFile], progress: bool) -> dict[str, np.ndarray]:
    """Read both sets; stays are in order of their ids within a set."""
    sets = []
    total = STAYS_PER_SET * len(SETS)
    with progress_bar(total, "reading PhysioNet 2012", "stay", visible=progress) as bar:
        for label, names in SETS.items():
            archive, outcomes = (files[name].path for name in names)
            died = read_outcomes(outcomes)
            records = read_records(archive, bar)
            target = match_outcomes(records, died, archive, outcomes)
            arrays = hourly_arrays(records)
            arrays["target"] = np.array(target, np.int32)
            arrays["ids"] = np.array([record.stay for record in records])
            arrays["set"] = np.full(len(records), label)
            sets.append(arrays)
    return {name: np.concatenate([arrays[name] for arrays in sets]) for name in sets[0]}


def _sample() -> SequenceData:
    arrays = load_arrays(package_data() / SAMPLE_FILE)
    data = make_stays(
        np.split(arrays["values"], np.cumsum(arrays["lengths"])[:-1]),
        arrays["target"],
        static=arrays["static"],
        feature_names=arrays["feature_names"].tolist(),
        static_names=arrays["static_names"].tolist(),
        ids=arrays["ids"],
        name="ICU sample",
    )
    return replace(data, split=arrays["split"])


def _physionet(arrays: dict[str, np.ndarray]) -> SequenceData:
    *facts, icu_type = arrays["descriptors"].T
    columns = [np.where(np.isnan(icu_type), np.nan, icu_type == k) for k in (1, 2, 3, 4)]
    data = make_stays(
        arrays["values"],
        arrays["target"],
        lengths=arrays["lengths"],
        static=np.stack([*facts, *columns], axis=1),
        feature_names=[variable.name for variable in SERIES],
        static_names=[*(variable.name for variable in DESCRIPTORS[:-1]), *ICU_TYPES],
        ids=arrays["ids"],
        name="PhysioNet 2012",
    )
    return replace(data, split=_split(arrays["set"]))


# What the codes of static facts stand for; both sources use some of them.
_FLAGS = (*ICU_TYPES, "surgical", "cardiac")
CODES: dict[str, Mapping[float, str]] = {
    "sex": {0: "female", 1: "male"},
    **{name: {0: "no", 1: "yes"} for name in _FLAGS},
}


def make_stays(
    values: np.ndarray | list[np.ndarray],
    target: np.ndarray,
    *,
    feature_names: Sequence[str],
    static_names: Sequence[str],
    **options: Any,
) -> SequenceData:
    """Build the data of either source, with the same units, clock and classes.

    Further options are those of ``SequenceData.from_arrays``.
    """
    names = {*feature_names, *static_names}
    return SequenceData.from_arrays(
        values,
        target,
        feature_names=feature_names,
        static_names=static_names,
        units={v.name: v.unit for v in (*SERIES, *DESCRIPTORS) if v.name in names},
        labels={name: codes for name, codes in CODES.items() if name in names},
        target_name="death in hospital",
        class_names=["survived", "died"],
        times=np.tile(np.arange(NUM_HOURS), (len(target), 1)),
        time_name="hours since admission",
        missing="keep",
        **options,
    )


def _split(sets: np.ndarray) -> np.ndarray:
    """Label the stays: set B tests, a random part of set A validates, the rest trains."""
    labels = np.where(sets == "b", "test", "train").astype("<U10")
    of_a = np.flatnonzero(sets == "a")
    drawn = np.random.default_rng(SPLIT_SEED).permutation(of_a)
    labels[drawn[: round(VALIDATION_SHARE * len(of_a))]] = "validation"
    return labels
