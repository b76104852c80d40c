"""The same numbers on TensorFlow, JAX and PyTorch, each in a process of its own."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

BACKENDS = [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
SCRIPT = """
import sys
import numpy as np
import lstm_explain as lx
from lstm_explain import SequenceData

rng = np.random.default_rng(0)
data = SequenceData.from_arrays([rng.normal(size=(n, 4)) for n in (12, 20, 16, 20)], [0, 1, 1, 0])
rows = SequenceData.from_arrays(list(rng.normal(size=(30, 20, 4))))
model = lx.build_model(data, units=(16,), attention_units=8)
model.set_weights([
    np.random.default_rng(i).normal(scale=0.4, size=w.shape)
    for i, w in enumerate(model.get_weights())
])
e = lx.explain(model, data, background=rows, progress=False)
s = lx.shapley_values(model, data, background=rows, level="time", progress=False)
np.savez(sys.argv[1], values=e.values, shapley=s.values, attention=e.attention,
         contribution=e.attention_contribution, predictions=e.predictions, base=e.base_values)
"""


@pytest.mark.long
@pytest.mark.skipif(len(BACKENDS) < 2, reason="one Keras backend is installed")
def test_all_backends_give_the_same_numbers(tmp_path):
    found = {}
    for backend in BACKENDS:
        path = tmp_path / f"{backend}.npz"
        environment = {**os.environ, "KERAS_BACKEND": backend}
        subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, env=environment)
        found[backend] = dict(np.load(path))
    first = found.pop(BACKENDS[0])
    for backend, arrays in found.items():
        for name, array in arrays.items():
            error = np.linalg.norm(array - first[name]) / np.linalg.norm(first[name])
            assert error < 1e-4, (backend, name, error)  # float32, in another order of sums
