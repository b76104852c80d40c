"""Nine architectures and the baseline under one protocol: python tests/benchmarks/architectures.py
TASK ...

``lx.compare_models(data)``, two seeds, without a linear path, on tasks of `defaults.py`: icu,
rt_polarity and activities. Printed are the test scores beside the baseline's, and how far the
explanations of 16 test samples agree, with two seeds of one architecture as the noise floor.
"""

from __future__ import annotations

import sys

import pandas as pd
from defaults import TASKS

import lstm_explain as lx


def main(tasks: list[str]) -> None:
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.max_rows", 100)
    for task in tasks or ["rt_polarity", "activities", "icu"]:
        data = TASKS[task]()
        print(data, flush=True)
        print(lx.compare_models(data, progress=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
