"""Time of a report without retraining: python tests/benchmarks/faithfulness_time.py.

100 test stays of the benchmarks' healthcare model, explained against 100 background rows. Needs
LSTM_EXPLAIN_DATA, as `icu_model` says. The goal is at most 2 minutes on 2 processor cores.
"""

from __future__ import annotations

import os
import time

from icu_model import trained

import lstm_explain as lx

SAMPLES = 100


def main() -> None:
    model, data = trained()
    start = time.perf_counter()
    e = lx.explain(model, data.test[:SAMPLES], background=data.train, progress=False)
    explained = time.perf_counter() - start
    start, busy = time.perf_counter(), time.process_time()
    report = lx.check_faithfulness(model, e, progress=False)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    sizes = " x ".join(str(size) for size in e.values.shape)
    print(f"{sizes} values, {os.cpu_count()} cores")
    print(
        f"explaining {explained:.0f} s, report {seconds:.0f} s ({busy:.0f} s of processor time, "
        f"load {os.getloadavg()[0]:.1f})"
    )
    table = report.to_frame()
    print(table[table["share"].isna()].drop(columns="share").round(3).to_string(index=False))
    print(report.verdict())
    print(*report.skipped, sep="\n")


if __name__ == "__main__":
    main()
