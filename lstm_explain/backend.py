"""The gate through which Keras is loaded, and the device that it will use."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@contextmanager
def _native_messages_hidden() -> Iterator[None]:
    """Hide what C++ code writes to standard error while a block runs; Python's errors still raise.

    TensorFlow greets with lines about oneDNN, CUDA and processor features that no log level stops
    and that a notebook would keep in its first cell as if something had gone wrong.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _load() -> tuple[str, ...]:
    """Load Keras and its backend, and list the devices: both are silent only the first time."""
    # Later messages of TensorFlow's C++ code: what matters raises in Python as well. A value that
    # the user has set is kept.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_messages_hidden():
        import keras

        try:
            return tuple(keras.distribution.list_devices())
        except (AttributeError, NotImplementedError):  # Keras lists none for PyTorch
            import torch

            return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))


_DEVICES = _load()

import keras as keras  # noqa: E402  (only now: _load has hidden its greeting)
from keras import ops as ops  # noqa: E402


@contextmanager
def retracing_expected() -> Iterator[None]:
    """Hide TensorFlow's warning of repeated tracing while a block runs.

    Batches of several lengths are traced once for each on purpose; in a notebook the warning would
    stand above the result as if something had gone wrong.
    """

    def is_other(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


@dataclass(frozen=True)
class Device:
    """Where the work runs, and why there."""

    kind: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.reason})"


def find_device() -> Device:
    """Return the device that Keras will use: the first visible GPU, else the CPU.

    Examples
    --------
    >>> find_device().kind in ("GPU", "CPU")
    True
    """
    backend = keras.backend.backend()
    others = [name for name in _DEVICES if not name.startswith("cpu")]
    if others:
        return Device("GPU", others[0], f"{others[0]} is visible to {backend}")
    return Device("CPU", "cpu:0", f"no GPU is visible to {backend}")
