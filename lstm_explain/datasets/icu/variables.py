"""What is measured in PhysioNet 2012: codes, plain names, units, plausible and reference ranges.

None of this is medical advice. The reference ranges say what is usual in healthy adults at rest,
for reading a figure; laboratories differ, and patients in intensive care are not healthy adults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


NAN = float("nan")
MEDSCAPE = "Medscape, Laboratory Reference Ranges in Healthy Adults"
MERCK_BLOOD = "Merck Manual, Blood Tests"
MERCK_COUNT = "Merck Manual, Complete Blood Count"
MEDLINEPLUS = "MedlinePlus, Vital signs"
# Diastolic pressure plus a third of the pulse pressure, for 90/60 and for 120/80 mmHg.
MEAN_PRESSURE = "MedlinePlus, Vital signs (worked out from 90/60 to 120/80 mmHg)"
CHOLESTEROL = "NCEP Adult Treatment Panel III 2001: desirable"
GLASGOW = "Teasdale and Jennett 1974: fully awake"
ROOM_AIR = "room air"
ASSAY = "depends on the assay"


class Variable(NamedTuple):
    """One variable of the records.

    A value outside `low` to `high` (both included) counts as not measured: no living adult has
    it, or no instrument reads it. -1, which the records write for missing, is always outside. The
    reference range is NaN where there is none.
    """

    code: str
    name: str
    unit: str
    low: float
    high: float
    reference_low: float = NAN
    reference_high: float = NAN
    source: str = ""


SERIES = (
    Variable("Albumin", "albumin", "g/dL", 0.5, 7, 3.5, 5.5, MEDSCAPE),
    Variable("ALP", "alkaline phosphatase", "IU/L", 1, 5000, 30, 120, MEDSCAPE),
    Variable("ALT", "alanine aminotransferase", "IU/L", 1, 30_000, 10, 40, MEDSCAPE),
    Variable("AST", "aspartate aminotransferase", "IU/L", 1, 30_000, 10, 40, MEDSCAPE),
    Variable("Bilirubin", "bilirubin", "mg/dL", 0, 80, 0, 1, MERCK_BLOOD),
    Variable("BUN", "blood urea nitrogen", "mg/dL", 1, 300, 8, 20, MEDSCAPE),
    Variable("Cholesterol", "cholesterol", "mg/dL", 10, 1000, 0, 200, CHOLESTEROL),
    Variable("Creatinine", "creatinine", "mg/dL", 0.1, 30, 0.6, 1.2, MERCK_BLOOD),
    Variable("DiasABP", "diastolic blood pressure", "mmHg", 10, 200, 60, 80, MEDLINEPLUS),
    Variable("FiO2", "inspired oxygen fraction", "", 0.21, 1, 0.21, 0.21, ROOM_AIR),
    Variable("GCS", "Glasgow coma score", "", 3, 15, 15, 15, GLASGOW),
    Variable("Glucose", "glucose", "mg/dL", 5, 2000, 70, 99, f"{MEDSCAPE} (fasting)"),
    Variable("HCO3", "bicarbonate", "mmol/L", 1, 70, 23, 26, MEDSCAPE),
    Variable("HCT", "hematocrit", "%", 5, 75, 36, 51, MERCK_COUNT),
    Variable("HR", "heart rate", "bpm", 10, 250, 60, 100, MEDLINEPLUS),
    Variable("K", "potassium", "mEq/L", 1, 15, 3.5, 5, MEDSCAPE),
    Variable("Lactate", "lactate", "mmol/L", 0.1, 40, 0.5, 2.2, f"{MERCK_BLOOD} (venous)"),
    # The description of the data says mmol/L, but the median of 2.0 is the usual one in mg/dL.
    Variable("Mg", "magnesium", "mg/dL", 0.2, 15, 1.6, 2.6, MEDSCAPE),
    Variable("MAP", "mean blood pressure", "mmHg", 15, 250, 70, 93, MEAN_PRESSURE),
    Variable("MechVent", "mechanical ventilation", "", 0, 1),  # only ever written as 1
    Variable("Na", "sodium", "mEq/L", 80, 200, 136, 145, MEDSCAPE),
    Variable("NIDiasABP", "diastolic blood pressure (cuff)", "mmHg", 10, 200, 60, 80, MEDLINEPLUS),
    Variable("NIMAP", "mean blood pressure (cuff)", "mmHg", 15, 250, 70, 93, MEAN_PRESSURE),
    Variable("NISysABP", "systolic blood pressure (cuff)", "mmHg", 20, 299, 90, 120, MEDLINEPLUS),
    Variable("PaCO2", "arterial carbon dioxide pressure", "mmHg", 5, 200, 35, 45, MERCK_BLOOD),
    Variable("PaO2", "arterial oxygen pressure", "mmHg", 15, 700, 75, 100, MEDSCAPE),
    Variable("pH", "arterial pH", "", 6.5, 8, 7.35, 7.45, MERCK_BLOOD),
    Variable("Platelets", "platelets", "cells/nL", 1, 3000, 140, 450, MERCK_COUNT),
    Variable("RespRate", "breathing rate", "breaths/min", 1, 80, 12, 18, MEDLINEPLUS),
    Variable("SaO2", "oxygen saturation", "%", 20, 100, 95, 100, MEDSCAPE),
    Variable("SysABP", "systolic blood pressure", "mmHg", 20, 299, 90, 120, MEDLINEPLUS),
    Variable("Temp", "temperature", "°C", 25, 45, 36.5, 37.3, MEDLINEPLUS),
    Variable("TroponinI", "troponin I", "µg/L", 0, 500, source=ASSAY),
    Variable("TroponinT", "troponin T", "µg/L", 0, 100, source=ASSAY),
    # Of one emptying, not of an hour: no range of its own.
    Variable("Urine", "urine output", "mL", 0, 5000),
    Variable("WBC", "white blood cells", "cells/nL", 0, 500, 4.5, 11, MERCK_COUNT),
    Variable("Weight", "weight", "kg", 25, 350),
)

# The facts of admission, as the records write them; the type of unit becomes ICU_TYPES.
DESCRIPTORS = (
    Variable("Age", "age", "years", 15, 120),
    Variable("Gender", "sex", "", 0, 1),
    Variable("Height", "height", "cm", 100, 250),
    Variable("Weight", "weight at admission", "kg", 25, 350),
    Variable("ICUType", "type of ICU", "", 1, 4),
)
ICU_TYPES = ("coronary care", "cardiac surgery recovery", "medical ICU", "surgical ICU")
RECORD_ID = "RecordID"


def icu_reference_ranges() -> pd.DataFrame:
    """List what is measured in ICU stays: codes, units, plausible and reference ranges.

    Not medical advice: the reference ranges say what is usual in healthy adults at rest.
    Laboratories differ, and the ranges of women and men are joined.

    Returns
    -------
    DataFrame
        One row per variable of ``load_icu``, by its name. `code` is PhysioNet's. Values outside
        `plausible_low` to `plausible_high` count as not measured. `reference_low` and
        `reference_high` are NaN where no range applies; `source` says where they come from.

    Examples
    --------
    >>> ranges = icu_reference_ranges()
    >>> ranges.loc[["lactate", "heart rate"], ["unit", "reference_low", "reference_high"]]
                  unit  reference_low  reference_high
    name
    lactate     mmol/L            0.5             2.2
    heart rate     bpm           60.0           100.0
    """
    import pandas as pd

    columns = {"low": "plausible_low", "high": "plausible_high"}
    frame = pd.DataFrame(SERIES).rename(columns=columns).set_index("name")
    numbers = [name for name in frame if name.endswith(("_low", "_high"))]
    return frame.astype(dict.fromkeys(numbers, float))
