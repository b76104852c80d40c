"""What an argument must not be, by what is expected, likeliest first; and how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_explain as lx

PACKAGE = Path(lx.__file__).parent

NAN, INF = float("nan"), float("inf")
WHOLE = ("2", 2.5, True, NAN, -1, [1])
COUNT = (*WHOLE, 0, None)  # of at least 1, and needed
POSITIVE = ("low", True, NAN, INF, -1.0, None, 1e300)
FLAG = ("yes", 1, None, 0.5)
WORD = ("sideways", 3, None, ["margin"], True)
NAMES = ("dose", 3)
TABLE = (None, "table.csv", 3, {"a": [1]})
MODEL = (None, "model.keras", 3, object())
DATA = (None, "data", 3, {"values": 1})
ONLY_DATA = (*DATA, np.zeros((2, 3, 1)))
NUMBERS = (None, "high", ["a", "b"], object(), [[1.0], [1.0, 2.0]])
EXPLANATION = (None, "run.nc", 3, np.zeros(3))
AXES = ("axes", 3)
FILE = (None, "", 3, Path(__file__).parent)
FOLDER = (None, "", 3, Path(__file__))
OUTPUT = (True, 1.5, ["up", 3])
STEP = ("first", True, 1.5, None, -1)
INPUTS = ("values", 3, ["sequence"])
UNITS = (None, 3, "32", (), (0,), (2.5,), ("a",), (True,))
SHARE = ("a", True, NAN, -0.1, 1, None)
PENALTY = ("a", True, NAN, INF, -1, None)
QUANTILES = ("median", 3, (), (0.9, 0.1), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0), (NAN,), (True,), (1,))
BACKGROUND = (3, ["a"], {"rows": 1}, "average", object(), np.zeros((2, 0, 3)), np.zeros(3))


def refusal(function: Callable[..., Any], **given: Any) -> str:
    """Return the message with which a call is refused by the package itself."""
    with pytest.raises((ValueError, TypeError)) as caught:
        function(**given)
    raised = Path(str(caught.traceback[-1].path))
    assert PACKAGE in raised.parents, f"raised by {raised}: {caught.value}"
    return str(caught.value)
