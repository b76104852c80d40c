"""Models and explanations that earlier code wrote still load, and say the same."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "written_before"
MODELS = ("numbers", "texts", "trailing_means", "summaries")
ARRAYS = ("values", "static_values", "base_values", "predictions")

# In a process of its own: a model's layers must be found although nothing else was imported.
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import lstm_explain as lx

loading = False

def refuse_pickle(event, arguments):
    if loading and event == "pickle.find_class":
        raise RuntimeError(f"a saved file must not need pickle: {arguments}")

sys.addaudithook(refuse_pickle)
folder, result, *names = sys.argv[1:]
expected, arrays = np.load(Path(folder, "expected.npz")), {}
for name in names:
    loading = True
    model = lx.load_model(Path(folder, name + ".keras"))
    loading = False
    inputs = [expected[f"{name}/{tensor.name}"] for tensor in model.inputs]
    arrays[f"{name}/predictions"] = model.predict(inputs, verbose=0)
loading = True
explanation = lx.Explanation.load(Path(folder, "numbers.nc"))
loading = False
for part in ("values", "static_values", "base_values", "predictions"):
    arrays[f"explanation/{part}"] = getattr(explanation, part).values
np.savez(result, **arrays)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What the present code reads from the files and predicts with them."""
    result = tmp_path_factory.mktemp("written_before") / "loaded.npz"
    command = [sys.executable, "-c", SCRIPT, str(FOLDER), str(result), *MODELS]
    ran = subprocess.run(
        command, cwd=FOLDER.parents[1], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return np.load(result)


@pytest.fixture(scope="module")
def expected():
    return np.load(FOLDER / "expected.npz")


@pytest.mark.parametrize("name", MODELS)
def test_a_model_predicts_what_it_predicted_before(name, loaded, expected):
    found, before = loaded[f"{name}/predictions"], expected[f"{name}/predictions"]
    # Another processor or backend takes the float32 sums in another order.
    np.testing.assert_allclose(found, before, rtol=1e-5)
    assert np.ptp(before) > 1e-2, "the same number for every sample would prove little"


@pytest.mark.parametrize("part", ARRAYS)
def test_an_explanation_holds_the_same_numbers(part, loaded, expected):
    np.testing.assert_array_equal(loaded[f"explanation/{part}"], expected[f"explanation/{part}"])
