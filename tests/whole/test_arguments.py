"""Numbers that are none are refused, whatever they are; numbers of NumPy are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from whole.wrong_values import NAN, refusal

import lstm_explain as lx
from lstm_explain import arguments
from lstm_explain.backend import keras


@given(
    st.one_of(st.integers(max_value=0), st.floats(), st.booleans(), st.text(), st.none(),
              st.binary(), st.lists(st.integers()), st.complex_numbers())
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    message = refusal(tiny.explanation().over_windows, length=value)
    assert message.startswith("Expected length to be a whole number of at least 1; received")


@given(
    st.one_of(st.floats(max_value=0), st.floats(min_value=1e39), st.just(NAN), st.booleans(),
              st.text(), st.none(), st.binary(), st.complex_numbers())
)  # fmt: skip
def test_what_is_no_positive_number_is_refused(value: Any) -> None:
    message = refusal(
        lx.explain,
        model=tiny.model(),
        data=tiny.padded().test[:2],
        background="zero",
        tolerance=value,
    )
    assert message.startswith("Expected tolerance to be a finite number above 0; received")


def test_numbers_of_numpy_are_numbers() -> None:
    arguments.check_whole(least=1, epochs=np.int64(3), draws=np.uint8(1))
    arguments.check_number(above=0, tolerance=np.float32(0.1), limit=np.int32(2))
    arguments.check_flag(progress=np.bool_(False))
    with pytest.raises(ValueError, match=r"whole number from 1 to 3; received np\.int64\(4\)"):
        arguments.check_whole(least=1, most=3, step=np.int64(4))


def test_a_model_that_was_never_built_is_refused() -> None:
    """Its weights would be random, and the explanation of nothing."""
    layers = [keras.layers.LSTM(2), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    given = {"data": np.zeros((2, 3, 1)), "background": "zero"}
    assert "received 'sequential" in refusal(lx.explain, model=model, **given)
    model.build((None, 3, 1))
    arguments.check_model(model)
