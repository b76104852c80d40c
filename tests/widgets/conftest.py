"""A model and data with gaps for the tests of the widgets."""

import pytest
from tiny import gappy

import lstm_explain as lx


@pytest.fixture(scope="module")
def model_and_data():
    return gappy()


@pytest.fixture
def explorer(model_and_data):
    model, data = model_and_data
    made = lx.explore(model, data.test, background=data.train)
    yield made
    made.close()
