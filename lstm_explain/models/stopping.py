"""When training stops, and what is kept of it: Keras callbacks of `train`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..backend import keras
from ..progress import progress_bar
from ..wording import score_text

# Less time than this is gone before the first gradient step: no budget for a training.
LEAST_SECONDS = 1.0


class Stopper(keras.callbacks.EarlyStopping):
    """Stop early and keep the best weights, those at the start among them.

    A model with a linear path starts as a good one: training must not leave it worse.
    """

    def __init__(self, validation: Any, patience: int) -> None:
        super().__init__(patience=patience, restore_best_weights=True)
        self._validation = validation

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights and the loss at the start."""
        super().on_train_begin(logs)
        parts = self._validation if isinstance(self._validation, tuple) else (self._validation,)
        self.best_weights, self.best_epoch = self.model.get_weights(), -1
        loss = float(self.model.evaluate(*parts, verbose=0))
        self.best = loss if np.isfinite(loss) else np.inf


class Recorder(keras.callbacks.Callback):
    """Keep the losses of each epoch, move the progress bar, and stop when the time is over."""

    def __init__(self, epochs: int, progress: bool, seconds: float) -> None:
        super().__init__()
        self.end = time.perf_counter() + seconds
        self.rows: list[dict[str, float]] = []
        self.bar = progress_bar(epochs, "training", "epoch", progress)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """End the epoch, and with it the training, when the time is over."""
        if time.perf_counter() > self.end:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record one epoch."""
        logs = logs or {}
        self.rows.append({"loss": logs["loss"], "validation_loss": logs["val_loss"]})
        loss = score_text(logs["val_loss"], least=4)
        self.bar.set_postfix_str(f"validation loss {loss}", refresh=False)
        self.bar.update()
