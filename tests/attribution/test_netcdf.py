"""A damaged explanation is refused at once; a whole one is read by other tools too."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from attribution.explanations import made
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain import Explanation

BEFORE = Path(__file__).parents[1] / "written_before" / "numbers.nc"
REFUSED = r"Expected a file written by Explanation.save; .* is (damaged|no netCDF file)"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return made().save(tmp_path_factory.mktemp("written") / "run.nc")


@settings(max_examples=300)
@given(
    place=st.floats(0, 1, exclude_max=True) | st.sampled_from([0.0, 0.002, 0.99, 0.999]),
    damage=st.sampled_from(["200 zeros", "a flipped bit", "2000 other bytes", "an early end"]),
    seed=st.integers(0, 9),
)
def test_damage_anywhere_is_refused(written, tmp_path_factory, place, damage, seed):
    """Never a hang, another error or other numbers: in the data, the structure or the checksum."""
    whole, at = np.frombuffer(written.read_bytes(), np.uint8), int(place * written.stat().st_size)
    content = whole.copy()
    if damage == "an early end":
        content = content[:at]
    elif damage == "a flipped bit":
        content[at] ^= 1 << (seed % 8)
    elif damage == "200 zeros":
        content[at : at + 200] = 0
    else:
        size = len(content[at : at + 2000])
        content[at : at + 2000] = np.random.default_rng(seed).integers(0, 256, size)
    path = tmp_path_factory.mktemp("damaged") / "run.nc"
    path.write_bytes(content.tobytes())
    if np.array_equal(content, whole):  # zeros where zeros were
        np.testing.assert_array_equal(Explanation.load(path).values, made().values)
    else:
        with pytest.raises(ValueError, match=REFUSED):
            Explanation.load(path)


def test_damage_is_named_with_its_remedy(written, tmp_path):
    content = bytearray(written.read_bytes())
    content[9000:9200] = bytes(200)
    path = tmp_path / "run.nc"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run.nc' is damaged: it is not what .*Copy it again"):
        Explanation.load(path)


def test_other_tools_read_the_file(written):
    """The checksum stands behind what HDF5 reads."""
    with xr.open_dataset(written) as opened:
        np.testing.assert_array_equal(opened["values"], made().values)
    with h5py.File(written) as opened:
        np.testing.assert_array_equal(opened["values"][:], made().values)


def test_a_file_of_earlier_code_loads_and_its_early_end_is_noticed(tmp_path):
    assert len(Explanation.load(BEFORE)) == 3
    path = tmp_path / "run.nc"
    path.write_bytes(BEFORE.read_bytes()[:-1])
    with pytest.raises(ValueError, match="is damaged: it is not what was written there"):
        Explanation.load(path)
