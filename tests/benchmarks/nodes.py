"""How many points of paths `explain` evaluates a model at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lstm_explain.inspection.compiled import Compiled


@contextmanager
def counted_nodes() -> Iterator[list[int]]:
    """Give a list that grows by the nodes of each call of the model, while the block runs."""
    path, counted = Compiled.path, []

    def counting(compiled: Compiled, subject: Any, rows: Any, nodes: Any, *rest: Any) -> Any:
        counted.append(np.count_nonzero(nodes.weight))  # those that fill a batch up weigh 0
        return path(compiled, subject, rows, nodes, *rest)

    Compiled.path = counting  # type: ignore[method-assign]
    try:
        yield counted
    finally:
        Compiled.path = path  # type: ignore[method-assign]
