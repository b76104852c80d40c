"""A model and data with gaps for the tests of the widgets."""

import pytest
from tiny import gappy


@pytest.fixture(scope="module")
def model_and_data():
    return gappy()
