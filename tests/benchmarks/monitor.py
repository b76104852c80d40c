"""One streaming step: python tests/benchmarks/monitor.py.

Milliseconds for a new row with its score, and with its explanation too, on an LSTM of 32 units with
attention, windows of 30 cycles of 6 sensors and 100 background windows; and memory of the process
over 10,000 rows. Beside the time that passed stands the processor time of all threads, which a busy
machine lengthens less.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import numpy as np

import lstm_explain as lx
from lstm_explain.datasets.turbofan.rule import simulate_engine

ROWS = 10_000


def resident() -> float:
    """Return the memory of this process in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def milliseconds(call: Callable[[], object], repetitions: int) -> np.ndarray:
    """Return the time that passed and the processor time of each call, (repetition, 2)."""
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    return 1000 * np.array(times)


if __name__ == "__main__":
    data = lx.load_turbofan(stride=3)
    model = lx.build_model(data, units=(32,), beside=None)
    lx.train(model, data, epochs=2, progress=False, fit_baseline=False)
    monitor = lx.Monitor(model, data.train)
    rows = cycle(simulate_engine(1).readings)

    def update() -> None:
        monitor.update(next(rows))

    def both() -> None:
        update()
        monitor.explain()

    milliseconds(update, 100)
    milliseconds(both, 5)
    for name, call, repetitions in (("score", update, 300), ("score, explanation", both, 40)):
        passed, processor = np.median(milliseconds(call, repetitions), axis=0)
        print(f"{name}: median {passed:.1f} ms, processor {processor:.1f} ms", flush=True)
    before = resident()
    for count in range(4):
        milliseconds(update, ROWS // 4)
        print(f"{(count + 1) * ROWS // 4} rows: {resident() - before:+.1f} MB", flush=True)
