"""Memory of explaining many samples: python tests/benchmarks/memory.py.

Each count runs in a process of its own. What is reported is the highest resident memory while
explaining, above what the process held before, beside the size of the input and of the result.
"""

from __future__ import annotations

import subprocess
import sys

COUNTS = (100, 1_000, 10_000)
SCRIPT = """
import resource
import sys

import numpy as np

import lstm_explain as lx


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


rng = np.random.default_rng(0)
x = rng.normal(size=(int(sys.argv[1]), 48, 20)).astype(np.float32)
data = lx.SequenceData.from_arrays(x, x[:, -1, 0])
model = lx.build_model(data, units=(16,), attention_units=16)
options = {"background": x[:20], "tolerance": 0.5, "progress": False}
lx.explain(model, data[:100], **options)  # traces and compiles
before = resident()
e = lx.explain(model, data, **options)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
size = sum(variable.nbytes for variable in e.to_dataset().data_vars.values()) / 2**20
print(f"{len(e):6d} samples: input {x.nbytes / 2**20:4.0f} MB, result {size:4.0f} MB, "
      f"peak above start {peak - before:4.0f} MB")
"""


def main() -> None:
    for count in COUNTS:
        subprocess.run([sys.executable, "-c", SCRIPT, str(count)], check=True)


if __name__ == "__main__":
    main()
